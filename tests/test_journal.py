"""The last lines of a unit, whatever its journal has of them."""

import json
from types import SimpleNamespace
from typing import Any

import pytest

from psops.deadline import Deadline
from psops.errors import ChannelRefused, HostError, ProtocolError
from psops.journal import read_log
from psops.transport import Finished

UNIT: Any = SimpleNamespace(id="a.service", properties={"InvocationID": b"\x01" * 16})


class Connection:
    """A host whose journalctl gives one answer with whole messages, another one without."""

    def __init__(self, whole: Finished | HostError, other: Finished | HostError) -> None:
        self._answers = {True: whole, False: other}

    def run(self, argv: tuple[str, ...], deadline: Deadline) -> Finished:
        """Return what journalctl gives."""
        answer = self._answers["--all" in argv]
        if isinstance(answer, HostError):
            raise answer
        return answer


def said(message: Any) -> Finished:
    """Return an entry with this message."""
    entry = {"__REALTIME_TIMESTAMP": "1795249599767514", "_COMM": "a", "MESSAGE": message}
    return Finished(0, json.dumps(entry).encode() + b"\n", b"")


def messages(whole: Finished | HostError, other: Finished | HostError | None = None) -> list[str]:
    """Return the messages that are read."""
    connection: Any = Connection(whole, other or ChannelRefused("not asked for"))
    return [line.message for line in read_log(connection, UNIT, 5, 1.0)]


@pytest.mark.parametrize(
    ("value", "shown"),
    [("x" * 5000, "x" * 5000), (["first", "last"], "last"), ([104, 255], "h\ufffd")],
)
def test_a_message_is_shown_however_long_or_often_it_is_there(value: Any, shown: str) -> None:
    assert messages(said(value)) == [shown]


@pytest.mark.parametrize(
    "whole",
    [Finished(1, b"", b"journalctl: unrecognized option '--output-fields=MESSAGE'"),
     ProtocolError("too much")],
)  # fmt: skip
def test_without_whole_messages_one_that_is_left_out_is_told(whole: Finished | HostError) -> None:
    assert messages(whole, said("short")) == ["short"]
    (text,) = messages(whole, said(None))
    assert "more than 4096 bytes" in text


def test_a_journal_that_cannot_be_read_has_no_lines() -> None:
    assert messages(ChannelRefused("no")) == []
