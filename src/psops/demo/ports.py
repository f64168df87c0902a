"""What demo hosts have beside units: ports with web pages behind them, sockets, files.

All of it follows from the units: a port is open while one of the units behind it is active.
"""

import json
import ssl
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any

from psops.deadline import Deadline
from psops.demo import hosts
from psops.demo.numbers import SECOND
from psops.demo.profile import Profile
from psops.errors import ConnectRefused, DeadlineExceeded
from psops.inventory import Host

_WEB = ("httpd.service", "apache2.service")
_DATABASE = ("postgresql@15-main.service", "postgresql.service")
#: Port -> the units behind it; the first that the host has decides.
_PORTS: Mapping[int, tuple[str, ...]] = {
    80: _WEB,
    443: _WEB,
    861: ("owamp-server.service",),
    862: ("twamp-server.service",),
    5432: _DATABASE,
    9000: ("perfsonar-configdaemon.service", "perfsonar-toolkit-config-daemon.service"),
    9100: ("node_exporter.service",),
    9200: ("opensearch.service",),
    11283: ("logstash.service",),
    25080: ("panda_httpd.service",),
}
#: Begin of a path -> the units behind it, which answer 503 while they are down.
_BEHIND: Mapping[str, tuple[str, ...]] = {
    "/pscheduler/status": _DATABASE,
    "/pscheduler/stat": _DATABASE,
    "/opensearch": ("opensearch.service",),
    "/esmond": ("opensearch.service",),
    "/grafana": ("grafana-server.service",),
}
_PAGES: Mapping[str, Any] = {
    "/pscheduler/api": 6,
    "/pscheduler/clock": {"synchronized": True, "source": "ntp", "offset": 0.0002},
    "/pscheduler/stat/control/pause": {"is_paused": False},
    "/opensearch/_cluster/health": {
        "status": "yellow", "timed_out": False, "active_shards": 12, "unassigned_shards": 4,
    },
    "/grafana/api/health": {"database": "ok"},
}  # fmt: skip
_TEXTS = {"/metrics": "node_load1 0.21\n", "/perfsonar_host_exporter": "perfsonar_bundle 1\n"}
_BEATS = ("ticker", "scheduler", "runner", "archiver")
_SOCKETS: Mapping[str, str] = {
    "00000000: 00000002 00000000 00010000 0001 01 4242 @parastation.sock": "psid.service",
    " 0: 00000000:0376 00000000:0000 07 0:0 0:0 0 0 0 1 2 0 0": "psid.service",
    " 0: 00000000:0378 00000000:0000 0A 0:0 0:0 0 0 0 1": "psidstarter.socket",
}
_HEADS = ("Num RefCount Protocol Flags Type St Inode Path", " sl local rem st drops", " sl local")
#: Files that are written by a unit as long as it runs; others have not changed for a while.
_WRITERS = {"/var/log/panda/panda-daemons.log": "panda_daemon.service"}
_NAME = "demo"


class DemoStream:
    """A stream to a web server of a demo host; in TLS if that is what comes first."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._tls: ssl.SSLObject | None = None
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._request = self._answer = b""
        self._ended = False

    def send(self, data: bytes, deadline: Deadline) -> None:
        """Take a part of the request, and make the answer when it is whole."""
        if self._tls is None and not self._request and data.startswith(b"\x16"):
            self._tls = _context().wrap_bio(self._incoming, self._outgoing, server_side=True)
        if self._tls is None:
            self._request += data
        else:
            self._incoming.write(data)
            try:
                self._tls.do_handshake()
                self._request += self._tls.read(65536)
            except ssl.SSLWantReadError:
                pass
            except ssl.SSLError:  # the other side does not trust the certificate
                self._ended = True
        if b"\r\n\r\n" in self._request and not self._ended:
            self._ended = True
            answer = _respond(self._host, self._request.split()[1].decode())
            if self._tls is None:
                self._answer += answer
            else:
                self._tls.write(answer)
        self._answer += self._outgoing.read()

    def receive(self, deadline: Deadline) -> bytes:
        """Return the next bytes; where none can come any more, the time-out has passed."""
        answer, self._answer = self._answer, b""
        if not answer and not self._ended:
            raise DeadlineExceeded(f"no answer within {deadline.seconds:g} s")
        return answer

    def close(self) -> None:
        """Close the stream."""
        self._ended = True


def open_port(host: Host, port: int) -> DemoStream:
    """Return a stream to a port of the host; raises `ConnectRefused` while its unit is down."""
    if not _is_up(hosts.current(host), _PORTS.get(port, ())):
        raise ConnectRefused(f"localhost port {port}: connection refused", remedy="")
    return DemoStream(host)


def sockets(host: Host) -> bytes:
    """Return the kernel's tables of sockets, as far as anybody asks for them."""
    profile = hosts.current(host)
    lines = [
        line
        for head, (socket, unit) in zip(_HEADS, _SOCKETS.items(), strict=True)
        for line in (head, socket)
        if line == head or _is_up(profile, (unit,))
    ]
    return "\n".join(lines).encode()


def files(host: Host, paths: tuple[str, ...]) -> bytes:
    """Return what `stat -c '%Y %n'` says of files; a demo host has them all."""
    profile = hosts.current(host)
    now = hosts.clock.microseconds() // SECOND
    lines = [f"{now} /proc/self"]
    for path in paths:
        fresh = _is_up(profile, (_WRITERS.get(path, ""),))
        lines.append(f"{now - (60 if fresh else 86400)} {path}")
    return "\n".join(lines).encode()


def _is_up(profile: Profile, units: tuple[str, ...]) -> bool:
    found = next((profile.units[name] for name in units if name in profile.units), None)
    return found is not None and found.active == "active"


def _respond(host: Host, path: str) -> bytes:
    profile = hosts.current(host)
    path = path.partition("?")[0]
    now = datetime.fromtimestamp(hosts.clock.microseconds() / SECOND, UTC)
    behind = next((units for begin, units in _BEHIND.items() if path.startswith(begin)), _WEB)
    status, body = "200 OK", _TEXTS.get(path, "")
    if behind is not _WEB and not _is_up(profile, behind):
        word = "Internal Server Error" if behind is _DATABASE else "Service Unavailable"
        status = f"{500 if behind is _DATABASE else 503} {word}"
    elif path == "/pscheduler/status":
        body = json.dumps(_beats(profile, now))
    elif path.endswith("/_search"):
        body = json.dumps(_newest(profile, now))
    elif path == "/logstash":
        status = "401 Unauthorized"
    elif path in _PAGES:
        body = json.dumps(_PAGES[path])
    lines = (
        f"HTTP/1.1 {status}", f"Date: {now:%a, %d %b %Y %H:%M:%S} GMT",
        f"Content-Length: {len(body)}", "", body,
    )  # fmt: skip
    return "\r\n".join(lines).encode()


def _beats(profile: Profile, now: datetime) -> dict[str, Any]:
    beats = {}
    for name in _BEATS:
        up = _is_up(profile, (f"pscheduler-{name}.service",))
        last = now.isoformat()
        beats[name] = {"uptime": "PT4H", "last": last, "overdue": None if up else "PT20M"}
    runs = {"last-finished": now.isoformat()}
    return {"time": now.isoformat(), "limits": {"ok": True}, "services": beats, "runs": runs}


def _newest(profile: Profile, now: datetime) -> dict[str, Any]:
    """Return what a search for the newest document finds: none came since Logstash is down."""
    up = _is_up(profile, ("logstash.service",))
    newest = (now.timestamp() - (60 if up else 86400)) * 1000
    return {
        "timed_out": False,
        "_shards": {"total": 3, "successful": 3, "skipped": 0, "failed": 0},
        "aggregations": {
            "past": {"doc_count": 5000, "newest": {"value": newest}},
            "future": {"doc_count": 0},
        },
    }


@cache
def _context() -> ssl.SSLContext:
    """Return the settings of a server whose certificate is signed by itself, as is usual."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, _NAME)])
    now = int(datetime.now(UTC).timestamp())
    day = 86400
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime.fromtimestamp(now - day, UTC))
        .not_valid_after(datetime.fromtimestamp(now + 200 * day, UTC))
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.NamedTemporaryFile() as file:  # ssl takes them from a file only
        file.write(pem + certificate.public_bytes(serialization.Encoding.PEM))
        file.flush()
        context.load_cert_chain(file.name)
    return context
