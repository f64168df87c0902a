"""What happens on demo hosts by itself while somebody watches them: daemons die, and come back.

Each fleet goes through the same accidents in the same order, a few seconds apart, all on units
that are watched; without a watcher nothing ever happens.
"""

import random
import threading
import time

from psops.demo.bus import DemoBus
from psops.demo.numbers import IDENTITY
from psops.demo.profile import Unit

#: Seconds from when the last host is watched to the first accident, and between two: which host it
#: is does not depend on how fast the others were there.
_FIRST, _PERIOD = 0.5, 4.0
_KILL = 9
#: Hosts that are looked at for something to happen on.
_TRIES = 20


class _Life:
    """The accidents of all hosts that are watched; a thread as long as the process lives."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._buses: list[DemoBus] = []
        self._random = random.Random(8)
        self._broken: list[tuple[DemoBus, str]] = []
        self._begun = False
        self._first = 0.0

    def join(self, bus: DemoBus) -> None:
        """Let things happen on one more host."""
        with self._lock:
            self._buses.append(bus)
            self._first = time.monotonic() + _FIRST
            if not self._begun:
                self._begun = True
                threading.Thread(target=self._run, daemon=True).start()

    def leave(self, bus: DemoBus) -> None:
        """Leave a host alone again."""
        with self._lock:
            self._buses = [other for other in self._buses if other is not bus]
            self._broken = [one for one in self._broken if one[0] is not bus]

    def _run(self) -> None:
        while (rest := self._first - time.monotonic()) > 0:
            time.sleep(rest)
        while True:
            with self._lock:
                self._happen()
            time.sleep(_PERIOD)

    def _happen(self) -> None:
        if len(self._broken) > 1:
            self._mend(*self._broken.pop(0))
            return
        buses = sorted(self._buses, key=lambda bus: bus.machine.numbers[IDENTITY])
        for bus in self._random.sample(buses, min(_TRIES, len(buses))):
            units = [unit for unit in bus.watched() if _may_die(unit)]
            if units:
                self._break(bus, self._random.choice(units))
                return

    def _break(self, bus: DemoBus, unit: Unit) -> None:
        with bus.machine.lock:
            bus.machine.kill(unit, _KILL)
            failed = bus.machine.profile.find(unit.name).active == "failed"
        if failed:
            self._broken.append((bus, unit.name))

    def _mend(self, bus: DemoBus, name: str) -> None:
        machine = bus.machine
        with machine.lock:
            unit = machine.profile.find(name)
            if unit.active == "failed":  # nobody else has mended it
                machine.reset_failed(unit)
                machine.start(machine.profile.find(name))


def _may_die(unit: Unit) -> bool:
    return unit.type == "service" and (unit.active, unit.sub) == ("active", "running")


_life = _Life()
join, leave = _life.join, _life.leave
