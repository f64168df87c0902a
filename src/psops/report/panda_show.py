"""An effective list as text for people, and as an object for machines."""

import json
import math
from collections.abc import Iterator
from typing import Any

from psops.panda.cost import cost, costs, total, unused_modules
from psops.panda.effective import Effective
from psops.panda.model import ATTRIBUTES, DaemonConfig, Option, Place, State
from psops.report import Look
from psops.report.text import Cell, clean, count, paint, table

#: What the text shows instead of an attribute that is only there by default.
_DEFAULT = "default"
_STYLES = {State.ACTIVE: "good", State.DISABLED: "dim", State.SKIPPED: "warn"}
#: Nested deeper, a value is no configuration; `json` would give up at some depth of its own.
_MOST_DEPTH = 40


def show_object(effective: Effective, servers: int) -> dict[str, Any]:
    """Return everything that is known of the list; `table` is what the master schedules from."""
    running = {one.name for one in effective.scheduled}
    fatal = effective.fatal
    return {
        "servers": servers,
        "files": list(effective.found),
        "fatal": {
            "error": fatal.error,
            "text": fatal.text,
            "places": [place_object(one) for one in fatal.places],
        }
        if fatal is not None
        else None,
        "stopped_by": effective.stopped_by,
        "starts": {"systemd": effective.starts_by_systemd, "init": effective.starts_by_init},
        "options": {
            name: {
                "value": plain(one.value),
                "raw": plain(one.raw),
                "place": place_object(one.place),
                "overrides": [place_object(place) for place in one.overridden],
            }
            for name, one in effective.options.items()
        },
        "daemons": [_daemon_object(one, servers, one.name in running) for one in effective.daemons],
        "table": plain(effective.table),
        "parse_error": effective.error or None,
        "hidden": list(effective.hidden),
        "unused_modules": list(unused_modules(effective)),
        "runs_per_day": _runs(effective, servers),
    }


def place_object(place: Place | None) -> dict[str, Any] | None:
    """Return a place as an object, None for what was not written anywhere."""
    if place is None or not (place.file or place.via):
        return None
    return {"file": place.file or None, "line": place.line or None, "via": place.via or None}


def plain(value: Any, depth: int = _MOST_DEPTH) -> Any:
    """Return a value that every reader of JSON takes: no NaN, no infinity, no abyss.

    >>> plain([1, float("nan")])
    [1, 'NaN']
    """
    if isinstance(value, float) and not math.isfinite(value):
        return json.dumps(value)
    if isinstance(value, dict | list) and not depth:
        return "nested too deeply"
    if isinstance(value, dict):
        return {key: plain(inner, depth - 1) for key, inner in value.items()}
    if isinstance(value, list):
        return [plain(inner, depth - 1) for inner in value]
    return value


def short(value: Any) -> str:
    """Return a value as JSON on one line; ASCII only, so no byte of it can act on a terminal."""
    return json.dumps(plain(value))


def render_show(effective: Effective, servers: int, look: Look, *, origins: bool = False) -> str:
    """Return files, options and daemons with their origins as text, ending with a newline.

    With `origins` each attribute of each daemon has a line of its own.
    """
    parts = ["\n".join(_head(effective, look))]
    if effective.fatal is not None:
        return f"{parts[0]}\n"
    if effective.options:
        parts.append(_options(effective, look))
    if effective.daemons:
        show = _origins if origins else _daemons
        parts.append(show(effective, servers, look))
    if effective.scheduled:
        parts.append(_sum(effective, servers))
        if unused := unused_modules(effective):
            parts[-1] += f"\nmodules of the package that no daemon runs: {', '.join(unused)}"
    return "\n\n".join(parts) + "\n"


def _head(effective: Effective, look: Look) -> Iterator[str]:
    yield "files read, the last is the strongest:"
    yield from (f"  {clean(path)}" for path in effective.found)
    if effective.fatal is not None:
        where = ", ".join(clean(str(one)) for one in effective.fatal.places)
        text = clean(f"{effective.fatal.error}: {effective.fatal.text}")
        yield paint(f"nothing starts: {where}: {text}", "bad", look.color)
        return
    if effective.stopped_by:
        text = clean(f"no daemon runs: {effective.stopped_by}")
        yield paint(text, "bad", look.color)
    starts = (effective.starts_by_systemd, effective.starts_by_init)
    if not any(starts):
        yield paint("'enable' is off: the service does not start", "warn", look.color)
    elif not all(starts):
        yield paint("'enable' is on for systemd, off for the init script", "bad", look.color)
    if effective.hidden:
        names = clean(", ".join(effective.hidden))
        yield paint(f"hidden by the 'config' of the overlay: {names}", "warn", look.color)


def _options(effective: Effective, look: Look) -> str:
    rows = [
        [Cell(clean(name)), Cell(_option_text(name, one)), Cell(_option_origin(one))]
        for name, one in effective.options.items()
    ]
    head = ("OPTION", "VALUE", "ORIGIN")
    return table(head, rows, color=look.color, width=look.width, prose=("VALUE", "ORIGIN"))


def _option_text(name: str, one: Option) -> str:
    if name == "config":  # the daemons are told below
        return "an object" if isinstance(one.value, dict) else "text"
    return clean(one.value) if isinstance(one.value, str) else str(one.value)


def _option_origin(one: Option) -> str:
    hidden = "".join(f", over {place}" for place in reversed(one.overridden))
    return clean(f"{_origin(one.place)}{hidden}")


def _origin(place: Place) -> str:
    return str(place) if place.file else place.via or _DEFAULT


def _daemons(effective: Effective, servers: int, look: Look) -> str:
    running = {one.name for one in effective.scheduled}
    rows = []
    for one in effective.daemons:
        numbers = ["", ""]
        if one.name in running:
            runs = cost(one, servers)
            numbers = [_number(runs.per_server), _number(runs.per_day)]
        timeout = _attribute(one, "timeout") + ("*" if _is_computed(one) else "")
        rows.append([
            Cell(clean(one.name)),
            Cell(str(one.state), _STYLES.get(one.state, "bad")),
            Cell(_attribute(one, "period"), right=True),
            Cell(timeout, right=True),
            Cell(" ".join(word for word in ("sync", "loop") if one.get(word))),
            Cell(clean(one.module)),
            Cell(_attribute(one, "arguments") if one.arguments else ""),
            Cell(numbers[0], right=True),
            Cell(numbers[1], right=True),
            Cell(clean(_origin(one.place) + (f": {one.reason}" if one.reason else ""))),
        ])  # fmt: skip
    head = ("DAEMON", "STATE", "PERIOD", "TIMEOUT", "MODE", "MODULE", "ARGUMENTS", "RUNS/DAY",
            "OF ALL", "ORIGIN")  # fmt: skip
    text = table(head, rows, color=look.color, width=look.width, spare=("OF ALL", "MODULE"),
                 prose=("ARGUMENTS", "ORIGIN"))  # fmt: skip
    note = "\n* computed from the period" if any(map(_is_computed, effective.daemons)) else ""
    return text + note


def _origins(effective: Effective, servers: int, look: Look) -> str:
    rows = []
    for one in effective.daemons:
        for attribute, origin in _attributes(one):
            value = Cell(_attribute(one, attribute))
            rows.append([Cell(clean(one.name)), Cell(clean(attribute)), value, Cell(clean(origin))])
        if not isinstance(one.attributes, dict):
            rows.append([Cell(clean(one.name)), Cell(""), Cell(short(one.attributes)),
                         Cell(clean(_origin(one.place)))])  # fmt: skip
    head = ("DAEMON", "ATTRIBUTE", "VALUE", "ORIGIN")
    return table(head, rows, color=look.color, width=look.width, prose=("VALUE", "ORIGIN"))


def _attributes(one: DaemonConfig) -> Iterator[tuple[str, str]]:
    """Yield the attributes that a daemon has, each with where it comes from."""
    held = one.attributes if isinstance(one.attributes, dict) else {}
    known = [key for key in ATTRIBUTES if key in held]
    for key in dict.fromkeys((*known, *held)):
        if isinstance(one.written, dict) and key in one.written:
            yield key, str(one.place_of(key))
        else:
            yield key, "computed from the period" if key == "timeout" else _DEFAULT


def _attribute(one: DaemonConfig, name: str) -> str:
    held = one.attributes if isinstance(one.attributes, dict) else {}
    if name not in held:
        return ""
    value = held[name]
    return clean(value) if name == "module" and isinstance(value, str) else short(value)


def _is_computed(one: DaemonConfig) -> bool:
    return one.is_computed and one.get("timeout") is not None


def _daemon_object(one: DaemonConfig, servers: int, running: bool) -> dict[str, Any]:
    runs = cost(one, servers) if running else None
    return {
        "name": one.name,
        "state": str(one.state),
        "reason": one.reason or None,
        "written": plain(one.written),
        "attributes": plain(one.attributes),
        "origins": dict(_attributes(one)),
        "timeout_computed": _is_computed(one),
        "place": place_object(one.place),
        "runs_per_day": {"server": _rounded(runs.per_server), "all": _rounded(runs.per_day)}
        if runs is not None
        else None,
    }


def _runs(effective: Effective, servers: int) -> dict[str, float]:
    found = total(costs(effective, servers))
    return {"server": _rounded(found.per_server), "all": _rounded(found.per_day)}


def _sum(effective: Effective, servers: int) -> str:
    found = total(costs(effective, servers))
    return (
        f"{count(len(effective.scheduled), 'daemon')}, {count(servers, 'server')}: "
        f"{_number(found.per_server)} runs per day on each, {_number(found.per_day)} in all"
    )


def _rounded(number: float) -> float:
    return round(number, 3)


def _number(number: float) -> str:
    return f"{number:.0f}" if number >= 100 else f"{number:.3g}"
