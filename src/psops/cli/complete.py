"""What a shell offers after Tab: names from the inventory, from tables and from this machine.

No host is ever asked, and what cannot be found out is not offered: an error message in the
middle of a half-typed line would help nobody.

The functions here are given to `autocompletion=` of options and arguments. Those in `FIXED` and
`LISTED` say the same everywhere, so the generated scripts have their words and ask nobody. For
the others the scripts call psops, which answers by `offer` without Typer and its tree of verbs:
hence this module does not import it, and a function that needs the line takes `ctx: Line`.
"""

import os
import re
from collections.abc import Callable, Iterable, Sequence
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from psops.catalogue import Catalogue

#: Names the function that a script asks for.
OFFER = "_PSOPS_OFFER"


class Line(Protocol):
    """What is typed already, as Typer's context has it: the values of parameters by name."""

    @property
    def params(self) -> dict[str, Any]: ...


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


def verdict_formats() -> list[str]:
    """Return the values of --format of the verbs that give verdicts."""
    from psops.report.verify import VERIFY_FORMATS

    return list(VERIFY_FORMATS)


def groups(ctx: Line, incomplete: str) -> list[str]:
    """Return lists of groups of the inventory that end with a whole one."""
    _, found = _inventory(ctx)
    return _listed(incomplete, found)


def hosts(ctx: Line, incomplete: str) -> list[str]:
    """Return patterns that end with a host, a folded set or @group of the inventory in place of
    the beginning of one."""
    names, found = _inventory(ctx)
    if incomplete.count("[") > incomplete.count("]"):  # within a range
        head, last = _split(incomplete[: incomplete.rindex("[")], ",!&^ ")
    else:
        head, last = _split(incomplete, ",!&^ ")
    user, at, host = last.rpartition("@")
    if at and not user:
        sets = [*found, "failed"]
        if host.startswith("bundle:"):
            sets += [f"bundle:{name}" for name in bundles()]
        return [f"{head}@{name}" for name in sets]
    lead = head + user + at
    alike = [name for name in names if name.startswith(host)]
    return [lead + name for name in (*alike, *_folded(alike))] + [
        f"{head}@{group}" for group in found if not host
    ]


def host_names(ctx: Line) -> list[str]:
    """Return the hosts of the inventory, for what takes no set of them."""
    return _inventory(ctx)[0]


def _folded(names: list[str]) -> list[str]:
    from psops.inventory import fold

    whole = fold(names) if len(names) > 1 else ""
    return [whole] if whole and "," not in whole.partition("[")[0] else []


def importers() -> list[str]:
    """Return the formats that can be imported; files are the shell's business."""
    from psops.importers import FORMATS

    return ["auto", *FORMATS]


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


def units(ctx: Line) -> list[str]:
    """Return unit names that are not on the line yet: usual ones, those of the catalogue, and
    those of this machine."""
    from psops.systemd.names import unit_type

    given = ctx.params
    known = {*USUAL_UNITS, *_known("units")}
    if not any(given.get(key) for key in ("hosts", "group", "all_hosts", "machine", "user")):
        known.update(name for place in UNIT_PATH for name in _entries(place) if unit_type(name))
    return sorted(known.difference(given.get("units") or ()))


def _inventory(ctx: Line) -> tuple[list[str], list[str]]:
    """Return the names of the hosts and of the groups."""
    from psops.cli.target import load_inventory

    try:
        found = load_inventory(ctx.params.get("inventory"))
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
    return _known("bundles")


def daemons() -> list[str]:
    """Return the names of all daemons."""
    return _known("daemons")


def components() -> list[str]:
    """Return the names of all components."""
    return _known("components")


def systems() -> list[str]:
    """Return the names of all systems."""
    return _known("systems")


def catalogue_names(catalogue: "Catalogue") -> dict[str, list[str]]:
    """Return the names in a catalogue by kind; units are those without a pattern in them."""
    units = {unit for daemon in catalogue.daemons.values() for unit in daemon.units}
    return {
        "bundles": [
            name for one in catalogue.bundles.values() for name in (one.name, *one.aliases)
        ],
        "daemons": list(catalogue.daemons),
        "components": list(catalogue.components),
        "systems": list(catalogue.systems()),
        "units": sorted(unit for unit in units if not set("*?[") & set(unit)),
    }


def _known(kind: str) -> list[str]:
    """Return the names of a kind in the catalogue; the package's if the host's files are wrong."""
    from psops import paths
    from psops.catalogue.names import NAMES

    if any(_entries(str(place)) for place in paths.config_files("bundles.d")):
        from psops.catalogue import Catalogue
        from psops.errors import ConfigError

        try:
            return catalogue_names(Catalogue.load())[kind]
        except ConfigError:
            pass
    return NAMES[kind]


def os_families() -> list[str]:
    """Return the OS families that catalogues tell apart."""
    from psops.catalogue.entry import OS_FAMILIES

    return list(OS_FAMILIES)


#: What gives the same words on every machine, and what gives lists of such words.
FIXED: tuple[Callable[..., list[str]], ...] = (
    colors, formats, verdict_formats, watch_formats, os_families, exporters, importers,
)  # fmt: skip
LISTED: tuple[Callable[..., list[str]], ...] = (states, types, properties)
#: Options that say which hosts are meant -> the parameter that Typer makes of them.
_TARGETS = {
    "-H": "hosts", "--hosts": "hosts", "-g": "group", "--group": "group", "-a": "all_hosts",
    "--all": "all_hosts", "-M": "machine", "--machine": "machine", "--user": "user",
    "-i": "inventory", "--inventory": "inventory",
}  # fmt: skip


def offer(name: str, words: Sequence[str]) -> list[str]:
    """Return what the function of this name offers in place of the last word, the beginning of
    a value; the others are those of the line before it, from the program on."""
    import inspect

    *before, incomplete = words
    given: dict[str, Any] = {"units": before}
    for place, word in enumerate(before):
        option, _, value = word.partition("=")
        if key := _TARGETS.get(option):
            given[key] = value or next(iter(before[place + 1 :]), option)
    function: Callable[..., list[str]] = globals()[name]
    known = {"ctx": SimpleNamespace(params=given), "incomplete": incomplete}
    found = function(**{key: known[key] for key in inspect.signature(function).parameters})
    return [word for word in found if word.startswith(incomplete)]
