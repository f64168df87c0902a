"""Programs of supervisord: a real one, one with a password, and what else can answer."""

import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from xmlrpc.client import dumps

import pytest
from hypothesis import given
from hypothesis import strategies as st

from psops.deadline import Deadline
from psops.errors import HostError, ProtocolError
from psops.inventory import Host
from psops.rucio import supervisor
from psops.rucio.supervisor import Program, count_exits, parse_programs, read_programs
from psops.transport import Options
from psops.transport.local import connect
from tests.rucio.real import prepare

_CONFIG = """
[supervisord]
nodaemon=true
logfile={place}/log
pidfile={place}/pid
[unix_http_server]
file={place}/sock
{login}
[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
[program:reaper]
command=/bin/sleep 1000
numprocs=2
process_name=%(program_name)s_%(process_num)02d
[program:hermes]
command=/bin/sh -c "exit 0"
autorestart=unexpected
startsecs=0
[program:minos]
command=/bin/sh -c "exit 3"
autorestart=true
startsecs=0
[program:kronos]
command=/nowhere/rucio-kronos
[program:bb8]
command=/bin/sleep 1000
autostart=false
"""


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give a directory whose path is short enough for a socket, the only one that is asked."""
    with tempfile.TemporaryDirectory(prefix="psops-sv-") as directory:
        monkeypatch.setattr(supervisor, "SOCKETS", (f"{directory}/sock",))
        yield Path(directory)


def read(seconds: float = 5.0) -> dict[str, Program]:
    connection = connect(Host(name="localhost", transport="local"), Options())
    return {one.name: one for one in read_programs(connection, Deadline(seconds))}


@contextmanager
def supervised(place: Path, login: str = "") -> Iterator[None]:
    config = place / "supervisord.conf"
    config.write_text(_CONFIG.format(place=place, login=login))
    binary = prepare() / "bin"
    argv = [f"{binary}/python", "-W", "ignore", f"{binary}/supervisord", "-c", str(config)]
    with (place / "out").open("w") as out:
        process = subprocess.Popen(argv, stdout=out, stderr=out)
    try:
        end = time.monotonic() + 15
        while not (place / "sock").exists():
            assert process.poll() is None, (place / "out").read_text()
            assert time.monotonic() < end, (place / "out").read_text()
            time.sleep(0.05)
        yield
    finally:
        process.terminate()
        process.wait(20)


def test_a_real_one(place: Path) -> None:
    with supervised(place):
        end = time.monotonic() + 20
        found = read()
        while time.monotonic() < end and not (
            found["reaper_01"].state == "RUNNING" and found["minos"].restarts >= 3
            and found["kronos"].state in ("BACKOFF", "FATAL")
        ):  # fmt: skip
            time.sleep(0.3)
            found = read()
    for name in ("reaper_00", "reaper_01"):
        one = found[name]
        assert (one.group, one.active, one.wanted, one.exit_code) == (
            "reaper",
            "active",
            True,
            None,
        )
        assert one.pid > 0
        assert one.up is not None
        assert one.up < 30
    hermes = found["hermes"]
    assert (hermes.state, hermes.active, hermes.exit_code) == ("EXITED", "inactive", 0)
    assert hermes.down is not None
    assert found["minos"].restarts >= 3
    assert found["kronos"].spawn_error
    assert (found["bb8"].state, found["bb8"].wanted) == ("STOPPED", False)


def test_a_password_is_asked_for(place: Path) -> None:
    with supervised(place, "username=admin\npassword=hidden"), pytest.raises(HostError) as error:
        read()
    assert "401" in str(error.value)
    assert "password" in error.value.remedy


@contextmanager
def answering(place: Path, reply: Callable[[socket.socket], None]) -> Iterator[None]:
    """Run something else on the socket."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(place / "sock"))
        listener.listen()

        def serve() -> None:
            while True:
                try:
                    sock, _ = listener.accept()
                except OSError:
                    return
                with sock:
                    sock.recv(65536)
                    try:
                        reply(sock)
                    except OSError:
                        continue

        threading.Thread(target=serve, daemon=True).start()
        yield
        listener.shutdown(socket.SHUT_RDWR)


def said(body: bytes, status: str = "200 OK") -> Callable[[socket.socket], None]:
    head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    return lambda sock: sock.sendall(head + body)


_FAULT = (
    b"<?xml version='1.0'?><methodResponse><fault><value><struct><member><name>faultCode</name>"
    b"<value><int>6</int></value></member><member><name>faultString</name><value><string>"
    b"SHUTDOWN_STATE</string></value></member></struct></value></fault></methodResponse>"
)
_BOMB = (
    b"<?xml version='1.0'?><!DOCTYPE x [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;'>]>"
    b"<methodResponse><params><param><value>&b;</value></param></params></methodResponse>"
)


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (said(_FAULT), "SHUTDOWN_STATE"),
        (said(_BOMB), "declares a document type"),
        (said(b"<html>Sign in</html>"), "makes no sense"),
        (said(b""), "answer makes no sense"),
        (said(b"", "500 Internal Server Error"), "answers 500"),
        (lambda sock: sock.sendall(b"noise\r\n"), "does not speak HTTP"),
        (lambda sock: None, "closed without an answer"),
        (lambda sock: time.sleep(3), "within 0.4 s"),
    ],
    ids=lambda value: value if isinstance(value, str) else "reply",
)
def test_something_else_answers(
    place: Path, reply: Callable[[socket.socket], None], words: str
) -> None:
    with answering(place, reply), pytest.raises(HostError, match=words):
        read(0.4 if "0.4 s" in words else 5)


def test_no_socket_and_one_that_is_left(place: Path) -> None:
    with pytest.raises(HostError):
        read()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(place / "sock"))
    with pytest.raises(HostError):
        read()


def test_a_socket_for_root_alone(place: Path) -> None:
    place.chmod(0o755)
    code = (
        "import os\n"
        "from tests.rucio.test_supervisor import read, supervisor\n"
        "from psops.errors import HostError\n"
        f"supervisor.SOCKETS = ('{place}/sock',)\n"
        "os.geteuid() or os.setuid(65534)\n"
        "try: read()\n"
        "except HostError as error: print(error.code, error)\n"
    )
    with answering(place, said(b"")):
        (place / "sock").chmod(0)
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "denied" in done.stdout.lower(), f"{done.stdout}{done.stderr}"


def test_ends_are_counted_by_the_logs_own_clock() -> None:
    log = """\
2026-11-21 07:00:00,000 WARN exited: minos (exit status 2; not expected)
garbage exited: minos (x)
2026-11-21 08:33:48,612 WARN exited: minos (exit status 2; not expected)
2026-11-21 08:33:49,708 INFO spawned: 'minos' with pid 12858
2026-11-21 08:33:49,931 INFO exited: hermes (exit status 0; expected)
2026-11-21 08:33:50,931 INFO stopped: reaper (exit status 0)
2026-11-21 08:33:51,351 WARN exited: minos (terminated by SIGKILL; not expected)
9999-99-99 99:99:99,000 WARN exited: minos (x)
2026-11-21 08:35:51,351 INFO success: hermes entered RUNNING state
"""
    assert count_exits(log) == Counter({"minos": 2, "hermes": 1})
    assert count_exits("") == Counter()


@pytest.mark.parametrize(
    ("state", "status", "error", "code"),
    [
        ("EXITED", 0, "", 0),
        ("EXITED", 3, "", 3),
        ("EXITED", -1, "", None),  # a signal ended it
        ("STOPPED", 0, "", None),
        ("FATAL", 0, "can't find command '/x'", None),
        ("FATAL", 0, "Exited too quickly (process log may have details)", 2),
        ("BACKOFF", 0, "Exited too quickly (process log may have details)", 2),
    ],
)
def test_an_exit_code_is_told_where_there_is_one(
    place: Path, state: str, status: int, error: str, code: int | None
) -> None:
    """supervisord has 0 until it has seen the end of a program that it took for started."""
    log = """\
2026-11-21 08:33:47,612 WARN exited: minos (exit status 1; not expected)
2026-11-21 08:33:48,612 WARN exited: minos (exit status 2; not expected)
2026-11-21 08:33:48,613 WARN exited: hermes (exit status 0; expected)
"""
    one = {"name": "minos", "group": "minos", "start": 100, "stop": 102, "now": 110, "pid": 0,
           "statename": state, "spawnerr": error, "exitstatus": status}  # fmt: skip
    replies = [dumps(([one],), methodresponse=True), dumps((log,), methodresponse=True)]
    with answering(place, lambda sock: said(replies.pop(0).encode())(sock)):
        assert read()["minos"].exit_code == code


@given(st.text() | st.text(alphabet="0123456789-: ,WARNexitd()\n"))
def test_no_log_is_a_surprise(log: str) -> None:
    count_exits(log)


@given(st.binary())
def test_no_answer_is_a_surprise(body: bytes) -> None:
    try:
        parse_programs(body)
    except ProtocolError:
        return
