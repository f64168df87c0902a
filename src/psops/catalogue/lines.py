"""The line of a value in a catalogue file, in lists of tables too.

What a table's keys and headers look like is known to `inventory.lines`.
"""

import re

from psops.inventory.lines import find as find_key


def find(
    text: str, table: tuple[str, ...], key: str | None, trail: tuple[int | str, ...] = ()
) -> int | None:
    """Return the line of a key, or where its value is `[[table.key]]`s of the one that is meant.

    `trail` leads on within the value: items counted from 0, keys by name.
    """
    if key is None or not trail or not isinstance(trail[0], int):
        return find_key(text, table, key)
    whole = (*table, key)
    lines = text.split("\n")
    heads = [at for at, line in enumerate(lines) if _is_head(line, whole)]
    if not heads:  # an inline list
        return find_key(text, table, key)
    if trail[0] >= len(heads):
        return heads[0] + 1
    start = heads[trail[0]]
    inner = trail[1] if len(trail) > 1 else None
    if isinstance(inner, str):
        # Only this one of the tables is left, on its own lines.
        stop = next((at for at in heads if at > start), len(lines))
        rest = "\n".join(["" for _ in lines[:start]] + lines[start:stop])
        return find_key(rest, whole, inner) or start + 1
    return start + 1


def _is_head(line: str, path: tuple[str, ...]) -> bool:
    if not line.lstrip().startswith("[["):
        return False
    found = re.match(r"\s*\[\[([^\]]*)\]\]", line)
    parts = [part.strip().strip("\"'") for part in found[1].split(".")] if found else []
    return tuple(parts) == path
