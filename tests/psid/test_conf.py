"""parastation.conf as psid reads it."""

import string
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from psops.errors import ConfigError
from psops.inventory.file import parse as parse_inventory
from psops.inventory.file import read
from psops.psid.conf import Node, parse, read_text
from psops.psid.conf_tokens import match
from psops.psid.generate import fill, parse_range
from psops.psid.nodes import from_conf, from_resolve, render_inventory
from psops.psid.verify import given_id, is_compute
from tests.command import psops
from tests.psid.captures import capture

_WHOLE = """\
# A cluster \\
with a comment of two lines
InstallDir /opt/parastation
Hardware ethernet {
    startscript "ps_ether # start"
    PS_DEVICE 'eth0'
}
HWType { ethernet }
Environment {
    PSP_DEBUG 2
    LD_LIBRARY_PATH "/a b/lib"
}
rlimit { core unlimited
  nofile 1024 }
UseMCast
LogDest local3
PLUG { psslurm
       psmunge }
NrOfNodes 5
Nodes {
    login01   0  runj no star yes processes 3 hwtype none
    node01 1 overbook auto exclusive no user { -any alice
        bob } group hpc
    $generate 2-4 node${0,2} $ cpumap { 0 2 1 3 }
}
"""


def test_a_whole_file_is_read() -> None:
    login, first, *rest = parse(_WHOLE)
    assert login == Node(host="login01", id=0, runjobs=False, processes=3, line=21)
    assert (first.overbook, first.exclusive, first.hwtype) == ("auto", False, ("ethernet",))
    assert [(node.host, node.id) for node in rest] == [("node02", 2), ("node03", 3), ("node04", 4)]


def test_defaults_hold_for_nodes_after_them() -> None:
    text = "runjobs no\nNodes a 0\nRunJobs yes\nstarter 0\nNodes b 1\nNodes c 2 starter TRUE\n"
    told = [(node.host, node.runjobs, node.starter) for node in parse(text)]
    assert told == [("a", False, True), ("b", True, False), ("c", True, True)]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("\nBogus 1\n", "f:2: 'Bogus' is no keyword here"),
        ("nod a 0\n", "f:1: 'nod' could be nodes or nodeupscript or nodedownscript"),
        ("Nodes {\na 0\nb 0\n}\n", "f:3: ID 0 is there twice: 'b' has ID 0, and in line 2"),
        ("Nodes {\na 0\na 1\n}\n", "f:3: host 'a' is there twice"),
        ("HWType ethernet\n", "f:1: the hardware 'ethernet' is not declared"),
        ("Nodes {\na\n}\n", "f:2: the node 'a' without a value"),
        ("Nodes {\na x\n}\n", "f:2: the ID is no number: 'x'"),
        ("Nodes {\na 08\n}\n", "f:2: the ID is no number: '08'"),
        ("Nodes {\na -1\n}\n", "f:2: the ID of 'a' is negative"),
        ("Nodes { a 0 }\n", "f:1: '}' is no keyword here"),
        ("Nodes {\n$generate 3-1 n$ $\n}\n", "f:2: '3-1' goes down"),
        ("Nodes {\n$generate -1-2 n$ ${9}\n}\n", "f:2: '-1-2' begins below 0"),
        ("Nodes {\n$generate 1-3/0 n$ $\n}\n", "has a step of 0"),
        ("Nodes {\n$generate 1-3 n${ $\n}\n", "f:2: 'n${' is not"),
        ("Nodes {\n$generate 1-3 n $\n}\n", "f:2: host 'n' is there twice"),
        ("Nodes {\n$generate 0-99999999 n$ $\n}\n", "more than 100000 nodes"),
        ("runjobs maybe\n", "f:1: runjobs is no number: 'maybe'"),
        ("runjobs\n", "f:1: runjobs without a value"),
        ("RunJobs yes\n", "f: names no node"),
        (f"Nodes a 0 # {'x' * 600}\n", "f:1: the line is too long"),
        (f"CoreDir {'x' * 600}\n", "f:1: the line is too long"),
        ("Nodes a\x1b[2J 0 b\n", "f:1: 'b' could be"),
    ],
)
def test_a_mistake_names_file_and_line(text: str, what: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(text, "f")
    assert what in str(caught.value)
    assert str(caught.value).isprintable()


def test_numbers_are_those_of_c() -> None:
    assert [node.id for node in parse("Nodes {\na 010\nb 0x10\nc 3\n}\n")] == [8, 16, 3]


def test_a_file_is_loaded_and_a_missing_one_is_named(tmp_path: Path) -> None:
    path = tmp_path / "parastation.conf"
    path.write_text(_WHOLE, encoding="utf-8")
    assert len(parse(read_text(path))) == 5
    with pytest.raises(ConfigError, match="cannot read: no such file"):
        read_text(tmp_path / "none")


def test_groups_are_compute_and_frontend() -> None:
    text = render_inventory(from_conf(parse(_WHOLE)), "parastation.conf")
    found = parse_inventory(text, Path("made.toml"))
    assert found.groups["compute"] == ("node01", "node02", "node03", "node04")
    assert found.groups["frontend"] == ("login01",)
    labels = {host.name: dict(host.labels) for host in found.hosts}
    assert labels["node03"]["psid_id"] == "3"
    assert labels["login01"] == {
        "psid_id": "0", "runjobs": "no", "starter": "yes", "processes": "3",
    }  # fmt: skip


_names = st.text(string.ascii_lowercase + string.digits + "-.", min_size=1, max_size=12).map(
    lambda text: f"h{text}"
)
_blanks = st.text(" \t", min_size=1, max_size=3)


@st.composite
def _files(draw: st.DrawFn) -> tuple[str, list[tuple[str, int, bool, bool]]]:
    hosts = draw(st.lists(_names, min_size=1, max_size=8, unique=True))
    ids = draw(st.lists(st.integers(0, 9999), min_size=len(hosts), max_size=len(hosts),
                        unique=True))  # fmt: skip
    runs, starts = draw(st.booleans()), draw(st.booleans())
    words = {True: ["yes", "TRUE", "1", "true"], False: ["no", "False", "0"]}
    key = draw(st.sampled_from(["RunJobs", "runj", "RUN"]))
    lines = [f"{key} {draw(st.sampled_from(words[runs]))}",
             f"Starter {draw(st.sampled_from(words[starts]))}", "Nodes {"]  # fmt: skip
    told = []
    for host, number in zip(hosts, ids, strict=True):
        gap = draw(_blanks)
        line = f"{gap}{host}{gap}{number}"
        own = draw(st.sampled_from([None, True, False]))
        if own is not None:
            line += f"{gap}runjobs{gap}{draw(st.sampled_from(words[own]))}"
        line += draw(st.sampled_from(["", " # a comment", "\t", " \\\n  exclusive no"]))
        lines.append(line)
        lines += draw(st.sampled_from([[], [""], ["# } nothing"]]))
        told.append((host, number, runs if own is None else own, starts))
    return "\n".join([*lines, "}"]) + draw(st.sampled_from(["", "\n", "\nKillDelay 3"])), told


@given(_files())
def test_what_is_written_is_what_is_read(
    given_: tuple[str, list[tuple[str, int, bool, bool]]],
) -> None:
    text, told = given_
    assert [(one.host, one.id, one.runjobs, one.starter) for one in parse(text)] == told


@given(_files())
def test_an_inventory_made_of_a_file_has_its_nodes(
    given_: tuple[str, list[tuple[str, int, bool, bool]]],
) -> None:
    text, told = given_
    found = parse_inventory(render_inventory(from_conf(parse(text)), "f"), Path("made.toml"))
    assert {host.name: dict(host.labels)["psid_id"] for host in found.hosts} == {
        host: str(number) for host, number, _, _ in told
    }


@pytest.mark.parametrize(
    "line",
    [
        "hwtype",
        "group # none",
        "CPUMAP",
        "rlimit",
        "plugins",
        "licfile",
        "environment",
        "nodes",
        "licserv # x",
    ],
)
def test_what_psid_takes_without_a_value_is_taken(line: str) -> None:
    """As test_config of psmgmt 6.8 does."""
    assert [node.host for node in parse(f"{line}\nNodes {{\na 0 user\n}}\n")] == ["a"]


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=200))
def test_any_text_is_a_list_of_nodes_or_a_mistake(text: str) -> None:
    try:
        assert parse(text, "f")
    except ConfigError as exc:
        place = str(exc).partition(" ")[0]
        if not place.startswith("f:"):
            raise


@given(
    st.integers(0, 500), st.integers(0, 60), st.integers(1, 7), st.integers(0, 20),
    st.integers(0, 6), st.sampled_from("doxX"),
)  # fmt: skip
def test_generated_nodes_are_those_of_the_formula(
    first: int, more: int, step: int, offset: int, width: int, base: str
) -> None:
    pattern = f"n${{{offset},{width},{base}}}"
    text = f"Nodes {{\n$generate {first}-{first + more}/{step} {pattern} $\n}}\n"
    wanted = [(f"n{number + offset:0{max(width, 1)}{base}}", number)
              for number in range(first, first + more + 1, step)]  # fmt: skip
    if len({name for name, _ in wanted}) == len(wanted):
        assert [(one.host, one.id) for one in parse(text)] == wanted


def test_patterns_as_of_the_real_parser() -> None:
    assert [fill("node${0,2}", n) for n in range(3)] == ["node00", "node01", "node02"]
    assert fill("a$b$", 5) == "a5b$"
    assert fill("r${-1}", 5) == "r4"
    assert list(parse_range("0-4/2").numbers()) == [0, 2, 4]


@given(st.text(max_size=12), st.integers(0, 99))
def test_any_pattern_is_filled_or_is_a_mistake(pattern: str, number: int) -> None:
    try:
        text = fill(f"${pattern}", number)
    except ValueError:
        return
    assert str(number) in text or "{" in pattern


def test_keywords_may_be_shortened_as_long_as_they_are_clear() -> None:
    assert match("user", ["user", "usemcast"]) == "user"
    assert match("us", ["user", "usemcast"]) is None
    assert match("USER", ["user", "username"]) == "user"


def test_an_answer_to_resolve_becomes_an_inventory() -> None:
    made = render_inventory(from_resolve(capture("42-").answer.stdout, "x"), "x")
    found = parse_inventory(made, Path("made.toml"))
    assert [(host.name, dict(host.labels)) for host in found.hosts] == [
        (f"node0{n}", {"psid_id": str(n)}) for n in range(3)
    ]
    assert not found.groups


@pytest.mark.parametrize(
    ("name", "what"),
    [("k1-", "node00'"), ("30-", "Illegal nodename 'instdir'"), ("22-", "node00"), ("23-", "no n")],
)
def test_an_answer_to_something_else_is_no_list_of_nodes(name: str, what: str) -> None:
    with pytest.raises(ConfigError, match=what):
        from_resolve(capture(name).answer.stdout, "saved")


def test_an_imported_inventory_has_the_ids_by_which_hosts_are_joined(tmp_path: Path) -> None:
    conf = tmp_path / "parastation.conf"
    conf.write_text("Nodes {\nlogin 0 runjobs no\n$generate 1-2 n${0,2} $\n}\n")
    made = tmp_path / "made.toml"
    run = psops("inventory", "import", str(conf), "-o", str(made), "--yes", home=tmp_path)
    assert run.exit == 0, run.stderr
    found = read(made)
    assert [given_id(host) for host in found.hosts] == [0, 1, 2]
    assert [is_compute(host) for host in found.hosts] == [False, True, True]
