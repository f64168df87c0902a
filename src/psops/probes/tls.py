"""Whether a port's certificate is trusted and lasts: RFC 5280 as OpenSSL judges it."""

from dataclasses import replace

from psops.catalogue.entry import Probe
from psops.checks import Answer, right, unknown, wrong
from psops.checks.site import explain_error
from psops.checks.tls import (
    CertificateFiles,
    HandshakeFailed,
    TlsStream,
    Untrusted,
    judge_end,
    judge_trust,
)
from psops.deadline import Deadline
from psops.errors import HostError
from psops.probes import Unanswered
from psops.probes.world import World, no_handshake
from psops.report.text import clean
from psops.transport import ByteStream

_DAY = 86400


def answer(probe: Probe, world: World) -> Answer:
    """Return whether the certificate is trusted and ends in no fewer than `tls_days` days.

    Where it is not trusted, that it ends is told beside.
    """
    given = probe.settings
    place = f"{clean(given['host'])} port {given['port']}"
    try:
        found = _judge(probe, world)
    except Unanswered as exc:
        found = exc.answer
    asides = tuple(replace(aside, text=f"{place}: {aside.text}") for aside in found.asides)
    return replace(found, text=f"{place}: {found.text}", asides=asides)


def _judge(probe: Probe, world: World) -> Answer:
    given = probe.settings
    now = world.now()
    try:
        der = _certificate(probe, world, verify=True)
    except Untrusted as exc:
        der = _certificate(probe, world, verify=False)
        end = judge_end(der, given["tls_days"], now)
        trust = judge_trust(exc, given["host"], der, now)
        if trust is None:
            return end or wrong("tls-chain", f"the certificate is not trusted: {clean(str(exc))}")
        return replace(trust, asides=() if end is None else (end,))
    end = judge_end(der, given["tls_days"], now)
    if end is None:
        return right(f"the certificate is trusted and lasts {_left(der, now)} days")
    # Fewer days than wanted are a warning, as with pages; here it is the answer, no aside.
    return end


def _certificate(probe: Probe, world: World, *, verify: bool) -> bytes:
    """Return the port's certificate in DER; raises `Untrusted`, `Unanswered`."""
    given = probe.settings
    limit = Deadline(probe.timeout)
    files = CertificateFiles(*(given[key] or "" for key in ("ca", "client_cert", "client_key")))
    stream: ByteStream | None = None
    try:
        stream = world.connection(probe).open_tcp(given["host"], given["port"], limit)
        return TlsStream(stream, given["host"], limit, verify=verify, files=files).certificate
    except HostError as exc:
        found = explain_error(exc)
        raise Unanswered(replace(found, text=clean(found.text))) from exc
    except HandshakeFailed as exc:
        raise no_handshake(exc) from exc
    except OSError as exc:
        raise Unanswered(unknown("cannot-run", f"certificate files: {clean(str(exc))}")) from exc
    finally:
        if stream is not None:
            stream.close()


def _left(der: bytes, now: float) -> int:
    from cryptography.x509 import load_der_x509_certificate

    return int((load_der_x509_certificate(der).not_valid_after_utc.timestamp() - now) // _DAY)
