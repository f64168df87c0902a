"""`psops rucio verify` on Rucio's own daemons under a real systemd and a real supervisord.

Two hosts, each with a catalogue of its own. What is done to the first one takes a while to be
seen, so that the second one is looked at meanwhile: the order of the tests counts.
"""

import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.command import Run, psops
from tests.lab import Host, Lab
from tests.rucio.real import VENV, WHERE, RucioHost
from tests.rucio.server import rest_server

pytestmark = pytest.mark.lab

#: Units of the first host: daemon -> options and heartbeats.
_UNITS = {
    "judge-cleaner": ("--sleep-time 3 --threads 2", 2),
    "judge-injector": ("--sleep-time 3", 1),
    "judge-evaluator": ("--sleep-time 3 --threads 3", 3),
    "abacus-account": ("--sleep-time 3", 1),
    "undertaker": ("--sleep-time 3 --total-workers 3", 3),
    "conveyor-throttler": ("--sleep-time 3", 1),
}
#: And the one that is stopped as soon as it is started, before it can have a heartbeat.
_MUTE = "abacus-rse"
_OTHER_UNITS = {name: _UNITS[name] for name in ("judge-cleaner", "judge-injector",
                                                "abacus-account")}  # fmt: skip
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
[program:cleaning]
command=/bin/sh -c '{bin}/rucio-necromancer --sleep-time 3; true'
environment=RUCIO_HOME="/opt/rucio"
[program:hermes]
command={bin}/rucio-hermes --sleep-time 3
environment=RUCIO_HOME="/opt/rucio"
autorestart=unexpected
startsecs=0
[program:minos]
command=/bin/false
environment=RUCIO_HOME="/opt/rucio"
autostart=false
"""
_SUPERVISED_ROWS = {"judge-repairer": 2, "necromancer": 1}


class Bench:
    """A host with Rucio, and psops looking at it."""

    def __init__(self, lab: Lab, host: Host, home: Path, database: Path) -> None:
        self.lab = lab
        self.home = home
        self.rucio = RucioHost(host, database)
        self.url = home / "url"
        self.url.write_text(f"sqlite:///{self.rucio.database}\n")
        self.url.chmod(0o600)

    def put(self, units: dict[str, tuple[str, int]], mute: str = "", patience: int = 5) -> None:
        """Put Rucio there and start its daemons by the units that psops writes."""
        rucio = self.rucio
        rucio.put(patience)
        names = [*units, mute] if mute else [*units]
        written = psops("unit", "write", "rucio", *names, "--output", str(rucio.root), "--user",
                        "root", "--bin", str(VENV / "bin"), home=self.home)  # fmt: skip
        assert written.exit == 0, written.stderr
        for name, (options, _) in units.items():
            path = rucio.root / f"etc/rucio/daemons/{name}.env"
            path.write_text(f"RUCIO_DAEMON_ARGS={options}\n")
        script = _drop_in(mute, "ExecStartPost=/bin/kill -STOP $MAINPID") if mute else ""
        enabled = " ".join(f"rucio-daemon@{name}" for name in names)
        # Files are named, as systemd-analyze passes over instances that were not loaded before.
        files = " ".join(f"/etc/systemd/system/rucio-daemon@{name}.service" for name in names)
        checked = rucio.shell(
            f"{script} systemctl daemon-reload; systemd-analyze verify {files} 2>&1"
        )
        assert "rucio" not in checked, checked
        rucio.shell(f"systemctl enable --now rucio-daemons.target {enabled} 2>&1")

    def psops(self, *words: str) -> Run:
        name = self.rucio.host.name
        return psops(*words, "-i", str(self.lab.inventory), "-H", name, home=self.home)

    def verify(self, *words: str) -> Run:
        return self.psops("rucio", "verify", "--db-url", f"file:{self.url}", "--json", *words)

    def told(self) -> dict[str, dict[str, Any]]:
        """Return name -> finding, those on all heartbeats among them."""
        hosts = self.verify().document["hosts"]
        return {one["name"]: one for host in hosts for one in host["findings"]}

    def findings(self) -> dict[str, tuple[str, str]]:
        """Return name -> verdict and code of what is not ok."""
        return {
            name: (one["verdict"], one["code"])
            for name, one in self.told().items() if one["verdict"] != "ok"
        }  # fmt: skip

    def until(self, fits: Callable[[dict[str, tuple[str, str]]], bool]) -> dict[str, Any]:
        """Return the findings once they fit, or the last ones."""
        end = time.monotonic() + 40
        while not fits(found := self.findings()) and time.monotonic() < end:
            time.sleep(0.5)
        return found


class Staged(NamedTuple):
    """When it was done, and the children of the supervisord that was killed."""

    at: float
    forgotten: set[int]


def _drop_in(daemon: str, *lines: str) -> str:
    path = f"/run/systemd/system/rucio-daemon@{daemon}.service.d"
    text = "\\n".join(("[Service]", *lines, ""))
    return f"mkdir -p {path}; printf '{text}' > {path}/99.conf; "


@pytest.fixture(scope="module")
def benches(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Bench, Bench]]:
    """Give two hosts, dressed as none of Rucio's."""
    hosts = [host for host in reversed(lab.hosts) if host.dress != "rucio"][:2]
    first, second = (
        Bench(lab, host, tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("database"))
        for host in hosts
    )
    try:
        first.put(_UNITS, _MUTE)
        rucio = first.rucio
        (rucio.root / "opt/rucio/supervisord.conf").write_text(
            _SUPERVISED.format(bin=f"{VENV}/bin")
        )
        (rucio.root / "run/systemd/system/supervisor.service").write_text(
            f"[Service]\nExecStart={VENV}/bin/supervisord -n -c /opt/rucio/supervisord.conf\n"
            "KillMode=process\nRestart=on-failure\nRestartSec=1\n"  # as Debian has it, but for 50 s
        )
        rucio.shell("systemctl daemon-reload; systemctl start supervisor")
        second.put(_OTHER_UNITS, patience=2)
        rucio.wait({name: rows for name, (_, rows) in _UNITS.items()} | _SUPERVISED_ROWS, 60)
        second.rucio.wait({name: rows for name, (_, rows) in _OTHER_UNITS.items()})
        yield first, second
    finally:
        first.rucio.clear()
        second.rucio.clear()


@pytest.fixture(scope="module")
def staged(benches: tuple[Bench, Bench]) -> "Staged":
    """Do to the first host what must be found there."""
    bench, _ = benches
    rucio = bench.rucio
    script = f"{VENV}/bin/rucio-"
    with sqlite3.connect(rucio.database, timeout=20) as connection:
        # As if the database had failed just when one of three threads wrote its heartbeat.
        connection.execute(
            "CREATE TRIGGER away BEFORE UPDATE ON heartbeats WHEN NEW.readable = 'judge-evaluator'"
            " AND NEW.thread_name LIKE 'Thread-2 %' BEGIN SELECT RAISE(FAIL, 'away'); END"
        )
    by_hand = {"one": "abacus-account", "two": "conveyor-throttler", "three": "transmogrifier"}
    # Not while it writes: it would keep the lock for as long as it is stopped.
    with rucio.locked():
        rucio.shell("systemctl kill -s STOP rucio-daemon@undertaker")
    rucio.shell(
        _drop_in("judge-injector", "Restart=no", "StartLimitIntervalSec=0")
        + _drop_in("judge-cleaner", "RestartSec=100ms")
        + "systemctl daemon-reload; systemctl kill -s KILL rucio-daemon@judge-injector; "
        + "".join(
            f"systemd-run --quiet --scope --unit=by-hand-{unit} env RUCIO_HOME=/opt/rucio"
            f" {script}{name} --sleep-time 3 </dev/null >/dev/null 2>&1 & "
            for unit, name in by_hand.items()
        )
        # A site may have given its unit any name.
        + f"systemd-run --quiet --unit=site-atropos --setenv=RUCIO_HOME=/opt/rucio {script}atropos"
        " --sleep-time 3; "
        + "for turn in 1 2 3; do systemctl kill -s KILL rucio-daemon@judge-cleaner; "
        "until [ $(systemctl show -P NRestarts rucio-daemon@judge-cleaner) = $turn ]; "
        "do sleep 0.2; done; sleep 0.3; done; "
    )
    stopped = time.monotonic()
    rucio.wait({"abacus-account": 2, "conveyor-throttler": 2, "transmogrifier": 1, "atropos": 1})
    forgotten = {pid for name, pid in rucio.heartbeats() if name == "judge-repairer"}
    rucio.shell("systemctl kill -s KILL --kill-who=main supervisor")
    return Staged(stopped, forgotten)


def test_what_works_is_told_so_by_database_and_by_server(
    benches: tuple[Bench, Bench], tmp_path: Path
) -> None:
    bench, other = benches
    healthy = other.verify()
    assert healthy.exit == 0, healthy.stdout
    host: dict[str, Any] = healthy.document["hosts"][0]
    assert {one["name"]: one["code"] for one in host["findings"]} == dict.fromkeys(
        _OTHER_UNITS, "working"
    )
    assert host["version"] == "41.5.1"
    sound = other.psops("unit", "lint", "--json")
    assert sound.exit == 0, sound.stdout

    found = {name: one["code"] for name, one in bench.told().items()}
    working = (*_UNITS, "judge-repairer_00", "judge-repairer_01", "cleaning")
    assert {name: found.get(name) for name in working} == dict.fromkeys(working, "working")
    with rest_server(tmp_path, bench.rucio.database) as rest:
        words = ("--rest", rest.url, "--token", rest.tokens["root"])
        by_rest = bench.psops("rucio", "verify", *words, "--json")
        listed = bench.psops("rucio", "heartbeats", *words)
        refused = bench.psops("rucio", "verify", "--rest", rest.url, "--token",
                              rest.tokens["expired"], "--json")  # fmt: skip
    same = {one["name"]: one["code"] for host in by_rest.document["hosts"]
            for one in host["findings"]}  # fmt: skip
    assert {name: same.get(name) for name in working} == dict.fromkeys(working, "working")
    assert listed.exit == 0
    assert listed.stdout.count("working") >= 10
    assert refused.exit == 1
    assert "the token is not valid" in refused.error("heartbeats")["message"]
    codes = {one["code"] for one in refused.document["hosts"][0]["findings"]}
    assert "unread" in codes
    assert "working" not in codes


def test_a_login_without_rights_sees_all_but_supervisord(
    benches: tuple[Bench, Bench], tmp_path: Path
) -> None:
    bench, _ = benches
    inventory = tmp_path / "inventory.toml"
    text = bench.lab.inventory.read_text()
    inventory.write_text(text.replace('user = "root"', 'user = "plain"'))
    words = ("-i", str(inventory), "-H", bench.rucio.host.name, "--db-url", f"file:{bench.url}")
    run = psops("rucio", "verify", *words, "--json", home=bench.home)
    found = {one["name"]: one for one in run.document["hosts"][0]["findings"]}
    assert {name: found[name]["code"] for name in _UNITS} == dict.fromkeys(_UNITS, "working")
    assert (found["supervisord"]["verdict"], found["supervisord"]["code"]) == ("unknown", "unread")
    # Its children are nobody's fault.
    assert not [name for name, one in found.items() if one["code"] in ("orphan", "stray")]


def test_what_supervisord_alone_tells(benches: tuple[Bench, Bench]) -> None:
    bench, _ = benches
    control = f"{VENV}/bin/supervisorctl -s unix:///run/supervisor.sock"
    bench.rucio.shell(f"{control} start minos >/dev/null 2>&1 &")
    found = bench.until(lambda found: {"hermes", "minos"} <= set(found))
    bench.rucio.shell(f"{control} stop minos")
    assert found["hermes"] == ("critical", "down")  # it has no services, and exits with code 0
    # It ends at once: seen between two of its starts, or given up.
    assert found["minos"] in (("critical", "restarting"), ("critical", "failed"))
    assert "minos" not in bench.findings()  # as it was stopped by hand


def test_what_is_seen_at_once(benches: tuple[Bench, Bench], staged: Staged) -> None:
    bench, _ = benches
    rucio = bench.rucio
    told = bench.told()
    found = {name: (one["verdict"], one["code"]) for name, one in told.items()}
    assert found["judge-injector"] == ("critical", "failed")
    assert found["abacus-account orphan"] == ("warning", "orphan")
    assert found["conveyor-throttler orphan"] == ("warning", "orphan")
    assert found["transmogrifier stray"] == ("warning", "stray")
    assert found["site-atropos"] == ("ok", "working")
    by_hand = {pid for name, pid in rucio.heartbeats() if name == "conveyor-throttler"} - {
        rucio.pid("rucio-daemon@conveyor-throttler")}  # fmt: skip
    (second,) = by_hand
    assert f"process {second} works beside rucio-daemon@conveyor-throttler.service" in (
        told["conveyor-throttler orphan"]["text"])  # fmt: skip
    assert found["conveyor-throttler"] == ("critical", "singleton")
    assert str(second) in told["conveyor-throttler"]["text"]
    assert found["judge-cleaner"][1] == "flapping"
    assert "restarted 3 times" in told["judge-cleaner"]["text"]
    assert found["left heartbeats"] == ("ok", "left")  # those of judge-injector
    assert "judge-injector pid" in told["left heartbeats"]["text"]
    lint = bench.psops("unit", "lint", "--json").document["hosts"][0]["findings"]
    faults = {one["code"]: one["text"] for one in lint if one["code"] != "sound"}
    place = "/run/systemd/system/rucio-daemon@{}.service.d/99.conf:{}: "
    assert faults["restart"].startswith(place.format("judge-injector", 2) + "Restart=no")
    assert faults["ignored"].startswith(place.format("judge-injector", 3))
    assert faults["restart-sec"].startswith(place.format("judge-cleaner", 2))


def test_a_database_that_is_away(benches: tuple[Bench, Bench], staged: Staged) -> None:
    _, bench = benches
    rucio = bench.rucio
    rucio.shell(_drop_in("abacus-account", "Restart=on-failure") + "systemctl daemon-reload")
    with rucio.locked():
        time.sleep(1)
        away = bench.verify("--timeout", "4")
        assert away.exit == 1
        assert "locked" in away.error("heartbeats")["message"]
        end = time.monotonic() + 40
        while rucio.shell("systemctl show -P ActiveState rucio-daemon@abacus-account") \
                != "inactive\n":  # fmt: skip
            assert time.monotonic() < end, "it outlived its database"
            time.sleep(0.5)
    rucio.wait({"judge-cleaner": 2, "judge-injector": 1})
    found = bench.until(lambda found: "database" in found)
    assert found["abacus-account"] == ("critical", "down")
    assert found["database"] == ("warning", "restarted-together")


def test_all_daemons_that_refuse_to_start_have_one_cause(
    benches: tuple[Bench, Bench], staged: Staged
) -> None:
    _, bench = benches
    rucio = bench.rucio
    rucio.shell("systemctl kill -s KILL 'rucio-daemon@*'; "
                "rm -rf /run/systemd/system/rucio-daemon@*; systemctl daemon-reload")  # fmt: skip
    with sqlite3.connect(rucio.database, timeout=20) as connection:
        connection.execute("UPDATE alembic_version SET version_num = 'other'")
    names = " ".join(f"rucio-daemon@{name}" for name in _OTHER_UNITS)
    rucio.shell(f"systemctl restart {names}")
    found = bench.until(lambda found: "startup" in found and set(_OTHER_UNITS) <= set(found))
    assert found.pop("startup") == ("critical", "all-fail-at-start")
    assert {found[name][0] for name in _OTHER_UNITS} == {"critical"}
    end = time.monotonic() + 20  # all of them may be seen in the midst of a start
    while "because of startup" not in (
        text := bench.psops("rucio", "verify", "--db-url", f"file:{bench.url}").stdout
    ):
        assert time.monotonic() < end, text
        time.sleep(0.5)


def test_children_that_supervisord_forgets(benches: tuple[Bench, Bench], staged: Staged) -> None:
    bench, _ = benches
    bench.rucio.wait({"judge-repairer": 4, "necromancer": 2})
    found = bench.findings()
    assert found["judge-repairer orphan"] == ("warning", "orphan")
    text = bench.told()["judge-repairer orphan"]["text"]
    assert text.startswith(f"processes {' and '.join(map(str, sorted(staged.forgotten)))} work")
    assert found["necromancer orphan"] == ("warning", "orphan")


def test_what_is_seen_only_after_a_while(benches: tuple[Bench, Bench], staged: Staged) -> None:
    bench, _ = benches
    rucio = bench.rucio
    until = staged.at + 38  # 2 × 3 s + 30 s, and some
    mute = "rucio-daemon@" + _MUTE
    up = float(rucio.shell(f"echo $(($(date +%s) - $(date +%s -d \"$(systemctl show -P "
                           f"ExecMainStartTimestamp {mute})\")))"))  # fmt: skip
    time.sleep(max(0.0, until - time.monotonic(), 61 - up))
    told = bench.told()
    found = {name: (one["verdict"], one["code"]) for name, one in told.items()}
    assert found["undertaker"] == ("critical", "stale")
    assert found["judge-evaluator"] == ("warning", "threads-lost")
    assert "2 of 3 workers still work" in told["judge-evaluator"]["text"]
    assert found[_MUTE] == ("critical", "no-heartbeat")
    assert "never began to work" in told[_MUTE]["text"]
    assert {rucio.shell(f"systemctl is-active rucio-daemon@{name}").strip()
            for name in ("undertaker", "judge-evaluator", _MUTE)} == {"active"}  # fmt: skip

    words = ("--db-url", f"file:{bench.url}", "--json")
    listed = bench.psops("rucio", "heartbeats", *words).document["heartbeats"]
    unit = "rucio-daemon@undertaker.service"
    rows = [row for row in listed if row["name"] == "undertaker"]
    assert {(row["unit"], row["code"]) for row in rows} == {(unit, "stale")}
    assert all(row["age_s"] > 30 for row in rows)


def test_the_wrong_catalogue_is_one_cause(benches: tuple[Bench, Bench], staged: Staged) -> None:
    bench, _ = benches
    url = bench.home / "empty"
    url.write_text(f"sqlite:///{WHERE / 'rucio.db'}\n")
    url.chmod(0o600)
    run = bench.psops("rucio", "verify", "--db-url", f"file:{url}", "--json")
    hosts = {host["host"]: host for host in run.document["hosts"]}
    (cause,) = hosts["heartbeats"]["findings"]
    assert (cause["verdict"], cause["code"]) == ("critical", "empty")
    found = {one["name"]: one for one in hosts[bench.rucio.host.name]["findings"]}
    assert (found[_MUTE]["code"], found[_MUTE]["because"]) == ("no-heartbeat", "heartbeats")
