"""What several nodes see of a cluster, joined by node ID; pure.

Every daemon has its own table of nodes and its own opinion of who is up, and they may differ
for a while (psmgmt 6.8.1, bin/daemon/psidstatus.c): after a node was lost for as long as the
time-outs of all take. So opinions are counted.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import NamedTuple

from psops.psid.answers import DOWN, UP, NodeList, Version

_NONE: frozenset[int] = frozenset()


class Seen(StrEnum):
    """How the others see a node."""

    UP = "up"
    DOWN = "down"
    #: Their tables have no such node.
    UNLISTED = "unlisted"
    #: It is in another cluster: its table has no name in common with theirs.
    ELSEWHERE = "elsewhere"
    #: No other node could be asked, or nothing tells which node it is.
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True)
class View:
    """What the daemon of one host sees: `states` by ID, `names` of those that are nodes."""

    host: str
    states: Mapping[int, str]
    names: Mapping[int, str]
    #: The ID that the daemon gives itself.
    own: int | None = None
    #: Nodes that it calls up, but which did not answer a question asked from here.
    silent: frozenset[int] = frozenset()

    @cached_property
    def nodes(self) -> frozenset[int]:
        """The IDs that stand for a node; all of them where no names were told."""
        return frozenset(self.names) if self.names else frozenset(self.states)

    @cached_property
    def up(self) -> frozenset[int]:
        """The nodes that it sees up and that have not been found silent."""
        return frozenset(key for key, word in self.states.items() if word == UP) - self.silent

    @cached_property
    def down(self) -> frozenset[int]:
        """The nodes that it sees down or that have been found silent."""
        return frozenset(key for key, word in self.states.items() if word == DOWN) | self.silent

    @cached_property
    def master(self) -> int | None:
        """The node that must be the master for it: the lowest one that it sees up."""
        return min(self.up, default=None)

    def sees(self, node: int) -> str:
        """Return "up", "down", or "" for a node that it does not know or has odd words for."""
        word = self.states.get(node, "")
        if node in self.silent:
            return DOWN
        return word if word in (UP, DOWN) else ""


def make_view(host: str, told: NodeList) -> View:
    """Return the view that a host's answer gives."""
    return View(host=host, states=told.states, names=told.names, own=told.own)


class Vantage(NamedTuple):
    """What all daemons told that one host could ask."""

    host: str
    protocol: str
    versions: Mapping[int, Version]
    #: Key of `show` -> ID -> value.
    values: Mapping[str, Mapping[int, str]]
    #: Nodes that are called up and did not answer.
    silent: frozenset[int]
    #: Question -> the nodes that were to answer it and of which there is no value.
    unread: Mapping[str, frozenset[int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """What of a host is known beforehand: the names it goes by, and the ID given for it."""

    host: str
    aliases: tuple[str, ...] = ()
    given: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """The views joined."""

    #: By host.
    views: Mapping[str, View]
    #: The table that most of the nodes that see most have: ID -> name.
    names: Mapping[int, str]
    #: Host -> ID; None for a host that nothing tells the ID of.
    ids: Mapping[str, int | None]
    #: Hosts whose views count: they see more than half as many nodes up as any does.
    counted: frozenset[str] = frozenset()
    #: Hosts of another cluster, whose IDs mean nothing here.
    strangers: frozenset[str] = frozenset()
    #: Nodes that take no part, whatever others still see: the host itself tells that its psid
    #: takes no clients, or a node that put questions got no answer.
    gone: frozenset[int] = frozenset()
    #: ID -> how many of the counted views have it up, and how many down.
    ups: "Counter[int]" = field(default_factory=Counter)
    downs: "Counter[int]" = field(default_factory=Counter)
    #: ID -> the hosts that have it, strangers left out; several by mistake.
    hosts: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    _missing: "dict[str, frozenset[int]]" = field(default_factory=dict)
    _at_odds: "dict[int, set[int | None]]" = field(default_factory=dict)

    def votes(self, node: int) -> tuple[int, int]:
        """Return how many other nodes whose views count see a node up, and how many down."""
        words = [self.views[host].sees(node) for host in self._own(node)]
        return self.ups[node] - words.count(UP), self.downs[node] - words.count(DOWN)

    def _own(self, node: int) -> list[str]:
        return [host for host in self.hosts.get(node, ()) if host in self.counted]

    def seen(self, node: int | None) -> Seen:
        """Return how the others see a node; the node itself decides if they are of two minds.

        A node cut off from most of the others does not decide.
        """
        if node is None or not self.counted:
            return Seen.UNKNOWN
        if self.names and node not in self.names:
            return Seen.UNLISTED
        up, down = self.votes(node)
        if up != down:
            return Seen.UP if up > down else Seen.DOWN
        own = [self.views[host].sees(node) for host in self._own(node)]
        if up:
            return Seen.UP if UP in own else Seen.DOWN
        alone = len(self.names) == 1
        return Seen.UP if alone and UP in own else Seen.UNKNOWN

    def missed(self, host: str) -> frozenset[int]:
        """Return the nodes that most see up and this host sees down, by its own fault.

        Of two nodes that do not see each other, the one that is at odds with more nodes is at
        fault: after a cut the others notice one by one. Nodes that are gone are rightly missed.
        """
        if not self._missing:
            most = {node for node in self.names or self.ups if self.seen(node) is Seen.UP}
            for one, view in self.views.items():
                itself = {self.ids.get(one), view.own}
                self._missing[one] = (view.down & most) - itself - self.gone
            for one in self._missing.keys() - self.strangers:
                for node in self._missing[one]:
                    self._at_odds.setdefault(node, set()).add(self.ids.get(one))
        mine = self._odds(self.ids.get(host)) | self._missing[host]
        return frozenset(node for node in self._missing[host] if len(self._odds(node)) <= len(mine))

    def _odds(self, node: int | None) -> set[int | None]:
        """Return the nodes that see a node down or that it sees down, where most see them up."""
        if node is None:
            return set()
        found = set(self._at_odds.get(node, ()))
        for host in self.hosts.get(node, ()):
            found |= self._missing.get(host, _NONE)
        return found

    def disputed(self) -> frozenset[int]:
        """Return the nodes that some of those who are up see up and others of them see down."""
        ups = [
            self.views[host].up
            for host in self.counted
            if self.seen(self.ids[host]) is not Seen.DOWN
        ]
        return frozenset().union(*ups) - frozenset.intersection(*ups) - self.gone if ups else _NONE

    def renamed(self, host: str) -> tuple[str, int, int] | None:
        """Return a name that the host's table has under another ID than that of the others,
        with its ID there and its ID here; None if there is no such name."""
        if host in self.strangers or self.views[host].names == self.names:
            return None
        common = _unique(self.names)
        for name, node in _unique(self.views[host].names).items():
            if common.get(name, node) != node:
                return name, node, common[name]
        return None

    def takes_itself_for(self, host: str) -> int | None:
        """Return the ID that a host's daemon gives itself, if it is not the host's own here."""
        view, number = self.views.get(host), self.ids.get(host)
        return None if view is None or number is None or view.own == number else view.own

    @property
    def master(self) -> int | None:
        """The node that most of the counted views must have for their master."""
        found = Counter(self.views[host].master for host in sorted(self.counted))
        return found.most_common(1)[0][0] if found else None


def join(views: Iterable[View], members: Iterable[Member], gone: Collection[str] = ()) -> Cluster:
    """Return the views joined, with the ID of each host.

    The ID is the one given for the host, else that of its name in the common table, else the
    one that its daemon gives itself. `gone` are hosts whose daemon takes no clients.
    """
    by_host = {view.host: view for view in views}
    most = max((len(view.up) for view in by_host.values()), default=0)
    counted = {host for host, view in by_host.items() if 2 * len(view.up) > most}
    tables = Counter(
        tuple(sorted(by_host[host].names.items()))
        for host in sorted(counted)
        if by_host[host].names
    )
    names = dict(tables.most_common(1)[0][0]) if tables else {}
    known: dict[str, int | None] = {}
    for node, name in names.items():
        for form in {name.lower(), short(name)}:
            known[form] = None if form in known else node  # a name of two nodes tells neither
    ids: dict[str, int | None] = {host: view.own for host, view in by_host.items()}
    strangers: set[str] = set()
    for member in members:
        forms = [form for alias in member.aliases for form in (alias.lower(), short(alias))]
        told = [known[form] for form in forms if form in known]
        view = by_host.get(member.host)
        if view is not None and not told and _apart(view.names, names):
            strangers.add(member.host)
        own = None if view is None else view.own
        by_name = next((node for node in told if node is not None), own)
        ids[member.host] = by_name if member.given is None else member.given
    hosts: dict[int, tuple[str, ...]] = {}
    for host, number in sorted(ids.items()):
        if number is not None and host not in strangers:
            hosts[number] = (*hosts.get(number, ()), host)
    counted -= strangers
    ups, downs = Counter[int](), Counter[int]()
    for host in counted:
        ups.update(by_host[host].up)
        downs.update(by_host[host].down)
    silent = frozenset[int]().union(*(view.silent for view in by_host.values()))
    away = {number for host in gone if (number := ids.get(host)) is not None}
    return Cluster(
        views=by_host, names=names, ids=ids, counted=frozenset(counted),
        strangers=frozenset(strangers), ups=ups, downs=downs, hosts=hosts,
        gone=silent | away,
    )  # fmt: skip


def short(name: str) -> str:
    """Return a host name up to its first dot in lower case, and an address as it is.

    >>> short("Node01.cluster.org"), short("10.0.0.1")
    ('node01', '10.0.0.1')
    """
    return name if _is_address(name) else name.partition(".")[0].lower()


def _is_address(name: str) -> bool:
    return name.replace(".", "").isdigit() or ":" in name


def _apart(some: Mapping[int, str], others: Mapping[int, str]) -> bool:
    """Return whether two tables have no node in common.

    An address stands where no name could be found, so that it tells nothing.
    """
    here, there = ({short(name) for name in one.values() if not _is_address(name)}
                   for one in (some, others))  # fmt: skip
    return bool(here) and bool(there) and not here & there


def _unique(names: Mapping[int, str]) -> dict[str, int]:
    """Return name -> ID for the names that one node alone has."""
    often = Counter(names.values())
    return {name: node for node, name in sorted(names.items()) if often[name] == 1}
