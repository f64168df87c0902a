"""Heartbeats for people and machines: each row, who owns its process, and the verdict on that."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from psops.fanout import Outcome
from psops.report import Look
from psops.report.text import Cell, clean, count, duration, table
from psops.report.unread import render_unread
from psops.report.verify_parts import MARKS, mark
from psops.rucio.located import is_of_this_run, locate
from psops.rucio.lone import find_lone, name_of_lone
from psops.rucio.model import RucioHost
from psops.rucio.rows import Row
from psops.rucio.source import Rows
from psops.rucio.verify import Gathering, Request
from psops.verdict import Finding, VerifyReport

_HEAD = ("HEARTBEAT", "HOST", "PID", "THREAD", "AGE", "UNIT", "VERDICT", "PAYLOAD")
_SPARE = ("PAYLOAD", "THREAD", "PID")


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
    hosts = [outcome.value for outcome in gathering.hosts.outcomes if outcome.value is not None]
    of = {name: next((host for host in hosts if host.has_name(name)), None)
          for name in {row.hostname for row in rows}}  # fmt: skip
    located = locate(rows, request.rules)
    daemons = {item.row: item.rule.name for item in located}
    views = {
        outcome.host.name: outcome.value.findings
        for outcome in report.outcomes if outcome.value is not None
    }  # fmt: skip
    lone = {
        host.name: find_lone(
            host, [item for item in located if of[item.row.hostname] is host], request.rules
        ).living
        for host in hosts
    }
    joined = []
    for row in rows:
        daemon, host = daemons.get(row, ""), of[row.hostname]
        unit, finding = "", None
        if host is not None and daemon:
            findings = views.get(host.name, ())
            unit, name = _owner(row, daemon, host)
            if row.pid in lone[host.name].get(daemon, ()):
                name = name_of_lone(daemon, host)[0]
            finding = next((one for one in findings if name and _is_of(one, name, unit)), None)
        joined.append(
            Joined(row=row, daemon=daemon, host=host.name if host else "", unit=unit,
                   finding=finding)
        )  # fmt: skip
    return tuple(sorted(joined, key=lambda one: _place(one.row)))


def _place(row: Row) -> tuple[str, str, int, str]:
    return row.readable, row.hostname, row.pid, row.thread


def _owner(row: Row, daemon: str, host: RucioHost) -> tuple[str, str]:
    """Return the unit whose process has made a heartbeat, and what its finding is called."""
    for one in host.managed:
        if (
            one.daemon == daemon
            and one.fits(daemon, row.pid)
            and is_of_this_run(row, one, host.lag)
        ):
            return one.unit, one.name
    return "", ""


def _is_of(finding: Finding, name: str, unit: str) -> bool:
    if finding.unit is not None and unit:  # two units may have findings of one name
        return finding.unit.id == unit
    return finding.name == name


def render_rows(
    joined: Sequence[Joined], outcomes: Sequence[Outcome[RucioHost]], look: Look
) -> str:
    """Return a line per heartbeat, the hosts that could not be read, and a line with the count."""
    parts = []
    if joined:
        lines = [_line(one) for one in joined]
        parts.append(table(_HEAD, lines, color=look.color, width=look.width, spare=_SPARE,
                           prose=("PAYLOAD",)))  # fmt: skip
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
