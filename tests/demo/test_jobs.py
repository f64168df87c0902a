"""Demo hosts do jobs as systemd does: replies, signals, states, what comes along."""

from dataclasses import replace
from typing import Any

import pytest

from psops.demo import hosts, journal, ports
from psops.demo.jobs import plan
from psops.demo.machine import Machine
from psops.demo.numbers import of_host
from psops.demo.profile import profile
from psops.errors import BusError, ConnectRefused
from psops.inventory import Host
from psops.systemd import codec, manager
from psops.systemd.names import unit_path
from tests.demo.talk import JOBS, NOON, Talk, add_match, enqueue, remove_match

OWAMP = "owamp-server.service"
CLUSTER = "postgresql@15-main.service"
DAEMONS = [f"pscheduler-{name}.service" for name in ("ticker", "scheduler", "runner", "archiver")]
MANAGER_PATH = "/org/freedesktop/systemd1"


def told(talk: Talk, unit: str, job: str) -> list[tuple[str, Any]]:
    """Give what comes after a job was queued: names of signals and their unit and result."""
    found: list[tuple[str, Any]] = []
    for message in talk.send(enqueue(unit, job)):
        if message.type == codec.SIGNAL:
            found.append((message.member or "", message.body[2:]))
        else:
            found.append(("reply", message.error_name or message.body[4]))
    return found


# --- one unit


def test_restart_gives_a_new_run() -> None:
    talk = Talk("ps01.demo")
    names = ("MainPID", "ExecMainPID", "InvocationID", "ActiveEnterTimestamp",
             "ActiveExitTimestamp", "StateChangeTimestamp", "InactiveEnterTimestamp")  # fmt: skip
    before = talk.get(OWAMP, *names)
    assert talk.do(OWAMP, "restart") == "done"
    after = talk.get(OWAMP, *names)
    assert talk.state(OWAMP) == "active/running"
    assert all(one != two for one, two in zip(before, after, strict=True))
    assert after[0] == after[1] > 1
    assert len(after[2]) == 16
    assert all(abs(moment / 1e6 - NOON) < 1 for moment in after[3:])
    assert talk.do(OWAMP, "restart") == "done"
    again = talk.get(OWAMP, *names)
    assert all(one != two for one, two in zip(after, again, strict=True))
    assert again[3] > after[3]


def test_stop_and_start() -> None:
    talk = Talk("ps01.demo")
    began, run, group = talk.get(OWAMP, "ActiveEnterTimestamp", "InvocationID", "ControlGroup")
    assert talk.do(OWAMP, "stop") == "done"
    assert talk.state(OWAMP) == "inactive/dead"
    assert talk.get(OWAMP, "MainPID", "ControlGroup", "Result", "ActiveEnterTimestamp",
                    "InvocationID", "ConditionResult") == [
        0, "", "success", began, run, True,
    ]  # fmt: skip
    ended, exited = talk.get(OWAMP, "InactiveEnterTimestamp", "ExecMainExitTimestamp")
    assert exited < ended
    assert abs(ended / 1e6 - NOON) < 1
    assert talk.call(manager.get_processes(OWAMP)) == ((),)
    assert talk.do(OWAMP, "start") == "done"
    assert talk.get(OWAMP, "ActiveState", "ControlGroup") == ["active", group]
    assert talk.get(OWAMP, "InactiveEnterTimestamp") == [ended]
    assert talk.get(OWAMP, "InvocationID") != [run]


@pytest.mark.parametrize(("job", "unit"), [("start", OWAMP), ("stop", "slurmd.service")])
def test_job_for_what_is_so_already_changes_nothing(job: str, unit: str) -> None:
    talk = Talk("node01.demo", "parastation") if unit == "slurmd.service" else Talk("ps01.demo")
    calls = manager.get_all_unit_properties(unit)
    before = [talk.call(call) for call in calls]
    assert talk.do(unit, job) == "done"
    assert [talk.call(call) for call in calls] == before


def test_first_start_of_a_disabled_unit() -> None:
    talk = Talk("node01.demo", "parastation")
    assert talk.get("slurmd.service", "ActiveEnterTimestamp", "ConditionResult") == [0, False]
    assert talk.do("slurmd.service", "start") == "done"
    assert talk.state("slurmd.service") == "active/running"
    entered, condition = talk.get("slurmd.service", "ActiveEnterTimestamp", "ConditionResult")
    assert abs(entered / 1e6 - NOON) < 1
    assert condition is True


def test_oneshot_runs_to_its_end() -> None:
    talk = Talk("ps01.demo")
    assert talk.do("logrotate.service", "start") == "done"
    assert talk.state("logrotate.service") == "inactive/dead"
    result, exited = talk.get("logrotate.service", "Result", "ExecMainExitTimestamp")
    assert result == "success"
    assert abs(exited / 1e6 - NOON) < 1


@pytest.mark.parametrize(
    ("unit", "sub"),
    [
        ("fstrim.timer", "waiting"),
        ("systemd-journald.socket", "running"),
        ("systemd-initctl.socket", "listening"),
        ("multi-user.target", "active"),
        ("boot.mount", "mounted"),
        ("systemd-sysctl.service", "exited"),
    ],
)
def test_other_units_come_back_as_they_were(unit: str, sub: str) -> None:
    talk = Talk("ps01.demo")
    assert talk.state(unit) == f"active/{sub}"
    assert talk.do(unit, "stop") == "done"
    assert talk.state(unit) == "inactive/dead"
    assert talk.do(unit, "start") == "done"
    assert talk.state(unit) == f"active/{sub}"


@pytest.mark.parametrize(
    ("word", "up", "down"),
    [
        ("start", ("start", "done", "active"), ("start", "done", "active")),
        ("stop", ("stop", "done", "inactive"), ("stop", "done", "inactive")),
        ("restart", ("restart", "done", "active"), ("restart", "done", "active")),
        ("try-restart", ("restart", "done", "active"), ("nop", "done", "inactive")),
        ("reload", ("reload", "done", "active"), ("reload", "invalid", "inactive")),
        ("reload-or-restart", ("reload", "done", "active"), ("start", "done", "active")),
        ("reload-or-try-restart", ("reload", "done", "active"), ("nop", "done", "inactive")),
        ("verify-active", ("verify-active", "done", "active"),
         ("verify-active", "failed", "inactive")),
    ],
)  # fmt: skip
def test_job_types(word: str, up: tuple[str, str, str], down: tuple[str, str, str]) -> None:
    talk = Talk("ps01.demo")
    talk.call(add_match())
    for first, (kind, result, active) in (("start", up), ("stop", down)):
        talk.do("sshd.service", first)
        found = told(talk, "sshd.service", word)
        assert [what for name, what in found if name == "reply"] == [kind]
        assert found[-1] == ("JobRemoved", ("sshd.service", result))
        assert talk.get("sshd.service", "ActiveState") == [active]


def test_units_that_cannot_reload_are_restarted_instead() -> None:
    talk = Talk("ps01.demo")
    (_, _, _, _, kind, _) = talk.call(enqueue(OWAMP, "reload-or-restart"))
    assert kind == "restart"
    (_, _, _, _, kind, _) = talk.call(enqueue(OWAMP, "reload-or-try-restart"))
    assert kind == "restart"


@pytest.mark.parametrize(
    ("method", "before", "after"),
    [
        ("StartUnit", "stop", "active"),
        ("StopUnit", "start", "inactive"),
        ("RestartUnit", "stop", "active"),
        ("TryRestartUnit", "stop", "inactive"),
        ("ReloadUnit", "start", "active"),
        ("ReloadOrRestartUnit", "stop", "active"),
        ("ReloadOrTryRestartUnit", "stop", "inactive"),
    ],
)
def test_older_methods_give_the_path_of_the_job(method: str, before: str, after: str) -> None:
    talk = Talk("ps01.demo")
    talk.do("sshd.service", before)
    talk.call(add_match())
    messages = talk.send(manager.manager_call(method, "ss", ("sshd.service", "replace")))
    new, reply, removed = messages
    assert (new.member, removed.member) == ("JobNew", "JobRemoved")
    assert reply.body == (new.body[1],) == (removed.body[1],)
    assert reply.body[0] == f"{MANAGER_PATH}/job/{new.body[0]}"
    assert talk.get("sshd.service", "ActiveState") == [after]


# --- signals


def test_signals_stand_around_the_reply() -> None:
    talk = Talk("ps01.demo")
    accepted, new, reply, removed = talk.send(add_match(), enqueue(OWAMP, "restart"))
    assert accepted.body == ()
    number, path, unit, where, kind, affected = reply.body
    assert (unit, where, kind, affected) == (OWAMP, unit_path(OWAMP), "restart", ())
    assert path == f"{MANAGER_PATH}/job/{number}"
    assert new.body == (number, path, OWAMP)
    assert removed.body == (number, path, OWAMP, "done")
    for signal, member, signature in ((new, "JobNew", "uos"), (removed, "JobRemoved", "uoss")):
        assert (signal.type, signal.member, signal.path) == (codec.SIGNAL, member, MANAGER_PATH)
        assert (signal.signature, signal.sender) == (signature, ":1.0")
    serials = [one.serial for one in (accepted, new, reply, removed)]
    assert serials == list(range(serials[0], serials[0] + 4))


@pytest.mark.parametrize(
    ("rule", "wanted"),
    [
        (JOBS, ["JobNew", "JobRemoved"]),
        (f"{JOBS},member='JobRemoved'", ["JobRemoved"]),
        ("member=JobNew", ["JobNew"]),
        ("", ["JobNew", "JobRemoved"]),
        (f"{JOBS},arg2='other.service'", []),
        (f"{JOBS},arg2='{OWAMP}'", ["JobNew", "JobRemoved"]),
        ("type='signal',interface='org.freedesktop.DBus.Properties'", []),
        (f"path_namespace='{MANAGER_PATH}'", ["JobNew", "JobRemoved"]),
    ],
)
def test_only_signals_that_were_asked_for_come(rule: str, wanted: list[str]) -> None:
    talk = Talk("ps01.demo")
    talk.call(add_match(rule))
    messages = talk.send(enqueue(OWAMP, "restart"))
    assert [one.member for one in messages if one.type == codec.SIGNAL] == wanted


def test_nobody_is_told_without_a_match() -> None:
    talk = Talk("ps01.demo")
    talk.call(manager.manager_call("Subscribe"))
    assert [one.type for one in talk.send(enqueue(OWAMP, "stop"))] == [codec.METHOD_RETURN]
    talk.call(add_match())
    talk.call(remove_match())
    assert [one.type for one in talk.send(enqueue(OWAMP, "start"))] == [codec.METHOD_RETURN]


def test_jobs_of_one_write_are_told_one_by_one() -> None:
    talk = Talk("ps01.demo")
    talk.call(add_match(f"{JOBS},member='JobRemoved'"))
    read = manager.get_unit_property(OWAMP, "ActiveState")
    messages = talk.send(read, enqueue(OWAMP, "stop"), read, enqueue(OWAMP, "start"), read)
    removed = [one for one in messages if one.member == "JobRemoved"]
    assert [one.body[3] for one in removed] == ["done", "done"]
    assert removed[0].body[0] < removed[1].body[0]
    states = [one.body[0] for one in messages if one.signature == "v"]
    assert states == ["active", "inactive", "active"]


# --- what comes along


def test_stop_of_the_database_takes_the_daemons_with_it() -> None:
    talk = Talk("ps01.demo")
    talk.call(add_match())
    new, reply, *signals = talk.send(enqueue("postgresql.service", "stop"))
    assert new.body == (*reply.body[:2], "postgresql.service")
    affected = reply.body[5]
    assert sorted(row[2] for row in affected) == sorted(DAEMONS)
    assert {row[4] for row in affected} == {"stop"}
    names = [one.member for one in signals]
    assert names == ["JobNew"] * 4 + ["JobRemoved"] * 5
    removed = [one.body for one in signals if one.member == "JobRemoved"]
    assert {body[3] for body in removed} == {"done"}
    assert removed[-1][2] == "postgresql.service", "what is part of it goes first"
    numbers = {row[0]: row[2] for row in affected}
    assert {body[0]: body[2] for body in removed[:-1]} == numbers
    assert {talk.state(name) for name in DAEMONS} == {"inactive/dead"}
    assert talk.get(DAEMONS[0], "Result") == ["success"]


def test_start_of_the_database_does_not_bring_them_back() -> None:
    talk = Talk("ps01.demo")
    talk.do("postgresql.service", "stop")
    *_, affected = talk.call(enqueue("postgresql.service", "start"))
    assert affected == ()
    assert talk.state("postgresql.service") == "active/running"
    assert {talk.state(name) for name in DAEMONS} == {"inactive/dead"}


def test_restart_reaches_those_that_run() -> None:
    talk = Talk("ps01.demo")
    talk.do(DAEMONS[0], "stop")
    runs = talk.get(DAEMONS[1], "InvocationID")
    *_, affected = talk.call(enqueue("postgresql.service", "restart"))
    assert {(row[2], row[4]) for row in affected} == {(name, "restart") for name in DAEMONS[1:]}
    assert talk.state(DAEMONS[0]) == "inactive/dead"
    assert talk.get(DAEMONS[1], "InvocationID") != runs


def test_start_brings_what_is_wanted() -> None:
    talk = Talk("ps01.demo")
    talk.do("postgresql.service", "stop")
    talk.call(add_match(f"{JOBS},member='JobRemoved'"))
    reply, *removed = talk.send(enqueue(DAEMONS[0], "start"))
    assert [(row[2], row[4]) for row in reply.body[5]] == [("postgresql.service", "start")]
    assert [one.body[2] for one in removed] == ["postgresql.service", DAEMONS[0]]
    assert talk.state("postgresql.service") == "active/running"
    talk.do("postgresql.service", "stop")
    *_, affected = talk.call(enqueue(DAEMONS[0], "start", "ignore-dependencies"))
    assert affected == ()


def test_reload_is_passed_on() -> None:
    talk = Talk("ps04.demo")
    *_, affected = talk.call(enqueue("postgresql.service", "reload"))
    assert [(row[2], row[4]) for row in affected] == [(CLUSTER, "reload")]


def test_restart_of_the_umbrella_restarts_the_cluster() -> None:
    talk = Talk("ps04.demo")
    *_, affected = talk.call(enqueue("postgresql.service", "restart"))
    assert {(row[2], row[4]) for row in affected} == {(n, "restart") for n in (*DAEMONS, CLUSTER)}
    assert talk.do(CLUSTER, "restart") == "done"
    assert {talk.state(name) for name in DAEMONS} == {"active/running"}


@pytest.mark.parametrize(
    ("host", "role", "whole", "part"),
    [
        ("toolkit02.demo", "toolkit", "firewalld.service", "fail2ban.service"),
        ("rucio01.demo", "rucio", "rucio-daemons.target", "rucio-daemon@reaper.service"),
        ("panda01.demo", "panda", "panda.service", "panda_mcp.service"),
    ],
)
def test_parts_are_known_from_both_sides(host: str, role: str, whole: str, part: str) -> None:
    talk = Talk(host, role)
    assert part in talk.get(whole, "ConsistsOf")[0]
    assert talk.get(part, "PartOf") == [(whole,)]
    talk.do(whole, "stop")
    talk.do(whole, "start")
    assert talk.state(part) == "inactive/dead"


# --- failures


def test_cluster_without_room_on_its_disk_fails_again() -> None:
    talk = Talk("ps02.demo")
    before = talk.get(CLUSTER, "StateChangeTimestamp", "InvocationID")
    assert talk.do(CLUSTER, "start") == "failed"
    assert talk.state(CLUSTER) == "failed/failed"
    assert talk.get(CLUSTER, "Result", "ExecMainStatus", "MainPID") == ["protocol", 0, 0]
    changed, run = talk.get(CLUSTER, "StateChangeTimestamp", "InvocationID")
    assert abs(changed / 1e6 - NOON) < 1
    assert [changed, run] != before
    assert talk.do("postgresql.service", "restart") == "done", "it only wants the cluster"


def test_network_settings_fail_again() -> None:
    talk = Talk("toolkit02.demo", "toolkit")
    unit = "perfsonar-configure_nic_parameters.service"
    assert talk.do(unit, "restart") == "failed"
    assert talk.get(unit, "ActiveState", "Result", "ExecMainStatus") == ["failed", "exit-code", 1]


def test_simple_daemon_is_started_and_dies() -> None:
    talk = Talk("rucio02.demo", "rucio")
    unit = "rucio-daemon@hermes.service"
    assert talk.do(unit, "restart") == "done"
    assert talk.state(unit) == "activating/auto-restart"
    assert talk.get(unit, "NRestarts") == [0]
    host = Host(name="rucio02.demo", transport="demo", groups=("rucio",))
    assert b"restart counter" not in journal.answer(host, ["-u", unit]), "this was the first try"
    assert talk.do(unit, "stop") == "done"
    assert talk.state(unit) == "inactive/dead"


def test_trouble_that_a_start_ends() -> None:
    talk = Talk("toolkit10.demo", "toolkit")
    unit = "perfsonar-toolkit-config-daemon.service"
    assert talk.state(unit) == "active/exited"
    assert talk.do(unit, "restart") == "done"
    assert talk.state(unit) == "active/running"


def test_stop_leaves_a_failed_unit_failed() -> None:
    talk = Talk("ps02.demo")
    assert talk.do(CLUSTER, "stop") == "done"
    assert talk.state(CLUSTER) == "failed/failed"


def test_reset_failed_makes_it_inactive() -> None:
    talk = Talk("ps02.demo")
    assert talk.call(manager.manager_call("ResetFailedUnit", "s", (CLUSTER,))) == ()
    assert talk.state(CLUSTER) == "inactive/dead"
    assert talk.get(CLUSTER, "Result") == ["success"]
    state, failed = (talk.call(manager.get_manager_property(name))[0]
                     for name in ("SystemState", "NFailedUnits"))  # fmt: skip
    assert (state, failed) == ("running", 0)
    talk.do(CLUSTER, "start")
    assert talk.call(manager.get_manager_property("SystemState")) == ("degraded",)
    talk.call(manager.manager_call("ResetFailed"))
    assert talk.state(CLUSTER) == "inactive/dead"


def test_too_many_starts_are_refused_until_reset() -> None:
    talk = Talk("ps01.demo")
    assert {talk.do(OWAMP, "restart") for _ in range(5)} == {"done"}
    assert talk.do(OWAMP, "restart") == "failed"
    assert talk.get(OWAMP, "ActiveState", "Result") == ["failed", "start-limit-hit"]
    assert talk.do(OWAMP, "start") == "failed"
    talk.call(manager.manager_call("ResetFailedUnit", "s", (OWAMP,)))
    assert talk.do(OWAMP, "start") == "done"
    assert talk.get(OWAMP, "ActiveState", "Result") == ["active", "success"]


def test_start_limit_keeps_the_first_reason() -> None:
    talk = Talk("toolkit05.demo", "toolkit")
    unit = "opensearch.service"
    assert [talk.do(unit, "start") for _ in range(4)] == ["failed"] * 4
    assert talk.get(unit, "ActiveState", "Result", "ExecMainStatus") == ["failed", "exit-code", 78]


def test_what_needs_a_failed_unit_is_not_started() -> None:
    sound = profile("testpoint", "debian12", "database-down")
    needy = replace(sound.units[OWAMP], settings={"Requires": [CLUSTER]}, active="inactive",
                    sub="dead")  # fmt: skip
    machine = Machine(sound.changed(needy), of_host("x", int(NOON * 1e6)), lambda: 10**15)
    done = machine.do(plan(machine.profile, needy, "start", "replace"))
    assert [(job.unit, job.result) for job in done] == [
        (CLUSTER, "failed"), (OWAMP, "dependency"),
    ]  # fmt: skip
    assert machine.profile.units[OWAMP].active == "inactive"


# --- kill


def kill(talk: Talk, unit: str, number: int, whom: str = "all") -> None:
    """Send a signal."""
    assert talk.call(manager.manager_call("KillUnit", "ssi", (unit, whom, number))) == ()


@pytest.mark.parametrize(
    ("unit", "signal", "state", "result", "restarts"),
    [
        ("pscheduler-ticker.service", 9, "active/running", "success", 1),
        ("pscheduler-ticker.service", 15, "active/running", "success", 1),
        (OWAMP, 15, "inactive/dead", "success", 0),
        (OWAMP, 9, "active/running", "success", 1),
        ("chronyd.service", 9, "failed/failed", "signal", 0),
        ("chronyd.service", 15, "inactive/dead", "success", 0),
        ("chronyd.service", 1, "active/running", "success", 0),
    ],
)
def test_kill(unit: str, signal: int, state: str, result: str, restarts: int) -> None:
    talk = Talk("ps01.demo")
    (before,) = talk.get(unit, "InvocationID")
    kill(talk, unit, signal)
    assert talk.state(unit) == state
    assert talk.get(unit, "Result", "NRestarts") == [result, restarts]
    assert (talk.get(unit, "InvocationID") != [before]) == bool(restarts)
    if not restarts and signal != 1:
        assert talk.get(unit, "ExecMainCode", "ExecMainStatus") == [2, signal]


def test_kill_finds_nobody() -> None:
    talk = Talk("ps01.demo")
    talk.do(OWAMP, "stop")
    kill(talk, OWAMP, 9)
    assert talk.state(OWAMP) == "inactive/dead"
    for whom, text in (
        ("main", "No main process to kill"),
        ("control", "No control process to kill"),
        ("all-fail", "No matching processes to kill"),
    ):
        with pytest.raises(BusError, match=text) as caught:
            kill(talk, OWAMP, 9, whom)
        assert caught.value.name == "org.freedesktop.systemd1.NoSuchProcess"


# --- journal


def test_journal_of_a_new_try_is_fresh() -> None:
    host = Host(name="ps02.demo", transport="demo", groups=("testpoint",))
    before = journal.answer(host, ["-u", CLUSTER])
    talk = Talk("ps02.demo")
    talk.do(CLUSTER, "start")
    after = journal.answer(host, ["-u", CLUSTER])
    assert after != before
    assert b"No space left on device" in after
    (run,) = talk.get(CLUSTER, "InvocationID")
    assert run.hex().encode() in after
    assert journal.answer(host, [f"_SYSTEMD_INVOCATION_ID={run.hex()}"]) == after


def test_port_of_a_stopped_daemon_is_closed() -> None:
    host = Host(name="ps01.demo", transport="demo", groups=("testpoint",))
    ports.open_port(host, 861).close()
    Talk("ps01.demo").do(OWAMP, "stop")
    with pytest.raises(ConnectRefused):
        ports.open_port(host, 861)


def test_time_goes_on_where_none_was_set() -> None:
    hosts.clock.set(None)
    first = hosts.clock.now()
    assert hosts.clock.now() >= first
    assert hosts.clock.microseconds() <= first
