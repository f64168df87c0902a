"""The times, priorities and entries of the log files that the catalogue has."""

import time
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from psops.logs.model import Line
from psops.logs.stamps import Stamps

NOW = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
ZURICH = ZoneInfo("Europe/Zurich")
FALLBACK = 1_700_000_000_000_000


def read(*lines: str, zone: timezone | ZoneInfo = UTC, now: datetime = NOW) -> list[Line]:
    """Return the entries of the lines of a file."""
    stamps = Stamps("ps01", "/var/log/a/app.log", "a.service", zone, FALLBACK, lambda: now)
    return [*(entry for line in lines for entry in stamps.feed(line)), *stamps.flush()]


def moment(text: str) -> int:
    """Return a moment in microseconds since the epoch."""
    return int(datetime.fromisoformat(text).timestamp() * 1e6)


#: Where it is from, the line, its time in UTC, its priority, what is shown.
LINES = [
    ("panda", "2026-11-20 10:00:00,123 panda.log.daemons: ERROR    worker dead",
     "2026-11-20T10:00:00.123Z", 3, "panda.log.daemons: ERROR    worker dead"),
    ("pscheduler by rsyslog", "Nov 20 10:00:00 ps01 runner[12]: runner WARNING  slow",
     "2026-11-20T10:00:00Z", 4, "runner WARNING  slow"),
    ("pscheduler, one digit", "Nov  2 10:00:00 ps01 runner[12]: runner INFO     run",
     "2026-11-02T10:00:00Z", 6, "runner INFO     run"),
    ("rsyslog with a zone", "2026-11-20T11:00:00.123456+01:00 ps01 runner[12]: runner DEBUG  x",
     "2026-11-20T10:00:00.123456Z", 7, "runner DEBUG  x"),
    ("psconfig agent", "2026/11/20 10:00:00 INFO pid=77 prog=main:: line=1 guid=0 msg=Agent runs",
     "2026-11-20T10:00:00Z", 6, "INFO pid=77 prog=main:: line=1 guid=0 msg=Agent runs"),
    ("lsregistration", "2026/11/20 10:00:00 (1234) FATAL> daemon.pl:55 main:: - no config",
     "2026-11-20T10:00:00Z", 2, "(1234) FATAL> daemon.pl:55 main:: - no config"),
    ("apache error", "[Fri Nov 20 10:00:00.123456 2026] [wsgi:error] [pid 1:tid 2] boom",
     "2026-11-20T10:00:00.123456Z", 3, "[wsgi:error] [pid 1:tid 2] boom"),
    ("apache access", '127.0.0.1 - - [20/Nov/2026:11:00:00 +0100] "GET / HTTP/1.1" 200 5',
     "2026-11-20T10:00:00Z", 6,
     '127.0.0.1 - - [20/Nov/2026:11:00:00 +0100] "GET / HTTP/1.1" 200 5'),
    ("opensearch", "[2026-11-20T10:00:00,123][WARN ][o.o.c.r.a.DiskThreshold] [ps01] high disk",
     "2026-11-20T10:00:00.123Z", 4, "[WARN ][o.o.c.r.a.DiskThreshold] [ps01] high disk"),
    ("postgresql", "2026-11-20 10:00:00.123 UTC [99] FATAL:  could not write lock file",
     "2026-11-20T10:00:00.123Z", 2, "[99] FATAL:  could not write lock file"),
    ("grafana", "logger=sqlstore t=2026-11-20T10:00:00.123456789Z level=error msg=\"locked\"",
     "2026-11-20T10:00:00.123456Z", 3,
     "logger=sqlstore t=2026-11-20T10:00:00.123456789Z level=error msg=\"locked\""),
    ("munged", "2026-11-20 11:00:00 +0100 Error:     Found pid 5 bound to socket",
     "2026-11-20T10:00:00Z", 3, "Error:     Found pid 5 bound to socket"),
    ("fail2ban", "2026-11-20 10:00:00,123 fail2ban.actions [77]: NOTICE  [sshd] Ban 192.0.2.1",
     "2026-11-20T10:00:00.123Z", 5, "fail2ban.actions [77]: NOTICE  [sshd] Ban 192.0.2.1"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("line", "when", "priority", "shown"), [case[1:] for case in LINES], ids=[c[0] for c in LINES]
)
def test_a_line_of_each_kind(line: str, when: str, priority: int, shown: str) -> None:
    (found,) = read(line)
    assert (found.time_us, found.priority, found.message) == (moment(when), priority, shown)
    assert not found.guessed


def test_the_process_is_taken_from_a_line_of_syslog() -> None:
    (found,) = read("Nov 20 10:00:00 ps01 runner[12]: x")
    assert (found.identifier, found.pid, found.source) == ("runner", 12, "/var/log/a/app.log")
    assert read("2026-11-20 10:00:00 x")[0].identifier == "app.log"


def test_times_without_a_zone_are_those_of_the_host_in_summer_and_in_winter() -> None:
    summer, winter = read("2026-07-01 12:00:00 x", "2026-11-20 12:00:00 x", zone=ZURICH)
    assert summer.time_us == moment("2026-07-01T10:00:00Z")
    assert winter.time_us == moment("2026-11-20T11:00:00Z")


def test_december_is_that_of_last_year_in_january() -> None:
    january = datetime(2027, 1, 2, tzinfo=UTC)
    december, new = read("Dec 31 23:59:59 h x", "Jan  1 00:00:01 h x", now=january)
    assert december.time_us == moment("2026-12-31T23:59:59Z")
    assert new.time_us == moment("2027-01-01T00:00:01Z")


def test_a_time_without_a_year_is_judged_by_when_its_line_is_read() -> None:
    clock = [datetime(2026, 12, 27, 8, 0, tzinfo=UTC)]
    stamps = Stamps("ps01", "/var/log/a/app.log", "a.service", UTC, FALLBACK, lambda: clock[-1])
    found = []
    for when in ("2026-12-27T08:00:00Z", "2026-12-31T23:59:59Z", "2027-01-01T00:00:01Z"):
        clock.append(datetime.fromisoformat(when))
        found += [*stamps.feed(f"{clock[-1]:%b %e %H:%M:%S} h x"), *stamps.flush()]
    assert [line.time_us for line in found] == [int(one.timestamp() * 1e6) for one in clock[1:]]


def test_a_traceback_is_one_entry_and_an_error() -> None:
    first, second = read(
        "2026-11-20 10:00:00,123 panda: DEBUG worker",
        "Traceback (most recent call last):",
        '  File "a.py", line 1, in <module>',
        "    boom()",
        "ValueError: no",
        "2026-11-20 10:00:01,000 panda: INFO next",
    )
    assert first.message.count("\n") == 4
    assert first.priority == 3
    assert second.message == "panda: INFO next"


def test_lines_without_a_time_take_the_one_before_else_that_of_the_file() -> None:
    before, timed, after = read("starting", "2026-11-20 10:00:00 up", "going on")
    assert (before.time_us, before.guessed) == (FALLBACK, True)
    assert (after.time_us, after.guessed) == (timed.time_us, True)


@pytest.mark.parametrize(
    "line", ["2026-13-20 10:00:00 x", "2026-02-30 10:00:00 x", "Foo 20 10:00:00 h x",
             "Feb 30 10:00:00 h x", "2026-11-20 25:00:00 x", "0000-00-00 00:00:00 x",
             "2026-11-20 10:00:00 +99:99 x"],
)  # fmt: skip
def test_a_time_that_no_calendar_has_is_none(line: str) -> None:
    (found,) = read(line)
    assert (found.guessed, found.message) == (True, line)


@pytest.mark.parametrize("word", ["=" * 800, "a=b&" * 400, "/q?" + "k=v&" * 100])
def test_a_line_full_of_equals_signs_is_read_at_once(word: str) -> None:
    begin = time.thread_time()
    assert read(f"{word} {word} {word} end")[0].guessed
    assert time.thread_time() - begin < 2, "words may be taken apart in one way only"


@given(st.lists(st.text(max_size=60), max_size=30))
def test_no_text_is_lost(lines: list[str]) -> None:
    shown = "\n".join(entry.message for entry in read(*lines))
    assert all(line.strip() in shown for line in lines if len(line.split()) == 1 and line.strip())


@given(st.integers(10**14, 4 * 10**15), st.integers(-14, 14))
def test_every_moment_is_read_back(time_us: int, hours: int) -> None:
    utc = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=time_us)
    there = utc.astimezone(timezone(timedelta(hours=hours)))
    (found,) = read(f"{there:%Y-%m-%dT%H:%M:%S.%f%z} x")
    assert found.time_us == time_us
