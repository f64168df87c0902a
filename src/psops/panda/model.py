"""What is known of a configuration: places, options, daemons, faults; pure data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum, unique
from typing import Any, NamedTuple

from psops.verdict import Verdict

#: The options of [daemon] that the code reads, with its defaults (None: it has none).
OPTIONS: dict[str, Any] = {
    "enable": False,
    "uname": "nobody",
    "gname": "nobody",
    "package": None,
    "n_proc": 1,
    "n_dbconn": 1,
    "proc_lifetime": 28800,
    "use_tbif": False,
    "config": None,
}
#: The attributes of a daemon; no others exist in 1.0.4.
ATTRIBUTES = ("enable", "period", "timeout", "sync", "loop", "module", "arguments")


#: Longer than anything runs, in seconds.
_AGES = 10**15


class Place(NamedTuple):
    """A file and the line in it (0 if it cannot be told); `via` says what came between."""

    file: str
    line: int = 0
    via: str = ""

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        return f"{where} ({self.via})" if self.via else where


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One option of [daemon].

    `raw` is what the file says (interpolated), `value` what the master's module then has;
    `overridden` are the places of the weaker values that it hides.
    """

    name: str
    raw: Any
    value: Any
    place: Place
    overridden: tuple[Place, ...] = ()


@unique
class State(StrEnum):
    """What the master makes of an entry of `config`."""

    #: In the table and complete.
    ACTIVE = "active"
    #: Taken out because of `"enable": false`.
    DISABLED = "disabled"
    #: Taken out with a warning in the master's log.
    SKIPPED = "skipped"
    #: The exception at this entry ended the parse; half complete in the table.
    BROKEN = "broken"
    #: Comes after a broken one, so it is in the table as written, even if disabled.
    RAW = "raw"


@dataclass(frozen=True, slots=True, kw_only=True)
class DaemonConfig:
    """One entry of `config`.

    `written` is the entry as it stands, `attributes` what the master holds (as written for
    disabled and skipped ones, which it does not hold). `places` are those of the attributes;
    what has a default has none.
    """

    name: str
    state: State
    written: Any
    attributes: Any
    place: Place
    places: Mapping[str, Place] = field(default_factory=dict)
    #: Why it is skipped or broken.
    reason: str = ""

    def get(self, attribute: str) -> Any:
        """Return an attribute as the master holds it, None where it has none."""
        return self.attributes.get(attribute) if isinstance(self.attributes, dict) else None

    def place_of(self, attribute: str) -> Place:
        """Return where an attribute is written, or where the daemon is."""
        return self.places.get(attribute, self.place)

    @property
    def is_computed(self) -> bool:
        """Return whether the timeout is the computed default."""
        return isinstance(self.written, dict) and "timeout" not in self.written

    @property
    def period(self) -> int:
        """Seconds from start to start; 0 if that is no whole number."""
        value = self.get("period")
        return int(value) if isinstance(value, int) else 0

    @property
    def timeout(self) -> int:
        """Seconds after which a run is killed; 0 if that is no number.

        The master compares whole seconds, so the part behind the point changes nothing. One
        that is not within ages, infinity among them, is `_AGES`: nothing is killed or all is.
        """
        value = self.get("timeout")
        return int(max(-_AGES, min(_AGES, value)) // 1) if isinstance(value, int | float) else 0

    @property
    def sync(self) -> bool:
        """Whether a lock in the database is asked for before a run."""
        return bool(self.get("sync"))

    @property
    def loop(self) -> bool:
        """Whether the script is called again until a period is over."""
        return bool(self.get("loop"))

    @property
    def module(self) -> str:
        """The module of the script below `package`."""
        value = self.get("module")
        return value if isinstance(value, str) else self.name

    @property
    def arguments(self) -> tuple[Any, ...]:
        """What the script is given, as it is."""
        value = self.get("arguments")
        return tuple(value) if isinstance(value, list) else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Fatal:
    """The import of the master's configuration raises: nothing starts.

    `error` is the name of the exception class, `places` all lines that are to blame.
    """

    error: str
    text: str
    places: tuple[Place, ...]
    #: The option in question, if there is one.
    option: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One trap that a configuration has fallen into.

    `subject` is what it is about: `copyArchive.period`, `[daemon] n_proc`, a file.
    """

    code: str
    severity: Verdict
    subject: str
    place: Place
    text: str
    remedy: str
    daemon: str = ""
