"""Reports on terminals that have ASCII alone, or no colour, or few columns."""

import ast
import re
from pathlib import Path

import pytest

import psops
from psops.glyphs import GLYPHS, to_ascii
from psops.report.text import STATE_STYLES, width_of
from psops.report.verify_parts import MARKS
from tests.command import psops as run
from tests.readme import calm

SOURCE = Path(psops.__file__).parent
GOLDEN = Path(__file__).with_name("golden")
TABLES = sorted(path.name for path in GOLDEN.glob("*.table"))
#: Made of names and descriptions in several scripts, which have no counterpart in ASCII.
FOREIGN = {name for name in TABLES if "unicode" in name}


def texts(path: Path) -> set[str]:
    """Return the characters beyond ASCII in what a module may print: its strings but docstrings."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    docs = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef))
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    strings = (node.value for node in ast.walk(tree)
               if isinstance(node, ast.Constant) and id(node) not in docs)  # fmt: skip
    return {char for text in strings if isinstance(text, str) for char in text if ord(char) > 127}


def test_every_sign_that_psops_prints_is_in_the_table() -> None:
    used = {char: path.name for path in SOURCE.rglob("*.py") for char in texts(path)
            if not char.isspace() and char.isprintable()}  # fmt: skip
    assert {
        char: where for char, where in used.items() if char not in GLYPHS and where != "glyphs.py"
    } == {}
    assert GLYPHS.keys() - used.keys() == set()


def test_each_sign_stands_for_one_column() -> None:
    assert all(width_of(sign) == len(ascii) == 1 for sign, ascii in GLYPHS.items())


@pytest.mark.parametrize(
    "glyphs",
    [{glyph for _, glyph in STATE_STYLES.values()}, {glyph for _, glyph in MARKS.values()}],
)
def test_signs_of_states_stay_apart(glyphs: set[str]) -> None:
    assert len(set(map(to_ascii, glyphs))) == len(glyphs)


@pytest.mark.parametrize("name", TABLES)
def test_every_golden_report_is_ascii_with_its_columns_where_they_were(name: str) -> None:
    text = (GOLDEN / name).read_text(encoding="utf-8")
    plain = to_ascii(text)
    assert plain.isascii()
    if name not in FOREIGN:
        assert list(map(len, plain.splitlines())) == list(map(width_of, text.splitlines()))


LINES = [
    "status -i demo", "status -i demo -H ps02.demo postgresql@15-main", "bundle verify -i demo",
    "restart -i demo -a --yes httpd", "pipeline graph", "bundle show testpoint", "doctor",
    "inventory graph -i demo", "logs -i demo -g testpoint -n 1", "config show",
]  # fmt: skip


@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize(
    "variables", [{"PSOPS_ASCII": "1"}, {"PYTHONIOENCODING": "iso-8859-1"}], ids=["asked", "latin"]
)
def test_a_run_is_ascii_where_it_must_be(
    line: str, variables: dict[str, str], tmp_path: Path
) -> None:
    plain = run(*line.split(), home=tmp_path, **variables)
    assert plain.stdout
    assert plain.stdout.isascii()
    assert plain.stderr.isascii()
    assert "\\u" not in plain.stdout


def test_what_is_told_on_stderr_is_ascii_as_well(tmp_path: Path) -> None:
    told = run("logs", "-i", "demo", "-n", "1", home=tmp_path, PSOPS_ASCII="1").stderr
    assert told.startswith("x node02.demo: connect-timed-out")
    said = run("bundle", "show", "tëst", home=tmp_path, PSOPS_ASCII="1").stderr
    assert "'t\\xebst'" in said


def test_json_is_the_same_with_and_without(tmp_path: Path) -> None:
    words = ("bundle", "show", "testpoint", "--json")
    assert run(*words, home=tmp_path, PSOPS_ASCII="1") == run(*words, home=tmp_path)


def test_colour_goes_with_no_color_and_comes_with_the_option(tmp_path: Path) -> None:
    words = ("status", "-i", "demo")
    assert "\x1b" not in run(*words, home=tmp_path).stdout
    assert "\x1b" in run(*words, "--color", "always", home=tmp_path, NO_COLOR="1").stdout


def test_colour_carries_no_meaning_alone(tmp_path: Path) -> None:
    for line in ("bundle verify -i demo", "pipeline graph", "doctor", "history"):
        plain = run(*line.split(), home=tmp_path).stdout
        colored = run("--color", "always", *line.split(), home=tmp_path).stdout
        bare = re.sub(r"\x1b\[[0-9;]*m", "", colored)
        assert calm(bare).split() == calm(plain).split()
