"""A container on this machine: the bus socket inside its file system, seen from outside.

Its own links lead nowhere but into it: what is meant for a container must not reach our bus.

systemd-machined writes the leader's process id to /run/systemd/machines/NAME; podman and
docker are asked for theirs. A container with its own user namespace maps our uid away, and
then the bus would refuse us, so there the stdio bridge is run inside instead, as root.
"""

import contextlib
import ctypes
import os
import re
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

from psops.deadline import Deadline
from psops.errors import ChannelRefused, HostError, NameNotResolved
from psops.inventory import Host
from psops.transport import Connection, Finished, Options
from psops.transport.child import bridge
from psops.transport.dial import dial_tcp
from psops.transport.files import LocalFiles
from psops.transport.local import BOOTED, SYSTEM_BUS, open_socket, run_program, system_bus
from psops.transport.program import Program
from psops.transport.stream import SocketChannel, TcpStream, open_unix

_MACHINES = Path("/run/systemd/machines")
_ENGINES = ("podman", "docker")
_NEW_NET = 0x40000000  # CLONE_NEWNET of setns(2)
_NAME = re.compile(r"[A-Za-z0-9_.][A-Za-z0-9_.-]*")


class Container:
    """A container, by the process id of its first process."""

    #: Where it is on the network, if anywhere, only who set up its network knows.
    address = ""

    def __init__(self, leader: int, options: Options) -> None:
        self._leader = leader
        self._options = options
        self._enter = ("nsenter", "--target", str(leader), "--all", "--")

    def open_bus(self) -> SocketChannel:
        """Return a channel to the container's bus."""
        if self._own_user_namespace():
            return bridge((*self._enter, "systemd-stdio-bridge"))
        return open_socket(SYSTEM_BUS, self._options.connect_timeout, BOOTED, self._at)

    def run(self, argv: tuple[str, ...], deadline: Deadline) -> Finished:
        """Run a program in the container and return what it gave."""
        return run_program((*self._enter, *argv), deadline)

    def start(self, argv: tuple[str, ...], deadline: Deadline) -> Program:
        """Start a program in the container."""
        return Program((*self._enter, *argv))

    def open_files(self, deadline: Deadline) -> LocalFiles:
        """Return the files of the container."""
        try:
            return LocalFiles(f"/proc/{self._leader}/root")
        except OSError as exc:
            reason = f"no way into the container's files ({(exc.strerror or str(exc)).lower()})"
            raise ChannelRefused(reason, remedy="run psops as root") from exc

    def ping(self, deadline: Deadline) -> None:
        """Raise `ChannelRefused` if the container has ended."""
        if not Path(f"/proc/{self._leader}").exists():
            raise ChannelRefused("the container has ended", remedy="")

    def open_tcp(self, host: str, port: int, deadline: Deadline) -> TcpStream:
        """Return a stream to a port as seen from the container.

        A socket stays in the network in which it was made, so it is made by a thread that
        enters the container's and ends: nothing is needed inside, no process is started.
        """
        made: list[TcpStream | HostError] = []

        def dial() -> None:
            try:
                _enter_network(self._leader)
                made.append(TcpStream(dial_tcp(host, port, deadline).sock))
            except HostError as exc:
                made.append(exc)
            except OSError as exc:
                reason = f"no way into the container's network ({exc.strerror})"
                made.append(ChannelRefused(reason, remedy="run psops as root"))

        thread = threading.Thread(target=dial, daemon=True)
        thread.start()
        thread.join()
        if isinstance(made[0], HostError):
            raise made[0]
        return made[0]

    def open_unix(self, path: str, deadline: Deadline) -> TcpStream:
        """Return a stream to a Unix socket in the container."""
        return open_unix(path, deadline, self._at)

    def open_here(self, port: int, deadline: Deadline) -> TcpStream:
        """Raise `ChannelRefused`: no address of it is known here."""
        raise ChannelRefused("a container has no address of which psops knows", remedy="")

    def close(self) -> None:
        """Nothing is held open."""

    @contextlib.contextmanager
    def _at(self, path: str) -> Iterator[str]:
        """Give the way to what is at a path in the container; to nothing of this machine's."""
        with (
            contextlib.closing(self.open_files(Deadline(self._options.connect_timeout))) as files,
            files.at(path) as place,
        ):
            if _is_our_bus(place):
                raise ChannelRefused(
                    f"{path} in the container is this machine's own bus",
                    remedy="give the container a bus of its own, or name this machine itself",
                )
            yield place

    def _own_user_namespace(self) -> bool:
        try:
            theirs = Path(f"/proc/{self._leader}/ns/user").readlink()
        except OSError as exc:
            reason = f"no way to look into the container ({(exc.strerror or str(exc)).lower()})"
            raise ChannelRefused(reason, remedy="run psops as root") from exc
        return theirs != Path("/proc/self/ns/user").readlink()


def _is_our_bus(place: str) -> bool:
    try:
        return Path(place).samefile(system_bus())
    except (OSError, ValueError):  # there is none, or not in the file system
        return False


def connect(host: Host, options: Options) -> Connection:
    """Return the container of this name; raises `NameNotResolved`."""
    name = host.address or host.name
    leader = _leader_of(name, Deadline(options.connect_timeout)) if _NAME.fullmatch(name) else 0
    if not leader:
        raise NameNotResolved(
            f"no running container {name!r}", remedy="see machinectl list, podman ps, docker ps"
        )
    return Container(leader, options)


def _enter_network(leader: int) -> None:
    """Put this thread into the network of a process, unless it is there."""
    theirs = Path(f"/proc/{leader}/ns/net")
    if theirs.readlink() == Path("/proc/thread-self/ns/net").readlink():
        return
    libc = ctypes.CDLL(None, use_errno=True)  # os.setns comes with Python 3.12
    namespace = os.open(theirs, os.O_RDONLY | os.O_CLOEXEC)
    try:
        if libc.setns(namespace, _NEW_NET):
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code))
    finally:
        os.close(namespace)


def _leader_of(name: str, deadline: Deadline) -> int:
    try:
        text = (_MACHINES / name).read_text()
    except OSError:
        text = ""
    if found := re.search(r"^LEADER=(\d+)$", text, re.MULTILINE):
        return int(found[1])
    for engine in filter(shutil.which, _ENGINES):
        done = run_program((engine, "inspect", "--format={{.State.Pid}}", name), deadline)
        if done.status == 0 and done.stdout.strip().isdigit():
            return int(done.stdout)
    return 0
