"""The readers of what is asked of a component: from a table of tables to `Probe`s."""

from collections.abc import Mapping
from typing import Any

from psops.catalogue.entry import Hint, Probe, Severity
from psops.catalogue.values import (
    Reader,
    Wrong,
    boolean,
    enum,
    kind,
    many,
    name,
    record,
    seconds,
    string,
    unknown_key,
    within,
    word,
)
from psops.probes import KINDS
from psops.probes.keys import keys_of
from psops.probes.keys_common import given

#: Keys that every probe may have.
_COMMON: dict[str, Reader] = {
    "kind": word(KINDS, "kind of check"),
    "purpose": string,
    "severity": enum(Severity, "severity"),
    "timeout": seconds,
    "via": given(string),
    "hints": many(record({"text": string, "command": string}, Hint, "text")),
    "note": string,
    #: False takes away a check of a weaker file.
    "enabled": boolean,
}


def probes(value: Any) -> dict[str, Probe | None]:
    """Return the probes of a component by their names, None for those switched off."""
    if not isinstance(value, dict):
        raise Wrong(f"must be a table, not {kind(value)}")

    def read(key: str) -> Reader:
        return lambda item: _probe(name(key), item)

    return {key: within(key, read(key), item) for key, item in value.items()}


def _probe(called: str, value: Any) -> Probe | None:
    if not isinstance(value, dict):
        raise Wrong(f"must be a table, not {kind(value)}")
    if value.get("enabled") is False:
        return None
    if "kind" not in value:
        raise Wrong("needs the key 'kind'")
    which = within("kind", _COMMON["kind"], value["kind"])
    keys = keys_of(which)
    for key in value:
        if key not in _COMMON and key not in keys:
            raise Wrong(unknown_key(key, [*_COMMON, *keys]), (key,))
    common = {
        key: within(key, reader, value[key])
        for key, reader in _COMMON.items()
        if key in value and key != "enabled"
    }
    settings: Mapping[str, Any] = {
        key: within(key, one.reader, value[key]) if key in value else one.default
        for key, one in keys.items()
    }
    for key, one in keys.items():
        if one.needed and key not in value:
            raise Wrong(f"needs the key '{key}'")
    return Probe(name=called, settings=settings, **common)
