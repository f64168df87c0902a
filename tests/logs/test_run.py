"""A run of `psops logs` on hosts that are played, whatever their journalctl does."""

import contextlib
import json
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from psops import transport
from psops.deadline import Deadline
from psops.exits import Exit
from psops.inventory import Host
from psops.logs import follow as following
from psops.logs import host as reading
from psops.logs.host import HostLogs
from psops.logs.model import Event, Failure, Line, LogQuery, Notice
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


class Enough(Exception):
    """The test has seen what it wanted."""


def follow(
    monkeypatch: pytest.MonkeyPatch,
    connections: Connections,
    *,
    pauses: int,
    watch: Callable[[Any], None] = lambda _: None,
    ticks: float = 0.0,
    logins: Any = None,
) -> tuple[list[str], list[float]]:
    """Return what a follower tells of a host until it has waited some times, and how long it
    wanted to; each look at its clock takes some `ticks`."""
    told: list[str] = []
    waited: list[float] = []
    clock = [0.0]

    def now() -> float:
        clock[0] += ticks
        return clock[0]

    def sleep(seconds: float) -> None:
        waited.append(seconds)
        clock[0] += seconds
        if len(waited) == pauses:
            raise Enough

    def put(item: Line | Notice | Failure) -> None:
        kind = item.message if isinstance(item, Line) else "failed"
        told.append(str(item.event) if isinstance(item, Notice) else kind)
        watch(item)

    monkeypatch.setattr(reading, "connect", connections)
    monkeypatch.setattr(following, "time", SimpleNamespace(monotonic=now, sleep=sleep, time=now))
    monkeypatch.setattr(following, "LOOK_EVERY", 0.01)
    logs = HostLogs(Host(name="a"), LogQuery(files={}, follow=True, lines=0), Options(), put)
    logs.open()
    with contextlib.suppress(Enough):
        following.Follower(logs, put, logins or threading.Lock()).run(None)
    return told, waited


@pytest.mark.parametrize(
    ("said", "status"),
    [(b"sudo: a password is required", 1), (b"sh: journalctl: command not found", 127)],
)
def test_a_host_whose_journalctl_cannot_be_run_is_not_tried_again(
    said: bytes, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    connections = Connections(lambda *_: Program(err=said, status=status))
    told, waited = follow(monkeypatch, connections, pauses=9)
    assert (told[-1], waited, connections.made["a"]) == ("failed", [], 1)


def test_a_journal_that_fails_each_time_is_asked_ever_less_often(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    connections = Connections(lambda *_: Program(err=b"Bad message", status=1))
    told, waited = follow(monkeypatch, connections, pauses=7)
    assert told == ["lost"], "it is not back while nothing can be read"
    assert waited[-1] > 30
    assert waited == sorted(waited)


def test_a_host_is_back_before_what_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    programs = iter([Program(err=b"Bad message", status=1), Program(entry(1))])
    told, _ = follow(monkeypatch, Connections(lambda *_: next(programs)), pauses=2)
    assert told == ["lost", "back", "line 1", "lost"]


def test_a_host_is_back_that_says_nothing_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    back = threading.Event()

    class Silent(Program):
        def receive(self, deadline: Deadline) -> bytes:
            assert back.wait(60)
            return b""

    programs = iter([Program(err=b"Bad message", status=1), Silent()])

    def watch(item: Any) -> None:
        if isinstance(item, Notice) and item.event is Event.BACK:
            back.set()

    told, _ = follow(
        monkeypatch, Connections(lambda *_: next(programs)), pauses=2, watch=watch, ticks=0.5
    )
    assert told == ["lost", "back", "lost"]


def test_hosts_that_come_back_wait_for_one_another(monkeypatch: pytest.MonkeyPatch) -> None:
    logins = threading.Lock()
    held: list[bool] = []

    class Noting(Connections):
        def __call__(self, host: Host, options: Options) -> Connection:
            held.append(logins.locked())
            return super().__call__(host, options)

    connections = Noting(lambda *_: Program(err=b"Bad message", status=1))
    follow(monkeypatch, connections, pauses=3, logins=logins)
    assert held == [False, True, True]  # the first one is the test's own
