"""The gaps between the starts of schedules, over their whole cycle, exactly.

The cycle is a day where every day is alike, a week where the weekday alone decides, and else
the 400 years (146097 days, exactly 20871 weeks) after which the calendar repeats. No shorter
window is exact: 2100 has no 29 February. Days are counted by their pattern, never by minutes.
"""

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise

from psops.cron.schedule import MINUTES_A_DAY, DayRule, Schedule

CALENDAR_DAYS = 146_097
DAY_S = 86_400
#: 1 January 2000 was a Saturday, and the year a leap year; any year may begin the circle.
_FIRST_YEAR, _FIRST_WEEKDAY = 2000, 6
#: A line whose largest gap is above this many times the mean is bound to the clock (R3).
BURST = 2


class Kind(StrEnum):
    """What a period can keep of a schedule."""

    EQUAL = "equal"
    UNEQUAL = "unequal"
    CLOCK_BOUND = "clock-bound"
    NEVER = "never"
    REBOOT = "reboot"
    RANDOM = "random"


@dataclass(frozen=True, slots=True)
class Distribution:
    """All gaps of a cycle: `gaps` has each length in seconds and how often it occurs.

    Without a start there is no gap; the numbers are 0 then.
    """

    cycle_days: int
    runs: int
    gaps: tuple[tuple[int, int], ...]

    @property
    def per_day(self) -> Fraction:
        """Starts per day, over the cycle."""
        return Fraction(self.runs, self.cycle_days)

    @property
    def mean(self) -> Fraction:
        """The mean gap in seconds; the length of the cycle over its starts (C/n)."""
        if not self.runs:
            return Fraction(0)
        return Fraction(self.cycle_days * DAY_S, self.runs)

    @property
    def least(self) -> int:
        """The shortest gap in seconds."""
        return self.gaps[0][0] if self.gaps else 0

    @property
    def most(self) -> int:
        """The longest gap in seconds."""
        return self.gaps[-1][0] if self.gaps else 0

    @property
    def is_equal(self) -> bool:
        """Whether there is one gap only."""
        return len(self.gaps) == 1

    def text(self, most: int = 4) -> str:
        """Return the gaps for people; of a long list the ends.

        >>> Distribution(1, 216, ((240, 24), (420, 192))).text()
        '240 s ×24, 420 s ×192 in 1 day'
        """
        parts = [f"{gap} s ×{count}" for gap, count in self.gaps]
        if len(parts) > most:
            parts = [*parts[: most // 2], "...", *parts[-(most // 2) :]]
        cycle = {1: "1 day", 7: "7 days"}.get(self.cycle_days, "400 years")
        return f"{', '.join(parts) or 'no start'} in {cycle}"


def distribution(*schedules: Schedule) -> Distribution:
    """Return the gaps between the distinct starts of the schedules together.

    `@reboot` has no start of its own. A drawn minute or hour is taken as its lowest number,
    which shifts all gaps alike unless the schedule is `undefined`.
    """
    return _distribution(tuple((one.days, one.minutes, one.hours) for one in schedules))


@lru_cache(maxsize=32768)
def _distribution(
    parts: tuple[tuple[DayRule, tuple[int, ...], tuple[int, ...]], ...],
) -> Distribution:
    # Without a minute or hour (a range Debian selects nothing of) the days do not matter.
    parts = tuple(part for part in parts if part[1] and part[2])
    rules = tuple(rule for rule, _, _ in parts)
    times = [tuple(60 * hour + minute for hour in hours for minute in minutes)
             for _, minutes, hours in parts]  # fmt: skip
    if all(rule.is_daily for rule in rules):
        cycle, everything = 1, (1 << len(rules)) - 1
        days, steps = Counter({everything: 1}), Counter({(everything, everything, 1): 1})
        if not rules:
            days, steps = Counter(), Counter()
    elif all(rule.is_weekly for rule in rules):
        cycle = 7
        days, steps = _week(rules)
    else:
        cycle = CALENDAR_DAYS
        days, steps = _calendar(rules)
    merged = {key: _union(times, key) for key in days}
    gaps: Counter[int] = Counter()
    runs = 0
    for key, count in days.items():
        runs += count * len(merged[key])
        for one, other in pairwise(merged[key]):
            gaps[(other - one) * 60] += count
    for (one_day, other_day, distance), count in steps.items():
        between = MINUTES_A_DAY * distance + merged[other_day][0] - merged[one_day][-1]
        gaps[between * 60] += count
    return Distribution(cycle, runs, tuple(sorted(gaps.items())))


#: How many days have a pattern, and how often one follows another so many days later.
#: A pattern is the set of schedules that start on the day, as bits.
_Days = Counter[int]
_Steps = Counter[tuple[int, int, int]]


def _union(times: list[tuple[int, ...]], key: int) -> list[int]:
    chosen = [one for at, one in enumerate(times) if key >> at & 1]
    return list(chosen[0]) if len(chosen) == 1 else sorted(set().union(*chosen))


def _week(rules: tuple[DayRule, ...]) -> tuple[_Days, _Steps]:
    found: list[tuple[int, int]] = []
    for weekday in range(7):
        # is_weekly: the days of the month are either all or, under `either`, none.
        if key := sum(1 << at for at, rule in enumerate(rules)
                      if rule.is_daily or weekday in rule.weekdays):  # fmt: skip
            found.append((weekday, key))
    days = Counter(key for _, key in found)
    steps: _Steps = Counter()
    if found:
        first, key = found[0]
        for (one, one_key), (other, other_key) in pairwise([*found, (first + 7, key)]):
            steps[one_key, other_key, other - one] += 1
    return days, steps


@lru_cache(maxsize=2048)
def _calendar(rules: tuple[DayRule, ...]) -> tuple[_Days, _Steps]:
    """Count over 400 years, of which there are 14 types: leap or not, weekday of 1 January."""
    types = {
        (leap, weekday): _year(rules, leap, weekday)
        for leap in (False, True)
        for weekday in range(7)
    }
    years: Counter[tuple[bool, int]] = Counter()
    days: _Days = Counter()
    steps: _Steps = Counter()
    first: tuple[int, int] | None = None
    last = (0, 0)
    begin, weekday = 0, _FIRST_WEEKDAY
    for year in range(_FIRST_YEAR, _FIRST_YEAR + 400):
        leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
        found, _ = types[leap, weekday]
        years[leap, weekday] += 1
        if found:
            at, key = found[0]
            if first is None:
                first = (begin + at, key)
            else:
                steps[last[1], key, begin + at - last[0]] += 1
            last = (begin + found[-1][0], found[-1][1])
        length = 366 if leap else 365
        begin, weekday = begin + length, (weekday + length) % 7
    if first is not None:
        steps[last[1], first[1], first[0] + CALENDAR_DAYS - last[0]] += 1
    for kind, count in years.items():
        found, inner = types[kind]
        for _, key in found:
            days[key] += count
        for step, times in inner.items():
            steps[step] += count * times
    return days, steps


def _year(
    rules: tuple[DayRule, ...], leap: bool, weekday: int
) -> tuple[list[tuple[int, int]], _Steps]:
    """Return the days of one type of year with their patterns, and the steps inside it."""
    masks = [_mask(rule, leap, weekday) for rule in rules]
    left = 0
    for mask in masks:
        left |= mask
    found: list[tuple[int, int]] = []
    single = len(masks) == 1
    while left:
        lowest = left & -left
        left ^= lowest
        key = 1 if single else sum(1 << at for at, mask in enumerate(masks) if mask & lowest)
        found.append((lowest.bit_length() - 1, key))
    steps: _Steps = Counter(
        (one_key, other_key, other - one) for (one, one_key), (other, other_key) in pairwise(found)
    )
    return found, steps


def _mask(rule: DayRule, leap: bool, weekday: int) -> int:
    """Return the days of a year that fit a rule, as bits from 1 January on."""
    by_month, by_dom = _month_masks(leap)
    months = sum(by_month[month] for month in rule.months)
    doms = sum(by_dom[dom] for dom in rule.doms)
    weekdays = sum(_weekday_mask((one - weekday) % 7) for one in rule.weekdays)
    return months & (doms | weekdays if rule.either else doms & weekdays)


@lru_cache
def _month_masks(leap: bool) -> tuple[dict[int, int], dict[int, int]]:
    by_month: dict[int, int] = {}
    by_dom = dict.fromkeys(range(1, 32), 0)
    begin = 0
    lengths = (31, 29 if leap else 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
    for month, length in enumerate(lengths, 1):
        by_month[month] = ((1 << length) - 1) << begin
        for dom in range(1, length + 1):
            by_dom[dom] |= 1 << (begin + dom - 1)
        begin += length
    return by_month, by_dom


@lru_cache
def _weekday_mask(offset: int) -> int:
    # One day too many in a common year; the months cut it off.
    return sum(1 << day for day in range(offset, 366, 7))


def classify(*schedules: Schedule) -> Kind:
    """Return what rules R1, R2, R3 and R9 make of the schedules of one job on one server."""
    if any(one.undefined for one in schedules):
        return Kind.RANDOM
    # Two drawn minutes stand at no fixed distance from each other, nor one from a fixed one.
    if len(schedules) > 1 and any(one.random for one in schedules):
        return Kind.RANDOM
    if any(one.reboot for one in schedules):
        return Kind.REBOOT
    gaps = distribution(*schedules)
    if gaps.runs == 0:
        return Kind.NEVER
    # First, since a line of the calendar may add no start to those of another.
    if gaps.is_equal:
        return Kind.EQUAL
    if gaps.cycle_days == CALENDAR_DAYS:
        return Kind.CLOCK_BOUND
    return Kind.CLOCK_BOUND if gaps.most > BURST * gaps.mean else Kind.UNEQUAL


def most_at_once(servers: tuple[tuple[int, tuple[Schedule, ...]], ...]) -> int:
    """Return how many servers start in the same minute at most.

    Each server group is how many they are and what they all run. Exact where weekdays decide;
    0 where the calendar does, which has no common week.
    """
    if not all(one.days.is_weekly for _, schedules in servers for one in schedules):
        return 0
    at: Counter[int] = Counter()
    for count, schedules in servers:
        minutes = {
            MINUTES_A_DAY * day + time
            for one in schedules
            for day in range(7)
            if one.days.is_daily or day in one.days.weekdays
            for time in one.times
        }
        for minute in minutes:
            at[minute] += count
    return max(at.values(), default=0)
