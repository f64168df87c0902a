"""An Ansible inventory in YAML; strings are written as JSON has them, which YAML reads too.

All but the escapes of what is no printable character: those of JSON are halves of characters.
"""

import json
from dataclasses import replace
from typing import Any

from psops.exporters import Exported, Selection
from psops.inventory import Host

#: Groups that Ansible has itself, and allows nowhere else.
_ITS_OWN = ("all", "ungrouped")


def write(selection: Selection) -> Exported:
    """Return the inventory; bundles and labels are the variables psops_bundles and psops_labels."""
    notes = [
        f"Ansible has a group '{name}' of its own, so this one is left out"
        for name in selection.groups
        if name in _ITS_OWN
    ]
    selection = _without_its_own(selection)
    lines = ["# Written by psops inventory export ansible.", "all:"]
    if selection.hosts:
        lines.append("  hosts:")
    for host in selection.hosts:
        given = _vars(host)
        lines.append(f"    {_written(host.name)}:{'' if given else ' {}'}")
        lines += [f"      {key}: {_written(value)}" for key, value in given.items()]
    if selection.groups:
        lines.append("  children:")
    for name in selection.groups:
        lines.append(f"    {_written(name)}:")
        if own := selection.own(name):
            lines.append("      hosts:")
            lines += [f"        {_written(host)}: {{}}" for host in own]
        if inner := selection.inner.get(name):
            lines.append("      children:")
            lines += [f"        {_written(one)}: {{}}" for one in inner]
    for transport in ("container", "demo"):
        if any(host.transport == transport for host in selection.hosts):
            notes.append(f"{transport} hosts cannot be reached by Ansible")
    if any(host.waivers or host.protected for host in selection.hosts):
        notes.append("waivers and protected units are left out")
    return Exported("\n".join(lines) + "\n", tuple(notes))


def _without_its_own(selection: Selection) -> Selection:
    """Return the selection with the hosts of such groups in those around them."""
    groups = {name: hosts for name, hosts in selection.groups.items() if name not in _ITS_OWN}
    inner = {
        name: tuple(one for one in inside if one not in _ITS_OWN)
        for name, inside in selection.inner.items()
    }
    return replace(selection, groups=groups, inner=inner)


def _vars(host: Host) -> dict[str, Any]:
    given: dict[str, Any] = {
        "ansible_host": host.address,
        "ansible_user": host.user,
        "ansible_port": host.port,
        "ansible_connection": "local" if host.transport == "local" else None,
        "psops_transport": None if host.transport in ("ssh", "local") else host.transport,
        "ansible_become": True if host.sudo else None,
        "psops_bundles": list(host.bundles) or None,
        "psops_labels": dict(host.labels) or None,
    }
    if host.jump is not None:
        given["ansible_ssh_common_args"] = f"-o ProxyJump={','.join(host.jump) or 'none'}"
    return {key: value for key, value in given.items() if value is not None}


def _written(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return "".join(one if one.isprintable() else f"\\U{ord(one):08x}" for one in text)
