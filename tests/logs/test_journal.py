"""What journalctl says is read whatever it says, and it is asked without a shell."""

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from psops.logs.journal import MOST_BYTES, Abilities, Parser, command
from psops.logs.model import Line, LogQuery

ENTRY = {
    "__CURSOR": "s=1;i=2", "__REALTIME_TIMESTAMP": "1795249599767514", "PRIORITY": "3",
    "SYSLOG_IDENTIFIER": "sshd", "_PID": "465", "_SYSTEMD_UNIT": "ssh.service", "MESSAGE": "hello",
}  # fmt: skip


def parse(*entries: Any, step: int = 0) -> list[Line]:
    """Return the lines of entries, fed in pieces of some bytes."""
    data = b"".join(
        (entry if isinstance(entry, bytes) else json.dumps(entry).encode()) + b"\n"
        for entry in entries
    )
    parser = Parser("ps01")
    step = step or len(data)
    return [line for at in range(0, len(data), step) for line in parser.feed(data[at : at + step])]


def message(**fields: Any) -> str:
    """Return the message of an entry with other fields."""
    (line,) = parse(ENTRY | fields)
    return line.message


def test_an_entry_has_time_unit_process_priority_and_place() -> None:
    (line,) = parse(ENTRY)
    assert line == Line(1795249599767514, "ps01", "ssh.service", "sshd", 465, 3, "hello",
                        cursor="s=1;i=2")  # fmt: skip


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("two\nlines", "two\nlines"),
        (None, "[a message of more than 4096 bytes; journalctl --all has it]"),
        ([104, 255, 105], "h\ufffdi"),
        (["first", "last"], "last"),
        ([[104, 105], [104]], "h"),
        (["3", "4"], "4"),
        ([], ""),
        ([300, 1], "1"),
        ({"a": 1}, ""),
        (7, "7"),
    ],
)
def test_a_message_may_be_null_bytes_or_there_several_times(value: Any, shown: str) -> None:
    assert message(MESSAGE=value) == shown


def test_what_systemd_says_of_a_unit_belongs_to_that_unit() -> None:
    about = {"SYSLOG_IDENTIFIER": "systemd", "_SYSTEMD_UNIT": "init.scope", "UNIT": "a.service"}
    assert parse(ENTRY | about)[0].unit == "a.service"
    # Anybody may write a field UNIT.
    assert parse(ENTRY | {"UNIT": "a.service"})[0].unit == "ssh.service"


@pytest.mark.parametrize(
    "line",
    [b"", b"{}", b"[1]", b"null", b'{"MESSAGE":"no time"}', b"{", b"\xff\xfe", b"[" * 200_000,
     b'{"__REALTIME_TIMESTAMP":"' + b"9" * 40 + b'"}', b'{"__REALTIME_TIMESTAMP":' + b"9" * 9999],
)  # fmt: skip
def test_what_is_no_entry_is_passed_over(line: bytes) -> None:
    assert [found.message for found in parse(line, ENTRY)] == ["hello"]


@pytest.mark.parametrize("step", [1000, 65536, 3 * MOST_BYTES])
def test_an_entry_too_long_to_keep_is_told_by_its_size(step: int) -> None:
    long = {name: ENTRY[name] for name in ("__CURSOR", "__REALTIME_TIMESTAMP", "_SYSTEMD_UNIT")}
    long["MESSAGE"] = "x" * (2 * MOST_BYTES)
    found, after = parse(long, ENTRY, step=step)
    size = len(json.dumps(long))
    assert found.message == f"[an entry of {size} bytes, too long to show]"
    assert (found.time_us, found.unit) == (1795249599767514, "ssh.service")
    assert found.cursor == "s=1;i=2"
    assert after.message == "hello"


texts = st.text(st.characters(codec="utf-8"), max_size=40)


@given(st.lists(texts, max_size=8), st.integers(1, 200))
def test_pieces_of_any_size_give_the_same_lines(messages: list[str], step: int) -> None:
    entries = [ENTRY | {"MESSAGE": text} for text in messages]
    assert [line.message for line in parse(*entries, step=step)] == messages


@given(st.binary(max_size=400), st.integers(1, 50))
def test_no_bytes_upset_the_parser(data: bytes, step: int) -> None:
    parser = Parser("ps01")
    for at in range(0, len(data), step):
        list(parser.feed(data[at : at + step]))
    list(parser.feed(b"\n"))
    (line,) = parser.feed(json.dumps(ENTRY).encode() + b"\n")
    assert line.message == "hello"


def query(**values: Any) -> LogQuery:
    """Return a query for the journal alone."""
    return LogQuery(**{"files": {}} | values)


def test_the_command_has_a_word_for_each_wish_and_no_shell() -> None:
    asked = query(since=1.5, until=2.25, strongest=1, weakest=4, grep=re.compile("a b; rm -rf"))
    argv = command(asked, ("a.service", "b@*.service"), lines=7)
    assert argv[0] == "journalctl"
    assert argv[4].startswith("--output-fields=MESSAGE,PRIORITY,")
    assert set(argv[5:]) == {
        "--unit=a.service", "--unit=b@*.service", "--since=@1.500000", "--until=@2.250000",
        "--priority=1..4", "--grep=a b; rm -rf", "--case-sensitive=yes", "--lines=7", "--reverse",
    }  # fmt: skip


def test_an_old_journalctl_is_asked_for_less() -> None:
    asked = query(grep=re.compile("x"))
    less = command(asked, (), able=Abilities(fields=False, patterns=False))
    assert less == ("journalctl", "--no-pager", "--output=json")


def test_following_begins_behind_an_entry_or_at_a_moment() -> None:
    behind = command(query(since=5.0), (), follow=True, after="s=1;i=2")
    assert behind[5:] == ("--after-cursor=s=1;i=2", "--follow", "--no-tail")
    assert command(query(), (), follow=True, since=7.0)[5:] == (
        "--since=@7.000000", "--follow", "--no-tail"
    )  # fmt: skip


def test_a_users_journal_is_asked_for_a_users_units() -> None:
    assert "--user-unit=a.service" in command(query(user=True), ("a.service",))
    assert "--user" in command(query(user=True), ())
