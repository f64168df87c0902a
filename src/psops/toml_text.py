"""A TOML file as text: where its tables and keys stand, so that they can be edited in place.

tomllib reads values and keeps no positions. The text given here must be TOML that tomllib
has read; this module only finds out where things are.
"""

import json
import re
import tomllib
from typing import Any, NamedTuple

_BARE = r"[A-Za-z0-9_-]+"
_PART = rf"""(?:{_BARE}|"(?:[^"\\\n]|\\.)*"|'[^'\n]*')"""
_KEY = rf"{_PART}(?:[ \t]*\.[ \t]*{_PART})*"
_HEADER_LINE = re.compile(rf"[ \t]*(\[\[?)[ \t]*({_KEY})[ \t]*\]\]?[ \t]*(?:#[^\n]*)?\r?(?:\n|\Z)")
_KEY_AT = re.compile(rf"[ \t]*({_KEY})[ \t]*=[ \t]*")
_EMPTY_LINE = re.compile(r"[ \t]*(?:#[^\n]*)?\r?(?:\n|\Z)")
#: What a value is made of, as far as its end is concerned.
_TOKEN = re.compile(
    r'"""(?:[^\\]|\\.)*?"""(?:"{1,2}(?!"))?|\'\'\'.*?\'\'\'(?:\'{1,2}(?!\'))?'
    r'|"(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\'|#[^\n]*|[\[{]|[\]}]|\n|[^"\'#\[\]{}\n]+',
    re.DOTALL,
)
_STRING = re.compile(r'"(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\'')
#: A list is written on one line up to this many columns.
_WIDE = 88


class Statement(NamedTuple):
    """A table's header, or a key with its value.

    `path` begins at the top of the document; `start` and `end` enclose whole lines, `inner`
    the name of a header or the value of a key. `above` is the path of the header it is under.
    """

    path: tuple[str, ...]
    is_header: bool
    start: int
    end: int
    inner: tuple[int, int]
    above: tuple[str, ...] = ()


def statements(text: str) -> list[Statement]:
    """Return the headers and keys of a document in their order."""
    found: list[Statement] = []
    above: tuple[str, ...] = ()
    at = 1 if text.startswith("\ufeff") else 0
    while at < len(text):
        if empty := _EMPTY_LINE.match(text, at):
            at = max(empty.end(), at + 1)
        elif header := _HEADER_LINE.match(text, at):
            above = parts(header[2])
            found.append(Statement(above, True, at, header.end(), header.span(2), above))
            at = header.end()
        elif key := _KEY_AT.match(text, at):
            value_end, line_end = _end_of_value(text, key.end())
            path = (*above, *parts(key[1]))
            found.append(Statement(path, False, at, line_end, (key.end(), value_end), above))
            at = line_end
        else:
            raise ValueError("no TOML")
    return found


def _end_of_value(text: str, at: int) -> tuple[int, int]:
    """Return where a value ends, and where its last line does."""
    depth = 0
    end = at
    while at < len(text):
        token = _TOKEN.match(text, at)
        if token is None:
            raise ValueError("no TOML")
        piece = token[0]
        at = token.end()
        if piece == "\n":
            if not depth:
                return end, at
        elif piece.startswith("#"):
            continue
        elif piece in "[{":
            depth += 1
            end = at
        elif piece in "]}":
            depth -= 1
            end = at
        elif piece.strip():
            end = at - len(piece) + len(piece.rstrip())
    return end, at


def parts(key: str) -> tuple[str, ...]:
    """Return the parts of a key.

    >>> parts('hosts . "a.b"')
    ('hosts', 'a.b')
    """
    return tuple(_plain(part) for part in re.findall(_PART, key))


def _plain(part: str) -> str:
    if part[0] == "'" or (part[0] == '"' and "\\" not in part):
        return part[1:-1]
    if part[0] == '"':
        return next(iter(tomllib.loads(f"{part} = 0")))
    return part


def strings_of(text: str, span: tuple[int, int]) -> list[tuple[int, int, str]]:
    """Return the strings of a list of strings with where each stands."""
    found = []
    at, end = span
    while at < end:
        token = _TOKEN.match(text, at)
        if token is None:
            break
        if token[0].startswith(('"""', "'''")) or _STRING.fullmatch(token[0]):
            value = tomllib.loads(f"a = {token[0]}")["a"]
            found.append((token.start(), token.end(), value))
        at = token.end()
    return found


def items_of(text: str, span: tuple[int, int]) -> list[tuple[int, int]]:
    """Return where each item of a list of strings, lists or tables stands."""
    found = []
    depth = first = 0
    at, end = span
    while at < end and (token := _TOKEN.match(text, at)):
        piece, at = token[0], token.end()
        if piece in "[{":
            first = token.start() if depth == 1 else first
            depth += 1
        elif piece in "]}":
            depth -= 1
            if depth == 1:
                found.append((first, at))
        elif depth == 1 and piece[0] in "\"'":
            found.append(token.span())
    return found


def write_key(*path: str) -> str:
    """Return a key as it stands in a file.

    >>> write_key("hosts", "ps01.example.org")
    'hosts."ps01.example.org"'
    """
    return ".".join(part if re.fullmatch(_BARE, part) else _string(part) for part in path)


def write_value(value: Any, *, indent: str = "") -> str:
    """Return a value as it stands in a file; a long list has a line for each item."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _string(value)
    if isinstance(value, dict):
        inner = ", ".join(f"{write_key(key)} = {write_value(item)}" for key, item in value.items())
        return f"{{{inner}}}"
    if isinstance(value, list | tuple):
        items = [write_value(item) for item in value]
        line = f"[{', '.join(items)}]"
        if len(line) <= _WIDE or len(items) < 2:
            return line
        return "".join(["[\n", *(f"{indent}  {item},\n" for item in items), f"{indent}]"])
    return str(value)


def _string(text: str) -> str:
    # JSON's escapes are TOML's too; only DEL may stand in JSON and not in TOML.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
