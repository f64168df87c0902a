"""The keys that programs rely on: they may become more, with this list, and never others."""

import json
from typing import Any

import pytest

from psops import errors
from psops.report import Look, render
from psops.report.json import SCHEMA, render_error
from tests.report.cases import CASES

ENVELOPE = {"psops_version", "schema", "command", "status", "exit", "hosts", "errors"}
ERROR = {"code", "message", "remedy"}
HOST = {"host", "elapsed_s", "error"}
UNIT = {"name", "id", "load_state", "active_state", "sub_state", "description"}
FACTS = {"unit_file_state", "since", "main_pid", "restarts", "memory_bytes", "tasks", "result",
         "exit_status", "exit_signal"}  # fmt: skip


def document(case: str) -> Any:
    return json.loads(render(CASES[case][0], "json", Look()))


@pytest.mark.parametrize("case", CASES)
def test_envelope_has_exactly_the_promised_keys(case: str) -> None:
    made = document(case)
    assert made.keys() == ENVELOPE
    assert made["schema"] == SCHEMA == 1
    assert made["command"] == "status"
    assert made["exit"] == CASES[case][0].exit


@pytest.mark.parametrize("case", CASES)
def test_hosts_and_errors_have_exactly_the_promised_keys(case: str) -> None:
    made = document(case)
    for host in made["hosts"]:
        if host["error"] is not None:
            assert host.keys() == HOST
            assert host["error"].keys() == ERROR
        else:
            whole = {"state", "systemd_version", "units_by_state"}
            more = whole if case.startswith("overview") else set()
            assert host.keys() == HOST | {"units", "unmatched"} | more
    assert all(error.keys() == ERROR | {"host"} for error in made["errors"])
    assert [error["host"] for error in made["errors"]] == [
        host["host"] for host in made["hosts"] if host["error"]
    ]


@pytest.mark.parametrize("case", CASES)
def test_units_have_exactly_the_promised_keys(case: str) -> None:
    for host in document(case)["hosts"]:
        for unit in host.get("units", ()):
            if case == "properties":
                assert unit.keys() == UNIT | {"properties"}
                assert set(unit["properties"]) == set(CASES[case][0].properties)
                continue
            more = {"properties", "processes"} if case.startswith("details") else set()
            more |= {"log"} & unit.keys()
            assert unit.keys() == UNIT | FACTS | more
            for line in unit.get("log", ()):
                assert line.keys() == {"time_us", "identifier", "message"}
            for process in unit.get("processes", ()):
                assert process.keys() == {"cgroup", "pid", "command"}


@pytest.mark.parametrize(
    ("case", "status"),
    [("all-active", "ok"), ("units", "ok"), ("unreachable", "partial"),
     ("all-unreachable", "error"), ("interrupted", "partial")],
)  # fmt: skip
def test_status_tells_whether_all_some_or_no_hosts_were_read(case: str, status: str) -> None:
    assert document(case)["status"] == status


@pytest.mark.parametrize("case", CASES)
def test_lines_of_jsonl_are_the_hosts_of_json(case: str) -> None:
    lines = render(CASES[case][0], "jsonl", Look()).splitlines()
    assert [json.loads(line) for line in lines] == document(case)["hosts"]


def test_error_before_any_host_has_the_same_envelope() -> None:
    made = json.loads(render_error(errors.NoSuchGroup("no group 'x'", remedy="look")))
    assert made.keys() == ENVELOPE
    assert made["status"] == "error"
    assert made["exit"] == 2
    assert made["errors"] == [
        {"code": "no-such-group", "message": "no group 'x'", "remedy": "look"}
    ]


def test_keys_are_sorted() -> None:
    text = render(CASES["details-running"][0], "json", Look())
    pairs = json.loads(text, object_pairs_hook=lambda pairs: [key for key, _ in pairs])
    assert pairs == sorted(ENVELOPE)
