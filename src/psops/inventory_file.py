"""Inventory files: from TOML to `Inventory`, with a message for every mistake.

A message names the file, the line where it can be told, the table, the key and what is
wrong. What a key may hold is in `_HOST_KEYS`; how values of several tables join for one
host is in `_JOINS`.
"""

import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any, NoReturn

from psops.errors import InventoryError
from psops.inventory import (
    TRANSPORTS,
    Host,
    Inventory,
    Waiver,
    check_name,
    check_user,
    parse_destination,
)
from psops.nearest import did_you_mean
from psops.nodeset import LARGEST, NodesetError, expand

Table = dict[str, Any]


def read(path: Path) -> Inventory:
    """Return the inventory that the file at `path` describes."""
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as exc:
        line = exc.object[: exc.start].count(b"\n") + 1
        raise InventoryError(f"{path}:{line}: not UTF-8 text") from exc
    except (OSError, ValueError) as exc:
        reason = (getattr(exc, "strerror", None) or str(exc)).lower()
        raise InventoryError(f"{path}: cannot read: {reason}") from exc
    return parse(text, path)


def parse(text: str, path: Path) -> Inventory:
    """Return the inventory that `text` describes; `path` is named in messages."""
    file = _File(path, text)
    top = file.tables((), file.load())
    file.check_keys((), top, ("defaults", "hosts", "groups"))
    defaults = file.settings(("defaults",), top.get("defaults", {}), _DEFAULT_KEYS)
    ssh_config = defaults.pop("ssh_config", None)

    ranges: list[tuple[list[str], Table]] = []
    own: dict[str, Table] = {}
    names: dict[str, None] = {}
    for pattern, table in file.tables(("hosts",), top.get("hosts", {})).items():
        where = ("hosts", pattern)
        covered = file.read(where, None, _nodeset, pattern)
        names.update(dict.fromkeys(covered))
        layer = file.settings(where, table, _HOST_KEYS)
        if covered == [pattern]:
            own[pattern] = layer
        elif "address" in layer and len(covered) > 1:
            file.fail(where, "address", f"one address cannot serve {len(covered)} hosts")
        else:
            ranges.append((covered, layer))

    groups = {
        name: file.settings(("groups", name), table, _GROUP_KEYS)
        for name, table in file.tables(("groups",), top.get("groups", {})).items()
    }
    for name in groups:
        file.read(("groups", name), None, _group_name, name)
    order = _outer_first(file, groups)
    members: dict[str, dict[str, None]] = {}
    for name in reversed(order):
        inside = groups[name].get("groups", ())
        members[name] = dict.fromkeys(groups[name].get("hosts", ()))
        members[name].update({host: None for group in inside for host in members[group]})
    names.update({host: None for group in groups for host in members[group]})

    # From weak to strong: groups, outer before inner; tables of several hosts; the own table.
    layers: dict[str, list[Table]] = {name: [defaults] for name in names}
    is_in: dict[str, list[str]] = {name: [] for name in names}
    for group in order:
        for name in members[group]:
            layers[name].append(groups[group])
    for group in groups:
        for name in members[group]:
            is_in[name].append(group)
    for covered, layer in ranges:
        for name in covered:
            layers[name].append(layer)
    for name, layer in own.items():
        layers[name].append(layer)
    return Inventory(
        hosts=tuple(
            Host(name=name, groups=tuple(is_in[name]), **_merge(layers[name])) for name in names
        ),
        groups={name: tuple(members[name]) for name in groups},
        defaults=Host(name="", **_merge([defaults])),
        ssh_config=path.parent / Path(ssh_config).expanduser() if ssh_config else None,
        path=path,
    )


class _File:
    """An inventory file being read; every method that checks raises with the place."""

    def __init__(self, path: Path, text: str) -> None:
        self.path = path
        self.text = text

    def load(self) -> Table:
        try:
            return tomllib.loads(self.text)
        except RecursionError as exc:
            raise InventoryError(f"{self.path}: nested too deeply") from exc
        except ValueError as exc:
            what, _, place = str(exc).partition(" (at ")
            line = self.text.rstrip().count("\n") + 1
            column = ""
            if at := re.match(r"line (\d+), (column \d+)", place):
                line, column = int(at[1]), f" ({at[2]})"
            what = _one_line(what[:1].lower() + what[1:])
            raise InventoryError(f"{self.path}:{line}: not TOML: {what}{column}") from exc

    def fail(self, where: tuple[str, ...], key: str | None, what: str) -> NoReturn:
        from psops.inventory_lines import find

        line = find(self.text, where, key)
        place = f"{self.path}:{line}" if line else str(self.path)
        table = f" [{'.'.join(map(_bare_or_quoted, where))}]" if where else ""
        named = f" key '{key}'" if key is not None else ""
        raise InventoryError(_one_line(f"{place}:{table}{named}: {what}".replace("::", ":")))

    def read(
        self, where: tuple[str, ...], key: str | None, reader: Callable[[Any], Any], value: object
    ) -> Any:
        try:
            return reader(value)
        except ValueError as exc:
            self.fail(where, key, str(exc))

    def tables(self, where: tuple[str, ...], value: Any) -> dict[str, Table]:
        """Return a table of tables."""
        if not isinstance(value, dict):
            self.fail(where[:-1], where[-1], f"must be a table, not {_kind(value)}")
        for name, inner in value.items():
            if not isinstance(inner, dict):
                self.fail(where, name, f"must be a table, not {_kind(inner)}")
        return value

    def check_keys(self, where: tuple[str, ...], table: Table, known: Iterable[str]) -> None:
        known = list(known)
        for key, value in table.items():
            if key in known:
                continue
            near = did_you_mean(key, known)
            if isinstance(value, dict) and len(where) > 1 and not near:
                near = "; a name with dots needs quotes, as in [hosts.\"a.example.org\"]"
            self.fail(where, key, f"unknown key{near or '; known are ' + ', '.join(known)}")

    def settings(
        self, where: tuple[str, ...], table: Table, keys: "Mapping[str, Callable[[Any], Any]]"
    ) -> Table:
        """Return the checked values of a table."""
        self.check_keys(where, table, keys)
        return {key: self.read(where, key, keys[key], value) for key, value in table.items()}


def _outer_first(file: _File, groups: dict[str, Table]) -> list[str]:
    """Return the groups in the order of the file, but each after those that contain it."""
    order: list[str] = []
    done: set[str] = set()
    for start in groups:
        # Depth first with a stack of our own: a long chain must not end in a RecursionError.
        trail: list[str] = []
        todo: list[tuple[str, bool]] = [(start, False)]
        while todo:
            name, left = todo.pop()
            if left:
                trail.pop()
                done.add(name)
                order.append(name)
                continue
            if name in done:
                continue
            if name in trail:
                cycle = " -> ".join([*trail[trail.index(name) :], name])
                file.fail(("groups", trail[-1]), "groups", f"groups contain each other: {cycle}")
            trail.append(name)
            todo.append((name, True))
            for inner in reversed(groups[name].get("groups", ())):
                if inner not in groups:
                    near = did_you_mean(inner, groups)
                    file.fail(("groups", name), "groups", f"no group '{inner}'{near}")
                todo.append((inner, False))
    return order[::-1]


def _merge(layers: list[Table]) -> Table:
    """Return the settings of a host from tables, the weakest first."""
    merged: Table = {}
    for layer in layers:
        for key, value in layer.items():
            if join := _JOINS.get(key):
                merged[key] = join(merged.get(key, ()), value)
            elif key not in ("hosts", "groups"):
                merged[key] = value
    return merged


def _join_protected(old: Any, new: Any) -> Any:
    """Return what is protected by both; only an explicit `false` takes protection away."""
    if new is True or new is False:
        return new or ()
    return True if old is True else _union(old, new)


def _union(old: tuple[Any, ...], new: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(dict.fromkeys((*old, *new)))


_JOINS: dict[str, Callable[[Any, Any], Any]] = {
    "bundles": _union,
    "waivers": _union,
    "labels": lambda old, new: tuple({**dict(old), **dict(new)}.items()),
    "protected": _join_protected,
}


def _string(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"must be a string, not {_kind(value)}")
    if not value or not value.isprintable():
        raise ValueError("must not be empty" if not value else f"{value!r} has control characters")
    return value


def _bool(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"must be true or false, not {_kind(value)}")
    return value


def _strings(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise ValueError(f"must be a list of strings, not {_kind(value)}")
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
        raise ValueError(f"must be a number, not {_kind(value)}")
    if not 0 < value < 65536:
        raise ValueError(f"{value} is not a port from 1 to 65535")
    return value


def _jump(value: Any) -> tuple[str, ...]:
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
        raise ValueError(f"must be a table of strings, not {_kind(value)}")
    return tuple((_string(key), _string(item)) for key, item in value.items())


def _protected(value: Any) -> tuple[str, ...] | bool:
    if isinstance(value, bool):
        return value
    if not isinstance(value, list):
        raise ValueError(f"must be true or a list of unit names, not {_kind(value)}")
    return _strings(value)


def _waivers(value: Any) -> tuple[Waiver, ...]:
    if not isinstance(value, list):
        raise ValueError(f"must be a list of tables, not {_kind(value)}")
    return tuple(_waiver(item) for item in value)


def _waiver(value: Any) -> Waiver:
    if not isinstance(value, dict):
        raise ValueError(f"must be a list of tables, not of {_kind(value)}")
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
        raise ValueError(f"'until' must be a date such as 2027-01-31, not {_kind(value)}")
    return value


def _nodeset(value: Any) -> list[str]:
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


def _group_name(name: str) -> str:
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
_DEFAULT_KEYS = {**_SETTINGS, "ssh_config": _string}
_HOST_KEYS = {"address": _address, **_SETTINGS}
_GROUP_KEYS = {"hosts": _nodeset, "groups": _string_or_strings, **_SETTINGS}
_WAIVER_KEYS: dict[str, Callable[[Any], Any]] = {
    "daemon": _string,
    "reason": _string,
    "until": _date,
}

_KINDS = {bool: "a boolean", int: "a number", float: "a number", str: "a string", list: "a list"}


def _kind(value: Any) -> str:
    return _KINDS.get(type(value), "a table" if isinstance(value, dict) else "a date or time")


def _bare_or_quoted(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else f'"{key}"'


def _one_line(text: str) -> str:
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)
