"""Entries that a host repeats, counted instead of shown."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from psops.logs.model import Line

#: Seconds after which a count is told although it may grow still.
PATIENCE = 5.0


class Repeat(NamedTuple):
    """How often a host wrote an entry once more, and when for the last time."""

    line: Line
    times: int


@dataclass(slots=True)
class _Last:
    line: Line
    count: int
    since: float


class Fold:
    """Holds back what a host says again in a row; other hosts may speak in between."""

    def __init__(self, *, enabled: bool = True) -> None:
        self._enabled = enabled
        self._last: dict[str, _Last] = {}
        #: The latest time of an entry that was shown.
        self._shown_us = 0

    def take(self, line: Line) -> Iterator[Line | Repeat]:
        """Yield what is to be shown now that this entry has come."""
        if not self._enabled:
            yield line
            return
        last = self._last.get(line.host)
        if last is not None and _same(last.line, line):
            last.line = line
            if not last.count:
                last.since = time.monotonic()
            last.count += 1
            return
        if last is not None:
            yield from self._tell(last)
        self._last[line.host] = _Last(line, 0, 0.0)
        yield self._show(line)

    def overdue(self) -> Iterator[Line | Repeat]:
        """Yield the counts that have waited for long."""
        now = time.monotonic()
        for last in self._last.values():
            if last.count and now - last.since >= PATIENCE:
                yield from self._tell(last)
                last.count = 0

    def end(self) -> Iterator[Line | Repeat]:
        """Yield all counts."""
        for last in sorted(self._last.values(), key=lambda last: last.line.time_us):
            yield from self._tell(last)
        self._last.clear()

    def _tell(self, last: _Last) -> Iterator[Line | Repeat]:
        # Once, the line takes no more room than its count, if its place is still here.
        if last.count == 1 and last.line.time_us >= self._shown_us:
            yield self._show(last.line)
        elif last.count:
            yield Repeat(last.line, last.count)

    def _show(self, line: Line) -> Line:
        self._shown_us = max(self._shown_us, line.time_us)
        return line


def _same(one: Line, other: Line) -> bool:
    # Not the process: what crashes and says why does so with a new number each time.
    return (one.message == other.message and one.unit == other.unit
            and one.identifier == other.identifier and one.priority == other.priority
            and one.source == other.source)  # fmt: skip
