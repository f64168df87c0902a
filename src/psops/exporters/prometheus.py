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
    notes: dict[str, None] = {}
    for host in selection.hosts:
        labels = {}
        if groups := [name for name in host.groups if name in selection.groups]:
            labels["groups"] = f",{','.join(groups)},"
        if host.bundles:
            labels["bundles"] = f",{','.join(host.bundles)},"
        address = host.address or host.name
        target = f"[{address}]" if ":" in address else address
        if address != host.name:
            labels["host"] = host.name
        for label, value in host.labels:
            name = label_name(label)
            if name in labels:
                notes[f"label '{label}' is left out where '{name}' is another one already"] = None
            else:
                labels[name] = value
        entries.setdefault(tuple(sorted(labels.items())), []).append(f"{target}:{selection.port}")
    document = [
        {"targets": targets, "labels": dict(labels)} if labels else {"targets": targets}
        for labels, targets in entries.items()
    ]
    return Exported(json.dumps(document, indent=2) + "\n", tuple(notes))


def label_name(text: str) -> str:
    """Return the text as Prometheus can have it for a label's name.

    >>> label_name("rack-no"), label_name("2nd")
    ('rack_no', '_2nd')
    """
    name = _FIRST.sub("_", re.sub(r"[^A-Za-z0-9_]", "_", text)) or "_"
    return f"psops{name}" if name.startswith("__") else name
