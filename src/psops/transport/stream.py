"""A channel over a connected socket; local buses, mux forwards and child processes use it."""

import contextlib
import socket
from collections.abc import Callable

from psops.deadline import Deadline
from psops.errors import DeadlineExceeded, HostError, NoBus

_CHUNK = 65536


class SocketChannel:
    """A byte stream over a socket. `explain` may say why the peer closed it."""

    def __init__(
        self,
        sock: socket.socket,
        explain: Callable[[], HostError | None] = lambda: None,
        close: Callable[[], None] = lambda: None,
    ) -> None:
        self._sock = sock
        self._explain = explain
        self._close = close

    def send(self, data: bytes, deadline: Deadline) -> None:
        """Send all bytes; raises `DeadlineExceeded`, or the error that ended the stream."""
        try:
            self._sock.settimeout(max(deadline.remaining(), 0.001))
            self._sock.sendall(data)
        except TimeoutError:
            raise no_answer(deadline) from None
        except OSError as exc:
            raise self._explain() or NoBus(f"the bus closed the connection ({exc})") from exc

    def receive(self, deadline: Deadline) -> bytes:
        """Return the next bytes, at least one; raises as `send` does."""
        try:
            self._sock.settimeout(max(deadline.remaining(), 0.001))
            data = self._sock.recv(_CHUNK)
        except TimeoutError:
            raise no_answer(deadline) from None
        except OSError as exc:
            raise self._explain() or NoBus(f"the bus closed the connection ({exc})") from exc
        if not data:
            raise self._explain() or NoBus("the bus closed the connection")
        return data

    def close(self) -> None:
        """Close the socket and whatever stands behind it."""
        with contextlib.suppress(OSError):
            self._sock.close()
        self._close()


def no_answer(deadline: Deadline) -> DeadlineExceeded:
    """Return the error for a bus that was reached and does not answer in time."""
    return DeadlineExceeded(f"no answer from the bus within {deadline.seconds:g} s")
