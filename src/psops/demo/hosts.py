"""Which hosts the demo fleet has, and what each of them is.

Everything about a host follows from its name and its groups, so that a fleet of thousands
costs nothing until its hosts are asked, and any inventory may use `transport = "demo"`.
"""

import re
import threading
import time
from pathlib import Path
from typing import NamedTuple

from psops.demo import numbers
from psops.demo.bus import DemoBus
from psops.demo.machine import Machine
from psops.demo.profile import ONLY_EL, ROLES, Family, Profile, profile
from psops.errors import ConnectTimedOut, HostError, HostKeyChanged
from psops.inventory import Host, Inventory

#: Role -> name of its hosts, and how many of twelve hosts have it.
_SHARES: dict[str, tuple[str, int]] = {
    "testpoint": ("ps", 4),
    "toolkit": ("toolkit", 2),
    "archive": ("archive", 1),
    "panda": ("panda", 1),
    "rucio": ("rucio", 2),
    "parastation": ("node", 2),
}
_DOZEN = 12

#: Role -> which of twelve hosts has which trouble; odd ones of perfSONAR roles are Debian.
_TROUBLES: dict[str, dict[int, str]] = {
    "testpoint": {1: "database-down", 6: "agent-loop"},
    "toolkit": {1: "nic-settings", 4: "store-down", 9: "config-daemon-died"},
    "archive": {2: "logstash-killed", 7: "exporter-disabled"},
    "panda": {3: "daemon-masked", 8: "web-down"},
    "rucio": {1: "hermes-loop", 6: "finisher-killed"},
    "parastation": {5: "psid-down", 10: "psid-disabled"},
}

#: Hosts that cannot be reached: role, place, and after how many hosts there is one more.
_TIMES_OUT = ("parastation", 1, 60)
_OTHER_KEY = ("testpoint", 4, 400)


class Station(NamedTuple):
    """What a demo host is: its role, its place among the hosts of the role, its profile."""

    role: str
    place: int
    profile: Profile


def fleet(count: int = _DOZEN) -> Inventory:
    """Return an inventory of that many demo hosts, the roles in proportion."""
    hosts: list[Host] = []
    groups: dict[str, tuple[str, ...]] = {}
    for role, members in _share_out(count).items():
        prefix = _SHARES[role][0]
        width = max(2, len(str(members)))
        names = tuple(f"{prefix}{number:0{width}}.demo" for number in range(1, members + 1))
        groups[role] = names
        hosts += [
            Host(name=name, transport="demo", groups=(role,), bundles=(role,),
                 labels=(("os", _family(role, place)),))
            for place, name in enumerate(names)
        ]  # fmt: skip
    # The path stands in messages where that of an inventory file would.
    return Inventory(hosts=tuple(hosts), groups=groups, path=Path("demo"))


def station(host: Host) -> Station:
    """Return what the host is; one that no fleet has is a testpoint unless its group tells."""
    role = next((group for group in (*host.groups, *host.bundles) if group in ROLES), "")
    if not role:
        prefixes = ((prefix, role) for role, (prefix, _) in _SHARES.items())
        role = next((role for prefix, role in prefixes if host.name.startswith(prefix)), "")
    role = role or "testpoint"
    number = re.search(r"\d+", host.name)
    place = int(number[0]) - 1 if number else 0
    trouble = _TROUBLES[role].get(place % _DOZEN, "")
    return Station(role, place, profile(role, _family(role, place), trouble))


def fault(host: Host, connect_timeout: float) -> HostError | None:
    """Return why the host cannot be reached, None if it can."""
    role, place, _ = station(host)
    if _is_one_of(_TIMES_OUT, role, place):
        return ConnectTimedOut(f"no answer from {host.name} port 22 within {connect_timeout:g} s")
    if _is_one_of(_OTHER_KEY, role, place):
        return HostKeyChanged(f"{host.name} showed another host key than the known one")
    return None


def open_bus(host: Host) -> DemoBus:
    """Return a new connection to the host's bus."""
    return DemoBus(machine(host), numbers.digest(host.name).hex())


def machine(host: Host) -> Machine:
    """Return the host itself, the same one for all connections to it."""
    unchanged = station(host).profile
    with _booting:
        found = _machines.get((host.name, unchanged))
        if found is None:
            found = Machine(unchanged, numbers_of(host), clock.now)
            _machines[host.name, unchanged] = found
        return found


def current(host: Host) -> Profile:
    """Return the profile of the host with all that was changed."""
    return machine(host).profile


def forget() -> None:
    """Put all hosts back into the state in which they began."""
    with _booting:
        _machines.clear()


_booting = threading.Lock()
#: A host of the same name in another inventory may have another role.
_machines: dict[tuple[str, Profile], Machine] = {}


def numbers_of(host: Host) -> tuple[int, ...]:
    """Return the host's own numbers; its times stay the same as long as the process lives."""
    return numbers.of_host(host.name, clock.microseconds())


class Clock:
    """The moment at which the fleet is: that of its first use, unless it is set."""

    def __init__(self) -> None:
        self._seconds: float | None = None
        self._begin: float | None = None

    def set(self, seconds: float | None) -> None:
        """Put the fleet to this moment, or with None to that of its next use.

        What was changed until then is forgotten: it was changed at another time.
        """
        self._seconds = seconds
        self._begin = None
        forget()

    def microseconds(self) -> int:
        """Return the moment, in microseconds since 1970."""
        if self._seconds is None:
            self._seconds = time.time()
            self._begin = time.monotonic()
        return int(self._seconds * numbers.SECOND)

    def now(self) -> int:
        """Return the present moment; where one was set, that one."""
        moment = self.microseconds()
        since = 0.0 if self._begin is None else time.monotonic() - self._begin
        return moment + int(since * numbers.SECOND)


clock = Clock()


def _is_one_of(rule: tuple[str, int, int], role: str, place: int) -> bool:
    wanted, first, period = rule
    return role == wanted and place % period == first


def _family(role: str, place: int) -> Family:
    return "debian12" if place % 2 and role not in ONLY_EL else "el9"


def _share_out(count: int) -> dict[str, int]:
    """Return how many hosts each role gets: the whole shares, the rest one by one."""
    shares = {role: count * share // _DOZEN for role, (_, share) in _SHARES.items()}
    rest = count - sum(shares.values())
    for role in list(shares)[:rest]:
        shares[role] += 1
    return shares
