"""pSConfig templates: measurement hosts, and groups by their use in tasks.

Authority: the JSON schema of pSConfig templates (perfsonar/psconfig). Several addresses of one
`host` object are one machine; a psops group is made of each group that a task uses, and of
each task that is not disabled.
"""

import json
import re
from typing import Any

from psops.importers.imported import Imported
from psops.importers.psconfig_classes import Classes, Undecided
from psops.inventory import check_name
from psops.nodeset import NodesetError


def read(text: str, name: str) -> Imported:
    """Return the hosts of a template."""
    found = Imported(name)
    try:
        document = json.loads(text.removeprefix("\ufeff"))
    except (ValueError, RecursionError) as exc:
        raise found.fail(getattr(exc, "lineno", 0), f"not JSON: {exc}") from exc
    if not isinstance(document, dict) or not isinstance(document.get("addresses"), dict):
        raise found.fail(0, "no pSConfig template: 'addresses' is not there")
    _Template(found, document, text).read()
    return found


class _Template:
    """A template while it is read."""

    def __init__(self, found: Imported, document: dict[str, Any], text: str) -> None:
        self.found = found
        self.text = text
        self.addresses = _table(document.get("addresses"))
        self.groups = _table(document.get("groups"))
        self.tasks = _table(document.get("tasks"))
        self.machines = _table(document.get("hosts"))
        self.includes = document.get("includes")
        self.classes = Classes(
            _table(document.get("address-classes")), self.addresses, self.machines
        )
        #: Address object -> the name of its machine.
        self.names: dict[str, str] = {}

    def line(self, key: str) -> int:
        """Return the line in which a key stands first."""
        match = re.search(rf"{re.escape(json.dumps(key))}\s*:", self.text)
        return self.text.count("\n", 0, match.start()) + 1 if match else 0

    def read(self) -> None:
        if self.includes:
            self.found.note(self.line("includes"), "'includes' is not followed: import them too")
        self._hosts()
        used: dict[str, None] = {}
        for name, task in self.tasks.items():
            line = self.line(name)
            group = task.get("group")
            if task.get("disabled") is True:
                self.found.note(line, f"task '{name}' is disabled; left out")
            elif not isinstance(group, str) or group not in self.groups:
                self.found.note(line, f"task '{name}' has no group of this template; left out")
            else:
                used[group] = None
                if name != group:
                    self.found.nest(self._called(name, line), group, line)
        for name in self.groups:
            if name in used:
                self.found.put(name, self._members(name), self.line(name))
            else:
                self.found.note(self.line(name), f"group '{name}' is used by no task; left out")

    def _hosts(self) -> None:
        machines: dict[str, list[str]] = {}
        for key, one in self.addresses.items():
            line = self.line(key)
            address = one.get("address")
            if not isinstance(address, str) or "{%" in address or "{{" in address:
                self.found.note(line, f"address '{key}' is no plain address; left out")
                continue
            if one.get("disabled") is True:
                self.found.note(line, f"address '{key}' is disabled; left out")
                continue
            machine = one.get("host")
            known = isinstance(machine, str) and machine in self.machines
            if known and self.machines[str(machine)].get("disabled") is True:
                self.found.note(self.line(str(machine)), f"host '{machine}' is disabled; left out")
                continue
            machines.setdefault(f"host {machine}" if known else address, []).append(key)
        for keys in machines.values():
            texts = [str(self.addresses[key]["address"]) for key in keys]
            texts.sort(key=_is_number)  # a name comes before a number
            if not self.found.host(texts[0], self.line(keys[0])):
                continue
            self.names |= dict.fromkeys(keys, texts[0])
            if others := [text for text in texts if text != texts[0]]:
                told = f"'{texts[0]}' has other addresses ({', '.join(others)}); left out"
                self.found.note(self.line(keys[0]), told)

    def _called(self, task: str, line: int) -> str:
        """Return the name of a task's group: not that of a group of the template."""
        name = task
        while name in self.groups or (name != task and name in self.tasks):
            name = f"task-{name}"
        if name != task:
            told = f"task '{task}' is called like another group; its own is called '{name}'"
            self.found.note(line, told)
        return name

    def _members(self, name: str) -> list[str]:
        group = self.groups[name]
        members: dict[str, None] = {}
        for key in ("addresses", "a-addresses", "b-addresses"):
            entries = group.get(key)
            for entry in entries if isinstance(entries, list) else ():
                given = entry.get("name") if isinstance(entry, dict) else None
                if isinstance(given, str) and given in self.names:
                    members[self.names[given]] = None
                elif given is None:
                    members |= self._class(name, entry)
                elif given not in self.addresses:
                    self.found.note(self.line(name), f"group '{name}': no address '{given}'")
        return list(members)

    def _class(self, group: str, entry: Any) -> dict[str, None]:
        """Return the machines of an entry that names a class of addresses."""
        called = entry.get("class") if isinstance(entry, dict) else None
        try:
            found = self.classes.members(str(called))
        except Undecided:
            told = "is found by each agent itself; left out"
            self.found.note(self.line(group), f"group '{group}': the class '{called}' {told}")
            return {}
        return {self.names[key]: None for key in found if key in self.names}


def _table(value: Any) -> dict[str, dict[str, Any]]:
    if not isinstance(value, dict):
        return {}
    return {key: inner for key, inner in value.items() if isinstance(inner, dict)}


def _is_number(text: str) -> bool:
    """Tell a number of the network from a name."""
    try:
        check_name(text)
    except NodesetError:
        return True
    return ":" in text or not re.search(r"[A-Za-z]", text)
