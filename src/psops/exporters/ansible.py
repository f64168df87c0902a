"""An Ansible inventory in YAML; strings are written as JSON has them, which YAML reads too."""

import json
from typing import Any

from psops.exporters import Exported, Selection
from psops.inventory import Host

_CONNECTIONS = {"local": "local", "container": "community.general.machinectl"}


def write(selection: Selection) -> Exported:
    """Return the inventory; bundles and labels are the variables psops_bundles and psops_labels."""
    lines = ["# Written by psops inventory export ansible.", "all:"]
    if selection.hosts:
        lines.append("  hosts:")
    for host in selection.hosts:
        given = _vars(host)
        lines.append(f"    {_word(host.name)}:{'' if given else ' {}'}")
        lines += [f"      {key}: {json.dumps(value)}" for key, value in given.items()]
    if selection.groups:
        lines.append("  children:")
    for name in selection.groups:
        lines.append(f"    {_word(name)}:")
        if own := selection.own(name):
            lines.append("      hosts:")
            lines += [f"        {_word(host)}: {{}}" for host in own]
        if inner := selection.inner.get(name):
            lines.append("      children:")
            lines += [f"        {_word(one)}: {{}}" for one in inner]
    notes = []
    if any(host.transport == "demo" for host in selection.hosts):
        notes.append("demo hosts cannot be reached by Ansible")
    if any(host.waivers or host.protected for host in selection.hosts):
        notes.append("waivers and protected units are left out")
    return Exported("\n".join(lines) + "\n", tuple(notes))


def _vars(host: Host) -> dict[str, Any]:
    given: dict[str, Any] = {
        "ansible_host": host.address,
        "ansible_user": host.user,
        "ansible_port": host.port,
        "ansible_connection": _CONNECTIONS.get(host.transport),
        "psops_transport": host.transport if host.transport in ("openssh", "demo") else None,
        "ansible_become": True if host.sudo else None,
        "psops_bundles": list(host.bundles) or None,
        "psops_labels": dict(host.labels) or None,
    }
    if host.jump is not None:
        given["ansible_ssh_common_args"] = f"-o ProxyJump={','.join(host.jump) or 'none'}"
    return {key: value for key, value in given.items() if value is not None}


def _word(name: str) -> str:
    return json.dumps(name)
