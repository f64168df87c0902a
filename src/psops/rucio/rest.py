"""Heartbeats from Rucio's REST server.

Authority: Rucio 41.5.1, lib/rucio/web/rest/flaskapi/v1/heartbeats.py: `GET /heartbeats` with
a token in `X-Rucio-Auth-Token` gives a list of objects whose times are of RFC 1123 in UTC. The
generic policy lets the account root alone see it (lib/rucio/core/permission/generic.py).
"""

import json
import re
import ssl
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Any

from psops.checks.exchange import NoResponse, Response, Target, ask, parse_url
from psops.checks.tls import CertificateFiles, HandshakeFailed, TlsStream, Untrusted
from psops.deadline import Deadline
from psops.errors import ConfigError, HostError, RowsUnread, UsageError
from psops.report.text import clean, squeeze
from psops.rucio.rows import BadRow, Row, make_row
from psops.rucio.source import Rows, Source
from psops.secrets import Secret
from psops.transport import ByteStream
from psops.transport.dial import dial_tcp
from psops.transport.stream import TcpStream

#: How much of an answer is read: some 60 000 heartbeats.
_MOST_BYTES = 16 << 20
_EXCERPT = 100
_LOCAL = re.compile(r"localhost|127(\.[0-9]{1,3}){3}|::1")
#: Status -> what it means there, and what to do. Who may not see heartbeats gets a 500 in truth,
#: with `ExceptionClass: AccessDenied`; a 403 is of what stands before Rucio.
_REFUSALS: dict[int, tuple[str, str]] = {
    400: ("the server takes the request for one without a token", "get a new token: rucio whoami"),
    401: ("the token is not valid, or has ended", "get a new token: rucio whoami"),
    403: ("the account may not see heartbeats", "use a token of the account root"),
    407: ("a proxy wants a login", "leave the proxy out for this server"),
    404: ("there are no heartbeats at this address", "give the address of Rucio's own server"),
    406: ("the server does not give JSON", "is this Rucio 0.3.4 or newer?"),
}


def rest_source(url: str, token: Secret, ca: str = "") -> Source:
    """Return the server at a URL such as https://rucio.example as a source.

    `ca` is a PEM file of the authorities to trust beside those of this machine. Raises
    `UsageError`, and `ConfigError` for a file that is none.
    """
    try:
        target = parse_url(url)
    except ValueError as exc:
        raise UsageError(f"'{url}' is not an http or https URL") from exc
    if "@" in url.partition("://")[2].partition("/")[0]:
        raise UsageError("--rest takes a URL without user and password")
    if "?" in target.path or "#" in url:
        raise UsageError(f"'{url}' has more than a path; give the address of the server alone")
    if not target.tls and not _LOCAL.fullmatch(target.host):
        raise UsageError(
            f"the token would be sent to {url} for everybody to read",
            remedy="use https; plain http is for this machine alone",
        )
    if ca:
        _check_authorities(ca)
    path = target.path.rstrip("/")
    if not path.endswith("/heartbeats"):
        path += "/heartbeats"
    target = target._replace(path=path)
    shown = f"{'https' if target.tls else 'http'}://{target.authority}{path}"

    def read(timeout: float) -> Rows:
        return parse_response(fetch(target, token, ca, Deadline(timeout)))

    return Source(name=clean(shown), read=read)


def _check_authorities(path: str) -> None:
    try:
        ssl.create_default_context(cafile=path)
    except OSError as exc:  # that of ssl is one, too
        why = "no certificates" if isinstance(exc, ssl.SSLError) else (exc.strerror or "").lower()
        raise ConfigError(f"{path}: cannot be read for authorities: {why}") from exc


def fetch(target: Target, token: Secret, ca: str, deadline: Deadline) -> Response:
    """Return the server's answer; raises `HostError`. The token is in no message."""
    stream: ByteStream | None = None
    headers = (("X-Rucio-Auth-Token", token.value),)
    try:
        stream = TcpStream(dial_tcp(target.host, target.port, deadline).sock)
        if target.tls:
            files = CertificateFiles(ca=ca)
            stream = TlsStream(stream, target.host, deadline, verify=True, files=files)
        return ask(stream, target, deadline, headers=headers, most=_MOST_BYTES)
    except Untrusted as exc:
        text = f"the server's certificate is not trusted: {clean(str(exc))}"
        raise RowsUnread(text, remedy="give the file of its authority: --ca FILE") from exc
    except HandshakeFailed as exc:
        raise RowsUnread(clean(str(exc)), remedy="is this the port for https?") from exc
    except NoResponse as exc:
        raise RowsUnread(clean(str(exc))) from exc
    except HostError as exc:  # their own remedies are those of hosts reached by SSH
        raise type(exc)(str(exc), remedy=RowsUnread.remedy) from exc
    finally:
        if stream is not None:
            stream.close()


def parse_response(response: Response) -> Rows:
    """Return the heartbeats of an answer; raises `RowsUnread` for any other answer.

    Ages are those by the server's own clock, its header `Date`, in whole seconds.
    """
    if response.status != 200:
        raise _refusal(response)
    if not response.complete:
        raise RowsUnread(f"the answer is longer than {_MOST_BYTES >> 20} MiB")
    try:
        document = json.loads(response.body)
    except (ValueError, RecursionError) as exc:
        raise RowsUnread(f"the answer is not JSON{_excerpt(response)}") from exc
    if not isinstance(document, list):
        raise RowsUnread(f"the answer is no list{_excerpt(response)}")
    now = _seconds(response.headers.get("date"))
    if now is None:
        raise RowsUnread("the answer has no date, so that no age is known")
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
        moment = parsedate_to_datetime(text)
        if moment.tzinfo is None:  # "-0000", which is UTC in RFC 5322, and no local time
            moment = moment.replace(tzinfo=UTC)
        return moment.timestamp()
    except (TypeError, ValueError, OverflowError, AttributeError, IndexError):
        return None


def _refusal(response: Response) -> RowsUnread:
    status = f"{response.status} {clean(response.reason)}".strip()
    if 300 <= response.status < 400:
        place = _cut(response.headers.get("location", ""))
        return RowsUnread(f"{status}: it points to {place or 'nowhere'}")
    denied = response.headers.get("exceptionclass") == "AccessDenied"
    known = _REFUSALS.get(403 if denied else response.status)
    meaning, remedy = known or ("", RowsUnread.remedy)
    said = _cut(response.headers.get("exceptionmessage", ""))
    told = [meaning, f"'{said}'" if said else ""]
    text = ": ".join((status, *filter(None, told))) if any(told) else status + _excerpt(response)
    return RowsUnread(text, remedy=remedy)


def _cut(text: str) -> str:
    shown = squeeze(clean(text)).strip()
    return shown if len(shown) <= _EXCERPT else shown[: _EXCERPT - 1] + "…"


def _excerpt(response: Response) -> str:
    shown = _cut(response.body[:8192].decode(errors="replace"))
    return f"; it begins '{shown}'" if shown else "; it is empty"
