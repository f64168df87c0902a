"""One HTTP/1.1 request and its answer over any stream.

h11 knows the protocol and does no input or output, so that it fits streams that are no sockets.
"""

import contextlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import urlsplit

import h11

from psops import __version__
from psops.deadline import Deadline
from psops.errors import ConnectRefused, DeadlineExceeded
from psops.transport import ByteStream

#: How much of an answer is read.
MOST = 1024 * 1024
_MOST_HEADERS = 65536
_PORTS = {"http": 80, "https": 443}


class Target(NamedTuple):
    """The parts of a URL."""

    tls: bool
    #: As in the URL, with the brackets of an IPv6 address and the port if it was given.
    authority: str
    host: str
    port: int
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """An answer, its body cut after `MOST` bytes; `complete` tells whether that was all."""

    status: int
    reason: str
    headers: dict[str, str]
    body: bytes
    complete: bool
    elapsed: float


class NoResponse(Exception):
    """What came is no answer: the code says why, see `codes`."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


def parse_url(url: str) -> Target:
    """Return the parts of a URL; raises `ValueError`."""
    parts = urlsplit(url)
    if parts.scheme not in _PORTS or not parts.hostname:
        raise ValueError(f"'{url}' is not an http or https URL")
    path = parts.path or "/"
    return Target(
        parts.scheme == "https",
        parts.netloc.rpartition("@")[2],
        parts.hostname,
        parts.port or _PORTS[parts.scheme],
        f"{path}?{parts.query}" if parts.query else path,
    )


def get(stream: ByteStream, target: Target, deadline: Deadline) -> Response:
    """Return the answer to a GET; raises `NoResponse`, or `HostError` of the stream."""
    return ask(stream, target, deadline)


def ask(
    stream: ByteStream,
    target: Target,
    deadline: Deadline,
    *,
    method: str = "GET",
    headers: Sequence[tuple[str, str]] = (),
    body: bytes = b"",
    most: int = MOST,
) -> Response:
    """Return the answer to a request; raises as `get` does. `most` bytes of the body are kept."""
    begin = time.monotonic()
    http = h11.Connection(h11.CLIENT, max_incomplete_event_size=_MOST_HEADERS)
    sent = [
        ("Host", target.authority),
        ("User-Agent", f"psops/{__version__}"),
        ("Accept", "application/json, */*;q=0.5"),
        ("Accept-Encoding", "identity"),
        ("Connection", "close"),
        *headers,
        *([("Content-Length", str(len(body)))] if body else ()),
    ]
    try:
        request = h11.Request(method=method, target=target.path, headers=sent)
    except (h11.LocalProtocolError, UnicodeEncodeError):
        # Its message would quote the header, and a secret with it.
        raise NoResponse("cannot-run", "the request has what HTTP does not allow") from None
    data = http.send(request) or b""
    if body:
        data += http.send(h11.Data(data=body)) or b""
    with contextlib.suppress(ConnectRefused):  # what came before the end is read all the same
        stream.send(data + (http.send(h11.EndOfMessage()) or b""), deadline)
    response: h11.Response | None = None
    content = bytearray()
    complete = False
    received = 0
    while not complete and len(content) <= most:
        try:
            event = http.next_event()
            if event is h11.NEED_DATA:
                if deadline.passed():  # bytes come, but too slowly
                    raise DeadlineExceeded(f"no whole answer within {deadline.seconds:.3g} s")
                data = stream.receive(deadline)
                received += len(data)
                http.receive_data(data)
        except (h11.RemoteProtocolError, ConnectRefused) as exc:
            raise _explain(exc, received, response) from exc
        if isinstance(event, h11.Response):
            response = event
        elif isinstance(event, h11.Data):
            content += event.data
        elif isinstance(event, h11.EndOfMessage):
            complete = True
        elif isinstance(event, h11.ConnectionClosed):
            raise NoResponse("broken", "the connection was closed without an answer")
    if response is None:
        raise NoResponse("broken", "the connection was closed without an answer")
    return Response(
        status=response.status_code,
        reason=response.reason.decode("latin-1"),
        headers={name.decode("latin-1"): value.decode("latin-1")
                 for name, value in response.headers},
        body=bytes(content[:most]),
        complete=complete and len(content) <= most,
        elapsed=time.monotonic() - begin,
    )  # fmt: skip


def _explain(exc: Exception, received: int, response: h11.Response | None) -> NoResponse:
    if response is not None:
        return NoResponse("truncated", f"the answer ({response.status_code}) breaks off: {exc}")
    if not received:
        return NoResponse("broken", "the connection was closed without an answer")
    if isinstance(exc, ConnectRefused):
        return NoResponse("broken", f"the connection broke: {exc}")
    return NoResponse("not-http", f"what answers does not speak HTTP ({exc})")
