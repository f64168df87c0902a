"""The line of a table or key in a TOML file; tomllib keeps no positions.

Headers (`[a.b]`) and keys at the start of a line are found, those within an inline table are
not. In a file with multi-line strings, which may hold lines like these, only what is found
once counts.
"""

import re
import tomllib

_HEADER = r"\s*(\[{1,2}.*\]{1,2})\s*(?:#.*)?"
_PART = r"""(?:[A-Za-z0-9_-]+|"(?:[^"\\]|\\.)*"|'[^']*')"""
_KEY = rf"\s*({_PART}(?:\s*\.\s*{_PART})*)\s*="


def find(text: str, table: tuple[str, ...], key: str | None) -> int | None:
    """Return the line of the key, else that of its table, else None."""
    wanted = table if key is None else (*table, key)
    header: tuple[str, ...] | None = ()
    keys: list[int] = []
    tables: list[int] = []
    for number, line in enumerate(text.split("\n"), 1):
        if match := re.fullmatch(_HEADER, line):
            path = header = _path(match[1])
        elif header is not None and (match := re.match(_KEY, line)):
            path = _path(f"{match[1]} = 0")
            path = path and (*header, *path)
        else:
            continue
        if path is None:
            continue
        if path[: len(wanted)] == wanted:
            keys.append(number)
        if path[: len(table)] == table:
            tables.append(number)
    once = '"""' in text or "'''" in text
    for lines in (keys, tables if table else []):
        if lines and (len(lines) == 1 or not once):
            return lines[0]
    return None


def _path(line: str) -> tuple[str, ...] | None:
    """Return the keys that lead to what a line defines."""
    try:
        value: object = tomllib.loads(line)
    except (ValueError, RecursionError):
        return None
    path: list[str] = []
    while value:
        if isinstance(value, dict):
            name, value = next(iter(value.items()))
            path.append(name)
        elif isinstance(value, list):
            value = value[0]
    return tuple(path)
