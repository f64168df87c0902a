"""`psops panda simulate`: what it prints and writes, and how it refuses."""

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import typer

from psops.cli.app import Answer, main
from psops.cli.panda_simulate import simulate
from psops.errors import ConfigError, PsopsError, UsageError
from psops.exits import Exit
from tests.pandasim.plans import GUIDE, guide

CFG = "[daemon]\nenable = True\nn_proc = 4\nconfig = {" + GUIDE + "    }\n"


@pytest.fixture
def cfg(tmp_path: Path) -> Path:
    path = tmp_path / "panda_server.cfg"
    path.write_text(CFG)
    return path


def say(*words: str) -> Answer:
    app = typer.Typer(add_completion=False, rich_markup_mode=None)
    app.callback()(main)
    app.command("simulate")(simulate)
    answer: Any = typer.main.get_command(app).main(["simulate", *words], standalone_mode=False)
    assert isinstance(answer, Answer)
    return answer


def test_table_has_every_daemon_and_the_plot(cfg: Path) -> None:
    answer = say(str(cfg), "--servers", "9")
    assert answer.exit is Exit.OK
    for one in guide():
        assert answer.text.count(f"\n{one.name} ") == 2
    assert answer.text.startswith("17 daemons on 9 servers for 1 day, n_proc 4;")
    assert answer.text.splitlines()[-1].startswith("day 1, ")


def test_json_is_one_document(cfg: Path) -> None:
    words = (str(cfg), "--servers", "2", "--days", "0.5", "--n-proc", "6", "--seed", "7")
    answer = say(*words, "--format", "json")
    assert answer == say(*words, "--json")
    simulation = json.loads(answer.text)["simulation"]
    assert (simulation["days"], simulation["workers"], simulation["seed"]) == (0.5, 6, 7)
    assert len(simulation["servers"]) == 2
    assert "against" not in simulation


def test_durations_crontab_offsets_and_plot(cfg: Path, tmp_path: Path) -> None:
    (tmp_path / "d.toml").write_text("copyArchive = 3000\n")
    (tmp_path / "cron").write_text("5 1-19/6 * * * atlpan /opt/panda_server-copyArchive\n")
    svg = tmp_path / "day.svg"
    answer = say(
        str(cfg), "--servers", "2", "--durations", str(tmp_path / "d.toml"), "--duration", "1",
        "--against", str(tmp_path / "cron"), "--plot", str(svg), "--offsets", "0,10.5", "--json",
    )  # fmt: skip
    simulation = json.loads(answer.text)["simulation"]
    copy = next(one for one in simulation["daemons"] if one["name"] == "copyArchive")
    # Runs of 3000 s with a lock of 2400 s.
    assert copy["overlaps"] > 0
    row = next(one for one in simulation["against"] if one["name"] == "copyArchive")
    assert row["cron"]["per_day"] == 8
    assert row["ratio"] > 1
    assert [one["offset"] for one in simulation["servers"]] == [0, 10.5]
    assert ElementTree.parse(svg).getroot().tag.endswith("svg")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("--format yaml", "no format 'yaml'"),
        ("--offsets 1,x", "--offsets takes seconds"),
        ("--offsets 1,2,3", "3 offsets for 1 servers"),
        ("--durations /nowhere", "/nowhere: No such file"),
        ("--durations {tmp}/wrong.toml", "'copyArchive' is no number of seconds"),
        ("--durations {tmp}/unknown.toml", "did you mean 'copyArchive'"),
        ("--against {tmp}/a --against {tmp}/a", "2 crontabs for 1 servers"),
        ("--plot {tmp}/wrong.toml/such.svg", "not a directory"),
    ],
)
def test_wrong_usage_is_refused_with_a_sentence(
    cfg: Path, tmp_path: Path, words: str, sentence: str
) -> None:
    (tmp_path / "wrong.toml").write_text('copyArchive = "5 s"\n')
    (tmp_path / "unknown.toml").write_text("copyArchiv = 5\n")
    with pytest.raises(UsageError) as caught:
        say(str(cfg), *words.format(tmp=tmp_path).split())
    assert sentence in str(caught.value)


def test_file_that_is_not_there_or_no_configuration_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PsopsError, match="no such file"):
        say(str(tmp_path / "none.cfg"))
    (tmp_path / "x.cfg").write_text("[daemon]\nconfig = {'a': 1}\n")
    with pytest.raises(ConfigError, match="nothing to simulate") as caught:
        say(str(tmp_path / "x.cfg"))
    assert "psops panda check" in caught.value.remedy
