"""Demo hosts answer the checks of their bundles as their units are."""

import pytest

from psops.catalogue import Catalogue
from psops.checks import Asked
from psops.checks.run import run
from psops.deadline import Deadline
from psops.demo.hosts import fleet, station
from psops.inventory import Host
from psops.transport import Options, connect
from psops.verdict import Verdict


def bad(host: Host) -> dict[str, str]:
    """Return the codes of all checks of a host that are not right."""
    bundle = Catalogue.load().bundle(host.bundles[0])
    expected = bundle.expected(None, None)
    checks = {each.name: each for one in expected for each in one.checks}
    asked = [Asked(check) for check in checks.values()]
    results = run(asked, host, connect(host, Options()), Deadline(20))
    assert all(result.text.isprintable() for result in results)
    return {result.name: result.code for result in results if result.verdict is not Verdict.OK}


@pytest.mark.parametrize("role", ["testpoint", "archive", "panda", "parastation", "toolkit"])
def test_a_healthy_demo_host_passes_the_checks_of_its_daemons(role: str) -> None:
    hosts = [host for host in fleet(24).hosts if host.groups == (role,)]
    host = next(host for host in hosts if station(host).profile is not None and not _trouble(host))
    assert bad(host) == {}


def _trouble(host: Host) -> bool:
    return any(
        unit.active == "failed" or unit.file_state == "masked" or unit.sub == "auto-restart"
        for unit in station(host).profile.units.values()
    )


def test_a_dead_database_is_seen_by_its_port() -> None:
    host = next(host for host in fleet(12).hosts if host.name == "ps2.demo" or "02" in host.name)
    assert bad(host)["postgresql-port"] == "refused"
