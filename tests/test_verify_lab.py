"""`bundle verify` on real hosts: each fault is named, and nothing else is."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from psops import inventory, transport, verify
from psops.catalogue import Catalogue
from psops.deadline import Deadline
from psops.transport import Options
from psops.verdict import HostVerdict, Verdict
from tests.checks.servers import Authority, serve
from tests.command import psops
from tests.lab import DRESSES, Host, Lab
from tests.ports import free_port

pytestmark = pytest.mark.lab

_CRITICAL, _WARNING = Verdict.CRITICAL, Verdict.WARNING
_PSCHEDULER = [f"pscheduler-{name}" for name in ("ticker", "scheduler", "runner", "archiver")]
_ALL_PSCHEDULER = " ".join(_PSCHEDULER)


@dataclass(frozen=True)
class Fault:
    """Something done to a host in a dress, how it is undone, and the findings it must give:
    daemon -> verdict, code, and the daemon that explains it."""

    name: str
    dress: str
    do: str
    undo: str
    found: dict[str, tuple[Verdict, str, str]]


def _dropin(unit: str, text: str) -> str:
    path = f"/run/systemd/system/{unit}.d"
    return f"mkdir -p {path}; printf '{text}' > {path}/zz-fault.conf; systemctl daemon-reload"


def _plain(unit: str) -> str:
    return (f"rm -rf /run/systemd/system/{unit}.d/zz-fault.conf; systemctl daemon-reload; "
            f"systemctl reset-failed {unit}; systemctl restart {unit}")  # fmt: skip


def _stopped(dress: str, unit: str, daemon: str, verdict: Verdict = _CRITICAL) -> Fault:
    return Fault(f"{unit}-stopped", dress, f"systemctl stop {unit}", f"systemctl start {unit}",
                 {daemon: (verdict, "stopped", "")})  # fmt: skip


def _disabled(dress: str, unit: str, daemon: str) -> Fault:
    return Fault(f"{unit}-disabled", dress, f"systemctl disable {unit}", f"systemctl enable {unit}",
                 {daemon: (_WARNING, "disabled", "")})  # fmt: skip


def _masked(dress: str, unit: str, daemon: str) -> Fault:
    # A mask below /run covers unit files of the package, not those of the administrator.
    return Fault(f"{unit}-masked", dress, f"systemctl mask --runtime --now {unit}",
                 f"systemctl unmask --runtime {unit}; systemctl start {unit}",
                 {daemon: (_CRITICAL, "masked", "")})  # fmt: skip


def _missing(dress: str, unit: str, daemon: str, verdict: Verdict = _CRITICAL) -> Fault:
    path = f"/usr/lib/systemd/system/{unit}.service"
    return Fault(
        f"{unit}-missing", dress,
        f"systemctl stop {unit}; mv {path} /root/; systemctl daemon-reload",
        f"mv /root/{unit}.service {path}; systemctl daemon-reload; systemctl start {unit}",
        {daemon: (verdict, "not-installed", "")},
    )  # fmt: skip


def _crashing(dress: str, unit: str, daemon: str) -> Fault:
    text = ("[Service]\\nRestart=always\\nRestartSec=60\\nType=simple\\n"
            "ExecStart=\\nExecStart=/bin/false\\n")  # fmt: skip
    return Fault(f"{unit}-crash-loop", dress,
                 f"{_dropin(unit + '.service', text)}; systemctl restart {unit}; "
                 f"until systemctl show -p SubState {unit} | grep -q auto-restart; do :; done",
                 _plain(f"{unit}.service"), {daemon: (_CRITICAL, "crash-loop", "")})  # fmt: skip


def _failing(dress: str, unit: str, daemon: str, verdict: Verdict = _CRITICAL) -> Fault:
    text = '[Service]\\nRestart=no\\nType=oneshot\\nExecStart=\\nExecStart=/bin/sh -c "exit 7"\\n'
    return Fault(f"{unit}-failed", dress,
                 f"{_dropin(unit + '.service', text)}; systemctl restart {unit} || true",
                 _plain(f"{unit}.service"), {daemon: (verdict, "failed", "")})  # fmt: skip


def _start_limited(dress: str, unit: str, daemon: str) -> Fault:
    text = ("[Unit]\\nStartLimitBurst=3\\nStartLimitIntervalSec=300\\n[Service]\\nRestart=always\\n"
            "RestartSec=50ms\\nType=simple\\nExecStart=\\nExecStart=/bin/false\\n")  # fmt: skip
    return Fault(f"{unit}-start-limit", dress,
                 f"{_dropin(unit + '.service', text)}; systemctl restart {unit}; "
                 f"until systemctl is-failed -q {unit}; do :; done",
                 _plain(f"{unit}.service"), {daemon: (_CRITICAL, "start-limit", "")})  # fmt: skip


_STOPPED_WITH_DATABASE = dict.fromkeys(_PSCHEDULER, (_CRITICAL, "stopped", "postgresql"))
FAULTS = [
    _stopped("toolkit-deb", "owamp-server", "owamp-server"),
    _stopped("toolkit-deb", "logstash", "logstash"),
    _stopped("toolkit-deb", "apt-daily-upgrade.timer", "auto-updates", _WARNING),
    _stopped("toolkit-deb", "pscheduler-runner", "pscheduler-runner"),
    _disabled("toolkit-deb", "twamp-server", "twamp-server"),
    _disabled("toolkit-deb", "chrony", "time"),  # and with it the alias chronyd disappears
    _masked("toolkit-deb", "opensearch", "opensearch"),
    _missing("toolkit-deb", "node_exporter", "node_exporter", _WARNING),
    _missing("testpoint", "twamp-server", "twamp-server"),
    _crashing("toolkit-deb", "psconfig-pscheduler-agent", "psconfig-pscheduler-agent"),
    _start_limited("toolkit-deb", "logstash", "logstash"),
    _failing("toolkit-deb", "grafana-server", "grafana-server"),
    Fault("database-stopped", "toolkit-deb", "systemctl stop postgresql",
          f"systemctl start postgresql postgresql@15-main {_ALL_PSCHEDULER}",
          {"postgresql": (_CRITICAL, "stopped", ""), **_STOPPED_WITH_DATABASE}),
    Fault("database-stopped-and-started", "toolkit-deb",
          "systemctl stop postgresql; systemctl start postgresql postgresql@15-main",
          f"systemctl start {_ALL_PSCHEDULER}", _STOPPED_WITH_DATABASE),
    Fault("umbrella-alive-instance-stopped", "toolkit-deb", "systemctl stop postgresql@15-main",
          "systemctl start postgresql@15-main", {"postgresql": (_CRITICAL, "stopped", "")}),
    Fault("umbrella-alive-instance-failed", "toolkit-deb",
          "systemctl kill -s SEGV postgresql@15-main; "
          "until systemctl is-failed -q postgresql@15-main; do :; done",
          "systemctl reset-failed postgresql@15-main; systemctl start postgresql@15-main",
          {"postgresql": (_CRITICAL, "failed", "")}),
    Fault("sysv-daemon-died", "toolkit-deb",
          "systemctl kill perfsonar-toolkit-config-daemon; until systemctl show -p SubState "
          "perfsonar-toolkit-config-daemon | grep -q exited; do :; done",
          "systemctl restart perfsonar-toolkit-config-daemon",
          {"perfsonar-configdaemon": (_WARNING, "died", "")}),
    Fault("one-shot-failed", "toolkit-deb",
          "sed -i.kept '2i exit 1' /etc/init.d/perfsonar-configure_nic_parameters; "
          "systemctl restart perfsonar-configure_nic_parameters || true",
          "cd /etc/init.d; mv perfsonar-configure_nic_parameters.kept "
          "perfsonar-configure_nic_parameters; systemctl daemon-reload; "
          "systemctl restart perfsonar-configure_nic_parameters",
          {"perfsonar-configure_nic_parameters": (_WARNING, "failed", "")}),
    Fault("firewall-stopped", "toolkit-deb", "systemctl stop firewalld",
          "systemctl start firewalld fail2ban",
          {"firewalld": (_CRITICAL, "stopped", ""),
           "fail2ban": (_WARNING, "stopped", "firewalld")}),
    Fault("bad-unit-file", "toolkit-deb",
          "systemctl stop twamp-server; "
          + _dropin("twamp-server.service", "[Service]\\nType=simple\\nExecStart=\\nExecStop=\\n"),
          "rm -r /run/systemd/system/twamp-server.service.d; systemctl daemon-reload; "
          "systemctl start twamp-server",
          {"twamp-server": (_CRITICAL, "bad-unit-file", "")}),
    Fault("slow-start-is-no-fault", "toolkit-deb",
          _dropin("opensearch.service", "[Service]\\nExecStart=\\nExecStart=/usr/bin/sleep inf\\n")
          + "; systemctl restart --no-block opensearch; until systemctl show -p ActiveState "
          "opensearch | grep -q activating; do :; done",
          "systemctl stop opensearch; " + _plain("opensearch.service"), {}),
    _stopped("toolkit-el", "psconfig-grafana-agent", "psconfig-grafana-agent"),
    _disabled("toolkit-el", "chronyd", "time"),
    _crashing("toolkit-el", "pscheduler-scheduler", "pscheduler-scheduler"),
    Fault("el-database-stopped", "toolkit-el", "systemctl stop postgresql",
          f"systemctl start postgresql {_ALL_PSCHEDULER}",
          {"postgresql": (_CRITICAL, "stopped", ""), **_STOPPED_WITH_DATABASE}),
    Fault("el-one-shot-has-no-stop", "toolkit-el",
          "systemctl stop perfsonar-configure_nic_parameters",
          "systemctl reset-failed perfsonar-configure_nic_parameters; "
          "systemctl start perfsonar-configure_nic_parameters",
          {"perfsonar-configure_nic_parameters": (_WARNING, "failed", "")}),
    Fault("wrong-alternative", "toolkit-el",
          "systemctl disable --now -q httpd; cp /usr/lib/systemd/system/httpd.service "
          "/run/systemd/system/apache2.service; systemctl daemon-reload; systemctl start apache2",
          "systemctl stop apache2; rm /run/systemd/system/apache2.service; "
          "systemctl daemon-reload; systemctl enable -q --now httpd",
          {"web": (_CRITICAL, "stopped", ""), "elmond": (_WARNING, "stopped", "web"),
           "perfsonar-host-exporter": (_WARNING, "stopped", "web")}),
    _stopped("testpoint", "perfsonar-host-exporter", "perfsonar-host-exporter", _WARNING),
    _stopped("testpoint", "ntpsec", "time"),
    _masked("testpoint", "perfsonar-lsregistrationdaemon", "perfsonar-lsregistrationdaemon"),
    _failing("testpoint", "owamp-server", "owamp-server"),
    Fault("archive-web-stopped", "archive", "systemctl stop httpd", "systemctl start httpd",
          {"web": (_CRITICAL, "stopped", ""), "elmond": (_WARNING, "stopped", "web"),
           "perfsonar-host-exporter": (_WARNING, "stopped", "web")}),
    _start_limited("archive", "opensearch", "opensearch"),
    _stopped("panda", "panda_daemon", "panda_daemon"),
    _failing("panda", "panda_httpd", "panda_httpd"),
    Fault("panda-stopped", "panda", "systemctl stop panda",
          "systemctl start panda panda_daemon panda_httpd panda_mcp",
          {"panda": (_CRITICAL, "stopped", ""), "panda_daemon": (_CRITICAL, "stopped", "panda"),
           "panda_httpd": (_CRITICAL, "stopped", "panda"),}),
    _stopped("rucio", "rucio-daemon@reaper", "rucio-reaper"),
    _crashing("rucio", "rucio-daemon@undertaker", "rucio-undertaker"),
    _stopped("parastation", "psid", "psid"),
    _disabled("parastation", "psid", "psid"),
    _stopped("parastation", "psidstarter.socket", "psidstarter", _WARNING),
]  # fmt: skip


def _look(lab: Lab, host: Host) -> HostVerdict:
    found = inventory.load(lab.inventory)
    options = Options(ssh_config=str(found.ssh_config))
    request = verify.Request(catalogue=Catalogue.load([]))
    (outcome,) = verify.report(found.select([host.name]), request, options).outcomes
    assert outcome.value is not None, outcome.error
    return outcome.value


def _not_ok(verdict: HostVerdict) -> dict[str, tuple[Verdict, str, str]]:
    return {
        finding.name: (finding.verdict, finding.code, finding.because)
        for finding in verdict.findings
        if finding.verdict is not Verdict.OK
    }


@contextmanager
def _made(lab: Lab, host: Host, fault: Fault) -> Iterator[None]:
    lab.shell(host, ["sh", "-ec", fault.do], check=True)
    try:
        yield
    finally:
        lab.shell(host, ["sh", "-c", fault.undo])


@pytest.mark.parametrize("dress", [dress.name for dress in DRESSES])
def test_a_host_in_each_role_is_ok(lab: Lab, dress: str) -> None:
    verdict = _look(lab, lab.wearing(dress))
    assert _not_ok(verdict) == {}
    assert verdict.verdict is Verdict.OK


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_exactly_the_fault_is_named(lab: Lab, fault: Fault) -> None:
    host = lab.wearing(fault.dress)
    with _made(lab, host, fault):
        found = _look(lab, host)
    assert _not_ok(found) == fault.found
    for finding in found.findings:
        assert finding.verdict is Verdict.OK or finding.advice or finding.because
    assert _not_ok(_look(lab, host)) == {}  # the fault is undone, and that is seen too


def test_a_failed_unit_comes_with_its_last_log_lines(lab: Lab) -> None:
    host = lab.wearing("panda")
    with _made(lab, host, _failing("panda", "panda_mcp", "panda_mcp")):
        (bad,) = (one for one in _look(lab, host).findings if one.verdict is not Verdict.OK)
    assert bad.unit is not None
    assert bad.unit.log
    assert any("status=7" in line.message for line in bad.unit.log)
    assert "exit-code 7" in bad.text


def test_without_inventory_the_role_is_detected_and_the_sign_is_told(lab: Lab) -> None:
    for dress, bundles, sign in (
        ("toolkit-deb", ("toolkit",), "/var/lib/perfsonar/bundles/bundle_type"),
        ("testpoint", ("testpoint",), "/var/lib/perfsonar/bundles/bundle_type"),
        ("archive", ("archive",), "units opensearch.service, logstash.service"),
        ("panda", ("panda-server",), "units panda.service, panda_httpd.service"),
        ("parastation", ("parastation-node",), "units psid.service, psidstarter.socket"),
    ):
        host = lab.wearing(dress)
        told = inventory.Host(name=host.name, address=host.address)
        request = verify.Request(catalogue=Catalogue.load([]))
        options = Options(ssh_config=str(lab.ssh_config))
        (outcome,) = verify.report([told], request, options).outcomes
        assert outcome.value is not None, outcome.error
        assert (outcome.value.bundles, outcome.value.chosen_by) == (bundles, sign)


def test_an_unreachable_host_is_unknown_and_never_ok(lab: Lab) -> None:
    found = inventory.load(lab.inventory)
    host = lab.host(17)
    request = verify.Request(catalogue=Catalogue.load([]))
    options = Options(ssh_config=str(found.ssh_config), connect_timeout=3.0)
    with lab.blackhole(host):
        report = verify.report(found.select([host.name, "lab018"]), request, options)
    assert [report.verdict_of(outcome) for outcome in report.outcomes] == [
        Verdict.UNKNOWN,
        Verdict.OK,
    ]
    assert report.verdict is Verdict.UNKNOWN
    assert report.exit == 1


@pytest.mark.parametrize("hosts", [1, 20])
def test_a_host_is_read_over_one_connection_in_two_round_trips(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, hosts: int
) -> None:
    found = inventory.load(lab.inventory)
    connected: list[str] = []
    trips: dict[str, int] = {}
    connect = transport.connect

    def counting(host: Any, options: Options) -> Any:
        connected.append(host.name)
        connection = connect(host, options)
        opened = connection.open_bus

        def open_bus() -> Any:
            channel = opened()
            send = channel.send

            def counted(data: bytes, deadline: Deadline) -> None:
                trips[host.name] = trips.get(host.name, 0) + 1
                send(data, deadline)

            monkeypatch.setattr(channel, "send", counted, raising=False)
            return channel

        monkeypatch.setattr(connection, "open_bus", open_bus, raising=False)
        return connection

    monkeypatch.setattr(verify, "connect", counting)
    request = verify.Request(catalogue=Catalogue.load([]), bundles=("toolkit",))
    options = Options(ssh_config=str(found.ssh_config))
    report = verify.report(found.hosts[:hosts], request, options)
    assert all(outcome.value is not None for outcome in report.outcomes)
    assert all(len(outcome.value.findings) >= 22 for outcome in report.outcomes if outcome.value)
    assert sorted(connected) == sorted(host.name for host in found.hosts[:hosts])
    assert set(trips.values()) <= {1, 2}


_CHECKS = """
[bundles.proof]
title = "Answers beside units"
daemons = ["proof"]
[daemons.proof]
purpose = "stands in"
units = ["dbus.service"]
enabled = "any"
checks = ["port", "page", "certificate"]
[checks.port]
kind = "tcp"
purpose = "it can be reached"
port = {port}
[checks.page]
kind = "http"
purpose = "it answers"
url = "http://localhost:{port}{path}"
[checks.certificate]
kind = "http"
purpose = "its certificate is good"
url = "https://localhost:{tls}/pscheduler/api"
verify_tls = false
tls_days = 10
"""


@pytest.mark.parametrize(
    ("case", "found"),
    [
        ("fine", {}),
        ("port-closed", {"port": "refused", "page": "refused"}),
        ("http-500", {"page": "server-error"}),
        ("certificate-expired", {"certificate/tls": "tls-expired"}),
        ("certificate-ends-soon", {"certificate/tls": "tls-ends-soon"}),
    ],
)
def test_what_units_do_not_show_is_found_by_checks(
    lab: Lab, tmp_path: Path, case: str, found: dict[str, str]
) -> None:
    days = {"certificate-expired": -1, "certificate-ends-soon": 5}.get(case, 100)
    with serve() as plain, serve(Authority(tmp_path).context(end=days)) as tls:
        port = free_port() if case == "port-closed" else plain.port
        path = "/500" if case == "http-500" else "/pscheduler/api"
        catalogue = tmp_path / "proof.toml"
        text = _CHECKS.replace("{port}", str(port)).replace("{tls}", str(tls.port))
        catalogue.write_text(text.replace("{path}", path))
        request = verify.Request(
            catalogue=Catalogue.load([catalogue]), bundles=("proof",), checks=("all",)
        )
        hosts = inventory.load(lab.inventory)
        options = Options(ssh_config=str(hosts.ssh_config))
        (outcome,) = verify.report(hosts.select(["lab005"]), request, options).outcomes
    assert outcome.value is not None, outcome.error
    bad = {one.name: one.code for one in outcome.value.findings if one.verdict is not Verdict.OK}
    assert bad == found


_SIGNS = """
[daemons.ssh]
purpose = "lets people in"
units = ["ssh.service"]
[bundles.by-package]
title = "Told by a package"
daemons = ["ssh"]
detect = [{ packages = ["openssh-server"] }]
version = [{ package = "openssh-server" }]
priority = 900
[bundles.by-program]
title = "Told by a program"
daemons = ["ssh"]
version = [{ argv = ["systemctl", "--version"], match = '^systemd ([0-9]+)' }]
"""


@pytest.mark.parametrize(
    ("named", "bundles", "chosen_by", "version"),
    [
        ((), "by-package", "package openssh-server", "9.2"),
        (("by-program",), "by-program", "named", "252"),
    ],
)
def test_role_and_version_are_told_by_packages_and_programs(
    lab: Lab, tmp_path: Path, named: tuple[str, ...], bundles: str, chosen_by: str, version: str
) -> None:
    path = tmp_path / "signs.toml"
    path.write_text(_SIGNS)
    host = lab.wearing("panda")
    request = verify.Request(catalogue=Catalogue.load([path]), bundles=named)
    options = Options(ssh_config=str(lab.ssh_config))
    told = inventory.Host(name=host.name, address=host.address)
    (outcome,) = verify.report([told], request, options).outcomes
    assert outcome.value is not None, outcome.error
    assert bundles in outcome.value.bundles
    assert (outcome.value.chosen_by, outcome.value.version) == (chosen_by, version)


def test_limits_in_a_directory_that_systemd_does_not_read_are_found(lab: Lab) -> None:
    host = lab.wearing("toolkit-deb")
    hosts = inventory.load(lab.inventory)
    request = verify.Request(catalogue=Catalogue.load([]), checks=("apache-limits",))
    options = Options(ssh_config=str(hosts.ssh_config))
    codes = []
    for command in ("mkdir -p", "rmdir"):
        lab.shell(host, ["sh", "-ec", f"{command} /etc/systemd/system/apache2.d"], check=True)
        (outcome,) = verify.report(hosts.select([host.name]), request, options).outcomes
        assert outcome.value is not None, outcome.error
        checks = [one for one in outcome.value.findings if one.kind == "check"]
        codes += [(one.name, one.verdict, one.code) for one in checks]
    assert codes == [
        ("apache-limits", Verdict.WARNING, "present"),
        ("apache-limits", Verdict.OK, "ok"),
    ]


def test_a_host_without_systemd_says_so_and_not_that_all_is_down(
    lab: Lab, tmp_path: Path, bare_host: Host
) -> None:
    target = f"{bare_host.address}:{bare_host.port}"
    words = ("testpoint", "-F", str(lab.ssh_config), "-H", target, "--json")
    run = psops("bundle", "verify", *words, home=tmp_path)
    (error,) = run.document["errors"]
    assert (run.exit, error["code"], run.document["verdict"]) == (69, "not-systemd", "unknown")
