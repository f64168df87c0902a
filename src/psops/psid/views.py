"""What several nodes see of a cluster, joined by node ID; pure.

Every daemon has its own table of nodes and its own opinion of who is up, and they may differ
for a while (psmgmt 6.8.1, bin/daemon/psidstatus.c): after a node was lost for as long as the
time-outs of all take. So opinions are counted.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from psops.psid.answers import DOWN, UP, NodeList, Version


class Seen(StrEnum):
    """How the others see a node."""

    UP = "up"
    DOWN = "down"
    #: Their tables have no such node.
    UNLISTED = "unlisted"
    #: No other node could be asked, or nothing tells which node it is.
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What the daemon of one host sees: `states` by ID, `names` of those that are nodes."""

    host: str
    states: Mapping[int, str]
    names: Mapping[int, str]
    #: The ID that the daemon gives itself.
    own: int | None = None
    #: Nodes that it calls up, but which did not answer a question asked from here.
    silent: frozenset[int] = frozenset()

    @property
    def nodes(self) -> frozenset[int]:
        """The IDs that stand for a node; all of them where no names were told."""
        return frozenset(self.names) if self.names else frozenset(self.states)

    @property
    def up(self) -> frozenset[int]:
        """The nodes that it sees up and that have not been found silent."""
        return frozenset(
            key for key, word in self.states.items() if word == UP and key not in self.silent
        )

    @property
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
    #: Questions without a complete answer.
    unread: tuple[str, ...]


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
    _seen: "dict[int, tuple[int, int]]" = field(default_factory=dict)

    def votes(self, node: int) -> tuple[int, int]:
        """Return how many other nodes whose views count see a node up, and how many down."""
        if node not in self._seen:
            words = [
                view.sees(node)
                for host, view in self.views.items()
                if host in self.counted and self.ids[host] != node
            ]
            self._seen[node] = words.count(UP), words.count(DOWN)
        return self._seen[node]

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
        own = [self.views[host].sees(node) for host in self.counted if self.ids.get(host) == node]
        if up:
            return Seen.UP if UP in own else Seen.DOWN
        alone = len(self.names) == 1
        return Seen.UP if alone and UP in own else Seen.UNKNOWN

    def missed(self, host: str) -> frozenset[int]:
        """Return the nodes that most see up and this host sees down, itself left out."""
        view = self.views[host]
        found = self.names or view.states
        return frozenset(
            node
            for node in found
            if node not in (self.ids.get(host), view.own)
            and view.sees(node) == DOWN
            and self.seen(node) is Seen.UP
        )

    def renamed(self, host: str) -> tuple[str, int, int] | None:
        """Return a name that the host's table has under another ID than that of the others,
        with its ID there and its ID here; None if there is no such name."""
        view = self.views[host]
        common = {name: node for node, name in self.names.items()}
        for node, name in sorted(view.names.items()):
            if common.get(name, node) != node:
                return name, node, common[name]
        return None

    @property
    def master(self) -> int | None:
        """The node that most of the counted views must have for their master."""
        found = Counter(self.views[host].master for host in sorted(self.counted))
        return found.most_common(1)[0][0] if found else None


def join(views: Iterable[View], members: Iterable[Member]) -> Cluster:
    """Return the views joined, with the ID of each host.

    The ID is the one given for the host, else that of its name in the common table, else the
    one that its daemon gives itself.
    """
    by_host = {view.host: view for view in views}
    most = max((len(view.up) for view in by_host.values()), default=0)
    counted = frozenset(host for host, view in by_host.items() if 2 * len(view.up) > most)
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
    ids: dict[str, int | None] = {}
    for member in members:
        view = by_host.get(member.host)
        found = member.given
        for alias in member.aliases:
            if found is None:
                found = known.get(alias.lower(), known.get(short(alias)))
        if found is None and view is not None:
            found = view.own
        ids[member.host] = found
    for host, view in by_host.items():
        ids.setdefault(host, view.own)
    return Cluster(views=by_host, names=names, ids=ids, counted=counted)


def short(name: str) -> str:
    """Return a host name up to its first dot in lower case, and an address as it is.

    >>> short("Node01.cluster.org"), short("10.0.0.1")
    ('node01', '10.0.0.1')
    """
    if name.replace(".", "").isdigit() or ":" in name:
        return name
    return name.partition(".")[0].lower()
