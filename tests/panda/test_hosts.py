"""`psops panda` on files of real hosts: read over SSH by each way to reach them."""

import json
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.command import Run, psops
from tests.lab import Host, Lab
from tests.panda.trees import CFG, GUIDE

pytestmark = pytest.mark.lab

_ENV = "/etc/sysconfig/panda_server_env"


def panda(lab: Lab, home: Path, verb: str, *words: str) -> Run:
    """Return what a command of `psops panda` says of hosts of the lab."""
    return psops("panda", verb, "-i", str(lab.inventory), *words, home=home)


@pytest.fixture
def servers(lab: Lab) -> Iterator[tuple[Host, Host]]:
    """Two hosts with PanDA's files, the second with another period."""
    first, second = [host for host in lab.hosts if host.dress == "panda"][:2]
    texts = {first: GUIDE, second: GUIDE.replace('"period": 2400', '"period": 1800', 1)}
    for host, text in texts.items():
        lab.shell(host, ["mkdir", "-p", str(Path(CFG).parent), str(Path(_ENV).parent)])
        lab.shell(host, ["sh", "-c", f"printf %s {shlex.quote(text)} > {CFG}"], check=True)
        lab.shell(host, ["sh", "-c", f"echo TZ=Europe/Zurich > {_ENV}"], check=True)
    yield first, second
    for host in texts:
        lab.shell(host, ["rm", "-rf", "/opt/panda", _ENV])


def test_files_of_hosts_are_shown_and_checked(
    lab: Lab, servers: tuple[Host, Host], tmp_path: Path
) -> None:
    name = servers[0].name
    run = panda(lab, tmp_path, "show", f"{name}:{CFG}", "--json")
    assert run.exit == 0
    document = json.loads(run.stdout)
    assert len(document["table"]) == 17
    assert document["files"] == [CFG]
    run = panda(lab, tmp_path, "check", f"{name}:{CFG}", "--env", f"{name}:{_ENV}")
    assert "Europe/Zurich" in run.stdout


def test_servers_are_compared(lab: Lab, servers: tuple[Host, Host], tmp_path: Path) -> None:
    words = tuple(f"{host.name}:{CFG}" for host in servers)
    run = panda(lab, tmp_path, "diff", *words)
    assert run.exit == 1
    assert "copyArchive.period: 2400" in run.stdout
    assert "-> 1800" in run.stdout


@pytest.mark.parametrize(
    ("make", "told"),
    [("mkdir {}", "it is a directory"), ("ln -s /dev/zero {}", "larger than 64000000 bytes")],
)
def test_what_is_no_file_is_told(
    lab: Lab, servers: tuple[Host, Host], tmp_path: Path, make: str, told: str
) -> None:
    host = servers[0]
    lab.shell(host, ["sh", "-c", f"rm {CFG}; {make.format(CFG)}"], check=True)
    run = panda(lab, tmp_path, "show", f"{host.name}:{CFG}")
    assert (run.exit, run.stdout) == (78, "")
    assert f"{host.name}:{CFG}: cannot read: {told}\n" in run.stderr


def test_user_who_may_not_read_is_told_so(
    lab: Lab, servers: tuple[Host, Host], tmp_path: Path
) -> None:
    host = servers[0]
    lab.shell(host, ["chmod", "600", CFG])
    run = panda(lab, tmp_path, "show", f"plain@{host.name}:{CFG}")
    assert run.exit == 78
    assert "permission denied" in run.stderr.lower()


def test_file_and_host_that_are_not_there(
    lab: Lab, servers: tuple[Host, Host], tmp_path: Path
) -> None:
    name = servers[0].name
    run = panda(lab, tmp_path, "show", f"{name}:/opt/none.cfg")
    assert (run.exit, run.stdout) == (78, "")
    assert f"{name}:/opt/none.cfg: no such file" in run.stderr
    run = panda(lab, tmp_path, "check", f"{name}x:{CFG}", f"{name}:{CFG}")
    assert run.exit == 1
    assert "1 not read" in run.stdout
