"""What the demo hosts' bus and their systemd answer: calls to values, as tables of methods.

Nothing here depends on the host, only on its profile. Authority: org.freedesktop.systemd1(5),
error texts of systemd 252.
"""

import re
from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

from psops.demo import properties, schema
from psops.demo.profile import Profile, Unit
from psops.demo.schema import INTERFACES, MANAGER, UNIT
from psops.demo.template import variant
from psops.errors import BusError
from psops.systemd.codec import Message
from psops.systemd.names import TYPE_INTERFACES, unit_path, unit_type

BUS = "org.freedesktop.DBus"
SYSTEMD = "org.freedesktop.systemd1"
SYSTEMD_NAME, CLIENT_NAME = ":1.0", ":1.42"

_ERROR = BUS + ".Error."
_PROPERTIES = BUS + ".Properties"
_PEER = BUS + ".Peer"
_UNIT_PREFIX = "/org/freedesktop/systemd1/unit/"
_VALID_NAME = re.compile(r"[A-Za-z0-9:_.\\-]+(@[A-Za-z0-9:_.\\@-]*)?\.[a-z]+")
_ROWS = "a(ssssssouso)"


class Object(NamedTuple):
    """What a call is made on: an object path of a host with its interfaces."""

    profile: Profile
    interfaces: tuple[str, ...]
    unit: Unit | None = None


class Method(NamedTuple):
    """A method: the signatures of its arguments and of its result, and what gives the result."""

    takes: str
    gives: str
    answer: Callable[..., tuple[Any, ...]]


def answer(profile: Profile, call: Message) -> tuple[str, tuple[Any, ...]]:
    """Return signature and values of the reply; raises the `BusError` to send instead."""
    name = call.destination or BUS
    if name == BUS:
        target = Object(profile, (BUS, _PEER))
    elif name in (SYSTEMD, SYSTEMD_NAME):
        target = _find_object(profile, call.path or "/")
    else:
        raise BusError(
            _ERROR + "ServiceUnknown",
            f"The name {name} was not provided by any .service files",
        )
    method = _find_method(target, call)
    if method.takes != call.signature:
        raise BusError(
            _ERROR + "InvalidArgs",
            f"Invalid arguments '{call.signature}' to call {call.interface}.{call.member}(), "
            f"expecting '{method.takes}'.",
        )
    return method.gives, method.answer(target, *call.body)


def _find_object(profile: Profile, path: str) -> Object:
    if path == "/org/freedesktop/systemd1":
        return Object(profile, (MANAGER, _PROPERTIES, _PEER))
    name = _unit_name(path)
    if name is None:
        raise BusError(_ERROR + "UnknownObject", f"Unknown object '{path}'.")
    if not _is_valid(name):
        text = f"Unit name {name} is neither a valid invocation ID nor unit name."
        raise BusError(_ERROR + "InvalidArgs", text)
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


def _is_valid(name: str) -> bool:
    """Tell whether systemd would load a unit of this name (templates it does not)."""
    return (
        _VALID_NAME.fullmatch(name) is not None
        and bool(unit_type(name))
        and "@." not in name
        and len(name) < 256
    )


def _find_method(target: Object, call: Message) -> Method:
    interface, member = call.interface or "", call.member or ""
    if interface in target.interfaces and member in METHODS.get(interface, {}):
        return METHODS[interface][member]
    text = f"Unknown method {member} or interface {interface}."
    if BUS in target.interfaces:
        text = f"{interface or BUS} does not understand message {member}"
    elif not interface:  # which the specification allows, but sd-bus does not
        raise BusError(_ERROR + "UnknownObject", f"Unknown object '{call.path}'.")
    raise BusError(_ERROR + "UnknownMethod", text)


def _row(unit: Unit) -> tuple[Any, ...]:
    return (unit.name, unit.description, unit.load, unit.active, unit.sub, "",
            unit_path(unit.name), 0, "", "/")  # fmt: skip


def _load(profile: Profile, name: str) -> Unit:
    if not _is_valid(name):
        text = "is missing the instance name" if "@." in name else "is not valid"
        raise BusError(_ERROR + "InvalidArgs", f"Unit name {name} {text}.")
    return profile.find(name)


def _list_units(target: Object) -> tuple[Any, ...]:
    return ([_row(unit) for unit in target.profile.units.values()],)


def _list_units_by_names(target: Object, names: tuple[str, ...]) -> tuple[Any, ...]:
    # The manager leaves out what is no unit name at all.
    valid = [name for name in names if _VALID_NAME.fullmatch(name) and unit_type(name)]
    return ([_row(_load(target.profile, name)) for name in valid],)


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
    if name not in target.profile.names:
        raise BusError(SYSTEMD + ".NoSuchUnit", f"Unit {name} not loaded.")
    return (unit_path(target.profile.find(name).name),)


def _load_unit(target: Object, name: str) -> tuple[Any, ...]:
    return (unit_path(_load(target.profile, name).name),)


def _values(target: Object) -> properties.Values:
    if target.unit is not None:
        return properties.of_unit(target.unit, target.profile)
    return properties.of_manager(target.profile)


def _get(target: Object, interface: str, name: str) -> tuple[Any, ...]:
    known = INTERFACES.get(interface, {}).get(name)
    if known is None or interface not in target.interfaces:
        raise BusError(
            _ERROR + "UnknownProperty",
            f"Unknown interface {interface} or property {name}.",
        )
    value = _values(target)[interface].get(name, known.default)
    return (variant(known.signature, value),)


def _get_all(target: Object, interface: str) -> tuple[Any, ...]:
    wanted = [name for name in target.interfaces if name in INTERFACES and interface in ("", name)]
    if not wanted:
        raise BusError(_ERROR + "UnknownInterface", f"Unknown interface '{interface}'.")
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
        raise BusError(_ERROR + "NameHasNoOwner", text)
    return (_OWNERS[name],)


def _nothing(_target: Object, *_arguments: Any) -> tuple[Any, ...]:
    return ()


#: Interface -> member -> method. A verb (issue to come) is one more row that leaves a changed
#: profile with the host.
METHODS: Mapping[str, Mapping[str, Method]] = {
    BUS: {
        "Hello": Method("", "s", lambda _target: (CLIENT_NAME,)),
        "GetNameOwner": Method("s", "s", _get_name_owner),
        "NameHasOwner": Method("s", "b", lambda _target, name: (name in _OWNERS,)),
        "AddMatch": Method("s", "", _nothing),
        "RemoveMatch": Method("s", "", _nothing),
    },
    _PEER: {"Ping": Method("", "", _nothing)},
    MANAGER: {
        "ListUnits": Method("", _ROWS, _list_units),
        "ListUnitsByNames": Method("as", _ROWS, _list_units_by_names),
        "ListUnitsByPatterns": Method("asas", _ROWS, _list_units_by_patterns),
        "ListUnitsFiltered": Method("as", _ROWS, _list_units_filtered),
        "GetUnit": Method("s", "o", _get_unit),
        "LoadUnit": Method("s", "o", _load_unit),
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
