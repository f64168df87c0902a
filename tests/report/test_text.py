"""Columns of texts on a terminal."""

import re
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

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


# Narrow terminals


HEAD = ("HOST", "UNIT", "SINCE", "STATE", "NOTE")
ROWS = (
    ("ps01", "a-rather-long-unit.service", "3d 2h", "active", "restarted with what it needs"),
    ("ps02", "b.service", "7min", "failed", ""),
)


def shown(width: int, spare: Sequence[str] = ("SINCE",), prose: Sequence[str] = ("NOTE",)) -> str:
    rows = [[Cell(text) for text in row] for row in ROWS]
    return table(HEAD, rows, color=False, width=width, spare=spare, prose=prose)


def test_table_that_fits_is_as_wide_as_it_likes() -> None:
    assert (
        shown(81)
        == shown(1000)
        == """\
HOST  UNIT                        SINCE  STATE   NOTE
ps01  a-rather-long-unit.service  3d 2h  active  restarted with what it needs
ps02  b.service                   7min   failed"""
    )


def test_spare_columns_go_first() -> None:
    assert (
        shown(74)
        == """\
HOST  UNIT                        STATE   NOTE
ps01  a-rather-long-unit.service  active  restarted with what it needs
ps02  b.service                   failed"""
    )


def test_prose_goes_on_below_itself() -> None:
    assert (
        shown(68)
        == """\
HOST  UNIT                        STATE   NOTE
ps01  a-rather-long-unit.service  active  restarted with what it
                                          needs
ps02  b.service                   failed"""
    )


def test_columns_go_below_the_row_and_spare_ones_come_back_there() -> None:
    assert (
        shown(60)
        == """\
HOST  UNIT                        SINCE  STATE
    NOTE
ps01  a-rather-long-unit.service  3d 2h  active
    restarted with what it needs
ps02  b.service                   7min   failed"""
    )
    assert (
        shown(30)
        == """\
HOST
    UNIT
    SINCE  STATE
    NOTE
ps01
    a-rather-long-unit.service
    3d 2h  active
    restarted with what it
    needs
ps02
    b.service
    7min   failed"""
    )


def test_spare_prose_is_cut_before_it_goes() -> None:
    text = shown(65, spare=("SINCE", "NOTE"))
    assert text.splitlines()[1].endswith("  active  restarted with …")
    assert "NOTE" not in shown(53, spare=("SINCE", "NOTE"))


def test_pattern_of_hosts_is_parted_between_names() -> None:
    hosts = "archive01.demo,ps[01,03-04].demo,toolkit[01-02].demo"
    lines = table(["HOSTS"], [[Cell(hosts)]], color=False, width=34, prose=["HOSTS"]).splitlines()
    assert lines[1:] == ["archive01.demo,ps[01,03-04].demo,", "toolkit[01-02].demo"]
    hosts = f"ps[{','.join(f'{at:03}' for at in range(1, 40, 2))}].demo"
    lines = table(["HOSTS"], [[Cell(hosts)]], color=False, width=34, prose=["HOSTS"]).splitlines()
    assert "".join(lines[1:]) == hosts
    assert max(map(len, lines)) <= 34
    assert all(line.endswith(",") for line in lines[1:-1])


def test_right_column_stays_right_below_the_row() -> None:
    rows = [[Cell("a" * 20), Cell(number, right=True), Cell("x")] for number in ("7", "1000")]
    lines = table(["NAME", "NUMBER", "Z"], rows, color=False, width=22).splitlines()
    assert lines[3::2] == ["         7  x", "      1000  x"]


def test_colour_is_that_of_the_whole_text_wherever_it_goes_on() -> None:
    text = table(["A"], [[Cell("one two", "bad")]], color=True, width=3, prose=["A"])
    assert text.splitlines()[1:] == ["\x1b[1;31mone\x1b[0m", "\x1b[1;31mtwo\x1b[0m"]


_WORDS = st.text("ab日-", min_size=1, max_size=12)
_CELLS = st.tuples(*[st.lists(_WORDS, max_size=4).map(" ".join)] * 4)


@given(
    rows=st.lists(_CELLS, min_size=1, max_size=5), width=st.integers(1, 60),
    spare=st.permutations("ABCD"), keep=st.integers(0, 4), prose=st.sets(st.sampled_from("ABCD")),
)  # fmt: skip
def test_any_table_keeps_to_the_width_and_what_is_not_spare_is_whole(
    rows: list[tuple[str, ...]], width: int, spare: list[str], keep: int, prose: set[str]
) -> None:
    cells = [[Cell(text) for text in row] for row in rows]
    text = table("ABCD", cells, color=False, width=width, spare=spare[keep:], prose=prose)
    for line in text.splitlines():
        assert width_of(line) <= width or " " not in line.strip()
    found = re.findall(r"\S+", text)
    for row in rows:
        for name, told in zip("ABCD", row, strict=True):
            assert name in spare[keep:] or set(told.split()) <= set(found)
