"""What may be set for each kind of probe, with readers and defaults; pure data."""

from typing import Any, NamedTuple

from psops.catalogue.values import Reader


class Key(NamedTuple):
    """A setting: how its value is read, what it is if it is not set, and whether it must be."""

    reader: Reader
    default: Any = None
    needed: bool = False


def keys_of(kind: str) -> dict[str, Key]:
    """Return the keys of a kind beside those that every probe has."""
    from psops.probes.keys_bus import BUS
    from psops.probes.keys_data import DATA

    return {**BUS, **DATA}[kind]
