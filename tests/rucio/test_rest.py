"""Heartbeats by REST: Rucio's own server, and all that can answer in its place."""

import json
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from psops.checks.exchange import Response
from psops.errors import ConfigError, HostError, RowsUnread, UsageError
from psops.rucio.rest import parse_response, rest_source
from psops.rucio.source import Rows
from psops.secrets import Secret, read_secret
from tests.checks import servers
from tests.checks.servers import Authority, Reply, raw, said
from tests.ports import free_port
from tests.rucio.server import Rest, rest_server

TOKEN = "root-psops-0123456789abcdef"
DATE = "Date: Fri, 20 Nov 2026 21:27:55 GMT"
#: As Rucio 41.5.1 wrote it.
CAPTURED = json.dumps([
    {"readable": "undertaker", "hostname": "localhost", "pid": 12080,
     "thread_name": f"Thread-{number} (undertaker)", "payload": None,
     "updated_at": "Fri, 20 Nov 2026 21:27:48 UTC", "created_at": "Fri, 20 Nov 2026 21:20:00 UTC"}
    for number in (1, 2)
]).encode()  # fmt: skip


@pytest.fixture(scope="module")
def rest(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rest]:
    with rest_server(tmp_path_factory.mktemp("rest")) as served:
        yield served


def read(rest: Rest, account: str) -> Rows:
    return rest_source(rest.url, read_secret(rest.tokens[account])).read(10)


def test_rucios_own_server_gives_heartbeats_with_ages_by_its_clock(rest: Rest) -> None:
    assert read(rest, "root") == Rows(())
    with sqlite3.connect(rest.database, timeout=20) as connection:
        connection.execute(
            "INSERT INTO heartbeats (executable, readable, hostname, pid, thread_id, thread_name,"
            " payload, created_at, updated_at) VALUES ('x', 'reaper', 'vm', 71, 1, 'Thread-1',"
            " 'seedbox', datetime('now', '-500 seconds'), datetime('now', '-40 seconds'))"
        )
    (row,) = read(rest, "root").rows
    assert (row.readable, row.hostname, row.pid, row.payload) == ("reaper", "vm", 71, "seedbox")
    assert row.age == pytest.approx(40, abs=3)
    assert row.life == pytest.approx(500, abs=3)


def test_local_time_has_no_say(rest: Rest, monkeypatch: pytest.MonkeyPatch) -> None:
    before = read(rest, "root")
    monkeypatch.setenv("TZ", "Pacific/Auckland")
    time.tzset()
    try:
        after = read(rest, "root")
    finally:
        monkeypatch.undo()
        time.tzset()
    assert [row.age for row in after.rows] == pytest.approx([row.age for row in before.rows], abs=5)


@pytest.mark.parametrize(
    ("account", "words", "remedy"),
    [
        # 41.5.1 answers 500 to an account that may not; a 403 would say it better.
        ("alice", "may not see heartbeats: 'alice cannot list heartbeats.'", "account root"),
        ("expired", "401 UNAUTHORIZED: the token is not valid, or has ended", "rucio whoami"),
    ],
)
def test_rucios_own_refusals(rest: Rest, account: str, words: str, remedy: str) -> None:
    with pytest.raises(RowsUnread) as error:
        read(rest, account)
    assert words in str(error.value)
    assert remedy in error.value.remedy


def test_an_address_below_the_server_is_no_other_one(rest: Rest) -> None:
    token = read_secret(rest.tokens["root"])
    for end in ("/", "/heartbeats", "/heartbeats/"):
        rest_source(rest.url + end, token).read(10)
    with pytest.raises(RowsUnread, match="404"):
        rest_source(rest.url + "/other", token).read(10)


LOGIN = b"<html><head><title>Sign in</title></head><body><input type='password'></body></html>"


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (said("400 BAD REQUEST", b"", "ExceptionMessage: Token must be set."), "without a token"),
        (said("401 UNAUTHORIZED", b""), "not valid, or has ended"),
        (said("403 Forbidden", b""), "may not see heartbeats"),
        (said("406 NOT ACCEPTABLE", b""), "does not give JSON"),
        (said("500 INTERNAL SERVER ERROR", b"Database connection failed"), "Database connection"),
        (said("502 Bad Gateway", LOGIN), "502 Bad Gateway; it begins '<html>"),
        (said("503 Service Unavailable", b""), "it is empty"),
        (said("302 Found", b"", "Location: https://sso.example/login"), "https://sso.example/login"),
        (said("200 OK", LOGIN, DATE), "not JSON; it begins '<html>"),
        (said("200 OK", b"", DATE), "not JSON; it is empty"),
        (said("200 OK", b'{"status": "ok"}', DATE), "no list"),
        (said("200 OK", CAPTURED), "no date"),
        (said("200 OK", CAPTURED, "Date: yesterday"), "no age is known"),
        (said("200 OK", b"[" * 100_000, DATE), "not JSON"),
        (raw(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n[{"), "breaks off"),
        (raw(b""), "closed without an answer"),
        (raw(b"220 smtp.example ESMTP\r\n"), "does not speak HTTP"),
        (said("500 \x1b[31mred", b""), "500"),
    ],
)  # fmt: skip
def test_what_is_no_list_of_heartbeats(
    reply: Reply, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(servers.REPLIES, "/heartbeats", reply)
    with servers.serve() as server, pytest.raises(HostError) as error:
        rest_source(f"http://127.0.0.1:{server.port}", Secret(TOKEN, "env:T")).read(5)
    assert words in str(error.value)
    assert TOKEN not in f"{error.value!r} {error.value.remedy}"
    assert "\x1b" not in str(error.value)
    assert error.value.remedy


def test_a_server_without_end_or_haste_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    def endless(sock: object) -> None:
        servers.raw(b"HTTP/1.1 200 OK\r\n" + DATE.encode() + b"\r\n\r\n[")(sock)
        for _ in range(400):
            servers.raw(b"1," * 32768)(sock)

    source = "http://127.0.0.1:{}"
    with servers.serve() as server:
        monkeypatch.setitem(servers.REPLIES, "/heartbeats", endless)
        with pytest.raises(RowsUnread, match="longer than 16 MiB"):
            rest_source(source.format(server.port), Secret(TOKEN, "env:T")).read(20)
        for name in ("/silent", "/drip"):
            monkeypatch.setitem(servers.REPLIES, "/heartbeats", servers.REPLIES[name])
            begun = time.monotonic()
            with pytest.raises(HostError, match=r"within 0\.3 s"):
                rest_source(source.format(server.port), Secret(TOKEN, "env:T")).read(0.3)
            assert time.monotonic() - begun < 5


def test_nobody_is_there() -> None:
    with pytest.raises(HostError, match="refused") as error:
        rest_source(f"http://127.0.0.1:{free_port()}", Secret(TOKEN, "env:T")).read(5)
    assert "sshd" not in error.value.remedy


def test_a_certificate_must_be_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority = Authority(tmp_path)
    monkeypatch.setitem(servers.REPLIES, "/heartbeats", said("200 OK", CAPTURED, DATE))
    with servers.serve(authority.context()) as server:
        url = f"https://localhost:{server.port}"
        with pytest.raises(RowsUnread, match="not trusted") as error:
            rest_source(url, Secret(TOKEN, "env:T")).read(5)
        assert "--ca" in error.value.remedy
        assert server.asked == []  # the token was not sent
        assert (
            len(rest_source(url, Secret(TOKEN, "env:T"), str(authority.certificate)).read(5).rows)
            == 2
        )


def test_a_port_without_tls(rest: Rest) -> None:
    with pytest.raises(RowsUnread, match="does not speak TLS") as error:
        rest_source(rest.url.replace("http:", "https:"), Secret(TOKEN, "env:T")).read(5)
    assert "https" in error.value.remedy


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("rucio.example", "not an http"),
        ("ftp://rucio.example", "not an http"),
        ("http://rucio.example", "for everybody to read"),
        ("https://root:pw@rucio.example", "without user and password"),
        ("https://rucio.example/?a=b", "more than a path"),
        ("https://rucio.example/#a", "more than a path"),
        ("https://rucio.example:x", "not an http"),
    ],
)
def test_addresses_that_are_none(url: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        rest_source(url, Secret(TOKEN, "env:T"))


def test_files_of_authorities_that_are_none(tmp_path: Path) -> None:
    (tmp_path / "empty.pem").write_text("")
    for name, words in (("absent.pem", "no such file"), ("empty.pem", "no certificates")):
        with pytest.raises(ConfigError, match=words):
            rest_source("https://rucio.example", Secret(TOKEN, "env:T"), str(tmp_path / name))


def test_a_token_that_fits_into_no_header() -> None:
    with servers.serve() as server, pytest.raises(RowsUnread) as error:
        rest_source(f"http://127.0.0.1:{server.port}", Secret("gehéim", "env:T")).read(5)
    assert "gehéim" not in f"{error.value}{error.value.__cause__!r}{error.value.__context__!r}"


def answer(body: bytes, **headers: str) -> Response:
    found = {"date": DATE.removeprefix("Date: "), **headers}
    return Response(status=200, reason="OK", headers=found, body=body, complete=True, elapsed=0.1)


def test_the_captured_answer() -> None:
    rows = parse_response(answer(CAPTURED)).rows
    assert [(row.pid, row.age, row.life) for row in rows] == [(12080, 7.0, 475.0)] * 2


def test_single_heartbeats_that_make_no_sense_are_counted() -> None:
    good = json.loads(CAPTURED)[0]
    odd = [{**good, "pid": "x"}, {**good, "pid": True}, {**good, "updated_at": None},
           {**good, "readable": []}, {**good, "updated_at": "never"}, 7, None]  # fmt: skip
    rows = parse_response(answer(json.dumps([good, *odd]).encode()))
    assert (len(rows.rows), rows.bad) == (1, len(odd))


def test_a_time_of_no_zone_is_not_local(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    try:
        found = parse_response(answer(CAPTURED, date="Fri, 20 Nov 2026 21:27:55 -0000"))
    finally:
        monkeypatch.undo()
        time.tzset()
    assert found.rows[0].age == 7.0


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
_NAMES = ("readable", "hostname", "pid", "thread_name", "updated_at", "created_at", "payload")


@given(st.lists(st.fixed_dictionaries({}, optional=dict.fromkeys(_NAMES, _VALUES)) | _VALUES))
def test_no_document_is_a_surprise(document: object) -> None:
    rows = parse_response(answer(json.dumps(document).encode()))
    assert isinstance(document, list)
    assert len(rows.rows) + rows.bad == len(document)


@given(st.binary())
def test_no_bytes_are_a_surprise(body: bytes) -> None:
    try:
        parse_response(answer(body))
    except RowsUnread:
        return
