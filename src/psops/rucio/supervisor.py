"""The programs of a supervisord, asked over its Unix socket.

Authority: Supervisor 4.2.5, docs/api.rst: XML-RPC by HTTP POST to /RPC2, and the states of
`getAllProcessInfo`. The socket is for root alone where Debian packages it.
"""

import math
import re
from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from psops.checks.exchange import NoResponse, Target, ask
from psops.deadline import Deadline
from psops.errors import ChannelRefused, ConnectRefused, HostError, NoBus, ProtocolError
from psops.report.text import clean
from psops.transport import Connection

#: Of Debian, of Enterprise Linux, and Supervisor's own.
SOCKETS = ("/run/supervisor.sock", "/run/supervisor/supervisor.sock", "/tmp/supervisor.sock")
_TARGET = Target(False, "localhost", "localhost", 80, "/RPC2")
#: Some thousand programs.
_MOST_BYTES = 4 << 20
_FOR_ROOT = "the socket is for root where Debian packages it; log in as root"
_REMEDIES = {401: "psops knows no password of supervisord; take it from [unix_http_server]"}
_CALL = (
    "<?xml version='1.0'?><methodCall><methodName>supervisor.{}</methodName>"
    "<params>{}</params></methodCall>"
)
_NUMBER = "<param><value><int>{}</int></value></param>"
#: So much of the end of its log is looked at for programs that ended by themselves.
_LOG_BYTES = 65536
_EXITED = re.compile(
    r"^([0-9-]{10} [0-9:]{8}),[0-9]+ \w+ exited: (\S+) \((?:exit status ([0-9]{1,3}))?",
    re.MULTILINE,
)
_ANY_LINE = re.compile(r"^([0-9-]{10} [0-9:]{8}),[0-9]+ ", re.MULTILINE)
#: How it says that a program ended before it was taken for started; then it has no exit code.
_TOO_QUICKLY = "Exited too quickly"
#: Seconds for which a program's end counts.
_RECENT = 600.0
#: State -> the active state of systemd that is the nearest.
_ACTIVE: dict[str, str] = {
    "RUNNING": "active",
    "STARTING": "activating",
    "BACKOFF": "activating",
    "STOPPING": "deactivating",
    "STOPPED": "inactive",
    "EXITED": "inactive",
    "FATAL": "failed",
    "UNKNOWN": "failed",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """One process of supervisord. Times in seconds ago, None where nothing runs or ended."""

    group: str
    name: str
    state: str
    pid: int
    exit_code: int | None
    up: float | None
    down: float | None
    spawn_error: str
    #: How often it ended by itself of late, as far as the log tells.
    restarts: int = 0

    @property
    def active(self) -> str:
        """The active state of systemd that is the nearest."""
        return _ACTIVE.get(self.state, "failed")

    @property
    def wanted(self) -> bool:
        """Whether it must run: one that was stopped by hand, or never started, need not."""
        return self.state != "STOPPED"


def read_programs(connection: Connection, deadline: Deadline) -> tuple[Program, ...]:
    """Return the programs of the host's supervisord; raises `HostError`."""
    refused: list[HostError] = []
    for path in SOCKETS:
        try:
            return _ask(connection, path, deadline)
        except (ChannelRefused, ConnectRefused, NoBus) as exc:
            refused.append(exc)
    # By SSH one that is not there cannot be told from one that is not for this user.
    raise ChannelRefused("; ".join(map(str, refused)), remedy=_FOR_ROOT)


def _ask(connection: Connection, path: str, deadline: Deadline) -> tuple[Program, ...]:
    programs = parse_programs(_call(connection, path, deadline, "getAllProcessInfo"))
    try:
        body = _call(connection, path, deadline, "readLog", -_LOG_BYTES, 0)
        log = str(_value(body))
    except HostError:  # it keeps no log, or none that it shows
        return programs
    exits, codes = count_exits(log), _last_codes(log)
    return tuple(
        replace(
            one, restarts=exits.get(one.name, 0),
            exit_code=codes.get(one.name) if one.spawn_error.startswith(_TOO_QUICKLY)
            else one.exit_code,
        )
        for one in programs
    )  # fmt: skip


def _call(
    connection: Connection, path: str, deadline: Deadline, method: str, *numbers: int
) -> bytes:
    """Return the body of the answer to a method; raises `HostError`."""
    params = "".join(_NUMBER.format(number) for number in numbers)
    stream = connection.open_unix(path, deadline)
    try:
        response = ask(
            stream, _TARGET, deadline, method="POST", headers=(("Content-Type", "text/xml"),),
            body=_CALL.format(method, params).encode(), most=_MOST_BYTES,
        )  # fmt: skip
    except NoResponse as exc:
        raise ConnectRefused(f"{path}: {clean(str(exc))}", remedy="") from exc
    finally:
        stream.close()
    if response.status != 200:
        status = f"{response.status} {clean(response.reason)}".strip()
        remedy = _REMEDIES.get(response.status, "")
        raise ProtocolError(f"supervisord answers {status}", remedy=remedy)
    return response.body


def count_exits(log: str) -> Counter[str]:
    """Return how often each program ended by itself, in the last ten minutes of a log.

    One that was stopped by hand is `stopped:` there. The log's times are local ones of its
    host and are compared with each other alone.

    >>> count_exits("2026-11-21 08:20:01,123 WARN exited: hermes (exit status 2; not expected)")
    Counter({'hermes': 1})
    """
    lines = _ANY_LINE.findall(log)
    last = _moment(lines[-1]) if lines else 0.0
    return Counter(
        name for moment, name, _ in _EXITED.findall(log) if last - _moment(moment) <= _RECENT
    )


def _last_codes(log: str) -> dict[str, int | None]:
    """Return the exit code of each program's last end in a log, None for a signal."""
    return {name: int(code) if code else None for _, name, code in _EXITED.findall(log)}


def _moment(text: str) -> float:
    try:
        return datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC).timestamp()
    except ValueError:  # something else that looks like it
        return -math.inf


def parse_programs(body: bytes) -> tuple[Program, ...]:
    """Return the programs of an answer to `getAllProcessInfo`; raises `ProtocolError`."""
    values = _value(body)
    try:
        return tuple(_program(value) for value in values)
    except (TypeError, ValueError, KeyError, OverflowError, AttributeError) as exc:
        raise ProtocolError("supervisord's list of programs makes no sense", remedy="") from exc


def _value(body: bytes) -> Any:
    # The standard parser expands entities that a document declares, without any limit.
    if re.search(rb"<!(DOCTYPE|ENTITY)", body, re.IGNORECASE):
        raise ProtocolError("supervisord's answer declares a document type", remedy="")
    from xmlrpc.client import Fault, loads

    try:
        (value,) = loads(body.decode("utf-8", errors="replace"))[0]
    except Fault as exc:
        text = f"supervisord refuses: {clean(str(exc.faultString))}"
        raise ProtocolError(text, remedy="") from exc
    except Exception as exc:  # what a parser of XML and of types says of nonsense
        told = f": {clean(str(exc))}" if str(exc) else ""
        raise ProtocolError(f"supervisord's answer makes no sense{told}", remedy="") from exc
    return value


def _program(value: Any) -> Program:
    state = str(value["statename"])
    now, start, stop = (int(value[name]) for name in ("now", "start", "stop"))
    pid = int(value["pid"])
    status = int(value["exitstatus"])
    return Program(
        group=str(value["group"]), name=str(value["name"]), state=state, pid=pid,
        # In other states it is 0, and after a signal -1.
        exit_code=status if state == "EXITED" and status >= 0 else None,
        up=float(max(0, now - start)) if pid else None,
        down=float(max(0, now - stop)) if stop and not pid else None,
        spawn_error=str(value["spawnerr"]),
    )  # fmt: skip
