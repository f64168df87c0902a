"""Match rules: which signals a connection to the demo bus wants.

Authority: the D-Bus specification, "Match Rules".
"""

import re
from typing import NamedTuple

from psops.errors import BusError
from psops.systemd.codec import Message

#: One condition of a rule; a value without quotes ends at the comma.
_CONDITION = re.compile(r"\s*([a-z_]+[0-9]{0,2}[a-z]*)=(?:'([^']*)'|([^',]*))\s*(?:,|$)")
_KEYS = re.compile(
    "type|sender|interface|member|path|path_namespace|destination|eavesdrop"
    "|arg0namespace|arg[0-9]{1,2}(path)?"
)
_TYPES = ("signal", "method_call", "method_return", "error")


class Match(NamedTuple):
    """A rule; equal ones have equal conditions, in whatever order they were written."""

    conditions: frozenset[tuple[str, str]]

    def fits(self, message: Message, name: str) -> bool:
        """Tell whether the rule lets this signal through; `name` is its sender's well-known one."""
        return all(_fits(key, value, message, name) for key, value in self.conditions)


def parse(text: str) -> Match:
    """Return the rule that was written so; raises the error of the bus for what is none."""
    found: list[tuple[str, str]] = []
    at = 0
    while at < len(text):
        part = _CONDITION.match(text, at)
        if part is None or not _KEYS.fullmatch(part[1]):
            raise BusError(f"{_ERROR}.MatchRuleInvalid", f"Match rule '{text}' is not valid")
        found.append((part[1], part[2] if part[2] is not None else part[3]))
        at = part.end()
    keys = dict(found)
    if len(keys) < len(found) or keys.get("type", "signal") not in _TYPES:
        raise BusError(f"{_ERROR}.MatchRuleInvalid", f"Match rule '{text}' is not valid")
    return Match(frozenset(found))


_ERROR = "org.freedesktop.DBus.Error"


def _fits(key: str, value: str, message: Message, name: str) -> bool:
    if key == "sender":
        return value in (name, message.sender)
    if key == "type":
        return value == "signal"
    if key == "path_namespace":
        return f"{message.path}/".startswith(value.rstrip("/") + "/")
    if key.startswith("arg"):
        digits = re.sub("[^0-9]", "", key)
        return message.body[int(digits) : int(digits) + 1] == (value,) and key == f"arg{digits}"
    simple = {"interface": message.interface, "member": message.member, "path": message.path}
    return simple.get(key, value) == value
