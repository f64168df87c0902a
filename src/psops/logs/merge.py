"""Many streams of lines as one: by time as far as all of it is there, else as it comes.

What a host has to say waits at the host: a reader that is slow, such as a pager, stops the
thread of each host at its queue, that one no longer reads its connection, whose window closes,
and with it the pipe that journalctl writes to.
"""

import heapq
import itertools
import queue
import time
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from psops.logs.model import Line

#: Entries and characters that travel from a host's thread at once, and how many such portions
#: wait: with what is being filled and what is being read, some hundred kilobytes for a host.
_MOST_LINES = 128
_MOST_CHARS = 32768
_PORTIONS = 2


class HostQueue:
    """What one host has read so far and nobody has taken yet; it holds little."""

    def __init__(self) -> None:
        self._portions: queue.Queue[list[Line] | None] = queue.Queue(_PORTIONS)

    def fill(self, lines: Iterator[Line]) -> None:
        """Put in all lines, waiting whenever the other side is behind, and then the end."""
        portion: list[Line] = []
        size = 0
        try:
            for line in lines:
                portion.append(line)
                size += len(line.message)
                if size >= _MOST_CHARS or len(portion) >= _MOST_LINES:
                    self._portions.put(portion)
                    portion, size = [], 0
        finally:
            if portion:
                self._portions.put(portion)
            self._portions.put(None)

    def drain(self, before_wait: Callable[[], None]) -> Iterator[Line]:
        """Yield the lines until the end; `before_wait` is called when none is there yet."""
        while True:
            try:
                portion = self._portions.get_nowait()
            except queue.Empty:
                before_wait()
                portion = self._portions.get()
            if portion is None:
                return
            yield from portion


def merged(queues: Sequence[HostQueue], before_wait: Callable[[], None]) -> Iterator[Line]:
    """Yield the lines of all hosts by time; the order of each host stays as it is."""
    return heapq.merge(*(one.drain(before_wait) for one in queues), key=when)


def when(line: Line) -> int:
    """Return when a line was written."""
    return line.time_us


class Ordered(NamedTuple):
    """A line with the mark that later ones were shown before it."""

    line: Line
    late: bool


class Window:
    """Holds lines that come now for a moment, so that those of other hosts can come before."""

    #: Seconds. A host's journal is told of a change within some milliseconds, a file is looked
    #: at twice a second, and the network is in between.
    LENGTH = 0.3

    def __init__(self) -> None:
        self._lines: list[tuple[int, int, float, Line]] = []
        self._numbers = itertools.count()
        self._shown_us = 0

    def add(self, line: Line) -> None:
        """Hold a line."""
        entry = (line.time_us, next(self._numbers), time.monotonic(), line)
        heapq.heappush(self._lines, entry)

    def ready(self, *, all_of_them: bool = False) -> Iterator[Ordered]:
        """Yield the lines that have been held long enough, and those which belong before."""
        now = time.monotonic()
        due = [entry[0] for entry in self._lines if now - entry[2] >= self.LENGTH or all_of_them]
        last = max(due, default=-1)
        while self._lines and self._lines[0][0] <= last:
            line = heapq.heappop(self._lines)[3]
            late = line.time_us < self._shown_us
            # A clock that is ahead must not make all other hosts look late.
            if line.time_us <= (time.time() + 1.0) * 1e6:
                self._shown_us = max(self._shown_us, line.time_us)
            yield Ordered(line, late)

    def wait(self) -> float | None:
        """Return the seconds until a line is due, None if none is held."""
        if not self._lines:
            return None
        oldest = min(entry[2] for entry in self._lines)
        return max(0.0, oldest + self.LENGTH - time.monotonic())
