"""When the lines of a log file were written, how serious they are, and which belong together."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone, tzinfo

from psops.logs.model import INFO, Line

_MONTHS = {name: at for at, name in enumerate(
    "jan feb mar apr may jun jul aug sep oct nov dec".split(), 1)}  # fmt: skip
_YEAR = r"(?P<year>\d{4})"
_DATE = rf"{_YEAR}[-/](?P<month>\d\d)[-/](?P<day>\d\d)"
_CLOCK = r"(?P<hour>\d\d):(?P<minute>\d\d):(?P<second>\d\d)(?:[.,](?P<fraction>\d{1,9}))?"
_ZONE = r"(?: ?(?P<zone>Z|UTC|GMT|[+-]\d\d:?(?:\d\d)?)(?![A-Za-z0-9]))?"
_NAMED = r"(?P<name>[A-Z][a-z]{2})"

#: How the daemons of the catalogue begin their lines; the first that fits counts. What is told
#: twice, the time and the name of the host, is left out of the message if it is in front.
FORMATS: tuple[tuple[str, re.Pattern[str], bool], ...] = (
    # rsyslog since its version 7, where its distribution has not set the old format.
    ("rsyslog", re.compile(rf"{_DATE}T{_CLOCK}{_ZONE} [\w.:-]+ (?=[\w./@-]{{1,64}}(?:\[\d+\])?: )"),
     True),
    # Python's logging, log4perl, PostgreSQL, munged; in brackets OpenSearch, Logstash.
    ("iso", re.compile(rf"\[?{_DATE}[T ]{_CLOCK}{_ZONE}\]?:? ?"), True),
    # RFC 3164, as rsyslog and syslogd write it, which has no year.
    ("syslog", re.compile(rf"{_NAMED} (?P<day>[ \d]\d) {_CLOCK} (?:[\w.:-]+) "), True),
    # Apache's error log.
    (
        "apache",
        re.compile(rf"\[[A-Z][a-z]{{2}} {_NAMED} (?P<day>\d\d) {_CLOCK} {_YEAR}\] ?"),
        True,
    ),
    # Access logs: a client, two names, then the time.
    (
        "access",
        re.compile(
            rf"\S+ \S+ [^\[]{{0,80}}\[(?P<day>\d\d)/{_NAMED}/{_YEAR}:{_CLOCK}"
            r" (?P<zone>[+-]\d{4})\]"
        ),
        False,
    ),
    # Grafana, and others that write logfmt.
    (
        "logfmt",
        re.compile(rf"(?:[^\s=]+=\S* ){{0,3}}(?:t|ts|time)=\"?{_DATE}T{_CLOCK}{_ZONE}"),
        False,
    ),
)  # fmt: skip

#: Words for a priority; in capitals wherever they stand near the beginning, in other letters
#: only where a format has them for this.
_LEVELS = {
    "EMERG": 0, "PANIC": 0, "ALERT": 1, "CRIT": 2, "CRITICAL": 2, "FATAL": 2, "SEVERE": 3,
    "ERR": 3, "ERROR": 3, "WARN": 4, "WARNING": 4, "NOTICE": 5, "LOG": 6, "INFO": 6,
    "DEBUG": 7, "TRACE": 7,
}  # fmt: skip
_LEVEL = re.compile(
    r"\b(" + "|".join(_LEVELS) + r")\b"
    r"|\b(?:level|lvl)=\"?([a-z]+)"  # logfmt
    r"|\[(?:\w+:)?(emerg|alert|crit|error|warn|notice|info|debug|trace\d?)\]"  # Apache
    r"|^(Emergency|Alert|Critical|Error|Warning|Notice|Info|Debug):"  # munged
)
_TRACEBACK = "Traceback (most recent call last)"
_LEVEL_WITHIN = 160
#: The name and number of a process, as syslog has them in front of a message.
_PROCESS = re.compile(r"^(?P<name>[\w./@-]{1,64})\[(?P<pid>\d{1,10})\]: ?")
#: Lines of one entry that are kept together, and characters of one line; more begin anew.
_MOST_LINES = 500
_MOST_CHARS = 1 << 20


def _now() -> datetime:
    return datetime.now(UTC)


class Stamps:
    """Makes entries of the lines of one file: each line that has a time begins one.

    `zone` is that of the host; `fallback_us` the time of lines before the first that has one.
    A file may be followed for months, so `now` is asked for each time that has no year.
    """

    def __init__(
        self, host: str, source: str, unit: str, zone: tzinfo, fallback_us: int,
        now: Callable[[], datetime] = _now,
    ) -> None:  # fmt: skip
        self._host = host
        self._source = source
        self._unit = unit
        self._zone = zone
        self._last_us = fallback_us
        self._now = now
        self._name = source.rpartition("/")[2]
        self._usual = 0  # the place of the format that fitted last
        self._line: Line | None = None
        self._more: list[str] = []

    def feed(self, text: str) -> Iterator[Line]:
        """Yield the entry that this line ends, if it begins a new one."""
        text = text[:_MOST_CHARS]
        found = self._time(text)
        joins = found is None and self._line is not None and len(self._more) < _MOST_LINES
        if joins and (text[:1] in ("\t", " ", "}", "") or self._is_traced(text)):
            self._more.append(text)
            return
        yield from self.flush()
        guessed = found is None
        if found is not None:
            self._last_us, text = found
        identifier, pid = self._name, 0
        if (named := _PROCESS.match(text)) is not None:
            identifier, pid = named["name"], int(named["pid"])
            text = text[named.end() :]
        self._line = Line(self._last_us, self._host, self._unit, identifier, pid, _level(text),
                          text, self._source, guessed=guessed)  # fmt: skip

    def flush(self) -> Iterator[Line]:
        """Yield the entry that is complete if nothing more comes."""
        if self._line is not None:
            line, self._line = self._line, None
            if self._more:
                while self._more and not self._more[-1].strip():
                    self._more.pop()
                message = "\n".join([line.message, *self._more])
                traced = _TRACEBACK in message
                line = line._replace(
                    message=message, priority=min(line.priority, 3) if traced else line.priority
                )
                self._more = []
            if line.message.strip():
                yield line

    @property
    def pending(self) -> bool:
        """Whether an entry waits for more lines of its own."""
        return self._line is not None

    def _is_traced(self, text: str) -> bool:
        """Tell whether a line that is not indented ends the traceback above it."""
        lines = [self._line.message if self._line else "", *self._more]
        begun = any(_TRACEBACK in line for line in lines)
        return text.startswith((_TRACEBACK, "During handling", "The above exception")) or (
            begun and lines[-1][:1] in (" ", "\t")
        )

    def _time(self, text: str) -> tuple[int, str] | None:
        for at in (self._usual, *range(len(FORMATS))):
            _, pattern, strip = FORMATS[at]
            if (found := pattern.match(text)) is not None:
                try:
                    moment = _moment(found.groupdict(), self._zone, self._now)
                except (ValueError, OverflowError, OSError, KeyError):
                    continue
                self._usual = at
                return moment, text[found.end() :] if strip else text
        return None


def _moment(parts: dict[str, str | None], zone: tzinfo, now: Callable[[], datetime]) -> int:
    """Return the microseconds since the epoch; raises what `datetime` raises."""
    month = int(parts.get("month") or 0) or _MONTHS[(parts.get("name") or "").lower()]
    there = _zone(parts["zone"] or "", zone) if parts.get("zone") else zone
    fraction = (parts.get("fraction") or "").ljust(6, "0")[:6]
    clock = (int(parts["day"] or 0), int(parts["hour"] or 0), int(parts["minute"] or 0),
             min(int(parts["second"] or 0), 59), int(fraction))  # fmt: skip
    if year := parts.get("year"):
        moment = datetime(int(year), month, *clock, tzinfo=there)
    else:
        here = now().astimezone(there)
        # A log does not tell of the future: December is that of last year, in January.
        moment = datetime(here.year, month, *clock, tzinfo=there)
        if moment - here > timedelta(days=2):
            moment = moment.replace(year=here.year - 1)
    return (moment - _EPOCH) // _MICROSECOND


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def _zone(text: str, other: tzinfo) -> tzinfo:
    if text in ("Z", "UTC", "GMT"):
        return UTC
    sign = -1 if text[0] == "-" else 1
    digits = text[1:].replace(":", "").ljust(4, "0")
    return timezone(sign * timedelta(hours=int(digits[:2]), minutes=int(digits[2:])))


def _level(text: str) -> int:
    found = _LEVEL.search(text[:_LEVEL_WITHIN])
    if found is None:
        return 3 if _TRACEBACK in text else INFO
    word = next(group for group in found.groups() if group).upper().rstrip("0123456789")
    if word in _LEVELS:
        return _LEVELS[word]
    return next((value for name, value in _LEVELS.items() if word.startswith(name)), INFO)
