"""The first step to a host: a byte stream to its sshd, before any SSH is spoken on it.

Apart from the module that speaks SSH, because importing that takes longer than connecting.
"""

import errno
import os
import selectors
import socket
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any, NamedTuple

from psops.deadline import Deadline
from psops.errors import ConnectRefused, ConnectTimedOut, NameNotResolved


class NoRoute(ConnectRefused):
    """No packet gets there: the host is off, or we have no way to addresses of that family."""


#: One of the addresses that `socket.getaddrinfo` gives.
_Address = tuple[Any, Any, int, str, Any]

#: Seconds until the next address is tried beside one that has not answered: RFC 8305, 5.
_HEAD_START = 0.25
_NO_ROUTE = (errno.EHOSTUNREACH, errno.ENETUNREACH)


class Login(NamedTuple):
    """Everything needed to log in to one host; equal logins can share a connection."""

    host: str
    address: str
    port: int
    user: str
    #: The name and port its key is known by.
    key_name: str
    key_port: int
    identity_files: tuple[Path, ...]
    identities_only: bool
    agent: str
    known_hosts: tuple[Path, ...]
    accept_new: bool
    compress: bool | None
    connect_timeout: float


class Dialled(NamedTuple):
    """A stream to an sshd (a socket, or a channel of a jump host), and how long it took."""

    sock: Any
    seconds: float


#: Makes a stream to one host within a deadline; raises `HostError`.
Dial = Callable[[Deadline], Dialled]


def dial_tcp(
    address: str,
    port: int,
    deadline: Deadline,
    watch: Callable[[str, str], None] = lambda step, found: None,
) -> Dialled:
    """Return a TCP connection; raises `NameNotResolved`, `ConnectRefused`, `ConnectTimedOut`."""
    place = f"{address} port {port}"
    try:
        found = socket.getaddrinfo(address, port, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError) as exc:
        reason = exc.strerror if isinstance(exc, OSError) else str(exc)
        raise NameNotResolved(f"{address!r} has no address ({reason})") from exc
    watch("resolve", str(found[0][4][0]))
    tries = _Tries(_taking_turns(found))
    try:
        sock, where, begun = tries.first(deadline)
    except TimeoutError as exc:
        waited = f"no answer within {deadline.seconds:g} s"
        raise ConnectTimedOut(f"{place}: {waited}") from exc
    except OSError as exc:
        error = NoRoute if exc.errno in _NO_ROUTE else ConnectRefused
        raise error(f"{place}: {(exc.strerror or str(exc)).lower()}") from exc
    watch("tcp", where)
    sock.settimeout(max(deadline.remaining(), 0.001))
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return Dialled(sock, time.monotonic() - begun)


class _Try(NamedTuple):
    """A connection that is being made."""

    sock: socket.socket
    where: str
    begun: float


class _Tries:
    """Connections to the addresses of one name, of which the first one is taken.

    An address that does not answer holds up the next one for a moment only, as in RFC 8305.
    """

    def __init__(self, addresses: Iterable[_Address]) -> None:
        self._left = deque(addresses)
        self._selector = selectors.PollSelector()
        self._failures: list[OSError] = []

    def first(self, deadline: Deadline) -> _Try:
        """Return the first connection; raises the failure that says most."""
        try:
            while self._left or self._selector.get_map():
                turn = self._begin() if self._left else deadline
                if found := self._wait(turn if turn.at < deadline.at else deadline):
                    return found
                if deadline.passed():
                    self._failures.append(TimeoutError())
                    break
            raise max(self._failures, key=_telling)
        finally:
            for key in list(self._selector.get_map().values()):
                key.data.sock.close()
            self._selector.close()

    def _begin(self) -> Deadline:
        """Try the next address; return until when it has a head start."""
        family, kind, protocol, _name, where = self._left.popleft()
        try:
            sock = socket.socket(family, kind, protocol)
        except OSError as exc:  # such as for a family that this machine does not know
            self._failures.append(exc)
            return Deadline(0.0)
        sock.setblocking(False)
        code = sock.connect_ex(where)
        if code in (0, errno.EINPROGRESS):
            one = _Try(sock, str(where[0]), time.monotonic())
            self._selector.register(sock, selectors.EVENT_WRITE, one)
            return Deadline(_HEAD_START)
        self._fail(sock, code)
        return Deadline(0.0)

    def _wait(self, deadline: Deadline) -> _Try | None:
        """Return a connection, None if there is none by then, or one has failed."""
        failed = False
        while self._selector.get_map() and not failed:
            for key, _ in self._selector.select(max(deadline.remaining(), 0.001)):
                one: _Try = key.data
                self._selector.unregister(one.sock)
                code = one.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                if not code:
                    return one
                self._fail(one.sock, code)
                failed = True
            if deadline.passed():
                break
        return None

    def _fail(self, sock: socket.socket, code: int) -> None:
        sock.close()
        self._failures.append(OSError(code, os.strerror(code)))


def _taking_turns(found: Sequence[_Address]) -> Iterator[_Address]:
    """Yield the addresses in their order, but one of each family in turn."""
    families: dict[int, list[_Address]] = {}
    for one in found:
        families.setdefault(one[0], []).append(one)
    for turn in zip_longest(*families.values()):
        yield from (one for one in turn if one is not None)


def _telling(failure: OSError) -> int:
    """Return how much a failure says of the host; that of one address may say nothing of it."""
    if isinstance(failure, TimeoutError):
        return 1
    return 0 if failure.errno in _NO_ROUTE else 2


def dial_program(command: str) -> Dialled:
    """Return a stream to a program's standard input and output.

    A ProxyCommand is a line for the user's shell by definition, see ssh_config(5).
    """
    import subprocess

    ours, theirs = socket.socketpair()
    shell = os.environ.get("SHELL") or "/bin/sh"
    with theirs:
        subprocess.Popen(
            [shell, "-c", f"exec {command}"],
            stdin=theirs.fileno(),
            stdout=theirs.fileno(),
            start_new_session=True,
        )
    return Dialled(ours, 0.0)
