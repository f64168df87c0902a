"""What the history of changes looks like, and how `--since` is read."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from psops.errors import UsageError
from psops.history.run import Change, Run, RunHost
from psops.moments import parse_moment
from psops.report import Look
from psops.report.history import render_run, render_runs

PLAIN = Look()
UP, DOWN = "active (running)", "failed (failed)"


def host(name: str, state: str, *changes: Change, message: str = "") -> RunHost:
    return RunHost(name, {"port": 22}, state, message, 1000.0, 1001.0, changes)


def run(*hosts: RunHost, **values: Any) -> Run:
    usual: dict[str, Any] = {
        "id": 7, "time": 1795179600.25, "user": "alice", "psops_host": "ws1", "pid": 4711,
        "process": "gone", "verb": "restart", "exit_code": 1, "ended": 1795179612.0,
        "request": {"names": ["sshd.service"], "now": False, "bundle": "", "settle": 2.0},
    }  # fmt: skip
    return Run(**usual | values, hosts=hosts)


def fleet() -> Run:
    good = [
        host(f"ps{at:02}", "changed", Change("sshd.service", DOWN, UP, "changed", "", at / 10))
        for at in range(1, 19)
    ]
    bad = host("ps19", "failed", Change("sshd.service", UP, DOWN, "failed", "exit status 1", 2.5))
    return run(*good, bad, host("ps20", "not-attempted"))


@pytest.fixture(autouse=True)
def _zone(monkeypatch: pytest.MonkeyPatch) -> Any:
    import time

    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def test_list_has_a_line_for_each_run() -> None:
    head, line = render_runs([fleet()], "", "table", PLAIN).splitlines()
    assert head.split() == ["ID", "TIME", "USER", "VERB", "UNITS", "HOSTS", "RESULT", "STATE"]
    assert line == (
        " 7  2026-11-20 13:00:00  alice  restart  sshd.service  ps[01-20]"
        "  18 changed, 1 failed, 1 not attempted  finished"
    )


def test_list_without_a_run_is_a_sentence_or_an_empty_document() -> None:
    assert render_runs([], "nothing", "table", PLAIN) == "nothing\n"
    assert render_runs([], "nothing", "jsonl", PLAIN) == ""
    assert json.loads(render_runs([], "nothing", "json", PLAIN))["runs"] == []


def test_list_folds_many_units_and_hosts() -> None:
    units = [Change(f"a-rather-long-unit-{at}.service", UP, UP, "changed", "", 1) for at in "abc"]
    names = [f"{chr(97 + at)}{chr(97 + at)}host" for at in range(12)]
    one = run(*(host(name, "changed", *units) for name in names))
    line = render_runs([one], "", "table", PLAIN).splitlines()[1]
    assert "  a-rather-long-unit-a.service, 2 more  12 hosts  12 changed  finished" in line


def test_list_of_a_run_without_changes_tells_what_was_asked() -> None:
    line = render_runs([run(host("a", "not-attempted"))], "", "table", PLAIN).splitlines()[1]
    assert line.split()[5:] == ["sshd.service", "a", "1", "not", "attempted", "finished"]


@pytest.mark.parametrize("width", [60, 80, 120])
def test_list_leaves_columns_out_on_a_narrow_terminal(width: int) -> None:
    text = render_runs([fleet()], "", "table", Look(width=width))
    assert "ps[01-20]" in text
    assert "18 changed, 1 failed, 1 not attempted" in text
    assert all(len(line) <= width for line in text.splitlines())


def test_run_is_shown_with_equal_hosts_on_one_line() -> None:
    text = render_run(fleet(), "table", PLAIN)
    assert (
        text
        == f"""\
run 7: restart, finished with exit status 1
   time: Fri 2026-11-20 13:00:00 UTC, took 11s
     by: alice on ws1, process 4711
  asked: names=sshd.service, settle=2.0
  hosts: ps[01-20]
 result: 18 changed, 1 failed, 1 not attempted

HOSTS      UNIT          BEFORE → AFTER                      RESULT         SECONDS  MESSAGE
ps[01-18]  sshd.service  {DOWN} → {UP}  changed        0.1-1.8
ps19       sshd.service  {UP} → {DOWN}  failed             2.5  exit status 1
ps20                                                         not attempted

to be done again, as by --retry-failed: ps[19-20]
"""
    )


def test_run_that_was_killed_is_not_called_running() -> None:
    import os

    one = run(
        host("a", "running", Change("u.service", UP, "", "pending", "", None)),
        host("b", "not-attempted"),
        exit_code=None, ended=None, psops_host=os.uname().nodename,
    )  # fmt: skip
    text = render_run(one, "table", PLAIN)
    assert text.startswith("run 7: restart, killed\n")
    assert " result: 1 broken off, 1 not attempted\n" in text
    assert "psops was killed; what is broken off may or may not be changed" in text
    assert f"a      u.service  {UP} → ?  broken off" in text
    document = json.loads(render_run(one, "json", PLAIN))["run"]
    assert (document["state"], document["exit"], document["ended"]) == ("killed", None, None)
    assert document["hosts"][0]["state"] == "running"
    assert document["unfinished"] == ["a", "b"]


def test_run_on_another_host_without_an_end_is_unknown() -> None:
    text = render_run(run(host("a", "running"), ended=None, exit_code=None), "table", PLAIN)
    assert text.startswith("run 7: restart, unknown\n")
    assert " result: 1 unknown\n" in text


def test_message_of_a_host_has_a_line_beside_those_of_its_units() -> None:
    done = Change("u.service", UP, UP, "changed", "", 1)
    text = render_run(run(host("a", "failed", done, message="connection lost")), "table", PLAIN)
    assert [line.split()[:2] for line in text.splitlines() if line.startswith("a ")] == [
        ["a", "u.service"], ["a", "failed"],
    ]  # fmt: skip
    assert "connection lost" in text


@pytest.mark.parametrize("form", ["table", "json", "jsonl"])
def test_nothing_from_a_host_acts_on_the_terminal(form: str) -> None:
    bad = "\x1b[2J\x07\u202e\n\u2028x"
    one = run(
        host(bad, bad, Change(bad, bad, bad + "y", bad, bad, 1), message=bad),
        user=bad, verb=bad, psops_host=bad, request={"names": [bad], bad: {"x": bad}},
    )  # fmt: skip
    for text in (render_run(one, form, PLAIN), render_runs([one], "", form, PLAIN)):
        assert not {"\x1b", "\x07", "\u202e", "\u2028"} & set(text)


def test_keys_of_the_document_stay() -> None:
    document = json.loads(render_run(fleet(), "json", PLAIN))
    assert document.keys() == {
        "psops_version", "schema", "command", "status", "exit", "hosts", "errors", "run",
    }  # fmt: skip
    one = document["run"]
    assert one.keys() == {
        "id", "time", "ended", "user", "psops_host", "pid", "verb", "request", "state", "exit",
        "hosts", "unfinished",
    }  # fmt: skip
    assert one["hosts"][0].keys() == {
        "host", "reach", "state", "message", "started", "ended", "changes",
    }  # fmt: skip
    assert one["hosts"][0]["changes"][0].keys() == {
        "unit", "before", "after", "result", "message", "elapsed_s",
    }  # fmt: skip
    assert (one["time"], one["unfinished"]) == ("2026-11-20T13:00:00.250+00:00", ["ps19", "ps20"])
    assert json.loads(render_runs([fleet()], "", "json", PLAIN))["runs"] == [one]
    assert json.loads(render_runs([fleet()], "", "jsonl", PLAIN)) == one
    assert json.loads(render_run(fleet(), "jsonl", PLAIN)) == one


NOW = datetime(2026, 11, 21, 3, 20, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("2026-11-20", "2026-11-20T00:00:00"),
        ("2026-11-20 14:00", "2026-11-20T14:00:00"),
        (" 2026-11-20T14:00:05 ", "2026-11-20T14:00:05"),
        ("2026-11-20T14:00:00+02:00", "2026-11-20T12:00:00"),
        ("2026-11-20T14:00:00Z", "2026-11-20T14:00:00"),
        ("30s", "2026-11-21T03:20:00"),
        ("20min", "2026-11-21T03:00:30"),
        ("20 m", "2026-11-21T03:00:30"),
        ("2h", "2026-11-21T01:20:30"),
        ("2h ago", "2026-11-21T01:20:30"),
        ("-2h", "2026-11-21T01:20:30"),
        ("1h 30 min ago", "2026-11-21T01:50:30"),
        ("0.5h", "2026-11-21T02:50:30"),
        ("@1795230000", "2026-11-21T03:00:00"),
        ("03:00", "2026-11-21T03:00:00"),
        ("03:00:05", "2026-11-21T03:00:05"),
        ("now", "2026-11-21T03:20:30"),
        ("3d", "2026-11-18T03:20:30"),
        ("1w", "2026-11-14T03:20:30"),
        ("1M", "2026-10-21T16:50:30"),
        ("1M 1m", "2026-10-21T16:49:30"),
        ("1 month ago", "2026-10-21T16:50:30"),
        ("today", "2026-11-21T00:00:00"),
        ("Yesterday", "2026-11-20T00:00:00"),
    ],
)
def test_since_is_a_date_or_a_span(text: str, wanted: str) -> None:
    there = datetime.fromisoformat(f"{wanted}+00:00").timestamp()
    assert parse_moment(text, "--since", NOW) == there


@pytest.mark.parametrize("text", ["", "x", "2", "2y", "25:00", "2026-13-01", "0001-01-01x", "1h2"])
def test_since_that_is_no_time(text: str) -> None:
    with pytest.raises(UsageError, match="is no time such as"):
        parse_moment(text, "--since", NOW)
