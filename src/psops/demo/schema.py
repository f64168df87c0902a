"""Which properties the demo manager has, with their signatures and usual values.

Authority: the introspection data of systemd 252 (`systemd --bus-introspect`), without the
properties of resource limits and sandboxing, which no report of psops needs.
"""

from typing import Any, NamedTuple

#: Counters that systemd reports as "all bits set" when it does not know them.
UNSET = 2**64 - 1

MANAGER = "org.freedesktop.systemd1.Manager"
UNIT = "org.freedesktop.systemd1.Unit"
_PREFIX = "org.freedesktop.systemd1."


class Property(NamedTuple):
    """The signature of a property and its value where nothing else is said."""

    signature: str
    default: Any


_DEFAULTS: dict[str, Any] = {
    "s": "", "as": [], "b": False, "t": 0, "u": 0, "i": 0, "y": 0, "d": 1.0, "ay": b"", "a(ss)": [],
    "(uo)": [0, "/"], "(ss)": ["", ""], "a(sbbsi)": [], "a(stt)": [], "a(sst)": [], "a(sb)": [],
    "a(sasbttttuii)": [],
}  # fmt: skip

_NAMED_DEFAULTS: dict[str, Any] = {
    "FreezerState": "running", "CanStart": True, "CanStop": True,
    "DefaultDependencies": True, "OnSuccessJobMode": "fail", "OnFailureJobMode": "replace",
    "JobTimeoutUSec": UNSET, "JobRunningTimeoutUSec": UNSET, "JobTimeoutAction": "none",
    "ConditionResult": True, "AssertResult": True, "StartLimitIntervalUSec": 10_000_000,
    "StartLimitBurst": 5, "StartLimitAction": "none", "FailureAction": "none",
    "FailureActionExitStatus": -1, "SuccessAction": "none", "SuccessActionExitStatus": -1,
    "CollectMode": "inactive", "ExitType": "main", "Restart": "no", "NotifyAccess": "none",
    "RestartUSec": 100_000, "TimeoutStartUSec": 90_000_000, "TimeoutStopUSec": 90_000_000,
    "TimeoutAbortUSec": 90_000_000, "TimeoutStartFailureMode": "terminate",
    "TimeoutStopFailureMode": "terminate", "RuntimeMaxUSec": UNSET, "GuessMainPID": True,
    "Result": "success", "ReloadResult": "success", "CleanResult": "success", "UID": 2**32 - 1,
    "GID": 2**32 - 1, "MemoryCurrent": UNSET, "MemoryAvailable": UNSET,
    "CPUUsageNSec": UNSET, "TasksCurrent": UNSET, "IPIngressBytes": UNSET,
    "IPEgressBytes": UNSET, "IOReadBytes": UNSET, "IOWriteBytes": UNSET, "CPUWeight": UNSET,
    "IOWeight": UNSET, "MemoryLow": 0, "MemoryHigh": UNSET, "MemoryMax": UNSET,
    "MemorySwapMax": UNSET, "MemoryAccounting": True, "TasksAccounting": True,
    "TasksMax": 4915, "DevicePolicy": "auto", "LimitNOFILE": 524_288, "LimitNOFILESoft": 1024,
    "LimitNPROC": 15_360, "LimitNPROCSoft": 15_360, "UMask": 0o022, "StandardInput": "null",
    "StandardOutput": "inherit", "StandardError": "inherit", "SyslogPriority": 30,
    "SyslogLevelPrefix": True, "SyslogLevel": 6, "SyslogFacility": 3, "ProtectHome": "no",
    "ProtectSystem": "no", "KillMode": "control-group", "KillSignal": 15, "SendSIGKILL": True,
    "FinalKillSignal": 9, "RestartKillSignal": 15, "WatchdogSignal": 6, "AccuracyUSec": 60_000_000,
    "DirectoryMode": 0o755, "SocketMode": 0o666, "Backlog": 2**31 - 1, "BindIPv6Only": "default",
    "IgnoreSIGPIPE": True, "RemainAfterElapse": True, "MaxConnections": 64,
    "TimeoutUSec": 90_000_000, "Options": "rw,relatime",
    "Features": "+PAM +AUDIT +SELINUX +SECCOMP +GNUTLS +OPENSSL +ACL +BLKID +CURL +LZ4 +XZ +ZLIB",
    "Architecture": "x86-64", "LogLevel": "info", "LogTarget": "journal-or-kmsg",
    "ShowStatus": True,
    "NInstalledJobs": 214, "Environment": [], "ServiceWatchdogs": True, "ControlGroup": "",
    "DefaultStandardOutput": "journal", "DefaultStandardError": "inherit",
    "DefaultTimerAccuracyUSec": 60_000_000, "DefaultTimeoutStartUSec": 90_000_000,
    "DefaultTimeoutStopUSec": 90_000_000, "DefaultTimeoutAbortUSec": 90_000_000,
    "DefaultRestartUSec": 100_000, "DefaultStartLimitIntervalUSec": 10_000_000,
    "DefaultStartLimitBurst": 5, "DefaultMemoryAccounting": True, "DefaultTasksAccounting": True,
    "DefaultTasksMax": 4915, "TimerSlackNSec": 50_000, "DefaultOOMPolicy": "stop",
    "CtrlAltDelBurstAction": "reboot-force",
}  # fmt: skip

_CGROUP = """
    Slice:s ControlGroup:s ControlGroupId:t MemoryCurrent:t MemoryAvailable:t CPUUsageNSec:t
    TasksCurrent:t IPIngressBytes:t IPEgressBytes:t IOReadBytes:t IOWriteBytes:t Delegate:b
    CPUAccounting:b CPUWeight:t IOAccounting:b IOWeight:t MemoryAccounting:b MemoryLow:t
    MemoryHigh:t MemoryMax:t MemorySwapMax:t DevicePolicy:s TasksAccounting:b TasksMax:t
    IPAccounting:b
"""
_EXEC = """
    Environment:as EnvironmentFiles:a(sb) UMask:u LimitNOFILE:t LimitNOFILESoft:t LimitNPROC:t
    LimitNPROCSoft:t WorkingDirectory:s RootDirectory:s OOMScoreAdjust:i Nice:i StandardInput:s
    StandardOutput:s StandardError:s SyslogIdentifier:s SyslogPriority:i SyslogLevelPrefix:b
    SyslogLevel:i SyslogFacility:i User:s Group:s DynamicUser:b PrivateTmp:b PrivateDevices:b
    PrivateNetwork:b ProtectHome:s ProtectSystem:s NoNewPrivileges:b IgnoreSIGPIPE:b KillMode:s
    KillSignal:i RestartKillSignal:i FinalKillSignal:i SendSIGKILL:b SendSIGHUP:b WatchdogSignal:i
"""

_TEXT = {
    MANAGER: """
        Version:s Features:s Virtualization:s Architecture:s Tainted:s FirmwareTimestamp:t
        FirmwareTimestampMonotonic:t LoaderTimestamp:t LoaderTimestampMonotonic:t
        KernelTimestamp:t KernelTimestampMonotonic:t InitRDTimestamp:t
        InitRDTimestampMonotonic:t UserspaceTimestamp:t UserspaceTimestampMonotonic:t
        FinishTimestamp:t FinishTimestampMonotonic:t LogLevel:s LogTarget:s NNames:u
        NFailedUnits:u NJobs:u NInstalledJobs:u NFailedJobs:u Progress:d Environment:as
        ConfirmSpawn:b ShowStatus:b UnitPath:as DefaultStandardOutput:s DefaultStandardError:s
        ServiceWatchdogs:b ControlGroup:s SystemState:s ExitCode:y DefaultTimerAccuracyUSec:t
        DefaultTimeoutStartUSec:t DefaultTimeoutStopUSec:t DefaultTimeoutAbortUSec:t
        DefaultRestartUSec:t DefaultStartLimitIntervalUSec:t DefaultStartLimitBurst:u
        DefaultCPUAccounting:b DefaultMemoryAccounting:b DefaultTasksAccounting:b
        DefaultTasksMax:t TimerSlackNSec:t DefaultOOMPolicy:s CtrlAltDelBurstAction:s
    """,
    UNIT: """
        Id:s Names:as Following:s Requires:as Requisite:as Wants:as BindsTo:as PartOf:as
        Upholds:as RequiredBy:as RequisiteOf:as WantedBy:as BoundBy:as UpheldBy:as
        ConsistsOf:as Conflicts:as ConflictedBy:as Before:as After:as OnSuccess:as
        OnSuccessOf:as OnFailure:as OnFailureOf:as Triggers:as TriggeredBy:as
        PropagatesReloadTo:as ReloadPropagatedFrom:as PropagatesStopTo:as
        StopPropagatedFrom:as JoinsNamespaceOf:as SliceOf:as RequiresMountsFor:as
        Documentation:as Description:s AccessSELinuxContext:s LoadState:s ActiveState:s
        FreezerState:s SubState:s FragmentPath:s SourcePath:s DropInPaths:as UnitFileState:s
        UnitFilePreset:s StateChangeTimestamp:t StateChangeTimestampMonotonic:t
        InactiveExitTimestamp:t InactiveExitTimestampMonotonic:t ActiveEnterTimestamp:t
        ActiveEnterTimestampMonotonic:t ActiveExitTimestamp:t ActiveExitTimestampMonotonic:t
        InactiveEnterTimestamp:t InactiveEnterTimestampMonotonic:t CanStart:b CanStop:b
        CanReload:b CanIsolate:b CanClean:as CanFreeze:b Job:(uo) StopWhenUnneeded:b
        RefuseManualStart:b RefuseManualStop:b AllowIsolate:b DefaultDependencies:b
        OnSuccessJobMode:s OnFailureJobMode:s IgnoreOnIsolate:b NeedDaemonReload:b Markers:as
        JobTimeoutUSec:t JobRunningTimeoutUSec:t JobTimeoutAction:s JobTimeoutRebootArgument:s
        ConditionResult:b AssertResult:b ConditionTimestamp:t ConditionTimestampMonotonic:t
        AssertTimestamp:t AssertTimestampMonotonic:t Conditions:a(sbbsi) Asserts:a(sbbsi)
        LoadError:(ss) Transient:b Perpetual:b StartLimitIntervalUSec:t StartLimitBurst:u
        StartLimitAction:s FailureAction:s FailureActionExitStatus:i SuccessAction:s
        SuccessActionExitStatus:i RebootArgument:s InvocationID:ay CollectMode:s Refs:as
        ActivationDetails:a(ss)
    """,
    _PREFIX + "Service": f"""
        Type:s ExitType:s Restart:s PIDFile:s NotifyAccess:s RestartUSec:t TimeoutStartUSec:t
        TimeoutStopUSec:t TimeoutAbortUSec:t TimeoutStartFailureMode:s
        TimeoutStopFailureMode:s RuntimeMaxUSec:t WatchdogUSec:t WatchdogTimestamp:t
        WatchdogTimestampMonotonic:t RemainAfterExit:b GuessMainPID:b MainPID:u ControlPID:u
        BusName:s FileDescriptorStoreMax:u NFileDescriptorStore:u StatusText:s StatusErrno:i
        Result:s ReloadResult:s CleanResult:s UID:u GID:u NRestarts:u OOMPolicy:s
        ExecMainStartTimestamp:t ExecMainStartTimestampMonotonic:t ExecMainExitTimestamp:t
        ExecMainExitTimestampMonotonic:t ExecMainPID:u ExecMainCode:i ExecMainStatus:i
        ExecStart:a(sasbttttuii) {_CGROUP} {_EXEC}
    """,
    _PREFIX + "Socket": f"""
        BindIPv6Only:s Backlog:u TimeoutUSec:t SocketUser:s SocketGroup:s SocketMode:u
        DirectoryMode:u Accept:b Writable:b KeepAlive:b NoDelay:b Priority:i RemoveOnStop:b
        Listen:a(ss) Symlinks:as MaxConnections:u ControlPID:u Result:s NConnections:u
        NAccepted:u NRefused:u FileDescriptorName:s UID:u GID:u {_CGROUP}
    """,
    _PREFIX + "Timer": """
        Unit:s TimersMonotonic:a(stt) TimersCalendar:a(sst) OnClockChange:b
        OnTimezoneChange:b NextElapseUSecRealtime:t NextElapseUSecMonotonic:t
        LastTriggerUSec:t LastTriggerUSecMonotonic:t Result:s AccuracyUSec:t
        RandomizedDelayUSec:t FixedRandomDelay:b Persistent:b WakeSystem:b RemainAfterElapse:b
    """,
    _PREFIX + "Target": "",
    _PREFIX + "Path": """
        Unit:s Paths:a(ss) MakeDirectory:b DirectoryMode:u Result:s
        TriggerLimitIntervalUSec:t TriggerLimitBurst:u
    """,
    _PREFIX + "Mount": f"""
        Where:s What:s Options:s Type:s TimeoutUSec:t ControlPID:u DirectoryMode:u
        SloppyOptions:b LazyUnmount:b ForceUnmount:b ReadWriteOnly:b Result:s UID:u GID:u
        {_CGROUP}
    """,
    _PREFIX + "Automount": """
        Where:s ExtraOptions:s DirectoryMode:u Result:s TimeoutIdleUSec:t
    """,
    _PREFIX + "Swap": f"""
        What:s Priority:i Options:s TimeoutUSec:t ControlPID:u Result:s UID:u GID:u {_CGROUP}
    """,
    _PREFIX + "Slice": _CGROUP,
    _PREFIX + "Scope": f"""
        Controller:s TimeoutStopUSec:t Result:s RuntimeMaxUSec:t OOMPolicy:s {_CGROUP}
        KillMode:s KillSignal:i
    """,
    _PREFIX + "Device": "SysFSPath:s",
}


def _parse(text: str) -> dict[str, Property]:
    pairs = (word.split(":", 1) for word in text.split())
    return {
        name: Property(signature, _NAMED_DEFAULTS.get(name, _DEFAULTS[signature]))
        for name, signature in pairs
    }


#: Interface -> name of a property -> its signature and usual value.
INTERFACES: dict[str, dict[str, Property]] = {name: _parse(text) for name, text in _TEXT.items()}

#: Unit types with processes, a control group and the method GetProcesses.
CGROUP_TYPES = frozenset({"service", "socket", "mount", "swap", "slice", "scope"})
