"""D-Bus messages to bytes and back; the only module that names the D-Bus library.

dbus-fast is used when it is installed (extra `fast`), dbus-next otherwise; `PSOPS_DBUS`
(`next` or `fast`) picks one. Both are used as codecs only: nothing here opens a socket.
Authority: the D-Bus specification, "Message Protocol".
"""

import io
import os
import struct
import sys
import threading
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Any, NamedTuple

METHOD_CALL, METHOD_RETURN, ERROR, SIGNAL = 1, 2, 3, 4

#: The specification allows 128 MiB a message. The largest answer of a real manager
#: (10,000 units) is about 2 MB, so a host that announces more than this is not believed.
MAX_MESSAGE = 32 * 1024 * 1024
#: Bytes that must be there before the length of a message is known.
PREFIX = 16
#: The specification's limit for the header's field array and any other array.
MAX_ARRAY = 64 * 1024 * 1024


class Message(NamedTuple):
    """One D-Bus message; variants in `body` are replaced by their values when decoded."""

    type: int
    serial: int = 0
    path: str | None = None
    interface: str | None = None
    member: str | None = None
    destination: str | None = None
    signature: str = ""
    body: tuple[Any, ...] = ()
    reply_serial: int | None = None
    error_name: str | None = None
    sender: str | None = None


class Malformed(ValueError):
    """Bytes that are not a D-Bus message."""


def _import_submodules(package: str) -> ModuleType:
    """Import the codec parts of a library without running its package's `__init__`.

    Both libraries import asyncio, GLib and introspection there (35 ms of 48), none of
    which a codec needs, so an empty package stands in for the real one.
    """
    spec = find_spec(package)
    if spec is None or spec.submodule_search_locations is None:
        raise ModuleNotFoundError(f"no module named {package!r}", name=package)
    if package not in sys.modules:
        stand_in = ModuleType(package)
        stand_in.__path__ = list(spec.submodule_search_locations)
        stand_in.__spec__ = spec
        sys.modules[package] = stand_in
    import_module(f"{package}.errors")  # first, or their circular imports do not resolve
    import_module(f"{package}._private.unmarshaller")
    import_module(f"{package}.signature")
    return import_module(f"{package}.message")


class _Library(NamedTuple):
    name: str
    message: Any
    unmarshaller: Any
    variant: Any
    message_type: Any


_loading = threading.Lock()


def _library() -> _Library:
    with _loading:  # the threads of a fleet begin together
        return _load_library()


@cache
def _load_library() -> _Library:
    wanted = os.environ.get("PSOPS_DBUS")
    names = [f"dbus_{wanted}"] if wanted in ("next", "fast") else ["dbus_fast", "dbus_next"]
    package = next((name for name in names if find_spec(name)), names[-1])
    message = _import_submodules(package)
    return _Library(
        name=package,
        message=message.Message,
        unmarshaller=sys.modules[f"{package}._private.unmarshaller"].Unmarshaller,
        variant=sys.modules[f"{package}.signature"].Variant,
        message_type=sys.modules[f"{package}.constants"].MessageType,
    )


def library_name() -> str:
    """Return the import name of the D-Bus library in use."""
    return _library().name


def variant(signature: str, value: Any) -> Any:
    """Return a value that encodes as a variant of this signature."""
    return _library().variant(signature, value)


def encode(message: Message) -> bytes:
    """Return the bytes of a message (little-endian), without its sender: the bus adds that."""
    library = _library()
    built = library.message(
        message_type=library.message_type(message.type),
        path=message.path,
        interface=message.interface,
        member=message.member,
        destination=message.destination,
        error_name=message.error_name,
        reply_serial=message.reply_serial or 0,
        signature=message.signature,
        body=[_listed(item) for item in message.body],
        serial=message.serial,
    )
    return bytes(built._marshall(False))


def _listed(value: Any) -> Any:
    # Bodies are tuples, so that calls can be hashed; the libraries want lists.
    return [_listed(item) for item in value] if isinstance(value, tuple) else value


def length(data: bytes | bytearray) -> int | None:
    """Return the length in bytes of the message that begins here, None if too short to tell.

    Raises `Malformed` for bytes no message begins with, and for one over the size limits.
    """
    if len(data) < PREFIX:
        return None
    order = {0x6C: "<", 0x42: ">"}.get(data[0])
    if order is None or data[3] != 1:
        raise Malformed(f"not a D-Bus message: it begins with {bytes(data[:8])!r}")
    body, _serial, fields = struct.unpack_from(order + "III", data, 4)
    total: int = PREFIX + (fields + 7 & ~7) + body
    if fields > MAX_ARRAY or total > MAX_MESSAGE:
        raise Malformed(f"a message of {total} bytes; at most {MAX_MESSAGE} are read")
    return total


def decode(data: bytes) -> Message:
    """Return the message in these bytes (exactly one); raises `Malformed`."""
    quick = _decode_usual_reply(data)
    if quick is not None:
        return quick
    library = _library()
    try:
        read = library.unmarshaller(io.BytesIO(data)).unmarshall()
    except Exception as exc:  # the libraries raise whatever the bytes lead them into
        raise Malformed(f"cannot decode a message of {len(data)} bytes ({exc})") from exc
    if read is None:
        raise Malformed(f"a message of {len(data)} bytes ends too early")
    return Message(
        type=read.message_type.value,
        serial=read.serial,
        path=read.path,
        interface=read.interface,
        member=read.member,
        destination=read.destination,
        signature=read.signature,
        body=tuple(_plain(item, library.variant) for item in read.body),
        reply_serial=read.reply_serial or None,  # dbus-fast has 0 where there is none
        error_name=read.error_name,
        sender=read.sender,
    )


def _plain(value: Any, variant: Any) -> Any:
    if isinstance(value, variant):
        return _plain(value.value, variant)
    if isinstance(value, list):
        return tuple(_plain(item, variant) for item in value)
    if isinstance(value, dict):
        return {key: _plain(item, variant) for key, item in value.items()}
    return value


class _Header(NamedTuple):
    """What counts of a method return: whose reply it is, and where which values begin."""

    reply_serial: int
    signature: bytes
    body: int


_word = struct.Struct("<I").unpack_from
_REPLY_SERIAL, _SIGNATURE = 5, 8
_SCALARS = {ord("u"): ("<I", 4), ord("t"): ("<Q", 8), ord("i"): ("<i", 4), ord("x"): ("<q", 8)}
_STRINGS = (ord("s"), ord("o"))
_ROWS = b"a(ssssssouso)"


def _decode_usual_reply(data: bytes) -> Message | None:
    """Return a reply of the two usual forms, None for any other message.

    A status is one unit list and six properties of every unit, so nearly all messages of a
    fleet are a plain value in a variant or a unit list, and decoding them in full is what a
    client's time would go into. Whatever is unusual about a message is left to the library.
    """
    try:
        header = _reply_header(data)
        if header is None:
            return None
        if header.signature == b"v":
            value = _decode_scalar(data, header.body)
            body: tuple[Any, ...] = (value,)
        elif header.signature == _ROWS:
            body = (_decode_rows(data, header.body),)
        else:
            return None
    except (struct.error, IndexError, UnicodeDecodeError, _Unusual):
        return None
    return Message(
        METHOD_RETURN,
        signature=header.signature.decode(),
        body=body,
        reply_serial=header.reply_serial,
    )


class _Unusual(Exception):
    """The message is for the library to decode, or to refuse."""


def _reply_header(data: bytes) -> _Header | None:
    """Return the header of a little-endian method return. Its fields come in any order, each
    with code, one-letter signature and value, and begin at multiples of eight."""
    if data[0] != 0x6C or data[1] != METHOD_RETURN:
        return None
    at, reply_serial, signature = 16, 0, b""
    end = at + _word(data, 12)[0]
    while at < end:
        code, kind = data[at], data[at + 2]
        if data[at + 1] != 1:
            return None
        if kind == 0x75:  # u
            if code == _REPLY_SERIAL:
                (reply_serial,) = _word(data, at + 4)
            at += 8
        elif kind == 0x73:  # s: sender, destination
            at += 9 + _word(data, at + 4)[0]
        elif kind == 0x67 and code == _SIGNATURE:  # g
            size = data[at + 4]
            signature = data[at + 5 : at + 5 + size]
            at += 6 + size
        else:
            return None
        at = at + 7 & ~7
    return _Header(reply_serial, signature, end + 7 & ~7) if reply_serial else None


def _decode_scalar(data: bytes, at: int) -> Any:
    """Return the plain value of a variant that is the whole body."""
    if data[at] != 1:
        raise _Unusual
    kind = data[at + 1]
    if kind in _STRINGS:
        value, end = _decode_string(data, at + 4)
    elif kind in _SCALARS:
        form, size = _SCALARS[kind]
        start = at + (4 if size == 4 else 8)
        (value,), end = struct.unpack_from(form, data, start), start + size
    else:
        raise _Unusual
    if end != len(data):
        raise _Unusual
    return value


def _decode_string(data: bytes, at: int) -> tuple[str, int]:
    start = at + 4
    end = start + int(_word(data, at)[0])
    return data[start:end].decode(), end + 1


def _decode_rows(data: bytes, at: int) -> tuple[tuple[Any, ...], ...]:
    """Return a unit list: rows of seven strings, a number and two strings."""
    (size,) = _word(data, at)
    at = at + 4 + 7 & ~7
    end = at + size
    rows = []
    while at < end:
        at = at + 7 & ~7
        row: list[Any] = []
        for place in range(10):
            at = at + 3 & ~3
            if place == 7:
                row.append(_word(data, at)[0])
                at += 4
            else:
                text, at = _decode_string(data, at)
                row.append(text)
        rows.append(tuple(row))
    if at != end or end != len(data):
        raise _Unusual
    return tuple(rows)
