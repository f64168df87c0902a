"""What every command says of itself, and what it says to a wrong command line."""

import re
from typing import Any

import pytest

from psops.__main__ import run
from psops.cli.generate import Verb
from psops.cli.generate import verbs as walk
from psops.exits import MEANINGS, Exit
from psops.report import FORMATS

VERBS = tuple(walk())
NAMES = [verb.name for verb in VERBS]
#: Groups that need a command; the history alone is its list.
GROUPS = [verb.name for verb in VERBS if verb.is_group and verb.name != "psops history"]


@pytest.fixture(autouse=True)
def _place(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    for name in ("HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    for name in ("PSOPS_INVENTORY", "NO_COLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("signal.signal", lambda number, handler: None)


def say(capsys: pytest.CaptureFixture[str], line: str) -> tuple[int, str, str]:
    code = run(line.split()[1:])
    out, err = capsys.readouterr()
    return code, out, err


def test_walk_finds_the_commands() -> None:
    assert {"psops", "psops status", "psops inventory", "psops inventory list"} <= set(NAMES)


@pytest.mark.parametrize("flag", ["--help", "-h"])
@pytest.mark.parametrize("name", NAMES)
def test_help_goes_to_stdout_with_exit_0(
    name: str, flag: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = say(capsys, f"{name} {flag}")
    assert (code, err) == (0, "")
    assert out.startswith(f"Usage: {name} ")


@pytest.mark.parametrize("name", NAMES)
def test_help_fits_80_columns_whatever_the_terminal(
    name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for columns in ("80", "200"):
        monkeypatch.setenv("COLUMNS", columns)
        _, out, _ = say(capsys, f"{name} --help")
        assert [line for line in out.splitlines() if len(line) > 80] == []


@pytest.mark.parametrize("name", NAMES)
def test_lists_of_commands_have_whole_sentences(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    _, out, _ = say(capsys, f"{name} --help")
    listed = out.partition("\nCommands:\n")[2].partition("\n\n")[0]
    assert [line for line in listed.splitlines() if line.endswith("...")] == []


@pytest.mark.parametrize("verb", VERBS, ids=NAMES)
def test_help_has_a_sentence_for_the_command_and_each_of_its_parameters(verb: Verb) -> None:
    assert re.match(r"[A-Z][^\n]{10,}", verb.help)
    assert verb.help.split("\n\n")[0].endswith(".")
    assert [names for names, text in verb.parameters if not text.strip()] == []


@pytest.mark.parametrize("verb", VERBS, ids=NAMES)
def test_help_of_an_option_has_no_default_or_range_in_typers_notation(verb: Verb) -> None:
    """`[default: 0; x>=0]` tells a programmer what was declared, not a user what happens."""
    assert [text for _, text in verb.parameters if re.search(r"x>=|; x", text)] == []


@pytest.mark.parametrize("verb", VERBS, ids=NAMES)
def test_metavars_do_not_come_from_typer(verb: Verb) -> None:
    """Every release of Typer prints types in another way; ours are written down."""
    typers = re.compile(r"<|\b(TEXT|INTEGER|FLOAT|BOOLEAN|PATH)\b")
    assert [names for names, _ in verb.parameters if typers.search(names)] == []


@pytest.mark.parametrize("name", NAMES)
def test_help_ends_with_exit_status_made_from_the_enum(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    _, out, _ = say(capsys, f"{name} --help")
    section = out.partition("EXIT STATUS\n")[2].splitlines()
    told = {int(line.split()[0]): line.split(maxsplit=1)[1] for line in section if line.strip()}
    assert told, "no EXIT STATUS"
    assert told == {int(code): MEANINGS[Exit(code)] for code in told}
    assert {Exit.OK, Exit.USAGE, Exit.SOFTWARE} <= told.keys()
    assert list(told) == sorted(told)


def test_help_of_the_program_has_all_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = say(capsys, "psops --help")
    assert all(re.search(rf"^ +{int(code)}  ", out, re.MULTILINE) for code in Exit)


@pytest.mark.parametrize("name", GROUPS)
def test_group_without_command_shows_its_help_as_a_usage_error(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = say(capsys, name)
    assert code == Exit.USAGE
    # Typer gives the help as the error; scripts that read stdout get nothing.
    assert out == ""
    assert f"Usage: {name} " in err
    assert "EXIT STATUS" in err


@pytest.mark.parametrize("name", NAMES)
def test_unknown_option_is_a_usage_error_on_stderr(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = say(capsys, f"{name} --no-such-option")
    assert (code, out) == (Exit.USAGE, "")
    assert "--no-such-option" in err


@pytest.mark.parametrize("name", GROUPS)
def test_unknown_command_is_a_usage_error_on_stderr(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = say(capsys, f"{name} nonsense")
    assert (code, out) == (Exit.USAGE, "")
    assert "nonsense" in err


@pytest.mark.parametrize(
    ("line", "near"),
    [
        ("psops stauts", "status"),
        ("psops inventory lst", "list"),
        ("psops status --formt json", "--format"),
        ("psops status --format jsno", "json"),
        ("psops status --type sevice", "service"),
        ("psops status -i demo -g tespoint", "testpoint"),
    ],
)
def test_usage_error_offers_what_was_nearly_written(
    line: str, near: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = say(capsys, line)
    assert (code, out) == (Exit.USAGE, "")
    assert near in err


@pytest.mark.parametrize("form", [*FORMATS, "nonsense"])
@pytest.mark.parametrize("name", ["psops status -i demo", "psops inventory list -i demo"])
def test_formats_are_those_of_the_registry(
    name: str, form: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = say(capsys, f"{name} --format {form}")
    if form == "nonsense":
        assert (code, out) == (Exit.USAGE, "")
        assert "'nonsense'" in err
    else:
        assert code in (Exit.OK, Exit.SOME_FAILED)
        assert out
        assert err == ""


def test_help_of_format_names_every_format() -> None:
    options = {names: text for verb in VERBS for names, text in verb.parameters}
    text = next(text for names, text in options.items() if names.startswith("--format "))
    assert [form for form in FORMATS if form not in text] == []


@pytest.mark.parametrize(
    "line",
    ["psops --color purple status", "psops status --fanout 0", "psops status --timeout 0",
     "psops status --timeout nan",
     "psops status --connect-timeout inf", "psops status --timeout 1e300",
     "psops status --lines -1", "psops status --fanout many", "psops status --format",
     "psops inventory show", "psops status -x a", "psops status -M a -a", "psops status .."],
)  # fmt: skip
def test_value_that_does_not_fit_is_a_usage_error_on_stderr(
    line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = say(capsys, line)
    assert (code, out) == (Exit.USAGE, "")
    assert err.strip()
