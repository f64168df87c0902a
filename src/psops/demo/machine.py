"""A demo host for the life of the process: what was changed on it stays changed.

Its jobs are done the moment they are queued, one after the other.
"""

import threading
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from psops.demo import changes, jobs, properties
from psops.demo.numbers import NOW, Moment
from psops.demo.profile import Profile, Unit
from psops.demo.schema import INTERFACES, UNIT

#: At least so much time is between two changes, so that the later one is seen to be later.
_STEP = 100_000


class Job(NamedTuple):
    """A job that was done: its number, what was to be done, and how it ended."""

    number: int
    unit: str
    type: str
    result: str

    @property
    def path(self) -> str:
        """Return the object path that the job had."""
        return f"/org/freedesktop/systemd1/job/{self.number}"


class Machine:
    """One host. `profile` is its own as soon as anything was changed; hold `lock` to change."""

    __slots__ = ("_clock", "_jobs", "_last", "_runs", "_starts", "_unchanged",
                 "listeners", "lock", "numbers", "profile")  # fmt: skip

    def __init__(
        self, profile: Profile, numbers: tuple[int, ...], clock: Callable[[], int]
    ) -> None:
        self.profile = self._unchanged = profile
        self.numbers = numbers
        self.lock = threading.Lock()
        #: Called with the name of every unit that was changed, under the lock.
        self.listeners: tuple[Callable[[str], None], ...] = ()
        self._clock = clock
        self._last = -_STEP
        self._runs = 0
        self._jobs = 1_700 + numbers[NOW] // 1_000 % 900
        self._starts: dict[str, list[int]] = {}

    @property
    def is_changed(self) -> bool:
        """Whether the host differs from others of its kind."""
        return self.profile is not self._unchanged

    def change(self, *units: Unit) -> None:
        """Give the host these units in place of the ones of the same names."""
        if any(self.profile.units.get(unit.name) != unit for unit in units):
            self.profile = self.profile.changed(*units)
            for listener in self.listeners:
                for unit in units:
                    listener(unit.name)

    def moment(self) -> Moment:
        """Return the present moment, later than any before."""
        self._last = max(self._clock() - self.numbers[NOW], self._last + _STEP)
        return Moment(NOW, self._last)

    def run_number(self) -> int:
        """Return the number of a run that now begins."""
        self._runs += 1
        return self._runs

    def do(self, planned: jobs.Planned) -> tuple[Job, ...]:
        """Do the jobs and return them in their order; numbers begin with the one asked for."""
        names = [planned.anchor, *(name for name, _ in planned.jobs if name != planned.anchor)]
        numbers = {name: self._jobs + place for place, name in enumerate(names, 1)}
        self._jobs += len(names)
        results: dict[str, str] = {}
        for name, kind in planned.jobs:
            unit = self.profile.find(name)
            failed = {other for other, result in results.items() if result != "done"}
            if kind in ("start", "restart") and failed & jobs.required(self.profile, unit):
                results[name] = self._give_up(unit, kind)
            else:
                results[name] = _DO[kind](self, unit)
        return tuple(Job(numbers[name], name, kind, results[name]) for name, kind in planned.jobs)

    def start(self, unit: Unit) -> str:
        """Start the unit and return the result of the job."""
        if unit.active == "active":
            return "done"
        moment = self.moment()
        if self._is_too_often(unit, moment.plus):
            self.change(changes.limit(unit, moment))
            return "failed"
        after, result = changes.start(unit, moment, self.run_number())
        self.change(after)
        return result

    def stop(self, unit: Unit) -> str:
        """Stop the unit and return the result of the job."""
        if unit.is_up:
            self.change(changes.stop(unit, self.moment()))
        return "done"

    def restart(self, unit: Unit) -> str:
        """Stop and start the unit and return the result of the job."""
        self.stop(unit)
        return self.start(self.profile.find(unit.name))

    def reset_failed(self, unit: Unit) -> None:
        """Forget that the unit has failed, and how often it was started."""
        self._starts.pop(unit.name, None)
        if unit.active == "failed" or {"Result", "NRestarts"} & unit.settings.keys():
            self.change(changes.reset(unit, self.moment()))

    def kill(self, unit: Unit, signal: int) -> None:
        """Send a signal to the unit's processes."""
        self.change(changes.kill(unit, signal, self.moment(), self.run_number()))

    def _give_up(self, unit: Unit, kind: str) -> str:
        if kind == "restart":  # its first half is done by then
            self.stop(unit)
        return "dependency"

    def _is_too_often(self, unit: Unit, now: int) -> bool:
        known = properties.of_unit(unit, self.profile)[UNIT]
        interval, burst = (
            known.get(name, INTERFACES[UNIT][name].default)
            for name in ("StartLimitIntervalUSec", "StartLimitBurst")
        )
        recent = [at for at in self._starts.get(unit.name, ()) if now - at < interval]
        if len(recent) >= burst:
            return True
        self._starts[unit.name] = [*recent, now]
        return False


def _reload(_machine: Machine, unit: Unit) -> str:
    return "done" if unit.active == "active" else "invalid"


def _verify(_machine: Machine, unit: Unit) -> str:
    return "done" if unit.active == "active" else "failed"


_DO: Mapping[str, Callable[[Machine, Unit], Any]] = {
    "start": Machine.start,
    "stop": Machine.stop,
    "restart": Machine.restart,
    "reload": _reload,
    "verify-active": _verify,
    "nop": lambda _machine, _unit: "done",
}
