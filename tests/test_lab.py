"""The lab itself: hosts apart from each other, units as named, faults made and undone."""

import dataclasses
import os
import re
import socket
import subprocess
import sys
import threading
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import lab as real_hosts
from tests.lab import DRESSES, Host, Lab, LabError, boot, process
from tests.lab.keys import ensure_pair
from tests.lab.layer import ensure_layer
from tests.lab.outputs import fold
from tests.lab.relay import relay
from tests.lab.shapes import SHAPES

pytestmark = pytest.mark.lab

PATIENCE_S = 10.0
IMPATIENCE_S = 0.5


def show(lab: Lab, host: Host, unit: str, *properties: str) -> dict[str, str]:
    """Return the properties of a unit as systemctl shows them."""
    wanted = [f"--property={name}" for name in properties]
    shown = lab.shell(host, ["systemctl", "show", *wanted, "--", unit], check=True).stdout
    return dict(line.split("=", 1) for line in shown.splitlines())


def state(lab: Lab, host: Host, unit: str) -> str:
    """Return a unit's ActiveState and SubState as the tables write them."""
    shown = show(lab, host, unit, "ActiveState", "SubState")
    return f"{shown['ActiveState']}/{shown['SubState']}"


def ssh(lab: Lab, login: str, *command: str, options: tuple[str, ...] = ()) -> tuple[int, str]:
    """Run a command by the real ssh client and return its exit status and all it printed."""
    fixed = ["-F", str(lab.ssh_config), "-o", "BatchMode=yes"]
    done = subprocess.run(
        ["ssh", *fixed, *options, login, *command],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def banner(host: Host, patience_s: float = PATIENCE_S) -> bytes:
    """Return the first bytes sshd sends."""
    with socket.create_connection((host.address, host.port), patience_s) as connection:
        return connection.recv(4)


# Hosts


def test_each_host_has_its_name_dress_and_cgroup(lab: Lab) -> None:
    hosts = lab.hosts[:20]
    names = [lab.shell(host, ["hostname"]).stdout.strip() for host in hosts]
    assert names == [host.name for host in hosts]
    assert [host.dress for host in hosts[:7]] == [dress.name for dress in DRESSES]
    cgroups = {Path(f"/proc/{host.leader_pid}/cgroup").read_text() for host in hosts}
    assert len(cgroups) == len(hosts)


def test_machine_ids_and_host_keys_differ(lab: Lab) -> None:
    ids = {Path(f"{host.root}/etc/machine-id").read_text() for host in lab.hosts}
    assert len(ids) == len(lab.hosts)
    keys = {line.split(None, 1)[1] for line in lab.known_hosts.read_text().splitlines()}
    assert len(keys) >= len(lab.hosts)


def test_stopping_a_unit_leaves_it_running_on_the_next_host(lab: Lab) -> None:
    one, other = lab.host(1), lab.host(2)
    before = show(lab, other, "psops-allowed.service", "MainPID")
    lab.shell(one, ["systemctl", "stop", "psops-allowed.service"], check=True)
    try:
        assert state(lab, one, "psops-allowed.service") == "inactive/dead"
        assert state(lab, other, "psops-allowed.service") == "active/running"
        assert show(lab, other, "psops-allowed.service", "MainPID") == before
        assert before["MainPID"] != "0"
    finally:
        lab.shell(one, ["systemctl", "start", "psops-allowed.service"], check=True)


def test_only_the_deliberate_failure_keeps_a_host_from_running(lab: Lab) -> None:
    for host in lab.hosts[:20]:
        failed = lab.shell(host, ["systemctl", "list-units", "--failed", "--plain", "--no-legend"])
        assert [line.split()[0] for line in failed.stdout.splitlines()] == ["psops-fail.service"]
        assert lab.shell(host, ["systemctl", "is-system-running"]).stdout == "degraded\n"


def test_system_bus_is_reachable_from_this_machine(lab: Lab) -> None:
    with socket.socket(socket.AF_UNIX) as bus:
        bus.connect(lab.host(1).bus)
        bus.sendall(b"\0AUTH EXTERNAL\r\nDATA\r\n")
        assert bus.recv(64).startswith(b"DATA\r\n")


# Units


@pytest.mark.parametrize("number", range(1, len(DRESSES) + 1))
def test_every_shape_has_the_state_its_name_promises(lab: Lab, number: int) -> None:
    host = lab.host(number)
    found = {unit.name: state(lab, host, unit.name) for unit in SHAPES}
    assert found == {unit.name: unit.state for unit in SHAPES}


@pytest.mark.parametrize("dress", DRESSES, ids=lambda dress: dress.name)
def test_units_of_each_dress_are_in_place(lab: Lab, dress: real_hosts.Dress) -> None:
    host = lab.wearing(dress.name)
    expected = {unit.name: unit.state for unit in dress.units if unit.state}
    assert {name: state(lab, host, name) for name in expected} == expected


@pytest.mark.parametrize(
    ("unit", "expected"),
    [
        ("psops-oneshot.service", {"UnitFileState": "enabled", "Result": "success"}),
        ("psops-once.service", {"UnitFileState": "enabled", "ExecMainCode": "1"}),
        ("psops-timer.timer", {"UnitFileState": "enabled", "Unit": "psops-timer.service"}),
        ("psops-timer.service", {"UnitFileState": "static", "ExecMainCode": "1"}),
        ("psops-socket.service", {"UnitFileState": "disabled"}),
        ("psops-slow.service", {"Type": "notify", "TimeoutStartUSec": "infinity"}),
        ("psops-fail.service", {"Result": "exit-code", "ExecMainStatus": "3"}),
        ("psops-crash.service", {"Result": "exit-code", "RestartUSec": "30s"}),
        ("psops-masked.service", {"LoadState": "masked", "UnitFileState": "masked"}),
        ("psops-aka.service", {"Id": "psops-alias.service", "ActiveState": "active"}),
        ("psops-disabled.service", {"LoadState": "loaded", "UnitFileState": "disabled"}),
        (
            "psops-exited.service",
            {
                "UnitFileState": "generated",
                "SourcePath": "/etc/init.d/psops-exited",
                "Result": "success",
            },
        ),
    ],
)
def test_shapes_differ_where_the_state_does_not_tell(
    lab: Lab, unit: str, expected: dict[str, str]
) -> None:
    assert show(lab, lab.host(1), unit, *expected) == expected


def test_failed_unit_has_left_two_lines_in_the_journal(lab: Lab) -> None:
    command = ["journalctl", "--unit=psops-fail.service", "--output=cat", "--identifier=sh"]
    lines = lab.shell(lab.host(1), command).stdout.splitlines()
    # Other tests may have started it again.
    assert lines[-2:] == ["reading configuration", "no such table: runs"]


def test_debian_database_is_the_instance_and_not_the_umbrella(lab: Lab) -> None:
    host = lab.wearing("toolkit-deb")
    instance = "postgresql@15-main.service"
    assert show(lab, host, instance, "UnitFileState") == {"UnitFileState": "enabled-runtime"}
    assert show(lab, host, "chronyd.service", "Id") == {"Id": "chrony.service"}
    try:
        lab.shell(host, ["systemctl", "stop", "postgresql.service"], check=True)
        lab.shell(host, ["systemctl", "start", "postgresql.service"], check=True)
        assert state(lab, host, instance) == "active/running"
        assert state(lab, host, "pscheduler-runner.service") == "inactive/dead"
    finally:
        names = [f"pscheduler-{x}.service" for x in ("ticker", "scheduler", "runner", "archiver")]
        lab.shell(host, ["systemctl", "start", *names], check=True)


def test_connection_to_the_starter_port_starts_an_instance(lab: Lab) -> None:
    host = lab.wearing("parastation")
    before = int(show(lab, host, "psidstarter.socket", "NAccepted")["NAccepted"])
    socket.create_connection((host.address, 888), PATIENCE_S).close()
    after = int(show(lab, host, "psidstarter.socket", "NAccepted")["NAccepted"])
    assert after == before + 1


# Users


@pytest.mark.parametrize("user", ["root", "plain", "ops"])
def test_users_log_in_with_the_key(lab: Lab, user: str) -> None:
    assert ssh(lab, f"{user}@lab001", "id", "-un") == (0, f"{user}\n")


def test_wrong_key_is_refused(lab: Lab) -> None:
    options = ("-o", f"IdentityFile={lab.wrong_key}", "-F", "none", "-p", "2222")
    known = ("-o", f"UserKnownHostsFile={lab.known_hosts}", "-o", "IdentitiesOnly=yes")
    status, said = ssh(lab, "root@127.83.0.1", "true", options=(*options, *known))
    assert status == 255
    assert "Permission denied" in said


def test_ops_may_run_the_bridge_as_root_and_nothing_else(lab: Lab) -> None:
    bridge = "sudo -n systemd-stdio-bridge </dev/null"
    assert "password is required" not in ssh(lab, "ops@lab001", bridge)[1]
    for command in ("sudo -n id", "sudo -n systemd-stdio-bridge --help"):
        assert "password is required" in ssh(lab, "ops@lab001", command)[1]


def test_polkit_lets_plain_manage_one_unit_on_every_third_host(lab: Lab) -> None:
    restart = "systemctl --no-ask-password restart"
    assert lab.host(3).polkit
    assert ssh(lab, "plain@lab003", f"{restart} psops-allowed.service")[0] == 0
    assert ssh(lab, "plain@lab003", f"{restart} psops-alias.service")[0] != 0
    assert ssh(lab, "plain@lab001", f"{restart} psops-allowed.service")[0] != 0


# Faults


def test_black_hole_swallows_connections(lab: Lab) -> None:
    host = lab.host(4)
    with lab.blackhole(host):
        with pytest.raises(TimeoutError):
            banner(host, IMPATIENCE_S)
        assert banner(lab.host(5)) == b"SSH-"
    assert banner(host) == b"SSH-"
    tables = subprocess.run(["nft", "list", "tables"], capture_output=True, text=True, check=True)
    assert host.name not in tables.stdout


def test_frozen_sshd_takes_connections_and_says_nothing(lab: Lab) -> None:
    host = lab.host(4)
    with (
        lab.frozen_sshd(host),
        socket.create_connection((host.address, host.port), PATIENCE_S) as connection,
    ):
        connection.settimeout(IMPATIENCE_S)
        with pytest.raises(TimeoutError):
            connection.recv(4)
    assert banner(host) == b"SSH-"


def forwarded_bus_answers(lab: Lab, host: Host, directory: Path) -> bool:
    """Tell whether the bus answers through a socket forwarded by ssh."""
    control, local = directory / "control", directory / "bus"
    forward = f"{local}:/run/dbus/system_bus_socket"
    master = ("-M", "-S", str(control), "-fN", "-L", forward)
    # With its output captured the background ssh would keep the pipe, and so this call, open.
    subprocess.run(
        ["ssh", "-F", str(lab.ssh_config), *master, host.name],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=True,
    )
    try:
        with socket.socket(socket.AF_UNIX) as bus:
            bus.settimeout(PATIENCE_S)
            bus.connect(str(local))
            bus.sendall(b"\0AUTH EXTERNAL\r\nDATA\r\n")
            try:
                return bus.recv(64).startswith(b"DATA\r\n")
            except ConnectionResetError:
                return False
    finally:
        ssh(lab, host.name, options=("-S", str(control), "-O", "exit"))
        local.unlink(missing_ok=True)


def test_sshd_option_holds_while_in_its_context(lab: Lab, tmp_path: Path) -> None:
    host = lab.host(4)
    with lab.sshd_option(host, "AllowStreamLocalForwarding no"):
        assert not forwarded_bus_answers(lab, host, tmp_path)
    assert forwarded_bus_answers(lab, host, tmp_path)


def test_bus_socket_goes_and_comes_back(lab: Lab) -> None:
    host = lab.host(4)
    with lab.no_bus_socket(host):
        assert not Path(host.bus).exists()
        assert ssh(lab, host.name, "busctl", "--no-pager", "list")[0] != 0
    with socket.socket(socket.AF_UNIX) as bus:
        bus.connect(host.bus)


def test_bridge_goes_and_comes_back(lab: Lab) -> None:
    host = lab.host(4)
    with lab.no_bridge(host):
        assert ssh(lab, host.name, "systemd-stdio-bridge")[0] == 127
    assert ssh(lab, host.name, "systemd-stdio-bridge --version")[0] == 0


def test_new_host_key_is_noticed_by_ssh(lab: Lab) -> None:
    host = lab.host(4)
    with lab.new_host_key(host):
        status, said = ssh(lab, host.name, "true")
        assert status == 255
        assert "REMOTE HOST IDENTIFICATION HAS CHANGED" in said
    assert ssh(lab, host.name, "true")[0] == 0


# Hosts without systemd


def test_bare_host_has_neither_systemd_nor_bus(lab: Lab, bare_host: Host) -> None:
    assert ssh(lab, bare_host.name, "hostname") == (0, "labbare\n")
    status, said = ssh(lab, bare_host.name, "systemctl", "is-system-running")
    assert status != 0
    assert "not been booted with systemd" in said or said == "offline\n"
    assert ssh(lab, bare_host.name, "test -e /run/dbus/system_bus_socket")[0] == 1


def test_dbus_host_has_a_bus_and_nobody_called_systemd_on_it(lab: Lab, dbus_host: Host) -> None:
    assert ssh(lab, dbus_host.name, "test -S /run/dbus/system_bus_socket")[0] == 0
    call = "org.freedesktop.systemd1 /org/freedesktop/systemd1 org.freedesktop.DBus.Peer Ping"
    status, said = ssh(lab, dbus_host.name, f"busctl call {call}")
    assert status != 0
    assert said.startswith("Call failed")
    assert ssh(lab, dbus_host.name, "test -d /run/systemd/system")[0] == 1


def test_killed_host_is_booted_again(lab: Lab, bare_host: Host) -> None:
    process.stop([bare_host.leader], PATIENCE_S)
    again = real_hosts.up_special(lab.place, "bare")
    assert [host.name for host in again] == [bare_host.name]
    assert banner(again[0]) == b"SSH-"


# The lab's own care


def test_up_leaves_running_hosts_alone(lab: Lab) -> None:
    assert real_hosts.up(lab.place, len(lab.hosts)) == []


def test_failing_boot_names_the_host_and_shows_its_console(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(boot.NO_SYSTEMD, "bare", "echo the disk is on fire; exit 7")
    host = Host(name="labfail", address="127.83.255.9", kind="bare")
    tree = next(path for path in lab.place.trees.iterdir() if path.suffix != ".part")
    layer = ensure_layer(lab.place, None, ensure_pair(lab.key))
    recorded: list[Host] = []
    with pytest.raises(LabError, match=r"(?s)^labfail: .*the disk is on fire"):
        boot.boot(lab.place, tree, layer, host, None, recorded.append)
    assert [failed.nspawn.is_alive() for failed in recorded] == [False]
    boot.clean_up(lab.place, host)


def test_process_with_another_start_time_is_not_signalled() -> None:
    with subprocess.Popen(["sleep", "60"]) as sleeper:
        known = process.identify(sleeper.pid)
        assert known is not None
        impostor = dataclasses.replace(known, start=known.start - 1)
        assert process.stop([impostor], IMPATIENCE_S) == []
        assert sleeper.poll() is None
        assert process.stop([known], PATIENCE_S) == []


def test_outputs_name_every_host(lab: Lab) -> None:
    inventory = tomllib.loads(lab.inventory.read_text())
    assert inventory["defaults"]["ssh_config"] == str(lab.ssh_config)
    for host in lab.hosts:
        table = inventory["hosts"][host.name]
        assert table == {"address": host.address, "labels": {"dress": host.dress}}
        assert f"[{host.address}]:2222 ssh-ed25519 " in lab.known_hosts.read_text()
        assert f"[{host.name}]:2222 ssh-ed25519 " in lab.known_hosts.read_text()
    for dress in DRESSES:
        names = [host.name for host in lab.hosts if host.dress == dress.name]
        group = inventory["groups"][dress.name]
        assert group == {"hosts": fold(names), "bundles": list(dress.bundles)}


def run_without_mount_right(config: pytest.Config, ci: str) -> tuple[int, list[str]]:
    """Run these tests as a root that may not mount, and return exit status and lines printed."""
    configured = ["-c", str(config.inipath)] if config.inipath else []
    weak = ["setpriv", "--bounding-set=-sys_admin", "--inh-caps=-sys_admin", sys.executable]
    run = subprocess.run(
        [*weak, "-m", "pytest", *configured, "-p", "no:cacheprovider", __file__],
        cwd=Path(__file__).resolve().parents[1],
        env={**os.environ, "CI": ci},
        capture_output=True,
        text=True,
        check=False,
    )
    return run.returncode, (run.stdout + run.stderr).splitlines()


def test_lab_tests_are_left_out_and_counted_where_no_host_can_boot(
    pytestconfig: pytest.Config,
) -> None:
    status, lines = run_without_mount_right(pytestconfig, ci="")
    assert status == pytest.ExitCode.NO_TESTS_COLLECTED
    assert re.fullmatch(r"left out: \d+ lab tests \(no right to mount .*\)", lines[-2])


def test_lab_tests_fail_in_ci_where_no_host_can_boot(pytestconfig: pytest.Config) -> None:
    status, lines = run_without_mount_right(pytestconfig, ci="true")
    assert status == pytest.ExitCode.USAGE_ERROR
    assert any("lab tests (no right to mount" in line for line in lines)


# The relay


@pytest.fixture
def echo() -> Iterator[tuple[str, int]]:
    """Give a server which sends everything back once its client has finished sending."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    connection.sendall(receive_all(connection))

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()
        server.shutdown(socket.SHUT_RDWR)
        thread.join()


def receive_all(connection: socket.socket) -> bytes:
    """Return what is sent until the other side has finished sending."""
    return b"".join(iter(lambda: connection.recv(1 << 20), b""))


def through(endpoint: tuple[str, int], data: bytes) -> tuple[bytes, float]:
    """Return what comes back when the data is sent, and after how many seconds."""
    started = time.monotonic()
    with socket.create_connection(endpoint, PATIENCE_S) as connection:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        received = receive_all(connection)
    return received, time.monotonic() - started


def test_relay_costs_a_round_trip_to_connect_and_one_to_answer(echo: tuple[str, int]) -> None:
    with relay(*echo, delay_s=0.2) as endpoint:
        found = [through(endpoint, b"ping") for _ in range(4)]
    assert {received for received, _ in found} == {b"ping"}
    # The shortest, as other tests use this machine too.
    assert 0.4 <= min(seconds for _, seconds in found) < 0.5


def test_relay_does_not_throttle(echo: tuple[str, int]) -> None:
    data = os.urandom(1 << 24)
    with relay(*echo, delay_s=0.2) as endpoint:
        received, seconds = through(endpoint, data)
    assert received == data
    # One chunk of 256 KiB per one-way time would take more than six seconds.
    assert seconds < 3


def test_relay_passes_a_refusal_on() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address, port = server.getsockname()
    with (
        relay(address, port, 0.01) as endpoint,
        socket.create_connection(endpoint, PATIENCE_S) as connection,
        pytest.raises(ConnectionResetError),
    ):
        connection.recv(1)


def test_ssh_works_through_the_relay(lab: Lab) -> None:
    host = lab.host(1)
    with relay(host.address, host.port, 0.02) as (address, port):
        options = ("-o", f"HostName={address}", "-p", str(port), "-o", "HostKeyAlias=[lab001]:2222")
        assert ssh(lab, host.name, "hostname", options=options) == (0, "lab001\n")
