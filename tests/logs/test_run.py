"""A run of `psops logs` on hosts that are played, whatever their journalctl does."""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from psops import transport
from psops.deadline import Deadline
from psops.exits import Exit
from psops.inventory import Host
from psops.logs import host as reading
from psops.logs.model import LogQuery
from psops.logs.run import Logs
from psops.report.logs import JsonLook
from psops.transport import Finished, Options


class Program:
    """A journalctl that says some bytes and ends."""

    def __init__(self, out: bytes = b"", err: bytes = b"", status: int = 0) -> None:
        self._out = out
        self._done = Finished(status, b"", err)

    def receive(self, deadline: Deadline) -> bytes:
        """Return what it says, once."""
        out, self._out = self._out, b""
        return out

    def finish(self, deadline: Deadline) -> Finished:
        """Return how it ended."""
        return self._done

    def close(self) -> None:
        """Do nothing."""


class Connections:
    """Connections to hosts, counted, whose journalctl is what `program` makes."""

    def __init__(self, program: Callable[[str, tuple[str, ...]], Program]) -> None:
        self.made: Counter[str] = Counter()
        self._program = program

    def __call__(self, host: Host, options: Options) -> "Connection":
        """Return a new one."""
        self.made[host.name] += 1
        return Connection(host.name, self._program)


class Connection:
    """A connection to a host."""

    def __init__(self, host: str, program: Callable[[str, tuple[str, ...]], Program]) -> None:
        self._host = host
        self._program = program

    def start(self, argv: tuple[str, ...], deadline: Deadline) -> Program:
        """Return a journalctl."""
        return self._program(self._host, argv)

    def close(self) -> None:
        """Do nothing."""


def entry(number: int) -> bytes:
    """Return an entry of a journal."""
    time_us = 1_795_249_599_000_000 + number
    fields = {"__CURSOR": f"i={number}", "__REALTIME_TIMESTAMP": str(time_us),
              "SYSLOG_IDENTIFIER": "a", "MESSAGE": f"line {number}"}  # fmt: skip
    return json.dumps(fields).encode() + b"\n"


def run(monkeypatch: pytest.MonkeyPatch, connections: Connections, hosts: Sequence[str],
        **values: Any) -> Logs:  # fmt: skip
    """Return a run on hosts that are reached by these connections."""
    monkeypatch.setattr(reading, "connect", connections)
    monkeypatch.setattr(transport, "prepare", lambda *_: None)
    query: dict[str, Any] = {"files": {}, "lines": 10}
    usual: dict[str, Any] = {
        "width": 8, "fold": False, "look": JsonLook(), "show": lambda _: True,
        "gone": lambda: False, "tell": lambda _: None,
    }  # fmt: skip
    found = query | {name: values.pop(name) for name in ("follow", "lines") if name in values}
    return Logs([Host(name=host) for host in hosts], LogQuery(**found), Options(), **usual | values)


def test_what_is_being_shown_when_it_is_stopped_is_shown_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shown: list[str] = []

    def show(text: str) -> bool:
        shown.append(text)
        if len(shown) == 1:
            raise KeyboardInterrupt  # once it is written, before it is told so
        return True

    connections = Connections(lambda *_: Program(entry(2) + entry(1)))
    assert run(monkeypatch, connections, ["a"], show=show).run() is Exit.INTERRUPTED
    lines = "".join(shown).splitlines()
    assert [json.loads(line)["message"] for line in lines] == ["line 1", "line 2"]
