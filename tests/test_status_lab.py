"""`psops status` against what systemctl says on the same real hosts."""

from pathlib import Path

import pytest

from tests.command import on_lab
from tests.lab import DRESSES, Host, Lab

pytestmark = pytest.mark.lab

_SHOWN = {
    "id": "Id",
    "load_state": "LoadState",
    "active_state": "ActiveState",
    "sub_state": "SubState",
    "unit_file_state": "UnitFileState",
    "description": "Description",
    "main_pid": "MainPID",
}
#: States that go back and forth by themselves: a crash loop between two starts.
_RESTLESS = ("psops-crash.service",)


def _shown_by_systemctl(lab: Lab, host: Host, names: list[str]) -> list[dict[str, str]]:
    properties = ",".join(_SHOWN.values())
    text = lab.shell(host, ["systemctl", "show", f"--property={properties}", "--", *names]).stdout
    blocks = [block for block in text.strip().split("\n\n") if block]
    assert len(blocks) == len(names)
    return [dict(line.split("=", 1) for line in block.splitlines()) for block in blocks]


def _unit_files(lab: Lab, host: Host) -> list[str]:
    listed = lab.shell(host, ["systemctl", "list-unit-files", "--no-legend", "--no-pager"]).stdout
    names = [line.split()[0] for line in listed.splitlines()]
    return [name for name in names if "@." not in name]  # a template is no unit


@pytest.mark.parametrize("dress", sorted(dress.name for dress in DRESSES))
def test_every_unit_file_of_every_dress_is_read_as_systemctl_reads_it(
    lab: Lab, tmp_path: Path, dress: str
) -> None:
    host = lab.wearing(dress)
    names = [name for name in _unit_files(lab, host) if name not in _RESTLESS]
    assert len(names) > 60
    run = on_lab(lab, tmp_path, "-H", host.name, "--json", *names)
    (answer,) = run.document["hosts"]
    units = {unit["name"]: unit for unit in answer["units"]}
    for name, shown in zip(names, _shown_by_systemctl(lab, host, names), strict=True):
        told = {key: str(units[name][key] or "") for key in _SHOWN}
        wanted = {key: shown.get(prop, "") for key, prop in _SHOWN.items()}
        wanted["main_pid"] = wanted["main_pid"].replace("0", "", wanted["main_pid"] == "0")
        assert told == wanted, name


@pytest.mark.parametrize(
    ("login", "options"),
    [("root", ()), ("plain", ()), ("ops", ()), ("ops", ("--sudo",)), ("root", ("--sudo",))],
)
def test_every_user_reads_the_same(
    lab: Lab, tmp_path: Path, login: str, options: tuple[str, ...]
) -> None:
    names = ["psops-oneshot", "psops-fail", "psops-aka", "psops-timer.timer", "psops-masked"]
    run = on_lab(lab, tmp_path, "-H", f"{login}@lab001", *options, "--json", *names)
    (answer,) = run.document["hosts"]
    assert answer["error"] is None
    states = [
        (u["id"], u["load_state"], u["active_state"], u["sub_state"]) for u in answer["units"]
    ]
    assert states == [
        ("psops-oneshot.service", "loaded", "active", "exited"),
        ("psops-fail.service", "loaded", "failed", "failed"),
        ("psops-alias.service", "loaded", "active", "running"),
        ("psops-timer.timer", "loaded", "active", "waiting"),
        ("psops-masked.service", "masked", "inactive", "dead"),
    ]


def test_all_hosts_answer_in_the_order_of_the_inventory(lab: Lab, tmp_path: Path) -> None:
    run = on_lab(lab, tmp_path, "-a", "--json", "dbus")
    assert [host["host"] for host in run.document["hosts"]] == [host.name for host in lab.hosts]
    assert all(host["error"] is None for host in run.document["hosts"])
    assert run.exit == 0


def test_without_units_the_failed_and_the_crash_looping_ones_are_shown(
    lab: Lab, tmp_path: Path
) -> None:
    run = on_lab(lab, tmp_path, "-H", "lab001", "--json")
    (answer,) = run.document["hosts"]
    assert answer["state"] == "degraded"
    assert answer["units_by_state"]["failed"] == 1
    found = {unit["id"]: unit for unit in answer["units"]}
    failed = found.pop("psops-fail.service")
    assert (failed["result"], failed["exit_status"]) == ("exit-code", 3)
    # The crash loop is between two starts most of the time, and starting at times.
    assert set(found) <= {"psops-crash.service"}
    assert run.exit == 1


def test_one_failed_unit_is_shown_with_its_last_words(lab: Lab, tmp_path: Path) -> None:
    run = on_lab(lab, tmp_path, "-H", "lab001", "psops-fail")
    assert "failed (failed) since " in run.stdout
    assert "exit-code 3" in run.stdout
    assert "no such table: runs" in run.stdout
    assert run.exit == 3


def test_a_user_who_may_not_read_the_journal_is_told_so(lab: Lab, tmp_path: Path) -> None:
    run = on_lab(lab, tmp_path, "-H", "plain@lab001", "psops-fail")
    assert "group systemd-journal" in run.stdout
    assert run.exit == 3


def test_failed_units_of_many_hosts_come_with_log_lines_when_asked(
    lab: Lab, tmp_path: Path
) -> None:
    run = on_lab(lab, tmp_path, "-H", "lab[001-003]", "--failed", "-n", "3", "--no-fold")
    assert run.stdout.count("Failed with result 'exit-code'") == 3
    assert "lab002 psops-fail.service:" in run.stdout


def test_hosts_with_the_same_answer_are_folded_beyond_eight(lab: Lab, tmp_path: Path) -> None:
    run = on_lab(lab, tmp_path, "-a", "dbus", "psops-fail")
    lines = run.stdout.splitlines()
    last = lab.hosts[-1].name.removeprefix("lab")
    assert any("dbus.service" in line and f"lab[001-{last}]" in line for line in lines)
    assert run.stdout.count("psops-fail.service") == 1


def test_globs_types_and_states_choose_units(lab: Lab, tmp_path: Path) -> None:
    run = on_lab(lab, tmp_path, "-H", "lab001", "--json", "-t", "timer,socket", "psops-*")
    (answer,) = run.document["hosts"]
    assert [unit["id"] for unit in answer["units"]] == ["psops-socket.socket", "psops-timer.timer"]
    run = on_lab(lab, tmp_path, "-H", "lab001", "--json", "--state", "exited", "psops-*")
    (answer,) = run.document["hosts"]
    assert {unit["sub_state"] for unit in answer["units"]} == {"exited"}
    run = on_lab(lab, tmp_path, "-H", "lab001", "nothing-like-*")
    assert (run.exit, "no unit matches" in run.stdout) == (4, True)


def test_only_the_properties_asked_for_are_shown(lab: Lab, tmp_path: Path) -> None:
    wanted = "NRestarts,PartOf,ExecMainStartTimestamp,Environment,Description"
    run = on_lab(lab, tmp_path, "-H", "lab001", "--json", "-p", wanted, "ssh", "psops-timer.timer")
    (answer,) = run.document["hosts"]
    service, timer = (unit["properties"] for unit in answer["units"])
    assert set(service) == set(wanted.split(","))
    assert service["NRestarts"] == 0
    assert service["Description"] == "OpenBSD Secure Shell server"
    assert timer["NRestarts"] is None  # a timer has none


@pytest.mark.parametrize(
    ("units", "code"),
    [
        (["dbus", "ssh"], 0),
        (["dbus", "psops-fail"], 3),
        (["psops-fail", "no-such-unit"], 4),
        (["psops-masked"], 3),
        (["psops-slow"], 3),
    ],
)
def test_the_exit_code_tells_running_stopped_and_unknown_apart(
    lab: Lab, tmp_path: Path, units: list[str], code: int
) -> None:
    assert on_lab(lab, tmp_path, "-H", "lab001", *units).exit == code
