"""A host with the units of these tests, and psops called on it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.change.units import units_on
from tests.command import Run, psops
from tests.lab import Host, Lab


@pytest.fixture(scope="package")
def fleet(lab: Lab) -> Iterator[list[Host]]:
    """Give all hosts, with the units put on them and taken away again."""
    hosts = list(lab.hosts)
    with units_on(lab, *hosts):
        yield hosts


@pytest.fixture
def host(fleet: list[Host], lab: Lab) -> Iterator[Host]:
    """Give one of them with all units stopped."""
    yield fleet[0]
    lab.shell(fleet[0], ["sh", "-c", "systemctl stop 'ch-*'; systemctl reset-failed 'ch-*'"])


@pytest.fixture
def change(lab: Lab, host: Host, tmp_path: Path) -> Callable[..., Run]:
    """Give what calls a verb on the host, without watching what was started."""

    def call(*words: str, where: str = host.name, settle: str | None = "0", **more: Any) -> Run:
        verb, *others = words
        extra = ["--settle", settle] if settle and verb in SETTLING else []
        return psops(verb, "-i", str(lab.inventory), "-H", where, *extra, *others,
                     home=tmp_path, **more)  # fmt: skip

    return call


SETTLING = ("start", "restart", "try-restart", "reload-or-restart", "enable", "reenable")
