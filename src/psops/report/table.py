"""The report for people: a table of units, or what one unit is like in full."""

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from psops.inventory import fold as fold_names
from psops.report import Look
from psops.report.details import render_details
from psops.report.facts import reason, unit_facts
from psops.report.model import HostStatus, StatusReport, UnitStatus
from psops.report.text import (
    STATE_STYLES,
    Cell,
    ago,
    clean,
    count,
    moment,
    size,
    squeeze,
    table,
)
from psops.report.unread import render_unread

_UNIT_HEAD = ("UNIT", "LOAD", "ACTIVE", "FILE", "RESULT", "SINCE", "PID", "RESTARTS", "MEMORY",
              "TASKS", "DESCRIPTION")  # fmt: skip
#: What a narrow terminal can do without, the most dispensable first.
_SPARE = ("TASKS", "DESCRIPTION", "MEMORY", "PID", "FILE", "RESTARTS", "SINCE", "NUMBER")
_FOLD_HEAD = ("UNIT", "LOAD", "ACTIVE", "FILE", "RESULT", "HOSTS", "NUMBER")


@lru_cache(maxsize=256)
def _fold(names: tuple[str, ...]) -> str:
    # Most lines of a folded table are about the same hosts.
    return clean(fold_names(names))


def render(report: StatusReport, look: Look) -> str:
    """Return the report as tables, then what could not be read, then a summary line."""
    (first, *more) = report.outcomes
    if report.details and not more and first.value is not None:
        return render_details(first.host.name, first.value.units[0], look)
    parts = [_hosts(report, look), _units(report, look), _logs(report), _unmatched(report)]
    parts.append("\n".join(map(clean, report.notes)))
    parts.append(render_unread(report.outcomes, fold=look.fold, color=look.color))
    parts.append(_summary(report))
    return "\n\n".join(part for part in parts if part) + "\n"


def _answered(report: StatusReport) -> list[tuple[str, HostStatus]]:
    return [(out.host.name, out.value) for out in report.outcomes if out.value is not None]


def _hosts(report: StatusReport, look: Look) -> str:
    """Return the state of each host, when hosts were asked for and not units."""
    told = [(name, status) for name, status in _answered(report) if status.counts is not None]
    if not told:
        return ""
    states = sorted({state for _, status in told for state in status.counts or ()})
    head = ("HOST", "STATE", *(clean(state.upper()) for state in states), "SYSTEMD")
    keys: dict[tuple[Any, ...], list[str]] = {}
    for name, status in told:
        counts = status.counts or {}
        numbers = tuple(counts.get(state, 0) for state in states)
        key: tuple[Any, ...] = (status.state, numbers, status.version)
        keys.setdefault(key if look.fold else (*key, name), []).append(name)
    rows = [
        [
            Cell(_fold(tuple(names)) if look.fold else clean(names[0])),
            Cell(clean(key[0]), "good" if key[0] == "running" else "warn"),
            *(_number(number, state) for number, state in zip(key[1], states, strict=True)),
            Cell(clean(key[2])),
        ]
        for key, names in keys.items()
    ]
    return table(head, rows, color=look.color, width=look.width, spare=("SYSTEMD",),
                 prose=("HOST",))  # fmt: skip


def _number(number: int, state: str) -> Cell:
    style = STATE_STYLES.get(state, ("", ""))[0] if state == "failed" and number else ""
    return Cell(str(number), style, right=True)


def _units(report: StatusReport, look: Look) -> str:
    told = [(host, unit) for host, status in _answered(report) for unit in status.units]
    if not told:
        return ""
    if look.fold:
        return _folded(report, told, look)
    head: tuple[str, ...] = ("HOST", *_UNIT_HEAD)
    rows = [[Cell(clean(host)), *_unit_cells(unit)] for host, unit in told]
    if report.properties:
        head = ("HOST", "UNIT", *report.properties)
        rows = [[Cell(clean(host)), _name(unit), *_values(report, unit)] for host, unit in told]
    if len(report.outcomes) == 1:
        head, rows = head[1:], [row[1:] for row in rows]
    prose = ("DESCRIPTION", *report.properties)
    return table(head, rows, color=look.color, width=look.width, spare=_SPARE, prose=prose)


def _folded(report: StatusReport, told: Iterable[tuple[str, UnitStatus]], look: Look) -> str:
    """Return one line for each thing that some hosts say alike of a unit."""
    alike: dict[str, dict[tuple[Cell, ...], list[str]]] = {}
    for host, unit in told:
        same = (_name(unit), *_values(report, unit)) if report.properties else _state_cells(unit)
        alike.setdefault(unit.name, {}).setdefault(same, []).append(host)
    head = ("UNIT", *report.properties, *_FOLD_HEAD[-2:]) if report.properties else _FOLD_HEAD
    rows = [
        [*same, Cell(_fold(tuple(hosts))), Cell(str(len(hosts)), right=True)]
        for answers in alike.values()
        for same, hosts in sorted(answers.items(), key=lambda answer: -len(answer[1]))
    ]
    prose = ("HOSTS", *report.properties)
    return table(head, rows, color=look.color, width=look.width, spare=_SPARE, prose=prose)


def _name(unit: UnitStatus) -> Cell:
    style, glyph = STATE_STYLES.get(unit.active, ("", "●"))
    if unit.trouble:
        style = "bad" if unit.failed else "warn"
    name = unit.name if unit.name == unit.id else f"{unit.name} → {unit.id}"
    return Cell(f"{glyph} {clean(name)}", style)


def _state_cells(unit: UnitStatus) -> tuple[Cell, ...]:
    style = STATE_STYLES.get(unit.active, ("", ""))[0]
    facts = unit_facts(unit)
    why = reason(unit)
    return (
        _name(unit),
        Cell("" if unit.load == "loaded" else clean(unit.load), "warn"),
        Cell(clean(f"{unit.active} ({unit.sub})"), style),
        Cell(clean(facts.file_state or "")),
        Cell("" if why == unit.load else clean(why), "bad"),
    )


def _unit_cells(unit: UnitStatus) -> list[Cell]:
    facts = unit_facts(unit)
    return [
        *_state_cells(unit),
        Cell(ago(facts.since_us or 0), right=True),
        Cell(str(facts.main_pid or ""), right=True),
        Cell(str(facts.restarts or ""), "warn", right=True),
        Cell("" if facts.memory is None else size(facts.memory), right=True),
        Cell("" if facts.tasks is None else str(facts.tasks), right=True),
        Cell("" if unit.description == unit.id else clean(unit.description), "dim"),
    ]


def _values(report: StatusReport, unit: UnitStatus) -> list[Cell]:
    return [_value(name, unit.properties.get(name)) for name in report.properties]


def _value(name: str, value: Any) -> Cell:
    return _word(value) if type(value) is str else Cell(show_value(name, value))


@lru_cache(maxsize=1024)
def _word(text: str) -> Cell:
    # Hosts of one fleet say the same few words, over and over.
    return Cell(show_value("", text))


def show_value(name: str, value: Any) -> str:
    """Return the value of a property as people read it: moments as dates, lists as words."""
    if value is None:
        return ""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int) and name.endswith("Timestamp"):
        return moment(value) if value else ""
    if isinstance(value, (tuple, list)):
        return " ".join(show_value("", item) for item in value)
    return clean(squeeze(str(value)))


def _logs(report: StatusReport) -> str:
    blocks = []
    for host, status in _answered(report):
        for unit in status.units:
            if unit.log is not None:
                title = f"{clean(host)} {clean(unit.id)}:"
                blocks.append("\n".join([title, *(f"  {line}" for line in log_lines(unit))]))
    return "\n".join(blocks)


def log_lines(unit: UnitStatus) -> list[str]:
    """Return the journal lines of a unit, one line of text each."""
    if not unit.log:
        return ["no log lines to be seen; reading them needs root or group systemd-journal"]
    return [
        f"{moment(line.time_us)} {clean(line.identifier)}: {clean(squeeze(line.message))}"
        for line in unit.log
    ]


def _unmatched(report: StatusReport) -> str:
    missing: dict[str, list[str]] = {}
    for host, status in _answered(report):
        for glob in status.unmatched:
            missing.setdefault(glob, []).append(host)
    one = len(report.outcomes) == 1
    return "\n".join(
        f"no unit matches {clean(glob)!r}" + ("" if one else f" on {_fold(tuple(hosts))}")
        for glob, hosts in missing.items()
    )


def _summary(report: StatusReport) -> str:
    if len(report.outcomes) == 1:
        return ""
    units = [unit for _, status in _answered(report) for unit in status.units]
    parts = [count(len(report.outcomes), "host")]
    if unread := sum(1 for outcome in report.outcomes if outcome.error is not None):
        parts.append(f"{unread} not read")
    if units and report.named:
        parts.append(count(len(units), "unit"))
    if failed := sum(1 for unit in units if unit.failed):
        parts.append(f"{failed} failed")
    slowest = max(outcome.elapsed for outcome in report.outcomes)
    return f"{', '.join(parts)}; slowest {slowest:.1f} s"
