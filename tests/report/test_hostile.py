"""Text that hosts send reaches neither the terminal nor a parser as anything but text."""

import json
import unicodedata
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from psops.errors import ProtocolError
from psops.fanout import Outcome
from psops.inventory import Host
from psops.report import FORMATS, Look, render
from psops.report.json import render_error
from psops.report.model import HostStatus, LogLine, Process, StatusReport, UnitStatus
from psops.report.text import clean
from psops.status import FAILURE, USUAL
from tests.report.cases import EVIL, named, outcome

#: Properties that the renderers read; the values are whatever the host sends.
READ = sorted({
    *USUAL, *FAILURE, "ActiveEnterTimestamp", "ActiveExitTimestamp", "InactiveEnterTimestamp",
    "InactiveExitTimestamp", "DropInPaths", "TriggeredBy", "Triggers", "Documentation",
    "StatusText", "CPUUsageNSec", "ControlGroup", "FragmentPath", "SourcePath", "UnitFilePreset",
    "LoadError", "ExecMainPID", "ExecMainStartTimestamp", "ExecMainExitTimestamp",
    "NeedDaemonReload",
})  # fmt: skip
LOOKS = (Look(), Look(fold=True), Look(width=40))

evil_text = st.text(st.characters(codec="utf-8"), max_size=20) | st.just(EVIL)
numbers = st.integers(-(2**63), 2**64 - 2) | st.sampled_from([0, 1, 2, 3, 9, 2**64 - 2])
values = st.recursive(
    evil_text | numbers | st.booleans() | st.binary(max_size=16) | st.floats(allow_nan=False,
                                                                           allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=5,
)  # fmt: skip
states = (
    st.sampled_from(["active", "inactive", "failed", "activating", "not-found", "loaded", "masked"])
    | evil_text
)


@st.composite
def units(draw: st.DrawFn) -> UnitStatus:
    return UnitStatus(
        name=draw(evil_text),
        id=draw(evil_text),
        description=draw(evil_text),
        load=draw(states),
        active=draw(states),
        sub=draw(states),
        properties=draw(st.dictionaries(st.sampled_from(READ), values, max_size=8)),
        log=(LogLine(draw(numbers), draw(evil_text), draw(evil_text)),),
        processes=(Process(draw(evil_text), draw(st.integers(0, 2**32)), draw(evil_text)),),
    )


def acting(text: str) -> set[str]:
    """Return the characters that a terminal acts on."""
    return {
        char
        for char in text
        if char != "\n" and (unicodedata.category(char) in ("Cc", "Cf") or char in "\u2028\u2029")
    }


def reports(unit: UnitStatus) -> Iterable[StatusReport]:
    yield StatusReport(outcomes=(outcome("ps01", unit),), named=True, details=True)
    yield named(outcome("ps01", unit), outcome("ps02", unit))
    yield named(outcome("ps01", unit), outcome("ps02", unit), properties=tuple(unit.properties))


@given(units())
@settings(max_examples=40, deadline=None)
def test_no_answer_of_a_host_breaks_a_report_or_acts_on_the_terminal(unit: UnitStatus) -> None:
    for report in reports(unit):
        for look in LOOKS:
            assert acting(render(report, "table", look)) == set()
        for form in ("json", "jsonl"):
            text = render(report, form, Look())
            assert text.isascii()
            assert acting(text) == set()
            for line in text.splitlines() if form == "jsonl" else [text]:
                json.loads(line)


@pytest.mark.parametrize("look", LOOKS)
def test_states_versions_and_counts_of_a_host_are_cleaned(look: Look) -> None:
    status = HostStatus(units=(), state=EVIL, version=EVIL, counts={EVIL: 1, "active": 2})
    report = StatusReport(outcomes=(Outcome(Host(name="ps01"), 0.1, status),))
    assert acting(render(report, "table", look)) == set()


@pytest.mark.parametrize("look", LOOKS)
def test_errors_of_a_host_are_cleaned(look: Look) -> None:
    error = ProtocolError(f"expected D-Bus, got {EVIL}", remedy=EVIL)
    report = named(outcome("ps01", error=error), outcome("ps02", unmatched=(EVIL,)))
    assert acting(render(report, "table", look)) == set()


def test_lines_of_a_message_stay_one_line_of_the_report() -> None:
    lines = {"one": "a b", "two": "a\n× ps99: forged\n\nb"}
    shown = {}
    for key, message in lines.items():
        unit = UnitStatus(
            name="a.service", id="a.service", description=message, load="loaded", active="failed",
            sub="failed", properties={"StatusText": message, "Result": message},
            log=(LogLine(1, message, message),),
            processes=(Process("/", 1, message),),
        )  # fmt: skip
        report = StatusReport(outcomes=(outcome("ps01", unit),), named=True, details=True)
        shown[key] = render(report, "table", Look()).count("\n")
    assert shown["one"] == shown["two"]


def test_json_keeps_hostile_text_exactly() -> None:
    unit = UnitStatus(name="a.service", id="a.service", description=EVIL, load="loaded",
                      active="active", sub="running", properties={})  # fmt: skip
    made: Any = json.loads(render(named(outcome("ps01", unit)), "json", Look()))
    assert made["hosts"][0]["units"][0]["description"] == EVIL


def test_json_error_is_ascii() -> None:
    text = render_error(ProtocolError(EVIL))
    assert text.isascii()
    assert json.loads(text)["errors"][0]["message"] == EVIL


@pytest.mark.parametrize("form", FORMATS)
def test_number_that_is_none_does_not_become_invalid_json(form: str) -> None:
    unit = UnitStatus(name="a.service", id="a.service", description="", load="loaded",
                      active="active", sub="running", properties={"X": float("nan")})  # fmt: skip
    text = render(named(outcome("ps01", unit), properties=("X",)), form, Look())
    assert "NaN" not in text or form == "table"


@given(st.text())
@settings(max_examples=100, deadline=None)
def test_clean_text_is_clean_and_stays_so(text: str) -> None:
    once = clean(text)
    assert acting(once) == set()
    assert "\n" not in once
    assert clean(once) == once
