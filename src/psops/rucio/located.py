"""Heartbeats of daemons that are known, and whose process they can be; pure."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from psops.rucio.expect import Rule, beat_of
from psops.rucio.model import Managed, RucioHost
from psops.rucio.rows import CLOCKS, Row

#: Seconds by which the age of a heartbeat may be too long, as Rucio's server tells whole ones.
_ROUNDED = 1.0


class Located(NamedTuple):
    """A heartbeat of a daemon that is known, and how late it may be."""

    row: Row
    rule: Rule
    prefix: str


def locate(rows: Sequence[Row], rules: Mapping[str, Rule]) -> tuple[Located, ...]:
    """Return the heartbeats whose daemons are known."""
    known = tuple(rules.values())
    names: dict[str, tuple[Rule, str] | None] = {}
    located = []
    for row in rows:
        if row.readable not in names:
            found = beat_of(row.readable, known)
            names[row.readable] = (found[0], found[1].prefix) if found else None
        place = names[row.readable]
        if place is not None:
            located.append(Located(row, *place))
    return tuple(located)


def is_of_this_run(row: Row, one: Managed, lag: float) -> bool:
    """Return whether a heartbeat was made by this process, not by one before with its number.

    `lag` is how many seconds later than the process it was read.
    """
    return one.up is None or row.life <= one.up + lag + CLOCKS


def is_later(row: Row, host: RucioHost) -> bool:
    """Return whether a heartbeat is of a process that was started after its host was read."""
    if host.processes is None or row.life > host.lag + _ROUNDED:
        return False
    return all(one.pid != row.pid for one in host.processes)
