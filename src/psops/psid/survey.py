"""What is read of one host: its units over D-Bus, and what its psiadmin tells."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from psops.client import Client
from psops.deadline import Deadline
from psops.errors import NotSystemd
from psops.journal import read_log
from psops.psid.admin import Admin
from psops.psid.judge import CONF, INIT_SCRIPT, SOCKET, Node
from psops.psid.refusal import Reply
from psops.psid.views import View, make_view
from psops.report.model import RUNNING, UnitStatus
from psops.systemd import manager
from psops.transport import Connection
from psops.uptime import believed_age

#: What sha256sum prints for no bytes, and how much of a checksum is kept.
_EMPTY = "e3b0c44298fc"
_DIGITS = len(_EMPTY)
_PSID, _OLD, _SLURMD = "psid.service", "parastation.service", "slurmd.service"
_UNITS = (_PSID, _OLD, SOCKET, _SLURMD)
_DETAILS = (
    "UnitFileState", "Result", "ExecMainCode", "ExecMainStatus", "InvocationID",
    "StateChangeTimestamp", "ActiveEnterTimestampMonotonic", "SourcePath",
)  # fmt: skip
_LOG_LINES = 5


class Read(NamedTuple):
    """A host that was read: what is judged, and its view, if its psid told one."""

    node: Node
    view: View | None


def survey(host: str, connection: Connection, admin: Admin, timeout: float) -> Read:
    """Return what a host is like; raises `HostError`. Its psid is asked for its own view alone."""
    try:
        units = _units(connection, timeout)
    except NotSystemd:
        # A host with the init script alone; without even that there is nothing to judge.
        if not _has_script(connection, timeout):
            raise
        units = {}
    unit, legacy = _choose(units)
    if unit is None and not legacy:
        legacy = bool(units) and _has_script(connection, timeout)
    legacy = legacy or not units
    if unit is not None and unit.failed:
        lines = tuple(read_log(connection, unit, _LOG_LINES, timeout))
        unit = replace(unit, log=lines)
    uptime, hostname = _clock(connection, timeout)
    reply, nodes, said = admin.local()
    slurmd = _SLURMD in units and units[_SLURMD].active in RUNNING
    psslurm = None
    if slurmd and reply is Reply.ANSWERED:
        plugins = admin.plugins(nodes.own)
        psslurm = None if plugins is None else "psslurm" in plugins
    node = Node(
        host=host,
        unit=unit,
        legacy=legacy,
        socket=units.get(SOCKET),
        age=_age(unit, uptime),
        hostname=hostname,
        reply=reply,
        said=said,
        conf=_conf(connection, timeout),
        slurmd=slurmd,
        psslurm=psslurm,
    )
    return Read(node, make_view(host, nodes) if reply is Reply.ANSWERED else None)


def _units(connection: Connection, timeout: float) -> dict[str, UnitStatus]:
    channel = connection.open_bus()
    try:
        client = Client(channel, Deadline(timeout))
        reading = [(name, detail) for name in (_PSID, _OLD, SOCKET) for detail in _DETAILS]
        calls = [manager.get_unit_property(*pair) for pair in reading]
        first, *replies = client.call([manager.list_units_by_names(_UNITS), *calls])
    finally:
        channel.close()
    rows = manager.parse_rows_of(first, _UNITS)
    details: dict[str, dict[str, Any]] = {}
    for (name, detail), reply in zip(reading, replies, strict=True):
        if (value := manager.parse_property(reply)) not in (None, ""):
            details.setdefault(name, {})[detail] = value
    return {
        name: UnitStatus(
            name=name, id=row.id, description=row.description, load=row.load, active=row.active,
            sub=row.sub, properties=details.get(name, {}),
        )
        for name, row in zip(_UNITS, rows, strict=True)
    }  # fmt: skip


def _choose(units: Mapping[str, UnitStatus]) -> tuple[UnitStatus | None, bool]:
    """Return the unit that runs psid, and whether it stands for an init script."""
    for name in (_PSID, _OLD):
        unit = units.get(name)
        if unit is not None and (unit.load != "not-found" or unit.active in RUNNING):
            return unit, str(unit.properties.get("SourcePath", "")).startswith("/etc/")
    return None, False


def _has_script(connection: Connection, timeout: float) -> bool:
    done = connection.run(("ls", "-d", "--", INIT_SCRIPT), Deadline(timeout))
    return INIT_SCRIPT in done.stdout.decode(errors="replace").split("\n")


def _clock(connection: Connection, timeout: float) -> tuple[float | None, str]:
    """Return the seconds for which the host has been up, by its own clock, and its name."""
    argv = ("cat", "/proc/uptime", "/proc/sys/kernel/hostname")
    text = connection.run(argv, Deadline(timeout)).stdout.decode(errors="replace")
    first, _, rest = text.partition("\n")
    try:
        return float(first.split()[0]), rest.strip()
    except (ValueError, IndexError):
        return None, ""


def _conf(connection: Connection, timeout: float) -> str | None:
    """Return the checksum of the file with the nodes; "" if psid reads no such file."""
    done = connection.run(("env", "LC_ALL=C", "sha256sum", "--", CONF), Deadline(timeout))
    if done.status != 0:
        return "" if b"No such file" in done.stderr else None
    found = done.stdout.decode(errors="replace")[:_DIGITS]
    return "" if found == _EMPTY else found


def _age(unit: UnitStatus | None, uptime: float | None) -> float | None:
    """Return the seconds for which a unit has been active, None if that is not known."""
    since = unit.properties.get("ActiveEnterTimestampMonotonic") if unit is not None else None
    if unit is None or unit.active not in RUNNING or not isinstance(since, int) or not since:
        return None
    return believed_age(None if uptime is None else uptime - since / 1e6)
