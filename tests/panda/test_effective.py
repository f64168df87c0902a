"""Origins, environment and files of the effective list, and what the daemons cost."""

import json
from pathlib import Path
from posixpath import normpath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from psops.errors import ConfigError
from psops.panda.cost import costs, total, unused_modules
from psops.panda.effective import read_effective
from psops.panda.jsontext import members
from psops.panda.model import State
from psops.panda.sources import (
    Sources,
    parse_environment,
    read_local,
    sources_of,
    standard_sources,
)
from tests.panda.cases import FILES, VARIABLES
from tests.panda.trees import CFG, ENVIRONMENT, GUIDE, HOME, OVERLAY, cfg, effective


def test_every_value_has_its_origin() -> None:
    text = cfg('{\n# c\n\n    "a": {\n\n      "period": 60,\n      "sync": true}\n    }')
    a = effective(text).daemons[0]
    assert str(a.place) == f"{CFG}:8"
    assert {key: place.line for key, place in a.places.items()} == {"period": 10, "sync": 11}
    assert a.place_of("timeout") == a.place
    assert (a.timeout, a.is_computed, a.module, a.arguments) == (180, True, "a", ())


def test_strongest_file_wins_per_option_and_hidden_ones_are_known() -> None:
    case = FILES["all files"]
    assert not isinstance(case, str)
    read = effective(case)
    assert {name: one.value for name, one in read.options.items() if name != "config"} == {
        "enable": True, "n_proc": 5, "uname": "three", "gname": "four",
    }  # fmt: skip
    assert [place.file for place in read.options["n_proc"].overridden] == list(
        read.sources.files[:-1]
    )
    assert len(read.found) == 5


def test_overlay_has_its_own_lines() -> None:
    overlay = '{\n "daemon": {\n  "n_proc": 9,\n  "config": {\n   "a": {\n    "period": 60}}}}'
    read = effective({CFG: GUIDE, OVERLAY: overlay})
    assert str(read.options["n_proc"].place) == f"{OVERLAY}:3"
    assert str(read.options["n_proc"].overridden[0]) == f"{CFG}:13"
    assert str(read.daemons[0].place) == f"{OVERLAY}:5"
    assert str(read.daemons[0].places["period"]) == f"{OVERLAY}:6"
    assert len(read.hidden) == 17


def test_variable_is_named_in_the_origin() -> None:
    read = effective(cfg("$DAEMONS"), {**ENVIRONMENT, **VARIABLES})
    assert str(read.daemons[0].place) == f"{CFG}:5 ($DAEMONS)"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (cfg("{,}"), "the table of daemons is empty"),
        (cfg("[]"), "the scheduler fails, since 'config' is no object"),
        (cfg('{"a": {}, "b": {"period": 5}}'), "every worker dies on 'b', which has no module set"),
        (cfg('{"a": {"period": "5"}}'), "the scheduler fails on 'a', whose period is no number"),
        (cfg('{"a": {"period": 5}}'), ""),
        (cfg('{"a": {"period": 5}, "b": {}}'), ""),
    ],
)
def test_what_keeps_all_daemons_from_running(text: str, says: str) -> None:
    read = effective(text)
    assert read.stopped_by == says
    assert [one.name for one in read.scheduled] == ([] if says else ["a"])


def test_states() -> None:
    read = effective(cfg('{"off": {"enable": false}, "s": {"period": 1.5}, "b": {}, "r": 5}'))
    assert [one.state for one in read.daemons] == [
        State.DISABLED, State.SKIPPED, State.BROKEN, State.RAW,
    ]  # fmt: skip
    assert read.daemons[1].reason == "period is the number 1.5, not a whole number"


def test_cost() -> None:
    found = {one.name: one for one in costs(effective(GUIDE), 9)}
    assert (found["copyArchive"].per_day, found["copyArchive"].per_server) == (36, 4)
    assert (found["add_sub"].per_day, found["add_sub"].per_server) == (3240, 360)
    assert total(tuple(found.values())).per_server == pytest.approx(
        sum(one.per_server for one in found.values())
    )
    unused = unused_modules(effective(GUIDE))
    assert "carbon" in unused
    assert not {"add_main", "configurator"} & {*unused}
    assert unused_modules(effective(cfg('{"a": {"period": 60}}'))) == ()


def test_usual_place_of_a_file_tells_its_server() -> None:
    assert sources_of(CFG) == standard_sources(panda_home=HOME)
    assert sources_of(f"{HOME}/usr/etc/panda/panda_server.cfg").overlay == OVERLAY
    assert sources_of("/tmp/panda_server.cfg") == Sources(files=("/tmp/panda_server.cfg",))
    assert sources_of("etc/panda/panda_server.cfg").files == ("etc/panda/panda_server.cfg",)
    assert sources_of("/etc/panda/panda_server.cfg").overlay == ""
    assert sources_of("/etc/panda/panda_server.cfg", environment={"PANDA_HOME": "/p"}).overlay == (
        "/p/etc/config_json/panda_server_config.json"
    )
    assert sources_of(CFG, environment={"PANDA_HOME": "/p"}).files == (CFG,)


@pytest.mark.parametrize(
    "known", [{"PANDA_HOME": f"{HOME}/"}, {"PANDA_HOME": "/opt//x/../panda/."}, {"HOME": HOME},
              {"PANDA_HOME": f"{HOME}/", "HOME": f"{HOME}/"}],
)  # fmt: skip
def test_each_file_is_read_once_however_its_place_is_spelt(known: dict[str, str]) -> None:
    found = sources_of(CFG, environment=known)
    assert found.files.count(CFG) == 1
    assert len(set(map(normpath, found.files))) == len(found.files)
    assert not found.stray
    if "PANDA_HOME" in known:
        assert normpath(found.overlay) == OVERLAY
    other = CFG.replace("/etc", "//etc")
    assert other in sources_of(other, environment=known).files


def test_of_the_same_file_the_place_counts_that_is_read_last() -> None:
    assert standard_sources("/h", "").files == (
        "/h/etc/panda/panda_server.cfg", "/etc/panda/panda_server.cfg",
        "/usr/etc/panda/panda_server.cfg",
    )  # fmt: skip


def test_file_of_another_home_than_that_of_the_environment_is_stray() -> None:
    assert sources_of(CFG, environment={"PANDA_HOME": "/p"}).stray
    assert not sources_of("/tmp/draft.cfg", environment={"PANDA_HOME": "/p"}).stray


def test_local_files(tmp_path: Path) -> None:
    path = tmp_path / "x.cfg"
    assert read_local(str(path)) is None
    assert read_local(str(path / "y")) is None
    path.write_bytes(GUIDE.encode())
    read = read_effective(sources_of(str(path)), read_local)
    assert len(read.scheduled) == 17
    with pytest.raises(ConfigError, match="is a directory"):
        read_local(str(tmp_path))
    path.write_bytes(b"x" * (17 << 20))
    with pytest.raises(ConfigError, match="larger than 16 MiB"):
        read_local(str(path))
    with pytest.raises(ConfigError, match="cannot read"):
        read_local("\0")


def test_environment_file_of_the_package() -> None:
    text = "OPTIONS=\"-f /x\"\n# c\nLD_LIBRARY_PATH=\n  TZ=UTC \nLONG=a\\\nb\n1=2\nURL='a=b'\n"
    assert parse_environment(text) == {
        "OPTIONS": "-f /x", "LD_LIBRARY_PATH": "", "TZ": "UTC", "LONG": "ab", "URL": "a=b",
    }  # fmt: skip


_JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=8,
)


@given(st.dictionaries(st.text(max_size=5), _JSON), st.sampled_from([None, 0, 3, "\t"]))
def test_members_have_their_places(table: dict[str, object], indent: int | None) -> None:
    text = " \n" + json.dumps(table, indent=indent)
    found = members(text)
    assert [one.key for one in found] == list(table)
    for one in found:
        assert json.JSONDecoder().raw_decode(text, one.key_at)[0] == one.key
        assert repr(json.loads(text[one.value_at : one.end])) == repr(table[one.key])
