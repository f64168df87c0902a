"""What the master makes of the `config` option, fault by fault as it does.

Authority: `DaemonMaster._parse_config` of `pandaserver/daemons/utils.py`, 1.0.4. One exception
ends its whole parse and leaves the table as far as it had come.
"""

import copy
import json
from dataclasses import dataclass
from typing import Any

from psops.panda.model import State

#: What must be there with which type, in the order in which the master looks.
_MANDATORY: tuple[tuple[str, type], ...] = (("module", str), ("period", int), ("arguments", list))


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry after the parse: its state, what the master holds, why it is not active."""

    name: str
    state: State
    written: Any
    attributes: Any
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    """The outcome of the parse.

    `error` is the name of the exception that ended it ("" for none) with its sentence in
    `reason`; `table` is what the master then works with: a dict, or what else the text was.
    """

    table: Any
    entries: tuple[Entry, ...] = ()
    error: str = ""
    reason: str = ""


def default_timeout(period: Any) -> Any:
    """Return the timeout of a daemon that has none; raises `TypeError` for what is no number.

    >>> default_timeout(1800), default_timeout(21600)
    (5400, 25200)
    """
    return min(period * 3, period + 3600)


def parse(value: Any) -> Parsed:
    """Return what the master makes of the value of `config`, text or object."""
    try:
        table = value if isinstance(value, dict) else json.loads(value)
    except (ValueError, TypeError, RecursionError) as error:
        return Parsed(table={}, error=type(error).__name__, reason=str(error))
    if not isinstance(table, dict):
        reason = f"the value is {kind(table)}, not an object"
        return Parsed(table=copy.deepcopy(table), error="AttributeError", reason=reason)
    try:
        return _settle_all(table)
    except RecursionError as error:  # nested so deeply that it can be read but not copied
        return Parsed(table={}, error="RecursionError", reason=str(error))


def _settle_all(table: dict[str, Any]) -> Parsed:
    entries: list[Entry] = []
    error = reason = ""
    for name, written in table.items():
        if error:
            raw = copy.deepcopy(written)
            entries.append(Entry(name=name, state=State.RAW, written=written, attributes=raw))
            continue
        entry, error = _settle(name, written)
        reason = entry.reason if error else ""
        entries.append(entry)
    kept = (State.ACTIVE, State.BROKEN, State.RAW)
    return Parsed(
        table={one.name: one.attributes for one in entries if one.state in kept},
        entries=tuple(entries),
        error=error,
        reason=reason,
    )


def _settle(name: str, written: Any) -> tuple[Entry, str]:
    """Return one entry, and the exception that ends the parse there."""
    full = copy.deepcopy(written)

    def made(state: State, reason: str = "") -> Entry:
        held = written if state in (State.DISABLED, State.SKIPPED) else full
        return Entry(name=name, state=state, written=written, attributes=held, reason=reason)

    if not isinstance(written, dict):
        return made(State.BROKEN, f"the entry is {kind(written)}, not an object"), "TypeError"
    if written.get("enable") is False:
        return made(State.DISABLED), ""
    defaults: dict[str, Any] = {"module": name, "arguments": [], "sync": False, "loop": False}
    for key, value in defaults.items():
        full.setdefault(key, value)
    if "timeout" not in written:
        # Before any look at the type of the period, which therefore comes too late.
        if "period" not in written:
            return made(State.BROKEN, "no period, from which the timeout is computed"), "KeyError"
        try:
            full["timeout"] = default_timeout(written["period"])
        except TypeError:
            what = kind(written["period"])
            return made(State.BROKEN, f"the period is {what}, not a whole number"), "TypeError"
    for key, wanted in _MANDATORY:
        if key not in full:
            return made(State.SKIPPED, f"no {key}"), ""
        if not isinstance(full[key], wanted):
            sort = {str: "text", int: "a whole number", list: "an array"}[wanted]
            return made(State.SKIPPED, f"{key} is {kind(full[key])}, not {sort}"), ""
    return made(State.ACTIVE), ""


def kind(value: Any) -> str:
    """Return what a JSON value is, in words.

    >>> kind(None), kind(True), kind(1.5), kind([])
    ('null', 'true', 'the number 1.5', 'an array')
    """
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, int | float):
        return f"the number {value:g}" if abs(value) < 1e15 else "a huge number"
    if isinstance(value, str):
        return f"the text {json.dumps(value[:40])}"
    return "an array" if isinstance(value, list) else "an object"
