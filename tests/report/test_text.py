"""Columns of texts on a terminal."""

import pytest

from psops.report.text import Cell, table, width_of


@pytest.mark.parametrize(
    ("text", "columns"),
    [("abc", 3), ("日本", 4), ("e\u0301", 1), ("✔\ufe0f", 1), ("1\u20dd", 1),
     ("\u0e17\u0e35\u0e48", 1), ("\u0939\u093f\u0928\u0941", 3)],
)  # fmt: skip
def test_marks_take_no_column(text: str, columns: int) -> None:
    assert width_of(text) == columns


def test_columns_stay_aligned_behind_marks() -> None:
    rows = [[Cell(text), Cell("x")] for text in ("✔\ufe0f", "ab")]
    assert table(["A", "B"], rows, color=False, width=None) == "A   B\n✔\ufe0f   x\nab  x"
