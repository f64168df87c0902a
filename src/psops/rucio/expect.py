"""What is expected of a Rucio daemon: which heartbeats, how many, and how fresh.

The table is `daemons.toml` together with the daemons of the catalogue that are Rucio's.
"""

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

from psops.catalogue import Catalogue
from psops.catalogue.entry import Severity
from psops.rucio.arguments import has_flag, number

SYSTEM = "rucio"
_PREFIX = "rucio-"
#: Seconds for which a heartbeat counts where the cycle gives no number: `live()`, older_than.
_FALLBACK_WINDOW = 600.0
#: Seconds after which any starting daemon deletes a heartbeat: DEFAULT_EXPIRATION_DELAY.
PURGED_AFTER = 86400.0
#: Beyond twice its cycle a heartbeat may be this late, for work that takes longer.
_SLACK = 30.0


class Freshness(NamedTuple):
    """Ages in seconds: up to `ok` is fine, beyond `dead` it counts no more for Rucio itself."""

    ok: float
    dead: float


class Beat(NamedTuple):
    """One kind of heartbeat of a daemon: how its name begins, and the cycle by default."""

    prefix: str
    sleep: int
    #: The option that sets the cycle, "" for none.
    option: str
    #: How its name begins in other releases.
    spellings: tuple[str, ...] = ()

    def fit(self, readable: str) -> int:
        """Return how much of a name is this heartbeat's, 0 if it is another one's."""
        fitting = (
            len(prefix) for prefix in (self.prefix, *self.spellings)
            if readable.startswith(prefix) and not readable[len(prefix) :][:1].isalnum()
        )  # fmt: skip
        return max(fitting, default=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What holds for one daemon, whatever its options."""

    #: Without the "rucio-" in front, and what it is for.
    name: str
    purpose: str
    beats: tuple[Beat, ...]
    #: The option that sets the number of threads, "" for none.
    workers: str
    per_worker: bool
    singleton: bool
    #: The first release with it, and the first without it; "" for open ends.
    since: str
    until: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """What one process of a daemon must show, with the options that it was given."""

    rule: Rule
    #: How many heartbeats of each name.
    rows: int
    #: Name of heartbeat -> seconds of its cycle.
    sleep: Mapping[str, int]
    #: One cycle only: its heartbeats come and go.
    once: bool

    @property
    def purged(self) -> bool:
        """Whether its heartbeats may lawfully be gone: a cycle is as long as they are kept."""
        return any(seconds >= PURGED_AFTER for seconds in self.sleep.values())


def rules(catalogue: Catalogue | None = None) -> Mapping[str, Rule]:
    """Return the rules of all daemons by name, with those that past releases had."""
    return _rules() if catalogue is None else _made(catalogue)


def listed(catalogue: Catalogue, bundles: Iterable[str]) -> Mapping[str, Severity] | None:
    """Return the daemons of Rucio in these bundles, each with how much it matters, None if none
    is Rucio's; may raise `NoSuchBundle`."""
    members = [member for name in bundles for member in catalogue.bundle(name).members]
    return {
        one.daemon.name.removeprefix(_PREFIX): one.severity or one.daemon.severity
        for one in members if one.daemon.system == SYSTEM
    } or None  # fmt: skip


@cache
def _rules() -> Mapping[str, Rule]:
    return _made(Catalogue.load(()))


def _made(catalogue: Catalogue) -> Mapping[str, Rule]:
    table = tomllib.loads((files("psops.rucio") / "daemons.toml").read_text(encoding="utf-8"))
    found: dict[str, Rule] = {}
    for daemon in catalogue.daemons.values():
        if daemon.system != SYSTEM or daemon.command:
            continue
        name = daemon.name.removeprefix(_PREFIX)
        row: Mapping[str, Any] = table.get(name, {})
        # What is not known of a daemon of a past release is not asked of it.
        silent = row.get("silent", name not in table)
        options = row.get("sleep_option", "--sleep-time")
        found[name] = Rule(
            name=name,
            purpose=daemon.purpose,
            beats=() if silent else tuple(
                Beat(prefix, row["sleep"], options if isinstance(options, str) else options[prefix],
                     tuple(row.get("spellings", {}).get(prefix, ())))
                for prefix in daemon.heartbeats or (name,)
            ),
            workers=row.get("workers", "--threads"),
            per_worker=row.get("per_worker", True),
            singleton=daemon.singleton,
            since=daemon.when.since,
            until=daemon.when.until,
        )  # fmt: skip
    return found


def expectation(rule: Rule, argv: Sequence[str]) -> Expectation:
    """Return what a process with this command line must show."""
    workers = number(argv, rule.workers, 1) if rule.workers else 1
    return Expectation(
        rule=rule,
        rows=max(workers, 1) if rule.per_worker else 1,
        sleep={
            beat.prefix: number(argv, beat.option, beat.sleep) if beat.option else beat.sleep
            for beat in rule.beats
        },
        once=has_flag(argv, "--run-once"),
    )


def freshness(sleep: float) -> Freshness:
    """Return how old heartbeats of a cycle in seconds may be.

    Rucio counts a worker for 10 × (cycle - 1) seconds after its heartbeat, or for 600 if that
    is no positive number (41.5.1, lib/rucio/daemons/common.py, `HeartbeatHandler`).

    >>> freshness(60), freshness(-1)
    (Freshness(ok=150.0, dead=590.0), Freshness(ok=330.0, dead=600.0))
    """
    if sleep - 1 <= 0:
        return Freshness(_FALLBACK_WINDOW / 2 + _SLACK, _FALLBACK_WINDOW)
    ok = 2.0 * sleep + _SLACK
    return Freshness(ok, max(ok, 10.0 * (sleep - 1)))


def beat_of(readable: str, known: Iterable[Rule]) -> tuple[Rule, Beat] | None:
    """Return which daemon's heartbeat has this name, None for no daemon of the table.

    Some daemons put their options behind their name, so the longest one that fits counts.

    >>> beat_of("conveyor-submitter--activities ['Debug']", rules().values())[0].name
    'conveyor-submitter'
    >>> beat_of("minos-temporary-expiration", rules().values())[0].name
    'minos-temporary-expiration'
    """
    fitting = [(rule, beat) for rule in known for beat in rule.beats if beat.fit(readable)]
    return max(fitting, key=lambda pair: pair[1].fit(readable), default=None)
