"""What processes and heartbeats together say, on tables read from a running Rucio 41.5.1."""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from psops.catalogue import Catalogue
from psops.errors import NoBus
from psops.rucio.expect import beat_of, expectation, freshness, listed, rules
from psops.rucio.fleet import judge_fleet
from psops.rucio.judge import judge_host
from psops.rucio.model import Managed, Process, RucioHost
from psops.rucio.rows import Row, make_row
from psops.rucio.source import Rows
from psops.verdict import Finding, Verdict

RULES = rules()


def table(text: str, life: float = 500.0) -> tuple[Row, ...]:
    """Return heartbeats from the columns name, hostname, pid, thread, age as sqlite3 shows them."""
    rows = []
    for line in filter(str.strip, text.splitlines()):
        name, host, pid, thread, age = re.split(r" {2,}", line.strip())[:5]
        rows.append(
            Row(readable=name, hostname=host, pid=int(pid), thread=thread, age=float(age),
                life=max(life, float(age)))
        )  # fmt: skip
    return tuple(rows)


def running(daemon: str, pid: int, options: str = "", **more: Any) -> Managed:
    """Return a unit whose daemon runs for ten minutes."""
    one = Managed(
        daemon=daemon, name=daemon, unit=f"rucio-daemon@{daemon}.service", manager="systemd",
        active="active", sub="running", result="success", up=600.0, pid=pid,
        pids=frozenset({pid}), restart="always",
        argv=("/opt/rucio/bin/python3", f"/opt/rucio/bin/rucio-{daemon}", *options.split()),
    )  # fmt: skip
    return replace(one, **more)


def dead(daemon: str, **more: Any) -> Managed:
    """Return a unit whose daemon does not run."""
    usual: dict[str, Any] = {"active": "inactive", "sub": "dead", "down": 30.0, "exit_code": 0}
    return running(daemon, 0, **{**usual, "pids": frozenset(), "up": None, **more})


def host(*managed: Managed, extra: Sequence[Process] = (), **more: Any) -> RucioHost:
    """Return a host `vm` with these daemons, and no other processes than theirs."""
    own = [Process(one.pid, one.argv, f"/rucio.slice/{one.unit}") for one in managed if one.pid]
    made = RucioHost(name="vm", names=frozenset({"vm"}), managed=managed,
                     processes=(*own, *extra), version="41.5.1")  # fmt: skip
    return replace(made, **more)


def told(findings: Sequence[Finding]) -> dict[str, tuple[str, str]]:
    """Return name -> verdict and code."""
    return {one.name: (str(one.verdict), one.code) for one in findings}


HEALTHY = """
abacus-account  vm  71  Thread-1 (account_update)  3
judge-cleaner   vm  73  Thread-2 (rule_cleaner)    3
judge-cleaner   vm  73  Thread-1 (rule_cleaner)    3
undertaker      vm  74  Thread-3 (undertaker)      0
undertaker      vm  74  Thread-2 (undertaker)      0
undertaker      vm  74  Thread-1 (undertaker)      0
"""
UNITS = (
    running("abacus-account", 71, "--sleep-time 6"),
    running("judge-cleaner", 73, "--threads 2 --sleep-time 6"),
    running("undertaker", 74, "--total-workers 3 --sleep-time 6"),
)


def test_all_that_works_is_ok() -> None:
    found = judge_host(host(*UNITS), table(HEALTHY), RULES)
    assert told(found) == dict.fromkeys(
        ("abacus-account", "judge-cleaner", "undertaker"), ("ok", "working")
    )


def test_a_wedged_process_is_stale_although_its_unit_is_active() -> None:
    wedged = table(HEALTHY.replace("(undertaker)      0", "(undertaker)      46"))
    found = judge_host(host(*UNITS), wedged, RULES)
    assert told(found)["undertaker"] == ("warning", "late")
    wedged = table(HEALTHY.replace("(undertaker)      0", "(undertaker)      51"))
    found = judge_host(host(*UNITS), wedged, RULES)
    assert told(found)["undertaker"] == ("critical", "stale")
    text = next(one.text for one in found if one.name == "undertaker")
    assert "its last heartbeat is 51s old with a cycle of 6 s" in text


def test_lost_threads_are_counted() -> None:
    rows = table("undertaker  vm  10978  Thread-3 (undertaker)  7\n"
                 "undertaker  vm  10978  Thread-2 (undertaker)  7")  # fmt: skip
    unit = running("undertaker", 10978, "--total-workers 8 --sleep-time 6")
    (found,) = judge_host(host(unit), rows, RULES)
    assert (found.verdict, found.code) == (Verdict.WARNING, "threads-lost")
    assert found.text.startswith("2 of 8 workers still work")


def test_heartbeats_from_the_future_tell_nothing_but_that_a_clock_is_wrong() -> None:
    """A daemon that hangs for ten minutes looks so where the clock of its host is ahead."""
    ahead = table("hermes  vm  5  Thread-1  -3000")
    (found,) = judge_host(host(running("hermes", 5)), ahead, RULES)
    assert (found.verdict, found.code) == (Verdict.WARNING, "clock")
    assert "50min" in found.text
    rows = [make_row("hermes", "vm", 5, "", age, 600, "") for age in (-29.0, -31.0)]
    assert [row.age for row in rows] == [0.0, -31.0]
    assert told(judge_host(host(running("hermes", 5)), rows, RULES)) == {
        "hermes": ("ok", "working")
    }


@pytest.mark.parametrize(("up", "code"), [(20.0, "starting"), (90.0, "no-heartbeat")])
def test_a_daemon_has_a_minute_to_begin(up: float, code: str) -> None:
    (found,) = judge_host(host(running("reaper", 5, up=up)), (), RULES)
    assert found.code == code


@pytest.mark.parametrize(
    ("life", "code"), [(3.0, "starting"), (5.0, "starting"), (20.0, "no-heartbeat")]
)
def test_a_daemon_that_is_restarted_before_the_heartbeats_are_read_begins(
    life: float, code: str
) -> None:
    """Its old process is seen, and the heartbeat of the new one."""
    rows = table("reaper  vm  8  Thread-1  0", life=life)
    there = host(running("reaper", 7), lag=4.5)
    found = {one.name: one.code for one in judge_host(there, rows, RULES)}
    assert found.pop("reaper") == code
    # Of a process that came later it is not told that it is gone.
    assert found == ({} if code == "starting" else {"left heartbeats": "left"})


def test_a_conveyor_has_one_heartbeat_whatever_its_threads() -> None:
    rows = table("conveyor-submitter--activities ['Debug', 'Express']  vm  15005  producer-0  9")
    unit = running("conveyor-submitter", 15005, "--total-threads 8 --activities Debug Express")
    (found,) = judge_host(host(unit), rows, RULES)
    assert found.code == "working"


def test_kronos_must_have_both_of_its_heartbeats() -> None:
    unit = running("kronos", 9, "--sleep-time-files 5 --sleep-time-datasets 5")
    both = "kronos-dataset  vm  9  Thread-2  3\nkronos-file  vm  9  Thread-1  3"
    assert told(judge_host(host(unit), table(both), RULES)) == {"kronos": ("ok", "working")}
    one = table(both.splitlines()[0])
    (found,) = judge_host(host(unit), one, RULES)
    assert (found.code, "'kronos-file'" in found.text) == ("no-heartbeat", True)


@pytest.mark.parametrize("name", ["OAuthManager", "oauth-manager"])
def test_the_old_and_the_new_spelling_of_a_heartbeat_are_one(name: str) -> None:
    there = host(running("oauth-manager", 9), version="39.0.0")
    (found,) = judge_host(there, table(f"{name}  vm  9  Thread-1  3"), RULES)
    assert found.code == "working"
    (found,) = judge_host(there, (), RULES)
    assert found.code == "no-heartbeat"


def test_after_an_outage_on_failure_is_down_and_always_is_restarted() -> None:
    rows = table("""
        abacus-account  vm  160  Thread-1 (account_update)  2
        judge-injector  vm  144  Thread-2 (rule_injector)   37
        judge-injector  vm  144  Thread-1 (rule_injector)   37
        undertaker      vm  157  Thread-1 (undertaker)      0
    """, life=25.0)  # fmt: skip
    found = judge_host(
        host(
            running("undertaker", 157, "--sleep-time 6", restarts=1, up=30.0),
            running("abacus-account", 160, "--sleep-time 6", restarts=1, up=35.0),
            dead("judge-injector", restart="on-failure"),
        ),
        rows,
        RULES,
    )
    assert told(found) == {
        "database": ("warning", "restarted-together"),
        "undertaker": ("ok", "working"),
        "abacus-account": ("ok", "working"),
        "judge-injector": ("critical", "down"),
        "left heartbeats": ("ok", "left"),
    }
    text = next(one.text for one in found if one.name == "judge-injector")
    assert "ended 30s ago with exit code 0, and Restart=on-failure does not bring it back" in text


def test_orphans_of_supervisord_are_told_from_its_children() -> None:
    rows = table("""
        judge-repairer  vm  155  Thread-1 (rule_repairer)  4
        judge-repairer  vm  204  Thread-1 (rule_repairer)  1
        necromancer     vm  158  Thread-2 (necromancer)    1
        necromancer     vm  158  Thread-1 (necromancer)    1
    """)
    words = ("/opt/rucio/venv/bin/python3", "/opt/rucio/venv/bin/rucio-{}", "--sleep-time", "6")
    orphans = [
        Process(pid, tuple(word.format(name) for word in words), "/system.slice/supervisor.service")
        for pid, name in ((155, "judge-repairer"), (158, "necromancer"))
    ]
    child = running("judge-repairer", 204, "--sleep-time 6", manager="supervisord")
    found = judge_host(host(child, extra=orphans), rows, RULES)
    assert told(found) == {
        "judge-repairer": ("ok", "working"),
        "judge-repairer orphan": ("warning", "orphan"),
        "necromancer stray": ("warning", "stray"),
    }


def test_a_process_without_heartbeat_that_nobody_owns_is_found_too() -> None:
    lone = Process(99, ("/usr/bin/python3", "/usr/bin/rucio-auditor"), "/user.slice/x.scope")
    once = Process(98, ("python3", "/usr/bin/rucio-reaper", "--run-once"), "/system.slice/cron")
    found = judge_host(host(*UNITS, extra=(lone, once)), table(HEALTHY), RULES)
    assert told(found)["auditor stray"] == ("warning", "stray")
    assert len(found) == 4


def test_heartbeats_of_processes_that_are_gone_are_no_alarm() -> None:
    rows = table(
        HEALTHY
        + """
conveyor-stager  vm  242  producer-0-_db_producer     268
rucio-bb8        vm  243  Thread-1 (rule_rebalancer)  267
"""
    )
    found = judge_host(host(*UNITS), rows, RULES)
    assert told(found)["left heartbeats"] == ("ok", "left")
    assert "bb8 pid 243 (4min 27s old)" in found[-1].text


def test_a_heartbeat_from_before_the_start_is_not_the_processs_own() -> None:
    """After a reboot a number may be another process's."""
    rows = table("reaper  vm  5  Thread-1 (reaper)  1", life=9000.0)
    found = judge_host(host(running("reaper", 5, up=100.0)), rows, RULES)
    assert told(found) == {
        "reaper": ("critical", "no-heartbeat"), "left heartbeats": ("ok", "left"),
    }  # fmt: skip
    late = host(running("reaper", 5, up=100.0), lag=8900.0)  # the database was read later
    assert told(judge_host(late, rows, RULES)) == {"reaper": ("ok", "working")}


def test_all_at_once_with_exit_code_1_have_one_cause() -> None:
    units = [
        dead(name, active="activating", sub="auto-restart", exit_code=1, restarts=7)
        for name in ("reaper", "hermes", "minos")
    ]
    found = judge_host(host(*units), (), RULES)
    assert told(found)["startup"] == ("critical", "all-fail-at-start")
    assert [one.because for one in found] == ["", *["startup"] * 3]


def test_one_that_is_just_being_tried_again_does_not_hide_the_cause() -> None:
    """Rucio's programs take some seconds until they find that the schema is another one."""
    ended = dead("reaper", active="activating", sub="auto-restart", exit_code=1, restarts=2)
    tried = running("hermes", 9, up=2.0, restarts=2)
    often = running("minos", 10, up=2.0, restarts=5)
    found = judge_host(host(ended, tried, often), (), RULES)
    assert told(found)["startup"] == ("critical", "all-fail-at-start")
    assert [one.because for one in found] == ["", "startup", "", "startup"]
    for other in (replace(tried, restarts=0), replace(tried, up=90.0)):
        assert "startup" not in told(judge_host(host(ended, other), (), RULES))
    beats = table("hermes  vm  9  Thread-1  1", life=1.0)
    assert "startup" not in told(judge_host(host(ended, tried), beats, RULES))


@pytest.mark.parametrize(
    ("unit", "code", "words"),
    [
        (dead("undertaker", active="failed", sub="failed", result="exit-code", exit_code=2),
         "failed", "does not know one of its options"),
        (dead("conveyor-stager", active="failed", sub="failed", result="timeout", exit_code=None),
         "failed", "systemd says 'timeout'"),
        (dead("hermes", active="activating", sub="auto-restart", restarts=2), "restarting",
         "2 restarts so far"),
        (dead("minos", manager="supervisord", active="activating", sub="starting", restarts=3,
              exit_code=None, down=None), "restarting", "after 3 restarts of late"),
        (dead("hermes", manager="supervisord", restart=""), "down",
         "ended 30s ago with exit code 0"),
        (dead("minos", manager="supervisord", active="failed", sub="fatal", exit_code=None,
              result="can't find command '/x'"), "failed", "failed: can't find command"),
        (dead("minos", manager="supervisord", active="activating", sub="backoff", exit_code=None,
              result="Exited too quickly"), "restarting", "again: Exited too quickly"),
        (dead("hermes", manager="supervisord", restart="", exit_code=None), "down",
         "ended 30s ago by a signal"),
        (dead("hermes", restart="no", exit_code=None), "down", "ended 30s ago by a signal, and"),
        (dead("hermes"), "down", "is down since it was stopped 30s ago"),
        (dead("hermes", down=None, exit_code=None), "down", "never started"),
    ],
)  # fmt: skip
def test_what_the_manager_alone_says(unit: Managed, code: str, words: str) -> None:
    (found,) = judge_host(host(unit), (), RULES)
    assert (found.verdict, found.code) == (Verdict.CRITICAL, code)
    assert words in found.text


def test_what_was_disabled_is_not_expected() -> None:
    assert judge_host(host(dead("hermes", wanted=False)), (), RULES) == ()


def test_a_daemon_of_another_release_is_gone() -> None:
    (found,) = judge_host(host(dead("oauth-manager")), (), RULES)
    assert (found.verdict, found.code) == (Verdict.WARNING, "gone")
    assert "went in 40.0.0" in found.text
    (found,) = judge_host(host(dead("oauth-manager"), version="39.4.0"), (), RULES)
    assert found.code == "down"


def test_restarts_that_go_on_are_flapping() -> None:
    rows = table("reaper  vm  5  Thread-1 (reaper)  1", life=50.0)
    (found,) = judge_host(host(running("reaper", 5, up=70.0, restarts=12)), rows, RULES)
    assert (found.verdict, found.code) == (Verdict.WARNING, "flapping")
    (found,) = judge_host(host(running("reaper", 5, up=7000.0, restarts=12)), rows, RULES)
    assert found.code == "working"


def test_restarts_of_a_year_do_not_make_the_last_one_a_loop() -> None:
    """systemd counts them from the boot on; supervisord's are those of ten minutes."""
    unit = running("hermes", 5, up=50.0, restarts=3)
    beats = table("hermes  vm  5  Thread-1  1", life=45.0)
    (found,) = judge_host(host(unit), beats, RULES)
    assert (found.verdict, found.code) == (Verdict.WARNING, "flapping")
    for looping in (replace(unit, up=25.0), replace(unit, manager="supervisord")):
        (found,) = judge_host(host(looping), beats, RULES)
        assert (found.verdict, found.code) == (Verdict.CRITICAL, "flapping")
    (found,) = judge_host(host(unit), (), RULES)
    assert found.verdict is Verdict.CRITICAL


@pytest.mark.parametrize("rows", ["", "hermes  vm  5  Thread-1  1"])
def test_a_restart_loop_is_no_start(rows: str) -> None:
    """Seen in the two seconds for which it runs, before or after its first heartbeat."""
    unit = running("hermes", 5, up=1.5, restarts=40)
    (found,) = judge_host(host(unit), table(rows, life=1.0), RULES)
    assert (found.verdict, found.code) == (Verdict.CRITICAL, "flapping")
    (found,) = judge_host(host(replace(unit, restarts=1)), table(rows, life=1.0), RULES)
    assert found.verdict is Verdict.OK


def test_a_daemon_that_the_bundles_of_the_host_do_not_list_is_a_stray() -> None:
    minimal = listed(Catalogue.load(()), ["rucio-minimal"])
    assert minimal is not None
    assert {"reaper", "undertaker"} < minimal.keys()
    assert "hermes" not in minimal
    rows = HEALTHY + "hermes  vm  80  Thread-1  1"
    units = host(*UNITS, running("hermes", 80))
    found = told(judge_host(units, table(rows), RULES, minimal))
    assert found["hermes"] == ("warning", "stray")
    assert found["undertaker"] == ("ok", "working")
    assert set(told(judge_host(units, table(rows), RULES)).values()) == {("ok", "working")}
    assert listed(Catalogue.load(()), ["panda-server"]) is None


def test_a_daemon_that_the_bundles_list_and_that_has_no_unit_is_missing() -> None:
    usual = listed(Catalogue.load(()), ["rucio-daemons"])
    found = {one.name: one for one in judge_host(host(*UNITS), table(HEALTHY), RULES, usual)}
    assert (found["reaper"].verdict, found["reaper"].code) == (Verdict.CRITICAL, "no-unit")
    assert found["reaper"].advice[0].command == "psops unit write rucio reaper"
    assert found["minos"].verdict is Verdict.WARNING
    assert found["undertaker"].code == "working"
    assert not {"kronos", "oauth-manager"} & set(found)
    lone = Process(99, ("/usr/bin/rucio-reaper",), "/user.slice/x.scope")
    codes = told(judge_host(host(extra=(lone,), version="1.20.0"), (), RULES, usual))
    assert "reaper" not in codes  # there is reaper2 in 1.20, and the process is told as a stray
    assert codes["reaper stray"] == ("warning", "stray")
    hidden = host(supervisord_unread=NoBus("not for this user"))
    assert set(told(judge_host(hidden, (), RULES, usual))) == {"supervisord"}


def test_a_catalogue_without_any_heartbeat_is_one_cause() -> None:
    (found, *_) = judge_fleet([host(*UNITS)], Rows(()), RULES)
    assert (found.verdict, found.code) == (Verdict.CRITICAL, "empty")
    assert "3 processes should have some" in found.text
    fresh = [replace(one, up=5.0) for one in UNITS]
    for quiet in (host(), host(*fresh), host(running("auditor", 3)), host(dead("reaper"))):
        assert judge_fleet([quiet], Rows(()), RULES)[0].verdict is Verdict.OK


def test_without_heartbeats_daemons_are_unknown_but_for_those_that_have_none() -> None:
    found = judge_host(host(*UNITS, running("auditor", 80, "--nprocs 2")), None, RULES)
    assert told(found) == {
        "abacus-account": ("unknown", "unread"), "judge-cleaner": ("unknown", "unread"),
        "undertaker": ("unknown", "unread"), "auditor": ("ok", "running"),
    }  # fmt: skip
    assert {one.because for one in found} == {"heartbeats", ""}


def test_a_daemon_whose_cycle_is_a_day_need_not_have_one() -> None:
    (found,) = judge_host(host(running("rse-decommissioner", 4, up=90000.0)), (), RULES)
    assert found.code == "working"


@pytest.mark.parametrize(
    ("names", "hostname", "fits"),
    [
        ("ruc1.example.org", "ruc1.example.org", True),
        ("ruc1.example.org", "RUC1.example.org.", True),
        ("ruc1.example.org", "ruc1", True),
        ("ruc1", "ruc1.example.org", True),
        ("ruc1.example.org", "ruc1.example.com", False),
        ("ruc1 ruc1.example.org", "ruc1.example.com", False),
        ("ruc1", "ruc11", False),
        ("ruc1 3f2a9c1d", "3f2a9c1d", True),
    ],
)
def test_hostnames(names: str, hostname: str, fits: bool) -> None:
    assert RucioHost(name="x", names=frozenset(names.split())).has_name(hostname) is fits


def test_text_from_the_table_cannot_act_on_a_terminal() -> None:
    row = Row(readable="reaper", hostname="\x1b[2J", pid=1, thread="", age=1, life=1)
    rows = (row, replace(row, readable="\x1b]0;x\x07", hostname="vm"))
    found = judge_fleet([host(*UNITS)], Rows(rows, 3), RULES)
    assert told(found) == {
        "heartbeats": ("ok", "read"), "other hosts": ("ok", "elsewhere"),
        "unknown names": ("ok", "unknown-name"), "odd heartbeats": ("warning", "odd"),
    }  # fmt: skip
    assert not any("\x1b" in one.text for one in found)


def test_what_must_run_once_is_counted_over_all_hosts() -> None:
    first = host(running("conveyor-throttler", 3))
    second = replace(host(running("conveyor-throttler", 4)), name="wm", names=frozenset({"wm"}),
                     version="40.0.0")  # fmt: skip
    rows = table("conveyor-throttler  vm  3  producer-0  5")
    found = {one.code: one for one in judge_fleet([first, second], Rows(rows), RULES)}
    assert found["singleton"].verdict is Verdict.CRITICAL
    assert "vm pid 3, wm pid 4" in found["singleton"].text
    assert found["mixed-releases"].text.endswith("40.0.0 on wm; 41.5.1 on vm")
    alone = judge_fleet([first], Rows(rows), RULES)
    assert "singleton" not in {one.code for one in alone}


@pytest.mark.parametrize("known", [True, False])
def test_what_must_run_once_is_one_in_a_script_or_after_it_has_moved(known: bool) -> None:
    """By its heartbeat it is the script's child, and Rucio counts one that is gone for long."""
    script = running("conveyor-throttler", 3, pids=frozenset({3, 4}))
    wrapped = host(script, extra=(Process(4, ("rucio-conveyor-throttler",), "/x"),))
    rows = table("conveyor-throttler  vm  4  producer-0  5")
    assert "singleton" not in told_codes([wrapped], rows)
    before = host(processes=() if known else None)
    after = replace(wrapped, name="wm", names=frozenset({"wm"}))
    rows = table("conveyor-throttler  vm  9  x  600\nconveyor-throttler  wm  4  x  5")
    assert ("singleton" in told_codes([before, after], rows)) is not known


def told_codes(hosts: Sequence[RucioHost], rows: tuple[Row, ...]) -> set[str]:
    return {one.code for one in judge_fleet(hosts, Rows(rows), RULES)}


#: Names that were read from the table, and the daemon of each.
NAMES = """
conveyor-submitter                                    conveyor-submitter
conveyor-submitter--activities ['Debug', 'Express']   conveyor-submitter
minos                                                 minos
minos-temporary-expiration                            minos-temporary-expiration
suspicious-replica-recoverer                          replica-recoverer
rsedecommissioner                                     rse-decommissioner
rucio-bb8                                             bb8
rucio-follower                                        follower
kronos-dataset                                        kronos
abacus-collection-replica                             abacus-collection-replica
hermes [broker]                                       hermes
hermes2                                               hermes2
OAuthManager                                          oauth-manager
xrootd-cache                                          -
minosity                                              -
"""


@pytest.mark.parametrize("line", NAMES.strip().splitlines())
def test_names_of_heartbeats(line: str) -> None:
    name, daemon = re.split(r" {2,}", line)
    found = beat_of(name, RULES.values())
    assert (found[0].name if found else "-") == daemon


@pytest.mark.parametrize(
    ("daemon", "options", "rows", "sleep"),
    [
        ("judge-cleaner", "", 1, 60),
        ("judge-cleaner", "--threads 2 --sleep-time=20", 2, 20),
        ("judge-cleaner", "--thre 2 --sleep 20", 2, 20),
        ("undertaker", "--total-workers 3", 3, 60),
        ("conveyor-poller", "--total-threads 8", 1, 300),
        ("conveyor-receiver", "--total-threads 2", 2, 30),
        ("automatix", "--threads-per-process 2", 2, -1),
        ("storage-consistency-actions", "--threads 4", 1, 60),
        ("reaper", "--threads many", 1, 60),
    ],
)
def test_expectations(daemon: str, options: str, rows: int, sleep: int) -> None:
    expected = expectation(RULES[daemon], options.split())
    assert (expected.rows, *expected.sleep.values()) == (rows, sleep)


@pytest.mark.parametrize(
    ("sleep", "ok", "dead_after"),
    [(10, 50, 90), (30, 90, 290), (60, 150, 590), (300, 630, 2990), (600, 1230, 5990),
     (6, 42, 50), (3, 36, 36), (-1, 330, 600)],
)  # fmt: skip
def test_freshness(sleep: int, ok: float, dead_after: float) -> None:
    assert freshness(sleep) == (ok, dead_after)
