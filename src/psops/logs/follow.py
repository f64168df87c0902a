"""Following the logs of one host, over every loss of its connection."""

import re
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import NoReturn

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
from psops.logs.host import HostLogs, NoJournal, is_nothing
from psops.logs.model import Event, Failure, Line, Notice
from psops.transport import Running
from psops.watch.pace import Backoff

#: Seconds between two looks at the files of a host.
LOOK_EVERY = 0.5
#: Seconds between two searches for new files, where their names change from day to day.
_SEARCH_EVERY = 15.0
#: Seconds of silence after which a host is asked whether it is there, and for its answer.
PING_EVERY = 15.0
PING_WITHIN = 10.0
#: Seconds after which units are looked for again that were not there.
_LOOK_AGAIN = 5.0
#: Seconds after which a host that has said nothing yet is back: what fails there, such as
#: journalctl, has mostly failed by then.
_HOLDS = 2.0
#: What trying again does not change.
_FOR_GOOD = (AuthenticationRefused, HostKeyChanged, HostKeyUnknown, JournalForbidden, NoJournal)
#: Entries that are known again after a connection was lost.
_REMEMBERED = 2000

#: Takes what has come; waits while the other side is behind.
Put = Callable[[Line | Notice | Failure], None]
_NO_MATTER = nullcontext()


class Follower:
    """One host that is followed; it runs in a thread of its own until the program ends.

    `logins` is held while it logs in again.
    """

    def __init__(
        self, logs: HostLogs, put: Put, logins: AbstractContextManager[object] = _NO_MATTER
    ) -> None:
        self._logs = logs
        self._put = put
        self._logins = logins
        #: Whether the host was lost, and has not been told to be back.
        self._away = False
        self._telling = threading.Lock()
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
        self._away = lost is not None
        backoff = Backoff()
        while True:
            if lost is None:
                backoff.reached(time.monotonic())
                lost = self._follow()
            self._logs.close()
            if isinstance(lost, _FOR_GOOD):
                self._put(Failure(self._name, lost))
                return
            time.sleep(backoff.pause(time.monotonic(), lost))
            lost = self._come_back()

    def _come_back(self) -> HostError | None:
        """Reach the host again; return what made that impossible."""
        try:
            with self._logins:
                self._logs.open()
            if not self._logs.has_read:
                for log in self._logs.logs:
                    log.go_to_end()
                self._logs.has_read = True  # files that appear while it is away again are new
        except HostError as exc:
            return exc
        return None

    def _follow(self) -> HostError:
        """Pass on what comes; return what ends it."""
        try:
            self._pass_on()
        except HostError as exc:
            if not self._away:
                self._away = True
                self._put(Notice(self._name, Event.LOST, f"lost, trying again: {exc}"))
            return exc

    def _say(self, item: Line | Notice) -> None:
        self._is_back()
        self._put(item)

    def _is_back(self) -> None:
        """Tell so, if the host was away; being reached is not enough, since its journal may fail
        each time."""
        with self._telling:
            if self._away:
                self._away = False
                self._put(Notice(self._name, Event.BACK, "is back"))

    def _pass_on(self) -> NoReturn:
        """Pass on what comes; raises the `HostError` that ends it."""
        ended: list[HostError] = []
        over = threading.Event()
        if self._logs.reads_journal:
            self._program = self._logs.start(self._command())
            threading.Thread(target=self._pump, args=(ended, over), daemon=True).start()
        begun = asked = searched = time.monotonic()
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
                if time.monotonic() - begun >= _HOLDS:
                    self._is_back()
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
                self._say(item)
            if not news:
                for line in log.rest():
                    self._say(line)

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
            self._say(line)
        if line.cursor:
            self._logs.cursor = line.cursor
            self._since = line.time_us / 1e6
            self._logs.last_us = line.time_us
