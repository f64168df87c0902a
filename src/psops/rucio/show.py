"""Heartbeats for people and machines: each row, who owns its process, and the verdict on that."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from psops.fanout import Outcome
from psops.report import Look
from psops.report.text import Cell, clean, count, duration, table
from psops.report.unread import render_unread
from psops.report.verify_parts import MARKS, mark
from psops.rucio.judge import locate
from psops.rucio.model import RucioHost
from psops.rucio.rows import Row
from psops.rucio.source import Rows
from psops.rucio.verify import Gathering, Request
from psops.verdict import Finding, VerifyReport

_HEAD = ("HEARTBEAT", "HOST", "PID", "THREAD", "AGE", "UNIT", "VERDICT", "PAYLOAD")
_SPARE = ("PAYLOAD", "THREAD", "HOST")


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined:
    """A heartbeat with what it belongs to; "" and None for what is not known."""

    row: Row
    daemon: str
    #: Name of the host in the inventory.
    host: str
    unit: str
    finding: Finding | None


def join(gathering: Gathering, request: Request, report: VerifyReport) -> tuple[Joined, ...]:
    """Return all heartbeats by daemon, host and process."""
    if not isinstance(gathering.rows, Rows):
        return ()
    rows = gathering.rows.rows
    daemons = {item.row: item.rule.name for item in locate(rows, request.rules)}
    hosts = [outcome.value for outcome in gathering.hosts.outcomes if outcome.value is not None]
    verdicts = {
        outcome.host.name: outcome.value.findings
        for outcome in report.outcomes if outcome.value is not None
    }  # fmt: skip
    joined = []
    for row in rows:
        daemon = daemons.get(row, "")
        host = next((one for one in hosts if one.has_name(row.hostname)), None)
        findings = verdicts.get(host.name, ()) if host is not None else ()
        unit, finding = _owner(row, daemon, host, findings)
        name = host.name if host is not None else ""
        joined.append(Joined(row=row, daemon=daemon, host=name, unit=unit, finding=finding))
    return tuple(sorted(joined, key=lambda one: _place(one.row)))


def _place(row: Row) -> tuple[str, str, int, str]:
    return row.readable, row.hostname, row.pid, row.thread


def _owner(
    row: Row, daemon: str, host: RucioHost | None, findings: Sequence[Finding]
) -> tuple[str, Finding | None]:
    if host is None:
        return "", None
    for one in host.managed:
        if row.pid in one.pids and one.daemon == daemon:
            of_unit = (
                finding
                for finding in findings
                if finding.name == one.name or (finding.unit and finding.unit.id == one.unit)
            )
            return one.unit, next(of_unit, None)  # fmt: skip
    lone = (finding for finding in findings if finding.name == f"{daemon} pid {row.pid}")
    return "", next(lone, None)


def render_rows(
    joined: Sequence[Joined], outcomes: Sequence[Outcome[RucioHost]], look: Look
) -> str:
    """Return a line per heartbeat, the hosts that could not be read, and a line with the count."""
    parts = []
    if joined:
        lines = [_line(one) for one in joined]
        parts.append(table(_HEAD, lines, color=look.color, width=look.width, spare=_SPARE))
    if any(outcome.error for outcome in outcomes):
        parts.append(render_unread(tuple(outcomes), fold=look.fold, color=look.color))
    processes = {(one.row.hostname, one.row.pid) for one in joined}
    parts.append(f"{count(len(joined), 'heartbeat')} of {count(len(processes), 'process')}")
    return "\n\n".join(parts) + "\n"


def _line(one: Joined) -> list[Cell]:
    shown = Cell("", "")
    if one.finding is not None:
        style, glyph = MARKS[mark(one.finding)]
        shown = Cell(f"{glyph} {clean(one.finding.code)}", style)
    elif one.host:
        shown = Cell("left", "dim")
    return [
        Cell(clean(one.row.readable)),
        Cell(clean(one.row.hostname)),
        Cell(str(one.row.pid), right=True),
        Cell(clean(one.row.thread), "dim"),
        Cell(duration(one.row.age), right=True),
        Cell(clean(one.unit)),
        shown,
        Cell(clean(one.row.payload), "dim"),
    ]


def row_object(one: Joined) -> dict[str, Any]:
    """Return a heartbeat for JSON; times in seconds."""
    return {
        "name": one.row.readable,
        "daemon": one.daemon or None,
        "hostname": one.row.hostname,
        "host": one.host or None,
        "pid": one.row.pid,
        "thread": one.row.thread,
        "age_s": round(one.row.age, 3),
        "life_s": round(one.row.life, 3),
        "payload": one.row.payload or None,
        "unit": one.unit or None,
        "verdict": mark(one.finding) if one.finding is not None else None,
        "code": one.finding.code if one.finding is not None else None,
    }
