"""What log entries look like, for people and for machines."""

import json
import re
import time
import unicodedata
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from psops.errors import ConnectTimedOut
from psops.logs.fold import Repeat
from psops.logs.model import Event, Failure, Line, Notice
from psops.report.logs import JsonLook, TextLook, tell

NOON = 1_795_262_400_123_456  # Sat 2026-11-21 12:00:00 UTC


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Put this process into UTC."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def line(message: str = "hello", *, host: str = "ps01", **values: Any) -> Line:
    """Return an entry."""
    usual = Line(NOON, host, "sshd.service", "sshd", 42, 6, message)
    return usual._replace(**values)


def text(*lines: Line, color: bool = False, late: bool = False) -> str:
    """Return what is shown of entries."""
    look = TextLook(["ps01", "archive01"], color=color)
    return "".join(look.line(one, late=late) for one in lines)


def test_a_line_has_mark_time_host_unit_and_process() -> None:
    assert text(line(), line(host="archive01", priority=3), line(priority=4)) == (
        "-- Sat 2026-11-21 UTC --\n"
        "  12:00:00.123 ps01      sshd[42]: hello\n"
        "× 12:00:00.123 archive01 sshd[42]: hello\n"
        "! 12:00:00.123 ps01      sshd[42]: hello\n"
    )


def test_the_date_is_told_where_it_changes() -> None:
    found = text(line(), line(time_us=NOON + 86_400_000_000), line(time_us=NOON))
    assert re.findall("-- (.*) --", found) == [
        "Sat 2026-11-21 UTC", "Sun 2026-11-22 UTC", "Sat 2026-11-21 UTC"
    ]  # fmt: skip


def test_a_late_line_is_marked_and_further_lines_are_indented() -> None:
    assert text(line("one\ntwo\n\tthree\n\n"), late=True).splitlines()[1:] == [
        " ↑12:00:00.123 ps01 sshd[42]: one".replace("ps01", "ps01     "), "    two",
        "            three",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("values", "who"),
    [
        ({"identifier": "systemd", "pid": 1}, "systemd[1]"),
        ({"unit": "", "identifier": "cron", "pid": 0}, "cron"),
        ({"unit": "", "identifier": "", "pid": 0}, "?"),
        ({"unit": "a@b.timer"}, "a@b.timer[42]"),
        ({"source": "/var/log/a.log", "identifier": "a.log", "pid": 0}, "a.log"),
    ],
)
def test_who_wrote_it(values: dict[str, Any], who: str) -> None:
    assert text(line(**values)).endswith(f" {who}: hello\n")


def test_colour_tells_hosts_and_priorities_apart_and_says_nothing_alone() -> None:
    found = text(line(), line(host="archive01", priority=2), color=True)
    assert "\x1b[36mps01\x1b[0m" in found
    assert "\x1b[32marchive01\x1b[0m" in found
    assert "\x1b[1;31m×\x1b[0m" in found
    plain = re.sub(r"\x1b\[[0-9;]*m", "", found)
    assert plain == text(line(), line(host="archive01", priority=2))


@given(st.text(), st.text(max_size=20), st.text(max_size=20), st.integers(-(2**63), 2**63))
def test_nothing_that_a_terminal_acts_on_is_shown(
    message: str, identifier: str, host: str, time_us: int
) -> None:
    found = text(line(message, identifier=identifier, unit=identifier, host=host, time_us=time_us))
    assert all(unicodedata.category(char)[0] != "C" or char == "\n" for char in found)
    first, *more = found.split("\n", 1)[1].rstrip("\n").split("\n")
    assert all(part.startswith("    ") for part in more)
    assert first[1:2] == " "


@given(st.text(), st.text(max_size=20))
def test_json_has_the_text_as_it_is_on_one_line(message: str, identifier: str) -> None:
    found = JsonLook().line(line(message, identifier=identifier), late=False)
    assert found.count("\n") == 1
    assert found.isascii()
    assert json.loads(found)["message"] == message


def test_keys_of_json() -> None:
    assert json.loads(JsonLook().line(line(), late=True)) == {
        "host": "ps01", "time": "2026-11-21T12:00:00.123456+00:00", "time_us": NOON,
        "unit": "sshd.service", "identifier": "sshd", "pid": 42, "priority": 6, "level": "info",
        "message": "hello", "source": "journal", "time_is_guessed": False, "late": True,
    }  # fmt: skip
    look = JsonLook()
    lost = json.loads(look.notice(Notice("ps01", Event.LOST, "gone")))
    assert lost == {"host": "ps01", "event": "lost", "message": "gone"}
    failed = json.loads(look.notice(Failure("ps01", ConnectTimedOut("no answer"))))
    assert failed["error"]["code"] == "connect-timed-out"
    assert json.loads(look.repeat(Repeat(line(), 7)))["repeated"] == 7


def test_hosts_with_the_same_news_share_a_line() -> None:
    notices = [Failure(f"ps{at:02}", ConnectTimedOut("no answer")) for at in range(1, 4)]
    assert tell([*notices, Notice("gw", Event.BACK, "is \x1bback")], color=False) == (
        "× ps[01-03] (3): connect-timed-out: no answer\n"
        f"    {ConnectTimedOut.remedy}\n"
        "● gw: is \\x1bback"
    )
