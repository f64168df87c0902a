"""The way to demo hosts: at once, without a network, with the errors of real ones."""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from psops import demo
from psops.client import Client
from psops.deadline import Deadline
from psops.demo import hosts
from psops.errors import ConnectTimedOut, DeadlineExceeded, HostKeyChanged, NoBus
from psops.inventory import Host
from psops.systemd import manager
from psops.transport import Connection, Options, connect

OPTIONS = Options()
NOON = 1_800_000_000.0


@pytest.fixture(autouse=True)
def noon() -> Iterator[None]:
    """Put the fleet to a fixed moment."""
    hosts.clock.set(NOON)
    yield
    hosts.clock.set(None)


def named(name: str, count: int = 12) -> Host:
    """Give a host of the fleet."""
    return next(host for host in demo.fleet(count).hosts if host.name == name)


def entries(connection: Connection, *arguments: str) -> list[dict[str, Any]]:
    """Give the journal entries that journalctl prints with these arguments."""
    done = connection.run(("journalctl", "--output=json", *arguments), Deadline(5))
    assert (done.status, done.stderr) == (0, b"")
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_client_reads_units_of_a_demo_host() -> None:
    connection = connect(named("ps02.demo"), OPTIONS)
    client = Client(connection.open_bus(), Deadline(5))
    state, rows = client.call([manager.get_manager_property("SystemState"), manager.list_units()])
    assert manager.parse_property(state) == "degraded"
    failed = [row.id for row in manager.parse_rows(rows) if row.active == "failed"]
    assert failed == ["postgresql@15-main.service"]
    connection.close()


def test_every_host_of_the_fleet_answers_or_has_its_error() -> None:
    silent = []
    for host in demo.fleet(40).hosts:
        try:
            client = Client(connect(host, OPTIONS).open_bus(), Deadline(5))
        except (ConnectTimedOut, HostKeyChanged) as exc:
            silent.append((host.name, exc.code))
            continue
        assert manager.parse_rows(client.call([manager.list_units()])[0])
    assert silent == [("ps05.demo", "host-key-changed"), ("node02.demo", "connect-timed-out")]


def test_host_that_is_down_is_known_at_once() -> None:
    begin = time.monotonic()
    with pytest.raises(ConnectTimedOut, match=r"no answer from node02.demo .* within 10 s"):
        connect(named("node02.demo"), OPTIONS)
    assert time.monotonic() - begin < 5


def test_large_answers_come_in_pieces() -> None:
    names = [row.id for row in manager.parse_rows(_units("toolkit01.demo"))]
    calls = [call for name in names for call in manager.get_all_unit_properties(name)]
    channel = connect(named("toolkit01.demo"), OPTIONS).open_bus()
    sizes: list[int] = []

    class Counting:
        send, close = channel.send, channel.close

        def receive(self, deadline: Deadline) -> bytes:
            data = channel.receive(deadline)
            sizes.append(len(data))
            return data

    replies = Client(Counting(), Deadline(30)).call(calls)
    assert len(replies) == len(calls)
    assert len(sizes) > 10
    assert max(sizes) == 32 * 1024


def _units(name: str) -> Any:
    client = Client(connect(named(name), OPTIONS).open_bus(), Deadline(5))
    return client.call([manager.list_units()])[0]


def test_waiting_for_what_will_not_come_ends_at_once() -> None:
    channel = connect(named("ps01.demo"), OPTIONS).open_bus()
    with pytest.raises(DeadlineExceeded, match="no answer within 5 s"):
        channel.receive(Deadline(5))


def test_closed_channel_is_no_bus_any_more() -> None:
    channel = connect(named("ps01.demo"), OPTIONS).open_bus()
    channel.close()
    channel.close()
    with pytest.raises(NoBus):
        channel.send(b"\0AUTH EXTERNAL\r\n", Deadline(5))
    with pytest.raises(NoBus):
        channel.receive(Deadline(5))


def test_bus_hangs_up_on_what_is_no_message() -> None:
    channel = connect(named("ps01.demo"), OPTIONS).open_bus()
    with pytest.raises(NoBus, match="the bus closed the connection"):
        channel.send(b"\0AUTH EXTERNAL\r\nDATA\r\nBEGIN\r\n" + b"?" * 100, Deadline(5))


def test_journal_tells_why_a_unit_failed() -> None:
    found = entries(connect(named("ps02.demo"), OPTIONS), "-u", "postgresql@15-main", "-n2")
    assert [entry["MESSAGE"] for entry in found] == [
        "pg_ctl: could not start server",
        "postgresql@15-main.service: Failed with result 'protocol'.",
    ]
    assert found[0]["_SYSTEMD_UNIT"] == "postgresql@15-main.service"
    assert found[1]["UNIT"] == "postgresql@15-main.service"
    assert found[1]["_PID"] == "1"
    assert {entry["_HOSTNAME"] for entry in found} == {"ps02"}
    assert 600 < NOON - int(found[0]["__REALTIME_TIMESTAMP"]) / 1e6 < 86_400


def test_journal_of_an_invocation_is_that_of_the_unit() -> None:
    connection = connect(named("ps02.demo"), OPTIONS)
    client = Client(connection.open_bus(), Deadline(5))
    unit = "postgresql@15-main.service"
    (reply,) = client.call([manager.get_unit_property(unit, "InvocationID")])
    invocation = manager.parse_property(reply).hex()
    matches = (f"_SYSTEMD_INVOCATION_ID={invocation}", "+", f"INVOCATION_ID={invocation}")
    by_invocation = entries(connection, "--quiet", "--no-pager", "--lines=20", *matches)
    assert by_invocation == entries(connection, "--unit", unit)
    assert len(by_invocation) == 4


def test_journal_says_how_a_process_ended() -> None:
    found = entries(connect(named("toolkit05.demo", 60), OPTIONS), "-u", "opensearch.service")
    assert [entry["MESSAGE"] for entry in found][-2:] == [
        "opensearch.service: Main process exited, code=exited, status=78/FAILURE",
        "opensearch.service: Failed with result 'exit-code'.",
    ]
    killed = entries(connect(named("archive03.demo", 60), OPTIONS), "-u", "logstash")
    assert killed[-2]["MESSAGE"].endswith("Main process exited, code=killed, status=9/KILL")


def test_journal_counts_restarts_of_a_crash_loop() -> None:
    found = entries(connect(named("rucio02.demo"), OPTIONS), "-u", "rucio-daemon@hermes")
    assert found[-1]["MESSAGE"].endswith("Scheduled restart job, restart counter is at 42.")
    assert found[0]["SYSLOG_IDENTIFIER"] == "python3"


def test_journal_without_unit_has_all_in_order() -> None:
    connection = connect(named("ps01.demo"), OPTIONS)
    found = entries(connection)
    times = [int(entry["__REALTIME_TIMESTAMP"]) for entry in found]
    assert len(found) > 50
    assert times == sorted(times)
    assert entries(connection, "-r", "-n", "3") == found[:-4:-1]


@pytest.mark.parametrize(
    "argv",
    [
        ("sudo", "-n", "journalctl", "-o", "json", "-u", "sshd", "-n", "1"),
        ("/usr/bin/journalctl", "-ojson", "-usshd.service", "-n1"),
    ],
)
def test_journal_can_be_asked_in_other_ways(argv: tuple[str, ...]) -> None:
    done = connect(named("ps01.demo"), OPTIONS).run(argv, Deadline(5))
    assert json.loads(done.stdout)["MESSAGE"] == "Started sshd.service - OpenSSH server daemon."


@pytest.mark.parametrize("argv", [("rpm", "-qa"), ("sudo", "-n", "true"), ()])
def test_hosts_have_no_other_program(argv: tuple[str, ...]) -> None:
    done = connect(named("ps01.demo"), OPTIONS).run(argv, Deadline(5))
    assert (done.status, done.stdout) == (127, b"")
    assert done.stderr.endswith(b"command not found\n")
