"""Every way to the bus of a real host, and that the one that worked is remembered."""

import json
import os
import socket
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import paramiko  # noqa: TID253 - to say what psops itself never says
import pytest

from psops.deadline import Deadline
from psops.errors import HostError
from psops.inventory import Host as Target
from psops.transport import Options, connect
from psops.transport.mux import MuxConnection
from tests.command import on_lab, psops
from tests.lab import Host, Lab
from tests.lab.relay import relay

pytestmark = pytest.mark.lab

_UNITS = ("dbus", "psops-fail")


def _config(lab: Lab, path: Path, extra: str, key: Path | None = None) -> str:
    """Return an ssh configuration in which `extra` comes before what the lab's own says."""
    text = lab.ssh_config.read_text().replace(str(lab.key), str(key or lab.key))
    path.write_text(f"{extra}\n{text}")
    return str(path)


def _start_master(config: str, host: Host) -> None:
    argv = ["ssh", "-F", config, "-MNf", host.name]
    null = subprocess.DEVNULL  # the master keeps what it is given
    subprocess.run(argv, check=True, stdin=null, stdout=null, stderr=null)


@pytest.fixture
def master(lab: Lab, tmp_path: Path) -> Iterator[str]:
    """Give an ssh configuration with a ControlPath where a master for lab001 is open."""
    config = _config(lab, tmp_path / "mux", f"Host lab*\n    ControlPath {tmp_path}/%n.sock")
    _start_master(config, lab.host(1))
    yield config
    subprocess.run(["ssh", "-F", config, "-O", "exit", "lab001"], check=True, capture_output=True)


def _ways(home: Path) -> dict[str, str]:
    path = home / "state/psops/ways.json"
    ways: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
    return ways


def test_an_open_controlmaster_is_used(lab: Lab, tmp_path: Path, master: str) -> None:
    # A key nobody accepts: only the master can have let us in.
    config = _config(lab, tmp_path / "wrong", "", lab.wrong_key)
    refused = on_lab(lab, tmp_path, "-F", config, "-H", "lab001", *_UNITS)
    assert refused.exit == 69
    control = f"Host *\n  ControlPath {tmp_path}/%n.sock"
    both = _config(lab, tmp_path / "both", control, lab.wrong_key)
    run = on_lab(lab, tmp_path, "-F", both, "-H", "lab001", *_UNITS)
    assert "dbus.service" in run.stdout, run
    assert run.exit == 3


def test_a_failed_units_log_comes_through_the_controlmaster(
    lab: Lab, tmp_path: Path, master: str
) -> None:
    run = on_lab(lab, tmp_path, "-F", master, "-H", "lab001", "psops-fail")
    assert "no such table: runs" in run.stdout


def test_a_change_leaves_no_forward_behind_in_the_controlmaster(
    lab: Lab, tmp_path: Path, master: str
) -> None:
    (tmp_path / "run").mkdir()
    run = psops("daemon-reload", "-i", str(lab.inventory), "-F", master, "-H", "lab001",
                home=tmp_path, XDG_RUNTIME_DIR=str(tmp_path / "run"))  # fmt: skip
    assert run.exit == 0, run
    assert f"{tmp_path}/lab001.sock" in Path("/proc/net/unix").read_text()
    assert f"{tmp_path}/run" not in Path("/proc/net/unix").read_text()


@pytest.mark.parametrize("threads", [1, 8])
def test_many_streams_go_through_the_controlmaster(
    lab: Lab, tmp_path: Path, master: str, threads: int
) -> None:
    """The answer to the end of a forward is not taken for the beginning of the next one."""
    connection = MuxConnection(tmp_path / "lab001.sock", 5)

    def ask(_: int) -> bytes:
        limit = Deadline(5)
        stream = connection.open_unix("/run/dbus/system_bus_socket", limit)
        stream.send(b"\0AUTH\r\n", limit)
        answer = stream.receive(limit)
        stream.close()
        return answer

    with ThreadPoolExecutor(threads) as pool:
        answers = list(pool.map(ask, range(24)))
    connection.close()
    assert {answer[:17] for answer in answers} == {b"REJECTED EXTERNAL"}


def test_a_controlmaster_whose_host_refuses_forwards_runs_the_bridge(
    lab: Lab, tmp_path: Path
) -> None:
    host = lab.host(9)
    config = _config(lab, tmp_path / "mux", f"Host lab*\n    ControlPath {tmp_path}/%n.sock")
    with lab.sshd_option(host, "AllowStreamLocalForwarding no"):
        _start_master(config, host)
        try:
            for _ in ("found", "remembered"):
                run = on_lab(lab, tmp_path, "-F", config, "-H", host.name, *_UNITS)
                assert "dbus.service" in run.stdout, run
        finally:
            subprocess.run(["ssh", "-F", config, "-O", "exit", host.name], capture_output=True)
    assert _ways(tmp_path) == {host.name: "systemd-stdio-bridge"}


def test_the_socket_of_a_dead_controlmaster_is_passed_over(lab: Lab, tmp_path: Path) -> None:
    config = _config(lab, tmp_path / "mux", f"Host lab*\n    ControlPath {tmp_path}/%n.sock")
    with socket.socket(socket.AF_UNIX) as left_behind:
        left_behind.bind(str(tmp_path / "lab001.sock"))
    run = on_lab(lab, tmp_path, "-F", config, "-H", "lab001", *_UNITS)
    assert "dbus.service" in run.stdout


def test_a_host_that_refuses_forwards_is_read_by_the_bridge_and_that_is_remembered(
    lab: Lab, tmp_path: Path
) -> None:
    host = lab.host(10)
    with lab.sshd_option(host, "AllowStreamLocalForwarding no"):
        first = on_lab(lab, tmp_path, "-H", host.name, *_UNITS)
        assert _ways(tmp_path) == {host.name: "systemd-stdio-bridge"}
        second = on_lab(lab, tmp_path, "-H", host.name, *_UNITS)
    assert "dbus.service" in first.stdout
    assert "dbus.service" in second.stdout
    with lab.no_bridge(host):
        third = on_lab(lab, tmp_path, "-H", host.name, *_UNITS)
    assert "dbus.service" in third.stdout
    assert _ways(tmp_path) == {host.name: "streamlocal"}


@pytest.mark.parametrize("options", [(), ("--sudo",)])
def test_the_ssh_program_is_a_way_too(lab: Lab, tmp_path: Path, options: tuple[str, ...]) -> None:
    inventory = tmp_path / "inventory.toml"
    inventory.write_text(
        f'[defaults]\ntransport = "openssh"\nssh_config = "{lab.ssh_config}"\n[hosts.lab001]\n'
    )
    run = psops("status", "-i", str(inventory), "-a", *options, *_UNITS, home=tmp_path)
    assert "dbus.service" in run.stdout, run
    logs = psops("status", "-i", str(inventory), "-a", *options, "psops-fail", home=tmp_path)
    assert "no such table: runs" in logs.stdout


def test_two_jump_hosts_and_a_relay_lead_to_the_host(lab: Lab, tmp_path: Path) -> None:
    config = _config(
        lab,
        tmp_path / "jump",
        "Host lab003\n  ProxyJump lab001,lab002\nHost lab004\n  ProxyJump lab003\n",
    )
    run = on_lab(lab, tmp_path, "-F", config, "-H", "lab[003-004]", "--no-fold", *_UNITS)
    assert run.stdout.count("dbus.service") == 2, run
    # The connection comes from the hop, not from here: the hop's own log says so.
    logged = lab.shell(lab.host(3), ["journalctl", "--unit=ssh", "--lines=40", "--output=cat"])
    assert "from 127." in logged.stdout
    inventory = tmp_path / "inventory.toml"
    defaults = f'ssh_config = "{lab.ssh_config}"\njump = ["lab001", "lab002"]'
    inventory.write_text(f"[defaults]\n{defaults}\n[hosts.lab003]\n")
    run = psops("status", "-i", str(inventory), "-a", *_UNITS, home=tmp_path)
    assert run.stdout.count("dbus.service") == 1, run


def test_a_jump_host_that_is_down_is_named(lab: Lab, tmp_path: Path) -> None:
    config = _config(lab, tmp_path / "jump", "Host lab003\n  ProxyJump root@127.83.0.199:2222\n")
    run = on_lab(lab, tmp_path, "-F", config, "-H", "lab003", "--json")
    assert run.error("lab003")["code"] == "connect-refused"
    assert "jump host root@127.83.0.199:2222" in run.error("lab003")["message"]


def test_a_proxy_command_is_run(lab: Lab, tmp_path: Path) -> None:
    command = f"ssh -F {lab.ssh_config} -W %h:%p lab001"
    config = _config(lab, tmp_path / "proxy", f"Host lab002\n  ProxyCommand {command}\n")
    run = on_lab(lab, tmp_path, "-F", config, "-H", "lab002", *_UNITS)
    assert "dbus.service" in run.stdout, run


def test_a_slow_link_answers(lab: Lab, tmp_path: Path) -> None:
    host = lab.host(1)
    with relay(host.address, host.port, 0.2) as (address, port):
        place = f"HostName {address}\n  Port {port}\n  UserKnownHostsFile {tmp_path}/known"
        config = _config(lab, tmp_path / "slow", f"Host lab001\n  {place}")
        words = ("status", "-F", config, "-H", "lab001", "--json", "dbus")
        unknown = psops(*words, home=tmp_path)
        run = psops(*words, "--accept-new-host-keys", home=tmp_path)
        again = psops(*words, home=tmp_path)
    assert unknown.document["errors"][0]["code"] == "host-key-unknown"
    assert (run.exit, again.exit) == (0, 0), run


def test_a_local_bus_and_a_container_are_read(lab: Lab, tmp_path: Path) -> None:
    host = lab.host(1)
    bus = f"/proc/{host.leader_pid}/root/run/dbus/system_bus_socket"
    run = psops("status", *_UNITS, home=tmp_path, DBUS_SYSTEM_BUS_ADDRESS=f"unix:path={bus}")
    assert "dbus.service" in run.stdout, run
    machines = Path("/run/systemd/machines")
    machines.mkdir(parents=True, exist_ok=True)
    record = machines / host.name
    # What systemd-machined writes for a container that is registered with it.
    record.write_text(f"NAME={host.name}\nLEADER={host.leader_pid}\n")
    try:
        run = psops("status", "-M", host.name, *_UNITS, home=tmp_path)
        assert "dbus.service" in run.stdout, run
        run = psops("status", "-M", host.name, "psops-fail", home=tmp_path)
        assert "no such table: runs" in run.stdout
    finally:
        record.unlink()


def test_an_agent_holds_the_key(lab: Lab, tmp_path: Path) -> None:
    encrypted = tmp_path / "key"
    encrypted.write_bytes(lab.key.read_bytes())
    encrypted.chmod(0o600)
    subprocess.run(["ssh-keygen", "-qp", "-N", "secret", "-f", encrypted], check=True)
    Path(f"{encrypted}.pub").write_bytes(Path(f"{lab.key}.pub").read_bytes())
    config = _config(lab, tmp_path / "config", "", encrypted)
    refused = on_lab(lab, tmp_path, "-F", config, "-H", "lab001", "--json", "dbus")
    assert refused.error("lab001")["code"] == "authentication-refused"
    assert "ssh-add" in refused.error("lab001")["message"]
    agent = str(tmp_path / "agent.sock")
    process = subprocess.Popen(["ssh-agent", "-D", "-a", agent], stdout=subprocess.DEVNULL)
    try:
        environment = os.environ | {"SSH_AUTH_SOCK": agent}
        while subprocess.run(
            ["ssh-add", "-q", lab.key], env=environment, capture_output=True
        ).returncode:
            assert process.poll() is None
        run = on_lab(lab, tmp_path, "-F", config, "-H", "lab[001-005]", "dbus", SSH_AUTH_SOCK=agent)
        assert run.exit == 0, run
    finally:
        process.terminate()
        process.wait()


def test_a_container_with_a_user_namespace_of_its_own_is_read(lab: Lab, tmp_path: Path) -> None:
    leader = str(lab.host(1).leader_pid)
    inside = ["unshare", "--user", "--map-root-user", "sh", "-c", "echo $$; exec sleep infinity"]
    first = subprocess.Popen(
        ["nsenter", "--target", leader, "--mount", "--uts", "--ipc", *inside],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert first.stdout is not None
        first.stdout.readline()
        record = Path("/run/systemd/machines/own-users")
        record.parent.mkdir(parents=True, exist_ok=True)
        record.write_text(f"LEADER={first.pid}\n")
        run = psops("status", "-M", "own-users", *_UNITS, home=tmp_path)
        record.unlink()
        assert "dbus.service" in run.stdout, run
    finally:
        first.kill()
        first.communicate()


def test_late_bytes_for_a_program_that_has_ended_do_not_end_the_login(lab: Lab) -> None:
    connection: Any = connect(Target(name="lab002"), Options(ssh_config=str(lab.ssh_config)))
    program = connection._carrier.open_program("true")
    with pytest.raises(HostError):
        program.receive(Deadline(20))
    channel = program._channel
    # What a thread had ready to be sent when another one took note of the end.
    late = paramiko.Message()
    late.add_byte(paramiko.common.cMSG_CHANNEL_DATA)
    late.add_int(channel.remote_chanid)
    late.add_string(b"late")
    channel.transport._send_user_message(late)
    assert connection.run(("echo", "here"), Deadline(20)).stdout == b"here\n"
    connection.close()
