"""TLS: certificates of an authority of our own, on real ports, for `tls` and for every page."""

import socket
import ssl
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.checks.servers import Authority, black_hole
from tests.ports import free_port
from tests.probes.data.site import OK, Site, ask, said, serve, verdict


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


Found = tuple[tuple[str, str], str, tuple[str, ...]]


def tls(context: ssl.SSLContext, authority: Authority, **how: Any) -> Found:
    """Return verdict, text and the codes beside of a port with this certificate."""
    with serve(context) as site:
        given = {"host": "localhost", "port": site.port, "ca": str(authority.certificate)}
        found = ask("tls", **_without_none(given | how))
        assert site.asked == []  # nothing is said but the handshake
        return verdict(found), found.text, tuple(aside.code for aside in found.asides)


def _without_none(given: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in given.items() if value is not None}


@pytest.mark.parametrize(
    ("certificate", "how", "expected", "words", "beside"),
    [
        ({}, {}, OK, "is trusted and lasts 100 days", ()),
        ({"end": 13}, {}, ("warning", "tls-ends-soon"), "in 13 days", ()),
        ({"end": 0}, {}, ("warning", "tls-ends-soon"), "in 0 days", ()),
        ({"end": 13}, {"tls_days": 5}, OK, "lasts 13 days", ()),
        ({"begin": -40, "end": -3}, {}, ("critical", "tls-expired"), "3 days ago", ()),
        ({"begin": 3}, {}, ("critical", "tls-not-yet-valid"), "begins on", ()),
        ({"name": "other.example"}, {}, ("critical", "tls-name"), "not for localhost", ()),
        ({"signed": False}, {}, ("critical", "tls-self-signed"), "signed by itself", ()),
        ({}, {"ca": None}, ("critical", "tls-unknown-authority"), "not known here", ()),
        # Two things are wrong, and both are told.
        ({"begin": -40, "end": -3}, {"ca": None}, ("critical", "tls-unknown-authority"),
         "not known here", ("tls-expired",)),
        ({"end": 5}, {"ca": None}, ("critical", "tls-unknown-authority"), "", ("tls-ends-soon",)),
    ],
)  # fmt: skip
def test_certificate_is_judged_by_trust_and_end(
    authority: Authority, certificate: dict[str, Any], how: dict[str, Any], expected: Any,
    words: str, beside: tuple[str, ...],
) -> None:  # fmt: skip
    found = tls(authority.context(**certificate), authority, **how)
    assert (found[0], found[2]) == (expected, beside)
    assert words in found[1]


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_port_that_wants_a_certificate_of_ours(
    authority: Authority, tmp_path: Path, version: ssl.TLSVersion
) -> None:
    """In TLS 1.3 its own certificate is seen all the same, what is behind it is not."""
    context = authority.context()
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(str(authority.certificate))
    context.minimum_version = context.maximum_version = version
    seen = OK if version is ssl.TLSVersion.TLSv1_3 else ("unknown", "tls-handshake")
    assert tls(context, authority)[0] == seen
    found, _ = https(context, authority)
    assert verdict(found) == ("unknown", "tls-handshake")
    assert "certificate of ours" in found.text
    ours = str(next(authority.certificate.parent.glob("localhost.*.True.pem")))
    assert tls(context, authority, client_cert=ours)[0] == OK
    assert verdict(https(context, authority, client_cert=ours)[0]) == OK
    missing = str(tmp_path / "none.pem")
    assert tls(context, authority, client_cert=missing)[0] == ("unknown", "cannot-run")


def test_port_that_does_not_accept_the_certificate_of_ours(
    authority: Authority, tmp_path: Path
) -> None:
    Authority(tmp_path).context(signed=False)
    context = authority.context()
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(str(authority.certificate))
    other = str(next(tmp_path.glob("localhost.*.False.pem")))
    found, _ = https(context, authority, client_cert=other)
    assert verdict(found) == ("unknown", "tls-handshake"), found
    assert "authority of the certificate of ours" in found.text


def test_port_where_nothing_listens() -> None:
    assert verdict(ask("tls", host="127.0.0.1", port=free_port())) == ("critical", "refused")


def test_port_without_an_answer_times_out() -> None:
    with black_hole() as port:
        found = ask("tls", host="127.0.0.1", port=port, timeout=0.5)
    assert verdict(found) == ("critical", "timeout")


def test_name_that_nobody_knows() -> None:
    assert verdict(ask("tls", host="nothing.invalid")) == ("unknown", "name-not-resolved")


@pytest.mark.parametrize("said", [b"220 smtp.example ESMTP\r\n", b""], ids=["noise", "nothing"])
def test_port_that_speaks_no_tls(said: bytes) -> None:
    """The second one closes with our bytes unread, so that the connection is reset."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def speak() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.sendall(said)

        thread = threading.Thread(target=speak)
        thread.start()
        found = ask("tls", host="127.0.0.1", port=listener.getsockname()[1])
        thread.join()
    assert verdict(found) == ("critical", "tls-handshake")


# Pages behind TLS


def https(context: ssl.SSLContext, authority: Authority, **how: Any) -> tuple[Any, Site]:
    with serve(context) as site:
        site.replies["/x"] = said("200 OK", b"fine")
        given: dict[str, Any] = {"url": f"{site.url}/x", "ca": str(authority.certificate)}
        return ask("page", text="fine", **_without_none(given | how)), site


def test_certificate_that_ends_soon_is_told_beside_the_page(authority: Authority) -> None:
    found, _ = https(authority.context(end=13), authority)
    assert verdict(found) == OK
    assert verdict(found.asides[0]) == ("warning", "tls-ends-soon")
    assert https(authority.context(end=13), authority, tls_days=5)[0].asides == ()


@pytest.mark.parametrize(
    ("certificate", "code"),
    [
        ({"signed": False}, "tls-self-signed"),
        ({"name": "other.example"}, "tls-name"),
        ({"begin": -40, "end": -3}, "tls-expired"),
    ],
)
def test_secret_is_not_told_to_whom_is_not_trusted(
    authority: Authority, certificate: dict[str, Any], code: str
) -> None:
    login = {"user": "me", "secret": "env:T", "environment": {"T": "hunter2"}}
    found, site = https(authority.context(**certificate), authority, **login)
    assert verdict(found) == ("critical", code)
    assert site.asked == []


def test_certificate_need_not_be_looked_at(authority: Authority) -> None:
    found, _ = https(authority.context(signed=False), authority, verify_tls=False, ca=None)
    assert verdict(found) == OK
    assert found.asides == ()
