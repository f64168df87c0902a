"""Inventory files: from TOML to `Inventory`, with a message for every mistake.

A message names the file, the line where it can be told, the table, the key and what is
wrong. What a key may hold is in `HOST_KEYS`; how values of several tables join for one
host is in `JOINS`.
"""

import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, NoReturn

from psops.errors import InventoryError
from psops.inventory import Host, Inventory
from psops.inventory.values import (
    DEFAULT_KEYS,
    GROUP_KEYS,
    HOST_KEYS,
    JOINS,
    group_name,
    kind,
    nodeset,
)
from psops.nearest import did_you_mean
from psops.order import inner_first
from psops.paths import expanded, read_text

Table = dict[str, Any]


def read(path: Path) -> Inventory:
    """Return the inventory that the file at `path` describes."""
    try:
        text = read_text(path)
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
    top = file.load()
    file.check_keys((), top, ("defaults", "hosts", "groups"))
    file.tables((), top)
    defaults = file.settings(("defaults",), top.get("defaults", {}), DEFAULT_KEYS)
    ssh_config = defaults.pop("ssh_config", None)

    ranges: list[tuple[list[str], Table]] = []
    own: dict[str, Table] = {}
    names: dict[str, None] = {}
    for pattern, table in file.tables(("hosts",), top.get("hosts", {})).items():
        where = ("hosts", pattern)
        covered = file.read(where, None, nodeset, pattern)
        if not covered:
            file.fail(where, None, "the name stands for no host")
        names.update(dict.fromkeys(covered))
        layer = file.settings(where, table, HOST_KEYS)
        if covered == [pattern]:
            own[pattern] = layer
        elif "address" in layer and len(covered) > 1:
            file.fail(where, "address", f"one address cannot serve {len(covered)} hosts")
        else:
            ranges.append((covered, layer))

    groups = {
        name: file.settings(("groups", name), table, GROUP_KEYS)
        for name, table in file.tables(("groups",), top.get("groups", {})).items()
    }
    for name in groups:
        file.read(("groups", name), None, group_name, name)
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
        inner={name: groups[name]["groups"] for name in groups if groups[name].get("groups")},
        defaults=Host(name="", **_merge([defaults])),
        ssh_config=path.parent / expanded(ssh_config) if ssh_config else None,
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
            if twice := re.fullmatch(r"Cannot declare \('(.*)',?\) twice", what):
                what = f"{_table(tuple(twice[1].split(chr(39) + ', ' + chr(39))))} is there twice"
            else:
                what = f"not TOML: {what[:1].lower()}{what[1:]}{column}"
            raise InventoryError(_one_line(f"{self.path}:{line}: {what}")) from exc

    def fail(self, where: tuple[str, ...], key: str | None, what: str) -> NoReturn:
        from psops.inventory.lines import find

        line = find(self.text, where, key)
        place = f"{self.path}:{line}" if line else str(self.path)
        parts = [_table(where)] if where else []
        if key is not None:
            parts.append(f"key '{key}'")
        raise InventoryError(_one_line(f"{place}: {' '.join(parts)}: {what}"))

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
            self.fail(where[:-1], where[-1], f"must be a table, not {kind(value)}")
        for name, inner in value.items():
            if not isinstance(inner, dict):
                self.fail(where, name, f"must be a table, not {kind(inner)}")
        return value

    def check_keys(self, where: tuple[str, ...], table: Table, known: Iterable[str]) -> None:
        known = list(known)
        for key, value in table.items():
            if key in known:
                continue
            near = did_you_mean(key, known)
            if isinstance(value, dict) and len(where) > 1 and not near:
                near = f'; a name with dots needs quotes: [{where[0]}."{where[1]}.{key}…"]'
            self.fail(where, key, f"unknown key{near or '; known are ' + ', '.join(known)}")

    def settings(
        self, where: tuple[str, ...], table: Table, keys: "Mapping[str, Callable[[Any], Any]]"
    ) -> Table:
        """Return the checked values of a table."""
        self.check_keys(where, table, keys)
        return {key: self.read(where, key, keys[key], value) for key, value in table.items()}


def _outer_first(file: _File, groups: dict[str, Table]) -> list[str]:
    """Return the groups in the order of the file, but each after those that contain it."""
    outer: dict[str, list[str]] = {name: [] for name in groups}
    for name, table in groups.items():
        for inner in table.get("groups", ()):
            if inner not in groups:
                near = did_you_mean(inner, groups)
                file.fail(("groups", name), "groups", f"no group '{inner}'{near}")
            outer[inner].append(name)
    order, circle = inner_first(outer)
    if circle:
        what = f"groups contain each other: {' -> '.join(reversed(circle))}"
        file.fail(("groups", circle[0]), "groups", what)
    return order


def _merge(layers: list[Table]) -> Table:
    """Return the settings of a host from tables, the weakest first."""
    merged: Table = {}
    for layer in layers:
        for key, value in layer.items():
            if join := JOINS.get(key):
                merged[key] = join(merged.get(key, ()), value)
            elif key not in ("hosts", "groups"):
                merged[key] = value
    return merged


def _table(path: tuple[str, ...]) -> str:
    """Return a table's header as it stands in a file."""
    parts = (part if re.fullmatch(r"[A-Za-z0-9_-]+", part) else f'"{part}"' for part in path)
    return f"[{'.'.join(parts)}]"


def _one_line(text: str) -> str:
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)
