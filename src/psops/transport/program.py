"""A program that is read while it runs, as a child of this process: a byte stream and its end."""

import atexit
import contextlib
import socket
import subprocess
from collections.abc import Callable

from psops.deadline import Deadline
from psops.errors import ChannelRefused, HostError
from psops.transport import Finished
from psops.transport.complaints import Complaints
from psops.transport.stream import broken, silent

_CHUNK = 65536
#: Seconds a child gets to end after it was told to.
_LAST_WORD = 2.0
#: What runs; an ssh whose output nobody reads would not end before its next word.
running: "set[subprocess.Popen[bytes]]" = set()


def _end_all() -> None:
    for child in tuple(running):
        child.kill()


atexit.register(_end_all)


class Program:
    """A child process; `explain` says what it means that it ended with a status and a text."""

    def __init__(
        self,
        argv: tuple[str, ...],
        explain: Callable[[int, str], HostError | None] = lambda status, text: None,
    ) -> None:
        self._explain = explain
        self._sock, theirs = socket.socketpair()
        self._errors = Complaints()
        try:
            self._child = subprocess.Popen(
                argv, stdin=theirs.fileno(), stdout=theirs.fileno(), stderr=self._errors.fileno(),
                start_new_session=True,  # Ctrl-C is for us; the child is ended by `close`
            )  # fmt: skip
        except OSError as exc:
            self._sock.close()
            reason = (exc.strerror or str(exc)).lower()
            raise ChannelRefused(f"cannot run {argv[0]}: {reason}", remedy="") from exc
        finally:
            theirs.close()
            self._errors.hand_over()
        running.add(self._child)

    def send(self, data: bytes, deadline: Deadline) -> None:
        """Send all bytes to it."""
        try:
            self._sock.settimeout(max(deadline.remaining(), 0.001))
            self._sock.sendall(data)
        except TimeoutError:
            raise silent(deadline) from None
        except OSError as exc:
            raise self._end(deadline) or broken(exc) from exc

    def receive(self, deadline: Deadline) -> bytes:
        """Return the next bytes it wrote, none at its end."""
        try:
            self._sock.settimeout(max(deadline.remaining(), 0.001))
            data = self._sock.recv(_CHUNK)
        except TimeoutError:
            raise silent(deadline) from None
        except ConnectionResetError:  # it ended before it had read all that was sent
            data = b""
        except OSError as exc:
            raise broken(exc) from exc
        if not data and (error := self._end(deadline)):
            raise error
        return data

    def finish(self, deadline: Deadline) -> Finished:
        """Return its status and standard error."""
        limit = Deadline(min(deadline.remaining(), _LAST_WORD))
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._child.wait(max(limit.remaining(), 0.001))
        status = -1 if self._child.returncode is None else self._child.returncode
        return Finished(status, b"", self._errors.text(limit.remaining()))

    def close(self) -> None:
        """End it."""
        with contextlib.suppress(OSError):
            self._sock.close()
        if self._child.poll() is None:
            self._child.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._child.wait(_LAST_WORD)
        if self._child.poll() is None:
            self._child.kill()
            self._child.wait()
        running.discard(self._child)

    def _end(self, deadline: Deadline) -> HostError | None:
        done = self.finish(deadline)
        return self._explain(done.status, done.stderr.decode(errors="replace").strip())
