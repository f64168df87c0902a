"""Whether systemd units of a host are active, by its bus: org.freedesktop.systemd1(5)."""

from fnmatch import fnmatchcase

from psops.catalogue.entry import Probe
from psops.checks import Answer, right, unknown, wrong
from psops.client import Client
from psops.deadline import Deadline
from psops.errors import HostError
from psops.probes import Unanswered
from psops.probes.world import World
from psops.report.text import clean, count
from psops.systemd import manager
from psops.systemd.manager import Row
from psops.systemd.names import is_glob

#: Active states in which a unit works.
_ACTIVE = ("active", "reloading", "refreshing")


def answer(probe: Probe, world: World) -> Answer:
    """Return whether each unit is active; a pattern must match one at least, and all it does.

    One that has exited is active, too, such as an old init script whose daemon has died; that is
    good only where it is accepted.
    """
    units = probe.settings["units"]
    ended = () if probe.settings["accept_exited"] else ("exited",)
    try:
        names = tuple(unit for unit in units if not is_glob(unit))
        globs = tuple(unit for unit in units if is_glob(unit))
        rows = _read(probe, world, names, globs)
    except Unanswered as exc:
        return exc.answer
    missing = [glob for glob in globs if not any(fnmatchcase(row.id, glob) for row in rows)]
    missing += [row.id for row in rows if row.load == "not-found" and row.active == "inactive"]
    if missing:
        return wrong("missing-object", f"there is no unit {clean(', '.join(missing))}")
    bad = [row for row in rows if row.active not in _ACTIVE or row.sub in ended]
    if not bad:
        shown = f" ({clean(rows[0].id)})" if len(rows) == 1 else ""
        return right(f"{count(len(rows), 'unit')} active{shown}")
    again = all(row.sub == "auto-restart" for row in bad)
    states = ", ".join(f"{row.id} is {row.active} ({row.sub})" for row in bad)
    return wrong("restarting" if again else "units", clean(states))


def _read(
    probe: Probe, world: World, names: tuple[str, ...], globs: tuple[str, ...]
) -> tuple[Row, ...]:
    """Return the rows of the units by their ids, each once; raises `Unanswered`."""
    calls = [manager.list_units_by_names(names)] if names else []
    calls += [manager.list_units_by_patterns((), globs)] if globs else []
    try:
        channel = world.connection(probe).open_bus()
        try:
            replies = Client(channel, Deadline(probe.timeout)).call(calls)
        finally:
            channel.close()
        found = {row.id: row for reply in replies for row in manager.parse_rows(reply)}
    except HostError as exc:
        raise Unanswered(unknown(str(exc.code), clean(str(exc)))) from exc
    return tuple(found.values())
