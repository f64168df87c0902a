"""Stand-in units: what a table row says, and the files it becomes.

A stand-in has the real unit's name, type and relations, and `sleep infinity` for a program.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

PACKAGED = "usr/lib/systemd/system"
CONFIGURED = "etc/systemd/system"

# Pairs of ActiveState and SubState.
RUNNING = "active/running"
EXITED = "active/exited"
DEAD = "inactive/dead"

_SLEEP = "/usr/bin/sleep infinity"
_NOTIFY = "/bin/sh -c 'systemd-notify --ready; exec sleep infinity'"
_FORK = "/bin/sh -c 'sleep infinity & echo $$! > /run/%N.pid'"

# What a kind says in [Service]; `raw` units are written out in full in their row.
KINDS: Mapping[str, str] = {
    "simple": f"ExecStart={_SLEEP}\n",
    "exec": f"Type=exec\nExecStart={_SLEEP}\n",
    "notify": f"Type=notify\nNotifyAccess=all\nExecStart={_NOTIFY}\n",
    "forking": f"Type=forking\nPIDFile=/run/%N.pid\nExecStart={_FORK}\n",
    "oneshot": "Type=oneshot\nRemainAfterExit=yes\nExecStart=/bin/true\n",
}

# What the init script of a SysV kind does at start.
SYSV_STARTS: Mapping[str, str] = {
    "sysv": "sleep infinity </dev/null >/dev/null 2>&1 &",
    "sysv-oneshot": ":",
    "sysv-died": "true </dev/null >/dev/null 2>&1 &",
}


@dataclass(frozen=True, slots=True)
class Unit:
    """One row of a dress: a unit, how its stand-in behaves, and its state on a settled host.

    `text` follows what the kind says, or is the whole unit for `raw`. An `instance` has no file
    of its own, it is enabled from its template. A template has no state.
    """

    name: str
    kind: str
    text: str = ""
    state: str = RUNNING
    enabled: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Dress:
    """A role: its units and files, and the catalogue bundles a host in it should satisfy.

    The texts of `host_files` take {name} and {address} of the host.
    """

    name: str
    bundles: tuple[str, ...]
    units: tuple[Unit, ...]
    files: Mapping[str, "str | Link"] = field(default_factory=dict)
    host_files: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Link:
    """A symbolic link in a layer."""

    target: str


Files = dict[str, str | Link]


def unit_files(units: Iterable[Unit]) -> Files:
    """Return the files and links by which the units are installed and enabled."""
    files: Files = {}
    texts: dict[str, str] = {}
    for unit in units:
        if unit.kind in SYSV_STARTS:
            files |= _init_script(unit)
            continue
        if unit.kind == "instance":
            texts[unit.name] = texts[template_of(unit.name)]
        else:
            texts[unit.name] = _render(unit)
            files[f"{PACKAGED}/{unit.name}"] = texts[unit.name]
        if unit.enabled:
            files |= _enabling_links(unit.name, texts[unit.name])
    return files


def template_of(instance: str) -> str:
    """Return the name of the template an instance comes from.

    >>> template_of("postgresql@15-main.service")
    'postgresql@.service'
    """
    return re.sub("@.*(?=[.])", "@", instance)


def _render(unit: Unit) -> str:
    if unit.kind == "raw":
        return unit.text
    text = f"[Unit]\nDescription=stand-in of {unit.name}\n[Service]\n{KINDS[unit.kind]}{unit.text}"
    if "[Install]" not in text:
        text += "[Install]\nWantedBy=multi-user.target\n"
    return text


def _enabling_links(name: str, text: str) -> Files:
    file = f"/{PACKAGED}/{template_of(name) if '@' in name else name}"
    files: Files = {}
    for key, values in re.findall(r"^(WantedBy|Alias)=(.*)$", text, re.MULTILINE):
        for value in values.split():
            path = value if key == "Alias" else f"{value}.wants/{name}"
            files[f"{CONFIGURED}/{path}"] = Link(file)
    return files


def _init_script(unit: Unit) -> Files:
    name = unit.name.removesuffix(".service")
    script = f"""#!/bin/sh
### BEGIN INIT INFO
# Provides:          {name}
# Required-Start:    $remote_fs $syslog
# Required-Stop:     $remote_fs $syslog
# Default-Start:     2 3 4 5
# Default-Stop:      0 1 6
# Short-Description: stand-in of {name}
### END INIT INFO
case "$1" in
start)
    {SYSV_STARTS[unit.kind]}
    ;;
{unit.text}*)
    ;;
esac
exit 0
"""
    files: Files = {f"etc/init.d/{name}": script}
    for level in "2345":
        files[f"etc/rc{level}.d/S01{name}"] = Link(f"../init.d/{name}")
    for level in "016":
        files[f"etc/rc{level}.d/K01{name}"] = Link(f"../init.d/{name}")
    return files
