"""`--retry-failed`: the same hosts by the same way, and there only what was not done."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from psops.history import Done, Entry, History
from tests.command import Run, psops
from tests.ports import free_port

OWAMP, TWAMP = "owamp-server.service", "twamp-server.service"
#: One that the demo hosts have loaded and inactive.
IDLE = "emergency.service"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a home, with two directories to be in, the first of them now."""
    for name in ("here", "there"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path


@pytest.fixture
def again(home: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Run]:
    """Give what does the last run of a verb again, in the other directory."""

    def call(line: str = "restart", **variables: str) -> Run:
        monkeypatch.chdir(home / "there")
        verb, *words = line.split()
        return psops(verb, "--retry-failed", "--yes", "--json", *words, home=home, **variables)

    return call


def asked(home: Path) -> dict[str, Any]:
    """Return what the last run was asked for."""
    shown = psops("history", "show", "last", "--json", home=home).document["run"]["request"]
    assert isinstance(shown, dict)
    return shown


def ssh_config(path: Path) -> int:
    """Write a configuration that leads every host to a closed port, and return that."""
    port = free_port()
    path.write_text(f"Host *\n HostName 127.0.0.1\n Port {port}\n")
    return port


def message(run: Run) -> str:
    """Return why the only host could not be reached."""
    (host,) = run.document["hosts"]
    return str(host["error"]["message"])


# -- the way there ------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["-i inv.toml", "PSOPS_INVENTORY", "default"])
def test_hosts_are_reached_as_they_were(home: Path, again: Callable[..., Run], how: str) -> None:
    default = home / ".config/psops/inventory.toml"
    default.parent.mkdir(parents=True)
    path = default if how == "default" else Path("inv.toml").absolute()
    path.write_text("[hosts.a]\nport = 1\n")
    port = ssh_config(Path("ssh.conf"))
    path.write_text("[hosts.a]\n")
    variables = {"PSOPS_INVENTORY": "inv.toml"} if how == "PSOPS_INVENTORY" else {}
    option = how.split() if how.startswith("-i") else []
    first = psops("restart", "x", "-H", "a", *option, "-F", "ssh.conf", "--connect-timeout", "3",
                  "--json", home=home, **variables)  # fmt: skip
    assert f"127.0.0.1 port {port}" in message(first)
    told = asked(home)
    other = home / "other.toml"
    other.write_text("[hosts.a]\naddress = '127.0.0.2'\n")
    for number in (1, 2):
        run = again(PSOPS_INVENTORY=str(other))
        assert f"again from run {number}: restart on 1 of 1 hosts" in run.stderr
        assert message(run) == message(first)
        assert asked(home) == told
    assert (told["inventory"], told["connect_timeout"]) == (str(path), 3.0)
    assert told["ssh_config"] == str(home / "here/ssh.conf")


def test_what_is_said_again_of_the_way_is_stronger(home: Path, again: Callable[..., Run]) -> None:
    Path("inv.toml").write_text("[hosts.a]\n")
    ssh_config(Path("ssh.conf"))
    psops("restart", "x", "-H", "a", "-i", "inv.toml", "-F", "ssh.conf", "--settle", "1",
          home=home)  # fmt: skip
    port = ssh_config(home / "there/new.conf")
    (home / "there/new.toml").write_text("[hosts.a]\n")
    run = again("restart -F new.conf -i new.toml --connect-timeout 4 --settle 3 --timeout 7 "
                "--verify")  # fmt: skip
    assert f"127.0.0.1 port {port}" in message(run)
    assert asked(home) == {
        "names": ["x.service"], "settle": 3.0, "job_timeout": 7.0, "verify": True,
        "inventory": str(home / "there/new.toml"), "connect_timeout": 4.0,
        "ssh_config": str(home / "there/new.conf"),
    }  # fmt: skip


def test_the_bus_of_a_user_is_kept(home: Path, again: Callable[..., Run]) -> None:
    bus = {"DBUS_SESSION_BUS_ADDRESS": f"unix:path={home}/no-bus"}
    psops("restart", "x", "--user", home=home, **bus)
    assert f"{home}/no-bus" in message(again(**bus))
    assert asked(home) == {"names": ["x.service"], "user_bus": True}
    run = again("restart --sudo", **bus)
    assert (run.exit, "not with --sudo" in run.stderr) == (2, True)


def test_sudo_is_kept(home: Path, again: Callable[..., Run]) -> None:
    inventory = home / "inventory.toml"
    inventory.write_text("[hosts.a]\naddress = '127.0.0.1'\nport = 1\n")
    psops("stop", "x", "-H", "a", "-i", str(inventory), "--sudo", home=home)
    again("stop")
    assert asked(home) == {"names": ["x.service"], "sudo": True, "inventory": str(inventory)}


def test_a_container_is_no_host_of_its_name(home: Path, again: Callable[..., Run]) -> None:
    inventory = home / ".config/psops/inventory.toml"
    inventory.parent.mkdir(parents=True)
    inventory.write_text("[hosts.web1]\naddress = '127.0.0.1'\nport = 1\n")
    first = psops("restart", "x", "-M", "web1", "--json", home=home)
    assert message(again()) == message(first)
    assert "127.0.0.1" not in message(first)
    run = psops("restart", "x", "-H", "@failed", "--json", home=home)
    assert message(run) == message(first)


def test_a_host_is_no_container_of_its_name(home: Path, again: Callable[..., Run]) -> None:
    inventory = home / "inventory.toml"
    inventory.write_text("[hosts.web1]\naddress = '127.0.0.1'\nport = 1\n")
    line = ["restart", "x", "-H", "web1", "-i", str(inventory), "--json"]
    first = psops(*line, home=home)
    inventory.write_text("[hosts.web1]\ntransport = 'container'\n")
    assert message(again()) == message(first)
    inventory.write_text("[hosts.web1]\naddress = '127.0.0.1'\nport = 2\ntransport = 'openssh'\n")
    assert message(again()) != message(first), "the inventory knows better, of the same host"


def test_a_user_and_a_port_of_the_command_line_are_kept(
    home: Path, again: Callable[..., Run]
) -> None:
    inventory = home / "inventory.toml"
    inventory.write_text("[hosts.a]\naddress = '127.0.0.1'\nport = 1\nuser = 'u'\n")
    port = free_port()
    first = psops("restart", "x", "-H", f"me@a:{port}", "-i", str(inventory), "--json", home=home)
    assert f"127.0.0.1 port {port}" in message(first)
    inventory.write_text("[hosts.a]\naddress = '127.0.0.2'\nport = 2\n")
    for _ in range(2):
        assert f"127.0.0.2 port {port}" in message(again())
        (host,) = psops("history", "show", "last", "--json", home=home).document["run"]["hosts"]
        assert host["reach"]["user"] == "me"


def test_an_inventory_that_is_gone_is_named(home: Path, again: Callable[..., Run]) -> None:
    inventory = home / "inventory.toml"
    inventory.write_text("[hosts.a]\naddress = '127.0.0.1'\nport = 1\n")
    psops("restart", "x", "-H", "a", "-i", str(inventory), home=home)
    inventory.rename(home / "moved.toml")
    run = again()
    assert run.exit == 78
    assert f"{inventory}: no such file, and run 1 took its hosts from there" in run.stderr
    assert again(f"restart -i {home / 'moved.toml'}").exit == 69


def test_this_host_is_not_the_same_one_elsewhere(home: Path, again: Callable[..., Run]) -> None:
    with closing(history(home)) as record:
        begin(record, {"names": [OWAMP]}, ("localhost", {"transport": "local"}))
    with sqlite3.connect(home / "state/psops/history.db") as file:
        file.execute("UPDATE runs SET psops_host = 'elsewhere'")
    run = again()
    assert run.exit == 2
    assert "run 1 changed what is on elsewhere, and this is another host" in run.stderr


@pytest.mark.parametrize("option", ["--only", "--job-mode replace", "--no-block", "--user"])
def test_what_only_the_run_can_say_is_refused(
    home: Path, again: Callable[..., Run], option: str
) -> None:
    psops("restart", OWAMP, "-i", "demo", "-H", "node02.demo", home=home)
    run = again(f"restart {option}")
    name = option.split()[0]
    assert run.exit == 2
    assert run.stderr == f"psops: --retry-failed takes {name} from the last run\n"


@pytest.mark.parametrize(
    "line",
    ["enable --now", "enable --runtime", "kill --signal TERM", "kill -s 15", "kill --kill-whom all",
     "restart owamp-server", "restart -a", "restart -x a", "restart -M web", "restart -g a",
     "restart --bundle testpoint"],
)  # fmt: skip
def test_so_it_is_for_every_verb(home: Path, again: Callable[..., Run], line: str) -> None:
    psops(line.split()[0], OWAMP, "-i", "demo", "-H", "node02.demo", home=home)
    run = again(line)
    assert run.exit == 2
    assert "--retry-failed takes " in run.stderr


# -- what is done there -------------------------------------------------------------------


def history(home: Path) -> History:
    return History.open(home / "state/psops/history.db")


def begin(
    record: History, request: dict[str, Any], *hosts: tuple[str, dict[str, Any]],
    verb: str = "restart",
) -> int:  # fmt: skip
    return record.begin(verb=verb, request=request, hosts=hosts)


def left(
    home: Path, request: dict[str, Any], *, verb: str = "restart", **results: dict[str, str]
) -> None:
    """Write the record of a run over demo hosts, with the result of each unit there."""
    with closing(history(home)) as record:
        names = [f"{host}.demo" for host in results]
        run = begin(record, request | {"inventory": "demo"},
                    *((name, {"transport": "demo"}) for name in names), verb=verb)  # fmt: skip
        for name, units in zip(names, results.values(), strict=True):
            if units:
                record.begin_host(run, name, [Entry(name, unit, "") for unit in units])
                done = [Done(unit, result, "", "", 0.0) for unit, result in units.items()
                        if result != "pending"]  # fmt: skip
                state = "failed" if "failed" in units.values() else "changed"
                if done:
                    record.end_host(run, name, state, "", done)
        record.end(run, 1)


def told(run: Run) -> dict[str, dict[str, str]]:
    """Return the results of a run, by host and unit."""
    return {
        host["host"].partition(".")[0]: {
            unit["unit"]: unit["result"] for unit in host.get("units", ())
        }
        for host in run.document["hosts"]
    }


def calls(run: Run) -> list[tuple[str, ...]]:
    """Return the calls of a dry run on the only host."""
    (host,) = run.document["hosts"]
    return [(call["method"], *call["arguments"]) for call in host["calls"]]


def test_units_that_were_done_are_left_alone(home: Path, again: Callable[..., Run]) -> None:
    psops("restart", "-i", "demo", "-H", "ps02.demo,ps04.demo", "--yes", OWAMP,
          "postgresql@15-main", home=home)  # fmt: skip
    for _ in range(2):
        run = again()
        assert told(run) == {"ps02": {"postgresql@15-main.service": "failed", OWAMP: "unchanged"}}
        (unit,) = [unit for unit in run.document["hosts"][0]["units"] if unit["unit"] == OWAMP]
        assert unit["message"] == "was done by an earlier run"
    assert calls(again("restart --dry-run")) == [
        ("EnqueueUnitJob", "postgresql@15-main.service", "restart", "replace")
    ]


def test_each_host_has_units_of_its_own_left(home: Path, again: Callable[..., Run]) -> None:
    left(home, {"names": [OWAMP, TWAMP]}, ps01={OWAMP: "changed", TWAMP: "failed"},
         ps02={OWAMP: "unknown", TWAMP: "unchanged"}, ps03={},
         ps04={OWAMP: "pending", TWAMP: "pending"},
         toolkit01={OWAMP: "changed", TWAMP: "changed"})  # fmt: skip
    assert told(again()) == {
        "ps01": {OWAMP: "unchanged", TWAMP: "changed"},
        "ps02": {OWAMP: "changed", TWAMP: "unchanged"},
        "ps03": {OWAMP: "changed", TWAMP: "changed"},
        "ps04": {OWAMP: "changed", TWAMP: "changed"},
    }


def test_what_was_skipped_is_looked_at_again(home: Path, again: Callable[..., Run]) -> None:
    left(home, {"names": [OWAMP, TWAMP]}, ps01={OWAMP: "skipped", TWAMP: "failed"})
    assert told(again()) == {"ps01": {OWAMP: "changed", TWAMP: "changed"}}


def test_what_is_done_is_known_over_runs_that_reached_nothing(
    home: Path, again: Callable[..., Run]
) -> None:
    """node02 of the demo fleet does not answer."""
    results = {OWAMP: "changed", TWAMP: "failed"}
    left(home, {"names": [OWAMP, TWAMP]}, node02=results, ps01=results)
    run = again()
    assert told(run)["ps01"] == {OWAMP: "unchanged", TWAMP: "changed"}
    shown = psops("history", "show", "last", "--json", home=home).document["run"]
    assert [host["host"] for host in shown["hosts"] if host["state"] == "failed"] == ["node02.demo"]
    with sqlite3.connect(home / "state/psops/history.db") as file:  # it answers by now
        file.execute("UPDATE hosts SET name = 'ps04.demo' WHERE name = 'node02.demo'")
    assert told(again()) == {"ps04": {OWAMP: "unchanged", TWAMP: "changed"}}


@pytest.mark.parametrize(
    "request_", [{"globs": ["[ot]wamp-server.service"]}, {"bundle": "perfsonar-testpoint"}]
)
def test_of_globs_and_bundles_only_what_was_done_is_left_out(
    home: Path, again: Callable[..., Run], request_: dict[str, Any]
) -> None:
    left(home, request_, ps01={OWAMP: "changed", TWAMP: "failed"})
    results = told(again())["ps01"]
    assert results.pop(OWAMP) == "unchanged"
    assert results.pop(TWAMP) == "changed"
    assert set(results.values()) - {"skipped"} == ({"changed"} if "bundle" in request_ else set())


def test_a_glob_that_now_matches_nothing_else_is_no_failure(
    home: Path, again: Callable[..., Run]
) -> None:
    left(home, {"globs": ["emergenc[y].service"]}, ps01={IDLE: "unknown"})
    assert told(again()) == {"ps01": {IDLE: "changed"}}


def test_what_came_along_and_failed_is_done_again(home: Path, again: Callable[..., Run]) -> None:
    """A unit that came along and runs by now needs nothing."""
    left(home, {"names": [OWAMP]}, ps01={OWAMP: "changed", IDLE: "failed", TWAMP: "failed"})
    assert told(again()) == {"ps01": {OWAMP: "unchanged", IDLE: "changed", TWAMP: "unchanged"}}


def test_only_leaves_what_came_along(home: Path, again: Callable[..., Run]) -> None:
    left(home, {"names": [OWAMP], "only": True}, ps01={OWAMP: "changed", IDLE: "failed"})
    assert told(again()) == {"ps01": {OWAMP: "unchanged"}}


def test_unit_files_are_changed_of_no_unit_that_only_came_along(
    home: Path, again: Callable[..., Run]
) -> None:
    left(home, {"names": [OWAMP], "now": True}, verb="mask",
         ps01={OWAMP: "changed", TWAMP: "failed"})  # fmt: skip
    assert [call[:2] for call in calls(again("mask --dry-run"))] == [
        ("MaskUnitFiles", OWAMP), ("Reload",), ("EnqueueUnitJob", OWAMP),
    ]  # fmt: skip


@pytest.mark.parametrize("whole", ["bundle verify", "systemd"])
def test_a_failure_of_the_host_as_a_whole_repeats_it(
    home: Path, again: Callable[..., Run], whole: str
) -> None:
    left(home, {"names": [OWAMP, TWAMP]},
         ps01={OWAMP: "changed", TWAMP: "changed", whole: "failed"})  # fmt: skip
    assert told(again()) == {"ps01": {OWAMP: "changed", TWAMP: "changed"}}


@pytest.mark.parametrize("inventory", ["demo", ""])
def test_records_of_an_older_psops_are_read(
    home: Path, again: Callable[..., Run], inventory: str
) -> None:
    with closing(history(home)) as record:
        reach = {"address": None, "user": None, "port": None, "jump": None, "transport": "demo",
                 "sudo": False}  # fmt: skip
        number = begin(record, {"names": [OWAMP], "inventory": inventory}, ("ps01.demo", reach))
        record.end(number, 1)
    assert told(again(PSOPS_INVENTORY="demo")) == {"ps01": {OWAMP: "changed"}}
    assert asked(home)["inventory"] == "demo"
