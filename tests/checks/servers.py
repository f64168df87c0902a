"""Servers with canned answers, good and bad, in threads of this process; certificates for them."""

import contextlib
import datetime
import ipaddress
import socket
import socketserver
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

Reply = Callable[[Any], None]


def said(status: str, body: bytes, *headers: str) -> Reply:
    """Return a reply with this status line, these headers and this body."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    return lambda sock: sock.sendall("\r\n".join(lines).encode() + body)


def raw(data: bytes) -> Reply:
    """Return a reply of just these bytes."""
    return lambda sock: sock.sendall(data)


def silent(sock: Any) -> None:
    """Say nothing for longer than any check waits."""
    time.sleep(3)


def _drip(sock: Any) -> None:
    sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    with contextlib.suppress(OSError):
        for _ in range(60):
            sock.sendall(b" ")
            time.sleep(0.05)


def _huge(sock: Any) -> None:
    sock.sendall(b"HTTP/1.1 200 OK\r\n\r\n[")
    with contextlib.suppress(OSError):
        for _ in range(64):
            sock.sendall(b"1," * 32768)


STATUS = (
    b'{"time": "2026-01-01T00:00:00Z", "limits": {"ok": true}, "services": {'
    b'"ticker": {"uptime": "PT5M", "overdue": null},'
    b'"runner": {"uptime": "PT5M", "overdue": "PT90S"},'
    b'"archiver": {"uptime": null}}, "runs": {"last-finished": null}}'
)
PAGE = b"<html><head><title>Sign in \x1b[31m</title></head><body>password</body></html>"
REPLIES: dict[str, Reply] = {
    "/pscheduler/api": said("200 OK", b"6\n"),
    "/pscheduler/status": said("200 OK", STATUS),
    "/500": said("500 INTERNAL SERVER ERROR", b"Database connection failed"),
    "/page": said("200 OK", PAGE, "Content-Type: text/html"),
    "/redirect": said("302 Found", b"", "Location: https://sso.example/login"),
    "/401": said("401 Unauthorized", b""),
    "/404": said("404 Not Found", b"<title>Not here</title>"),
    "/chunked": raw(
        b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"a":\r\n3\r\n 1}\r\n0\r\n\r\n'
    ),
    "/until-end": raw(b'HTTP/1.0 200 OK\r\n\r\n{"a": 1}'),
    "/truncated": raw(b'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"a":'),
    "/bad-chunk": raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
    "/gzip": said("200 OK", b"\x1f\x8b", "Content-Encoding: gzip"),
    "/nothing": raw(b""),
    "/noise": raw(b"220 smtp.example ESMTP\r\n"),
    "/silent": silent,
    "/drip": _drip,
    "/huge": _huge,
}


class _Handler(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        sock = self.request
        with contextlib.suppress(OSError):
            if self.server.tls is not None:  # type: ignore[attr-defined]
                sock = self.server.tls.wrap_socket(sock, server_side=True)  # type: ignore[attr-defined]
            data = b""
            while b"\r\n\r\n" not in data:
                more = sock.recv(65536)
                if not more:
                    return
                data += more
            path = data.split(b" ")[1].decode()
            self.server.asked.append(path)  # type: ignore[attr-defined]
            REPLIES.get(path, said("200 OK", b"fine"))(sock)
            with contextlib.suppress(OSError):
                if isinstance(sock, ssl.SSLSocket):
                    sock.unwrap()
            sock.close()


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self, address: str, tls: ssl.SSLContext | None) -> None:
        super().__init__((address, 0), _Handler)
        self.tls = tls
        self.asked: list[str] = []

    def handle_error(self, *_: Any) -> None:
        """A client may go when it likes."""


class Served(NamedTuple):
    """A server that runs: its port, and the paths that were asked for."""

    port: int
    asked: list[str]


@contextlib.contextmanager
def serve(tls: ssl.SSLContext | None = None, address: str = "127.0.0.1") -> Iterator[Served]:
    """Run a server that gives the canned replies."""
    with _Server(address, tls) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield Served(server.server_address[1], server.asked)
        finally:
            server.shutdown()
            thread.join()


@contextlib.contextmanager
def black_hole() -> Iterator[int]:
    """Give a port whose connections are never accepted: its queue is full."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


class Authority:
    """An authority of our own and the certificates that it signs."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "psops test authority")])
        own = self._build(self._name, self._key, -10, 100, [], authority=True)
        self.certificate = directory / "authority.pem"
        self.certificate.write_bytes(own.public_bytes(serialization.Encoding.PEM))

    def context(
        self, *, begin: int = -10, end: int = 100, name: str = "localhost", signed: bool = True
    ) -> ssl.SSLContext:
        """Return a server's context with a certificate from one day to another, from today."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        names: list[x509.GeneralName] = [x509.DNSName(name)]
        if name == "localhost":
            names.append(x509.IPAddress(ipaddress.ip_address("127.0.0.1")))
        found = self._build(subject, key, begin, end, names, signer=None if signed else key)
        path = self._directory / f"{name}.{begin}.{end}.{signed}.pem"
        path.write_bytes(
            found.public_bytes(serialization.Encoding.PEM)
            + key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context

    def _build(
        self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, begin: int, end: int,
        names: list[x509.GeneralName], *, authority: bool = False,
        signer: ec.EllipticCurvePrivateKey | None = None,
    ) -> x509.Certificate:  # fmt: skip
        now = datetime.datetime.now(datetime.UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name if signer is None else subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + datetime.timedelta(days=begin))
            .not_valid_after(now + datetime.timedelta(days=end, hours=1))
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        )
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        return builder.sign(signer or self._key, hashes.SHA256())
