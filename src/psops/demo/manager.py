"""What the demo hosts' bus and their systemd answer: calls to values, as tables of methods.

What is read depends on the host's profile alone; what changes the host is in `verbs`.
Authority: org.freedesktop.systemd1(5), error texts of systemd 252.
"""

import re
from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any

from psops.demo import properties, schema, unitfiles, verbs
from psops.demo.method import (
    BUS,
    CLIENT_NAME,
    ERROR,
    SYSTEMD,
    SYSTEMD_NAME,
    VALID_NAME,
    Caller,
    Method,
    Object,
    is_valid,
    load,
    loaded,
)
from psops.demo.profile import Profile, Unit
from psops.demo.schema import INTERFACES, MANAGER, UNIT
from psops.demo.template import variant
from psops.errors import BusError
from psops.systemd.codec import Message
from psops.systemd.names import TYPE_INTERFACES, unit_path, unit_type

_PROPERTIES = BUS + ".Properties"
_PEER = BUS + ".Peer"
_UNIT_PREFIX = "/org/freedesktop/systemd1/unit/"
_ROWS = "a(ssssssouso)"


def changes(call: Message) -> bool:
    """Tell whether the call may change the host or the connection it is made on."""
    method = METHODS.get(call.interface or "", {}).get(call.member or "")
    return method is not None and method.changes


def answer(profile: Profile, caller: Caller | None, call: Message) -> tuple[str, tuple[Any, ...]]:
    """Return signature and values of the reply; raises the `BusError` to send instead.

    Calls that change nothing are answered from the profile and need no caller.
    """
    name = call.destination or BUS
    if name == BUS:
        target = Object(profile, (BUS, _PEER))
    elif name in (SYSTEMD, SYSTEMD_NAME):
        target = _find_object(profile, call.path or "/")
    else:
        raise BusError(
            ERROR + "ServiceUnknown",
            f"The name {name} was not provided by any .service files",
        )
    method = _find_method(target, call)
    if method.takes != call.signature:
        raise BusError(
            ERROR + "InvalidArgs",
            f"Invalid arguments '{call.signature}' to call {call.interface}.{call.member}(), "
            f"expecting '{method.takes}'.",
        )
    if method.changes:
        assert caller is not None, "such calls are answered one by one"
        return method.gives, method.answer(caller, *call.body)
    return method.gives, method.answer(target, *call.body)


def _find_object(profile: Profile, path: str) -> Object:
    if path == "/org/freedesktop/systemd1":
        return Object(profile, (MANAGER, _PROPERTIES, _PEER))
    name = _unit_name(path)
    if name is None:
        raise BusError(ERROR + "UnknownObject", f"Unknown object '{path}'.")
    if not is_valid(name):
        text = f"Unit name {name} is neither a valid invocation ID nor unit name."
        raise BusError(ERROR + "InvalidArgs", text)
    unit = profile.find(name)
    return Object(profile, (UNIT, TYPE_INTERFACES[unit.type], _PROPERTIES, _PEER), unit)


def _unit_name(path: str) -> str | None:
    """Return the unit that an object path stands for, the opposite of `unit_path`."""
    if not path.startswith(_UNIT_PREFIX):
        return None
    escaped = path.removeprefix(_UNIT_PREFIX).encode()
    try:
        return re.sub(rb"_([0-9a-f]{2})", lambda m: bytes([int(m[1], 16)]), escaped).decode()
    except UnicodeDecodeError:
        return None


def _find_method(target: Object, call: Message) -> Method:
    interface, member = call.interface or "", call.member or ""
    if interface in target.interfaces and member in METHODS.get(interface, {}):
        return METHODS[interface][member]
    text = f"Unknown method {member} or interface {interface}."
    if BUS in target.interfaces:
        text = f"{interface or BUS} does not understand message {member}"
    elif not interface:  # which the specification allows, but sd-bus does not
        raise BusError(ERROR + "UnknownObject", f"Unknown object '{call.path}'.")
    raise BusError(ERROR + "UnknownMethod", text)


def _row(unit: Unit) -> tuple[Any, ...]:
    return (unit.name, unit.description, unit.load, unit.active, unit.sub, "",
            unit_path(unit.name), 0, "", "/")  # fmt: skip


def _list_units(target: Object) -> tuple[Any, ...]:
    return ([_row(unit) for unit in target.profile.units.values()],)


def _list_units_by_names(target: Object, names: tuple[str, ...]) -> tuple[Any, ...]:
    # The manager leaves out what is no unit name at all.
    valid = [name for name in names if VALID_NAME.fullmatch(name) and unit_type(name)]
    return ([_row(load(target.profile, name)) for name in valid],)


def _list_units_by_patterns(
    target: Object, states: tuple[str, ...], patterns: tuple[str, ...]
) -> tuple[Any, ...]:
    def is_wanted(unit: Unit) -> bool:
        if states and not {unit.load, unit.active, unit.sub} & set(states):
            return False
        return not patterns or any(fnmatchcase(unit.name, pattern) for pattern in patterns)

    return ([_row(unit) for unit in target.profile.units.values() if is_wanted(unit)],)


def _list_units_filtered(target: Object, states: tuple[str, ...]) -> tuple[Any, ...]:
    return _list_units_by_patterns(target, states, ())


def _get_unit(target: Object, name: str) -> tuple[Any, ...]:
    return (unit_path(loaded(target.profile, name).name),)


def _load_unit(target: Object, name: str) -> tuple[Any, ...]:
    return (unit_path(load(target.profile, name).name),)


def _get_unit_file_state(target: Object, name: str) -> tuple[Any, ...]:
    return (unitfiles.state(target.profile, name),)


def _list_unit_files(
    target: Object, states: tuple[str, ...] = (), patterns: tuple[str, ...] = ()
) -> tuple[Any, ...]:
    return (list(unitfiles.listed(target.profile, states, patterns)),)


def _values(target: Object) -> properties.Values:
    if target.unit is not None:
        return properties.of_unit(target.unit, target.profile)
    return properties.of_manager(target.profile)


def _get(target: Object, interface: str, name: str) -> tuple[Any, ...]:
    known = INTERFACES.get(interface, {}).get(name)
    if known is None or interface not in target.interfaces:
        raise BusError(
            ERROR + "UnknownProperty",
            f"Unknown interface {interface} or property {name}.",
        )
    value = _values(target)[interface].get(name, known.default)
    return (variant(known.signature, value),)


def _get_all(target: Object, interface: str) -> tuple[Any, ...]:
    wanted = [name for name in target.interfaces if name in INTERFACES and interface in ("", name)]
    if not wanted:
        raise BusError(ERROR + "UnknownInterface", f"Unknown interface '{interface}'.")
    values = _values(target)
    return (
        {
            name: variant(known.signature, values[one].get(name, known.default))
            for one in wanted
            for name, known in INTERFACES[one].items()
        },
    )


def _get_processes(target: Object) -> tuple[Any, ...]:
    return (properties.processes(target.unit) if target.unit else [],)


_OWNERS = {BUS: BUS, SYSTEMD: SYSTEMD_NAME}


def _get_name_owner(_target: Object, name: str) -> tuple[Any, ...]:
    if name not in _OWNERS:
        text = f"Could not get owner of name '{name}': no such name"
        raise BusError(ERROR + "NameHasNoOwner", text)
    return (_OWNERS[name],)


def _nothing(_target: Object, *_arguments: Any) -> tuple[Any, ...]:
    return ()


#: Interface -> member -> method.
METHODS: Mapping[str, Mapping[str, Method]] = {
    BUS: {
        "Hello": Method("", "s", lambda _target: (CLIENT_NAME,)),
        "GetNameOwner": Method("s", "s", _get_name_owner),
        "GetConnectionUnixUser": Method("s", "u", lambda _target, _name: (0,)),
        "NameHasOwner": Method("s", "b", lambda _target, name: (name in _OWNERS,)),
        **verbs.BUS_METHODS,
    },
    _PEER: {"Ping": Method("", "", _nothing)},
    MANAGER: {
        "ListUnits": Method("", _ROWS, _list_units),
        "ListUnitsByNames": Method("as", _ROWS, _list_units_by_names),
        "ListUnitsByPatterns": Method("asas", _ROWS, _list_units_by_patterns),
        "ListUnitsFiltered": Method("as", _ROWS, _list_units_filtered),
        "GetUnit": Method("s", "o", _get_unit),
        "LoadUnit": Method("s", "o", _load_unit),
        "GetUnitFileState": Method("s", "s", _get_unit_file_state),
        "ListUnitFiles": Method("", "a(ss)", _list_unit_files),
        "ListUnitFilesByPatterns": Method("asas", "a(ss)", _list_unit_files),
        **verbs.MANAGER_METHODS,
    },
    _PROPERTIES: {
        "Get": Method("ss", "v", _get),
        "GetAll": Method("s", "a{sv}", _get_all),
    },
    **{
        TYPE_INTERFACES[kind]: {"GetProcesses": Method("", "a(sus)", _get_processes)}
        for kind in schema.CGROUP_TYPES
    },
}
