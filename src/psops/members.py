"""Which units a bundle is made of on a host, and in what order they start; pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from psops.catalogue import Expected
from psops.catalogue.entry import Need, Rule, Severity
from psops.judge import HostFacts, candidates, is_wanted
from psops.report.model import RUNNING, UnitStatus

#: Unit file states of a unit that somebody wants up, for daemons that may be absent or stopped.
_WANTED = ("enabled", "enabled-runtime", "alias", "generated")


@dataclass(frozen=True, slots=True, kw_only=True)
class Members:
    """The units to change; `after` says which of them are started before a unit."""

    units: tuple[str, ...]
    after: Mapping[str, frozenset[str]]
    #: Units that are left alone, and why; units that should be there and are not.
    skipped: tuple[tuple[str, str], ...] = ()
    missing: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()


def members(expected: Iterable[Expected], facts: HostFacts) -> Members:
    """Return the units of the daemons that a host must run.

    An optional daemon is among them if it runs or is enabled: else nobody wants it here.
    """
    units: dict[str, list[str]] = {}
    skipped: list[tuple[str, str]] = []
    missing: list[tuple[str, str]] = []
    wanted = [one for one in expected if is_wanted(one.daemon, facts)]
    for one in wanted:
        found: dict[str, None] = {}
        for need in one.daemon.needs:
            there = [unit for unit in candidates(need, facts) if unit.load != "not-found"]
            if not there:
                names = " or ".join(need.units)
                if one.severity is Severity.OPTIONAL:
                    skipped.append((names, "is not installed, and is optional"))
                else:
                    missing.append((names, f"does not exist on this host ({one.daemon.name} "
                                           f"is {one.severity} by {one.bundle})"))  # fmt: skip
                continue
            if one.severity is Severity.OPTIONAL and not any(map(_is_used, there)):
                skipped += [(unit.id, "is optional, and neither runs nor is enabled")
                            for unit in there[:1]]  # fmt: skip
                continue
            found |= dict.fromkeys(unit.id for unit in _chosen(need, there))
        units[one.daemon.name] = list(found)
    after: dict[str, frozenset[str]] = {}
    for one in wanted:
        before = {unit for name in one.daemon.after for unit in units.get(name, ())}
        # What stops another unit is up before that, too.
        before |= {unit for name in one.daemon.part_of for names in units.values()
                   for unit in names if unit == name}  # fmt: skip
        for unit in units[one.daemon.name]:
            after[unit] = after.get(unit, frozenset()) | (before - set(units[one.daemon.name]))
    return Members(
        units=tuple(dict.fromkeys(unit for names in units.values() for unit in names)),
        after=after,
        skipped=tuple(skipped),
        missing=tuple(missing),
    )


def _is_used(unit: UnitStatus) -> bool:
    return unit.active in (*RUNNING, "activating", "failed") or (
        unit.properties.get("UnitFileState") in _WANTED
    )


def _chosen(need: Need, there: list[UnitStatus]) -> list[UnitStatus]:
    """Return the units of a need to change: those in use of alternatives, else the first."""
    if need.rule is Rule.ALL:
        return there
    used = [unit for unit in there if _is_used(unit)]
    startable = [unit for unit in there if unit.load == "loaded"]
    return used or startable[:1] or there[:1]
