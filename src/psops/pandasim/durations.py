"""How long the scripts take: mean seconds of one call by daemon, from the text of a file."""

import json
import tomllib
from typing import Any


class DurationsError(ValueError):
    """A text that does not tell durations; the message says where."""


def parse_durations(text: str) -> dict[str, float]:
    """Return the mean seconds of daemons from JSON or TOML: one number for each name.

    >>> parse_durations("copyArchive = 120\\nadd_main = 2.5")
    {'copyArchive': 120.0, 'add_main': 2.5}
    """
    text = text.removeprefix("\ufeff")
    table: Any
    try:
        is_json = text.lstrip().startswith("{")
        table = json.loads(text) if is_json else tomllib.loads(text.replace("\r\n", "\n"))
    except (ValueError, RecursionError) as error:
        raise DurationsError(f"neither a JSON object nor TOML: {error}") from error
    found: dict[str, float] = {}
    for name, value in table.items():
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise DurationsError(f"'{name}' is no number of seconds but {type(value).__name__}")
        if not 0 <= value < 1e9:
            raise DurationsError(f"'{name}': {value:g} s is no duration")
        found[name] = float(value)
    return found
