"""Checkmk: aggregations by its REST interface and by views of old releases."""

import json
import time
from typing import Any

import pytest

from tests.probes.data.good import BI, CHECKED
from tests.probes.data.site import OK, Answering, Reply, Request, Site, ask, gives, said, verdict

ALIVE: dict[str, Any] = {"alive_host": "etf", "alive_service": "Check_MK"}


def states(**found: Any) -> dict[str, Any]:
    return {"aggregations": {name: {"state": state} for name, state in found.items()},
            "missing_sites": [], "missing_aggr": []}  # fmt: skip


def rest(site: Site, document: Any, checked: Any = 60, **how: Any) -> Any:
    site.replies[BI] = gives(document)
    last = time.time() - checked if isinstance(checked, int | float) else checked
    last = int(last) if isinstance(last, float) else last
    site.replies[CHECKED] = {"extensions": {"state": 0, "last_check": last}}
    return ask("checkmk-bi", url=site.url, **(ALIVE | how))


@pytest.mark.parametrize(
    ("document", "how", "expected", "words"),
    [
        (states(SAND=0, pwa=0), {}, OK, "2 aggregations OK, the newest check 1min"),
        (states(SAND=0, pwa=1), {}, ("warning", "unhealthy"), "1 of 2 aggregations WARN: pwa"),
        (states(SAND=2, pwa=1, x=3), {}, ("critical", "unhealthy"), "CRIT: SAND"),
        (states(SAND=3, pwa=1), {}, ("unknown", "unhealthy"), "UNKN: SAND"),
        # Pending: nothing is known of it yet.
        (states(SAND=-1), {}, ("unknown", "no-data"), "state -1"),
        (states(SAND=0.5), {}, ("unknown", "no-data"), "state 0.5"),
        (states(SAND=True), {}, ("unknown", "no-data"), "true, not a number"),
        (states(SAND=None), {}, ("unknown", "no-data"), "null"),
        (states(), {}, ("unknown", "no-data"), "shows no aggregation"),
        (states(SAND=0), {"aggregations": ["SAND", "pwa"]}, ("critical", "missing-object"), "pwa"),
        (states(SAND=0, x=2), {"aggregations": ["SAND"]}, OK, "1 aggregation OK"),
        (states(SAND=0) | {"missing_sites": ["etf2"]}, {}, ("unknown", "partial"), "etf2"),
        (states(SAND=0) | {"missing_aggr": ["pwa"]}, {}, ("critical", "missing-object"), "pwa"),
        ({"aggregations": {"SAND": {"state": 0}}}, {}, ("unknown", "no-data"), "missing_sites"),
    ],
)  # fmt: skip
def test_aggregations_have_the_worst_of_their_states(
    site: Site, document: Any, how: dict[str, Any], expected: Any, words: str
) -> None:
    found = rest(site, document, **how)
    assert verdict(found) == expected
    assert words in found.text


@pytest.mark.parametrize(
    ("checked", "expected"),
    [
        # The core has stopped, and every state stands as it was.
        (2 * 3600, ("critical", "outdated")),
        (-3600, ("unknown", "clock")),
        ("never", ("unknown", "no-data")),
    ],
)
def test_states_that_nobody_renews_are_not_right(site: Site, checked: Any, expected: Any) -> None:
    assert verdict(rest(site, states(SAND=0), checked)) == expected


def test_service_that_was_never_checked_is_outdated(site: Site) -> None:
    site.replies[BI] = states(SAND=0)
    site.replies[CHECKED] = {"extensions": {"state": 0, "last_check": 0}}
    assert verdict(ask("checkmk-bi", url=site.url, **ALIVE)) == ("critical", "outdated")


def test_without_the_age_of_a_check_nothing_is_right(site: Site) -> None:
    site.replies[BI] = states(SAND=0)
    found = ask("checkmk-bi", url=site.url)
    assert verdict(found) == ("unknown", "no-data")
    assert "'alive_host' and 'alive_service'" in found.text
    site.replies[BI] = states(SAND=2)
    assert verdict(ask("checkmk-bi", url=site.url)) == ("critical", "unhealthy")


def test_automation_user_logs_in_as_checkmk_wants_it(site: Site) -> None:
    how = {"user": "psops", "secret": "env:TOKEN", "environment": {"TOKEN": "hunter2"}}
    assert verdict(rest(site, states(SAND=0), aggregations=["SAND"], **how)) == OK
    assert {one.headers["authorization"] for one in site.asked} == {"Bearer psops hunter2"}
    assert site.asked[0].path.endswith("?filter_names=SAND")


class _OlderRelease(Answering):
    """Reads aggregations by POST only."""

    def reply(self, request: Request) -> Reply:
        if request.method != "POST":
            return said("405 Method Not Allowed", b"")
        assert json.loads(request.body) == {"filter_names": ["SAND"]}
        return gives(states(SAND=0))


def test_older_release_is_asked_by_post(site: Site) -> None:
    rest(site, states())
    site.replies[BI] = _OlderRelease()
    found = ask("checkmk-bi", url=site.url, aggregations=["SAND"], **ALIVE)
    assert verdict(found) == OK


# Views


def view(site: Site, rows: list[Any], age: str = "12.3 s", **how: Any) -> Any:
    site.replies["/view.py?view_name=aggr_all&output_format=json"] = gives(rows)
    site.replies["/view.py?view_name=host&output_format=json"] = gives(
        [["service_description", "svc_check_age"], ["CPU", "5 h"], ["Check_MK", age]]
    )
    return ask("checkmk-bi", url=f"{site.url}/view.py?view_name=aggr_all", api="multisite",
               **({"alive_url": f"{site.url}/view.py?view_name=host"} | how))  # fmt: skip


HEAD = ["aggr_name", "aggr_state_num", "aggr_assumed_state"]


@pytest.mark.parametrize(
    ("rows", "expected", "words"),
    [
        ([HEAD, ["SAND", "0", ""], ["pwa", "0", ""]], OK, "2 aggregations OK"),
        ([HEAD, ["SAND", "0", ""], ["pwa", "2", ""]], ("critical", "unhealthy"), "CRIT: pwa"),
        ([["aggr_state", "aggr_name"], ["WARN", "SAND"]], ("warning", "unhealthy"), "SAND"),
        ([["aggr_state", "aggr_name"], ["PEND", "SAND"]], ("unknown", "no-data"), "not monitored"),
        ([HEAD, ["SAND", "", ""]], ("unknown", "no-data"), "state ''"),
        # The worst of several rows of one name counts.
        ([HEAD, ["SAND", "2", ""], ["SAND", "0", ""]], ("critical", "unhealthy"), "SAND"),
        ([HEAD], ("unknown", "no-data"), "no aggregation"),
        ([["x"], ["0"]], ("unknown", "no-data"), "none of the columns"),
        ([HEAD, ["SAND"]], ("unknown", "no-data"), "other columns"),
        ([], ("unknown", "no-data"), "columns"),
        ([["aggr_state"], ["OK"]], OK, "1 aggregation"),
    ],
)
def test_view_is_read_by_its_columns(
    site: Site, rows: list[Any], expected: Any, words: str
) -> None:
    found = view(site, rows)
    assert verdict(found) == expected
    assert words in found.text


@pytest.mark.parametrize(
    ("age", "expected"),
    [
        ("59 m", OK), ("3 h", ("critical", "outdated")), ("2 d", ("critical", "outdated")),
        ("2019-03-01 12:00:00", ("critical", "outdated")), ("-", ("unknown", "no-data")),
    ],
)  # fmt: skip
def test_view_tells_the_age_of_the_newest_check(site: Site, age: str, expected: Any) -> None:
    assert verdict(view(site, [HEAD, ["SAND", "0", ""]], age)) == expected


def test_view_without_an_age_is_not_right(site: Site) -> None:
    found = view(site, [HEAD, ["SAND", "0", ""]], alive_url=f"{site.url}/other")
    assert verdict(found) == ("critical", "missing-object")
    site.replies["/other"] = gives([["service_description"], ["Check_MK"]])
    found = view(site, [HEAD, ["SAND", "0", ""]], alive_url=f"{site.url}/other")
    assert verdict(found) == ("unknown", "no-data")
    site.replies["/view.py"] = gives([HEAD, ["SAND", "0", ""]])
    found = ask("checkmk-bi", url=f"{site.url}/view.py", api="multisite")
    assert verdict(found) == ("unknown", "no-data")
    assert "'alive_url'" in found.text
