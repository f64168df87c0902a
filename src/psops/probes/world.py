"""What probes can do: ask by HTTP, run a program, open a socket, read a secret, wait."""

import base64
import json
import os
import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from psops.catalogue.entry import Probe
from psops.catalogue.values import Wrong
from psops.checks import Answer, unknown, wrong
from psops.checks.exchange import NoResponse, Response, Target, ask, parse_url
from psops.checks.http import excerpt
from psops.checks.site import Once, explain_error
from psops.checks.tls import (
    CertificateFiles,
    HandshakeFailed,
    TlsStream,
    Untrusted,
    judge_end,
    judge_trust,
)
from psops.deadline import Deadline
from psops.errors import HostError, SecretError
from psops.probes import Unanswered
from psops.probes.keys_common import Variable, login
from psops.report.text import clean, squeeze
from psops.secrets import read_secret
from psops.transport import ByteStream, Connection, Finished

#: How much of an answer is read; lists of a large broker are long.
MOST = 16 * 1024 * 1024
_EXCERPT = 100
#: A field for a password, with which a page can carry any text that was wanted.
FORM = re.compile(rb"<input[^>]{0,1000}type\s*=\s*[\"']?password", re.IGNORECASE)
#: A title or a heading, or all of a page without either, that tells of a login.
_TITLE = re.compile(
    rb"(?:<title[^>]{0,200}>|<h[1-3][^>]{0,200}>|<(?:body|html)[^>]{0,200}>)[^<]{0,200}"
    rb"(?:single sign-on|log ?in|sign ?in)",
    re.IGNORECASE,
)


class Look(NamedTuple):
    """A JSON document that was asked for anew, the monotonic time of it, and asides."""

    document: Any
    at: float
    asides: tuple[Answer, ...] = ()


class World:
    """The ways that probes have to their components, each shared by all that use the same.

    `window` is the number of seconds between two looks at a counter.
    """

    def __init__(
        self,
        dial: Callable[[str], Connection],
        *,
        window: float = 12.0,
        environment: Mapping[str, str] | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """`dial` connects to a host of the inventory, "" to this machine; raises `HostError`."""
        self.window = window
        self._dial = dial
        self._environment = os.environ if environment is None else environment
        self._sleep = sleep
        self._lock = threading.Lock()
        self._shared: dict[object, Once] = {}

    def once(self, key: object, ask: Callable[[], Any]) -> Any:
        """Return what `ask` returned or raised when the first probe with this key asked."""
        with self._lock:
            shared = self._shared.setdefault(key, Once())
        return shared.result(ask)

    def now(self) -> float:
        """Return the time, in seconds since the epoch."""
        return time.time()

    def monotonic(self) -> float:
        """Return seconds of a clock that never goes back."""
        return time.monotonic()

    def wait(self) -> None:
        """Wait for a window to pass, between two looks at a counter."""
        self._sleep(self.window)

    def fill_in(self, probe: Probe) -> Probe:
        """Return the probe with the values of variables that it names; raises `Unanswered`."""
        via, settings = self._filled(probe.via), self._filled(probe.settings)
        return replace(probe, via=via, settings=settings)

    def _filled(self, value: Any) -> Any:
        if isinstance(value, Mapping):
            return {key: self._filled(item) for key, item in value.items()}
        if not isinstance(value, Variable):
            return value
        found = self._environment.get(value.variable)
        if not found:
            raise Unanswered(unknown("no-address", f"the variable {value.variable} is not set"))
        try:
            return value.reader(found)
        except Wrong:
            # What it has is not told: it may well be a URL with a password.
            text = f"the variable {value.variable} has no value that can be used here"
            raise Unanswered(unknown("no-address", text)) from None

    def connection(self, probe: Probe) -> Connection:
        """Return a connection to where the probe is asked from; raises `Unanswered`."""
        try:
            found: Connection = self.once(("connection", probe.via), lambda: self._dial(probe.via))
        except HostError as exc:
            place = f"{clean(probe.via)} cannot be reached: " if probe.via else ""
            raise Unanswered(unknown(str(exc.code), f"{place}{clean(str(exc))}")) from exc
        return found

    def run(self, probe: Probe, argv: tuple[str, ...]) -> Finished:
        """Run a program there and return what it gave; raises `Unanswered`."""
        try:
            return self.connection(probe).run(argv, Deadline(probe.timeout))
        except HostError as exc:
            raise Unanswered(unknown("cannot-run", f"{argv[0]}: {clean(str(exc))}")) from exc

    def secret(self, reference: str) -> str:
        """Return the secret that a reference such as `env:NAME` leads to; raises `Unanswered`.

        The text of what is raised has the reference, never what is there.
        """
        try:
            return read_secret(reference, self._environment).value
        except SecretError as exc:
            raise Unanswered(unknown("no-secret", f"no secret: {clean(str(exc))}")) from exc

    def http(
        self,
        probe: Probe,
        url: str,
        *,
        method: str = "GET",
        headers: tuple[tuple[str, str], ...] = (),
        body: bytes = b"",
    ) -> tuple[Response, tuple[Answer, ...]]:
        """Return the answer to a request, and what is wrong with the certificate.

        Nothing is redirected: a login is not to be told elsewhere. Equal requests of one run
        are made once, unless they have a body. Raises `Unanswered`.
        """

        def fetch() -> tuple[Response, tuple[Answer, ...]]:
            return self._fetch(probe, url, method, headers, body)

        key = ("http", method, url, headers, probe.timeout, *login(probe))
        return fetch() if body else self.once(key, fetch)

    def look(
        self,
        probe: Probe,
        url: str,
        *,
        headers: tuple[tuple[str, str], ...] = (),
        address: str = "",
    ) -> Look:
        """Return a JSON document that is asked for anew; raises `Unanswered`.

        `address` is where to connect instead of the host of the URL, which may be an alias.
        """
        response, asides = self._fetch(probe, url, "GET", headers, b"", address)
        return Look(self.document(url, response), self.monotonic(), asides)

    def open_tcp(
        self, probe: Probe, host: str, port: int, *, tls: bool = False, name: str = ""
    ) -> tuple[ByteStream, tuple[Answer, ...]]:
        """Return a stream to a port, and what is wrong with its certificate.

        `name` is whom the certificate must be for, if that is not `host`. Raises `Unanswered`.
        """
        target = Target(tls, "", name or host, port, "")
        place = f"{clean(host)} port {port}"
        asides: list[Answer] = []
        stream: ByteStream | None = None
        try:
            limit = Deadline(probe.timeout)
            stream = self.connection(probe).open_tcp(host, port, limit)
            if tls:
                stream = self._encrypt(probe, stream, target, limit, asides)
        except (HostError, HandshakeFailed, Unanswered) as exc:
            if stream is not None:
                stream.close()
            if isinstance(exc, HostError):
                found = explain_error(exc)
                told = found.text if found.text.startswith(place) else f"{place}: {found.text}"
                raise Unanswered(replace(found, text=told)) from exc
            if isinstance(exc, HandshakeFailed):
                raise no_handshake(exc, f"{place}: ") from exc
            raise
        return stream, tuple(asides)

    def addresses(self, probe: Probe, name: str) -> tuple[str, ...]:
        """Return all addresses behind a name, as seen from there; raises `Unanswered`."""
        done = self.run(probe, ("getent", "ahosts", name))
        if done.status not in (0, 2):  # 2: no such name, see getent(1)
            why = squeeze(clean(done.stderr.decode(errors="replace")))[:_EXCERPT]
            raise Unanswered(unknown("cannot-run", f"getent: {why}"))
        lines = done.stdout.decode(errors="replace").splitlines()
        found = tuple(dict.fromkeys(line.split()[0] for line in lines if line.strip()))
        if not found:
            text = f"{clean(name)} has no address"
            raise Unanswered(unknown("name-not-resolved", text))
        return found

    def json(self, probe: Probe, url: str) -> Any:
        """Return the JSON document at a URL; raises `Unanswered`."""
        return self.document(url, self.http(probe, url)[0])

    def document(self, url: str, response: Response) -> Any:
        """Return the JSON document of an answer with status 200; raises `Unanswered`."""
        place = clean(url)
        status = f"{response.status} {clean(response.reason)}".strip()
        if response.status in (401, 403, 407):
            raise Unanswered(unknown("not-allowed", f"{place}: {status}, so nothing is seen"))
        if response.status == 404:
            raise Unanswered(wrong("missing-object", f"{place}: {status}"))
        if 300 <= response.status < 400:
            target = squeeze(clean(response.headers.get("location", "")))[:_EXCERPT]
            raise Unanswered(unknown("redirect", f"{place}: {status}: it points to {target}"))
        if response.status != 200:
            code = "server-error" if response.status >= 500 else "status"
            raise Unanswered(wrong(code, f"{place}: {status}{excerpt(response)}"))
        if not response.complete:
            raise Unanswered(unknown("too-big", f"{place}: more than {MOST >> 20} MiB"))
        try:
            return json.loads(response.body)
        except (ValueError, RecursionError) as exc:
            code = "login-page" if is_login(response) else "not-json"
            text = f"{place}: {status}, but not JSON{excerpt(response)}"
            raise Unanswered(unknown(code, text)) from exc

    def open_unix(self, probe: Probe, path: str) -> ByteStream:
        """Return a stream to a Unix socket there; raises `Unanswered`."""
        try:
            return self.connection(probe).open_unix(path, Deadline(probe.timeout))
        except HostError as exc:
            raise Unanswered(unknown("cannot-run", clean(str(exc)))) from exc

    def _fetch(
        self,
        probe: Probe,
        url: str,
        method: str,
        headers: tuple[tuple[str, str], ...],
        body: bytes,
        address: str = "",
    ) -> tuple[Response, tuple[Answer, ...]]:
        target = parse_url(url)
        limit = Deadline(probe.timeout)
        place = clean(url)
        sent = (*self._login(probe), *headers)
        stream: ByteStream | None = None
        asides: list[Answer] = []
        try:
            stream = self.connection(probe).open_tcp(address or target.host, target.port, limit)
            if target.tls:
                stream = self._encrypt(probe, stream, target, limit, asides)
            response = ask(stream, target, limit, method=method, headers=sent, body=body, most=MOST)
        except HostError as exc:
            found = explain_error(exc)
            raise Unanswered(replace(found, text=f"{place}: {found.text}")) from exc
        except HandshakeFailed as exc:
            raise no_handshake(exc, f"{place}: ") from exc
        except NoResponse as exc:
            raise Unanswered(wrong(exc.code, f"{place}: {clean(str(exc))}")) from exc
        finally:
            if stream is not None:
                stream.close()
        return response, tuple(asides)

    def _encrypt(
        self,
        probe: Probe,
        stream: ByteStream,
        target: Target,
        limit: Deadline,
        asides: list[Answer],
    ) -> ByteStream:
        """Return the stream in TLS; a certificate that is not trusted gets no secret of ours."""
        given = probe.settings
        verify = bool(given.get("verify_tls", True))
        names = ("ca", "client_cert", "client_key")
        files = CertificateFiles(*(given.get(key) or "" for key in names))
        try:
            tls = TlsStream(stream, target.host, limit, verify=verify, files=files)
        except Untrusted as exc:
            raise Unanswered(self._explain_trust(probe, target, exc)) from exc
        except OSError as exc:
            raise Unanswered(
                unknown("cannot-run", f"certificate files: {clean(str(exc))}")
            ) from exc
        days = given.get("tls_days") or 0
        if verify and (end := judge_end(tls.certificate, days, self.now())) is not None:
            asides.append(replace(end, text=f"{clean(target.host)}: {end.text}"))
        return tls

    def _explain_trust(self, probe: Probe, target: Target, untrusted: Untrusted) -> Answer:
        """Return why a certificate is not trusted; it is looked at once more, told nothing."""
        stream: ByteStream | None = None
        der = b""
        limit = Deadline(probe.timeout)
        try:
            stream = self.connection(probe).open_tcp(target.host, target.port, limit)
            der = TlsStream(stream, target.host, limit, verify=False).certificate
        except (HostError, HandshakeFailed):
            pass
        finally:
            if stream is not None:
                stream.close()
        found = judge_trust(untrusted, target.host, der, self.now())
        found = found or judge_end(der, 0, self.now()) or wrong("tls-chain", str(untrusted))
        return replace(found, text=f"{clean(target.host)}: {found.text}")

    def _login(self, probe: Probe) -> tuple[tuple[str, str], ...]:
        given = probe.settings
        reference, user = given.get("secret"), given.get("user")
        if not reference:
            return ()
        secret = self.secret(reference)
        way = given.get("auth") or ("basic" if user else "bearer")
        if way == "basic":
            word = base64.b64encode(f"{user or ''}:{secret}".encode()).decode()
            return (("Authorization", f"Basic {word}"),)
        return (("Authorization", f"{'ApiKey' if way == 'apikey' else 'Bearer'} {secret}"),)


def is_login(response: Response) -> bool:
    """Tell whether an answer is a page to log in: it has a form for that, or its title says so.

    A link to log in is on many a page that shows all the same.
    """
    text = response.body[:65536]
    return b"<html" in text.lower() and bool(FORM.search(text) or _TITLE.search(text))


def no_handshake(exc: HandshakeFailed, place: str = "") -> Unanswered:
    """Return what is raised for no TLS: nothing is known of a port that lets only others in."""
    make = unknown if exc.about_ours else wrong
    return Unanswered(make("tls-handshake", f"{place}{clean(str(exc))}"))
