"""Views and what configures: pSConfig's web administration, MaDDash, pScheduler."""

import time
from typing import Any

import pytest

from tests.probes.data.good import NOON, grid
from tests.probes.data.site import OK, Site, ask, gives, serve, vector, verdict

HOUR = 3600

# pSConfig web administration


def pwa(site: Site, health: Any = None, config: Any = None, mesh: Any = None, **how: Any) -> Any:
    url = f"{site.url}/pub/config/wlcg"
    site.replies["/pub/health"] = gives(health or {"status": "failed", "msg": "db status ok"})
    site.replies["/pub/config"] = gives([{"include": [url]}] if config is None else config)
    site.replies["/pub/config/wlcg"] = gives({"tasks": {"t": {}}} if mesh is None else mesh)
    return ask("pwa", url=site.url, **how)


@pytest.mark.parametrize(
    ("health", "expected", "words"),
    [
        # A healthy server of current releases calls its status failed.
        ({"status": "failed", "msg": "db status ok"}, OK, "it calls its status 'failed'"),
        ({"status": "ok", "msg": "db status ok"}, OK, "'ok'"),
        ({"status": "ok", "msg": "failed to query db"}, ("critical", "unhealthy"), "failed to"),
        ({"status": "ok", "msg": ""}, ("critical", "unhealthy"), "''"),
        ({"status": "ok"}, ("unknown", "no-data"), "no msg"),
        ({"msg": 0}, ("unknown", "no-data"), "msg is 0"),
    ],
)
def test_pwa_is_judged_by_its_database(site: Site, health: Any, expected: Any, words: str) -> None:
    found = pwa(site, health)
    assert verdict(found) == expected
    assert words in found.text


@pytest.mark.parametrize(
    ("config", "how", "expected", "words"),
    [
        # An empty list with 200 is what a server gives that lost its meshes.
        ([], {}, ("critical", "below-floor"), "lists 0 meshes, must be 1"),
        (None, {"least_meshes": 2}, ("critical", "below-floor"), "lists 1 mesh, must be 2"),
        ([{"include": []}], {}, ("unknown", "no-data"), "includes a list"),
        ([{"name": "x"}], {}, ("unknown", "no-data"), "no include"),
        ([{"include": "http://other.example/mesh"}], {}, ("unknown", "partial"), "set 'mesh_url'"),
        ([{"include": "http://localhost:0/x"}], {}, ("unknown", "partial"), "set 'mesh_url'"),
        ([{"include": "http://[x"}], {}, ("unknown", "partial"), "set 'mesh_url'"),
    ],
)
def test_pwa_lists_meshes(
    site: Site, config: Any, how: dict[str, Any], expected: Any, words: str
) -> None:
    found = pwa(site, config=config, **how)
    assert verdict(found) == expected
    assert words in found.text


@pytest.mark.parametrize(
    ("mesh", "code"),
    [
        ({"tests": [{}]}, "ok"),
        ({"addresses": {"a": {}}}, "ok"),
        ({"tasks": {}}, "no-data"),
        ({"message": "Couldn't find config"}, "no-data"),
        ([], "no-data"),
    ],
)
def test_pwa_serves_a_mesh(site: Site, mesh: Any, code: str) -> None:
    assert pwa(site, mesh=mesh).code == code


def test_pwa_tells_its_secret_to_no_other_server(site: Site) -> None:
    """Who edits the list of meshes must not get the login of who reads it."""
    with serve() as other:
        other.replies["/mesh"] = {"tasks": {"t": {}}}
        listed = [{"include": [f"{other.url}/mesh"]}]
        environment = {"TOKEN": "hunter2"}
        found = pwa(site, config=listed, user="me", secret="env:TOKEN", environment=environment)
        assert verdict(found) == OK
        assert "authorization" not in other.asked[0].headers
        assert "authorization" in site.asked[0].headers


# pScheduler


def scheduler(site: Site, change: Any = None, **how: Any) -> Any:
    status = vector("collectors/pscheduler.json")
    if change:
        change(status)
    site.replies["/pscheduler/status"] = status
    return ask("pscheduler", at=NOON + 5, url=f"{site.url}/pscheduler", **how)


def sets(path: str, value: Any) -> Any:
    """Return what sets a value of a document, or takes it out for `...`."""

    def change(document: Any) -> None:
        *keys, last = path.split("/")
        for key in keys:
            document = document[key]
        if value is ...:
            del document[last]
        else:
            document[last] = value

    return change


@pytest.mark.parametrize(
    ("path", "value", "how", "expected", "words"),
    [
        ("services/runner/overdue", "PT5M", {}, ("critical", "stuck"), "runner is overdue"),
        ("limits/ok", False, {}, ("critical", "unhealthy"), "limits are not ok"),
        ("limits/ok", False, {"limits": False}, OK, "in time"),
        # A daemon that never gave a sign is overdue by nothing.
        ("services/runner/last", None, {}, ("critical", "not-running"), "no sign"),
        ("services/runner", ..., {}, ("unknown", "no-data"), "no runner"),
        ("services/runner", ..., {"services": ["ticker", "archiver"]}, OK, "3 daemons"),
        ("services/runner/overdue", ..., {}, ("unknown", "no-data"), "no runner.overdue"),
        ("services/ticker/last", "2026-11-20T09:00:00+00:00", {}, ("critical", "stuck"), "3h old"),
        ("runs/last-finished", None, {}, ("critical", "stale"), "no run has ended"),
        ("runs/last-finished", "2026-11-18T12:00:00+00:00", {}, ("critical", "stale"), "2d old"),
        ("runs/last-finished", "2026-11-18T12:00:00+00:00", {"max_age": 3 * 86400}, OK, "2d ago"),
        ("runs/last-finished", "2026-11-20T14:00:00+00:00", {}, ("unknown", "clock"), "ahead"),
        ("runs/last-finished", "soon", {}, ("unknown", "no-data"), "'soon'"),
        ("time", "2026-11-20T08:00:00+00:00", {}, ("critical", "outdated"), "its status is 4h"),
        ("time", ..., {}, ("unknown", "no-data"), "no time"),
        ("runs", ..., {}, ("unknown", "no-data"), "no runs"),
        ("limits", ..., {}, ("unknown", "no-data"), "no limits"),
    ],
)  # fmt: skip
def test_pscheduler_is_judged_by_its_own_status(
    site: Site, path: str, value: Any, how: dict[str, Any], expected: Any, words: str
) -> None:
    found = scheduler(site, sets(path, value), **how)
    assert verdict(found) == expected
    assert words in found.text


def test_pscheduler_that_is_stuck_is_stuck_whatever_else_is_missing(site: Site) -> None:
    def change(status: Any) -> None:
        status["services"]["archiver"]["overdue"] = "PT1H"
        del status["limits"], status["runs"]

    assert verdict(scheduler(site, change)) == ("critical", "stuck")


# MaDDash


def maddash(site: Site, document: Any = None, **how: Any) -> Any:
    site.replies["/grids"] = {"grids": [{"name": "Loss", "uri": "/maddash/grids/Loss"}]}
    site.replies["/grids/Loss"] = gives(grid() if document is None else document)
    return ask("maddash", url=site.url, **how)


def cells(*statuses: int, age: float = 600) -> dict[str, Any]:
    """Return a grid of one row with a check of each status."""
    made = time.time() - age
    return grid(grid=[[None, *([{"status": one, "prevCheckTime": made}] for one in statuses)]])


def severity(number: Any) -> dict[str, Any]:
    return grid(report={"global": {"severity": number, "stats": [1, 0, 0, 0]}})


@pytest.mark.parametrize(
    ("document", "how", "expected", "words"),
    [
        (cells(0, 1, 2, 5), {}, OK, "0 of 4 checks not known"),
        # All cells orange: it runs, and knows nothing.
        (cells(3, 3, 4), {}, ("critical", "share"), "3 of 3 checks (100 %) are not known"),
        (cells(0, 3, 4), {}, ("critical", "share"), "2 of 3 checks (66.6 %)"),
        (cells(0, 3), {}, OK, "1 of 2"),
        (cells(0, 3), {"most_unknown": 0.4}, ("critical", "share"), "may be 40 %"),
        (cells(0, age=2 * 86400), {}, ("critical", "outdated"), "2d old, may be 1d"),
        (cells(0, age=2 * 86400), {"max_age": 3 * 86400}, OK, "within 2d"),
        (grid(grid=[[[{"status": 4, "prevCheckTime": 0}]]]), {}, ("critical", "outdated"),
         "ever run"),
        (cells(0, age=-7200), {}, ("unknown", "clock"), "ahead"),
        (grid(grid=[]), {}, ("unknown", "no-data"), "no checks"),
        (grid(grid=[[None, None]]), {}, ("unknown", "no-data"), "no checks"),
        (grid(grid=[[[{"prevCheckTime": 5}]]]), {}, ("unknown", "no-data"), "no status"),
        (severity(2), {}, ("critical", "unhealthy"), "its report is CRITICAL, may be WARNING"),
        (severity(2), {"most_severity": 2}, OK, "1 grid, "),
        (severity(3), {}, ("unknown", "unhealthy"), "UNKNOWN"),
        (severity(4), {}, ("unknown", "no-data"), "severity 4"),
        (severity(None), {}, ("unknown", "no-data"), "severity is null"),
        (grid(report={}), {}, ("unknown", "no-data"), "no report.global"),
    ],
)  # fmt: skip
def test_maddash_has_known_and_recent_results(
    site: Site, document: Any, how: dict[str, Any], expected: Any, words: str
) -> None:
    found = maddash(site, document, **how)
    assert verdict(found) == expected
    assert words in found.text


def test_maddash_counts_milliseconds_as_such(site: Site) -> None:
    made = (time.time() - 600) * 1000
    document = grid(grid=[[[{"status": 0, "prevCheckTime": made}]]])
    assert verdict(maddash(site, document)) == OK


def test_maddash_without_a_grid_that_is_wanted(site: Site) -> None:
    found = maddash(site, grids=["Loss", "Throughput"])
    assert verdict(found) == ("critical", "missing-object")
    assert "no grid Throughput" in found.text
    site.replies["/grids"] = {"grids": []}
    assert verdict(ask("maddash", url=site.url)) == ("critical", "missing-object")


def test_maddash_tells_what_is_wrong_before_what_is_not_known(site: Site) -> None:
    names = ("a b/c", "Loss", "z")
    site.replies["/grids"] = {"grids": [{"name": name} for name in names]}
    site.replies["/grids/a+b%2Fc"] = grid(report={})
    site.replies["/grids/Loss"] = cells(3, 3)
    site.replies["/grids/z"] = grid()
    found = ask("maddash", url=site.url)
    assert verdict(found) == ("critical", "share")
    assert "2 of 3 grids are not right" in found.text


def test_maddash_with_more_grids_than_are_asked_for_is_not_judged_by_a_part(site: Site) -> None:
    site.replies["/grids"] = {"grids": [{"name": str(number)} for number in range(500)]}
    assert verdict(ask("maddash", url=site.url)) == ("unknown", "too-big")
