"""The verdict on a node: its unit, what the others see, and what its own daemon says; pure.

The table is `rules.RULES`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from psops.psid.refusal import Reply
from psops.psid.rules import ADVICE, CAUSES, OTHER_LIST, RULES, Local, Rule, UnitKind
from psops.psid.views import Cluster, Seen
from psops.report.model import RUNNING, UnitStatus
from psops.report.text import clean, count, duration
from psops.verdict import Advice, Finding, Verdict

#: The name of the finding that every node has, and what stands where others name the bundle.
DAEMON = "psid"
BUNDLE = "psid-cluster"
#: The unit that starts psid when another node asks for it, and what started it before systemd.
SOCKET = "psidstarter.socket"
INIT_SCRIPT = "/etc/init.d/parastation"
#: Where psid looks for its nodes first; without it they come from psconfig.
CONF = "/etc/parastation.conf"
_PURPOSE = "member of the cluster"
#: Seconds until all nodes agree after a change: time-outs of 26 s at most, and 13 s until the
#: others have it from the master (measured with the defaults of psmgmt 6.8.1).
SETTLE = 45.0
#: So many names are told of several; the number says the rest.
_MOST_NAMES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A host that was read."""

    host: str
    #: The unit of psid, None where there is none.
    unit: UnitStatus | None = None
    #: The unit that the init script has; the unit tells no truth then.
    legacy: bool = False
    #: The unit of the socket that starts psid, None where nothing was read of it.
    socket: UnitStatus | None = None
    #: Seconds since the unit became active, None if that is not known.
    age: float | None = None
    #: The name that the host has for itself.
    hostname: str = ""
    reply: Reply = Reply.UNCLEAR
    #: What psiadmin said if nothing is known of it.
    said: str = ""
    #: Checksum of `CONF`: "" for no such file or an empty one, None if not read.
    conf: str | None = None
    #: Whether slurmd.service is active, and whether psid has loaded psslurm, if known.
    slurmd: bool = False
    psslurm: bool | None = None

    @property
    def socket_active(self) -> bool:
        """Whether a connection starts psid."""
        return self.socket is not None and self.socket.active in RUNNING


def unit_kind(node: Node, settle: float) -> UnitKind:
    """Return the kind of state that a host's unit is in; `settle` is in seconds."""
    unit = node.unit
    if node.legacy:
        fresh = unit is not None and node.age is not None and node.age < settle
        return UnitKind.FRESH if fresh else UnitKind.LEGACY
    if unit is None or (unit.load == "not-found" and unit.active != "active"):
        return UnitKind.ABSENT
    if unit.active in RUNNING:
        fresh = node.age is not None and node.age < settle
        return UnitKind.FRESH if fresh else UnitKind.ACTIVE
    known = {
        "activating": UnitKind.FRESH,
        "failed": UnitKind.FAILED,
        "inactive": UnitKind.STARTABLE if node.socket_active else UnitKind.INACTIVE,
    }
    return known.get(unit.active, UnitKind.OTHER)


def local(node: Node, cluster: Cluster) -> Local:
    """Return what the host's own daemon says, compared with what most see."""
    view = cluster.views.get(node.host)
    if node.reply is not Reply.ANSWERED or view is None:
        return Local.UNCLEAR if node.reply is Reply.ANSWERED else Local(node.reply.value)
    if not cluster.missed(node.host):
        return Local.OTHER_IDS if _other_ids(node.host, cluster) else Local.AGREES
    itself = {cluster.ids.get(node.host), view.own}
    return Local.ALONE if view.up <= itself else Local.DIFFERS


def judge(
    node: Node, cluster: Cluster, *, settle: float = SETTLE, limit: float = 0.0
) -> tuple[Finding, ...]:
    """Return the findings on a node: its membership, and slurmd if that is in its way.

    `settle` is how long a psid must run until a disagreement counts, `limit` how long psiadmin
    was waited for; both in seconds.
    """
    number = cluster.ids.get(node.host)
    kind, says = unit_kind(node, settle), local(node, cluster)
    seen = Seen.ELSEWHERE if node.host in cluster.strangers else cluster.seen(number)
    rule = next(
        rule
        for rule in RULES
        if (rule.units is None or kind in rule.units)
        and (rule.seen is None or seen in rule.seen)
        and (rule.local is None or says in rule.local)
    )
    text = rule.text.format(
        others=_others(number, seen, cluster),
        own=_own(node, says, cluster),
        id=number,
        cause=OTHER_LIST if _other_ids(node.host, cluster) else CAUSES[rule.code == "split"],
        age=duration(node.age) if node.age is not None else "a moment",
        limit=f"{limit:g} s",
        said=clean(node.said) or "no psiadmin there",
        state=clean(f"{node.unit.id} is {node.unit.active}") if node.unit else "no unit",
    )
    found = Finding(
        name=DAEMON,
        verdict=rule.verdict,
        code=rule.code,
        text=text,
        bundle=BUNDLE,
        purpose=_PURPOSE,
        unit=node.unit,
        advice=_advice(rule, number, node, cluster),
    )
    return (found, *_socket(node, kind), *_slurmd(node, kind))


def _other_ids(host: str, cluster: Cluster) -> bool:
    return cluster.takes_itself_for(host) is not None or (
        host in cluster.views and cluster.renamed(host) is not None
    )


def _advice(rule: Rule, number: int | None, node: Node, cluster: Cluster) -> tuple[Advice, ...]:
    if rule.verdict is Verdict.OK:
        return ()
    code = rule.code
    if number is None and code == "unconfirmed":
        code = "unclear"
    elif "{cause}" in rule.text and _other_ids(node.host, cluster):
        code = "ids-differ"
    told = ADVICE.get(code, ())
    return tuple(Advice(one.text, _fitting(one.command, node)) for one in told)


def _fitting(command: str, node: Node) -> str:
    """Return a command for psid.service as the host has it: its init script may run it."""
    head, _, verb = command.removesuffix(" psid").partition(" ")
    if not node.legacy or head != "systemctl":
        return command
    return f"{INIT_SCRIPT} {verb}" if node.unit is None else f"systemctl {verb} {node.unit.name}"


def named(nodes: "frozenset[int] | set[int]", names: Mapping[int, str]) -> str:
    """Return the first of some nodes with their IDs, and how many more there are."""
    told = [
        f"{clean(names[node])} (ID {node})" if node in names else f"ID {node}"
        for node in sorted(nodes)[:_MOST_NAMES]
    ]
    more = f" and {len(nodes) - len(told)} more" if len(nodes) > len(told) else ""
    return f"{', '.join(told)}{more}"


def _others(number: int | None, seen: Seen, cluster: Cluster) -> str:
    if number is None:
        return "nothing tells which node of the cluster it is"
    if seen is Seen.UNLISTED:
        return f"the others have no node {number}"
    up, down = cluster.votes(number)
    if not up + down:
        if seen is Seen.UP:
            return "it is the only node"
        return f"no other node could be asked about node {number}"
    word, votes = ("up", up) if seen is Seen.UP else ("down", down)
    whose = f"{votes} of {count(up + down, 'other node')}"
    return f"{whose} {'sees' if votes == 1 else 'see'} node {number} {word}"


def _own(node: Node, says: Local, cluster: Cluster) -> str:
    view = cluster.views.get(node.host)
    if view is None or node.reply is not Reply.ANSWERED:
        said = f" ('{clean(node.said)}')" if node.said else ""
        return f"its own view is not known: {says.value}{said}"
    told = f"it sees {len(view.up & view.nodes)} of {count(len(view.nodes), 'node')} up"
    if missed := cluster.missed(node.host):
        told += f", not {named(missed, cluster.names)}"
    if says is Local.ALONE and view.master not in (None, cluster.master):
        told += f", and has node {view.master} for its master"
    if (own := cluster.takes_itself_for(node.host)) is not None:
        told += f", and takes itself for node {own}"
    elif other := cluster.renamed(node.host):
        told += f", and has {clean(other[0])} as node {other[1]}, which is node {other[2]}"
    return told


def _socket(node: Node, kind: UnitKind) -> tuple[Finding, ...]:
    """Return a finding on the socket of a host whose psid is a unit of its own."""
    unit = node.socket
    if unit is None or kind in (UnitKind.LEGACY, UnitKind.ABSENT) or node.legacy:
        return ()
    there = unit.load != "not-found" or unit.active in RUNNING
    verdict, code, text = Verdict.OK, "listening", "starts psid when another node asks for it"
    advice: tuple[Advice, ...] = ()
    if unit.active == "failed":
        verdict, code = Verdict.WARNING, "failed"
        text = "an 'add' of another node cannot start psid, and is not told so"
        advice = (Advice("read why", f"systemctl status {SOCKET}"),)
    elif not node.socket_active:
        code, text = "closed", "an 'add' of another node does not start psid, and is not told so"
        enabled = str(unit.properties.get("UnitFileState", "")).startswith("enabled")
        if enabled and kind in (UnitKind.ACTIVE, UnitKind.FRESH):
            verdict, text = Verdict.WARNING, f"stopped, though it is enabled: {text}"
            advice = (Advice("start it, as at boot", f"systemctl start {SOCKET}"),)
    return (
        Finding(
            name="psidstarter", verdict=verdict, code=code, text=text, bundle=BUNDLE,
            purpose="start from other nodes", severity="recommended",
            unit=unit if there else None, advice=advice,
        ),
    )  # fmt: skip


def _slurmd(node: Node, kind: UnitKind) -> tuple[Finding, ...]:
    """Return a finding if slurmd runs beside psid, whose plugin psslurm takes its place."""
    if not node.slurmd or kind not in (UnitKind.ACTIVE, UnitKind.FRESH, UnitKind.LEGACY):
        return ()
    told = {
        True: (Verdict.CRITICAL, "conflict", "slurmd runs beside psid, which has loaded psslurm "
               "in its place; both want port 6818"),
        False: (Verdict.OK, "no-psslurm", "slurmd runs, and psid has not loaded psslurm"),
        None: (Verdict.UNKNOWN, "unclear", "slurmd runs beside psid, and the plugins of psid could "
               "not be read: with psslurm both want port 6818"),
    }  # fmt: skip
    verdict, code, text = told[node.psslurm]
    stop = Advice("stop it and keep it down", "systemctl disable --now slurmd")
    advice = (stop,) if verdict is Verdict.CRITICAL else ()
    return (
        Finding(
            name="slurmd", verdict=verdict, code=code, text=text, kind="check", bundle=BUNDLE,
            purpose="psslurm takes its place", advice=advice,
        ),
    )  # fmt: skip
