"""The verdicts for people: a grid of hosts by daemons, then everything that is not ok.

Which way the grid lies depends on what fits: hosts in rows, or daemons in rows, or else one
line per host with the names of what is not ok. A single host has a line per daemon instead.
"""

from collections.abc import Sequence

from psops.inventory import fold
from psops.report import Look
from psops.report.facts import unit_facts
from psops.report.text import Cell, ago, clean, paint, table, width_of
from psops.report.unread import render_unread
from psops.report.verify_details import render_problems
from psops.report.verify_parts import (
    MARKS,
    ORDER,
    Group,
    host_groups,
    mark,
    names,
    read,
    role,
    roles,
    summary,
    tally,
)
from psops.verdict import Finding, HostVerdict, VerifyReport

#: Columns that a grid may take where nothing limits the width, as in a pipe.
_ROOM = 110
#: A grid of more lines than this is no overview.
_MOST_DAEMONS = 60
#: So many of what is not ok are named in a line; all of them are told below.
_MOST_NAMED = 2
#: The longest pattern of hosts in the line that tells what they were taken for, and in the grid.
_MOST_TAKEN, _MOST_HOSTS = 60, 200
_LIST_HEAD = (
    "DAEMON",
    "VERDICT",
    "STATE",
    "UNIT",
    "ACTIVE",
    "AT BOOT",
    "SINCE",
    "BUNDLE",
    "PURPOSE",
)
_LIST_SPARE = ("PURPOSE", "SINCE", "BUNDLE", "AT BOOT", "ACTIVE")
_HEADS = {"critical": "CRIT", "unknown": "UNKN", "warning": "WARN", "waived": "WAIVED", "ok": "OK"}


def render(report: VerifyReport, look: Look) -> str:
    """Return what was verified, the grid, the details, and a line with the counts."""
    told = [value for _, value in read(report) if value.findings]
    parts = [_roles(report, look)]
    if len(told) == 1:
        parts.append(_list(told[0], look))
    elif told:
        parts.append(_overview(report, look))
    parts.append(render_problems(report, look))
    parts.append(render_unread(report.outcomes, fold=look.fold, color=look.color))
    parts.append(summary(report))
    return "\n\n".join(part for part in parts if part) + "\n"


def _roles(report: VerifyReport, look: Look) -> str:
    lines = []
    for hosts, value in roles(report):
        number = f" ({len(hosts)})" if len(hosts) > 1 else ""
        name = _abridged(hosts, _MOST_TAKEN)
        lines.append(f"{paint(name, 'head', look.color)}{number}: {role(value)}")
    return "\n".join(lines)


def _abridged(hosts: Sequence[str], most: int) -> str:
    """Return the pattern of hosts; what is longer ends after a name, not within one."""
    name = clean(fold(hosts))
    begin = name[:most].rpartition(",")[0]
    return f"{begin},…" if begin and len(name) > most else name


def _list(value: HostVerdict, look: Look) -> str:
    """Return a line per daemon and check of the only host."""
    bundles = {one.bundle for one in value.findings}
    rows = [_row(one, with_bundle=len(bundles) > 1) for one in value.findings]
    return table(_LIST_HEAD, rows, color=look.color, width=look.width, spare=_LIST_SPARE,
                 prose=("PURPOSE",))  # fmt: skip


def _row(one: Finding, *, with_bundle: bool) -> list[Cell]:
    style, glyph = MARKS[mark(one)]
    unit = one.unit
    facts = unit_facts(unit) if unit is not None else None
    return [
        Cell(f"{glyph} {clean(one.name)}", style),
        Cell(mark(one), style),
        Cell(clean(one.code)),
        Cell(clean(unit.id) if unit is not None else ""),
        Cell(clean(f"{unit.active} ({unit.sub})") if unit is not None else ""),
        Cell(clean(facts.file_state or "") if facts is not None else ""),
        Cell(ago(facts.since_us or 0) if facts is not None else "", right=True),
        Cell(clean(one.bundle) if with_bundle else ""),
        Cell(clean(one.purpose), "dim"),
    ]


def _overview(report: VerifyReport, look: Look) -> str:
    """Return the most telling form that fits."""
    groups = [group for group in host_groups(report, folded=look.fold) if group.value.findings]
    columns = names(report)
    if len(columns) <= _MOST_DAEMONS:
        cells = [{name: _cell(group.value, name) for name in columns} for group in groups]
        room = _ROOM if look.width is None else look.width
        for codes in (True, False):
            for lay in (_by_host, _by_daemon):
                grid = lay(groups, columns, cells, codes)
                plain = table(*grid, color=False, width=None)
                if max(map(width_of, plain.split("\n"))) <= room:
                    text = table(*grid, color=True, width=None) if look.color else plain
                    return f"{text}\n{_legend(cells, look)}"
    return _compact(groups, look)


def _cell(value: HostVerdict, name: str) -> tuple[str, str]:
    """Return mark and code of what a host has under a name, the worst of several."""
    told = [(mark(one), one.code) for one in value.findings if one.name == name]
    return min(told, key=lambda pair: ORDER.index(pair[0]), default=("", ""))


_Grid = tuple[list[str], list[list[Cell]]]
_Cells = list[dict[str, tuple[str, str]]]


def _by_host(groups: list[Group], columns: list[str], cells: _Cells, codes: bool) -> _Grid:
    folded = any(len(group.hosts) > 1 for group in groups)
    rows = []
    for group, row in zip(groups, cells, strict=True):
        style, glyph = MARKS[group.value.verdict]
        rows.append(
            [
                Cell(f"{glyph} {clean(fold(group.hosts))}", style),
                Cell(str(len(group.hosts)) if folded else "", right=True),
                *(_grid_cell(*row[name], codes) for name in columns),
            ]
        )
    return ["HOST", "NUMBER", *(clean(name) for name in columns)], rows


def _by_daemon(groups: list[Group], columns: list[str], cells: _Cells, codes: bool) -> _Grid:
    rows = [[Cell(clean(name)), *(_grid_cell(*row[name], codes) for row in cells)]
            for name in columns]  # fmt: skip
    if any(len(group.hosts) > 1 for group in groups):
        numbers = (Cell(str(len(group.hosts)), "dim") for group in groups)
        rows.insert(0, [Cell("number of hosts", "dim"), *numbers])
    return ["DAEMON", *(clean(fold(group.hosts)) for group in groups)], rows


def _grid_cell(told: str, code: str, codes: bool) -> Cell:
    if not told:
        return Cell("")
    style, glyph = MARKS[told]
    return Cell(f"{glyph} {clean(code)}" if codes and told != "ok" else glyph, style)


def _legend(cells: _Cells, look: Look) -> str:
    used = {told for row in cells for told, _ in row.values()}
    words = [f"{glyph} {told}" for told, (_, glyph) in MARKS.items() if told in used]
    return paint("  ".join([*words, "blank: not expected"] if "" in used else words), "dim",
                 look.color)  # fmt: skip


def _compact(groups: list[Group], look: Look) -> str:
    """Return a line per host or group of hosts, with the names of what is not ok.

    Many hosts that are alike have a long name together, so that it comes last.
    """
    folded = any(len(group.hosts) > 1 for group in groups)
    most = 1 if look.width is not None and look.width < _ROOM else _MOST_NAMED
    rows = []
    for hosts, value in groups:
        style, glyph = MARKS[value.verdict]
        counts = [tally(value.findings)[key] or "" for key in _HEADS]
        numbers = [Cell(str(n), MARKS[key][0], True) for key, n in zip(_HEADS, counts, strict=True)]
        bad = Cell(clean(_named(value, most)))
        if folded:
            first = [Cell(f"{glyph} {value.verdict}", style), Cell(str(len(hosts)), right=True)]
            rows.append([*first, *numbers, bad, Cell(_abridged(hosts, _MOST_HOSTS))])
        else:
            name = Cell(f"{glyph} {clean(fold(hosts))}", style)
            first = [name, Cell(value.verdict.value, style)]
            rows.append([*first, *numbers, bad])
    head = ("VERDICT", "NUMBER") if folded else ("HOST", "VERDICT")
    last = ("NOT OK", "HOSTS") if folded else ("NOT OK",)
    return table((*head, *_HEADS.values(), *last), rows, color=look.color, width=look.width,
                 spare=("OK", "WAIVED"), prose=("NOT OK", "HOSTS"))  # fmt: skip


def _named(value: HostVerdict, most: int) -> str:
    bad = sorted((one for one in value.findings if mark(one) != "ok"),
                 key=lambda one: ORDER.index(mark(one)))  # fmt: skip
    named = [f"{MARKS[mark(one)][1]} {one.name}" for one in bad]
    more = f" and {len(named) - most} more" if len(named) > most else ""
    return ", ".join(named[:most]) + more
