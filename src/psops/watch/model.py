"""What is known of the watched units, how fresh it is, and what changed; pure.

Words: a *state* is what one unit of one host is in, a *link* is how its host is reached, a
*change* leads from one to another.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum, unique
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Any

from psops.errors import PsopsError
from psops.report.facts import reason
from psops.report.model import RUNNING, UnitStatus
from psops.systemd.signals import Changed, News, Reloading, Removed

#: What is kept of the properties that a unit's type has.
FACTS = ("Result", "ExecMainCode", "ExecMainStatus", "NRestarts", "MainPID")


@unique
class Link(StrEnum):
    """How a host is reached: `lost` until it is reached again, and known from before if at all."""

    CONNECTING = "connecting"
    LIVE = "live"
    LOST = "lost"


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What a unit is in, in systemd's words. `run` is the id of its present or last run."""

    load: str = "loaded"
    active: str
    sub: str
    #: Microseconds since the epoch, by the clock of the host; 0 if it never changed.
    since_us: int = 0
    run: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def words(self) -> str:
        """The state as people read it."""
        load = "" if self.load in ("loaded", "masked") else f"{self.load}, "
        return f"{load}{self.active} ({self.sub})"

    @property
    def reason(self) -> str:
        """Why it is not as it should be, "" where nothing says so."""
        return reason(self.as_unit(""))

    @property
    def trouble(self) -> bool:
        """Whether an admin would want to know."""
        return _is_trouble(self.load, self.active, self.sub)

    @property
    def runs(self) -> bool:
        """Whether the unit does its work."""
        return self.active in RUNNING

    def as_unit(self, name: str) -> UnitStatus:
        """Return it in the form that reports have."""
        return UnitStatus(name=name, id=name, description="", load=self.load, active=self.active,
                          sub=self.sub, properties=self.facts)  # fmt: skip

    def same_as(self, other: "State") -> bool:
        """Tell whether nothing worth a word is between two states."""
        return (self.load, self.active, self.sub) == (other.load, other.active, other.sub) and (
            self.run == other.run or not self.runs
        )


@lru_cache(maxsize=1024)
def _is_trouble(load: str, active: str, sub: str) -> bool:
    # A big fleet is in few states, and asked for them all the time.
    state = State(load=load, active=active, sub=sub)
    return load == "not-found" or state.as_unit("").trouble


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A unit of a host that is in another state; `before` is None for one that was not there.

    One that was `missed` happened while the host was not reached.
    """

    host: str
    unit: str
    before: State | None
    after: State
    #: When it was learned here, in seconds since the epoch.
    time: float
    missed: bool = False

    @property
    def restarted(self) -> bool:
        """Whether it runs as before, but anew."""
        before, after = self.before, self.after
        return before is not None and before.words == after.words and before.run != after.run


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkChange:
    """A host that was reached, or lost with an error."""

    host: str
    before: Link
    after: Link
    time: float
    error: PsopsError | None = None
    #: How many of its units are watched.
    units: int = 0

    @property
    def is_first(self) -> bool:
        """Whether the host was reached for the first time, as it should be."""
        return self.before is Link.CONNECTING and self.after is Link.LIVE


@dataclass(frozen=True, slots=True, kw_only=True)
class Targets:
    """The units to watch on a host: by name, and all that match."""

    names: tuple[str, ...] = ()
    globs: tuple[str, ...] = ()

    def matches(self, unit: str) -> bool:
        """Tell whether a unit is one of them."""
        return unit in self.names or any(fnmatchcase(unit, glob) for glob in self.globs)


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The states of all watched units of a host at one moment, and who systemd is on its bus."""

    owner: str
    states: Mapping[str, State]
    #: The name that was asked for -> the unit's own name, where they differ.
    aliases: Mapping[str, str] = field(default_factory=dict)


class HostView:
    """What is known of one host."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.targets = Targets()
        self.link = Link.CONNECTING
        #: Whether a try to reach it is under way.
        self.trying = False
        self.error: PsopsError | None = None
        #: When the host was heard of last, in seconds since the epoch; 0 if never.
        self.heard = 0.0
        #: When it is tried again, on the same clock.
        self.retry_at = 0.0
        self.states: dict[str, State] = {}
        self._known = False
        self._reloading = False
        self._half: dict[str, dict[str, Any]] = {}
        #: Units that signals told of since the states are being read again.
        self._told: set[str] = set()

    def move(self, link: Link, now: float, error: PsopsError | None = None) -> LinkChange | None:
        """Take note of how the host is reached now; return the change if it is one."""
        before, known = self.link, self.error
        self.link, self.error = link, error
        told = known.code if known is not None else ""
        new = error.code if error is not None else ""
        if before is link and told == new:
            return None
        return LinkChange(host=self.name, before=before, after=link, time=now, error=error,
                          units=len(self.states))  # fmt: skip

    def expect(self) -> None:
        """Take note that the states are read again from now on, while signals come."""
        self._told.clear()

    def take(self, snapshot: Snapshot, now: float, *, missed: bool) -> list[Change]:
        """Take the states that were read; return what is new, nothing the first time.

        What signals told meanwhile stands: a reply on its way may be older.
        """
        before, states = self.states, dict(snapshot.states)
        for unit in () if missed else self._told:
            states.pop(unit, None)
            if unit in before:
                states[unit] = before[unit]
        self.states = states
        if missed:
            self._half.clear()
        self._reloading = False
        self.heard = now
        known, self._known = self._known, True
        if not known:
            return []
        found = []
        for unit, after in self.states.items():
            old = before.get(unit)
            if old is None and not after.runs and not after.trouble:
                continue  # loaded, and no more than that
            if old is None or not old.same_as(after):
                found.append(Change(host=self.name, unit=unit, before=old, after=after, time=now,
                                    missed=missed))  # fmt: skip
        for unit in before.keys() - self.states.keys():
            found += self._gone(unit, before[unit], now, missed=missed)
        return found

    def hear(self, news: News, now: float, *, stale: bool = False) -> list[Change]:
        """Take what a signal said; return the change it is, if it is one.

        `stale` signals came while the states were being read, and tell what is known unless they
        are newer.
        """
        self.heard = now
        if isinstance(news, Reloading):
            self._reloading = news.active
        elif isinstance(news, Removed):
            return self._removed(news.unit, now)
        elif isinstance(news, Changed):
            return self._changed(news, now, stale=stale)
        return []

    def _changed(self, news: Changed, now: float, *, stale: bool) -> list[Change]:
        if news.unit not in self.states and not self.targets.matches(news.unit):
            return []
        if news.of_type:
            self._half[news.unit] = {name: news.properties[name] for name in FACTS
                                     if name in news.properties}  # fmt: skip
            return []
        self._told.add(news.unit)
        facts = self._half.pop(news.unit, {})
        before = self.states.get(news.unit)
        after = _after(before, news.properties, facts)
        # Times are read after states: at the same time it may be the signal that is newer.
        if stale and before is not None and after.since_us < before.since_us:
            return []
        if before is None and not after.runs and after.active == "inactive":
            return []  # a unit that is looked at is loaded, and told so
        self.states[news.unit] = after
        if before is not None and before.same_as(after):
            return []
        return [Change(host=self.name, unit=news.unit, before=before, after=after, time=now)]

    def _removed(self, unit: str, now: float) -> list[Change]:
        before = self.states.get(unit)
        # While it reads all files again systemd forgets every unit for a moment.
        if before is None or self._reloading:
            return []
        self._told.add(unit)
        if unit not in self.targets.names:
            del self.states[unit]
            return self._gone(unit, before, now)
        if not before.runs:
            return []  # what is at rest is put out of memory; that changes nothing
        self.states[unit] = State(active="inactive", sub="dead", facts={})
        return self._gone(unit, before, now)

    def _gone(self, unit: str, before: State, now: float, *, missed: bool = False) -> list[Change]:
        if not (before.runs or before.trouble):
            return []
        after = State(active="inactive", sub="dead")
        return [Change(host=self.name, unit=unit, before=before, after=after, time=now,
                       missed=missed)]  # fmt: skip


def _after(before: State | None, properties: Mapping[str, Any], facts: Mapping[str, Any]) -> State:
    """Return the state that a signal tells; what it does not tell is as before."""
    old = before or State(active="inactive", sub="dead")
    since = properties.get("StateChangeTimestamp", old.since_us)
    run = properties.get("InvocationID")
    return State(
        load=str(properties.get("LoadState", old.load)),
        active=str(properties.get("ActiveState", old.active)),
        sub=str(properties.get("SubState", old.sub)),
        since_us=since if isinstance(since, int) else 0,
        run=run.hex() if isinstance(run, bytes) else old.run,
        facts={**old.facts, **facts},
    )


class Fleet:
    """All hosts, in their order, and the units of all of them."""

    def __init__(self, names: Iterable[str]) -> None:
        self.hosts = {name: HostView(name) for name in names}

    def units(self) -> list[str]:
        """Return every watched unit once: in the order asked for, then by name."""
        named = dict.fromkeys(name for host in self.hosts.values() for name in host.targets.names)
        loaded = {unit for host in self.hosts.values() for unit in host.states}
        return [name for name in named if name in loaded] + sorted(loaded - named.keys())

    def nowhere(self, names: Iterable[str]) -> dict[str, int]:
        """Return those of some units that no host has which was heard, and of how many hosts."""
        heard = [host.states for host in self.hosts.values() if host.heard]
        return {
            name: len(heard)
            for name in names
            if heard and all(name in one and one[name].load == "not-found" for one in heard)
        }
