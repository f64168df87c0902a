"""The ssh program as a way, with a program in its place."""

import os
import select
from collections.abc import Callable
from pathlib import Path

import pytest

from psops.deadline import Deadline
from psops.errors import ChannelRefused, NotSystemd
from psops.inventory import Host
from psops.transport import LastingChannel, Options
from psops.transport.openssh import OpenSshConnection

Ssh = Callable[[str], LastingChannel]


@pytest.fixture
def ssh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ssh:
    """Give what opens the bus by an ssh that does so for a bridge, and keeps all it is told."""

    def open_bus(bridge: str) -> LastingChannel:
        program = tmp_path / "ssh"
        program.write_text(f"""#!/bin/sh
echo "$@" >> {tmp_path}/told
case "$*" in *bridge*) {bridge} ;; esac
""")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
        return OpenSshConnection(Host(name="h"), Options(timeout=60.0)).open_bus()

    return open_bus


def told(tmp_path: Path) -> int:
    return len((tmp_path / "told").read_text().splitlines())


def test_host_without_a_bus_is_looked_at_once(ssh: Ssh, tmp_path: Path) -> None:
    channel = ssh("exit 1")
    with pytest.raises(NotSystemd):
        channel.receive(Deadline(60))
    channel.close()
    assert told(tmp_path) == 2


def test_lost_bus_is_told_without_asking_the_host_again(ssh: Ssh, tmp_path: Path) -> None:
    channel = ssh("echo; exit 1")
    assert channel.receive(Deadline(60)) == b"\n"
    with pytest.raises(ChannelRefused, match="bridge ended"):
        channel.receive(Deadline(60))
    channel.close()
    assert told(tmp_path) == 1


def test_nobody_asks_the_host_when_the_time_is_over(ssh: Ssh, tmp_path: Path) -> None:
    channel = ssh("exit 1")
    select.select([channel.watch(lambda: None)], [], [], 60)
    with pytest.raises(ChannelRefused, match="bridge ended"):
        channel.receive(Deadline(0.0))
    channel.close()
    assert told(tmp_path) == 1
