"""A real host tells its changes, is lost, and comes back."""

import os
import re
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.command import psops as run_psops
from tests.lab import Host, Lab
from tests.watch.conftest import Relay, Watching
from tests.watch.tmux import psops, terminal

pytestmark = pytest.mark.lab

Watch = Callable[..., Watching]


@pytest.fixture
def shell(lab: Lab, host: Host) -> Callable[[str], None]:
    """Give what runs a line on the host."""

    def run(line: str) -> None:
        lab.shell(host, ["sh", "-c", line], check=True)

    return run


Shell = Callable[[str], None]


@pytest.mark.alone
def test_changes_are_told_within_a_second(watching: Watch, shell: Shell) -> None:
    watch = watching("direct", "wt-good")
    shell("systemctl restart wt-good")
    watch.wait(1.0, unit="wt-good.service", active="active")
    shell("systemctl stop wt-good")
    watch.wait(1.0, unit="wt-good.service", active="inactive")


@pytest.mark.parametrize("way", ["direct", "program", "behind"])
def test_changes_are_told(watching: Watch, shell: Shell, way: str) -> None:
    watch = watching(way, "wt-good", "wt-crash")
    shell("systemctl start wt-good; systemctl restart wt-good")
    event = watch.wait(unit="wt-good.service", active="active", missed=False)
    assert event["host"] == way
    shell("systemctl stop wt-good")
    watch.wait(unit="wt-good.service", active="inactive")
    shell("systemctl start wt-good")
    watch.wait(unit="wt-good.service", active="active")
    shell("systemctl kill --signal SEGV wt-crash")
    event = watch.wait(unit="wt-crash.service", active="failed")
    assert event["reason"] == "signal SEGV"
    shell("systemctl reset-failed wt-crash; systemctl start wt-crash")
    watch.wait(unit="wt-crash.service", active="active")
    assert {event["unit"] for event in watch.seen} <= {"wt-good.service", "wt-crash.service"}


def test_local_bus_is_watched(watching: Watch, shell: Shell, host: Host) -> None:
    bus = f"unix:path=/proc/{host.leader_pid}/root/run/dbus/system_bus_socket"
    watch = watching("", "wt-good", DBUS_SYSTEM_BUS_ADDRESS=bus)
    shell("systemctl restart wt-good")
    watch.wait(unit="wt-good.service", active="active")


def test_units_that_come_and_go_are_told_by_their_pattern(watching: Watch, shell: Shell) -> None:
    watch = watching("direct", "wt-run-*", "wt-once")
    shell("systemd-run --quiet --unit wt-run-1 sleep 0.2")
    assert watch.wait(unit="wt-run-1.service", active="active")["before"] is None
    watch.wait(unit="wt-run-1.service", active="inactive")
    shell("systemctl start wt-once")  # at its end systemd forgets it
    watch.wait(unit="wt-once.service", active="inactive")
    shell("systemctl start wt-once")
    watch.wait(unit="wt-once.service", active="inactive")


def test_reading_all_files_again_is_no_change(watching: Watch, shell: Shell) -> None:
    watch = watching("direct", "wt-good", "wt-*")
    shell("systemctl daemon-reload")
    shell("systemctl daemon-reexec")
    shell("systemctl daemon-reload")
    shell("systemctl stop wt-good")
    watch.wait(unit="wt-good.service", active="inactive")
    shell("systemctl start wt-good")
    watch.wait(unit="wt-good.service", active="active")
    units = {event.get("unit") for event in watch.seen}
    assert units <= {"wt-good.service", "wt-part.service"}, watch.seen


def session_of(relay: Relay, host: Host) -> int:
    """Return the sshd process that serves the relay's last connection."""
    place = f"sport = :{host.port} and dport = :{relay.last_port}"
    told = subprocess.run(["ss", "-tnpH", place], capture_output=True, text=True, check=True)
    found = re.findall(r"pid=(\d+)", told.stdout)
    assert found, told.stdout
    return int(found[-1])


@pytest.mark.parametrize("how", ["cut", "killed"])
def test_lost_host_comes_back_and_tells_what_it_missed_to_tell(
    watching: Watch, shell: Shell, relay: Relay, host: Host, how: str
) -> None:
    watch = watching("cut", "wt-good", "wt-crash")
    if how == "cut":
        relay.cut()
    else:
        os.kill(session_of(relay, host), signal.SIGKILL)
    lost = watch.wait(event="host", host="cut", after="lost")
    assert (lost["before"], lost["error"]["code"]) == ("live", "channel-refused")
    shell("systemctl stop wt-crash")
    change = watch.wait(unit="wt-crash.service")
    assert (change["after"]["active_state"], change["missed"]) == ("inactive", True)
    shell("systemctl start wt-crash")
    assert not watch.wait(unit="wt-crash.service", active="active")["missed"]


def test_host_that_says_nothing_is_noticed(watching: Watch, relay: Relay) -> None:
    watch = watching("cut", "wt-good", impatient=True)
    time.sleep(1.5)  # asked and answered a few times
    assert watch.seen == []
    relay.freeze()
    lost = watch.wait(event="host", host="cut", after="lost")
    assert lost["error"]["code"] == "deadline"
    assert "no word from systemd" in lost["error"]["message"]
    relay.thaw()
    watch.wait(event="host", host="cut", after="live")


def test_jump_host_that_is_lost_is_logged_in_to_again(
    watching: Watch, shell: Shell, relay: Relay
) -> None:
    watch = watching("behind", "wt-good")
    relay.cut()
    watch.wait(event="host", host="behind", after="lost")
    watch.wait(event="host", host="behind", after="live")
    shell("systemctl restart wt-good")
    watch.wait(unit="wt-good.service", active="active")


def test_keys_change_a_real_host(inventory: Path, shell: Shell, tmp_path: Path, lab: Lab,
                                 host: Host) -> None:  # fmt: skip
    def pid(unit: str) -> str:
        return lab.shell(host, ["systemctl", "show", "-P", "MainPID", unit]).stdout.strip()

    shell("systemctl start wt-good wt-part wt-guarded")
    good, part, guarded = pid("wt-good"), pid("wt-part"), pid("wt-guarded")
    with terminal(tmp_path, 100, 24) as tmux:
        words = ("watch", "-i", str(inventory), "-H", "direct", "wt-good", "wt-guarded")
        tmux.type(f"clear; {psops(*words)}; echo left $?\n")
        tmux.wait("2 units all well")
        tmux.keys("Home", "r")
        text = tmux.wait("y yes  n no")
        assert "wt-good.service on direct" in text
        tmux.keys("y")
        tmux.wait("run 1: restart: [12] changed", 30)
        assert pid("wt-good") not in ("0", good)
        assert pid("wt-part") not in ("0", part)  # it went down with it, and came back
        tmux.keys("j", "S")
        tmux.wait("type wt-guarded.service to stop it")
        tmux.type("yes")
        tmux.keys("Enter")
        tmux.wait("is protected by the inventory: nothing was done")
        assert pid("wt-guarded") == guarded
        tmux.keys("Enter")
        tmux.wait("Started wt-guarded.service")  # the log's last lines
        tmux.keys("q", "q")
        tmux.wait("^left 0$")
    runs = run_psops("history", "--json", home=tmp_path).document["runs"]
    assert [(run["verb"], run["exit"]) for run in runs] == [("restart", 0)]


def test_screen_is_left_when_the_change_under_way_is_done(
    inventory: Path, tmp_path: Path, lab: Lab, host: Host
) -> None:
    with terminal(tmp_path, 80, 24) as tmux:
        words = ("watch", "-i", str(inventory), "-H", "direct", "wt-slow")
        tmux.type(f"clear; {psops(*words)}; echo left $?\n")
        tmux.wait("1 unit all well")
        tmux.keys("S")
        tmux.wait("y yes  n no")
        tmux.keys("y")
        tmux.wait("1 change under way")
        tmux.wait("▼ stop")  # the state, meanwhile
        tmux.keys("q")
        tmux.wait("leaving when the change under way is done")
        tmux.wait("^left 0$")
    state = lab.shell(host, ["systemctl", "is-active", "wt-slow"]).stdout.strip()
    assert state == "inactive"
    (run,) = run_psops("history", "--json", home=tmp_path).document["runs"]
    assert (run["verb"], run["state"], run["exit"]) == ("stop", "finished", 0)
