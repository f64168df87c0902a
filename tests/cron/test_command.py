"""Commands as programs with arguments: rule R10."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from psops.cron.command import BadCommand, is_of_system, parse_command
from psops.cron.crontab import split_percent

TAKEN = [
    ("/opt/panda/usr/bin/panda_server-add > /dev/null 2>&1", "add", [], []),
    ("/opt/panda/bin/cacheSC.sh", "cacheSC", [], []),
    ("run.py dump -n 100", "run", ["dump", "-n", "100"], []),
    ("run 'a b' \"c \\\" d\" e\\ f ''", "run", ["a b", 'c " d', "e f", ""], []),
    ("run >> /var/log/x.log 2>&1", "run", [], ["/var/log/x.log"]),
    ("run &> a &>> b >c 2>>d", "run", [], ["a", "b", "c", "d"]),
    ("run b&>f", "run", ["b"], ["f"]),
    ("run x2>f", "run", ["x2"], ["f"]),
    ("run </dev/null", "run", [], []),
    ("python3 -u /x/report.py -n 5", "report", ["-n", "5"], []),
    ("/usr/bin/python3.11 report.py", "report", [], []),
    ("python -m package.tool --all", "tool", ["--all"], []),
    ("sh -e /x/job.sh", "job", [], []),
    ("run # not a word", "run", [], []),
    ("run a#b {} @{u} b~", "run", ["a#b", "{}", "@{u}", "b~"], []),
]


@pytest.mark.parametrize(("text", "name", "arguments", "outputs"), TAKEN)
def test_taken(text: str, name: str, arguments: list[str], outputs: list[str]) -> None:
    command = parse_command(text)
    assert command.name == name
    assert list(command.arguments) == arguments
    assert list(command.outputs) == outputs


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a; b", "several commands"), ("a && b", "'&&'"), ("a || b", "'||'"), ("a | b", "a pipe"),
        ("a &", "background"), ("a $(b)", "command substitution"), ("a `b`", "substitution"),
        ('a "$(b)"', "command substitution"), ("a {b,c}", "braces"), ("a {1..3}", "braces"),
        ("a $HOME/x", "the variable '$HOME'"), ('a "${X}"', "the variable '${X'"),
        ("a *.log", "a pattern"), ("a x?", "a pattern"), ("a [ab]", "a pattern"),
        ("~/bin/a", "home directory"), ("flock -n /x a", "'flock'"), ("sudo a", "another user"),
        ("cd /x", "the shell"), ("bash -c 'a'", "'-c'"), ("python", "without a script"),
        ("python -c 'x'", "'-c'"), ("X=1 a", "sets a variable"), ("a < b", "input from a file"),
        ("a << b", "input from the line"), ("(a)", "subshell"), ("a 'b", "not closed"),
        ("a >", "without a file"), ("a > > b", "without a file"), ("/", "a directory"),
        ("''", "no program"), ("> x", "no program"), ("perl x.pl", "no Python module"),
        ("sleep 5", "a delay"), ("a b \\", "no line continuation"),
        ("a b\\", "no line continuation"),
    ],
)  # fmt: skip
def test_refused(text: str, reason: str) -> None:
    with pytest.raises(BadCommand) as found:
        parse_command(text)
    assert reason in str(found.value)
    assert found.value.remedy


def test_percent() -> None:
    assert split_percent(r"a +\%Y\%m") == ("a +%Y%m", None)
    assert split_percent("mail x%Dear%all") == ("mail x", "Dear\nall")
    assert split_percent("'a%b'") == ("'a", "b'")
    with pytest.raises(BadCommand, match="standard input"):
        parse_command("a", "b")


def test_programs_of_the_system() -> None:
    assert is_of_system(parse_command("/usr/sbin/logrotate"))
    assert is_of_system(parse_command("/etc/init.d/x restart"))
    assert not is_of_system(parse_command("/usr/bin/panda_server-add"))
    assert not is_of_system(parse_command("/opt/x/bin/y"))


@given(st.text(max_size=40) | st.text("ab'\"\\$`|&;<>{}[]*? #~=%!()2.", max_size=25))
def test_any_text_is_a_command_or_refused(text: str) -> None:
    try:
        command = parse_command(text)
    except BadCommand as error:
        name = str(error)
    else:
        name = command.name
    assert name
