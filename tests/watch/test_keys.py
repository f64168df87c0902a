"""Bytes of terminals to keys."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from psops.watch.keys import parse


@pytest.mark.parametrize(
    ("data", "keys"),
    [
        (b"q", ["q"]),
        (b"\x1b[A\x1bOB\x1b[1~\x1b[6~", ["up", "down", "home", "pgdn"]),
        (b"\r\n\t\x7f\x08", ["enter", "enter", "tab", "backspace", "backspace"]),
        (b"\x1b", ["esc"]),
        (b"\x1b\x1b[C", ["esc", "right"]),
        (b"\x1bq", ["esc", "q"]),
        (b"\x1b[1;5A\x1b[200~", []),  # keys we do not know say nothing
        ("é€😀".encode(), ["é", "€", "😀"]),
        (b"\xff\xfea", ["a"]),
        (b"\x01\x00", []),
    ],
)
def test_keys(data: bytes, keys: list[str]) -> None:
    assert parse(data) == (keys, b"")


@pytest.mark.parametrize("data", [b"\x1b", b"\x1b[", b"\x1b[1", b"\x1bO", "é".encode()[:1]])
def test_beginning_waits_for_its_rest(data: bytes) -> None:
    assert parse(data, more=True) == ([], data)
    assert parse(b"a" + data, more=True) == (["a"], data)


@given(st.lists(st.sampled_from([b"a", b"\x1b[A", b"\x1bOP", b"\x1b[5~", "é".encode(), b"\r"])),
       st.lists(st.integers(1, 4)))  # fmt: skip
def test_pieces_make_the_same_keys(parts: list[bytes], sizes: list[int]) -> None:
    data = b"".join(parts)
    whole, _ = parse(data, more=True)
    keys: list[str] = []
    rest = b""
    for size in [*sizes, len(data) + 1]:
        found, rest = parse(rest + data[:size], more=True)
        keys += found
        data = data[size:]
    assert (keys, rest) == (whole, b"")


@given(st.binary(max_size=40), st.booleans())
def test_any_bytes_are_some_keys(data: bytes, more: bool) -> None:
    keys, rest = parse(data, more=more)
    assert all(keys)
    assert more or not rest
    # What is no text is left out, so that it may be missing in the rest, too.
    assert parse(rest, more=True) == ([], rest)
    assert len(rest) <= len(data)
