"""What must not be changed by accident: what the inventory protects, and one's own way in."""

import shlex
from collections.abc import Iterable, Sequence
from contextlib import suppress

from psops.errors import UsageError
from psops.inventory import Host, expand, fold
from psops.systemd.jobs import STOPPING, Verb
from psops.systemd.names import parse_unit_name

#: Units without which a remote host cannot be reached again.
LIFELINES = frozenset({
    "ssh.service", "sshd.service", "ssh.socket", "sshd.socket", "dbus.service", "dbus.socket",
    "dbus-broker.service", "systemd-networkd.service", "NetworkManager.service",
    "networking.service",
})  # fmt: skip
_REMOTE = ("ssh", "openssh")


def parse_force(texts: Iterable[str]) -> frozenset[str]:
    """Return the names that --force gives: hosts (also as ranges), groups and units.

    Raises `UsageError` for a range that is none.
    """
    names = {name for text in texts for name in (text, *expand(text.removeprefix("@")))}
    return frozenset(names) | _units(names)


def _units(names: Iterable[str]) -> frozenset[str]:
    """Return the units among names that may be those of hosts or groups instead."""
    units: set[str] = set()
    for name in names:
        with suppress(UsageError):
            units.add(parse_unit_name(name))
    return frozenset(units)


def normalize(names: Iterable[str]) -> frozenset[str]:
    """Return names of units as the manager has them."""
    return frozenset(parse_unit_name(name) for name in names)


def guarded(host: Host, verb: Verb) -> frozenset[str]:
    """Return the units of a host that are changed only by force."""
    own = normalize(host.protected) if isinstance(host.protected, tuple) else frozenset()
    cuts = verb.name in (*STOPPING, "kill") and host.transport in _REMOTE
    return own | (LIFELINES if cuts else frozenset())


def check(hosts: Sequence[Host], verb: Verb, names: Iterable[str], force: frozenset[str]) -> None:
    """Raise `UsageError` if a host or a named unit may be changed only by force."""
    closed = [host.name for host in hosts
              if host.protected is True and not force & {host.name, *host.groups}]  # fmt: skip
    if closed:
        word = "is" if len(closed) == 1 else "are"
        raise UsageError(f"{fold(closed)} {word} protected by the inventory",
                         remedy=_remedy(fold(closed)))  # fmt: skip
    wanted = normalize(names)
    for host in hosts:
        for unit in sorted(wanted & guarded(host, verb) - force):
            why = "is protected by the inventory"
            if not isinstance(host.protected, tuple) or unit not in normalize(host.protected):
                why = "is what you reach the host by"
            raise UsageError(f"{unit} on {host.name} {why}",
                             remedy=_remedy(unit))  # fmt: skip


def _remedy(name: str) -> str:
    return f"if you mean it: --force {shlex.quote(name)}"
