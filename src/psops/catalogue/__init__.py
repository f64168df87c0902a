"""The catalogue: bundles of daemons, and the choice among them for a host.

What a daemon is made of is in `catalogue.entry`; files and their mistakes are in
`catalogue.file`, what each key may hold is in `catalogue.values`. The package brings a file
for each system; files of the machine and of the user add to them and override them.
Nothing here asks a host.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from psops.catalogue.entry import Check, Component, Daemon, Hint, Severity
from psops.catalogue.version import is_past
from psops.errors import CatalogueError as CatalogueError
from psops.errors import NoSuchBundle, NoSuchDaemon, UsageError
from psops.nearest import did_you_mean


class Detection(NamedTuple):
    """One sign of a bundle on a host: a text file that `match` is found in, packages (one of
    them), or units (all of them; of a glob at least one)."""

    file: str = ""
    match: str = ""
    packages: tuple[str, ...] = ()
    units: tuple[str, ...] = ()

    @property
    def rank(self) -> int:
        """How good the sign is: a file that says it, then a package, then units."""
        return 3 if self.file else 2 if self.packages else 1


class VersionSource(NamedTuple):
    """Where the version stands: the first group of `match` in a file or in what
    `argv` prints. `os` is empty for all."""

    match: str
    os: str = ""
    file: str = ""
    argv: tuple[str, ...] = ()


class Member(NamedTuple):
    """A daemon in a bundle, its severity if the bundle says one, and the bundle it came from."""

    daemon: Daemon
    severity: Severity | None
    bundle: str


class Expected(NamedTuple):
    """A daemon that must be on a host, as it is there, and the bundle that says so."""

    daemon: Daemon
    severity: Severity
    bundle: str
    checks: tuple[Check, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """A named set of daemons: what a host of some role must run."""

    name: str
    system: str = ""
    title: str = ""
    aliases: tuple[str, ...] = ()
    includes: tuple[str, ...] = ()
    #: With those of the included bundles, in the order in which they are listed.
    members: tuple[Member, ...] = ()
    #: Checks that belong to no single daemon, with those of the included bundles.
    checks: tuple[Check, ...] = ()
    detect: tuple[Detection, ...] = ()
    versions: tuple[VersionSource, ...] = ()
    #: Of the bundles that a host has signs of, those with a higher one are tried and told first.
    priority: int = 0
    hints: tuple[Hint, ...] = ()
    note: str = ""
    sources: tuple[Path, ...] = ()

    def expected(self, os_family: str | None, version: str | None) -> tuple[Expected, ...]:
        """Return what must run on an OS family in a version; None: any OS, the newest version.

        What depends on packages and files of the host is in each daemon's `when`.
        """
        found = []
        for daemon, severity, bundle in self.members:
            if daemon.command or not daemon.when.fits(os_family, version):
                continue
            here = daemon.variant(os_family, version)
            checks = _fitting(here.checks, os_family, version)
            found.append(Expected(here, severity or here.severity, bundle, checks))
        return tuple(found)

    def retired(self, version: str | None) -> tuple[tuple[Daemon, tuple[str, ...]], ...]:
        """Return daemons with units that a version has no longer: left behind, if they are there.

        Units that belong to another OS family are not among them.
        """
        found = []
        for daemon, _, _ in self.members:
            old = [variant for variant in daemon.variants if is_past(version, variant.when.until)]
            units = dict.fromkeys(unit for variant in old for unit in _units(variant.changes))
            if is_past(version, daemon.when.until):
                units |= dict.fromkeys(daemon.units)
            else:
                for unit in daemon.variant(None, version).units:
                    units.pop(unit, None)
            if units:
                found.append((daemon, tuple(units)))
        return tuple(found)

    def expected_checks(self, os_family: str | None, version: str | None) -> tuple[Check, ...]:
        """Return the checks of the bundle itself that fit an OS family and a version."""
        return _fitting(self.checks, os_family, version)


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """All entries by name, and the files they were read from, the weakest first."""

    daemons: Mapping[str, Daemon]
    bundles: Mapping[str, Bundle]
    checks: Mapping[str, Check]
    components: Mapping[str, Component]
    #: Parties outside of a pipeline: name -> what they are.
    externals: Mapping[str, str]
    files: tuple[Path, ...] = ()

    @staticmethod
    def load(extra: Iterable[Path] | None = None) -> "Catalogue":
        """Return the catalogue of the package, the machine and the user.

        With `extra`, these files take the place of those of machine and user. The first
        mistake is a `CatalogueError`.
        """
        from psops.catalogue.file import load

        return load(extra)

    def systems(self) -> tuple[str, ...]:
        """Return the names of all systems."""
        names = [bundle.system for bundle in self.bundles.values()]
        names += [component.system for component in self.components.values()]
        return tuple(dict.fromkeys(names))

    def bundle(self, name: str) -> Bundle:
        """Return the bundle of this name or alias."""
        if name in self.bundles:
            return self.bundles[name]
        names: dict[str, Bundle] = {}
        for bundle in self.bundles.values():
            names |= dict.fromkeys((bundle.name, *bundle.aliases), bundle)
        if name in names:
            return names[name]
        if name in self.systems():
            remedy = f"psops bundle list --system {name}"
            raise NoSuchBundle(f"'{name}' is a system, not a bundle", remedy=remedy)
        near = did_you_mean(name, names)
        raise NoSuchBundle(f"no bundle '{name}'{near}", remedy="psops bundle list")

    def daemon(self, name: str) -> Daemon:
        """Return the daemon of this name or alias, or the only one that has a unit of this name."""
        if name in self.daemons:
            return self.daemons[name]
        words = {name, f"{name}.service"}
        having = [
            daemon
            for daemon in self.daemons.values()
            if words.intersection((*daemon.units, *daemon.aliases))
        ]
        if len(having) == 1:
            return having[0]
        if having:
            several = ", ".join(daemon.name for daemon in having)
            raise NoSuchDaemon(f"'{name}' is a name of several daemons: {several}")
        raise NoSuchDaemon(f"no daemon '{name}'{did_you_mean(name, self.daemons)}")

    def component(self, name: str) -> Component:
        """Return the component of this name."""
        if name in self.components:
            return self.components[name]
        raise UsageError(f"no component '{name}'{did_you_mean(name, self.components)}")

    def detections(self) -> Iterator[tuple[Bundle, Detection]]:
        """Yield the signs of all bundles, the best first, then by priority."""
        signs = [(bundle, sign) for bundle in self.bundles.values() for sign in bundle.detect]
        yield from sorted(signs, key=lambda pair: (-pair[1].rank, -pair[0].priority))

    def choose(self, found: Iterable[Bundle]) -> tuple[Bundle, ...]:
        """Return the bundles that hold for a host which has signs of these: those that no
        other one of them includes, by priority."""
        signs = {bundle.name: bundle for bundle in found}
        inside = {name for bundle in signs.values() for name in self.included(bundle.name)}
        left = (bundle for name, bundle in signs.items() if name not in inside)
        return tuple(sorted(left, key=lambda bundle: -bundle.priority))

    def included(self, name: str) -> tuple[str, ...]:
        """Return the names of the bundles that a bundle includes, and those they include."""
        names: dict[str, None] = {}
        todo = list(self.bundles[name].includes)
        while todo:
            inner = todo.pop(0)
            if inner not in names:
                names[inner] = None
                todo += self.bundles[inner].includes
        return tuple(names)


def _units(changes: Mapping[str, Any]) -> list[str]:
    return [unit for need in changes.get("needs", ()) for unit in need.units]


def _fitting(
    checks: Iterable[Check], os_family: str | None, version: str | None
) -> tuple[Check, ...]:
    return tuple(check for check in checks if check.when.fits(os_family, version))
