"""A channel over a connected socket; local buses, mux forwards and child processes use it."""

import contextlib
import socket
from collections.abc import Callable

from psops.deadline import Deadline
from psops.errors import (
    ChannelRefused,
    ConnectRefused,
    ConnectTimedOut,
    DeadlineExceeded,
    HostError,
    NameNotResolved,
    NoBus,
)
from psops.transport.dial import dial_tcp

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

    def watch(self, wake: Callable[[], None]) -> int:
        """Return the number of the socket."""
        return self._sock.fileno()

    def close(self) -> None:
        """Close the socket and whatever stands behind it."""
        with contextlib.suppress(OSError):
            self._sock.close()
        self._close()


class TcpStream:
    """A byte stream over a socket that is connected to a port, or to what relays it."""

    def __init__(self, sock: socket.socket, close: Callable[[], None] = lambda: None) -> None:
        self._sock = sock
        self._close = close

    def send(self, data: bytes, deadline: Deadline) -> None:
        """Send all bytes; raises `DeadlineExceeded`, or `ConnectRefused` if it is broken."""
        try:
            self._sock.settimeout(max(deadline.remaining(), 0.001))
            self._sock.sendall(data)
        except TimeoutError:
            raise silent(deadline) from None
        except OSError as exc:
            raise broken(exc) from exc

    def receive(self, deadline: Deadline) -> bytes:
        """Return the next bytes, none at the end of the stream; raises as `send` does."""
        try:
            self._sock.settimeout(max(deadline.remaining(), 0.001))
            return self._sock.recv(_CHUNK)
        except TimeoutError:
            raise silent(deadline) from None
        except OSError as exc:
            raise broken(exc) from exc

    def close(self) -> None:
        """Close the socket and whatever stands behind it."""
        with contextlib.suppress(OSError):
            self._sock.close()
        self._close()


#: Gives the path by which this machine reaches what is at a path of a host.
Reach = Callable[[str], contextlib.AbstractContextManager[str]]


def open_unix(path: str, deadline: Deadline, reach: Reach = contextlib.nullcontext) -> TcpStream:
    """Return a stream to a Unix socket of this machine; raises `ChannelRefused`."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    sock.settimeout(max(deadline.remaining(), 0.001))
    try:
        with reach(path) as place:
            sock.connect(place)
    except OSError as exc:
        sock.close()
        if isinstance(exc, TimeoutError):
            raise silent(deadline) from None
        reason = (exc.strerror or str(exc)).lower()
        raise ChannelRefused(f"{path}: {reason}", remedy="") from exc
    except HostError:
        sock.close()
        raise
    return TcpStream(sock)


def open_here(address: str, port: int, deadline: Deadline, behind: str = "") -> TcpStream:
    """Return a stream to a port of a host over the network, from here.

    A host `behind` another one may well be reached from there alone, so that a failure from
    here tells nothing of it.
    """
    try:
        return TcpStream(dial_tcp(address, port, deadline).sock)
    except (NameNotResolved, ConnectRefused, ConnectTimedOut) as exc:
        if not behind:
            raise
        reason = f"the host is behind {behind} and not reached directly ({exc})"
        raise ChannelRefused(reason, remedy="") from exc


def silent(deadline: Deadline) -> DeadlineExceeded:
    """Return the error for a port that was reached and says nothing in time."""
    return DeadlineExceeded(f"no answer within {deadline.seconds:.3g} s")


def broken(exc: OSError) -> ConnectRefused:
    """Return the error for a stream that ended in disorder."""
    return ConnectRefused((exc.strerror or str(exc) or "broken").lower(), remedy="")


def no_answer(deadline: Deadline) -> DeadlineExceeded:
    """Return the error for a bus that was reached and does not answer in time."""
    return DeadlineExceeded(f"no answer from the bus within {deadline.seconds:g} s")
