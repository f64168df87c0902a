"""Bytes from a terminal to names of keys; pure.

Authority: ECMA-48 for control sequences, and what xterm, tmux and the Linux console send.
"""

import re

#: Sequences after ESC -> key.
_SEQUENCES = {
    **{f"{begin}{letter}": name for begin in "[O" for letter, name in zip(
        "ABCDHF", ("up", "down", "right", "left", "home", "end"), strict=True)},
    "[1~": "home", "[7~": "home", "[4~": "end", "[8~": "end", "[5~": "pgup", "[6~": "pgdn",
    "[3~": "delete", "OM": "enter",
}  # fmt: skip
_CONTROLS = {"\r": "enter", "\n": "enter", "\t": "tab", "\x7f": "backspace", "\x08": "backspace",
             "\x0c": "ctrl-l", "\x15": "ctrl-u", "\x02": "pgup", "\x06": "pgdn", "\x03": "ctrl-c",
             "\x04": "ctrl-d"}  # fmt: skip
#: One sequence: a final byte after parameters, or one letter after `O`.
_SEQUENCE = re.compile(r"\[[0-?]*[ -/]*[@-~]|O[ -~]")
#: How a sequence begins whose rest has not come yet.
_BEGINNING = re.compile(r"(\[[0-?]*[ -/]*|O)?")


def parse(data: bytes, *, more: bool = False) -> tuple[list[str], bytes]:
    """Return the keys in some bytes, and the bytes of one that is not there as a whole.

    A key is a character or a name such as `up`. Without `more` bytes to come, what looks like
    the beginning of a sequence is the key `esc`. Unknown sequences are left out.
    """
    text, rest = _decode(data)
    keys: list[str] = []
    at = 0
    while at < len(text):
        char = text[at]
        at += 1
        if char != "\x1b":
            if char in _CONTROLS:
                keys.append(_CONTROLS[char])
            elif char.isprintable():
                keys.append(char)
            continue
        if found := _SEQUENCE.match(text, at):
            at = found.end()
            if found[0] in _SEQUENCES:
                keys.append(_SEQUENCES[found[0]])
        elif more and _BEGINNING.fullmatch(text, at):
            return keys, text[at - 1 :].encode() + rest
        else:
            keys.append("esc")
    return keys, rest if more else b""


def _decode(data: bytes) -> tuple[str, bytes]:
    """Return the text, and the bytes of a last character that is not whole."""
    for size in range(1, min(4, len(data) + 1)):
        lead = data[-size]
        if lead >= 0xC0:
            length = 2 + (lead >= 0xE0) + (lead >= 0xF0)
            if length > size:
                return data[:-size].decode(errors="ignore"), data[-size:]
            break
        if lead < 0x80:
            break
    return data.decode(errors="ignore"), b""
