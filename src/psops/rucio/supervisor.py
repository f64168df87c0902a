"""The programs of a supervisord, asked over its Unix socket.

Authority: Supervisor 4.2.5, docs/api.rst: XML-RPC by HTTP POST to /RPC2, and the states of
`getAllProcessInfo`. The socket is for root alone where Debian packages it.
"""

import re
from dataclasses import dataclass
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
_REMEDIES = {401: "psops knows no password of supervisord; take it from [unix_http_server]"}
_CALL = (
    b"<?xml version='1.0'?><methodCall><methodName>supervisor.getAllProcessInfo</methodName>"
    b"<params></params></methodCall>"
)
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
    refused: HostError = NoBus("supervisord has no socket")
    for path in SOCKETS:
        try:
            return _ask(connection, path, deadline)
        except (ChannelRefused, ConnectRefused, NoBus) as exc:
            refused = refused if isinstance(refused, ChannelRefused) else exc
    raise refused


def _ask(connection: Connection, path: str, deadline: Deadline) -> tuple[Program, ...]:
    stream = connection.open_unix(path, deadline)
    try:
        response = ask(
            stream, _TARGET, deadline, method="POST", headers=(("Content-Type", "text/xml"),),
            body=_CALL, most=_MOST_BYTES,
        )  # fmt: skip
    except NoResponse as exc:
        raise ConnectRefused(f"{path}: {clean(str(exc))}", remedy="") from exc
    finally:
        stream.close()
    if response.status != 200:
        status = f"{response.status} {clean(response.reason)}".strip()
        raise ProtocolError(
            f"supervisord answers {status}", remedy=_REMEDIES.get(response.status, "")
        )
    return parse_programs(response.body)


def parse_programs(body: bytes) -> tuple[Program, ...]:
    """Return the programs of an answer to `getAllProcessInfo`; raises `ProtocolError`."""
    # The standard parser expands entities that a document declares, without any limit.
    if re.search(rb"<!(DOCTYPE|ENTITY)", body, re.IGNORECASE):
        raise ProtocolError("supervisord's answer declares a document type", remedy="")
    from xmlrpc.client import Error, loads

    try:
        answer: Any = loads(body.decode("utf-8", errors="replace"))[0]
        (values,) = answer
        return tuple(_program(value) for value in values)
    except Error as exc:
        raise ProtocolError(f"supervisord answers with an error: {clean(str(exc))}") from exc
    except Exception as exc:  # what a parser of XML and of types says of nonsense
        raise ProtocolError(f"supervisord's answer makes no sense: {clean(str(exc))}") from exc


def _program(value: Any) -> Program:
    state = str(value["statename"])
    now, start, stop = (int(value[name]) for name in ("now", "start", "stop"))
    pid = int(value["pid"])
    ended = state in ("EXITED", "FATAL", "BACKOFF", "STOPPED")
    return Program(
        group=str(value["group"]), name=str(value["name"]), state=state, pid=pid,
        exit_code=int(value["exitstatus"]) if ended and stop else None,
        up=float(max(0, now - start)) if pid else None,
        down=float(max(0, now - stop)) if stop and not pid else None,
        spawn_error=str(value["spawnerr"]),
    )  # fmt: skip
