"""A simulation for people and for machines."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from psops.exits import Exit
from psops.pandasim.against import Comparison, CronSide
from psops.pandasim.model import DaemonResult, Result, Spacing
from psops.report import Look
from psops.report.json import dump, envelope
from psops.report.text import Cell, clean, count, table


def render_json(
    result: Result,
    comparisons: Sequence[Comparison] | None = None,
    cron: CronSide | None = None,
) -> str:
    """Return the result as one JSON document."""
    simulation: dict[str, Any] = {
        "days": result.days,
        "workers": result.workers,
        "workers_needed": result.needed,
        "seed": result.seed,
        "daemons": [asdict(one) for one in result.daemons],
        "servers": [asdict(one) for one in result.servers],
    }
    if comparisons is not None:
        simulation["against"] = [asdict(one) | {"ratio": one.ratio} for one in comparisons]
    if cron is not None:
        simulation["not_compared"] = [
            {"file": one.source, "line": one.line, "reason": one.reason} for one in cron.refused
        ]
    return dump(envelope("panda simulate", Exit.OK, [], []) | {"simulation": simulation}, indent=2)


def render_table(
    result: Result,
    plot: str,
    look: Look,
    comparisons: Sequence[Comparison] | None = None,
    cron: CronSide | None = None,
) -> str:
    """Return the result as tables with a text plot of the day."""
    parts = [_heading(result)]
    if result.daemons:
        parts.append(_daemons(result, look))
    parts.append(_servers(result, look))
    if comparisons is not None:
        parts.append(_against(comparisons, cron, look))
    if result.daemons:
        parts.append(plot.rstrip("\n"))
    return "\n\n".join(part for part in parts if part) + "\n"


def _heading(result: Result) -> str:
    days = f"{result.days:g} day{'' if result.days == 1 else 's'}"
    return (
        f"{count(len(result.daemons), 'daemon')} on {count(len(result.servers), 'server')} for "
        f"{days}, n_proc {result.workers}; needed so that none waits, the start aside: "
        f"{result.needed}"
    )


def _daemons(result: Result, look: Look) -> str:
    head = ("DAEMON", "PERIOD", "MODE", "RUNS/DAY", "LATE", "MAX LATE", "WAITS", "OVERLAPS",
            "KILLS", "REMARKS")  # fmt: skip
    rows = [
        [
            Cell(clean(one.name)),
            Cell(str(one.period), right=True),
            Cell(" ".join(word for word, on in (("sync", one.sync), ("loop", one.loop)) if on)),
            Cell(_number(one.runs_per_day), "" if one.runs else "bad", right=True),
            Cell(_seconds(one.late_mean), right=True),
            Cell(_seconds(one.late_max), right=True),
            Cell(str(one.waits), right=True),
            # Without a lock it is meant so.
            Cell(str(one.overlaps), "warn" if one.sync and one.overlaps else "", right=True),
            Cell(str(_kills(one)), "bad" if _kills(one) else "", right=True),
            Cell(_remarks(one), "warn"),
        ]
        for one in result.daemons
    ]
    return table(head, rows, color=look.color, width=look.width, spare=("WAITS", "MODE"),
                 prose=("REMARKS",))  # fmt: skip


def _kills(one: DaemonResult) -> int:
    return one.timeouts + one.idle_kills + one.cut


def _remarks(one: DaemonResult) -> str:
    parts = []
    if not one.runs:
        parts.append("never runs")
    if one.timeouts:
        parts.append(f"{one.timeouts} over the timeout")
    if one.idle_kills:
        parts.append(f"{one.idle_kills} idle workers killed after a skip")
    if one.cut:
        parts.append(f"{one.cut} cut by revivals")
    if one.doubles:
        parts.append(f"{one.doubles} twice on one server")
    if one.sync and one.overlaps:
        parts.append("runs longer than the lock holds")
    return ", ".join(parts)


def _servers(result: Result, look: Look) -> str:
    head = ("SERVER", "START", "RUNS", "LOAD", "USUAL", "PEAK", "FIRST PEAK", "STUCK", "REVIVALS")
    rows = [
        [
            Cell(str(at), right=True),
            Cell(f"{one.offset:.1f}s", right=True),
            Cell(str(one.runs), right=True),
            Cell(f"{one.load:.2f}", right=True),
            Cell(str(one.usual), right=True),
            Cell(str(one.settled), right=True),
            Cell(str(one.peak), right=True),
            Cell(str(one.stuck), "bad" if one.stuck else "", right=True),
            Cell(str(one.revivals), "bad" if one.revivals else "", right=True),
        ]
        for at, one in enumerate(result.servers)
    ]
    return table(head, rows, color=look.color, width=look.width)


def _against(comparisons: Sequence[Comparison], cron: CronSide | None, look: Look) -> str:
    head = ("AGAINST CRON", "CRON/DAY", "DAEMON/DAY", "RATIO", "CRON GAPS", "DAEMON GAPS",
            "CRON, ONE SERVER", "DAEMON, ONE SERVER")  # fmt: skip
    rows = []
    for one in comparisons:
        ratio = one.ratio
        odd = ratio is None or not 0.9 <= ratio <= 1.1
        rows.append([
            Cell(clean(one.name)),
            Cell(_number(one.cron.per_day) if one.cron else "none", right=True),
            Cell(_number(one.daemon.per_day) if one.daemon else "none", right=True),
            Cell(f"{ratio:.2f}" if ratio is not None else "-", "warn" if odd else "", right=True),
            Cell(_gaps(one.cron.gaps if one.cron else None), right=True),
            Cell(_gaps(one.daemon.gaps if one.daemon else None), right=True),
            Cell(_gaps(one.cron.server_gaps if one.cron else None), right=True),
            Cell(_gaps(one.daemon.server_gaps if one.daemon else None), right=True),
        ])  # fmt: skip
    lines = [table(head, rows, color=look.color, width=look.width)] if rows else []
    lines.append("gaps between starts in seconds: smallest, mean, largest")
    apart = [name for name, one in (cron.firings if cron else {}).items() if one.apart]
    lines += [
        f"{clean(name)}: its lines are in several time zones, so starts of several servers are "
        "not put together"
        for name in apart
    ]
    lines += [f"not compared: {clean(str(line))}" for line in (cron.refused if cron else ())]
    return "\n".join(lines)


def _gaps(gaps: Spacing | None) -> str:
    if gaps is None:
        return "-"
    return f"{_number(gaps.least)} {_number(gaps.mean)} {_number(gaps.most)}"


def _number(value: float) -> str:
    """Return a number short enough for a table.

    >>> _number(720.04), _number(3.25), _number(0)
    ('720', '3.2', '0')
    """
    return f"{value:.0f}" if value >= 100 or value == int(value) else f"{value:.1f}"


def _seconds(value: float) -> str:
    return f"{value:.1f}s" if value < 100 else f"{value:.0f}s"
