"""No answer that is not what was asked for gives green, whatever the kind of probe."""

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from psops.checks.codes import CODES
from psops.probes import codes, world
from tests.probes.data.good import GOOD
from tests.probes.data.site import FOOLING, GREEN, OK, Said, Site, ask, said, verdict

CASES = [(kind, path) for kind, good in GOOD.items() for path in good.paths]
#: Those whose answer is JSON.
JSON_CASES = [case for case in CASES if case[0] != "collector-metrics"]
_GONE = object()


@pytest.mark.parametrize("kind", GOOD)
def test_the_good_answer_is_right(kind: str, site: Site) -> None:
    good = GOOD[kind]
    good.set_up(site)
    found = ask(kind, at=good.at, **good.settings(site))
    assert verdict(found) == OK, found
    assert any(char.isdigit() for char in found.text) or kind == "grafana"


@pytest.mark.parametrize(("kind", "path"), CASES)
def test_another_answer_is_never_green(
    kind: str, path: str, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(world, "MOST", 65536)
    good = GOOD[kind]
    told = {}
    for name, reply in FOOLING.items():
        good.set_up(site)
        site.replies[path] = reply
        timeout = 0.2 if name == "slow" else 5
        found = ask(kind, at=good.at, **good.settings(site), timeout=timeout)
        assert found.verdict not in GREEN, (name, found)
        assert found.code in {**CODES, **codes.CODES}
        assert found.text
        told[name] = found.code
    assert told["slow"] == "timeout"
    assert told["401"] == told["403"] == "not-allowed"
    assert told["redirect"] == "redirect"
    assert told["login-page"] == "login-page" or kind == "rsv"
    assert told["endless"] in ("too-big", "no-data")


@pytest.mark.parametrize("kind", GOOD)
def test_a_component_that_does_not_answer_is_not_green(kind: str, site: Site) -> None:
    settings = {**GOOD[kind].settings(site), "url": "http://localhost:1/x"}
    found = ask(kind, **settings)
    assert verdict(found) == ("critical", "refused")


@pytest.mark.parametrize("kind", GOOD)
def test_a_secret_is_sent_and_never_told(kind: str, site: Site) -> None:
    good = GOOD[kind]
    good.set_up(site)
    secret: dict[str, Any] = {"user": "psops", "secret": "env:TOKEN"}
    found = ask(kind, at=good.at, environment={"TOKEN": "hunter2"}, **good.settings(site), **secret)
    assert verdict(found) == OK, found
    assert all("authorization" in request.headers for request in site.asked)
    assert "hunter2" not in str(found)
    assert "hunter2" not in " ".join(request.path for request in site.asked)


@pytest.mark.parametrize("kind", GOOD)
def test_a_secret_that_is_not_there_is_unknown(kind: str, site: Site) -> None:
    good = GOOD[kind]
    good.set_up(site)
    found = ask(kind, at=good.at, **good.settings(site), user="psops", secret="env:TOKEN")
    assert verdict(found) == ("unknown", "no-secret")
    assert site.asked == []


# Answers of which a part is something else


def _places(document: Any, trail: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the way to each value of a document."""
    yield trail
    if isinstance(document, dict | list):
        items = document.items() if isinstance(document, dict) else enumerate(document)
        for key, value in items:
            yield from _places(value, (*trail, key))


def _changed(document: Any, trail: tuple[Any, ...], value: Any) -> Any:
    """Return the document with another value at a place, or without the one that is there."""
    if not trail:
        return None if value is _GONE else value
    found = copy.deepcopy(document)
    inner = found
    for key in trail[:-1]:
        inner = inner[key]
    if value is _GONE:
        del inner[trail[-1]]
    else:
        inner[trail[-1]] = value
    return found


def _asked(kind: str, path: str, site: Site, changes: Iterator[Any] | list[Any]) -> None:
    """Ask once for each change, which is a way to a value and another value for it."""
    good = GOOD[kind]
    good.set_up(site)
    reply = site.replies[path]
    headers = reply.headers if isinstance(reply, Said) else ()
    document = json.loads(reply.body) if isinstance(reply, Said) else reply
    for choose in changes:
        place, value = choose(list(_places(document)))
        body = json.dumps(_changed(document, place, value)).encode()
        site.replies[path] = said("200 OK", body, *headers)
        found = ask(kind, at=good.at, **good.settings(site))
        assert found.code in {**CODES, **codes.CODES}, (place, value)


ANY = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(10**30), 10**30),
        st.floats(),
        st.text(max_size=20),
        st.sampled_from(["OK", "\x1b[1m", "2026-99-99", "\ud800"]),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=4,
)


@pytest.mark.parametrize(("kind", "path"), JSON_CASES)
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_any_change_of_an_answer_is_judged(
    kind: str, path: str, site: Site, data: st.DataObject
) -> None:
    """Whatever a server writes, there is an answer with a known reason that shows on a screen."""
    change = (lambda places: (data.draw(st.sampled_from(places)), data.draw(ANY)),)
    _asked(kind, path, site, list(change))


@pytest.mark.parametrize(("kind", "path"), JSON_CASES)
def test_answer_that_lacks_any_of_its_values_is_judged(kind: str, path: str, site: Site) -> None:
    good = GOOD[kind]
    good.set_up(site)
    reply = site.replies[path]
    count = len(list(_places(json.loads(reply.body) if isinstance(reply, Said) else reply)))
    changes = [
        lambda places, at=at, value=value: (places[at], value)
        for at in range(count)
        for value in (_GONE, None)
    ]
    _asked(kind, path, site, changes)
