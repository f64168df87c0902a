"""Which failures are explained by which."""

from collections.abc import Mapping
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from psops.catalogue.entry import Component, Probe
from psops.exits import Exit
from psops.pipeline.ask import Result
from psops.pipeline.explain import explain, roots
from psops.pipeline.graph import Pipeline
from psops.pipeline.report import Verification, verify_report
from psops.probes.codes import CAUSES, CODES, Cause, cause_of
from psops.report import Look
from psops.report.pipeline import render_verification, verification_object
from psops.report.verify import exit_code, render_verify
from psops.verdict import Verdict
from tests.pipeline.describe import load, text_of

#: The flow of SAND in short.
FLOW = "collector>bus bus>ingest ingest>store store>view bus>bridge bridge>other"


@pytest.fixture
def pipeline(tmp_path: Path) -> Pipeline:
    return load(text_of(FLOW), tmp_path)


def result(component: str, code: str, verdict: Verdict = Verdict.CRITICAL) -> Result:
    probe = Probe(name=code, kind="page")
    return Result(component=component, probe=probe, name=code, verdict=verdict, code=code,
                  text=f"{code}!")  # fmt: skip


@pytest.mark.parametrize(
    ("found", "because"),
    [
        # A silent collector: everything behind it is silent or stale.
        ({"collector": "not-running", "bus": "silent", "store": "stale", "other": "below-floor"},
         {"bus": "collector", "store": "bus", "other": "bus"}),
        # Nothing says why the bus is silent, but the rest follows from it.
        ({"bus": "silent", "store": "stale"}, {"store": "bus"}),
        # The store refuses: who fills it confirms nothing, and its queue piles up.
        ({"store": "unhealthy", "ingest": "wedged", "bus": "backlog"},
         {"ingest": "store", "bus": "store"}),
        # Who takes messages is gone: the queue piles up, the store gets old.
        ({"ingest": "not-running", "bus": "backlog", "store": "stale"},
         {"bus": "ingest", "store": "ingest"}),
        # It confirms nothing, for no reason that is known: what waits before it follows.
        ({"collector": "backlog", "bus": "wedged", "ingest": "wedged"},
         {"collector": "bus", "bus": "ingest"}),
        # Wedged for no reason that is known: the store's age follows, not the other way round.
        ({"ingest": "wedged", "store": "stale"}, {"store": "ingest"}),
        # A failure of one's own is explained by nothing.
        ({"collector": "not-running", "store": "unhealthy"}, {}),
        ({"bridge": "ratio", "bus": "silent"}, {}),
        ({"collector": "not-running", "view": "outdated"}, {}),
        # What is downstream does not explain silence, nor what is beside the flow.
        ({"view": "not-running", "bus": "silent"}, {}),
        ({"other": "unhealthy", "store": "stale"}, {}),
    ],
)  # fmt: skip
def test_failure_is_explained_by_the_nearest_that_can(
    pipeline: Pipeline, found: Mapping[str, str], because: Mapping[str, str]
) -> None:
    results = [result(component, code) for component, code in found.items()]
    told = {results[place].component: name for place, name in explain(pipeline, results).items()}
    assert told == because


def test_unknown_and_warning_explain_nothing(pipeline: Pipeline) -> None:
    for verdict in (Verdict.UNKNOWN, Verdict.WARNING, Verdict.OK):
        results = [result("bus", "not-running", verdict), result("store", "stale")]
        assert explain(pipeline, results) == {}


def test_component_with_a_failure_of_its_own_is_not_explained_away(pipeline: Pipeline) -> None:
    results = [
        result("collector", "silent"),
        result("store", "unhealthy"),
        result("store", "stale"),
    ]
    assert explain(pipeline, results) == {}


def test_explanations_never_go_in_a_circle(tmp_path: Path) -> None:
    found = load(text_of("a>b b>a b>c c>b"), tmp_path)
    results = [result(name, code) for name in "abc" for code in ("silent", "backlog", "stale")]
    because = explain(found, results)
    roots = [place for place in range(len(results)) if place not in because]
    assert roots


@settings(max_examples=300, deadline=None)
@given(
    st.sets(st.tuples(st.sampled_from("abcdef"), st.sampled_from("abcdef")), max_size=10),
    st.lists(
        st.tuples(
            st.sampled_from("abcdef"),
            st.sampled_from(("silent", "stale", "backlog", "wedged", "not-running")),
        ),
        min_size=1,
        max_size=12,
    ),
)
def test_every_explanation_leads_to_a_cause(
    edges: set[tuple[str, str]], bad: list[tuple[str, str]]
) -> None:
    kept = sorted(edge for edge in edges if edge[0] != edge[1])
    found = Pipeline(
        system="x",
        components={
            name: Component(
                name=name,
                inputs=tuple(a for a, b in kept if b == name),
                outputs=tuple(b for a, b in kept if a == name),
            )
            for name in "abcdef"
        },
        externals={},
    )
    results = [result(*one) for one in bad]
    because = explain(found, results)
    causes = {one.component for one in roots(results, because)}
    assert causes
    for name in because.values():
        for _ in range(len(results)):
            if name in causes:
                break
            name = next(because[at] for at, one in enumerate(results) if one.component == name)
        assert name in causes


def test_report_leads_with_causes_and_who_runs_them(pipeline: Pipeline) -> None:
    results = (result("collector", "not-running"), result("bus", "silent"),
               result("store", "stale"), result("bridge", "ok", Verdict.OK))  # fmt: skip
    found = Verification(pipeline=pipeline, names=tuple(pipeline.components), results=results,
                         because=explain(pipeline, results))  # fmt: skip
    text = render_verification(found, Look(color=False, width=None))
    lines = text.splitlines()
    assert lines[0] == "✗ collector  run by org collector"
    assert lines[1] == "    explains bus, store"
    assert "not checked: ingest, view, other" in text
    assert "1 cause; 7 components: 3 critical, 1 ok, 3 not checked" in lines[-1]
    report = verify_report(found)
    assert [one.host.name for one in report.outcomes] == ["collector", "bus", "store", "bridge"]
    findings = {one.host.name: one.value.findings[0] for one in report.outcomes if one.value}
    assert findings["bus"].because == "collector"
    assert findings["bus"].advice == ()
    assert findings["collector"].advice[-1].text == "org collector runs it"


@pytest.mark.parametrize(("fail_on", "skipped"), [("critical", 2), ("warning", 3)])
def test_failures_of_junit_are_the_causes(pipeline: Pipeline, fail_on: str, skipped: int) -> None:
    """A page for each owner of a cause, not for each that suffers from it."""
    results = (result("collector", "not-running"), result("bus", "silent"),
               result("store", "stale"), result("ingest", "silent", Verdict.WARNING),
               result("bridge", "ok", Verdict.OK),
               result("other", "no-data", Verdict.UNKNOWN))  # fmt: skip
    found = Verification(pipeline=pipeline, names=tuple(pipeline.components), results=results,
                         because=explain(pipeline, results))  # fmt: skip
    report = verify_report(found, fail_on=fail_on)
    root = ElementTree.fromstring(render_verify(report, "junit", Look()))
    told = [root.get(key) for key in ("tests", "failures", "errors", "skipped")]
    assert told == ["6", "1", "1", str(skipped)]
    assert [one.get("type") for one in root.iter("failure")] == ["not-running"]
    messages = {one.get("message") for one in root.iter("skipped")}
    assert "explained by collector: silent: silent!" in messages
    assert "explained by bus: stale: stale!" in messages
    assert exit_code(report, "junit") == Exit.SOME_FAILED


def test_view_of_a_store_that_failed_is_right_but_in_doubt(pipeline: Pipeline) -> None:
    """Grafana's health is fine while its dashboards stand still."""
    results = (result("ingest", "wedged"), result("store", "stale"),
               result("view", "ok", Verdict.OK), result("bridge", "ok", Verdict.OK))  # fmt: skip
    found = Verification(pipeline=pipeline, names=tuple(pipeline.components), results=results,
                         because=explain(pipeline, results))  # fmt: skip
    assert found.behind == ("view",)
    text = render_verification(found, Look(color=False, width=None))
    assert "right, but behind what failed, so perhaps without new data: view\n" in text
    assert verification_object(found)["behind"] == ["view"]


def test_checks_that_fail_for_one_reason_are_told_in_one_line(pipeline: Pipeline) -> None:
    def lost(name: str, text: str) -> Result:
        probe = Probe(name=name, kind="page")
        return Result(component="store", probe=probe, name=name, verdict=Verdict.UNKNOWN,
                      code="refused", text=text)  # fmt: skip

    results = (lost("one", "http://s/a: connection refused"), lost("other", "no such host"),
               lost("two", "http://s/b: connection refused"))  # fmt: skip
    found = Verification(pipeline=pipeline, names=("store",), results=results, because={})
    lines = render_verification(found, Look(color=False, width=None)).splitlines()
    assert "? store one, two: connection refused (refused)" in lines
    assert "? store other: no such host (refused)" in lines


def test_codes_are_told_once_and_causes_are_of_known_codes() -> None:
    assert CAUSES.keys() <= CODES.keys()
    assert cause_of("nothing-known") is Cause.OWN
