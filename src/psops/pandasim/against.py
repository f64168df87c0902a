"""What a simulation gives, beside what cron did: runs per day and the spacing of starts."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from psops.cron.crontab import Crontab, Refused
from psops.cron.decisions import Decisions
from psops.cron.jobs import ONE_ZONE, Job, in_one_zone, read_jobs, split_names
from psops.cron.period import DAY_S, distribution
from psops.cron.schedule import Schedule
from psops.pandasim.model import Result, SimulationError, Spacing


@dataclass(frozen=True, slots=True, kw_only=True)
class Firings:
    """When cron starts something: the schedule of each line on each server."""

    by_server: tuple[tuple[Schedule, ...], ...]
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
    """Return what cron does as one side of a comparison, over the whole cycle of its lines."""
    everything = [schedule for row in firings.by_server for schedule in row]
    return Side(
        per_day=float(_per_day(everything)),
        gaps=None if firings.apart else _spacing(everything),
        server_gaps=_of_servers(firings.by_server),
    )


def _per_day(schedules: Sequence[Schedule]) -> Fraction:
    return sum((distribution(one).per_day for one in schedules), Fraction())


def _spacing(schedules: Sequence[Schedule]) -> Spacing | None:
    together = distribution(*dict.fromkeys(schedules))
    if not together.runs:
        return None
    starts = _per_day(schedules)
    # More starts than moments with one: some are at once.
    least = 0 if starts > together.per_day else together.least
    return Spacing(least=float(least), mean=float(DAY_S / starts), most=float(together.most))


def _of_servers(rows: Sequence[tuple[Schedule, ...]]) -> Spacing | None:
    """Return the spacing on each server, as one for all of them."""
    found = [(one, number) for row, number in Counter(rows).items() if (one := _spacing(row))]
    if not found:
        return None
    starts = sum((number * _per_day(row) for row, number in Counter(rows).items()), Fraction())
    return Spacing(
        least=min(one.least for one, _ in found),
        mean=float(sum(number for _, number in found) * DAY_S / starts),
        most=max(one.most for one, _ in found),
    )


def read_cron(crontabs: Sequence[Crontab], servers: int) -> CronSide:
    """Return what the crontabs start.

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
    groups = split_names([job for job in jobs if job.refusal is None], undecided)
    firings = {
        name: _firings(group, places, servers)
        for name, group in groups.items()
        if in_one_zone(group, ONE_ZONE)
    }
    lines = [one for crontab in crontabs for one in crontab.refused]
    lines += [job.refusal for job in jobs if job.refusal is not None]
    return CronSide(firings=firings, refused=tuple(lines))


def _firings(jobs: Sequence[Job], places: Mapping[str, tuple[int, ...]], servers: int) -> Firings:
    rows: list[list[Schedule]] = [[] for _ in range(servers)]
    for job in jobs:
        for at in places[job.server]:
            rows[at].append(job.entry.schedule)
    apart = len({job.zone for job in jobs}) > 1
    return Firings(by_server=tuple(map(tuple, rows)), apart=apart)
