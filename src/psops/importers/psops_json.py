"""What `psops inventory export json` gives."""

import json
from datetime import date
from typing import Any

from psops.importers.imported import Imported
from psops.inventory.values import HOST_KEYS


def read(text: str, name: str) -> Imported:
    """Return the hosts and groups of an exported inventory."""
    found = Imported(name)
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as exc:
        raise found.fail(getattr(exc, "lineno", 0), f"not JSON: {exc}") from exc
    if not isinstance(document, dict) or not isinstance(document.get("hosts"), dict):
        raise found.fail(0, "no inventory of psops: 'hosts' is not there")
    for host, settings in document["hosts"].items():
        found.host(host, **_checked(found, host, settings))
    for group, inner in _tables(document.get("groups")):
        found.put(group, _names(found, group, inner, "hosts"))
        for other in _names(found, group, inner, "groups"):
            found.nest(group, other)
    return found


def _names(found: Imported, group: str, inner: dict[str, Any], key: str) -> list[str]:
    value = inner.get(key, [])
    names = [one for one in value if isinstance(one, str)] if isinstance(value, list) else []
    if names != value:
        found.note(0, f"group '{group}', key '{key}': no list of names; left out")
    return names


def _checked(found: Imported, host: str, settings: Any) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for key, value in _pairs(settings):
        if key == "waivers":
            value = [_with_date(one) for one in value] if isinstance(value, list) else value
        try:
            HOST_KEYS[key](value)
        except (KeyError, ValueError) as exc:
            reason = exc if isinstance(exc, ValueError) else "psops has no such key"
            found.note(0, f"host '{host}', key '{key}': {reason}; left out")
        else:
            kept[key] = value
    return kept


def _with_date(waiver: Any) -> Any:
    """Return a waiver whose end is a date again, as far as it is one."""
    try:
        return {**waiver, "until": date.fromisoformat(waiver["until"])}
    except (KeyError, TypeError, ValueError):
        return waiver


def _tables(value: Any) -> list[tuple[str, dict[str, Any]]]:
    return [(key, inner) for key, inner in _pairs(value) if isinstance(inner, dict)]


def _pairs(value: Any) -> list[tuple[str, Any]]:
    return list(value.items()) if isinstance(value, dict) else []
