"""The verb `psid verify`: all hosts of a cluster read, their views joined and judged."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from psops import fanout
from psops.client import prepare
from psops.errors import Terminated
from psops.exits import Exit
from psops.fanout import Outcome
from psops.inventory import Host
from psops.judge import waive
from psops.psid.admin import LIMIT, PSIADMIN, Admin
from psops.psid.cluster import Fleet, judge_cluster
from psops.psid.judge import BUNDLE, SETTLE, judge, unit_kind
from psops.psid.nodes import ID_LABEL
from psops.psid.refusal import Reply
from psops.psid.rules import UnitKind
from psops.psid.survey import Read, survey
from psops.psid.views import Cluster, Member, Seen, Vantage, View, join
from psops.transport import Connection, Options, connect
from psops.verdict import HostVerdict, Verdict, VerifyReport

#: The host that stands for what concerns no single one, and its name if there is a host of it.
CLUSTER = "cluster"
_CLUSTER_ELSE = "(cluster)"
#: How many nodes put questions to all others, and how many are kept at hand for it: those with
#: the lowest IDs; some of them may turn out to be split off.
_VANTAGES = 2
TITLE = "psops psid verify"
#: Codes of what may pass by itself within the time in which views settle, and the seconds
#: between two looks.
PASSING = frozenset({
    "joining", "resetting", "split", "one-sided", "stale-view", "differ", "no-majority",
    "several-masters", "settling", "silent", "incomplete",
})  # fmt: skip
_PAUSE = 3.0
#: Replies of a host whose psid takes no part in its cluster.
_GONE = (Reply.NO_LISTENER, Reply.SILENT)
_KEPT = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """How the cluster is to be asked. Times in seconds."""

    psiadmin: str = PSIADMIN
    #: For how long psid must run until a disagreement counts.
    settle: float = SETTLE
    #: Let every node put the questions to all others, not two of them.
    deep: bool = False
    #: Look again while views differ, for up to `settle` seconds.
    wait: bool = False
    #: The hosts that do it, where some are named.
    vantage: tuple[str, ...] = ()
    limit: float = LIMIT
    fail_on: str = "critical"


class _Kept:
    """Connections that stay open until it is known which hosts put questions to all others."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._open: dict[str, tuple[int, Connection]] = {}
        self._closed = False

    def offer(self, host: str, order: int, connection: Connection) -> None:
        """Keep the connection if its host is among the first; close the one it displaces."""
        with self._lock:
            if self._closed:  # a host that was given up, and came back late
                connection.close()
                return
            self._open[host] = (order, connection)
            last = max(self._open, key=lambda name: (self._open[name][0], name))
            dropped = self._open.pop(last)[1] if len(self._open) > self._most else None
        if dropped is not None:
            dropped.close()

    def get(self, host: str) -> Connection:
        return self._open[host][1]

    @property
    def hosts(self) -> list[str]:
        return sorted(self._open, key=lambda name: (self._open[name][0], name))

    def close(self) -> None:
        with self._lock:
            self._closed = True
            for _, connection in self._open.values():
                connection.close()


def report(
    hosts: Sequence[Host],
    request: Request,
    options: Options,
    *,
    width: int = fanout.DEFAULT_WIDTH,
    progress: Callable[[Outcome[Read]], None] = lambda outcome: None,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> VerifyReport:
    """Return what the cluster is like, with a last host that stands for it as a whole.

    Each look logs in to each host once. `progress` is called with each host that was read first.
    If it is to wait, it looks again while views differ, until psid's own time-outs are over.
    """
    if len(hosts) > 1:
        prepare(hosts, options)
    begin = clock()
    found = _look(hosts, request, options, width, progress)
    while request.wait and found.ended is Exit.OK and not settled(found):
        left = request.settle - (clock() - begin)
        if left <= 0:
            break
        try:
            sleep(min(_PAUSE, left))
        except (KeyboardInterrupt, Terminated) as exc:
            ended = Exit.INTERRUPTED if isinstance(exc, KeyboardInterrupt) else Exit.TERMINATED
            return replace(found, ended=ended)
        again = _look(hosts, request, options, width, lambda outcome: None)
        if again.ended is not Exit.OK:  # of two looks the whole one tells more
            return replace(found, ended=again.ended)
        found = again
    return found


def settled(found: VerifyReport) -> bool:
    """Return whether nothing was found that may pass by itself."""
    return not any(
        one.code in PASSING and one.verdict is not Verdict.OK
        for outcome in found.outcomes
        if outcome.value is not None
        for one in outcome.value.findings
    )


def _look(
    hosts: Sequence[Host],
    request: Request,
    options: Options,
    width: int,
    progress: Callable[[Outcome[Read]], None],
) -> VerifyReport:
    """Return what the cluster is like just now."""
    limit = min(request.limit, options.timeout)
    kept = _Kept(len(hosts) if request.deep or request.vantage else _KEPT)
    longest = 2 * options.connect_timeout + 5 * options.timeout + 2 * limit
    begin = time.monotonic()
    try:
        gathered = fanout.gather(
            hosts,
            lambda host: _read(host, request, options, limit, kept),
            width=width,
            limit=longest,
            progress=progress,
        )
        reads = {one.host.name: one.value for one in gathered.outcomes if one.value is not None}
        cluster = _join(hosts, reads)
        asked: dict[str, Vantage] = {}
        ended = gathered.ended
        chosen = [host for host in hosts if host.name in _vantages(cluster, kept, request)]
        if ended is Exit.OK and chosen:
            views, gone = cluster.views, cluster.gone
            answers = fanout.gather(
                chosen,
                lambda host: Admin(kept.get(host.name), request.psiadmin, limit).all(
                    views[host.name], gone
                ),
                width=width,
                limit=16 * (limit + 6.0),
            )
            ended = answers.ended
            asked = {one.host.name: one.value for one in answers.outcomes if one.value is not None}
    finally:
        kept.close()
    cluster = _join(hosts, reads, asked)
    outcomes: list[Outcome[HostVerdict]] = [
        Outcome(one.host, one.elapsed, error=one.error)
        if one.value is None
        else _judged(one, one.value, cluster, request, limit)
        for one in gathered.outcomes
    ]
    if reads:
        whole = _whole(hosts, reads, cluster, list(asked.values()), request.settle)
        taken = any(host.name == CLUSTER for host in hosts)
        place = Host(name=_CLUSTER_ELSE if taken else CLUSTER)
        outcomes.append(Outcome(place, time.monotonic() - begin, value=whole))
    return VerifyReport(
        outcomes=tuple(outcomes),
        title=TITLE,
        fail_on=request.fail_on,
        made_at=time.time(),
        ended=ended,
    )


def _read(host: Host, request: Request, options: Options, limit: float, kept: _Kept) -> Read:
    connection = connect(host, options)
    try:
        admin = Admin(connection, request.psiadmin, limit)
        read = survey(host.name, connection, admin, options.timeout)
    except BaseException:
        connection.close()
        raise
    wanted = not request.vantage or host.name in request.vantage
    if read.view is None or not wanted:
        connection.close()
    else:
        given = given_id(host)
        own = given if given is not None else read.view.own
        kept.offer(host.name, 1 << 30 if own is None else own, connection)
    return read


def given_id(host: Host) -> int | None:
    """Return the ID that the inventory gives a host by the label `ID_LABEL`, if any."""
    text = dict(host.labels).get(ID_LABEL, "")
    return int(text) if text.isascii() and text.isdigit() else None


def is_compute(host: Host) -> bool | None:
    """Return whether the inventory calls a host a compute node, None if it does not say."""
    runs = dict(host.labels).get("runjobs")
    if runs in ("yes", "no"):
        return runs == "yes"
    return True if "compute" in host.groups else False if "frontend" in host.groups else None


def _join(
    hosts: Sequence[Host], reads: Mapping[str, Read], asked: Mapping[str, Vantage] | None = None
) -> Cluster:
    views: list[View] = []
    for name, one in reads.items():
        if one.view is not None:
            told = (asked or {}).get(name)
            views.append(replace(one.view, silent=told.silent) if told else one.view)
    members = []
    for host in hosts:
        read = reads.get(host.name)
        own = read.node.hostname if read is not None else ""
        aliases = tuple(name for name in (host.name, host.address, own) if name)
        members.append(Member(host=host.name, aliases=aliases, given=given_id(host)))
    gone = [name for name, one in reads.items() if one.node.reply in _GONE]
    return join(views, members, gone)


def _vantages(cluster: Cluster, kept: _Kept, request: Request) -> list[str]:
    """Return the hosts that put the questions: the lowest ones that are up and not split off."""
    hosts = [name for name in kept.hosts if name not in cluster.strangers]
    if request.deep or request.vantage:
        return hosts
    sound = [
        name
        for name in hosts
        if name in cluster.counted and cluster.seen(cluster.ids[name]) is not Seen.DOWN
    ]
    return (sound or hosts)[:_VANTAGES]


def _judged(
    outcome: Outcome[Read], read: Read, cluster: Cluster, request: Request, limit: float
) -> Outcome[HostVerdict]:
    findings = judge(read.node, cluster, settle=request.settle, limit=limit)
    host = outcome.host
    findings, notes = waive(findings, host.waivers, datetime.now(UTC).date())
    value = HostVerdict(bundles=(BUNDLE,), chosen_by="named", findings=findings, notes=notes)
    return Outcome(host, outcome.elapsed, value=value)


def _whole(
    hosts: Sequence[Host],
    reads: Mapping[str, Read],
    cluster: Cluster,
    vantages: Sequence[Vantage],
    settle: float,
) -> HostVerdict:
    fleet = Fleet(
        cluster=cluster,
        vantages=vantages,
        read=frozenset(
            node
            for name in reads.keys() - cluster.strangers
            if (node := cluster.ids.get(name)) is not None
        ),
        unjoined=sum(cluster.ids.get(name) is None for name in reads),
        joining=any(unit_kind(read.node, settle) is UnitKind.FRESH for read in reads.values()),
        compute={
            node: told
            for host in hosts
            if (told := is_compute(host)) is not None
            and host.name not in cluster.strangers
            and (node := cluster.ids.get(host.name)) is not None
        },
        confs={
            name: one.node.conf
            for name, one in reads.items()
            if one.node.conf is not None and name not in cluster.strangers
        },
    )
    return HostVerdict(bundles=(BUNDLE,), chosen_by="named", findings=judge_cluster(fleet))
