"""A schedule as a sentence. The words say what the numbers mean, not how they are written."""

from functools import lru_cache

from psops.cron.schedule import (
    ALL_DAYS,
    ALL_MONTHS,
    ALL_WEEKDAYS,
    MINUTES_A_DAY,
    DayRule,
    Schedule,
)

_WEEKDAYS = "Sunday Monday Tuesday Wednesday Thursday Friday Saturday".split()
_MONTHS = (
    "January February March April May June July August September October November December".split()
)
#: Up to so many times of day are listed.
_MOST_TIMES = 6


@lru_cache(maxsize=16384)
def describe(schedule: Schedule) -> str:
    """Return when a schedule starts, in words.

    >>> from psops.cron.schedule import parse_expression
    >>> describe(parse_expression("5-59/30 * * * *")), describe(parse_expression("15 3 * * 1"))
    ('every 30 minutes from minute 5', 'at 03:15 on Mondays')
    """
    if schedule.reboot:
        return "once after each boot"
    # A rule that fits no day at all (a range Debian selects nothing of).
    if not schedule.times or not schedule.days.months:
        return "never"
    when = _random_times(schedule) if schedule.random else _times(schedule)
    days = _days(schedule.days)
    if not days:
        return f"{when} every day" if when.startswith("at ") and ":" in when else when
    return f"{when} {days}"


def _times(schedule: Schedule) -> str:
    minutes, hours = schedule.minutes, schedule.hours
    if len(hours) == 24:
        return _in_every_hour(minutes)
    step = _step(schedule.times, MINUTES_A_DAY)
    if step and len(schedule.times) > 1:
        return f"every {_span(step)} from {_clock(schedule.times[0])}"
    if len(schedule.times) <= _MOST_TIMES:
        return f"at {_and([_clock(time) for time in schedule.times])}"
    span = f"of hour{_s(hours)} {_numbers(hours)}"
    every = _step(minutes, 60)
    if every == 1:
        return f"every minute {span}"
    if every and len(minutes) > 1:
        start = f" from minute {minutes[0]}" if minutes[0] else ""
        return f"every {every} minutes{start} {span}"
    return f"at minute{_s(minutes)} {_numbers(minutes)} {span}"


def _in_every_hour(minutes: tuple[int, ...]) -> str:
    step = _step(minutes, 60)
    if step == 1:
        return "every minute"
    if step == 60:
        return f"every hour at minute {minutes[0]}"
    if step:
        start = f" from minute {minutes[0]}" if minutes[0] else ""
        return f"every {step} minutes{start}"
    return f"at minutes {_numbers(minutes)} of every hour"


def _random_times(schedule: Schedule) -> str:
    minute = ("one random minute" if "minute" in schedule.random
              else f"minute{_s(schedule.minutes)} {_numbers(schedule.minutes)}")  # fmt: skip
    if "hour" in schedule.random:
        return f"at {minute} of one random hour"
    if len(schedule.hours) == 24:
        return f"every hour at {minute}"
    return f"at {minute} of hour{_s(schedule.hours)} {_numbers(schedule.hours)}"


def _days(rule: DayRule) -> str:
    if rule.is_daily:
        return ""
    parts = []
    doms = f"on day{_s(rule.doms)} {_numbers(rule.doms)} of the month" if rule.doms else ""
    weekdays = _weekdays(rule.weekdays) if rule.weekdays else ""
    # Under `either` a full field makes any day fit; under both it asks for nothing.
    if rule.either:
        full = rule.doms == ALL_DAYS or rule.weekdays == ALL_WEEKDAYS
        if not full:
            parts.append(" or ".join(part for part in (doms, weekdays) if part) or "on no day")
    elif not rule.doms or not rule.weekdays:
        parts.append("on no day")
    else:
        chosen = [doms] if rule.doms != ALL_DAYS else []
        chosen += [weekdays] if rule.weekdays != ALL_WEEKDAYS else []
        if len(chosen) == 2:
            parts.append(f"{doms} if it is {_and(_names(rule.weekdays), 'or')}")
        else:
            parts += chosen
    if rule.months != ALL_MONTHS:
        names = [_MONTHS[month - 1] for month in rule.months]
        parts.append(f"in {_run(names, rule.months) or _and(names)}")
    return " ".join(parts)


def _names(weekdays: tuple[int, ...]) -> list[str]:
    return [_WEEKDAYS[day] for day in weekdays]


def _weekdays(weekdays: tuple[int, ...]) -> str:
    names = _names(weekdays)
    run = _run(names, weekdays)
    return f"from {run}" if run else f"on {_and([f'{name}s' for name in names])}"


def _run(names: list[str], numbers: tuple[int, ...]) -> str:
    """Return "first to last" for three or more numbers in a row, else nothing."""
    in_a_row = len(numbers) >= 3 and numbers[-1] - numbers[0] == len(numbers) - 1
    return f"{names[0]} to {names[-1]}" if in_a_row else ""


def _step(numbers: tuple[int, ...], cycle: int) -> int:
    """Return the distance of numbers that stand equally round a cycle, else 0."""
    step, rest = divmod(cycle, len(numbers))
    even = not rest and all(
        number == numbers[0] + at * step for at, number in enumerate(numbers)
    )  # fmt: skip
    return step if even else 0


def _numbers(numbers: tuple[int, ...]) -> str:
    """Return numbers as a range, "0 to 56 in steps of 7" or a list.

    >>> _numbers((9, 10, 11, 12)), _numbers((0, 7, 14, 21)), _numbers((5, 9, 50))
    ('9 to 12', '0 to 21 in steps of 7', '5, 9 and 50')
    """
    if len(numbers) >= 4:
        step = numbers[1] - numbers[0]
        if numbers == tuple(range(numbers[0], numbers[-1] + 1, step)):
            steps = f" in steps of {step}" if step > 1 else ""
            return f"{numbers[0]} to {numbers[-1]}{steps}"
    return _and([str(number) for number in numbers])


def _and(words: list[str], last: str = "and") -> str:
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} {last} {words[-1]}"


def _span(minutes: int) -> str:
    hours, rest = divmod(minutes, 60)
    return f"{minutes} minutes" if rest else f"{hours} hours"


def _clock(time: int) -> str:
    return f"{time // 60:02d}:{time % 60:02d}"


def _s(numbers: tuple[int, ...]) -> str:
    return "" if len(numbers) == 1 else "s"
