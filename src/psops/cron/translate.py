"""Crontabs and the operator's decisions to PanDA daemons, with a reason for every line.

The rules R1 to R13 follow PanDA's own guide ("Translation from Crontab to Daemon Configuration")
and what its developers did with their crontab.
"""

from collections.abc import Iterable, Sequence
from typing import TypeVar

from psops.cron.crontab import Crontab, Doubt, Refused
from psops.cron.decisions import DecisionError, Decisions
from psops.cron.dst import UnknownZone, clock_changes
from psops.cron.jobs import Job, read_jobs, split_names
from psops.cron.period import DAY_S, Distribution, distribution
from psops.cron.settle import Servers, settle
from psops.cron.translation import Candidate, Daemon, Row, Translation
from psops.cron.words import describe

#: Below so many daemons one that is late makes the master kill all workers (R13).
_FEW_DAEMONS = 3

_Remark = TypeVar("_Remark", Refused, Doubt)


def translate(crontabs: Iterable[Crontab], decisions: Decisions | None = None) -> Translation:
    """Return the daemons that do the work of the crontabs.

    A crontab with a `server` is that server's alone, as are acron lines with their host; one
    without is run by all servers. Raises `DecisionError` if fewer servers are given than named, or
    for a zone that does not exist.
    """
    decisions = decisions or Decisions()
    tabs = list(crontabs)
    if decisions.zone:
        try:
            clock_changes(decisions.zone, decisions.year)
        except UnknownZone as error:
            raise DecisionError(f"zone: {error}") from error
    jobs = list(read_jobs(tabs, decisions))
    servers = _servers(tabs, jobs, decisions)
    usable = [job for job in jobs if job.refusal is None]
    daemons: list[Daemon] = []
    candidates: list[Candidate] = []
    for name, group in split_names(usable, decisions).items():
        settled = settle(name, group, decisions, servers)
        if settled.daemon:
            daemons.append(settled.daemon)
        if settled.candidate:
            candidates.append(settled.candidate)
    refusals = [job.refusal for job in jobs if job.refusal]
    unused = decisions.unused(
        [job.name for job in jobs if job.name], [key for job in jobs for key in job.keys]
    )
    return Translation(
        servers=servers.total,
        daemons=tuple(daemons),
        rows=tuple(_row(job) for job in jobs),
        refused=_in_order(tabs, [*(one for tab in tabs for one in tab.refused), *refusals]),
        doubtful=_in_order(tabs, [*(one for tab in tabs for one in tab.doubts), *_doubts(jobs)]),
        disabled=tuple(one for tab in tabs for one in tab.disabled),
        candidates=tuple(candidates),
        warnings=(*unused, *_users(usable)),
        notes=tuple(_notes(usable, daemons)),
    )


def _servers(tabs: Sequence[Crontab], jobs: Sequence[Job], decisions: Decisions) -> Servers:
    # A server whose crontab holds no job counts as well: it is there.
    named = dict.fromkeys(tab.server for tab in tabs if tab.server)
    named.update(dict.fromkeys(job.server for job in jobs if job.server))
    total = decisions.servers if decisions.servers is not None else max(1, len(named))
    if total < len(named):
        raise DecisionError(
            f"servers: {total} is less than the {len(named)} that have crontabs of their own"
        )
    return Servers(tuple(named), total)


def _doubts(jobs: Iterable[Job]) -> Iterable[Doubt]:
    for job in jobs:
        if job.refusal is None:
            for text in dict.fromkeys(job.warnings):
                yield Doubt(job.entry.source, job.entry.line, f"{job.name}: {text}")


def _in_order(tabs: Sequence[Crontab], remarks: Iterable[_Remark]) -> tuple[_Remark, ...]:
    """Return remarks by file, in the order given, and line."""
    place = {source: at for at, source in enumerate(dict.fromkeys(tab.source for tab in tabs))}
    return tuple(sorted(remarks, key=lambda one: (place[one.source], one.line)))


def _row(job: Job) -> Row:
    schedule = job.entry.schedule
    gaps: Distribution = distribution(schedule)
    refusal = job.refusal
    return Row(
        source=job.entry.source, line=job.entry.line, server=job.server,
        expression=job.entry.expression, words=describe(schedule) if gaps.runs or schedule.reboot
        else "never", per_day=gaps.per_day, cycle_days=gaps.cycle_days, gaps=gaps.gaps,
        gaps_text=gaps.text(), daemon=job.name, rules=tuple(job.rules),
        result=f"refused: {refusal.reason}" if refusal else job.result,
        refused=refusal is not None, warnings=tuple(dict.fromkeys(job.warnings)),
        notes=tuple(dict.fromkeys(job.notes)),
    )  # fmt: skip


def _users(jobs: Sequence[Job]) -> list[str]:
    users = sorted({job.entry.user for job in jobs if job.entry.user})
    if len(users) < 2:
        return []
    shown = ", ".join(users[:6])
    return [f"the lines run as several users ({shown}), all daemons as the one of 'uname'"]


def _notes(jobs: Sequence[Job], daemons: Sequence[Daemon]) -> Iterable[str]:
    users = {job.entry.user for job in jobs if job.entry.user}
    if len(users) == 1:
        yield f"the lines run as {users.pop()}: set 'uname' of [daemon] to it"
    if not daemons:
        return
    yield "all daemons start at once when the service starts, not at the minutes of the crontab"
    starts = sum(DAY_S // daemon.period for daemon in daemons if not daemon.sync)
    yield (f"{len(daemons)} daemons, {starts} unsynced runs a day on each server: n_proc must be "
           "above the sum of run time over period")  # fmt: skip
    if any(daemon.sync for daemon in daemons):
        yield "a run of a synced daemon that takes longer than its period overlaps with the next"
    if len(daemons) < _FEW_DAEMONS:
        yield ("with so few daemons one that runs longer than its period by max(300 s, half of it) "
               "makes the master kill all workers")  # fmt: skip
