"""A change on one host: read its units, plan, record, send, wait for the jobs, look again.

One connection does it all. Only if that breaks while steps are under way, a second one is made,
to read what has become of them.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Protocol

from psops import judge_change, plan
from psops.catalogue import Catalogue
from psops.changes import HostChange, Request, Result, UnitChange
from psops.client import Client
from psops.deadline import Deadline
from psops.errors import BusError, DeadlineExceeded, PsopsError
from psops.inventory import Host
from psops.journal import read_log
from psops.ledger import Ledger
from psops.plan import Plan, Step
from psops.protect import guarded
from psops.report.model import UnitStatus
from psops.selection import Selection
from psops.systemd import jobs, manager
from psops.systemd.bus import Call, Reply
from psops.systemd.jobs import Queued
from psops.transport import Connection, Options, connect
from psops.verdict import HostVerdict

#: Seconds without news after which the host is asked whether it is there at all.
_QUIET = 5.0
_LOG_LINES = 5
_NEEDS = ("Requires", "Requisite", "BindsTo")
#: What the manager itself is told, when unit files have changed or by daemon-reload.
_RELOAD = Step("systemd", jobs.reload(), "reload")


class Keeper(Protocol):
    """Who keeps the record of a run, and says whether more hosts may be changed."""

    def begin(self, host: Host, units: Sequence[UnitStatus]) -> None:
        """Write down what is about to be changed; raises if that cannot be, or must not."""


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
        self._ledger = Ledger()
        self._jobs: dict[str, Step] = {}  # path of a job that is under way -> its step
        self._sent_at: dict[str, float] = {}
        self._notes: list[str] = []

    def run(self) -> HostChange:
        """Return what was changed; raises `HostError` if nothing was begun."""
        try:
            self._open()
            verdict = self._verify() if self._request.verify else None
            planned, before = self._plan()
            if self._request.dry_run:
                return replace(self._known(), calls=plan.shown(planned, self._request.verb.name))
            self._ledger.expect(planned.steps)
            if self._request.verb.name == "daemon-reload":
                self._ledger.expect([_RELOAD])
            if self._ledger.last_steps():
                self._keeper.begin(self._host, [before[name] for name in planned.units])
                self._change(planned)
                if verdict is not None:
                    self._compare(verdict)
            return self._known()
        finally:
            self._close()

    def give_up(self) -> HostChange | None:
        """Begin nothing more, and return what is known of every unit, None if nothing was begun.

        May be called by another thread at any time.
        """
        self._ledger.give_up()
        return self._known() if self._ledger.begun else None

    def _known(self) -> HostChange:
        return HostChange(units=self._ledger.changes(), notes=tuple(self._notes))

    # -- connection ---------------------------------------------------------------------

    def _open(self) -> None:
        self._connection = connect(self._host, self._options)
        try:
            channel = self._connection.open_bus()
        except PsopsError:
            self._close()
            raise
        self._client = Client(channel, Deadline(self._options.timeout))

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

    def _plan(self) -> tuple[Plan, dict[str, UnitStatus]]:
        """Return what is to be sent, and the units as they are before it."""
        selection = self._select()
        wanted = selection.find()
        self._ledger.read(selection.units, selection.because)
        for changes in selection.settled.values():
            self._ledger.settle(changes)
        self._notes += selection.notes
        planned = plan.make(self._request, wanted, guarded(self._host, self._request.verb))
        self._ledger.settle(planned.settled)
        return planned, selection.units

    # -- changing -----------------------------------------------------------------------

    def _change(self, planned: Plan) -> None:
        try:
            self._send(planned)
        except PsopsError as exc:
            if self._ledger.given_up or not self._ledger.begun:
                raise
            self._recover(planned, exc)

    def _send(self, planned: Plan) -> None:
        block = self._request.block
        subscription: tuple[Call, ...] = ()
        if planned.waves and block:
            kept = (jobs.keep(step.unit) for wave in planned.waves for step in wave)
            subscription = (*jobs.subscribe(), *kept)
        if planned.first or subscription:
            self._send_first(planned, subscription)
        if _RELOAD in self._ledger.last_steps().values():
            self._reload()
        failed: set[str] = set()
        for wave in planned.waves:
            sent = self._send_wave(planned, wave, failed)
            if block:
                self._wait(sent)
            failed |= {step.unit for step in wave if self._ledger.is_bad(step.unit)}
        if block:
            self._settle(planned)
        self._look_again(planned)

    def _send_first(self, planned: Plan, subscription: Sequence[Call]) -> None:
        """Send what needs no job; where unit files were changed, systemd is to read them again."""
        self._ledger.open(planned.first)
        replies = self._call([*subscription, *(step.call for step in planned.first)])
        for step, reply in zip(planned.first, replies[len(subscription) :], strict=True):
            if isinstance(reply, BusError):
                self._close_refused(step, reply)
            elif step.kind == "files":
                changes = jobs.parse_changes(reply)
                if changes:
                    self._ledger.expect([_RELOAD])
                self._ledger.close(step, judge_change.files_changed(
                    self._request, step.unit, changes, reply))  # fmt: skip
            elif step.kind == "reset" and planned.waves:
                self._ledger.drop(step)  # the start that follows is what was asked for
            else:
                self._ledger.close(step, UnitChange(unit=step.unit, result=Result.CHANGED))

    def _reload(self) -> None:
        self._ledger.open([_RELOAD])
        reply = self._call([_RELOAD.call], jobs.RELOAD_TIMEOUT)[0]
        if isinstance(reply, BusError):
            self._close_refused(_RELOAD, reply)
        elif self._request.verb.name == "daemon-reload":
            self._ledger.close(_RELOAD, UnitChange(unit=_RELOAD.unit, result=Result.CHANGED))
        else:
            self._ledger.drop(_RELOAD)

    def _send_wave(self, planned: Plan, wave: Sequence[Step], failed: set[str]) -> list[Step]:
        """Queue the jobs of a wave but for units whose own change has failed by now."""
        steps = []
        for step in wave:
            if self._ledger.is_bad(step.unit):
                self._ledger.drop(step)
            elif step.because in failed and jobs.VERBS[self._request.job_verb].starts:
                message = f"{step.because} is not up"
                self._ledger.close(step, UnitChange(unit=step.unit, result=Result.SKIPPED,
                                                    message=message))  # fmt: skip
            else:
                steps.append(step)
        if not steps:
            return steps
        self._sent_at |= dict.fromkeys([step.unit for step in steps], time.monotonic())
        self._ledger.open(steps)
        replies = self._again_as_before(steps, self._call([step.call for step in steps]))
        for step, reply in zip(steps, replies, strict=True):
            if isinstance(reply, BusError):
                self._close_refused(step, reply)
            else:
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
            self._ledger.close(step, UnitChange(unit=step.unit, result=Result.CHANGED,
                                                message="its job is queued"))  # fmt: skip
            return
        self._jobs[queued.path] = step
        others = {path: Step(unit, step.call, "affected", job, step.unit)
                  for path, unit, job in queued.affected if unit not in planned.units}  # fmt: skip
        self._ledger.open(others.values())
        self._jobs |= others

    def _wait(self, steps: Sequence[Step]) -> None:
        """Wait until the jobs are done, as their signals tell."""
        assert self._client is not None
        before = {step.unit: unit for step in steps
                  if (unit := self._ledger.before(step.unit)) is not None}  # fmt: skip
        deadline = Deadline(plan.limit(self._request, steps, before))
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
            if step.kind == "affected":
                self._ledger.drop(step)
            else:
                self._ledger.close(step, judge_change.still_running(step, deadline.seconds))
        self._jobs.clear()

    def _ended(self, step: Step, result: str) -> None:
        sent_at = self._sent_at[step.because if step.kind == "affected" else step.unit]
        change = judge_change.job_ended(self._request, step, result,
                                        self._ledger.before(step.unit))  # fmt: skip
        self._ledger.close(step, replace(change, elapsed=time.monotonic() - sent_at,
                                         because=step.because))  # fmt: skip

    def _settle(self, planned: Plan) -> None:
        """Watch what was started for a while: a program may die just after its job is done."""
        assert self._client is not None
        started = [step for wave in planned.waves for step in wave if self._may_die(step)]
        deadline = Deadline(self._request.settle)
        while started and not deadline.passed():
            try:
                self._client.signals(deadline)
            except DeadlineExceeded:
                break

    def _may_die(self, step: Step) -> bool:
        """Tell whether a unit was started whose program is to run on."""
        last = self._ledger.last_steps().get(step.unit)
        if last != step or self._ledger.of(step).result is not Result.CHANGED:
            return False
        before = self._ledger.before(step.unit)
        oneshot = before is not None and before.properties.get("Type") == "oneshot"
        starts = jobs.VERBS[self._request.job_verb].starts
        return starts and not oneshot and step.unit.endswith(".service")

    # -- looking again ------------------------------------------------------------------

    def _look_again(self, planned: Plan) -> None:
        """Read the units once more, and correct what was noted where they tell otherwise."""
        steps = {name: step for name, step in self._ledger.last_steps().items()
                 if step.kind != "reload"}  # fmt: skip
        needs = any(self._ledger.of(step).code == "dependency" for step in steps.values())
        units = self._select().read(list(steps), _NEEDS if needs else ()) if steps else []
        for after in units:
            step = steps[after.name]
            change = judge_change.look(self._request, planned, self._ledger.of(step), after)
            if change.code == "dependency":
                change = self._blame(change, after)
            if change.result is Result.FAILED and change.code in judge_change.LOGGED:
                assert self._connection is not None
                log = read_log(self._connection, after, _LOG_LINES, self._options.timeout)
                change = replace(change, log=tuple(log))
            self._ledger.close(step, change)

    def _blame(self, change: UnitChange, unit: UnitStatus) -> UnitChange:
        """Return the change with the name of the unit that was needed and is not there."""
        names = dict.fromkeys(
            str(name) for key in _NEEDS for name in unit.properties.get(key) or ()
        )
        needed = self._select().read(list(names)) if names else []
        return judge_change.blame(change, needed)

    # -- a connection that breaks -------------------------------------------------------

    def _recover(self, planned: Plan, lost: PsopsError) -> None:
        """Connect again, once, and read what has become of the steps whose end was not seen.

        What systemd has answered stays as it is, and what waited for its turn was not attempted.
        """
        since = time.monotonic()
        queued = frozenset(self._jobs.values())
        unwatched = [step for wave in planned.waves for step in wave if self._may_die(step)]
        self._jobs.clear()
        self._close()
        try:
            self._open()
            if planned.waves and jobs.VERBS[self._request.job_verb].starts:
                # What was started has to run for as long as it would have been watched.
                time.sleep(max(0.0, since + self._request.settle - time.monotonic()))
            self._read_truth(queued, lost)
            self._look_again(planned)
        except PsopsError as again:
            self._ledger.lose_sight()
            for step in self._ledger.open_steps():
                self._ledger.close(step, judge_change.lost(step, lost, again))
            for step in unwatched:
                self._ledger.close(step, judge_change.unwatched(self._ledger.of(step), lost))

    def _read_truth(self, queued: frozenset[Step], lost: PsopsError) -> None:
        """Close the open steps by what their units are now; `queued` had got their jobs."""
        steps = self._ledger.open_steps()
        names = dict.fromkeys(step.unit for step in steps if step != _RELOAD)
        units = {unit.name: unit for unit in self._select().read(list(names), ("Job",))}
        files = [step for step in steps if step.kind == "files"]
        replies = self._call([manager.get_unit_file_state(step.unit) for step in files])
        states = {step: manager.parse_unit_file_state(reply)
                  for step, reply in zip(files, replies, strict=True)}  # fmt: skip
        for step in steps:
            before, after = self._ledger.before(step.unit), units.get(step.unit)
            if step.kind == "files":
                change = judge_change.file_found(self._request, step, before, states[step], lost)
                if change.result is Result.CHANGED:
                    self._ledger.expect([_RELOAD])
            elif step.job and after is not None:
                change = judge_change.job_found(step, before, after, lost, queued=step in queued)
            elif step.kind == "reset" and after is not None:
                change = judge_change.reset_found(step, after, lost)
            else:
                change = judge_change.lost(step, lost)
            self._ledger.close(step, change)

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
        """Prove the bundles again; that this cannot be done takes nothing from the change."""
        if self._client is None:
            self._ledger.settle(judge_change.not_compared("the connection broke"))
            return
        try:
            self._ledger.settle(judge_change.compared(before, self._verify()))
        except PsopsError as exc:
            self._ledger.settle(judge_change.not_compared(f"{exc.code}: {exc}"))

    # -- telling ------------------------------------------------------------------------

    def _close_refused(self, step: Step, error: BusError) -> None:
        before = self._ledger.before(step.unit)
        change = judge_change.refused(self._request, step, error, self._host, before)
        self._ledger.close(step, change)
