"""`psops panda`: what its commands print, write and exit with."""

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from psops.__main__ import run
from psops.exits import Exit
from tests.panda.servers import ENV_FILE, never, plant_server, serve
from tests.panda.trees import CFG, GUIDE, OVERLAY, cfg, plant

#: Three traps: an attribute nobody knows, a short lock, and an integer among the arguments.
TRAPS = cfg(
    '{"copyArchive": {"period": 50, "sync": true, "timout": 10},'
    ' "add_sub": {"period": 240, "arguments": [1]}}'
)


@pytest.fixture(autouse=True)
def _place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv("PSOPS_INVENTORY", raising=False)
    monkeypatch.setattr("signal.signal", lambda number, handler: None)


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Any:
    def say(*words: object) -> tuple[int, str, str]:
        code = run(["panda", *map(str, words)])
        out, err = capsys.readouterr()
        assert "Traceback" not in err
        assert "bug" not in err
        return code, out, err

    return say


@pytest.fixture
def guide(tmp_path: Path) -> Path:
    return plant_server(tmp_path / "p01", {CFG: GUIDE}) / CFG.lstrip("/")


def written(tmp_path: Path, text: str, name: str = "x.cfg") -> Path:
    path = tmp_path / name
    path.write_text(text)
    return path


def test_show_tells_daemons_costs_and_origins(say: Any, guide: Path) -> None:
    code, out, _ = say("show", guide, "--servers", "9")
    assert code == Exit.OK
    lines = {line.split()[0]: line.split() for line in out.splitlines() if line}
    assert lines["add_sub"][:7] == ["add_sub", "active", "240", "720*", "add_sub", "360", "3240"]
    # A lock is valid for a period: one run in a period on all servers together.
    assert lines["copyArchive"][6:8] == ["4", "36"]
    assert f"{guide}:" in out
    assert "17 daemons, 9 servers:" in out
    assert "modules of the package that no daemon runs: async_request_daemon, " in out
    code, out, _ = say("show", guide, "--origins")
    assert "computed from the period" in out


def test_show_json_is_one_document(say: Any, guide: Path) -> None:
    code, out, _ = say("show", guide, "--json")
    document = json.loads(out)
    assert code == Exit.OK
    assert document["source"] == str(guide)
    assert "carbon" in document["unused_modules"]
    assert document["table"]["pilot_streaming"]["module"] == "pilotStreaming"


def test_show_of_what_does_not_start_says_where(say: Any, tmp_path: Path) -> None:
    path = written(tmp_path, "[daemon]\nenable = True\nn_proc = four\nconfig = {}\n")
    code, out, _ = say("show", path)
    assert code == Exit.CONFIG or "no daemon runs" in out
    path = written(tmp_path, cfg('{"a": {"period": 60, "arguments": ["%d"]}}'))
    code, out, _ = say("show", path)
    assert code == Exit.CONFIG
    assert f"nothing starts: {path}:" in out


def test_overlay_of_the_server_is_read_with_it(
    say: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    overlay = json.dumps({"daemon": {"config": {"only": {"period": 77}}}})
    root = plant_server(tmp_path / "p01", {CFG: GUIDE, OVERLAY: overlay})
    serve(monkeypatch, {"p01": root})
    code, out, _ = say("show", f"p01:{CFG}")
    assert code == Exit.OK
    assert "hidden by the 'config' of the overlay: dummy_test" in out
    assert "1 daemon, 1 server" in out


@pytest.mark.parametrize("spelt", ["{}/", "{}/../{}", "link"])
def test_overlay_hides_daemons_however_panda_home_is_spelt(
    say: Any, tmp_path: Path, spelt: str
) -> None:
    home, overlay = tmp_path / "home", json.dumps({"daemon": {"config": {"a": {"period": 77}}}})
    path = home / "etc/panda/panda_server.cfg"
    plant(home, {"etc/panda/panda_server.cfg": GUIDE,
                 OVERLAY.removeprefix("/opt/panda/"): overlay})  # fmt: skip
    (tmp_path / "link").symlink_to(home)
    word = tmp_path / spelt.format("home", "home")
    env = written(tmp_path, f"PANDA_HOME={word}\nHOME={home}\nTZ=UTC\n", "env")
    code, out, _ = say("check", path, "--env", env)
    assert (code, "the overlay leaves 1 daemons and hides 17" in out) == (Exit.SOME_FAILED, True)
    assert "replaces the one of" not in out
    new = written(tmp_path, '{"b": {"period": 60}}', "new.json")
    assert "without effect: " in say("merge", path, new, "--env", env)[2]
    (home / OVERLAY.removeprefix("/opt/panda/")).unlink()
    assert "without effect" not in say("merge", path, new, "--env", env)[2]
    assert "replaces" not in say("check", path, "--env", env)[1]


def test_file_that_the_master_does_not_read_is_said_so(say: Any, tmp_path: Path) -> None:
    root = plant_server(tmp_path / "p01", {CFG: GUIDE})
    env = written(tmp_path, "PANDA_HOME=/elsewhere\nTZ=UTC\n", "env")
    path = root / CFG.lstrip("/")
    says = f"PANDA_HOME is '/elsewhere', whose master does not read {path}"
    assert says in say("check", path, "--env", env)[1]
    new = written(tmp_path, '{"b": {"period": 60}}', "new.json")
    assert f"without effect: {says}" in say("merge", path, new, "--env", env)[2]


def test_check_finds_traps_and_exits_as_asked(say: Any, tmp_path: Path) -> None:
    path = written(tmp_path, TRAPS)
    code, out, _ = say("check", path)
    assert code == Exit.SOME_FAILED  # an integer argument kills every worker
    for word in ("copyArchive.timout", "did you mean 'timeout'", "add_sub.arguments", "line "):
        assert word in out
    path = written(tmp_path, cfg('{"a": {"period": 50, "sync": true, "timeout": 500}}'))
    assert say("check", path)[0] == Exit.OK
    assert say("check", path, "--fail-on", "warning")[0] == Exit.SOME_FAILED


def test_check_formats_are_those_of_bundle_verify(say: Any, tmp_path: Path) -> None:
    path = written(tmp_path, TRAPS)
    code, out, _ = say("check", path, "--format", "junit")
    suites = ElementTree.fromstring(out)
    assert suites.get("name") == "psops panda check"
    assert int(suites.get("failures", "0")) >= 1
    assert ": \n" not in out  # advice without a command ends with its own words
    code, out, _ = say("check", path, "--format", "nagios")
    assert code == 2
    assert "CRITICAL" in out.splitlines()[0]
    target = tmp_path / "report.json"
    code, out, _ = say("check", path, "--json", "-o", target)
    assert (code, out) == (Exit.SOME_FAILED, "")
    assert json.loads(target.read_text())["hosts"]


def test_check_of_a_file_that_is_not_there_is_never_ok(say: Any, tmp_path: Path) -> None:
    code, out, err = say("check", tmp_path / "none.cfg", written(tmp_path, GUIDE))
    assert code == Exit.SOME_FAILED
    assert "no such file" in out + err


def test_check_looks_at_the_time_zone_of_the_service(say: Any, tmp_path: Path) -> None:
    env = written(tmp_path, "PANDA_HOME=/opt/panda\nTZ=Europe/Zurich\n", "panda_server_env")
    path = written(tmp_path, GUIDE)
    assert "Europe/Zurich" in say("check", path, "--env", env)[1]
    assert "TZ" not in say("check", path)[1]


def test_merge_shows_and_writes_only_when_told(say: Any, guide: Path, tmp_path: Path) -> None:
    guide.chmod(0o640)
    new = written(tmp_path, '{"copyArchive": {"period": 1200, "sync": true}}', "new.json")
    before = guide.read_bytes()
    code, out, err = say("merge", guide, new)
    assert code == Exit.OK
    assert guide.read_bytes() == before
    assert '-        "enable": true, "period": 2400, "sync": true},' in out
    assert "add --write" in err
    code, out, err = say("merge", guide, new, "--write")
    assert code == Exit.OK
    assert "written and read back" in err
    (backup,) = [one for one in guide.parent.iterdir() if one != guide]
    assert backup.read_bytes() == before
    assert guide.stat().st_mode & 0o777 == 0o640
    code, out, err = say("merge", guide, new, "--write")
    assert (code, out) == (Exit.OK, "")
    assert "nothing to change" in err


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('{"pilot_streaming": {"period": 60, "module": "other"}}', "pilotStreaming"),
        ('{"a": 5}', "new.json: 'a' is not an object"),
        ('{"a": {"period": 1}, "a": {}}', "'a' is there twice"),
        ("{", "new.json:1: not JSON"),
        ("[]", "not an object"),
    ],
)
def test_merge_refuses_and_leaves_the_file(
    say: Any, guide: Path, tmp_path: Path, text: str, sentence: str
) -> None:
    before = guide.read_bytes()
    code, out, err = say("merge", guide, written(tmp_path, text, "new.json"), "--write")
    assert (code, out) == (Exit.CONFIG, "")
    assert sentence in err
    assert guide.read_bytes() == before
    assert [one.name for one in guide.parent.iterdir()] == [guide.name]


def test_merge_does_not_change_other_hosts(say: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("psops.transport.connect", never)
    code, _, err = say("merge", f"p01:{CFG}", "-", "--write")
    assert code == Exit.USAGE
    assert "is on another host" in err


def test_diff_of_two_servers_compares_what_the_masters_have(
    say: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    roots = {
        "p01": plant_server(tmp_path / "1", {CFG: GUIDE}),
        "p02": plant_server(tmp_path / "2", {CFG: GUIDE.replace('"period": 600', '"period": 900')}),
        "p03": plant_server(tmp_path / "3", {CFG: GUIDE.replace("n_proc = 4", "\n\nn_proc = 4")}),
    }
    serve(monkeypatch, roots)
    code, out, _ = say("diff", f"p01:{CFG}", f"p02:{CFG}", "--env", f"p01:{ENV_FILE}")
    assert code == Exit.SOME_FAILED
    assert "~ evpPD2P.period: 600" in out
    assert say("diff", f"p01:{CFG}", f"p03:{CFG}")[:2] == (Exit.OK, "")
    code, out, _ = say("diff", f"p01:{CFG}", f"p02:{CFG}", "--json")
    found = json.loads(out)["differences"]
    assert {one["attribute"] for one in found} >= {"period"}


def test_simulate_reads_the_server_as_show_does(
    say: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    overlay = json.dumps({"daemon": {"config": {"only": {"period": 600}}}})
    serve(monkeypatch, {"p01": plant_server(tmp_path / "1", {CFG: GUIDE, OVERLAY: overlay})})
    code, out, _ = say("simulate", f"p01:{CFG}", "--servers", "3")
    assert code == Exit.OK
    assert out.startswith("1 daemon on 3 servers for 1 day, n_proc 4;")


def test_demo_host_has_no_such_file(say: Any) -> None:
    code, out, err = say("show", "-i", "demo", f"panda01.demo:{CFG}")
    assert (code, out) == (Exit.CONFIG, "")
    assert err.startswith(f"psops: panda01.demo:{CFG}: no such file")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("show", "x.cfg", "--format", "yaml"), "no format 'yaml'"),
        (("show", ":/etc/x"), "names no host"),
        (("show", "p01:"), "names no file"),
        (("check", "x.cfg", "--fail-on", "ok"), "--fail-on takes"),
        (("check", "x.cfg", "--release", "five"), "--release: 'five' is not a version such as"),
        (("diff", "a.cfg"), "Missing argument"),
        (("shwo", "a.cfg"), "shwo"),
    ],
)
def test_wrong_usage(say: Any, words: tuple[str, ...], sentence: str) -> None:
    code, out, err = say(*words)
    assert (code, out) == (Exit.USAGE, "")
    assert sentence in err


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    return written(tmp_path, cfg('{"a\\u001b[31m": {"period": 60, "modul\\u009b": 1}}'))


def test_no_terminal_escape_gets_through(say: Any, hostile: Path) -> None:
    for words in (("show", hostile), ("check", hostile), ("show", hostile, "--origins")):
        _, out, err = say(*words)
        assert "\x1b" not in out + err
        assert "\x9b" not in out + err


def test_no_terminal_escape_gets_through_in_an_error(
    say: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = cfg('{"a\\u001b[31m": 5}')
    serve(monkeypatch, {"p01": plant_server(tmp_path / "1", {CFG: text})})
    code, out, err = say("simulate", f"p01:{CFG}")
    assert (code, out) == (Exit.CONFIG, "")
    assert err.startswith("psops: nothing to simulate: every worker dies on 'a\\x1b[31m', which")
    path = written(tmp_path, cfg('{"a": {"period": 60, "module": "m\\u009b"}}'))
    new = written(tmp_path, '{"a": {"period": 60}}', "new.json")
    code, _, err = say("merge", path, new)
    assert code == Exit.CONFIG
    assert "runs module 'm\\x9b' there" in err
