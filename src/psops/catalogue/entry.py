"""What a catalogue consists of: daemons, checks and the components of pipelines.

Pure data; nothing here reads a file or asks a host.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum, unique
from pathlib import Path
from typing import Any, NamedTuple

from psops.catalogue.version import is_within

#: OS families that entries tell apart: Debian and Ubuntu; Alma, Rocky and Red Hat.
OS_FAMILIES = ("deb", "el")
#: Unit file states of a unit that comes up at boot. `generated` is a SysV script, whose links
#: in rc?.d systemd does not report; `static` is started by another unit.
ENABLED_STATES = ("enabled", "enabled-runtime", "alias", "generated", "static")


@unique
class Severity(StrEnum):
    """How much it matters when a daemon or check is not right, the most first."""

    REQUIRED = "required"
    RECOMMENDED = "recommended"
    OPTIONAL = "optional"


@unique
class Healthy(StrEnum):
    """A state in which a unit is as it should be."""

    RUNNING = "running"
    EXITED = "exited"
    LISTENING = "listening"
    WAITING = "waiting"
    ACTIVE = "active"


#: Healthy -> the sub states it means beside the active state `active`; None is any.
SUB_STATES: dict[Healthy, frozenset[str] | None] = {
    Healthy.RUNNING: frozenset({"running"}),
    Healthy.EXITED: frozenset({"exited"}),
    # A socket unit with Accept=no is `running` while its service is.
    Healthy.LISTENING: frozenset({"listening", "running"}),
    Healthy.WAITING: frozenset({"waiting", "running"}),
    Healthy.ACTIVE: None,
}


@unique
class Rule(StrEnum):
    """How many of several units must be healthy."""

    ONE = "one"
    ANY = "any"
    ALL = "all"


@unique
class Fate(StrEnum):
    """What has become of a daemon."""

    CURRENT = "current"
    RENAMED = "renamed"
    MOVED = "moved"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """Units of which one, any or all must be healthy, in order of preference; maybe globs."""

    units: tuple[str, ...]
    rule: Rule = Rule.ONE
    healthy: tuple[Healthy, ...] = (Healthy.RUNNING,)


@dataclass(frozen=True, slots=True, kw_only=True)
class When:
    """What must be so for something to hold: OS, version, and what is found on the host.

    `until` is the first version for which it does not hold. Of `packages` and `files`, one
    must be on the host, if any is named; only who asks the host can tell.
    """

    os: tuple[str, ...] = ()
    since: str = ""
    until: str = ""
    packages: tuple[str, ...] = ()
    files: tuple[str, ...] = ()

    def fits(self, os_family: str | None, version: str | None) -> bool:
        """Return whether OS and version fit; an unknown OS fits all, no version is the newest."""
        if self.os and os_family is not None and os_family not in self.os:
            return False
        return is_within(version, self.since, self.until)


ALWAYS = When()


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonRule:
    """What must hold for the values at a path such as `services.*.overdue` of an answer.

    `op` is one of JSON_OPS in `catalogue.values`; an empty path is the whole document.
    """

    path: str
    op: str
    value: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A question beside systemd's states; which fields count depends on `kind`.

    tcp: host, port. http: url, status, text, json, timeout, verify_tls, tls_days. file: path,
    exists, max_age. socket: listen. `{host}` in host and url is the host that is checked.
    """

    name: str
    system: str = ""
    kind: str
    purpose: str = ""
    #: "host": asked from the host itself, where localhost is the host; "here": over the network.
    asked_from: str = "host"
    #: None: as much as what it belongs to.
    severity: Severity | None = None
    when: When = ALWAYS
    timeout: float = 10.0
    host: str = ""
    port: int = 0
    url: str = ""
    status: tuple[int, ...] = (200,)
    text: str = ""
    json: tuple[JsonRule, ...] = ()
    verify_tls: bool = True
    #: Fewer days until the certificate ends are a warning; 0 does not look.
    tls_days: int = 0
    path: str = ""
    exists: bool = True
    #: Seconds since the last change; 0 is any age.
    max_age: int = 0
    #: `unix:/path`, `unix:@name` (abstract), `tcp:PORT` or `udp:PORT`.
    listen: str = ""
    hints: tuple["Hint", ...] = ()
    note: str = ""
    sources: tuple[Path, ...] = ()


class Hint(NamedTuple):
    """One sentence of advice and the command to type; `on` are the findings it is for."""

    text: str
    command: str = ""
    on: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """Units that must not be active beside a daemon, and why."""

    units: tuple[str, ...]
    why: str
    severity: Severity = Severity.REQUIRED
    when: When = ALWAYS


class Variant(NamedTuple):
    """What is different of a daemon where `when` fits; the first variant that fits counts."""

    when: When
    changes: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Daemon:
    """A long-running program, its units, and everything that proves or explains its state."""

    name: str
    system: str = ""
    #: Names that it goes by elsewhere, such as those of units that documents have wrong.
    aliases: tuple[str, ...] = ()
    purpose: str = ""
    category: str = ""
    #: All of them must be met; none for a daemon that is `inside` another or a `command`.
    needs: tuple[Need, ...] = ()
    #: The daemon whose processes this one is part of.
    inside: str = ""
    #: Run by hand, never a service.
    command: bool = False
    #: Programs under supervisord, and init scripts with their pid files, where systemd is not.
    programs: tuple[str, ...] = ()
    init_scripts: tuple[str, ...] = ()
    pid_files: tuple[str, ...] = ()
    severity: Severity = Severity.REQUIRED
    #: Instead of `severity` while one of the units is failed.
    when_failed: Severity | None = None
    #: Whether it must come up at boot; None: either is fine.
    enabled: bool | None = True
    enabled_states: tuple[str, ...] = ENABLED_STATES
    when: When = ALWAYS
    fate: Fate = Fate.CURRENT
    #: The daemon that does its work since `when.until`.
    successor: str = ""
    #: What brings it, for people.
    packages: tuple[str, ...] = ()
    #: Units whose stop stops this daemon, while their start does not bring it back.
    part_of: tuple[str, ...] = ()
    #: Daemons that are stopped with it, because they would start it again.
    stop_with: tuple[str, ...] = ()
    #: Daemons that are started before it and stopped after it.
    after: tuple[str, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    #: Seconds for which `activating` is no finding.
    start_grace: int = 0
    #: At most one process of it in a whole installation.
    singleton: bool = False
    #: How the names of its heartbeats begin, for systems that have them.
    heartbeats: tuple[str, ...] = ()
    checks: tuple[Check, ...] = ()
    #: Log files; a directory stands for the file in it that was written last.
    logs: tuple[str, ...] = ()
    #: Their times are in UTC, whatever the zone of the host is.
    logs_in_utc: bool = False
    configs: tuple[str, ...] = ()
    hints: tuple[Hint, ...] = ()
    note: str = ""
    variants: tuple[Variant, ...] = ()
    #: The files that said something of it, the last with the last word.
    sources: tuple[Path, ...] = ()

    @property
    def units(self) -> tuple[str, ...]:
        """The names and globs of all units, of variants too, without repetition."""
        needs = [*self.needs]
        for variant in self.variants:
            needs += variant.changes.get("needs", ())
        return tuple(dict.fromkeys(unit for need in needs for unit in need.units))

    def variant(self, os_family: str | None, version: str | None) -> "Daemon":
        """Return the daemon as it is on an OS and in a version; it may not be `expected` there."""
        for variant in self.variants:
            # Nothing is told of an unknown OS but what holds for all.
            known = os_family is not None or not variant.when.os
            if known and variant.when.fits(os_family, version):
                return replace(self, variants=(), **variant.changes)
        return replace(self, variants=())


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """A question to a component of a pipeline; what is in `settings` depends on `kind`."""

    name: str
    kind: str
    purpose: str = ""
    severity: Severity = Severity.REQUIRED
    #: Seconds for each exchange with the component.
    timeout: float = 10.0
    #: A host of the inventory from which it is asked; "" is from here.
    via: str = ""
    #: Everything that the kind knows, defaults filled in; None for what is not set.
    settings: Mapping[str, Any] = field(default_factory=dict)
    hints: tuple[Hint, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """A part of a pipeline over many organisations: a service, not a unit."""

    name: str
    system: str = ""
    title: str = ""
    role: str = ""
    organisation: str = ""
    #: Where it runs.
    place: str = ""
    urls: tuple[str, ...] = ()
    purpose: str = ""
    #: Components and outside parties it takes data from and gives them to.
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    #: Names on the wire: topics, exchanges, indices.
    topics: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    containers: tuple[str, ...] = ()
    #: What a person does today to see that it works, and what would tell a program the same.
    by_hand: str = ""
    by_machine: str = ""
    #: The component that watches it.
    monitored_by: str = ""
    gap: str = ""
    #: What `psops pipeline verify` asks of it.
    checks: tuple[Probe, ...] = ()
    note: str = ""
    sources: tuple[Path, ...] = ()
