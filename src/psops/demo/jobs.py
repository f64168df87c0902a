"""Which jobs a request for a job comes to, on the units of a demo host; pure.

Authority: systemd 252, src/core/transaction.c and src/core/job.c, without the order of jobs
that have nothing to do with each other.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from psops.demo import properties
from psops.demo.profile import Profile, Unit
from psops.demo.schema import UNIT
from psops.errors import BusError

_SYSTEMD = "org.freedesktop.systemd1."
_INVALID = "org.freedesktop.DBus.Error.InvalidArgs"

#: Job type as asked for -> what it is for a unit that is up, and for one that is not.
_BECOMES: Mapping[str, tuple[str, str]] = {
    "start": ("start", "start"),
    "verify-active": ("verify-active", "verify-active"),
    "stop": ("stop", "stop"),
    "reload": ("reload", "reload"),
    "restart": ("restart", "restart"),
    "try-restart": ("restart", "nop"),
    "reload-or-start": ("reload", "start"),
    "try-reload": ("reload", "nop"),
}
#: Words for "reload where that is possible" -> the job type if it is, and if it is not.
_RELOADING: Mapping[str, tuple[str, str]] = {
    "reload-or-restart": ("reload-or-start", "restart"),
    "reload-or-try-restart": ("try-reload", "try-restart"),
}
_MODES = frozenset({
    "fail", "replace", "replace-irreversibly", "isolate", "flush", "ignore-dependencies",
    "ignore-requirements", "triggering",
})  # fmt: skip
#: Job types that unit files may refuse to people: whether they start, whether they stop.
_BY_HAND: Mapping[str, tuple[bool, bool]] = {
    "start": (True, False), "stop": (False, True), "restart": (True, True),
    "try-restart": (True, True),
}  # fmt: skip
#: What a start brings along. True where the unit cannot do without it.
_PULLED: Mapping[str, bool] = {"Requires": True, "BindsTo": True, "Wants": False}
#: Job type -> lists of units that get a job too if they are up, and that job's type.
_PASSED_ON: Mapping[str, tuple[tuple[str, ...], str]] = {
    "stop": (("ConsistsOf", "RequiredBy", "BoundBy"), "stop"),
    "restart": (("ConsistsOf", "RequiredBy", "BoundBy"), "restart"),
    "reload": (("PropagatesReloadTo",), "reload"),
}


class Planned(NamedTuple):
    """The jobs of a transaction in the order in which they run; the `anchor` was asked for."""

    anchor: str
    jobs: tuple[tuple[str, str], ...]


def plan(profile: Profile, unit: Unit, word: str, mode: str) -> Planned:
    """Return the jobs, as pairs of unit and type; raises systemd's error where it has one."""
    if mode not in _MODES:
        raise BusError(_INVALID, f"Job mode {mode} invalid")
    if word in _RELOADING:
        word = _RELOADING[word][not _can_reload(profile, unit)]
    if word not in _BECOMES:
        raise BusError(_INVALID, f"Job type {word} invalid")
    _check_request(profile, unit, word, mode)
    kind = _BECOMES[word][not unit.is_up]
    _check_job(profile, unit, kind)
    made = _Transaction(profile, alone=mode == "ignore-dependencies")
    made.add(unit, kind)
    return Planned(unit.name, tuple(made.in_order(unit.name)))


def required(profile: Profile, unit: Unit) -> set[str]:
    """Return the units that the unit cannot be started without."""
    values = properties.of_unit(unit, profile)[UNIT]
    return {name for key, needed in _PULLED.items() if needed for name in values.get(key, ())}


def _check_request(profile: Profile, unit: Unit, word: str, mode: str) -> None:
    if word == "stop" and unit.load == "not-found" and not unit.is_up:
        raise BusError(_SYSTEMD + "NoSuchUnit", f"Unit {unit.name} not loaded.")
    starts, stops = _BY_HAND.get(word, (False, False))
    refused = (starts and unit.settings.get("RefuseManualStart")) or (
        stops and unit.settings.get("RefuseManualStop")
    )
    if refused:
        raise BusError(
            _SYSTEMD + "OnlyByDependency",
            f"Operation refused, unit {unit.name} may be requested by dependency only "
            "(it is configured to refuse manual start/stop).",
        )
    if mode == "isolate" and word != "start":
        raise BusError(_INVALID, "Isolate is only valid for start.")
    if mode == "isolate" and not unit.settings.get("AllowIsolate"):
        raise BusError(_SYSTEMD + "NoIsolation", "Operation refused, unit may not be isolated.")
    if mode == "triggering" and word != "stop":
        raise BusError(_INVALID, "--job-mode=triggering is only valid for stop.")


_LOAD_ERRORS: Mapping[str, tuple[str, str]] = {
    "not-found": ("NoSuchUnit", "Unit {} not found."),
    "masked": ("UnitMasked", "Unit {} is masked."),
}


def _check_job(profile: Profile, unit: Unit, kind: str) -> None:
    if kind != "stop" and unit.load in _LOAD_ERRORS:
        name, text = _LOAD_ERRORS[unit.load]
        raise BusError(_SYSTEMD + name, text.format(unit.name))
    can = {
        "stop": not unit.settings.get("Perpetual"),
        "restart": properties.can_start(unit) and properties.can_stop(unit),
        "reload": _can_reload(profile, unit),
    }
    if not can.get(kind, True):
        text = f"Job type {kind} is not applicable for unit {unit.name}."
        raise BusError(_SYSTEMD + "JobTypeNotApplicable", text)


def _can_reload(profile: Profile, unit: Unit) -> bool:
    values = properties.of_unit(unit, profile)[UNIT]
    return unit.load == "loaded" and bool(values["CanReload"])


class _Transaction:
    def __init__(self, profile: Profile, *, alone: bool) -> None:
        self._profile = profile
        self._alone = alone
        self._types: dict[str, str] = {}
        self._order: list[str] = []

    def add(self, unit: Unit, kind: str) -> None:
        """Add a job for the unit, and those it brings along."""
        known = self._types.get(unit.name)
        # A start and a restart are one restart; all other pairs go with the first.
        if known is not None and (known, kind) != ("start", "restart"):
            return
        self._types[unit.name] = kind
        if known is None and kind in ("start", "restart") and not self._alone:
            for other in self._pulled(unit):
                self.add(other, "start")
        if known is None and kind != "stop":
            self._order.append(unit.name)
        lists, passed_on = _PASSED_ON.get(kind, ((), ""))
        if not self._alone:
            for other in self._others(unit, lists):
                if other.is_up and (kind != "reload" or _can_reload(self._profile, other)):
                    self.add(other, passed_on)
        if kind == "stop":  # what depends on it goes first
            self._order.append(unit.name)

    def in_order(self, anchor: str) -> Iterable[tuple[str, str]]:
        """Yield the jobs but for those that would change nothing."""
        for name in self._order:
            kind = self._types[name]
            active = self._profile.units[name].active if name in self._profile.units else ""
            if name == anchor or (kind, active) != ("start", "active"):
                yield name, kind

    def _pulled(self, unit: Unit) -> Iterable[Unit]:
        values = properties.of_unit(unit, self._profile)[UNIT]
        for key, needed in _PULLED.items():
            for name in values.get(key, ()):
                # Slices of instances exist on real hosts without a line in any table.
                if name in self._profile.names:
                    other = self._profile.find(name)
                    if needed:
                        _check_job(self._profile, other, "start")
                    if other.load == "loaded":
                        yield other

    def _others(self, unit: Unit, lists: Iterable[str]) -> Iterable[Unit]:
        for key in lists:
            for name in unit.settings.get(key, ()):
                if name in self._profile.names:
                    yield self._profile.find(name)
