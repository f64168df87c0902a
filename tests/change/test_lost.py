"""A connection that breaks at any point of a change: what is told is what is so.

The hosts are those of the demo, in this process, so that the connection can be cut at each byte
stream operation in turn; cut connections to real hosts are in test_rollout_lab.
"""

import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from psops import judge_change, plan
from psops.changes import ChangeReport, Request, Result, UnitChange, result_of
from psops.deadline import Deadline
from psops.demo import fleet, hosts
from psops.errors import BannerTimedOut, ChannelRefused, NoBus
from psops.exits import Exit
from psops.history import History
from psops.inventory import Host
from psops.plan import Ordered
from psops.record import Record
from psops.report import Look
from psops.report.change import render
from psops.report.model import UnitStatus
from psops.rollout import report
from psops.systemd import codec, jobs
from psops.systemd.codec import Message
from psops.systemd.jobs import VERBS
from psops.transport import Options, demo
from psops.transport.demo import DemoChannel

HOST = next(host for host in fleet().hosts if host.name == "ps01.demo")
#: Verb -> the method that may leave a unit looking as it did.
UNSEEN = {"kill": "KillUnit", "reenable": "ReenableUnitFiles", "reload": "EnqueueUnitJob"}
LOST = ChannelRefused("the SSH connection has ended")


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    """Put the demo fleet back."""
    hosts.forget()
    yield
    hosts.forget()


class Wire:
    """The connection of a host, which breaks at its nth operation: before it, or just after."""

    def __init__(self, at: int, *, delivered: bool, again: bool) -> None:
        self.at = at
        self.delivered = delivered
        #: Whether a second connection can be made.
        self.again = again
        self.operations = 0
        self.broken = False
        self.connections = 0
        #: Members of the calls that the host was sent.
        self.sent: list[str] = []
        #: Member of a call -> how many operations there were before it was sent.
        self.sent_at: dict[str, int] = {}
        #: How many of them were answered.
        self.answered = 0

    def connect(self, host: Host, options: Options) -> "Cut":
        self.connections += 1
        if self.connections > 1 and not self.again:
            raise BannerTimedOut("no greeting within 5 s")
        return Cut(host, self, breaks=self.connections == 1)

    def operate(self, work: Callable[[], Any]) -> Any:
        if self.broken:
            raise LOST
        self.operations += 1
        self.broken = self.operations > self.at
        if self.broken and not self.delivered:
            raise LOST
        done = work()
        if self.broken:
            raise LOST
        return done


class Cut(demo.DemoConnection):
    """A connection over that wire."""

    def __init__(self, host: Host, wire: Wire, *, breaks: bool) -> None:
        super().__init__(host)
        self._wire = wire
        self._breaks = breaks

    def open_bus(self) -> DemoChannel:
        channel = super().open_bus()
        return CutChannel(channel, self._wire) if self._breaks else channel  # type: ignore[return-value]


class CutChannel:
    """A channel over that wire."""

    def __init__(self, channel: DemoChannel, wire: Wire) -> None:
        self._channel = channel
        self._wire = wire

    def send(self, data: bytes, deadline: Deadline) -> None:
        def work() -> None:
            self._channel.send(data, deadline)
            self._wire.sent += members(data)
            self._wire.sent_at |= dict.fromkeys(members(data), self._wire.operations - 1)

        self._wire.operate(work)

    def receive(self, deadline: Deadline) -> bytes:
        def work() -> bytes:
            data = self._channel.receive(deadline)
            if not self._wire.broken:
                self._wire.answered = len(self._wire.sent)
            return data

        return bytes(self._wire.operate(work))

    def close(self) -> None:
        self._channel.close()


def members(data: bytes) -> list[str]:
    """Return the members of the calls in what was sent."""
    data = data.partition(b"BEGIN\r\n")[2] if data.startswith(b"\0") else data
    found = []
    while data:
        size = codec.length(data[: codec.PREFIX])
        assert size is not None
        found.append(str(codec.decode(data[:size]).member))
        data = data[size:]
    return found


def truth() -> dict[str, tuple[object, str]]:
    """Return how the services of the host run, and what their files are."""
    return {
        name: ((unit.active, unit.history, unit.settings.get("NRestarts")), unit.disk_state)
        for name, unit in hosts.current(HOST).units.items()
    }


def change(wire: Wire, monkeypatch: pytest.MonkeyPatch, verb: str, **more: Any) -> ChangeReport:
    monkeypatch.setattr(demo, "connect", wire.connect)
    request = Request(verb=VERBS[verb], settle=0.0, **more)
    return report([HOST], request, Options(), record=Record(history=False))


CHANGES: list[tuple[str, dict[str, Any]]] = [
    ("start", {"names": ("systemd-tmpfiles-clean.service", "rescue.service")}),
    ("stop", {"names": ("rsyslog.service",)}),
    ("restart", {"names": ("rsyslog.service",)}),
    ("restart", {"names": ("rsyslog.service",), "block": False}),
    ("try-restart", {"names": ("rsyslog.service",)}),
    ("reload", {"names": ("systemd-udevd.service",)}),
    ("reload-or-restart", {"names": ("rsyslog.service",)}),
    ("enable", {"names": ("psconfig-pscheduler-agent.service", "rsyslog.service")}),
    ("disable", {"names": ("rsyslog.service",)}),
    ("disable", {"names": ("rsyslog.service",), "now": True}),
    ("reenable", {"names": ("rsyslog.service",)}),
    ("mask", {"names": ("rsyslog.service",), "now": True}),
    ("mask", {"names": ("rsyslog.service",)}),
    ("kill", {"names": ("rsyslog.service",)}),
    ("daemon-reload", {}),
    ("stop", {"bundle": "perfsonar-testpoint"}),
    ("restart", {"bundle": "perfsonar-testpoint", "verify": True}),
]


def operations(verb: str, more: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> int:
    """Return how many operations the change takes if nothing breaks."""
    wire = Wire(10_000, delivered=True, again=True)
    assert change(wire, monkeypatch, verb, **more).outcomes[0].value is not None
    hosts.forget()
    return wire.operations


@pytest.mark.parametrize("again", [True, False], ids=["again", "gone"])
@pytest.mark.parametrize("delivered", [True, False], ids=["after", "before"])
@pytest.mark.parametrize(("verb", "more"), CHANGES, ids=lambda value: str(value)[:40])
def test_what_is_told_is_so(
    verb: str, more: dict[str, Any], delivered: bool, again: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for at in range(operations(verb, more, monkeypatch)):
        hosts.forget()
        before = truth()
        wire = Wire(at, delivered=delivered, again=again)
        (outcome,) = change(wire, monkeypatch, verb, **more).outcomes
        after = truth()
        place = f"{verb} cut at {at}: {outcome} after {wire.sent}"
        assert wire.connections <= 2, place
        if outcome.value is None:  # nothing was begun
            assert before == after, place
            assert not {"Reload", *UNSEEN.values()} & set(wire.sent), place
            continue
        # With --now, a step of its own is about the file, and told as the state of the unit.
        parts = slice(0, 1) if more.get("now") else slice(0, 2)
        moved = {name for name in before if before[name][parts] != after[name][parts]}
        for unit in outcome.value.units:
            check(unit, wire, moved, verb, f"{unit.unit} {unit.result} {unit.message!r}, {place}")


def check(unit: UnitChange, wire: Wire, moved: set[str], verb: str, where: str) -> None:
    """Compare what is told of a unit with what is so."""
    answered = set(wire.sent[: wire.answered])
    has_moved = unit.unit in moved
    if unit.unit == "systemd":
        is_so = {Result.CHANGED: "Reload" in answered, Result.UNKNOWN: "Reload" in wire.sent,
                 Result.NOT_ATTEMPTED: "Reload" not in wire.sent}  # fmt: skip
        assert is_so[unit.result] or wire.broken, where
    elif unit.result is Result.UNKNOWN:
        assert wire.broken, where
    elif unit.result is Result.CHANGED:
        assert has_moved or UNSEEN.get(verb) in answered, where
    elif unit.result is Result.NOT_ATTEMPTED:
        # systemd passes a restart on.
        assert not has_moved or "along with" in unit.message, where
    else:
        assert not has_moved or unit.code == "worse", where
        assert unit.result is not Result.FAILED or unit.code in ("lost", "worse"), where


def test_login_without_a_bus_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second connection that has no bus leaves the change unknown, and its bundles unproved."""
    more: dict[str, Any] = {"names": ("owamp-server.service",), "verify": True}
    probe = Wire(10_000, delivered=True, again=True)
    change(probe, monkeypatch, "restart", **more)
    wire = Wire(probe.sent_at["EnqueueUnitJob"], delivered=True, again=True)
    first = wire.connect

    class Busless(demo.DemoConnection):
        def open_bus(self) -> DemoChannel:
            raise NoBus("nothing listens on the bus socket")

    def connect(host: Host, options: Options) -> demo.DemoConnection:
        wire.connections += bool(wire.connections)
        return Busless(host) if wire.connections else first(host, options)

    monkeypatch.setattr(demo, "connect", connect)
    request = Request(verb=VERBS["restart"], settle=0.0, **more)
    found = report([HOST], request, Options(), record=Record(history=False))
    (outcome,) = found.outcomes
    assert outcome.value is not None
    told = {unit.unit: unit for unit in outcome.value.units}
    assert told["owamp-server.service"].result is Result.UNKNOWN
    assert "and again: no-bus" in told["owamp-server.service"].message
    assert told["bundle verify"].result is Result.UNKNOWN
    assert "unknown  active (running) → ?" in render(found, "table", Look(width=200))
    assert wire.connections == 2


def test_a_mistake_of_psops_on_one_host_is_told_and_the_others_are_changed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real = jobs.parse_job_removed
    members = [host for host in fleet().hosts if host.name in ("ps01.demo", "ps03.demo")]

    def parse(message: Message) -> tuple[str, str, str] | None:
        if threading.current_thread() in culprit:
            raise TypeError("one of those")
        return real(message)

    culprit: list[threading.Thread] = []

    def connect(host: Host, options: Options) -> demo.DemoConnection:
        if host.name == "ps03.demo":
            culprit.append(threading.current_thread())
        return demo.DemoConnection(host)

    monkeypatch.setattr(demo, "connect", connect)
    monkeypatch.setattr(jobs, "parse_job_removed", parse)
    request = Request(verb=VERBS["restart"], names=("owamp-server.service",), settle=0.0)
    found = report(members, request, Options(), record=Record(history=False), width=2)
    good, bad = (outcome.value for outcome in found.outcomes)
    assert good is not None
    assert bad is not None
    assert good.result is Result.CHANGED
    assert bad.result is Result.UNKNOWN
    assert "TypeError('one of those') (parse in test_lost.py:" in bad.notes[0]
    assert found.exit is Exit.SOME_FAILED


def test_nothing_is_sent_once_the_run_has_ended(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A second Ctrl-C while the record of a host is written: it is told as not attempted."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    written, go_on = threading.Event(), threading.Event()
    record = Record()
    begin_host = record.begin_host

    def slowly(host: Host, units: Sequence[UnitStatus]) -> None:
        begin_host(host, units)
        written.set()
        go_on.wait(10)

    monkeypatch.setattr(record, "begin_host", slowly)
    request = Request(verb=VERBS["restart"], names=("owamp-server.service",), settle=0.0)
    before = truth()["owamp-server.service"]

    def interrupt(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    def press() -> None:
        written.wait(10)
        signal.pthread_kill(main, signal.SIGUSR1)

    main = threading.get_ident()
    old = signal.signal(signal.SIGUSR1, interrupt)
    both = [HOST, next(host for host in fleet().hosts if host.name == "ps03.demo")]
    try:
        threading.Thread(target=press).start()
        found = report(both, request, Options(), record=record, width=1)
    finally:
        signal.signal(signal.SIGUSR1, old)
        go_on.set()
    time.sleep(0.3)  # for the host's thread to go on, if it did
    assert truth()["owamp-server.service"] == before
    assert [result_of(outcome) for outcome in found.outcomes] == [Result.NOT_ATTEMPTED] * 2
    assert found.exit is Exit.INTERRUPTED
    history = History.read()
    assert history is not None
    run = history.last()
    history.close()
    assert run is not None
    assert [host.state for host in run.hosts] == ["not-attempted"] * 2
    assert [one.result for one in run.hosts[0].changes] == ["not-attempted"]


def test_restarts_before_a_reload_are_none_of_its_own() -> None:
    """A unit that had crashed once and runs since has not crashed in its reload."""
    before = UnitStatus(name="a.service", id="a.service", description="", load="loaded",
                        active="active", sub="running",
                        properties={"NRestarts": 2, "InvocationID": b"1"})  # fmt: skip
    request = Request(verb=VERBS["reload-or-restart"], names=("a.service",))
    step = plan.make(request, Ordered(units=(before,), after={}, because={}))
    changed = UnitChange(unit="a.service", result=Result.CHANGED, before=before)

    def look(**properties: object) -> str:
        after = replace(before, properties={**before.properties, **properties})
        return judge_change.look(request, step, changed, after).code

    assert look() == ""
    assert look(NRestarts=3, InvocationID=b"2") == "crash-loop"
    assert look(NRestarts=1, InvocationID=b"2") == "crash-loop"
    assert look(NRestarts=0, InvocationID=b"2") == ""
