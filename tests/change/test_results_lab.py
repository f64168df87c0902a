"""Every way in which a change goes wrong, produced for real, and the sentence it is told by."""

import time
from collections.abc import Callable
from pathlib import Path
from threading import Thread

import pytest

from tests.change.test_verbs_lab import unit_of
from tests.change.units import active, show
from tests.command import Run, psops
from tests.lab import Host, Lab

pytestmark = pytest.mark.lab

Change = Callable[..., Run]

#: Unit, seconds to watch it -> code, and what is said of it.
FAILURES = {
    "ch-bad": ("0", "failed", "failed to start: its process exited with status 3"),
    "ch-never": ("0", "timeout", "did not start within its time (1 s)"),
    "ch-hurried": ("0", "timeout", "did not start within its time"),
    "ch-needs": ("0", "dependency", "was not started: it needs ch-bad.service, which failed "
                 "(exit-code 3)"),
    "ch-dies": ("3", "died", "started, and died within 3 s: its process exited with status 7"),
    "ch-killed": ("3", "died", "started, and died within 3 s: its process was killed by signal "
                  "SEGV"),
    "ch-loop": ("3", "crash-loop", "started, and crashed within 3 s"),
    "ch-assert": ("0", "assert", "an assertion of its unit file does not hold"),
    "ch-refuses": ("0", "refused", "refuses to be started or stopped by hand"),
    "ch-broken": ("0", "bad-unit-file", "has a mistake in its unit file"),
    "ch-nowhere": ("0", "no-such-unit", "does not exist on this host"),
    "psops-masked": ("0", "masked", "is masked: nothing can start it"),
}  # fmt: skip


@pytest.mark.parametrize("unit", FAILURES)
def test_failure_of_a_start(host: Host, change: Change, unit: str) -> None:
    settle, code, sentence = FAILURES[unit]
    run = change("start", unit, "--json", settle=settle)
    assert run.exit == (4 if code == "no-such-unit" else 1)
    told = unit_of(run, f"{unit}.service")
    assert (told["result"], told["code"]) == ("failed", code), told
    assert told["message"].startswith(sentence), told
    if code in ("failed", "died", "crash-loop"):
        assert told["log"], "without the last words of the unit"
        assert told["advice"], "without what to do next"


def test_words_of_a_unit_cannot_act_on_the_terminal(change: Change) -> None:
    run = change("start", "ch-bad")
    assert "no \\x1b[31mtable" in run.stdout
    assert "\x1b" not in run.stdout


def test_condition_is_no_failure(host: Host, change: Change) -> None:
    run = change("start", "ch-condition", "--json")
    told = unit_of(run, "ch-condition.service")
    assert (run.exit, told["result"], told["code"]) == (0, "skipped", "condition")


def test_start_limit(lab: Lab, host: Host, change: Change) -> None:
    for _ in range(3):
        lab.shell(host, ["systemctl", "start", "ch-limit"])
    run = change("start", "ch-limit", "--json")
    told = unit_of(run, "ch-limit.service")
    assert (told["result"], told["code"]) == ("failed", "start-limit"), told
    again = f"psops reset-failed -i {lab.inventory} -H {host.name} ch-limit.service"
    assert again in str(told["advice"])


def test_job_that_another_one_replaces(lab: Lab, host: Host, change: Change) -> None:
    found: list[Run] = []
    thread = Thread(target=lambda: found.append(change("start", "ch-long", "--json")))
    thread.start()
    _until(lambda: active(lab, host, "ch-long") == "activating")
    lab.shell(host, ["systemctl", "stop", "ch-long"], check=True)
    thread.join()
    told = unit_of(found[0], "ch-long.service")
    assert (told["result"], told["code"]) == ("failed", "canceled"), told
    assert "somebody else changes ch-long.service" in told["message"]


def test_job_mode_is_that_of_systemd(lab: Lab, host: Host, change: Change) -> None:
    lab.shell(host, ["systemctl", "start", "--no-block", "ch-long"], check=True)
    run = change("stop", "ch-long", "--job-mode", "fail", "--json")
    assert unit_of(run, "ch-long.service")["code"] == "destructive"
    assert active(lab, host, "ch-long") == "activating"
    assert change("stop", "ch-long").exit == 0


def test_time_is_over_before_the_job(lab: Lab, host: Host, change: Change) -> None:
    run = change("start", "--timeout", "1", "ch-long", "--json")
    told = unit_of(run, "ch-long.service")
    assert (run.exit, told["result"]) == (1, "unknown")
    assert told["message"] == "its job is still under way after 1 s"


def test_stop_is_undone_by_a_socket(lab: Lab, host: Host, change: Change) -> None:
    lab.shell(host, ["systemctl", "start", "ch-socketed.socket", "ch-socketed"], check=True)
    assert change("stop", "ch-socketed").exit == 0
    assert active(lab, host, "ch-socketed.socket") == "active"


def test_failure_of_one_unit_leaves_the_others(lab: Lab, host: Host, change: Change) -> None:
    run = change("start", "ch-bad", "ch-good", "ch-nowhere", "--json")
    assert run.exit == 1
    assert unit_of(run, "ch-good.service")["result"] == "changed"
    assert active(lab, host, "ch-good") == "active"


@pytest.mark.parametrize(
    ("user", "words"),
    [("plain", ()), ("ops", ())],
)
def test_refusal_names_the_action_and_the_ways_out(
    lab: Lab, host: Host, change: Change, user: str, words: tuple[str, ...]
) -> None:
    run = change("start", "ch-good", *words, where=f"{user}@{host.name}")
    assert run.exit == 1
    assert f"user {user} may not do this" in run.stdout
    assert "org.freedesktop.systemd1.manage-units" in run.stdout
    assert "--sudo" in run.stdout
    assert "polkit rule" in run.stdout
    assert active(lab, host, "ch-good") == "inactive"


def test_sudo(lab: Lab, host: Host, change: Change) -> None:
    run = change("start", "ch-good", "--sudo", where=f"ops@{host.name}")
    assert run.exit == 0, run.stdout
    assert active(lab, host, "ch-good") == "active"


def test_polkit_lets_an_ordinary_user(lab: Lab, tmp_path: Path) -> None:
    for host in lab.hosts:
        if host.polkit:
            break
    else:
        pytest.fail("no host of the lab has polkit")
    before = show(lab, host, "psops-allowed", "InvocationID")
    run = psops("restart", "-i", str(lab.inventory), "-H", f"plain@{host.name}", "--settle", "0",
                "psops-allowed", home=tmp_path)  # fmt: skip
    assert run.exit == 0, run.stdout
    assert show(lab, host, "psops-allowed", "InvocationID") != before


def test_psid_is_stopped_with_what_starts_it(lab: Lab, tmp_path: Path) -> None:
    node = lab.wearing("parastation")
    command = ["-i", str(lab.inventory), "-H", node.name]
    try:
        run = psops("stop", *command, "psid", home=tmp_path)
        assert run.exit == 0, run.stdout
        assert active(lab, node, "psidstarter.socket") == "inactive"
        assert active(lab, node, "psid.service") == "inactive"
    finally:
        lab.shell(node, ["systemctl", "start", "psidstarter.socket", "psid.service"])


def test_bundle_goes_down_and_comes_up_in_its_order(lab: Lab, tmp_path: Path) -> None:
    host = lab.wearing("toolkit-deb")
    command = ["-i", str(lab.inventory), "-H", host.name]
    names = ("postgresql.service", "pscheduler-runner.service")
    stopped = psops("stop", *command, "--bundle", "testpoint", home=tmp_path)
    try:
        assert stopped.exit == 0, stopped.stdout
        assert [active(lab, host, name) for name in names] == ["inactive", "inactive"]
        entered = [_time(lab, host, name, "InactiveEnter") for name in names]
        assert entered[1] <= entered[0]
    finally:
        started = psops("start", *command, "--bundle", "testpoint", "--settle", "0",
                        home=tmp_path)  # fmt: skip
    assert started.exit == 0, started.stdout
    entered = [_time(lab, host, name, "ActiveEnter") for name in names]
    assert entered[0] <= entered[1]
    # A failure of before stands in the way of no start of the bundle.
    assert [active(lab, host, name) for name in names] == ["active", "active"]
    verified = psops("bundle", "verify", *command, home=tmp_path)
    assert verified.exit == 0, "what the stop took along (fail2ban) is down: " + verified.stdout


def _time(lab: Lab, host: Host, unit: str, what: str) -> int:
    return int(show(lab, host, unit, f"{what}TimestampMonotonic")[0])


def _until(holds: Callable[[], bool]) -> None:
    for _ in range(100):
        if holds():
            return
        time.sleep(0.05)
    pytest.fail("did not happen within 5 s")
