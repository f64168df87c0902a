"""Enabling, disabling and masking the unit files of a demo host; pure.

As with systemd 252, units are told about it at the next reload of the manager.
Authority: org.freedesktop.systemd1(5), and src/shared/install.c for what is refused.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import NamedTuple

from psops.demo import properties
from psops.demo.method import VALID_NAME
from psops.demo.profile import Profile, Unit, Unmasked
from psops.errors import BusError
from psops.systemd.names import unit_type

_SYSTEMD = "org.freedesktop.systemd1."
_ERROR = "org.freedesktop.DBus.Error."
_DIRECTORIES = {False: "/etc/systemd/system", True: "/run/systemd/system"}  # by `runtime`
_STATES = {False: "enabled", True: "enabled-runtime"}
_MASKED = {False: "masked", True: "masked-runtime"}

#: Kind of change, file, and where a link points.
Change = tuple[str, str, str]


class Done(NamedTuple):
    """What a request about unit files comes to."""

    units: tuple[Unit, ...]
    changes: tuple[Change, ...]
    #: Whether any of the files says how to be enabled.
    installable: bool


class _Step(NamedTuple):
    unit: Unit
    changes: tuple[Change, ...] = ()
    installable: bool = False


def change(
    profile: Profile, verb: str, names: Iterable[str], *, runtime: bool, force: bool = False
) -> Done:
    """Return what `enable`, `disable`, `reenable`, `mask` or `unmask` does with these units.

    Raises the error of the first unit for which it cannot be done; then nothing is done at all.
    """
    steps: dict[str, _Step] = {}
    changes: list[Change] = []
    for name in names:
        if not VALID_NAME.fullmatch(name) or not unit_type(name):
            raise BusError(_ERROR + "InvalidArgs", "Invalid argument")
        unit = profile.find(name)
        if unit.name in steps:  # named twice
            unit = steps[unit.name].unit
        step = _VERBS[verb](profile, unit, name, runtime, force)
        steps[unit.name] = step
        changes += step.changes
    units = tuple(step.unit for step in steps.values())
    return Done(units, tuple(changes), any(step.installable for step in steps.values()))


def reload(profile: Profile) -> Profile:
    """Return the profile after the manager has read all unit files."""
    units = {name: _reloaded(unit) for name, unit in profile.units.items()}
    if units == profile.units:
        return profile
    # Aliases are links that come with enabling a unit and go when it is disabled.
    names = {
        name: main
        for unit in units.values()
        for name, main in [(unit.name, unit.name), *((alias, unit.name) for alias in unit.aliases)]
        if name == main or unit.file_state != "disabled"
    }
    return replace(profile, units=units, names=names)


def state(profile: Profile, name: str) -> str:
    """Return the state of a unit's file on disk."""
    unit = profile.find(name)
    if not unit.disk_state:
        raise BusError(_ERROR + "FileNotFound", "No such file or directory")
    return unit.disk_state if name == unit.name else "alias"


def listed(
    profile: Profile, states: tuple[str, ...] = (), patterns: tuple[str, ...] = ()
) -> Iterator[tuple[str, str]]:
    """Yield path and state of the unit files that match."""
    files: dict[str, str] = {}
    for unit in profile.units.values():
        if unit.disk_state and (unit.load != "not-found" or unit.on_disk is not None):
            files.setdefault(_path(profile, unit), unit.disk_state)
    for path, found in sorted(files.items()):
        name = path.rpartition("/")[2]
        if (not states or found in states) and (
            not patterns or any(fnmatchcase(name, pattern) for pattern in patterns)
        ):
            yield path, found


def _reloaded(unit: Unit) -> Unit:
    if unit.on_disk is None:
        return unit
    masked = unit.on_disk in _MASKED.values()
    load = "masked" if masked else unit.load
    if unit.load == "masked" and not masked and unit.unmasked is not None:
        load = unit.unmasked.load
    return replace(unit, file_state=unit.on_disk, on_disk=None, load=load,
                   unmasked=unit.unmasked if masked else None)  # fmt: skip


def _path(profile: Profile, unit: Unit) -> str:
    """Return the path of the unit's file as it is on disk."""
    for runtime, masked in _MASKED.items():
        if unit.disk_state == masked:
            return f"{_DIRECTORIES[runtime]}/{unit.name}"
    found = unit.unmasked
    bare = replace(unit, load="loaded", file_state=found.file_state) if found else unit
    return properties.fragment(bare, profile)


def _links(profile: Profile, unit: Unit, runtime: bool) -> Iterator[tuple[str, str]]:
    """Yield the links that enable the unit, and where they point."""
    directory = _DIRECTORIES[runtime]
    fragment = _path(profile, unit)
    for alias in unit.aliases:
        yield f"{directory}/{alias}", fragment
    yield f"{directory}/{properties.wanted_by(unit)}.wants/{unit.name}", fragment


def _check_exists(unit: Unit, name: str) -> None:
    if not unit.disk_state:
        raise BusError(_SYSTEMD + "NoSuchUnit", f"Unit file {name} does not exist.")


def _enable(profile: Profile, unit: Unit, name: str, runtime: bool, _force: bool) -> _Step:
    _check_exists(unit, name)
    path = _path(profile, unit)
    if unit.disk_state in _MASKED.values():
        raise BusError(_SYSTEMD + "UnitMasked", f"Unit file {path} is masked.")
    if unit.disk_state == "generated":
        raise BusError(_SYSTEMD + "UnitGenerated", f"Unit {path} is transient or generated.")
    if name != unit.name:
        text = f"Refusing to operate on alias name or linked unit file: {name}"
        raise BusError(_SYSTEMD + "UnitLinked", text)
    if unit.disk_state == "static":
        return _Step(unit)
    if unit.disk_state in ("enabled", _STATES[runtime]):
        return _Step(unit, installable=True)
    links = tuple(("symlink", link, to) for link, to in _links(profile, unit, runtime))
    return _Step(replace(unit, on_disk=_STATES[runtime]), links, True)


def _disable(profile: Profile, unit: Unit, name: str, runtime: bool, _force: bool) -> _Step:
    _check_exists(unit, name)
    if unit.disk_state != _STATES[runtime]:  # nothing to take away, or made by a generator
        return _Step(unit)
    links = tuple(("unlink", link, "") for link, _ in _links(profile, unit, runtime))
    return _Step(replace(unit, on_disk="disabled"), links)


def _reenable(profile: Profile, unit: Unit, name: str, runtime: bool, force: bool) -> _Step:
    # What enabling refuses must be refused before anything is taken away.
    _enable(profile, unit, name, runtime, force)
    without = _disable(profile, unit, name, runtime, force)
    again = _enable(profile, without.unit, name, runtime, force)
    return again._replace(changes=without.changes + again.changes)


def _mask(profile: Profile, unit: Unit, name: str, runtime: bool, force: bool) -> _Step:
    if unit.disk_state in ("masked", _MASKED[runtime]):
        return _Step(unit)
    link = f"{_DIRECTORIES[runtime]}/{name}"
    if link == _path(profile, unit) and not force:
        raise BusError(_SYSTEMD + "UnitExists", f"File {link} already exists.")
    bare = unit.unmasked or Unmasked(unit.load, unit.disk_state)
    after = replace(unit, on_disk=_MASKED[runtime], unmasked=bare)
    return _Step(after, (("symlink", link, "/dev/null"),))


def _unmask(profile: Profile, unit: Unit, name: str, runtime: bool, _force: bool) -> _Step:
    if unit.disk_state != _MASKED[runtime] or unit.unmasked is None:
        return _Step(unit)
    link = f"{_DIRECTORIES[runtime]}/{name}"
    after = replace(unit, on_disk=unit.unmasked.file_state)
    return _Step(after, (("unlink", link, ""),))


_VERBS: Mapping[str, Callable[[Profile, Unit, str, bool, bool], _Step]] = {
    "enable": _enable,
    "disable": _disable,
    "reenable": _reenable,
    "mask": _mask,
    "unmask": _unmask,
}
