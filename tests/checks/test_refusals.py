"""What keeps a check from being run is told as that, not as a fault of the host."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from psops.catalogue.entry import Check
from psops.checks import Asked, CheckResult
from psops.checks.run import run
from psops.deadline import Deadline
from psops.errors import HostError
from psops.inventory import Host
from psops.transport import Connection, Options, connect
from psops.verdict import Verdict
from tests.checks.servers import serve
from tests.lab import Lab
from tests.ports import free_port

_HOST = 4


@contextmanager
def connected(host: Host, options: Options) -> Iterator[Connection]:
    connection = connect(host, options)
    try:
        yield connection
    finally:
        connection.close()


def one(check: Check, host: Host, connection: Connection) -> CheckResult:
    (result,) = run([Asked(check)], host, connection, Deadline(10))
    return result


@pytest.mark.lab
@pytest.mark.parametrize("way", ["native", "controlmaster", "openssh"])
def test_a_host_that_forwards_nothing_is_unknown(lab: Lab, tmp_path: Path, way: str) -> None:
    place = lab.host(_HOST)
    host = Host(name=place.name, transport="openssh" if way == "openssh" else "ssh")
    config = tmp_path / "ssh"
    control = f"Host *\n ControlPath {tmp_path}/%n.sock\n" if way == "controlmaster" else ""
    config.write_text(control + lab.ssh_config.read_text())
    with lab.sshd_option(place, "AllowTcpForwarding no"), serve() as server:
        if control:
            null = subprocess.DEVNULL
            argv = ["ssh", "-F", str(config), "-MNf", place.name]
            subprocess.run(argv, check=True, stdin=null, stdout=null, stderr=null)
        try:
            with connected(host, Options(ssh_config=str(config))) as connection:
                opened = one(Check(name="x", kind="tcp", port=server.port), host, connection)
                file = one(Check(name="x", kind="file", path="/etc"), host, connection)
        finally:
            if control:
                leave = ["ssh", "-F", str(config), "-O", "exit", place.name]
                subprocess.run(leave, check=True, capture_output=True)
    assert (opened.verdict, opened.code) == (Verdict.UNKNOWN, "cannot-run")
    assert "cannot be run: sshd does not forward TCP there" in opened.text
    assert file.code == "ok"


@pytest.mark.lab
@pytest.mark.parametrize("transport", ["ssh", "openssh"])
def test_from_here_the_address_of_the_ssh_configuration_counts(lab: Lab, transport: str) -> None:
    place = lab.host(_HOST)
    host = Host(name=place.name, transport=transport)
    with serve(address=place.address) as server:
        keys = {"kind": "tcp", "host": "{host}", "asked_from": "here"}
        check = Check(name="x", port=server.port, **keys)  # type: ignore[arg-type]
        closed = Check(name="x", port=free_port(), **keys)  # type: ignore[arg-type]
        page = Check(
            name="x", kind="http", asked_from="here", url=f"http://{{host}}:{server.port}/"
        )
        with connected(host, Options(ssh_config=str(lab.ssh_config))) as connection:
            assert connection.address == place.address
            assert one(check, host, connection).code == "ok"
            refused = one(closed, host, connection)
            assert one(page, host, connection).code == "ok"
        assert server.asked == ["/"]
    assert (refused.code, refused.verdict) == ("refused", Verdict.CRITICAL)
    assert refused.text.endswith("connection refused (from here)")
    jumped = Host(name=place.name, transport=transport, jump=(lab.host(1).name,))
    with connected(jumped, Options(ssh_config=str(lab.ssh_config))) as connection:
        behind = one(closed, jumped, connection)
    assert behind.verdict is Verdict.UNKNOWN
    assert f"behind {lab.host(1).name} and not reached directly" in behind.text


@pytest.mark.lab
def test_a_container_with_a_network_of_its_own_is_asked_there(lab: Lab) -> None:
    leader = str(lab.host(_HOST).leader_pid)
    inside = ["unshare", "--net", "sh", "-c", "ip link set lo up; echo up; exec sleep infinity"]
    enter = ["nsenter", "--target", leader, "--mount", "--uts", "--ipc", *inside]
    first = subprocess.Popen(enter, stdout=subprocess.PIPE, text=True)
    record = Path("/run/systemd/machines/own-network")
    record.parent.mkdir(parents=True, exist_ok=True)
    record.write_text(f"LEADER={first.pid}\n")
    host = Host(name="own-network", transport="container")
    try:
        assert first.stdout is not None
        first.stdout.readline()
        with serve() as server, connected(host, Options()) as connection:
            result = one(Check(name="x", kind="tcp", port=server.port), host, connection)
            here = Check(name="x", kind="tcp", host="{host}", port=1, asked_from="here")
            assert one(here, host, connection).code == "cannot-run"
        # The server is in our network, not in the container's.
        assert result.code == "refused", result
    finally:
        record.unlink()
        first.kill()
        first.communicate()


@pytest.mark.lab
def test_an_ssh_program_that_cannot_log_in_says_why(lab: Lab) -> None:
    config = lab.ssh_config.read_text().replace(str(lab.key), str(lab.wrong_key))
    path = lab.place.root / "wrong-key-checks"
    path.write_text(config)
    host = Host(name=lab.host(_HOST).name, transport="openssh")
    try:
        with connected(host, Options(ssh_config=str(path))) as connection:
            result = one(Check(name="x", kind="tcp", port=1), host, connection)
    finally:
        path.unlink()
    assert result.verdict is Verdict.UNKNOWN
    assert "Permission denied" in result.text


class _Nothing:
    """A host on which no program can be run and no port be reached."""

    address = ""

    def open_bus(self) -> object:
        raise NotImplementedError

    def run(self, argv: tuple[str, ...], deadline: Deadline) -> object:
        raise HostError("gone \x1b[31m")

    open_tcp = open_here = run

    def close(self) -> None:
        pass


@pytest.mark.parametrize(
    "check",
    [
        Check(name="x", kind="file", path="/etc"),
        Check(name="x", kind="socket", listen="tcp:1"),
    ],
)
def test_a_program_that_cannot_be_run_is_unknown(check: Check) -> None:
    result = one(check, Host(name="x"), _Nothing())  # type: ignore[arg-type]
    assert (result.verdict, result.code) == (Verdict.UNKNOWN, "cannot-run")
    assert "gone \\x1b[31m" in result.text
