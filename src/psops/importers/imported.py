"""What an importer finds: hosts with their settings, groups, and notes on what is left out."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from psops.errors import ConfigError
from psops.inventory import TRANSPORTS, check_name, check_user
from psops.inventory.values import group_name
from psops.nodeset import NodesetError, expand
from psops.report.text import clean

#: Words in the names of variables whose values may be secrets.
_SECRET = re.compile(r"pass|secret|token|vault|credential|private_key$|api_?key", re.IGNORECASE)
#: What is told of a line may quote it: user:password@host, and KEY=VALUE.
_QUOTED_LOGIN = re.compile(r"([^\s'\"/:@]+):[^\s'\"@]+@")
_QUOTED_VALUE = re.compile(rf"([\w-]*(?:{_SECRET.pattern})[\w-]*)=[^\s,]+", re.IGNORECASE)

#: One of the elements that commas separate; a bracket that is not closed takes the rest.
ELEMENT = re.compile(r"(?:\[[^\]]*(?:\]|\Z)|[^,\[])+")


class Note(NamedTuple):
    """What was not carried over, and the line it is in (0: no line can be told)."""

    line: int
    text: str


@dataclass(slots=True)
class Group:
    """The hosts of a group and the groups within it, each once and in order."""

    hosts: dict[str, None] = field(default_factory=dict)
    groups: dict[str, None] = field(default_factory=dict)


class Imported:
    """Hosts with settings by the keys of an inventory file, groups by name, and notes.

    Names that psops cannot have are left out, or changed in the case of groups, with a note.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.hosts: dict[str, dict[str, Any]] = {}
        self.groups: dict[str, Group] = {}
        self.notes: list[Note] = []
        self._renamed: dict[str, str] = {}
        self._refused: set[str] = set()

    def note(self, line: int, text: str) -> None:
        """Tell once what is left out of a line."""
        told = Note(line, clean(_without_secrets(text)))
        if told not in self.notes:
            self.notes.append(told)

    def fail(self, line: int, what: str) -> ConfigError:
        """Return the error for a text that cannot be read."""
        place = f"{self.name}:{line}" if line else self.name
        return ConfigError(clean(f"{place}: {_without_secrets(what)}"))

    def host(self, name: str, line: int = 0, **settings: Any) -> bool:
        """Take a host; the first value of a key counts, None is none. False if it cannot be."""
        if name in self._refused:
            return False
        if name not in self.hosts:
            try:
                check_name(name)
            except NodesetError as exc:
                self._refused.add(name)
                self.note(line, f"{exc}; left out")
                return False
            self.hosts[name] = {}
        for key, value in settings.items():
            self._set(name, line, key, value)
        return True

    def _set(self, name: str, line: int, key: str, value: Any) -> None:
        if value is None or (key == "address" and value == name):
            return
        if problem := _problem(key, value):
            self.note(line, f"host '{name}': {problem}; left out")
            return
        if key == "labels":
            have = self.hosts[name].setdefault("labels", {})
            for label, text in value.items():
                have.setdefault(label, text)
        else:
            self.hosts[name].setdefault(key, value)

    def group(self, name: str, line: int = 0) -> str:
        """Take a group and return its name, which is changed where psops cannot have it."""
        if name not in self._renamed:
            try:
                fitting = group_name(name)
            except ValueError:
                fitting = re.sub(r"[^A-Za-z0-9_.-]+", "-", name).strip("-.") or "group"
                self.note(line, f"group '{name}' is called '{fitting}': {_GROUP_NAMES}")
            self._renamed[name] = fitting
            self.groups.setdefault(fitting, Group())
        return self._renamed[name]

    def put(self, group: str, hosts: Iterable[str], line: int = 0) -> None:
        """Take a group with hosts, which are taken too."""
        members = self.groups[self.group(group, line)].hosts
        members.update((host, None) for host in hosts if self.host(host, line))

    def nest(self, outer: str, inner: str, line: int = 0) -> None:
        """Take a group that is within another one."""
        within = self.group(inner, line)
        if (around := self.group(outer, line)) != within:
            self.groups[around].groups[within] = None

    def expand(self, pattern: str, line: int) -> list[str]:
        """Return the names of a pattern as node[01-20]; a wrong one is a note and no name."""
        try:
            return expand(pattern)
        except NodesetError as exc:
            self.note(line, f"{exc}; left out")
            return []


_GROUP_NAMES = "psops has letters, digits, '_', '.' and '-' there"


def is_secret(name: str) -> bool:
    """Tell whether a variable of this name may hold a secret."""
    return bool(_SECRET.search(name))


def _without_secrets(text: str) -> str:
    return _QUOTED_VALUE.sub(r"\1=***", _QUOTED_LOGIN.sub(r"\1:***@", text))


def _problem(key: str, value: Any) -> str:
    """Return what is wrong with a value, "" if nothing is."""
    try:
        if key == "user":
            check_user(value)
        elif key == "address":
            check_name(value)
        elif key == "transport" and value not in TRANSPORTS:
            return f"no transport '{value}'"
        elif key == "port" and not 0 < value < 65536:
            return f"{value} is not a port"
        elif key == "jump":
            from psops.inventory import parse_destination

            for hop in value:
                parse_destination(hop)
        elif key == "labels" and not all(f"{one}{text}".isprintable()
                                         for one, text in value.items()):  # fmt: skip
            return "a label has control characters"
    except NodesetError as exc:
        return str(exc)
    return ""
