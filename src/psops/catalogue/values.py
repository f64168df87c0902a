"""Readers for the values in catalogue files.

A reader takes a value as tomllib gives it and returns it checked. What is wrong with it is a
`Wrong`, whose `trail` leads to the place within the value; the place of the value itself is
added by `catalogue.file`.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from typing import Any

from psops.catalogue.version import parse_version
from psops.errors import UsageError
from psops.nearest import did_you_mean
from psops.systemd.names import is_glob, parse_unit_name

Reader = Callable[[Any], Any]

_KINDS = {bool: "a boolean", int: "a number", float: "a fraction", str: "a string",
          list: "a list", dict: "a table"}  # fmt: skip


class Wrong(ValueError):
    """What is wrong with a value; `trail` has the items (from 0) and keys that lead to it."""

    def __init__(self, what: str, trail: tuple[int | str, ...] = ()) -> None:
        super().__init__(what)
        self.trail = trail


def kind(value: Any) -> str:
    """Return the kind of a value in the words of messages."""
    return _KINDS.get(type(value), "a date or time")


def one_of(text: str, names: Iterable[str], noun: str) -> str:
    """Return the text if it is one of the names."""
    known = list(names)
    if text not in known:
        near = did_you_mean(text, known) or f"; known are {', '.join(known)}"
        raise Wrong(f"no {noun} '{text}'{near}")
    return text


def string(value: Any) -> str:
    """Return a text that is not empty and shows on one line."""
    if not isinstance(value, str):
        raise Wrong(f"must be a string, not {kind(value)}")
    if not value or not value.isprintable():
        raise Wrong("must not be empty" if not value else f"{value!r} has control characters")
    return value


def boolean(value: Any) -> bool:
    """Return true or false."""
    if not isinstance(value, bool):
        raise Wrong(f"must be true or false, not {kind(value)}")
    return value


def name(value: Any) -> str:
    """Return the name of an entry."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", string(value)):
        raise Wrong(f"'{value}': a name has letters, digits, '_' and '-' only, at most 64")
    return str(value)


def path(value: Any) -> str:
    """Return the absolute path of a file; it may have `*` in it."""
    if not string(value).startswith("/"):
        raise Wrong(f"'{value}' is not an absolute path")
    return str(value)


def unit(value: Any) -> str:
    """Return the name of a unit with its type, or a glob for names of one type."""
    text = string(value)
    # A glob stands for names, so it must be one where its wildcards match a letter.
    plain = re.sub(r"\[[^\]]*\]|[*?]", "x", text) if is_glob(text) else text
    try:
        full = parse_unit_name(plain)
    except UsageError:
        raise Wrong(f"'{text}' is not a unit name") from None
    if plain.startswith("/"):
        raise Wrong(f"'{text}' is not a unit name")
    if full != plain:
        raise Wrong(f"'{text}' has no unit type; did you mean '{text}.service'?")
    return text


def unit_name(value: Any) -> str:
    """Return the name of one unit."""
    if is_glob(unit(value)):
        raise Wrong(f"'{value}' is a pattern; a unit name is needed")
    return str(value)


def version(value: Any) -> str:
    """Return a dotted version."""
    try:
        parse_version(string(value))
    except ValueError as exc:
        raise Wrong(str(exc)) from None
    return str(value)


def regex(value: Any) -> str:
    """Return a regular expression."""
    if not isinstance(value, str) or not value:  # may have line breaks
        return string(value)
    try:
        re.compile(value)
    except (re.error, OverflowError, RecursionError) as exc:
        raise Wrong(f"{value!r} is not a regular expression: {exc}") from None
    return value


def group_regex(value: Any) -> str:
    """Return a regular expression with a group for what is looked for."""
    if re.compile(regex(value)).groups < 1:
        raise Wrong(f"{value!r} needs a group (...) for what is looked for")
    return str(value)


def whole(low: int, high: int) -> Reader:
    """Return a reader for whole numbers within bounds."""

    def read(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise Wrong(f"must be a whole number, not {kind(value)}")
        if not low <= value <= high:
            raise Wrong(f"{value} is not a number from {low} to {high}")
        return value

    return read


def seconds(value: Any) -> float:
    """Return a duration of up to an hour."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Wrong(f"must be a number of seconds, not {kind(value)}")
    if not 0 < value <= 3600:
        raise Wrong(f"{value} is not a number of seconds from above 0 to 3600")
    return float(value)


def enum(kinds: type[StrEnum], noun: str) -> Reader:
    """Return a reader for the values of an enumeration."""
    return lambda value: kinds(one_of(string(value), [str(item) for item in kinds], noun))


def word(names: Iterable[str], noun: str) -> Reader:
    """Return a reader for one of some words."""
    return lambda value: one_of(string(value), names, noun)


def many(reader: Reader) -> Reader:
    """Return a reader for a list without repetition."""

    def read(value: Any) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise Wrong(f"must be a list, not {kind(value)}")
        found: list[Any] = []
        for at, item in enumerate(value):
            checked = within(at, reader, item)
            if isinstance(checked, str | int) and checked in found:
                raise Wrong(f"'{checked}' is there twice", (at,))
            found.append(checked)
        return tuple(found)

    return read


def some(reader: Reader) -> Reader:
    """Return a reader for one value or a list of them, where an empty one says nothing."""

    def read(value: Any) -> tuple[Any, ...]:
        if not isinstance(value, list):
            return (reader(value),)
        if not value:
            raise Wrong("must not be empty")
        found: tuple[Any, ...] = many(reader)(value)
        return found

    return read


def record(keys: Mapping[str, Reader], build: Callable[..., Any], *needed: str) -> Reader:
    """Return a reader for a table with these keys, from which `build` makes the value."""

    def read(value: Any) -> Any:
        if not isinstance(value, dict):
            raise Wrong(f"must be a table, not {kind(value)}")
        for key in value:
            if key not in keys:
                raise Wrong(unknown_key(key, keys), (key,))
        for key in needed:
            if key not in value:
                raise Wrong(f"needs the key '{key}'")
        return build(**{key: within(key, keys[key], item) for key, item in value.items()})

    return read


def unknown_key(key: str, known: Iterable[str]) -> str:
    """Return the sentence about a key that does not exist."""
    names = list(known)
    return f"unknown key{did_you_mean(key, names) or '; known are ' + ', '.join(names)}"


def within(step: int | str, reader: Reader, value: Any) -> Any:
    """Return what the reader makes of a part of a value, `step` being its place there."""
    try:
        return reader(value)
    except Wrong as exc:
        raise Wrong(str(exc), (step, *exc.trail)) from None
