"""Which units a demo host has and in which state: everything hosts of one kind share.

Thousands of hosts have one of a few dozen profiles, so that the answers of one profile are
built once; what differs between its hosts (times, process ids) is in `numbers`.
"""

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.resources import files
from typing import Any, Literal, NamedTuple

from psops.demo.numbers import Moment
from psops.demo.schema import INTERFACES, UNIT
from psops.systemd.names import TYPE_INTERFACES, unit_type

Family = Literal["el9", "debian12"]


#: What becomes of a unit with a trouble when it is started: it cannot be, or it is and then
#: dies, or the trouble is gone.
Again = Literal["fails", "dies", "runs"]


class Trouble(NamedTuple):
    """What is wrong with one unit of a host, and what its log says of it."""

    unit: str
    state: str
    settings: Mapping[str, Any]
    log: tuple[str, ...] = ()
    again: Again = "runs"


class History(NamedTuple):
    """When a unit that was changed got into its state, and what it did last."""

    since: Moment
    began: Moment
    ended: Moment | None = None
    #: Which of the host's starts it was; 0 for units that came up at boot.
    run: int = 0


class Unmasked(NamedTuple):
    """What a masked unit is without its mask."""

    load: str
    file_state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """A unit of a profile; `settings` are property values that only this unit has."""

    name: str
    description: str
    place: int = 0
    load: str = "loaded"
    active: str = "active"
    sub: str = "running"
    file_state: str = "enabled"
    sysv: bool = False
    memory: int = 0
    processes: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    dropins: tuple[str, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    log: tuple[str, ...] = ()
    #: The sub state of the unit when it is up; `dead` for programs that end by themselves.
    up: str = "running"
    #: What keeps the unit from running.
    trouble: Trouble | None = None
    history: History | None = None
    #: The unit file state on disk where the manager has not read it yet.
    on_disk: str | None = None
    unmasked: Unmasked | None = None

    @property
    def type(self) -> str:
        """The unit type: `service`, `timer` ..."""
        return unit_type(self.name)

    @property
    def disk_state(self) -> str:
        """The unit file state on disk, which the manager takes over when it reloads."""
        return self.file_state if self.on_disk is None else self.on_disk

    @property
    def is_up(self) -> bool:
        """Whether the unit counts as running or about to run, as systemd sees it."""
        return self.active in ("active", "activating", "reloading")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Profile:
    """The units of all hosts of one kind; compared by identity, which makes it a cheap key."""

    role: str
    family: Family
    units: Mapping[str, Unit]
    #: Every name and alias -> the name that the unit is listed under.
    names: Mapping[str, str]

    def find(self, name: str) -> Unit:
        """Return the unit of this name or alias; one with the load state not-found if none."""
        if name in self.names:
            return self.units[self.names[name]]
        return Unit(name=name, description=name, load="not-found", active="inactive", sub="dead",
                    file_state="")  # fmt: skip

    def changed(self, *units: Unit) -> "Profile":
        """Return the profile with these units in place of the ones of the same names."""
        new = {unit.name: unit for unit in units}
        names = {**{name: name for name in new}, **self.names}
        return replace(self, units={**self.units, **new}, names=names)


#: Tables of units.txt that make up a role; `-FAMILY` tables are added where they exist.
ROLES: dict[str, tuple[str, ...]] = {
    "testpoint": ("perfsonar", "web", "database", "node-exporter"),
    "toolkit": ("perfsonar", "web", "database", "store", "toolkit", "node-exporter"),
    "archive": ("web", "store", "node-exporter"),
    "panda": ("panda",),
    "rucio": ("rucio",),
    "parastation": ("parastation",),
}

#: Roles whose software is packaged for one distribution only.
ONLY_EL = frozenset({"panda", "rucio", "parastation"})

_EXIT, _KILL = 1, 2  # CLD_EXITED, CLD_KILLED in ExecMainCode

TROUBLES: dict[str, Trouble] = {
    "database-down": Trouble(
        "postgresql@15-main.service", "failed",
        # Its starter failed before there was a main process.
        {"Result": "protocol", "ExecMainPID": 0, "ExecMainCode": 0,
         "ExecMainStartTimestamp": 0, "ExecMainExitTimestamp": 0},
        ("Error: /usr/lib/postgresql/15/bin/pg_ctl /usr/lib/postgresql/15/bin/pg_ctl start -D "
         "/var/lib/postgresql/15/main exited with status 1:",
         "FATAL:  could not write lock file \"postmaster.pid\": No space left on device",
         "pg_ctl: could not start server"),
        again="fails",
    ),
    "nic-settings": Trouble(
        "perfsonar-configure_nic_parameters.service", "failed",
        {"Result": "exit-code", "ExecMainCode": _EXIT, "ExecMainStatus": 1},
        ("Configuring NIC parameters for ens18", "netlink error: Operation not supported"),
        again="fails",
    ),
    "agent-loop": Trouble(
        "psconfig-pscheduler-agent.service", "auto-restart",
        {"Result": "exit-code", "ExecMainCode": _EXIT, "ExecMainStatus": 1, "NRestarts": 17},
        ("Traceback (most recent call last):",
         "json.decoder.JSONDecodeError: Expecting ',' delimiter: line 9 column 5 (char 214)"),
        again="dies",
    ),
    "store-down": Trouble(
        "opensearch.service", "failed",
        {"Result": "exit-code", "ExecMainCode": _EXIT, "ExecMainStatus": 78, "NRestarts": 3},
        ("ERROR: [1] bootstrap checks failed",
         "[1]: max virtual memory areas vm.max_map_count [65530] is too low, "
         "increase to at least [262144]"),
        again="fails",
    ),
    "config-daemon-died": Trouble("perfsonar-toolkit-config-daemon.service", "exited", {}),
    "logstash-killed": Trouble(
        "logstash.service", "failed",
        {"Result": "oom-kill", "ExecMainCode": _KILL, "ExecMainStatus": 9, "NRestarts": 3},
        ("A process of this unit has been killed by the OOM killer.",),
        again="dies",
    ),
    "exporter-disabled": Trouble("node_exporter.service", "disabled", {}),
    "daemon-masked": Trouble("panda_daemon.service", "masked", {}),
    "web-down": Trouble(
        "panda_httpd.service", "failed",
        {"Result": "exit-code", "ExecMainCode": _EXIT, "ExecMainStatus": 1},
        ("(98)Address already in use: AH00072: make_sock: could not bind to address [::]:25443",
         "no listening sockets available, shutting down", "AH00015: Unable to open logs"),
        again="fails",
    ),
    "hermes-loop": Trouble(
        "rucio-daemon@hermes.service", "auto-restart",
        {"Result": "success", "ExecMainCode": _EXIT, "ExecMainStatus": 0, "NRestarts": 42},
        ("rucio.common.exception.ConfigNotFound: no option services_list in section hermes",
         "hermes: graceful stop done"),
        again="dies",
    ),
    "finisher-killed": Trouble(
        "rucio-daemon@conveyor-finisher.service", "failed",
        {"Result": "timeout", "ExecMainCode": _KILL, "ExecMainStatus": 9},
        ("State 'stop-sigterm' timed out. Killing.",),
    ),
    "psid-down": Trouble(
        "psid.service", "failed",
        {"Result": "exit-code", "ExecMainCode": _EXIT, "ExecMainStatus": 255},
        ("psid: RDP: bind(886): Address already in use", "psid: exiting"),
        again="fails",
    ),
    "psid-disabled": Trouble("psid.service", "disabled", {}),
}  # fmt: skip

#: What the words of units.txt and of troubles say of the state of a unit.
STATES: dict[str, dict[str, str]] = {
    "exited": {"active": "active", "sub": "exited"},
    "down": {"active": "inactive", "sub": "dead"},
    "failed": {"active": "failed", "sub": "failed"},
    "auto-restart": {"active": "activating", "sub": "auto-restart"},
    "disabled": {"active": "inactive", "sub": "dead", "file_state": "disabled"},
    "not-found": {"active": "inactive", "sub": "dead", "load": "not-found", "file_state": ""},
    "masked": {"active": "inactive", "sub": "dead", "load": "masked", "file_state": "masked"},
}

#: The sub state of a unit that is as it should be, by type.
_UP = {
    "service": "running", "socket": "listening", "timer": "waiting", "path": "waiting",
    "mount": "mounted", "device": "plugged", "target": "active", "slice": "active",
    "scope": "running", "automount": "waiting", "swap": "active",
}  # fmt: skip

_FILE_STATES = ("enabled", "enabled-runtime", "disabled", "static", "generated")

_WORDS: dict[Family, dict[str, str]] = {
    "el9": {"{daemons}": "/usr/libexec/pscheduler/daemons", "{sbin}": "/usr/bin",
            "{dbus}": "dbus-broker.service"},
    "debian12": {"{daemons}": "/usr/lib/pscheduler/daemons", "{sbin}": "/usr/sbin",
                 "{dbus}": "dbus.service"},
}  # fmt: skip


def profile(role: str, family: Family, trouble: str = "") -> Profile:
    """Return the profile of a role on a distribution, with one trouble or none."""
    with _making:  # a cache alone may give two to threads that ask together
        return _profile(role, family, trouble)


_making = threading.Lock()


@cache
def _profile(role: str, family: Family, trouble: str) -> Profile:
    tables = _tables()
    short = {"el9": "el", "debian12": "deb"}[family]
    wanted = ("everywhere", short, *ROLES[role])
    names = [name for table in wanted for name in (table, f"{table}-{short}") if name in tables]
    lines = [line for name in names for line in tables[name]]
    if role == "rucio":
        lines += [_rucio_daemon(line) for line in tables["rucio-daemons"]]
    text = "\n".join(lines)
    for word, value in _WORDS[family].items():
        text = text.replace(word, value)
    units = {}
    for place, line in enumerate(text.splitlines()):
        unit = _parse_unit(line, place)
        units[unit.name] = unit
    _add_inverses(units)
    if trouble:
        found = TROUBLES[trouble]
        units[found.unit] = _troubled(units[found.unit], found)
    aliases = {alias: unit.name for unit in units.values() for alias in unit.aliases}
    return Profile(role=role, family=family, units=units,
                   names={**aliases, **{name: name for name in units}})  # fmt: skip


@cache
def _tables() -> dict[str, list[str]]:
    tables: dict[str, list[str]] = {}
    text = files("psops.demo").joinpath("units.txt").read_text(encoding="utf-8")
    for line in text.splitlines():
        if line.startswith("["):
            rows = tables.setdefault(line.strip("[]"), [])
        elif line and not line.startswith("#"):
            rows.append(line)
    return tables


#: List of a unit -> the list in which those units have this one.
_INVERSES = {"PartOf": "ConsistsOf", "Requires": "RequiredBy", "BindsTo": "BoundBy"}


def _add_inverses(units: dict[str, Unit]) -> None:
    for name in list(units):
        for key, inverse in _INVERSES.items():
            for other in units[name].settings.get(key, ()):
                if other in units and name not in units[other].settings.get(inverse, ()):
                    settings = dict(units[other].settings)
                    settings[inverse] = [*settings.get(inverse, ()), name]
                    units[other] = replace(units[other], settings=settings)


def _rucio_daemon(line: str) -> str:
    daemon, arguments, memory = (column.strip() for column in line.split("|"))
    return (
        f"rucio-daemon@{daemon}.service | Rucio daemon {daemon} | Type=simple Restart=always "
        f"RestartUSec=10000000 User=rucio Group=rucio PartOf=rucio-daemons.target "
        f"Slice=rucio.slice | {memory} | /opt/rucio/bin/python3 /opt/rucio/bin/rucio-{daemon} "
        f"{arguments}"
    )


@cache  # the ordinary units of a distribution are the same in all its profiles
def _parse_unit(line: str, place: int) -> Unit:
    name, description, words, memory, commands = (column.strip() for column in line.split("|", 4))
    kind = unit_type(name)
    unit = Unit(name=name, description=description, place=place, sub=_UP[kind],
                memory=int(memory or 0), processes=tuple(_processes(commands)))  # fmt: skip
    settings: dict[str, Any] = {}
    for word in words.split():
        key, equals, value = word.partition("=")
        if not equals:
            unit = _with_word(unit, word)
        elif key == "alias":
            unit = replace(unit, aliases=(*unit.aliases, value))
        elif key == "dropin":
            unit = replace(unit, dropins=(*unit.dropins, value))
        elif key == "sub":
            unit = replace(unit, sub=value)
        else:
            settings[key] = _value(kind, key, value)
    # A program that runs to its end is as it should be when it is not running.
    once = settings.get("Type") == "oneshot" and not settings.get("RemainAfterExit")
    down = "dead" if once else _UP[kind]
    return replace(unit, settings=settings, up=unit.sub if unit.is_up and not once else down)


def _with_word(unit: Unit, word: str) -> Unit:
    if word == "sysv":
        return replace(unit, sysv=True, file_state="generated")
    if word == "nofile":
        return replace(unit, file_state="")
    if word in _FILE_STATES:
        return replace(unit, file_state=word)
    state: Any = STATES[word]
    return replace(unit, **state)


def _value(kind: str, name: str, text: str) -> Any:
    interface = UNIT if name in INTERFACES[UNIT] else TYPE_INTERFACES[kind]
    signature = INTERFACES[interface][name].signature
    if signature == "as":
        return text.split(",")
    if signature == "b":
        return text == "yes"
    if signature in "tui":
        return int(text)
    if signature == "a(ss)":
        return [text.split(":", 1)]
    return text.replace("_", " ") if name == "StatusText" else text


def _processes(text: str) -> Iterator[str]:
    for part in text.split(" + ") if text else ():
        count, star, command = part.partition("*")
        if star and count.isdigit():
            yield from [command] * int(count)
        else:
            yield part


def _troubled(unit: Unit, trouble: Trouble) -> Unit:
    state: Any = STATES[trouble.state]
    settings = {**unit.settings, **trouble.settings}
    return replace(
        unit, log=trouble.log, settings=settings, trouble=trouble, **state,
        unmasked=Unmasked(unit.load, unit.file_state) if trouble.state == "masked" else None,
    )  # fmt: skip
