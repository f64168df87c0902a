"""What is known of each step of a change on one host.

A step waits, is open from the moment before it is sent, and is closed when its end is known.
Another thread may take stock at any time, as after a second Ctrl-C; no step is opened after that.
"""

import threading
from collections.abc import Iterable, Mapping
from dataclasses import replace

from psops import judge_change
from psops.changes import Result, UnitChange, joint
from psops.errors import NotAttempted
from psops.plan import Step
from psops.report.model import UnitStatus

#: Jobs that systemd does along with one of the same kind for another unit.
_CARRYING = ("stop", "restart", "try-restart", "reload-or-restart")


class Ledger:
    """The steps of one host with what became of them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._given_up = False
        self._settled: list[UnitChange] = []
        self._steps: dict[Step, UnitChange] = {}  # in the order in which they are to be sent
        self._open: set[Step] = set()
        self._sent: set[Step] = set()
        self._before: dict[str, UnitStatus] = {}
        self._because: dict[str, str] = {}

    def read(self, units: Mapping[str, UnitStatus], because: Mapping[str, str]) -> None:
        """Take what the units are before anything is changed, and with which others they go."""
        with self._lock:
            self._before |= units
            self._because |= because

    def settle(self, changes: Iterable[UnitChange]) -> None:
        """Take changes that need no step."""
        with self._lock:
            self._settled += changes

    def expect(self, steps: Iterable[Step]) -> None:
        """Note steps whose turn is still to come."""
        with self._lock:
            for step in steps:
                self._steps[step] = self._whole(step, judge_change.waiting(step))

    def open(self, steps: Iterable[Step]) -> None:
        """Note that steps are sent from now on; raises `NotAttempted` after `give_up`."""
        with self._lock:
            if self._given_up:
                raise NotAttempted("the run had ended")
            for step in steps:
                self._sent.add(step)
                self._steps[step] = self._whole(step, judge_change.not_seen(step))
                self._open.add(step)

    def close(self, step: Step, change: UnitChange) -> None:
        """Note how a step ended, or what else is known of it by now."""
        with self._lock:
            self._steps[step] = self._whole(step, change)
            self._open.discard(step)

    def drop(self, step: Step) -> None:
        """Forget a step that is not to be told of."""
        with self._lock:
            self._steps.pop(step, None)
            self._open.discard(step)

    def give_up(self) -> None:
        """Open no more steps: the host will be told of as it is known now."""
        with self._lock:
            self._given_up = True
        self.lose_sight()

    def lose_sight(self) -> None:
        """Note that the host will not be read again.

        systemd stops and restarts others along with a unit (PartOf=, Requires=, BindsTo=), so it
        is not known any more of what waits whether something has happened to it.
        """
        with self._lock:
            if not any(step.job in _CARRYING for step in self._sent):
                return
            for step, change in self._steps.items():
                if step.job in _CARRYING and change.result is Result.NOT_ATTEMPTED:
                    self._steps[step] = self._whole(step, judge_change.out_of_sight(change))

    @property
    def begun(self) -> bool:
        """Whether anything was sent that changes the host."""
        return bool(self._sent)

    @property
    def given_up(self) -> bool:
        """Whether somebody has given up on the host."""
        return self._given_up

    def open_steps(self) -> tuple[Step, ...]:
        """Return the steps that were sent and whose end is not known."""
        with self._lock:
            return tuple(step for step in self._steps if step in self._open)

    def last_steps(self) -> dict[str, Step]:
        """Return the last step of each unit."""
        with self._lock:
            return {step.unit: step for step in self._steps}

    def of(self, step: Step) -> UnitChange:
        """Return what is known of a step."""
        with self._lock:
            return self._steps[step]

    def is_bad(self, unit: str) -> bool:
        """Tell whether a step of the unit has failed, or has no known end."""
        with self._lock:
            return any(change.result in (Result.FAILED, Result.UNKNOWN)
                       for step, change in self._steps.items() if step.unit == unit)  # fmt: skip

    def before(self, unit: str) -> UnitStatus | None:
        """Return what the unit was before anything was changed."""
        return self._before.get(unit)

    def changes(self) -> tuple[UnitChange, ...]:
        """Return what is known of every unit."""
        with self._lock:
            parts: dict[str, list[UnitChange]] = {name: [] for name in self._before}
            for change in (*self._settled, *self._steps.values()):
                parts.setdefault(change.unit, []).append(change)
            return tuple(self._joint(name, told) for name, told in parts.items() if told)

    def _whole(self, step: Step, change: UnitChange) -> UnitChange:
        before = change.before or self._before.get(step.unit)
        because = change.because or step.because or self._because.get(step.unit, "")
        return replace(change, before=before, because=because)

    def _joint(self, name: str, parts: list[UnitChange]) -> UnitChange:
        results = [change.result for change in parts]
        decided = joint(results)
        last = next(change for change in reversed(parts) if change.result is decided)
        if decided is Result.NOT_ATTEMPTED and Result.CHANGED in results:
            last = judge_change.half_done(last)
        after = next((one.after for one in reversed(parts) if one.after is not None), None)
        return replace(last, before=self._before.get(name) or last.before, after=after,
                       elapsed=sum(change.elapsed for change in parts))  # fmt: skip
