"""What must be the same on all nodes of a cluster, as findings; pure.

The rules on releases are those of psmgmt's NEWS and of include/psprotocol.h,
include/psdaemonprotocol.h and bin/daemon/psidclient.c at the tags 5.1.63, 6.0.x and 6.8.1.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from psops.psid.answers import HETEROGENEOUS, HOMOGENEOUS, Version
from psops.psid.judge import BUNDLE, CONF, named
from psops.psid.nodes import ID_LABEL
from psops.psid.views import Cluster, Seen, Vantage
from psops.report.text import clean, count
from psops.verdict import Advice, Finding, Verdict


class Release(NamedTuple):
    """Releases that speak the same protocols."""

    name: str
    client: int
    daemon: int


RELEASES: tuple[Release, ...] = (
    Release("5.1", 345, 417),
    Release("6.0", 346, 418),
    Release("6.1 to 6.8", 347, 418),
)
#: Keys of `show` that must agree on all compute nodes.
RESTRICTIONS = ("user", "group", "maxproc", "runjobs", "starter")
#: So many different values are told in one sentence.
_MOST_VALUES = 4
_MOST_HOSTS = 3

_OK, _WARNING, _CRITICAL, _UNKNOWN = (
    Verdict.OK, Verdict.WARNING, Verdict.CRITICAL, Verdict.UNKNOWN,
)  # fmt: skip


class Fleet(NamedTuple):
    """What is known of a whole cluster."""

    cluster: Cluster
    vantages: Sequence[Vantage]
    #: IDs of the hosts that were read.
    read: frozenset[int]
    #: Whether the psid of one of them was started just now.
    joining: bool = False
    #: ID -> whether it is a compute node, for those of which the inventory tells it.
    compute: Mapping[int, bool] = MappingProxyType({})

    #: How many hosts were read whose ID is not known.
    unjoined: int = 0
    #: Host -> checksum of its /etc/parastation.conf, "" where there is none; those that were read.
    confs: Mapping[str, str] = MappingProxyType({})

    @property
    def names(self) -> Mapping[int, str]:
        """ID -> name."""
        return self.cluster.names

    def versions(self) -> dict[int, Version]:
        """Return the version of each node, by the first that could ask it."""
        return {
            node: one for each in reversed(self.vantages) for node, one in each.versions.items()
        }

    def unread(self) -> dict[str, frozenset[int]]:
        """Return the nodes of which nobody was told a value, by question."""
        found: dict[str, frozenset[int]] = {}
        for each in self.vantages:
            for question, nodes in each.unread.items():
                key = question.removeprefix("show ")
                told = self.versions() if key == question else self.values(key)
                if left := nodes - told.keys():
                    found[question] = found.get(question, frozenset()) | left
        return found

    def values(self, key: str) -> dict[int, str]:
        """Return what `show KEY` tells of each node."""
        return {
            node: one for each in reversed(self.vantages) for node, one in each.values[key].items()
        }


def judge_cluster(fleet: Fleet) -> tuple[Finding, ...]:
    """Return what is to be said of the cluster as a whole."""
    if not fleet.cluster.views:
        text = "no psid could be asked, so that nothing is known of the cluster"
        return (_finding("views", _UNKNOWN, "no-view", text),)
    return (
        _views(fleet),
        *_strangers(fleet),
        *_twins(fleet),
        *_not_read(fleet),
        *_silent(fleet),
        *_incomplete(fleet),
        _master(fleet),
        _node_list(fleet),
        *_files(fleet),
        *_versions(fleet),
        *(_restriction(key, fleet) for key in RESTRICTIONS),
        _tasks(fleet),
    )


def _views(fleet: Fleet) -> Finding:
    cluster = fleet.cluster
    views, counted = len(cluster.views) - len(cluster.strangers), len(cluster.counted)
    up = sum(cluster.seen(node) is Seen.UP for node in cluster.names.keys() - cluster.gone)
    asked = f"{count(len(fleet.vantages), 'vantage node')} asked all others"
    if len(cluster.names) == 1:
        return _finding("views", _OK, "one-node", "a cluster of one node")
    if views < 2:
        text = "a single node could be asked, so that nothing proves that others see the same"
        return _finding("views", _WARNING, "one-view", text,
                        "let psops read another node of the cluster, too")  # fmt: skip
    text = f"{up} of {count(len(cluster.names), 'node')} up by what {counted} of {views} see"
    # Two halves: to each node most others are down, though the nodes of its half see it.
    claimed = sum(cluster.ups[node] > 0 for node in cluster.names.keys() - cluster.gone)
    if 2 * counted <= views or 2 * up <= claimed:
        return _finding("views", _CRITICAL, "no-majority", f"no majority: {text}; {asked}",
                        "look at the network between the nodes")  # fmt: skip
    if disputed := cluster.disputed():
        text += f", which differ over {named(disputed, fleet.names)}"
        return _finding("views", _WARNING, "differ", f"{text}; {asked}",
                        "look again in a minute, or with --wait; views lag up to 40 s")  # fmt: skip
    return _finding("views", _OK, "agreed", f"{text}; {asked}")


def _strangers(fleet: Fleet) -> tuple[Finding, ...]:
    """Return a finding if hosts of another cluster are among those that were read."""
    hosts = sorted(fleet.cluster.strangers)
    if not hosts:
        return ()
    text = f"{_listed(hosts)}: of another cluster, and left out of what is told here"
    return (_finding("clusters", _CRITICAL, "several-clusters", text,
                     "verify each cluster by itself, with --hosts or --group"),)  # fmt: skip


def _twins(fleet: Fleet) -> tuple[Finding, ...]:
    """Return a finding if several hosts have one ID: then nothing is known of another node."""
    twins = {node: hosts for node, hosts in fleet.cluster.hosts.items() if len(hosts) > 1}
    if not twins:
        return ()
    parts = [f"ID {node} is that of {_listed(hosts)}" for node, hosts in sorted(twins.items())]
    text = "; ".join(parts[:_MOST_VALUES])
    return (_finding("ids", _WARNING, "same-id", text,
                     f"leave one of them out, or correct its label {ID_LABEL}"),)  # fmt: skip


def _not_read(fleet: Fleet) -> tuple[Finding, ...]:
    """Return what is known of nodes that were not read: they may count for others still."""
    nodes = fleet.names.keys() - fleet.read
    if not nodes:
        return ()
    down = {node for node in nodes if fleet.cluster.seen(node) is not Seen.UP}
    were = "was" if len(nodes) == 1 else "were"
    text = f"{count(len(nodes), 'node')} of the cluster {were} not read"
    if not down:
        return (_finding("others", _OK, "not-read", f"{text}; the others see them up"),)
    text += f"; {len(down)} of them down: {named(down, fleet.names)}"
    remedy = "let psops read those hosts, too"
    if fleet.unjoined:
        text += f"; of {count(fleet.unjoined, 'host')} the ID is not known"
        remedy = f'give each host its ID: labels = {{ {ID_LABEL} = "N" }} in the inventory'
    return (_finding("others", _WARNING, "others-down", text, remedy),)


def _silent(fleet: Fleet) -> tuple[Finding, ...]:
    silent = {node for one in fleet.vantages for node in one.silent}
    if not silent:
        return ()
    text = f"{named(silent, fleet.names)}: called up, but no answer to questions"
    return (_finding("answers", _CRITICAL, "silent", text,
                     "psid hangs there, or the network between the nodes is cut"),)  # fmt: skip


def _incomplete(fleet: Fleet) -> tuple[Finding, ...]:
    """Return which nodes are missing where the answers are compared."""
    unread = fleet.unread()
    if not unread:
        return ()
    nodes = frozenset[int]().union(*unread.values())
    text = f"{named(nodes, fleet.names)}: no answer to {', '.join(sorted(unread))}"
    return (_finding("questions", _UNKNOWN, "incomplete", f"{text}; the others alone are compared",
                     "look again in a minute, or with --wait"),)  # fmt: skip


def _master(fleet: Fleet) -> Finding:
    cluster = fleet.cluster
    masters = {node: int(one) for node, one in fleet.values("master").items() if one.isdigit()}
    for host in cluster.views.keys() - cluster.strangers:
        view, number = cluster.views[host], cluster.ids.get(host)
        if view.master is not None and number is not None:
            masters.setdefault(number, view.master)
    told: dict[int, set[int]] = {}
    for node, master in masters.items():
        told.setdefault(master, set()).add(node)
    if not told:
        return _not_known("master", fleet)
    if len(told) == 1:
        (master,) = told
        return _finding("master", _OK, "one-master", f"{named({master}, fleet.names)} for all")
    parts = [f"{named({master}, fleet.names)} for {named(nodes, fleet.names)}"
             for master, nodes in sorted(told.items())[:_MOST_VALUES]]  # fmt: skip
    text = f"{len(told)} masters: {'; '.join(parts)}"
    if fleet.joining:
        return _finding("master", _WARNING, "settling", f"{text}; a node is joining just now")
    remedy = "the nodes do not see each other; look at those that are split off"
    return _finding("master", _CRITICAL, "several-masters", text, remedy)


def _node_list(fleet: Fleet) -> Finding:
    cluster = fleet.cluster
    for host in sorted(cluster.views):
        if other := cluster.renamed(host):
            text = f"{host} has {other[0]} as node {other[1]}, where most have node {other[2]}"
            return _finding("node-list", _CRITICAL, "ids-differ", text,
                            "give all nodes the same list, and restart their psid")  # fmt: skip
    hashes = {node: one.hash for node, one in fleet.versions().items()}
    if not hashes:
        return _not_known("node-list", fleet)
    if len(set(hashes.values())) == 1:
        text = f"one hash on {count(len(hashes), 'node')}, which covers names, not IDs or addresses"
        return _finding("node-list", _OK, "one-list", text)
    text = f"lists from different sources or with other spellings: {_spread(hashes, fleet)}"
    return _finding("node-list", _WARNING, "hashes-differ", text,
                    "compare /etc/parastation.conf; $generate changes the hash, too")  # fmt: skip


def _files(fleet: Fleet) -> tuple[Finding, ...]:
    """Return whether all hosts that were read have the same file, which the hash is not of."""
    if not fleet.confs:
        return ()
    hosts: dict[str, list[str]] = {}
    for host, checksum in sorted(fleet.confs.items()):
        hosts.setdefault(checksum, []).append(host)
    number = count(len(fleet.confs), "host")
    if hosts.keys() == {""}:
        text = f"no {CONF} on {number}: the nodes come from psconfig"
        return (_finding("file", _OK, "no-file", text),)
    if len(hosts) == 1:
        return (_finding("file", _OK, "one-file", f"the same {CONF} on {number}"),)
    order = sorted(hosts.items(), key=lambda one: -len(one[1]))[:_MOST_VALUES]
    parts = [f"{checksum or 'none'} on {_listed(names)}" for checksum, names in order]
    remedy = "make it the same and restart psid; one that is not empty wins over psconfig"
    text = f"{CONF} differs: {'; '.join(parts)}"
    return (_finding("file", _WARNING, "files-differ", text, remedy),)


def _versions(fleet: Fleet) -> Iterable[Finding]:
    versions = fleet.versions()
    if not versions:
        yield _not_known("versions", fleet)
        yield _not_known("protocol", fleet)
        return
    pairs = {(one.client, one.daemon) for one in versions.values()}
    texts = {
        node: one.text if len(pairs) == 1 else f"{one.text} ({one.client}/{one.daemon})"
        for node, one in versions.items()
    }
    known = {(one.client, one.daemon): one for one in RELEASES}
    strange = sorted(pairs - known.keys())
    if len(set(texts.values())) == 1 and len(pairs) == 1:
        text = f"{next(iter(texts.values()))} on {count(len(texts), 'node')}"
        yield _finding("versions", _OK, "one-version", text)
    elif len({daemon for _, daemon in pairs}) > 1:
        yield _finding(
            "versions", _CRITICAL, "incompatible",
            f"daemons that do not speak with each other: {_spread(texts, fleet)}",
            "stop every psid, then bring all nodes to one release; it cannot be rolled",
        )  # fmt: skip
    elif strange:
        text = f"nothing is known of protocols {strange[0][0]}/{strange[0][1]}"
        yield _finding("versions", _UNKNOWN, "unclear", f"{text}: {_spread(texts, fleet)}")
    else:
        newest = max(known[pair].client for pair in pairs)
        shut = [one for one in map(known.__getitem__, pairs) if one.client < newest]
        told = f"; psiadmin of {newest} is refused by psid {shut[0].name}" if shut else ""
        text = f"different releases, and no job may span them: {_spread(texts, fleet)}{told}"
        yield _finding("versions", _WARNING, "mixed", text, "bring all nodes to one release")
    yield _protocol(fleet)


def _protocol(fleet: Fleet) -> Finding:
    words = {one.protocol for one in fleet.vantages if one.protocol}
    if HETEROGENEOUS in words:
        clients = {node: str(one.client) for node, one in fleet.versions().items()}
        text = f"heterogeneous: {_spread(clients, fleet)}"
        return _finding("protocol", _WARNING, "heterogeneous", text,
                        "bring all nodes to one release")  # fmt: skip
    if words == {HOMOGENEOUS}:
        return _finding("protocol", _OK, "homogeneous", "the same on all nodes")
    return _not_known("protocol", fleet)


def _restriction(key: str, fleet: Fleet) -> Finding:
    values = {node: _set(one) for node, one in fleet.values(key).items()}
    if not values:
        return _not_known(key, fleet)
    aside: dict[int, str] = {}
    if fleet.compute:
        values = {node: one for node, one in values.items() if fleet.compute.get(node, True)}
        number = count(len(values), "compute node")
    else:
        # Nothing tells frontends from compute nodes; a frontend runs no jobs.
        runs = fleet.values("runjobs")
        aside = {node: one for node, one in values.items() if runs.get(node) == "FALSE"}
        values = {node: one for node, one in values.items() if node not in aside}
        number = f"{count(len(values), 'node')} with jobs allowed"
    if not values and not aside:
        return _not_known(key, fleet, "no compute node told it")
    apart = f"; beside them {_spread(aside, fleet)}" if aside else ""
    if len(set(values.values())) <= 1:
        value = next(iter(values.values()), "")
        return _finding(key, _OK, "same", f"{value} on {number}{apart}".lstrip())
    remedy = "what psiadmin sets lasts until psid restarts; the list of nodes lasts"
    text = f"not the same: {_spread(values, fleet)}{apart}"
    return _finding(key, _WARNING, "differs", text, remedy)


def _tasks(fleet: Fleet) -> Finding:
    values = fleet.values("obsoletetasks")
    if not values:
        return _not_known("tasks", fleet)
    left = {node: one for node, one in values.items() if one != "0"}
    if not left:
        text = f"no obsolete tasks on {count(len(values), 'node')}"
        return _finding("tasks", _OK, "none", text)
    return _finding("tasks", _WARNING, "obsolete", f"obsolete tasks: {_spread(left, fleet)}",
                    "they wait for processes that do not end")  # fmt: skip


def _not_known(name: str, fleet: Fleet, why: str = "no vantage node told it") -> Finding:
    if any(one.silent for one in fleet.vantages):
        why = "a node that does not answer held the question up"
    return _finding(name, _UNKNOWN, "not-read", why)


def _set(value: str) -> str:
    """Return a list of users in one order."""
    return ", ".join(sorted(part.strip() for part in value.split(",")))


def _spread(values: Mapping[int, str], fleet: Fleet) -> str:
    """Return the values with the nodes that have them, the most frequent one first."""
    order = Counter(values.values()).most_common()
    parts = []
    for value, _ in order[:_MOST_VALUES]:
        nodes = {node for node, one in values.items() if one == value}
        parts.append(f"{value or 'nothing'} on {named(nodes, fleet.names)}")
    more = f" and {len(order) - _MOST_VALUES} more values" if len(order) > _MOST_VALUES else ""
    return f"{'; '.join(parts)}{more}"


def _listed(hosts: Sequence[str]) -> str:
    """Return the first of some hosts, and how many more there are."""
    more = f" and {len(hosts) - _MOST_HOSTS} more" if len(hosts) > _MOST_HOSTS else ""
    return f"{', '.join(hosts[:_MOST_HOSTS])}{more}"


def _finding(name: str, verdict: Verdict, code: str, text: str, advice: str = "") -> Finding:
    return Finding(
        name=name,
        verdict=verdict,
        code=code,
        text=clean(text),
        kind="check",
        bundle=BUNDLE,
        advice=(Advice(advice),) if advice else (),
    )
