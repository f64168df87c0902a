"""The history of changes for people and machines: a line for each run, or one run in full."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from psops.exits import Exit
from psops.history.run import NOT_ATTEMPTED, PENDING, RUNNING, Change, Run, RunHost
from psops.nodeset import fold
from psops.report import Look
from psops.report.json import dump, envelope
from psops.report.text import Cell, clean, count, duration, moment, paint, squeeze, table

_HEAD = ("ID", "TIME", "USER", "VERB", "UNITS", "HOSTS", "RESULT", "STATE")
#: What a narrow terminal goes without.
_SPARE = ("USER",)
#: What goes on below itself there.
_PROSE = ("UNITS", "HOSTS")
_CHANGE_HEAD = ("HOSTS", "UNIT", "BEFORE → AFTER", "RESULT", "SECONDS", "MESSAGE")
_CHANGE_SPARE = ("SECONDS",)
_CHANGE_PROSE = ("HOSTS", "MESSAGE")
#: States of hosts and results of units, in the order in which they are counted, with styles.
_STYLES = {
    "changed": "good", "unchanged": "dim", "failed": "bad", "unknown": "bad", "broken off": "bad",
    "running": "warn", "pending": "warn", "skipped": "dim", "not attempted": "warn",
}  # fmt: skip
_STATE_STYLES = {"finished": "", "running": "warn", "killed": "bad", "unknown": "warn"}
#: How many columns units and hosts may take in the list.
_ROOM = 32


def render_runs(runs: Sequence[Run], nothing: str, form: str, look: Look) -> str:
    """Return a line for each run; `nothing` is the sentence for people if there is none."""
    if form == "jsonl":
        return "".join(dump(_object(run)) for run in runs)
    if form != "table":
        return _document({"runs": [_object(run) for run in runs]})
    if not runs:
        return f"{nothing}\n"
    rows = [_row(run) for run in runs]
    text = table(_HEAD, rows, color=look.color, width=look.width, spare=_SPARE, prose=_PROSE)
    return f"{text}\n"


def render_run(run: Run, form: str, look: Look) -> str:
    """Return all there is to tell of a run; hosts with the same story are one line."""
    if form == "jsonl":
        return dump(_object(run))
    if form != "table":
        return _document({"run": _object(run)})
    blocks = ["\n".join(_header(run, look))]
    if rows := _changes(run):
        blocks.append(table(_CHANGE_HEAD, rows, color=look.color, width=look.width,
                            spare=_CHANGE_SPARE, prose=_CHANGE_PROSE))  # fmt: skip
    if run.unfinished and run.state != "running":
        names = clean(fold([host.name for host in run.unfinished]))
        blocks.append(f"to be done again, as by --retry-failed: {names}")
    return "\n\n".join(blocks) + "\n"


def _row(run: Run) -> list[Cell]:
    state = run.state
    return [
        Cell(str(run.id), right=True),
        Cell(_local(run.time)),
        Cell(clean(run.user)),
        Cell(clean(run.verb)),
        Cell(_units(run)),
        Cell(_hosts(run)),
        Cell(_result(run), _style(run)),
        Cell(state, _STATE_STYLES[state]),
    ]


def _header(run: Run, look: Look) -> list[str]:
    state = run.state
    title = f"run {run.id}: {clean(run.verb)}, {state}"
    if run.exit_code is not None:
        title += f" with exit status {run.exit_code}"
    took = f", took {duration(run.ended - run.time)}" if run.ended is not None else ""
    lines = [
        paint(title, "head", look.color),
        f"   time: {moment(int(run.time * 1e6))}{took}",
        f"     by: {clean(run.user)} on {clean(run.psops_host)}, process {run.pid}",
        f"  asked: {_asked(run) or '-'}",
        f"  hosts: {clean(fold([host.name for host in run.hosts])) or '-'}",
        f" result: {_result(run) or '-'}",
    ]
    if state == "killed":
        lines.append("   note: psops was killed; what is broken off may or may not be changed")
    elif state == "unknown":
        lines.append("   note: no end is recorded, and only the host it ran on knows if it runs")
    return lines


def _asked(run: Run) -> str:
    """Return the request as words, without what is not set."""
    return clean(
        squeeze(
            ", ".join(
                f"{key}={_word(value)}"
                for key, value in run.request.items()
                if value not in (None, False, "", [], {}) and key != "verb"
            )
        )
    )


def _word(value: Any) -> str:
    if isinstance(value, list):
        return " ".join(map(_word, value))
    return "yes" if value is True else str(value)


def _changes(run: Run) -> list[list[Cell]]:
    """Return a row for each unit of each set of hosts that tell the same of it."""
    alike: dict[tuple[str, ...], list[tuple[str, float | None]]] = {}
    for host in run.hosts:
        for change in host.changes:
            story = (change.unit, _way(change), _label(change.result, run), squeeze(change.message))
            alike.setdefault(story, []).append((host.name, change.elapsed))
        if not host.changes or host.message:
            story = ("", "", _label(host.state, run), squeeze(host.message))
            alike.setdefault(story, []).append((host.name, None))
    return [
        [
            Cell(clean(fold([name for name, _ in where]))),
            Cell(clean(unit)),
            Cell(clean(way)),
            Cell(clean(result), _STYLES.get(result, "")),
            Cell(_seconds([elapsed for _, elapsed in where if elapsed is not None]), right=True),
            Cell(clean(message)),
        ]
        for (unit, way, result, message), where in alike.items()
    ]


def _way(change: Change) -> str:
    if change.before == change.after or not change.before:
        return change.after
    return f"{change.before} → {change.after or '?'}"


def _seconds(elapsed: Sequence[float]) -> str:
    if not elapsed:
        return ""
    least, most = f"{min(elapsed):.1f}", f"{max(elapsed):.1f}"
    return most if least == most else f"{least}-{most}"


def _label(state: str, run: Run) -> str:
    """Return a state or result for people."""
    if state in (RUNNING, PENDING) and run.state != "running":
        return "broken off" if run.state == "killed" else "unknown"
    return "not attempted" if state == NOT_ATTEMPTED else state


def _result(run: Run) -> str:
    """Return how many hosts ended in which way."""
    found = Counter(_label(host.state, run) for host in run.hosts)
    order = [*(name for name in _STYLES if name in found), *sorted(found.keys() - _STYLES.keys())]
    return ", ".join(f"{found[name]} {clean(name)}" for name in order)


def _style(run: Run) -> str:
    found = {_STYLES.get(_label(host.state, run), "") for host in run.hosts}
    return next((style for style in ("bad", "warn", "good") if style in found), "dim")


def _units(run: Run) -> str:
    """Return the units, or what was asked for if no unit is known."""
    units = list(dict.fromkeys(change.unit for host in run.hosts for change in host.changes))
    if not units:
        asked = [run.request.get(key) or () for key in ("names", "globs", "bundle")]
        for value in asked:
            units += [value] if isinstance(value, str) else map(str, value)
    shown = clean(", ".join(units))
    if len(shown) <= _ROOM or len(units) == 1:
        return shown
    return f"{clean(units[0])}, {len(units) - 1} more"


def _hosts(run: Run) -> str:
    folded = clean(fold([host.name for host in run.hosts]))
    return folded if len(folded) <= _ROOM else count(len(run.hosts), "host")


def _local(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC).astimezone():%Y-%m-%d %H:%M:%S}"


def _document(content: dict[str, Any]) -> str:
    return dump(envelope("history", Exit.OK, [], []) | content, indent=2)


def _object(run: Run) -> dict[str, Any]:
    """Return a run as an object; states are those of the record, whatever became of psops."""
    return {
        "id": run.id,
        "time": _iso(run.time),
        "ended": _iso(run.ended),
        "user": run.user,
        "psops_host": run.psops_host,
        "pid": run.pid,
        "verb": run.verb,
        "request": dict(run.request),
        "state": run.state,
        "exit": run.exit_code,
        "hosts": [_host_object(host) for host in run.hosts],
        "unfinished": [host.name for host in run.unfinished],
    }


def _host_object(host: RunHost) -> dict[str, Any]:
    return {
        "host": host.name,
        "reach": dict(host.reach),
        "state": host.state,
        "message": host.message,
        "started": _iso(host.started),
        "ended": _iso(host.ended),
        "changes": [
            {
                "unit": change.unit,
                "before": change.before,
                "after": change.after,
                "result": change.result,
                "message": change.message,
                "elapsed_s": None if change.elapsed is None else round(change.elapsed, 3),
            }
            for change in host.changes
        ],
    }


def _iso(seconds: float | None) -> str | None:
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
