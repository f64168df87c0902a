"""What `bundle verify` finds: verdicts, findings, and the report of a fleet; pure data.

Words: a *finding* is one daemon or check of one host with a verdict and the reason for it.
"""

from dataclasses import dataclass
from enum import IntEnum, StrEnum, unique
from typing import NamedTuple

from psops.exits import Exit
from psops.fanout import Outcome
from psops.inventory import Waiver
from psops.report.model import UnitStatus


@unique
class Verdict(StrEnum):
    """How something is. `unknown` is not worse than critical, it is no knowledge at all."""

    OK = "ok"
    WARNING = "warning"
    CRITICAL = "critical"
    UNKNOWN = "unknown"


@unique
class _Rank(IntEnum):
    """From good to bad, for the worst of several: what is known to be broken comes first."""

    OK = 0
    WARNING = 1
    UNKNOWN = 2
    CRITICAL = 3


def worst(verdicts: "list[Verdict] | tuple[Verdict, ...]") -> Verdict:
    """Return the worst of some verdicts; ok for none."""
    return max(verdicts, key=lambda verdict: _Rank[verdict.name], default=Verdict.OK)


class Advice(NamedTuple):
    """One sentence of what to do, and the command to type (may be empty)."""

    text: str
    command: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One daemon, or one check, of one host."""

    #: Name of the daemon or check in the catalogue.
    name: str
    verdict: Verdict
    #: Stable id of the reason: running, stopped, failed, crash-loop, not-installed ...
    code: str
    #: What is so, in a sentence.
    text: str
    #: "daemon" or "check".
    kind: str = "daemon"
    #: The bundle that expects it, and what it is for.
    bundle: str = ""
    purpose: str = ""
    severity: str = "required"
    #: The unit that decides, if there is one, with the last log lines of a failed one.
    unit: UnitStatus | None = None
    #: What another finding's name explains this one (its unit stopped, so this one did).
    because: str = ""
    advice: tuple[Advice, ...] = ()
    #: Why it is waived; its verdict then does not count.
    waiver: Waiver | None = None
    #: Seconds that a check took, 0 for daemons.
    elapsed: float = 0.0

    @property
    def counts(self) -> Verdict:
        """The verdict as far as it counts: ok if it is waived."""
        return Verdict.OK if self.waiver is not None else self.verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class HostVerdict:
    """All findings of one host, and what was taken for its role."""

    bundles: tuple[str, ...]
    #: Why these bundles: "named", "inventory", or the sign that was found.
    chosen_by: str
    os_family: str = ""
    os_name: str = ""
    version: str = ""
    findings: tuple[Finding, ...] = ()
    #: Notes on the whole host, such as waivers that have expired.
    notes: tuple[str, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """The worst verdict that counts; unknown for a host nothing is expected of."""
        if not self.findings:
            return Verdict.UNKNOWN
        return worst([finding.counts for finding in self.findings])


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyReport:
    """The outcome of every host, in the order in which they were asked for."""

    outcomes: tuple[Outcome[HostVerdict], ...]
    #: The command that made it.
    title: str = "psops bundle verify"
    #: From which verdict on the run fails: "warning" or "critical".
    fail_on: str = "critical"
    #: When it was made, in seconds since the epoch.
    made_at: float = 0.0
    ended: Exit = Exit.OK
    #: What the outcomes are of, and the names of those that are of what is beyond all hosts.
    noun: str = "host"
    beyond: tuple[str, ...] = ()
    #: Whether what is explained ends with its cause, which alone is to be mended.
    ends_with_cause: bool = False

    @property
    def command(self) -> str:
        """The words of the command, without the program's name."""
        return self.title.removeprefix("psops ")

    def verdict_of(self, outcome: Outcome[HostVerdict]) -> Verdict:
        """Return the verdict of one host: unknown if it could not be read."""
        return outcome.value.verdict if outcome.value is not None else Verdict.UNKNOWN

    @property
    def verdict(self) -> Verdict:
        """The worst verdict of all hosts."""
        return worst([self.verdict_of(outcome) for outcome in self.outcomes])

    @property
    def exit(self) -> Exit:
        """0 if nothing reaches `fail_on`; unknown fails always."""
        if self.ended is not Exit.OK:
            return self.ended
        if self.outcomes and all(outcome.error for outcome in self.outcomes):
            return Exit.UNAVAILABLE
        failing = {Verdict.CRITICAL, Verdict.UNKNOWN}
        if self.fail_on == "warning":
            failing.add(Verdict.WARNING)
        bad = any(self.verdict_of(outcome) in failing for outcome in self.outcomes)
        return Exit.SOME_FAILED if bad else Exit.OK
