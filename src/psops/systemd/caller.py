"""Calls that tell who we are to a bus, what we may do there, and its host's time; pure.

Authority: the D-Bus specification ("Message Bus Messages"), polkit's
org.freedesktop.PolicyKit1.Authority and systemd's org.freedesktop.timedate1(5).
"""

from typing import Any, NamedTuple

from psops.errors import BusError
from psops.systemd import codec
from psops.systemd.bus import Call, Reply

_BUS = "org.freedesktop.DBus"
_TIMEDATE = "org.freedesktop.timedate1"
_POLKIT = "org.freedesktop.PolicyKit1"
_ASYNC_NONE = 0  # no flag: nobody is asked for a password
MANAGE_UNITS = "org.freedesktop.systemd1.manage-units"


class _Table(dict[str, Any]):
    """A dictionary in a call, which must have a hash; each is equal to itself alone."""

    __hash__ = object.__hash__  # type: ignore[assignment]


class Clock(NamedTuple):
    """The time of a host in microseconds since the epoch, and whether it is synchronized."""

    time_us: int
    synchronized: bool | None


def get_user(name: str) -> Call:
    """Return the call that gives the number of the user behind a connection."""
    return Call(_BUS, "/org/freedesktop/DBus", _BUS, "GetConnectionUnixUser", "s", (name,))


def get_clock() -> tuple[Call, Call]:
    """Return the calls that read the clock; the bus starts systemd-timedated for them."""
    path = "/org/freedesktop/timedate1"
    properties = f"{_BUS}.Properties"
    return (
        Call(_TIMEDATE, path, properties, "Get", "ss", (_TIMEDATE, "TimeUSec")),
        Call(_TIMEDATE, path, properties, "Get", "ss", (_TIMEDATE, "NTPSynchronized")),
    )


def may(name: str, action: str) -> Call:
    """Return the call that asks polkit whether a connection may do something, asking nobody."""
    subject = ("system-bus-name", _Table(name=codec.variant("s", name)))
    return Call(
        _POLKIT, f"/{_POLKIT.replace('.', '/')}/Authority", f"{_POLKIT}.Authority",
        "CheckAuthorization", "(sa{sv})sa{ss}us",
        (subject, action, _Table(), _ASYNC_NONE, ""),
    )  # fmt: skip


def parse_user(reply: Reply) -> int | None:
    """Return the number of a user, None if the bus does not tell."""
    return reply[0] if not isinstance(reply, BusError) and _is_int(reply) else None


def parse_clock(time: Reply, synchronized: Reply) -> Clock | str:
    """Return the clock, or why it cannot be read."""
    if isinstance(time, BusError):
        return str(time)
    if not _is_int(time):
        return "no time"
    told = synchronized[0] if not isinstance(synchronized, BusError) and synchronized else None
    return Clock(time[0], told if isinstance(told, bool) else None)


def parse_may(reply: Reply) -> bool | str:
    """Return whether it is allowed without a password, or why that cannot be told."""
    if isinstance(reply, BusError):
        return str(reply)
    answer = reply[0] if reply else None
    if not isinstance(answer, list | tuple) or not answer or not isinstance(answer[0], bool):
        return "an answer of an unknown form"
    return answer[0]


def _is_int(reply: tuple[Any, ...]) -> bool:
    return bool(reply) and isinstance(reply[0], int) and not isinstance(reply[0], bool)
