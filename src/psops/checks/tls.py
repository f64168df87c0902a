"""TLS over any stream, and what a certificate is worth, told apart from what is behind it."""

import ssl
from datetime import UTC, datetime
from functools import cache
from typing import NamedTuple

from psops.checks import Answer, unknown, wrong
from psops.deadline import Deadline
from psops.errors import ConnectRefused, DeadlineExceeded
from psops.report.text import clean
from psops.transport import ByteStream
from psops.verdict import Verdict

_DAY = 86400
#: X509_V_ERR_* of OpenSSL's x509_vfy.h -> our code, and what is so. The times of the host's
#: own certificate are read from it, so an error about times is one of the chain.
_TRUST: dict[int, tuple[str, str]] = {
    9: ("tls-chain", "a certificate of the authority begins later"),
    10: ("tls-chain", "the certificate of an authority has ended"),
    18: ("tls-self-signed", "the certificate is signed by itself"),
    19: ("tls-unknown-authority", "the certificate's authority is not known here"),
    20: ("tls-unknown-authority", "the certificate's authority is not known here"),
    21: ("tls-unknown-authority", "the certificate comes without its authority's"),
    62: ("tls-name", "the certificate is not for {name}"),
    64: ("tls-name", "the certificate is not for {name}"),
}
_TIMES = (9, 10)
#: What OpenSSL says of a peer that answers something else; the first match counts.
_HANDSHAKES = (
    ("wrong version number", "what answers does not speak TLS"),
    ("eof occurred", "the connection was closed in the TLS handshake"),
    ("unexpected eof", "the connection was closed in the TLS handshake"),
    ("http request", "what answers does not speak TLS"),
    ("unsupported protocol", "it speaks a TLS older than 1.2 only"),
    ("protocol version", "it speaks another version of TLS only"),
    ("certificate required", "it wants a certificate of ours"),
    # Before TLS 1.3 the same alert is for a certificate of ours and for ciphers.
    ("alert handshake failure", "it breaks the handshake off: it wants a certificate of ours, or "
     "other ciphers"),
    ("alert bad certificate", "it does not accept the certificate of ours"),
    ("alert unknown ca", "it does not know the authority of the certificate of ours"),
)  # fmt: skip


class HandshakeFailed(Exception):
    """No TLS connection came about; the text says why."""

    @property
    def about_ours(self) -> bool:
        """Whether the reason lies, or may lie, in the certificate that we have or lack."""
        return "certificate of ours" in str(self)


class Untrusted(Exception):
    """The certificate was not accepted, with OpenSSL's number of the reason."""

    def __init__(self, number: int, message: str) -> None:
        super().__init__(message)
        self.number = number


class CertificateFiles(NamedTuple):
    """PEM files: the authorities to trust, a certificate of ours and its key; "" for none."""

    ca: str = ""
    certificate: str = ""
    key: str = ""


NO_FILES = CertificateFiles()


class TlsStream:
    """A byte stream in TLS over another one, which need not be a socket."""

    def __init__(
        self,
        stream: ByteStream,
        name: str,
        deadline: Deadline,
        *,
        verify: bool,
        files: CertificateFiles = NO_FILES,
    ) -> None:
        """Shake hands; raises `Untrusted`, `HandshakeFailed` or what the stream raises.

        `OSError` where `files` cannot be used.
        """
        self._stream = stream
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        try:
            self._tls = _context(verify, files).wrap_bio(
                self._incoming, self._outgoing, server_hostname=name
            )
        except ValueError as exc:
            raise HandshakeFailed(f"no name for TLS: {clean(name)}") from exc
        try:
            while True:
                try:
                    self._tls.do_handshake()
                    break
                except ssl.SSLWantReadError:
                    self._exchange(deadline)
            self._flush(deadline)
        except ssl.SSLCertVerificationError as exc:
            raise Untrusted(exc.verify_code, exc.verify_message) from exc
        except ssl.SSLError as exc:
            raise HandshakeFailed(_explain(exc)) from exc
        except ConnectRefused as exc:  # the port was open, so that is no refusal
            text = f"the connection broke in the TLS handshake ({exc})"
            raise HandshakeFailed(text) from exc

    @property
    def certificate(self) -> bytes:
        """The host's certificate in DER, trusted or not; empty if it showed none."""
        return self._tls.getpeercert(binary_form=True) or b""

    def send(self, data: bytes, deadline: Deadline) -> None:
        """Send all bytes."""
        try:
            self._tls.write(data)
        except ssl.SSLError as exc:
            raise HandshakeFailed(_explain(exc)) from exc
        self._flush(deadline)

    def receive(self, deadline: Deadline) -> bytes:
        """Return the next bytes, none at the end, be it announced or not."""
        while True:
            try:
                return self._tls.read(65536)
            except ssl.SSLWantReadError:
                self._exchange(deadline)
            except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
                return b""
            except ssl.SSLError as exc:  # such as an alert that our certificate is missing
                raise HandshakeFailed(_explain(exc)) from exc

    def close(self) -> None:
        """Close the stream below."""
        self._stream.close()

    def _exchange(self, deadline: Deadline) -> None:
        self._flush(deadline)
        if data := self._stream.receive(deadline):
            self._incoming.write(data)
        else:
            self._incoming.write_eof()

    def _flush(self, deadline: Deadline) -> None:
        # A peer that sends byte by byte never lets a read time out.
        if deadline.passed():
            raise DeadlineExceeded(f"no answer within {deadline.seconds:.3g} s")
        if data := self._outgoing.read():
            self._stream.send(data, deadline)


@cache
def _context(verify: bool, files: CertificateFiles = NO_FILES) -> ssl.SSLContext:
    """Return how to shake hands; reading all authorities takes longer than shaking hands."""
    if verify:
        context = ssl.create_default_context(cafile=files.ca or None)
    else:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if files.certificate:
        # A key with a passphrase would be asked for on the terminal.
        context.load_cert_chain(files.certificate, files.key or None, password=lambda: "")
    return context


def judge_trust(untrusted: Untrusted, name: str, der: bytes, now: float) -> Answer | None:
    """Return what it means that the certificate was not accepted; None if `judge_end` tells."""
    if untrusted.number in _TIMES and not _is_current(der, now):
        return None
    default = ("tls-chain", f"the certificate is not trusted: {clean(str(untrusted))}")
    code, text = _TRUST.get(untrusted.number, default)
    return wrong(code, text.replace("{name}", clean(name)))


def judge_end(der: bytes, days: int, now: float) -> Answer | None:
    """Return what is wrong with the times of a certificate, None if it lasts long enough."""
    times = _times(der)
    if times is None:
        return unknown("tls-unreadable", "the certificate cannot be read")
    begin, end = times
    if now < begin:
        return wrong("tls-not-yet-valid", f"the certificate begins {_date(begin)} only")
    left = int((end - now) // _DAY)
    if left < 0:
        return wrong("tls-expired", f"the certificate ended {_date(end)}, {_days(-left)} ago")
    if left < days:
        text = f"the certificate ends {_date(end)}, in {_days(left)}"
        return Answer(verdict=Verdict.WARNING, code="tls-ends-soon", text=text)
    return None


def _is_current(der: bytes, now: float) -> bool:
    times = _times(der)
    return times is not None and times[0] <= now < times[1]


def _times(der: bytes) -> tuple[float, float] | None:
    from cryptography.x509 import load_der_x509_certificate

    try:
        found = load_der_x509_certificate(der)
        return found.not_valid_before_utc.timestamp(), found.not_valid_after_utc.timestamp()
    except (ValueError, OverflowError):
        return None


def _explain(exc: ssl.SSLError) -> str:
    # OpenSSL's own sentence stands between the bracketed library and the place in its source.
    text = str(exc).replace("_", " ").lower()
    known = next((meaning for words, meaning in _HANDSHAKES if words in text), None)
    return known or f"no TLS connection: {clean(exc.reason or str(exc)).replace('_', ' ').lower()}"


def _date(seconds: float) -> str:
    return f"on {datetime.fromtimestamp(seconds, UTC):%Y-%m-%d}"


def _days(number: int) -> str:
    return f"{number} day{'' if number == 1 else 's'}"
