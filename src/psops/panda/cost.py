"""How often each daemon runs, by arithmetic alone; the simulation knows the rest."""

from dataclasses import dataclass

from psops.panda.check_daemons import known_modules
from psops.panda.effective import Effective
from psops.panda.model import DaemonConfig

DAY_S = 86_400
#: The master looks every half second, so nothing is started more often.
CYCLE_S = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Runs of one daemon per day: in all, and on one server on average."""

    name: str
    per_day: float
    per_server: float


def cost(daemon: DaemonConfig, servers: int = 1) -> Cost:
    """Return what an active daemon costs; as if each run were shorter than its period.

    A synced one starts once a period over all servers that share the database. A daemon
    with `loop` is counted by its turns: one period long while the script has work.
    """
    starts = DAY_S / max(daemon.period, CYCLE_S)
    if daemon.sync:
        return Cost(name=daemon.name, per_day=starts, per_server=starts / servers)
    return Cost(name=daemon.name, per_day=starts * servers, per_server=starts)


def costs(effective: Effective, servers: int = 1) -> tuple[Cost, ...]:
    """Return the cost of every daemon that runs."""
    return tuple(cost(one, servers) for one in effective.scheduled)


def total(found: tuple[Cost, ...]) -> Cost:
    """Return the sum of costs."""
    return Cost(
        name="",
        per_day=sum(one.per_day for one in found),
        per_server=sum(one.per_server for one in found),
    )


def unused_modules(effective: Effective) -> tuple[str, ...]:
    """Return the modules of PanDA's own package that no daemon runs, those of disabled ones too."""
    used = {one.module for one in effective.scheduled}
    return tuple(sorted((known_modules(effective) or frozenset()) - used))
