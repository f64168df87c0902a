"""What `psops cron2daemon` prints, merged into a server's file, as the real parser reads it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from psops.__main__ import run
from psops.exits import Exit
from tests.panda.real import RealPanda
from tests.panda.servers import plant_server
from tests.panda.trees import CFG, ENVIRONMENT, GUIDE, cfg

DATA = Path(__file__).resolve().parents[1] / "cron/data"
#: The crontabs and what is said of them.
CRONTABS: dict[str, tuple[str, ...]] = {
    "worked_example.cron": ("--servers", "9", "--sync", "copyArchive", "--sync", "pilot_streaming"),
    "panda_system.cron": ("--servers", "4", "--sync", "*"),
    "user.cron": ("--form", "user"),
    "acron.cron": ("--form", "acron"),
    "server1.cron": ("--exclusive", "*"),
    "example.crontab": (),
}


@pytest.fixture(scope="module")
def real() -> Iterator[RealPanda]:
    with RealPanda() as process:
        yield process


@pytest.fixture(autouse=True)
def _place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setattr("signal.signal", lambda number, handler: None)


@pytest.mark.parametrize("into", ["guide", "empty"])
@pytest.mark.parametrize("name", CRONTABS)
def test_translated_crontab_is_what_the_real_parser_then_has(
    name: str, into: str, real: RealPanda, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = run(["cron2daemon", str(DATA / name), *CRONTABS[name]])
    text = capsys.readouterr().out
    assert code in (Exit.OK, Exit.SOME_FAILED)
    made: dict[str, Any] = json.loads(text)
    assert made
    tree = {CFG: GUIDE if into == "guide" else cfg("{}")}
    root = plant_server(tmp_path / "root", tree)
    file, new = root / CFG.lstrip("/"), tmp_path / "new.json"
    new.write_text(text)
    known = set(real.read(root, ENVIRONMENT)["table"])
    code = run(["panda", "merge", str(file), str(new), "--write"])
    err = capsys.readouterr().err
    if code == Exit.CONFIG:
        # The one thing that may not be: a daemon of this name runs another module.
        assert into == "guide"
        assert "module" in err
        assert file.read_text() == tree[CFG]
        return
    assert code == Exit.OK
    table = real.read(root, ENVIRONMENT)["table"]
    assert set(table) == known | set(made)
    for daemon, attributes in made.items():
        assert attributes.items() <= table[daemon].items()
    assert run(["panda", "show", str(file), "--json"]) == Exit.OK
    assert json.loads(capsys.readouterr().out)["table"] == table
