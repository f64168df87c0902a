"""Moments as users type them, in the time zone of the one who types.

What systemd.time(7) and journalctl(1) take, as far as people use it, and RFC 3339.
"""

import re
from datetime import UTC, datetime, timedelta

from psops.errors import UsageError

#: Shown in help texts and errors.
EXAMPLES = "2026-11-20, '2026-11-20 14:00', 14:00, 2h, '3d ago', today, yesterday"
#: Units of time as systemd.time(7) has them, in seconds.
_SPANS = {
    **dict.fromkeys(("s", "sec", "second", "seconds"), 1),
    **dict.fromkeys(("m", "min", "minute", "minutes"), 60),
    **dict.fromkeys(("h", "hr", "hour", "hours"), 3600),
    **dict.fromkeys(("d", "day", "days"), 86400),
    **dict.fromkeys(("w", "week", "weeks"), 7 * 86400),
    **dict.fromkeys(("month", "months"), 2_629_800),  # 30.4375 days
}
_SPAN = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,6})?) ?([a-z]+)")
_SPAN_LIST = re.compile(rf"-?(?:{_SPAN.pattern} ?)+(?: ?ago)?")
_EPOCH = re.compile(r"@([0-9]{1,11}(?:\.[0-9]{1,6})?)")
_CLOCK = re.compile(r"([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}))?")


def parse_moment(text: str, option: str, now: datetime | None = None) -> float:
    """Return the moment that a user means, in seconds since the epoch; raises `UsageError`.

    Dates without a zone are local; `2h` and `2h ago` are two hours before now.
    """
    now = now or datetime.now(UTC).astimezone()
    # The case counts for one unit alone: m are minutes, M months.
    word = " ".join(re.sub(r"(?<=[0-9 ])M(?![A-Za-z])", "months", text).lower().split())
    try:
        if word == "now":
            return now.timestamp()
        if word in ("today", "yesterday"):
            return _at(now - timedelta(days=word == "yesterday"), 0, 0, 0)
        if found := _EPOCH.fullmatch(word):
            return float(found[1])
        if found := _CLOCK.fullmatch(word):
            return _at(now, int(found[1]), int(found[2]), int(found[3] or 0))
        if _SPAN_LIST.fullmatch(word):
            spans = _SPAN.findall(word.removesuffix("ago"))
            return now.timestamp() - sum(float(count) * _SPANS[unit] for count, unit in spans)
        return datetime.fromisoformat(text.strip()).astimezone().timestamp()
    except (ValueError, KeyError, OverflowError, OSError) as exc:
        raise UsageError(f"{option}: '{text}' is no time such as {EXAMPLES}") from exc


def _at(day: datetime, hour: int, minute: int, second: int) -> float:
    # Through a time without a zone, since the day may have begun with another offset.
    there = day.replace(tzinfo=None, hour=hour, minute=minute, second=second, microsecond=0)
    return there.astimezone().timestamp()
