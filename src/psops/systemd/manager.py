"""Calls to systemd's manager and the parsing of what it answers; pure.

Authority: org.freedesktop.systemd1(5). Unit and sub states are kept as the manager's own
words, so that a state a newer systemd invents is shown and not lost.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Any, NamedTuple

from psops.errors import BusError, ProtocolError, PsopsError
from psops.systemd.bus import Call, Reply, as_host_error
from psops.systemd.names import TYPE_INTERFACES, unit_path, unit_type

_DESTINATION = "org.freedesktop.systemd1"
_PATH = "/org/freedesktop/systemd1"
_MANAGER = "org.freedesktop.systemd1.Manager"
_UNIT = "org.freedesktop.systemd1.Unit"
_PROPERTIES = "org.freedesktop.DBus.Properties"

#: Counters that systemd reports as "all bits set" when it does not know them.
UNSET = 2**64 - 1

#: Properties of the interface that every unit has; all others are on the type's own.
UNIT_PROPERTIES = frozenset(
    """
    Id Names Following Requires Requisite Wants BindsTo PartOf Upholds RequiredBy RequisiteOf
    WantedBy BoundBy UpheldBy ConsistsOf Conflicts ConflictedBy Before After OnFailure OnFailureOf
    OnSuccess OnSuccessOf Triggers TriggeredBy PropagatesReloadTo ReloadPropagatedFrom
    PropagatesStopTo StopPropagatedFrom JoinsNamespaceOf SliceOf RequiresMountsFor
    WantsMountsFor Documentation
    Description AccessSELinuxContext LoadState ActiveState FreezerState SubState FragmentPath
    SourcePath DropInPaths UnitFileState UnitFilePreset StateChangeTimestamp
    StateChangeTimestampMonotonic InactiveExitTimestamp InactiveExitTimestampMonotonic
    ActiveEnterTimestamp ActiveEnterTimestampMonotonic ActiveExitTimestamp
    ActiveExitTimestampMonotonic InactiveEnterTimestamp InactiveEnterTimestampMonotonic CanStart
    CanStop CanReload CanIsolate CanClean CanFreeze CanLiveMount Job StopWhenUnneeded
    RefuseManualStart RefuseManualStop AllowIsolate DefaultDependencies SurviveFinalKillSignal
    OnSuccessJobMode OnFailureJobMode
    IgnoreOnIsolate NeedDaemonReload Markers JobTimeoutUSec JobRunningTimeoutUSec
    JobTimeoutAction JobTimeoutRebootArgument ConditionResult AssertResult ConditionTimestamp
    ConditionTimestampMonotonic AssertTimestamp AssertTimestampMonotonic Conditions Asserts
    LoadError Transient Perpetual StartLimitIntervalUSec StartLimitBurst StartLimitAction
    FailureAction FailureActionExitStatus SuccessAction SuccessActionExitStatus RebootArgument
    InvocationID CollectMode Refs ActivationDetails DebugInvocation
""".split()
)

#: Which types have which of the properties that psops reads by itself.
_CGROUP_TYPES = frozenset({"service", "socket", "mount", "swap", "slice", "scope"})
_PROPERTY_TYPES: dict[str, frozenset[str]] = {
    "MainPID": frozenset({"service"}),
    "NRestarts": frozenset({"service"}),
    "ExecMainCode": frozenset({"service"}),
    "ExecMainStatus": frozenset({"service"}),
    "MemoryCurrent": _CGROUP_TYPES,
    "TasksCurrent": _CGROUP_TYPES,
    "Result": frozenset({"service", "socket", "timer", "path", "mount", "automount", "swap",
                         "scope"}),
}  # fmt: skip


#: Error names that mean "this unit has no such thing", which is an answer.
_NO_VALUE = frozenset(
    f"org.freedesktop.DBus.Error.{name}"
    for name in ("UnknownProperty", "UnknownInterface", "UnknownObject", "UnknownMethod")
)


#: Error names that mean "there is no such unit file".
_NO_FILE = frozenset({
    "org.freedesktop.DBus.Error.FileNotFound", "org.freedesktop.systemd1.NoSuchUnit",
})  # fmt: skip


class Row(NamedTuple):
    """One row of the manager's unit list."""

    id: str
    description: str
    load: str
    active: str
    sub: str
    following: str
    path: str
    job_id: int
    job_type: str
    job_path: str


def list_units() -> Call:
    """Return the call that lists all units in memory."""
    return manager_call("ListUnits")


def list_units_by_names(names: Iterable[str]) -> Call:
    """Return the call that gives a row for each name, in this order, loaded or not."""
    return manager_call("ListUnitsByNames", "as", (tuple(names),))


def list_units_by_patterns(states: Iterable[str], patterns: Iterable[str]) -> Call:
    """Return the call that lists the units in memory that match."""
    return manager_call("ListUnitsByPatterns", "asas", (tuple(states), tuple(patterns)))


def list_unit_files_by_patterns(states: Iterable[str], patterns: Iterable[str]) -> Call:
    """Return the call that lists the unit files that match, loaded or not; systemd 230 has it."""
    return manager_call("ListUnitFilesByPatterns", "asas", (tuple(states), tuple(patterns)))


def get_unit_file_state(unit: str) -> Call:
    """Return the call that reads from the disk whether a unit is enabled, masked ...

    Its property of that name is what systemd knew when it last read its unit files.
    """
    return manager_call("GetUnitFileState", "s", (unit,))


def get_manager_property(name: str) -> Call:
    """Return the call that reads one property of the manager."""
    return Call(_DESTINATION, _PATH, _PROPERTIES, "Get", "ss", (_MANAGER, name))


def get_unit_property(unit: str, name: str) -> Call:
    """Return the call that reads one property of a unit, loading the unit if need be."""
    interface = _UNIT if name in UNIT_PROPERTIES else _interface(unit)
    return Call(_DESTINATION, unit_path(unit), _PROPERTIES, "Get", "ss", (interface, name))


def get_all_unit_properties(unit: str) -> tuple[Call, Call]:
    """Return the calls that read all properties of a unit and of its type."""
    path = unit_path(unit)
    return (
        Call(_DESTINATION, path, _PROPERTIES, "GetAll", "s", (_UNIT,)),
        Call(_DESTINATION, path, _PROPERTIES, "GetAll", "s", (_interface(unit),)),
    )


def get_processes(unit: str) -> Call:
    """Return the call that lists the processes of a unit."""
    return Call(_DESTINATION, unit_path(unit), _interface(unit), "GetProcesses")


def _interface(unit: str) -> str:
    kind = unit_type(unit)
    if not kind:  # what a user types has one, what a host sends may be anything
        raise ProtocolError(f"systemd gives {unit!r} for the name of a unit")
    return TYPE_INTERFACES[kind]


def has_property(unit: str, name: str) -> bool:
    """Tell whether units of this type have the property; True for those psops knows nothing of."""
    types = _PROPERTY_TYPES.get(name)
    return types is None or unit_type(unit) in types


def has_processes(unit: str) -> bool:
    """Tell whether units of this type can have processes."""
    return unit_type(unit) in _CGROUP_TYPES


def parse_rows(reply: Reply) -> tuple[Row, ...]:
    """Return the rows of a unit list; raises the host's error if the manager gave one."""
    return tuple(Row(*row) for row in _rows(reply, _ROW, "a unit list"))


def parse_rows_of(reply: Reply, names: Collection[str]) -> tuple[Row, ...]:
    """Return the rows of units that were asked for by name, one for each of the names."""
    rows = parse_rows(reply)
    if len(rows) != len(names):
        raise ProtocolError(
            f"systemd gives {len(rows)} rows for {len(names)} unit names",
            remedy="is each of them a name that systemd there takes for one?",
        )
    return rows


def parse_unit_files(reply: Reply) -> tuple[tuple[str, str], ...]:
    """Return the path and the state of each of a list of unit files."""
    return tuple((path, state) for path, state in _rows(reply, (str, str), "a unit file list"))


def parse_processes(reply: Reply) -> tuple[tuple[str, int, str], ...]:
    """Return control group, number and command line of each process of a unit."""
    rows = _rows(reply, (str, int, str), "a process list")
    return tuple((cgroup, pid, line) for cgroup, pid, line in rows)


_ROW = (str, str, str, str, str, str, str, int, str, str)


def _rows(reply: Reply, types: tuple[type, ...], what: str) -> tuple[tuple[Any, ...], ...]:
    """Return the rows of a reply that is one list; raises `ProtocolError` for other types."""
    (rows,) = expect(reply, 1)
    if not isinstance(rows, tuple) or not all(
        isinstance(row, tuple) and tuple(map(type, row)) == types for row in rows
    ):
        raise ProtocolError(f"{what} of an unknown form")
    return rows


def parse_property(reply: Reply) -> Any:
    """Return the value of a property, None where the unit has no such property or value.

    Raises any other error: a call the bus refused must not look like a missing value.
    """
    if isinstance(reply, BusError) and reply.name in _NO_VALUE:
        return None
    (value,) = expect(reply, 1)
    return None if value == UNSET else value


def parse_unit_file_state(reply: Reply) -> str:
    """Return the state of a unit file, "" for a unit without one."""
    if isinstance(reply, BusError) and reply.name in _NO_FILE:
        return ""
    (state,) = expect(reply, 1)
    return str(state)


def parse_texts(reply: Reply) -> tuple[str, ...]:
    """Return the value of a property that is a list of texts, none where the unit has no value."""
    value = parse_property(reply)
    if value is None:
        return ()
    if not isinstance(value, tuple) or not all(isinstance(text, str) for text in value):
        raise ProtocolError("a property of an unknown form")
    return value


def parse_properties(reply: Reply) -> Mapping[str, Any]:
    """Return all properties of one interface, none where the unit lacks the interface."""
    value = parse_property(reply)
    if value is None:
        return {}
    if not isinstance(value, dict) or not all(isinstance(name, str) for name in value):
        raise ProtocolError("properties of an unknown form")
    return {name: item for name, item in value.items() if item != UNSET}


def expect(reply: Reply, count: int) -> tuple[Any, ...]:
    """Return the values of a reply; raises its error, or `ProtocolError` for another count."""
    if isinstance(reply, BusError):
        error: PsopsError = as_host_error(reply)
        raise error
    if len(reply) != count:
        raise ProtocolError(f"a reply with {len(reply)} values where {count} were expected")
    return reply


def manager_call(member: str, signature: str = "", body: tuple[Any, ...] = ()) -> Call:
    """Return a call of the manager itself."""
    return Call(_DESTINATION, _PATH, _MANAGER, member, signature, body)
