"""The verdicts as text, compared with the files in tests/golden, and what holds for all."""

import re

import pytest

from psops.exits import Exit
from psops.inventory import Waiver
from psops.report import Look
from psops.report.text import width_of
from psops.report.verify import VERIFY_FORMATS, exit_code, render_verify
from psops.verdict import Verdict, VerifyReport
from tests.report.cases import EVIL
from tests.report.conftest import GOLDEN, Golden
from tests.report.test_hostile import acting
from tests.report.verify_cases import (
    DISABLED,
    FAILED,
    NO_BUNDLE,
    RECORDED,
    UNREADABLE,
    VERIFY_CASES,
    host,
    hostile,
    outcome,
    report,
)

#: The page holds its whole script; what it shows is tested in a browser.
FORMATS = sorted(VERIFY_FORMATS.keys() - {"table", "html"})


@pytest.fixture(autouse=True)
def _fixed_version(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("psops.report.verify_tap.__version__", "0.0.0")


@pytest.mark.parametrize("case", VERIFY_CASES)
def test_table_looks_as_recorded(case: str, golden: Golden) -> None:
    made, look = VERIFY_CASES[case]
    golden.check(case, made.exit, "table", render_verify(made, "table", look))


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("case", RECORDED)
def test_other_formats_look_as_recorded(case: str, form: str, golden: Golden) -> None:
    made, look = VERIFY_CASES[case]
    golden.check(case, exit_code(made, form), form, render_verify(made, form, look))


def test_every_golden_file_belongs_to_a_case() -> None:
    for path in GOLDEN.glob("verify-*"):
        case, _, form = path.name.split(".")
        assert case in (VERIFY_CASES if form == "table" else RECORDED)


@pytest.mark.parametrize("form", VERIFY_FORMATS)
@pytest.mark.parametrize("case", VERIFY_CASES)
def test_every_format_can_show_every_report(case: str, form: str) -> None:
    made, look = VERIFY_CASES[case]
    text = render_verify(made, form, look)
    assert text.endswith("\n")
    assert not text.endswith("\n\n")
    assert "\x1b" not in text or look.color


@pytest.mark.parametrize("form", VERIFY_FORMATS)
def test_only_the_table_depends_on_the_look(form: str) -> None:
    made, _ = VERIFY_CASES["verify-fleet"]
    loud = render_verify(made, form, Look(color=True, width=40, fold=True))
    assert (loud == render_verify(made, form, Look())) == (form != "table")


@pytest.mark.parametrize("form", VERIFY_FORMATS)
def test_no_text_of_a_host_acts_on_a_terminal(form: str) -> None:
    text = render_verify(hostile(EVIL), form, Look())
    assert acting(text) == set()


def test_state_is_shown_without_colour() -> None:
    made, _ = VERIFY_CASES["verify-three"]
    colored = render_verify(made, "table", Look(color=True))
    stripped = re.sub(r"\x1b\[[0-9;]*m", "", colored)
    plain = render_verify(made, "table", Look())
    assert [line.rstrip() for line in stripped.split("\n")] == plain.split("\n")


@pytest.mark.parametrize("width", [40, 60, 80, 100, 140, 200])
@pytest.mark.parametrize("case", ["verify-fleet", "verify-three", "verify-thousand"])
def test_overview_fits_the_terminal(case: str, width: int) -> None:
    made, _ = VERIFY_CASES[case]
    blocks = render_verify(made, "table", Look(width=width, fold=True)).split("\n\n")
    (grid,) = (block for block in blocks if block.startswith(("HOST", "DAEMON", "VERDICT")))
    assert max(map(width_of, grid.split("\n"))) <= width


def test_overview_of_a_thousand_hosts_is_short() -> None:
    made, look = VERIFY_CASES["verify-thousand"]
    assert render_verify(made, "table", look).count("\n") < 60


def waived(verdict: Verdict) -> VerifyReport:
    from dataclasses import replace

    finding = replace(FAILED, verdict=verdict, waiver=Waiver("pscheduler-runner", "known"))
    return report(outcome("ps01", host(finding)))


@pytest.mark.parametrize(
    ("made", "nagios", "others"),
    [
        (report(outcome("a", host())), 0, 0),
        (report(outcome("a", host(DISABLED))), 1, 0),
        (report(outcome("a", host(DISABLED)), fail_on="warning"), 1, 1),
        (report(outcome("a", host(FAILED, UNREADABLE))), 2, 1),
        (report(outcome("a", host(DISABLED, UNREADABLE))), 3, 1),
        (report(outcome("a", NO_BUNDLE)), 3, 1),
        (VERIFY_CASES["verify-unreachable"][0], 3, 1),
        (VERIFY_CASES["verify-none-reachable"][0], 3, 69),
        (VERIFY_CASES["verify-interrupted"][0], 3, 130),
        (report(outcome("a", host(FAILED)), ended=Exit.INTERRUPTED), 2, 130),
        (report(), 3, 0),
        (waived(Verdict.CRITICAL), 0, 0),
        (waived(Verdict.UNKNOWN), 0, 0),
    ],
)
def test_exit_code_is_that_of_a_plugin_for_nagios_and_ours_for_others(
    made: VerifyReport, nagios: int, others: int
) -> None:
    assert exit_code(made, "nagios") == nagios
    for form in VERIFY_FORMATS.keys() - {"nagios"}:
        assert exit_code(made, form) == others
