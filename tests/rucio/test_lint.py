"""`psops unit lint` and `unit write` on files: each fault at its line, with what mends it."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from psops.rucio.expect import rules
from psops.rucio.lint import Metrics, lint
from psops.rucio.policy import Settings, drop_ins, load_policy, numbered, parse_metrics
from psops.rucio.timespan import parse_timespan
from tests.command import Run, psops

GOOD = """\
[Unit]
Description=Rucio reaper
StartLimitIntervalSec=0
[Service]
Type=exec
ExecStart=/usr/bin/python3 -u /opt/rucio/bin/rucio-reaper \\
  --threads 2
# Not on-failure.
Restart=always
RestartSec=10
TimeoutStopSec=2min
[Install]
WantedBy=multi-user.target
"""


def lint_text(tmp_path: Path, text: str, name: str = "rucio-daemon@reaper.service") -> Run:
    path = tmp_path / name
    path.write_text(text)
    return psops("unit", "lint", str(path), "--json", home=tmp_path)


def told(run: Run) -> dict[str, tuple[str, str]]:
    """Return code -> verdict and text."""
    (host,) = run.document["hosts"]
    return {one["code"]: (one["verdict"], one["text"]) for one in host["findings"]}


def test_a_sound_unit(tmp_path: Path) -> None:
    run = lint_text(tmp_path, GOOD)
    assert run.exit == 0, run.stderr
    assert set(told(run)) == {"sound"}


@pytest.mark.parametrize(
    ("old", "new", "line", "code", "verdict", "words"),
    [
        ("Restart=always", "Restart=on-failure", 9, "restart", "critical", "never started again"),
        ("Restart=always\n", "", None, "restart", "critical", "Restart=no"),
        ("RestartSec=10\n", "", None, "restart-sec", "warning", "RestartSec=0.1 s"),
        ("RestartSec=10", "RestartSec=5min", 10, "restart-sec", "warning", "longer than need be"),
        ("StartLimitIntervalSec=0", "StartLimitIntervalSec=10min", 3, "start-limit", "critical",
         "gives it up"),
        ("2min", "20", 11, "timeout-stop", "warning", "in the middle of its work"),
        ("Type=exec", "Type=notify", 5, "type", "critical", "never up"),
        ("Type=exec", "Type=forking", 5, "type", "critical", "stay in the foreground"),
        ("Type=exec", "Type=exec\nWatchdogSec=30", 6, "watchdog", "critical", "is killed"),
        ("Type=exec", "Type=exec\nKillMode=process", 6, "kill-mode", "critical", "leave processes"),
        ("-u ", "", None, "buffered", "warning", "late into the journal"),
        ("RestartSec=10", "RestartSec=10\nStartLimitIntervalSec=0", 11, "ignored", "warning",
         "in [Service], where systemd ignores it"),
        ("Description=Rucio reaper", "KillMode=process", 2, "ignored", "warning", "in [Unit]"),
    ],
)  # fmt: skip
def test_a_fault_is_told_with_its_line(
    tmp_path: Path, old: str, new: str, line: int | None, code: str, verdict: str, words: str
) -> None:
    run = lint_text(tmp_path, GOOD.replace(old, new))
    found = told(run)
    assert set(found) == {code}
    assert found[code][0] == verdict
    assert words in found[code][1]
    path = tmp_path / "rucio-daemon@reaper.service"
    assert found[code][1].startswith(f"{path}:{line}: " if line else f"{path}: ")
    assert run.exit == (1 if verdict == "critical" else 0)
    (finding,) = run.document["hosts"][0]["findings"]
    assert finding["advice"][0]["text"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Type=exec", "Type=oneshot"),
        ("--threads 2", "--run-once"),
        ("Restart=always", "Restart=always\nKillMode=mixed"),
    ],
)
def test_what_runs_once_need_not_be_started_again(tmp_path: Path, old: str, new: str) -> None:
    text = GOOD.replace(old, new)
    if "KillMode" not in new:
        text = text.replace("Restart=always\n", "").replace("StartLimitIntervalSec=0\n", "")
    assert set(told(lint_text(tmp_path, text))) == {"sound"}


def test_podman_notifies_systemd_for_what_it_runs(tmp_path: Path) -> None:
    text = GOOD.replace("/usr/bin/python3 -u", "/usr/bin/podman run --env PYTHONUNBUFFERED=1")
    text = text.replace("Type=exec", "Type=notify\nEnvironment=PYTHONUNBUFFERED=1")
    assert set(told(lint_text(tmp_path, text))) == {"sound"}


def test_a_long_pause_meets_no_limit(tmp_path: Path) -> None:
    text = GOOD.replace("StartLimitIntervalSec=0\n", "")  # 5 starts in 10 s, and a pause of 10 s
    assert set(told(lint_text(tmp_path, text))) == {"sound"}


@pytest.mark.parametrize(("daemon", "code"), [("conveyor-stager", "timeout-stop"),
                                              ("follower", "timeout-stop"),
                                              ("reaper", "sound")])  # fmt: skip
def test_daemons_that_heed_no_signal_are_not_waited_for(
    tmp_path: Path, daemon: str, code: str
) -> None:
    text = GOOD.replace("rucio-reaper", f"rucio-{daemon}")
    assert set(told(lint_text(tmp_path, text, f"rucio-daemon@{daemon}.service"))) == {code}
    assert set(told(lint_text(tmp_path, text, f"rucio-{daemon}@2.service"))) == {code}


def test_drop_ins_count_in_the_order_of_systemd(tmp_path: Path) -> None:
    places = {
        "rucio-.service.d/10-a.conf": "[Service]\nRestart=no\n",
        "rucio-.service.d/20-b.conf": "[Service]\nRestartSec=1\n",
        "rucio-daemon@.service.d/20-b.conf": "[Service]\nRestartSec=20\n",
        "rucio-daemon@reaper.service.d/05-c.conf": "[Service]\nRestart=on-abort\n",
        "service.d/90-d.conf": "[Service]\nKillMode=process\n",
        "rucio-other.service.d/99-e.conf": "[Service]\nType=dbus\n",
    }
    for name, text in places.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    unit = tmp_path / "rucio-daemon@reaper.service"
    assert [str(file.relative_to(tmp_path)) for file in drop_ins(unit)] == [
        "rucio-daemon@reaper.service.d/05-c.conf", "rucio-.service.d/10-a.conf",
        "rucio-daemon@.service.d/20-b.conf", "service.d/90-d.conf",
    ]  # fmt: skip
    found = told(lint_text(tmp_path, GOOD))
    assert set(found) == {"restart", "kill-mode"}
    assert found["restart"][1].startswith(f"{tmp_path}/rucio-.service.d/10-a.conf:2: Restart=no")
    policy = load_policy(unit, rules())
    assert (policy.restart_sec, policy.kind) == (20.0, "exec")


def test_an_empty_value_is_none_but_for_lists() -> None:
    settings = Settings()
    settings.merge(numbered("[Service]\nRestart=always\nEnvironment=A=1\nExecStart=/bin/a\n"), "f")
    settings.merge(numbered("[Service]\nRestart=\nEnvironment=\nExecStart=\nExecStart=/b\n"), "g")
    assert settings.values == {"Restart": ["always"], "ExecStart": ["/b"]}
    assert settings.places["Restart"] == "f:2"


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("nginx.service", "[Service]\nExecStart=/usr/sbin/nginx\n", "runs no daemon of Rucio"),
        ("rucio-daemons.target", "[Unit]\n", "ends with .service"),
        ("rucio-reaper.service", GOOD.replace("2min", "soon"), "'soon' is no time span"),
    ],
)
def test_what_cannot_be_judged_is_unknown(tmp_path: Path, name: str, text: str, words: str) -> None:
    (tmp_path / name).write_text(text)
    run = psops("unit", "lint", str(tmp_path / name), "--json", home=tmp_path)
    assert run.exit == 69
    assert words in run.error(str(tmp_path / name))["message"]
    both = psops("unit", "lint", str(tmp_path / name), "absent.service", home=tmp_path)
    assert "not read" in both.stdout
    assert both.exit == 69
    run = psops("unit", "lint", str(tmp_path / "absent.service"), "--json", home=tmp_path)
    assert "no such file" in run.error(str(tmp_path / "absent.service"))["message"]


def test_what_is_written_is_sound_and_written_once(tmp_path: Path) -> None:
    words = ("unit", "write", "rucio", "reaper=3", "conveyor-stager", "hermes", "-o", str(tmp_path))
    first = psops(*words, home=tmp_path)
    assert first.exit == 0, first.stderr
    units = sorted((tmp_path / "etc/systemd/system").glob("*.service"))
    assert [unit.name for unit in units] == ["rucio-daemon@.service", "rucio-reaper@.service"]
    assert "rucio-reaper@1.service rucio-reaper@2.service rucio-reaper@3.service" in first.stdout
    for written in (first, psops("unit", "write", "rucio", home=tmp_path)):
        assert "holds for every rucio-*.service" in written.stdout
        assert "enable --now rucio-daemons.target rucio-" in written.stdout
        assert "without the target nothing starts them" in written.stdout
    found = psops("unit", "lint", *map(str, units), home=tmp_path)
    assert found.exit == 0, found.stdout
    options = tmp_path / "etc/rucio/daemons/hermes.env"
    options.write_text("RUCIO_DAEMON_ARGS=--threads 4\n")
    again = psops(*words, home=tmp_path)
    assert again.exit == 0
    assert all(line.startswith(("as before", "next", "note")) for line in again.stdout.splitlines())
    assert "--threads 4" in options.read_text()

    units[0].write_text("[Service]\n")
    refused = psops(*words, home=tmp_path)
    assert (refused.exit, refused.stdout) == (78, "")
    assert "--force" in refused.stderr
    assert psops(*words, "--force", home=tmp_path).exit == 0
    assert "Restart=always" in (
        tmp_path / "etc/systemd/system/rucio-.service.d/10-policy.conf").read_text()  # fmt: skip
    assert options.read_text() == "RUCIO_DAEMON_ARGS=--threads 4\n"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["rucio", "repaer"], "did you mean 'reaper'"),
        (["rucio", "oauth-manager"], "went in 40.0.0"),
        (["rucio", "reaper=0"], "no number from 1 to 64"),
        (["rucio", "reaper=²"], "no number"),
        (["rucio", "conveyor-throttler=2"], "must run once"),
        (["rucoi"], "no units are known for 'rucoi'"),
        (["rucio", "--home", "relative"], "no absolute path"),
        (["rucio", "--bin", "/a\nExecStartPre=/bin/sh"], "no absolute path"),
        (["rucio", "--user", "a b"], "no name of a user"),
    ],
)
def test_wrong_use(tmp_path: Path, words: list[str], told: str) -> None:
    run = psops("unit", "write", *words, home=tmp_path)
    assert run.exit == 2
    assert told in run.stderr
    assert run.stdout == ""


def test_files_and_hosts_exclude_each_other(tmp_path: Path) -> None:
    run = psops("unit", "lint", "x.service", "-H", "vm", home=tmp_path)
    assert (run.exit, "not both" in run.stderr) == (2, True)


@pytest.mark.parametrize("form", ["json", "jsonl", "junit", "tap", "nagios", "prometheus",
                                  "markdown", "html", "checkmk"])  # fmt: skip
def test_reports_are_those_of_verify(tmp_path: Path, form: str) -> None:
    path = tmp_path / "rucio-reaper.service"
    path.write_text(GOOD.replace("Restart=always", "Restart=no"))
    run = psops("unit", "lint", str(path), "--format", form, home=tmp_path)
    assert run.exit in (0, 1, 2), run.stderr
    assert "Restart=no" in run.stdout or form == "prometheus"
    if form == "json":
        assert json.loads(run.stdout)["command"] == "unit lint"


def test_metrics_of_two_units_on_one_port(tmp_path: Path) -> None:
    policies = []
    for name in ("reaper", "hermes"):
        path = tmp_path / f"rucio-daemon@{name}.service"
        path.write_text(GOOD)
        policies.append(load_policy(path, rules()))
    config = policies[0].config
    clash = lint(policies, {config: Metrics(enabled=True, port=8080)})
    assert [one.code for one in clash] == ["sound", "sound", "metrics-port"]
    off = lint(policies, {config: Metrics(enabled=False, port=8080)})
    assert [one.code for one in off] == ["sound", "sound"]


@pytest.mark.parametrize(
    ("text", "enabled", "port"),
    [
        ("", False, 8080),
        ("[monitor]\nenable_metrics = True\n", True, 8080),
        ("[monitor]\nenable_metrics: yes\nmetrics_port: 9100\n", True, 9100),
        ("[other]\nenable_metrics = True\n", False, 8080),
        ("[monitor]\nmetrics_port = x\n", False, 8080),
    ],
)
def test_metrics(text: str, enabled: bool, port: int) -> None:
    assert parse_metrics(text.splitlines()) == Metrics(enabled=enabled, port=port)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("10", 10), ("1min 30s", 90), ("1min30s", 90), ("100ms", 0.1), ("0", 0), ("2h", 7200),
     ("infinity", None), ("1.5m", 90), ("5 s", 5), ("1d", 86400)],
)  # fmt: skip
def test_timespans(text: str, seconds: float | None) -> None:
    assert parse_timespan(text) == seconds


@given(st.text())
def test_no_timespan_is_a_surprise(text: str) -> None:
    try:
        found = parse_timespan(text)
    except ValueError:
        return
    assert found is None or found >= 0


@given(st.text(alphabet=st.sampled_from("[]Servic=\\\n#; Restart=alwys\t\x00é")))
def test_no_unit_file_is_a_surprise(text: str) -> None:
    lines = numbered(text)
    assert [number for number, _ in lines] == sorted({number for number, _ in lines})
    Settings().merge(lines, "f")


def test_all_that_is_written_passes(tmp_path: Path) -> None:
    words = ("reaper", "hermes=2", "conveyor-stager", "follower")
    root = tmp_path / "root"
    assert psops("unit", "write", "rucio", *words, "-o", str(root), home=tmp_path).exit == 0
    files = sorted(str(path) for path in root.rglob("*") if path.is_file())
    assert {Path(name).suffix for name in files} == {".service", ".target", ".conf", ".env"}
    run = psops("unit", "lint", *files, "--fail-on", "warning", "--json", home=tmp_path)
    assert run.exit == 0
    linted = [host["host"] for host in run.document["hosts"]]
    assert linted == [name for name in files if name.endswith(".service")]
    assert all(name in run.stderr for name in files if name not in linted)


def test_what_goes_along_with_no_unit_is_no_unit(tmp_path: Path) -> None:
    (tmp_path / "a.target").touch()
    for name in ("a.target", "missing.target", "a.servce"):
        run = psops("unit", "lint", str(tmp_path / name), home=tmp_path)
        assert (run.exit, "a unit file ends with .service" in run.stdout) == (69, True)
