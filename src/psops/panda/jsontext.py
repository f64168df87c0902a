"""JSON with the place of everything: the members of an object, with doubles."""

import json
import re
from typing import Any, NamedTuple

_SPACE = re.compile(r"[ \t\n\r]*")
_DECODER = json.JSONDecoder()


class Member(NamedTuple):
    """One member of an object: where its key begins, and where its value begins and ends."""

    key: str
    value: Any
    key_at: int
    value_at: int
    end: int


def members(text: str, at: int = 0) -> list[Member]:
    """Return the members of the object that begins at `at`, in their order, doubles included.

    Nothing if there is no object. The text must be valid JSON from there on; raises
    `ValueError` or `RecursionError` otherwise.

    >>> [(one.key, one.value_at) for one in members('{"a": 1, "a": {}}')]
    [('a', 6), ('a', 14)]
    """
    at = skip(text, at)
    if text[at : at + 1] != "{":
        return []
    found: list[Member] = []
    at = skip(text, at + 1)
    while text[at : at + 1] not in ("}", ""):
        key_at = at
        key, at = _DECODER.raw_decode(text, at)
        value_at = skip(text, skip(text, at) + 1)  # over the colon
        value, end = _DECODER.raw_decode(text, value_at)
        found.append(Member(key, value, key_at, value_at, end))
        at = skip(text, end)
        if text[at : at + 1] == ",":
            at = skip(text, at + 1)
    return found


def skip(text: str, at: int) -> int:
    """Return the next place that is not white space."""
    found = _SPACE.match(text, at)
    return found.end() if found else at


def row(text: str, at: int) -> int:
    """Return the line of a place, counted from 0."""
    return text.count("\n", 0, at)
