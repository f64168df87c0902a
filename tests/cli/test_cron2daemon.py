"""`psops cron2daemon`: what it prints, tells and exits with, for good and hostile files."""

import io
import json
import random
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from psops.__main__ import run
from psops.cron.translation import ATTRIBUTES
from psops.environment import Environment
from psops.exits import Exit
from psops.report import cron as report_cron
from tests.command import psops

DATA = Path(__file__).resolve().parents[1] / "cron/data"
JOB = "*/5 * * * * root /opt/panda/usr/bin/panda_server-evpPD2P\n"


@pytest.fixture(autouse=True)
def _place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setattr("signal.signal", lambda number, handler: None)


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Any:
    def say(*words: object) -> tuple[int, str, str]:
        code = run(["cron2daemon", *map(str, words)])
        out, err = capsys.readouterr()
        assert "Traceback" not in err
        assert "bug" not in err
        return code, out, err

    return say


@pytest.fixture
def tab(tmp_path: Path) -> Any:
    def tab(text: str | bytes, name: str = "tab") -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    return tab


def stdin(monkeypatch: pytest.MonkeyPatch, text: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text)))


# The examples of PanDA's guide.


def test_the_worked_examples(say: Any) -> None:
    code, out, err = say(
        DATA / "worked_example.cron", "--servers", 9, "--sync", "copyArchive", "--sync",
        "pilot_streaming",
    )  # fmt: skip
    assert code == Exit.OK
    assert out == (
        "{\n"
        '    "add": {"period": 240},\n'
        '    "copyArchive": {"period": 2400, "sync": true},\n'
        '    "pilot_streaming": {"module": "pilotStreaming", "period": 300}\n'
        "    }\n"
    )
    *lines, last = err.splitlines()
    assert [line.partition(": ")[0] for line in lines] == [
        f"{DATA}/worked_example.cron:{number}" for number in (1, 3)
    ]
    assert "doubtful: pilot_streaming: not synchronized" in lines[1]
    assert "33.33 s, under 60 s: --exclusive pilot_streaming" in lines[1]
    assert last == "psops: 3 lines on 9 servers -> 3 daemons; 0 refused, 2 doubtful"


@pytest.mark.parametrize(
    ("job", "options", "expected"),
    [
        ("0-59/4 * * * * atlpan /opt/panda/usr/bin/panda_server-add > /dev/null 2>&1", (),
         '"add": {"period": 240}'),
        ("5 1-19/6 * * * atlpan /opt/panda/usr/bin/panda_server-copyArchive > /dev/null 2>&1",
         ("--sync", "copyArchive"), '"copyArchive": {"period": 2400, "sync": true}'),
        ("0-59/5 * * * * atlpan /opt/panda/usr/bin/panda_server-pilot_streaming > /dev/null 2>&1",
         ("--sync", "pilot_streaming"),
         '"pilot_streaming": {"module": "pilotStreaming", "period": 300}'),
        ("0-59/5 * * * * atlpan /opt/panda/usr/bin/panda_server-pilot_streaming > /dev/null 2>&1",
         ("--exclusive", "pilot_*"),
         '"pilot_streaming": {"module": "pilotStreaming", "period": 33, "sync": true}'),
    ],
)  # fmt: skip
def test_each_worked_example_alone(
    job: str, options: tuple[str, ...], expected: str, say: Any, tab: Any
) -> None:
    code, out, _ = say(tab(f"{job}\n"), "--servers", 9, *options)
    assert (code, out) == (Exit.OK, f"{{\n    {expected}\n    }}\n")


def test_stdout_is_json_with_the_keys_in_the_order_of_the_guide(say: Any) -> None:
    code, out, _ = say(
        DATA / "panda_system.cron", "--servers", 9, "--sync", "*configurator", "--timeout",
        "network_configurator=700",
    )  # fmt: skip
    assert code == Exit.SOME_FAILED
    config = json.loads(out, object_pairs_hook=list)
    assert [name for name, _ in config] == [
        "add", "evpPD2P", "copyArchive", "datasetManager", "proxyCache", "pilot_streaming",
        "configurator", "schedconfig_json", "network_configurator", "cache_schedconfig",
        "cache_pilots",
    ]  # fmt: skip
    for _, pairs in config:
        keys = [key for key, _ in pairs]
        assert keys == [key for key in ATTRIBUTES if key in keys]
    assert dict(config)["network_configurator"] == [
        ("module", "configurator"), ("arguments", ["--network"]), ("period", 200),
        ("timeout", 700), ("sync", True),
    ]  # fmt: skip


def test_what_is_printed_can_stand_in_a_section_as_it_is(say: Any) -> None:
    """A brace in column 0 would end the value there."""
    from configparser import ConfigParser

    _, out, _ = say(DATA / "worked_example.cron")
    parser = ConfigParser()
    parser.read_string(f"[daemon]\nenable = True\nconfig = {out}")
    assert json.loads(parser["daemon"]["config"])["add"] == {"period": 240}


def test_a_percent_sign_is_told_to_need_another(say: Any, tab: Any) -> None:
    code, out, err = say(tab(f"{JOB[:-1]} +\\%Y\n"))
    assert (code, json.loads(out)["evpPD2P"]["arguments"]) == (Exit.OK, ["+%Y"])
    assert err.splitlines()[0].startswith("psops: write each % as %% in panda_server.cfg")


# Where crontabs come from.


def test_staggered_servers(say: Any) -> None:
    files = [f"s{number}={DATA}/server{number}.cron" for number in (1, 2, 3, 4)]
    code, out, err = say(*files, "--sync", "runExpress", "--sync", "runStats")
    assert code == Exit.SOME_FAILED
    config = json.loads(out)
    assert config["runExpress"] == {"arguments": ["-q", "all"], "period": 300, "sync": True}
    assert config["runStats"] == {"period": 900, "sync": True}
    assert "runProd" not in config
    lines = err.splitlines()
    assert f"{DATA}/server2.cron:4: refused: 'runProd' is not one daemon" in err
    assert len([line for line in lines if "'runProd' is not one daemon" in line]) == 4
    assert "1 of 4 servers ran it" in err
    assert lines[-1].startswith("psops: 13 lines on 4 servers -> 3 daemons; 4 refused, ")


def test_a_directory_with_a_crontab_for_each_server(say: Any, tmp_path: Path) -> None:
    for number in (1, 2, 3, 4):
        text = (DATA / f"server{number}.cron").read_bytes()
        (tmp_path / f"panda0{number}.example.org.cron").write_bytes(text)
    (tmp_path / "panda01.example.org.cron~").write_text("broken")
    (tmp_path / ".swp").write_text("broken")
    sync = ("--sync", "runExpress", "--sync", "runStats")
    _, out, err = say("--per-server", tmp_path, *sync)
    files = [f"s{number}={DATA}/server{number}.cron" for number in (1, 2, 3, 4)]
    assert out == say(*files, *sync)[1]
    assert " on 4 servers " in err
    document = json.loads(say("--per-server", tmp_path, "--json")[1])
    assert [one["server"] for one in document["crontabs"]] == [
        f"panda0{number}.example.org" for number in (1, 2, 3, 4)
    ]


def test_a_directory_for_each_server_is_its_cron_d(say: Any, tab: Any, tmp_path: Path) -> None:
    for server in ("a", "b"):
        tab("*/10 * * * * root /opt/x/one.py\n", f"all/{server}/one")
        tab("*/20 * * * * root /opt/x/two.py\n", f"all/{server}/two")
    _, out, _ = say("--per-server", tmp_path / "all", "--sync", "*")
    assert json.loads(out) == {
        "one": {"period": 300, "sync": True}, "two": {"period": 600, "sync": True}
    }  # fmt: skip


def test_stdin(say: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    stdin(monkeypatch, JOB.encode() + b"@reboot root /opt/x/start.py\n")
    code, out, err = say("-")
    assert (code, json.loads(out)) == (Exit.SOME_FAILED, {"evpPD2P": {"period": 300}})
    assert err.startswith("stdin:2: refused: @reboot has no period (R9); ")


def test_stdin_of_a_server(say: Any, monkeypatch: pytest.MonkeyPatch, tab: Any) -> None:
    stdin(monkeypatch, JOB.encode())
    _, out, _ = say("a=-", f"b={tab(JOB)}", "--sync", "evpPD2P")
    assert json.loads(out) == {"evpPD2P": {"period": 150, "sync": True}}


def test_a_directory_is_read_as_cron_does(say: Any, tab: Any, tmp_path: Path) -> None:
    place = tmp_path / "cron.d"
    tab("*/10 * * * * root /opt/x/one.py\n", "cron.d/b_one")
    tab("*/20 * * * * root /opt/x/two.py\n", "cron.d/a-two")
    for name in (".placeholder", "old~", "x.cron", "y.rpmsave", "#z#"):
        tab("*/30 * * * * root /opt/x/three.py\n", f"cron.d/{name}")
    (place / "inner").mkdir()
    code, out, err = say(place)
    assert (code, list(json.loads(out))) == (Exit.OK, ["two", "one"])
    (line,) = [line for line in err.splitlines() if "left out" in line]
    assert line.startswith(f"psops: {place}/x.cron is left out: Debian's cron does not read")
    _, out, err = say(place, "--dialect", "cronie")
    assert (list(json.loads(out)), "left out" in err) == (["two", "one", "three"], False)
    _, out, err = say(place, "--dialect", "debian")
    assert (list(json.loads(out)), "left out" in err) == (["two", "one"], False)


def test_several_files_and_one_for_several_servers(say: Any, tab: Any) -> None:
    one, two = tab(JOB, "one"), tab("0 * * * * root /opt/x/two.py\n", "two")
    assert list(json.loads(say(one, two)[1])) == ["evpPD2P", "two"]
    assert list(json.loads(say(two, one)[1])) == ["two", "evpPD2P"]
    code, out, err = say(f"a={one}", f"b={one}", "--sync", "*")
    assert (code, json.loads(out)) == (0, {"evpPD2P": {"period": 150, "sync": True}})
    # One line of a file, however many servers have it.
    assert err.splitlines()[-1].startswith("psops: 1 line on 2 servers -> 1 daemon; ")
    assert len(say(f"a={one}", f"b={one}", "--format", "report")[1].split(f"{one}:1  (")) == 3


def test_forms(say: Any, tab: Any) -> None:
    path = tab("*/5 * * * * archive /srv/data\n")
    code, out, err = say(path)
    assert (code, "read in the form 'system'" in err) == (Exit.OK, True)
    assert list(json.loads(out)) == ["data"]
    _, out, err = say(path, "--form", "user")
    assert list(json.loads(out)) == ["archive"]
    assert "read in the form" not in err
    _, out, _ = say(DATA / "acron.cron", "--sync", "collect")
    assert json.loads(out)["collect"] == {"period": 300, "sync": True}
    code, _, err = say(tab("*/5 * * * * /opt/x/job.py\n"), "--form", "system")
    assert (code, "stands where a user and a command should" in err) == (Exit.SOME_FAILED, True)


def test_dialects(say: Any, tab: Any) -> None:
    path = tab("-*/5 * * * * root /opt/x/job.py\n")
    assert say(path, "--dialect", "cronie")[0] == Exit.OK
    assert say(path, "--dialect", "debian")[0] == Exit.SOME_FAILED


def test_a_zone_gives_notes_on_changes_of_the_clock(say: Any, tab: Any) -> None:
    path = tab("30 2 * * * root /opt/x/job.py\n")
    _, out, _ = say(path, "--zone", "Europe/Zurich", "--format", "report")
    assert "the clock leaves that time out" in out
    assert f"on {datetime.now(UTC).year}-03-" in out
    _, out, _ = say(
        path, "--decisions", tab('year = 2031\nzone = "Europe/Zurich"\n', "d"), "--json"
    )
    assert "on 2031-03-30" in json.dumps(json.loads(out)["lines"][0]["notes"])


# Decisions.


def test_decisions_of_a_file_and_of_the_command_line(say: Any, tab: Any) -> None:
    path = tab(
        "0 * * * * root cd /x && ./run\n"
        "*/7 * * * * root /opt/x/u.py\n"
        "0 0 1 * * root /opt/x/m.py -a\n"
        "*/30 * * * * root /opt/x/s.py\n"
        "*/20 * * * * root /opt/x/t.py\n"
    )
    decisions = tab(
        f"""
        servers = 3
        sync = ["s"]
        [names]
        "{path}:1" = "mine"
        m = "monthly"
        [modules]
        mine = "other"
        [arguments]
        mine = ["a b", "c"]
        [periods]
        monthly = 86400
        [timeouts]
        monthly = 90000
        [gaps]
        u = "min"
        """,
        "decisions.toml",
    )
    code, out, _ = say(path, "--decisions", decisions)
    assert (code, json.loads(out)) == (Exit.OK, {
        "mine": {"module": "other", "arguments": ["a b", "c"], "period": 3600},
        "u": {"period": 240},
        "monthly": {"module": "m", "arguments": ["-a"], "period": 86400, "timeout": 90000},
        "s": {"period": 600, "sync": True},
        "t": {"period": 1200},
    })  # fmt: skip
    code, out, _ = say(
        path, "--decisions", decisions, "--servers", 4, "--sync", "t", "--module",
        "mine=x_run", "--arguments", "mine=-v 'd e' 100", "--period", "monthly=3600", "--timeout",
        "monthly=4000", "--gap", "u=max", "--name-map", "s.py=sss", "--min-sync-period", 400,
    )  # fmt: skip
    assert (code, json.loads(out)) == (Exit.OK, {
        "mine": {"module": "x_run", "arguments": ["-v", "d e", "100"], "period": 3600},
        "u": {"period": 420},
        "monthly": {"module": "m", "arguments": ["-a"], "period": 3600, "timeout": 4000},
        "sss": {"module": "s", "period": 1800},
        "t": {"period": 1200},
    })  # fmt: skip
    _, out, _ = say(path, "--name-map", f"{path}:1=mine", "--module", "mine=x", "--arguments",
                    "mine=")  # fmt: skip
    assert json.loads(out)["mine"] == {"module": "x", "period": 3600}


def test_decisions_for_nothing_get_the_nearest_name(say: Any) -> None:
    path = DATA / "worked_example.cron"
    code, _, err = say(path, "--sync", "copyArhive", "--period", "ad=5", "--module",
                       "pilot_streaming=pilotStreming")  # fmt: skip
    assert code == Exit.OK
    lines = [line for line in err.splitlines() if line.startswith("psops: ")]
    assert lines[:3] == [
        "psops: modules: panda-server 1.0.4 has no module 'pilotStreming'; did you mean "
        "'pilotStreaming'?",
        "psops: sync: no line of the crontabs is 'copyArhive'; did you mean 'copyArchive'?",
        "psops: periods: no line of the crontabs is 'ad'; did you mean 'add'?",
    ]
    assert "3 warnings" in lines[3]


# Exit codes.


def test_exit_codes_of_lines(say: Any, tab: Any) -> None:
    good = tab("*/5 * * * * root /opt/panda/usr/bin/panda_server-evpPD2P\n", "good")
    assert say(good)[0] == Exit.OK
    assert say(good, "--strict")[0] == Exit.OK
    doubtful = tab("*/7 * * * * root /opt/panda/usr/bin/panda_server-evpPD2P\n", "doubtful")
    code, out, err = say(doubtful)
    assert (code, json.loads(out)) == (Exit.OK, {"evpPD2P": {"period": 400}})
    assert "evpPD2P: its gaps are not equal, 240 to 420 s" in err
    assert say(doubtful, "--strict") == (Exit.SOME_FAILED, out, err)
    assert say(good, "--sync", "nothing")[0] == Exit.OK
    assert say(good, "--sync", "nothing", "--strict")[0] == Exit.SOME_FAILED
    refused = tab("@reboot root /opt/x/y.py\n", "refused")
    assert say(refused)[:2] == (Exit.SOME_FAILED, "{}\n")
    code, out, _ = say(refused, good)
    assert (code, list(json.loads(out))) == (Exit.SOME_FAILED, ["evpPD2P"])


def test_nothing_to_do_is_done(say: Any, tab: Any) -> None:
    for text in ("", "\n\n", "# nothing\nMAILTO=x\n"):
        code, out, err = say(tab(text))
        assert (code, out) == (Exit.OK, "{}\n")
        assert err == "psops: 0 lines on 1 server -> 0 daemons; 0 refused, 0 doubtful\n"


def test_commented_out_jobs_are_counted_and_told_in_the_report(say: Any, tab: Any) -> None:
    path = tab(f"#{JOB}")
    code, out, err = say(path)
    assert (code, out, err.split("; ")[-1]) == (
        Exit.OK, "{}\n", "0 refused, 0 doubtful, 1 commented out\n"
    )  # fmt: skip
    assert f"COMMENTED OUT\n  {path}:1: commented-out job" in say(path, "--format", "report")[1]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("", "no crontab is given"),
        ("tab tab", "tab is given twice"),
        ("a=tab a=tab", "tab is given twice"),
        ("- -", "stdin can be read only once"),
        ("a=- b=-", "stdin can be read only once"),
        ("tab --format jsno", "--format takes daemon, table, json, report; did you mean 'json'?"),
        ("tab --form sytem", "--form takes auto, system, user, acron; did you mean 'system'?"),
        ("tab --dialect cron", "--dialect takes common, debian, cronie; did you mean 'cronie'?"),
        ("tab --servers 0", "servers: 0 is less than 1"),
        ("a=tab b=tab --servers 1", "servers: 1 is less than the 2"),
        ("tab --min-sync-period -1", "min_sync_period: -1 is below 0"),
        ("tab --zone Mars", "zone: 'Mars' is no time zone"),
        ("tab --zone ../../etc/passwd", "zone: '../../etc/passwd' is no time zone"),
        ("tab --period a=1.5", "--period takes NAME=SECONDS, not 'a=1.5'"),
        ("tab --period a", "--period takes NAME=SECONDS, not 'a'"),
        ("tab --period a=0", "periods: 0 s for 'a' is less than 1"),
        ("tab --period a=" + "9" * 5000, "--period takes NAME=SECONDS, not 'a=999"),
        ("tab --timeout =5", "--timeout takes NAME=SECONDS, not '=5'"),
        ("tab --timeout a=5 --timeout a=6", "--timeout has two values for 'a'"),
        ("tab --module a=", "--module takes NAME=MODULE, not 'a='"),
        ("tab --name-map a", "--name-map takes FROM=NAME, not 'a'"),
        ("tab --arguments a='", '--arguments takes NAME=WORDS, not "a=\'": No closing quotation'),
        ("tab --gap a=mni", "--gap takes NAME=min|max|mean, not 'a=mni': did you mean 'min'?"),
        ("tab --decisions none.toml", "none.toml: No such file or directory"),
        ("tab --decisions .", ".: Is a directory"),
        ("tab --output tab/x", "tab/x: "),
        ("tab --color pink", "--color takes auto, always, never"),
    ],
)
def test_wrong_usage(
    words: str, message: str, say: Any, tab: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    stdin(monkeypatch, b"")
    tab("*/10 * * * * root /opt/x/job.py\n")
    code, out, err = say(*words.split())
    assert (code, out) == (Exit.USAGE, "")
    lines = [line for line in err.splitlines() if line.startswith("psops: ") and "->" not in line]
    assert lines[0].startswith(f"psops: {message}")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("servrs = 9", "'servrs' is no decision; did you mean 'servers'?"),
        ("[x]", "'x' is no decision; known are servers, sync, exclusive, min_sync_period, names"),
        ('servers = "9"', "servers: '9' is no whole number"),
        ('[gaps]\na = "mni"', "gaps.a: 'mni' is none of mean, min, max"),
        ("year = 99999", "year: 99999 is not from 1970 to 9900"),
        ("sync = 'a'", "sync: 'a' is no list of texts"),
        ("a = ", "Invalid value"),
        (b"\xff", "'utf-8' codec can't decode"),
        ("a = " + "[" * 5000, ""),
        ('"\\u001b[31m" = 1', "'\\x1b[31m' is no decision"),
    ],
)
def test_wrong_file_of_decisions(text: str | bytes, message: str, say: Any, tab: Any) -> None:
    path = tab(text, "d.toml")
    code, out, err = say(tab(JOB), "--decisions", path)
    assert (code, out) == (Exit.USAGE, "")
    assert err.startswith(f"psops: {path}: {message}")
    assert "\x1b" not in err


# Files that nobody should hand over.


@pytest.mark.parametrize("name", ["missing", "missing/tab", "x" * 5000, "a=missing", "a\x1b[31mb"])
def test_missing_files(
    name: str, say: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, err = say(name)
    assert (code, out) == (Exit.UNREADABLE_INPUT, "")
    assert err.splitlines()[0].startswith("psops: ")
    assert ": No such file" in err or ": File name too long" in err
    assert "or - for standard input" in err
    assert "\x1b" not in err


def test_file_that_fails_when_it_is_read(say: Any) -> None:
    code, out, err = say("/proc/self/mem")  # opens, even for root, and gives EIO
    assert (code, out) == (Exit.UNREADABLE_INPUT, "")
    assert err.startswith("psops: /proc/self/mem: Input/output error\n")


def test_file_without_end(say: Any) -> None:
    code, out, err = say("/dev/zero")
    assert (code, out) == (Exit.UNREADABLE_INPUT, "")
    assert err.startswith("psops: /dev/zero: larger than 16000000 bytes\n")


def test_file_or_directory_without_permission(
    say: Any, tab: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Root may read everything, so the refusal is made here."""
    path = tab(JOB)

    def refuse(self: Path, *args: Any, **options: Any) -> Any:
        raise PermissionError(13, "Permission denied", str(self))

    with monkeypatch.context() as patch:
        patch.setattr(Path, "iterdir", refuse)
        for words in ((tmp_path,), ("--per-server", tmp_path)):
            code, out, err = say(*words)
            assert (code, out) == (Exit.UNREADABLE_INPUT, "")
            assert err.startswith(f"psops: {tmp_path}: Permission denied\n")
    for method in ("open", "is_dir"):
        with monkeypatch.context() as patch:
            patch.setattr(Path, "open", refuse)
            patch.setattr(Path, method, refuse)
            code, out, err = say(path)
            assert (code, out) == (Exit.UNREADABLE_INPUT, "")
            assert err.startswith(f"psops: {path}: Permission denied\n")


def test_directories_without_crontabs(say: Any, tab: Any, tmp_path: Path) -> None:
    code, _, err = say(tmp_path)
    assert (code, "no file there has a name that cron reads" in err) == (65, True)
    code, _, err = say("--per-server", tmp_path)
    assert (code, "no crontab of a server is in it" in err) == (65, True)
    code, _, err = say("--per-server", tab(JOB))
    assert (code, "Not a directory" in err) == (65, True)


def test_an_unreadable_crontab_in_json(say: Any, tmp_path: Path) -> None:
    code, out, _ = say(tmp_path / "missing", "--json")
    document = json.loads(out)
    assert (code, document["exit"], document["errors"][0]["code"]) == (65, 65, "crontab")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (random.Random(5).randbytes(100_000), " is no UTF-8 text"),
        (b"\0" * 1000, "line 1: a NUL in column 1"),
        (JOB.encode("utf-16"), "the file is UTF-16, which cron does not read"),
        (b"\x7fELF\x02\x01\x01\0\0\0\n", "line 1: "),
    ],
    ids=["random", "nul", "utf-16", "elf"],
)
def test_what_is_no_text_is_no_crontab(text: bytes, reason: str, say: Any, tab: Any) -> None:
    path = tab(text)
    code, out, err = say(path)
    if code == Exit.UNREADABLE_INPUT:
        assert out == ""
        assert err.startswith(f"psops: {path}: no text with crontab lines; line ")
    else:
        assert (code, json.loads(out)) == (Exit.SOME_FAILED, {})
    assert reason in err
    assert "\x1b" not in err.replace("\n", "")


@pytest.mark.parametrize("seed", range(12))
def test_random_bytes_between_good_lines(seed: int, say: Any, tab: Any) -> None:
    chosen = random.Random(seed)
    pool = b"*/0123456789,-~@ \t%#=\"'\\\r\n\0\x1b\xff\xc3\xa9$;&|<>abcMAILTO"
    junk = [bytes(chosen.choices(pool, k=chosen.randrange(200))) for _ in range(200)]
    path = tab(b"\n".join([JOB.encode(), *junk, b"", JOB.encode()]))
    for form in ("daemon", "table", "report", "json"):
        code, out, err = say(path, "--format", form)
        assert code in (Exit.OK, Exit.SOME_FAILED)
        for text in (out, err):
            assert all(char.isprintable() or char == "\n" for char in text)
        if form in ("daemon", "json"):
            json.loads(out)


@pytest.mark.parametrize(
    ("text", "reason", "code"),
    [
        (b"x" * 1_000_000 + b"\n" + JOB.encode(), "a line of 1000000 characters", 1),
        (f"{JOB}*/5 * * * * root /opt/x/{'y' * 100_000}.py\n".encode(), "100010 characters", 0),
        (f"{JOB}*/5 * * * * root /x/y.py a\0b\n".encode(), "a NUL in column 27", 1),
        (f"{JOB}*/9 * * * * root /x/\x1b[2J.py\n".encode(), "control character 0x1b", 1),
        (JOB.replace("\n", "\r\n").encode(), "CR LF ends 1 line", 0),
        (b"\xef\xbb\xbf" + JOB.encode(), "byte order mark", 0),
        (JOB.rstrip("\n").encode(), "the last line has no newline", 0),
        (f"{JOB}61 * * * * root /x/y.py\n".encode(), ":2: refused: ", 1),
        (f"{JOB}* * * * root\n".encode(), ":2: refused: ", 1),
    ],
    ids=["1MB", "long-word", "nul", "escape", "crlf", "bom", "no-newline", "61", "four"],
)
def test_hostile_lines_leave_the_others_alone(
    text: bytes, reason: str, code: int, say: Any, tab: Any
) -> None:
    path = tab(text)
    for form in ("daemon", "table", "report", "json"):
        given, out, err = say(path, "--format", form)
        assert given == code
        assert all(char.isprintable() or char == "\n" for char in out + err)
        if form == "daemon":
            assert json.loads(out)["evpPD2P"] == {"period": 300}
            assert reason in err
            assert max(map(len, err.splitlines())) < 2000
        if form == "report":
            assert reason.removeprefix(":2: ") in out
            assert max(map(len, out.splitlines())) < 2000


def test_one_line_on_stderr_for_each_line_of_the_crontab(say: Any) -> None:
    _, _, err = say(DATA / "user.cron", "--zone", "Europe/Zurich")
    places = [line.split(": ")[0] for line in err.splitlines() if line.startswith(str(DATA))]
    assert len(places) == len(set(places))
    numbers = [int(place.rpartition(":")[2]) for place in places]
    assert numbers == sorted(numbers)
    assert {9, 10, 11, 12, 13, 15} <= set(numbers)
    *lines, percent, last = err.splitlines()
    assert percent.startswith("psops: write each %")
    assert last.startswith("psops: 12 lines on 1 server -> 6 daemons; 6 refused, 6 doubtful")
    for line in lines:
        assert ": refused: " in line or ": doubtful: " in line


def test_names_of_files_do_not_reach_the_terminal(say: Any, tab: Any) -> None:
    path = tab("* * * *\n*/7 * * * * root /x/y.py\n", "a\x1b[31mb")
    for form in ("daemon", "table", "report", "json"):
        _, out, err = say(path, "--format", form)
        assert "\x1b" not in out + err
    for words in ((path, path), (path, "--zone", "a\x1b[31m")):
        code, _, err = say(*words)
        assert code == Exit.USAGE
        assert "a\\x1b[31m" in err
        assert "\x1b" not in err


# Formats.


def test_table(say: Any) -> None:
    code, out, _ = say(DATA / "example.crontab", "--format", "table", "--servers", 9, "--sync",
                       "copyArchive", "--sync", "pilot_streaming")  # fmt: skip
    assert code == Exit.SOME_FAILED
    lines, daemons = out.strip().split("\n\n")
    assert lines.splitlines()[0].split() == ["LINE", "RESULT", "PER", "DAY", "RULES", "WHEN"]
    assert lines.splitlines()[2].split() == [
        f"{DATA}/example.crontab:4", "copyArchive:", "every", "2400", "s,", "sync", "on", "9",
        "servers", "4", "R1", "R5", "R8", "R12", "every", "6", "hours", "from", "01:05",
    ]  # fmt: skip
    assert [line[0] for line in lines.splitlines()[1:]] == ["!", " ", "!", "×", "×"]
    assert daemons.splitlines()[2].split() == [
        "copyArchive", "2400", "s", "yes", "6000", "s", "9", "copyArchive",
    ]  # fmt: skip


def test_table_keeps_to_the_terminal(say: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def narrow(*_: object) -> Environment:
        return Environment(stdout=sys.stdout, stderr=sys.stderr, width=100, color=True)

    monkeypatch.setattr("psops.cli.app.detect", narrow)
    monkeypatch.chdir(DATA)
    import re

    for form in ("table", "report"):
        _, out, _ = say("user.cron", "--format", form)
        assert "\x1b[" in out
        plain = re.sub(r"\x1b\[[\d;]*m", "", out)
        assert [line for line in plain.splitlines() if len(line) > 100] == []


def test_report_tells_everything_of_every_line(say: Any) -> None:
    code, out, err = say(DATA / "example.crontab", "--servers", 9, "--format", "report")
    assert code == Exit.SOME_FAILED
    assert err.count("\n") == 1
    blocks = out.split("\n\n")
    assert blocks[0] == (
        f"CRONTABS\n  {DATA}/example.crontab: form system (an account follows the time on every "
        "line), dialect common"
    )
    assert blocks[2].splitlines() == [
        f"  {DATA}/example.crontab:4  5 1-19/6 * * *",
        "    when    every 6 hours from 01:05",
        "    starts  4 a day; gaps 21600 s ×4 in 1 day",
        "    rules   R1 equal gaps, R4 not synchronized, R12 time limit",
        "    result  copyArchive: every 21600 s",
        "    note    a run is killed after 25200 s, under cron never",
    ]
    assert "  to do   leave it in cron, or --period nightly=SECONDS" in blocks[4]
    assert blocks[-2].splitlines()[:2] == [
        "CANDIDATES FOR --sync",
        "  --sync copyArchive: 21600 s would become 2400 s, sync; upstream synchronizes it",
    ]
    assert "set 'uname' of [daemon] to it" in blocks[-1]


def test_report_speaks_of_rounding_where_there_is_some(say: Any) -> None:
    words = (DATA / "worked_example.cron", "--sync", "copyArchive", "--format", "report")
    assert "round" not in say(*words, "--servers", 9)[1]
    assert "21600/7 = 3085.71 s is rounded down to 3085 s" in say(*words, "--servers", 7)[1]


def test_report_has_lines_that_are_no_job_in_their_place(say: Any, tab: Any) -> None:
    path = tab(f"what is this\nSHELL=\n{JOB}* * * * 9 root /x/y.py\n61 * * * * root /x/z.py\n")
    _, out, _ = say(path, "--format", "report", "--sync", "no")
    heads = [line.split()[1] for line in out.splitlines() if line[:2] in ("× ", "! ")]
    assert heads == [f"{path}:1", f"{path}:2", f"{path}:4", f"{path}:5"]
    assert out.index(f"{path}:2") < out.index(f"{path}:3  ") < out.index(f"{path}:4")
    assert "WARNINGS\n  sync: no line of the crontabs is 'no'" in out


def test_every_rule_has_words(say: Any) -> None:
    rules: set[str] = set()
    for name in ("user.cron", "panda_system.cron", "acron.cron"):
        for options in ((), ("--sync", "*", "--servers", "9"), ("--period", "nightly=5")):
            document = json.loads(say(DATA / name, "--json", *options)[1])
            rules.update(rule for line in document["lines"] for rule in line["rules"])
    assert rules <= report_cron.RULES.keys()
    assert len(rules) > 8


def test_json_for_machines(say: Any) -> None:
    code, out, _ = say(DATA / "example.crontab", "--servers", 9, "--json")
    document = json.loads(out)
    assert (code, document["exit"], document["status"]) == (1, 1, "partial")
    assert document["command"] == "cron2daemon"
    assert document["config"] == json.loads(say(DATA / "example.crontab", "--servers", 9)[1])
    assert document["crontabs"][0]["form"] == "system"
    line = document["lines"][3]
    assert (line["line"], line["refused"], line["per_day"]) == (6, True, "60")
    assert line["gaps"] == [{"seconds": 60, "count": 59}, {"seconds": 82860, "count": 1}]
    assert [one["line"] for one in document["refused"]] == [6, 7]
    assert [one["code"] for one in document["errors"]] == ["refused"] * 2
    assert document["candidates"][0]["sync_period"] == 2400
    assert document["daemons"][1]["timeout_effective"] == 25200


def test_output_goes_to_a_file(say: Any, tmp_path: Path) -> None:
    words = (DATA / "worked_example.cron", "--servers", 9)
    _, out, err = say(*words)
    path = tmp_path / "new.json"
    for option in ("-o", "--output"):
        assert say(*words, option, path) == (Exit.OK, "", err)
        assert path.read_text() == out
    say(*words, "--format", "report", "-o", path, "--color", "always")
    assert "\x1b" not in path.read_text()


# The installed program.


def test_program_writes_json_alone_to_stdout(tmp_path: Path) -> None:
    run = psops("cron2daemon", str(DATA / "example.crontab"), home=tmp_path)
    assert run.exit == Exit.SOME_FAILED
    assert list(run.document) == ["add", "copyArchive", "pilot_streaming"]
    assert run.stderr.splitlines()[-1].startswith("psops: 5 lines on 1 server -> 3 daemons")
    assert psops("cron2daemon", "-", home=tmp_path).stdout == "{}\n"


def test_ten_thousand_lines_are_quick(say: Any, tab: Any) -> None:
    lines = (f"{at % 60} {at // 60 % 24} * * {at % 7} root /opt/panda/bin/x{at}.py --n {at}\n"
             for at in range(10_000))  # fmt: skip
    path = tab("".join(lines))
    begin = time.process_time()
    code, out, err = say(path, "--servers", 9)
    taken = time.process_time() - begin
    assert (code, len(json.loads(out)), len(err.splitlines())) == (Exit.OK, 10_000, 10_001)
    assert taken < 4
