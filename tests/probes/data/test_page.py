"""Pages: status, texts, values of JSON, time, and pages to log in that say all the right words."""

import time
from typing import Any

import pytest

from tests.probes.data.site import (
    FOOLING,
    GREEN,
    LOGIN,
    OK,
    Clocked,
    Site,
    ask,
    gives,
    here,
    probe,
    said,
    serve,
    verdict,
)

PAGE = b"<html><head><title>MaDDash</title></head><body>Loss grid</body></html>"
#: How a page is declared that has a text, and one that has JSON.
TEXT = {"text": "Loss grid"}
JSON = {"json": [{"path": "status", "equals": "green"}]}


def page(site: Site, reply: Any, **how: Any) -> Any:
    site.replies["/x"] = reply
    return ask("page", url=f"{site.url}/x", **how)


@pytest.mark.parametrize(
    ("reply", "how", "expected", "words"),
    [
        (said("200 OK", PAGE), {}, OK, "answers 200 OK"),
        (said("200 OK", PAGE), TEXT, OK, "with 'Loss grid'"),
        (said("200 OK", PAGE), {"text": "Delay grid"}, ("critical", "text"),
         "'Delay grid' is not in the answer; it is a page with the title 'MaDDash'"),
        (said("200 OK", PAGE), {"not_text": "Loss"}, ("critical", "error-in-body"), "'Loss' is in"),
        (said("200 OK", PAGE), {"not_text": "Error"}, OK, "200"),
        (gives({"status": "green"}), JSON, OK, "status is 'green'"),
        (gives({"status": "red"}), JSON, ("critical", "json"), "must be 'green'"),
        (gives({}), JSON, ("unknown", "json-missing"), "no status"),
        (said("200 OK", PAGE), JSON, ("unknown", "not-json"), "title 'MaDDash'"),
        (said("401 Unauthorized", b""), {}, ("unknown", "not-allowed"), "401"),
        (said("429 Too Many Requests", b""), {}, ("unknown", "not-allowed"), "429"),
        (said("404 Not Found", PAGE), {}, ("critical", "status"), "404 Not Found instead of 200"),
        (said("503 Service Unavailable", b""), {}, ("critical", "server-error"), "503"),
        (said("302 Found", b"", "Location: https://sso/login"), {}, ("critical", "redirect"),
         "points to https://sso/login"),
        # What was declared is right, whatever its status is.
        (said("302 Found", b"", "Location: https://sso/login"), {"status": 302}, OK, "302"),
        (said("401 Unauthorized", PAGE), {"status": [401, 403]}, OK, "401"),
        (gives({"status": "green"}, "503 Service Unavailable"), {**JSON, "status": 503}, OK, ""),
        (said("204 No Content", b""), {"status": 204}, OK, "204"),
        (said("200 OK", b""), {}, ("unknown", "no-data"), "nothing in it"),
        (said("200 OK", b""), TEXT, ("critical", "text"), "it is empty"),
        (said("200 OK", b"\x1f\x8b", "Content-Encoding: gzip"), TEXT, ("unknown", "encoded"),
         "packed as gzip"),
    ],
)  # fmt: skip
def test_page_is_as_declared(
    site: Site, reply: Any, how: dict[str, Any], expected: Any, words: str
) -> None:
    found = page(site, reply, **how)
    assert verdict(found) == expected
    assert words in found.text


@pytest.mark.parametrize(
    "how",
    [{}, {"text": "OK green running"}, {"text": "Sign in"}, {"not_text": "error"}, JSON],
)
def test_page_to_log_in_is_not_what_was_meant(site: Site, how: dict[str, Any]) -> None:
    found = page(site, said("200 OK", LOGIN), **how)
    assert verdict(found) == ("unknown", "login-page")
    assert "\x1b" not in found.text


def test_page_with_a_form_may_be_meant(site: Site) -> None:
    assert verdict(page(site, said("200 OK", LOGIN), login_form=True, text="green")) == OK
    assert verdict(page(site, said("200 OK", LOGIN), login_form=True)) == OK


def test_page_with_a_link_to_log_in_is_none(site: Site) -> None:
    body = b'<html><title>Toolkit</title><body><a href="/auth">Log in</a> fine</body></html>'
    assert verdict(page(site, said("200 OK", body))) == OK
    assert verdict(page(site, said("200 OK", body), text="Loss")) == ("critical", "text")
    titled = body.replace(b"Toolkit", b"Please sign in")
    assert verdict(page(site, said("200 OK", titled))) == ("unknown", "login-page")
    assert verdict(page(site, said("200 OK", titled), login_form=True)) == OK


def test_page_that_sends_elsewhere_without_a_form_is_a_login(site: Site) -> None:
    reply = said("200 OK", b"<html><body>CERN Single Sign-On</body></html>")
    assert verdict(page(site, reply)) == ("unknown", "login-page")
    assert verdict(page(site, reply, text="dashboards")) == ("critical", "login-page")


def test_slow_page_is_slow(site: Site) -> None:
    def slow(sock: Any) -> None:
        time.sleep(0.2)
        said("200 OK", PAGE)(sock)

    found = page(site, slow, most_seconds=0.1)
    assert verdict(found) == ("critical", "slow")
    assert "may take 0.1 s" in found.text
    assert verdict(page(site, slow, most_seconds=5)) == OK


def test_text_beyond_what_is_read_is_not_known(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("psops.probes.world.MOST", 1000)
    reply = said("200 OK", b"x" * 2000 + b"Loss grid")
    assert verdict(page(site, reply, **TEXT)) == ("unknown", "too-big")
    assert verdict(page(site, reply, not_text="Loss")) == ("unknown", "too-big")
    assert verdict(page(site, said("200 OK", b"Loss grid" + b"x" * 2000), **TEXT)) == OK


@pytest.mark.parametrize("how", [TEXT, JSON], ids=["text", "json"])
def test_another_answer_is_never_green(site: Site, how: dict[str, Any]) -> None:
    told = {}
    for name, reply in FOOLING.items():
        found = page(site, reply, **how, timeout=0.2 if name == "slow" else 5)
        assert found.verdict not in GREEN, (name, found)
        told[name] = found.code
    assert told["login-page"] == "login-page"


def test_login_goes_to_the_page_that_is_declared_and_no_further(site: Site) -> None:
    with serve() as other:
        reply = said("302 Found", b"", f"Location: {other.url}/steal")
        found = page(site, reply, user="me", secret="env:T", environment={"T": "hunter2"})
        assert found.code == "redirect"
        assert other.asked == []


def test_probes_that_ask_in_other_ways_share_no_answer(site: Site) -> None:
    site.replies["/x"] = said("200 OK", PAGE)
    world = Clocked(here, environment={"T": "hunter2"})
    how = {"secret": "env:T"}
    given: list[dict[str, Any]] = [how, {**how, "auth": "apikey"}, {**how, "timeout": 3.0},
                                   {**how, "tls_days": 3}, {**how, "client_key": "/k"}]  # fmt: skip
    for settings in (*given, *given):
        world.http(probe("page", url=f"{site.url}/x", **settings), f"{site.url}/x")
    assert len(site.asked) == len(given)


@pytest.mark.parametrize(
    ("how", "sent"),
    [
        ({"user": "me"}, "Basic bWU6aHVudGVyMg=="),
        ({}, "Bearer hunter2"),
        ({"auth": "apikey"}, "ApiKey hunter2"),
        ({"auth": "basic"}, "Basic Omh1bnRlcjI="),
    ],
)
def test_ways_to_log_in(site: Site, how: dict[str, Any], sent: str) -> None:
    page(site, said("200 OK", PAGE), secret="env:T", environment={"T": "hunter2"}, **how)
    assert site.asked[0].headers["authorization"] == sent
