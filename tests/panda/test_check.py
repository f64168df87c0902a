"""Each trap is found, at its line; sound configurations have none."""

import re
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from psops.panda.check import Asked, check
from psops.panda.check_env import check_env
from psops.panda.model import Fault
from psops.panda.traps import TRAPS
from psops.verdict import Verdict
from tests.panda.cases import ALL, VARIABLES
from tests.panda.layouts import PIECES
from tests.panda.trees import CFG, ENVIRONMENT, GUIDE, OVERLAY, cfg, effective

PACKAGE = "package = pandaserver.daemons.scripts\n"
HEAD = f"enable = True\nuname = u\ngname = g\n{PACKAGE}n_proc = 4\n"
SOUND = '"add_main": {"period": 60}, "add_sub": {"period": 60}, "carbon": {"period": 60}'
#: Where the config's JSON begins in `one`.
LINE = 8


def one(entry: str, name: str = "x") -> str:
    """Return a configuration with this entry on line LINE, in front of three sound ones."""
    return cfg(f'{{\n    "{name}": {entry},\n    {SOUND}\n    }}', HEAD)


def head(lines: str) -> str:
    return f"[daemon]\n{lines}config = {{{SOUND}}}\n"


#: Files, then code and line of the fault; 0 for a whole file.
CASES: list[tuple[str, Any, str, int]] = [
    ("percent", cfg('{\n  "a": {"period": 60},\n  "b%": {}}', HEAD), "percent", 9),
    ("percent name", cfg('{"%(no)s": {"period": 60}}', HEAD), "percent", 7),
    ("column 0", cfg(f"{{\n  {SOUND}\n}}", HEAD), "column-0", 9),
    ("column 0, closed", cfg('{\n"a": {"period": 60}}', HEAD), "column-0", 8),
    ("bom", {CFG: b"\xef\xbb\xbf[daemon]\n"}, "bom", 1),
    ("no header", "enable = True\n", "no-header", 1),
    ("no ini", "[daemon]\nwhat is this\n", "not-ini", 2),
    ("not utf8", {CFG: b"[daemon]\n# \xe9\n"}, "not-utf8", 2),
    ("digits", head("n_proc = " + "9" * 5000 + "\n"), "digits", 2),
    ("option twice", head("n_proc = 3\nn_proc = 4\n"), "duplicate-option", 3),
    ("section twice", head("n_proc = 3\n") + "[daemon]\n", "duplicate-section", 4),
    ("overlay no json", {CFG: GUIDE, OVERLAY: '{"daemon": {}\n,}'}, "overlay-json", 2),
    ("overlay no object", {CFG: GUIDE, OVERLAY: "5"}, "overlay-json", 0),
    ("overlay shrinks", {CFG: GUIDE, OVERLAY: '{"daemon": {\n"config": {"a": {"period": 60}}}}'},
     "overlay-shrinks", 2),
    ("overlay replaces", {CFG: cfg(f"{{{SOUND}}}", HEAD),
                          OVERLAY: '{"daemon": {"config": {' + SOUND + "}}}"},
     "overlay-replaces", 1),
    ("overlay percent", {CFG: head(""), OVERLAY:
     '{"daemon": {"config":\n {"a": {"period": 60, "arguments": ["%%d"]}}}}'},
     "overlay-percent", 2),
    ("two files", {"/etc/panda/panda_server.cfg": head(""), CFG: head("")}, "overridden", 2),
    ("variable", cfg("$NOPE", HEAD), "variable-unknown", 7),
    ("variable of an option", head("n_proc = $NOPE\n"), "variable-unknown", 2),
    ("variable inside", one('{"period": 60, "arguments": ["$HOME/x"]}'), "variable-inside", LINE),
    ("empty", cfg("", HEAD), "json", 7),
    ("unclosed", cfg('{\n  "a": {"period": 60}', HEAD), "json", 8),
    ("None", cfg("None", HEAD), "config-type", 7),
    ("trailing comma", cfg('{"a": {"period": 60},\n  }', HEAD), "json-comma", 7),
    ("single quotes", cfg("{\n  'a': {'period': 60}}", HEAD), "json-quotes", 8),
    ("python", cfg('{\n  "a": {"period": 60,\n   "sync": True}}', HEAD), "json-word", 9),
    ("hash", cfg('{\n  "a": {"period": 60}, # b\n  "b": 1\n  }', HEAD), "json-comment", 8),
    ("slashes", cfg('{\n  // b\n  "b": {"period": 60}}', HEAD), "json-comment", 8),
    ("config twice", cfg("config = {}", HEAD), "json-twice", 7),
    ("no config", f"[daemon]\n{HEAD}", "config-missing", 0),
    ("list", cfg("[1]", HEAD), "config-type", 7),
    ("no daemons", cfg("{}", HEAD), "no-daemons", 7),
    ("no section", "[server]\na = 1\n", "no-section", 0),
    ("Config", "[daemon]\nConfig = {}\n", "option-case", 2),
    ("unknown option", head("nproc = 4\n"), "unknown-option", 2),
    ("disabled", head("enable = False\n"), "disabled", 2),
    ("no enable", head("n_proc = 4\n"), "enable-missing", 0),
    ("false", head("enable = false\n"), "enable-text", 2),
    ("1", head("enable = 1\n"), "enable-text", 2),
    ("no package", head("enable = True\n"), "package-missing", 0),
    ("quoted package", head("package = 'pandaserver.daemons.scripts'\n"), "package-name", 2),
    ("empty package", head("package =\n"), "package-name", 2),
    ("package of digits", head("package = 5\n"), "package-name", 2),
    ("other package", head("package = pandaserver.daemon.scripts\n"), "package-other", 2),
    ("no user", head("uname = u\n"), "user-missing", 0),
    ("n_proc text", head("n_proc = 4 # four\n"), "n-proc", 2),
    ("n_proc -1", head("n_proc = -1\n"), "n-proc", 2),
    ("n_proc 0", head("n_proc = 0\n"), "n-proc-zero", 2),
    ("n_proc 1", head("n_proc = 1\n"), "n-proc-one", 2),
    ("loops", cfg('{"a": {"period": 60, "loop": true}, "b": {"period": 60}}', "n_proc = 1\n"),
     "loops-take-all", 2),
    ("sessions", head("use_tbif = True\nn_dbconn = x\n"), "n-dbconn", 3),
    ("lifetime", head("proc_lifetime = 4h\n"), "proc-lifetime", 2),
    ("tbif", head("use_tbif = false\n"), "use-tbif", 2),
    ("name twice", cfg('{\n  "a": {"period": 1},\n  "a": {"period": 2}}', HEAD),
     "duplicate-name", 8),
    ("attribute twice", one('{"period": 60,\n     "period": 70}'), "duplicate-attribute", LINE),
    ("perod", one('{\n      "period": 60,\n      "perod": 60}'), "unknown-attribute", 10),
    ("enable text", one('{"period": 60, "enable": "false"}'), "enable-type", LINE),
    ("sync text", one('{"period": 60, "sync": "false"}'), "flag-type", LINE),
    ("loop null", one('{"period": 60, "loop": null}'), "flag-type", LINE),
    ("entry", one("60"), "entry-type", LINE),
    ("no period", one("{}"), "period-missing", LINE),
    ("no period, timeout", one('{"timeout": 5}'), "period-missing", LINE),
    ("period text", one('{"period": "60"}'), "period-type", LINE),
    ("period float", one('{"period": 1.5}'), "period-type", LINE),
    ("period true", one('{"period": true}'), "period-type", LINE),
    ("period 0", one('{"period": 0}'), "period-low", LINE),
    ("timeout null", one('{"period": 60,\n "timeout": null}'), "timeout-type", 9),
    ("timeout text", one('{"period": 60, "timeout": "9"}'), "timeout-type", LINE),
    ("timeout 0", one('{"period": 60, "timeout": 0}'), "timeout-zero", LINE),
    ("timeout loop", one('{"period": 60, "timeout": 60, "loop": true}'), "timeout-loop", LINE),
    ("module", one('{"period": 60, "module": 5}'), "module-type", LINE),
    ("add", GUIDE.replace('"add_sub"', '"add"'), "module-unknown", 25),
    ("arguments", one('{"period": 60, "arguments": "-n 1"}'), "arguments-type", LINE),
    ("guide's own", one('{"period": 60, "arguments": ["dump", "-n", 100]}'), "argument-type", LINE),
    ("aborts", one('{"period": null}'), "aborts", LINE),
    ("short sync", one('{"period": 33, "sync": true, "timeout": 900}'), "sync-short", LINE),
    ("sync timeout", one('{"period": 60, "sync": true}'), "sync-timeout", LINE),
    ("weekly", one('{"period": 604800}'), "unsynced-long", LINE),
    ("revival", cfg('{"a": {"period": 600, "timeout": 9000}}', HEAD), "revival", 7),
    ("nothing", {}, "no-file", 0),
]  # fmt: skip


def faults(case: object, **asked: object) -> tuple[Fault, ...]:
    tree = {CFG: case} if isinstance(case, str) else case
    return check(effective(tree), Asked(**asked))  # type: ignore[arg-type]


@pytest.mark.parametrize(("case", "code", "line"), [case[1:] for case in CASES],
                         ids=[str(case[0]) for case in CASES])  # fmt: skip
def test_trap_is_found_at_its_line(case: object, code: str, line: int) -> None:
    found = {one.code: one for one in reversed(faults(case))}
    assert code in found, [str(one.place) + one.code for one in found.values()]
    assert found[code].place.line == line
    assert found[code].severity is TRAPS[code].severity


def test_every_trap_has_a_case() -> None:
    elsewhere = {"stray", "overlay-object", "revival-endless", "tz", "tz-missing", "env-shell"}
    assert TRAPS.keys() - {code for _, _, code, _ in CASES} == elsewhere


def test_sound_configuration_has_no_fault() -> None:
    assert faults(cfg(f"{{{SOUND}}}", HEAD)) == ()
    assert faults(cfg(f"{{{SOUND}}}", HEAD).replace("\n", "\r\n")) == ()
    arguments = '"arguments": ["%%d", "#", "//"]'
    text = f'{{\n# a comment\n\n    {SOUND}, "tmpwatch": {{"period": 60, {arguments}}}}}'
    assert faults(cfg(text, HEAD)) == ()


def test_guide_has_warnings_alone() -> None:
    found = faults(GUIDE)
    assert [(one.code, one.severity) for one in found] == [("sync-timeout", Verdict.WARNING)]
    assert "copyArchive 6000 s" in found[0].text


def test_nearest_name_is_told() -> None:
    said = {one.code: one.text for one in faults(one('{"period": 60, "perod": 60, "Sync": true}'))}
    assert "did you mean 'sync'" in said["unknown-attribute"]
    said = {one.code: one.text for one in faults(head("proc_lifetim = 5\n"))}
    assert "did you mean 'proc_lifetime'" in said["unknown-option"]
    said = {one.code: one.text for one in faults(GUIDE.replace('"evpPD2P"', '"evpPd2p"'))}
    assert "did you mean 'evpPD2P'" in said["module-unknown"]
    said = {one.code: one.text for one in faults(GUIDE.replace("daemons.scripts", "daemon.script"))}
    assert "did you mean 'pandaserver.daemons.scripts'" in said["package-other"]
    assert "package-name" not in {one.code for one in faults(head("package = $PACKAGE\n"))}
    hint = next(one for one in faults(GUIDE.replace('"add_sub"', '"add"')) if one.daemon == "add")
    assert hint.remedy.startswith("add was split into add_main and add_sub")


def test_modules_can_be_given() -> None:
    text = cfg(f"{{{SOUND}}}", HEAD)
    codes = [one.code for one in faults(text, modules=frozenset({"add_main", "add_sub"}))]
    assert codes == ["module-unknown"]


def test_enable_differs_by_launcher() -> None:
    said = {one.code: one.text for one in faults(head("enable = false\n"))}
    assert (
        "systemd master starts (any text is true), the init script does not" in said["enable-text"]
    )
    assert effective(head("enable = false\n")).starts_by_systemd
    assert not effective(head("enable = false\n")).starts_by_init


def test_versions() -> None:
    tree = {CFG: head("n_proc = 3\n"), OVERLAY: '{"daemon": {"config": {"a": {"period": 60}}}}'}
    assert "overlay-object" in {one.code for one in faults(tree, version="0.6.9")}
    assert "overlay-object" not in {one.code for one in faults(tree, version="0.6.10")}
    assert "revival-endless" in {one.code for one in faults(tree, version="0.5.0")}
    assert "revival-endless" not in {one.code for one in faults(tree, version="1.0.4")}
    for text in (f"[daemon]\n{HEAD}", "[server]\na = 1\n", ""):
        assert faults(text, version="0.6.9") == faults(text)


@pytest.mark.parametrize(
    ("line", "codes"),
    [
        ("TZ=UTC", []), ("TZ='Etc/UTC'", []), ("TZ=UTC0", []), ("TZ=GMT", []),
        ("TZ=America/New_York", ["tz"]), ("TZ=CET-1CEST", ["tz"]), ("# TZ=UTC", ["tz-missing"]),
        ("export TZ=UTC", ["env-shell", "tz-missing"]),
        ("TZ=UTC\nHOME=~atlpan", ["env-shell"]), ("TZ=UTC\nA=$HOME/x", ["env-shell"]),
    ],
)  # fmt: skip
def test_environment_file(line: str, codes: list[str]) -> None:
    assert sorted(one.code for one in check_env("env", line + "\n", synced=True)) == codes


def test_environment_file_in_a_whole_check() -> None:
    found = faults(GUIDE, env_text="A=1\nTZ=Europe/Zurich\n")
    assert (found[0].code, found[0].place.line) == ("tz", 2)
    assert found[0].severity is Verdict.CRITICAL


@pytest.mark.parametrize("name", ALL)
def test_no_configuration_ends_in_a_traceback_and_broken_ones_are_not_sound(name: str) -> None:
    case = ALL[name]
    read = effective(case, {**ENVIRONMENT, **VARIABLES})
    found = check(read)
    if read.stopped_by and read.value("enable") is not False:
        assert any(one.severity is Verdict.CRITICAL for one in found)
    for one in found:
        assert one.text
        assert one.remedy
        assert re.fullmatch("[a-z0-9-]+", one.code)


@given(st.lists(PIECES, max_size=30).map("".join))
@example('[daemon]\nconfig = {"a": {"period": 60, "arguments": ' + "[" * 480 + "]" * 480 + "}}")
@example('[daemon]\nconfig = {"a": {"period": 60, "arguments": ' + "[" * 920 + "]" * 920 + "}}")
@example("[daemon]\nn_proc = " + "9" * 5000)
def test_any_text_is_checked_without_a_traceback(text: str) -> None:
    for tree in ({CFG: text}, {CFG: "[daemon]\nconfig = " + text}, {CFG: GUIDE, OVERLAY: text}):
        check(effective(tree))
