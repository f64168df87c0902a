"""A change on one host: read its units, plan, record, send, wait for the jobs, look again.

One connection does it all. Only if that breaks while jobs are under way, a second one is made,
to read what has become of them.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Protocol

from psops import judge_change, plan
from psops.catalogue import Catalogue
from psops.changes import HostChange, Request, Result, UnitChange, joint
from psops.client import Client
from psops.deadline import Deadline
from psops.errors import BusError, DeadlineExceeded, PsopsError
from psops.inventory import Host
from psops.journal import read_log
from psops.plan import Plan, Step
from psops.protect import guarded
from psops.report.model import UnitStatus
from psops.selection import Selection
from psops.systemd import jobs
from psops.systemd.bus import Call, Reply
from psops.systemd.jobs import Queued
from psops.transport import Connection, Options, connect
from psops.verdict import HostVerdict

#: Seconds without news after which the host is asked whether it is there at all.
_QUIET = 5.0
_LOG_LINES = 5
_NEEDS = ("Requires", "Requisite", "BindsTo")


class Keeper(Protocol):
    """Who keeps the record of a run, and says whether more hosts may be changed."""

    def begin(self, host: Host, units: Sequence[UnitStatus]) -> None:
        """Write down what is about to be changed; raises if that cannot be, or must not."""

    def tell(self, host: Host, changes: Iterable[UnitChange]) -> None:
        """Take what is known by now of the host's units."""


class HostChanger:
    """One host while it is changed."""

    def __init__(
        self,
        host: Host,
        request: Request,
        options: Options,
        keeper: Keeper,
        catalogue: Callable[[], Catalogue],
    ) -> None:
        self._host = host
        self._request = request
        self._options = options
        self._keeper = keeper
        self._catalogue = catalogue
        self._connection: Connection | None = None
        self._client: Client | None = None
        self._before: dict[str, UnitStatus] = {}
        self._parts: dict[str, list[UnitChange]] = {}  # what is known of each unit's parts
        self._because: dict[str, str] = {}
        self._jobs: dict[str, Step] = {}  # path of a job that is under way -> its step
        self._begun: dict[str, float] = {}
        self._sent: Plan | None = None
        self._notes: list[str] = []

    def run(self) -> HostChange:
        """Return what was changed; raises `HostError` if nothing was begun."""
        try:
            self._open()
            try:
                verdict = self._verify() if self._request.verify else None
                planned = self._plan()
                if self._request.dry_run:
                    return HostChange(units=planned.settled,
                                      calls=plan.shown(planned, self._request.verb.name),
                                      notes=tuple(self._notes))  # fmt: skip
                for change in planned.settled:
                    self._parts.setdefault(change.unit, []).append(change)
                if planned.steps or self._request.verb.name == "daemon-reload":
                    self._keeper.begin(self._host, [self._before[name] for name in planned.units])
                    self._sent = planned
                    self._send(planned)
            except PsopsError as exc:
                if self._sent is None:
                    raise
                self._recover(exc)
            if verdict is not None and self._sent is not None:
                self._compare(verdict)
            return self._done()
        finally:
            self._close()

    def known(self) -> tuple[UnitChange, ...]:
        """Return what is known of every unit; may be called by another thread at any time."""
        parts = {name: list(changes) for name, changes in list(self._parts.items())}
        for name in self._sent.units if self._sent is not None else ():
            if name not in parts:
                parts[name] = [UnitChange(unit=name, result=Result.UNKNOWN, code="not-seen",
                                          message="its end was not seen",
                                          before=self._before.get(name))]  # fmt: skip
        order = list(dict.fromkeys((*self._before, *parts)))
        return tuple(self._joint(name, parts[name]) for name in order if name in parts)

    @property
    def begun(self) -> bool:
        """Whether anything was sent that changes the host."""
        return self._sent is not None

    # -- connection ---------------------------------------------------------------------

    def _open(self) -> None:
        self._connection = connect(self._host, self._options)
        self._client = Client(self._connection.open_bus(), Deadline(self._options.timeout))

    def _close(self) -> None:
        connection, self._connection, self._client = self._connection, None, None
        if connection is not None:
            connection.close()

    def _call(self, calls: Sequence[Call], seconds: float | None = None) -> list[Reply]:
        assert self._client is not None
        return self._client.call(calls, Deadline(seconds or self._options.timeout))

    def _select(self) -> Selection:
        assert self._connection is not None
        assert self._client is not None
        return Selection(self._host, self._request, self._connection, self._client,
                         catalogue=self._catalogue, timeout=self._options.timeout)  # fmt: skip

    def _plan(self) -> Plan:
        selection = self._select()
        wanted = selection.find()
        self._before, self._because = selection.units, selection.because
        self._parts |= selection.settled
        self._notes += selection.notes
        protected = guarded(self._host, self._request.verb) - self._request.force
        return plan.make(self._request, wanted, protected)

    # -- changing -----------------------------------------------------------------------

    def _send(self, planned: Plan) -> None:
        block = self._request.block
        subscription: tuple[Call, ...] = ()
        if planned.waves and block:
            kept = (jobs.keep(step.unit) for wave in planned.waves for step in wave)
            subscription = (*jobs.subscribe(), *kept)
        changed_files = self._send_first(planned, subscription)
        if self._request.verb.name == "daemon-reload" or changed_files:
            self._reload()
        failed: set[str] = set()
        for wave in planned.waves:
            sent = self._send_wave(planned, wave, failed)
            if block:
                self._wait(sent)
            failed |= {step.unit for step in wave if self._is_bad(step.unit)}
        if block:
            self._settle(planned)
        self._look_again(planned)

    def _send_first(self, planned: Plan, subscription: Sequence[Call]) -> bool:
        """Send what needs no job, and tell whether unit files were changed."""
        replies = self._call([*subscription, *(step.call for step in planned.first)])
        changed_files = False
        for step, reply in zip(planned.first, replies[len(subscription) :], strict=True):
            if isinstance(reply, BusError):
                self._note_refusal(step, reply)
            elif step.kind == "files":
                changes = jobs.parse_changes(reply)
                changed_files = changed_files or bool(changes)
                self._note(step.unit, judge_change.files_changed(
                    self._request, step.unit, changes, reply))  # fmt: skip
            elif step.kind != "reset" or not planned.waves:
                self._note(step.unit, UnitChange(unit=step.unit, result=Result.CHANGED))
        return changed_files

    def _reload(self) -> None:
        reply = self._call([jobs.reload()], jobs.RELOAD_TIMEOUT)[0]
        if isinstance(reply, BusError):
            self._note_refusal(Step("systemd", jobs.reload(), "reload"), reply)
        elif self._request.verb.name == "daemon-reload":
            self._note("systemd", UnitChange(unit="systemd", result=Result.CHANGED))

    def _send_wave(self, planned: Plan, wave: Sequence[Step], failed: set[str]) -> list[Step]:
        """Queue the jobs of a wave but for units whose own change has failed by now."""
        steps = [step for step in wave if not self._is_bad(step.unit)]
        for step in list(steps):
            if step.because in failed and jobs.VERBS[self._request.job_verb].starts:
                steps.remove(step)
                self._note(step.unit, UnitChange(unit=step.unit, result=Result.SKIPPED,
                                                 message=f"{step.because} is not up"))  # fmt: skip
        now = time.monotonic()
        self._begun |= {step.unit: now for step in steps}
        replies = self._call([step.call for step in steps]) if steps else []
        replies = self._again_as_before(steps, replies)
        for step, reply in zip(steps, replies, strict=True):
            if isinstance(reply, BusError):
                self._note_refusal(step, reply)
                continue
            self._queued(step, jobs.parse_queued(reply), planned)
        return steps

    def _again_as_before(self, steps: Sequence[Step], replies: list[Reply]) -> list[Reply]:
        """Return the replies, those of the older calls where the newer one is not to be had."""
        old = [at for at, reply in enumerate(replies) if jobs.needs_older_call(reply)]
        verb = jobs.VERBS[self._request.job_verb]
        calls = [jobs.enqueue_old(steps[at].unit, verb, self._request.mode) for at in old]
        for at, reply in zip(old, self._call(calls) if calls else [], strict=True):
            replies[at] = reply
        return replies

    def _queued(self, step: Step, queued: Queued, planned: Plan) -> None:
        if not self._request.block:
            self._note(step.unit, UnitChange(unit=step.unit, result=Result.CHANGED,
                                             message="its job is queued"))  # fmt: skip
            return
        self._jobs[queued.path] = step
        for path, unit, job in queued.affected:
            if unit not in planned.units:
                self._because[unit] = step.unit
                self._jobs[path] = Step(unit, step.call, "affected", job, step.unit)

    def _wait(self, steps: Sequence[Step]) -> None:
        """Wait until the jobs are done, as their signals tell."""
        assert self._client is not None
        deadline = Deadline(plan.limit(self._request, steps, self._before))
        while self._jobs and not deadline.passed():
            try:
                signals = self._client.signals(Deadline(min(_QUIET, deadline.remaining())))
            except DeadlineExceeded:
                if not deadline.passed():
                    self._call([jobs.ping()], self._options.connect_timeout)
                continue
            for message in signals:
                removed = jobs.parse_job_removed(message)
                step = self._jobs.pop(removed[0], None) if removed is not None else None
                if step is not None and removed is not None:
                    self._ended(step, removed[2])
        for step in self._jobs.values():
            if step.kind != "affected":
                self._note(step.unit, judge_change.still_running(step, deadline.seconds))
        self._jobs.clear()

    def _ended(self, step: Step, result: str) -> None:
        elapsed = time.monotonic() - self._begun[step.because if step.kind == "affected" else
                                                 step.unit]  # fmt: skip
        change = judge_change.job_ended(self._request, step, result, self._before.get(step.unit))
        self._note(step.unit, replace(change, elapsed=elapsed, because=step.because))

    def _settle(self, planned: Plan) -> None:
        """Watch what was started for a while: a program may die just after its job is done."""
        assert self._client is not None
        started = [step.unit for wave in planned.waves for step in wave
                   if self._may_die(step.unit)]  # fmt: skip
        deadline = Deadline(self._request.settle)
        while started and not deadline.passed():
            try:
                self._client.signals(deadline)
            except DeadlineExceeded:
                break

    def _may_die(self, unit: str) -> bool:
        """Tell whether a unit was started whose program is to run on."""
        changes = self._parts.get(unit, [])
        if not changes or changes[-1].result is not Result.CHANGED or not unit.endswith(".service"):
            return False
        before = self._before.get(unit)
        oneshot = before is not None and before.properties.get("Type") == "oneshot"
        return jobs.VERBS[self._request.job_verb].starts and not oneshot

    # -- looking again ------------------------------------------------------------------

    def _look_again(self, planned: Plan) -> None:
        """Read the units once more, and correct what was noted where they tell otherwise."""
        names = [name for name in self._parts if name in self._before or name in self._because]
        extra = _NEEDS if any(self._code(name) == "dependency" for name in names) else ()
        units = {unit.name: unit for unit in self._select().read(names, extra)} if names else {}
        for name, after in units.items():
            changes = self._parts[name]
            changes[-1] = judge_change.look(self._request, planned, changes[-1], after)
            if changes[-1].code == "dependency":
                changes[-1] = self._blame(changes[-1], after)
            if changes[-1].result is Result.FAILED and changes[-1].code in judge_change.LOGGED:
                assert self._connection is not None
                log = read_log(self._connection, after, _LOG_LINES, self._options.timeout)
                changes[-1] = replace(changes[-1], log=tuple(log))
        self._keeper.tell(self._host, self.known())

    def _blame(self, change: UnitChange, unit: UnitStatus) -> UnitChange:
        """Return the change with the name of the unit that was needed and is not there."""
        names = [str(name) for key in _NEEDS for name in unit.properties.get(key) or ()]
        return (
            judge_change.blame(change, self._select().read(list(dict.fromkeys(names))))
            if names
            else change
        )

    def _recover(self, lost: PsopsError) -> None:
        """Connect again, once, and read what has become of the units."""
        assert self._sent is not None
        self._close()
        open_jobs = {step.unit: step for step in self._sent.steps if step.kind != "reset"}
        open_jobs |= {step.unit: step for step in self._jobs.values()}
        self._jobs.clear()
        try:
            self._open()
            units = {unit.id: unit for unit in self._select().read(list(open_jobs), ("Job",))}
            for name, step in open_jobs.items():
                if name in self._parts and self._parts[name][-1].after is not None:
                    continue
                before, after = self._before.get(name), units[name]
                self._parts[name] = [
                    judge_change.recovered(self._request, step, before, after, lost)
                ]
        except PsopsError as again:
            for name, step in open_jobs.items():
                if name not in self._parts:
                    change = judge_change.lost(step, self._before.get(name), lost, again)
                    self._parts[name] = [change]

    # -- proving ------------------------------------------------------------------------

    def _verify(self) -> HostVerdict:
        from psops.survey import Survey

        assert self._connection is not None
        assert self._client is not None
        bundles = (self._request.bundle,) if self._request.bundle else ()
        return Survey(self._host, self._connection, self._client, self._catalogue(),
                      bundles=bundles, checks=("units",),
                      timeout=self._options.timeout).verify()  # fmt: skip

    def _compare(self, before: HostVerdict) -> None:
        if self._connection is None:
            return
        worse = judge_change.worse(before, self._verify())
        if worse:
            self._parts["verify"] = [UnitChange(unit="bundle verify", result=Result.FAILED,
                                                code="worse", message=worse)]  # fmt: skip

    # -- telling ------------------------------------------------------------------------

    def _note(self, unit: str, change: UnitChange) -> None:
        before = change.before or self._before.get(unit)
        because = change.because or self._because.get(unit, "")
        self._parts.setdefault(unit, []).append(replace(change, before=before, because=because))

    def _note_refusal(self, step: Step, error: BusError) -> None:
        before = self._before.get(step.unit)
        self._note(step.unit, judge_change.refused(self._request, step, error, self._host, before))

    def _is_bad(self, unit: str) -> bool:
        changes = self._parts.get(unit, [])
        return any(one.result in (Result.FAILED, Result.UNKNOWN) for one in changes)

    def _code(self, unit: str) -> str:
        return self._parts[unit][-1].code

    def _joint(self, name: str, changes: list[UnitChange]) -> UnitChange:
        decided = joint([change.result for change in changes])
        last = next(change for change in reversed(changes) if change.result is decided)
        after = next((one.after for one in reversed(changes) if one.after is not None), None)
        elapsed = sum(change.elapsed for change in changes)
        return replace(last, before=self._before.get(name) or last.before, after=after,
                       elapsed=elapsed)  # fmt: skip

    def _done(self) -> HostChange:
        return HostChange(units=self.known(), notes=tuple(self._notes))
