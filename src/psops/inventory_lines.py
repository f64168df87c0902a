"""The line of a table or key in a TOML file; tomllib keeps no positions.

Only header lines (`[a.b]`) and keys at the start of a line are found. Something that is
found twice, for example because a text value looks like a header, counts as not found.
"""

import re
import tomllib

_HEADER = re.compile(r"\s*(\[{1,2}.*\]{1,2})\s*(?:#.*)?")
_KEY = re.compile(r"""\s*((?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')(?:\s*\.\s*[^=]*?)?)\s*=""")


def find(text: str, table: tuple[str, ...], key: str | None) -> int | None:
    """Return the line of the key in the table, else that of the table, else None."""
    here: tuple[str, ...] | None = ()
    tables: list[int] = []
    keys: list[int] = []
    for number, line in enumerate(text.split("\n"), 1):
        if header := _HEADER.fullmatch(line.rstrip("\r")):
            here = _path(f"{header[1]}\n")
            if here is not None and here[: len(table)] == table:
                if here == table:
                    tables.append(number)
                elif key is not None and here[len(table)] == key:
                    keys.append(number)  # the key is itself a table
        elif key is not None and (match := _KEY.match(line)):
            name = _path(f"{match[1]} = 0\n")
            if here is not None and name is not None and (*here, *name)[: len(table) + 1] == (*table, key):
                keys.append(number)
    for lines in (keys[:1] if len(set(keys)) == 1 else [], tables):
        if len(lines) == 1:
            return lines[0]
    return None


def _path(text: str) -> tuple[str, ...] | None:
    """Return the keys that lead to the innermost table or value of a small document."""
    try:
        value: object = tomllib.loads(text)
    except (ValueError, RecursionError):
        return None
    path: list[str] = []
    while value:
        if isinstance(value, list):
            value = value[0]
        elif isinstance(value, dict):
            name, value = next(iter(value.items()))
            path.append(name)
    return tuple(path)
