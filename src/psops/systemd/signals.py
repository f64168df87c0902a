"""Signals of the manager and its units: what to ask for, and what each of them says; pure.

Authority: org.freedesktop.systemd1(5) for the signals, the D-Bus specification for match rules.
systemd tells of a unit in two signals, first of what its type has, then of what all units have,
so that with the second one all that belongs together is there (dbus-unit.c says so).
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from psops.systemd.bus import Call
from psops.systemd.codec import SIGNAL, Message
from psops.systemd.manager import manager_call
from psops.systemd.names import unit_path

_BUS = "org.freedesktop.DBus"
_BUS_PATH = "/org/freedesktop/DBus"
_SYSTEMD = "org.freedesktop.systemd1"
_MANAGER = "org.freedesktop.systemd1.Manager"
_MANAGER_PATH = "/org/freedesktop/systemd1"
_UNIT = "org.freedesktop.systemd1.Unit"
_PROPERTIES = "org.freedesktop.DBus.Properties"
_UNIT_PATHS = "/org/freedesktop/systemd1/unit"

#: A dbus-daemon takes 512 rules of one connection; beyond this many units one rule is for all.
_MOST_RULES = 200
_MANAGER_SIGNALS = ("UnitRemoved", "Reloading")
#: Whose name systemd's is on the bus: another one's once it has begun anew.
OWNER_RULE = (
    f"type='signal',sender='{_BUS}',interface='{_BUS}',member='NameOwnerChanged',arg0='{_SYSTEMD}'"
)


class Changed(NamedTuple):
    """Properties of a unit: those of its type if `of_type`, else those that all units have."""

    unit: str
    properties: Mapping[str, Any]
    of_type: bool


class Removed(NamedTuple):
    """A unit that systemd has put out of memory."""

    unit: str


class Reloading(NamedTuple):
    """systemd begins to read all unit files again, or has done so."""

    active: bool


class Restarted(NamedTuple):
    """systemd itself has begun anew under another name on the bus, "" while it is away."""

    owner: str


News = Changed | Removed | Reloading | Restarted


def follow(units: Iterable[str], *, every: bool = False) -> tuple[Call, ...]:
    """Return the calls after which changes of these units are told, or of every unit."""
    names = tuple(units)
    rules = [OWNER_RULE]
    rules += [_rule(_MANAGER, member, f"path='{_MANAGER_PATH}'") for member in _MANAGER_SIGNALS]
    return (*map(_add_match, [*rules, *_unit_rules(names, every=every)]), *subscribe())


def follow_more(units: Iterable[str]) -> tuple[Call, ...]:
    """Return the calls after which changes of these units are told as well."""
    return tuple(map(_add_match, _unit_rules(tuple(units), every=False)))


def _unit_rules(names: tuple[str, ...], *, every: bool) -> list[str]:
    if every or len(names) > _MOST_RULES:
        return [_rule(_PROPERTIES, "PropertiesChanged", f"path_namespace='{_UNIT_PATHS}'")]
    return [_rule(_PROPERTIES, "PropertiesChanged", f"path='{unit_path(name)}'") for name in names]


def _rule(interface: str, member: str, place: str) -> str:
    return f"type='signal',sender='{_SYSTEMD}',interface='{interface}',member='{member}',{place}"


def _add_match(rule: str) -> Call:
    return Call(_BUS, _BUS_PATH, _BUS, "AddMatch", "s", (rule,))


def subscribe() -> tuple[Call, ...]:
    """Return the call that makes systemd send signals at all."""
    return (manager_call("Subscribe"),)


def ping() -> Call:
    """Return a call that systemd answers as long as it is well."""
    return Call(_SYSTEMD, _MANAGER_PATH, "org.freedesktop.DBus.Peer", "Ping")


def find_owner() -> Call:
    """Return the call that tells which connection is systemd's; signals of others are not its."""
    return Call(_BUS, _BUS_PATH, _BUS, "GetNameOwner", "s", (_SYSTEMD,))


def parse(message: Message, owner: str) -> News | None:
    """Return what a signal says, None for what is of no interest.

    `owner` is the connection that systemd has: any user of a host can send signals to us.
    """
    if message.type != SIGNAL:
        return None
    if message.sender == _BUS:
        return _parse_owner(message)
    if message.sender != owner:
        return None
    if message.member == "PropertiesChanged" and message.signature == "sa{sv}as":
        interface, properties, _ = message.body
        unit = unit_name(message.path or "")
        return Changed(unit, properties, interface != _UNIT) if unit else None
    if message.interface != _MANAGER:
        return None
    if message.member == "UnitRemoved" and message.signature == "so":
        return Removed(str(message.body[0]))
    if message.member == "Reloading" and message.signature == "b":
        return Reloading(bool(message.body[0]))
    return None


def _parse_owner(message: Message) -> Restarted | None:
    if message.member != "NameOwnerChanged" or message.signature != "sss":
        return None
    name, _, owner = message.body
    return Restarted(str(owner)) if name == _SYSTEMD else None


def unit_name(path: str) -> str:
    """Return the unit that an object path stands for, the opposite of `unit_path`; "" for none.

    >>> unit_name("/org/freedesktop/systemd1/unit/dbus_2eservice")
    'dbus.service'
    """
    if not path.startswith(f"{_UNIT_PATHS}/"):
        return ""
    escaped = path.removeprefix(f"{_UNIT_PATHS}/").encode()
    name = re.sub(rb"_([0-9a-f]{2})", lambda found: bytes([int(found[1], 16)]), escaped)
    return name.decode(errors="replace")
