"""Schedules whose local time meets a change of the clock.

Authority: the main loop of Debian's cron and cronie. A line is "wildcard" if its minute or hour
field begins with `*`: it follows the new time. Any other is "fixed": clock forward by up to
three hours, it starts at once for each minute that was left out; clock back, it is not repeated.
"""

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

from psops.cron.schedule import MINUTES_A_DAY, Schedule

#: The Gregorian calendar's weekdays come round in 28 years, and with them the dates of changes.
_YEARS = 28


class Change(NamedTuple):
    """A change of the clock: the local times from `begin` up to `end` are left out or come twice.

    Both are without a zone; `begin` is the first such minute.
    """

    begin: datetime
    end: datetime
    forward: bool


@dataclass(frozen=True, slots=True)
class DstHit:
    """The first change that a schedule has starts in, how many starts, and what cron does."""

    zone: str
    day: date
    forward: bool
    starts: int
    sentence: str


class UnknownZone(ValueError):
    """A time zone that the machine's zone database does not have."""


@lru_cache(maxsize=64)
def clock_changes(zone: str, first_year: int, years: int = _YEARS) -> tuple[Change, ...]:
    """Return the changes of the clock of a zone in some years; raises `UnknownZone`."""
    from zoneinfo import ZoneInfo

    try:
        info = ZoneInfo(zone)
    except (KeyError, ValueError, OSError) as error:
        raise UnknownZone(f"'{zone[:60]}' is no time zone this machine knows") from error

    def offset(moment: datetime) -> timedelta:
        return moment.astimezone(info).utcoffset() or timedelta()

    found = []
    moment = datetime(first_year, 1, 1, tzinfo=UTC)
    end = datetime(first_year + years, 1, 1, tzinfo=UTC)
    day = timedelta(days=1)
    while moment < end:
        if offset(moment) != offset(moment + day):
            found.append(_change(moment, moment + day, offset))
        moment += day
    return tuple(found)


def _change(low: datetime, high: datetime, offset: Callable[[datetime], timedelta]) -> Change:
    before, after = offset(low), offset(high)
    while high - low > timedelta(minutes=1):
        middle = low + (high - low) // 2
        middle = middle.replace(second=0, microsecond=0)
        low, high = (middle, high) if offset(middle) == before else (low, middle)
    old, new = (high + one for one in (before, after))
    begin, end = sorted((old.replace(tzinfo=None), new.replace(tzinfo=None)))
    return Change(begin, end, forward=after > before)


@lru_cache(maxsize=16384)
def hits_dst_change(schedule: Schedule, zone: str, first_year: int) -> DstHit | None:
    """Return the first change of the clock in which a schedule has starts, or None.

    28 years from `first_year` are looked at, after which weekdays and changes come round. A
    wildcard line of every hour of every day is left alone by changes of whole hours: its starts
    go on at the same distance. Raises `UnknownZone`.
    """
    if not any(_may_start(schedule, *window) for window in _windows(zone, first_year)):
        return None
    steady = schedule.wildcard and len(schedule.hours) == 24 and schedule.days.is_daily
    for change in clock_changes(zone, first_year):
        if steady and (change.end - change.begin) % timedelta(hours=1) == timedelta():
            continue
        starts = sum(1 for _ in schedule.starts(change.begin, change.end))
        if starts:
            return DstHit(
                zone, change.begin.date(), change.forward, starts,
                _sentence(schedule, zone, change, starts),
            )  # fmt: skip
    return None


@lru_cache(maxsize=64)
def _windows(zone: str, first_year: int) -> tuple[tuple[int, int], ...]:
    """Return the times of day that changes touch, each once: first minute, and end."""
    found: dict[tuple[int, int], None] = {}
    for begin, end, _ in clock_changes(zone, first_year):
        first = begin.hour * 60 + begin.minute
        found[first, first + (end - begin) // timedelta(minutes=1)] = None
    return tuple(found)


def _may_start(schedule: Schedule, first: int, end: int) -> bool:
    # Most schedules are told by the time of day, without a look at any day.
    times = schedule.times
    return end > MINUTES_A_DAY or bisect_left(times, first) < bisect_left(times, end)


def _sentence(schedule: Schedule, zone: str, change: Change, starts: int) -> str:
    span = f"from {change.begin:%H:%M} to {change.end:%H:%M} on {change.begin:%Y-%m-%d}"
    what = f"{starts} start{'s' if starts > 1 else ''} {span} ({zone})"
    if change.forward:
        happens = ("the clock leaves that time out, and cron the starts" if schedule.wildcard
                   else "the clock leaves that time out, cron makes up for it at once")  # fmt: skip
    else:
        happens = ("that time comes twice, and so do the starts" if schedule.wildcard
                   else "that time comes twice, cron starts once")  # fmt: skip
    return f"{what}: {happens}; a daemon counts seconds and knows no such day"
