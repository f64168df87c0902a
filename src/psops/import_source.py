"""The text that is imported: from a file, from standard input, or over HTTP."""

import shlex
import sys
from pathlib import Path
from urllib.parse import urljoin

from psops.checks.exchange import NoResponse, Response, Target, ask, parse_url
from psops.deadline import Deadline
from psops.errors import ConfigError, HostError
from psops.report.text import clean
from psops.transport import ByteStream
from psops.transport.dial import dial_tcp
from psops.transport.stream import TcpStream

#: No list of hosts is larger.
MOST_BYTES = 64 << 20
_MOST_REDIRECTS = 5
_REDIRECTS = (301, 302, 303, 307, 308)


def read_source(source: str, timeout: float) -> str:
    """Return the text behind a path, `-` or a URL; raises `ConfigError` that says why not."""
    data = _fetch(source, timeout) if "://" in source else _read(source)
    if len(data) > MOST_BYTES:
        raise ConfigError(clean(f"{source}: larger than {MOST_BYTES >> 20} MiB"))
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as exc:
        line = exc.object[: exc.start].count(b"\n") + 1
        raise ConfigError(clean(f"{source}:{line}: not UTF-8 text")) from exc


def _read(source: str) -> bytes:
    try:
        if source == "-":
            return sys.stdin.buffer.read(MOST_BYTES + 1)
        with Path(source).open("rb") as stream:
            return stream.read(MOST_BYTES + 1)
    except IsADirectoryError as exc:
        raise ConfigError(
            clean(f"{source}: a directory"),
            remedy=f"of Ansible's: ansible-inventory -i {shlex.quote(clean(source))} --list"
            " | psops inventory import ansible -",
        ) from exc
    except (OSError, ValueError, AttributeError) as exc:
        # AttributeError: stdin was closed by whoever started psops.
        reason = getattr(exc, "strerror", None) or str(exc)
        raise ConfigError(clean(f"{source}: cannot read: {reason.lower()}")) from exc


def _fetch(url: str, timeout: float) -> bytes:
    """Return what a URL gives; a redirect away from https is not followed."""
    deadline = Deadline(timeout)
    place = url
    for _ in range(_MOST_REDIRECTS):
        try:
            target = parse_url(place)
        except ValueError as exc:
            raise ConfigError(clean(str(exc))) from exc
        if "@" in place.partition("://")[2].partition("/")[0]:
            raise ConfigError(f"{_without_login(place)}: a URL with a password is not asked")
        response = _ask(place, target, deadline)
        if response.status in _REDIRECTS and "location" in response.headers:
            following = urljoin(place, response.headers["location"])
            if target.tls and not following.startswith("https:"):
                raise ConfigError(clean(f"{place}: it points to {following}, which is not https"))
            place = following
            continue
        if response.status != 200:
            raise ConfigError(clean(f"{place}: answers {response.status} {response.reason}"))
        if not response.complete:
            raise ConfigError(clean(f"{place}: larger than {MOST_BYTES >> 20} MiB"))
        return response.body
    raise ConfigError(clean(f"{url}: more than {_MOST_REDIRECTS} redirects"))


def _ask(url: str, target: Target, deadline: Deadline) -> Response:
    from psops.checks.tls import HandshakeFailed, TlsStream, Untrusted

    stream: ByteStream | None = None
    try:
        stream = TcpStream(dial_tcp(target.host, target.port, deadline).sock)
        if target.tls:
            stream = TlsStream(stream, target.host, deadline, verify=True)
        return ask(stream, target, deadline, most=MOST_BYTES)
    except Untrusted as exc:
        raise ConfigError(
            clean(f"{url}: the server's certificate is not trusted: {exc}"),
            remedy="name the authority's file in SSL_CERT_FILE",
        ) from exc
    except (HostError, HandshakeFailed, NoResponse) as exc:
        raise ConfigError(clean(f"{url}: {exc}")) from exc
    finally:
        if stream is not None:
            stream.close()


def _without_login(url: str) -> str:
    scheme, _, rest = url.partition("://")
    return clean(f"{scheme}://{rest.partition('@')[2]}")
