# ruff: noqa: DTZ001 - the times of a crontab have no zone
"""A matcher of its own: one minute against the text of five fields, without sets or gaps.

It shares nothing with psops. Each item of a field is asked whether it selects a number, and
time goes on minute by minute (or day by day where the minutes of a day are known).
"""

from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from functools import lru_cache

_RANGES = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
_NAMES = {
    3: "jan feb mar apr may jun jul aug sep oct nov dec".split(),
    4: "sun mon tue wed thu fri sat".split(),
}


def _number(text: str, place: int) -> int:
    if text.isdigit():
        return int(text)
    at = _NAMES[place].index(text.lower())
    return at + 1 if place == 3 else at


def _item(text: str, number: int, place: int) -> bool:
    low, high = _RANGES[place]
    text, _, step = text.partition("/")
    if text == "*":
        first, last = low, high
    elif "-" in text:
        first, last = (_number(part, place) for part in text.split("-"))
    else:
        first = last = _number(text, place)
    return first <= number <= last and (number - first) % int(step or 1) == 0


@lru_cache(maxsize=200_000)
def _field(text: str, number: int, place: int) -> bool:
    return any(_item(item, number, place) for item in text.split(","))


def is_day(words: list[str], day: date) -> bool:
    """Tell whether five fields start on a day."""
    if not _field(words[3], day.month, 3):
        return False
    dom = _field(words[2], day.day, 2)
    weekday = day.weekday()
    # Monday is 1; Sunday is 0 and 7.
    dow = _field(words[4], weekday + 1, 4) or (weekday == 6 and _field(words[4], 0, 4))
    if words[2][0] == "*" or words[4][0] == "*":
        return dom and dow
    return dom or dow


def is_start(words: list[str], at: datetime) -> bool:
    """Tell whether five fields start at a minute."""
    return _field(words[0], at.minute, 0) and _field(words[1], at.hour, 1) and is_day(words, at)


def starts(expression: str, begin: datetime, end: datetime) -> Iterator[datetime]:
    """Step minute by minute and yield the starts."""
    words = expression.split()
    at = begin
    minute = timedelta(minutes=1)
    while at < end:
        if is_start(words, at):
            yield at
        at += minute


def gaps(expressions: list[str], days: int) -> tuple[int, Counter[int]]:
    """Return starts and gaps in seconds of a cycle of `days`, closed to a circle.

    Every minute of the cycle is stepped through if it has at most 7 days; in the 400 years every
    day is, and the minutes of those that match.
    """
    # 2023-01-01 was a Sunday; 400 years from any day are a whole cycle.
    begin = datetime(2023, 1, 1)
    if days <= 7:
        union = {at for one in expressions for at in starts(one, begin, begin + timedelta(days))}
        found = [round((at - begin).total_seconds()) for at in sorted(union)]
    else:
        found = _calendar([one.split() for one in expressions], date(2023, 1, 1), days)
    if not found:
        return 0, Counter()
    following = [*found[1:], found[0] + days * 86_400]
    return len(found), Counter(
        later - earlier for earlier, later in zip(found, following, strict=True)
    )


def _calendar(expressions: list[list[str]], begin: date, days: int) -> list[int]:
    times = [
        [60 * minute for minute in range(1440)
         if _field(words[0], minute % 60, 0) and _field(words[1], minute // 60, 1)]
        for words in expressions
    ]  # fmt: skip
    found = []
    for at in range(days):
        day = begin + timedelta(days=at)
        here = [time for words, one in zip(expressions, times, strict=True)
                if is_day(words, day) for time in one]  # fmt: skip
        found += [at * 86_400 + time for time in sorted(set(here))]
    return found
