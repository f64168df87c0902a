"""The heartbeats of the demo fleet's Rucio daemons, as its catalogue would have them.

Some hang, have lost a thread or were killed, none of which their units show.
"""

from collections.abc import Iterator, Sequence

from psops.demo.hosts import current, numbers_of, station
from psops.demo.numbers import HostNumber, digest
from psops.demo.properties import processes
from psops.inventory import Host
from psops.rucio.arguments import split
from psops.rucio.expect import expectation, rules
from psops.rucio.rows import Row
from psops.rucio.source import Rows, Source
from psops.rucio.units import parse_unit

#: How many hosts have the same troubles: as often as those of their units.
_DOZEN = 12
#: Place of a host, daemon -> how much older than they should be its heartbeats are, in seconds.
_HANGING = {(0, "undertaker"): 2520.0, (5, "kronos"): 200.0}
#: Place of a host, daemon -> how many of its threads have died.
_LOST = {(1, "judge-evaluator"): 1, (7, "reaper"): 3}
#: Place of a host -> a heartbeat of a process that is gone: daemon, process, age.
_LEFT = {0: ("conveyor-stager", 911, 5400.0)}


def heartbeat_source(hosts: Sequence[Host]) -> Source:
    """Return the catalogue that the daemons of demo hosts work for."""

    def read(timeout: float) -> Rows:
        return Rows(tuple(row for host in hosts for row in _beats(host)))

    return Source(name="the demo's catalogue", read=read)


def _beats(host: Host) -> Iterator[Row]:
    here, spread, place = numbers_of(host), digest(host.name), station(host).place % _DOZEN
    known = rules()
    beaten = False
    for unit in current(host).units.values():
        told = parse_unit(unit.name, known)
        running = processes(unit) if told else []
        if told is None or not running:
            continue
        beaten = True
        daemon, number = told[0], running[0][1]
        pid = here[number.base] + number.plus if isinstance(number, HostNumber) else number
        expected = expectation(known[daemon], split(running[0][2]))
        late, lost = _HANGING.get((place, daemon), 0.0), _LOST.get((place, daemon), 0)
        for prefix, sleep in expected.sleep.items():
            for thread in range(1 + lost, expected.rows + 1):
                age = spread[(pid + thread) % 16] % max(sleep, 1) + late
                yield _row(prefix, host, pid, f"Thread-{thread}", age)
    if beaten and place in _LEFT:
        daemon, pid, age = _LEFT[place]
        yield _row(daemon, host, pid, "producer-0-_db_producer", age)


def _row(name: str, host: Host, pid: int, thread: str, age: float) -> Row:
    life = age + 3600.0 if age < 4000 else age
    return Row(readable=name, hostname=host.name, pid=pid, thread=thread, age=age, life=life)
