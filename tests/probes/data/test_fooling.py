"""No answer that is not what was asked for gives green, whatever the kind of probe."""

from typing import Any

import pytest

from psops.checks.codes import CODES
from psops.probes import codes, world
from tests.probes.data.good import GOOD
from tests.probes.data.site import FOOLING, GREEN, OK, Site, ask, verdict

CASES = [(kind, path) for kind, good in GOOD.items() for path in good.paths]


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
        timeout = 0.5 if name == "slow" else 5
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
