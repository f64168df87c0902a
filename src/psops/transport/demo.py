"""Demo hosts, answered in this process: no network, no login, nothing to wait for."""

import errno
import time
from collections.abc import Callable

from psops.deadline import Deadline
from psops.demo import hosts, journal, numbers
from psops.demo.bus import DemoBus
from psops.errors import ChannelRefused, DeadlineExceeded, NoBus
from psops.inventory import Host
from psops.systemd.codec import Malformed
from psops.transport import Attributes, ByteStream, Finished, Options

#: An SSH channel hands data over in pieces of at most this size; so do demo hosts.
_PIECE = 32 * 1024
_COMMAND_NOT_FOUND = 127


class DemoChannel:
    """A byte stream to the bus of a demo host."""

    __slots__ = ("_answers", "_bus", "_is_watched")

    def __init__(self, bus: DemoBus) -> None:
        self._bus: DemoBus | None = bus
        self._answers = b""
        self._is_watched = False

    def send(self, data: bytes, deadline: Deadline) -> None:
        """Send all bytes."""
        if self._bus is None:
            raise NoBus("the bus closed the connection")
        try:
            self._answers += self._bus.feed(data)
        except Malformed as exc:
            self.close()
            raise NoBus(f"the bus closed the connection ({exc})") from exc

    def receive(self, deadline: Deadline) -> bytes:
        """Return the next bytes; where none can come any more, the time-out has passed."""
        if not self._answers and self._bus is not None and self._is_watched:
            self._answers = self._bus.news()
        if not self._answers:
            if self._bus is None:
                raise NoBus("the bus closed the connection")
            raise DeadlineExceeded(f"no answer within {deadline.seconds:g} s")
        piece, self._answers = self._answers[:_PIECE], self._answers[_PIECE:]
        return piece

    def watch(self, wake: Callable[[], None]) -> int:
        """Call `wake` when the host has something to tell; from here on, things happen there."""
        from psops.demo import life

        if self._bus is not None:
            self._bus.listen(wake)
            life.join(self._bus)
            self._is_watched = True
        return -1

    def close(self) -> None:
        """Close the stream."""
        if self._is_watched and self._bus is not None:
            from psops.demo import life

            life.leave(self._bus)
        self._bus = None
        self._answers = b""


class DemoConnection:
    """A demo host that was reached."""

    __slots__ = ("_host",)

    def __init__(self, host: Host) -> None:
        self._host = host

    def open_bus(self) -> DemoChannel:
        """Return a channel to the host's bus."""
        return DemoChannel(hosts.open_bus(self._host))

    def run(self, argv: tuple[str, ...], deadline: Deadline) -> Finished:
        """Return what `journalctl` and the programs of checks would give; there are no others."""
        command = journal.without_sudo(argv)
        if command and command[0].rpartition("/")[2] == "journalctl":
            return Finished(0, journal.answer(self._host, command[1:]), b"")
        if "stat" in command[:3] and "--" in command:
            from psops.demo import ports

            return Finished(0, ports.files(self._host, command[command.index("--") + 2 :]), b"")
        if command[:1] == ("grep",) and "/etc/os-release" in command:
            from psops.demo.files import grep

            return Finished(0, grep(self._host, command), b"")
        if command[:1] == ("grep",) and "/proc/net/unix" in command:
            from psops.demo import ports

            return Finished(0, ports.sockets(self._host), b"")
        if command == ("cat", "/proc/uptime"):
            uptime = hosts.numbers_of(self._host)[numbers.NOW_MONOTONIC] / 1e6
            return Finished(0, f"{uptime:.2f} {uptime:.2f}\n".encode(), b"")
        name = command[0] if command else ""
        return Finished(_COMMAND_NOT_FOUND, b"", f"{name}: command not found\n".encode())

    def start(self, argv: tuple[str, ...], deadline: Deadline) -> "DemoProgram":
        """Return what `run` gives; of what is followed, nothing more comes."""
        return DemoProgram(self.run(argv, deadline), lasts="--follow" in argv)

    def open_files(self, deadline: Deadline) -> "DemoFiles":
        """Return the log files of the host."""
        from psops.demo.files import logs

        return DemoFiles(logs(self._host))

    def ping(self, deadline: Deadline) -> None:
        """A demo host is there."""

    @property
    def address(self) -> str:
        """The name of the host."""
        return self._host.address or self._host.name

    def open_tcp(self, host: str, port: int, deadline: Deadline) -> ByteStream:
        """Return a stream to a port of the host; whichever name it is given is the host's."""
        from psops.demo.ports import open_port  # brings ssl, which nothing else needs

        return open_port(self._host, port)

    def open_unix(self, path: str, deadline: Deadline) -> ByteStream:
        """Raise `ChannelRefused`: what is behind sockets is not made up."""
        raise ChannelRefused(f"{path}: no such file or directory", remedy="")

    def open_here(self, port: int, deadline: Deadline) -> ByteStream:
        """Return a stream to a port of the host."""
        return self.open_tcp(self.address, port, deadline)

    def close(self) -> None:
        """Let go of the host; there is nothing to let go of."""


class DemoProgram:
    """A program of a demo host that has said all it has to say, or `lasts` without a word."""

    def __init__(self, done: Finished, *, lasts: bool) -> None:
        self._done = done
        self._left = done.stdout
        self._lasts = lasts

    def send(self, data: bytes, deadline: Deadline) -> None:
        """Take all bytes; none of the programs reads them."""

    def receive(self, deadline: Deadline) -> bytes:
        """Return the next bytes, none at its end."""
        piece, self._left = self._left[:_PIECE], self._left[_PIECE:]
        if not piece and self._lasts:
            time.sleep(deadline.remaining())
            raise DeadlineExceeded(f"no answer within {deadline.seconds:g} s")
        return piece

    def finish(self, deadline: Deadline) -> Finished:
        """Return its status and standard error."""
        return self._done

    def close(self) -> None:
        """There is nothing to end."""


class DemoFile:
    """A log file of a demo host, open for reading."""

    def __init__(self, data: bytes, attributes: Attributes) -> None:
        self._data = data
        self._attributes = attributes

    def read(self, offset: int, count: int, deadline: Deadline) -> bytes:
        """Return up to `count` bytes from an offset."""
        return self._data[offset : offset + count]

    def attributes(self, deadline: Deadline) -> Attributes:
        """Return what it is like."""
        return self._attributes

    def close(self) -> None:
        """There is nothing to close."""


class DemoFiles:
    """The log files of a demo host, by their paths."""

    def __init__(self, files: dict[str, tuple[bytes, float]]) -> None:
        self._files = files

    def open(self, path: str, deadline: Deadline) -> DemoFile:
        """Return a file."""
        return DemoFile(self._find(path)[0], self.attributes(path, deadline))

    def attributes(self, path: str, deadline: Deadline) -> Attributes:
        """Return what is at a path."""
        data, mtime = self._find(path)
        return Attributes(len(data), mtime)

    def names(self, directory: str, deadline: Deadline) -> tuple[str, ...]:
        """Return the names in a directory."""
        places = (path.rpartition("/") for path in self._files)
        return tuple(name for parent, _, name in places if parent == directory)

    def close(self) -> None:
        """There is nothing to let go of."""

    def _find(self, path: str) -> tuple[bytes, float]:
        if path not in self._files:
            raise FileNotFoundError(errno.ENOENT, "No such file or directory", path)
        return self._files[path]


def connect(host: Host, options: Options) -> DemoConnection:
    """Return a connection to the demo host; raises its error if it is one that has one."""
    error = hosts.fault(host, options.connect_timeout)
    if error is not None:
        raise error
    return DemoConnection(host)
