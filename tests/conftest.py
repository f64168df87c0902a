"""The lab of real hosts as fixtures; without one its tests are left out, and that is said."""

import os
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# The tests are no installed package; the lab is imported by its path from the checkout's root.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests import lab as real_hosts
from tests import programs

# Tests run beside others on a busy machine, where time tells nothing of a property.
# In CI the same examples each time: what new ones find is no fault of the change that is tested.
settings.register_profile(
    "psops",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize=bool(os.environ.get("CI")),
)
settings.load_profile("psops")

LEFT_OUT = pytest.StashKey[list[str]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that writes golden files anew."""
    parser.addoption("--update-golden", action="store_true", help="write tests/golden anew")


# Last, so that only tests count which the command line has not deselected already.
@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what cannot run here: the lab's tests where no host can boot, and tests whose
    programs are missing; except in CI, where that is an error.
    """
    needing = [item for item in items if item.get_closest_marker("lab")]
    unavailable = real_hosts.unavailable() if needing else None
    lacking = {path: programs.missing(path) for path in {item.path for item in items}}
    reasons: dict[pytest.Item, str] = {}
    for item in items:
        if missing := lacking[item.path]:
            reasons[item] = f"tests of {item.path.name} (no {', '.join(missing)})"
    if unavailable is not None:
        reasons |= dict.fromkeys(needing, f"lab tests ({unavailable})")
    if not reasons:
        return
    told = [f"{count} {reason}" for reason, count in Counter(reasons.values()).items()]
    if os.environ.get("CI") == "true":
        raise pytest.UsageError(f"tests cannot run: {'; '.join(told)}")
    items[:] = [item for item in items if item not in reasons]
    config.hook.pytest_deselected(items=[*reasons])
    config.stash[LEFT_OUT] = told


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Say how many tests were left out, and why."""
    for told in config.stash.get(LEFT_OUT, []):
        terminalreporter.write_line(f"left out: {told}")


@pytest.fixture(scope="session")
def lab() -> Iterator[real_hosts.Lab]:
    """Give the lab with PSOPS_LAB_HOSTS hosts; those booted for it are taken down again."""
    place = real_hosts.state_place()
    booted = real_hosts.up(place, int(os.environ.get("PSOPS_LAB_HOSTS", "20")))
    yield real_hosts.Lab.load(place)
    if booted:
        real_hosts.down(place, [host.name for host in booted])


@pytest.fixture(scope="session")
def bare_host(lab: real_hosts.Lab) -> Iterator[real_hosts.Host]:
    """Give a host with sshd but neither systemd nor a bus."""
    yield from _special(lab, "bare")


@pytest.fixture(scope="session")
def dbus_host(lab: real_hosts.Lab) -> Iterator[real_hosts.Host]:
    """Give a host with sshd and a system bus but no systemd."""
    yield from _special(lab, "dbus")


def _special(lab: real_hosts.Lab, kind: str) -> Iterator[real_hosts.Host]:
    booted = real_hosts.up_special(lab.place, kind)
    yield lab.special(kind)
    if booted:
        real_hosts.down(lab.place, [host.name for host in booted])
