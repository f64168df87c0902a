"""The brokers, started once for all tests, each below a directory of its own."""

from collections.abc import Iterator
from typing import NamedTuple

import pytest

from tests.checks.servers import Authority
from tests.ports import free_ports
from tests.probes.bus import brokers
from tests.probes.bus.brokers import ActiveMq, RabbitMq


class Brokers(NamedTuple):
    """Two of each kind: a usual one, and one of which less is told."""

    #: With TLS ports, whose certificate ends in 5 days.
    rabbit: RabbitMq
    #: Its collector of statistics is off, and it has no shovels.
    blind: RabbitMq
    active: ActiveMq
    #: Without the statistics plugin, with 1 MiB for messages, at another address, same ports.
    plain: ActiveMq


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Brokers]:
    """Give all brokers, which start at the same time; who needs one has to `wait` for it."""
    brokers.install()
    places = [tmp_path_factory.mktemp(name) for name in Brokers._fields]
    ports = free_ports(2)
    authority = Authority(places[0])
    authority.context(end=5)
    found = Brokers(
        RabbitMq(places[0], authority=authority.certificate),
        RabbitMq(places[1], "management_agent.disable_metrics_collector = true", shovels=False),
        ActiveMq(places[2], ports),
        ActiveMq(places[3], ports, address="127.0.0.2", plugin=False, memory=1),
    )
    try:
        for one in found:
            one.start()
        yield found
    finally:
        for one in found:
            one.stop()
