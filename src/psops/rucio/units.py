"""Reads what a host runs of Rucio: units and processes over D-Bus, supervisord over its socket."""

import re
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from psops.client import Client
from psops.deadline import Deadline
from psops.errors import HostError, PsopsError
from psops.inventory import Host
from psops.report.model import RUNNING, UnitStatus
from psops.report.text import clean
from psops.rucio import supervisor
from psops.rucio.arguments import daemon_of, in_container, is_wrapper, split
from psops.rucio.expect import Rule
from psops.rucio.model import Managed, Process, RucioHost
from psops.rucio.unitfile import TARGET
from psops.systemd import manager
from psops.systemd.bus import Reply
from psops.systemd.manager import Row
from psops.transport import Connection
from psops.uptime import believed_age

#: As Rucio ships no unit files, these names are a convention: one instance per daemon, or
#: numbered ones, or a unit of its own.
GLOBS = ("rucio-*.service",)
_TEMPLATE = "rucio-daemon@"
_NAME = re.compile(r"rucio-([a-z0-9][a-z0-9-]*)(?:@(.*))?\.service")
_SUPERVISORS = ("supervisor.service", "supervisord.service")
_ROOT_SLICE = "-.slice"
#: What makes a unit come up without being asked for.
_ENABLED = ("enabled", "enabled-runtime", "linked", "linked-runtime", "alias")
#: Targets that want units which were enabled.
_WANTERS = ("WantedBy", "RequiredBy", "UpheldBy")
#: Control groups of containers, whose processes have other numbers inside and other hostnames.
_CONTAINER = re.compile(r"docker|libpod|kubepods|crio|containerd|/machine\.slice/|/payload/")
#: The service in whose control group a process is; those below user@ are of another manager.
_IN_SERVICE = re.compile(r"^(?!.*/user@)(?:/.*)?/([^/]+\.service)$")
#: How ExecMainCode tells that a process exited by itself: CLD_EXITED of siginfo_t.
_CLD_EXITED = 1
_PARENT = re.compile(r"^/proc/([0-9]+)/status:PPid:\s*([0-9]+)$", re.MULTILINE)
_DIST_INFO = re.compile(r"/rucio-([0-9][0-9A-Za-z.]*)\.dist-info$")
_LIBRARIES = ("/usr/local/lib", "/opt/rucio/lib", "/opt/rucio/lib64")
#: Where the interpreter of a daemon is, for what else may lie beside it.
_BIN = re.compile(r"(/[A-Za-z0-9_.+/-]*)/bin/(?:python[0-9.]*|rucio-[a-z0-9-]+)")


def read_host(
    host: Host,
    connection: Connection,
    client: Client,
    rules: Mapping[str, Rule],
    *,
    aliases: Sequence[str] = (),
    timeout: float,
) -> RucioHost:
    """Return what the host runs of Rucio; raises `HostError`."""
    replies = client.call(
        [
            manager.list_units_by_patterns((), GLOBS),
            manager.list_units_by_names(_SUPERVISORS),
            manager.get_processes(_ROOT_SLICE),
            manager.list_unit_files_by_patterns(("enabled", "enabled-runtime"), GLOBS),
            manager.get_unit_property(TARGET, "Wants"),
        ]
    )
    rows = _there(sorted(manager.parse_rows(replies[0])))
    supervised = any(row.active in RUNNING for row in manager.parse_rows(replies[1]))
    everything = _processes(replies[2])
    ours = _of_daemons(everything, rules)
    others = [*_enabled(*replies[3:]), *_other_units(ours or ())]
    known = {row.id for row in rows}
    if others := [name for name in dict.fromkeys(others) if name not in known]:
        rows += _there(manager.parse_rows(client.call([manager.list_units_by_names(others)])[0]))
    calls = [call for row in rows for call in manager.get_all_unit_properties(row.id)]
    answers = client.call(calls)
    uptime, read_at = _uptime(connection, Deadline(timeout)), time.monotonic()
    properties = {
        row.id: {
            **manager.parse_properties(answers[2 * place]),
            **manager.parse_properties(answers[2 * place + 1]),
        }
        for place, row in enumerate(rows)
    }
    found = [_managed(row, properties[row.id], everything, rules, uptime) for row in rows]
    managed = [one for one in found if one is not None]
    unread: HostError | None = None
    if supervised or any(_is_supervisord(one) for one in everything or ()):
        try:
            told = supervisor.read_programs(connection, Deadline(timeout))
        except HostError as exc:
            unread = exc
        else:
            parents = _parents(connection, Deadline(timeout))
            managed += [
                one for program in told
                if (one := _of_supervisor(program, parents, everything, rules)) is not None
            ]  # fmt: skip
    ours = _still_there(ours, managed, client, Deadline(timeout))
    deadline = Deadline(timeout)
    return RucioHost(
        name=host.name,
        names=_names(host, connection, aliases, deadline),
        managed=tuple(managed),
        processes=ours,
        version=_version(connection, managed, ours or (), deadline),
        read_at=read_at,
        supervisord_unread=unread,
    )


def parse_unit(name: str, rules: Mapping[str, Rule]) -> tuple[str, str] | None:
    """Return the daemon that a unit runs and what its findings are called, None for no daemon.

    `rucio-daemon@reaper.service` is an instance of a daemon, `rucio-reaper@2.service` one of
    several; what follows the name of a daemon, as in `reaper-tape`, is a variant of it.
    """
    if name.startswith(_TEMPLATE):
        label = name.removeprefix(_TEMPLATE).removesuffix(".service")
        daemon = _longest(label, rules)
    else:
        found = _NAME.fullmatch(name)
        if found is None:
            return None
        daemon = _longest(found[1], rules)
        label = found[1] + (f"@{found[2]}" if found[2] is not None else "")
    return (daemon, label) if daemon else None


def _longest(label: str, rules: Mapping[str, Rule]) -> str:
    fitting = [
        name for name in rules
        if label == name or (label.startswith(name) and not label[len(name)].isalnum())
    ]  # fmt: skip
    return max(fitting, key=len, default="")


def _processes(reply: Any) -> tuple[Process, ...] | None:
    """Return all processes of the host, None if its systemd does not list them."""
    try:
        rows = manager.parse_processes(reply)
        return tuple(Process(pid, split(line), cgroup) for cgroup, pid, line in rows)
    except PsopsError:
        return None  # older than 230, or no right to look; the units stand


def _of_daemons(
    processes: tuple[Process, ...] | None, rules: Mapping[str, Rule]
) -> tuple[Process, ...] | None:
    if processes is None:
        return None
    known = tuple(rules)
    return tuple(
        one for one in processes
        if daemon_of(one.argv, known) and not _CONTAINER.search(one.cgroup)
    )  # fmt: skip


def _still_there(
    ours: tuple[Process, ...] | None,
    managed: Sequence[Managed],
    client: Client,
    deadline: Deadline,
) -> tuple[Process, ...] | None:
    """Return the processes of daemons but for those that nobody owns and that have ended by now.

    A daemon that is restarted over and over has another process when its manager is asked.
    """
    owned = {pid for one in managed for pid in one.pids}
    if ours is None or all(one.pid in owned for one in ours):
        return ours
    now = _processes(client.call([manager.get_processes(_ROOT_SLICE)], deadline)[0])
    there = owned | {one.pid for one in (ours if now is None else now)}
    return tuple(one for one in ours if one.pid in there)


def _there(rows: Iterable[Row]) -> list[Row]:
    return [row for row in rows if row.load != "not-found" and not row.following]


def _enabled(files: Reply, wants: Reply) -> list[str]:
    """Return the units that the host is to start, of which systemd need not have loaded any."""
    names: list[str] = []
    with suppress(PsopsError):  # older than 230
        names += [path.rpartition("/")[2] for path, _ in manager.parse_unit_files(files)]
    with suppress(PsopsError):
        names += manager.parse_texts(wants)
    return [name for name in names if _NAME.fullmatch(name) and "@." not in name]


def _other_units(processes: Sequence[Process]) -> list[str]:
    """Return the services of the system, of any name, that daemons are in."""
    units = [found[1] for one in processes if (found := _IN_SERVICE.search(one.cgroup))]
    return [unit for unit in units if unit not in _SUPERVISORS]


def _is_supervisord(process: Process) -> bool:
    named = any(word.rpartition("/")[2] == "supervisord" for word in process.argv[:3])
    return named and not _CONTAINER.search(process.cgroup)


def _managed(
    row: Row,
    properties: Mapping[str, Any],
    processes: tuple[Process, ...] | None,
    rules: Mapping[str, Rule],
    uptime: float | None,
) -> Managed | None:
    pid = _number(properties, "MainPID")
    group = str(properties.get("ControlGroup", ""))
    inside = [
        one for one in processes or ()
        if group and (one.cgroup == group or one.cgroup.startswith(f"{group}/"))
    ]  # fmt: skip
    main = next((one.argv for one in processes or () if one.pid == pid and pid), ())
    main = main or _exec_start(properties)
    known = tuple(rules)
    told = parse_unit(row.id, rules)
    argv = main
    if not daemon_of(main, known):  # it may be a script that starts the daemon
        below = {daemon_of(one.argv, known): one.argv for one in inside}
        below.pop("", None)
        if told is not None:
            argv = below.get(told[0], main)
        elif len(below) == 1 and is_wrapper(main):
            (argv,) = below.values()
    if told is None:
        # A unit of another name, such as rucio-onfail@hermes, may run a daemon all the same.
        daemon = daemon_of(argv, known)
        if not daemon:
            return None
        told = (daemon, row.id.removesuffix(".service"))
    started = _ago(properties, "ExecMainStartTimestamp", uptime)
    ended = _ago(properties, "ExecMainExitTimestamp", uptime)
    ended = ended or _ago(properties, "InactiveEnterTimestamp", uptime)
    exited = _number(properties, "ExecMainCode") == _CLD_EXITED
    return Managed(
        daemon=told[0],
        name=told[1],
        unit=row.id,
        manager="systemd",
        active=row.active,
        sub=row.sub,
        result=str(properties.get("Result", "")),
        exit_code=_number(properties, "ExecMainStatus") if exited else None,
        restarts=_number(properties, "NRestarts"),
        up=believed_age(started) if pid else None,
        down=None if pid or ended is None else max(0.0, ended),
        pid=pid,
        pids=frozenset({one.pid for one in inside} | ({pid} if pid else set())),
        argv=argv,
        contained=in_container(main),
        wanted=_wanted(properties),
        restart=str(properties.get("Restart", "")),
        status=UnitStatus(
            name=row.id, id=row.id, description=row.description, load=row.load,
            active=row.active, sub=row.sub, properties=properties,
        ),
    )  # fmt: skip


def _wanted(properties: Mapping[str, Any]) -> bool:
    if properties.get("UnitFileState") in ("masked", "masked-runtime"):
        return False
    # An instance of a template that a target wants is `disabled` by the template's own state
    # in older releases of systemd.
    wanted_by = any(properties.get(name) for name in _WANTERS)
    return wanted_by or properties.get("UnitFileState") in _ENABLED


def _exec_start(properties: Mapping[str, Any]) -> tuple[str, ...]:
    try:
        command = properties["ExecStart"][0]
        return tuple(str(word) for word in command[1])
    except (KeyError, IndexError, TypeError):
        return ()


def _number(properties: Mapping[str, Any], name: str) -> int:
    value = properties.get(name, 0)
    return value if isinstance(value, int) else 0


def _ago(properties: Mapping[str, Any], name: str, uptime: float | None) -> float | None:
    at = _number(properties, f"{name}Monotonic")
    return uptime - at / 1e6 if at and uptime is not None else None


def _uptime(connection: Connection, deadline: Deadline) -> float | None:
    """Return the seconds since the host booted, by the clock that nobody sets."""
    output = connection.run(("cat", "/proc/uptime"), deadline).stdout
    try:
        return float(output.split()[0])
    except (ValueError, IndexError):
        return None


def _parents(connection: Connection, deadline: Deadline) -> Mapping[int, int]:
    """Return process -> its parent, of all on the host; none where its /proc cannot be read."""
    argv = ("find", "/proc", "-maxdepth", "2", "-path", "/proc/[0-9]*/status", "-exec",
            "grep", "-sH", "^PPid:", "{}", "+")  # fmt: skip
    output = connection.run(argv, deadline).stdout.decode(errors="replace")
    return {int(pid): int(parent) for pid, parent in _PARENT.findall(output)}


def _family(pid: int, parents: Mapping[int, int]) -> frozenset[int]:
    """Return a process and all below it, such as what a shell has started.

    >>> sorted(_family(7, {8: 7, 9: 8, 10: 1}))
    [7, 8, 9]
    """
    found, new = set(), {pid}
    while new:
        found |= new
        new = {child for child, parent in parents.items() if parent in new} - found
    return frozenset(found)


def _of_supervisor(
    program: supervisor.Program,
    parents: Mapping[int, int],
    processes: tuple[Process, ...] | None,
    rules: Mapping[str, Rule],
) -> Managed | None:
    pids = _family(program.pid, parents) if program.pid else frozenset[int]()
    commands = [one.argv for one in processes or () if one.pid in pids]
    argv = next((argv for argv in commands if daemon_of(argv, tuple(rules))), ())
    daemon = daemon_of(argv, tuple(rules)) if argv else ""
    daemon = daemon or _longest(program.name.removeprefix("rucio-"), rules)
    if not daemon:
        return None
    full = f"{program.group}:{program.name}" if program.group != program.name else program.name
    return Managed(
        daemon=daemon, name=clean(program.name.removeprefix("rucio-")), unit=full,
        manager="supervisord", active=program.active, sub=program.state.lower(),
        result=clean(program.spawn_error), exit_code=program.exit_code,
        restarts=program.restarts, up=program.up, down=program.down, pid=program.pid,
        pids=pids, argv=argv, wanted=program.wanted,
    )  # fmt: skip


def _names(
    host: Host, connection: Connection, aliases: Sequence[str], deadline: Deadline
) -> frozenset[str]:
    """Return what the host's heartbeats may be called: `getfqdn()` there, or `gethostname()`."""
    names = {host.name, *(alias for alias in aliases if alias)}
    if host.address:
        names.add(host.address)
    for argv in (("cat", "/proc/sys/kernel/hostname"), ("hostname", "-f")):
        done = connection.run(argv, deadline)
        if done.status == 0:
            names.update(done.stdout.decode(errors="replace").split()[:1])
    return frozenset(name.lower().rstrip(".") for name in names)


def _version(
    connection: Connection,
    managed: Sequence[Managed],
    processes: Sequence[Process],
    deadline: Deadline,
) -> str:
    """Return the release that is installed where the daemons are started from."""
    commands = [*(one.argv for one in managed), *(one.argv for one in processes)]
    words = [word for argv in commands for word in argv[:3]]
    homes = dict.fromkeys(match[1] for word in words if (match := _BIN.fullmatch(word)))
    places = [f"{home}/{name}" for home in homes if ".." not in home for name in ("lib", "lib64")]
    argv = ("find", *places, *_LIBRARIES, "-maxdepth", "3", "-name", "rucio-[0-9]*.dist-info")
    output = connection.run(argv, deadline).stdout.decode(errors="replace")
    for line in output.splitlines():
        if match := _DIST_INFO.search(line):
            return match[1]
    return ""
