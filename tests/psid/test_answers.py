"""Every recorded answer of the real psiadmin is understood, or known to be of no use here."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from psops.psid.answers import (
    Answer,
    fold_ids,
    parse_blocks,
    parse_nodes,
    parse_plugins,
    parse_resolve,
    parse_rows,
    parse_summary,
    parse_versions,
)
from psops.psid.refusal import Reply, classify
from tests.psid.captures import NAMES, capture, table

#: Recordings of commands that psops never gives: what they change, and tables of processes.
_NOT_GIVEN = (
    "add", "shutdown", "set ", "reset", "restart", "kill", "test_config", "psid ", "-Z", "-v",
    "parameter", "plugin loadtime", "plugin avail", "environment", "count", "range", "rdp", "mcast",
    "instdir", "startupscript", "nodeupscript", "load", "memory", " hw", "proc", "jobs", "up",
    "list down", "starttime", "prog", "frobnicate", "li u", "hwstart", " -s ", "; test", "-c test",
)  # fmt: skip


_PLAIN = ("list node", "list", "status")


def _parsers(command: str) -> "list[Callable[[str], Any]]":
    """Return what reads each part of a command that psops gives, in order; none if it does not."""
    if " -s " in command:
        return []
    words = command.rpartition(" -c ")[2]
    found: list[Callable[[str], Any]] = []
    for part in words.split("; "):
        if part.startswith("list versions"):
            found.append(parse_versions)
        elif part.startswith("list summary"):
            found.append(parse_summary)
        elif part.startswith(("list plugins", "plugin list")):
            found.append(parse_plugins)
        elif part.startswith(("list node ", "resolve", "show")) or part in _PLAIN:
            found.append(parse_rows)
    return found if len(found) == len(words.split("; ")) else []


SINGLE = [name for name in NAMES if len(_parsers(capture(name).command)) == 1]
REFUSED = {
    "00-dont-start-no-daemon": Reply.NO_LISTENER,
    "92-missing-program-file": Reply.NO_PROGRAM,
    "a4-nonroot-reset-option": Reply.UNCLEAR,
    "b2-nonroot-refused-uid": Reply.RESTRICTED,
    "b6-nonroot-refused-gid": Reply.RESTRICTED,
    "d3-hung-node2-local-client": Reply.SILENT,
    "f5-new-client-on-6.0.1-daemon": Reply.VERSION,
    "f6-new-client-on-5.1.63-daemon": Reply.VERSION,
    "f8-old-5.1.63-client-on-6.8.1": Reply.VERSION,
}
#: Recordings that tell of a mistake in the selection of nodes, with exit status 0.
_MISTAKES = ("83-", "84-", "85-", "87-")


@pytest.mark.parametrize("name", NAMES)
def test_every_recording_is_read_to_its_last_line(name: str) -> None:
    one = capture(name)
    parsers = _parsers(one.command)
    if name in REFUSED:
        assert classify(one.answer) is REFUSED[name]
        return
    if not parsers:
        assert any(word in one.command for word in _NOT_GIVEN), "neither read nor known"
        parse_blocks(one.answer.stdout)  # and it is no reason to stumble
        parse_versions(one.answer.stdout)
        return
    if name.startswith(_MISTAKES):
        assert parse_rows(one.answer.stdout).values == {}
        assert parse_rows(one.answer.stdout).other
        return
    expected = Reply.SILENT if one.exit == 124 else Reply.ANSWERED
    assert classify(one.answer) is expected
    if "hostnames" in one.command or "hostnames" in name:  # nobody asked for names here
        return
    # What one parser does not know is another's; each line must be known to one of them.
    left = set(one.answer.stdout.split("\n")[:-1]) - {""}
    for parse in {*parsers, parse_rows}:
        told = parse(one.answer.stdout)
        if told is None and one.answer.late:  # it did not come that far
            continue
        assert told is not None
        if parse is parse_plugins:
            loaded = {"l0": {"pspmi", "psaccount", "nodeinfo"}, "l1": {"pspmi", "psaccount"}}
            assert told == loaded.get(name[:2], set())
            left = set()
        else:
            left &= set(told.other)
    assert left == set()


@pytest.mark.parametrize("name", SINGLE)
def test_an_answer_is_the_same_byte_by_byte(name: str) -> None:
    """However much of it came, no line is taken for another than it will be."""
    (parse,) = _parsers(capture(name).command)
    text = capture(name).answer.stdout
    if parse is not parse_rows:
        return
    whole = parse_rows(text).values
    for end in range(len(text)):
        part = parse_rows(text[:end])
        assert part.values.items() <= whole.items()


def test_the_tables_of_a_healthy_cluster() -> None:
    versions = parse_versions(capture("25-").answer.stdout)
    assert versions.protocol == "homogeneous"
    assert versions.nodes[2] == ("6.8.1-0", 347, 418, "0xde1c688f")
    summary = parse_summary(capture("24-").answer.stdout)
    assert summary is not None
    assert (summary.protocol, summary.other) == ("homogeneous", ())
    assert parse_rows(capture("46-").answer.stdout).values == {0: "ANY", 1: "ANY", 2: "ANY"}


def test_a_list_without_a_name_is_another_hash() -> None:
    versions = parse_versions(capture("h9").answer.stdout)
    assert versions.nodes[2] is not None
    assert versions.nodes[2].hash == "0000000000"


def test_the_node_that_does_not_answer_is_the_one_whose_line_has_no_end() -> None:
    assert parse_versions(capture("d7").answer.stdout).pending == 2
    assert parse_versions(capture("fd").answer.stdout).pending == 0
    assert parse_blocks(capture("e1").answer.stdout)[1].pending == 2
    assert parse_versions(capture("25-").answer.stdout).pending is None


def test_ids_without_a_node_are_left_out() -> None:
    told = parse_nodes(capture("k0").answer.stdout)
    assert told.states[3] == "down"
    assert told.names == {0: "node00", 1: "node01", 5: "node02"}


def test_the_own_id_is_the_third_table() -> None:
    text = capture("12-").answer.stdout + capture("42-").answer.stdout
    assert parse_nodes(text).own is None
    assert parse_nodes(text + capture("86-").answer.stdout).own == 2
    assert parse_nodes(text + "Illegal nodename '-1'\n").own is None


@pytest.mark.parametrize("name", ["la-cut-from-0", "le-cut-from-5", "k0-"])
def test_tables_are_complete_or_no_answer(name: str) -> None:
    text = table(name) + table(name, 1) if name[0] == "k" else capture(name).answer.stdout
    whole = parse_nodes(text)
    assert whole.complete
    assert not parse_nodes(table("42-")).complete
    for end in range(len(text)):
        part = parse_nodes(text[:end])
        assert not part.complete or (part.states, part.names) == (whole.states, whole.names)


def test_plugins_are_read_with_and_without_ids_before_them() -> None:
    head = " Node\t          Plugin   Ver   Used by\n-----\n"
    with_ids = f"{head}   0\t         psslurm * 117  \n    \t  psmom   3  psslurm\n"
    assert parse_plugins(with_ids) == frozenset({"psslurm", "psmom"})
    assert parse_plugins(f"{head}         psslurm D 117  \n") == frozenset({"psslurm"})
    assert parse_plugins("Illegal nodename '7'\n") is None
    assert parse_plugins("") is None


@pytest.mark.parametrize(
    ("stderr", "reply"),
    [
        ("PSI: connectDaemon: Node is limited to 3 processes\n", Reply.RESTRICTED),
        ("PSI: connectDaemon: Daemon does not allow new connections\n", Reply.RESETTING),
        ("PSI: connectDaemon: Daemon has no space available\n", Reply.FULL),
        ("timeout: failed to run command '/x': No such file or directory\n", Reply.NO_PROGRAM),
        ("something never seen\n", Reply.UNCLEAR),
        ("", Reply.UNCLEAR),
    ],
)
def test_a_refusal_is_known_by_its_words(stderr: str, reply: Reply) -> None:
    assert classify(Answer(stdout="", stderr=stderr)) is reply


@given(st.text())
def test_no_text_makes_a_parser_stumble(text: str) -> None:
    for parse in (parse_blocks, parse_nodes, parse_resolve, parse_rows, parse_versions,
                  parse_summary, parse_plugins):  # fmt: skip
        parse(text)


@given(st.sets(st.integers(0, 5000)))
def test_a_selection_gives_back_the_ids_it_was_made_of(ids: set[int]) -> None:
    ends = [part.partition("-") for part in fold_ids(ids).split(",") if part]
    told = {one for begin, _, end in ends for one in range(int(begin), int(end or begin) + 1)}
    assert told == ids
