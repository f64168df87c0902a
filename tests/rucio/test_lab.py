"""`psops rucio verify` on Rucio's own daemons under a real systemd: each fault has its name."""

import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.command import Run, psops
from tests.lab import Lab
from tests.rucio.real import VENV, WHERE, RucioHost

pytestmark = pytest.mark.lab

_DAEMONS = ("judge-cleaner", "judge-injector", "abacus-account", "undertaker")
_OPTIONS = {
    "judge-cleaner": "--sleep-time 3 --threads 2",
    "judge-injector": "--sleep-time 3",
    "abacus-account": "--sleep-time 3",
    "undertaker": "--sleep-time 3 --total-workers 3",
}
_ROWS = {"judge-cleaner": 2, "judge-injector": 1, "abacus-account": 1, "undertaker": 3}


class Bench:
    """A host with Rucio, and psops looking at it."""

    def __init__(self, lab: Lab, rucio: RucioHost, home: Path) -> None:
        self.lab = lab
        self.rucio = rucio
        self.home = home
        self.url = home / "url"
        self.url.write_text(f"sqlite:///{rucio.database}\n")
        self.url.chmod(0o600)

    def run(self, *words: str) -> Run:
        name = self.rucio.host.name
        return psops(*words, "-i", str(self.lab.inventory), "-H", name, home=self.home)

    def verify(self, *words: str) -> Run:
        return self.run("rucio", "verify", "--db-url", f"file:{self.url}", "--json", *words)

    def findings(self) -> dict[str, tuple[str, str]]:
        """Return name -> verdict and code of what is not ok on the host."""
        document = self.verify().document
        host = next(one for one in document["hosts"] if one["host"] == self.rucio.host.name)
        return {
            one["name"]: (one["verdict"], one["code"])
            for one in host["findings"] if one["verdict"] != "ok"
        }  # fmt: skip


@pytest.fixture(scope="module")
def bench(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """Give a host, dressed as none of Rucio's, on which the units that psops writes run Rucio."""
    home = tmp_path_factory.mktemp("home")
    host = next(one for one in reversed(lab.hosts) if one.dress != "rucio")
    rucio = RucioHost(host, tmp_path_factory.mktemp("database"))
    try:
        rucio.put()
        written = psops("unit", "write", "rucio", *_DAEMONS, "--output", str(rucio.root), "--user",
                        "root", "--bin", str(VENV / "bin"), home=home)  # fmt: skip
        assert written.exit == 0, written.stderr
        for name, options in _OPTIONS.items():
            path = rucio.root / f"etc/rucio/daemons/{name}.env"
            path.write_text(f"RUCIO_DAEMON_ARGS={options}\n")
        units = " ".join(f"rucio-daemon@{name}" for name in _DAEMONS)
        checked = rucio.shell(f"systemctl daemon-reload; systemd-analyze verify {_all(units)} 2>&1")
        assert "rucio" not in checked, checked
        rucio.shell(f"systemctl enable --now rucio-daemons.target {units} 2>&1")
        rucio.wait(_ROWS)
        yield Bench(lab, rucio, home)
    finally:
        rucio.clear()


def _all(units: str) -> str:
    # Files are named, as systemd-analyze passes over instances that were not loaded before.
    return " ".join(f"/etc/systemd/system/{unit}.service" for unit in units.split())


def _drop_in(unit: str, text: str) -> str:
    path = f"/run/systemd/system/{unit}.service.d"
    return f"mkdir -p {path}; printf '[Service]\\n{text}\\n' > {path}/99.conf; "


def test_faults_of_real_daemons_are_found_by_name(bench: Bench) -> None:
    rucio = bench.rucio
    healthy = bench.verify()
    assert healthy.exit == 0, healthy.stdout
    host: dict[str, Any] = healthy.document["hosts"][0]
    assert {one["name"]: one["code"] for one in host["findings"]} == dict.fromkeys(
        _DAEMONS, "working"
    )
    assert host["version"] == "41.5.1"
    sound = bench.run("unit", "lint", "--json")
    assert sound.exit == 0, sound.stdout

    # Killed and not restarted, one by hand beside its unit, and one that is stopped still.
    by_hand = f"RUCIO_HOME=/opt/rucio {VENV}/bin/rucio-abacus-account --sleep-time 3"
    rucio.shell(
        _drop_in("rucio-daemon@judge-injector", "Restart=no")
        + _drop_in("rucio-daemon@abacus-account", "Restart=on-failure")
        + "systemctl daemon-reload; systemctl kill -s KILL rucio-daemon@judge-injector; "
        + "systemctl kill -s STOP rucio-daemon@undertaker; "
        + f"systemd-run --quiet --unit=by-hand env {by_hand}"
    )
    stopped = time.monotonic()
    rucio.wait({"abacus-account": 2})
    orphan = rucio.pid("by-hand")
    found = bench.findings()
    assert found == {
        "judge-injector": ("critical", "failed"),
        f"abacus-account pid {orphan}": ("warning", "orphan"),
    }
    rucio.shell("systemctl kill -s KILL by-hand")

    # The database is away for a while: what can be said meanwhile, and what is so afterwards.
    with rucio.locked():
        time.sleep(1)
        away = bench.verify("--timeout", "4")
        assert away.exit == 1
        assert "locked" in away.error("heartbeats")["message"]
        _wait_until_down(rucio, "rucio-daemon@abacus-account")
    rucio.wait({"judge-cleaner": 2})

    time.sleep(max(0.0, 38 - (time.monotonic() - stopped)))
    found = bench.findings()
    assert found["undertaker"] == ("critical", "stale")
    assert found["judge-injector"] == ("critical", "failed")
    assert found["abacus-account"] == ("critical", "down")

    listed = bench.run("rucio", "heartbeats", "--db-url", f"file:{bench.url}", "--json").document
    unit = "rucio-daemon@undertaker.service"
    rows = [row for row in listed["heartbeats"] if row["name"] == "undertaker"]
    assert {(row["unit"], row["code"]) for row in rows} == {(unit, "stale")}
    assert all(row["age_s"] > 30 for row in rows)


def _wait_until_down(rucio: RucioHost, unit: str) -> None:
    until = time.monotonic() + 40
    while time.monotonic() < until:
        if rucio.shell(f"systemctl show -P ActiveState {unit}").strip() == "inactive":
            return
        time.sleep(0.5)
    raise AssertionError(f"{unit} outlived its database")


def test_all_daemons_that_refuse_to_start_have_one_cause(bench: Bench) -> None:
    rucio = bench.rucio
    rucio.shell("systemctl kill -s KILL 'rucio-daemon@*'; "
                "rm -rf /run/systemd/system/rucio-daemon@*; systemctl daemon-reload")  # fmt: skip
    with sqlite3.connect(rucio.database, timeout=20) as connection:
        connection.execute("UPDATE alembic_version SET version_num = 'other'")
    rucio.shell("systemctl restart 'rucio-daemon@judge-cleaner' 'rucio-daemon@judge-injector' "
                "rucio-daemon@abacus-account rucio-daemon@undertaker")  # fmt: skip
    until = time.monotonic() + 20
    found: dict[str, tuple[str, str]] = {}
    while time.monotonic() < until and "startup" not in found:
        time.sleep(1)
        found = bench.findings()
    assert found.pop("startup") == ("critical", "all-fail-at-start")
    assert set(found.values()) == {("critical", "restarting")}
    text = bench.run("rucio", "verify", "--db-url", f"file:{bench.url}").stdout
    assert "because of startup" in text


def _revert(rucio: RucioHost) -> None:
    with sqlite3.connect(rucio.database, timeout=20) as connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", (_revision(),))
        connection.execute("DELETE FROM heartbeats")


def _revision() -> str:
    with sqlite3.connect(WHERE / "rucio.db") as connection:
        (found,) = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return str(found)


_SUPERVISED = """
[supervisord]
nodaemon=true
logfile=/tmp/supervisord.log
pidfile=/run/supervisord.pid
[unix_http_server]
file=/run/supervisor.sock
[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
[program:judge-repairer]
command={bin}/rucio-judge-repairer --sleep-time 3
environment=RUCIO_HOME="/opt/rucio"
numprocs=2
process_name=%(program_name)s_%(process_num)02d
[program:hermes]
command={bin}/rucio-hermes --sleep-time 3
environment=RUCIO_HOME="/opt/rucio"
autorestart=unexpected
startsecs=0
"""


def test_supervisord_and_the_children_that_it_forgets(bench: Bench) -> None:
    rucio = bench.rucio
    (rucio.root / "opt/rucio/supervisord.conf").write_text(_SUPERVISED.format(bin=f"{VENV}/bin"))
    (rucio.root / "run/systemd/system/supervisor.service").write_text(
        f"[Service]\nExecStart={VENV}/bin/supervisord -n -c /opt/rucio/supervisord.conf\n"
        "KillMode=process\nRestart=on-failure\nRestartSec=1\n"  # as Debian has it, but for 50 s
    )
    rucio.shell("systemctl disable --now 'rucio-daemon@judge-cleaner' "
                "rucio-daemon@judge-injector rucio-daemon@abacus-account "
                "rucio-daemon@undertaker 2>/dev/null")  # fmt: skip
    _revert(rucio)
    rucio.shell("systemctl daemon-reload; systemctl start supervisor")
    rucio.wait({"judge-repairer": 2})
    until = time.monotonic() + 20
    while time.monotonic() < until and "hermes" not in (found := bench.findings()):
        time.sleep(0.5)
    document = bench.verify().document
    host = next(one for one in document["hosts"] if one["host"] == rucio.host.name)
    codes = {one["name"]: one["code"] for one in host["findings"]}
    assert codes["judge-repairer_00"] == codes["judge-repairer_01"] == "working"
    assert found["hermes"] == ("critical", "down")  # it has no services, and exits with code 0

    old = {pid for name, pid in rucio.heartbeats() if name == "judge-repairer"}
    rucio.shell("systemctl kill -s KILL --kill-who=main supervisor")
    rucio.wait({"judge-repairer": 4})
    found = bench.findings()
    assert {name for name, (_, code) in found.items() if code == "orphan"} == {
        f"judge-repairer pid {pid}" for pid in old
    }
