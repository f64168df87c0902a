"""An inventory of psops from a cluster's own list of nodes; pure.

A host's ID goes into the label `ID_LABEL`, since psiadmin's tables are by ID and names differ.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from psops.errors import ConfigError
from psops.inventory import check_name, fold
from psops.nodeset import NodesetError, expand
from psops.psid.answers import NodeList, parse_resolve
from psops.psid.conf import Node
from psops.report.text import clean, count

#: The label with a host's ID, by which `psid verify` joins it with what the nodes tell.
ID_LABEL = "psid_id"
#: Group -> the bundle of the hosts in it.
GROUPS: Mapping[str, str] = {"compute": "parastation-node", "frontend": "parastation-frontend"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A host of the inventory; `group` is one of `GROUPS` or "" where nothing tells it."""

    host: str
    id: int
    labels: tuple[tuple[str, str], ...] = ()
    group: str = ""


def from_conf(nodes: Iterable[Node]) -> tuple[Entry, ...]:
    """Return the hosts of a parastation.conf."""
    return tuple(from_node(node) for node in nodes)


def from_node(node: Node) -> Entry:
    """Return the host of one node of a parastation.conf."""
    labels = [("runjobs", _yes(node.runjobs)), ("starter", _yes(node.starter))]
    if node.hwtype:
        labels.append(("hwtype", " ".join(node.hwtype)))
    if node.processes is not None:
        labels.append(("processes", str(node.processes)))
    if node.overbook != "false":
        labels.append(("overbook", node.overbook))
    if not node.exclusive:
        labels.append(("exclusive", "no"))
    return Entry(
        host=node.host,
        id=node.id,
        labels=tuple((key, clean(value)) for key, value in labels),
        group=_group(node.runjobs, node.starter),
    )


def from_answers(
    told: NodeList, runjobs: Mapping[int, str], starter: Mapping[int, str]
) -> tuple[Entry, ...]:
    """Return the hosts that a live daemon knows, from `resolve` and `show`.

    A node that is down tells neither whether it runs jobs nor whether it starts them.
    """
    words = {"TRUE": True, "FALSE": False}
    found = []
    for node, name in sorted(told.names.items()):
        runs, starts = words.get(runjobs.get(node, "")), words.get(starter.get(node, ""))
        labels = [(key, _yes(value)) for key, value in (("runjobs", runs), ("starter", starts))
                  if value is not None]  # fmt: skip
        found.append(Entry(host=name, id=node, labels=tuple(labels), group=_group(runs, starts)))
    return tuple(found)


def from_resolve(text: str, name: str) -> tuple[Entry, ...]:
    """Return the hosts in the answer to `psiadmin -d -c resolve`, kept in a file called `name`.

    It tells no more than IDs and names. Any line of another form is a `ConfigError`: the
    answer to something else is no list of nodes.
    """
    told = parse_resolve(text)
    if told.other:
        raise ConfigError(clean(f"{name}: not from 'psiadmin -d -c resolve': '{told.other[0]}'"))
    if not told.names:
        raise ConfigError(clean(f"{name}: names no node"))
    return from_answers(NodeList(names=told.names), {}, {})


def render_inventory(entries: Sequence[Entry], source: str) -> str:
    """Return an inventory file, with comments for what is no host name or there twice.

    >>> print(render_inventory([Entry(host="n0", id=0, group="compute")], "n0"), end="")
    # Made by psops psid nodes from n0: 1 node.
    <BLANKLINE>
    [hosts."n0"]
    labels = { psid_id = "0" }
    <BLANKLINE>
    [groups.compute]
    hosts = ["n0"]
    bundles = ["parastation-node"]
    """
    blocks: list[str] = []
    members: dict[str, list[str]] = {}
    seen: dict[str, int] = {}
    for one in entries:
        problem = _problem(one, seen)
        if problem:
            blocks.append(f"# Left out: ID {one.id}, {clean(repr(one.host))}: {clean(problem)}.")
            continue
        seen[one.host] = one.id
        labels = ((ID_LABEL, str(one.id)), *one.labels)
        text = ", ".join(f"{key} = {_quote(value)}" for key, value in labels)
        blocks.append(f"[hosts.{_quote(one.host)}]\nlabels = {{ {text} }}")
        if one.group:
            members.setdefault(one.group, []).append(one.host)
    for name in GROUPS:
        if name in members:
            hosts = ", ".join(map(_quote, _folded(members[name])))
            bundle = _quote(GROUPS[name])
            blocks.append(f"[groups.{name}]\nhosts = [{hosts}]\nbundles = [{bundle}]")
    head = f"# Made by psops psid nodes from {clean(source)}: {count(len(seen), 'node')}."
    return "\n\n".join([head, *blocks]) + "\n"


def _group(runs: bool | None, starts: bool | None) -> str:
    """Return the group: compute nodes run jobs; frontends start them and run none."""
    if runs:
        return "compute"
    return "frontend" if starts and runs is False else ""


def _problem(one: Entry, seen: Mapping[str, int]) -> str:
    if one.host in seen:
        return f"ID {seen[one.host]} has that name, too"
    try:
        check_name(one.host)
        # What the inventory would take for several hosts is not a name of one.
        return "" if expand(one.host) == [one.host] else "no host name"
    except NodesetError as exc:
        return str(exc)


def _folded(names: Sequence[str]) -> Sequence[str]:
    """Return patterns for the names, or the names where folding does not give them back."""
    pattern = fold(names)
    try:
        return [pattern] if sorted(expand(pattern)) == sorted(names) else names
    except NodesetError:
        return names


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def _quote(text: str) -> str:
    """Return a TOML string of printable text."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
