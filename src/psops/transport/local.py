"""This host: its system bus, or the user's own bus.

Authority for the addresses: sd_bus_default_system(3) and sd_bus_default_user(3).
"""

import contextlib
import os
import re
import selectors
import socket
import subprocess
from pathlib import Path
from typing import IO, cast

from psops.deadline import Deadline
from psops.errors import ChannelRefused, DeadlineExceeded, HostError, NoBus, NotSystemd
from psops.inventory import Host
from psops.transport import Connection, Finished, Options, Output
from psops.transport.dial import dial_tcp
from psops.transport.files import LocalFiles
from psops.transport.program import Program
from psops.transport.stream import Reach, SocketChannel, TcpStream, open_here, open_unix

SYSTEM_BUS = "/run/dbus/system_bus_socket"
BOOTED = "/run/systemd/system"
_UNIX_ADDRESS = re.compile(r"unix:(?:[^,;]+,)*(path|abstract)=([^,;]+)")


class Local:
    """This host."""

    address = "localhost"

    def __init__(self, host: Host, options: Options) -> None:
        self._path = user_bus() if options.user_bus else system_bus()
        self._user = options.user_bus
        self._timeout = options.connect_timeout

    def open_bus(self) -> SocketChannel:
        """Return a channel to the bus; raises `NoBus` or `NotSystemd`."""
        return open_socket(self._path, self._timeout, BOOTED)

    def run(self, argv: tuple[str, ...], deadline: Deadline) -> Finished:
        """Run a program here and return what it gave."""
        return run_program(argv, deadline)

    def start(self, argv: tuple[str, ...], deadline: Deadline) -> Program:
        """Start a program here."""
        return Program(argv)

    def open_files(self, deadline: Deadline) -> LocalFiles:
        """Return the files of this host."""
        return LocalFiles("/")

    def ping(self, deadline: Deadline) -> None:
        """This host is there."""

    def open_tcp(self, host: str, port: int, deadline: Deadline) -> TcpStream:
        """Return a stream to a port as seen from here."""
        return TcpStream(dial_tcp(host, port, deadline).sock)

    def open_unix(self, path: str, deadline: Deadline) -> TcpStream:
        """Return a stream to a Unix socket of this host."""
        return open_unix(path, deadline)

    def open_here(self, port: int, deadline: Deadline) -> TcpStream:
        """Return a stream to a port of this host."""
        return open_here(self.address, port, deadline)

    def close(self) -> None:
        """Nothing is held open."""


def connect(host: Host, options: Options) -> Connection:
    """Return this host."""
    return Local(host, options)


def open_socket(
    path: str, timeout: float, booted_mark: str, reach: Reach = contextlib.nullcontext
) -> SocketChannel:
    """Return a channel to the bus socket at a path.

    `booted_mark` is the directory that exists where systemd runs (sd_booted(3)); it tells a
    system without systemd from one whose bus is down.
    """
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    sock.settimeout(timeout)
    try:
        with reach(path) as place:
            sock.connect(place)
    except TimeoutError:
        sock.close()
        raise NoBus(f"the bus at {path} accepts no connection within {timeout:g} s") from None
    except PermissionError as exc:
        sock.close()
        raise ChannelRefused(f"no permission for {path}", remedy="run psops as root") from exc
    except OSError as exc:
        sock.close()
        raise _missing(path, booted_mark, reach, exc) from exc
    except HostError:
        sock.close()
        raise
    return SocketChannel(sock)


def _missing(path: str, booted_mark: str, reach: Reach, exc: OSError) -> HostError:
    try:
        with reach(booted_mark) as place:
            booted = Path(place).exists()
    except FileNotFoundError:
        booted = False
    except OSError:
        booted = True
    reason = (exc.strerror or str(exc)).lower()
    if not booted:
        return NotSystemd(f"systemd does not run here, and there is no bus at {path} ({reason})")
    return NoBus(f"no bus at {path} ({reason})")


def run_program(argv: tuple[str, ...], deadline: Deadline) -> Finished:
    """Run a program on this machine and return what it gave."""
    try:
        child = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
    except OSError as exc:
        return Finished(127, b"", str(exc).encode())
    with child:
        try:
            output, errors = _read_both(child, deadline)
            return Finished(child.wait(max(deadline.remaining(), 0.001)), output, errors)
        except subprocess.TimeoutExpired:
            raise DeadlineExceeded(f"{argv[0]} did not end within {deadline.seconds:g} s") from None
        finally:
            if child.poll() is None:
                child.kill()


def _read_both(child: "subprocess.Popen[bytes]", deadline: Deadline) -> tuple[bytes, bytes]:
    """Return what a child prints and what it complains of, once it has closed both."""
    found = {pipe: Output() for pipe in (child.stdout, child.stderr) if pipe is not None}
    with selectors.DefaultSelector() as selector:
        for pipe in found:
            selector.register(pipe, selectors.EVENT_READ)
        while selector.get_map():
            ready = selector.select(max(deadline.remaining(), 0.001))
            if deadline.passed():
                raise subprocess.TimeoutExpired(child.args, deadline.seconds)
            for key, _ in ready:
                if data := os.read(key.fd, 65536):
                    found[cast("IO[bytes]", key.fileobj)].take(data)
                else:
                    selector.unregister(key.fileobj)
    output, errors = found.values()
    return bytes(output), bytes(errors)


def system_bus() -> str:
    """Return the path of the socket of this machine's bus."""
    return _address_path(os.environ.get("DBUS_SYSTEM_BUS_ADDRESS", "")) or SYSTEM_BUS


def user_bus() -> str:
    """Return the path of the socket of the user's bus."""
    address = _address_path(os.environ.get("DBUS_SESSION_BUS_ADDRESS", ""))
    if address:
        return address
    runtime = os.environ.get("XDG_RUNTIME_DIR") or f"/run/user/{os.getuid()}"
    return f"{runtime}/bus"


def _address_path(address: str) -> str | None:
    found = _UNIX_ADDRESS.search(address)
    if found is None:
        return None
    path = re.sub("%([0-9a-fA-F]{2})", lambda match: chr(int(match[1], 16)), found[2])
    return path if found[1] == "path" else "\0" + path
