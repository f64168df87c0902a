"""A container writes its own links; none of them leads out of it, least of all to our own bus."""

import contextlib
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from psops.deadline import Deadline
from psops.errors import ChannelRefused, HostError, NoBus, NotSystemd
from psops.transport import Options
from psops.transport.container import Container

pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="only root can look into a container")

#: As a container's first process: it has another root than we have.
_LEADER = "import os, sys; os.chroot(sys.argv[1]); print(flush=True); sys.stdin.read()"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Give the directory that is the container's root."""
    (tmp_path / "root/run/systemd/system").mkdir(parents=True)
    return tmp_path / "root"


@pytest.fixture
def container(root: Path) -> Iterator[Container]:
    """Give a container that has this root."""
    leader = subprocess.Popen([sys.executable, "-c", _LEADER, root], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE)  # fmt: skip
    with leader:
        assert leader.stdout is not None
        leader.stdout.readline()
        yield Container(leader.pid, Options())
        leader.kill()


@contextlib.contextmanager
def listening(path: Path) -> Iterator[socket.socket]:
    """Let somebody listen on a socket at a path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        listener.settimeout(0)
        yield listener


def test_bus_of_a_container_is_reached(container: Container, root: Path) -> None:
    with listening(root / "run/dbus/system_bus_socket") as listener:
        channel = container.open_bus()
        listener.accept()[0].close()
        channel.close()


@pytest.mark.parametrize("link", ["run/dbus", "run/dbus/system_bus_socket"])
@pytest.mark.parametrize("upwards", [False, True])
def test_link_out_of_a_container_leads_nowhere(
    container: Container, root: Path, link: str, upwards: bool
) -> None:
    place, ours = root / link, root.parent / "ours" / Path(link).name
    place.parent.mkdir(exist_ok=True)
    place.symlink_to(os.path.relpath(ours, place.parent) if upwards else ours)
    with listening(ours if "socket" in link else ours / "system_bus_socket") as listener:
        with pytest.raises(NoBus, match="no bus at /run/dbus/system_bus_socket"):
            container.open_bus()
        with pytest.raises(ChannelRefused, match="/run/dbus/system_bus_socket: no such file"):
            container.open_unix("/run/dbus/system_bus_socket", Deadline(60))
        with pytest.raises(BlockingIOError):
            listener.accept()


def test_link_within_a_container_is_followed_from_its_own_root(
    container: Container, root: Path
) -> None:
    (root / "run/dbus").symlink_to("/elsewhere")
    with listening(root / "elsewhere/system_bus_socket") as listener:
        container.open_bus().close()
        container.open_unix("/run/dbus/system_bus_socket", Deadline(60)).close()
        for _ in range(2):
            listener.accept()[0].close()


def test_container_without_systemd_is_told_though_a_link_leads_to_ours(
    container: Container, root: Path
) -> None:
    (root / "run/systemd/system").rmdir()
    (root.parent / "ours").mkdir()
    (root / "run/systemd/system").symlink_to(root.parent / "ours")
    with pytest.raises(NotSystemd):
        container.open_bus()


def test_bus_of_this_machine_is_not_that_of_a_container(
    container: Container, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = root.parent / "ours"
    with listening(ours) as listener:
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={ours}")
        (root / "run/dbus").mkdir()
        os.link(ours, root / "run/dbus/system_bus_socket")  # as a bind mount has it, too
        with pytest.raises(ChannelRefused, match="this machine's own"):
            container.open_bus()
        with pytest.raises(BlockingIOError):
            listener.accept()


def test_container_that_has_ended_is_an_error_of_it() -> None:
    gone = subprocess.Popen(["true"])
    gone.wait()
    container = Container(gone.pid, Options())
    for use in (
        container.open_bus,
        lambda: container.open_unix("/run/x", Deadline(60)),
        lambda: container.open_tcp("localhost", 1, Deadline(60)),
    ):
        with pytest.raises(HostError):
            use()
