"""Targets for file-based service discovery of Prometheus, with groups and labels."""

import json
import re

from psops.exporters import Exported, Selection

_FIRST = re.compile(r"^(?=[0-9])")


def write(selection: Selection) -> Exported:
    """Return the targets; hosts with the same labels are one entry.

    A label of the inventory keeps its name, as far as Prometheus can have it; `groups` and
    `bundles` hold their names between commas, so that `.*,name,.*` finds one.
    """
    entries: dict[tuple[tuple[str, str], ...], list[str]] = {}
    for host in selection.hosts:
        labels = {label_name(key): value for key, value in host.labels}
        if groups := [name for name in host.groups if name in selection.groups]:
            labels["groups"] = f",{','.join(groups)},"
        if host.bundles:
            labels["bundles"] = f",{','.join(host.bundles)},"
        address = host.address or host.name
        target = f"[{address}]" if ":" in address else address
        if address != host.name:
            labels["host"] = host.name
        key = tuple(sorted(labels.items()))
        entries.setdefault(key, []).append(f"{target}:{selection.port}")
    document = [
        {"targets": targets, "labels": dict(labels)} if labels else {"targets": targets}
        for labels, targets in entries.items()
    ]
    return Exported(json.dumps(document, indent=2) + "\n")


def label_name(text: str) -> str:
    """Return the text as Prometheus can have it for a label's name.

    >>> label_name("rack-no"), label_name("2nd")
    ('rack_no', '_2nd')
    """
    name = _FIRST.sub("_", re.sub(r"[^A-Za-z0-9_]", "_", text)) or "_"
    return f"psops{name}" if name.startswith("__") else name
