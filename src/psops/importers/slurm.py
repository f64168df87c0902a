"""slurm.conf: its nodes, and a group for each partition and node set; see slurm.conf(5)."""

import re
from collections.abc import Iterator

from psops.importers.imported import ELEMENT, Imported
from psops.nodeset import expand

_PAIR = re.compile(r"([A-Za-z]+)\s*=\s*(\"[^\"]*\"|\S+)")


def read(text: str, name: str) -> Imported:
    """Return the nodes with their addresses, and the partitions they are in."""
    found = Imported(name)
    groups: list[tuple[int, str, str]] = []
    for line, raw in _lines(text):
        if include := re.match(r"\s*include\s+(\S+)", raw, re.IGNORECASE):
            found.note(line, f"'{include[1]}' is not followed: import it too")
            continue
        values = {key.lower(): value.strip('"') for key, value in _PAIR.findall(raw)}
        if "nodename" in values:
            _nodes(found, line, values)
        for key in ("partitionname", "nodeset"):
            if values.get(key, "default").lower() != "default":
                groups.append((line, values[key], values.get("nodes", "")))
                if "feature" in values:
                    found.note(line, f"the nodes of '{values[key]}' by feature are left out")
    if not found.hosts:
        raise found.fail(0, "names no node (NodeName=)")
    called = {group for _, group, _ in groups}
    for line, group, nodes in groups:
        found.group(group, line)
        for element in ELEMENT.findall(nodes):
            if element.upper() == "ALL":
                found.put(group, list(found.hosts), line)
            elif element in called:
                found.nest(group, element, line)
            else:
                found.put(group, found.expand(element, line), line)
    return found


def _nodes(found: Imported, line: int, values: dict[str, str]) -> None:
    if values["nodename"].lower() == "default":
        return
    names = found.expand(values["nodename"], line)
    addresses: list[str | None] = [None] * len(names)
    given = values.get("nodeaddr") or values.get("nodehostname")
    if given:
        expanded = found.expand(given, line)
        if len(expanded) != len(names):
            found.note(line, f"{len(expanded)} addresses for {len(names)} nodes; left out")
        elif names and not (_in_order(values["nodename"]) and _in_order(given)):
            found.note(line, "addresses for ranges that do not ascend; left out")
        else:
            addresses = list(expanded)
    for node, address in zip(names, addresses, strict=True):
        found.host(node, line, address=address)


def _in_order(pattern: str) -> bool:
    """Tell whether ranges are written in the order in which NodeSet has their names."""
    return all(
        expand(f"n[{ranges}]")
        == [name for one in ranges.split(",") for name in expand(f"n[{one}]")]
        for ranges in re.findall(r"\[([^\]:]*)\]", pattern)
    )


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield lines without comments, those that a backslash joins as one."""
    held, first = "", 0
    for number, raw in enumerate(text.splitlines(), 1):
        part = re.sub(r"(?<!\\)#.*", "", raw)
        first = first or number
        if part.endswith("\\"):
            held += part[:-1] + " "
            continue
        yield first, held + part
        held, first = "", 0
    if held:
        yield first, held
