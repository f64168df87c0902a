"""Answers with gaps: bytes built once for all hosts of a profile, numbers filled in per host."""

import struct
from collections.abc import Iterable
from typing import Any, NamedTuple

from psops.demo.numbers import IDENTITY, HostNumber, Invocation
from psops.systemd import codec
from psops.systemd.codec import Message

#: Placeholders count up from here. The pattern is in no text and no plausible number; that
#: each is found exactly once is checked.
_WIDE, _NARROW = 0xF5C3_96A5_7E18_0000, 0xF5C3_0000
_PACK_WIDE, _PACK_NARROW = struct.Struct("<Q").pack_into, struct.Struct("<I").pack_into
_MASK_WIDE, _MASK_NARROW = 2**64 - 1, 2**32 - 1

#: Where in a message the size of its header's field array is, and the array itself.
_FIELDS_SIZE, _FIELDS = 12, 16


class Gap(NamedTuple):
    """A place in the bytes where a number of the host goes."""

    at: int
    base: int
    plus: int


class Template(NamedTuple):
    """Bytes with the places of 8 and of 4 bytes that differ between hosts."""

    data: bytes
    wide: tuple[Gap, ...] = ()
    narrow: tuple[Gap, ...] = ()

    def fill(self, numbers: tuple[int, ...]) -> bytes:
        """Return the bytes for the host that has these numbers."""
        data = bytearray(self.data)
        for at, base, plus in self.wide:
            _PACK_WIDE(data, at, numbers[base] + plus & _MASK_WIDE)
        for at, base, plus in self.narrow:
            _PACK_NARROW(data, at, numbers[base] + plus & _MASK_NARROW)
        return bytes(data)


def variant(signature: str, value: Any) -> Any:
    """Return a variant for the body of a message; the value may hold host numbers."""
    return _Variant(signature, value)


class _Variant(NamedTuple):
    signature: str
    value: Any


def render(messages: Iterable[Message]) -> Template:
    """Return the messages as a template; bodies may hold host numbers and `variant`s."""
    parts: list[bytes] = []
    wide: list[Gap] = []
    narrow: list[Gap] = []
    length = 0
    for message in messages:
        gaps = _Placeholders()
        body = tuple(
            gaps.replaced(value, signature)
            for value, signature in zip(message.body, _split(message.signature), strict=True)
        )
        data = _with_sender(codec.encode(message._replace(body=body)), message.sender)
        wide += gaps.places(data, length, _WIDE, "<Q", gaps.wide)
        narrow += gaps.places(data, length, _NARROW, "<I", gaps.narrow)
        parts.append(data)
        length += len(data)
    return Template(b"".join(parts), tuple(wide), tuple(narrow))


class _Placeholders:
    """Puts a number that can be found again in place of each host number of a body."""

    def __init__(self) -> None:
        self.wide: list[HostNumber] = []
        self.narrow: list[HostNumber] = []

    def replaced(self, value: Any, signature: str) -> Any:
        if isinstance(value, HostNumber):
            marks, first = (self.wide, _WIDE) if signature in "tx" else (self.narrow, _NARROW)
            marks.append(value)
            return first + len(marks) - 1
        if isinstance(value, Invocation):
            head = self.replaced(HostNumber(IDENTITY, 0), "t")
            return bytes(head.to_bytes(8, "little") + value.tail())
        if isinstance(value, _Variant):
            inner = self.replaced(value.value, value.signature)
            return codec.variant(value.signature, inner)
        if isinstance(value, dict):
            return {key: self.replaced(item, "v") for key, item in value.items()}
        if isinstance(value, list | tuple):
            inside = signature[1:-1] if signature.startswith("(") else signature[1:]
            kinds = _split(inside) if signature.startswith("(") else [inside] * len(value)
            return [self.replaced(item, kind) for item, kind in zip(value, kinds, strict=True)]
        return value

    @staticmethod
    def places(
        data: bytes, offset: int, first: int, form: str, numbers: list[HostNumber]
    ) -> list[Gap]:
        gaps = []
        for place, number in enumerate(numbers):
            mark = struct.pack(form, first + place)
            if data.count(mark) != 1:
                raise AssertionError("a placeholder of the demo fleet is not unique")
            gaps.append(Gap(offset + data.index(mark), number.base, number.plus))
        return gaps


def _with_sender(data: bytes, sender: str | None) -> bytes:
    """Return the message with its sender, which buses add and libraries for clients do not."""
    if sender is None:
        return data
    (size,) = struct.unpack_from("<I", data, _FIELDS_SIZE)
    end, body = _FIELDS + size, data[_FIELDS + (size + 7 & ~7) :]
    name = sender.encode()
    field = b"\7\1s\0" + struct.pack("<I", len(name)) + name + b"\0"
    header = bytearray(data[:end]) + b"\0" * (-size % 8) + field
    struct.pack_into("<I", header, _FIELDS_SIZE, len(header) - _FIELDS)
    return bytes(header + b"\0" * (-len(header) % 8) + body)


def _split(signature: str) -> list[str]:
    """Return the complete types that a signature is made of."""
    types, depth, start = [], 0, 0
    for at, letter in enumerate(signature):
        depth += (letter in "({") - (letter in ")}")
        if depth == 0 and letter != "a":
            types.append(signature[start : at + 1])
            start = at + 1
    return types
