"""What is simulated, and what is known of it afterwards. Inside, time is in whole milliseconds."""

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum, unique
from typing import Protocol

#: Milliseconds of a day.
DAY_MS = 86_400_000
#: A script whose time nobody has told takes this many seconds.
DURATION_S = 5.0
#: The servers of a fleet start within so many seconds of each other unless offsets are given.
SPREAD_S = 60.0


class SimulationError(ValueError):
    """A plan that cannot be simulated; the message names what is wrong."""


class Daemon(Protocol):
    """What the simulation has to know of a daemon; `panda.model.DaemonConfig` has it."""

    @property
    def name(self) -> str:
        """The name, which is that of the lock as well."""

    @property
    def period(self) -> int:
        """Seconds from start to start."""

    @property
    def timeout(self) -> int:
        """Seconds after which a run is killed."""

    @property
    def sync(self) -> bool:
        """Whether a lock in the database is asked for before a run."""

    @property
    def loop(self) -> bool:
        """Whether the script is called again until a period is over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to be simulated.

    - `workers`: `n_proc` of each server.
    - `durations`: mean seconds of one call of a daemon's script; `duration` for those without.
    - `vary`: draw each duration from the exponential distribution of that mean, else all equal.
    - `idle_loops`: scripts of loop daemons return False at once; else they always have work.
    - `offsets`: when each server starts, in seconds; by default drawn from the first minute.

    Raises `SimulationError` for values that make no sense.
    """

    daemons: Sequence[Daemon]
    servers: int = 1
    days: float = 1.0
    workers: int = 1
    durations: Mapping[str, float] = field(default_factory=dict)
    duration: float = DURATION_S
    vary: bool = False
    idle_loops: bool = False
    offsets: Sequence[float] | None = None
    seed: int = 1

    def __post_init__(self) -> None:
        if self.servers < 1:
            raise SimulationError(f"{self.servers} servers are less than 1")
        if not 0 < self.days <= 366:
            raise SimulationError(f"{self.days:g} days are not from 0 to 366")
        if self.workers < 0:
            raise SimulationError(f"n_proc {self.workers} is below 0")
        for name, seconds in (("every daemon", self.duration), *self.durations.items()):
            if not 0 <= seconds < 1e9:
                raise SimulationError(f"a duration of {seconds:g} s for {name}")
        if self.offsets is not None:
            if len(self.offsets) != self.servers:
                raise SimulationError(
                    f"{len(self.offsets)} offsets for {self.servers} servers: give one for each"
                )
            if not all(0 <= one < 1e9 for one in self.offsets):
                raise SimulationError("an offset below 0: the first server starts at 0")
        names = [daemon.name for daemon in self.daemons]
        if len(set(names)) != len(names):
            raise SimulationError("two daemons of the same name")

    @property
    def end_ms(self) -> int:
        """When the simulation ends."""
        return round(self.days * DAY_MS)


@unique
class End(IntEnum):
    """How a run ended."""

    DONE = 0
    TIMEOUT = 1
    REVIVAL = 2


class Runs:
    """All runs of one daemon on all servers, in the order of their starts; columns, in ms.

    `due` is the time the master would have started it at, `queued` when it did put it into the
    queue, `starts` when a worker took it.
    """

    __slots__ = ("due", "ends", "how", "queued", "servers", "starts")

    def __init__(self) -> None:
        self.servers = array("H")
        self.due = array("q")
        self.queued = array("q")
        self.starts = array("q")
        self.ends = array("q")
        self.how = array("B")

    def __len__(self) -> int:
        return len(self.starts)


@dataclass(slots=True, kw_only=True)
class Log:
    """Everything that happened, by the numbers of daemons and servers.

    - `skips`: by daemon, how often another server held the lock.
    - `idle_kills`: by daemon, workers killed for a run that never was (a skip that stayed in
      the master's books).
    - `stuck`: when and on which server such a kill took the lock of the queue with it.
    - `revivals`: when and on which server all workers were killed and everything began anew.
    - `waiting`: by daemon, those in the queue at the end: server and since when.
    """

    offsets: list[int]
    end: int
    runs: list[Runs]
    skips: list[int]
    idle_kills: list[int]
    stuck: list[tuple[int, int]] = field(default_factory=list)
    revivals: list[tuple[int, int]] = field(default_factory=list)
    waiting: list[list[tuple[int, int]]] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spacing:
    """Seconds between starts: smallest, mean and largest; None with less than two starts."""

    least: float
    mean: float
    most: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DaemonResult:
    """What became of one daemon, on all servers together.

    - `overlaps`: runs that started while one of the same daemon was going on another server,
      `doubles` the same on its own server.
    - `late_mean`, `late_max`: seconds from due to start.
    - `waits`: runs for which no worker was free; `wait_max`: for how many seconds.
    - `gaps`: between the starts of the whole fleet; `server_gaps`: between those on one server.
    - `by_server`: runs on each server.
    """

    name: str
    period: int
    sync: bool
    loop: bool
    runs: int
    runs_per_day: float
    by_server: tuple[int, ...]
    skips: int
    busy_s: float
    late_mean: float
    late_max: float
    waits: int
    wait_max: float
    overlaps: int
    doubles: int
    timeouts: int
    idle_kills: int
    cut: int
    gaps: Spacing | None
    server_gaps: Spacing | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerResult:
    """What one server had to do.

    - `peak`: most daemons that ran or waited at once; `settled`: the same after each daemon has
      had time for one period, as everything is queued at once at the start.
    - `usual`: workers that were enough for 99 % of the time; `load`: busy workers on average.
    """

    offset: float
    runs: int
    peak: int
    settled: int
    usual: int
    load: float
    stuck: int
    revivals: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The whole: `needed` workers are the largest `settled` peak of a server."""

    days: float
    workers: int
    seed: int
    daemons: tuple[DaemonResult, ...]
    servers: tuple[ServerResult, ...]

    @property
    def needed(self) -> int:
        """Return how many workers a server needs for no daemon to wait, its start aside."""
        return max((server.settled for server in self.servers), default=0)
