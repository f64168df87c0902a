"""Every way in which a real host cannot be read, made for real, and told apart in time."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

import pytest

from tests.command import Run, on_lab, psops
from tests.lab import Host, Lab

pytestmark = pytest.mark.lab

_CONNECT = 2.0
#: Seconds a run may take beyond its deadline: starting Python, and a busy machine.
_SLACK = 6.0


def _both_ways_shut(lab: Lab, host: Host) -> AbstractContextManager[object]:
    stack = ExitStack()
    stack.enter_context(lab.sshd_option(host, "AllowStreamLocalForwarding no"))
    stack.enter_context(lab.no_bridge(host))
    return stack


def _wrong_key(lab: Lab, host: Host) -> AbstractContextManager[object]:
    return lab.sshd_option(host, "AuthorizedKeysFile none")


Fault = Callable[[Lab, Host], AbstractContextManager[object]]
_FAULTS: dict[str, Fault] = {
    "authentication-refused": _wrong_key,
    "host-key-changed": Lab.new_host_key,
    "connect-timed-out": Lab.blackhole,
    "banner-timed-out": Lab.frozen_sshd,
    "no-bus": Lab.no_bus_socket,
    "channel-refused": _both_ways_shut,
}


@pytest.mark.parametrize("code", _FAULTS)
@pytest.mark.parametrize("transport", ["ssh", "openssh"])
def test_each_failure_is_told_apart_within_its_deadline(
    lab: Lab, tmp_path: Path, code: str, transport: str
) -> None:
    host = lab.host(11)
    inventory = tmp_path / "inventory.toml"
    inventory.write_text(
        f'[defaults]\ntransport = "{transport}"\nssh_config = "{lab.ssh_config}"\n'
        f"[hosts.{host.name}]\n[hosts.lab012]\n"
    )
    with _FAULTS[code](lab, host):
        begin = time.monotonic()
        run = psops("status", "-i", str(inventory), "-a", "--json", "--connect-timeout",
                    str(_CONNECT), "--timeout", "8", "dbus", home=tmp_path)  # fmt: skip
        elapsed = time.monotonic() - begin
    assert run.error(host.name)["code"] == code, run.stdout
    assert run.error(host.name)["remedy"]
    assert elapsed < _CONNECT + _SLACK
    assert run.exit == 1
    (other,) = (found for found in run.document["hosts"] if found["host"] == "lab012")
    assert other["error"] is None  # one bad host takes nothing from the others
    after = psops("status", "-i", str(inventory), "-a", "dbus", home=tmp_path)
    assert after.exit == 0, after


def test_a_wrong_key_an_unknown_key_a_wrong_name_and_a_wrong_port(lab: Lab, tmp_path: Path) -> None:
    text = lab.ssh_config.read_text()
    wrong = tmp_path / "wrong"
    wrong.write_text(text.replace(str(lab.key), str(lab.wrong_key)))
    run = on_lab(lab, tmp_path, "-F", str(wrong), "-H", "lab001", "--json")
    assert run.error("lab001")["code"] == "authentication-refused"
    unknown = tmp_path / "unknown"
    unknown.write_text(text.replace(str(lab.known_hosts), str(tmp_path / "known_hosts")))
    run = on_lab(lab, tmp_path, "-F", str(unknown), "-H", "lab001", "--json")
    assert run.error("lab001")["code"] == "host-key-unknown"
    assert "SHA256:" in run.error("lab001")["message"]
    accepted = on_lab(lab, tmp_path, "-F", str(unknown), "-H", "lab001", "dbus",
                      "--accept-new-host-keys")  # fmt: skip
    assert accepted.exit == 0
    assert on_lab(lab, tmp_path, "-F", str(unknown), "-H", "lab001", "dbus").exit == 0
    run = psops("status", "-H", "no-such-host.invalid,127.83.0.250:9", "--json", home=tmp_path)
    assert run.error("no-such-host.invalid")["code"] == "name-not-resolved"
    assert run.error("127.83.0.250:9")["code"] == "connect-refused"
    assert run.exit == 69


def test_a_changed_key_is_an_error_even_when_new_keys_are_accepted(
    lab: Lab, tmp_path: Path
) -> None:
    host = lab.host(12)
    with lab.new_host_key(host):
        run = on_lab(lab, tmp_path, "-H", host.name, "--json", "--accept-new-host-keys")
    error = run.error(host.name)
    assert error["code"] == "host-key-changed"
    assert f"{lab.known_hosts}:" in error["message"]
    assert "ssh-keygen -R" in error["remedy"]


def test_a_host_without_systemd_and_one_without_a_bus(
    lab: Lab, tmp_path: Path, bare_host: Host, dbus_host: Host
) -> None:
    for host in (bare_host, dbus_host):
        run = on_lab(lab, tmp_path, "-H", f"{host.address}:{host.port}", "--json")
        (error,) = run.document["errors"]
        assert error["code"] == "not-systemd", (host, run.stdout)


def test_a_bus_that_does_not_answer_is_given_up_at_its_deadline(lab: Lab, tmp_path: Path) -> None:
    host = lab.host(13)
    asked = lab.shell(host, ["systemctl", "show", "-P", "MainPID", "dbus"]).stdout.strip()
    lab.shell(host, ["kill", "-STOP", asked])
    try:
        begin = time.monotonic()
        run = on_lab(lab, tmp_path, "-H", host.name, "--json", "--timeout", "1.5",
                     "--connect-timeout", str(_CONNECT), "dbus")  # fmt: skip
        elapsed = time.monotonic() - begin
    finally:
        lab.shell(host, ["kill", "-CONT", asked])
    assert run.error(host.name)["code"] == "deadline", run.stdout
    assert elapsed < 1.5 + _CONNECT + _SLACK  # the login waits for the bus, too


def test_sudo_that_wants_a_password_is_explained(lab: Lab, tmp_path: Path) -> None:
    run = on_lab(lab, tmp_path, "-H", "plain@lab001", "--sudo", "--json")
    assert run.error("lab001")["code"] == "channel-refused"
    assert "NOPASSWD" in run.error("lab001")["remedy"]


def test_a_login_script_that_prints_text_is_a_protocol_error(lab: Lab, tmp_path: Path) -> None:
    host = lab.host(14)
    with lab.sshd_option(host, "AllowStreamLocalForwarding no"):
        lab.shell(host, ["sh", "-c", "cp /root/.bashrc /root/.bashrc.kept; "
                         "sed -i '1i echo Welcome to the machine' /root/.bashrc"])  # fmt: skip
        try:
            run = on_lab(lab, tmp_path, "-H", host.name, "--json")
        finally:
            lab.shell(host, ["mv", "/root/.bashrc.kept", "/root/.bashrc"])
    assert run.error(host.name)["code"] == "protocol-error", run.stdout
    assert "Welcome" in run.error(host.name)["message"]


def test_connections_dropped_past_maxstartups_are_tried_again(lab: Lab, tmp_path: Path) -> None:
    host = lab.host(15)
    names = "".join(f"\n[hosts.same{number}]\naddress = '{host.address}'" for number in range(24))
    inventory = tmp_path / "inventory.toml"
    inventory.write_text(
        f'[defaults]\nport = {host.port}\nssh_config = "{tmp_path}/config"\n{names}\n'
    )
    (tmp_path / "config").write_text(lab.ssh_config.read_text().replace("Host lab*", "Host *"))
    with lab.sshd_option(host, "MaxStartups 4:30:12"):
        run = psops("status", "-i", str(inventory), "-a", "--json", "dbus", home=tmp_path,
                    )  # fmt: skip
    errors = [found["error"] for found in run.document["hosts"] if found["error"]]
    assert errors == []


def _hosts_read(run: Run) -> int:
    return sum(1 for host in run.document["hosts"] if host["error"] is None)


def test_ctrl_c_prints_what_is_known_and_exits_130(lab: Lab, tmp_path: Path) -> None:
    host = lab.host(16)
    with lab.frozen_sshd(host):
        argv = [sys.executable, "-m", "psops", "status", "-i", str(lab.inventory), "--json",
                "-H", f"lab001,{host.name}", "--connect-timeout", "60", "dbus"]  # fmt: skip
        child = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)
        _await_connection(host)
        child.send_signal(signal.SIGINT)
        output, _ = child.communicate(timeout=10)
    document = json.loads(output)
    assert child.returncode == document["exit"] == 130
    codes = {found["host"]: (found["error"] or {}).get("code") for found in document["hosts"]}
    assert codes == {"lab001": None, host.name: "interrupted"}


def _await_connection(host: Host) -> None:
    """Return once somebody has connected to the host and lab001 has had its time to answer."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        listed = subprocess.run(["ss", "-Htn", "dst", host.address], capture_output=True, text=True)
        if "ESTAB" in listed.stdout:
            time.sleep(1.5)
            return
    raise AssertionError("nobody connects")


def test_no_fault_leaves_the_lab_broken(lab: Lab, tmp_path: Path) -> None:
    run = on_lab(lab, tmp_path, "-a", "--json", "dbus")
    assert _hosts_read(run) == len(lab.hosts), run.stdout
