"""The ways to a host over which every check must say the same."""

import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from psops.inventory import Host
from psops.transport import Connection, Options, connect
from psops.transport.mux import MuxConnection
from tests.lab import Lab

Way = Callable[[], tuple[Host, Connection]]
WAYS = ("local", "native", "controlmaster", "openssh", "container")


@pytest.fixture(scope="session")
def way(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Host, Connection]]:
    """Give a host and an open connection to it, by the way of the parameter."""
    name = request.param
    if name == "local":
        host = Host(name="here", transport="local")
        yield host, connect(host, Options())
        return
    lab: Lab = request.getfixturevalue("lab")
    directory = tmp_path_factory.mktemp("way")
    with ExitStack() as stack:
        host, options = _set_up(lab, name, directory, stack)
        connection = connect(host, options)
        stack.callback(connection.close)
        if name == "controlmaster":
            assert isinstance(connection._carrier, MuxConnection)  # type: ignore[attr-defined]
        yield host, connection


def _set_up(lab: Lab, way: str, directory: Path, stack: ExitStack) -> tuple[Host, Options]:
    name = lab.host(3).name
    options = Options(ssh_config=str(lab.ssh_config))
    if way == "native":
        return Host(name=name), options
    if way == "openssh":
        return Host(name=name, transport="openssh"), options
    if way == "container":
        machine = Path("/run/systemd/machines") / f"{name}-checks"
        machine.parent.mkdir(parents=True, exist_ok=True)
        machine.write_text(f"LEADER={lab.host(3).leader_pid}\n")
        stack.callback(machine.unlink, missing_ok=True)
        return Host(name=machine.name, transport="container"), options
    path = directory / "ssh"
    path.write_text(f"Host *\n ControlPath {directory}/%n.sock\n{lab.ssh_config.read_text()}")
    null = subprocess.DEVNULL
    subprocess.run(
        ["ssh", "-F", path, "-MNf", name], check=True, stdin=null, stdout=null, stderr=null
    )
    leave = ["ssh", "-F", str(path), "-O", "exit", name]
    stack.callback(lambda: subprocess.run(leave, check=True, capture_output=True))
    return Host(name=name), Options(ssh_config=str(path))
