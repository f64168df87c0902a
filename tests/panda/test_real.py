"""The reader against the real parser: panda-server's own code reads the same files."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from psops.panda.effective import Effective
from psops.panda.merge import merge
from psops.panda.model import State
from tests.panda.cases import ALL, VARIABLES
from tests.panda.layouts import PIECES, SETS, files
from tests.panda.real import RealPanda
from tests.panda.trees import CFG, ENVIRONMENT, GUIDE, OVERLAY, effective, plant

KNOWN = {**ENVIRONMENT, **VARIABLES}
OPTIONS = ("enable", "uname", "gname", "package", "n_proc", "n_dbconn", "proc_lifetime",
           "use_tbif", "config")  # fmt: skip


@pytest.fixture(scope="module")
def real() -> Iterator[RealPanda]:
    with RealPanda() as process:
        yield process


def plain(value: Any) -> str:
    """Return a value as text in which NaN is NaN and 1 is not True; the order counts."""
    return json.dumps(value)


def assert_same(said: dict[str, Any], ours: Effective) -> None:
    """Compare what the real code read with what the reader did."""
    if "fatal" in said:
        assert ours.fatal is not None
        assert ours.fatal.error == said["fatal"]
        return
    assert ours.fatal is None
    values = {key: one.value for key, one in ours.options.items() if key in OPTIONS}
    assert plain(sorted(values.items())) == plain(sorted(said["options"].items()))
    assert plain(ours.table) == plain(said["table"])
    # The warnings name the skipped ones, an error says that the parse has ended.
    skipped = [line for line in said["log"] if line.endswith("; skipped")]
    ours_skipped = [one.name for one in ours.daemons if one.state is State.SKIPPED]
    assert len(skipped) == len(ours_skipped)
    for line, one in zip(skipped, ours_skipped, strict=True):
        assert f" for {one} " in line
    failed = [line for line in said["log"] if line.startswith("failed to parse daemon config, ")]
    errors = [line.removeprefix("failed to parse daemon config, ").split(":")[0] for line in failed]
    assert errors == ([ours.error] if ours.error else [])


@pytest.mark.parametrize("name", ALL)
def test_effective_list_is_that_of_the_real_parser(
    name: str, real: RealPanda, tmp_path: Path
) -> None:
    case = ALL[name]
    tree = {CFG: case} if isinstance(case, str) else case
    assert_same(real.read(plant(tmp_path, tree), KNOWN), effective(tree, KNOWN))


@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(text=st.lists(PIECES, max_size=25).map("".join), where=st.integers(0, 2))
def test_any_text_is_read_as_the_real_parser_does(
    text: str, where: int, real: RealPanda, tmp_path: Path
) -> None:
    tree = [{CFG: text, OVERLAY: "{}"}, {CFG: f"[daemon]\nconfig = {text}", OVERLAY: "{}"},
            {CFG: GUIDE, OVERLAY: text}][where]  # fmt: skip
    assert_same(real.read(plant(tmp_path, tree), KNOWN), effective(tree, KNOWN))


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(file=files(), new=SETS)
def test_merged_file_is_read_by_the_real_parser_as_asked(
    file: tuple[str, dict[str, Any]], new: dict[str, Any], real: RealPanda, tmp_path: Path
) -> None:
    merged = merge(file[0], new)
    said = real.read(plant(tmp_path, {CFG: merged.text}), KNOWN)
    ours = effective(merged.text, KNOWN)
    assert plain(said["table"]) == plain(ours.table)
    assert json.loads(said["options"]["config"]).keys() == {**file[1], **new}.keys()
    for name, entry in new.items():
        if entry.get("enable", True) and file[1].get(name, {}).get("enable", True):
            assert {**said["table"][name], **entry} == said["table"][name]


def test_guide_with_the_translated_crontab_is_read_as_asked(
    real: RealPanda, tmp_path: Path
) -> None:
    new = {
        "cache_pilots": {"period": 3600},
        "copyArchive": {"period": 2400, "sync": True},
        "hs_scrapers": {"period": 604800, "sync": True, "arguments": ["-d", "%Y"]},
    }
    merged = merge(GUIDE, new)
    table = real.read(plant(tmp_path, {CFG: merged.text}), KNOWN)["table"]
    assert len(table) == 19
    assert table["hs_scrapers"]["arguments"] == ["-d", "%Y"]
    assert table["copyArchive"]["timeout"] == 6000
