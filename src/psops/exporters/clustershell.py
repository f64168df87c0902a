"""Groups for ClusterShell, as a file of groups.d; the source is called `psops`."""

import json

from psops.exporters import Exported, Selection
from psops.nodeset import fold

SOURCE = "psops"


def write(selection: Selection) -> Exported:
    """Return the groups, those within others as `@name`; `all` has every host."""
    notes = []
    names = [host.name for host in selection.hosts]
    strange = [name for name in names if ":" in name]
    if strange:
        notes.append(f"ClusterShell has no names with colons, so {fold(strange)} is left out")
    lines = ["# Written by psops inventory export clustershell.", f"{SOURCE}:"]
    for group in selection.groups:
        parts = [f"@{inner}" for inner in selection.inner.get(group, ())]
        if own := [name for name in selection.own(group) if ":" not in name]:
            parts.append(fold(own))
        lines.append(f"  {json.dumps(group)}: {json.dumps(','.join(parts))}")
    if "all" not in selection.groups:
        everything = fold(name for name in names if ":" not in name)
        lines.append(f"  all: {json.dumps(everything)}")
    if any(host.user or host.port or host.address or host.jump for host in selection.hosts):
        notes.append("how hosts are reached is left out; export ssh-config has it")
    return Exported("\n".join(lines) + "\n", tuple(notes))
