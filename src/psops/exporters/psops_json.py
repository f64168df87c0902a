"""The hosts with all that holds for them, and the groups, as JSON."""

import json
from datetime import date
from typing import Any

from psops import __version__
from psops.exporters import Exported, Selection
from psops.inventory import Host
from psops.inventory.values import HOST_KEYS

_USUAL = Host(name="")


def write(selection: Selection) -> Exported:
    """Return the document; a host has the keys of an inventory file that are not as usual."""
    groups: dict[str, dict[str, list[str]]] = {}
    for name in selection.groups:
        groups[name] = {"hosts": list(selection.own(name))}
        if name in selection.inner:
            groups[name]["groups"] = list(selection.inner[name])
    document = {
        "psops": __version__,
        "hosts": {host.name: _settings(host) for host in selection.hosts},
        "groups": groups,
    }
    return Exported(json.dumps(document, indent=2) + "\n")


def _settings(host: Host) -> dict[str, Any]:
    given = {}
    for key in HOST_KEYS:
        value = getattr(host, key)
        if value != getattr(_USUAL, key):
            given[key] = _plain(key, value)
    return given


def _plain(name: str, value: Any) -> Any:
    if name == "labels":
        return dict(value)
    if name == "waivers":
        return [
            {key: item.isoformat() if isinstance(item, date) else item
             for key, item in waiver._asdict().items() if item is not None}
            for waiver in value
        ]  # fmt: skip
    return list(value) if isinstance(value, tuple) else value
