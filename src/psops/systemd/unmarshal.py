"""D-Bus values out of bytes, whatever the bytes are.

The libraries are not asked for this: what a host sends is not to be trusted, and dbus-fast's
compiled reader crashes the process on a variant without a type (found by fuzzing), while
dbus-next takes ten times as long. A type becomes a reader once; a reader takes the bytes and
a place and returns the value and the next place. Bytes that lead a reader astray raise one of
`ASTRAY`. Authority: the D-Bus specification, "Type System" and "Marshaling".
"""

import struct
from collections.abc import Callable
from functools import lru_cache
from typing import Any

Reader = Callable[[bytes, int], tuple[Any, int]]

#: What reading bytes that are no D-Bus value can raise.
ASTRAY = (struct.error, IndexError, UnicodeDecodeError, RecursionError, ValueError)

#: Limits of the specification.
_MOST_SIGNATURE = 255
_MOST_NESTED = 32
_MOST_ARRAY = 64 * 1024 * 1024

#: Type -> format of struct and size, which is its alignment as well.
_FIXED = {"y": ("B", 1), "n": ("h", 2), "q": ("H", 2), "i": ("i", 4), "u": ("I", 4), "h": ("I", 4),
          "x": ("q", 8), "t": ("Q", 8), "d": ("d", 8)}  # fmt: skip
_ALIGNMENTS = {"b": 4, "s": 4, "o": 4, "a": 4, "g": 1, "v": 1, "(": 8, "{": 8} | {
    kind: size for kind, (_, size) in _FIXED.items()
}
_BASIC = frozenset(_FIXED) | {"b", "s", "o", "g"}


def read_body(data: bytes, at: int, signature: str, order: str) -> tuple[Any, ...]:
    """Return the values of a message's body, which must reach to the end of the bytes.

    `order` is "<" or ">". Arrays come as tuples (of bytes: as bytes), dictionaries as dict,
    variants as their values.
    """
    values = []
    for reader in readers(signature, order):
        value, at = reader(data, at)
        values.append(value)
    if at != len(data):
        raise ValueError(f"the body ends at byte {at} of {len(data)}")
    return tuple(values)


@lru_cache(maxsize=1024)
def readers(signature: str, order: str) -> tuple[Reader, ...]:
    """Return a reader for each complete type of a signature."""
    if len(signature) > _MOST_SIGNATURE:
        raise ValueError("a signature of more than 255 types")
    found, at = [], 0
    while at < len(signature):
        reader, at = _compile(signature, at, order, 0)
        found.append(reader)
    return tuple(found)


def _compile(signature: str, at: int, order: str, nested: int) -> tuple[Reader, int]:
    """Return the reader of the type that begins at a place, and where the next one begins."""
    kind = signature[at]
    if nested > 2 * _MOST_NESTED:
        raise ValueError("types nested too deeply")
    if kind in _FIXED:
        return _fixed(*_FIXED[kind], order), at + 1
    if kind in ("s", "o"):
        return _string(order), at + 1
    if kind == "b":
        return _boolean(order), at + 1
    if kind == "g":
        return read_signature, at + 1
    if kind == "v":
        return _variant(order), at + 1
    if kind == "(":
        return _compile_struct(signature, at + 1, order, nested + 1)
    if kind != "a":
        raise ValueError(f"no type is called {kind!r}")
    element = signature[at + 1]
    if element == "{":
        return _compile_dict(signature, at + 2, order, nested + 1)
    reader, end = _compile(signature, at + 1, order, nested + 1)
    return _array(reader, _ALIGNMENTS[element], order, is_bytes=element == "y"), end


def _compile_struct(signature: str, at: int, order: str, nested: int) -> tuple[Reader, int]:
    members = []
    while signature[at] != ")":
        reader, at = _compile(signature, at, order, nested)
        members.append(reader)
    if not members:
        raise ValueError("a structure without members")
    return _structure(tuple(members)), at + 1


def _compile_dict(signature: str, at: int, order: str, nested: int) -> tuple[Reader, int]:
    if signature[at] not in _BASIC:
        raise ValueError("a dictionary's key has a basic type")
    key, at = _compile(signature, at, order, nested)
    value, at = _compile(signature, at, order, nested)
    if signature[at] != "}":
        raise ValueError("a dictionary's entry has one key and one value")
    entries = _array(_structure((key, value)), 8, order, is_bytes=False)

    def read(data: bytes, at: int) -> tuple[Any, int]:
        pairs, at = entries(data, at)
        return dict(pairs), at

    return read, at + 1


def _fixed(form: str, size: int, order: str) -> Reader:
    unpack = struct.Struct(order + form).unpack_from
    mask = size - 1

    def read(data: bytes, at: int) -> tuple[Any, int]:
        at = at + mask & ~mask
        return unpack(data, at)[0], at + size

    return read


def _string(order: str) -> Reader:
    unpack = struct.Struct(f"{order}I").unpack_from

    def read(data: bytes, at: int) -> tuple[Any, int]:
        at = at + 3 & ~3
        start = at + 4
        end = start + unpack(data, at)[0]
        if data[end]:  # beyond the end it is an IndexError
            raise ValueError("a string that does not end")
        return data[start:end].decode(), end + 1

    return read


def _boolean(order: str) -> Reader:
    number = _fixed("I", 4, order)

    def read(data: bytes, at: int) -> tuple[Any, int]:
        value, at = number(data, at)
        return bool(value), at

    return read


def read_signature(data: bytes, at: int) -> tuple[str, int]:
    """Return a signature and the next place."""
    end = at + 1 + data[at]
    if data[end]:
        raise ValueError("a signature that does not end")
    return data[at + 1 : end].decode("ascii"), end + 1


def _variant(order: str) -> Reader:
    def read(data: bytes, at: int) -> tuple[Any, int]:
        signature, at = read_signature(data, at)
        (reader,) = readers(signature, order)
        return reader(data, at)

    return read


def _structure(members: tuple[Reader, ...]) -> Reader:
    def read(data: bytes, at: int) -> tuple[Any, int]:
        at = at + 7 & ~7
        values = []
        for member in members:
            value, at = member(data, at)
            values.append(value)
        return tuple(values), at

    return read


def _array(element: Reader, alignment: int, order: str, *, is_bytes: bool) -> Reader:
    unpack = struct.Struct(f"{order}I").unpack_from
    mask = alignment - 1

    def read(data: bytes, at: int) -> tuple[Any, int]:
        at = at + 3 & ~3
        size = unpack(data, at)[0]
        at = at + 4 + mask & ~mask
        end = at + size
        if size > _MOST_ARRAY or end > len(data):
            raise ValueError(f"an array of {size} bytes, which are not there")
        if is_bytes:
            return data[at:end], end
        values = []
        while at < end:
            value, at = element(data, at)
            values.append(value)
        if at != end:
            raise ValueError("an array whose last element does not fit")
        return tuple(values), end

    return read
