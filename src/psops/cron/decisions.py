"""What the operator has decided: nothing of it is ever guessed (rule R7).

The same decisions come from options and from a table (a TOML file that is kept with the
configuration), which `parse_decisions` checks.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Any

from psops.nearest import did_you_mean, nearest_or_all

#: Below so many seconds between starts a lock in the database costs more than it saves (R6).
MIN_SYNC_PERIOD = 60


class DecisionError(ValueError):
    """A decision that makes no sense; the message names it."""


class Gap(StrEnum):
    """Which gap of a mildly unequal schedule becomes the period (R2)."""

    MEAN = "mean"
    MIN = "min"
    MAX = "max"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decisions:
    """All decisions; those by name take the name of a daemon.

    - `servers`: how many servers run the crontabs; None is one, or as many as have a name.
    - `sync`, `exclusive`: patterns of names; for the latter parallel runs are harmful, so the
      lock stays under `min_sync_period` as well (R6).
    - `names`: the name of a daemon, by the name it would get, by the base name of the program,
      or by `FILE:LINE`. The last takes a line that R10 refuses, if `modules` has its module.
    - `modules`, `arguments`, `periods`, `timeouts`, `gaps`: by the final name. A period given
      here is written as it is, and takes lines that R3 and R9 refuse.
    - `zone`, `year`: where the crontabs' times are local, for remarks on changes of the clock.

    Raises `DecisionError` for values out of range.
    """

    servers: int | None = None
    sync: tuple[str, ...] = ()
    exclusive: tuple[str, ...] = ()
    min_sync_period: int = MIN_SYNC_PERIOD
    names: Mapping[str, str] = field(default_factory=dict)
    modules: Mapping[str, str] = field(default_factory=dict)
    arguments: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    periods: Mapping[str, int] = field(default_factory=dict)
    timeouts: Mapping[str, int] = field(default_factory=dict)
    gaps: Mapping[str, Gap] = field(default_factory=dict)
    zone: str = ""
    year: int = 2026

    def __post_init__(self) -> None:
        if self.servers is not None and self.servers < 1:
            raise DecisionError(f"servers: {self.servers} is less than 1")
        if self.min_sync_period < 0:
            raise DecisionError(f"min_sync_period: {self.min_sync_period} is below 0")
        for key, table in (("periods", self.periods), ("timeouts", self.timeouts)):
            for name, seconds in table.items():
                if seconds < 1:
                    raise DecisionError(f"{key}: {seconds} s for '{name}' is less than 1")
        for key, texts in (("names", self.names), ("modules", self.modules)):
            for name, text in texts.items():
                if not text:
                    raise DecisionError(f"{key}: an empty text for '{name}'")

    def is_synced(self, name: str) -> bool:
        """Tell whether a daemon is to run on one server at a time."""
        return _fits(name, self.sync) or self.is_exclusive(name)

    def is_exclusive(self, name: str) -> bool:
        """Tell whether parallel runs of a daemon are harmful."""
        return _fits(name, self.exclusive)

    def unused(self, names: Iterable[str], keys: Iterable[str]) -> list[str]:
        """Return a sentence for each decision that concerns no daemon.

        `names` are those of the daemons, refused ones included, `keys` what `names` may go by.
        """
        known, origins = set(names), set(keys)
        found = []
        for option in ("sync", "exclusive"):
            for pattern in getattr(self, option):
                if not any(fnmatchcase(name, pattern) for name in known):
                    found.append(_unused(option, pattern, known))
        for option in ("modules", "arguments", "periods", "timeouts", "gaps"):
            found += [_unused(option, name, known) for name in getattr(self, option)
                      if name not in known]  # fmt: skip
        return found + [_unused("names", key, origins) for key in self.names if key not in origins]


def _fits(name: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def _unused(option: str, name: str, known: set[str]) -> str:
    return f"{option}: no line of the crontabs is '{name}'{did_you_mean(name, sorted(known))}"


def parse_decisions(table: Mapping[str, Any]) -> Decisions:
    """Return the decisions of a table with the names of `Decisions` as keys.

    Raises `DecisionError` for unknown keys and values of a wrong type.
    """
    kinds = {
        "servers": _integer, "min_sync_period": _integer, "year": _integer, "zone": _text,
        "sync": _texts, "exclusive": _texts, "names": _by_name(_text), "modules": _by_name(_text),
        "arguments": _by_name(_texts), "periods": _by_name(_integer),
        "timeouts": _by_name(_integer), "gaps": _by_name(_gap),
    }  # fmt: skip
    known = [one.name for one in fields(Decisions)]
    values: dict[str, Any] = {}
    for key, value in table.items():
        if key not in kinds:
            raise DecisionError(f"'{key}' is no decision{nearest_or_all(key, known)}")
        values[key] = kinds[key](key, value)
    return Decisions(**values)


def _integer(key: str, value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise DecisionError(f"{key}: {value!r} is no whole number")
    return value


def _text(key: str, value: Any) -> str:
    if not isinstance(value, str):
        raise DecisionError(f"{key}: {value!r} is no text")
    return value


def _texts(key: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list | tuple):
        raise DecisionError(f"{key}: {value!r} is no list of texts")
    return tuple(_text(key, one) for one in value)


def _gap(key: str, value: Any) -> Gap:
    try:
        return Gap(value)
    except ValueError:
        raise DecisionError(f"{key}: {value!r} is none of {', '.join(Gap)}") from None


def _by_name(kind: Any) -> Any:
    def check(key: str, value: Any) -> dict[str, Any]:
        if not isinstance(value, Mapping):
            raise DecisionError(f"{key}: {value!r} is no table of names")
        return {str(name): kind(f"{key}.{name}", one) for name, one in value.items()}

    return check
