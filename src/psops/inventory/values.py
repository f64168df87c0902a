"""The keys of an inventory file: what each may hold, and how the values of tables join.

A reader takes a value as tomllib gives it and returns it checked; what is wrong with it is
the text of a ValueError, without the place.
"""

import re
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

from psops.inventory import TRANSPORTS, Waiver, check_name, check_user, parse_destination
from psops.nearest import did_you_mean
from psops.nodeset import LARGEST, NodesetError, expand


def _string(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"must be a string, not {kind(value)}")
    if not value or not value.isprintable():
        raise ValueError("must not be empty" if not value else f"{value!r} has control characters")
    return value


def _bool(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"must be true or false, not {kind(value)}")
    return value


def _strings(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise ValueError(f"must be a list of strings, not {kind(value)}")
    return tuple(_string(item) for item in value)


def _string_or_strings(value: Any) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else _strings(value)


def _user(value: Any) -> str:
    check_user(_string(value))
    return str(value)


def _address(value: Any) -> str:
    check_name(_string(value))
    return str(value)


def _port(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"must be a whole number, not {kind(value)}")
    if not 0 < value < 65536:
        raise ValueError(f"{value} is not a port from 1 to 65535")
    return value


def _jump(value: Any) -> tuple[str, ...]:
    if value in ("none", ["none"]):  # takes the jump hosts of a group away
        return ()
    hops = tuple(hop.strip() for text in _string_or_strings(value) for hop in text.split(","))
    for hop in hops:
        parse_destination(hop)
    return hops


def _transport(value: Any) -> str:
    if _string(value) not in TRANSPORTS:
        near = did_you_mean(value, TRANSPORTS) or f"; known are {', '.join(TRANSPORTS)}"
        raise ValueError(f"no transport '{value}'{near}")
    return str(value)


def _labels(value: Any) -> tuple[tuple[str, str], ...]:
    if not isinstance(value, dict):
        raise ValueError(f"must be a table of strings, not {kind(value)}")
    for key, item in value.items():
        if not isinstance(item, str):
            raise ValueError(f"label '{key}' must be a string, not {kind(item)}")
        if not f"{key}{item}".isprintable():
            raise ValueError(f"label '{key}' has control characters")
    return tuple(value.items())


def _protected(value: Any) -> tuple[str, ...] | bool:
    if isinstance(value, bool):
        return value
    if not isinstance(value, list):
        raise ValueError(f"must be true or a list of unit names, not {kind(value)}")
    return _strings(value)


def _waivers(value: Any) -> tuple[Waiver, ...]:
    if not isinstance(value, list):
        raise ValueError(f"must be a list of tables, not {kind(value)}")
    return tuple(_waiver(item) for item in value)


def _waiver(value: Any) -> Waiver:
    if not isinstance(value, dict):
        raise ValueError(f"must be a list of tables, not of {kind(value)}")
    for key in value:
        if key not in _WAIVER_KEYS:
            raise ValueError(f"unknown key '{key}' in a waiver{did_you_mean(key, _WAIVER_KEYS)}")
    for key in ("daemon", "reason"):
        if key not in value:
            raise ValueError(f"a waiver needs '{key}'")
    try:
        return Waiver(**{key: _WAIVER_KEYS[key](item) for key, item in value.items()})
    except ValueError as exc:
        raise ValueError(f"in a waiver: {exc}") from exc


def _date(value: Any) -> date:
    if not isinstance(value, date) or isinstance(value, datetime):
        raise ValueError(f"'until' must be a date such as 2027-01-31, not {kind(value)}")
    return value


def nodeset(value: Any) -> list[str]:
    """Return the names of a list of patterns."""
    names: dict[str, None] = {}
    for text in _string_or_strings(value):
        if text.lstrip().startswith("@"):
            raise NodesetError(f"'{text}': a group within a group goes to the key 'groups'")
        for name in expand(_string(text)):
            check_name(name)
            names[name] = None
    if len(names) > LARGEST:
        raise NodesetError(f"more than {LARGEST} hosts")
    return list(names)


def group_name(name: str) -> str:
    """Return the name of a group if it can be written as `@name` on a command line."""
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]*", name):
        raise ValueError("a group's name has letters, digits, '_', '.' and '-' only")
    return name


_SETTINGS: dict[str, Callable[[Any], Any]] = {
    "user": _user,
    "port": _port,
    "jump": _jump,
    "transport": _transport,
    "sudo": _bool,
    "compress": _bool,
    "bundles": _strings,
    "labels": _labels,
    "protected": _protected,
    "waivers": _waivers,
}
DEFAULT_KEYS = {**_SETTINGS, "ssh_config": _string}
HOST_KEYS = {"address": _address, **_SETTINGS}
GROUP_KEYS = {"hosts": nodeset, "groups": _string_or_strings, **_SETTINGS}
_WAIVER_KEYS: dict[str, Callable[[Any], Any]] = {
    "daemon": _string,
    "reason": _string,
    "until": _date,
}

_KINDS = {bool: "a boolean", int: "a number", float: "a fraction", str: "a string", list: "a list"}


def kind(value: Any) -> str:
    """Return the kind of a value in the words of messages."""
    return _KINDS.get(type(value), "a table" if isinstance(value, dict) else "a date or time")


def _join_protected(old: Any, new: Any) -> Any:
    """Return what is protected by both; only an explicit `false` takes protection away."""
    if new is True or new is False:
        return new or ()
    return True if old is True else _union(old, new)


def _union(old: tuple[Any, ...], new: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(dict.fromkeys((*old, *new)))


JOINS: dict[str, Callable[[Any, Any], Any]] = {
    "bundles": _union,
    "waivers": _union,
    "labels": lambda old, new: tuple({**dict(old), **dict(new)}.items()),
    "protected": _join_protected,
}
