"""Commands that psops suggests mean the hosts it speaks of, when they are typed as they are."""

import shlex
from pathlib import Path
from typing import Any

import pytest

from psops.environment import HERE, Aim
from psops.report.aimed import aimed
from tests.command import psops

DEMO = Aim(("-i", "demo"), named=True)


@pytest.mark.parametrize(
    ("text", "hosts", "aim", "typed"),
    [
        ("psops status a", ["h"], HERE, "psops status a"),
        ("psops status a", ["h"], DEMO, "psops status -i demo -H h a"),
        ("psops restart a -H h", ["h"], DEMO, "psops restart -i demo a -H h"),
        ("psops status -a", ["h"], DEMO, "psops status -i demo -a"),
        ("psops status a", ["h"], Aim(("-M", "web")), "psops status -M web a"),
        ("psops status a", ["h"], Aim(("-i", "my file")), "psops status -i 'my file' a"),
        ("psops stop a && psops start b", ["h"], DEMO,
         "psops stop -i demo -H h a && psops start -i demo -H h b"),
        ("psops start-all a", ["h"], DEMO, "psops start-all a"),
        ("psops bundle list", ["h"], DEMO, "psops bundle list"),
        ("psops unit write rucio", ["h"], DEMO, "psops unit write rucio"),
        ("systemctl status a", ["h"], DEMO, "systemctl status a"),
    ],
)  # fmt: skip
def test_command_gets_what_it_lacks(text: str, hosts: list[str], aim: Aim, typed: str) -> None:
    assert aimed(text, hosts, aim) == typed


UNMASK = "psops unmask -i demo:50 -H panda04.demo panda_daemon.service"


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("start -i demo:50 -g panda -y panda_daemon", UNMASK),
        ("start -i demo:50 -g panda -y panda_daemon --json", UNMASK),
        ("start -i demo:50 -g panda -y panda_daemon --format jsonl", UNMASK),
        ("status -i demo -H ps01.demo xyzzy", "psops status -i demo -H ps01.demo '*xyzzy*'"),
        ("rucio verify -i demo -a", "psops restart -i demo rucio-daemon@undertaker.service -H"),
        ("rucio verify -i demo -a --format tap", "psops restart -i demo rucio-daemon@undertaker"),
        ("rucio verify -i demo -a --format markdown", "psops restart -i demo rucio-daemon@underta"),
        ("doctor -i demo", "psops status -i demo -a --accept-new-host-keys"),
        ("doctor", "psops status -a --accept-new-host-keys"),
    ],
)
def test_suggestions_have_the_options_of_the_run(line: str, told: str, tmp_path: Path) -> None:
    done = psops(*line.split(), home=tmp_path)
    assert told in done.stdout


def test_suggestion_does_what_it_says(tmp_path: Path) -> None:
    done = psops("start", "-i", "demo:50", "-g", "panda", "-y", "panda_daemon", home=tmp_path)
    (typed,) = (line for line in done.stdout.splitlines() if "psops unmask" in line)
    again = psops(*shlex.split(typed)[1:], "--json", home=tmp_path)
    told: Any = again.document["hosts"]
    assert (again.exit, [one["host"] for one in told]) == (0, ["panda04.demo"])


def test_heartbeats_suggest_no_option_that_they_lack(tmp_path: Path) -> None:
    heartbeats = psops("rucio", "heartbeats", home=tmp_path)
    verify = psops("rucio", "verify", home=tmp_path)
    assert heartbeats.exit == verify.exit == 2
    assert "--units-only" not in heartbeats.stderr
    assert "--units-only" in verify.stderr


@pytest.mark.parametrize(
    "line",
    [
        "status -i demo", "bundle verify -i demo", "watch -i demo", "rucio heartbeats -i demo",
        "panda show x.cfg", "psid verify -i demo -a", "doctor", "history",
    ],
)  # fmt: skip
def test_unknown_format_is_answered_with_those_there_are(line: str, tmp_path: Path) -> None:
    done = psops(*line.split(), "--format", "xyz", home=tmp_path)
    assert done.exit == 2
    assert "no format 'xyz'; known are " in done.stderr
    assert "json" in done.stderr
