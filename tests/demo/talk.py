"""Messages to and from a demo host, each one seen, in the order in which they come."""

from typing import Any

from psops.deadline import Deadline
from psops.demo.schema import MANAGER
from psops.errors import BusError, DeadlineExceeded
from psops.inventory import Host
from psops.systemd import codec, manager
from psops.systemd.bus import Call
from psops.systemd.codec import Message
from psops.transport import Options, connect

NOON = 1_800_000_000.0
BUS = "org.freedesktop.DBus"
JOBS = f"type='signal',sender='org.freedesktop.systemd1',interface='{MANAGER}'"


def add_match(rule: str = JOBS) -> Call:
    """Give the call after which signals come."""
    return Call(BUS, "/org/freedesktop/DBus", BUS, "AddMatch", "s", (rule,))


def remove_match(rule: str = JOBS) -> Call:
    """Give the call after which they come no more."""
    return Call(BUS, "/org/freedesktop/DBus", BUS, "RemoveMatch", "s", (rule,))


def enqueue(unit: str, job: str, mode: str = "replace") -> Call:
    """Give the call that queues a job."""
    return manager.manager_call("EnqueueUnitJob", "sss", (unit, job, mode))


def files(verb: str, *names: str, runtime: bool = False, force: bool = False) -> Call:
    """Give the call that enables, disables, masks ... units."""
    takes_force = verb in ("Enable", "Reenable", "Mask")
    flags = (runtime, force) if takes_force else (runtime,)
    signature = "as" + "b" * len(flags)
    return manager.manager_call(f"{verb}UnitFiles", signature, (names, *flags))


class Talk:
    """A connection to a demo host."""

    def __init__(self, name: str, role: str = "testpoint") -> None:
        self._channel = connect(
            Host(name=name, transport="demo", groups=(role,)), Options()
        ).open_bus()
        self._serial = 0
        self._channel.send(b"\0AUTH EXTERNAL\r\nDATA\r\nBEGIN\r\n", Deadline(1))
        assert self._receive().startswith(b"DATA\r\nOK ")
        self.send(Call(BUS, "/org/freedesktop/DBus", BUS, "Hello"))

    def send(self, *calls: Call) -> list[Message]:
        """Give all messages that come after these calls, sent in one piece."""
        data = b""
        for call in calls:
            self._serial += 1
            data += codec.encode(
                Message(codec.METHOD_CALL, self._serial, call.path, call.interface, call.member,
                        call.destination, call.signature, call.body)
            )  # fmt: skip
        self._channel.send(data, Deadline(1))
        return _messages(self._receive())

    def call(self, call: Call) -> tuple[Any, ...]:
        """Give the values of the reply; raises the error that came instead."""
        (reply,) = (one for one in self.send(call) if one.reply_serial == self._serial)
        if reply.type == codec.ERROR:
            raise BusError(reply.error_name or "", str(reply.body[0]))
        return reply.body

    def do(self, unit: str, job: str) -> str:
        """Give the result of a job of the unit."""
        self.call(add_match())
        results = [one.body[3] for one in self.send(enqueue(unit, job))
                   if one.member == "JobRemoved" and one.body[2] == unit]  # fmt: skip
        self.call(remove_match())
        return str(results[0])

    def reload(self) -> None:
        """Let the manager read all unit files again."""
        self.call(manager.manager_call("Reload"))

    def get(self, unit: str, *names: str) -> list[Any]:
        """Give the values of some properties of a unit."""
        return [self.call(manager.get_unit_property(unit, name))[0] for name in names]

    def state(self, unit: str) -> str:
        """Give active and sub state of a unit."""
        return "/".join(self.get(unit, "ActiveState", "SubState"))

    def _receive(self) -> bytes:
        data = b""
        try:
            while True:
                data += self._channel.receive(Deadline(1))
        except DeadlineExceeded:
            return data


def _messages(data: bytes) -> list[Message]:
    found = []
    while data:
        size = codec.length(data)
        assert size is not None
        found.append(codec.decode(data[:size]))
        data = data[size:]
    return found
