"""Time spans as unit files have them. Authority: systemd.time(7), "Parsing Time Spans"."""

import re

_SECONDS: dict[str, float] = {
    "": 1.0, "s": 1.0, "sec": 1.0, "second": 1.0, "seconds": 1.0,
    "usec": 1e-6, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "msec": 1e-3,
    "m": 60.0, "min": 60.0, "minute": 60.0, "minutes": 60.0,
    "h": 3600.0, "hr": 3600.0, "hour": 3600.0, "hours": 3600.0,
    "d": 86400.0, "day": 86400.0, "days": 86400.0,
    "w": 604800.0, "week": 604800.0, "weeks": 604800.0,
}  # fmt: skip
_PART = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([A-Za-zµ]*)\s*")


def parse_timespan(text: str) -> float | None:
    """Return the seconds of a time span, None for no end; raises `ValueError`.

    >>> parse_timespan("1min 30s"), parse_timespan("100ms"), parse_timespan("infinity")
    (90.0, 0.1, None)
    """
    text = text.strip()
    if text == "infinity":
        return None
    seconds, place = 0.0, 0
    while found := _PART.match(text, place):
        if found[2] not in _SECONDS:
            break
        seconds += float(found[1]) * _SECONDS[found[2]]
        place = found.end()
    if not text or place != len(text):
        raise ValueError(f"'{text}' is no time span")
    return seconds
