"""`psops panda show --json` against panda-server's own code, for good and broken configurations.

The files are in their production places on a host that is read as over SSH, with `cat`.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from psops.__main__ import run
from psops.exits import Exit
from psops.report.panda_show import plain
from tests.panda.cases import ALL, VARIABLES
from tests.panda.real import RealPanda
from tests.panda.servers import ENV_FILE, plant_server, serve
from tests.panda.trees import CFG, ENVIRONMENT, GUIDE

KNOWN = {**ENVIRONMENT, **VARIABLES}
#: Cases in which the file that is asked for is not there.
WITHOUT = {name for name, case in ALL.items() if not isinstance(case, str) and CFG not in case}


@pytest.fixture(scope="module")
def real() -> Iterator[RealPanda]:
    with RealPanda() as process:
        yield process


@pytest.fixture(autouse=True)
def _place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv("PSOPS_INVENTORY", raising=False)
    monkeypatch.setattr("signal.signal", lambda number, handler: None)


@pytest.mark.parametrize("name", ALL)
def test_show_says_what_the_real_parser_makes_of_it(
    name: str,
    real: RealPanda,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    case = ALL[name]
    root = plant_server(tmp_path, {CFG: case} if isinstance(case, str) else case, VARIABLES)
    serve(monkeypatch, {"p01": root})
    code = run(["panda", "show", f"p01:{CFG}", "--env", f"p01:{ENV_FILE}", "--json"])
    document = json.loads(capsys.readouterr().out)
    if name in WITHOUT:
        assert code == Exit.CONFIG
        assert "no such file" in document["errors"][0]["message"]
        return
    said: dict[str, Any] = real.read(root, KNOWN)
    if "fatal" in said:
        assert code == Exit.CONFIG
        assert document["fatal"]["error"] == said["fatal"]
        assert document["daemons"] == []
        return
    assert code == Exit.OK
    assert document["fatal"] is None
    values = {key: document["options"][key]["value"] for key in said["options"]}
    assert values == {key: plain(value) for key, value in said["options"].items()}
    assert document["table"] == plain(said["table"])
    if isinstance(said["table"], dict):
        held = [one for one in document["daemons"] if one["state"] in ("active", "broken", "raw")]
        assert {one["name"]: one["attributes"] for one in held} == plain(said["table"])
        assert [one["name"] for one in held] == list(said["table"])


def test_merged_and_written_file_is_read_by_the_real_parser_as_shown(
    real: RealPanda, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = plant_server(tmp_path, {CFG: GUIDE})
    file, new = root / CFG.lstrip("/"), tmp_path / "new.json"
    new.write_text('{"copyArchive": {"period": 1200, "sync": true, "arguments": ["%d"]},'
                   ' "hs_scrapers": {"period": 604800, "sync": true}}')  # fmt: skip
    assert run(["panda", "merge", str(file), str(new), "--write"]) == Exit.OK
    capsys.readouterr()
    assert run(["panda", "show", str(file), "--json"]) == Exit.OK
    document = json.loads(capsys.readouterr().out)
    said = real.read(root, ENVIRONMENT)
    assert document["table"] == said["table"]
    assert said["table"]["copyArchive"]["arguments"] == ["%d"]
    assert said["table"]["copyArchive"]["timeout"] == 3600
    assert len(said["table"]) == 18
