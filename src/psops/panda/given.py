"""The daemons that are to be merged, as `psops cron2daemon` prints them."""

import json
from typing import Any, NoReturn

from psops.errors import ConfigError


def parse_daemons(data: bytes, name: str) -> dict[str, dict[str, Any]]:
    """Return the daemons of a JSON object `{"name": {...}}`; `name` is that of the file.

    Stricter than the master, which takes the last of two equal names and does not tell.
    Raises `ConfigError`.

    >>> parse_daemons(b'{"add": {"period": 240}}', "new.json")
    {'add': {'period': 240}}
    """
    try:
        found = json.loads(
            data.decode("utf-8-sig"), object_pairs_hook=_once, parse_constant=_no_number
        )
    except UnicodeDecodeError as exc:
        raise ConfigError(f"{name}: not UTF-8 text") from exc
    except json.JSONDecodeError as exc:
        raise ConfigError(f"{name}:{exc.lineno}: not JSON: {exc.msg.lower()}") from exc
    except RecursionError as exc:
        raise ConfigError(f"{name}: nested too deeply") from exc
    except ValueError as exc:
        raise ConfigError(f"{name}: {exc}") from exc
    if not isinstance(found, dict):
        raise ConfigError(f"{name}: not an object", remedy='write {"name": {"period": 60}}')
    for daemon, entry in found.items():
        if not isinstance(entry, dict):
            raise ConfigError(f"{name}: '{daemon}' is not an object")
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"'{key}' is there twice")
        found[key] = value
    return found


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"{word} is no number of JSON")
