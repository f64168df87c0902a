"""A server for each test."""

from collections.abc import Iterator

import pytest

from tests.probes.data.site import Site, serve


@pytest.fixture
def site() -> Iterator[Site]:
    """Give a server with no answers yet."""
    with serve() as found:
        yield found
