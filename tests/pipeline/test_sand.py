"""SAND as its catalogue has it: everything is watched or said why not, right and wrong are told."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from psops.catalogue import Catalogue
from psops.deadline import Deadline
from psops.inventory import Host
from psops.pipeline.ask import Result
from psops.pipeline.graph import Pipeline, pipeline_of
from psops.pipeline.report import Verification, verify
from psops.probes.tls import answer
from psops.probes.world import World
from psops.report import Look
from psops.report.pipeline import render_verification
from psops.transport import Options, connect
from psops.verdict import Verdict
from tests.checks.servers import Authority
from tests.lab import Lab
from tests.pipeline.stage import FAULTS, VARIABLES, Here, Hurried, Stage, staged
from tests.probes.data.site import Answering, Reply, Request, here, serve

SAND = pipeline_of(Catalogue.load([]), "sand")
#: Asked of real hosts and ports in tests of their own.
ELSEWHERE = {("archiver", "service"), ("monit-es", "certificate")}
CHECKS = [
    (name, probe.name)
    for name, one in SAND.components.items()
    for probe in one.checks
    if (name, probe.name) not in ELSEWHERE
]
#: Check -> the fault that it must find, and the reason that it gives.
FINDS = {
    "toolkit/sample": ("pscheduler", "stuck"),
    "pwa/meshes": ("pwa", "below-floor"),
    "psetf/page": ("psetf-page", "login-page"),
    "psetf/others": ("core-stopped", "outdated"),
    "psetf/etf": ("etf", "not-running"),
    "psetf/publisher": ("publisher", "not-running"),
    "psetf/status": ("silent", "silent"),
    "psetf/meta": ("silent", "silent"),
    "maddash/grids": ("maddash", "share"),
    "maddash/page": ("maddash-page", "server-error"),
    "pscollector/most-sites": ("rsv", "share"),
    "pscollector/published": ("silent", "silent"),
    "rabbitmq/health": ("alarm", "alarm"),
    "rabbitmq/raw": ("silent", "silent"),
    "rabbitmq/topology": ("unbound", "not-bound"),
    "rabbitmq/subscriptions": ("unbound", "not-bound"),
    "rabbitmq/*": ("wedged", "wedged"),
    "activemq/broker": ("activemq-full", "full"),
    "activemq/*": ("activemq-silent", "silent"),
    "bridge/container": ("stompclt", "not-running"),
    "bridge/flow": ("stompclt", "ratio"),
    "esnet/traffic": ("es-stale", "stale"),
    "lhcopn/rate": ("activemq-silent", "silent"),
    "ingest-uc/*": ("wedged", "wedged"),
    "ingest-unl/*": ("wedged", "wedged"),
    "es-uc/cluster": ("es-red", "unhealthy"),
    "es-unl/cluster": ("es-unl-red", "unhealthy"),
    "archiver/grows": ("archiver", "missing-object"),
    "uploader/copied": ("tape", "failed-checksum"),
    "grafana/health": ("grafana", "unhealthy"),
}


@contextmanager
def playing(place: Path, *faults: str) -> Iterator[tuple[Pipeline, Hurried]]:
    """Give the pipeline on a stage with these faults, and the world in which it is asked."""
    stage = Stage(*faults)
    place.mkdir(exist_ok=True)
    with serve() as site, serve(unix=place / "engine.sock") as engine:
        site.default = stage
        engine.default = _Containers(stage)
        world = Hurried(lambda name: Here(site, place / "engine.sock"), environment=VARIABLES)
        yield staged(SAND, place, stage), world


class _Containers(Answering):
    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    def reply(self, request: Request) -> Reply:
        return self._stage.container(request)


def verified(place: Path, *faults: str, names: Sequence[str] = ()) -> Verification:
    with playing(place, *faults) as (pipeline, world):
        return verify(pipeline, names or tuple(pipeline.components), world, Deadline(30))


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Verification]:
    """Give a verification for each single fault, and one for none."""
    return {
        fault: verified(tmp_path_factory.mktemp(fault or "none"), *([fault] if fault else []))
        for fault in ("", *FAULTS)
    }


def one(found: Verification, component: str, check: str) -> Result:
    (result,) = [
        each for each in found.results if (each.component, each.name) == (component, check)
    ]
    return result


# The description


def test_every_component_is_checked_or_has_a_reason_why_not() -> None:
    for name, component in SAND.components.items():
        assert component.checks or "not checked here, because" in component.gap, name
        assert component.role
        assert component.organisation
        assert component.place or name == "toolkit"
        assert component.inputs or component.outputs


def test_every_check_says_what_it_proves_and_where_an_address_is_a_guess() -> None:
    for name, component in SAND.components.items():
        for probe in component.checks:
            assert probe.purpose, (name, probe.name)
    assert (
        "old"
        in (Path(__file__).parents[2] / "src/psops/catalogue/systems/sand.toml").read_text()[:400]
    )


def test_no_secret_is_in_the_catalogue_and_none_goes_without_tls() -> None:
    for component in SAND.components.values():
        for probe in component.checks:
            secret = probe.settings.get("secret")
            assert not secret or secret.startswith("env:SAND_")
            url = str(probe.settings.get("url") or "")
            assert not (secret and url.startswith("http://"))


def test_without_variables_a_check_says_which_one_it_lacks(tmp_path: Path) -> None:
    asked = Hurried(lambda name: pytest.fail(f"asked {name}"), environment={})
    for name in ("rabbitmq", "archiver", "es-uc", "activemq"):
        found = verify(SAND, (name,), asked, Deadline(10))
        assert {each.code for each in found.results} == {"no-address"}
        assert all("the variable SAND_" in each.text for each in found.results)


# Right and wrong


@pytest.mark.parametrize(("component", "check"), CHECKS, ids=lambda name: str(name))
def test_check_is_right_where_nothing_is_wrong_and_finds_its_fault(
    component: str, check: str, runs: dict[str, Verification]
) -> None:
    good = one(runs[""], component, check)
    assert good.verdict is Verdict.OK, good
    fault, code = FINDS.get(f"{component}/{check}") or FINDS.get(f"{component}/*", ("", ""))
    if component.startswith("es-") and check != "cluster":
        fault = "es-stale" if component == "es-uc" else "es-unl-stale"
        code = "few" if check.endswith("-count") else "stale"
    bad = one(runs[fault], component, check)
    assert bad.code == code, bad
    assert bad.verdict is not Verdict.OK


def test_certificate_of_the_store_at_cern(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    (probe,) = SAND.components["monit-es"].checks
    for days, code in ((100, "ok"), (13, "tls-ends-soon"), (-3, "tls-expired")):
        with serve(authority.context(begin=-50, end=days)) as site:
            own = {"host": "localhost", "port": site.port, "ca": str(authority.certificate)}
            asked = replace(probe, settings={**probe.settings, **own})
            assert answer(asked, World(lambda name: here())).code == code


@pytest.mark.lab
def test_archivers_on_a_real_host(lab: Lab) -> None:
    """A template with an instance for each archive, as `graccarchive@.service` is."""
    host = lab.host(7)
    unit = "/run/systemd/system/graccarchive@.service"

    def shell(script: str) -> None:
        lab.shell(host, ["sh", "-c", script], check=True)

    def verdict() -> tuple[Verdict, str]:
        environment = {"SAND_GRACC_FRONTEND": host.name}
        world = World(lambda name: connection, environment=environment)
        found = one(verify(SAND, ("archiver",), world, Deadline(30)), "archiver", "service")
        return found.verdict, found.code

    connection = connect(Host(name=host.name), Options(ssh_config=str(lab.ssh_config)))
    assert verdict() == (Verdict.CRITICAL, "missing-object")
    shell(f"printf '[Service]\\nExecStart=/bin/sleep 600\\n' > {unit}; systemctl daemon-reload;"
          "systemctl start graccarchive@ps-prod graccarchive@ps-itb")  # fmt: skip
    try:
        assert verdict() == (Verdict.OK, "ok")
        # One that is stopped is unloaded, and a pattern would see the other one only.
        shell("systemctl stop graccarchive@ps-prod")
        assert verdict() == (Verdict.CRITICAL, "units")
        shell("systemctl start graccarchive@ps-prod")
        assert verdict() == (Verdict.OK, "ok")
        shell("systemctl kill --signal=KILL graccarchive@ps-prod; sleep 0.3")
        assert verdict() == (Verdict.CRITICAL, "units")
    finally:
        connection.close()
        shell(f"systemctl stop 'graccarchive@*'; rm {unit}; systemctl daemon-reload;"
              "systemctl reset-failed 'graccarchive@*' || true")  # fmt: skip


# Causes


def told(found: Verification) -> dict[str, str]:
    """Return the components that are causes, and who runs them."""
    return {each.component: SAND.components[each.component].organisation for each in found.roots}


def test_nothing_is_a_cause_where_nothing_is_wrong(runs: dict[str, Verification]) -> None:
    found = runs[""]
    assert found.roots == ()
    assert found.unchecked == ("fnal-tape", "monit-es", "lhcb")
    assert {each.verdict for each in found.results} == {Verdict.OK}


def test_silent_collector_is_the_cause_of_all_behind_it(tmp_path: Path) -> None:
    """The alert that the document lacks: queues are empty, consumers are there, nothing comes."""
    found = verified(tmp_path, "rsv", "silent")
    assert told(found) == {"pscollector": "SAND", "psetf": "OSG-LHC", "lhcopn": "CERN IT/CS"}
    for name in ("rabbitmq", "bridge", "activemq", "es-uc", "es-unl"):
        assert found.verdict_of(name) is Verdict.CRITICAL, name
        assert found.explained_by(name), name
    text = render_verification(found, Look(color=False, width=None))
    assert "✗ pscollector  run by SAND, University of Michigan" in text
    assert "explains rabbitmq" in text


def test_store_that_refuses_is_the_cause_of_what_waits_before_it(tmp_path: Path) -> None:
    found = verified(tmp_path, "es-red", "wedged")
    assert told(found) == {"es-uc": "University of Chicago"}
    assert found.explained_by("rabbitmq") == "es-uc"
    assert found.explained_by("psetf") == "es-uc"


def test_monitor_that_stopped_is_not_explained_by_what_it_would_show(tmp_path: Path) -> None:
    found = verified(tmp_path, "pwa", "core-stopped")
    assert told(found) == {"pwa": "OSG-LHC"}
    assert found.verdict_of("psetf") is Verdict.WARNING
    assert found.explained_by("psetf") == ""


def test_consumers_that_hang_are_told_at_the_bus(tmp_path: Path) -> None:
    found = verified(tmp_path, "wedged")
    assert told(found) == {"rabbitmq": "OSG-Core"}
    assert found.explained_by("psetf") == "rabbitmq"
    assert found.verdict_of("ingest-uc") is Verdict.WARNING
    text = render_verification(found, Look(color=False, width=None))
    assert "the one whose store is stale has the cause" in text


def test_bridge_that_stopped_is_the_cause_of_silence_at_cern(tmp_path: Path) -> None:
    found = verified(tmp_path, "stompclt")
    assert told(found) == {"bridge": "WLCG", "lhcopn": "CERN IT/CS"}
    assert found.explained_by("activemq") == "bridge"
