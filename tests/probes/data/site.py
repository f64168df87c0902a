"""A server with answers to be set, on a port or a Unix socket, and probes that ask it."""

import contextlib
import json
import socketserver
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.utils import formatdate
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

from psops.catalogue.entry import Probe
from psops.catalogue.probes import probes
from psops.checks import Answer
from psops.inventory import Host
from psops.probes import KINDS
from psops.probes.world import World
from psops.transport import Connection, Options, connect
from psops.verdict import Verdict

VECTORS = Path(__file__).parents[2] / "vectors" / "sand"
#: What a server does with the socket of a request.
Reply = Callable[[Any], None]


class Request(NamedTuple):
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Said:
    """A reply with a status line, the usual headers, more of them, and a body."""

    status: str
    body: bytes
    headers: tuple[str, ...]

    def __call__(self, sock: Any) -> None:
        """Send it."""
        head = [f"HTTP/1.1 {self.status}", f"Content-Length: {len(self.body)}"]
        if not any(name.startswith("Date:") for name in self.headers):
            head.append(f"Date: {formatdate(usegmt=True)}")
        sock.sendall("\r\n".join([*head, *self.headers, "", ""]).encode() + self.body)


def said(status: str, body: bytes, *headers: str) -> Said:
    """Return a reply."""
    return Said(status, body, headers)


def gives(document: Any, status: str = "200 OK", *headers: str) -> Said:
    """Return a reply with a JSON document."""
    return said(status, json.dumps(document).encode(), "Content-Type: application/json", *headers)


def _drip(sock: Any) -> None:
    sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    for _ in range(40):
        sock.sendall(b" ")
        time.sleep(0.05)


def _endless(sock: Any) -> None:
    sock.sendall(b"HTTP/1.1 200 OK\r\n\r\n[")
    for _ in range(16):
        sock.sendall(b"1," * 16384)


LOGIN = (
    b"<html><head><title>Sign in \x1b[31m</title></head><body><form>"
    b"<input type=\"password\" name='p'></form> OK green running db status ok</body></html>"
)
ERROR = {"error": {"type": "x_exception", "reason": "it \x1b[31m failed"}, "status": 500}
#: What must never be taken for good, by a name.
FOOLING: dict[str, Reply] = {
    "empty": said("200 OK", b""),
    "no-content": said("204 No Content", b""),
    "login-page": said("200 OK", LOGIN, "Content-Type: text/html"),
    "html": said("200 OK", b"<html><body>It works!</body></html>"),
    "text": said("200 OK", b"OK"),
    "null": gives(None),
    "zero": gives(0),
    "true": gives(True),
    "nan": said("200 OK", b"NaN"),
    "string": gives("ok"),
    "list": gives([]),
    "list-of-null": gives([None]),
    "object": gives({}),
    "error-in-body": gives(ERROR),
    "status-only": gives({"status": "ok", "database": None, "timed_out": False, "rows": []}),
    "deep": said("200 OK", b"[" * 200000),
    "redirect": said("302 Found", b"", "Location: https://sso.example/login"),
    "401": said("401 Unauthorized", b""),
    "403": gives({"status": "green"}, "403 Forbidden"),
    "404": said("404 Not Found", b""),
    "500": gives({"database": "ok", "status": "green"}, "500 Internal Server Error"),
    "503": said("503 Service Unavailable", b"try later"),
    "truncated": lambda sock: sock.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"a":'),
    "noise": lambda sock: sock.sendall(b"220 smtp.example ESMTP\r\n"),
    "nothing": lambda sock: None,
    "packed": said("200 OK", b"\x1f\x8b", "Content-Encoding: gzip"),
    "endless": _endless,
    "slow": _drip,
}


class Answering:
    """What makes a reply of a request instead of having one."""

    def reply(self, request: Request) -> Reply:
        raise NotImplementedError


class Site:
    """The answers of a server by path: a reply, a document, or a list of them, each for once."""

    def __init__(self) -> None:
        self.replies: dict[str, Any] = {}
        #: For every path that has none.
        self.default: Any = said("404 Not Found", b"")
        self.asked: list[Request] = []
        self.url = ""
        self.port = 0

    def reply(self, request: Request) -> Reply:
        self.asked.append(request)
        path = request.path.partition("?")[0]
        found = self.replies.get(request.path, self.replies.get(path, self.default))
        if isinstance(found, list):
            found = found.pop(0) if len(found) > 1 else found[0]
        if isinstance(found, Answering):
            return found.reply(request)
        if isinstance(found, dict):
            return gives(found)
        reply: Reply = found
        return reply


class _Handler(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        sock, server = self.request, self.server
        try:
            if server.tls is not None:  # type: ignore[attr-defined]
                sock = server.tls.wrap_socket(sock, server_side=True)  # type: ignore[attr-defined]
            if (request := _read(sock)) is not None:
                site: Site = server.site  # type: ignore[attr-defined]
                site.reply(request)(sock)
            if isinstance(sock, ssl.SSLSocket):
                sock = sock.unwrap()
        except OSError:
            """A client may go when it likes."""
        finally:
            sock.close()


def _read(sock: Any) -> Request | None:
    """Return the request that comes, None if the client goes before it is whole."""
    data = b""
    while b"\r\n\r\n" not in data:
        if not (more := sock.recv(65536)):
            return None
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = {name.lower(): value for name, _, value in (x.partition(": ") for x in lines)}
    while len(body) < int(headers.get("content-length", "0")):
        body += sock.recv(65536)
    method, path, _ = first.split(" ")
    return Request(method, path, headers, body)


class _Tcp(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128
    tls: ssl.SSLContext | None = None

    def handle_error(self, *_: Any) -> None:
        """A client may go when it likes."""


class _Unix(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128
    tls: ssl.SSLContext | None = None

    def handle_error(self, *_: Any) -> None:
        """A client may go when it likes."""


@contextlib.contextmanager
def serve(tls: ssl.SSLContext | None = None, unix: Path | None = None) -> Iterator[Site]:
    """Run a server."""
    site = Site()
    place = _Unix(str(unix), _Handler) if unix else _Tcp(("127.0.0.1", 0), _Handler)
    with place as server:
        server.site = site  # type: ignore[union-attr]
        server.tls = tls
        if isinstance(server, _Tcp):
            site.port = server.server_address[1]
            site.url = f"{'https' if tls else 'http'}://localhost:{site.port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield site
        finally:
            server.shutdown()
            thread.join()


class Clocked(World):
    """A world whose clock stands still at a time, if one is given."""

    at: float | None = None

    def now(self) -> float:
        return super().now() if self.at is None else self.at


def here(name: str = "") -> Connection:
    return connect(Host(name=name or "here", transport="local"), Options())


def probe(kind: str, **settings: Any) -> Probe:
    """Return a probe as a catalogue would have it, all defaults filled in."""
    found = probes({"it": {"kind": kind, "timeout": 5, **settings}})["it"]
    assert found is not None
    return found


def ask(
    kind: str,
    *,
    at: float | None = None,
    dial: Callable[[str], Connection] = here,
    between: Callable[[float], None] = lambda seconds: None,
    environment: dict[str, str] | None = None,
    **settings: Any,
) -> Answer:
    """Return what a probe answers in a world of its own; `between` is called instead of a wait."""
    world = Clocked(dial, sleep=between, environment=environment or {})
    world.at = at
    found: Answer = import_module(KINDS[kind]).answer(probe(kind, **settings), world)
    assert found.text.isprintable(), found.text
    assert all(aside.text.isprintable() for aside in found.asides)
    return found


def verdict(found: Answer) -> tuple[str, str]:
    return str(found.verdict), found.code


OK = ("ok", "ok")
GREEN = (Verdict.OK, Verdict.WARNING)


def vector(name: str) -> Any:
    """Return a recorded or documented answer."""
    return json.loads((VECTORS / name).read_text(encoding="utf-8"))
