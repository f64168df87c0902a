"""The tables that psiadmin prints, from text to data; pure.

Authority: psmgmt 6.8.1, bin/admin/commands.c, and what 6.8.1, 6.0.1 and 5.1.63 print. Whether
a call worked is told by its text alone: psiadmin exits with 0 after most errors, too.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

UP = "up"
DOWN = "down"
HOMOGENEOUS = "homogeneous"
HETEROGENEOUS = "heterogeneous"

#: A node ID, right-aligned to four columns or more, and a tab begin the line of a node.
_ROW = re.compile(r" *([0-9]{1,9})\t(.*)", re.DOTALL)
_UNASSIGNED = re.compile(r"<unknown>\([0-9]+\)")
_HASH = r"(0x[0-9a-f]{8}|0{10})"
_VERSION = re.compile(rf"(\S.*?) +([0-9]+) / ([0-9]+) / {_HASH} *")
_PROTOCOL = re.compile(r" ?Protocol usage is (homogeneous|heterogeneous) *")
_SUMMARY = re.compile(r"Node status summary: +[0-9]+ up +[0-9]+ down +of [0-9]+ total *")
#: What else the summary tells, and `list versions` tells node by node.
_SUMMED = re.compile(
    rf" ?(?:All|[0-9]+) nodes? with nodelist hash {_HASH} *| ?Down nodes are: [0-9,-]+ *"
)
_VERSION_HEAD = re.compile(r"Node\tpsid version +Protocols / nodelist hash *")
_PLUGIN_HEAD = re.compile(r" ?Node\t *Plugin +Ver +Used by *")
_PLUGIN = re.compile(r"(\S+) +(?:[*D] +)?([0-9]+)(?: .*)?")
_RULE = re.compile(r"-+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What one call of psiadmin printed; `late` if it had to be ended at its deadline."""

    stdout: str
    stderr: str = ""
    late: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Lines that begin with a node's ID. `pending` is the ID of a last line that has no end:
    psiadmin prints it before it asks the node, so that node does not answer."""

    values: Mapping[int, str] = field(default_factory=dict)
    pending: int | None = None
    #: Lines of another form.
    other: tuple[str, ...] = ()


class Version(NamedTuple):
    """A daemon's version, the protocols it speaks with clients and daemons, its list's hash."""

    text: str
    client: int
    daemon: int
    hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Versions:
    """The answer to `list versions`; a node that is down has None."""

    #: "homogeneous", "heterogeneous", or "" if it was not told.
    protocol: str = ""
    nodes: Mapping[int, Version | None] = field(default_factory=dict)
    pending: int | None = None
    other: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """The answer to `list summary`."""

    protocol: str = ""
    other: tuple[str, ...] = ()


class NodeNames(NamedTuple):
    """The answer to `resolve`: ID -> name, and lines of another form."""

    names: Mapping[int, str]
    other: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeList:
    """The answer to `list node; resolve; list node -1`.

    `own` is the ID that the daemon gives itself, None if that was not told.
    """

    states: Mapping[int, str] = field(default_factory=dict)
    names: Mapping[int, str] = field(default_factory=dict)
    own: int | None = None
    #: Whether both tables are there to their ends and of the same IDs.
    complete: bool = False
    other: tuple[str, ...] = ()


def parse_blocks(text: str) -> tuple[Rows, ...]:
    """Return the tables of nodes in the answer to several commands.

    Within a table IDs rise, so the next one begins where they do not. Other lines end a table
    as well and belong to the one before them.

    >>> [dict(rows.values) for rows in parse_blocks("   0\\tup\\n   1\\tdown\\n   0\\tn0\\n")]
    [{0: 'up', 1: 'down'}, {0: 'n0'}]
    """
    blocks: list[tuple[dict[int, str], list[str]]] = [({}, [])]
    pending = None
    last = -1
    closed = False
    for line, ended in _lines(text):
        row = _ROW.fullmatch(line)
        if row is None:
            blocks[-1][1].append(line)
            closed = True
            continue
        number = int(row[1])
        if blocks[-1][0] and (closed or number <= last):
            blocks.append(({}, []))
        closed = False
        if ended:
            blocks[-1][0][number] = row[2]
        else:
            pending = number
        last = number
    end = len(blocks) - 1
    return tuple(
        Rows(values=values, other=tuple(other), pending=pending if at == end else None)
        for at, (values, other) in enumerate(blocks)
    )


def parse_rows(text: str) -> Rows:
    """Return one table of nodes, such as `list node`, `resolve` and `show` print."""
    values: dict[int, str] = {}
    other: list[str] = []
    pending = None
    for line, ended in _lines(text):
        row = _ROW.fullmatch(line)
        if row is None:
            other.append(line)
        elif ended:
            values[int(row[1])] = row[2].strip()
        else:
            pending = int(row[1])
    return Rows(values=values, pending=pending, other=tuple(other))


def parse_nodes(text: str) -> NodeList:
    """Return what `list node; resolve; list node -1` or the first one or two of them told.

    IDs without a node have no name here, though psiadmin prints them as down.
    """
    blocks = parse_blocks(text)
    other = tuple(line for rows in blocks for line in rows.other)
    tables = [rows for rows in blocks if rows.values]
    states = {key: word.strip() for key, word in tables[0].values.items()} if tables else {}
    names = tables[1].values if len(tables) > 1 else {}
    own = None
    if len(tables) > 2 and len(tables[2].values) == 1:
        (own,) = tables[2].values
    ended = blocks[-1].pending is None
    alike = len(tables) > 1 and tables[0].values.keys() == names.keys()
    return NodeList(
        states=states,
        names={key: name for key, name in names.items() if not _UNASSIGNED.fullmatch(name)},
        own=own,
        complete=ended and alike and (own is None or own in states),
        other=other,
    )


def parse_resolve(text: str) -> NodeNames:
    """Return the names of the nodes from `resolve` alone, without IDs that no node has.

    >>> parse_resolve("   0\\tnode00\\n   1\\t<unknown>(1)\\n").names
    {0: 'node00'}
    """
    rows = parse_rows(text)
    names = {key: name for key, name in rows.values.items() if not _UNASSIGNED.fullmatch(name)}
    return NodeNames(names, rows.other)


def parse_versions(text: str) -> Versions:
    """Return the answer to `list versions`."""
    protocol = ""
    nodes: dict[int, Version | None] = {}
    other: list[str] = []
    pending = None
    for line, ended in _lines(text):
        if told := _PROTOCOL.fullmatch(line):
            protocol = told[1]
        elif row := _ROW.fullmatch(line):
            number = int(row[1])
            found = _VERSION.fullmatch(row[2])
            if not ended:
                pending = number
            elif found is not None:
                nodes[number] = Version(found[1], int(found[2]), int(found[3]), found[4])
            elif row[2].strip() == DOWN:
                nodes[number] = None
            else:
                other.append(line)
        elif not _VERSION_HEAD.fullmatch(line):
            other.append(line)
    return Versions(protocol=protocol, nodes=nodes, pending=pending, other=tuple(other))


def parse_summary(text: str) -> Summary | None:
    """Return the answer to `list summary`, None if its first line is not there."""
    begun = False
    protocol = ""
    other: list[str] = []
    for line, _ in _lines(text):
        if _SUMMARY.fullmatch(line):
            begun = True
        elif told := _PROTOCOL.fullmatch(line):
            protocol = told[1]
        elif not _SUMMED.fullmatch(line):
            other.append(line)
    return Summary(protocol=protocol, other=tuple(other)) if begun else None


def parse_plugins(text: str) -> frozenset[str] | None:
    """Return the plugins of one node from `list plugins ID`, None if it is no such answer.

    Some releases print the node's ID before each plugin, others before none.
    """
    names: set[str] = set()
    told = False
    for line, _ in _lines(text):
        row = _ROW.fullmatch(line)
        rest = (row[2] if row else line).strip()
        if _PLUGIN_HEAD.fullmatch(line):
            told = True
        elif found := _PLUGIN.fullmatch(rest):
            names.add(found[1])
        elif rest and not _RULE.fullmatch(rest):
            return None
    return frozenset(names) if told else None


def fold_ids(ids: "frozenset[int] | set[int]") -> str:
    """Return a selection of nodes as psiadmin takes it, "" for none.

    >>> fold_ids({7, 0, 1, 2})
    '0-2,7'
    """
    parts: list[list[int]] = []
    for number in sorted(ids):
        if parts and parts[-1][1] == number - 1:
            parts[-1][1] = number
        else:
            parts.append([number, number])
    return ",".join(str(a) if a == b else f"{a}-{b}" for a, b in parts)


def _lines(text: str) -> Iterator[tuple[str, bool]]:
    """Yield each line that is not empty, and whether it was ended."""
    *whole, rest = text.split("\n")
    for line in whole:
        if line.strip():
            yield line.removesuffix("\r"), True
    if rest.strip():
        yield rest, False
