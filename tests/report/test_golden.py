"""Whole reports as text, compared with the files in tests/golden."""

import pytest

from psops.report import Look, render
from psops.report.text import width_of
from tests.report.cases import CASES, JSON_CASES
from tests.report.conftest import GOLDEN, Golden


@pytest.mark.parametrize("case", CASES)
def test_table_looks_as_recorded(case: str, golden: Golden) -> None:
    report, look = CASES[case]
    golden.check(case, report.exit, "table", render(report, "table", look))


@pytest.mark.parametrize("form", ["json", "jsonl"])
@pytest.mark.parametrize("case", JSON_CASES)
def test_json_looks_as_recorded(case: str, form: str, golden: Golden) -> None:
    report, look = CASES[case]
    golden.check(case, report.exit, form, render(report, form, look))


def test_every_golden_table_belongs_to_a_case() -> None:
    names = {path.name.partition(".")[0] for path in GOLDEN.glob("*.table")}
    kept = {name for name in names if not name.startswith("verify-")}
    assert kept - CASES.keys() == set()


@pytest.mark.parametrize("case", CASES)
def test_json_does_not_depend_on_the_look(case: str) -> None:
    report, _ = CASES[case]
    loud = Look(color=True, width=40, fold=True)
    assert render(report, "json", loud) == render(report, "json", Look())


@pytest.mark.parametrize("case", [case for case in CASES if not case.endswith("-color")])
def test_state_is_shown_without_colour(case: str) -> None:
    """Colour adds escape sequences and nothing else, so that it carries no meaning alone."""
    import re

    report, look = CASES[case]
    colored = render(report, "table", Look(color=True, width=look.width, fold=look.fold))
    plain = render(report, "table", look)
    stripped = re.sub(r"\x1b\[[0-9;]*m", "", colored)
    assert [line.rstrip() for line in stripped.split("\n")] == plain.split("\n")


@pytest.mark.parametrize("case", ["units-132", "units-80", "units-40", "unicode-60"])
def test_table_fits_the_terminal(case: str) -> None:
    report, look = CASES[case]
    assert look.width is not None
    lines = render(report, "table", look).split("\n\n")[0].split("\n")
    assert max(map(width_of, lines)) <= look.width


@pytest.mark.parametrize("case", CASES)
def test_no_line_ends_with_blanks_and_the_text_with_one_newline(case: str) -> None:
    report, look = CASES[case]
    text = render(report, "table", look)
    assert text.endswith("\n")
    assert not text.endswith("\n\n")
    assert [line for line in text.split("\n") if line != line.rstrip()] == []
