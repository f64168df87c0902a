"""One thread that waits for everything: sockets, keys, other threads. It sleeps until then."""

import contextlib
import selectors
import socket
import threading
from collections import deque
from collections.abc import Callable

from psops.errors import PsopsError

Work = Callable[[], None]


class Loop:
    """What is waited for, and what is done then."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._ears, self._bell = socket.socketpair()
        self._ears.setblocking(False)
        self._bell.setblocking(False)
        self._calls: deque[Work] = deque()
        self._selector.register(self._ears, selectors.EVENT_READ, self._rung)

    def call(self, work: Work) -> None:
        """Let the loop do some work; any thread may ask for it, and a signal handler."""
        self._calls.append(work)
        with contextlib.suppress(OSError):  # full: it rings already
            self._bell.send(b"\0")

    def watch(self, number: int, work: Work) -> None:
        """Do some work whenever a file can be read."""
        self._selector.register(number, selectors.EVENT_READ, work)

    def forget(self, number: int) -> None:
        """Wait for a file no more."""
        with contextlib.suppress(KeyError, ValueError, OSError):
            self._selector.unregister(number)

    def turn(self, seconds: float | None) -> None:
        """Wait until there is something to do, or so long, and do it."""
        for key, _ in self._selector.select(seconds):
            work: Work = key.data
            work()
        for _ in range(len(self._calls)):  # what these ask for has its turn next time
            self._calls.popleft()()

    def _rung(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while self._ears.recv(4096):
                pass


class Workers:
    """At most so many threads for work that has to wait for others, such as logins."""

    def __init__(self, loop: Loop, width: int) -> None:
        self._loop = loop
        self._width = width
        self._lock = threading.Lock()
        self._queue: deque[Work] = deque()
        self._running = 0

    def do(
        self, work: Callable[[], object], then: Callable[[object], None] = lambda result: None
    ) -> None:
        """Do some work in a thread, and `then` something with its result, or with the
        `PsopsError` that it raised, in the loop. Any other exception is raised in the loop."""

        def run() -> None:
            try:
                result = work()
            except PsopsError as exc:
                result = exc
            except Exception as exc:
                self._loop.call(_raising(exc))
                return
            self._loop.call(lambda: then(result))

        with self._lock:
            self._queue.append(run)
            if self._running < self._width:
                self._running += 1
                # Daemon threads: nobody waits for a login when the program ends.
                threading.Thread(target=self._work, daemon=True).start()

    def _work(self) -> None:
        while True:
            with self._lock:
                if not self._queue:
                    self._running -= 1
                    return
                run = self._queue.popleft()
            run()


def _raising(error: Exception) -> Work:
    def work() -> None:
        raise error

    return work
