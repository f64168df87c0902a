"""Which units of a host a request means, and what has to be changed along with them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from psops import plan
from psops.catalogue import Catalogue
from psops.changes import Request, Result, UnitChange
from psops.client import Client
from psops.deadline import Deadline
from psops.inventory import Host
from psops.plan import Ordered
from psops.report.model import RUNNING, UnitStatus
from psops.systemd import jobs, manager
from psops.systemd.bus import Call, Reply
from psops.systemd.names import is_unit_name
from psops.transport import Connection


class Selection:
    """The units of one host while it is found out which of them are meant.

    `units` are those read so far, `because` says along with which other unit one is changed,
    `settled` holds the changes that cannot be made at all.
    """

    def __init__(
        self,
        host: Host,
        request: Request,
        connection: Connection,
        client: Client,
        *,
        catalogue: Callable[[], Catalogue],
        timeout: float,
    ) -> None:
        self._host = host
        self._request = request
        self._connection = connection
        self._client = client
        self._catalogue = catalogue
        self._timeout = timeout
        self._ids: dict[str, str] = {}  # every name that was asked for -> that of its unit
        self.units: dict[str, UnitStatus] = {}
        self.because: dict[str, str] = {}
        self.settled: dict[str, list[UnitChange]] = {}
        self.notes: list[str] = []

    def call(self, calls: Sequence[Call]) -> list[Reply]:
        """Return the replies to some calls."""
        return self._client.call(calls, Deadline(self._timeout))

    def find(self) -> Ordered:
        """Return the units that are meant, with what is changed along with them."""
        if self._request.verb.name == "daemon-reload":
            return Ordered(units=(), after={}, because={})
        if self._request.bundle:
            return self._find_bundle()
        names = list(self._request.names)
        if self._request.globs:
            names += [name for name in self._matching() if name not in names]
        return self._ordered(self.read(names), {})

    def _ordered(
        self, own: Sequence[UnitStatus], after: Mapping[str, frozenset[str]], *, reset: bool = False
    ) -> Ordered:
        """Return what of these units is left to do, with what is changed along with them."""
        left, done = self._left(own)
        self.units |= {unit.id: unit for unit in left}
        self.units |= {unit.id: unit for unit in self._along(left)}
        units = tuple(self.units.values())
        for unit, message in done:
            if unit.id not in self.units:
                self.units[unit.id] = unit
                change = UnitChange(unit=unit.id, result=Result.UNCHANGED, message=message,
                                    before=unit, after=unit)  # fmt: skip
                self.settled[unit.id] = [change]
        return Ordered(
            units=units,
            after={**after, **{name: frozenset({cause}) for name, cause in self.because.items()}},
            because=dict(self.because),
            reset=reset,
        )

    def _left(
        self, own: Sequence[UnitStatus]
    ) -> tuple[list[UnitStatus], list[tuple[UnitStatus, str]]]:
        """Return the units to change, and those that need not be, with the reason.

        Where an earlier run is done again, those that it did need not be, and those that it
        was to change along with them and did not are to be.
        """
        before = self._request.before.get(self._host.name)
        if before is None:
            return list(own), []
        known = {name for unit in own for name in (unit.name, unit.id)}
        names = [name for name in before.undone if name not in known and is_unit_name(name)]
        if names and self._request.verb.files:  # theirs are not to be changed: once more from all
            return list(own), []
        along = self.read(names) if names and not self._request.only else []
        left = [unit for unit in own if unit.id not in before.done]
        done = [(unit, "was done by an earlier run") for unit in own if unit.id in before.done]
        for unit in along:
            if self._request.verb.starts and unit.active in RUNNING:
                done.append((unit, f"is {unit.active} ({unit.sub})"))
            else:
                left.append(unit)
        return left, done

    def _matching(self) -> list[str]:
        """Return the names that the request's globs match: units in use, or unit files."""
        globs = self._request.globs
        idle = False
        if self._request.verb.files:
            call = manager.list_unit_files_by_patterns((), globs)
            rows = manager.parse_unit_files(self.call([call])[0])
            names = [path.rpartition("/")[2] for path, _state in rows]
            found = [name for name in names if not name.partition("@")[2].startswith(".")]
        else:
            call = manager.list_units_by_patterns((), globs)
            units = manager.parse_rows(self.call([call])[0])
            found = [row.id for row in units if _is_listed(row)]
            idle = any(row.load != "not-found" for row in units)
        text = " ".join(globs)
        before = self._request.before.get(self._host.name)
        if not found and (before is None or text in before.undone):
            self.settled[text] = [
                UnitChange(unit=text, result=Result.SKIPPED,
                           message="matches only inactive units, which a glob does not mean")
                if idle else
                UnitChange(unit=text, result=Result.FAILED, code="no-such-unit",
                           message="matches no unit of this host")
            ]  # fmt: skip
        return sorted(found)

    def _find_bundle(self) -> Ordered:
        from psops.survey import Survey

        catalogue = self._catalogue()
        survey = Survey(self._host, self._connection, self._client, catalogue,
                        bundles=(self._request.bundle,), checks=("units",),
                        timeout=self._timeout)  # fmt: skip
        chosen = survey.members()
        self.notes += chosen.notes
        units = self.read(chosen.units)
        for unit, message in chosen.skipped:
            self.settled[unit] = [UnitChange(unit=unit, result=Result.SKIPPED, message=message)]
        for unit, message in chosen.missing:
            self.settled[unit] = [UnitChange(unit=unit, result=Result.FAILED, code="no-such-unit",
                                            message=message)]  # fmt: skip
        after: dict[str, frozenset[str]] = {}
        for name, before in chosen.after.items():
            others = frozenset(self._ids[other] for other in before)
            after[self._ids[name]] = after.get(self._ids[name], frozenset()) | others
        return self._ordered(units, after, reset=True)

    def _along(self, units: Sequence[UnitStatus]) -> list[UnitStatus]:
        """Return the units that have to be changed along with these, and note why."""
        job = self._request.job_verb
        if not job or self._request.only:
            return []
        if jobs.VERBS[job].starts:
            return self._left_behind(units)
        if job == "stop":
            return self._stopped_together(units)
        return []

    def _left_behind(self, units: Sequence[UnitStatus]) -> list[UnitStatus]:
        """Return the units that went down with these and that systemd will not bring back."""
        owners: dict[str, UnitStatus] = {}
        for unit in units:
            # A restart of a unit that runs is passed on by systemd to all parts that run.
            if unit.load == "loaded" and unit.active != "activating":
                owners |= dict.fromkeys(plan.parts_of(unit), unit)
        names = [name for name in owners if name not in self.units]
        parts = self.read(names) if names else []
        behind = [part for part in parts if plan.left_behind(owners[part.name], part)]
        self.because |= {part.id: owners[part.name].id for part in behind}
        return behind

    def _stopped_together(self, units: Sequence[UnitStatus]) -> list[UnitStatus]:
        """Return the units that would start these again, where the catalogue says so."""
        daemons = self._catalogue().daemons
        owners: dict[str, str] = {}
        for unit in units:
            for daemon in daemons.values():
                if daemon.stop_with and unit.id in daemon.units and unit.active != "inactive":
                    for other in daemon.stop_with:
                        owners |= dict.fromkeys(daemons[other].units, unit.id)
        names = [name for name in owners if name not in self.units]
        found = [unit for unit in self.read(names) if unit.active != "inactive"] if names else []
        self.because |= {unit.id: owners[unit.name] for unit in found}
        return found

    def read(self, names: Sequence[str], extra: Sequence[str] = ()) -> list[UnitStatus]:
        """Return the units of these names, each real unit once."""
        reading = [(name, wanted) for name in names for wanted in (*plan.READING, *extra)
                   if _has(name, wanted)]  # fmt: skip
        replies = self.call([
            manager.list_units_by_names(names),
            *(manager.get_unit_property(name, wanted) for name, wanted in reading),
        ])  # fmt: skip
        rows = manager.parse_rows_of(replies[0], names)
        self._ids |= {name: row.id for name, row in zip(names, rows, strict=True)}
        properties: dict[str, dict[str, Any]] = {}
        for (name, wanted), reply in zip(reading, replies[1:], strict=True):
            if (value := manager.parse_property(reply)) is not None:
                properties.setdefault(name, {})[wanted] = value
        units: dict[str, UnitStatus] = {}
        for name, row in zip(names, rows, strict=True):
            status = UnitStatus(name=name, id=row.id, description=row.description, load=row.load,
                                active=row.active, sub=row.sub,
                                properties=properties.get(name, {}))  # fmt: skip
            units.setdefault(row.id, status)
        return list(units.values())


def _is_listed(row: manager.Row) -> bool:
    """Tell whether a glob means the unit: what `systemctl list-units` shows, as with systemctl.

    Authority: expand_unit_names and output_show_unit in its systemctl-util.c.
    """
    return not row.following and (row.job_id > 0 or row.active != "inactive")


def _has(name: str, wanted: str) -> bool:
    """Tell whether units of this type have the property at all."""
    kind = name.rpartition(".")[2]
    own: Mapping[str, frozenset[str]] = {
        "Type": frozenset({"service"}),
        "TimeoutStartUSec": frozenset({"service"}),
        "TimeoutStopUSec": frozenset({"service"}),
        "TimeoutUSec": frozenset({"socket", "mount", "swap"}),
    }
    return kind in own.get(wanted, {kind}) and manager.has_property(name, wanted)
