"""One D-Bus connection as a protocol: calls to bytes, bytes to replies, no I/O.

The handshake (SASL EXTERNAL), Hello and the first calls are one block of bytes. They carry
neither a uid nor a unique name, so the block is built once for a whole fleet: the bus takes
the uid from the peer credentials of its socket, as sd-bus clients rely on too.
Authority: the D-Bus specification, "Authentication Protocol" and "Message Protocol".
"""

from collections import deque
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from psops.errors import (
    BusError,
    DeadlineExceeded,
    NoBus,
    NotSystemd,
    ProtocolError,
    PsopsError,
)
from psops.systemd import codec
from psops.systemd.codec import Message


class Call(NamedTuple):
    """A method call; hashable, so that the bytes of equal calls are built once."""

    destination: str
    path: str
    interface: str
    member: str
    signature: str = ""
    body: tuple[Any, ...] = ()


#: What a call gave: the values of the reply, or the error the bus or the manager sent.
Reply = tuple[Any, ...] | BusError

_BUS = "org.freedesktop.DBus"
_HANDSHAKE = b"\0AUTH EXTERNAL\r\nDATA\r\nBEGIN\r\n"
_HELLO = Call(_BUS, "/org/freedesktop/DBus", _BUS, "Hello")
#: A dbus-daemon answers at most 128 calls of one connection at a time (its configuration's
#: max_replies_per_connection) and refuses all others, so no more than this are on their way.
_MAX_IN_FLIGHT = 120
#: Calls are sent in blocks of one size, whatever replies come when, so that the bytes of a
#: block are the same for every host.
_BLOCK = 60
_ANSWERS = (b"OK", b"DATA", b"REJECTED", b"ERROR")
#: The specification's limit for one line of the handshake.
_MAX_LINE = 16384
#: What signals may take while nobody asks for them, in bytes; 10,000 units that change at once
#: tell of it in less. A host that never stops must not take this machine's memory.
_MOST_SIGNALS = 64 << 20
#: What a signal takes here besides its bytes, at least.
_OVERHEAD = 1024

_DBUS_ERROR = f"{_BUS}.Error."
#: Error names that concern the host as a whole. A name that ends with a dot is a prefix.
HOST_ERRORS: dict[str, tuple[type[PsopsError], str]] = {
    _DBUS_ERROR + "ServiceUnknown": (NotSystemd, "no systemd on the bus"),
    _DBUS_ERROR + "NameHasNoOwner": (NotSystemd, "no systemd on the bus"),
    _DBUS_ERROR + "Spawn.": (NotSystemd, "no systemd on the bus"),
    _DBUS_ERROR + "NoReply": (DeadlineExceeded, "systemd did not answer the bus"),
    _DBUS_ERROR + "Timeout": (DeadlineExceeded, "systemd did not answer the bus"),
    _DBUS_ERROR + "TimedOut": (DeadlineExceeded, "systemd did not answer the bus"),
    _DBUS_ERROR + "Disconnected": (NoBus, "the bus closed the connection"),
    _DBUS_ERROR + "NoServer": (NoBus, "nothing listens on the bus socket"),
    _DBUS_ERROR + "FileNotFound": (NoBus, "the bus socket is not there"),
}


def as_host_error(error: BusError) -> PsopsError:
    """Return the host's error that this bus error stands for, or the error itself."""
    for name, (kind, sentence) in HOST_ERRORS.items():
        if error.name == name or (name.endswith(".") and error.name.startswith(name)):
            return kind(f"{sentence} ({error})")
    return error


@lru_cache(maxsize=256)
def _encode(calls: tuple[Call, ...], first_serial: int) -> bytes:
    return b"".join(
        codec.encode(Message(codec.METHOD_CALL, serial, call.path, call.interface, call.member,
                             call.destination, call.signature, call.body))
        for serial, call in enumerate(calls, first_serial)
    )  # fmt: skip


class Session:
    """The state of one connection: what was asked, what is answered, what is left over."""

    def __init__(self) -> None:
        self._next_serial = 1
        self._pending: dict[int, int] = {}  # serial -> place among the calls of its batch
        self._replies: list[Reply | None] = []
        self._unsent: deque[tuple[int, tuple[Call, ...]]] = deque()  # first serial, block
        self._in_flight = 0
        self._authenticated = False
        self._data = bytearray()
        self._calls: tuple[Call, ...] = ()
        self._signals: list[Message] = []
        self._held = 0  # bytes that the signals take
        #: Name that was called -> the connection that answers for it; None where there is no bus
        #: in between, and nobody else.
        self._owners: dict[str, str | None] = {}
        #: The name that the bus has given to this connection, "" before it has.
        self.name = ""

    @property
    def waiting(self) -> int:
        """How many calls are not answered yet."""
        return len(self._pending)

    def send(self, calls: Sequence[Call]) -> bytes:
        """Return the bytes that begin these calls; the first time with handshake and Hello.

        All of them, unless they are more than a bus takes at once: `more` has the others.
        """
        first = self._next_serial
        self._calls = batch = tuple(calls)
        places = range(len(batch))
        prefix = b""
        if first == 1:
            prefix, batch = _HANDSHAKE, (_HELLO, *batch)
            places = range(-1, len(calls))
        self._next_serial = first + len(batch)
        self._pending = dict(zip(range(first, self._next_serial), places, strict=True))
        self._replies = [None] * len(calls)
        blocks = range(0, len(batch), _BLOCK)
        self._unsent = deque((first + at, batch[at : at + _BLOCK]) for at in blocks)
        self._in_flight = 0
        return prefix + self.more()

    def more(self) -> bytes:
        """Return the bytes of further calls, as many as replies have made room for."""
        data = b""
        while self._unsent and self._in_flight + len(self._unsent[0][1]) <= _MAX_IN_FLIGHT:
            first, block = self._unsent.popleft()
            self._in_flight += len(block)
            data += _encode(block, first)
        return data

    def receive(self, data: bytes) -> None:
        """Take bytes from the bus; raises `ProtocolError` if they make no sense."""
        self._data += data
        while not self._authenticated:
            line, found, _ = self._data.partition(b"\r\n")
            if not found:
                if not _may_become_answer(self._data):
                    raise ProtocolError(f"not a D-Bus greeting: {_excerpt(self._data)}")
                return
            del self._data[: len(line) + 2]
            self._handshake_line(bytes(line))
        at = 0
        try:
            while (size := codec.length(self._data[at : at + codec.PREFIX])) is not None:
                if len(self._data) - at < size:
                    break
                self._take(codec.decode(bytes(self._data[at : at + size])), size)
                at += size
        except codec.Malformed as exc:
            raise ProtocolError(str(exc)) from exc
        del self._data[:at]

    def signals(self) -> list[Message]:
        """Return the signals that came since this was called last, in their order.

        Only those of the bus, and of who answers our calls to a name that the bus keeps: any
        user of a host can send signals to a connection, whatever it has asked for.
        """
        taken, self._signals, self._held = self._signals, [], 0
        return [message for message in taken if self._is_believed(message)]

    def replies(self) -> list[Reply]:
        """Return the replies to the last calls, in their order; all must be there."""
        return [reply for reply in self._replies if reply is not None]

    def _handshake_line(self, line: bytes) -> None:
        word = line.split(b" ", 1)[0]
        if word == b"OK":
            self._authenticated = True
        elif word == b"REJECTED":
            raise NoBus(f"the bus refuses this user ({_excerpt(line)})")
        elif word != b"DATA":
            raise ProtocolError(f"not a D-Bus greeting: {_excerpt(line)}")

    def _take(self, message: Message, size: int) -> None:
        if message.reply_serial is None or message.type not in (codec.METHOD_RETURN, codec.ERROR):
            if message.type == codec.SIGNAL and message.member != "NameAcquired":
                self._take_signal(message, size)
            return
        place = self._pending.pop(message.reply_serial, None)
        self._in_flight -= 1
        if place is None:
            raise ProtocolError(f"a reply to call {message.reply_serial}, which was never made")
        reply: Reply = message.body
        if message.type == codec.ERROR:
            text = message.body[0] if message.body and isinstance(message.body[0], str) else ""
            reply = BusError(message.error_name or "unknown", text)
        if place >= 0:
            self._replies[place] = reply
            if message.sender != _BUS:  # that one answers in place of who is not there
                self._owners[self._calls[place].destination] = message.sender
        elif isinstance(reply, BusError):
            raise as_host_error(reply)
        elif reply and isinstance(reply[0], str):
            self.name = reply[0]

    def _take_signal(self, message: Message, size: int) -> None:
        if (message.sender, message.member, message.signature) == (_BUS, "NameOwnerChanged", "sss"):
            name, _, owner = message.body
            if name in self._owners:
                self._owners[name] = owner
        # Before the first reply nobody knows whose it is.
        if self._owners and not self._is_believed(message):
            return
        self._held += size + _OVERHEAD
        if self._held > _MOST_SIGNALS:
            raise ProtocolError(
                f"more than {_MOST_SIGNALS >> 20} MiB of signals came that nobody waited for",
                remedy="look what changes there all the time, and why",
            )
        self._signals.append(message)

    def _is_believed(self, message: Message) -> bool:
        return message.sender == _BUS or message.sender in self._owners.values()


def _may_become_answer(line: bytearray) -> bool:
    """Tell whether bytes without a line end can still become an answer to the handshake."""
    word = bytes(line.split(b" ", 1)[0]).removesuffix(b"\r")
    begins = any(answer.startswith(word) or word == answer for answer in _ANSWERS)
    return begins and b"\n" not in line and len(line) <= _MAX_LINE


def _excerpt(data: bytes | bytearray) -> str:
    return repr(bytes(data[:60]))[1:]
