"""One HTTP/1.1 request with headers and a body of its own, over any stream.

Like `psops.checks.exchange`, which only asks for pages; what is read here may be longer than
what a check looks at, and a server that goes on without end is left.
"""

import time
from collections.abc import Sequence
from typing import NamedTuple

import h11

from psops import __version__
from psops.checks.exchange import NoResponse
from psops.deadline import Deadline
from psops.errors import ConnectRefused, DeadlineExceeded
from psops.transport import ByteStream

#: How much of an answer is read: some 60 000 heartbeats.
MOST = 16 << 20
_MOST_HEADERS = 65536


class Reply(NamedTuple):
    """An answer with lower-case header names; `complete` tells whether the body is all of it."""

    status: int
    reason: str
    headers: dict[str, str]
    body: bytes
    complete: bool


def request(
    stream: ByteStream,
    method: str,
    path: str,
    authority: str,
    deadline: Deadline,
    *,
    headers: Sequence[tuple[str, str]] = (),
    body: bytes = b"",
) -> Reply:
    """Return the answer to a request; raises `NoResponse`, or `HostError` of the stream."""
    http = h11.Connection(h11.CLIENT, max_incomplete_event_size=_MOST_HEADERS)
    sent = [
        ("Host", authority),
        ("User-Agent", f"psops/{__version__}"),
        ("Accept-Encoding", "identity"),
        ("Connection", "close"),
        *headers,
    ]
    if body:
        sent.append(("Content-Length", str(len(body))))
    try:
        data = http.send(h11.Request(method=method, target=path, headers=sent)) or b""
    except h11.LocalProtocolError:
        # Its message would quote the header, and a token with it.
        raise NoResponse(
            "cannot-run", "the request has a header that HTTP does not allow"
        ) from None
    data += http.send(h11.Data(data=body)) or b"" if body else b""
    stream.send(data + (http.send(h11.EndOfMessage()) or b""), deadline)
    return _receive(stream, http, deadline)


def _receive(stream: ByteStream, http: h11.Connection, deadline: Deadline) -> Reply:
    response: h11.Response | None = None
    parts: list[bytes] = []
    size = received = 0
    complete = False
    begun = time.monotonic()
    while not complete and size <= MOST:
        try:
            event = http.next_event()
            if event is h11.NEED_DATA:
                if deadline.passed():  # bytes come, but too slowly
                    taken = time.monotonic() - begun
                    raise DeadlineExceeded(f"no whole answer within {taken:.3g} s")
                data = stream.receive(deadline)
                received += len(data)
                http.receive_data(data)
        except (h11.RemoteProtocolError, ConnectRefused) as exc:
            raise _explain(exc, received, response) from exc
        if isinstance(event, h11.Response):
            response = event
        elif isinstance(event, h11.Data):
            parts.append(bytes(event.data))
            size += len(event.data)
        elif isinstance(event, h11.EndOfMessage):
            complete = True
        elif isinstance(event, h11.ConnectionClosed):
            break
    if response is None:
        raise NoResponse("broken", "the connection was closed without an answer")
    return Reply(
        status=response.status_code,
        reason=response.reason.decode("latin-1"),
        headers={name.decode("latin-1"): value.decode("latin-1")
                 for name, value in response.headers},
        body=b"".join(parts)[:MOST],
        complete=complete and size <= MOST,
    )  # fmt: skip


def _explain(exc: Exception, received: int, response: h11.Response | None) -> NoResponse:
    if response is not None:
        return NoResponse("truncated", f"the answer ({response.status_code}) breaks off: {exc}")
    if not received:
        return NoResponse("broken", "the connection was closed without an answer")
    if isinstance(exc, ConnectRefused):
        return NoResponse("broken", f"the connection broke: {exc}")
    return NoResponse("not-http", f"what answers does not speak HTTP ({exc})")
