"""What a run that changes units was asked for and what it did, as data.

Words: a *change* is one unit of one host, from what it was to what it became.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum, unique
from typing import NamedTuple

from psops.exits import Exit
from psops.fanout import Outcome
from psops.report.model import LogLine, UnitStatus
from psops.systemd.jobs import Verb
from psops.verdict import Advice


@unique
class Result(StrEnum):
    """What became of a change. `unknown`: it was begun, and its end was not seen."""

    CHANGED = "changed"
    UNCHANGED = "unchanged"
    SKIPPED = "skipped"
    FAILED = "failed"
    UNKNOWN = "unknown"
    NOT_ATTEMPTED = "not-attempted"


#: From the result that says least of several to the one that says most.
_RANK = (Result.UNCHANGED, Result.SKIPPED, Result.CHANGED, Result.NOT_ATTEMPTED, Result.UNKNOWN,
         Result.FAILED)  # fmt: skip
#: Results after which a host has to be looked at or done again.
BAD = frozenset({Result.FAILED, Result.UNKNOWN, Result.NOT_ATTEMPTED})


def joint(results: "list[Result]") -> Result:
    """Return the one result that several parts of a change have together."""
    return max(results, key=_RANK.index, default=Result.UNCHANGED)


class Before(NamedTuple):
    """What an earlier run that is done again did on a host: units by their names."""

    done: frozenset[str] = frozenset()
    undone: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is to be done on every host."""

    verb: Verb
    names: tuple[str, ...] = ()
    globs: tuple[str, ...] = ()
    #: All daemons of this bundle that the host must run.
    bundle: str = ""
    #: Start, restart or stop the units as well, where the verb is about unit files.
    now: bool = False
    runtime: bool = False
    mode: str = "replace"
    #: Wait until the jobs are done.
    block: bool = True
    #: Leave alone what stopped together with a unit that is started.
    only: bool = False
    signal: int = 15
    whom: str = "all"
    #: Seconds for which a started unit is watched.
    settle: float = 2.0
    #: Seconds for each job, instead of what the unit itself allows.
    job_timeout: float | None = None
    dry_run: bool = False
    #: Names of what may be changed although the inventory protects it.
    force: frozenset[str] = frozenset()
    #: Prove the host's bundles before and after.
    verify: bool = False
    #: Host -> what is done there already, where an earlier run is done again.
    before: Mapping[str, Before] = field(default_factory=dict)

    @property
    def job_verb(self) -> str:
        """The verb whose job is queued, "" for none."""
        return self.verb.name if self.verb.job else self.verb.now if self.now else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitChange:
    """One unit of one host. `code` is a stable id of the reason, for what went wrong."""

    unit: str
    result: Result
    #: What is so, in a clause without the unit's name; "" if the result says it all.
    message: str = ""
    code: str = ""
    before: UnitStatus | None = None
    after: UnitStatus | None = None
    #: The unit whose change brought this one along.
    because: str = ""
    advice: tuple[Advice, ...] = ()
    log: tuple[LogLine, ...] = ()
    elapsed: float = 0.0


class PlannedCall(NamedTuple):
    """A call as a dry run shows it: the method and its arguments."""

    method: str
    arguments: tuple[str, ...]
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HostChange:
    """What was done, or would be done, on one host."""

    units: tuple[UnitChange, ...] = ()
    calls: tuple[PlannedCall, ...] = ()
    #: What is true of the host as a whole, such as the role that a bundle was taken for.
    notes: tuple[str, ...] = ()

    @property
    def result(self) -> Result:
        """The result of all its units together."""
        return joint([unit.result for unit in self.units])


def result_of(outcome: Outcome[HostChange]) -> Result:
    """Return the result of one host; one that was not reached has failed."""
    if outcome.value is not None:
        return outcome.value.result
    code = outcome.error.code if outcome.error is not None else ""
    return Result.NOT_ATTEMPTED if code == "not-attempted" else Result.FAILED


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeReport:
    """The outcome of every host, in the order in which they were asked for."""

    request: Request
    outcomes: tuple[Outcome[HostChange], ...]
    #: Number of the run in the history, None if it was not recorded.
    run: int | None = None
    elapsed: float = 0.0
    #: Why no more hosts were begun, if so.
    stopped: str = ""
    ended: Exit = Exit.OK

    def changes(self) -> "Iterator[tuple[str, UnitChange]]":
        """Yield host name and change of every unit."""
        for outcome in self.outcomes:
            for unit in outcome.value.units if outcome.value is not None else ():
                yield outcome.host.name, unit

    @property
    def exit(self) -> Exit:
        """0 if nothing failed; 4 if nothing is wrong but names that do not exist."""
        if self.ended is not Exit.OK:
            return self.ended
        errors = [outcome.error for outcome in self.outcomes if outcome.error is not None]
        if errors and len(errors) == len(self.outcomes) and not self.stopped:
            kinds = {error.exit for error in errors}
            return kinds.pop() if len(kinds) == 1 else Exit.UNAVAILABLE
        bad = [unit.code for _, unit in self.changes() if unit.result in BAD]
        if errors or any(code != "no-such-unit" for code in bad):
            return Exit.SOME_FAILED
        return Exit.UNKNOWN_UNIT if bad else Exit.OK
