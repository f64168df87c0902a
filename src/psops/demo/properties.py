"""The values of the properties of demo units and of the manager itself."""

from collections.abc import Callable, Mapping
from typing import Any

from psops.demo.numbers import (
    BOOT,
    CPU,
    EARLIER,
    MEMORY,
    NOW,
    PID,
    SECOND,
    HostNumber,
    Invocation,
    Moment,
)
from psops.demo.profile import History, Profile, Unit
from psops.demo.schema import CGROUP_TYPES, INTERFACES, MANAGER, UNIT, UNSET
from psops.systemd.names import TYPE_INTERFACES

Values = Mapping[str, Mapping[str, Any]]

_UNIT_DIRECTORIES = {"el9": "/usr/lib/systemd/system", "debian12": "/lib/systemd/system"}
_VERSIONS = {"el9": "252-46.el9_5.3", "debian12": "252.39-1~deb12u1"}
_DROPIN_DIRECTORY = "/etc/systemd/system"
_ERROR = "org.freedesktop.systemd1."
#: What systemctl shows for a unit that could not be loaded.
_LOAD_ERRORS = {
    "not-found": (_ERROR + "NoSuchUnit", "Unit {} not found."),
    "masked": (_ERROR + "UnitMasked", "Unit {} is masked."),
}
#: Process ids: the first unit's, and how far the next unit's are from it.
_FIRST_PID, _PIDS_PER_UNIT = 620, 24
#: What is started later gets process ids from here.
_LATER_PID = 41_300
#: How long a unit that failed, or is restarted over and over, ran before it ended.
_SHORT_RUN = 1_240_000
#: Unit types that come and go with what is outside of systemd.
_NOT_STARTED = frozenset({"device", "scope"})
_NOT_STOPPED = frozenset({"device"})
#: Seconds since a crash loop's last try, out of RestartUSec.
_SINCE_LAST_TRY = 4 * SECOND
#: When boot got as far as the first unit of the table, and how much later the next one came.
_FIRST_START, _NEXT_START = 2_900_000, 150_000
_NEVER = Moment(BOOT, 0)


def processes(unit: Unit) -> list[tuple[str, HostNumber | int, str]]:
    """Return the processes of a unit as GetProcesses does: control group, PID, command."""
    if not _is_alive(unit):
        return []
    group = _cgroup(unit)
    if unit.name == "init.scope":
        return [(group, 1, unit.processes[0])]
    return [
        (group, HostNumber(PID, main_pid(unit).plus + place), command)
        for place, command in enumerate(unit.processes)
    ]


def of_unit(unit: Unit, profile: Profile) -> Values:
    """Return the values that differ from the usual ones, by interface and name."""
    own: dict[str, Any] = {}
    common = _of_unit(unit, profile)
    # One that runs stays what it is when it is masked.
    if unit.load == "loaded" or _since(unit) != _NEVER:
        common |= _times(unit)
        for of_type in _OF_TYPES.get(unit.type, ()):
            own |= of_type(unit)
    for name, value in unit.settings.items():
        (common if name in INTERFACES[UNIT] else own)[name] = value
    if unit.processes and unit.type == "service":
        own["ExecStart"] = [_exec(unit)]
    return {UNIT: common, TYPE_INTERFACES[unit.type]: own}


def of_manager(profile: Profile) -> Values:
    """Return the values of the manager's properties that differ from the usual ones."""
    failed = sum(unit.active == "failed" for unit in profile.units.values())
    started = Moment(BOOT, 0)
    userspace, finish = started.before(-1_870_000), started.before(-27_310_000)
    return {
        MANAGER: {
            "Version": _VERSIONS[profile.family],
            "Virtualization": "" if profile.role == "parastation" else "kvm",
            "UnitPath": ["/etc/systemd/system", _UNIT_DIRECTORIES[profile.family]],
            "Environment": ["LANG=en_US.UTF-8", "PATH=/usr/local/sbin:/usr/sbin:/usr/bin"],
            "SystemState": "degraded" if failed else "running",
            "NNames": len(profile.names),
            "NFailedUnits": failed,
            "KernelTimestamp": started.realtime(),
            "UserspaceTimestamp": userspace.realtime(),
            "UserspaceTimestampMonotonic": userspace.monotonic(),
            "FinishTimestamp": finish.realtime(),
            "FinishTimestampMonotonic": finish.monotonic(),
        }
    }


def _of_unit(unit: Unit, profile: Profile) -> dict[str, Any]:
    values: dict[str, Any] = {
        "Id": unit.name,
        "Names": [unit.name, *unit.aliases],
        "Description": unit.description,
        "LoadState": unit.load,
        "ActiveState": unit.active,
        "SubState": unit.sub,
        "UnitFileState": unit.file_state,
        "FragmentPath": fragment(unit, profile),
        "DropInPaths": [f"{_DROPIN_DIRECTORY}/{unit.name}.d/{name}" for name in unit.dropins],
        "CanReload": unit.type == "mount",
        "NeedDaemonReload": unit.load == "masked" and unit.on_disk is not None,
        "CanFreeze": unit.type in ("service", "slice", "scope"),
    }
    if unit.load in _LOAD_ERRORS:
        name, text = _LOAD_ERRORS[unit.load]
        values["LoadError"] = (name, text.format(unit.name))
        return values | {"CanStart": False, "ConditionResult": False, "AssertResult": False}
    if unit.sysv:
        values["SourcePath"] = f"/etc/init.d/{unit.name.removesuffix('.service')}"
    if unit.file_state not in ("", "generated"):
        plain = profile.family == "debian12" or unit.name in _EL_PRESETS
        values["UnitFilePreset"] = "enabled" if plain else "disabled"
    if _wanted_by(unit):
        values["WantedBy"] = [_wanted_by(unit)]
    wanted = [one.name for one in profile.units.values() if _wanted_by(one) == unit.name]
    if wanted:
        values["Wants"] = wanted
    if unit.type == "service":
        values["Requires"] = ["sysinit.target", _slice(unit)]
        values["After"] = ["basic.target", "network.target", "systemd-journald.socket",
                           "sysinit.target", _slice(unit)]  # fmt: skip
        values["Before"] = ["multi-user.target", "shutdown.target"]
        values["Conflicts"] = ["shutdown.target"]
    values["CanIsolate"] = bool(unit.settings.get("AllowIsolate"))
    values["CanStart"] = can_start(unit) and not unit.settings.get("RefuseManualStart")
    values["CanStop"] = can_stop(unit) and not unit.settings.get("RefuseManualStop")
    return values


def can_start(unit: Unit) -> bool:
    """Tell whether a unit of its type can be started at all, by whomever."""
    return unit.type not in _NOT_STARTED


def can_stop(unit: Unit) -> bool:
    """Tell whether the unit can be stopped at all, by whomever."""
    return unit.type not in _NOT_STOPPED and not unit.settings.get("Perpetual")


#: What the distribution EL enables by itself; for all other units its preset says disabled.
_EL_PRESETS = frozenset({
    "NetworkManager.service", "auditd.service", "chronyd.service", "crond.service",
    "dbus-broker.service", "dbus.socket", "dnf-makecache.timer", "firewalld.service",
    "fstrim.timer", "getty@tty1.service", "logrotate.timer", "remote-fs.target",
    "rsyslog.service", "sshd.service",
})  # fmt: skip

_WANTED_BY = {"timer": "timers.target", "socket": "sockets.target"}


def wanted_by(unit: Unit) -> str:
    """Return the unit that brings this one up at boot where it is enabled."""
    return _WANTED_BY.get(unit.type, "multi-user.target")


def _wanted_by(unit: Unit) -> str:
    if unit.file_state != "enabled" or unit.name.endswith(".target"):
        return ""
    return wanted_by(unit)


def fragment(unit: Unit, profile: Profile) -> str:
    """Return the path of the unit's file, "" if it has none."""
    if unit.load == "not-found" or not unit.file_state:
        return ""
    if unit.load == "masked":
        directory = "run" if unit.file_state == "masked-runtime" else "etc"
        return f"/{directory}/systemd/system/{unit.name}"
    if unit.sysv:
        return f"/run/systemd/generator.late/{unit.name}"
    if unit.file_state == "generated":
        return f"/run/systemd/generator/{unit.name}"
    name, at, rest = unit.name.partition("@")
    template = f"{name}@.{rest.rpartition('.')[2]}" if at else unit.name
    own = unit.name.startswith(("rucio", "panda"))  # no package of these has unit files
    directory = "/etc/systemd/system" if own else _UNIT_DIRECTORIES[profile.family]
    return f"{directory}/{template}"


def _since(unit: Unit) -> Moment:
    """Return when the unit got into its state; `_NEVER` if it always was."""
    if unit.history is not None:
        return unit.history.since
    if unit.load != "loaded" and not unit.is_up:
        return _NEVER
    if unit.active == "failed":
        return Moment(EARLIER, 0)
    if unit.sub == "auto-restart":
        return Moment(NOW, -_SINCE_LAST_TRY)
    if unit.active == "inactive":
        return Moment(EARLIER, 0) if "TriggeredBy" in unit.settings else _NEVER
    return Moment(BOOT, _FIRST_START + unit.place * _NEXT_START)


def history(unit: Unit) -> History:
    """Return what the unit did, be it what it was given or what follows from its state."""
    if unit.history is not None:
        return unit.history
    since = _since(unit)
    if unit.active == "active" or since == _NEVER:
        return History(since, since)
    return History(since, since.before(_SHORT_RUN), since)


def _times(unit: Unit) -> dict[str, Any]:
    since, started, ended, run = history(unit)
    if since == _NEVER:
        return {"ConditionResult": False, "AssertResult": False}
    if unit.settings.get("Perpetual"):  # systemd found these when it began
        return _stamp("StateChangeTimestamp", since) | _stamp("ActiveEnterTimestamp", since)
    moments = {
        "StateChange": since,
        "InactiveExit": started.before(40_000),
        "ActiveEnter": started,
        "Condition": started.before(42_000),
        "Assert": started.before(42_000),
    }
    if ended is not None:
        moments |= {"ActiveExit": ended.before(9_000), "InactiveEnter": ended}
    return {"InvocationID": Invocation(unit.name, run)} | {
        name: value
        for key, moment in moments.items()
        for name, value in _stamp(key + "Timestamp", moment).items()
    }


def _stamp(name: str, moment: Moment) -> dict[str, Any]:
    return {name: moment.realtime(), name + "Monotonic": moment.monotonic()}


def _of_cgroup(unit: Unit) -> dict[str, Any]:
    values: dict[str, Any] = {}
    if _is_alive(unit) and (unit.processes or unit.memory):
        values["ControlGroup"] = _cgroup(unit)
        values["MemoryCurrent"] = HostNumber(MEMORY, max(unit.memory, 1) << 20)
        values["TasksCurrent"] = max(1, len(unit.processes)) * 2 - 1
        values["CPUUsageNSec"] = HostNumber(CPU, unit.memory * 37_000_003)
    values["Slice"] = _slice(unit)
    return values


def _of_service(unit: Unit) -> dict[str, Any]:
    values: dict[str, Any] = {"Type": "simple", "OOMPolicy": "stop", "StandardOutput": "journal"}
    if unit.settings.get("Type") == "oneshot":
        values["TimeoutStartUSec"] = UNSET  # these may take as long as they like
    if unit.sysv:
        values |= {"Type": "forking", "RemainAfterExit": True, "GuessMainPID": False,
                   "TimeoutStartUSec": 300_000_000, "TimeoutStopUSec": 300_000_000,
                   "KillMode": "process"}  # fmt: skip
    since, began, ended, _ = history(unit)
    if since == _NEVER:
        return values
    pid = main_pid(unit)
    if _is_alive(unit):
        if not unit.sysv:
            values |= {"MainPID": pid, "ExecMainPID": pid}
            values |= _stamp("ExecMainStartTimestamp", began.before(20_000))
    elif not unit.sysv:
        if unit.active == "active" or ended is None:  # it did its work before it counted as up
            ended = began.before(5_000)
            began = ended.before(_SHORT_RUN)
        values |= {"ExecMainPID": pid, "ExecMainCode": 1}
        values |= _stamp("ExecMainStartTimestamp", began)
        values |= _stamp("ExecMainExitTimestamp", ended.before(9_000))
    return values


def _of_timer(unit: Unit) -> dict[str, Any]:
    last, following = Moment(EARLIER, 0), Moment(EARLIER, 86_400 * SECOND)
    return {
        "Unit": unit.name.removesuffix(".timer") + ".service",
        "TimersCalendar": [("OnCalendar", "*-*-* 00:00:00", following.realtime())],
        "LastTriggerUSec": last.realtime(),
        "LastTriggerUSecMonotonic": last.monotonic(),
        "NextElapseUSecRealtime": following.realtime(),
    }


def _of_socket(unit: Unit) -> dict[str, Any]:
    return {"FileDescriptorName": unit.name, "Priority": -1}


_OF_TYPES: Mapping[str, tuple[Callable[[Unit], dict[str, Any]], ...]] = {
    **dict.fromkeys(CGROUP_TYPES, (_of_cgroup,)),
    "service": (_of_cgroup, _of_service),
    "socket": (_of_cgroup, _of_socket),
    "timer": (_of_timer,),
}


def _exec(unit: Unit) -> tuple[Any, ...]:
    """Return the main command in the form of the property ExecStart."""
    words = unit.processes[0].split()
    return (words[0], words, False, 0, 0, 0, 0, 0, 0, 0)


def main_pid(unit: Unit) -> HostNumber:
    """Return the process id that the unit's main process has or had."""
    if run := history(unit).run:
        return HostNumber(PID, _LATER_PID + run * _PIDS_PER_UNIT)
    return HostNumber(PID, _FIRST_PID + unit.place * _PIDS_PER_UNIT)


def _is_alive(unit: Unit) -> bool:
    return unit.active == "active" and unit.sub != "exited"


def _slice(unit: Unit) -> str:
    """Return the slice that a unit is in."""
    if unit.type == "slice":
        return f"{unit.name.removesuffix('.slice').rpartition('-')[0] or '-'}.slice"
    if unit.name in ("-.mount", "init.scope"):
        return "-.slice"
    template, at, _ = unit.name.partition("@")
    instances = "system-{}.slice".format(template.replace("-", "\\x2d"))
    return str(unit.settings.get("Slice") or (instances if at else "system.slice"))


def _cgroup(unit: Unit) -> str:
    if unit.name == "-.slice":
        return "/"
    parent = _slice(unit)
    words = parent.removesuffix(".slice").split("-") if parent != "-.slice" else []
    above = ["-".join(words[: count + 1]) + ".slice" for count in range(len(words))]
    return "/" + "/".join([*above, unit.name])
