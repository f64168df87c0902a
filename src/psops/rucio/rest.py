"""Heartbeats from Rucio's REST server.

Authority: Rucio 41.5.1, lib/rucio/web/rest/flaskapi/v1/heartbeats.py: `GET /heartbeats` with
a token in `X-Rucio-Auth-Token` gives a list of objects whose times are of RFC 1123 in UTC. The
generic policy lets the account root alone see it (lib/rucio/core/permission/generic.py).
"""

import json
import re
from email.utils import parsedate_to_datetime
from typing import Any

from psops.checks.exchange import NoResponse, Target, parse_url
from psops.checks.tls import HandshakeFailed, TlsStream, Untrusted
from psops.deadline import Deadline
from psops.errors import HostError, RowsUnread, UsageError
from psops.report.text import clean, squeeze
from psops.rucio.exchange import MOST, Reply, request
from psops.rucio.rows import BadRow, Row, make_row
from psops.rucio.secret import Secret
from psops.rucio.source import Rows, Source
from psops.transport import ByteStream
from psops.transport.dial import dial_tcp
from psops.transport.stream import TcpStream

_EXCERPT = 100
_LOCAL = re.compile(r"localhost|127(\.[0-9]{1,3}){3}|::1")
#: Status -> what it means there, and what to do.
_REFUSALS: dict[int, tuple[str, str]] = {
    400: ("the server takes the request for one without a token", "get a new token: rucio whoami"),
    401: ("the token is not valid, or has ended", "get a new token: rucio whoami"),
    403: ("the account may not see heartbeats", "use a token of the account root"),
    404: ("there are no heartbeats at this address", "give the address of Rucio's own server"),
    406: ("the server does not give JSON", "is this Rucio 0.3.4 or newer?"),
}


def rest_source(url: str, token: Secret) -> Source:
    """Return the server at a URL such as https://rucio.example as a source; raises `UsageError`."""
    try:
        target = parse_url(url)
    except ValueError as exc:
        raise UsageError(str(exc)) from exc
    if "@" in url.partition("://")[2].partition("/")[0]:
        raise UsageError("--rest takes a URL without user and password")
    if "?" in target.path or "#" in url:
        raise UsageError(f"'{url}' has more than a path; give the address of the server alone")
    if not target.tls and not _LOCAL.fullmatch(target.host):
        raise UsageError(
            f"the token would be sent to {url} for everybody to read",
            remedy="use https; plain http is for this machine alone",
        )
    path = target.path.rstrip("/")
    if not path.endswith("/heartbeats"):
        path += "/heartbeats"
    target = target._replace(path=path)
    shown = f"{'https' if target.tls else 'http'}://{target.authority}{path}"
    return Source(name=clean(shown), read=lambda timeout: fetch(target, token, Deadline(timeout)))


def fetch(target: Target, token: Secret, deadline: Deadline) -> Rows:
    """Return the heartbeats; raises `HostError` with the reason. The token is in no message."""
    stream: ByteStream | None = None
    headers = (("Accept", "application/json"), ("X-Rucio-Auth-Token", token.value))
    try:
        stream = TcpStream(dial_tcp(target.host, target.port, deadline).sock)
        if target.tls:
            stream = TlsStream(stream, target.host, deadline, verify=True)
        reply = request(stream, "GET", target.path, target.authority, deadline, headers=headers)
    except Untrusted as exc:
        raise RowsUnread(
            f"the server's certificate is not trusted: {clean(str(exc))}",
            remedy="name the authority's file in SSL_CERT_FILE",
        ) from exc
    except HandshakeFailed as exc:
        raise RowsUnread(clean(str(exc))) from exc
    except NoResponse as exc:
        raise RowsUnread(clean(str(exc))) from exc
    finally:
        if stream is not None:
            stream.close()
    return parse_reply(reply)


def parse_reply(reply: Reply) -> Rows:
    """Return the heartbeats of an answer; raises `RowsUnread` for any other answer.

    Ages are those by the server's own clock, its header `Date`, in whole seconds.
    """
    if reply.status != 200:
        raise _refusal(reply)
    if not reply.complete:
        raise RowsUnread(f"the answer is longer than {MOST >> 20} MiB, or breaks off")
    now = _seconds(reply.headers.get("date"))
    if now is None:
        raise RowsUnread("the answer has no date, so that no age is known")
    try:
        document = json.loads(reply.body)
    except (ValueError, RecursionError) as exc:
        raise RowsUnread(f"the answer is not JSON{_excerpt(reply)}") from exc
    if not isinstance(document, list):
        raise RowsUnread(f"the answer is no list{_excerpt(reply)}")
    rows: list[Row] = []
    for item in document:
        try:
            rows.append(_row(item, now))
        except BadRow:
            continue
    return Rows(tuple(rows), len(document) - len(rows))


def _row(item: Any, now: float) -> Row:
    if not isinstance(item, dict):
        raise BadRow("no object")
    updated = _seconds(item.get("updated_at"))
    created = _seconds(item.get("created_at"))
    if updated is None:
        raise BadRow("no time")
    return make_row(
        item.get("readable"), item.get("hostname"), item.get("pid"), item.get("thread_name"),
        now - updated, now - created if created is not None else None, item.get("payload"),
    )  # fmt: skip


def _seconds(text: Any) -> float | None:
    try:
        return parsedate_to_datetime(text).timestamp()
    except (TypeError, ValueError, OverflowError, AttributeError, IndexError):
        return None


def _refusal(reply: Reply) -> HostError:
    status = f"{reply.status} {clean(reply.reason)}".strip()
    if 300 <= reply.status < 400:
        place = squeeze(clean(reply.headers.get("location", "")))[:_EXCERPT]
        return RowsUnread(f"{status}: it points to {place or 'nowhere'}")
    meaning, remedy = _REFUSALS.get(reply.status, ("", RowsUnread.remedy))
    told = f": {meaning}" if meaning else _excerpt(reply)
    return RowsUnread(f"{status}{told}", remedy=remedy)


def _excerpt(reply: Reply) -> str:
    shown = squeeze(clean(reply.body[:8192].decode(errors="replace")))
    if not shown:
        return "; it is empty"
    return f"; it begins '{shown if len(shown) <= _EXCERPT else shown[: _EXCERPT - 1] + '…'}'"
