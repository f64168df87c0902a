"""What a shell offers after Tab: names from the inventory, from tables and from this machine.

No host is ever asked, and what cannot be found out is not offered: an error message in the
middle of a half-typed line would help nobody.
"""

import os
import re
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from psops.catalogue import Catalogue

if "_PSOPS_COMPLETE" in os.environ:
    # Typer loads Rich, when it is there, to take markup out of help texts; ours have none.
    # None makes Python behave as if the module were not installed.
    sys.modules["rich"] = None  # type: ignore[assignment]

COLORS = ("auto", "always", "never")
#: What admins ask for on any host, offered where the units of this machine say nothing.
USUAL_UNITS = (
    "chronyd.service", "cron.service", "crond.service", "dbus.service", "docker.service",
    "firewalld.service", "httpd.service", "apache2.service", "nftables.service",
    "ntpsec.service", "podman.service", "postgresql.service", "rsyslog.service",
    "sshd.service", "systemd-journald.service", "systemd-logind.service",
    "systemd-networkd.service", "systemd-resolved.service", "systemd-timesyncd.service",
    "systemd-udevd.service",
)  # fmt: skip
#: Sub states that are worth a search; each type has more of its own.
_SUB_STATES = ("running", "exited", "dead", "auto-restart", "listening", "waiting", "mounted")
#: Where unit files of this machine are, see systemd.unit(5).
UNIT_PATH = (
    "/etc/systemd/system", "/run/systemd/system", "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system", "/lib/systemd/system",
)  # fmt: skip
MACHINES = "/run/systemd/machines"


def colors() -> list[str]:
    """Return the values of --color."""
    return list(COLORS)


def formats() -> list[str]:
    """Return the values of --format."""
    from psops.report import FORMATS

    return list(FORMATS)


def watch_formats() -> list[str]:
    """Return the values of --format that `watch` takes."""
    from psops.watch.lines import FORMATS

    return list(FORMATS)


def groups(context: typer.Context) -> list[str]:
    """Return the groups of the inventory."""
    _, found = _inventory(context)
    return found


def hosts(context: typer.Context, incomplete: str) -> list[str]:
    """Return patterns that end with a host or @group of the inventory instead of its beginning."""
    if incomplete.count("[") > incomplete.count("]"):
        return []  # within a range
    names, found = _inventory(context)
    head, last = _split(incomplete, ",!&^ ")
    user, at, _ = last.rpartition("@")
    if at and user:  # user@host
        return [f"{head}{user}@{name}" for name in names]
    sets = [f"@{group}" for group in found]
    if last.startswith("@"):
        sets.append("@failed")
    if last.startswith("@bundle:"):
        sets += [f"@bundle:{name}" for name in bundles()]
    return [f"{head}{name}" for name in (*names, *sets)]


def importers(incomplete: str) -> list[str]:
    """Return the formats that can be imported; files are the shell's business."""
    from psops.importers import FORMATS

    return [name for name in ("auto", *FORMATS) if name.startswith(incomplete)]


def exporters() -> list[str]:
    """Return the formats that can be exported."""
    from psops.exporters import FORMATS

    return list(FORMATS)


def machines() -> list[str]:
    """Return the containers that systemd-machined runs here."""
    return sorted(name for name in _entries(MACHINES) if ":" not in name)


def properties(incomplete: str) -> list[str]:
    """Return lists of properties that end with a whole name instead of its beginning."""
    from psops.status import FAILURE, USUAL
    from psops.systemd.manager import UNIT_PROPERTIES

    return _listed(incomplete, sorted(UNIT_PROPERTIES.union(USUAL, FAILURE)))


def states(incomplete: str) -> list[str]:
    """Return lists of states that end with a whole one instead of its beginning."""
    from psops.report.model import ABSENT, BROKEN
    from psops.report.text import STATE_STYLES

    known = (*STATE_STYLES, "loaded", "masked", *sorted(ABSENT | BROKEN), *_SUB_STATES)
    return _listed(incomplete, known)


def types(incomplete: str) -> list[str]:
    """Return lists of unit types that end with a whole one instead of its beginning."""
    from psops.systemd.names import TYPE_INTERFACES

    return _listed(incomplete, TYPE_INTERFACES)


def units(context: typer.Context) -> list[str]:
    """Return unit names that are not on the line yet: usual ones, and those of this machine."""
    from psops.systemd.names import unit_type

    given = context.params
    known = set(USUAL_UNITS)
    if not any(given.get(key) for key in ("hosts", "group", "all_hosts", "machine", "user")):
        known.update(name for place in UNIT_PATH for name in _entries(place) if unit_type(name))
    return sorted(known.difference(given.get("units") or ()))


def _inventory(context: typer.Context) -> tuple[list[str], list[str]]:
    """Return the names of the hosts and of the groups."""
    from psops.cli.target import load_inventory

    try:
        found = load_inventory(context.params.get("inventory"))
    except Exception:
        return [], []
    return [host.name for host in found.hosts], list(found.groups)


def _listed(incomplete: str, words: Iterable[str]) -> list[str]:
    head, _ = _split(incomplete, ",")
    given = set(head.split(","))
    return [head + word for word in words if word not in given]


def _split(text: str, operators: str) -> tuple[str, str]:
    """Return what is typed whole, with the operator behind it, and the beginning of a word."""
    end = max((match.end() for match in re.finditer(f"[{re.escape(operators)}]", text)), default=0)
    return text[:end], text[end:]


def _entries(place: str) -> list[str]:
    try:
        return os.listdir(place)  # noqa: PTH208 - names, not paths
    except OSError:
        return []


def bundles() -> list[str]:
    """Return the names and aliases of all bundles."""
    catalogue = _catalogue()
    return [name for one in catalogue.bundles.values() for name in (one.name, *one.aliases)]


def daemons() -> list[str]:
    """Return the names of all daemons."""
    return list(_catalogue().daemons)


def components() -> list[str]:
    """Return the names of all components."""
    return list(_catalogue().components)


def systems() -> list[str]:
    """Return the names of all systems."""
    return list(_catalogue().systems())


def _catalogue() -> "Catalogue":
    """Return the catalogue, or what psops brings if the files of the host are wrong."""
    from psops.catalogue import Catalogue
    from psops.errors import ConfigError

    try:
        return Catalogue.load()
    except ConfigError:
        return Catalogue.load([])


def os_families() -> list[str]:
    """Return the OS families that catalogues tell apart."""
    from psops.catalogue_entry import OS_FAMILIES

    return list(OS_FAMILIES)
