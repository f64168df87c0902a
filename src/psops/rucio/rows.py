"""Heartbeats as data, from whatever source."""

import math
from dataclasses import dataclass
from typing import Any

#: Names and payloads are cut there: what the table of Rucio can hold is shorter.
_LONGEST = 4000
#: So many seconds two clocks may differ, of hosts and database, and all is well.
CLOCKS = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One heartbeat: a row of Rucio's table `heartbeats`. Ages are in seconds, by one clock."""

    readable: str
    hostname: str
    pid: int
    thread: str
    #: Since it was renewed, and since it was made.
    age: float
    life: float
    payload: str = ""

    @property
    def ahead(self) -> bool:
        """Whether it is from the future, so that its age is not known: daemons write the time."""
        return self.age < -CLOCKS


class BadRow(ValueError):
    """Something in a heartbeat is of a kind that Rucio never writes."""


def make_row(
    readable: Any, hostname: Any, pid: Any, thread: Any, age: Any, life: Any, payload: Any
) -> Row:
    """Return a heartbeat from values that came from outside; raises `BadRow`.

    `age` may be a little below 0, where two clocks or the end of a second are involved; if it
    is more than a little, it is kept.
    """
    try:
        since = _seconds(age)
        return Row(
            readable=_text(readable),
            hostname=_text(hostname),
            pid=_whole(pid),
            thread=_text(thread),
            age=since if since < -CLOCKS else max(0.0, since),
            life=max(0.0, _seconds(life) if life is not None else since),
            payload=_text(payload),
        )
    except (TypeError, ValueError, OverflowError) as exc:
        raise BadRow(str(exc)) from exc


def _text(value: Any) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise BadRow(f"a {type(value).__name__} where a text was expected")
    return value[:_LONGEST]


def _whole(value: Any) -> int:
    if isinstance(value, bool) or int(value) != value:
        raise BadRow("a process number that is no whole number")
    return int(value)


def _seconds(value: Any) -> float:
    seconds = float(value)
    if not math.isfinite(seconds):
        raise BadRow("a time that is no number")
    return seconds
