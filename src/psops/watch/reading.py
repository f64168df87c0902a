"""The states of the units to watch, as a talk with systemd: calls out, replies in; pure.

A talk is a generator: it gives the calls to send, is sent their replies, and returns what it
found out. Whoever drives it may wait for the replies, or do something else until they are there.
"""

from collections.abc import Generator, Sequence
from typing import Any, TypeVar

from psops.client import Client
from psops.systemd import manager, signals
from psops.systemd.bus import Call, Reply
from psops.systemd.manager import Row
from psops.watch.model import Snapshot, State, Targets

Found = TypeVar("Found")
Talk = Generator[Sequence[Call], list[Reply], Found]

#: Read of every unit, and of one that is not well.
_USUAL = ("StateChangeTimestamp", "InvocationID", "NRestarts", "MainPID")
_UNWELL = ("Result", "ExecMainCode", "ExecMainStatus")


def drive(client: Client, talk: Talk[Found]) -> Found:
    """Return what a talk finds out, after waiting for all replies; raises `HostError`."""
    try:
        calls = next(talk)
        while True:
            calls = talk.send(client.call(calls))
    except StopIteration as done:
        found: Found = done.value
        return found


def follow(targets: Targets) -> Talk[Snapshot]:
    """Ask for signals of the units, and return their states at that moment."""
    rules = signals.follow(targets.names, every=bool(targets.globs))
    snapshot = yield from _read(targets, rules)
    others = [real for real in snapshot.aliases.values() if real not in targets.names]
    if others and not targets.globs:  # their signals carry their own names alone
        for reply in (yield signals.follow_more(others)):
            manager.expect(reply, 0)
    return snapshot


def follow_again(targets: Targets) -> Talk[Snapshot]:
    """Return the states of the units after systemd itself began anew; our rules are still with
    the bus, but systemd has to be told once more that somebody listens."""
    return (yield from _read(targets, signals.subscribe()))


def read_again(targets: Targets) -> Talk[Snapshot]:
    """Return the states of the units again, their signals being asked for already."""
    return (yield from _read(targets, ()))


def _read(targets: Targets, rules: Sequence[Call]) -> Talk[Snapshot]:
    calls = [*rules, signals.find_owner()]
    if targets.names:
        calls.append(manager.list_units_by_names(targets.names))
    if targets.globs:
        calls.append(manager.list_units_by_patterns((), targets.globs))
    replies = yield calls
    (owner,) = manager.expect(replies[len(rules)], 1)
    for reply in replies[
        : max(0, len(rules) - 1)
    ]:  # the last one subscribes, which may be so already
        manager.expect(reply, 0)
    rows: dict[str, Row] = {}
    aliases: dict[str, str] = {}
    lists = replies[1 + len(rules) :]
    if targets.names:
        named = manager.parse_rows_of(lists[0], targets.names)
        rows |= {row.id: row for row in named}
        aliases = {
            name: row.id for name, row in zip(targets.names, named, strict=True) if name != row.id
        }
    if targets.globs:
        found = manager.parse_rows(lists[-1])
        # Names that some unit only mentions are loaded too; there is nothing behind them.
        rows |= {row.id: row for row in sorted(found)
                 if row.load != "not-found" or row.active != "inactive"}  # fmt: skip
    reading = [(row.id, name) for row in rows.values() for name in _wanted(row)]
    values: dict[str, dict[str, Any]] = {}
    if reading:
        replies = yield [manager.get_unit_property(*pair) for pair in reading]
        for (unit, name), reply in zip(reading, replies, strict=True):
            values.setdefault(unit, {})[name] = manager.parse_property(reply)
    states = {unit: _state(row, values.get(unit, {})) for unit, row in rows.items()}
    return Snapshot(owner=str(owner), states=states, aliases=aliases)


def _wanted(row: Row) -> list[str]:
    """Return the properties to read of a unit; to read one that is not there would load it."""
    if row.load in ("not-found", "masked") and row.active == "inactive":
        return []
    unwell = row.active in ("failed", "activating")
    return [name for name in (*_USUAL, *(_UNWELL if unwell else ()))
            if manager.has_property(row.id, name)]  # fmt: skip


def _state(row: Row, values: dict[str, Any]) -> State:
    since, run = values.pop("StateChangeTimestamp", 0), values.pop("InvocationID", b"")
    return State(
        load=row.load, active=row.active, sub=row.sub,
        since_us=since if isinstance(since, int) else 0,
        run=run.hex() if isinstance(run, bytes) else "",
        facts={name: value for name, value in values.items() if value is not None},
    )  # fmt: skip
