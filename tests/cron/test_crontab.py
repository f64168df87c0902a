"""Crontab text of all forms as entries, and every bad line as a record."""

import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from psops.cron.crontab import Crontab, parse_crontab, split_percent
from psops.cron.fields import Dialect
from psops.cron.form import Form
from psops.cron.translate import translate

DATA = Path(__file__).parent / "data"


def load(name: str, **options: object) -> Crontab:
    """Parse a file of the test data."""
    return parse_crontab((DATA / name).read_bytes(), source=name, **options)  # type: ignore[arg-type]


def lines(text: str | bytes, source: str = "tab", **options: object) -> Crontab:
    """Parse text."""
    return parse_crontab(text, source=source, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "form", "jobs", "disabled"),
    [("panda_system.cron", Form.SYSTEM, 15, 1), ("user.cron", Form.USER, 12, 0),
     ("acron.cron", Form.ACRON, 5, 0), ("server1.cron", Form.SYSTEM, 4, 0),
     ("worked_example.cron", Form.SYSTEM, 3, 0)],
)  # fmt: skip
def test_form_is_decided_over_the_whole_file(
    name: str, form: Form, jobs: int, disabled: int
) -> None:
    crontab = load(name)
    assert crontab.form is form
    assert crontab.refused == ()
    assert len(crontab.entries) == jobs
    assert len(crontab.disabled) == disabled
    assert not [doubt for doubt in crontab.doubts if "form" in doubt.reason]
    assert load(name, form=form).entries == crontab.entries


def test_columns() -> None:
    system, user, acron = load("panda_system.cron"), load("user.cron"), load("acron.cron")
    assert {entry.user for entry in system.entries} == {"atlpan", "root"}
    assert {entry.user for entry in user.entries} == {""}
    assert [entry.host for entry in acron.entries][:2] == [
        "node01.example.org",
        "node02.example.org",
    ]
    assert acron.entries[4].command == "/opt/panda/bin/weekly.py --summary"


@pytest.mark.parametrize(
    ("text", "source", "form", "doubtful"),
    [
        # A user's command that looks like an account; an account that is one; the place decides.
        ("0 5 * * * backup2 /srv\n", "tab", Form.SYSTEM, True),
        ("0 5 * * * root /srv\n", "tab", Form.SYSTEM, False),
        ("0 5 * * * backup2 /srv\n", "/var/spool/cron/panda", Form.USER, False),
        ("0 5 * * * backup2 /srv\n", "/etc/cron.d/x", Form.SYSTEM, False),
        ("0 5 * * * python3 /srv/x.py\n", "tab", Form.USER, False),
        ("0 5 * * * rotate.sh /srv\n", "tab", Form.USER, False),
        ("0 5 * * * sync_all\n", "tab", Form.USER, False),
        ("0 5 * * * root /x\n0 6 * * * /opt/y\n", "tab", Form.SYSTEM, True),
        ("0 5 * * * a.example.org run\n", "tab", Form.ACRON, False),
        # An account that is a command as well; what follows is an option, or no known program.
        ("0 5 * * * rucio upload -x\n", "tab", Form.SYSTEM, True),
        ("0 5 * * * mysql /srv/x\n", "tab", Form.SYSTEM, True),
        ("0 5 * * * rucio upload -x\n0 6 * * * root /x\n", "tab", Form.SYSTEM, False),
        ("0 5 * * * root newaliases\n", "tab", Form.SYSTEM, True),
        ("0 5 * * * atlpan python3 x\n", "tab", Form.SYSTEM, False),
        ("0 5 * * * root [ -x /x ] && /x\n", "tab", Form.SYSTEM, False),
        ("0 5 * * * root newaliases\n0 6 * * * /opt/y\n", "tab", Form.SYSTEM, True),
        ("0 5 * * * rucio /x\n0 6 * * * /opt/y\n", "tab", Form.USER, True),
        ("0 5 * * * rucio upload\n0 6 * * * /opt/y\n", "tab", Form.USER, False),
        ('0 5 * * * mysql -e "select 1"\n', "tab", Form.USER, False),
        ("0 5 * * * mail -s foo bar\n", "tab", Form.USER, False),
        ("0 5 * * * root -n /x\n", "tab", Form.SYSTEM, True),
        # A name with one dot is rather a program or an account.
        ("*/10 * * * * backup.tcl run\n", "tab", Form.ACRON, True),
        ("0 5 * * * first.last /opt/x\n", "tab", Form.ACRON, True),
        ("", "tab", Form.USER, False),
    ],
)
def test_guessed_form_is_said(text: str, source: str, form: Form, doubtful: bool) -> None:
    crontab = lines(text, source)
    assert crontab.form is form
    assert any("read in the form" in doubt.reason for doubt in crontab.doubts) is doubtful


def test_missing_user_column_is_one_refused_line() -> None:
    crontab = lines("0 5 * * * root /x\n0 6 * * * /opt/y\n")
    (refused,) = crontab.refused
    assert str(refused) == (
        "tab:2: '/opt/y' stands where a user and a command should; add the user, or say --form user"
    )


def test_environment_applies_to_the_lines_below() -> None:
    crontab = lines(
        "A=1\n0 5 * * * /x\n \"B c\" = ' two '\nA = x # not a comment  \n0 6 * * * /y\n"
    )
    assert [entry.environment for entry in crontab.entries] == [
        (("A", "1"),), (("A", "x # not a comment"), ("B c", " two ")),
    ]  # fmt: skip
    assert crontab.entries[1].variable("B c") == " two "
    assert crontab.entries[0].variable("B c") == ""


def test_percent_and_prefixes() -> None:
    crontab = lines("-*/5 * * * * /x +\\%s%in%put\n0 5 * * * -n /y\n", form=Form.USER)
    one, other = crontab.entries
    assert (one.quiet, one.command, one.stdin) == (True, "/x +%s", "in\nput")
    assert other.command == "/y"
    debian = lines("-*/5 * * * * /x\n0 5 * * * -n /y\n", form=Form.USER, dialect=Dialect.DEBIAN)
    assert debian.refused[0].reason == "Debian's cron knows no '-' before the time"
    assert debian.entries[0].command == "-n /y"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (r"a\%b", ("a%b", None)), (r"a\\%b", (r"a\\", "b")), (r"a\\\%b", (r"a\\%b", None)),
        (r"a\x\%b%c\%d%e", (r"a\x%b", "c%d\ne")), ("a\\", ("a\\", None)),
    ],
)  # fmt: skip
def test_backslash_in_front_of_a_percent_sign(text: str, found: tuple[str, str | None]) -> None:
    assert split_percent(text) == found


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        (b"0 5 * * *\n", 1, "there is no command"),
        (b"0 5 * * root\n", 1, "day of week 'root'"),
        (b"0 5 * *\n", 1, "neither a job nor an assignment"),
        (b"hello\n", 1, "neither a job nor an assignment"),
        (b"\n# x\n61 * * * * /x\n", 3, "minute '61': 61 is outside 0-59"),
        (b"* * * * * * /x\n", 1, "six time fields"),
        (b"@every 5m /x\n", 1, "no time specifier of cron"),
        (b"0 5 * * * /x\0y\n", 1, "a NUL in column 13"),
        (b"0 5 * * * /x\x1b[0m\n", 1, "the control character 0x1b in column 13"),
        (b"0 5 * * * /x\ry\n", 1, "the control character 0x0d"),
        (b"0 5 * * * /caf\xe9\n", 1, "byte 0xe9 in column 15 is no UTF-8 text"),
        (b"0 5 * * * /x" + b"y" * 1_000_000 + b"\n", 1, "a line of 1000012 characters"),
        (b"A='x\n", 1, "has a quote that does not match"),
        ("0 5 * * * /x\n".encode("utf-16"), 1, "the file is UTF-16"),
        (b"0\xc2\xa05 * * * /x\n", 1, "minute '0"),
    ],
)
def test_refused_lines(text: bytes, line: int, reason: str) -> None:
    crontab = lines(text, form=Form.USER)
    (refused,) = crontab.refused
    assert crontab.entries == ()
    assert refused.line == line
    assert reason in refused.reason
    assert refused.remedy
    assert len(str(refused)) < 300


@pytest.mark.parametrize(
    ("text", "doubt"),
    [
        (b"\xef\xbb\xbf0 5 * * * /x\n", "byte order mark"),
        (b"0 5 * * * /x", "the last line has no newline"),
        (b"0 5 * * * /x\r\n0 6 * * * /y\r\n", "CR LF ends 2 line(s)"),
        (b"A=\n0 5 * * * /x\n", "'A=' has no value"),
        (b"0 5 * * * /" + b"y" * 1000 + b"\n", "Debian's cron takes 998"),
        (b"*/60 5 * * * /x\n", "cronie 1.5 (EL9) drops the line"),
        (b"0 5 * * * /x\nbad\n", "Debian's cron ignores a whole file for one bad line"),
    ],
)
def test_doubtful_files_are_used(text: bytes, doubt: str) -> None:
    crontab = lines(text, form=Form.USER)
    assert crontab.entries[0].command.startswith("/")
    assert not crontab.entries[0].command.endswith("\r")
    assert any(doubt in one.reason for one in crontab.doubts)


def test_comments_that_explain_are_no_disabled_jobs() -> None:
    assert lines("#0~30; * * * * /x\n").disabled == ()
    crontab = lines(
        "# m h dom mon dow command\n# *  *  *  *  * user-name  command to be executed\n"
        "# 5 reasons to use cron\n#*/5 * * * * /x\n# @daily /y\n### 0 5 * * 1 root /z\n#\n"
    )
    assert [one.line for one in crontab.disabled] == [4, 5, 6]
    assert str(crontab.disabled[0]) == (
        "tab:4: commented-out job '#*/5 * * * * /x' is not translated"
    )


_LINES = st.one_of(
    st.binary(max_size=60),
    st.text("*/0123456789-,~@ \t%#='\"\\abcL\r\x00", max_size=40).map(str.encode),
    st.sampled_from(
        [b"0 5 * * * root /x", b"@daily /y", b"A=b", b"# 1 1 1 1 1 x", b"-* * * * * z"]
    ),
)


@settings(max_examples=500, deadline=None)
@given(
    st.lists(_LINES, max_size=8).map(b"\n".join), st.sampled_from(Form), st.sampled_from(Dialect)
)
def test_random_bytes_give_records_and_nothing_else(
    text: bytes, form: Form, dialect: Dialect
) -> None:
    crontab = parse_crontab(text, source="tab", form=form, dialect=dialect)
    last = text.count(b"\n") + 1
    for remark in (*crontab.refused, *crontab.doubts, *crontab.disabled):
        assert 1 <= remark.line <= last
        assert str(remark).isprintable()
    seen = {entry.line for entry in crontab.entries}
    assert seen.isdisjoint(refused.line for refused in crontab.refused)
    result = translate([crontab])
    for text_of in (*result.refused, *result.doubtful):
        assert str(text_of).isprintable()
    assert len(result.rows) == len(crontab.entries)


@pytest.mark.parametrize("unit", [b"x", b"* ", b"# ", b"a=", b'"', b"1", b"\0", b"\t", b"@", b"-",
                                  b"\xff", b"#* ", b"% "])  # fmt: skip
def test_a_line_of_a_megabyte_takes_no_time(unit: bytes) -> None:
    begin = time.process_time()
    parse_crontab(unit * (1_000_000 // len(unit)), source="tab")
    # Just under the limit of a line, where all patterns are tried.
    parse_crontab(unit * (131_000 // len(unit)), source="tab")
    assert time.process_time() - begin < 1
