"""The record of changes: what it tells after threads, processes, kills, and full disks."""

import os
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from psops.errors import HistoryError
from psops.exits import Exit
from psops.history import Change, Done, Entry, History, Run
from psops.history import file as history_file
from psops.history import run as history_run
from psops.history.file import _on_network
from psops.systemlog import tell
from tests.command import psops

UNIT = "sshd.service"
BEFORE, AFTER = "active (running), enabled", "inactive (dead), enabled"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state/psops/history.db"


@pytest.fixture
def history(path: Path) -> Iterator[History]:
    with closing(History.open(path)) as opened:
        yield opened


def begin(history: History, *hosts: str, verb: str = "restart") -> int:
    reach = [(host, {"address": f"{host}.example.org", "port": 22}) for host in hosts]
    return history.begin(verb=verb, request={"names": [UNIT], "now": False}, hosts=reach)


def found(history: History, number: int) -> Run:
    run = history.run(number)
    assert run is not None
    return run


def states(run: Run) -> dict[str, str]:
    return {host.name: host.state for host in run.hosts}


def change(history: History, run: int, host: str, result: str = "changed") -> None:
    history.begin_host(run, host, [Entry(host, UNIT, BEFORE)])
    history.end_host(run, host, result, "", [Done(UNIT, result, AFTER, "", 1.5)])


def script(code: str, *words: object) -> "subprocess.Popen[str]":
    """Return a process that runs a script with the classes of the history."""
    head = "import os, resource, sys, threading, time\nfrom pathlib import Path\n"
    head += "from psops.history import *\npath = Path(sys.argv[1])\n"
    return subprocess.Popen(
        [sys.executable, "-c", head + code, *map(str, words)],
        stdout=subprocess.PIPE,
        text=True,
    )


def said(process: "subprocess.Popen[str]") -> list[str]:
    """Return the lines that a script printed, when it is over."""
    out, _ = process.communicate(timeout=100)
    assert process.returncode == 0
    return out.splitlines()


# One run


def test_module_is_imported_without_sqlite() -> None:
    code = "import sys, psops.history; print('sqlite3' in sys.modules)"
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "False\n"


def test_run_tells_what_was_written(history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUDO_USER", "alice")
    start = time.time()
    number = begin(history, "a", "b", "c", "d")
    history.begin_host(number, "a", [Entry("a", UNIT, BEFORE), Entry("a", "x.service", "failed")])
    done = [Done(UNIT, "changed", AFTER, "", 1.5), Done("more.service", "failed", "", "why", 2)]
    history.end_host(number, "a", "failed", "some", done)
    history.end_host(number, "b", "skipped", "not there", [])
    history.end_host(number, "c", "unchanged", "", [])
    history.end(number, Exit.SOME_FAILED)
    run = found(history, number)
    assert (run.user, run.pid, run.verb) == ("alice", os.getpid(), "restart")
    assert run.psops_host == os.uname().nodename
    assert run.request == {"names": [UNIT], "now": False}
    assert run.ended is not None
    assert start <= run.time <= run.ended <= time.time()
    assert (run.exit_code, run.state) == (1, "finished")
    a, b, c, d = run.hosts
    assert a.changes == (
        Change(UNIT, BEFORE, AFTER, "changed", "", 1.5),
        Change("x.service", "failed", "", "unknown", "", None),
        Change("more.service", "", "", "failed", "why", 2.0),
    )
    assert (a.name, a.state, a.message) == ("a", "failed", "some")
    assert a.reach == {"address": "a.example.org", "port": 22}
    assert None not in (a.started, a.ended)
    assert (b.state, b.message, b.started, b.changes) == ("skipped", "not there", None, ())
    assert (c.state, d.state, d.ended) == ("unchanged", "not-attempted", None)
    assert [host.name for host in run.unfinished] == ["a", "d"]


def test_state_before_is_that_before_the_first_change(history: History) -> None:
    number = begin(history, "a")
    change(history, number, "a")
    history.begin_host(number, "a", [Entry("a", UNIT, AFTER)])
    (host,) = found(history, number).hosts
    assert (host.state, host.ended) == ("running", None)
    assert [(one.before, one.result) for one in host.changes] == [(BEFORE, "pending")]
    history.end_host(number, "a", "skipped", "", [])
    assert found(history, number).hosts[0].changes[0].result == "skipped"


def test_host_that_the_run_did_not_announce_is_added(history: History) -> None:
    number = begin(history)
    change(history, number, "new")
    assert states(found(history, number)) == {"new": "changed"}


def test_any_text_can_be_written(history: History) -> None:
    text = "\x1b[31m\0\udc80é'\"; DROP TABLE runs"
    number = history.begin(verb="stop", request={"names": [text]}, hosts=[(text, {"user": text})])
    history.begin_host(number, text, [Entry(text, text, text)])
    history.end_host(number, text, "changed", text, [Done(text, "changed", text, text, 0)])
    run = found(history, number)
    kept = text.replace("\udc80", "\\udc80")
    assert (run.request["names"], run.hosts[0].reach) == ([text], {"user": text})
    assert run.hosts[0].message == kept
    assert run.hosts[0].changes == (Change(kept, kept, kept, "changed", kept, 0.0),)


def test_unfinished_counts_a_unit_of_unknown_result(history: History) -> None:
    number = begin(history, "a")
    history.end_host(number, "a", "changed", "", [Done(UNIT, "unknown", "", "", 1)])
    assert [host.name for host in found(history, number).unfinished] == ["a"]


# Which runs


def test_last_is_that_of_the_user_and_verb(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert history.last() is None
    monkeypatch.setenv("SUDO_USER", "alice")
    first, second = begin(history, "a"), begin(history, "b", verb="stop")
    monkeypatch.setenv("SUDO_USER", "bob")
    other = begin(history, "c")

    def last(verb: str | None = None) -> int | None:
        run = history.last(verb)
        return None if run is None else run.id

    assert (last(), last("restart"), last("stop")) == (other, other, None)
    monkeypatch.setenv("SUDO_USER", "alice")
    assert (last(), last("restart"), last("stop")) == (second, first, second)


@pytest.fixture
def some(history: History) -> History:
    """A history of three ended runs: 1 all right, 2 failed on ps2, 3 never began ps2."""
    for number in (1, 2, 3):
        assert begin(history, "ps1", "ps2") == number
        change(history, number, "ps1")
        if number < 3:
            change(history, number, "ps2", "failed" if number == 2 else "changed")
        history.end(number, 0)
    return history


@pytest.mark.parametrize(
    ("asked", "ids"),
    [
        ({}, [3, 2, 1]),
        ({"limit": 2}, [3, 2]),
        ({"host": "ps2"}, [3, 2, 1]),
        ({"host": "ps[!1]"}, [3, 2, 1]),
        ({"host": "PS2"}, []),
        ({"host": "p*", "limit": 1}, [3]),
        ({"unit": "sshd"}, [3, 2, 1]),
        ({"unit": "ssh*.service"}, [3, 2, 1]),
        ({"unit": "ssh"}, []),
        ({"host": "ps2", "unit": "sshd"}, [2, 1]),
        ({"failed": True}, [3, 2]),
        ({"failed": True, "host": "ps1"}, []),
        ({"failed": True, "unit": "sshd"}, [2]),
        ({"failed": True, "unit": "sshd", "host": "ps1"}, []),
        ({"since": 0}, [3, 2, 1]),
        ({"since": time.time() + 1e6}, []),
        ({"since": 0, "failed": True, "limit": 1}, [3]),
    ],
)
def test_runs_are_those_asked_for(some: History, asked: dict[str, Any], ids: list[int]) -> None:
    assert [run.id for run in some.runs(**asked)] == ids


def test_run_that_goes_on_has_not_failed_yet(history: History) -> None:
    number = begin(history, "a", "b")
    history.begin_host(number, "a", [])
    assert history.runs(failed=True) == ()
    history.end_host(number, "a", "failed", "", [])
    assert [run.id for run in history.runs(failed=True)] == [number]


@pytest.mark.parametrize("number", [0, -1, 2, 1 << 63, 10**30])
def test_number_that_no_run_has(history: History, number: int) -> None:
    begin(history, "a")
    assert history.run(number) is None


# Many at once


_MANY = """
history = History.open(path)
def thread(which):
    for turn in range(4):
        hosts = [f"h{which}-{at}" for at in range(3)]
        run = history.begin(verb="restart", request={}, hosts=[(host, {}) for host in hosts])
        for host in hosts:
            history.begin_host(run, host, [Entry(host, f"u{at}.service", "x") for at in range(5)])
            done = [Done(f"u{at}.service", "changed", "y", "", 0.1) for at in range(5)]
            history.end_host(run, host, "changed", "", done)
        history.end(run, 0)
        sys.stdout.write(f"{run}\\n")
threads = [threading.Thread(target=thread, args=(which,)) for which in range(8)]
for one in threads: one.start()
for one in threads: one.join()
history.close()
"""


def test_processes_and_threads_write_at_once(path: Path) -> None:
    processes = [script(_MANY, path) for _ in range(4)]
    numbers = [int(line) for process in processes for line in said(process)]
    assert sorted(numbers) == list(range(1, 4 * 8 * 4 + 1))
    with closing(History.open(path)) as history:
        runs = history.runs()
        assert len(runs) == len(numbers)
        for run in runs:
            assert run.state == "finished"
            assert set(states(run).values()) == {"changed"}
            assert [len(host.changes) for host in run.hosts] == [5, 5, 5]
            assert {one.result for host in run.hosts for one in host.changes} == {"changed"}
        assert len({run.pid for run in runs}) == 4
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_threads_that_wait_together_share_a_commit(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    commit = history._commit

    def slow(jobs: Any) -> None:
        sizes.append(len(jobs))
        time.sleep(0.05)
        commit(jobs)

    monkeypatch.setattr(history, "_commit", slow)
    number = begin(history, *(f"h{at}" for at in range(16)))
    threads = [
        threading.Thread(target=history.begin_host, args=(number, f"h{at}", [])) for at in range(16)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(states(found(history, number)).values()) == {"running"}
    assert max(sizes) >= 8
    assert len(sizes) <= 8


def test_call_waits_for_another_process(history: History, path: Path) -> None:
    number = begin(history, "a")
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        thread = threading.Thread(target=history.begin_host, args=(number, "a", []))
        thread.start()
        thread.join(0.3)
        assert thread.is_alive()
        other.execute("COMMIT")
        thread.join(10)
    assert states(found(history, number)) == {"a": "running"}


def test_busy_file_is_given_up_in_the_end(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history_file, "BUSY_S", 0.2)
    with closing(History.open(path)) as history:
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(HistoryError, match=r"busy for 0\.2 s"):
                begin(history, "a")
        assert begin(history, "a") == 1


def test_closed_history_takes_nothing_and_waits_for_nothing(path: Path) -> None:
    history = History.open(path)
    history.close()
    history.close()
    with pytest.raises(HistoryError, match="is closed"):
        begin(history, "a")


# Killed


_KILLED = """
history = History.open(path)
run = history.begin(verb="restart", request={}, hosts=[("a", {}), ("b", {}), ("c", {})])
history.begin_host(run, "a", [Entry("a", "u.service", "x")])
history.end_host(run, "a", "changed", "", [Done("u.service", "changed", "y", "", 1)])
history.begin_host(run, "b", [Entry("b", "u.service", "x")])
print("begun", flush=True)
time.sleep(100)
"""


def test_killed_run_tells_the_truth(path: Path) -> None:
    process = script(_KILLED, path)
    assert process.stdout is not None
    assert process.stdout.readline() == "begun\n"
    with closing(History.open(path)) as history:
        run = found(history, 1)
        assert (run.state, run.pid) == ("running", process.pid)
        process.send_signal(signal.SIGKILL)
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # gone, but not waited for
        assert run.state == "killed"
        process.communicate()
        assert run.state == "killed"
        run = found(history, 1)
        assert (run.state, run.exit_code, run.ended) == ("killed", None, None)
        assert states(run) == {"a": "changed", "b": "running", "c": "not-attempted"}
        assert [host.name for host in run.unfinished] == ["b", "c"]
        assert run.unfinished[0].changes == (Change("u.service", "x", "", "pending", "", None),)
        assert history.runs(failed=True) == (run,)
        assert begin(history, "a") == 2


_BUSY = """
history = History.open(path)
for turn in range(100000):
    run = history.begin(verb="restart", request={}, hosts=[("a", {})])
    history.begin_host(run, "a", [Entry("a", "u.service", "x")])
    print(run, flush=True)
"""


def test_what_a_call_wrote_survives_a_kill_at_any_moment(path: Path) -> None:
    for turn in range(5):
        process = script(_BUSY, path)
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(0.01 * turn)
        process.kill()
        lines = process.communicate()[0].splitlines()
        with closing(History.open(path)) as history:
            for line in lines:
                assert states(found(history, int(line))) == {"a": "running"}
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_process_with_the_number_of_a_killed_one_is_another(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = begin(history, "a")
    assert found(history, number).state == "running"
    monkeypatch.setattr(history_run, "process_mark", lambda pid: "other boot 1")
    assert found(history, number).state == "killed"


def test_run_on_another_host_is_not_judged_by_the_processes_here(
    history: History, path: Path
) -> None:
    number = begin(history, "a")
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE runs SET psops_host = 'elsewhere'")
        connection.commit()
    assert found(history, number).state == "unknown"


# What cannot be written


_FULL = """
history = History.open(path)
run = history.begin(verb="restart", request={}, hosts=[("a", {})])
limit = resource.getrlimit(resource.RLIMIT_FSIZE)
size = os.path.getsize(f"{path}-wal")
resource.setrlimit(resource.RLIMIT_FSIZE, (size + 5000, limit[1]))
refused = 0
for turn in range(3):
    try:
        history.begin(verb="stop", request={}, hosts=[(f"h{at}", {}) for at in range(2000)])
    except Exception as exc:
        print(type(exc).__name__, exc.code, exc.exit.name, exc, sep="|")
resource.setrlimit(resource.RLIMIT_FSIZE, limit)
history.begin_host(run, "a", [])
history.end_host(run, "a", "changed", "", [])
print(history.last().id, len(history.runs()), history.last().hosts[0].state)
history.close()
"""


def test_full_disk_refuses_the_change_and_goes_on_when_there_is_room(path: Path) -> None:
    *refused, last = said(script(_FULL, path))
    assert len(refused) == 3
    for line in refused:
        assert line.startswith(f"HistoryError|history|CANNOT_RECORD|{path}: the history of")
        assert " cannot be written (" in line
    assert last == "1 1 changed"


_NO_ROOM = """
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
try:
    History.open(path)
except Exception as exc:
    print(type(exc).__name__)
"""


def test_history_is_not_begun_on_a_full_disk_and_is_later(path: Path) -> None:
    assert said(script(_NO_ROOM, path)) == ["HistoryError"]
    with closing(History.open(path)) as history:
        assert begin(history, "a") == 1


def test_state_directory_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "state").touch()
    for inner in ("history.db", "psops/history.db"):
        path = tmp_path / "state" / inner
        with pytest.raises(HistoryError, match="cannot be written") as caught:
            History.open(path)
        assert str(path) in str(caught.value)
        assert "--no-history" in caught.value.remedy
        assert History.read(path) is None


_READ_ONLY = """
import psops.history, sqlite3, fnmatch
place, file = int(sys.argv[2], 8), int(sys.argv[3], 8)
path.chmod(file)
path.parent.chmod(place)
if os.getuid() == 0:
    os.setuid(65534)
try:
    History.open(path)
except Exception as exc:
    print(type(exc).__name__, exc)
try:
    history = History.read(path)
    print(history and len(history.runs()))
except Exception as exc:
    print(type(exc).__name__, exc, exc.remedy)
"""


@pytest.mark.parametrize(("place", "file"), [("0555", "0444"), ("0755", "0000")])
def test_permissions_refuse_the_change(place: str, file: str) -> None:
    with tempfile.TemporaryDirectory() as top:  # root may do all, others not see pytest's own
        Path(top).chmod(0o755)
        path = Path(top) / "psops/history.db"
        with closing(History.open(path)) as history:
            begin(history, "a")
        written, read = said(script(_READ_ONLY, path, place, file))
        path.parent.chmod(0o700)
    assert written.startswith(f"HistoryError {path}: the history of changes cannot be written")
    if file == "0444":
        assert read == "1"
    else:
        assert read.startswith(f"HistoryError {path}: the history of changes cannot be read")
        assert "--no-history" not in read


def test_only_the_user_may_read_the_file(path: Path) -> None:
    before = os.umask(0)
    try:
        with closing(History.open(path)) as history:
            begin(history, "a")
            kept = [path, *path.parent.glob("history.db-*")]
            assert {file.stat().st_mode & 0o777 for file in kept} == {0o600}
            assert len(kept) == 3
        assert path.parent.stat().st_mode & 0o777 == 0o700
    finally:
        os.umask(before)


@pytest.mark.parametrize("what", ["noise", "half"])
def test_damaged_file_is_named_with_the_remedy(path: Path, what: str) -> None:
    with closing(History.open(path)) as history:
        for _ in range(100):
            begin(history, *(f"h{at}" for at in range(20)))
    data = path.read_bytes()
    if what == "noise":
        path.write_bytes(b"no database " * 1000)
    else:
        path.write_bytes(data[:8192] + os.urandom(len(data) - 8192))

    def look(way: Callable[[Path], History | None]) -> None:
        opened = way(path)
        assert opened is not None
        with closing(opened):
            opened.runs()

    for way in (History.open, History.read):
        with pytest.raises(HistoryError, match="is damaged") as caught:
            look(way)
        assert str(path) in str(caught.value)
        assert caught.value.remedy.endswith(f"mv {path} {path}.damaged")
    path.rename(f"{path}.damaged")
    with closing(History.open(path)) as history:
        assert begin(history, "a") == 1


def test_file_of_a_newer_psops_is_refused_and_left_alone(path: Path) -> None:
    History.open(path).close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version=7")
        connection.commit()
    before = path.read_bytes()
    for way in (History.open, History.read):
        with pytest.raises(HistoryError, match=r"a newer psops .* \(version 7 ") as caught:
            way(path)
        assert str(path) in str(caught.value)
    assert path.read_bytes() == before


def test_database_of_another_program_is_refused_and_left_alone(path: Path) -> None:
    path.parent.mkdir(parents=True)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE bookmarks (a)")
    before = path.read_bytes()
    with pytest.raises(HistoryError, match="another program"):
        History.open(path)
    assert path.read_bytes() == before


def test_history_that_is_not_there_is_not_made_by_reading(path: Path) -> None:
    assert History.read(path) is None
    assert not path.parent.exists()
    path.parent.mkdir(parents=True)
    path.touch()
    assert History.read(path) is None


def test_journal_fits_the_file_system(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def journal() -> str:
        with closing(sqlite3.connect(path)) as connection:
            return str(connection.execute("PRAGMA journal_mode").fetchone()[0])

    History.open(path).close()
    assert journal() == "wal"
    monkeypatch.setattr(history_file, "_on_network", lambda path: True)
    with closing(History.open(path)) as history:
        change(history, begin(history, "a"), "a")
    assert journal() == "delete"


def test_network_file_system_is_the_mount_nearest_to_the_file(tmp_path: Path) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text(
        "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n"
        "2 1 0:40 / /home rw shared:1 - nfs4 filer:/home rw\n"
        "3 2 0:41 / /home/local rw - xfs /dev/sdb rw\n"
    )
    for text, wanted in (("/root", False), ("/home/a/.local", True), ("/home/local/a", False)):
        assert _on_network(Path(text) / "history.db", str(mounts)) is wanted
    assert _on_network(Path("/x"), str(tmp_path / "none")) is False


# The system log


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(str(tmp_path / "log"))
        sock.settimeout(5)
        monkeypatch.setenv("PSOPS_SYSLOG", str(tmp_path / "log"))
        yield sock


def test_line_reaches_the_system_log(log: socket.socket) -> None:
    tell("run 1: restart sshd.service on ps[01-20]: begun")
    text = log.recv(9000).decode()
    assert text.startswith("<13>")
    assert text.endswith(f"psops[{os.getpid()}]: run 1: restart sshd.service on ps[01-20]: begun")


def test_line_is_short_and_has_nothing_that_a_terminal_acts_on(log: socket.socket) -> None:
    tell("a\nb\x1b[31m\0\udc80\u202e" + "x" * 5000)
    data = log.recv(9000)
    assert len(data) <= 2048
    assert data.decode().isprintable()
    tell("é" * 5000)
    assert len(log.recv(9000)) <= 2048


def test_system_log_that_does_not_read_stops_nothing(log: socket.socket) -> None:
    start = time.monotonic()
    for _ in range(2000):
        tell("x" * 1000)
    assert time.monotonic() - start < 5


def test_system_log_may_be_absent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    for place in ("", str(tmp_path / "none"), str(tmp_path / "file"), str(tmp_path), "x" * 500):
        monkeypatch.setenv("PSOPS_SYSLOG", place)
        tell("x")


# The command


def record(home: Path) -> None:
    """Write three runs where `psops` looks for them."""
    with closing(History.open(home / "state/psops/history.db")) as history:
        for number in (1, 2, 3):
            begin(history, "ps1", "ps2")
            change(history, number, "ps1", "failed" if number == 2 else "changed")
            history.end_host(number, "ps2", "unchanged", "", [])
            history.end(number, 0)


def test_command_lists_the_runs(tmp_path: Path) -> None:
    record(tmp_path)
    run = psops("history", home=tmp_path)
    assert (run.exit, run.stderr) == (0, "")
    head, *lines = run.stdout.splitlines()
    assert head.split() == ["ID", "TIME", "USER", "VERB", "UNITS", "HOSTS", "RESULT", "STATE"]
    assert [line.split()[0] for line in lines] == ["3", "2", "1"]
    assert " ".join(lines[1].split()[4:]) == (
        "restart sshd.service ps[1-2] 1 unchanged, 1 failed finished"
    )

    def ids(*words: str) -> list[int]:
        run = psops("history", *words, "--format", "json", home=tmp_path)
        assert (run.exit, run.stderr, run.document["command"]) == (0, "", "history")
        return [one["id"] for one in run.document["runs"]]

    assert ids("--failed") == [2]
    assert ids("-n", "2") == ids("--limit", "2") == [3, 2]
    assert ids("--host", "ps1", "--unit", "sshd", "--since", "2h") == [3, 2, 1]
    assert ids("--host", "ps2", "--unit", "sshd") == []


def test_command_shows_a_run(tmp_path: Path) -> None:
    record(tmp_path)
    run = psops("history", "show", "2", home=tmp_path)
    assert (run.exit, run.stderr) == (0, "")
    assert run.stdout.startswith("run 2: restart, finished with exit status 0\n")
    assert f"{BEFORE} → {AFTER}" in run.stdout
    document = psops("history", "show", "last", "--json", home=tmp_path).document
    assert document["run"]["id"] == 3


def test_command_says_that_there_is_nothing(tmp_path: Path) -> None:
    run = psops("history", home=tmp_path)
    assert run == (0, "no change is recorded yet\n", "")
    assert psops("history", "--json", home=tmp_path).document["runs"] == []
    assert not (tmp_path / "state").exists()
    record(tmp_path)
    assert psops("history", "--since", "2099-01-01", home=tmp_path) == (0, "no such run\n", "")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("show 9", "the history has no run 9"),
        ("show 99999999999999999999999", "the history has no run 99999999999999999999999"),
        ("show x", "'x' is not the number of a run, nor 'last'"),
        ("--since never", "--since: 'never' is no time such as 2026-11-20,"),
        ("--format jsno", "no format 'jsno'; did you mean 'json'?"),
        ("--failed show 1", "options go behind 'show'"),
    ],
)
def test_command_refuses_what_does_not_fit(tmp_path: Path, line: str, message: str) -> None:
    record(tmp_path)
    run = psops("history", *line.split(), home=tmp_path)
    assert (run.exit, run.stdout) == (Exit.USAGE, "")
    assert run.stderr.startswith(f"psops: {message}")


def test_command_says_what_is_wrong_with_the_file(tmp_path: Path) -> None:
    path = tmp_path / "state/psops/history.db"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"no database " * 1000)
    run = psops("history", home=tmp_path)
    assert (run.exit, run.stdout) == (Exit.CANNOT_RECORD, "")
    assert run.stderr.splitlines()[0].startswith(f"psops: {path}: the history of changes is dam")


def test_history_that_another_psops_makes_meanwhile_is_no_other_programs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / history_file.FILE

    class Slow(sqlite3.Connection):
        """Another psops makes the history just after this one has looked at the file first."""

        made = False

        def execute(self, *words: Any) -> sqlite3.Cursor:
            found = super().execute(*words)
            rows = found.fetchall()
            if not Slow.made:
                Slow.made = True
                monkeypatch.undo()
                history_file.open_to_write(path).close()
            return _Rows(rows)  # type: ignore[return-value]

    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda *words, **how: connect(*words, factory=Slow,
                                                                          **how))  # fmt: skip
    history_file.open_to_write(path).close()
    assert Slow.made


class _Rows:
    """What a statement gave."""

    def __init__(self, rows: list[Any]) -> None:
        self._rows = rows

    def fetchone(self) -> Any:
        return self._rows[0]

    def fetchall(self) -> list[Any]:
        return self._rows
