"""Changes as lines, for people who look at a file and for programs.

The keys of the JSON objects are added to but never renamed; they are told in the README.
"""

from datetime import UTC, datetime
from typing import Any

from psops.errors import describe
from psops.report.facts import number
from psops.report.json import SCHEMA, dump
from psops.report.text import clean, count, squeeze
from psops.watch.model import Change, HostView, Link, LinkChange, State

#: Format -> what renders a change; the names are those that --format takes.
FORMATS = ("lines", "jsonl")


def render(change: Change | LinkChange, form: str) -> str:
    """Return the line of a change, ending with a newline."""
    if form == "jsonl":
        return dump(as_object(change))
    return f"{_stamp(change.time)} {clean(change.host)} {_told(change)}\n"


def render_initial(view: HostView, form: str) -> str:
    """Return a line for the state of each unit of a host, as it was when it was reached first."""
    if form == "jsonl":
        return "".join(
            dump(_envelope("state", view.heard, view.name) | {
                "unit": unit, "state": _state_object(state), "reason": state.reason or None,
            })
            for unit, state in view.states.items()
        )  # fmt: skip
    begin = f"{_stamp(view.heard)} {clean(view.name)}"
    return "".join(
        f"{begin} {clean(unit)} {clean(state.words)}{_why(state)}\n"
        for unit, state in view.states.items()
    )


def as_object(change: Change | LinkChange) -> dict[str, Any]:
    """Return a change as the object that JSON lines have."""
    if isinstance(change, LinkChange):
        return _envelope("host", change.time, change.host) | {
            "before": str(change.before),
            "after": str(change.after),
            "units": change.units,
            "error": describe(change.error) if change.error is not None else None,
        }
    return _envelope("unit", change.time, change.host) | {
        "unit": change.unit,
        "before": _state_object(change.before) if change.before is not None else None,
        "after": _state_object(change.after),
        "reason": change.after.reason or None,
        "restarted": change.restarted,
        "missed": change.missed,
    }


def _envelope(event: str, time: float, host: str) -> dict[str, Any]:
    moment = datetime.fromtimestamp(time, UTC).isoformat(timespec="milliseconds")
    return {"schema": SCHEMA, "event": event, "time": moment, "host": host}


def _state_object(state: State) -> dict[str, Any]:
    return {
        "load_state": state.load,
        "active_state": state.active,
        "sub_state": state.sub,
        "since": _moment(state.since_us),
        "main_pid": number(state.facts.get("MainPID")) or None,
        "restarts": number(state.facts.get("NRestarts")),
    }


def _moment(time_us: int) -> str | None:
    try:
        moment = datetime.fromtimestamp(time_us / 1e6, UTC)
    except (OverflowError, ValueError, OSError):
        return None  # no year that a calendar has; a host may send any number
    return moment.isoformat(timespec="milliseconds") if time_us else None


def _told(change: Change | LinkChange) -> str:
    if isinstance(change, LinkChange):
        text = f"- {change.before} -> {change.after}"
        if change.error is not None:
            return f"{text}  {change.error.code}: {clean(squeeze(str(change.error)))}"
        return f"{text}  {count(change.units, 'unit')}" if change.after is Link.LIVE else text
    before = clean(change.before.words) if change.before is not None else "-"
    text = f"{clean(change.unit)} {before} -> {clean(change.after.words)}{_why(change.after)}"
    notes = ["restarted"] if change.restarted else []
    if change.missed:
        since = change.after.since_us
        notes.append(f"missed, since {_stamp(since / 1e6)}" if since else "missed")
    return f"{text}  ({'; '.join(notes)})" if notes else text


def _why(state: State) -> str:
    return f"  {clean(state.reason)}" if state.reason else ""


def _stamp(time: float) -> str:
    """Return a moment as date and time, in local time."""
    try:
        return f"{datetime.fromtimestamp(time, UTC).astimezone():%Y-%m-%d %H:%M:%S}"
    except (OverflowError, ValueError, OSError):
        return f"{time:.0f}"
