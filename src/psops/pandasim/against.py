"""What a simulation gives, beside what cron did: runs per day and the spacing of starts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from psops.cron.crontab import Crontab, Refused
from psops.cron.decisions import Decisions
from psops.cron.jobs import ONE_ZONE, Job, in_one_zone, read_jobs, split_names
from psops.pandasim.model import Result, SimulationError, Spacing
from psops.pandasim.stats import spacing

#: A Monday; which one does not matter, as cron's own day does not for a daemon.
MONDAY = datetime(2026, 1, 5)  # noqa: DTZ001, a crontab's times have no zone
#: Cron is looked at for so many days at least, since a line may be a weekly one.
LEAST_DAYS = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Firings:
    """When cron started something: seconds on each server, ascending, in so many days."""

    days: float
    by_server: tuple[tuple[float, ...], ...]
    #: The servers are in several time zones, so that nobody knows how their starts lie together.
    apart: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One of the two: starts per day in all, spacing in the fleet and on a single server."""

    per_day: float
    gaps: Spacing | None
    server_gaps: Spacing | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One name on both sides; None where it is not known."""

    name: str
    cron: Side | None
    daemon: Side | None

    @property
    def ratio(self) -> float | None:
        """Runs of the daemon for one of cron."""
        if self.cron is None or self.daemon is None or not self.cron.per_day:
            return None
        return self.daemon.per_day / self.cron.per_day


@dataclass(frozen=True, slots=True, kw_only=True)
class CronSide:
    """What crontabs start, by the daemon's name, and the lines that are no daemon."""

    firings: Mapping[str, Firings]
    refused: tuple[Refused, ...]


def compare(result: Result, firings: Mapping[str, Firings]) -> tuple[Comparison, ...]:
    """Return all names: the daemons in their order, then what cron alone has."""
    found = []
    for daemon in result.daemons:
        side = Side(
            per_day=daemon.runs_per_day, gaps=daemon.gaps, server_gaps=daemon.server_gaps
        )  # fmt: skip
        cron = cron_side(firings[daemon.name]) if daemon.name in firings else None
        found.append(Comparison(name=daemon.name, cron=cron, daemon=side))
    known = {daemon.name for daemon in result.daemons}
    found += [
        Comparison(name=name, cron=cron_side(one), daemon=None)
        for name, one in firings.items()
        if name not in known
    ]
    return tuple(found)


def cron_side(firings: Firings) -> Side:
    """Return what cron did as one side of a comparison."""
    everything = sorted(time for row in firings.by_server for time in row)
    return Side(
        per_day=len(everything) / firings.days,
        gaps=None if firings.apart else spacing([everything]),
        server_gaps=spacing(firings.by_server),
    )


def read_cron(crontabs: Sequence[Crontab], servers: int, days: float) -> CronSide:
    """Return what the crontabs start in some days.

    A crontab of no server is on all of them; those of a server (or a line of acron with its
    host) are on the first, second, third... one by the order in which they come. Lines of one
    server in several time zones are refused, as their starts cannot be counted together.
    Raises `SimulationError` if there are more than `servers` of these.
    """
    undecided = Decisions()
    jobs = list(read_jobs(crontabs, undecided))
    names = list(dict.fromkeys(job.server for job in jobs if job.server))
    if len(names) > servers:
        raise SimulationError(f"the crontabs are of {len(names)} servers, not of {servers}")
    places = {name: (at,) for at, name in enumerate(names)} | {"": tuple(range(servers))}
    window = max(days, LEAST_DAYS)
    groups = split_names([job for job in jobs if job.refusal is None], undecided)
    firings = {
        name: _firings(group, places, servers, window)
        for name, group in groups.items()
        if in_one_zone(group, ONE_ZONE)
    }
    lines = [one for crontab in crontabs for one in crontab.refused]
    lines += [job.refusal for job in jobs if job.refusal is not None]
    return CronSide(firings=firings, refused=tuple(lines))


def _firings(
    jobs: Sequence[Job], places: Mapping[str, tuple[int, ...]], servers: int, days: float
) -> Firings:
    end = MONDAY + timedelta(days=days)
    rows: list[list[float]] = [[] for _ in range(servers)]
    for job in jobs:
        starts = [
            (time - MONDAY).total_seconds() for time in job.entry.schedule.starts(MONDAY, end)
        ]
        for at in places[job.server]:
            rows[at] += starts
    apart = len({job.zone for job in jobs}) > 1
    return Firings(days=days, by_server=tuple(tuple(sorted(row)) for row in rows), apart=apart)
