"""Each verb on a real host; what it did is asked of systemd there, not of psops."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.change.units import active, show, until
from tests.command import Run
from tests.lab import Host, Lab

pytestmark = pytest.mark.lab

Change = Callable[..., Run]


def unit_of(run: Run, unit: str) -> dict[str, Any]:
    """Return what a run in JSON says of one unit."""
    units = run.document["hosts"][0]["units"]
    return next(one for one in units if one["unit"] == unit)


def run_it(lab: Lab, host: Host, *units: str) -> None:
    lab.shell(host, ["systemctl", "start", *units], check=True)


def jobs_since(lab: Lab, host: Host, unit: str) -> str:
    return show(lab, host, unit, "InvocationID")[0]


def test_start_and_stop(lab: Lab, host: Host, change: Change) -> None:
    started = change("start", "ch-good", "--json")
    assert started.exit == 0
    assert active(lab, host, "ch-good") == "active"
    told = unit_of(started, "ch-good.service")
    assert (told["result"], told["before"]["active_state"], told["after"]["active_state"]) == (
        "changed", "inactive", "active",
    )  # fmt: skip
    assert change("stop", "ch-good").exit == 0
    assert active(lab, host, "ch-good") == "inactive"


@pytest.mark.parametrize("verb", ["start", "stop", "try-restart", "reset-failed", "unmask",
                                  "disable", "kill"])  # fmt: skip
def test_what_is_so_already_is_left_alone(lab: Lab, host: Host, change: Change, verb: str) -> None:
    if verb == "start":
        run_it(lab, host, "ch-good")
    before = show(lab, host, "ch-good", "InvocationID", "StateChangeTimestampMonotonic", "Job")
    run = change(verb, "ch-good", "--json")
    assert run.exit == 0
    assert unit_of(run, "ch-good.service")["result"] == "unchanged"
    assert show(lab, host, "ch-good", "InvocationID", "StateChangeTimestampMonotonic",
                "Job") == before  # fmt: skip


@pytest.mark.parametrize("verb", ["restart", "try-restart", "reload-or-restart"])
def test_restarts(lab: Lab, host: Host, change: Change, verb: str) -> None:
    run_it(lab, host, "ch-good")
    before = jobs_since(lab, host, "ch-good")
    run = change(verb, "ch-good", "--json")
    assert (run.exit, unit_of(run, "ch-good.service")["result"]) == (0, "changed")
    assert jobs_since(lab, host, "ch-good") != before
    assert active(lab, host, "ch-good") == "active"


def test_restart_starts_what_is_stopped(lab: Lab, host: Host, change: Change) -> None:
    assert change("restart", "ch-other").exit == 0
    assert active(lab, host, "ch-other") == "active"


@pytest.mark.parametrize("verb", ["reload", "reload-or-restart"])
def test_reload(lab: Lab, host: Host, change: Change, verb: str) -> None:
    run_it(lab, host, "ch-reload")
    lab.shell(host, ["rm", "-f", "/run/ch-reloaded"])
    before = jobs_since(lab, host, "ch-reload")
    assert change(verb, "ch-reload").exit == 0
    assert lab.shell(host, ["test", "-e", "/run/ch-reloaded"]).returncode == 0
    assert jobs_since(lab, host, "ch-reload") == before


def test_reload_of_what_had_crashed_before(lab: Lab, host: Host, change: Change) -> None:
    lab.shell(host, ["sh", "-c", "systemctl start ch-reload; systemctl kill -s KILL ch-reload"])
    until(lambda: show(lab, host, "ch-reload", "NRestarts", "ActiveState") == ["1", "active"])
    assert change("reload-or-restart", "ch-reload").exit == 0
    run = change("restart", "ch-reload", settle="0.5")
    assert run.exit == 0, run.stdout


def test_reload_of_what_cannot(lab: Lab, host: Host, change: Change) -> None:
    run_it(lab, host, "ch-good")
    run = change("reload", "ch-good")
    assert run.exit == 1
    assert "cannot reload its configuration" in run.stdout
    assert f"psops restart -i {lab.inventory} -H {host.name} ch-good.service" in run.stdout
    run = change("reload", "ch-other")
    assert "only what runs can reload" in run.stdout


def test_enable_disable_and_now(lab: Lab, host: Host, change: Change) -> None:
    run = change("enable", "ch-good", "--json")
    assert unit_of(run, "ch-good.service")["after"]["unit_file_state"] == "enabled"
    assert show(lab, host, "ch-good", "UnitFileState", "ActiveState") == ["enabled", "inactive"]
    assert unit_of(change("enable", "ch-good", "--json"), "ch-good.service")["result"] == (
        "unchanged"
    )
    assert change("enable", "--now", "ch-good").exit == 0
    assert active(lab, host, "ch-good") == "active"
    assert change("reenable", "ch-good").exit == 0
    assert change("disable", "--now", "ch-good").exit == 0
    assert show(lab, host, "ch-good", "UnitFileState", "ActiveState") == ["disabled", "inactive"]


def test_enable_for_this_boot_only(lab: Lab, host: Host, change: Change) -> None:
    assert change("enable", "--runtime", "ch-other").exit == 0
    assert show(lab, host, "ch-other", "UnitFileState") == ["enabled-runtime"]
    assert change("disable", "--runtime", "ch-other").exit == 0
    assert show(lab, host, "ch-other", "UnitFileState") == ["disabled"]


def test_an_instance_of_a_template(lab: Lab, host: Host, change: Change) -> None:
    assert change("enable", "--now", "ch-many@one").exit == 0
    assert show(lab, host, "ch-many@one", "UnitFileState", "ActiveState") == ["enabled", "active"]
    assert change("disable", "--now", "ch-many@one").exit == 0
    assert show(lab, host, "ch-many@one", "ActiveState") == ["inactive"]


def test_mask_and_unmask(lab: Lab, host: Host, change: Change) -> None:
    unit = "psops-once.service"
    assert change("mask", "nobody-has-this").exit == 4
    run = change("mask", "--now", unit, "--json")
    assert (run.exit, unit_of(run, unit)["result"]) == (0, "changed"), run.stdout
    try:
        assert show(lab, host, unit, "LoadState") == ["masked"]
        refused = change("start", unit)
        assert refused.exit == 1
        assert "is masked: nothing can start it" in refused.stdout
        assert f"psops unmask -i {lab.inventory} -H {host.name} {unit}" in refused.stdout
        assert unit_of(change("mask", unit, "--json"), unit)["result"] == "unchanged"
    finally:
        assert change("unmask", unit).exit == 0
    assert show(lab, host, unit, "LoadState") == ["loaded"]


def test_mask_of_a_file_that_is_in_the_way(host: Host, change: Change) -> None:
    run = change("mask", "ch-good")
    assert run.exit == 1
    assert "has a file of its own in /etc/systemd/system, which is in the way" in run.stdout


def test_static_unit_is_skipped_by_enable(host: Host, change: Change) -> None:
    run = change("enable", "ch-once", "--json")
    assert (run.exit, unit_of(run, "ch-once.service")["result"]) == (0, "skipped")


def test_reset_failed(lab: Lab, host: Host, change: Change) -> None:
    lab.shell(host, ["systemctl", "start", "ch-bad"])
    assert active(lab, host, "ch-bad") == "failed"
    assert change("reset-failed", "ch-bad").exit == 0
    assert active(lab, host, "ch-bad") == "inactive"


def test_kill(lab: Lab, host: Host, change: Change) -> None:
    run_it(lab, host, "ch-good")
    assert change("kill", "--signal", "KILL", "ch-good").exit == 0
    lab.shell(host, ["sh", "-c", "for i in 1 2 3 4 5 6 7 8 9; do "
                     "systemctl is-active -q ch-good || exit 0; sleep 0.1; done"])  # fmt: skip
    assert show(lab, host, "ch-good", "Result", "ExecMainStatus") == ["signal", "9"]


def test_daemon_reload(lab: Lab, host: Host, change: Change) -> None:
    path = f"{host.root}/etc/systemd/system/ch-other.service"
    run_it(lab, host, "ch-other")  # what is not loaded is read anew anyway
    with open(path, "a", encoding="utf-8") as file:
        file.write("[Unit]\nDescription=written anew\n")
    assert show(lab, host, "ch-other", "NeedDaemonReload") == ["yes"]
    assert change("daemon-reload").exit == 0
    assert show(lab, host, "ch-other", "NeedDaemonReload", "Description") == ["no", "written anew"]


def test_a_glob_means_the_loaded_units(lab: Lab, host: Host, change: Change) -> None:
    run_it(lab, host, "ch-good", "ch-other")
    run = change("stop", "ch-[go]*", "--json")
    assert run.exit == 0
    assert active(lab, host, "ch-good") == active(lab, host, "ch-other") == "inactive"
    nothing = change("stop", "ch-nothing*")
    assert (nothing.exit, "matches no unit" in nothing.stdout) == (4, True)


@pytest.mark.parametrize("verb", ["restart", "try-restart", "reload-or-restart", "stop", "kill",
                                  "reset-failed", "reload"])  # fmt: skip
def test_a_glob_means_the_units_that_systemctl_lists(
    lab: Lab, host: Host, change: Change, verb: str
) -> None:
    """One runs, one has failed, one is loaded for another and inactive, one is not there."""
    place = "/run/systemd/system/ch-other.service.d"
    run_it(lab, host, "ch-reload")
    lab.shell(host, ["systemctl", "start", "ch-bad"])
    lab.shell(host, ["sh", "-c", f"mkdir -p {place}; printf '[Unit]\\nWants=ch-absent.service\\n"
                     f"After=ch-once.service\\n' > {place}/more.conf; systemctl daemon-reload"],
              check=True)  # fmt: skip
    run_it(lab, host, "ch-other")
    listed = ["systemctl", "list-units", "--plain", "--no-legend", "ch-*"]
    names = [line.split()[0] for line in lab.shell(host, listed, check=True).stdout.splitlines()]
    assert {"ch-bad.service", "ch-other.service", "ch-reload.service"} <= set(names)
    run = change(verb, "ch-*", "--json")
    lab.shell(host, ["sh", "-c", f"rm -r {place}; systemctl daemon-reload"])
    told = {unit["unit"] for unit in run.document["hosts"][0]["units"] if not unit["because"]}
    assert told == set(names)


def test_no_block(lab: Lab, host: Host, change: Change) -> None:
    run = change("start", "--no-block", "ch-four", "--json")
    assert unit_of(run, "ch-four.service")["message"] == "its job is queued"
    assert active(lab, host, "ch-four") == "activating"


def test_dry_run_changes_nothing(lab: Lab, host: Host, change: Change) -> None:
    run = change("enable", "--now", "ch-good", "--dry-run")
    assert run.exit == 0
    lines = [line.strip() for line in run.stdout.splitlines()]
    assert lines[:4] == [
        f"{host.name}:",
        "EnableUnitFiles ch-good.service false false",
        "Reload  (if files were changed)",
        "EnqueueUnitJob ch-good.service start replace",
    ]
    assert show(lab, host, "ch-good", "UnitFileState", "ActiveState") == ["disabled", "inactive"]


def test_what_stopped_with_a_unit_is_brought_back(lab: Lab, host: Host, change: Change) -> None:
    lab.shell(host, ["systemctl", "enable", "--now", "--quiet", "ch-part", "ch-good"], check=True)
    stopped = change("stop", "ch-good", "--json")
    assert unit_of(stopped, "ch-part.service")["because"] == "ch-good.service"
    assert active(lab, host, "ch-part") == "inactive"
    # systemd itself leaves it where it is.
    run_it(lab, host, "ch-good")
    assert active(lab, host, "ch-part") == "inactive"
    started = change("start", "ch-good", "--json")
    assert unit_of(started, "ch-good.service")["result"] == "unchanged"
    assert unit_of(started, "ch-part.service")["result"] == "changed"
    assert active(lab, host, "ch-part") == "active"


@pytest.mark.parametrize("how", ["stopped before by itself", "disabled", "--only"])
def test_what_was_down_for_another_reason_is_left_down(
    lab: Lab, host: Host, change: Change, how: str
) -> None:
    lab.shell(host, ["systemctl", "enable", "--now", "--quiet", "ch-part", "ch-good"], check=True)
    if how.startswith("stopped"):
        lab.shell(host, ["sh", "-c", "systemctl stop ch-part; sleep 6"], check=True)
    if how == "disabled":
        lab.shell(host, ["systemctl", "disable", "--quiet", "ch-part"], check=True)
    assert change("stop", "ch-good").exit == 0
    assert change("start", "ch-good", *(["--only"] if how == "--only" else [])).exit == 0
    assert active(lab, host, "ch-part") == "inactive"
