"""What is misspelt is answered with what may be meant: verbs, options, hosts, groups, units."""

from pathlib import Path

import pytest

from psops.inventory import Host, Inventory
from tests.command import psops

LINES = {
    "stauts": "'status'",
    "inventory lst": "'list'",
    "status --formt json": "--format",
    "status --format jsno": "did you mean 'json'?",
    "status --type servce": "did you mean 'service'?",
    "status -i demo -g tespoint": "did you mean 'testpoint'?",
    "status -i demo -H @testpont": "did you mean 'testpoint'?",
    "status -i demo -H ps1.demo": "did you mean 'ps01.demo'?",
    "status -i demo -H root@toolkt01.demo": "did you mean 'toolkit01.demo'?",
    "status -i demo -H ps01.demo owamp-servr": "did you mean 'owamp-server.service'?",
    "status -i demo -g testpoint owamp-servr": (
        "owamp-servr.service exists on none of 4 hosts; did you mean 'owamp-server.service'?"
    ),
    "status -i demo -H ps01.demo sshh chronyd": "did you mean 'ssh.service'?",
    "status -i demo -g testpoint --state faild": (
        "no unit is in state 'faild'; did you mean 'failed'?"
    ),
    "inventory show -i demo ps1.demo": "no host 'ps1.demo' in demo; did you mean 'ps01.demo'?",
    "inventory show -i demo ps01.demo,nosuch": "no host 'nosuch' in demo",
    "inventory show ps01.demo": "no host 'ps01.demo': there is no inventory",
    "inventory add ps01 --dry-run --bundle testpoint,tespoint": "did you mean 'testpoint'?",
    "restart -i demo -H ps01.demo owamp-servr": "did you mean 'owamp-server.service'?",
    "restart -i demo -H ps01.demo --bundle testpont": "did you mean 'testpoint'?",
    "bundle verify -i demo testpont": "did you mean 'testpoint'?",
    "bundle show --daemon owamp-servr": "did you mean 'owamp-server'?",
    "bundle show --component rabitmq": "did you mean 'rabbitmq'?",
    "pipeline show rabitmq": "did you mean 'rabbitmq'?",
    "kill -i demo -H ps01.demo -s TREM httpd": "did you mean 'TERM'?",
    "shell show zhs": "did you mean 'zsh'?",
    "inventory export ansibel -i demo": "did you mean 'ansible'?",
    "logs -i demo -H ps01.demo --source jurnal": "did you mean 'journal'?",
}


@pytest.mark.parametrize("line", LINES)
def test_the_nearest_is_offered(line: str, tmp_path: Path) -> None:
    done = psops(*line.split(), home=tmp_path)
    assert done.exit not in (0, 70)
    assert LINES[line] in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("-p NRestart,Nice", "no unit here has a property 'NRestart'; did you mean 'NRestarts'?"),
        ("-p mainpid", "did you mean 'MainPID'?"),
        ("-p Nice,NRestarts,Id", ""),
        ("--state elapsed", ""),
    ],
)
def test_what_no_unit_has_is_told_once(words: str, told: str, tmp_path: Path) -> None:
    done = psops("status", "-i", "demo", "-g", "testpoint", "sshd", *words.split(), home=tmp_path)
    assert (done.exit, done.stderr) == (0, "")
    assert done.stdout.count("did you mean") == bool(told)
    assert told in done.stdout


def test_unknown_state_in_which_nothing_is_gives_4(tmp_path: Path) -> None:
    """Whoever asks for `--state faild` in a script is not told that all is well."""
    words = ("status", "-i", "demo", "-g", "testpoint", "--state")
    assert psops(*words, "faild", "--json", home=tmp_path).document["exit"] == 4
    assert psops(*words, "elapsed", home=tmp_path).exit == 0


def test_unit_on_no_host_is_told_where_it_is_watched(tmp_path: Path) -> None:
    words = ("watch", "-i", "demo", "-a", "-x", "node02.demo", "--for", "3")
    nowhere = psops(*words, "owamp-servr", "chronyd", home=tmp_path)
    assert nowhere.stderr.splitlines()[1:] == [
        "psops: owamp-servr.service exists on none of 11 hosts; "
        "did you mean 'owamp-server.service'?"
    ]
    somewhere = psops(*words, "owamp-server", home=tmp_path)  # not on all
    assert len(somewhere.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    "line", ["status -i demo -H xyzzy.invalid", "status -i demo -H ps01.demo xyzzy"]
)
def test_nothing_is_offered_where_nothing_is_near(line: str, tmp_path: Path) -> None:
    done = psops(*line.split(), home=tmp_path)
    assert "did you mean" not in done.stdout + done.stderr


def test_a_host_of_the_inventory_is_not_taken_for_another() -> None:
    inventory = Inventory((Host(name="ps01"), Host(name="ps02")))
    known, other = inventory.select(["ps01", "ps03"])
    assert known.near == ""
    assert other.near == "; did you mean 'ps02'?"
    many = inventory.select(["ps[100-199]"])
    assert {host.near for host in many} == {""}  # no guesses by the hundred
