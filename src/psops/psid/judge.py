"""The verdict on a node: its unit, what the others see, and what its own daemon says; pure.

The table is `RULES`. It says what an administrator of psmgmt 5.1 to 6.8 would conclude: the
states were made with real daemons that were killed, stopped, cut off and misconfigured.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from psops.psid.refusal import Reply
from psops.psid.views import Cluster, Seen
from psops.report.model import RUNNING, UnitStatus
from psops.report.text import clean, count, duration
from psops.verdict import Advice, Finding, Verdict

#: The name of the finding that every node has, and what stands where others name the bundle.
DAEMON = "psid"
BUNDLE = "psid-cluster"
_PURPOSE = "member of the cluster"
#: Seconds until all nodes agree after a change: time-outs of 26 s at most, and 13 s until the
#: others have it from the master (measured with the defaults of psmgmt 6.8.1).
SETTLE = 45.0
#: So many names are told of several; the number says the rest.
_MOST_NAMES = 3


class UnitKind(StrEnum):
    """The state of what runs psid on a host, as far as it decides."""

    ACTIVE = "active"
    #: Active, or on its way to it, for less than the time in which views settle.
    FRESH = "fresh"
    INACTIVE = "inactive"
    #: Inactive, with a socket that starts it.
    STARTABLE = "startable"
    FAILED = "failed"
    #: No unit but the init script, which tells nothing.
    LEGACY = "legacy"
    ABSENT = "absent"
    #: A state that nothing is known of.
    OTHER = "other"


class Local(StrEnum):
    """What the daemon of the host itself says; beside a refusal, how its view fits."""

    AGREES = "agrees"
    #: It sees nodes down that most see up.
    DIFFERS = "differs"
    #: It sees none but itself up, while most see others.
    ALONE = "alone"
    SILENT = Reply.SILENT.value
    NO_LISTENER = Reply.NO_LISTENER.value
    RESTRICTED = Reply.RESTRICTED.value
    VERSION = Reply.VERSION.value
    RESETTING = Reply.RESETTING.value
    FULL = Reply.FULL.value
    NO_PROGRAM = Reply.NO_PROGRAM.value
    UNCLEAR = Reply.UNCLEAR.value


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A host that was read."""

    host: str
    #: The unit of psid, None where there is none.
    unit: UnitStatus | None = None
    #: The unit that the init script has; the unit tells no truth then.
    legacy: bool = False
    socket_active: bool = False
    #: Seconds since the unit became active, None if that is not known.
    age: float | None = None
    #: The name that the host has for itself.
    hostname: str = ""
    reply: Reply = Reply.UNCLEAR
    #: What psiadmin said if nothing is known of it.
    said: str = ""
    #: Whether slurmd.service is active, and whether psid has loaded psslurm, if known.
    slurmd: bool = False
    psslurm: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A row of the table; None stands for anything."""

    units: frozenset[UnitKind] | None
    seen: frozenset[Seen] | None
    local: frozenset[Local] | None
    code: str
    verdict: Verdict
    text: str


def _rule(units: str, seen: str, local: str, code: str, verdict: Verdict, text: str) -> Rule:
    def words(text: str) -> list[str]:
        return [] if text == "*" else text.split()

    return Rule(
        units=frozenset(map(UnitKind, words(units))) or None,
        seen=frozenset(map(Seen, words(seen))) or None,
        local=frozenset(map(Local, words(local))) or None,
        code=code,
        verdict=verdict,
        text=text,
    )


_OK, _WARNING, _CRITICAL, _UNKNOWN = (
    Verdict.OK, Verdict.WARNING, Verdict.CRITICAL, Verdict.UNKNOWN,
)  # fmt: skip
#: What is said is "how the others see it; what it says itself".
_TWO = "{others}; {own}"
_ANSWERS = "agrees differs alone"

#: Unit, view of the others, own answer -> code, verdict, sentence; the first that fits decides.
RULES: tuple[Rule, ...] = (
    _rule("absent", "up", "*", "outside-unit", _WARNING,
          "there is no psid.service, but psid runs: {others}"),
    _rule("absent", "*", "*", "not-installed", _CRITICAL,
          "neither psid.service nor /etc/init.d/parastation is there; {others}"),
    _rule("failed", "up", _ANSWERS, "outside-unit", _WARNING,
          "psid.service failed, but a psid that it did not start runs: {others}"),
    _rule("failed", "*", "*", "failed", _CRITICAL,
          "psid did not start or died; the reason is only in its log; {others}"),
    _rule("inactive startable", "up", _ANSWERS, "outside-unit", _WARNING,
          "psid.service is stopped, but a psid that it did not start runs: {others}"),
    _rule("inactive startable", "up", "*", "stale-view", _CRITICAL,
          "psid is stopped, but {others}: they have not noticed yet, which takes up to 40 s"),
    _rule("startable", "*", "*", "startable", _CRITICAL,
          "psid is stopped, and psidstarter.socket starts it again for an 'add' of another node "
          "or a local psiadmin without -d; {others}"),
    _rule("inactive", "*", "*", "stopped", _CRITICAL, "psid is stopped; {others}"),
    _rule("active fresh legacy", "*", "silent", "hung", _CRITICAL,
          "psid does not answer its own clients within {limit}; {others}"),
    _rule("active fresh legacy", "down unlisted unknown", "version", "incompatible", _CRITICAL,
          "psiadmin of this host is of another release than psid, which refuses it, and {others}"),
    _rule("active fresh legacy", "up", "version", "client-version", _WARNING,
          "{others}, but psiadmin of this host is of a release that psid refuses: the package "
          "was changed while psid ran"),
    _rule("active fresh legacy", "*", "resetting", "resetting", _WARNING,
          "psid is resetting or ending and takes no clients; {others}"),
    _rule("active fresh legacy", "*", "full", "full", _CRITICAL,
          "psid has no room for one more client; {others}"),
    _rule("active fresh legacy", "unlisted", "*", "unlisted", _CRITICAL,
          "psid runs, but the other nodes have no node {id} in their lists; {own}"),
    _rule("active fresh", "up", "agrees", "member", _OK, _TWO),
    _rule("fresh", "up down unknown", "*", "joining", _WARNING,
          "psid was started {age} ago and may still be joining; {others}; {own}"),
    _rule("active", "*", "no-listener", "no-listener", _CRITICAL,
          "psid.service is active, but nothing takes clients on this host; {others}"),
    _rule("active", "up", "differs alone", "one-sided", _CRITICAL,
          "{others}, but {own}: its table of IDs and addresses differs, or the way there is "
          "open in one direction only"),
    _rule("active", "up", "restricted", "restricted", _WARNING,
          "{others}; what it sees itself could not be read: psid takes no clients of this user "
          "or group, or no more of them"),
    _rule("active", "down", _ANSWERS, "split", _CRITICAL,
          "{others}, but psid runs and answers, and {own}: UDP port 886 is blocked, or its table "
          "of IDs and addresses differs"),
    _rule("active", "down", "restricted", "split", _CRITICAL,
          "{others}, but psid runs and answers, though not to this user"),
    _rule("active", "unknown", _ANSWERS, "unconfirmed", _UNKNOWN,
          "psid runs and answers, and {own}, but {others}"),
    _rule("active", "unknown", "restricted", "unconfirmed", _UNKNOWN,
          "psid runs and answers, though not to this user, and {others}"),
    _rule("active", "up", "no-program", "member", _WARNING,
          "{others}; what it sees itself could not be read: {said}"),
    _rule("legacy", "up", "agrees", "legacy", _OK,
          "run by the init script, whose status tells nothing; {others}; {own}"),
    _rule("legacy", "up", "differs alone", "one-sided", _CRITICAL, "{others}, but {own}"),
    _rule("legacy", "up", "*", "legacy", _WARNING,
          "run by the init script, whose status tells nothing; {others}; {own}"),
    _rule("legacy", "down", _ANSWERS, "split", _CRITICAL,
          "{others}, but psid runs and answers, and {own}"),
    _rule("legacy", "*", "no-listener", "stopped", _CRITICAL,
          "psid of the init script does not run; {others}"),
    _rule("active legacy", "down", "*", "unclear", _CRITICAL, "{others}; {own}"),
    _rule("*", "*", "*", "unclear", _UNKNOWN, "{state}; {others}; {own}"),
)  # fmt: skip

#: Code -> what to do.
ADVICE: Mapping[str, tuple[Advice, ...]] = MappingProxyType({
    "hung": (Advice("look what it waits for, then restart it; its jobs die",
                    "systemctl restart psid"),),
    "failed": (Advice("read the reason", "journalctl -t psid -n 50"),),
    "split": (Advice("compare addresses and IDs with another node",
                     "/opt/parastation/bin/psiadmin -d -c 'resolve'"),
              Advice("see that psid listens on UDP port 886, and that no firewall is between",
                     "ss -lunp sport = :886")),
    "one-sided": (Advice("look for 'Name not unique on network' in the log of psid",
                         "journalctl -t psid -n 50"),
                  Advice("compare /etc/parastation.conf with that of another node")),
    "unlisted": (Advice("add it to the list of nodes everywhere; psid reads it at its start"),),
    "stopped": (Advice("start it; it joins by itself", "systemctl start psid"),),
    "startable": (Advice("start it; it joins by itself", "systemctl start psid"),
                  Advice("or keep it down", "systemctl mask --now psidstarter.socket psid")),
    "stale-view": (Advice("look again in a minute"),),
    "joining": (Advice("look again when it has settled; --settle changes the time"),),
    "outside-unit": (Advice("stop it and start the unit; its jobs die"),),
    "incompatible": (Advice("install the release of the cluster, and restart psid"),),
    "client-version": (Advice("restart psid when no job runs there", "systemctl restart psid"),),
    "no-listener": (Advice("read why it went", "journalctl -t psid -n 50"),),
    "restricted": (Advice("ask as root, who is not kept out by user and group"),),
    "unconfirmed": (Advice("let psops read another node of the cluster, too"),),
    "not-installed": (Advice("install psmgmt, or leave the host out"),),
    "unclear": (Advice("give the host its ID: labels = { psid_id = \"N\" } in the inventory"),),
})  # fmt: skip


def unit_kind(node: Node, settle: float) -> UnitKind:
    """Return the kind of state that a host's unit is in; `settle` is in seconds."""
    if node.legacy:
        return UnitKind.LEGACY
    unit = node.unit
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
        return Local.AGREES
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
    kind, seen, says = unit_kind(node, settle), cluster.seen(number), local(node, cluster)
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
        advice=_advice(rule, number),
    )
    return (found, *_slurmd(node, kind))


def _advice(rule: Rule, number: int | None) -> tuple[Advice, ...]:
    if rule.verdict is Verdict.OK:
        return ()
    unjoined = number is None and rule.code == "unconfirmed"
    return ADVICE.get("unclear" if unjoined else rule.code, ())


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
        told += f", but not {named(missed, cluster.names)}"
    if says is Local.ALONE and view.master not in (None, cluster.master):
        told += f", and has node {view.master} for its master"
    number = cluster.ids.get(node.host)
    if view.own is not None and number is not None and view.own != number:
        told += f", and takes itself for node {view.own}"
    elif other := cluster.renamed(node.host):
        told += f", and has {clean(other[0])} as node {other[1]}, which is node {other[2]}"
    return told


def _slurmd(node: Node, kind: UnitKind) -> tuple[Finding, ...]:
    """Return a finding if slurmd runs beside psid, whose plugin psslurm takes its place."""
    if not node.slurmd or kind not in (UnitKind.ACTIVE, UnitKind.FRESH, UnitKind.LEGACY):
        return ()
    told = {
        True: (_CRITICAL, "conflict", "slurmd runs beside psid, which has loaded psslurm in its "
               "place; both want port 6818"),
        False: (_OK, "no-psslurm", "slurmd runs, and psid has not loaded psslurm"),
        None: (_UNKNOWN, "unclear", "slurmd runs beside psid, and the plugins of psid could not "
               "be read: with psslurm both want port 6818"),
    }  # fmt: skip
    verdict, code, text = told[node.psslurm]
    stop = Advice("stop it and keep it down", "systemctl disable --now slurmd")
    return (
        Finding(
            name="slurmd", verdict=verdict, code=code, text=text, kind="check", bundle=BUNDLE,
            purpose="psslurm takes its place", advice=(stop,) if verdict is _CRITICAL else (),
        ),
    )  # fmt: skip
