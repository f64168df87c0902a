"""Reports made by hand, for golden files: one of each kind that a run can give."""

from datetime import UTC, datetime
from typing import Any

from psops.errors import (
    AuthenticationRefused,
    ConnectRefused,
    ConnectTimedOut,
    HostKeyChanged,
    HostKeyUnknown,
    Interrupted,
    NotSystemd,
    PsopsError,
)
from psops.exits import Exit
from psops.fanout import Outcome
from psops.inventory import Host
from psops.report import Look
from psops.report.model import HostStatus, LogLine, Process, StatusReport, UnitStatus

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC).timestamp()


def before(**ago: float) -> int:
    """Return the moment that long before now in µs, as systemd gives it."""
    seconds = {"days": 86400, "hours": 3600, "minutes": 60, "seconds": 1}
    return int((NOW - sum(seconds[unit] * number for unit, number in ago.items())) * 1_000_000)


def unit(name: str, state: str = "active/running", **more: Any) -> UnitStatus:
    """Return a unit; keys in CamelCase are its properties."""
    active, _, sub = state.partition("/")
    fields: dict[str, Any] = {
        "name": name, "id": name, "description": f"The {name.partition('.')[0]} daemon",
        "load": "loaded", "active": active, "sub": sub,
    }  # fmt: skip
    properties = {key: value for key, value in more.items() if key[0].isupper()}
    fields |= {key: value for key, value in more.items() if not key[0].isupper()}
    return UnitStatus(properties=properties, **fields)


def outcome(
    name: str, *units: UnitStatus, error: PsopsError | None = None, **more: Any
) -> Outcome[HostStatus]:
    """Return what a host gave, in a time that depends on its name only."""
    elapsed = 0.1 + len(name) / 100
    value = None if error else HostStatus(units=units, **more)
    return Outcome(Host(name=name), elapsed, value, error)


def overview(name: str, *units: UnitStatus, failed: int = 0) -> Outcome[HostStatus]:
    """Return what a host gave that was asked for no unit."""
    counts = {"active": 120, "failed": failed, "inactive": 80}
    state = "degraded" if failed else "running"
    return outcome(name, *units, state=state, version="252.39-1~deb12u2", counts=counts)


SSHD = unit(
    "sshd.service", UnitFileState="enabled", StateChangeTimestamp=before(days=3, hours=2),
    MainPID=812, NRestarts=0, MemoryCurrent=6_291_456, TasksCurrent=1,
)  # fmt: skip
ALIAS = unit(
    "sshd.service", id="ssh.service", description="OpenBSD Secure Shell server",
    UnitFileState="enabled", StateChangeTimestamp=before(hours=5), MainPID=77,
)  # fmt: skip
EXITED = unit(
    "owamp-server.service", "failed/failed", UnitFileState="enabled", NRestarts=5,
    StateChangeTimestamp=before(minutes=7), Result="exit-code", ExecMainCode=1, ExecMainStatus=3,
)  # fmt: skip
KILLED = unit(
    "pscheduler-runner.service", "failed/failed", UnitFileState="enabled",
    StateChangeTimestamp=before(days=400), Result="signal", ExecMainCode=2, ExecMainStatus=9,
    log=(
        LogLine(before(days=400, seconds=1), "pscheduler", "Traceback (most recent call last):"),
        LogLine(before(days=400), "systemd", "Main process exited, code=killed"),
    ),
)  # fmt: skip
CRASHING = unit(
    "twamp-server.service", "activating/auto-restart", UnitFileState="enabled", NRestarts=812,
    StateChangeTimestamp=before(seconds=4), Result="core-dump", ExecMainCode=3, ExecMainStatus=11,
)  # fmt: skip
STOPPED = unit(
    "httpd.service", "inactive/dead", UnitFileState="disabled", StateChangeTimestamp=0,
)  # fmt: skip
ABSENT = unit("nosuch.service", "inactive/dead", description="nosuch.service", load="not-found")
MASKED = unit(
    "cups.service", "inactive/dead", description="cups.service", load="masked",
    UnitFileState="masked",
)  # fmt: skip

_FLEET = [f"ps{number:02}" for number in range(1, 13)]

_UNREACHABLE = (
    outcome("ps01", SSHD),
    outcome("ps02", error=ConnectTimedOut("192.0.2.2 port 22: no answer within 10 s")),
    outcome("ps03", error=ConnectTimedOut("192.0.2.3 port 22: no answer within 10 s")),
    outcome("ps04", error=ConnectRefused("192.0.2.4 port 22: connection refused")),
    outcome("ps05", error=HostKeyUnknown("no known key; it shows ED25519 SHA256:abc")),
    outcome("ps06", error=HostKeyChanged("another key than in ~/.ssh/known_hosts:7")),
    outcome("ps07", error=AuthenticationRefused("none of 2 keys was accepted for root")),
    outcome("ps08", error=NotSystemd("systemd does not run there", remedy="")),
)

_RUNNING = unit(
    "sshd.service", id="ssh.service", description="OpenBSD Secure Shell server",
    FragmentPath="/lib/systemd/system/ssh.service", UnitFileState="enabled",
    UnitFilePreset="enabled", DropInPaths=["/etc/systemd/system/ssh.service.d/a.conf"],
    ActiveEnterTimestamp=before(days=3), StateChangeTimestamp=before(days=3),
    Documentation=["man:sshd(8)", "man:sshd_config(5)"], MainPID=812, NRestarts=2,
    StatusText="Ready,\n2 sessions", TasksCurrent=3, MemoryCurrent=8_388_608,
    CPUUsageNSec=12_345_678_901, ControlGroup="/system.slice/ssh.service",
    TriggeredBy=["ssh.socket"], NeedDaemonReload=True,
    processes=(
        Process("/system.slice/ssh.service", 813, "sshd: root [priv]"),
        Process("/system.slice/ssh.service", 812, "/usr/sbin/sshd -D"),
    ),
    log=(LogLine(before(days=3), "sshd", "Server listening on 0.0.0.0 port 22."),),
)  # fmt: skip
_FAILED = unit(
    "owamp-server.service", "failed/failed",
    FragmentPath="/lib/systemd/system/owamp-server.service",
    UnitFileState="enabled", InactiveEnterTimestamp=before(minutes=7), Result="exit-code",
    ExecMainCode=1, ExecMainStatus=3, ExecMainPID=4711,
    ExecMainStartTimestamp=before(minutes=9), ExecMainExitTimestamp=before(minutes=7),
    log=(LogLine(before(minutes=7), "owampd", "cannot bind: Address already in use"),),
)  # fmt: skip
_TIMER = unit(
    "logrotate.timer", "active/waiting", description="Daily rotation of log files",
    FragmentPath="/lib/systemd/system/logrotate.timer", UnitFileState="enabled",
    ActiveEnterTimestamp=before(hours=30), Triggers=["logrotate.service"],
    Documentation=["man:logrotate(8)"],
)  # fmt: skip
_SOCKET = unit(
    "dbus.socket", "active/running", description="D-Bus System Message Bus Socket",
    FragmentPath="/lib/systemd/system/dbus.socket", UnitFileState="static",
    ActiveEnterTimestamp=before(hours=30), Triggers=["dbus.service"], TasksCurrent=0,
    MemoryCurrent=4096, ControlGroup="/system.slice/dbus.socket",
)  # fmt: skip
_BUSY = unit(
    "worker.service", ActiveEnterTimestamp=before(seconds=59), MainPID=100,
    processes=tuple(
        Process("/system.slice/worker.service", 100 + n, f"/usr/bin/worker --number {n}")
        for n in range(25)
    ),
)  # fmt: skip


def detail(shown: UnitStatus) -> StatusReport:
    return StatusReport(outcomes=(outcome("ps01", shown),), named=True, details=True)


def named(*outcomes: Outcome[HostStatus], **more: Any) -> StatusReport:
    return StatusReport(outcomes=outcomes, named=True, **more)


_OVERVIEW = StatusReport(
    outcomes=(
        overview("ps01"),
        overview("ps02", EXITED, CRASHING, failed=1),
        overview("archive.example.org", unit("a.mount", "failed/failed", Result="resources"),
                 failed=1),
    )
)  # fmt: skip
_FOLDED = StatusReport(
    outcomes=tuple(
        overview(name, EXITED, failed=1) if name in ("ps04", "ps11") else overview(name)
        for name in _FLEET
    )
)
_UNITS = named(outcome("ps01", SSHD, EXITED), outcome("ps02", SSHD, KILLED))
_UNICODE = named(
    outcome("ps01", unit("a.service", description="Überwachung der Zugänge – größter Dienst"),
            unit("b.service", description="日本語のサービス", UnitFileState="enabled"),
            unit("c.service", description="e\u0301te\u0301 combining")),
    outcome("höst2", unit("a.service", description="🛰 uplink")),
)  # fmt: skip

#: What a host could send to act on a terminal: escapes, newlines, NUL, bidi marks, C1, DEL.
EVIL = "\x1b]0;owned\x07\x1b[2J\r\n\x00\u202egnp\u2066\u200b\x9b31m\x7f\u2028end"

#: Case -> report and look.
CASES: dict[str, tuple[StatusReport, Look]] = {
    "overview": (_OVERVIEW, Look()),
    "overview-folded": (_FOLDED, Look(fold=True)),
    "overview-unfolded": (_FOLDED, Look()),
    "overview-local": (StatusReport(outcomes=(overview("localhost"),)), Look()),
    "units": (_UNITS, Look()),
    "units-color": (_UNITS, Look(color=True)),
    "units-40": (_UNITS, Look(width=40)),
    "units-80": (_UNITS, Look(width=80)),
    "units-132": (_UNITS, Look(width=132)),
    "units-folded": (
        named(*(outcome(name, EXITED if name == "ps03" else SSHD) for name in _FLEET)),
        Look(fold=True),
    ),
    "units-folded-color": (
        named(*(outcome(name, EXITED if name == "ps03" else STOPPED) for name in _FLEET)),
        Look(fold=True, color=True),
    ),
    "all-active": (named(outcome("ps01", SSHD), outcome("ps02", SSHD)), Look()),
    "stopped": (named(outcome("ps01", STOPPED), outcome("ps02", SSHD)), Look()),
    "not-found": (named(outcome("ps01", ABSENT, SSHD), outcome("ps02", ABSENT)), Look()),
    "alias": (named(outcome("ps01", ALIAS), outcome("ps02", SSHD)), Look()),
    "masked": (named(outcome("ps01", MASKED), outcome("ps02", MASKED)), Look()),
    "unmatched": (
        named(outcome("ps01", unmatched=("x*",)), outcome("ps02", unmatched=("x*", "'y?"))),
        Look(),
    ),
    "unreachable": (named(*_UNREACHABLE), Look()),
    "unreachable-folded": (named(*_UNREACHABLE), Look(fold=True)),
    "unreachable-color": (named(*_UNREACHABLE), Look(color=True)),
    "all-unreachable": (named(*_UNREACHABLE[1:4]), Look()),
    "one-unreachable": (named(_UNREACHABLE[3], details=True), Look()),
    "interrupted": (
        named(
            outcome("ps01", SSHD),
            outcome("ps02", error=Interrupted("interrupted before it answered")),
            ended=Exit.INTERRUPTED,
        ),
        Look(),
    ),
    "properties": (
        named(
            outcome("ps01", unit("a.service", Names=["a.service", "b.service"], CanStop=True,
                                 InvocationID=bytes(16), ActiveEnterTimestamp=before(hours=1),
                                 ExecStart=[["/bin/a", ["a", "-x"], False]])),
            outcome("ps02", unit("a.service", ActiveEnterTimestamp=0)),
            properties=("Names", "CanStop", "InvocationID", "ActiveEnterTimestamp", "ExecStart",
                        "NoSuchProperty"),
        ),
        Look(),
    ),
    "unicode": (_UNICODE, Look()),
    "unicode-60": (_UNICODE, Look(width=60)),
    "details-running": (detail(_RUNNING), Look()),
    "details-running-color": (detail(_RUNNING), Look(color=True)),
    "details-failed": (detail(_FAILED), Look()),
    "details-failed-color": (detail(_FAILED), Look(color=True)),
    "details-not-found": (detail(ABSENT), Look()),
    "details-masked": (detail(MASKED), Look()),
    "details-timer": (detail(_TIMER), Look()),
    "details-socket": (detail(_SOCKET), Look()),
    "details-many-processes": (detail(_BUSY), Look()),
}  # fmt: skip

#: The cases that JSON golden files are kept for; the others differ in look only.
JSON_CASES = ("overview", "units", "unreachable", "properties", "details-running", "unmatched",
              "interrupted", "unicode")  # fmt: skip
