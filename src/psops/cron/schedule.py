"""A schedule: the five time fields or the macro of a crontab line, taken together.

Authority: crontab(5) and `entry.c`, `cron.c` of Debian's cron and cronie; both agree on all
that is here.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property, lru_cache
from typing import NamedTuple

from psops.cron.fields import BadExpression, Dialect, parse_field
from psops.nearest import did_you_mean

#: What the macros stand for. Lower case alone counts; there are no others.
CRON_ALIASES = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
REBOOT = "@reboot"

ALL_DAYS = tuple(range(1, 32))
ALL_MONTHS = tuple(range(1, 13))
ALL_WEEKDAYS = tuple(range(7))
MINUTES_A_DAY = 1440
_BLANKS = re.compile(r"[ \t]+")


class DayRule(NamedTuple):
    """On which days a schedule starts: days of the month, months, weekdays (Sunday is 0).

    `either` tells how the two day fields combine: a day that fits one of them is enough
    unless one of the two texts begins with `*`, also as in `*/2` or `*,10`; then both must fit.
    """

    doms: tuple[int, ...]
    months: tuple[int, ...]
    weekdays: tuple[int, ...]
    either: bool

    def matches(self, day: date) -> bool:
        """Tell whether it starts on a day."""
        dom = day.day in self.doms
        weekday = day.isoweekday() % 7 in self.weekdays
        return day.month in self.months and ((dom or weekday) if self.either else (dom and weekday))

    @property
    def is_daily(self) -> bool:
        """Whether every day fits, whatever the fields look like (`1-31` is any day)."""
        every_dom, every_weekday = self.doms == ALL_DAYS, self.weekdays == ALL_WEEKDAYS
        both = (every_dom or every_weekday) if self.either else (every_dom and every_weekday)
        return both and self.months == ALL_MONTHS

    @property
    def is_weekly(self) -> bool:
        """Whether the weekday alone decides."""
        free = not self.doms if self.either else self.doms == ALL_DAYS
        return self.is_daily or (free and self.months == ALL_MONTHS)


@dataclass(frozen=True)
class Schedule:
    """When a crontab line starts, in local time.

    `wildcard`: the minute or hour field begins with `*`; cron treats such lines otherwise when
    the clock changes. `random` names the fields that cronie draws at random; `undefined` tells
    that the gaps depend on the draw. `notes` are remarks on how the text is read.
    """

    text: str
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: DayRule
    wildcard: bool = False
    reboot: bool = False
    random: tuple[str, ...] = ()
    undefined: bool = False
    notes: tuple[str, ...] = ()

    @cached_property
    def times(self) -> tuple[int, ...]:
        """The minutes of a day it starts at, ascending."""
        return tuple(60 * hour + minute for hour in self.hours for minute in self.minutes)

    def starts(self, begin: datetime, end: datetime) -> Iterator[datetime]:
        """Yield the starts from `begin` up to but without `end`, both without a zone."""
        day = begin.replace(hour=0, minute=0, second=0, microsecond=0)
        while day < end:
            if self.days.matches(day):
                # Rounded up, since a start is at the full minute.
                low = max(0, -((day - begin) // timedelta(minutes=1)))
                high = -((day - end) // timedelta(minutes=1))
                for time in self.times[
                    bisect_left(self.times, low) : bisect_left(self.times, high)
                ]:
                    yield day + timedelta(minutes=time)
            try:
                day += timedelta(days=1)
            except OverflowError:  # the last day of the year 9999
                return


@lru_cache(maxsize=16384)
def parse_expression(text: str, dialect: Dialect = Dialect.COMMON) -> Schedule:
    """Return the schedule of five fields or a macro.

    Raises `BadExpression` with the field, the reason and what each cron would make of it.

    >>> parse_expression("5 1-19/6 * * *").times
    (65, 425, 785, 1145)
    """
    text = text.strip(" \t")
    if text.startswith("@"):
        return _macro(text, dialect)
    words = _BLANKS.split(text)
    if len(words) != 5:
        raise BadExpression(
            f"a schedule has five fields, this has {len(words) if text else 0}",
            remedy="write minute, hour, day of month, month, day of week",
        )
    minute, hour, dom, month, weekday = fields = [
        parse_field(word, place, dialect) for place, word in enumerate(words)
    ]
    random = tuple(name for name, field in zip(_NAMES, fields, strict=True) if field.random)
    return Schedule(
        text=" ".join(words),
        minutes=minute.values,
        hours=hour.values,
        days=DayRule(dom.values, month.values, weekday.values, not (dom.star or weekday.star)),
        wildcard=minute.star or hour.star,
        random=random,
        # One drawn minute or hour shifts all starts alike; a drawn day falls on months
        # of different lengths, and one of several minutes comes nearer to the others.
        undefined=any(field.random and not (field.lone and at < 2)
                      for at, field in enumerate(fields)),
        notes=tuple(note for field in fields for note in field.notes),
    )  # fmt: skip


_NAMES = ("minute", "hour", "day of month", "month", "day of week")


def _macro(text: str, dialect: Dialect) -> Schedule:
    if text == REBOOT:
        return Schedule(text, (), (), DayRule((), (), (), False), reboot=True)
    meant = CRON_ALIASES.get(text)
    if meant is None:
        names = (*CRON_ALIASES, REBOOT)
        shown = text[:40]
        raise BadExpression(
            f"'{shown}' is no time specifier of cron{did_you_mean(shown.lower(), names)}",
            remedy="write five fields, or one of @hourly, @daily, @weekly, @monthly, @yearly",
        )
    plain = parse_expression(meant, dialect)
    # entry.c sets the star of the hour for @hourly, which five fields would have as well.
    return Schedule(text, plain.minutes, plain.hours, plain.days, wildcard=plain.wildcard)
