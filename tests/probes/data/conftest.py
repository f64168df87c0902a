"""A server for each test, and ways to hosts of the lab that are closed after it."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from psops.inventory import Host
from psops.transport import Connection, Options, connect
from tests.lab import Lab
from tests.probes.data.site import Site, serve

#: Makes what dials, of what is known of the hosts beside their names.
Dialling = Callable[..., Callable[[str], Connection]]


@pytest.fixture
def site() -> Iterator[Site]:
    """Give a server with no answers yet."""
    with serve() as found:
        yield found


@pytest.fixture
def dialling(lab: Lab) -> Iterator[Dialling]:
    """Give what connects to hosts of the lab."""
    opened: list[Connection] = []

    def make(**known: Any) -> Callable[[str], Connection]:
        def dial(name: str) -> Connection:
            options = Options(ssh_config=str(lab.ssh_config))
            opened.append(connect(Host(name=name, **known), options))
            return opened[-1]

        return dial

    yield make
    for connection in opened:
        connection.close()
