"""What a change did, for people and for machines."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from psops.changes import (
    BAD,
    ChangeReport,
    HostChange,
    PlannedCall,
    Result,
    UnitChange,
    result_of,
)
from psops.environment import Aim
from psops.errors import describe
from psops.fanout import Outcome
from psops.inventory import fold
from psops.nearest import did_you_mean_unit
from psops.report import Look
from psops.report.aimed import advise
from psops.report.json import dump, envelope
from psops.report.model import UnitStatus
from psops.report.text import Cell, clean, moment, paint, table
from psops.report.unread import render_unread
from psops.verdict import Advice

#: Result -> style and glyph.
_STYLES: dict[Result, tuple[str, str]] = {
    Result.CHANGED: ("good", "●"),
    Result.UNCHANGED: ("dim", "○"),
    Result.SKIPPED: ("warn", "○"),
    Result.FAILED: ("bad", "×"),
    Result.UNKNOWN: ("warn", "?"),
    Result.NOT_ATTEMPTED: ("warn", "○"),
}
_QUIET = frozenset({"not-attempted"})
#: What a narrow terminal goes without, and what goes on below itself there.
_SPARE, _PROSE = ("TIME", "NUMBER"), ("NOTE", "HOSTS")


def render(report: ChangeReport, form: str, look: Look) -> str:
    """Return the report in a format: table, json or jsonl."""
    if form == "json":
        return _json(report, look)
    if form == "jsonl":
        return "".join(host_line(outcome, look.aim) for outcome in report.outcomes)
    parts = [
        _notes(report),
        _calls(report, look),
        _units(report, look),
        _failures(report, look),
        render_unread(
            [one for one in report.outcomes if one.error and one.error.code not in _QUIET],
            fold=look.fold,
            color=look.color,
        ),
        _not_attempted(report, look),
        _summary(report),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _notes(report: ChangeReport) -> str:
    lines: dict[str, list[str]] = {}
    for outcome in report.outcomes:
        for note in outcome.value.notes if outcome.value is not None else ():
            lines.setdefault(note, []).append(outcome.host.name)
    return "\n".join(clean(f"{fold(hosts)}: {note}") for note, hosts in lines.items())


def _calls(report: ChangeReport, look: Look) -> str:
    """Return the calls of a dry run, hosts with the same ones together."""
    alike: dict[tuple[PlannedCall, ...], list[str]] = {}
    for outcome in report.outcomes:
        if outcome.value is not None and outcome.value.calls:
            alike.setdefault(outcome.value.calls, []).append(outcome.host.name)
    blocks = []
    for calls, hosts in alike.items():
        lines = [paint(f"{clean(fold(hosts))}:", "head", look.color)]
        for method, arguments, note in calls:
            words = " ".join(_word(word) for word in arguments)
            told = paint(f"  ({note})", "dim", look.color) if note else ""
            lines.append(f"  {method} {clean(words)}".rstrip() + told)
        blocks.append("\n".join(lines))
    return "\n".join(blocks)


def _word(text: str) -> str:
    return text if text and " " not in text else f"'{text}'"


def _units(report: ChangeReport, look: Look) -> str:
    told = list(report.changes())
    if not told:
        return ""
    if look.fold:
        alike: dict[tuple[Cell, ...], list[str]] = {}
        for host, change in told:
            alike.setdefault(_cells(change), []).append(host)
        head: tuple[str, ...] = ("UNIT", "RESULT", "STATE", "NOTE", "HOSTS", "NUMBER")
        order = sorted(alike.items(), key=lambda pair: pair[0][0].text.lstrip("●○×? "))
        rows = [[*cells, Cell(clean(fold(hosts))), Cell(str(len(hosts)), right=True)]
                for cells, hosts in order]  # fmt: skip
        return _table(head, rows, look)
    head = ("HOST", "UNIT", "RESULT", "STATE", "TIME", "NOTE")
    rows = []
    for host, change in told:
        unit, result, state, note = _cells(change)
        took = f"{change.elapsed:.1f} s" if change.elapsed else ""
        rows.append([Cell(clean(host)), unit, result, state, Cell(took, right=True), note])
    if len(report.outcomes) == 1:
        head, rows = head[1:], [row[1:] for row in rows]
    return _table(head, rows, look)


def _table(head: Sequence[str], rows: Sequence[Sequence[Cell]], look: Look) -> str:
    return table(head, rows, color=look.color, width=look.width, spare=_SPARE, prose=_PROSE)


def _cells(change: UnitChange) -> tuple[Cell, ...]:
    style, glyph = _STYLES[change.result]
    note = "" if change.result in BAD else change.message
    if change.because:
        note = f"with {change.because}" + (f"; {note}" if note else "")
    return (
        Cell(f"{glyph} {clean(change.unit)}", style),
        Cell(change.result.value, style),
        Cell(clean(_transition(change))),
        Cell(clean(note)),
    )


def _transition(change: UnitChange) -> str:
    """Return what the unit was and is, the unit file too if that is what has changed."""
    before, after = change.before, change.after
    if after is None and before is not None and change.result is Result.UNKNOWN:
        return f"{_state(before)} → ?"
    if after is None or before is None:
        return _state(after or before)
    old, new = _state(before), _state(after)
    files = _file_state(before), _file_state(after)
    if files[0] != files[1]:
        moved = f"{files[0] or 'no file'} → {files[1] or 'no file'}"
        return moved if old == new else f"{old} → {new}, {moved}"
    return new if old == new else f"{old} → {new}"


def _state(unit: UnitStatus | None) -> str:
    if unit is None or unit.load == "not-found":
        return "" if unit is None else unit.load
    return f"{unit.active} ({unit.sub})"


def _file_state(unit: UnitStatus) -> str:
    return str(unit.properties.get("UnitFileState") or "")


def _failures(report: ChangeReport, look: Look) -> str:
    """Return why what failed did, hosts with the same reason together."""
    alike: dict[tuple[str, str, Any], list[tuple[str, UnitChange]]] = {}
    for host, change in report.changes():
        if change.result in BAD:
            alike.setdefault((change.unit, change.message, change.advice), []).append(
                (host, change)
            )
    blocks = []
    alone = len(report.outcomes) == 1
    for (unit, message, advice), told in alike.items():
        hosts = fold([host for host, _ in told])
        number = f" ({len(told)})" if len(told) > 1 else ""
        where = "" if alone else f" on {hosts}{number}"
        style, glyph = _STYLES[told[0][1].result]
        lines = [f"{paint(f'{glyph} {clean(unit)}{clean(where)}', style, look.color)}: "
                 f"{clean(message)}"]  # fmt: skip
        if told[0][1].code == "no-such-unit":
            lines[0] += clean(did_you_mean_unit(unit))
        log = next((change.log for _, change in told if change.log), ())
        for line in log:
            text = f"{moment(line.time_us)} {line.identifier}: {line.message}"
            lines.append(paint(f"    | {clean(text)}", "dim", look.color))
        for text, command in advise(advice, [host for host, _ in told], look.aim):
            lines.append(f"    → {text}" + (":" if command else ""))
            if command:
                lines.append(f"        {clean(command)}")
        blocks.append("\n".join(lines))
    return "\n".join(blocks)


def _not_attempted(report: ChangeReport, look: Look) -> str:
    alike: dict[str, list[str]] = {}
    for outcome in report.outcomes:
        if outcome.error is not None and outcome.error.code in _QUIET:
            alike.setdefault(str(outcome.error), []).append(outcome.host.name)
    lines = []
    for why, hosts in alike.items():
        names = paint(f"○ {clean(fold(hosts))}", "warn", look.color)
        lines.append(f"{names} ({len(hosts)}): not attempted: {clean(why)}")
    return "\n".join(lines)


def _summary(report: ChangeReport) -> str:
    hosts = [result_of(outcome) for outcome in report.outcomes]
    if report.request.dry_run:
        calls = sum(len(one.value.calls) for one in report.outcomes if one.value is not None)
        reached = sum(one.value is not None for one in report.outcomes)
        return (f"dry run, nothing was changed: {_number(calls, 'call')} on "
                f"{_number(reached, 'host')} of {len(hosts)}; {report.elapsed:.1f} s")  # fmt: skip
    parts = []
    if len(hosts) > 1:
        parts.append(f"{len(hosts)} hosts: {_counted(hosts)}")
    units = [change.result for _, change in report.changes()]
    if units:
        parts.append(f"{_number(len(units), 'unit')}: {_counted(units)}")
    if report.run is not None:
        parts.append(f"run {report.run}")
    parts.append(f"{report.elapsed:.1f} s")
    return "; ".join(parts)


def _number(count: int, word: str) -> str:
    return f"{count} {word}{'' if count == 1 else 's'}"


def _counted(results: Sequence[Result]) -> str:
    counts = {result: results.count(result) for result in Result}
    return ", ".join(f"{count} {result.value}" for result, count in counts.items() if count)


def host_line(outcome: Outcome[HostChange], aim: Aim) -> str:
    """Return one host as a line of JSON, which can be shown as soon as the host is done."""
    return dump(_host(outcome, aim))


def _json(report: ChangeReport, look: Look) -> str:
    hosts = [_host(outcome, look.aim) for outcome in report.outcomes]
    errors = [{"host": one.host.name, **describe(one.error)}
              for one in report.outcomes if one.error]  # fmt: skip
    document = envelope(report.request.verb.name, report.exit, hosts, errors)
    document |= {
        "run": report.run,
        "dry_run": report.request.dry_run,
        "stopped": report.stopped,
        "elapsed_s": round(report.elapsed, 3),
        "hosts_by_result": _by(result_of(outcome) for outcome in report.outcomes),
        "units_by_result": _by(change.result for _, change in report.changes()),
    }
    return dump(document, indent=2)


def _by(results: Iterable[Result]) -> dict[str, int]:
    found = list(results)
    return {result.value: found.count(result) for result in Result}


def _host(outcome: Outcome[HostChange], aim: Aim) -> dict[str, Any]:
    told: dict[str, Any] = {
        "host": outcome.host.name,
        "elapsed_s": round(outcome.elapsed, 3),
        "error": describe(outcome.error) if outcome.error else None,
        "result": result_of(outcome).value,
    }
    if outcome.value is not None:
        told["units"] = [
            _unit(change, advise(change.advice, [outcome.host.name], aim))
            for change in outcome.value.units
        ]
        told["calls"] = [call._asdict() for call in outcome.value.calls]
        told["notes"] = list(outcome.value.notes)
    return told


def _unit(change: UnitChange, told: Sequence[Advice]) -> dict[str, Any]:
    return {
        "unit": change.unit,
        "result": change.result.value,
        "code": change.code,
        "message": change.message,
        "because": change.because,
        "before": _state_object(change.before),
        "after": _state_object(change.after),
        "advice": [advice._asdict() for advice in told],
        "log": [
            {
                "time": datetime.fromtimestamp(line.time_us / 1e6, UTC).isoformat(),
                "identifier": line.identifier,
                "message": line.message,
            }
            for line in change.log
        ],
        "elapsed_s": round(change.elapsed, 3),
    }


def _state_object(unit: UnitStatus | None) -> dict[str, Any] | None:
    if unit is None:
        return None
    return {
        "load_state": unit.load,
        "active_state": unit.active,
        "sub_state": unit.sub,
        "unit_file_state": _file_state(unit) or None,
    }
