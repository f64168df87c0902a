"""`psops logs`: what the logs of some hosts say, in one stream."""

import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol

from psops import transport
from psops.errors import HostError, PsopsError, Terminated
from psops.exits import Exit, worst
from psops.inventory import Host
from psops.logs.fold import Fold, Repeat
from psops.logs.follow import Follower
from psops.logs.host import HostLogs
from psops.logs.merge import HostQueue, Window, merged
from psops.logs.model import Event, Failure, Line, LogQuery, Notice
from psops.transport import Options

#: What comes waits here for its turn; no more than this many entries, then hosts wait.
_MOST_WAITING = 1024
#: Seconds after which what is to be shown is shown, more or not; characters likewise.
_SHOW_EVERY = 0.1
_MOST_CHARS = 65536


class Look(Protocol):
    """How things are shown: each call gives a text that ends with a newline, or ""."""

    def line(self, line: Line, *, late: bool) -> str:
        """Return an entry."""

    def repeat(self, repeat: Repeat) -> str:
        """Return how often an entry came once more."""

    def notice(self, notice: Notice | Failure) -> str:
        """Return what happened to a host, for the place where the entries go, if it belongs
        there; what does not is for `tell`."""


class Logs:
    """One run: threads that read hosts, and the one stream that comes of them.

    `show` prints a text and tells whether anybody reads it still, `gone` asks that while there
    is nothing to print, `tell` says beside what has happened to hosts.
    """

    def __init__(
        self,
        hosts: Sequence[Host],
        query: LogQuery,
        options: Options,
        *,
        width: int,
        fold: bool,
        look: Look,
        show: Callable[[str], bool],
        gone: Callable[[], bool],
        tell: Callable[[Sequence[Notice | Failure]], None],
    ) -> None:
        self._hosts = hosts
        self._query = query
        self._options = options
        self._look = look
        self._show = show
        self._gone = gone
        self._tell = tell
        self._fold = Fold(enabled=fold)
        self._logins = threading.Semaphore(width)
        self._queues = [HostQueue() for _ in hosts]
        self._coming: queue.Queue[Line | Notice | Failure] = queue.Queue(_MOST_WAITING)
        #: Kept apart from what comes, so that a host can always say that it is in trouble.
        self._told: queue.SimpleQueue[Notice | Failure] = queue.SimpleQueue()
        self._failed: dict[str, PsopsError] = {}
        self._bad = False
        self._beside: list[Notice | Failure] = []
        self._lines = 0
        self._text: list[str] = []
        self._size = 0
        self._shown = time.monotonic()
        self._read = True  # somebody reads what we show

    def run(self) -> Exit:
        """Read, merge and show; return the exit code."""
        if len(self._hosts) > 1:
            transport.prepare(self._hosts, self._options)
        bugs: list[BaseException] = []
        threads = []
        logs = [HostLogs(host, self._query, self._options, self._told.put) for host in self._hosts]
        for one, waiting in zip(logs, self._queues, strict=True):
            work = threading.Thread(target=self._work, args=(one, waiting, bugs), daemon=True)
            work.start()
            threads.append(work)
        try:
            self._history()
            if self._query.follow and self._read and len(self._failed) < len(self._hosts):
                self._follow(threads)
        except KeyboardInterrupt:
            return self._stopped(Exit.INTERRUPTED)
        except Terminated:
            return self._stopped(Exit.TERMINATED)
        self._emit(self._fold.end())
        self._pause()
        self._tell_all()
        if bugs:
            raise bugs[0]
        return self._exit([one.units.missing for one in logs])

    def _stopped(self, code: Exit) -> Exit:
        self._emit(self._fold.end())
        self._pause()
        self._tell_all()
        return code

    def _exit(self, missing: list[tuple[str, ...]]) -> Exit:
        if not self._read:
            return Exit.OK
        if len(self._failed) == len(self._hosts):
            return Exit.UNAVAILABLE
        return worst(
            [
                Exit.SOME_FAILED if self._failed or self._bad else Exit.OK,
                Exit.UNKNOWN_UNIT if any(missing) else Exit.OK,
            ]
        )

    @property
    def empty(self) -> bool:
        """Whether no entry was shown."""
        return not self._lines

    # In the threads of hosts

    def _work(self, logs: HostLogs, waiting: HostQueue, bugs: list[BaseException]) -> None:
        lost: HostError | None = None

        def history() -> Iterator[Line]:
            nonlocal lost
            try:
                with self._logins:
                    logs.open()
                yield from logs.history()
            except HostError as exc:
                lost = exc
                self._told.put(Failure(logs.host.name, exc))

        try:
            waiting.fill(history())
            if self._query.follow:
                Follower(logs, self._coming.put, self._logins).run(lost)
        except BaseException as exc:
            bugs.append(exc)
            self._told.put(Failure(logs.host.name, PsopsError(f"bug: {exc!r}")))
        finally:
            logs.close()

    # In the main thread

    def _history(self) -> None:
        for line in merged(self._queues, self._pause):
            self._emit(self._fold.take(line))
            if not self._read:
                return
        self._pause()
        self._tell_all()

    def _pause(self) -> None:
        """Show what there is, before waiting for more, and hear what the hosts' threads tell."""
        while not self._told.empty():
            self._notice(self._told.get())
        self._flush()

    def _notice(self, notice: Notice | Failure) -> None:
        if isinstance(notice, Failure):
            self._failed[notice.host] = notice.error
        else:
            if notice.event is Event.BACK:
                self._failed.pop(notice.host, None)
            self._bad = self._bad or notice.bad
        if text := self._look.notice(notice):
            self._write(text)
        else:
            self._beside.append(notice)

    def _tell_all(self) -> None:
        """Tell people what has happened to hosts: together, so that it can be folded, and
        behind the entries, where it is seen."""
        self._flush()
        if self._beside:
            self._tell(self._beside)
            self._beside = []

    def _follow(self, threads: list[threading.Thread]) -> None:
        """Show what comes for as long as there is a host that may say something."""
        window = Window()
        while self._read and any(thread.is_alive() for thread in threads):
            for item in self._come(window.wait()):
                if isinstance(item, Line):
                    window.add(item)
                else:
                    self._notice(item)
            for line, late in window.ready():
                for shown in self._fold.take(line):
                    self._emit([shown], late=late and shown is line)
            self._emit(self._fold.overdue())
            self._pause()
            self._tell_all()
            self._read = self._read and not self._gone()

    def _come(self, wait: float | None) -> Iterator[Line | Notice | Failure]:
        """Yield what comes within some seconds, and what has come by then; not for ever, since
        it may come faster than it is shown."""
        try:
            yield self._coming.get(timeout=1.0 if wait is None else max(wait, 0.01))
            for _ in range(_MOST_WAITING):
                yield self._coming.get_nowait()
        except queue.Empty:
            return

    def _emit(self, items: Iterable[Line | Repeat], *, late: bool = False) -> None:
        for item in items:
            if isinstance(item, Repeat):
                self._write(self._look.repeat(item))
            else:
                self._lines += 1
                self._write(self._look.line(item, late=late))

    def _write(self, text: str) -> None:
        self._text.append(text)
        self._size += len(text)
        if self._size >= _MOST_CHARS or time.monotonic() - self._shown >= _SHOW_EVERY:
            self._flush()

    def _flush(self) -> None:
        # Taken out first: after a signal that comes meanwhile the rest is shown, not this again.
        text, self._text, self._size = "".join(self._text), [], 0
        if text and self._read:
            self._read = self._show(text)
        self._shown = time.monotonic()
