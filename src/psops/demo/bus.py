"""A connection to a demo host's bus: bytes in, bytes out, no waiting and no clock.

All hosts of a fleet are sent the same bytes, so a block of calls is taken apart once per
process, and the answers of one profile to it are built once. What is left for each host is
to fill in its own numbers. Only calls that change something, and what is read from a host
that was changed, are answered host by host.
"""

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from typing import NamedTuple

from psops.demo import manager
from psops.demo.machine import Machine
from psops.demo.method import BUS, CLIENT_NAME, SYSTEMD, SYSTEMD_NAME, Caller
from psops.demo.news import changed
from psops.demo.profile import Profile, Unit
from psops.demo.template import Template, render
from psops.errors import BusError
from psops.systemd import codec
from psops.systemd.codec import Message

_NO_REPLY_EXPECTED = 1

#: Answers to the lines of the handshake, by their first words. The specification allows
#: DATA without a value: the user is then told by the credentials of the socket.
_HANDSHAKE: Mapping[bytes, bytes] = {
    b"AUTH EXTERNAL": b"DATA\r\n",
    b"AUTH": b"REJECTED EXTERNAL\r\n",
    b"DATA": b"OK {guid}\r\n",
    b"CANCEL": b"REJECTED EXTERNAL\r\n",
    b"ERROR": b"REJECTED EXTERNAL\r\n",
    b"NEGOTIATE_UNIX_FD": b"AGREE_UNIX_FD\r\n",
    b"BEGIN": b"",
}


class _Call(NamedTuple):
    message: Message
    wants_reply: bool


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """Calls that are answered together; compared by identity, so a cheap key."""

    calls: tuple[_Call, ...]
    #: Whether it is a single call that may change something.
    changes: bool


class _Block(NamedTuple):
    """The whole messages that some bytes begin with."""

    parts: tuple[_Part, ...]
    size: int


class _Answers(NamedTuple):
    template: Template
    serials: int
    registered: bool


class DemoBus:
    """One connection to the bus of a host."""

    __slots__ = ("_begun", "_caller", "_changed", "_data", "_guid", "_registered", "_serial")

    def __init__(self, machine: Machine, guid: str) -> None:
        self._caller = Caller(machine)
        self._guid = guid.encode()
        self._data = b""
        self._begun = False
        self._registered = False
        self._serial = 1
        self._changed: dict[str, None] = {}

    @property
    def machine(self) -> Machine:
        """The host that the connection is to."""
        return self._caller.machine

    def listen(self, wake: Callable[[], None]) -> None:
        """Call `wake` whenever there is `news`, by whichever thread brings it about."""

        def listener(unit: str) -> None:
            self._changed[unit] = None
            wake()

        with self.machine.lock:
            self.machine.listeners += (listener,)

    def news(self) -> bytes:
        """Return the signals about units that have changed, each as it is now."""
        with self.machine.lock:
            names, self._changed = tuple(self._changed), {}
            told = [message for name in names for message in changed(self.machine.profile, name)
                    if self._caller.wants(message)]  # fmt: skip
            numbered = [one._replace(serial=self._serial + at) for at, one in enumerate(told)]
            self._serial += len(numbered)
        return render(numbered).fill(self.machine.numbers)

    def watched(self) -> list[Unit]:
        """Return the units whose changes this connection has asked for."""
        profile = self.machine.profile
        return [unit for unit in profile.units.values()
                if any(map(self._caller.wants, changed(profile, unit.name)))]  # fmt: skip

    def feed(self, data: bytes) -> bytes:
        """Return what the bus answers to the next bytes; incomplete ones are kept."""
        self._data += data
        answer = b""
        while not self._begun:
            line, found, rest = self._data.partition(b"\r\n")
            if not found:
                return answer
            self._data = rest
            answer += self._handshake_line(line.removeprefix(b"\0"))
        return answer + self._messages()

    def _handshake_line(self, line: bytes) -> bytes:
        known = (words for words in _HANDSHAKE if line == words or line.startswith(words + b" "))
        words = next(known, None)
        if words is None:
            return b'ERROR "Unknown command"\r\n'
        if words == b"AUTH EXTERNAL" and line != words:
            words = b"DATA"  # the user id came along
        self._begun = words == b"BEGIN"
        return _HANDSHAKE[words].replace(b"{guid}", self._guid)

    def _messages(self) -> bytes:
        with _BUILDING:
            block = _parse(self._data)
        self._data = self._data[block.size :]
        return b"".join(self._part(part) for part in block.parts)

    def _part(self, part: _Part) -> bytes:
        machine = self._caller.machine
        state = (self._serial, self._registered)
        if part.changes:
            with machine.lock:
                answers = _build(machine.profile, self._caller, part, *state)
        elif machine.is_changed:  # no other host will ask for these answers
            answers = _build(machine.profile, None, part, *state)
        else:
            with _BUILDING:
                answers = _answers(machine.profile, part, *state)
        self._serial += answers.serials
        self._registered = answers.registered
        return answers.template.fill(machine.numbers)


#: Dozens of threads need the same answers at once: one builds them, the others wait.
_BUILDING = threading.Lock()


@lru_cache(maxsize=32)
def _parse(data: bytes) -> _Block:
    calls = []
    at = 0
    while (size := codec.length(data[at : at + codec.PREFIX])) and at + size <= len(data):
        message = codec.decode(data[at : at + size])
        if message.type == codec.METHOD_CALL:
            calls.append(_Call(message, not data[at + 2] & _NO_REPLY_EXPECTED))
        at += size
    return _Block(tuple(_parts(calls)), at)


def _parts(calls: list[_Call]) -> Iterator[_Part]:
    for changes, group in groupby(calls, lambda call: manager.changes(call.message)):
        together = tuple(group)
        if changes:
            yield from (_Part((call,), True) for call in together)
        else:
            yield _Part(together, False)


@lru_cache(maxsize=128)
def _answers(profile: Profile, part: _Part, serial: int, registered: bool) -> _Answers:
    return _build(profile, None, part, serial, registered)


def _build(
    profile: Profile, caller: Caller | None, part: _Part, serial: int, registered: bool
) -> _Answers:
    messages: list[Message] = []
    for call, wants_reply in part.calls:
        reply = _reply(profile, caller, call, registered)
        before, after = caller.take_signals() if caller is not None else ((), ())
        messages += before
        if wants_reply:
            messages.append(reply)
        messages += after
        if _is_hello(call) and not registered:
            registered = True
            messages.append(_NAME_ACQUIRED)
    numbered = [one._replace(serial=serial + place) for place, one in enumerate(messages)]
    return _Answers(render(numbered), len(numbered), registered)


_NAME_ACQUIRED = Message(
    codec.SIGNAL, path="/org/freedesktop/DBus", interface=BUS, member="NameAcquired",
    destination=CLIENT_NAME, signature="s", body=(CLIENT_NAME,), sender=BUS,
)  # fmt: skip


def _is_hello(call: Message) -> bool:
    return call.member == "Hello" and call.destination in (None, BUS)


def _reply(profile: Profile, caller: Caller | None, call: Message, registered: bool) -> Message:
    sender = SYSTEMD_NAME if call.destination in (SYSTEMD, SYSTEMD_NAME) else BUS
    try:
        if _is_hello(call) and registered:
            raise BusError(BUS + ".Error.Failed", "Already handled an Hello message")
        if not _is_hello(call) and not registered:
            text = "Client tried to send a message other than Hello without being registered"
            raise BusError(BUS + ".Error.AccessDenied", text)
        signature, body = manager.answer(profile, caller, call)
    except BusError as exc:
        return Message(codec.ERROR, destination=CLIENT_NAME, signature="s", body=(str(exc),),
                       reply_serial=call.serial, error_name=exc.name, sender=sender)  # fmt: skip
    return Message(codec.METHOD_RETURN, destination=CLIENT_NAME, signature=signature, body=body,
                   reply_serial=call.serial, sender=sender)  # fmt: skip
