"""Every kind of check over every way to a host, with answers good and bad: one code for each."""

import ssl
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from psops.catalogue.entry import Check, JsonRule, Severity
from psops.checks import Asked, CheckResult, tls
from psops.checks.run import run
from psops.deadline import Deadline
from psops.errors import DeadlineExceeded
from psops.inventory import Host
from psops.transport import Connection
from psops.verdict import Verdict
from tests.checks.conftest import WAYS
from tests.checks.servers import Authority, Served, black_hole, serve
from tests.ports import free_port

Way = tuple[Host, Connection]
_TIMEOUT = 0.6
by_every_way = pytest.mark.parametrize(
    "way",
    [pytest.param(way, marks=() if way == "local" else pytest.mark.lab) for way in WAYS],
    indirect=True,
)


@pytest.fixture(scope="module")
def server() -> Iterator[Served]:
    with serve() as served:
        yield served


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def trusted(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> Iterator[Authority]:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.certificate))
    tls._context.cache_clear()
    yield authority
    tls._context.cache_clear()


def results(way: Way, *checks: Check, seconds: float = 10.0) -> dict[str, CheckResult]:
    host, connection = way
    found = run([Asked(check) for check in checks], host, connection, Deadline(seconds))
    assert [result.name for result in found] == [check.name for check in checks]
    return {result.name: result for result in found}


def http(served: Served, path: str, **keys: Any) -> Check:
    keys.setdefault("timeout", 5.0)
    name = keys.pop("name", path)
    url = f"{keys.pop('scheme', 'http')}://localhost:{served.port}{path}"
    return Check(name=name, kind="http", url=url, **keys)


def rule(path: str, op: str, value: Any) -> JsonRule:
    return JsonRule(path=path, op=op, value=value)


ANY_JSON = (rule("", "is", "not-null"),)
ANSWERS: dict[str, tuple[str, dict[str, Any]]] = {
    "/pscheduler/api": ("ok", {"json": (rule("", "is", "number"),)}),
    "/pscheduler/status": ("ok", {"json": (rule("limits.ok", "equals", True),)}),
    "/chunked": ("ok", {"json": (rule("a", "equals", 1),)}),
    "/until-end": ("ok", {"json": (rule("a", "at_most", 1),)}),
    "/fine": ("ok", {"text": "fine"}),
    "/lacks": ("text", {"text": "gold"}),
    "/500": ("server-error", {"json": ANY_JSON}),
    "/404": ("status", {}),
    "/401": ("not-allowed", {}),
    "/page": ("not-json", {"json": ANY_JSON}),
    "/redirect": ("redirect", {}),
    "/truncated": ("truncated", {"json": ANY_JSON}),
    "/bad-chunk": ("truncated", {}),
    "/gzip": ("encoded", {"text": "x"}),
    "/nothing": ("broken", {}),
    "/noise": ("not-http", {}),
    "/silent": ("timeout", {"timeout": _TIMEOUT}),
    "/drip": ("timeout", {"timeout": _TIMEOUT}),
    "/huge": ("too-big", {"json": ANY_JSON}),
}


@by_every_way
def test_every_http_answer_has_its_code(way: Way, server: Served) -> None:
    checks = [http(server, path, **keys) for path, (_, keys) in ANSWERS.items()]
    begin = time.monotonic()
    found = results(way, *checks)
    assert time.monotonic() - begin < 8
    assert {name: result.code for name, result in found.items()} == {
        path: code for path, (code, _) in ANSWERS.items()
    }
    told = found["/page"].text
    assert "title 'Sign in \\x1b[31m'" in told
    assert "https://sso.example/login" in found["/redirect"].text
    assert "Database connection failed" in found["/500"].text
    assert "instead of 200" in found["/500"].text
    unknowns = {name for name, result in found.items() if result.verdict is Verdict.UNKNOWN}
    assert unknowns == {"/401", "/page", "/gzip", "/huge"}


@by_every_way
def test_ports_are_open_closed_or_filtered(way: Way, server: Served) -> None:
    with black_hole() as filtered:
        found = results(
            way,
            Check(name="open", kind="tcp", port=server.port),
            Check(name="closed", kind="tcp", host="127.0.0.1", port=free_port()),
            Check(name="filtered", kind="tcp", host="127.0.0.1", port=filtered, timeout=_TIMEOUT),
            Check(name="nowhere", kind="tcp", host="no.such.invalid", port=1),
            http(Served(free_port(), []), "/", name="closed-http"),
        )
    codes = {name: result.code for name, result in found.items()}
    # A ControlMaster does not say why a host opens no stream.
    nowhere = codes.pop("nowhere")
    assert nowhere in ("name-not-resolved", "refused", "timeout")
    assert codes == {"open": "ok", "closed": "refused", "filtered": "timeout",
                     "closed-http": "refused"}  # fmt: skip
    assert "connection refused" in found["closed"].text
    assert 0.5 < found["filtered"].elapsed < 3


CERTIFICATES: dict[str, tuple[dict[str, Any], str | None]] = {
    "good": ({}, None),
    "soon": ({"end": 5}, "tls-ends-soon"),
    "expired": ({"begin": -20, "end": -3}, "tls-expired"),
    "early": ({"begin": 3}, "tls-not-yet-valid"),
    "self-signed": ({"signed": False}, "tls-self-signed"),
    "other-name": ({"name": "other.example"}, "tls-name"),
}


@by_every_way
@pytest.mark.parametrize("case", CERTIFICATES)
def test_a_certificate_is_judged_apart_from_the_page(
    way: Way, trusted: Authority, case: str
) -> None:
    made, code = CERTIFICATES[case]
    with serve(trusted.context(**made)) as served:
        (result,) = results(
            way, http(served, "/pscheduler/api", scheme="https", tls_days=14, json=ANY_JSON)
        ).values()
    assert (result.verdict, result.code) == (Verdict.OK, "ok"), result
    assert [extra.code for extra in result.extra] == ([code] if code else [])
    if code:
        (extra,) = result.extra
        assert extra.name == "/pscheduler/api/tls"
        assert extra.verdict is (Verdict.WARNING if case == "soon" else Verdict.CRITICAL)


def by_hand(way: Way, context: ssl.SSLContext, **keys: Any) -> CheckResult:
    with serve(context) as served:
        (result,) = results(way, http(served, "/", scheme="https", **keys)).values()
    return result


HERE = pytest.mark.parametrize("way", ["local"], indirect=True)


@HERE
def test_an_unknown_authority_is_told_apart_from_none(way: Way, authority: Authority) -> None:
    tls._context.cache_clear()
    (extra,) = by_hand(way, authority.context()).extra
    assert extra.code == "tls-unknown-authority"


@HERE
def test_two_troubles_of_a_certificate_are_two_findings(way: Way, trusted: Authority) -> None:
    found = by_hand(way, trusted.context(name="other.example", begin=-9, end=-2)).extra
    assert [extra.code for extra in found] == ["tls-name", "tls-expired"]


@HERE
def test_without_verification_only_the_end_counts(way: Way, authority: Authority) -> None:
    context = authority.context(signed=False, begin=-9, end=-2)
    assert by_hand(way, context, verify_tls=False).extra == ()
    (extra,) = by_hand(way, context, verify_tls=False, tls_days=7).extra
    assert extra.code == "tls-expired"


@HERE
def test_http_where_tls_is_wanted_and_tls_where_http_is(
    way: Way, server: Served, trusted: Authority
) -> None:
    with serve(trusted.context()) as secure:
        found = results(
            way,
            http(server, "/plain", scheme="https", timeout=_TIMEOUT),
            http(secure, "/secure"),
            http(server, "/silent", scheme="https", timeout=_TIMEOUT, name="silent"),
        )
    # The server waits for the end of a header that never comes.
    assert found["/plain"].code == "timeout"
    assert found["/secure"].code in ("not-http", "broken")


@HERE
def test_checks_of_one_url_ask_once_and_fail_together(way: Way, server: Served) -> None:
    server.asked.clear()
    beats = [
        http(server, "/pscheduler/status", name=name, json=(rule(path, op, value),))
        for name, path, op, value in (
            ("ticker", "services.ticker.overdue", "is", "null"),
            ("runner", "services.runner.overdue", "is", "null"),
            ("archiver", "services.archiver.overdue", "is", "null"),
            ("runs", "runs.last-finished", "younger_than", 86400),
        )
    ]
    found = results(way, *beats)
    assert server.asked == ["/pscheduler/status"]
    assert [result.code for result in found.values()] == ["ok", "json", "json-missing", "json"]
    assert found["archiver"].verdict is Verdict.UNKNOWN
    assert found["runner"].text.endswith("services.runner.overdue is 'PT90S', must be null")
    broken = [http(server, "/500", name=name) for name in ("a", "pscheduler-status", "b")]
    broken.append(http(server, "/pscheduler/api", name="pscheduler-api"))
    found = results(way, *broken)
    assert [result.because for result in found.values()] == [
        "pscheduler-status", "", "pscheduler-status", ""
    ]  # fmt: skip
    assert found["pscheduler-status"].verdict is Verdict.CRITICAL
    assert found["pscheduler-status"].text.endswith(
        "pscheduler-api is right, so it is the database"
    )


@HERE
def test_severity_decides_how_bad_a_failure_is(way: Way) -> None:
    host, connection = way
    check = Check(name="x", kind="tcp", port=free_port())
    asked = [Asked(check, severity) for severity in Severity]
    found = run(asked, host, connection, Deadline(5))
    assert [result.verdict for result in found] == [
        Verdict.CRITICAL, Verdict.WARNING, Verdict.WARNING
    ]  # fmt: skip


@HERE
def test_too_little_time_is_no_fault_of_the_host(way: Way, server: Served) -> None:
    found = results(way, http(server, "/silent"), seconds=0.5)
    assert (found["/silent"].verdict, found["/silent"].code) == (Verdict.UNKNOWN, "no-time")
    found = results(way, http(server, "/fine"), seconds=0)
    assert found["/fine"].code == "no-time"


@HERE
def test_a_check_that_raises_is_unknown_and_takes_no_other_with_it(
    way: Way, server: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    def boom(*_: object) -> None:
        raise RuntimeError("boom \x1b[2J")

    monkeypatch.setattr("psops.checks.tcp.answer", boom)
    found = results(
        way,
        Check(name="bad", kind="tcp", port=1),
        Check(name="strange", kind="pigeon"),
        http(server, "/fine", name="good"),
    )
    assert [result.code for result in found.values()] == ["cannot-run", "cannot-run", "ok"]
    assert "boom" in found["bad"].text
    assert "\x1b" not in found["bad"].text


@by_every_way
def test_files_and_sockets_of_the_host(way: Way, server: Served, tmp_path: Path) -> None:
    def file(name: str, path: str, **keys: Any) -> Check:
        return Check(name=name, kind="file", path=path, **keys)

    def socket(name: str, listen: str) -> Check:
        return Check(name=name, kind="socket", listen=listen)

    found = results(
        way,
        file("there", "/etc/passwd"),
        file("directory", "/etc"),
        file("quoted", "/etc/no such; echo $(id) 'x'"),
        file("no-glob", "/etc/pass*d"),
        file("gone", "/etc/none", exists=False),
        file("present", "/etc/passwd", exists=False),
        file("old", "/usr/bin/env", max_age=1),
        file("fresh", "/proc/self", max_age=3600),
        socket("tcp", f"tcp:{server.port}"),
        socket("not-tcp", f"tcp:{free_port()}"),
        socket("not-udp", f"udp:{server.port}"),
        socket("not-unix", "unix:/run/none"),
    )
    assert {name: result.code for name, result in found.items()} == {
        "there": "ok", "directory": "ok", "quoted": "missing",
        "no-glob": "missing", "gone": "ok", "present": "present", "old": "old", "fresh": "ok",
        "tcp": "ok", "not-tcp": "not-listening", "not-udp": "not-listening",
        "not-unix": "not-listening",
    }  # fmt: skip


@by_every_way
def test_a_program_that_goes_on_printing_is_given_up(way: Way) -> None:
    _, connection = way
    begin = time.monotonic()
    with pytest.raises(DeadlineExceeded):
        connection.run(("sh", "-c", "for i in $(seq 90); do echo $i; sleep 0.1; done"), Deadline(2))
    assert time.monotonic() - begin < 6
