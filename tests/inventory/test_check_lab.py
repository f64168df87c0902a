"""`psops inventory check` on real hosts: every step of the way, and each way to fail."""

import re
import subprocess
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.command import Run, psops
from tests.lab import Host, Lab

pytestmark = pytest.mark.lab

DIRECT = ["resolve", "tcp", "ssh", "host-key", "login", "bus", "systemd"]
LIMITS = ("--connect-timeout", "4", "--timeout", "10")


def check(lab: Lab, home: Path, *words: str, **variables: str) -> Run:
    base = ("inventory", "check", "-i", str(lab.inventory))
    return psops(*base, *LIMITS, *words, home=home, **variables)


def host_of(run: Run, name: str) -> dict[str, Any]:
    for host in run.document["hosts"]:
        if host["host"] == name:
            return dict(host)
    raise KeyError(name)


def test_a_host_that_can_be_reached_is_told_step_by_step(lab: Lab, tmp_path: Path) -> None:
    host = lab.host(1)
    run = check(lab, tmp_path, "-H", host.name, "--json")
    assert run.exit == 0
    (found,) = run.document["hosts"]
    steps = {step["step"]: step for step in found["steps"]}
    assert list(steps) == [*DIRECT, "rights", "clock"]
    assert all(0 <= step["elapsed_s"] < 5 for step in steps.values())
    assert sum(step["elapsed_s"] for step in steps.values()) <= found["elapsed_s"] + 0.01
    assert steps["resolve"]["found"] == steps["tcp"]["found"] == host.address
    assert steps["ssh"]["found"].startswith("SSH-2.0-OpenSSH")
    key = steps["host-key"]["found"].split()[1]
    scanned = subprocess.run(
        ["ssh-keygen", "-l", "-F", f"[{host.address}]:{host.port}", "-f", lab.known_hosts],
        capture_output=True, text=True,
    ).stdout  # fmt: skip
    assert key in scanned
    assert steps["login"]["found"] == f"root, {lab.key}"
    version = lab.shell(host, ["systemctl", "--version"]).stdout.split("(")[1].split(")")[0]
    assert (found["systemd_version"], found["way"]) == (version, "streamlocal")
    assert (found["uid"], found["may_change"], found["error"]) == (0, True, None)
    # The hosts share this machine's clock.
    assert abs(found["clock_skew_s"]) <= found["clock_error_s"] + 0.05
    assert isinstance(found["clock_synchronized"], bool)


def test_rights_are_those_of_the_login(lab: Lab, tmp_path: Path) -> None:
    host = lab.host(2)
    uid = int(lab.shell(host, ["id", "-u", "plain"]).stdout)
    rule = "/etc/polkit-1/rules.d/49-psops-check.rules"
    run = check(lab, tmp_path, "-H", f"plain@{host.name}", "--no-clock", "--json")
    found = host_of(run, host.name)
    assert (found["uid"], found["may_change"]) == (uid, False)
    assert (found["clock_skew_s"], found["clock_unknown"]) == (None, None)
    text = (
        "polkit.addRule(function(action, subject) {"
        ' if (action.id == "org.freedesktop.systemd1.manage-units" && subject.user == "plain")'
        " return polkit.Result.YES; });"
    )
    lab.shell(host, ["sh", "-ec", 'echo "$1" > "$2"; systemctl restart polkit', "sh", text, rule],
              check=True)  # fmt: skip
    try:
        run = check(lab, tmp_path, "-H", f"plain@{host.name}", "--no-clock", "--json")
        assert host_of(run, host.name)["may_change"] is True
    finally:
        lab.shell(host, ["sh", "-ec", 'rm "$1"; systemctl restart polkit', "sh", rule], check=True)
    run = check(lab, tmp_path, "-H", f"ops@{host.name}", "--sudo", "--json")
    found = host_of(run, host.name)
    assert (found["uid"], found["way"]) == (0, "sudo systemd-stdio-bridge")
    refused = check(lab, tmp_path, "-H", f"plain@{host.name}", "--sudo", "--json")
    found = host_of(refused, host.name)
    assert (found["failed_step"], found["error"]["code"]) == ("bus", "channel-refused")
    assert "NOPASSWD" in found["error"]["remedy"]
    assert refused.exit == 69


def test_each_failure_is_told_with_its_step_and_a_remedy(lab: Lab, tmp_path: Path) -> None:
    refusing, changed, frozen, busless = (lab.host(number) for number in (1, 2, 3, 4))
    hosts = "lab[001-004],nosuch.invalid,127.83.0.250:9"
    with ExitStack() as stack:
        stack.enter_context(lab.sshd_option(refusing, "AuthorizedKeysFile none"))
        stack.enter_context(lab.new_host_key(changed))
        stack.enter_context(lab.frozen_sshd(frozen))
        stack.enter_context(lab.no_bus_socket(busless))
        run = check(lab, tmp_path, "-H", hosts, "--json")
        table = check(lab, tmp_path, "-H", hosts)
    assert run.exit == table.exit == 69
    wanted = {
        "nosuch.invalid": ("resolve", "name-not-resolved", []),
        "127.83.0.250:9": ("tcp", "connect-refused", ["resolve"]),
        frozen.name: ("ssh", "banner-timed-out", DIRECT[:2]),
        changed.name: ("host-key", "host-key-changed", DIRECT[:3]),
        refusing.name: ("login", "authentication-refused", DIRECT[:4]),
        busless.name: ("bus", "no-bus", DIRECT[:5]),
    }
    for name, (step, code, done) in wanted.items():
        found = host_of(run, name)
        assert (found["failed_step"], found["error"]["code"]) == (step, code)
        assert [one["step"] for one in found["steps"]] == done
        assert found["error"]["remedy"]
        assert f"× {name}: {step}: {code}: " in table.stdout
        assert found["error"]["remedy"] in table.stdout
    assert "6 hosts, 0 reached, 6 not; slowest " in table.stdout


def test_a_black_hole_and_a_closed_way_fail_alone(lab: Lab, tmp_path: Path) -> None:
    silent, shut = lab.host(1), lab.host(2)
    with ExitStack() as stack:
        stack.enter_context(lab.blackhole(silent))
        stack.enter_context(lab.sshd_option(shut, "AllowStreamLocalForwarding no"))
        run = check(lab, tmp_path, "-H", "lab[001-003]", "--json")
        stack.enter_context(lab.no_bridge(shut))
        without_bridge = check(lab, tmp_path, "-H", shut.name, "--json")
    assert run.exit == 1
    found = host_of(run, silent.name)
    assert (found["failed_step"], found["error"]["code"]) == ("tcp", "connect-timed-out")
    assert host_of(run, shut.name)["way"] == "systemd-stdio-bridge"
    assert host_of(run, "lab003")["error"] is None
    found = host_of(without_bridge, shut.name)
    assert (found["failed_step"], found["error"]["code"]) == ("bus", "channel-refused")


def test_a_host_without_systemd_is_told_apart(lab: Lab, tmp_path: Path, dbus_host: Host) -> None:
    run = check(lab, tmp_path, "-H", f"{dbus_host.address}:{dbus_host.port}", "--json")
    (found,) = run.document["hosts"]
    assert found["error"]["code"] == "not-systemd"
    assert found["failed_step"] in ("bus", "systemd")
    assert run.exit == 69


def test_every_way_to_a_host_has_its_steps(lab: Lab, tmp_path: Path) -> None:
    machine = Path("/run/systemd/machines/psops-inventory-check")
    machine.parent.mkdir(parents=True, exist_ok=True)
    config = tmp_path / "ssh"
    config.write_text(f"Host lab002\n ControlPath {tmp_path}/%n\n{lab.ssh_config.read_text()}")
    inventory = tmp_path / "inventory.toml"
    inventory.write_text(
        f'[defaults]\nssh_config = "{config}"\n'
        '[hosts.lab001]\n[hosts.lab002]\n[hosts.lab003]\njump = "lab001"\n'
        '[hosts.lab004]\ntransport = "openssh"\n'
        f'[hosts.inside]\naddress = "{machine.name}"\ntransport = "container"\n'
        '[hosts.behind]\naddress = "127.83.0.250"\njump = "lab001"\n'
    )
    null = subprocess.DEVNULL
    subprocess.run(["ssh", "-F", config, "-MNf", "lab002"], check=True, stdin=null, stdout=null,
                   stderr=null)  # fmt: skip
    machine.write_text(f"LEADER={lab.host(3).leader_pid}\n")
    try:
        base = ("inventory", "check", "-i", str(inventory), *LIMITS)
        run = psops(*base, "--json", home=tmp_path)
        table = psops(*base, home=tmp_path)
    finally:
        machine.unlink()
        subprocess.run(["ssh", "-F", config, "-O", "exit", "lab002"], capture_output=True)
    steps = {host["host"]: [step["step"] for step in host["steps"]
                            if step["step"] not in ("rights", "clock")]
             for host in run.document["hosts"]}  # fmt: skip
    assert steps == {
        "lab001": DIRECT,
        "lab002": ["login", "bus", "systemd"],
        "lab003": ["jump", *DIRECT[2:]],
        "lab004": ["bus", "systemd"],
        "inside": ["bus", "systemd"],
        "behind": ["jump"],
    }
    found = host_of(run, "behind")
    assert (found["failed_step"], found["error"]["code"]) == ("ssh", "channel-refused")
    assert host_of(run, "lab002")["steps"][0]["found"] == "an open ControlMaster"
    assert run.exit == 1
    assert "JUMP" in table.stdout.splitlines()[0]
    assert "6 hosts, 5 reached, 1 not" in table.stdout


def test_another_time_is_told(lab: Lab, tmp_path: Path) -> None:
    """The hosts' clock is this machine's, so psops is started with another one."""
    (library,) = Path("/usr/lib").glob("*/faketime/libfaketime.so.1")
    elsewhen = {"LD_PRELOAD": str(library), "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
    early = check(lab, tmp_path, "-H", "lab001", "--json", **elsewhen, FAKETIME="-100s")
    found = host_of(early, "lab001")
    assert abs(found["clock_skew_s"] - 100) <= found["clock_error_s"] + 0.05
    assert early.exit == 1
    late = check(lab, tmp_path, "-H", "lab[001-002]", **elsewhen, FAKETIME="+2.5s")
    assert late.exit == 1
    assert re.search(r"! lab001: its clock is 2\.[3-7]\d* s behind ours; it says", late.stdout)
    assert "2 hosts, 2 reached, 2 with another time" in late.stdout
    words = ("-H", "lab001", "--max-skew", "5")
    assert check(lab, tmp_path, *words, **elsewhen, FAKETIME="+2.5s").exit == 0


def test_a_clock_that_cannot_be_read_is_unknown(lab: Lab, tmp_path: Path) -> None:
    host = lab.host(4)
    name = "systemd-timedated.service"
    lab.shell(host, ["systemctl", "mask", "--now", "--runtime", name], check=True)
    try:
        run = check(lab, tmp_path, "-H", host.name, "--json")
        table = check(lab, tmp_path, "-H", host.name)
    finally:
        lab.shell(host, ["systemctl", "unmask", "--runtime", name], check=True)
    found = host_of(run, host.name)
    assert (run.exit, found["error"], found["clock_skew_s"]) == (0, None, None)
    assert "mask" in found["clock_unknown"]
    assert f"clock unknown: {host.name}: " in table.stdout
