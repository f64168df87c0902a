"""The first step to a host: a byte stream to its sshd, before any SSH is spoken on it.

Apart from the module that speaks SSH, because importing that takes longer than connecting.
"""

import errno
import os
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from psops.deadline import Deadline
from psops.errors import ConnectRefused, ConnectTimedOut, NameNotResolved


class NoRoute(ConnectRefused):
    """No packet gets there: the host is off, or we have no way to addresses of that family."""


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
    failure: OSError = OSError("no address")
    for family, kind, protocol, _name, where in found:
        sock = socket.socket(family, kind, protocol)
        begun = time.monotonic()
        try:
            sock.settimeout(max(deadline.remaining(), 0.001))
            sock.connect(where)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            watch("tcp", str(where[0]))
            return Dialled(sock, time.monotonic() - begun)
        except OSError as exc:
            sock.close()
            failure = exc
    if isinstance(failure, TimeoutError):
        waited = f"no answer within {deadline.seconds:g} s"
        raise ConnectTimedOut(f"{place}: {waited}") from failure
    no_route = failure.errno in (errno.EHOSTUNREACH, errno.ENETUNREACH)
    error = NoRoute if no_route else ConnectRefused
    raise error(f"{place}: {(failure.strerror or str(failure)).lower()}") from failure


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
