"""How often bytes go back and forth: counted on a real bus."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from psops.client import Client
from psops.deadline import Deadline
from psops.inventory import Host
from psops.status import parse_query, read
from psops.systemd import manager
from psops.transport import Channel, Options
from psops.transport.local import open_socket
from tests.lab import Lab

pytestmark = pytest.mark.lab

_UNITS = ["dbus", "ssh", "systemd-journald", "systemd-logind", "psops-fail", "psops-crash",
          "psops-alias", "psops-allowed", "psops-slow", "psops-once", "psops-oneshot",
          "psops-exited", "psops-masked", "psops-disabled", "no-such-unit"]  # fmt: skip
_PROPERTIES = ["UnitFileState", "StateChangeTimestamp", "MainPID", "NRestarts", "MemoryCurrent",
               "TasksCurrent"]  # fmt: skip


class _Counting:
    """A channel that counts the round trips made on it: a write after a read begins one."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._reading = True
        self.writes = 0
        self.round_trips = 0

    def send(self, data: bytes, deadline: Deadline) -> None:
        self.writes += 1
        self.round_trips += self._reading
        self._reading = False
        self._channel.send(data, deadline)

    def receive(self, deadline: Deadline) -> bytes:
        self._reading = True
        return self._channel.receive(deadline)

    def close(self) -> None:
        self._channel.close()


@contextmanager
def _counting(lab: Lab) -> Iterator[_Counting]:
    root = f"/proc/{lab.host(1).leader_pid}/root"
    channel = _Counting(open_socket(f"{root}/run/dbus/system_bus_socket", 5, root))
    try:
        yield channel
    finally:
        channel.close()


def test_fifteen_units_with_six_properties_each_are_one_write_and_one_round_trip(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    with _counting(lab) as channel:

        class Here:
            def open_bus(self) -> Channel:
                return channel

            def close(self) -> None:
                pass

        monkeypatch.setattr("psops.status.connect", lambda host, options: Here())
        query = parse_query(_UNITS, properties=_PROPERTIES)
        status = read(Host(name="here"), query, Options())
    assert [unit.name for unit in status.units] == [f"{name}.service" for name in _UNITS]
    assert status.units[0].properties["MainPID"] > 1
    assert (channel.writes, channel.round_trips) == (1, 1)


def test_more_calls_than_a_bus_takes_at_once_are_all_answered(lab: Lab) -> None:
    calls = [manager.get_unit_property("dbus.service", "Id")] * 1000
    with _counting(lab) as channel:
        replies = Client(channel, Deadline(20)).call(calls)
    assert {manager.parse_property(reply) for reply in replies} == {"dbus.service"}
    assert len(replies) == 1000


def test_a_second_batch_goes_without_handshake(lab: Lab) -> None:
    with _counting(lab) as channel:
        client = Client(channel, Deadline(20))
        first = client.call([manager.get_manager_property("Version")])
        second = client.call([manager.get_manager_property("Version")])
    assert first == second
    assert channel.round_trips == 2
