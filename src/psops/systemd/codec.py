"""D-Bus messages to bytes and back; the only module that names the D-Bus library.

Messages are built by dbus-fast where it is installed (extra `fast`), by dbus-next otherwise;
`PSOPS_DBUS` (`next` or `fast`) picks one. What hosts send is read by `unmarshal`.
Authority: the D-Bus specification, "Message Protocol".
"""

import os
import struct
import sys
import threading
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Any, NamedTuple

from psops.systemd.unmarshal import ASTRAY, read_body, read_signature, readers

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
    import_module(f"{package}.signature")
    return import_module(f"{package}.message")


class _Library(NamedTuple):
    name: str
    message: Any
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
    order = _ORDERS.get(data[0])
    if order is None or data[3] != 1:
        raise Malformed(f"not a D-Bus message: it begins with {bytes(data[:8])!r}")
    body, _serial, fields = struct.unpack_from(order + "III", data, 4)
    total: int = PREFIX + (fields + 7 & ~7) + body
    if fields > MAX_ARRAY or total > MAX_MESSAGE:
        raise Malformed(f"a message of {total} bytes; at most {MAX_MESSAGE} are read")
    return total


def decode(data: bytes) -> Message:
    """Return the message in these bytes (exactly one); raises `Malformed`."""
    size = length(data)
    if size != len(data):
        raise Malformed(f"{len(data)} bytes where a message has {size or 'at least 16'}")
    order = _ORDERS[data[0]]
    try:
        fields, at = _read_fields(data, order)
        signature = fields.get(_SIGNATURE, "")
        reply_serial, error_name = fields.get(_REPLY_SERIAL), fields.get(_ERROR_NAME)
        message = Message(
            type=data[1],
            serial=struct.unpack_from(f"{order}I", data, 8)[0],
            path=fields.get(_PATH),
            interface=fields.get(_INTERFACE),
            member=fields.get(_MEMBER),
            destination=fields.get(_DESTINATION),
            signature=signature,
            body=read_body(data, at, signature, order),
            reply_serial=reply_serial or None,
            error_name=error_name,
            sender=fields.get(_SENDER),
        )
    except ASTRAY as exc:
        raise Malformed(f"cannot decode a message of {len(data)} bytes ({exc})") from exc
    missing = [code for code in _REQUIRED.get(message.type, (_NEVER,)) if not fields.get(code)]
    if missing:
        raise Malformed(f"a message of type {message.type} without header field {missing[0]}")
    return message


_ORDERS = {0x6C: "<", 0x42: ">"}
(_PATH, _INTERFACE, _MEMBER, _ERROR_NAME, _REPLY_SERIAL, _DESTINATION, _SENDER, _SIGNATURE) = range(
    1, 9
)
_NEVER = 0
#: Header field -> the type of its value, see "Header Fields".
_FIELD_TYPES = {_PATH: "o", _REPLY_SERIAL: "u", _SIGNATURE: "g"} | dict.fromkeys(
    (_INTERFACE, _MEMBER, _ERROR_NAME, _DESTINATION, _SENDER), "s"
)
#: Message type -> the header fields it must have; other types are none.
_REQUIRED = {
    METHOD_CALL: (_PATH, _MEMBER),
    METHOD_RETURN: (_REPLY_SERIAL,),
    ERROR: (_REPLY_SERIAL, _ERROR_NAME),
    SIGNAL: (_PATH, _MEMBER, _INTERFACE),
}


def _read_fields(data: bytes, order: str) -> tuple[dict[int, Any], int]:
    """Return the header's fields by their code, and where the body begins."""
    (size,) = struct.unpack_from(f"{order}I", data, 12)
    at, end = PREFIX, PREFIX + size
    fields: dict[int, Any] = {}
    while at < end:
        code = data[at]
        signature, at = read_signature(data, at + 1)
        if _FIELD_TYPES.get(code, signature) != signature:
            raise ValueError(f"header field {code} of type {signature!r}")
        (reader,) = readers(signature, order)
        fields[code], at = reader(data, at)
        at = at + 7 & ~7
    if at != end + 7 & ~7:
        raise ValueError("header fields that do not end where they say")
    return fields, at
