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
