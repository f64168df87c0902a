"""Changes over many hosts: batches, failures, interrupts, lost connections, and the record."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.change.units import STOP, active, on_each, show, until
from tests.command import Run, psops
from tests.lab import Host, Lab

pytestmark = pytest.mark.lab

Roll = Callable[..., Run]


@pytest.fixture
def roll(lab: Lab, fleet: list[Host], tmp_path: Path) -> Iterator[Roll]:
    """Give what calls a verb on all hosts that have the units."""
    names = ",".join(host.name for host in fleet)

    def call(verb: str, *words: str, where: str = names, **more: Any) -> Run:
        target = ["-H", where] if where else []
        return psops(verb, "-i", str(lab.inventory), *target, *words, home=tmp_path, **more)

    yield call
    # Most tests leave most hosts as they were.
    on_each(lab, fleet,
            f"if [ -n \"$(systemctl list-units --all --quiet --no-legend 'ch-*')\" ]; then {STOP}; "
            "fi; bad=/run/systemd/system/ch-good.service.d/bad.conf; "
            "if [ -e $bad ]; then rm $bad; systemctl daemon-reload; fi")  # fmt: skip


def begin(lab: Lab, home: Path, where: str, *words: str) -> "subprocess.Popen[str]":
    """Start psops in the background."""
    verb, *others = words
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "TZ": "UTC",
                   "XDG_STATE_HOME": str(home / "state")}  # fmt: skip
    return subprocess.Popen(
        [sys.executable, "-m", "psops", verb, "-i", str(lab.inventory), "-H", where, *others],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL,
        env=environment,
    )  # fmt: skip


@contextlib.contextmanager
def broken(lab: Lab, host: Host) -> Iterator[None]:
    """Let ch-good fail on one host."""
    place = "/run/systemd/system/ch-good.service.d"
    lab.shell(host, ["sh", "-c", f"mkdir -p {place}; printf '[Service]\\nExecStart=\\n"
                     f"ExecStart=/nonexistent\\n' > {place}/bad.conf; "
                     "systemctl daemon-reload"], check=True)  # fmt: skip
    try:
        yield
    finally:
        lab.shell(host, ["sh", "-c", f"rm -r {place}; systemctl daemon-reload"])


def invocations(lab: Lab, hosts: list[Host]) -> list[str]:
    return [show(lab, host, "ch-good", "InvocationID")[0] for host in hosts]


def history(home: Path, *words: str) -> Any:
    return psops("history", *words, "--json", home=home).document


def test_failing_canary_leaves_the_others_untouched(
    lab: Lab, fleet: list[Host], roll: Roll, tmp_path: Path
) -> None:
    with broken(lab, fleet[0]):
        run = roll("start", "ch-good", "--yes", "--canary", "1", "--batch", "5", "--json")
        assert run.exit == 1
        results = [host["result"] for host in run.document["hosts"]]
        assert results == ["failed"] + ["not-attempted"] * (len(fleet) - 1)
        assert run.document["stopped"] == "the run was stopped: 1 host has failed"
        assert [active(lab, host, "ch-good") for host in fleet[1:]] == ["inactive"] * 19
    again = roll("start", "--retry-failed", "--yes", where="")
    assert again.exit == 0, again.stdout + again.stderr
    assert "again from run 1: start on 20 of 20 hosts" in again.stderr
    assert {active(lab, host, "ch-good") for host in fleet} == {"active"}
    assert roll("start", "--retry-failed", where="").stdout == "run 2 has left nothing to do\n"


def test_retry_does_what_is_not_done_and_no_more(lab: Lab, fleet: list[Host], roll: Roll) -> None:
    host = fleet[0]
    lab.shell(host, ["systemctl", "start", "ch-good", "ch-other"], check=True)
    with broken(lab, host):
        run = roll("restart", "ch-good", "ch-other", where=host.name)
        assert run.exit == 1
        done = show(lab, host, "ch-other", "InvocationID")
    again = roll("restart", "--retry-failed", "--json", where="")
    assert again.exit == 0, again.stdout + again.stderr
    results = {unit["unit"]: unit["result"] for unit in again.document["hosts"][0]["units"]}
    assert results == {"ch-good.service": "changed", "ch-other.service": "unchanged"}
    assert show(lab, host, "ch-other", "InvocationID") == done
    assert active(lab, host, "ch-good") == "active"


def test_retry_brings_back_what_went_down_with_its_unit(
    lab: Lab, fleet: list[Host], roll: Roll
) -> None:
    host = fleet[0]
    lab.shell(host, ["systemctl", "enable", "--now", "--quiet", "ch-part", "ch-good"], check=True)
    with broken(lab, host):
        assert roll("restart", "ch-good", "ch-part", where=host.name).exit == 1
    again = roll("restart", "--retry-failed", where="")
    assert again.exit == 0, again.stdout + again.stderr
    assert active(lab, host, "ch-good") == active(lab, host, "ch-part") == "active"
    lab.shell(host, ["systemctl", "disable", "--quiet", "ch-part", "ch-good"], check=True)


def test_max_fail_counts_over_batches(lab: Lab, fleet: list[Host], roll: Roll) -> None:
    with broken(lab, fleet[0]), broken(lab, fleet[3]):
        run = roll("start", "ch-good", "--yes", "--batch", "2", "--max-fail", "2", "--settle",
                   "0.5", "--json")  # fmt: skip
    results = [host["result"] for host in run.document["hosts"]]
    assert results == ["failed", "changed", "changed", "failed"] + ["not-attempted"] * 16


def test_a_host_that_is_down_is_a_failure_of_its_own(
    lab: Lab, fleet: list[Host], roll: Roll
) -> None:
    with lab.frozen_sshd(fleet[1]):
        run = roll("start", "ch-good", "--yes", "--connect-timeout", "5", "--settle", "0",
                   "--json")  # fmt: skip
    assert run.exit == 1
    results = [host["result"] for host in run.document["hosts"]]
    assert results == ["changed", "failed"] + ["changed"] * 18
    assert run.error(fleet[1].name)["code"] == "banner-timed-out"


def test_killed_psops_leaves_a_true_history_and_is_finished_later(
    lab: Lab, fleet: list[Host], roll: Roll, tmp_path: Path
) -> None:
    where = ",".join(host.name for host in fleet)
    running = begin(lab, tmp_path, where, "start", "ch-four", "--yes", "--batch", "2")
    until(lambda: {active(lab, host, "ch-four") for host in fleet[2:4]} == {"activating"})
    running.kill()
    running.communicate()
    (run,) = history(tmp_path)["runs"]
    assert run["state"] == "killed"
    told = history(tmp_path, "show", "1")["run"]["hosts"]
    states = [host["state"] for host in told]
    assert states[:2] == ["changed", "changed"]
    assert set(states[2:4]) == {"running"}
    assert states[4:] == ["not-attempted"] * 16
    again = roll("start", "--retry-failed", "--yes", where="")
    assert again.exit == 0, again.stdout + again.stderr
    assert "start on 18 of 20 hosts" in again.stderr
    for host in fleet:
        assert show(lab, host, "ch-four", "ExecMainStatus") == ["0"]


def test_first_interrupt_waits_for_what_is_under_way(
    lab: Lab, fleet: list[Host], tmp_path: Path, roll: Roll
) -> None:
    where = ",".join(host.name for host in fleet)
    running = begin(lab, tmp_path, where, "start", "ch-four", "--yes", "--batch", "2", "--json")
    until(lambda: {active(lab, host, "ch-four") for host in fleet[:2]} == {"activating"})
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=30)
    assert running.returncode == 130
    assert "no more hosts are begun" in err
    run = Run(130, out, err).document
    results = [host["result"] for host in run["hosts"]]
    assert results == ["changed"] * 2 + ["not-attempted"] * 18
    assert show(lab, fleet[2], "ch-four", "InactiveExitTimestampMonotonic") == ["0"]


def test_sigterm_is_like_an_interrupt(
    lab: Lab, fleet: list[Host], tmp_path: Path, roll: Roll
) -> None:
    where = ",".join(host.name for host in fleet[:4])
    running = begin(lab, tmp_path, where, "start", "ch-four", "--yes", "--batch", "2", "--json")
    until(lambda: {active(lab, host, "ch-four") for host in fleet[:2]} == {"activating"})
    running.send_signal(signal.SIGTERM)
    out, err = running.communicate(timeout=30)
    assert running.returncode == 143
    results = [host["result"] for host in Run(143, out, err).document["hosts"]]
    assert results == ["changed"] * 2 + ["not-attempted"] * 2


def test_second_interrupt_ends_at_once_and_names_what_is_unknown(
    lab: Lab, fleet: list[Host], tmp_path: Path, roll: Roll
) -> None:
    where = ",".join(host.name for host in fleet[:3])
    running = begin(lab, tmp_path, where, "start", "ch-long", "--yes", "--batch", "2", "--json")
    until(lambda: {active(lab, host, "ch-long") for host in fleet[:2]} == {"activating"})
    running.send_signal(signal.SIGINT)
    assert running.stderr is not None
    assert "no more hosts" in running.stderr.readline()
    begun = time.monotonic()
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=30)
    assert time.monotonic() - begun < 10  # 30 s, were they waited for
    assert running.returncode == 130
    results = [host["result"] for host in Run(130, out, err).document["hosts"]]
    assert results == ["unknown", "unknown", "not-attempted"]
    told = history(tmp_path, "show", "last")["run"]["hosts"]
    assert [host["state"] for host in told] == ["unknown", "unknown", "not-attempted"]


def test_connection_that_breaks_is_made_again_and_the_truth_is_read(
    lab: Lab, fleet: list[Host], tmp_path: Path, roll: Roll
) -> None:
    host = fleet[0]
    running = begin(lab, tmp_path, host.name, "start", "ch-long", "--timeout", "30", "--json")
    until(lambda: active(lab, host, "ch-long") == "activating")
    lab.shell(host, ["sh", "-c", "pkill -KILL -f 'sshd: root'; sleep 0.2; systemctl stop ch-long"])
    out, err = running.communicate(timeout=40)
    (unit,) = Run(running.returncode, out, err).document["hosts"][0]["units"]
    assert "the connection broke" in unit["message"], unit
    assert unit["after"] is not None, "the new connection read nothing"


@pytest.mark.parametrize("back", [True, False], ids=["back", "gone"])
def test_what_is_open_when_the_connection_breaks_is_no_success(
    lab: Lab, fleet: list[Host], tmp_path: Path, roll: Roll, back: bool
) -> None:
    """The unit file is changed at once, and the stop takes 8 s, in which the login is lost."""
    host = fleet[0]
    lab.shell(host, ["sh", "-c", "systemctl enable --now --quiet ch-slow"], check=True)
    running = begin(lab, tmp_path, host.name, "disable", "--now", "ch-slow", "--json",
                    "--connect-timeout", "5")  # fmt: skip
    until(lambda: active(lab, host, "ch-slow") == "deactivating")
    cut = "pkill -KILL -f 'sshd: root'"
    lab.shell(host, ["sh", "-c", cut if back else f"systemctl stop ssh; {cut}"])
    try:
        out, err = running.communicate(timeout=40)
    finally:
        lab.shell(host, ["systemctl", "start", "ssh"], check=True)
    run = Run(running.returncode, out, err)
    (unit,) = run.document["hosts"][0]["units"]
    assert (run.exit, unit["result"]) == (1, "unknown"), unit
    assert ("its job is still under way" if back else "and again: connect-refused") in unit[
        "message"
    ]
    told = history(tmp_path, "show", "last")["run"]["hosts"][0]["changes"]
    assert [one["result"] for one in told] == ["unknown"]
    assert show(lab, host, "ch-slow", "UnitFileState") == ["disabled"]


def test_frozen_host_is_given_up_in_the_middle_of_a_job(
    lab: Lab, fleet: list[Host], tmp_path: Path, roll: Roll
) -> None:
    host = fleet[0]
    begun = time.monotonic()
    running = begin(lab, tmp_path, host.name, "start", "ch-long", "--connect-timeout", "2",
                    "--json")  # fmt: skip
    until(lambda: active(lab, host, "ch-long") == "activating")
    lab.shell(host, ["pkill", "-STOP", "sshd"])
    try:
        out, err = running.communicate(timeout=60)
    finally:
        lab.shell(host, ["pkill", "-CONT", "sshd"])
    assert time.monotonic() - begun < 25
    (unit,) = Run(running.returncode, out, err).document["hosts"][0]["units"]
    assert unit["result"] == "unknown"
    assert "the connection broke (deadline), and again: banner-timed-out" in unit["message"]


def test_two_runs_at_once_keep_one_history(
    lab: Lab, fleet: list[Host], tmp_path: Path, roll: Roll
) -> None:
    with ThreadPoolExecutor(3) as pool:
        runs = list(pool.map(
            lambda unit: roll("restart", unit, "--yes", "--settle", "0"),
            ["ch-good", "ch-other", "ch-part"],
        ))  # fmt: skip
    assert [run.exit for run in runs] == [0, 0, 0], [run.stdout + run.stderr for run in runs]
    told = history(tmp_path)["runs"]
    assert sorted(run["id"] for run in told) == [1, 2, 3]
    assert {run["state"] for run in told} == {"finished"}
    for number in "123":
        hosts = history(tmp_path, "show", number)["run"]["hosts"]
        assert [host["state"] for host in hosts] == ["changed"] * len(fleet)


def test_no_terminal_and_no_yes_changes_nothing(
    lab: Lab, fleet: list[Host], roll: Roll, tmp_path: Path
) -> None:
    before = invocations(lab, fleet)
    run = roll("restart", "ch-good")
    assert run.exit == 2
    assert "20 hosts would be changed" in run.stderr
    assert "--yes" in run.stderr
    assert invocations(lab, fleet) == before
    assert not (tmp_path / "state" / "psops" / "history.db").exists()


def test_verify_finds_what_a_change_has_made_worse(lab: Lab, tmp_path: Path) -> None:
    host = lab.wearing("testpoint")
    try:
        run = psops("stop", "-i", str(lab.inventory), "-H", host.name, "owamp-server", "--verify",
                    "--json", home=tmp_path)  # fmt: skip
        assert run.exit == 1
        units = {unit["unit"]: unit for unit in run.document["hosts"][0]["units"]}
        assert units["owamp-server.service"]["result"] == "changed"
        assert "owamp-server.service is not running" in units["bundle verify"]["message"]
    finally:
        lab.shell(host, ["systemctl", "start", "owamp-server"])


def test_one_connection_for_each_host(lab: Lab, fleet: list[Host], roll: Roll) -> None:
    host = fleet[0]
    since = "journalctl --unit=ssh --output=cat | grep -c 'Accepted publickey'"

    def logins() -> int:
        return int(lab.shell(host, ["sh", "-c", since]).stdout or 0)

    before = logins()
    run = roll("restart", "ch-good", "ch-bad", "--settle", "0", where=host.name)
    assert run.exit == 1, run.stdout
    until(lambda: logins() > before)
    assert logins() == before + 1


@pytest.mark.alone
def test_restart_takes_the_time_of_its_job_and_of_a_status(
    lab: Lab, fleet: list[Host], roll: Roll
) -> None:
    """The job of ch-quick is done in a few milliseconds, so the rest is what psops adds."""
    host = fleet[0].name
    roll("start", "ch-quick", where=host)

    def best(verb: str, *words: str) -> float:
        times = []
        for _ in range(7):
            begun = time.monotonic()
            assert roll(verb, "ch-quick", *words, where=host).exit == 0
            times.append(time.monotonic() - begun)
        return min(times)

    job = 0.05
    assert best("restart", "--settle", "0") < (best("status") + job) * 1.25


def test_journal_gets_a_line_for_each_host(lab: Lab, fleet: list[Host], roll: Roll) -> None:
    """The journal of a host of the lab stands for that of the machine where psops runs."""
    log = f"{fleet[5].root}/run/systemd/journal/dev-log"
    command = "journalctl --identifier=psops --output=cat"

    def lines() -> list[str]:
        return lab.shell(fleet[5], ["sh", "-c", command]).stdout.splitlines()

    before = len(lines())
    two = f"{fleet[0].name},{fleet[1].name}"
    run = roll("restart", "ch-other", "--yes", "--settle", "0", where=two, PSOPS_SYSLOG=log)
    assert run.exit == 0
    until(lambda: len(lines()) >= before + 3)
    assert sorted(lines()[before:]) == [
        f"run 1: restart ch-other.service on {fleet[0].name}: changed",
        f"run 1: restart ch-other.service on {fleet[1].name}: changed",
        f"run 1: restart ch-other.service on {fleet[0].name[:-3]}[001-002]: begun",
    ]
