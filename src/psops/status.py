"""The verb `status`: what to ask one host, and the report of all of them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Any

from psops import fanout
from psops.client import Client, prepare
from psops.deadline import Deadline
from psops.errors import PsopsError, UsageError
from psops.fanout import Outcome
from psops.inventory import Host
from psops.journal import read_log
from psops.report.model import ABSENT, STATES, HostStatus, Process, StatusReport, UnitStatus
from psops.systemd import manager
from psops.systemd.bus import Call, Reply
from psops.systemd.manager import Row
from psops.systemd.names import TYPE_INTERFACES, parse_units
from psops.transport import Connection, Options, connect

#: What a unit's line is made of, beside what the unit list itself gives.
USUAL = (
    "UnitFileState",
    "StateChangeTimestamp",
    "MainPID",
    "NRestarts",
    "MemoryCurrent",
    "TasksCurrent",
)
#: What is left of it where hosts with the same answer share a line: no numbers of one host.
BRIEF = ("UnitFileState",)
#: What else is read of a failed unit.
FAILURE = ("Result", "ExecMainCode", "ExecMainStatus", "InvocationID")
#: Properties that every row of the unit list carries.
_OF_ROW: Mapping[str, Callable[[Row], Any]] = {
    "Id": lambda row: row.id,
    "Description": lambda row: row.description,
    "LoadState": lambda row: row.load,
    "ActiveState": lambda row: row.active,
    "SubState": lambda row: row.sub,
    "Following": lambda row: row.following,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What to ask each host for."""

    names: tuple[str, ...] = ()
    globs: tuple[str, ...] = ()
    states: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    properties: tuple[str, ...] = ()
    #: Read of each unit; what a user asked for by name is in `properties` too.
    reading: tuple[str, ...] = USUAL
    #: Read all properties and processes of the unit.
    details: bool = False
    #: Journal lines to read of each failed unit.
    lines: int = 0

    @property
    def overview(self) -> bool:
        """Whether the host as a whole is meant."""
        return not (self.names or self.globs or self.states or self.types)


def parse_query(
    units: Sequence[str], *, states: Sequence[str] = (), types: Sequence[str] = (),
    properties: Sequence[str] = (), lines: int = 0, brief: bool = False,
) -> Query:  # fmt: skip
    """Return the query for what a user typed; raises `UsageError`.

    `brief` leaves out what a line for many hosts does not show.
    """
    for kind in types:
        if kind not in TYPE_INTERFACES:
            from psops.nearest import nearest_or_all

            raise UsageError(f"no unit type {kind!r}{nearest_or_all(kind, TYPE_INTERFACES)}")
    for name in properties:
        if not name.isalnum():
            raise UsageError(f"{name!r} is not a property name")
    names, globs = parse_units(units)
    return Query(
        names=names,
        globs=globs,
        states=tuple(states),
        types=tuple(types),
        properties=tuple(dict.fromkeys(properties)),
        reading=tuple(dict.fromkeys(properties)) or (BRIEF if brief else USUAL),
        lines=lines,
    )


def report(
    hosts: Sequence[Host],
    query: Query,
    options: Options,
    *,
    width: int = fanout.DEFAULT_WIDTH,
    progress: Callable[[Outcome[HostStatus]], None] = lambda outcome: None,
) -> StatusReport:
    """Return what the hosts answered; `progress` is called with each outcome as it comes."""
    single = len(hosts) == 1 and len(query.names) == 1 and not query.globs
    if single and not (query.properties or query.states or query.types):
        query = replace(query, details=True, lines=query.lines or 10)
    if len(hosts) > 1:
        prepare(hosts, options)
    gathered = fanout.gather(
        hosts,
        lambda host: read(host, query, options),
        width=width,
        limit=2 * options.connect_timeout + options.timeout,
        progress=progress,
    )
    units = [unit for one in gathered.outcomes if one.value for unit in one.value.units]
    strange = _strange_states(query, units)
    return StatusReport(
        outcomes=gathered.outcomes,
        named=bool(query.names or query.globs),
        properties=query.properties,
        details=query.details,
        strange_states=strange,
        notes=_notes(query, units, strange, sum(1 for one in gathered.outcomes if one.value)),
        ended=gathered.ended,
    )


def _strange_states(query: Query, units: Sequence[UnitStatus]) -> tuple[str, ...]:
    unknown = [state for state in query.states if state not in STATES]
    return tuple(
        state for state in unknown
        if not any(state in (unit.load, unit.active, unit.sub) for unit in units)
    )  # fmt: skip


def _notes(
    query: Query, units: Sequence[UnitStatus], strange: Sequence[str], hosts: int
) -> tuple[str, ...]:
    """Return what is to be said of states, properties and units that so many hosts lack."""
    from psops.nearest import did_you_mean, exists_nowhere

    notes = [f"no unit is in state {state!r}{did_you_mean(state, STATES)}" for state in strange]
    known = manager.UNIT_PROPERTIES.union(USUAL, FAILURE)
    for name in query.properties if units else ():
        if name not in known and not any(name in unit.properties for unit in units):
            notes.append(f"no unit here has a property {name!r}{did_you_mean(name, known)}")
    for name in query.names:
        absent = sum(1 for unit in units if unit.name == name and unit.load in ABSENT)
        if hosts and absent == hosts:
            notes.append(exists_nowhere(name, hosts))
    return tuple(notes)


def read(host: Host, query: Query, options: Options) -> HostStatus:
    """Return what one host answers; raises `HostError`."""
    connection = connect(host, options)
    try:
        return read_by(connection, query, options)
    finally:
        connection.close()


def read_by(connection: Connection, query: Query, options: Options) -> HostStatus:
    """Return what a host answers by a connection that is there; raises `HostError`."""
    channel = connection.open_bus()
    try:
        client = Client(channel, Deadline(options.timeout))
        status = _overview(client, query) if query.overview else _units(client, query)
    finally:
        channel.close()
    if query.lines:
        status = _with_logs(status, connection, query.lines, options.timeout)
    return status


class _Batch:
    """Calls that travel in one write, and the place of each one's reply."""

    def __init__(self) -> None:
        self.calls: list[Call] = []

    def add(self, *calls: Call) -> slice:
        begin = len(self.calls)
        self.calls.extend(calls)
        return slice(begin, len(self.calls))


def _overview(client: Client, query: Query) -> HostStatus:
    batch = _Batch()
    state = batch.add(manager.get_manager_property("SystemState"))
    version = batch.add(manager.get_manager_property("Version"))
    listed = batch.add(manager.list_units())
    replies = client.call(batch.calls)
    rows = manager.parse_rows(replies[listed][0])
    counts: dict[str, int] = {}
    for row in rows:
        counts[row.active] = counts.get(row.active, 0) + 1
    shown = [row for row in rows if _unit(row.id, row, {}).trouble]
    return HostStatus(
        units=_complete(client, [(row.id, row) for row in shown], {}, query),
        state=str(manager.parse_property(replies[state][0]) or "unknown"),
        version=str(manager.parse_property(replies[version][0]) or ""),
        counts=dict(sorted(counts.items())),
    )


def _units(client: Client, query: Query) -> HostStatus:
    batch = _Batch()
    by_name = batch.add(manager.list_units_by_names(query.names)) if query.names else None
    patterns = query.globs
    if not query.names and not query.globs:
        patterns = tuple(f"*.{kind}" for kind in query.types)
    searching = bool(query.globs) or not query.names
    search = manager.list_units_by_patterns(query.states, patterns)
    by_pattern = batch.add(search) if searching else None
    reading = {name: _add_properties(batch, name, query) for name in query.names}
    replies = client.call(batch.calls)
    found: list[tuple[str, Row]] = []
    if by_name is not None:
        rows = manager.parse_rows_of(replies[by_name][0], query.names)
        found += zip(query.names, rows, strict=True)
    matched: tuple[Row, ...] = ()
    if by_pattern is not None:
        matched = manager.parse_rows(replies[by_pattern][0])
        known = {row.id for _, row in found}
        found += [(row.id, row) for row in sorted(matched) if row.id not in known]
    found = [(name, row) for name, row in found if _wanted(row, query)]
    values = {name: (place, replies) for name, place in reading.items()}
    return HostStatus(
        units=_complete(client, found, values, query),
        unmatched=tuple(
            glob for glob in query.globs if not any(fnmatchcase(row.id, glob) for row in matched)
        ),
    )


def _wanted(row: Row, query: Query) -> bool:
    states = {row.load, row.active, row.sub}
    kind = row.id.rpartition(".")[2]
    return (not query.states or not states.isdisjoint(query.states)) and (
        not query.types or kind in query.types
    )


_Reading = dict[str, slice]


def _add_properties(batch: _Batch, name: str, query: Query) -> _Reading:
    if query.details:
        reading = {"*": batch.add(*manager.get_all_unit_properties(name))}
        if manager.has_processes(name):
            reading["processes"] = batch.add(manager.get_processes(name))
        return reading
    return {
        wanted: batch.add(manager.get_unit_property(name, wanted))
        for wanted in query.reading
        if wanted not in _OF_ROW and manager.has_property(name, wanted)
    }


def _complete(
    client: Client,
    found: list[tuple[str, Row]],
    values: Mapping[str, tuple[_Reading, list[Reply]]],
    query: Query,
) -> tuple[UnitStatus, ...]:
    """Return the units with their properties, after one more round trip for what is missing."""
    batch = _Batch()
    late: dict[str, _Reading] = {}
    for name, row in found:
        reading = {} if name in values else _add_properties(batch, name, query)
        if row.active in ("failed", "activating") and not (query.details or query.properties):
            for wanted in FAILURE:
                if manager.has_property(name, wanted):
                    reading[wanted] = batch.add(manager.get_unit_property(name, wanted))
        late[name] = reading
    replies = client.call(batch.calls)
    units = []
    for name, row in found:
        properties: dict[str, Any] = {}
        processes: tuple[Process, ...] = ()
        early, first = values.get(name, ({}, []))
        for reading, source in ((early, first), (late[name], replies)):
            for wanted, place in reading.items():
                if wanted == "*":
                    for reply in source[place]:
                        properties.update(manager.parse_properties(reply))
                elif wanted == "processes":
                    processes = _processes(source[place][0])
                elif (value := manager.parse_property(source[place][0])) is not None:
                    properties[wanted] = value
        for wanted in query.properties:
            if wanted in _OF_ROW:
                properties[wanted] = _OF_ROW[wanted](row)
        units.append(replace(_unit(name, row, properties), processes=processes))
    return tuple(units)


def _processes(reply: Reply) -> tuple[Process, ...]:
    try:
        return tuple(Process(*row) for row in manager.parse_processes(reply))
    except PsopsError:
        return ()  # an older systemd, or no right to look; the rest of the answer stands


def _unit(name: str, row: Row, properties: Mapping[str, Any]) -> UnitStatus:
    return UnitStatus(
        name=name, id=row.id, description=row.description, load=row.load, active=row.active,
        sub=row.sub, properties=properties,
    )  # fmt: skip


def _with_logs(
    status: HostStatus, connection: Connection, lines: int, timeout: float
) -> HostStatus:
    return replace(
        status,
        units=tuple(
            replace(unit, log=tuple(read_log(connection, unit, lines, timeout)))
            if unit.failed or unit.sub == "auto-restart"
            else unit
            for unit in status.units
        ),
    )
