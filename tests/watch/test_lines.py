"""`psops watch` without a screen, on the demo fleet: lines, JSON lines, usage, exit codes."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from psops.watch.lines import render, render_initial
from psops.watch.model import Change, HostView, State
from tests.command import Run, psops
from tests.test_imports import heavy, loaded

#: Long enough for the first accident of the demo fleet.
LONG = "6"
_KEYS = {
    "host": {"schema", "event", "time", "host", "before", "after", "units", "error"},
    "state": {"schema", "event", "time", "host", "unit", "state", "reason"},
    "unit": {"schema", "event", "time", "host", "unit", "before", "after", "reason", "restarted",
             "missed"},
}  # fmt: skip
_STATE_KEYS = {"load_state", "active_state", "sub_state", "since", "main_pid", "restarts"}


def watch(home: Path, *words: str, seconds: str = "1.5") -> Run:
    return psops("watch", "-i", "demo", "--for", seconds, *words, home=home)


def test_a_line_for_each_change(tmp_path: Path) -> None:
    run = watch(tmp_path, seconds=LONG)
    assert run.exit == 0
    lost, *changes = run.stdout.splitlines()
    assert re.fullmatch(
        r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d node02\.demo - connecting -> lost  connect-timed-out: .*",
        lost,
    )
    assert changes
    for line in changes:
        assert re.fullmatch(r"[-\d]{10} [:\d]{8} \S+ \S+\.service [a-z]+ \([a-z-]+\) -> "
                            r"[a-z]+ \([a-z-]+\)(  .+)?", line)  # fmt: skip
    assert re.fullmatch(r"psops: watching \d+ units on 11 of 12 hosts\n", run.stderr)


def test_json_lines_keep_their_keys(tmp_path: Path) -> None:
    run = watch(tmp_path, "--format", "jsonl", "--initial", seconds=LONG)
    events: list[dict[str, Any]] = [json.loads(line) for line in run.stdout.splitlines()]
    assert {event["event"] for event in events} == {"host", "state", "unit"}
    for event in events:
        assert event.keys() == _KEYS[event["event"]]
        assert event["schema"] == 1
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", event["time"])
        for key in ("state", "before", "after"):
            if isinstance(state := event.get(key), dict):
                assert state.keys() == _STATE_KEYS
    hosts = {event["host"]: event for event in events if event["event"] == "host"}
    assert len(hosts) == 12
    assert hosts["node02.demo"]["error"]["code"] == "connect-timed-out"
    assert (hosts["ps01.demo"]["before"], hosts["ps01.demo"]["after"]) == ("connecting", "live")
    states = {(one["host"], one["unit"]): one for one in events if one["event"] == "state"}
    failed = states["ps02.demo", "postgresql@15-main.service"]
    assert (failed["state"]["active_state"], failed["reason"]) == ("failed", "protocol")
    assert hosts["ps02.demo"]["units"] == sum(host == "ps02.demo" for host, _ in states)


def test_what_a_host_makes_up_breaks_no_line() -> None:
    odd = {"MainPID": b"\xff", "NRestarts": (1,), "Result": ["x"], "ExecMainCode": 1,
           "ExecMainStatus": {"a": 1}}  # fmt: skip
    after = State(load="\x1b[2J", active="failed", sub="a\nb", since_us=2**70, run="x", facts=odd)
    for before in (None, after):
        change = Change(host="h\x07", unit="u\x1b]0;x\x07", before=before, after=after,
                        time=1_800_000_000.0, missed=True)  # fmt: skip
        line = render(change, "lines")
        assert line.endswith("\n")
        assert line[:-1].isprintable()
        told = json.loads(render(change, "jsonl"))
        assert (told["after"]["main_pid"], told["after"]["since"]) == (None, None)
    view = HostView("h\x07")
    view.states = {"u\x1b": after}
    assert render_initial(view, "lines")[:-1].isprintable()
    assert json.loads(render_initial(view, "jsonl"))["unit"] == "u\x1b"


def test_initial_states_as_lines(tmp_path: Path) -> None:
    run = watch(tmp_path, "--initial", "-H", "ps02.demo", "postgresql@15-main", "no-such-unit")
    assert [line.split(" ", 2)[2] for line in run.stdout.splitlines()] == [
        "ps02.demo postgresql@15-main.service failed (failed)  protocol",
        "ps02.demo no-such-unit.service not-found, inactive (dead)  not-found",
    ]


def test_daemons_of_the_inventory_or_of_a_bundle_or_all_services(tmp_path: Path) -> None:
    def units(*words: str) -> set[str]:
        run = watch(tmp_path, "--initial", "--format", "jsonl", *words)
        events = map(json.loads, run.stdout.splitlines())
        return {event["unit"] for event in events if event["event"] == "state"}

    role = units("-H", "ps01.demo")
    assert "owamp-server.service" in role
    assert "sshd.service" not in role
    assert units("-H", "ps01.demo", "--bundle", "testpoint") == role
    (tmp_path / "hosts.toml").write_text('[hosts.ps01]\ntransport = "demo"\n')
    everything = units("-i", str(tmp_path / "hosts.toml"), "-a")
    assert everything > role
    assert all(name.endswith(".service") for name in everything)
    timers = units("-H", "ps01.demo", "*.timer")
    assert "fstrim.timer" in timers
    assert all(name.endswith(".timer") for name in timers)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--format", "json"], "no format 'json'"),
        (["a", "--bundle", "testpoint"], "--bundle goes with no units"),
        (["getty@.service"], "is a template"),
        (["--bundle", "nonsense"], "nonsense"),
        (["--for", "-1"], "is not from"),
        (["a b"], "is not a unit name"),
    ],
)
def test_wrong_usage(tmp_path: Path, words: list[str], message: str) -> None:
    run = watch(tmp_path, *words)
    assert run.exit == 2
    assert message in run.stderr


def test_wrong_catalogue_is_told_before_any_host_is_asked(tmp_path: Path) -> None:
    place = tmp_path / ".config/psops/bundles.d"
    place.mkdir(parents=True)
    (place / "mine.toml").write_text("nonsense = 1\n")
    assert watch(tmp_path, "fstrim.timer", "-H", "ps01.demo").exit == 0
    run = watch(tmp_path)
    assert (run.exit, run.stdout) == (78, "")
    assert "mine.toml" in run.stderr


def test_no_host_at_all_is_told_by_the_exit_code(tmp_path: Path) -> None:
    run = watch(tmp_path, "-H", "node02.demo")
    assert run.exit == 69
    assert "watching 0 units on 0 of 1 host" in run.stderr


def test_reader_that_has_enough_ends_it_at_once() -> None:
    argv = [sys.executable, "-m", "psops", "watch", "-i", "demo", "fstrim.timer"]
    watching = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert watching.stdout is not None
    watching.stdout.readline()
    watching.stdout.close()
    assert watching.wait(20) == 0


def test_other_verbs_load_nothing_of_it_and_lines_no_screen() -> None:
    for line in ("--help", "status -i demo -H ps01.demo", "watch --help"):
        _, names = loaded(*line.split())
        assert not [name for name in names if name.startswith("psops.watch")], line
    code, names = loaded("watch", "-i", "demo", "-H", "ps01.demo", "--for", "1", "fstrim.timer")
    assert code == 0
    assert "psops.watch.feed" in names
    unwanted = {"psops.watch.app", "psops.watch.actions", "psops.rollout", "psops.history"}
    assert not unwanted & names
    assert heavy(names, "dbus_next", "dbus_fast") == []
