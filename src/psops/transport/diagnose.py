"""Why a host that can be logged in to gives no bus, and where a user's own bus is."""

from collections.abc import Callable

from psops.errors import ChannelRefused, HostError, NoBus, NotSystemd
from psops.transport import Finished

BUS_SOCKET = "/run/dbus/system_bus_socket"
_BOOTED = "/run/systemd/system"


def user_bus_socket(answer: Finished) -> str:
    """Return the path of a user's own bus from what `id -u` said on the host."""
    uid = answer.stdout.strip()
    if not uid.isdigit():
        raise ChannelRefused("the host does not tell the user's number (id -u)")
    return f"/run/user/{int(uid)}/bus"


def diagnose(
    error: HostError, run: Callable[[tuple[str, ...]], Finished], *, user: bool
) -> HostError:
    """Return the error with its cause, after one look at the host that gave no bus."""
    if isinstance(error, ChannelRefused) and "sudo" in str(error):
        return error
    try:
        seen = run(("ls", "-d", _BOOTED, BUS_SOCKET)).stdout.decode(errors="replace").split()
    except HostError:
        return error  # not even a program can be run; the first error stands
    if _BOOTED not in seen:
        return NotSystemd("systemd does not run there, and there is no bus")
    if user:
        return NoBus(
            f"the user has no bus there ({error})",
            remedy="it needs dbus-user-session, and a login or loginctl enable-linger",
        )
    if BUS_SOCKET not in seen:
        return NoBus(f"there is no bus socket {BUS_SOCKET}")
    return error
