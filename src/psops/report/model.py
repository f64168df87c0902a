"""What a run found, as data: the renderers and the exit code are made from it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from psops.exits import Exit, worst
from psops.fanout import Outcome

#: Active states in which a unit does its work; systemctl is-active counts the same.
RUNNING = frozenset({"active", "reloading", "refreshing"})
#: Load states of units that have no usable unit file.
BROKEN = frozenset({"bad-setting", "error"})
#: Load states of names behind which there is nothing to run.
ABSENT = frozenset({"not-found"})
#: Every load, active and sub state of systemd 258; others may come.
STATES = frozenset(
    """
    stub loaded not-found bad-setting error merged masked
    active reloading inactive failed activating deactivating maintenance refreshing
    abandoned activating-done auto-restart auto-restart-queued cleaning condition dead
    dead-before-auto-restart dead-resources-pinned deactivating-sigkill deactivating-sigterm
    deferred elapsed exited failed-before-auto-restart final-sigkill final-sigterm
    final-watchdog listening mounted mounting mounting-done plugged refresh-credentials
    refresh-extensions reload reload-notify reload-post reload-signal remounting
    remounting-sigkill remounting-sigterm running start start-chown start-open start-post
    start-pre stop stop-post stop-pre stop-pre-sigkill stop-pre-sigterm stop-sigkill
    stop-sigterm stop-watchdog tentative unmounting unmounting-sigkill unmounting-sigterm
    waiting
""".split()
)


class LogLine(NamedTuple):
    """One line of a journal: time in microseconds since the epoch, who, what."""

    time_us: int
    identifier: str
    message: str


class Process(NamedTuple):
    """One process of a unit: control group, process id, command line."""

    cgroup: str
    pid: int
    command: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitStatus:
    """One unit of one host. `name` is what was asked for, `id` the unit's primary name."""

    name: str
    id: str
    description: str
    load: str
    active: str
    sub: str
    #: Values by systemd's property name; a property the unit has no value for is missing.
    properties: Mapping[str, Any]
    #: The last journal lines; None if they were not asked for.
    log: tuple[LogLine, ...] | None = None
    processes: tuple[Process, ...] = ()

    @property
    def failed(self) -> bool:
        """Whether systemd calls the unit failed."""
        return self.active == "failed"

    @property
    def trouble(self) -> bool:
        """Whether an admin would want to know: failed, between two crashes, or unusable."""
        return (
            self.failed
            or self.sub == "auto-restart"
            or self.load in BROKEN
            or (self.load in ABSENT and self.active in RUNNING)
            or self.active == "maintenance"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class HostStatus:
    """What one host answered. State and counts are there when no unit was asked for."""

    units: tuple[UnitStatus, ...]
    #: Globs that no unit of the host matches.
    unmatched: tuple[str, ...] = ()
    state: str = ""
    version: str = ""
    #: Units by active state.
    counts: Mapping[str, int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusReport:
    """The outcome of every host, in the order in which they were asked for."""

    outcomes: tuple[Outcome[HostStatus], ...]
    #: Whether units were asked for by name or pattern, so that a stopped one is an answer.
    named: bool = False
    #: Properties to show instead of the usual columns.
    properties: tuple[str, ...] = ()
    #: Show everything about the one unit of the one host.
    details: bool = False
    #: States that were asked for, that psops does not know, and that no unit is in.
    strange_states: tuple[str, ...] = ()
    #: What was asked for that is nowhere, in sentences.
    notes: tuple[str, ...] = ()
    #: Why the run ended early, if it did.
    ended: Exit = Exit.OK

    @property
    def exit(self) -> Exit:
        """The exit code: how the run ended, whether hosts answered, what their units do."""
        if self.ended is not Exit.OK:
            return self.ended
        if self.outcomes and all(outcome.error for outcome in self.outcomes):
            return Exit.UNAVAILABLE
        strange = Exit.UNKNOWN_UNIT if self.strange_states else Exit.OK
        return worst([strange, *(_host_exit(one, self.named) for one in self.outcomes)])


def _host_exit(outcome: Outcome[HostStatus], named: bool) -> Exit:
    if outcome.error is not None or outcome.value is None:
        return Exit.SOME_FAILED
    if not named:
        trouble = any(unit.trouble for unit in outcome.value.units)
        return Exit.SOME_FAILED if trouble else Exit.OK
    if outcome.value.unmatched:
        return Exit.UNKNOWN_UNIT
    return worst(map(_unit_exit, outcome.value.units))


def _unit_exit(unit: UnitStatus) -> Exit:
    if unit.active in RUNNING:
        return Exit.OK
    return Exit.UNKNOWN_UNIT if unit.load in ABSENT else Exit.NOT_RUNNING
