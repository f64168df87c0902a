"""The period of one daemon from its lines on all servers (rules R2 to R9 and R12).

Exact rationals until the end; then down, never up, for else there would be fewer starts than
under cron (R5).
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

from psops.cron.decisions import Decisions, Gap
from psops.cron.jobs import ONE_ZONE, Job, few, in_one_zone
from psops.cron.period import (
    CALENDAR_DAYS,
    DAY_S,
    Distribution,
    Kind,
    classify,
    distribution,
    most_at_once,
)
from psops.cron.schedule import Schedule
from psops.cron.translation import Candidate, Daemon
from psops.cron.wrappers import load_wrappers


class Servers(NamedTuple):
    """The servers that have crontabs of their own, and how many there are with all others."""

    named: tuple[str, ...]
    total: int


class _Group(NamedTuple):
    """Servers that run the same schedules, and how many they are (`size`)."""

    size: int
    schedules: tuple[Schedule, ...]


@dataclass(frozen=True, slots=True)
class Settled:
    """A daemon, None if refused, and what synchronizing it would make of it, if that is open."""

    daemon: Daemon | None
    candidate: Candidate | None = None


def settle(name: str, jobs: list[Job], decisions: Decisions, servers: Servers) -> Settled:
    """Return the daemon of some lines; the jobs get the rules, warnings and results."""
    explicit = decisions.periods.get(name)
    if explicit is None:
        jobs = _without_reboot(name, jobs)
        if not jobs:
            return Settled(None)
    groups = _groups(jobs, servers)
    count = sum(group.size for group in groups)
    wants_sync = decisions.is_synced(name)
    candidate = None
    if explicit is not None:
        _say_all(jobs, "decision", note=f"the period of {explicit} s is the operator's")
        exact, sync = Fraction(explicit), wants_sync
        if sync and explicit < decisions.min_sync_period and not decisions.is_exclusive(name):
            _warn(jobs, f"a lock every {explicit} s is more than it is worth (R6)")
    else:
        remedy = f"{ONE_ZONE}, or --period {name}=SECONDS"
        countable = in_one_zone(jobs, remedy)
        periods = _periods(name, jobs, groups, decisions) if countable else None
        if periods is None:
            return Settled(None)
        rate = sum((group.size / period for group, period in zip(groups, periods, strict=True)),
                   Fraction(0))  # fmt: skip
        together = 1 / rate
        sync = wants_sync and _is_worth_a_lock(name, jobs, together, decisions)
        if not sync and len(set(periods)) > 1:
            _refuse_unequal(name, jobs, periods)
            return Settled(None)
        exact = together if sync else periods[0]
        _say_all(jobs, "R5" if sync else "R4")
        if sync and len(set(periods)) > 1:
            _say_all(
                jobs, "R8", note="its schedules differ between the servers; their rates add up"
            )
        if not wants_sync and count > 1:
            candidate = _candidate(name, jobs, periods[0], together, decisions)
    period = max(1, exact.numerator // exact.denominator)
    _rounding(jobs, exact, period)
    timeout = decisions.timeouts.get(name)
    if timeout is not None and timeout <= period:
        for job in jobs:
            job.refuse("R12", f"the timeout of {timeout} s is not above the period of {period} s",
                       f"say --timeout {name}=SECONDS with more")  # fmt: skip
        return Settled(None)
    first = jobs[0]
    daemon = Daemon(
        name=name, module=first.module, arguments=first.arguments, period=period, exact=exact,
        timeout=timeout, sync=sync, servers=count,
    )  # fmt: skip
    _remarks(daemon, jobs, groups, servers)
    return Settled(daemon, candidate)


def _without_reboot(name: str, jobs: list[Job]) -> list[Job]:
    """Return the jobs that have a period; the others are refused."""
    for job in jobs:
        if job.entry.schedule.reboot:
            job.refuse("R9", "@reboot has no period", "a daemon runs once at each start of the "
                       f"service anyway; {_instead(name)}")  # fmt: skip
    return [job for job in jobs if not job.entry.schedule.reboot]


def _groups(jobs: list[Job], servers: Servers) -> list[_Group]:
    shared = tuple(dict.fromkeys(job.entry.schedule for job in jobs if not job.server))
    own: dict[str, list[Schedule]] = {}
    for job in jobs:
        if job.server:
            own.setdefault(job.server, []).append(job.entry.schedule)
    groups = [_Group(1, tuple(dict.fromkeys((*shared, *schedules)))) for schedules in own.values()]
    if shared and servers.total > len(own):
        groups.insert(0, _Group(servers.total - len(own), shared))
    if len(jobs) > 1:
        _warn_doubles(jobs)
    return groups


def _warn_doubles(jobs: list[Job]) -> None:
    seen: dict[tuple[str, str, Schedule], Job] = {}
    for job in jobs:
        earlier = seen.setdefault((job.server, job.zone, job.entry.schedule), job)
        if earlier is not job:
            job.warnings.append(f"the same job at the same times as {earlier.place}")


def _periods(
    name: str, jobs: list[Job], groups: list[_Group], decisions: Decisions
) -> list[Fraction] | None:
    """Return the period on a server of each group, or None with the jobs refused."""
    periods = []
    for group in groups:
        kind = classify(*group.schedules)
        if kind not in (Kind.EQUAL, Kind.UNEQUAL):
            for job in jobs:
                _refuse_kind(name, job, kind, group.schedules)
            return None
        gaps = distribution(*group.schedules)
        if kind is Kind.EQUAL:
            periods.append(Fraction(gaps.least))
            continue
        choice = decisions.gaps.get(name, Gap.MEAN)
        periods.append({Gap.MEAN: gaps.mean, Gap.MIN: Fraction(gaps.least),
                        Gap.MAX: Fraction(gaps.most)}[choice])  # fmt: skip
        if "R2" not in jobs[0].rules:
            _say_all(jobs, "R2")
            _warn(jobs, f"its gaps are not equal, {gaps.least} to {gaps.most} s; taken is their "
                  f"{_CHOICES[choice]} of {seconds(periods[-1])} s: or --gap {name}="
                  f"{'|'.join(one for one in Gap if one is not choice)}")  # fmt: skip
    if "R2" not in jobs[0].rules:
        _say_all(jobs, "R1")
    if len(jobs) > len(groups) and any(len(group.schedules) > 1 for group in groups):
        _say_all(jobs, "R8", note="several lines run it on a server; their starts count together")
    return periods


_CHOICES = {Gap.MEAN: "mean", Gap.MIN: "shortest", Gap.MAX: "longest"}


def _refuse_kind(name: str, job: Job, kind: Kind, schedules: tuple[Schedule, ...]) -> None:
    decide = _instead(name)
    what = f"'{job.entry.expression}'"
    if schedules != (job.entry.schedule,):
        # With other lines on its server, or another server's: by itself it may well be sound.
        what = f"'{name}' (at {few([one.text for one in schedules])})"
    if kind is Kind.RANDOM:
        job.refuse("R9", f"{what}: the gaps depend on what cronie draws", decide)
    elif kind is Kind.NEVER:
        job.refuse("R9", f"{what} never starts", "correct or remove the line")
    else:
        gaps = distribution(*schedules)
        job.refuse("R3", f"{what} is bound to the clock or calendar, "
                   f"{_why(gaps)}{_slip(job.entry.schedule)}; a daemon would run round the "
                   "clock", decide)  # fmt: skip


def _instead(name: str) -> str:
    return f"leave it in cron, or --period {name}=SECONDS"


def _why(gaps: Distribution) -> str:
    if gaps.cycle_days == CALENDAR_DAYS:
        return f"its gaps go from {_long(gaps.least)} to {_long(gaps.most)}"
    return f"its largest gap of {gaps.most} s is over twice the mean of {seconds(gaps.mean)} s"


def _long(gap: int) -> str:
    days, rest = divmod(gap, DAY_S)
    return f"{gap} s" if rest else f"{days} day{'s' if days > 1 else ''}"


def _slip(schedule: Schedule) -> str:
    """Return a clause for a minute left at `*`, where one start was probably meant."""
    if schedule.text.startswith("* ") and len(schedule.hours) == 1:
        hour = schedule.hours[0]
        return f" (60 starts from {hour:02d}:00 on: was '0 {schedule.text[2:]}' meant?)"
    return ""


def _is_worth_a_lock(name: str, jobs: list[Job], together: Fraction, decisions: Decisions) -> bool:
    least = decisions.min_sync_period
    if together >= least:
        return True
    if decisions.is_exclusive(name):
        _say_all(jobs, "R6", note=f"kept synchronized under {least} s, since it is exclusive")
        return True
    _say_all(jobs, "R6")
    _warn(jobs, f"not synchronized, since any server would start it every {seconds(together)} s, "
          f"under {least} s: --exclusive {name} if parallel runs are harmful")  # fmt: skip
    return False


def _refuse_unequal(name: str, jobs: list[Job], periods: list[Fraction]) -> None:
    texts = ", ".join(f"{seconds(one)} s" for one in sorted(set(periods)))
    for job in jobs:
        job.refuse("R8", f"the servers run '{name}' with different periods ({texts}), and it is "
                   "not synchronized", f"--period {name}=SECONDS, or --sync {name}, or a "
                   "configuration for each server")  # fmt: skip


def _candidate(
    name: str, jobs: list[Job], period: Fraction, together: Fraction, decisions: Decisions
) -> Candidate | None:
    known = jobs[0].wrapper or load_wrappers().by_daemon.get(name)
    if known and known.runs == "every":
        return None
    return Candidate(
        name=name, period=max(1, int(period)), sync_period=max(1, int(together)), exact=together,
        upstream=bool(known and known.runs == "one"), kept=together < decisions.min_sync_period,
    )  # fmt: skip


def _rounding(jobs: list[Job], exact: Fraction, period: int) -> None:
    if exact < 1:
        _warn(jobs, f"the exact period is {exact} s; 1 s is the shortest there is (R5)")
    elif exact != period:
        _say_all(jobs, "R5", note=f"{exact} = {seconds(exact)} s is rounded down to {period} s")


def _remarks(daemon: Daemon, jobs: list[Job], groups: list[_Group], servers: Servers) -> None:
    name, period = daemon.name, daemon.period
    merged = [distribution(*group.schedules) for group in groups]
    if all(gaps.runs and gaps.least >= DAY_S for gaps in merged):
        _warn(jobs, "its hour and weekday are lost: a daemon counts from the start of the service")
        if not daemon.sync:
            _warn(jobs, f"it runs again at every restart of the service: --sync {name} prevents it")
    if daemon.servers < servers.total:
        _warn(jobs, f"{daemon.servers} of {servers.total} servers ran it, but every one with "
              "the configuration will")  # fmt: skip
    if any(group.schedules[0].random for group in groups):
        _warn(jobs, "cronie drew its minute or hour at random; the period is the same (R9)")
    if daemon.sync and daemon.servers > 1:
        _together(daemon, jobs, groups)
    limit = daemon.effective_timeout
    kill = f"a run is killed after {limit} s, under cron never"
    longest = int(max((gaps.mean for gaps in merged), default=Fraction(0)))
    if daemon.timeout is None and daemon.sync and longest > limit:
        kill += f": --timeout {name}={longest} would leave it the time a server had"
    _say_all(jobs, "R12", note=kill)
    sync = f", sync on {daemon.servers} servers" if daemon.sync else ""
    for job in jobs:
        job.result = f"{name}: every {period} s{sync}"


def _together(daemon: Daemon, jobs: list[Job], groups: list[_Group]) -> None:
    """Say where starts of several servers coincide, so that the rate is not the distance (R8)."""
    if len({job.zone for job in jobs}) > 1:
        _say_all(jobs, "R8", note="its lines are in several time zones, so starts that coincide "
                 "are not looked for")  # fmt: skip
        return
    schedules = tuple(dict.fromkeys(one for group in groups for one in group.schedules))
    at_once = most_at_once(tuple((group.size, group.schedules) for group in groups))
    union = distribution(*schedules)
    if at_once < 2 or not union.runs:
        if at_once and not union.is_equal:
            _say_all(jobs, "R8", note=f"together the servers started it every {union.least} to "
                     f"{union.most} s")  # fmt: skip
        return
    text = (f"up to {at_once} servers start it in the same minute as written, so any of them every "
            f"{seconds(union.mean)} s; {daemon.period} s keeps the number of runs")  # fmt: skip
    if all(job.server for job in jobs):
        _warn(jobs, text)
    else:
        # The minutes of each server are not known: one text stands for all.
        _say_all(jobs, "R8", note=f"{text}; with staggered minutes it is as before")


def seconds(value: Fraction) -> str:
    """Return seconds for people: whole, or with two digits.

    >>> seconds(Fraction(2400)), seconds(Fraction(100, 3))
    ('2400', '33.33')
    """
    return str(value.numerator) if value.denominator == 1 else f"{float(value):.2f}"


def _warn(jobs: list[Job], text: str) -> None:
    for job in jobs:
        job.warnings.append(text)


def _say_all(jobs: list[Job], rule: str, *, note: str = "") -> None:
    for job in jobs:
        if rule not in job.rules:
            job.rules.append(rule)
        if note:
            job.notes.append(note)
