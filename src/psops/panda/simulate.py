"""An effective list for `psops.pandasim`.

The simulation itself (events, numbers, plots) is in `psops.pandasim`; here is what it needs to
know of a configuration that was read with all its files, and which one it cannot be told.
"""

from dataclasses import dataclass
from typing import Any

from psops.errors import ConfigError
from psops.panda.effective import Effective
from psops.panda.model import DaemonConfig
from psops.pandasim.model import Plan

#: As for --n-proc; each takes memory.
_MOST_WORKERS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedDaemon:
    """What the simulation has to know of a daemon."""

    name: str
    period: int
    timeout: int
    sync: bool
    loop: bool


def plan_of(effective: Effective, **options: Any) -> Plan:
    """Return the plan of a configuration; `options` are those of `Plan`, `workers` n_proc.

    Raises `ConfigError` where the real master would not schedule: nothing is to be said of
    that but what `check` says. Raises `SimulationError` for options that make no sense.
    """
    remedy = "psops panda check tells what is wrong"
    if effective.stopped_by:
        raise ConfigError(f"nothing to simulate: {effective.stopped_by}", remedy=remedy)
    workers = options.pop("workers", None)
    if workers is None:
        workers = effective.value("n_proc", 1)
    if not isinstance(workers, int) or workers < 0:
        raise ConfigError(f"nothing to simulate: n_proc is '{workers}'", remedy=remedy)
    if workers > _MOST_WORKERS:
        raise ConfigError(
            f"nothing to simulate: n_proc is {workers}, and servers are simulated with up to "
            f"{_MOST_WORKERS} workers",
            remedy="correct it, or say --n-proc",
        )
    daemons = tuple(_simulated(one, remedy) for one in effective.scheduled)
    return Plan(daemons=daemons, workers=int(workers), **options)


def _simulated(one: DaemonConfig, remedy: str) -> SimulatedDaemon:
    timeout = one.get("timeout")
    if not isinstance(timeout, int | float):
        raise ConfigError(
            f"{one.place_of('timeout')}: nothing to simulate: the master hangs on the timeout of "
            f"'{one.name}'",
            remedy=remedy,
        )
    return SimulatedDaemon(
        name=one.name, period=one.period, timeout=one.timeout, sync=one.sync, loop=one.loop
    )
