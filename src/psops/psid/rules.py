"""The table of verdicts on a node, and what to do about each; pure.

It says what an administrator of psmgmt 5.1 to 6.8 would conclude: the states were made with
real daemons that were killed, stopped, cut off and misconfigured.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from psops.psid.refusal import Reply
from psops.psid.views import Seen
from psops.verdict import Advice, Verdict


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
    #: It sees all that most see, but takes itself or others for other nodes than those do.
    OTHER_IDS = "other-ids"
    SILENT = Reply.SILENT.value
    NO_LISTENER = Reply.NO_LISTENER.value
    RESTRICTED = Reply.RESTRICTED.value
    VERSION = Reply.VERSION.value
    RESETTING = Reply.RESETTING.value
    FULL = Reply.FULL.value
    NO_PROGRAM = Reply.NO_PROGRAM.value
    UNCLEAR = Reply.UNCLEAR.value


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
_JOINING = "psid was started {age} ago and may still be joining; {others}; {own}"
_ANSWERS = "agrees differs alone other-ids"

#: Why views may differ: if its IDs do, and else, for one that others see up and one that not.
OTHER_LIST = "its list of nodes is another, or the inventory gives it a wrong ID"
CAUSES = (
    "its table of IDs and addresses differs, or the way there is open in one direction only",
    "UDP port 886 is blocked, or its table of IDs and addresses differs",
)
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
    _rule("active fresh legacy", "elsewhere", "*", "other-cluster", _CRITICAL,
          "psid runs in another cluster: its list has no node in common with those of most"),
    _rule("fresh", "down", "*", "joining", _WARNING, _JOINING),
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
    _rule("active fresh legacy", "up", "other-ids", "ids-differ", _CRITICAL,
          "{others}, but {own}: {cause}"),
    _rule("active fresh", "up", "agrees", "member", _OK, _TWO),
    _rule("fresh", "up unknown", "*", "joining", _WARNING, _JOINING),
    _rule("active", "*", "no-listener", "no-listener", _CRITICAL,
          "psid.service is active, but nothing takes clients on this host; {others}"),
    _rule("active", "up", "differs alone", "one-sided", _CRITICAL,
          "{others}, but {own}: {cause}"),
    _rule("active", "up", "restricted", "restricted", _WARNING,
          "{others}; what it sees itself could not be read: psid takes no clients of this user "
          "or group, or no more of them"),
    _rule("active", "down", _ANSWERS, "split", _CRITICAL,
          "{others}, but psid runs and answers, and {own}: {cause}"),
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
    _rule("legacy", "up", "differs alone", "one-sided", _CRITICAL, "{others}, but {own}: {cause}"),
    _rule("legacy", "up", "*", "legacy", _WARNING,
          "run by the init script, whose status tells nothing; {others}; {own}"),
    _rule("legacy", "down", _ANSWERS, "split", _CRITICAL,
          "{others}, but psid runs and answers, and {own}: {cause}"),
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
    "ids-differ": (Advice("compare addresses and IDs with another node, and with the inventory",
                          "/opt/parastation/bin/psiadmin -d -c 'resolve'"),),
    "other-cluster": (Advice("verify each cluster by itself, with --hosts or --group"),),
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
