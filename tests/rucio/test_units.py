"""What is read of a host, from answers as systemd gives them."""

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from psops.deadline import Deadline
from psops.errors import BusError, ChannelRefused
from psops.inventory import Host
from psops.rucio.expect import rules
from psops.rucio.fleet import judge_fleet
from psops.rucio.judge import judge_host
from psops.rucio.model import Managed, RucioHost
from psops.rucio.rows import Row
from psops.rucio.source import Rows
from psops.rucio.units import read_host
from psops.systemd.bus import Call, Reply
from psops.transport import Finished
from psops.verdict import Verdict

RULES = rules()
DAEMON = "/usr/bin/python3 /usr/bin/rucio-reaper"
_OPTIONS = "--threads 8 --sleep-time 600"
Properties = Mapping[str, Any]


class Systemd:
    """A manager with these units loaded, and these processes: unit or control group, pid, line."""

    def __init__(
        self, units: Mapping[str, Properties], processes: tuple[tuple[str, int, str], ...] = (),
        unloaded: tuple[str, ...] = (), wants: tuple[str, ...] = (),
        ended: tuple[int, ...] = (),
    ) -> None:  # fmt: skip
        self.units = units
        #: Those that nothing has asked for yet: files that are enabled, and what the target wants.
        self.files = unloaded
        self.wants = wants
        self.processes = tuple(
            (group if group.startswith("/") else f"/system.slice/{group}", pid, line)
            for group, pid, line in processes
        )
        #: Processes that are listed once, and are gone then.
        self.ended = ended

    def call(self, calls: list[Call], deadline: Deadline | None = None) -> list[Reply]:
        return [self._answer(call) for call in calls]

    def _row(self, name: str) -> tuple[Any, ...]:
        load = "loaded" if name in self.units else "not-found"
        state = ("active", "running") if name in self.units else ("inactive", "dead")
        if not self.units.get(name, {}).get("MainPID"):
            state = ("inactive", "dead")
        return name, "", load, *state, "", f"/unit/{name}", 0, "", "/"

    def _answer(self, call: Call) -> Any:
        if call.member == "ListUnitsByPatterns":
            loaded = [name for name in self.units if name not in (*self.files, *self.wants)]
            return (tuple(self._row(name) for name in loaded if name.startswith("rucio-")),)
        if call.member == "ListUnitFilesByPatterns":
            assert call.body[0] == ("enabled", "enabled-runtime")
            return (tuple((f"/etc/systemd/system/{name}", "enabled") for name in self.files),)
        if call.member == "Get":
            return (tuple(self.wants),)
        if call.member == "ListUnitsByNames":
            return (tuple(self._row(name) for name in call.body[0]),)
        if call.member == "GetProcesses":
            listed = self.processes
            self.processes = tuple(one for one in listed if one[1] not in self.ended)
            return (listed,)
        return (next((of for name, of in self.units.items() if _is_of(call.path, name)), {}),)


def _is_of(path: str, name: str) -> bool:
    escaped = "".join(char if char.isalnum() else f"_{ord(char):02x}" for char in name)
    return path.endswith(f"/{escaped}")


class Machine:
    """What programs of the host print: its uptime alone."""

    def run(self, argv: tuple[str, ...], deadline: Deadline) -> Finished:
        if argv == ("cat", "/proc/uptime"):
            return Finished(0, b"5000.25 9000.00\n", b"")
        return Finished(1, b"", b"")

    def open_unix(self, path: str, deadline: Deadline) -> Any:
        raise ChannelRefused(f"{path}: no such file", remedy="")


def unit(name: str, pid: int = 7, **more: Any) -> dict[str, Properties]:
    """Return a unit whose process was started at 4000 s by the clock that starts at boot."""
    found = {
        "MainPID": pid, "ControlGroup": f"/system.slice/{name}", "UnitFileState": "enabled",
        "Restart": "always", "ExecMainStartTimestamp": int((time.time() - 1000) * 1e6),
        "ExecMainStartTimestampMonotonic": 4000 * 10**6, **more,
    }  # fmt: skip
    return {name: found}


def read(systemd: Systemd) -> RucioHost:
    return read_host(Host(name="vm"), Machine(), systemd, RULES, timeout=5)  # type: ignore[arg-type]


def managed(systemd: Systemd) -> Managed:
    (one,) = read(systemd).managed
    return one


@pytest.mark.parametrize("ahead", [0, 120, 3600, -90])
def test_no_wall_clock_has_a_say_in_how_long_a_daemon_is_up(ahead: int) -> None:
    """That of the host may be another one than ours, or was so when it booted."""
    name = "rucio-daemon@reaper.service"
    begun = int((time.time() + ahead - 1000) * 1e6)
    systemd = Systemd(unit(name, ExecMainStartTimestamp=begun), ((name, 7, DAEMON),))
    assert managed(systemd).up == pytest.approx(1000.25)
    ended = {"MainPID": 0, "ExecMainExitTimestamp": begun,
             "ExecMainExitTimestampMonotonic": 4990 * 10**6}  # fmt: skip
    down = managed(Systemd(unit(name, **ended)))
    assert down.up is None
    assert down.down == pytest.approx(10.25)


@pytest.mark.parametrize(
    ("name", "label"), [("rucio-reaper.service", "reaper"), ("site-reaper.service", "site-reaper")]
)
def test_options_are_those_of_the_daemon_that_a_script_starts(name: str, label: str) -> None:
    script = (name, 7, "/bin/bash /opt/site/reaper.sh")
    one = managed(Systemd(unit(name), (script, (name, 8, f"{DAEMON} {_OPTIONS}"))))
    assert (one.daemon, one.name, one.pids) == ("reaper", label, frozenset({7, 8}))
    assert one.argv[2:] == tuple(_OPTIONS.split())


@pytest.mark.parametrize(
    ("main", "others"),
    [
        ("/usr/sbin/cron -f", ("reaper",)),  # it owns nothing, and must not be restarted for it
        ("/bin/sh /opt/site/all.sh", ("reaper", "hermes")),  # one name cannot stand for both
    ],
)
def test_units_of_other_names_that_are_not_one_daemons(main: str, others: tuple[str, ...]) -> None:
    name = "site.service"
    lines = [(name, 8 + place, f"/usr/bin/rucio-{one}") for place, one in enumerate(others)]
    found = read(Systemd(unit(name), ((name, 7, main), *lines)))
    assert found.managed == ()
    assert [one.pid for one in found.processes or ()] == [pid for _, pid, _ in lines]


def test_what_is_enabled_is_expected_though_systemd_has_not_loaded_it() -> None:
    """Nothing wants it if the target of all daemons was not enabled, as after a reboot."""
    down = {"pid": 0, "ExecMainStartTimestampMonotonic": 0}
    units = {
        **unit("rucio-minos.service", **down),
        **unit("rucio-daemon@reaper.service", **down, UnitFileState="disabled",
               WantedBy=["rucio-daemons.target"]),
    }  # fmt: skip
    systemd = Systemd(
        units, unloaded=("rucio-minos.service", "rucio-daemon@.service"),
        wants=("rucio-daemon@reaper.service", "nginx.service"),
    )  # fmt: skip
    found = read(systemd)
    assert [(one.daemon, one.active, one.wanted) for one in found.managed] == [
        ("minos", "inactive", True), ("reaper", "inactive", True),
    ]  # fmt: skip
    assert {one.code for one in judge_host(found, (), RULES)} == {"down"}


def test_a_systemd_that_lists_no_unit_files_is_asked_in_vain() -> None:
    class Old(Systemd):
        def _answer(self, call: Call) -> Any:
            if call.member in ("ListUnitFilesByPatterns", "Get"):
                return BusError("org.freedesktop.DBus.Error.UnknownMethod", "no such method")
            return super()._answer(call)

    name = "rucio-daemon@reaper.service"
    assert managed(Old(unit(name), ((name, 7, DAEMON),))).pid == 7


def test_a_daemon_in_a_container_is_judged_by_its_name_alone() -> None:
    """Its process has another number there, and another hostname unless that was set."""
    name, inner = "rucio-reaper.service", "libpod-payload-c0ffee12"
    lines = (
        (name, 7, "/usr/bin/conmon --api-version 1 -c c0ffee12"),
        (f"{name}/{inner}", 8, f"{DAEMON} {_OPTIONS}"),
    )
    found = read(Systemd(unit(name), lines))
    (one,) = found.managed
    assert (one.contained, one.argv[2:]) == (True, tuple(_OPTIONS.split()))
    known = replace(found, names=found.names | {"c0ffee12"})
    rows = [Row(readable="reaper", hostname="c0ffee12", pid=1, thread=str(number), age=5, life=900)
            for number in range(8)]  # fmt: skip
    assert [finding.code for finding in judge_host(known, rows, RULES)] == ["working"]
    assert "singleton" not in {one.code for one in judge_fleet([known], Rows(tuple(rows)), RULES)}
    (lost,) = judge_host(known, rows[:3], RULES)
    assert lost.code == "threads-lost"
    (nameless,) = judge_host(found, rows, RULES)
    assert (nameless.verdict, nameless.code) == (Verdict.UNKNOWN, "contained")
    assert nameless.advice[0].command == "--alias vm=HOSTNAME"


@pytest.mark.parametrize("group", ["docker-abc.scope", "/machine.slice/libpod-abc.scope"])
def test_a_supervisord_in_a_container_is_not_the_hosts(group: str) -> None:
    found = read(Systemd({}, ((group, 7, "/usr/bin/python3 /usr/bin/supervisord -n"),)))
    assert found.supervisord_unread is None
    line = "/usr/bin/python3 /usr/bin/supervisord -n"
    assert read(Systemd({}, (("own.service", 7, line),))).supervisord_unread is not None


@pytest.mark.parametrize(("ended", "codes"), [((), ["down", "orphan"]), ((7,), ["down"])])
def test_a_process_that_ends_while_its_host_is_read_is_no_orphan(
    ended: tuple[int, ...], codes: list[str]
) -> None:
    """One that is restarted over and over has another number a moment later, or none."""
    name = "rucio-daemon@reaper.service"
    loop = unit(name, pid=0, ControlGroup="")
    found = read(Systemd(loop, ((name, 7, DAEMON),), ended=ended))
    assert [one.code for one in judge_host(found, (), RULES)] == codes


def test_an_uptime_by_another_clock_makes_no_daemon_young() -> None:
    """That of a container may begin with it, while its systemd has the clock of the kernel."""
    name = "rucio-daemon@reaper.service"
    since = {"ExecMainStartTimestampMonotonic": 9000 * 10**6}
    found = read(Systemd(unit(name, **since), ((name, 7, DAEMON),)))
    assert found.managed[0].up is None
    assert [one.code for one in judge_host(found, (), RULES)] == ["no-heartbeat"]
