"""Elasticsearch and OpenSearch: the rules are held against all documents, counted by hand."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from psops.catalogue.values import Wrong
from tests.probes.data.good import NOON
from tests.probes.data.site import OK, Site, ask, gives, said, vector, verdict
from tests.probes.data.store import Store

HOUR = 3600
DAY = 24 * HOUR
PATH = "/ps_owd/_search"


def at(*ages: float) -> list[int]:
    """Return times of documents, in milliseconds, by their ages at noon in seconds."""
    return [round((NOON - age) * 1000) for age in ages]


def index(site: Site, kind: str, **how: Any) -> Any:
    return ask(kind, at=NOON, url=site.url, index="ps_owd", **how)


# Health


@pytest.mark.parametrize(
    ("changes", "how", "expected", "words"),
    [
        ({}, {}, OK, "the cluster is green, 0 of 82 shards"),
        ({"status": "yellow", "unassigned_shards": 41, "active_shards": 41}, {},
         ("warning", "degraded"), "41 of 82 shards without a place"),
        ({"status": "yellow"}, {"accept_yellow": True}, OK, "yellow"),
        ({"status": "red"}, {"accept_yellow": True}, ("critical", "unhealthy"), "red"),
        ({"timed_out": True}, {}, ("unknown", "partial"), "before all was known"),
        ({"status": "purple"}, {}, ("unknown", "no-data"), "'purple'"),
        ({"status": "GREEN"}, {}, ("unknown", "no-data"), "'GREEN'"),
        ({"unassigned_shards": None}, {}, ("unknown", "no-data"), "unassigned_shards is null"),
        ({"timed_out": "false"}, {}, ("unknown", "no-data"), "not true or false"),
        ({"error": {"reason": "no master"}}, {}, ("unknown", "error-in-body"), "no master"),
    ],
)  # fmt: skip
def test_health_is_that_of_the_cluster(
    site: Site, changes: dict[str, Any], how: dict[str, Any], expected: Any, words: str
) -> None:
    site.replies["/_cluster/health"] = vector("stores/health.json") | changes
    found = ask("es-health", url=site.url, **how)
    assert verdict(found) == expected
    assert words in found.text


@pytest.mark.parametrize("key", ["status", "timed_out", "unassigned_shards", "active_shards"])
def test_health_without_a_field_is_unknown(site: Site, key: str) -> None:
    found = {name: value for name, value in vector("stores/health.json").items() if name != key}
    site.replies["/_cluster/health"] = gives(found)
    assert verdict(ask("es-health", url=site.url)) == ("unknown", "no-data")


def test_health_of_an_index_waits_shorter_than_we_do(site: Site) -> None:
    """An index that is not there is red after a wait, and older releases say 408 then."""
    late = vector("stores/health.json") | {"status": "red", "timed_out": True, "active_shards": 0}
    site.replies["/_cluster/health/ps_owd"] = gives(late, "408 Request Timeout")
    found = ask("es-health", url=site.url, index="ps_owd", timeout=5)
    assert verdict(found) == ("critical", "unhealthy")
    assert "there may be no such index" in found.text
    assert site.asked[0].path == "/_cluster/health/ps_owd?timeout=3s"


def test_account_without_the_right_to_monitor_tells_nothing(site: Site) -> None:
    site.default = gives({"error": {"type": "security_exception"}, "status": 403}, "403 Forbidden")
    assert verdict(ask("es-health", url=site.url)) == ("unknown", "not-allowed")
    assert verdict(index(site, "es-freshness")) == ("unknown", "not-allowed")
    assert verdict(index(site, "es-count-ratio")) == ("unknown", "not-allowed")


# Freshness


@pytest.mark.parametrize(
    ("ages", "how", "expected", "words"),
    [
        ((1800, 9000), {}, OK, "newest document is 30min old, may be 1h"),
        ((7200,), {}, ("critical", "stale"), "2h old, may be 1h"),
        # Events are late by nature; SAND allows nine hours.
        ((7200,), {"lateness": 9 * HOUR}, OK, "may be 10h"),
        ((11 * HOUR,), {"lateness": 9 * HOUR}, ("critical", "stale"), "11h old"),
        ((), {}, ("critical", "stale"), "no document of the last 30d"),
        ((40 * DAY,), {}, ("critical", "stale"), "no document of the last 30d"),
        ((40 * DAY,), {"max_age": 50 * DAY}, OK, "40d old"),
        # What is only as far ahead as clocks may differ does not count, nor is it told.
        ((-200, 600), {}, OK, "10min"),
        ((1800,), {"field": "@timestamp"}, ("critical", "stale"), "by '@timestamp'"),
    ],
)  # fmt: skip
def test_freshness_is_the_age_of_the_newest_document(
    site: Site, ages: tuple[float, ...], how: dict[str, Any], expected: Any, words: str
) -> None:
    site.replies[PATH] = Store(at(*ages))
    found = index(site, "es-freshness", **how)
    assert verdict(found) == expected
    assert words in found.text
    assert found.asides == ()


@pytest.mark.parametrize(("age", "code"), [(600, "ok"), (3 * HOUR, "stale")])
def test_document_of_the_future_makes_no_index_fresh(site: Site, age: float, code: str) -> None:
    site.replies[PATH] = Store(at(age, -DAY, -400 * DAY))
    found = index(site, "es-freshness")
    assert found.code == code
    assert verdict(found.asides[0]) == ("warning", "clock")
    assert "2 documents" in found.asides[0].text


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    ages=st.lists(st.integers(-3 * DAY, 45 * DAY), max_size=6),
    max_age=st.integers(60, 20 * DAY),
    lateness=st.integers(0, 2 * DAY),
)
def test_freshness_agrees_with_all_documents(
    site: Site, ages: list[int], max_age: int, lateness: int
) -> None:
    site.replies[PATH] = Store(at(*ages))
    found = index(site, "es-freshness", max_age=max_age, lateness=lateness)
    past = [age for age in ages if age >= 0]
    fresh = bool(past) and min(past) <= max_age + lateness
    assert found.code == ("ok" if fresh else "stale")
    assert bool(found.asides) == any(age < -300 for age in ages)


# Counts


@pytest.mark.parametrize(
    ("last", "before", "how", "expected", "words"),
    [
        (100, 200, {}, OK, "100 documents in 1h up to 9h ago, 100 before: a ratio of 1"),
        (29, 200, {}, ("critical", "few"), "a ratio of 0.29, must be 0.3"),
        (30, 200, {}, OK, "0.3"),
        (9, 9, {}, ("critical", "few"), "9 documents"),
        (0, 0, {}, ("critical", "few"), "0 documents"),
        (0, 0, {"least_count": 0}, OK, "none before"),
        (20, 0, {}, OK, "none before"),
        (50, 200, {"least_ratio": 0.9}, ("critical", "few"), "must be 0.9"),
    ],
)
def test_count_is_held_against_the_two_windows_before(
    site: Site, last: int, before: int, how: dict[str, Any], expected: Any, words: str
) -> None:
    end = 9 * HOUR
    ages = [end + 60] * last + [end + HOUR + 60] * (before // 2)
    ages += [end + 2 * HOUR + 60] * (before - before // 2)
    # Neither what is too late to count nor what is too old is part of it.
    ages += [60] * 500 + [end + 4 * HOUR] * 500
    site.replies[PATH] = Store(at(*ages))
    found = index(site, "es-count-ratio", **how)
    assert verdict(found) == expected
    assert words in found.text


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.lists(st.integers(-HOUR, 6 * HOUR), max_size=80),
    st.integers(0, 2 * HOUR),
    st.integers(0, HOUR - 1),
)
def test_count_agrees_with_the_rule_of_sand(
    site: Site, ages: list[int], shift: int, minutes: int
) -> None:
    """As `ps-indexing.py` has it, the last window ends at a full hour."""
    site.replies[PATH] = Store(at(*ages))
    found = ask("es-count-ratio", at=NOON + minutes, url=site.url, index="ps_owd", shift=shift)
    back = shift - minutes
    end = back + (minutes - shift) % HOUR
    current = sum(end <= age < end + HOUR for age in ages)
    previous = sum(end + HOUR <= age < end + 3 * HOUR for age in ages) / 2
    alarm = current < 10 or (previous > 0 and current / previous < 0.3)
    assert found.code == ("few" if alarm else "ok")


def test_count_may_end_at_any_second(site: Site) -> None:
    site.replies[PATH] = Store(at(*[-600] * 20))
    given: dict[str, Any] = {"at": NOON + 900, "url": site.url, "index": "ps_owd", "shift": 0}
    assert ask("es-count-ratio", **given).code == "few"
    assert ask("es-count-ratio", align=0, **given).code == "ok"


# Answers that cover a part only, for both


@pytest.mark.parametrize("kind", ["es-freshness", "es-count-ratio"])
@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"_shards": {"total": 3, "successful": 2, "skipped": 0, "failed": 1}},
         ("unknown", "partial")),
        ({"timed_out": True}, ("unknown", "partial")),
        # A name that leads nowhere, which a pattern would hide.
        ({"_shards": {"total": 0, "successful": 0, "skipped": 0, "failed": 0}},
         ("critical", "missing-object")),
        ({"_clusters": {"total": 2, "successful": 1, "skipped": 1}}, ("unknown", "partial")),
        ({"_clusters": {"total": 2, "successful": 2, "skipped": 0}}, OK),
        ({"_shards": {"total": 3}}, ("unknown", "no-data")),
        ({"aggregations": {}}, ("unknown", "no-data")),
        ({"aggregations": {"past": {"doc_count": 5, "newest": {"value": None}},
                           "future": {"doc_count": 0}, "last": {"doc_count": "5"},
                           "before": {"doc_count": 5}}}, ("unknown", "no-data")),
    ],
)  # fmt: skip
def test_answer_to_a_part_is_no_knowledge(
    site: Site, kind: str, changes: dict[str, Any], expected: Any
) -> None:
    store = Store(at(*([600] * 20)))
    store.changes = changes
    site.replies[PATH] = store
    assert verdict(index(site, kind, **({"shift": 0} if "ratio" in kind else {}))) == expected


@pytest.mark.parametrize("kind", ["es-freshness", "es-count-ratio"])
def test_index_that_is_not_there_is_missing(site: Site, kind: str) -> None:
    error = {"error": {"type": "index_not_found_exception", "reason": "no such index"}}
    site.replies[PATH] = gives(error | {"status": 404}, "404 Not Found")
    assert verdict(index(site, kind)) == ("critical", "missing-object")


@pytest.mark.parametrize("name", ["ps_*", "ps_owd,ps_meta", "<ps-{now/d}>", "a/b", "a b", ""])
def test_name_of_an_index_is_no_pattern(name: str) -> None:
    """One that matches nothing would be empty with status 200, not missing."""
    with pytest.raises(Wrong):
        ask("es-freshness", url="http://localhost:1/", index=name)


def test_store_behind_a_path_is_asked_there(site: Site) -> None:
    """That of Nebraska is at /q of another server."""
    site.replies["/q/ps_owd/_search"] = Store(at(60))
    found = ask("es-freshness", at=NOON, url=f"{site.url}/q/", index="ps_owd")
    assert verdict(found) == OK


# Grafana


@pytest.mark.parametrize(
    ("reply", "expected", "words"),
    [
        # Releases before 4.3 said 200 to this.
        (gives({"database": "failing"}), ("critical", "unhealthy"), "'failing'"),
        (gives({"database": "failing"}, "503 Service Unavailable"), ("critical", "unhealthy"), ""),
        (gives({"database": "ok"}, "503 Service Unavailable"), ("critical", "server-error"), "503"),
        (gives({"version": "12"}), ("unknown", "no-data"), "no database"),
        (said("200 OK", b"Ok"), ("unknown", "not-json"), "not JSON"),  # the page /healthz
    ],
)
def test_grafana_is_judged_by_its_database(
    site: Site, reply: Any, expected: Any, words: str
) -> None:
    site.replies["/api/health"] = reply
    found = ask("grafana", url=site.url)
    assert verdict(found) == expected
    assert words in found.text


@pytest.mark.parametrize(
    ("reply", "expected", "words"),
    [
        (gives({"status": "ERROR", "message": "no route\x1b[1m"}, "400 Bad Request"),
         ("critical", "unhealthy"), "es does not work: 'no route"),
        (gives({"status": "ERROR", "message": "x"}), ("critical", "unhealthy"), "es"),
        (gives({"status": "OK"}, "400 Bad Request"), ("unknown", "no-data"), "es"),
        (gives({"status": "UNKNOWN"}), ("unknown", "no-data"), "'UNKNOWN'"),
        (gives({"message": "Data source not found"}, "404 Not Found"),
         ("critical", "missing-object"), "/uid/es/health"),
        (gives({"message": "Unauthorized"}, "401 Unauthorized"), ("unknown", "not-allowed"), "401"),
    ],
)  # fmt: skip
def test_grafana_without_its_data_is_not_right(
    site: Site, reply: Any, expected: Any, words: str
) -> None:
    site.replies["/api/health"] = {"database": "ok", "version": "11.2.0"}
    site.replies["/api/datasources/uid/es/health"] = reply
    assert verdict(ask("grafana", url=site.url)) == OK
    found = ask("grafana", url=site.url, datasources=["es"])
    assert verdict(found) == expected
    assert words in found.text
