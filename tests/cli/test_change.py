"""The verbs that change units at a prompt and in scripts, on the demo fleet."""

import fcntl
import json
import os
import pty
import select
import shlex
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest

from psops.systemd.jobs import VERBS
from tests.command import Run, psops


@pytest.fixture
def say(tmp_path: Path) -> "Say":
    return Say(tmp_path)


class Say:
    """Calls psops with one home."""

    def __init__(self, home: Path) -> None:
        self.home = home

    def __call__(self, line: str, **variables: str) -> Run:
        return psops(*line.split(), home=self.home, **variables)

    def on_terminal(self, line: str, *answers: str) -> tuple[int, str]:
        """Return exit and screen of a run that is typed on a terminal, with what is answered."""
        ours, theirs = pty.openpty()
        running = subprocess.Popen(
            [sys.executable, "-m", "psops", *line.split()],
            stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
            env={"HOME": str(self.home), "PATH": os.environ["PATH"], "TERM": "xterm", "TZ": "UTC",
                 "XDG_STATE_HOME": str(self.home / "state"), "PSOPS_SYSLOG": ""},
            # So that Ctrl-C typed there is a signal.
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )  # fmt: skip
        os.close(theirs)
        screen = b""
        left = list(answers)
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            if not select.select([ours], [], [], 1)[0]:
                continue
            try:
                data = os.read(ours, 65536)
            except OSError:
                break
            screen += data
            if left and screen.rstrip().endswith((b"[y/N]:", b"go on? [y/N]:")):
                answer = left.pop(0).encode()
                os.write(ours, answer if answer < b" " else answer + b"\n")
                screen += b"\n"
        code = running.wait(timeout=10)
        os.close(ours)
        return code, screen.decode()


def states(run: Run) -> dict[str, str]:
    return {host["host"]: host["result"] for host in run.document["hosts"]}


def test_every_verb_has_a_command(say: Say) -> None:
    out = say("--help").stdout
    for verb in VERBS.values():
        assert f"  {verb.name} " in out


def test_many_hosts_are_a_question(say: Say) -> None:
    code, screen = say.on_terminal("restart -i demo -g testpoint owamp-server", "n")
    assert code == 130
    assert "restart owamp-server.service: 1 unit (owamp-server.service) on 4 hosts:" in screen
    assert "ps[01-04].demo" in screen
    assert screen.rstrip().endswith("nothing was changed")
    assert not (say.home / ".local/state/psops/history.db").exists()
    code, screen = say.on_terminal("restart -i demo -g testpoint owamp-server", "y")
    assert code == 0
    assert "4 hosts: 4 changed" in screen


def test_a_single_host_is_none(say: Say) -> None:
    code, screen = say.on_terminal("restart -i demo -H ps01.demo owamp-server")
    assert code == 0, screen
    assert "[y/N]" not in screen


def test_pause_that_asks(say: Say) -> None:
    line = "restart -i demo -g testpoint owamp-server --yes --batch 1,3 --pause ask --color never"
    code, screen = say.on_terminal(line, "n")
    assert code == 1
    assert "batch 2 of 2, 3 hosts: go on?" in screen
    assert "ps[02-04].demo (3): not attempted: the run was stopped when asked to go on" in screen
    code, screen = say.on_terminal(line, "y")
    assert "4 hosts: 4 changed" in screen


@pytest.mark.parametrize(("key", "code"), [("\x03", 130), ("\x04", 1)], ids=["ctrl-c", "ctrl-d"])
def test_pause_that_is_broken_off_tells_what_was_done(say: Say, key: str, code: int) -> None:
    line = "restart -i demo -g testpoint owamp-server --yes --batch 1,3 --pause ask --color never"
    found, screen = say.on_terminal(line, key)
    assert found == code, screen
    assert "ps[02-04].demo (3): not attempted: the run was stopped when asked to go on" in screen
    assert "1 changed" in screen
    assert say("history show last --json").document["run"]["state"] == "finished"


def test_asking_without_a_terminal_is_a_usage_error(say: Say) -> None:
    run = say("restart -i demo -g testpoint owamp-server --yes --batch 1 --pause ask")
    assert (run.exit, run.stderr) == (2, "psops: --pause ask needs a terminal to ask on\n")


def test_portions(say: Say) -> None:
    run = say("stop -i demo -a httpd --yes --canary 1 --batch 25% --max-fail 1 --json")
    told = states(run)
    # ps02 is Debian, which has no httpd: the second batch is the last one.
    assert told["ps01.demo"] == "changed"
    assert told["ps02.demo"] == "failed"
    assert "not-attempted" in told.values()
    assert run.document["stopped"].startswith("the run was stopped:")


def test_random_order_changes_all(say: Say) -> None:
    run = say("restart -i demo -g testpoint owamp-server --yes --order random --batch 1 --json")
    assert list(states(run).values()) == ["changed"] * 4
    assert list(states(run)) == [f"ps0{number}.demo" for number in (1, 2, 3, 4)]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("restart", "no unit is given"),
        ("restart a --bundle testpoint", "--bundle goes with no units"),
        ("restart a rucio-daemon@", "rucio-daemon@.service is a template: name an instance, as in "
         "rucio-daemon@NAME.service"),
        ("restart --bundle testpiont -i demo", "no bundle 'testpiont'"),
        ("restart a --batch 0", "--batch: '0' is no number of hosts such as 10 or 25%"),
        ("restart a --batch 101%", "--batch: '101%' is more than all hosts"),
        ("restart a --max-fail x", "--max-fail: 'x' is no number"),
        ("restart a --pause soon", "--pause takes seconds or 'ask', not 'soon'"),
        ("restart a --order alphabet", "--order takes inventory, random"),
        ("restart a --job-mode repalce", "--job-mode takes replace,"),
        ("kill a --signal FOO", "--signal: no signal 'FOO'"),
        ("kill a --kill-whom mian", "--kill-whom takes all, main, control"),
        ("restart --retry-failed", "the history has no run of restart"),
        ("restart a --retry-failed", "--retry-failed takes units and hosts from the last run"),
        ("restart ../etc", "'../etc' is not a unit name"),
    ],
)  # fmt: skip
def test_wrong_use_is_told_and_nothing_is_done(say: Say, line: str, told: str) -> None:
    run = say(line)
    assert run.exit == 2, run
    assert run.stderr.startswith(f"psops: {told}"), run.stderr
    assert run.stdout == ""


@pytest.mark.parametrize(
    ("text", "line", "told", "force"),
    [
        ("[hosts.a]\nprotected = true\n", "stop x -H a", "a is protected by the inventory", "a"),
        ("[groups.g]\nhosts = 'a'\nprotected = true\n", "stop x -g g", "a is protected", "g"),
        ("[hosts.a]\nprotected = ['x']\n", "stop x -H a", "x.service on a is protected", "x"),
        ("[hosts.a]\n", "stop sshd -H a", "sshd.service on a is what you reach the host by",
         "sshd"),
    ],
)  # fmt: skip
def test_what_is_protected_needs_force(
    say: Say, text: str, line: str, told: str, force: str
) -> None:
    inventory = say.home / "inventory.toml"
    inventory.write_text(text.replace("[hosts.a]", "[hosts.a]\naddress = '127.0.0.1'\nport = 1"))
    run = say(f"{line} -i {inventory}")
    assert run.exit == 2
    assert run.stderr.startswith(f"psops: {told}")
    assert "--force" in run.stderr
    forced = say(f"{line} -i {inventory} --force {force} --connect-timeout 1")
    assert forced.exit == 69, "it was to be tried"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("['gw1']\n['gw2']", "stop x -a"),
        ("['web+1']\n['web+2']\n['b']", "stop x -a"),
        ("['::1']\n['fe80::2%lo']", "restart x -a"),
        ("['gw1']\n['gw2']", "stop sshd.service dbus.socket -a"),
        ("['a']\n", r"stop 'mnt-my\x2ddata.mount' other -a"),
    ],
)
def test_every_remedy_that_force_is_named_in_is_taken_as_typed(
    say: Say, text: str, line: str
) -> None:
    rest = "address = '127.0.0.1'\nport = 1\nprotected = "
    closed = r"['mnt-my\x2ddata.mount', 'other']" if "mnt" in line else "true"
    inventory = say.home / "inventory.toml"
    inventory.write_text(text.replace("[", "[hosts.").replace("]", f"]\n{rest}{closed}"))
    words = [*shlex.split(line), "-i", str(inventory), "--yes", "--connect-timeout", "1"]
    for _ in range(4):
        run = psops(*words, home=say.home)
        if run.exit != 2:
            break
        _, found, remedy = run.stderr.partition("if you mean it: ")
        assert found, run.stderr
        words += shlex.split(remedy)
    assert (run.exit, "--force" in words) == (69, True), "it was to be tried"


@pytest.mark.parametrize("unit", ["--bundle testpoint", "owamp*"])
def test_protected_unit_is_found_behind_a_bundle_and_a_glob(say: Say, unit: str) -> None:
    inventory = say.home / "inventory.toml"
    inventory.write_text("[hosts.'ps01.demo']\ntransport = 'demo'\nprotected = ['owamp-server']\n")
    run = say(f"stop {unit} -H ps01.demo -i {inventory} --json")
    (told,) = [one for one in run.document["hosts"][0]["units"]
               if one["unit"] == "owamp-server.service"]  # fmt: skip
    assert (run.exit, told["code"]) == (1, "protected")
    run = say(f"stop {unit} -H ps01.demo -i {inventory} --force owamp-server --json")
    (told,) = [one for one in run.document["hosts"][0]["units"]
               if one["unit"] == "owamp-server.service"]  # fmt: skip
    assert told["result"] == "changed"


def test_protection_by_an_alias_holds_for_the_unit_itself(say: Say) -> None:
    inventory = say.home / "inventory.toml"
    inventory.write_text("[hosts.'ps01.demo']\ntransport = 'demo'\nprotected = ['syslog']\n")
    run = say(f"stop rsyslog -H ps01.demo -i {inventory} --json")
    (told,) = run.document["hosts"][0]["units"]
    assert (run.exit, told["code"]) == (1, "protected")
    run = say(f"stop rsyslog -H ps01.demo -i {inventory} --force rsyslog --json")
    assert run.document["hosts"][0]["units"][0]["result"] == "changed"


def test_dry_run_tells_what_cannot_be_done(say: Say) -> None:
    run = say("stop -i demo -H ps01.demo nothing* -n")
    assert run.exit == 4
    assert "nothing*: matches no unit of this host" in run.stdout
    run = say("stop -i demo -H ps01.demo owamp-server -n --json")
    assert run.exit == 0
    (host,) = run.document["hosts"]
    assert [call["method"] for call in host["calls"]] == ["EnqueueUnitJob"]
    assert host["units"] == []


@pytest.mark.parametrize("verb", ["restart", "try-restart", "stop", "kill", "start"])
def test_a_glob_means_what_systemctl_lists(say: Say, verb: str) -> None:
    """Two paths that wait, and two services that are loaded and inactive."""
    run = say(f"{verb} systemd-ask-password-* -i demo -H ps01.demo --json")
    told = [unit["unit"] for unit in run.document["hosts"][0]["units"]]
    assert told == ["systemd-ask-password-console.path", "systemd-ask-password-wall.path"]


def test_a_glob_takes_units_that_failed(say: Say) -> None:
    run = say("reset-failed postgres* -i demo -H ps02.demo --json")
    (unit,) = [unit for unit in run.document["hosts"][0]["units"] if "15-main" in unit["unit"]]
    assert (unit["result"], unit["before"]["active_state"]) == ("changed", "failed")


@pytest.mark.parametrize(
    ("glob", "exit_code", "result", "message"),
    [
        (
            "emergenc[y].service",
            0,
            "skipped",
            "matches only inactive units, which a glob does not mean",
        ),
        ("display-manager*", 4, "failed", "matches no unit of this host"),  # it is not-found
        ("nothing*", 4, "failed", "matches no unit of this host"),
    ],
)
def test_a_glob_that_takes_nothing_says_so(
    say: Say, glob: str, exit_code: int, result: str, message: str
) -> None:
    run = say(f"restart {glob} -i demo -H ps01.demo --json")
    (unit,) = run.document["hosts"][0]["units"]
    assert (run.exit, unit["result"], unit["message"]) == (exit_code, result, message)


def test_history_that_cannot_be_written_refuses_the_change(say: Say) -> None:
    state = say.home / "state"
    state.write_text("in the way")
    run = say("restart -i demo -H ps01.demo owamp-server")
    assert run.exit == 73
    assert "--no-history" in run.stderr
    assert say("restart -i demo -H ps01.demo owamp-server --no-history").exit == 0


def test_retry_takes_units_hosts_and_options_from_the_last_run(say: Say) -> None:
    first = say("restart -i demo -g testpoint postgresql@15-main --yes --settle 0.1 --json")
    assert list(states(first).values()).count("failed") == 3
    again = say("restart --retry-failed --yes --json")
    assert set(states(again)) == {"ps01.demo", "ps02.demo", "ps03.demo"}
    assert "again from run 1: restart on 3 of 4 hosts" in again.stderr
    shown = say("history show 2 --json").document["run"]
    assert shown["request"]["names"] == ["postgresql@15-main.service"]
    assert shown["request"]["settle"] == 0.1


def test_json_lines_and_table_say_the_same(say: Say) -> None:
    line = "stop -i demo -g testpoint owamp-server nothing --yes"
    lines = [json.loads(text) for text in say(f"{line} --format jsonl").stdout.splitlines()]
    assert sorted(one["host"] for one in lines) == [f"ps0{n}.demo" for n in (1, 2, 3, 4)]
    assert {one["result"] for one in lines} == {"failed"}
    table = say(f"{line} --fold").stdout
    assert "× nothing.service on ps[01-04].demo (4): does not exist on this host" in table


def test_json_lines_come_when_their_hosts_are_done(say: Say) -> None:
    """The hosts that never began are told at the end."""
    with subprocess.Popen(
        [sys.executable, "-m", "psops", "stop", "-i", "demo", "-a", "httpd", "--yes", "--batch",
         "1,1,10", "--pause", "1.5", "--format", "jsonl"],
        stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True,
        env={"HOME": str(say.home), "PATH": os.environ["PATH"], "PSOPS_SYSLOG": ""},
    ) as running:  # fmt: skip
        assert running.stdout is not None
        first = json.loads(running.stdout.readline())
        assert running.poll() is None, "there is more to come"
        rest = [json.loads(line) for line in running.stdout]
    assert running.returncode == 1
    assert (first["host"], first["result"]) == ("ps01.demo", "changed")
    assert (rest[0]["host"], rest[0]["result"]) == ("ps02.demo", "failed")
    assert {one["result"] for one in rest[1:]} == {"not-attempted"}
    assert len({first["host"], *(one["host"] for one in rest)}) == 12 == len(rest) + 1


def test_lines_that_cannot_be_written_do_not_end_the_change(say: Say) -> None:
    """The hosts are seen through, and only then the broken output is told."""
    line = "restart -i demo -g testpoint owamp-server --yes --batch 1 --settle 0 --format jsonl"
    with Path("/dev/full").open("w") as full:
        run = subprocess.run(
            [sys.executable, "-m", "psops", *line.split()], stdout=full, stderr=subprocess.PIPE,
            env={"HOME": str(say.home), "PATH": os.environ["PATH"], "PSOPS_SYSLOG": "",
                 "XDG_STATE_HOME": str(say.home / "state")},
            check=False,
        )  # fmt: skip
    assert run.returncode == 74, run.stderr
    told = say("history show last --json").document["run"]
    assert [host["state"] for host in told["hosts"]] == ["changed"] * 4
    assert told["state"] == "finished"


def test_dry_run_needs_no_yes_and_leaves_no_history(say: Say) -> None:
    run = say("restart -i demo -g testpoint --bundle testpoint --dry-run")
    assert run.exit == 0
    assert "EnqueueUnitJob owamp-server.service restart replace" in run.stdout
    assert "dry run, nothing was changed" in run.stdout
    assert say("history").stdout == "no change is recorded yet\n"
