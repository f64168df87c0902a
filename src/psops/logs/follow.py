"""Following the logs of one host, over every loss of its connection."""

import random
import re
import threading
import time
from collections import deque
from collections.abc import Callable

from psops.deadline import Deadline
from psops.errors import (
    AuthenticationRefused,
    ChannelRefused,
    DeadlineExceeded,
    HostError,
    HostKeyChanged,
    HostKeyUnknown,
    JournalForbidden,
)
from psops.logs import journal
from psops.logs.host import HostLogs, is_nothing
from psops.logs.model import Event, Failure, Line, Notice
from psops.transport import Running

#: Seconds between two looks at the files of a host.
LOOK_EVERY = 0.5
#: Seconds between two searches for new files, where their names change from day to day.
_SEARCH_EVERY = 15.0
#: Seconds of silence after which a host is asked whether it is there, and for its answer.
PING_EVERY = 15.0
PING_WITHIN = 10.0
#: Seconds after which units are looked for again that were not there.
_LOOK_AGAIN = 5.0
#: Seconds before a host that was lost is tried again: twice as long each time, to a minute.
_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 60.0
#: What trying again does not change.
_FOR_GOOD = (AuthenticationRefused, HostKeyChanged, HostKeyUnknown, JournalForbidden)
#: Entries that are known again after a connection was lost.
_REMEMBERED = 2000

#: Takes what has come; waits while the other side is behind.
Put = Callable[[Line | Notice | Failure], None]


class Follower:
    """One host that is followed; it runs in a thread of its own until the program ends."""

    def __init__(self, logs: HostLogs, put: Put) -> None:
        self._logs = logs
        self._put = put
        self._name = logs.host.name
        self._recent: deque[str] = deque(maxlen=_REMEMBERED)
        self._known = set(logs.seen)
        #: From when on the journal is read if no entry of it is known to read on from.
        self._since = logs.last_us / 1e6 or None
        self._program: Running | None = None

    def run(self, lost: HostError | None) -> None:
        """Follow the host, which is open or was `lost`; returns only if that is for good.

        Of one that was lost before its logs were read, what comes from now on is shown.
        """
        if lost is not None and self._since is None:
            self._since = time.time()
        while True:
            if lost is None:
                try:
                    self._follow()
                except HostError as exc:
                    lost = exc
                    self._put(Notice(self._name, Event.LOST, f"lost, trying again: {exc}"))
            self._logs.close()
            assert lost is not None
            if isinstance(lost, _FOR_GOOD):
                self._put(Failure(self._name, lost))
                return
            lost = self._come_back()

    def _come_back(self) -> HostError | None:
        """Return when the host is reached again, or with what makes that impossible."""
        pause = _FIRST_PAUSE
        while True:
            time.sleep(pause * random.uniform(0.7, 1.3))
            pause = min(2 * pause, _LONGEST_PAUSE)
            try:
                self._logs.open()
                if not self._logs.has_read:
                    for log in self._logs.logs:
                        log.go_to_end()
                self._put(Notice(self._name, Event.BACK, "is back"))
                return None
            except HostError as exc:
                self._logs.close()
                if isinstance(exc, _FOR_GOOD):
                    return exc

    def _follow(self) -> None:
        """Pass on what comes; raises the `HostError` that ends it."""
        ended: list[HostError] = []
        over = threading.Event()
        if self._logs.reads_journal:
            self._program = self._logs.start(self._command())
            threading.Thread(target=self._pump, args=(ended, over), daemon=True).start()
        asked = searched = time.monotonic()
        try:
            while not over.wait(LOOK_EVERY):
                if self._logs.has_files and time.monotonic() - searched >= _SEARCH_EVERY:
                    self._logs.find_files()
                    searched = time.monotonic()
                if self._logs.has_files:
                    self._look()  # which asks the host by itself
                elif time.monotonic() - asked >= PING_EVERY:
                    self._logs.connection.ping(Deadline(PING_WITHIN))
                    asked = time.monotonic()
        finally:
            over.set()
            if self._program is not None:
                self._program.close()
        raise ended[0] if ended else ChannelRefused("the connection has ended", remedy="")

    def _look(self) -> None:
        for log in self._logs.logs:
            news = False
            for item in log.news():
                news = True
                self._put(item)
            if not news:
                for line in log.rest():
                    self._put(line)

    def _command(self) -> tuple[str, ...]:
        logs = self._logs
        since = None if logs.cursor else max(self._since or 0, logs.query.since or 0) or None
        return journal.command(
            logs.query, logs.units.all, follow=True, after=logs.cursor, since=since,
            able=logs.able,
        )  # fmt: skip

    def _pump(self, ended: list[HostError], over: threading.Event) -> None:
        """Pass on the journal's entries until there are no more."""
        try:
            while True:
                assert self._program is not None
                self._read(self._program)
                done = self._program.finish(Deadline(2.0))
                if not is_nothing(done):
                    break
                if over.wait(_LOOK_AGAIN):  # a unit that a pattern means may still appear
                    return
                self._program.close()
                self._program = self._logs.start(self._command())
            self._logs.explain(done, self._logs.able)
            ended.append(ChannelRefused("journalctl has ended there", remedy=""))
        except HostError as exc:
            if "cursor" in str(exc):
                self._logs.cursor = ""  # that entry is not kept any more, so the time must do
            ended.append(exc)
        finally:
            over.set()

    def _read(self, program: Running) -> None:
        parser = journal.Parser(self._name)
        here = None if self._logs.able.patterns else self._logs.query.grep
        while True:
            try:
                data = program.receive(Deadline(3600.0))
            except DeadlineExceeded:
                continue  # nothing has happened there
            if not data:
                return
            for line in parser.feed(data):
                self._take(line, here)

    def _take(self, line: Line, pattern: re.Pattern[str] | None) -> None:
        if line.cursor in self._known:
            return
        if len(self._recent) == _REMEMBERED:
            self._known.discard(self._recent[0])
        self._recent.append(line.cursor)
        self._known.add(line.cursor)
        if pattern is None or pattern.search(line.message):
            self._put(line)
        if line.cursor:
            self._logs.cursor = line.cursor
            self._since = line.time_us / 1e6
            self._logs.last_us = line.time_us
