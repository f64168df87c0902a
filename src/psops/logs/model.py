"""Lines of logs as data, what to read of them, and what happens to hosts meanwhile."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from psops.errors import PsopsError

#: As syslog(3) numbers them.
PRIORITIES = ("emerg", "alert", "crit", "err", "warning", "notice", "info", "debug")
INFO = 6
JOURNAL = "journal"


class Line(NamedTuple):
    """One entry of a log; its message may have several lines, and nothing in it is clean.

    `unit` is "" where a log has none, `pid` 0; `source` is the journal, or the path of a file.
    """

    time_us: int
    host: str
    unit: str
    identifier: str
    pid: int
    priority: int
    message: str
    source: str = JOURNAL
    cursor: str = ""
    #: The entry has no time of its own; it has that of the one before, or of its file.
    guessed: bool = False


class Event(StrEnum):
    """What can happen to a host whose logs are read."""

    LOST = "lost"
    BACK = "back"
    ROTATED = "rotated"
    NOTE = "note"


class Notice(NamedTuple):
    """Something a reader of the logs should know of a host."""

    host: str
    event: Event
    message: str
    #: Something asked for could not be read.
    bad: bool = False


class Failure(NamedTuple):
    """A host whose logs could not be read, or not to their end."""

    host: str
    error: PsopsError


@dataclass(frozen=True, slots=True, kw_only=True)
class LogQuery:
    """What to read of each host. Moments are in seconds since the epoch."""

    names: tuple[str, ...] = ()
    globs: tuple[str, ...] = ()
    #: Units of the bundle: names and globs, of which those that a host has are read.
    bundle: tuple[str, ...] = ()
    #: Unit name or glob -> the log files of the daemons that it is a unit of.
    files: Mapping[str, tuple[str, ...]]
    #: Files whose times are in UTC, wherever the host is.
    utc_files: frozenset[str] = frozenset()
    #: The last entries of each unit and file; None for all.
    lines: int | None = None
    since: float | None = None
    until: float | None = None
    #: The least and the most serious priority that is shown.
    weakest: int = 7
    strongest: int = 0
    grep: re.Pattern[str] | None = None
    follow: bool = False
    journal: bool = True
    user: bool = False

    @property
    def everything(self) -> bool:
        """Whether the whole journal is meant, not single units."""
        return not (self.names or self.globs or self.bundle)

    def wants(self, line: Line) -> bool:
        """Tell whether an entry of a file is asked for; the journal's are chosen there."""
        return (
            self.strongest <= line.priority <= self.weakest
            and (self.since is None or line.time_us >= self.since * 1e6)
            and (self.until is None or line.time_us <= self.until * 1e6)
            and (self.grep is None or self.grep.search(line.message) is not None)
        )
