"""What the methods of the demo bus have in common: on what, by whom, in which form."""

import re
from collections.abc import Callable
from typing import Any, NamedTuple

from psops.demo.machine import Machine
from psops.demo.matches import Match
from psops.demo.profile import Profile, Unit
from psops.errors import BusError
from psops.systemd.codec import SIGNAL, Message
from psops.systemd.names import unit_type

BUS = "org.freedesktop.DBus"
SYSTEMD = "org.freedesktop.systemd1"
SYSTEMD_NAME, CLIENT_NAME = ":1.0", ":1.42"
ERROR = BUS + ".Error."

#: What can be the name of a unit, whether systemd would load one of that name or not.
VALID_NAME = re.compile(r"[A-Za-z0-9:_.\\-]+(@[A-Za-z0-9:_.\\@-]*)?\.[a-z]+")


class Object(NamedTuple):
    """What a call is made on: an object path of a host with its interfaces."""

    profile: Profile
    interfaces: tuple[str, ...]
    unit: Unit | None = None


class Caller:
    """One connection to a host, as far as methods that change something need it."""

    __slots__ = ("_after", "_before", "machine", "matches", "subscribed")

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.matches: tuple[Match, ...] = ()
        self.subscribed = False
        #: Signals to be sent before the reply, and after it.
        self._before: tuple[Message, ...] = ()
        self._after: tuple[Message, ...] = ()

    def signal(self, message: Message, *, before: bool = False) -> None:
        """Send a signal of the manager if the connection has asked for it."""
        message = message._replace(type=SIGNAL, sender=SYSTEMD_NAME)
        if not self.wants(message):
            return
        if before:
            self._before += (message,)
        else:
            self._after += (message,)

    def wants(self, message: Message) -> bool:
        """Tell whether the connection has asked for a signal of the manager."""
        return any(match.fits(message, SYSTEMD) for match in self.matches)

    def take_signals(self) -> tuple[tuple[Message, ...], tuple[Message, ...]]:
        """Return the signals for before and after the reply, once."""
        taken = self._before, self._after
        self._before = self._after = ()
        return taken


class Method(NamedTuple):
    """A method: the signatures of its arguments and of its result, and what gives the result.

    One that `changes` something is given the `Caller`, all others are given the `Object`.
    """

    takes: str
    gives: str
    answer: Callable[..., tuple[Any, ...]]
    changes: bool = False


def is_valid(name: str) -> bool:
    """Tell whether systemd would load a unit of this name (templates it does not)."""
    return (
        VALID_NAME.fullmatch(name) is not None
        and bool(unit_type(name))
        and "@." not in name
        and len(name) < 256
    )


def load(profile: Profile, name: str) -> Unit:
    """Return the unit as systemd would load it; raises the error for what can be none."""
    if not is_valid(name):
        text = "is missing the instance name" if "@." in name else "is not valid"
        raise BusError(ERROR + "InvalidArgs", f"Unit name {name} {text}.")
    return profile.find(name)


def loaded(profile: Profile, name: str) -> Unit:
    """Return the unit that systemd has in memory; raises the error for one it has not."""
    if name not in profile.names:
        raise BusError(SYSTEMD + ".NoSuchUnit", f"Unit {name} not loaded.")
    return profile.find(name)
