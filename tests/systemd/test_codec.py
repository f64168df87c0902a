"""Messages to bytes and back, with both libraries, and bytes that are no messages."""

import contextlib
import itertools
import string
import struct
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from psops.systemd import codec
from psops.systemd.codec import Malformed, Message

#: Any text that can be sent: no NUL, no surrogates.
TEXT = st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=40)
PATHS = st.lists(st.text(string.ascii_letters + "_", min_size=1, max_size=8), max_size=3).map(
    lambda words: "/" + "/".join(words)
)
BASIC: dict[str, st.SearchStrategy[Any]] = {
    "s": TEXT,
    "o": PATHS,
    "g": st.sampled_from(["", "s", "a{sv}", "a(ssssssouso)"]),
    "b": st.booleans(),
    "y": st.integers(0, 2**8 - 1),
    "n": st.integers(-(2**15), 2**15 - 1),
    "q": st.integers(0, 2**16 - 1),
    "i": st.integers(-(2**31), 2**31 - 1),
    "u": st.integers(0, 2**32 - 1),
    "x": st.integers(-(2**63), 2**63 - 1),
    "t": st.integers(0, 2**64 - 1),
    "d": st.floats(allow_nan=False),
}
#: Signatures that systemd uses, with the types that each value of the body has.
BODIES: dict[str, tuple[str, ...]] = {
    "": (),
    "s": ("s",),
    "ss": ("s", "s"),
    "as": ("as",),
    "asas": ("as", "as"),
    "a(ssssssouso)": ("a(ssssssouso)",),
    "v": ("v",),
    "a{sv}": ("a{sv}",),
    "uosbs": ("u", "o", "s", "b", "s"),
    "ay": ("ay",),
    "a(sus)": ("a(sus)",),
    "gynqixtd": tuple("gynqixtd"),
    "(uo)(ss)a(sbbsi)": ("(uo)", "(ss)", "a(sbbsi)"),
}
IN_VARIANTS = ["s", "o", "b", "y", "i", "u", "x", "t", "d", "as", "ay", "(uo)", "a(ss)", "a(sus)"]

NAMES = st.sampled_from(["org.freedesktop.systemd1", ":1.7", "a.b.c"])
MEMBERS = st.sampled_from(["Get", "ListUnits", "Hello"])
SERIALS = st.integers(1, 2**32 - 1)


def pairs(kind: str) -> st.SearchStrategy[tuple[Any, Any]]:
    """Give values of a type: what is given to `encode`, and what `decode` has to return."""
    if kind == "ay":
        return st.binary(max_size=20).map(lambda data: (data, data))
    if kind == "a{sv}":
        items = st.dictionaries(TEXT, pairs("v"), max_size=4)
        return items.map(lambda d: ({k: a for k, (a, _) in d.items()},
                                    {k: b for k, (_, b) in d.items()}))  # fmt: skip
    if kind == "v":
        return st.sampled_from(IN_VARIANTS).flatmap(
            lambda inner: pairs(inner).map(lambda pair: (codec.variant(inner, pair[0]), pair[1]))
        )
    if kind.startswith("a"):
        return st.lists(pairs(kind[1:]), max_size=4).map(
            lambda found: ([a for a, _ in found], tuple(b for _, b in found))
        )
    if kind.startswith("("):
        parts = st.tuples(*(pairs(one) for one in kind[1:-1]))
        return parts.map(lambda found: ([a for a, _ in found], tuple(b for _, b in found)))
    return BASIC[kind].map(lambda value: (value, value))


@st.composite
def messages(draw: st.DrawFn) -> tuple[Message, Message]:
    """Give a message to encode, and the same one as it has to be when decoded."""
    signature = draw(st.sampled_from(sorted(BODIES)))
    body = [draw(pairs(kind)) for kind in BODIES[signature]]
    forms: dict[int, dict[str, st.SearchStrategy[Any]]] = {
        codec.METHOD_CALL: {"path": PATHS, "interface": st.just("a.b"), "member": MEMBERS,
                            "destination": NAMES},
        codec.METHOD_RETURN: {"reply_serial": SERIALS, "destination": NAMES},
        codec.ERROR: {"reply_serial": SERIALS, "error_name": st.just("a.b.Error")},
        codec.SIGNAL: {"path": PATHS, "interface": st.just("a.b"), "member": MEMBERS},
    }  # fmt: skip
    kind = draw(st.sampled_from(sorted(forms)))
    fields: dict[str, Any] = {name: draw(values) for name, values in forms[kind].items()}
    message = Message(kind, draw(SERIALS), signature=signature, **fields)
    return (message._replace(body=tuple(given for given, _ in body)),
            message._replace(body=tuple(expected for _, expected in body)))  # fmt: skip


@pytest.fixture(scope="module", params=["next", "fast"], autouse=True)
def library(request: pytest.FixtureRequest) -> Iterator[str]:
    """Run every test with dbus-next and with dbus-fast."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PSOPS_DBUS", request.param)
        codec._load_library.cache_clear()
        yield f"dbus_{request.param}"
    codec._load_library.cache_clear()


def with_examples(count: int) -> settings:
    """Give settings for slow, shared machines; the fixture is the same for all examples."""
    return settings(
        max_examples=count,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )


def property_reply(
    letter: str, value: Any, *, order: tuple[int, ...] = (0, 1, 2, 3), serial: int = 7
) -> bytes:
    """Give the reply to a property read, built by hand with its header fields in this order."""
    fields = [
        struct.pack("<BBBBI", 5, 1, ord("u"), 0, serial),
        b"\x08\x01g\0\x01v\0",
        b"\x06\x01s\0" + text(":1.42"),
        b"\x07\x01s\0" + text(":1.0"),
    ]
    header = b""
    for place in order:
        header += b"\0" * (-len(header) % 8) + fields[place]
    body = b"\x01" + letter.encode() + b"\0"
    if letter in "so":
        body += b"\0" * (-len(body) % 4) + text(value)
    else:
        form = {"u": "<I", "i": "<i", "t": "<Q", "x": "<q"}[letter]
        body += b"\0" * (-len(body) % struct.calcsize(form)) + struct.pack(form, value)
    start = struct.pack("<4BIII", ord("l"), 2, 1, 1, len(body), 99, len(header))
    return start + header + b"\0" * (-len(header) % 8) + body


def text(value: str) -> bytes:
    """Give a string as D-Bus writes it."""
    data = value.encode()
    return struct.pack("<I", len(data)) + data + b"\0"


def prefix(order: str = "<", *, body: int = 0, fields: int = 0, version: int = 1) -> bytes:
    """Give the first sixteen bytes of a message."""
    letter = "l" if order == "<" else "B"
    return struct.pack(order + "4BIII", ord(letter), 2, 0, version, body, 1, fields)


def test_environment_picks_the_library(library: str) -> None:
    assert codec.library_name() == library


@given(both=messages())
@with_examples(300)
def test_decoding_gives_back_what_was_encoded(both: tuple[Message, Message]) -> None:
    message, expected = both
    data = codec.encode(message)
    assert codec.length(data) == len(data)
    assert codec.decode(data) == expected


SCALARS = st.sampled_from("utixso").flatmap(
    lambda letter: st.tuples(st.just(letter), BASIC[letter])
)


@given(value=SCALARS, order=st.permutations(range(4)), serial=SERIALS)
@with_examples(300)
def test_property_values_are_read_whatever_the_order_of_the_header(
    value: tuple[str, Any], order: list[int], serial: int
) -> None:
    reply = codec.decode(property_reply(*value, order=tuple(order), serial=serial))
    assert (reply.signature, reply.body, reply.reply_serial) == ("v", (value[1],), serial)


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
def test_header_fields_may_come_in_any_order(order: tuple[int, ...]) -> None:
    reply = codec.decode(property_reply("s", "running", order=order))
    assert reply.body == ("running",)
    assert reply.reply_serial == 7


@pytest.mark.parametrize(
    ("signature", "value", "expected"),
    [
        ("b", True, True),
        ("d", 1.5, 1.5),
        ("ay", b"\1\2", b"\1\2"),
        ("as", ["a", "b"], ("a", "b")),
        ("(uo)", [0, "/"], (0, "/")),
    ],
)
def test_values_of_every_kind_are_read(signature: str, value: Any, expected: Any) -> None:
    body = (codec.variant(signature, value),)
    data = codec.encode(Message(codec.METHOD_RETURN, 3, reply_serial=2, signature="v", body=body))
    assert codec.decode(data).body == (expected,)


@pytest.mark.parametrize(
    "body",
    [
        b"\x01\0\0\0a\0\x00as\0\0\0\x0e\0\0\0",  # a variant whose type is empty
        b"\x14\0\0\0a\0\x01s\0\0\0\0\x01\0\0\0x\0",  # a key that is longer than what follows
    ],
)
def test_bytes_that_crash_a_compiled_library_are_malformed(body: bytes) -> None:
    fields = b"\x05\x01u\0\x03\0\0\0\x08\x01g\0\x05a{sv}\0"
    entries = struct.pack("<I", len(body)) + b"\0" * 4 + body
    start = struct.pack("<4BIII", ord("l"), 2, 1, 1, len(entries), 99, len(fields))
    with pytest.raises(Malformed):
        codec.decode(start + fields + b"\0" * (-len(fields) % 8) + entries)


@pytest.mark.parametrize(
    "signature", ["z", "a", "(", "()", "a{vs}", "a{s}", "a{sss}", "a" * 80 + "s", "(" * 80 + "s"]
)
def test_types_that_cannot_be_are_malformed(signature: str) -> None:
    value = bytes([len(signature)]) + signature.encode() + b"\0" * 64
    fields = b"\x05\x01u\0\x03\0\0\0\x08\x01g\0\x01v\0"
    start = struct.pack("<4BIII", ord("l"), 2, 1, 1, len(value), 99, len(fields))
    with pytest.raises(Malformed):
        codec.decode(start + fields + b"\0" * (-len(fields) % 8) + value)


def test_property_of_invalid_utf8_is_malformed() -> None:
    data = property_reply("s", "caf\u00e9")
    with pytest.raises(Malformed, match="cannot decode"):
        codec.decode(data.replace("\u00e9".encode(), b"\xe9\xe9"))


def test_variants_inside_variants_are_replaced_by_their_values() -> None:
    inner = codec.variant("s", "running")
    body = ({"State": codec.variant("v", inner)},)
    data = codec.encode(
        Message(codec.METHOD_RETURN, 3, reply_serial=2, signature="a{sv}", body=body)
    )
    assert codec.decode(data).body == ({"State": "running"},)


def test_messages_of_big_endian_hosts_are_read() -> None:
    fields = struct.pack(">BBBBI", 5, 1, ord("u"), 0, 7) + b"\x08\x01g\0\x01u\0" + b"\0"
    start = struct.pack(">4BIII", ord("B"), 2, 1, 1, 4, 99, len(fields) - 1)
    data = start + fields + struct.pack(">I", 1234)
    assert codec.length(data) == len(data)
    reply = codec.decode(data)
    assert (reply.reply_serial, reply.body) == (7, (1234,))


def test_length_needs_sixteen_bytes() -> None:
    data = prefix(body=8, fields=5)
    assert [codec.length(data[:count]) for count in range(16)] == [None] * 16
    assert codec.length(data) == 16 + 8 + 8


@pytest.mark.parametrize("order", ["<", ">"])
def test_length_is_read_in_the_byte_order_of_the_message(order: str) -> None:
    assert codec.length(bytearray(prefix(order, body=3, fields=16))) == 16 + 16 + 3


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"Last login: Fri Nov 20 from a desk", "begins with b'Last log"),
        (b"\0" * 16, "not a D-Bus message"),
        (prefix(version=2), "not a D-Bus message"),
        (prefix(body=codec.MAX_MESSAGE - 15), "at most 33554432 are read"),
        (prefix(fields=codec.MAX_ARRAY + 1), "at most"),
        (prefix(body=2**32 - 1, fields=2**32 - 1), "at most"),
    ],
)
def test_length_refuses_what_is_no_message_or_too_long(data: bytes, reason: str) -> None:
    with pytest.raises(Malformed, match=reason):
        codec.length(data)


def test_length_takes_the_longest_message_that_is_read() -> None:
    assert codec.length(prefix(body=codec.MAX_MESSAGE - 16)) == codec.MAX_MESSAGE


@given(both=messages(), data=st.data())
@with_examples(200)
def test_truncated_messages_are_malformed(
    both: tuple[Message, Message], data: st.DataObject
) -> None:
    encoded = codec.encode(both[0])
    cut = data.draw(st.integers(0, len(encoded) - 1))
    with pytest.raises(Malformed):
        codec.decode(encoded[:cut])


@given(both=messages(), data=st.data())
@with_examples(400)
def test_damaged_messages_are_read_or_malformed(
    both: tuple[Message, Message], data: st.DataObject
) -> None:
    encoded = bytearray(codec.encode(both[0]))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(encoded) - 1))
        encoded[at] = data.draw(st.integers(0, 255))
    read_or_malformed(bytes(encoded))


@given(letter=st.sampled_from("utixso"), data=st.data())
@with_examples(400)
def test_damaged_property_values_are_read_or_malformed(letter: str, data: st.DataObject) -> None:
    encoded = bytearray(property_reply(letter, data.draw(BASIC[letter])))
    at = data.draw(st.integers(0, len(encoded) - 1))
    encoded[at] = data.draw(st.integers(0, 255))
    read_or_malformed(bytes(encoded[: data.draw(st.integers(0, len(encoded)))]))


@given(data=st.binary(max_size=200))
@with_examples(200)
def test_random_bytes_are_read_or_malformed(data: bytes) -> None:
    read_or_malformed(data)
    read_or_malformed(prefix(body=len(data)) + data)
    read_or_malformed(prefix(fields=len(data)) + data)


def read_or_malformed(data: bytes) -> None:
    """Decode the bytes; any exception but `Malformed` gets through."""
    with contextlib.suppress(Malformed):
        assert isinstance(codec.decode(data), Message)


@pytest.mark.parametrize("depth", [100, 100_000])
def test_nesting_without_end_is_malformed(depth: int) -> None:
    reply = property_reply("u", 1)
    nested = b"\x01v\0" * depth
    start = struct.pack(
        "<4BIII", ord("l"), 2, 1, 1, len(nested), 99, struct.unpack("<I", reply[12:16])[0]
    )
    data = start + reply[16:-8] + nested
    read_or_malformed(data)
