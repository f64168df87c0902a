"""Collectors: pages of RSV, the metrics of ps-collector from Prometheus' own library."""

import threading
import time
from collections.abc import Callable, Iterator
from email.utils import formatdate
from typing import Any, NamedTuple
from wsgiref.simple_server import WSGIServer

import pytest
from prometheus_client import CollectorRegistry, Counter, Gauge, Summary, start_http_server

from psops.probes.collector_metrics import parse
from tests.probes.data.good import metrics, rsv_row
from tests.probes.data.site import OK, VECTORS, Site, ask, gives, said, verdict

HOUR = 3600


def modified(age: float) -> str:
    return f"Last-Modified: {formatdate(time.time() - age, usegmt=True)}"


# RSV


def rsv(site: Site, rows: list[Any], age: float = 900, alerts: Any = (), **how: Any) -> Any:
    document = {"alerts": list(alerts), "rows": rows}
    site.replies["/rsv/index.json"] = gives(document, "200 OK", modified(age))
    return ask("rsv", url=f"{site.url}/rsv", **how)


def rows(good: int, bad: int, status: str = "CRITICAL") -> list[Any]:
    return [*map(rsv_row, range(good)), *(rsv_row(100 + at, status) for at in range(bad))]


@pytest.mark.parametrize(
    ("found", "how", "expected", "words"),
    [
        (rows(8, 2), {}, OK, "8 of 10 rows (80 %) are OK"),
        (rows(799, 201), {}, ("critical", "share"), "(79.9 %) are OK, must be 80 %"),
        (rows(5, 5), {"least_share": 0.5}, OK, "50 %"),
        (rows(5, 5, "UNKNOWN"), {}, ("critical", "share"), "of ps100.example.org"),
        # A row that was not run for a day keeps its last status.
        ([*rows(9, 0), rsv_row(9, id="old")], {}, ("critical", "outdated"), "1 of 10 rows"),
        ([*rows(9, 0), rsv_row(9, id="old")], {"most_old": 0.1}, OK, "90 %"),
        ([*rows(2, 0), rsv_row(9, id="ok", status="CRITICAL")], {}, ("critical", "share"), "66.6"),
        # What is switched off does not count, neither way; JSON has "" in its place.
        ([*rows(4, 0), *(rsv_row(9, "CRITICAL", enabled="NO") for _ in range(9)), ""], {}, OK,
         "4 of 4"),
        ([""], {}, ("unknown", "no-data"), "no rows that are enabled"),
        ([], {}, ("unknown", "no-data"), "no rows"),
        ([{"id": "ok"}], {}, ("unknown", "no-data"), "no metric"),
        ([None], {}, ("unknown", "no-data"), ""),
    ],
)  # fmt: skip
def test_rsv_is_judged_by_its_enabled_rows(
    site: Site, found: list[Any], how: dict[str, Any], expected: Any, words: str
) -> None:
    answer = rsv(site, found, **how)
    assert verdict(answer) == expected
    assert words in answer.text


def test_rsv_page_that_nobody_writes_any_more_is_old(site: Site) -> None:
    found = rsv(site, rows(9, 0), age=5 * HOUR)
    assert verdict(found) == ("critical", "outdated")
    assert "its page is 5h old, may be 2h" in found.text
    assert verdict(rsv(site, rows(9, 0), age=5 * HOUR, max_age=6 * HOUR)) == OK
    assert verdict(rsv(site, rows(9, 0), age=-2 * HOUR)) == ("unknown", "clock")


def test_rsv_page_of_no_known_age_is_not_right(site: Site) -> None:
    site.default = gives({"alerts": [], "rows": rows(9, 0)})
    assert verdict(ask("rsv", url=site.url)) == ("unknown", "no-data")
    site.default = gives({"alerts": [], "rows": rows(1, 9)})
    assert verdict(ask("rsv", url=site.url)) == ("critical", "share")


def test_rsv_alerts_are_told_beside(site: Site) -> None:
    found = rsv(site, rows(9, 0), alerts=["condor-cron is\nnot running"])
    assert verdict(found) == OK
    assert verdict(found.asides[0]) == ("warning", "degraded")
    assert "1 alert: condor-cron is not running" in found.asides[0].text


def test_rsv_without_its_json_is_read_from_the_page(site: Site) -> None:
    page = (VECTORS / "collectors/rsv.html").read_bytes()
    site.replies["/rsv/"] = said("200 OK", page, modified(60))
    found = ask("rsv", url=f"{site.url}/rsv")
    assert verdict(found) == OK
    assert "2 of 2 rows (100 %)" in found.text
    site.replies["/rsv/"] = said("200 OK", page.replace(b"'ok'", b"'warning'"), modified(60))
    found = ask("rsv", url=f"{site.url}/rsv")
    assert verdict(found) == ("critical", "share")
    assert "of ps1, org.osg.general.perfsonar-simple of ps2" in found.text
    site.replies["/rsv/"] = said("200 OK", b"<html>It works!</html>", modified(60))
    assert verdict(ask("rsv", url=f"{site.url}/rsv")) == ("unknown", "no-data")
    del site.replies["/rsv/"]
    assert verdict(ask("rsv", url=f"{site.url}/rsv")) == ("critical", "missing-object")


# ps-collector


class Collector(NamedTuple):
    """The metrics that ps-collector has, and where they are served."""

    url: str
    endpoints: Gauge
    failures: Counter
    requests: Summary


@pytest.fixture
def collector() -> Iterator[Collector]:
    """Give metrics of the names and kinds of ps-collector, served by prometheus_client."""
    registry = CollectorRegistry()
    Gauge("ps_inprogress_requests", "Under way", registry=registry)
    endpoints = Gauge("ps_num_endpoint", "How many", registry=registry)
    failures = Counter("ps_endpoint_failures_num", "Failures", ["endpoint"], registry=registry)
    requests = Summary("ps_request_latency_seconds", "Took", ["endpoint"], registry=registry)
    server: WSGIServer
    server, thread = start_http_server(0, addr="127.0.0.1", registry=registry)
    assert isinstance(thread, threading.Thread)
    url = f"http://127.0.0.1:{server.server_port}/metrics"
    yield Collector(url, endpoints, failures, requests)
    server.shutdown()
    server.server_close()
    thread.join()


def collected(collector: Collector, between: Callable[[], None], **how: Any) -> Any:
    return ask("collector-metrics", url=collector.url, between=lambda seconds: between(), **how)


def test_endpoints_without_new_failures_are_good(collector: Collector) -> None:
    collector.endpoints.set(10)
    # Old failures, and those of an endpoint that is well again, are no new ones.
    collector.failures.labels("ps1").inc(500)

    def two_fail() -> None:
        for name in ("ps2", "ps3"):
            collector.failures.labels(name).inc()
        for at in range(10):
            collector.requests.labels(f"ps{at}").observe(2)

    found = collected(collector, two_fail)
    assert verdict(found) == OK
    assert "80 % of 10 endpoints that were asked had no failure for 12s" in found.text

    def third_fails() -> None:
        for name in ("ps2", "ps3", "ps4\x1b[1m"):
            collector.failures.labels(name).inc()
        for at in (0, 1, *range(5, 10)):
            collector.requests.labels(f"ps{at}").observe(2)

    found = collected(collector, third_fails)
    assert verdict(found) == ("critical", "share")
    assert "70 % of 10 endpoints that were asked had no failure for 12s, must be" in found.text
    assert ": ps2, ps3, ps4" in found.text


def test_endpoints_that_were_not_asked_are_not_good(collector: Collector) -> None:
    collector.endpoints.set(200)

    def fail(many: int) -> None:
        for at in range(many):
            collector.failures.labels(f"ps{at}").inc()

    found = collected(collector, lambda: fail(6))
    assert verdict(found) == ("critical", "share")
    assert "0 % of 6 endpoints that were asked" in found.text
    found = collected(collector, lambda: fail(4))
    assert verdict(found) == ("unknown", "no-data")
    assert "4 of 200 endpoints were asked within 12s" in found.text


def test_collector_that_asks_nobody_is_not_right(collector: Collector) -> None:
    collector.endpoints.set(0)
    assert verdict(collected(collector, lambda: None)) == ("critical", "below-floor")
    collector.endpoints.set(10)
    # Nothing happened: that is no proof that all is well.
    assert verdict(collected(collector, lambda: None)) == ("unknown", "no-data")
    found = collected(collector, lambda: None, least_endpoints=11)
    assert verdict(found) == ("critical", "below-floor")
    assert verdict(collected(collector, lambda: collector.endpoints.set(0))) == (
        "critical", "below-floor",
    )  # fmt: skip


def test_all_endpoints_of_ten_fail(collector: Collector) -> None:
    collector.endpoints.set(2)

    def fail() -> None:
        for name in "abc":
            collector.failures.labels(name).inc()

    found = collected(collector, fail, least_share=0)
    assert verdict(found) == OK
    assert "0 % of 3" in found.text


@pytest.mark.parametrize(
    "later",
    [
        metrics(failures=4.0, requests=44.0),
        metrics(requests=39.0),
        metrics(requests=44.0).replace(b"1.79521e+09", b"1.79522e+09"),
    ],
)
def test_counters_that_began_anew_tell_nothing_this_time(site: Site, later: bytes) -> None:
    site.replies["/metrics"] = [said("200 OK", metrics()), said("200 OK", later)]
    assert verdict(ask("collector-metrics", url=f"{site.url}/metrics")) == ("unknown", "restarted")


@pytest.mark.parametrize(
    "name",
    [
        "ps_num_endpoint",
        "ps_inprogress_requests",
        "ps_endpoint_failures_num",
        "ps_request_latency_seconds",
    ],
)
def test_metrics_without_one_that_is_needed_are_unknown(site: Site, name: str) -> None:
    lines = [line for line in metrics().decode().splitlines() if name not in line]
    site.replies["/metrics"] = said("200 OK", "\n".join(lines).encode())
    found = ask("collector-metrics", url=f"{site.url}/metrics")
    assert verdict(found) == ("unknown", "no-data")
    assert name in found.text


@pytest.mark.parametrize("value", ["NaN", "+Inf", "-1.0", "x"])
def test_metric_that_is_no_number_is_unknown(site: Site, value: str) -> None:
    page = metrics().decode().replace("ps_num_endpoint 10.0", f"ps_num_endpoint {value}")
    site.replies["/metrics"] = said("200 OK", page.encode())
    assert verdict(ask("collector-metrics", url=f"{site.url}/metrics")) == ("unknown", "no-data")


def test_page_that_is_no_list_of_metrics_is_none() -> None:
    assert parse("<html>\n") is None
    assert parse("# only a comment\n") is None
    assert parse("") is None
    assert parse('a{endpoint="x}\\"y"} 1\n') is not None
