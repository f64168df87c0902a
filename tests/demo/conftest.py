"""The demo fleet at a fixed moment, as it was in the beginning."""

from collections.abc import Iterator

import pytest

from psops.demo import hosts
from tests.demo.talk import NOON


@pytest.fixture(autouse=True)
def noon() -> Iterator[None]:
    """Put the fleet to a fixed moment; what was changed is forgotten with it."""
    hosts.clock.set(NOON)
    yield
    hosts.clock.set(None)
