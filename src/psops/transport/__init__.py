"""How bytes get to a host and back: the interface, and the registry of ways that have it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any, NamedTuple, Protocol

from psops.deadline import Deadline
from psops.errors import DeadlineExceeded, NameNotResolved, ProtocolError
from psops.inventory import Host


class Channel(Protocol):
    """One two-way byte stream to a bus."""

    def send(self, data: bytes, deadline: Deadline) -> None:
        """Send all bytes; raises `DeadlineExceeded`, or the error that ended the stream."""

    def receive(self, deadline: Deadline) -> bytes:
        """Return the next bytes, at least one; raises as `send` does."""

    def close(self) -> None:
        """Close the stream; never raises."""


class LastingChannel(Channel, Protocol):
    """A channel that may be quiet for long, with a way to be told when it is not."""

    def watch(self, wake: Callable[[], None]) -> int:
        """Return the number of the file that can be read when bytes have come.

        It is -1 where there is none: then `wake` is called, by any thread, when bytes have come
        or the stream has ended. From here on the stream is expected to be quiet for long.
        """


class ByteStream(Protocol):
    """One two-way byte stream to a port or a Unix socket, open when it is given out."""

    def send(self, data: bytes, deadline: Deadline) -> None:
        """Send all bytes; raises `DeadlineExceeded`, or `ConnectRefused` if it is broken."""

    def receive(self, deadline: Deadline) -> bytes:
        """Return the next bytes, none at the end of the stream; raises as `send` does."""

    def close(self) -> None:
        """Close the stream; never raises."""


#: What one program may print on the way to `Connection.run`, in bytes; no answer is so long, and
#: a host that never stops must not take this machine's memory.
MOST_OUTPUT = 64 << 20
#: What is kept of a program's complaints, in bytes: the end says why it ended.
MOST_WORDS = 64 << 10


class Output(bytearray):
    """What a program prints while it is read, in all at most `MOST_OUTPUT` bytes."""

    def take(self, data: bytes) -> None:
        """Add what came; raises `ProtocolError` once it is too much."""
        self += data
        if len(self) > MOST_OUTPUT:
            raise ProtocolError(
                f"a program there printed more than {MOST_OUTPUT >> 20} MiB",
                remedy="look what it prints, and why",
            )


class Readable(Protocol):
    """What has the interface of a socket, as far as `read_to_end` needs it."""

    def settimeout(self, seconds: float, /) -> None:
        """Let the next `recv` raise TimeoutError after so long."""

    def recv(self, size: int, /) -> bytes:
        """Return what came, nothing at the end."""


def read_to_end(source: Readable, deadline: Deadline) -> bytes:
    """Return all that a program prints; raises `DeadlineExceeded` and `ProtocolError`."""
    output = Output()
    try:
        while not deadline.passed():
            source.settimeout(max(deadline.remaining(), 0.001))
            if not (data := source.recv(256 << 10)):
                return bytes(output)
            output.take(data)
    except TimeoutError:
        pass
    raise DeadlineExceeded(f"no end within {deadline.seconds:g} s")


class LastWords(bytearray):
    """The end of what a program writes to its standard error, at most `MOST_WORDS` bytes."""

    def take(self, data: bytes) -> None:
        """Add what came; it takes the place of what came long before."""
        self += data
        del self[:-MOST_WORDS]


class Finished(NamedTuple):
    """What a program on the host gave; of what it complained the end, where that is much."""

    status: int
    stdout: bytes
    stderr: bytes


class Running(Protocol):
    """A program on the host while it runs: a byte stream to it and from it, and its end."""

    def send(self, data: bytes, deadline: Deadline) -> None:
        """Send all bytes to it; raises a `HostError`."""

    def receive(self, deadline: Deadline) -> bytes:
        """Return the next bytes it wrote, none at its end.

        Raises `DeadlineExceeded` if nothing came by then (it still runs), or the `HostError`
        that ended the connection. As long as nobody receives, it is held up in writing.
        """

    def finish(self, deadline: Deadline) -> Finished:
        """Return its status and standard error, once it has closed its output."""

    def close(self) -> None:
        """End it, if it runs; never raises."""


class Attributes(NamedTuple):
    """What a file is like: bytes, and when it was last written, in seconds since the epoch."""

    size: int
    mtime: float
    directory: bool = False


class RemoteFile(Protocol):
    """A file of the host, open for reading; it stays the same one when its name goes to another.

    What is wrong with the file is an `OSError`, with the way to the host a `HostError`.
    """

    def read(self, offset: int, count: int, deadline: Deadline) -> bytes:
        """Return up to `count` bytes from an offset, none at the end of the file."""

    def attributes(self, deadline: Deadline) -> Attributes:
        """Return what it is like now."""

    def close(self) -> None:
        """Close it; never raises."""


class Files(Protocol):
    """The files of the host, for reading; errors are as those of `RemoteFile`."""

    def open(self, path: str, deadline: Deadline) -> RemoteFile:
        """Return a file, links followed."""

    def attributes(self, path: str, deadline: Deadline) -> Attributes:
        """Return what is at a path, links followed."""

    def names(self, directory: str, deadline: Deadline) -> tuple[str, ...]:
        """Return the names in a directory, in no order."""

    def close(self) -> None:
        """Let go of them; never raises."""


class Connection(Protocol):
    """A host that was reached."""

    @property
    def address(self) -> str:
        """Its name on the network as seen from here, "" for a host that has none."""

    def open_bus(self) -> LastingChannel:
        """Return a channel to the host's bus; raises a `HostError` that names what is missing."""

    def run(self, argv: tuple[str, ...], deadline: Deadline) -> Finished:
        """Run a program there and return what it gave; never through a shell of ours.

        Raises `DeadlineExceeded`, and `ProtocolError` if it prints more than `MOST_OUTPUT`.
        """

    def start(self, argv: tuple[str, ...], deadline: Deadline) -> Running:
        """Start a program there that is read while it runs, for as long as it likes."""

    def open_files(self, deadline: Deadline) -> Files:
        """Return the files of the host, read as the login's user; root with sudo."""

    def ping(self, deadline: Deadline) -> None:
        """Return when the host answers; raises the `HostError` of one that does not."""

    def open_tcp(self, host: str, port: int, deadline: Deadline) -> ByteStream:
        """Return a stream to a port as seen from the host, where localhost is the host.

        Raises `ConnectRefused`, `ConnectTimedOut` and `NameNotResolved` for what is so there,
        `ChannelRefused` if the way there is closed to us.
        """

    def open_unix(self, path: str, deadline: Deadline) -> ByteStream:
        """Return a stream to a Unix socket of the host; raises `ChannelRefused`."""

    def open_here(self, port: int, deadline: Deadline) -> ByteStream:
        """Return a stream to a port of the host over the network; raises as `open_tcp` does."""

    def close(self) -> None:
        """Let go of the host; never raises."""


#: The steps it is told of are resolve, tcp, jump, ssh, host-key, login and bus.
Watch = Callable[[str, str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How to reach hosts: what the command line says for all of them. Times in seconds."""

    connect_timeout: float = 10.0
    timeout: float = 30.0
    accept_new_host_keys: bool = False
    sudo: bool = False
    user_bus: bool = False
    #: Connections are kept, and made again when they are lost: a jump host that failed a while
    #: ago may be there by now. Otherwise one failure is enough for all hosts behind it.
    lasting: bool = False
    #: Read instead of the user's and the system's ssh configuration.
    ssh_config: str | None = None
    #: Told of each step on the way to a host when it is done: its name, and what was found.
    watch: "Watch | None" = None


#: Transport name -> module with `connect(host, options) -> Connection`, imported when used.
TRANSPORTS: dict[str, str] = {
    "ssh": "psops.transport.ssh",
    "openssh": "psops.transport.openssh",
    "local": "psops.transport.local",
    "container": "psops.transport.container",
    "demo": "psops.transport.demo",
}


def prepare(hosts: Sequence[Host], options: Options) -> None:
    """Import what reaching these hosts takes, before the threads of a fleet do it at once."""
    for name, host in {host.transport: host for host in hosts}.items():
        module: Any = import_module(TRANSPORTS[_way(name)])
        if hasattr(module, "prepare"):
            module.prepare(host, options)


def connect(host: Host, options: Options) -> Connection:
    """Return a connection to the host by its transport; raises `HostError`."""
    module: Any = import_module(TRANSPORTS[_way(host.transport)])
    try:
        connection: Connection = module.connect(host, options)
    except NameNotResolved as exc:
        if not host.near:
            raise
        raise NameNotResolved(f"{exc}{host.near}", remedy=exc.remedy) from exc
    return connection


@cache
def _way(transport: str) -> str:
    """Return the transport to use: the ssh program where psops cannot log in by itself, as in
    the build that is a single file."""
    return "openssh" if transport == "ssh" and find_spec("paramiko") is None else transport
