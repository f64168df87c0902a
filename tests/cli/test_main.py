"""The program as a process: exit codes, streams, signals, pipes."""

import json
import os
import pty
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from psops import __version__
from psops.exits import Exit

PSOPS = (sys.executable, "-m", "psops")
#: Nothing listens on port 1 of the loopback.
REFUSED = "127.0.0.1:1"
ENVELOPE = {"psops_version", "schema", "command", "status", "exit", "hosts", "errors"}
LIMIT = 60  # seconds; only a hang takes that long


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """Give an environment without anything of the user's."""
    kept = {key: os.environ[key] for key in ("PATH", "PYTHONPATH") if key in os.environ}
    home = str(tmp_path)
    return {**kept, "HOME": home, "XDG_CONFIG_HOME": home, "XDG_STATE_HOME": home}


def psops(environ: dict[str, str], *words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [*PSOPS, *words], env=environ, capture_output=True, text=True, timeout=LIMIT
    )


def test_version_is_printed_to_stdout(environ: dict[str, str]) -> None:
    done = psops(environ, "--version")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"psops {__version__}\n", "")


def test_script_and_module_are_the_same_program(environ: dict[str, str]) -> None:
    script = Path(sys.executable).with_name("psops")
    done = subprocess.run(
        [script, "--help"], env=environ, capture_output=True, text=True, timeout=LIMIT
    )
    assert (done.returncode, done.stdout) == (0, psops(environ, "--help").stdout)


def test_host_that_refuses_is_in_the_report_and_gives_69(environ: dict[str, str]) -> None:
    done = psops(environ, "status", "-F", "/dev/null", "-H", REFUSED)
    assert done.returncode == Exit.UNAVAILABLE
    assert f"× {REFUSED}: connect-refused: " in done.stdout
    assert done.stderr == ""


def test_host_that_refuses_is_an_error_in_json(environ: dict[str, str]) -> None:
    done = psops(environ, "status", "-F", "/dev/null", "-H", REFUSED, "--json")
    made = json.loads(done.stdout)
    assert made.keys() == ENVELOPE
    assert (done.returncode, made["exit"], made["status"]) == (69, 69, "error")
    assert [(error["host"], error["code"]) for error in made["errors"]] == [
        (REFUSED, "connect-refused")
    ]


@pytest.mark.parametrize("text", ["hosts = 1", "not toml", "\xff"])
def test_bad_inventory_gives_78_with_its_path_on_stderr(
    text: str, environ: dict[str, str], tmp_path: Path
) -> None:
    path = tmp_path / "bad.toml"
    path.write_bytes(text.encode("latin-1"))
    done = psops(environ, "status", "-a", "-i", str(path))
    assert (done.returncode, done.stdout) == (Exit.CONFIG, "")
    assert done.stderr.startswith(f"psops: {path}:1: ")
    assert done.stderr.count("\n") == 1


def test_missing_inventory_gives_78_and_names_what_named_it(environ: dict[str, str]) -> None:
    done = psops({**environ, "PSOPS_INVENTORY": "/nonexistent"}, "status", "-a")
    assert done.returncode == Exit.CONFIG
    assert done.stderr == "psops: /nonexistent: no such file (named by PSOPS_INVENTORY)\n"


@pytest.mark.parametrize(
    ("words", "code", "error"),
    [
        (("status", "-i", "/nonexistent", "-a"), 78, "inventory"),
        (("status", "-g", "nope"), 2, "no-such-group"),
        (("status", ".."), 2, "usage"),
        (("status", "--no-such-option"), 2, "usage"),
        (("status", "--fanout", "none"), 2, "usage"),
    ],
)
@pytest.mark.parametrize("json_option", ["--json", "--format=json", "--format json"])
def test_failure_before_any_host_speaks_json_if_json_was_asked_for(
    words: tuple[str, ...], code: int, error: str, json_option: str, environ: dict[str, str]
) -> None:
    done = psops(environ, *words, *json_option.split())
    made = json.loads(done.stdout)
    assert made.keys() == ENVELOPE
    assert (done.returncode, made["exit"], made["status"]) == (code, code, "error")
    assert [one["code"] for one in made["errors"]] == [error]
    assert done.stderr


def test_error_is_one_line_without_debug_and_has_a_traceback_with_it(
    environ: dict[str, str],
) -> None:
    words = ("status", "-a", "-i", "/nonexistent")
    plain, debug = psops(environ, *words), psops(environ, "--debug", *words)
    assert plain.returncode == debug.returncode == Exit.CONFIG
    assert "Traceback" not in plain.stderr
    assert debug.stderr.startswith("Traceback (most recent call last):\n")
    assert debug.stderr.endswith(plain.stderr)


def test_bug_gives_70_and_an_invitation(environ: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import psops.paths\ndef broken(option): raise RuntimeError('oops')\n"
        "psops.paths.inventory_path = broken\n"
    )
    place = os.pathsep.join(filter(None, (str(tmp_path), environ.get("PYTHONPATH"))))
    done = psops({**environ, "PYTHONPATH": place}, "status", "-a")
    assert (done.returncode, done.stdout) == (Exit.SOFTWARE, "")
    assert done.stderr == (
        "psops: bug: RuntimeError('oops'); run again with --debug and report it\n"
    )


# Pipes


@pytest.mark.parametrize("words", ["", "--json"], ids=["table", "json"])
@pytest.mark.parametrize("count", [2, 400])
def test_reader_that_stops_early_is_no_error(
    words: str, count: int, environ: dict[str, str]
) -> None:
    """The small report breaks when it is flushed, the large one while it is printed."""
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [*PSOPS, "status", "-i", f"demo:{count}", *words.split()], env=environ, stdout=write,
        stderr=subprocess.PIPE, text=True, timeout=LIMIT,
    )  # fmt: skip
    os.close(write)
    assert done.stderr == ""
    assert done.returncode in (Exit.OK, Exit.SOME_FAILED)


@pytest.mark.parametrize("words", ["--help", "--version", "status --help"])
def test_help_to_a_closed_pipe_is_no_error(words: str, environ: dict[str, str]) -> None:
    """Typer prints help and version by itself, and gives 1 for a reader that stopped."""
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [*PSOPS, *words.split()], env=environ, stdout=write, stderr=subprocess.PIPE, timeout=LIMIT
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (0, b"")


# Streams that fail


FULL = Path("/dev/full")


@pytest.mark.parametrize(
    "words",
    [
        "--help",
        "status -i demo:2",
        "status -i demo:2 --json",
        "watch -i demo:2 --for 20 --initial",
        "logs -i demo:2",
    ],
)
def test_report_that_cannot_be_written_is_told_in_a_line(
    words: str, environ: dict[str, str]
) -> None:
    with FULL.open("w") as full:
        done = subprocess.run(
            [*PSOPS, *words.split()], env=environ, stdout=full, stderr=subprocess.PIPE, text=True,
            timeout=LIMIT,
        )  # fmt: skip
    assert done.returncode == Exit.CANNOT_WRITE, done.stderr
    assert done.stderr.startswith("psops: stdout: no space left on device\n")
    assert done.stderr.count("\n") == 2  # and the remedy


def test_error_beside_a_full_stdout_is_told_on_stderr(environ: dict[str, str]) -> None:
    with FULL.open("w") as full:
        done = subprocess.run(
            [*PSOPS, "status", "-i", "/nonexistent", "-a", "--json"], env=environ, stdout=full,
            stderr=subprocess.PIPE, text=True, timeout=LIMIT,
        )  # fmt: skip
    assert done.returncode == Exit.CONFIG
    assert done.stderr == "psops: /nonexistent: no such file (named by --inventory)\n"


def test_output_that_is_full_is_told_as_stdout_is(environ: dict[str, str]) -> None:
    done = psops(environ, "bundle", "verify", "-i", "demo:2", "-o", str(FULL))
    assert done.returncode == Exit.CANNOT_WRITE
    assert done.stderr.startswith("psops: /dev/full: no space left on device\n")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("status -i demo -H ps01.demo chronyd", 0),
        ("watch -i demo -H ps01.demo --for 1 chronyd", 0),
        ("restart -i demo -H ps01.demo -n chronyd", 0),
        ("logs -i demo -H ps01.demo -n 2", 0),
        ("stat", 2),
        ("status -i /nonexistent -a", 78),
        ("--debug status -i /nonexistent -a", 78),
    ],
)
@pytest.mark.parametrize("how", ["full", "closed pipe"])
def test_stderr_that_fails_changes_nothing(
    words: str, code: int, how: str, environ: dict[str, str]
) -> None:
    wanted = psops(environ, *words.split())
    assert wanted.returncode == code, wanted.stderr
    read, write = os.pipe()
    os.close(read)
    with FULL.open("w") as full:
        done = subprocess.run(
            [*PSOPS, *words.split()], env=environ, stdout=subprocess.PIPE, text=True,
            timeout=LIMIT, stderr=full if how == "full" else write,
        )  # fmt: skip
    os.close(write)
    assert done.returncode == code
    assert bool(done.stdout) is bool(wanted.stdout)


# Signals


@pytest.fixture
def hanging() -> Iterator[socket.socket]:
    """Give a socket that listens; whoever connects waits for a greeting."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(LIMIT)
        yield server


@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGINT, Exit.INTERRUPTED), (signal.SIGTERM, Exit.TERMINATED)],
    ids=["SIGINT", "SIGTERM"],
)
@pytest.mark.parametrize("alone", [True, False], ids=["one host", "two hosts"])
def test_signal_ends_the_run_with_what_is_known(
    number: signal.Signals, code: Exit, alone: bool, environ: dict[str, str], hanging: socket.socket
) -> None:
    slow = f"127.0.0.1:{hanging.getsockname()[1]}"
    hosts = slow if alone else f"{REFUSED},{slow}"
    running = subprocess.Popen(
        [*PSOPS, "status", "-F", "/dev/null", "-H", hosts, "--fanout", "1", "--json"],
        env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        client, _ = hanging.accept()
        with client:
            client.settimeout(LIMIT)
            client.sendall(b"SSH-2.0-hangs\r\n")
            hello = b""
            while len(hello) < 200:  # greeting and offer: the other host is done long ago
                hello += client.recv(4096)
            running.send_signal(number)
            out, err = running.communicate(timeout=LIMIT)
    finally:
        running.kill()
        running.wait()
    made = json.loads(out)
    assert (running.returncode, made["exit"], err) == (code, code, "")
    codes = {host["host"]: host["error"]["code"] for host in made["hosts"]}
    assert codes == {slow: "interrupted"} | ({} if alone else {REFUSED: "connect-refused"})


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["SIGINT", "SIGTERM"]
)
def test_signal_before_the_hosts_are_known_ends_the_run_too(
    number: signal.Signals, code: int, environ: dict[str, str], tmp_path: Path
) -> None:
    inventory = tmp_path / "fifo"
    os.mkfifo(inventory)
    running = subprocess.Popen(
        [*PSOPS, "status", "-a", "-i", inventory], env=environ, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        with inventory.open("w"):  # opens when psops has opened it, and psops waits for text
            running.send_signal(number)
            out, err = running.communicate(timeout=LIMIT)
    finally:
        running.kill()
        running.wait()
    assert (running.returncode, out) == (code, "")
    assert "bug" not in err
    assert "Traceback" not in err


# Colour


def on_terminal(environ: dict[str, str], *words: str) -> str:
    """Return what a run prints to a terminal."""
    ours, theirs = pty.openpty()
    with os.fdopen(ours, "rb", buffering=0) as terminal:
        running = subprocess.Popen([*PSOPS, *words], env=environ, stdout=theirs, stderr=theirs,
                                   stdin=theirs)  # fmt: skip
        os.close(theirs)
        output = b""
        try:
            while piece := terminal.read(65536):
                output += piece
        except OSError:  # EIO: the other side is closed
            pass
        running.wait(timeout=LIMIT)
    return output.decode()


STATUS = ("status", "-i", "demo:2")


@pytest.mark.parametrize(
    ("color", "variables", "terminal", "colored"),
    [
        ("auto", {}, True, True),
        ("auto", {}, False, False),
        ("auto", {"NO_COLOR": "1"}, True, False),
        ("auto", {"NO_COLOR": ""}, True, True),
        ("auto", {"TERM": "dumb"}, True, False),
        ("always", {"NO_COLOR": "1"}, False, True),
        ("always", {"TERM": "dumb"}, True, True),
        ("never", {}, True, False),
    ],
)
def test_colour_follows_option_then_variable_then_terminal(
    color: str, variables: dict[str, str], terminal: bool, colored: bool, environ: dict[str, str]
) -> None:
    words = ("--color", color, *STATUS)
    environ = {**environ, "TERM": "xterm", **variables}
    text = on_terminal(environ, *words) if terminal else psops(environ, *words).stdout
    table = text[text.rindex("HOST") - 4 :] if "HOST" in text else text
    assert ("\x1b[1m" in table) is colored


def test_lost_hosts_and_reasons_are_left_on_the_terminal(environ: dict[str, str]) -> None:
    """The screen of watch goes with all that was on it."""
    environ = {**environ, "TERM": "xterm"}
    words = ("watch", "-i", "demo", "-H", "node02.demo,ps01.demo", "--for", "3", "chronyd")
    left = on_terminal(environ, *words, "--color", "never").rpartition("\x1b[?1049l")[2]
    assert [line.strip() for line in left.splitlines()] == [
        "× node02.demo: connect-timed-out: no answer from node02.demo port 22 within 10 s",
        "host down, or a firewall drops the packets; raise --connect-timeout on slow links",
        "never reached",
    ]
    fine = on_terminal(environ, "watch", "-i", "demo", "-H", "ps01.demo", "--for", "2", "chronyd")
    assert fine.rpartition("\x1b[?1049l")[2] == ""


def test_bar_of_progress_is_for_terminals_only(environ: dict[str, str]) -> None:
    assert psops(environ, *STATUS).stderr == ""


def test_table_fits_the_terminal(environ: dict[str, str]) -> None:
    text = on_terminal({**environ, "COLUMNS": "130", "TERM": "xterm"}, "--color", "never", *STATUS)
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)
    table = text[text.rindex("HOST") :].splitlines()
    assert max(map(len, table)) <= 130


def test_output_does_not_depend_on_the_locale(environ: dict[str, str]) -> None:
    wanted: Any = psops({**environ, "LC_ALL": "C.UTF-8"}, *STATUS, "--format", "jsonl").stdout
    for locale in ("C", "POSIX"):
        done = psops({**environ, "LC_ALL": locale}, *STATUS)
        assert done.stderr == ""
        assert "●" in done.stdout or "×" in done.stdout or "HOST" in done.stdout
    assert wanted.isascii()


def test_wrong_usage_is_unknown_to_nagios(environ: dict[str, str]) -> None:
    for words in (["--fail-on", "x"], ["--nonsense"], ["no-such-bundle"]):
        run = psops(environ, "bundle", "verify", "-i", "demo", "--format", "nagios", *words)
        assert run.returncode == 3, run


def test_json_lines_of_verify_come_as_hosts_answer(environ: dict[str, str]) -> None:
    run = psops(environ, "bundle", "verify", "-i", "demo:5", "--format", "jsonl")
    hosts = [json.loads(line)["host"] for line in run.stdout.splitlines()]
    assert len(hosts) == len(set(hosts)) == 5


@pytest.mark.parametrize(
    ("words", "closing", "code"),
    [
        ("--version", ">&-", 0),
        ("status -i demo -H ps01.demo chronyd", "2>&-", 0),
        ("restart -i demo -g testpoint chronyd", "<&-", 2),
        ("watch -i demo -H ps01.demo --for 1 chronyd", "<&-", 0),
        ("psid nodes -", "<&-", 78),
        ("cron2daemon -", "<&-", 65),
    ],
)
def test_closed_streams_are_no_bug(
    words: str, closing: str, code: int, environ: dict[str, str]
) -> None:
    line = f"{sys.executable} -m psops {words} {closing}"
    done = subprocess.run(["/bin/sh", "-c", line], env=environ, capture_output=True, text=True,
                          check=False)  # fmt: skip
    assert done.returncode == code, done.stderr
    assert "bug" not in done.stderr
    assert "Traceback" not in done.stderr


def test_errors_have_the_form_that_a_machine_was_to_read(environ: dict[str, str]) -> None:
    lines = psops(environ, "status", "-i", "/nowhere/x.toml", "-a", "--format", "jsonl")
    assert lines.stdout.count("\n") == 1
    assert json.loads(lines.stdout)["errors"]
    words = ("bundle", "verify", "-i", "/nowhere/x.toml", "-a", "--format=nagios")
    nagios = psops(environ, *words)
    assert (nagios.returncode, nagios.stdout.startswith("PSOPS UNKNOWN - ")) == (3, True)


def test_file_of_hosts_without_a_choice_is_not_this_host(environ: dict[str, str]) -> None:
    run = psops(environ, "restart", "-i", "/nowhere/x.toml", "httpd")
    assert (run.returncode, "--inventory needs --hosts, --group or --all" in run.stderr) == (
        2,
        True,
    )


def test_exclusion_that_means_nobody_is_a_mistake(environ: dict[str, str]) -> None:
    run = psops(environ, "status", "-i", "demo", "-g", "testpoint", "-x", "ps02")
    assert run.returncode == 2
    assert "--exclude ps02: no such host is selected; did you mean 'ps02.demo'?" in run.stderr
