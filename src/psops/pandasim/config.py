"""The daemons of one configuration file, as the real master takes them if nothing is wrong.

One file alone: other files, the overlay and the environment are read by `psops.pandaconf`. What
the master would stumble over is refused, since nothing could be said of it.
"""

import configparser
import json
from dataclasses import dataclass
from typing import Any


class BadConfig(ValueError):
    """A file that the master would not run as it is written; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlainDaemon:
    """An enabled daemon, with the master's defaults."""

    name: str
    period: int
    timeout: int
    sync: bool
    loop: bool


def parse_daemons(text: str) -> tuple[tuple[PlainDaemon, ...], int]:
    """Return the enabled daemons of a `panda_server.cfg`, and `n_proc`.

    >>> parse_daemons('[daemon]\\nconfig = {"a": {"period": 60}}')[0][0].timeout
    180
    """
    parser = configparser.ConfigParser()
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    try:
        parser.read_string(text)
        section = dict(parser.items("daemon"))
    except configparser.Error as error:
        raise BadConfig(" ".join(str(error).split())) from error
    if "config" not in section:
        raise BadConfig("[daemon] has no 'config', so the master runs no daemon")
    try:
        table = json.loads(section["config"])
    except (ValueError, RecursionError) as error:
        raise BadConfig(f"'config' of [daemon] is no JSON: {error}") from error
    if not isinstance(table, dict):
        raise BadConfig("'config' of [daemon] is no JSON object")
    daemons = [_daemon(name, one) for name, one in table.items() if not _is_off(one)]
    return tuple(daemons), _workers(section.get("n_proc", "1"))


def _is_off(entry: Any) -> bool:
    return isinstance(entry, dict) and entry.get("enable") is False


def _daemon(name: str, entry: Any) -> PlainDaemon:
    if not isinstance(entry, dict):
        raise BadConfig(f"'{name}' is no JSON object")
    period = entry.get("period")
    if not isinstance(period, int):  # true is an int here as there, and is 1
        raise BadConfig(f"'{name}': the period is no whole number")
    timeout = entry.get("timeout", min(3 * period, period + 3600))
    if not isinstance(timeout, int):
        raise BadConfig(f"'{name}': the timeout is no whole number")
    return PlainDaemon(
        name=name,
        period=int(period),
        timeout=int(timeout),
        sync=bool(entry.get("sync", False)),
        loop=bool(entry.get("loop", False)),
    )


def _workers(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 6):
        raise BadConfig(f"n_proc is '{text[:40]}', for which the master raises TypeError")
    return int(text)
