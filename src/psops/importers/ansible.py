"""Ansible inventories: INI and YAML files, and the JSON of `ansible-inventory --list`.

Authority: the inventory plugins ini, yaml and script of ansible-core, and for which variable
holds: "Variable precedence" in its documentation. Files beside an inventory (group_vars,
host_vars) are not read; `ansible-inventory --list` has what they say.
"""

import ast
import json
import re
import shlex
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from psops.importers.ansible_ranges import expand_pattern
from psops.importers.ansible_vars import Var, take
from psops.importers.imported import Imported
from psops.importers.yaml_nodes import Item, load

_SECTION = re.compile(r"\[([^:\]\s]+)(?::(\w+))?\]\s*(?:#.*)?")
_GROUP = re.compile(r"([^#:\]\s]+)\s*(?:#.*)?")
_ALL, _UNGROUPED = "all", "ungrouped"
_GROUP_KEYS = ("hosts", "children", "vars")


@dataclass(slots=True)
class _Group:
    line: int
    hosts: dict[str, None] = field(default_factory=dict)
    children: dict[str, int] = field(default_factory=dict)  # with the line of each
    vars: dict[str, Var] = field(default_factory=dict)


def read(text: str, name: str) -> Imported:
    """Return the hosts with what holds for them, and the groups."""
    reader = _Reader(Imported(name))
    begin = text.lstrip("\ufeff \t\r\n")
    if begin.startswith(("{", "#!")):
        reader.json(text)
    elif _is_yaml(text):
        reader.yaml(load(text, reader.found))
    else:
        reader.ini(text)
    return reader.result()


def _is_yaml(text: str) -> bool:
    """Tell YAML from INI by the first line that says something."""
    for raw in text.splitlines():
        line = raw.strip()
        if line and line[0] not in "#;":
            return line.startswith("---") or bool(re.match(r"[\w.\"'-]+:(\s|$)", line))
    return False


class _Reader:
    """An inventory while it is read, in Ansible's own terms."""

    def __init__(self, found: Imported) -> None:
        self.found = found
        self.groups: dict[str, _Group] = {_ALL: _Group(0), _UNGROUPED: _Group(0)}
        self.hosts: dict[str, int] = {}  # with the line of each
        self.vars: dict[str, dict[str, Var]] = {}

    def group(self, name: str, line: int) -> _Group:
        return self.groups.setdefault(name, _Group(line))

    def host(self, pattern: str, group: str, line: int) -> list[str]:
        """Take the hosts of a pattern into a group, and return their names."""
        try:
            names, port = expand_pattern(pattern)
        except ValueError as exc:
            self.found.note(line, f"{exc}; left out")
            return []
        members = self.group(group, line).hosts
        for name in names:
            members[name] = None
            values = self.vars.setdefault(name, {})
            if port is not None and name not in self.hosts:  # later ones do not count
                values["ansible_port"] = Var(line, port)
            self.hosts.setdefault(name, line)
        return names

    def ini(self, text: str) -> None:
        section, kind = _UNGROUPED, "hosts"
        for line, raw in enumerate(text.removeprefix("\ufeff").splitlines(), 1):
            stripped = raw.strip()
            if not stripped or stripped[0] in "#;":
                continue
            if stripped[0] == "[":
                match = _SECTION.fullmatch(stripped)
                if match is not None:
                    section, kind = match[1], match[2] or "hosts"
                    if kind not in _GROUP_KEYS:
                        raise self.found.fail(line, f"a section of the kind '{kind}' is unknown")
                    self.group(section, line)
                    continue
                if not re.match(r"\[[0-9A-Fa-f]*:", stripped):
                    raise self.found.fail(line, "not a section such as [name] or [name:vars]")
            if kind == "hosts":
                self._ini_host(stripped, section, line)
            elif kind == "vars":
                key, equals, value = stripped.partition("=")
                if not equals:
                    raise self.found.fail(line, "not NAME=VALUE")
                self.group(section, line).vars[key.strip()] = Var(line, _literal(value.strip()))
            else:
                child = _GROUP.fullmatch(stripped)
                if child is None:
                    raise self.found.fail(line, f"'{stripped}' is not the name of a group")
                self.group(section, line).children.setdefault(child[1], line)
                self.group(child[1], line)

    def _ini_host(self, text: str, section: str, line: int) -> None:
        try:
            words = shlex.split(text, comments=True)
        except ValueError as exc:
            raise self.found.fail(line, f"{str(exc).lower()}") from exc
        if not words:
            return
        names = self.host(words[0], section, line)
        for word in words[1:]:
            key, equals, value = word.partition("=")
            if not equals:
                raise self.found.fail(line, "behind a host only NAME=VALUE can stand")
            for name in names:
                self.vars[name][key] = Var(line, _literal(value))

    def yaml(self, document: Item) -> None:
        if not isinstance(document.value, dict):
            raise self.found.fail(document.line, "no table of groups")
        for name, inner in document.value.items():
            self._yaml_group(str(name), inner, frozenset())

    def _yaml_group(self, name: str, item: Item, above: frozenset[str]) -> None:
        if name in above:
            raise self.found.fail(item.line, f"group '{name}' contains itself")
        group = self.group(name, item.line)
        if item.value is None:
            return
        if not isinstance(item.value, dict):
            raise self.found.fail(item.line, f"group '{name}' is no table")
        for key, inner in item.value.items():
            if key not in _GROUP_KEYS:
                told = f"'{key}' in group '{name}' is none of hosts, children, vars; left out"
                self.found.note(inner.line, told)
                continue
            table = {inner.value: Item(inner.line, None)} if isinstance(inner.value, str) \
                else inner.value or {}  # fmt: skip
            if not isinstance(table, dict):
                raise self.found.fail(inner.line, f"{key} of group '{name}' must be a table")
            for word, value in table.items():
                if key == "vars":
                    group.vars[str(word)] = Var(value.line, value.value)
                elif key == "children":
                    group.children.setdefault(str(word), value.line)
                    self._yaml_group(str(word), value, above | {name})
                else:
                    own = value.value if isinstance(value.value, dict) else {}
                    for host in self.host(str(word), name, value.line):
                        self.vars[host].update(
                            {str(var): Var(*given) for var, given in own.items()}
                        )

    def json(self, text: str) -> None:
        if text.startswith("#!"):
            raise self.found.fail(1, "a program: run it with --list and import what it prints")
        try:
            document = json.loads(text.removeprefix("\ufeff"))
        except (ValueError, RecursionError) as exc:
            raise self.found.fail(getattr(exc, "lineno", 0), f"not JSON: {exc}") from exc
        if not isinstance(document, dict):
            raise self.found.fail(1, "no table of groups")
        meta = document.pop("_meta", None)
        hostvars = meta.get("hostvars", {}) if isinstance(meta, dict) else {}
        for name, inner in document.items():
            table = {"hosts": inner} if isinstance(inner, list) else inner
            if not isinstance(table, dict):
                raise self.found.fail(0, f"group '{name}' is no table")
            group = self.group(name, 0)
            for host in _texts(table.get("hosts")):
                group.hosts[host] = None
                self.hosts.setdefault(host, 0)
            for child in _texts(table.get("children")):
                group.children[child] = 0
                self.group(child, 0)
            group.vars.update(_vars(table.get("vars")))
        for host, given in hostvars.items() if isinstance(hostvars, dict) else ():
            self.hosts.setdefault(host, 0)
            self.vars.setdefault(host, {}).update(_vars(given))

    def result(self) -> Imported:
        """Return what psops makes of it."""
        order = self._weak_to_strong()
        holds: dict[str, list[str]] = {name: [] for name in self.hosts}
        below = self._all_members()
        for group in order:
            for host in below[group]:
                holds[host].append(group)
        left_out = set()
        for host, line in self.hosts.items():
            values: dict[str, Var] = {}
            for group in holds[host]:
                values.update(self.groups[group].vars)
            values.update(self.vars.get(host, {}))
            if not take(self.found, host, values, line):
                left_out.add(host)
        for name, one in self.groups.items():
            if name in (_ALL, _UNGROUPED):
                continue
            self.found.put(name, [host for host in one.hosts if host not in left_out], one.line)
            for child, line in one.children.items():
                self.found.nest(name, child, line)
        return self.found

    def _all_members(self) -> dict[str, dict[str, None]]:
        """Return the hosts of each group with those of the groups within it."""
        members: dict[str, dict[str, None]] = {}

        def collect(name: str, above: tuple[str, ...]) -> dict[str, None]:
            if name in above:
                way = " -> ".join((*above[above.index(name) :], name))
                raise self.found.fail(self.groups[name].line, f"groups contain each other: {way}")
            if name not in members:
                found = dict(self.groups[name].hosts)
                for child in self.groups[name].children:
                    found.update(collect(child, (*above, name)))
                members[name] = found
            return members[name]

        for name in self.groups:
            collect(name, ())
        members[_ALL] = dict.fromkeys(self.hosts)
        return members

    def _weak_to_strong(self) -> list[str]:
        """Return the groups in the order in which their variables overwrite each other."""
        depth = dict.fromkeys(self.groups, 1)
        depth[_ALL] = 0
        for _ in self.groups:
            changed = False
            for name, group in self.groups.items():
                for child in group.children:
                    if name != _ALL and depth[child] <= depth[name] < len(self.groups):
                        depth[child] = depth[name] + 1
                        changed = True
            if not changed:
                break

        def rank(name: str) -> tuple[int, int, str]:
            given = self.groups[name].vars.get("ansible_group_priority")
            text = str(given.value) if given is not None else "1"
            return depth[name], int(text) if text.isdigit() else 1, name

        return sorted(self.groups, key=rank)


def _vars(given: Any) -> dict[str, Var]:
    if not isinstance(given, dict):
        return {}
    found = {}
    for name, value in given.items():
        if isinstance(value, dict) and "__ansible_vault" in value:
            from psops.importers.yaml_nodes import Vault

            value = Vault()
        found[name] = Var(0, value)
    return found


def _texts(value: Any) -> Iterable[str]:
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else ()


def _literal(text: str) -> Any:
    """Return the value that Ansible's INI plugin makes of a text: Python's, or the text."""
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return text
