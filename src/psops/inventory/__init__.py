"""The hosts psops knows, their groups, and how a command line selects some of them.

What an inventory file looks like and how it is read is in `inventory.file`; sets of host
names are in `nodeset`.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from psops import paths
from psops.errors import NoSuchGroup, UsageError
from psops.nearest import did_you_mean
from psops.nodeset import NodesetError, evaluate, expand_element
from psops.nodeset import expand as _expand
from psops.nodeset import fold as fold

if TYPE_CHECKING:
    from datetime import date

#: How a host can be reached: the values of the key `transport`.
TRANSPORTS = ("ssh", "openssh", "local", "container", "demo")

_HOST = r"[A-Za-z0-9_.][A-Za-z0-9_.+-]*"  # no dash first: ssh takes it for an option
_USER = r"[A-Za-z0-9_.][A-Za-z0-9_.@\\$+-]*"
_BRACKETED = r"\[([^\]]*:[^\]]*)\](?::(.*))?"
_ADDRESS_6 = r"[0-9A-Fa-f]*:[0-9A-Fa-f]*:[0-9A-Fa-f:.]*(%[A-Za-z0-9_.-]+)?"


class Waiver(NamedTuple):
    """A daemon that need not run on a host, why, and until when."""

    daemon: str
    reason: str
    until: "date | None" = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """A machine with what the inventory says of it; `protected` is True for all its units."""

    name: str
    address: str | None = None
    user: str | None = None
    port: int | None = None
    #: None leaves it to the ssh configuration; an empty one means no jump host at all.
    jump: tuple[str, ...] | None = None
    transport: str = "ssh"
    sudo: bool = False
    compress: bool | None = None
    bundles: tuple[str, ...] = ()
    labels: tuple[tuple[str, str], ...] = ()
    protected: tuple[str, ...] | Literal[True] = ()
    waivers: tuple[Waiver, ...] = ()
    groups: tuple[str, ...] = ()
    #: Which of these the command line gave, so that the inventory's do not count.
    given: tuple[str, ...] = field(default=(), compare=False)
    #: What is said after a name that the inventory does not have: which of its hosts is like it.
    near: str = ""


class Destination(NamedTuple):
    """A host as ssh takes it: `user@host:port`."""

    user: str | None
    host: str
    port: int | None


#: More names than these that no inventory has are meant as they are.
_FEW = 10


class Inventory:
    """All hosts in the order of the file, and the members of each group.

    `inner` has the groups that a group names itself, for those that name any. `defaults` is
    what holds for a host that the file does not name; `path` is None where there is no file.
    """

    __slots__ = ("_known", "defaults", "groups", "hosts", "inner", "path", "ssh_config")

    def __init__(
        self,
        hosts: tuple[Host, ...] = (),
        groups: Mapping[str, tuple[str, ...]] | None = None,
        *,
        inner: Mapping[str, tuple[str, ...]] | None = None,
        defaults: Host | None = None,
        ssh_config: Path | None = None,
        path: Path | None = None,
    ) -> None:
        self.hosts = hosts
        self.groups = groups or {}
        self.inner = inner or {}
        self.defaults = defaults or Host(name="")
        self.ssh_config = ssh_config
        self.path = path
        self._known = {host.name: host for host in hosts}

    def groups_of(self, name: str) -> tuple[str, ...]:
        """Return the groups that the host is in, in the order of the file."""
        return self._known[name].groups if name in self._known else ()

    def members(self, group: str) -> tuple[str, ...]:
        """Return the names of the hosts in a group."""
        if group in self.groups:
            return self.groups[group]
        if self.path is None:
            raise NoSuchGroup(f"no group '{group}': {_no_inventory()}")
        near = did_you_mean(group, self.groups)
        raise NoSuchGroup(f"no group '{group}' in {self.path}{near}")

    def select(
        self,
        hosts: Sequence[str] = (),
        groups: Sequence[str] = (),
        *,
        all_hosts: bool = False,
        exclude: Sequence[str] = (),
    ) -> tuple[Host, ...]:
        """Return the hosts asked for: in the order of the inventory, then the others as given."""
        if not self.hosts and all_hosts:
            where = f"{self.path} names no host" if self.path else _no_inventory()
            raise UsageError(f"cannot select all hosts: {where}")
        known = self._known
        given = _Given(self, known)
        chosen: set[str] = set(known) if all_hosts else set()
        chosen.update(name for group in groups for name in self.members(group))
        named = dict.fromkeys(name for text in hosts for name in given.names(text))
        # What is excluded is read apart, so that its users and ports change no host.
        left_out = {text: tuple(_Given(self, known).names(text)) for text in exclude}
        without = {name for names in left_out.values() for name in names}
        order = [name for name in known if name in chosen or name in named]
        order += [name for name in named if name not in known]
        for text, names in left_out.items():
            if names and not any(name in known or name in named for name in names):
                hint = did_you_mean(names[0], order)
                raise UsageError(f"--exclude {text}: no such host is selected{hint}")
        others = [name for name in named if name not in known]
        near = {name: did_you_mean(name, known) for name in others} if len(others) < _FEW else {}
        selected = tuple(
            replace(given.host(name), near=near[name]) if near.get(name) else given.host(name)
            for name in order
            if name not in without
        )
        if not selected:
            raise UsageError("all selected hosts are excluded" if order else "no host is selected")
        return selected

    def named(self, hosts: Sequence[str]) -> tuple[Host, ...]:
        """Return the hosts asked for, all of which have to be known; raises `UsageError`."""
        chosen = self.select(hosts)
        for host in chosen:
            if host.name not in self._known:
                where = f" in {self.path}{host.near}" if self.path else f": {_no_inventory()}"
                raise UsageError(f"no host '{host.name}'{where}")
        return chosen


EMPTY = Inventory()


def load(path: Path) -> Inventory:
    """Return the inventory that a file describes; a mistake in it is an `InventoryError`."""
    from psops.inventory.file import read

    return read(path)


def expand(text: str) -> list[str]:
    """Return the names that a pattern such as `ps[01-20],gw` stands for."""
    try:
        return _expand(text)
    except NodesetError as exc:
        raise UsageError(str(exc)) from exc


def parse_destination(text: str) -> Destination:
    """Return the parts of `user@host`, `host:port`, `user@[v6]:port` or a bare IPv6 address."""
    before, at, rest = text.rpartition("@")
    if bracketed := re.fullmatch(_BRACKETED, rest):
        host, port = bracketed[1], bracketed[2]
    elif rest.count(":") > 1:
        host, port = rest, None
    else:
        host, colon, port = rest.partition(":")
        port = port if colon else None
    if at:
        check_user(before)
    check_name(host)
    if port is not None and not (port.isascii() and port.isdigit() and 0 < int(port[:6]) < 65536):
        raise NodesetError(f"'{text}': '{port}' is not a port from 1 to 65535")
    return Destination(before if at else None, host, int(port) if port else None)


def check_user(name: str) -> None:
    """Raise unless the text can be a user name."""
    if not re.fullmatch(_USER, name):
        raise NodesetError(f"'{name}' is not a user name")


def check_name(name: str) -> None:
    """Raise unless the text can be a host name, an IPv6 address or a name of ssh_config(5)."""
    if not (re.fullmatch(_HOST, name) or re.fullmatch(_ADDRESS_6, name)):
        raise NodesetError(f"'{name}' is not a host name")


class _Given:
    """The hosts that command-line patterns name, with users and ports given there."""

    def __init__(self, inventory: Inventory, known: Mapping[str, Host]) -> None:
        self.inventory = inventory
        self.known = known
        self.destinations: dict[str, Destination] = {}
        self.others: dict[str, Host] = {}  # hosts of the last run, which no host of a name is

    def names(self, text: str) -> list[str]:
        try:
            return evaluate(text, self._operand)
        except NodesetError as exc:
            raise UsageError(str(exc)) from exc

    def host(self, name: str) -> Host:
        destination = self.destinations.get(name)
        if name in self.others:
            host = self.others[name]
        elif name in self.known:
            host = self.known[name]
        elif destination is None or destination.host == name:
            host = replace(self.inventory.defaults, name=name)
        else:
            host = replace(self.inventory.defaults, name=name, address=destination.host)
        if destination is None or destination == (None, host.name, None):
            return host
        user, port = destination.user or host.user, destination.port or host.port
        given = tuple(key for key in ("user", "port") if getattr(destination, key))
        return replace(host, user=user, port=port, given=given)

    def _operand(self, text: str) -> Iterable[str]:
        if text.startswith("@"):
            yield from self._set(text[1:])
        elif "*" in text or "?" in text:
            for mask in expand_element(text):
                yield from (name for name in self.known if fnmatchcase(name, mask))
        else:
            for element in expand_element(text):
                yield self._remember(parse_destination(element))

    def _set(self, name: str) -> Iterable[str]:
        if name.startswith("bundle:"):
            from psops.inventory.sets import with_bundle

            yield from with_bundle(self.inventory, name.removeprefix("bundle:"))
        elif name == "failed" and name not in self.inventory.groups:
            from psops.inventory.sets import left_by_last_run

            for host in left_by_last_run(self.inventory):
                self.others[host.name] = host
                yield host.name
        else:
            for group in expand_element(name):
                yield from self.known if group == "*" else self.inventory.members(group)

    def _remember(self, destination: Destination) -> str:
        """Return the name of a destination: two ports of an unknown host are two hosts."""
        user, host, port = destination
        name = host
        if port and host not in self.known:
            name = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        before = self.destinations.get(name, Destination(None, host, None))
        for new, old in ((user, before.user), (port, before.port)):
            if new and old and new != old:
                raise NodesetError(f"host '{host}' is given as '{old}' and as '{new}'")
        self.destinations[name] = Destination(user or before.user, host, port or before.port)
        return name


def _no_inventory() -> str:
    """Return the clause that says where an inventory would have been found."""
    places = " or ".join(map(str, paths.config_files(paths.INVENTORY)))
    return f"there is no inventory (looked for {places}; or use --inventory or PSOPS_INVENTORY)"
