"""Merging into a file: what comes out reads as asked, and all else is byte for byte the same."""

import re
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from psops.errors import ConfigError
from psops.panda.merge import Merged, merge, read_file, shadowed, unified_diff
from psops.panda.rawtext import find_option
from tests.panda.layouts import SETS, files
from tests.panda.trees import CFG, GUIDE, OVERLAY, cfg, effective

A = '"a": {"period": 60}'


def table(text: str) -> dict[str, Any]:
    return {one.name: one.written for one in read_file(text, "f").daemons}


def test_new_daemon_goes_behind_the_last_in_the_style_of_the_others() -> None:
    new = {"hs_scrapers": {"period": 604800, "sync": True}, "p": {"period": 5, "module": "x%y"}}
    merged = merge(GUIDE, new, path="f.cfg")
    assert merged.added == ("hs_scrapers", "p")
    assert unified_diff(GUIDE, merged.text, "f.cfg") == (
        "--- f.cfg (before)\n+++ f.cfg (after)\n@@ -51,5 +51,7 @@\n"
        '     "metric_collector": {\n         "enable": true, "period": 300},\n'
        '     "task_evaluator": {\n-        "enable": true, "period": 300}\n'
        '+        "enable": true, "period": 300},\n'
        '+    "hs_scrapers": {"period": 604800, "sync": true},\n'
        '+    "p": {"period": 5, "module": "x%%y"}\n'
        "     }\n"
    )


def test_changed_daemon_is_replaced_in_its_place() -> None:
    merged = merge(GUIDE, {"copyArchive": {"period": 2700, "sync": True}, "add_sub":
                           {"period": 240, "enable": True}})  # fmt: skip
    assert (merged.changed, merged.same, merged.added) == (("copyArchive",), ("add_sub",), ())
    assert '    "copyArchive": {"period": 2700, "sync": true},\n' in merged.text
    assert merged.notes == ()
    assert len(merged.text.splitlines()) == len(GUIDE.splitlines()) - 1


def test_attributes_that_are_lost_are_told_and_can_be_kept() -> None:
    text = cfg('{"a": {"period": 60, "timeout": 900, "sync": true, "module": "m"}}')
    given = {"a": {"period": 70, "module": "m"}}
    merged = merge(text, given, path="f")
    assert merged.notes == ("f:5: 'a' loses timeout, sync",)
    kept = merge(text, {"a": {"period": 70}}, update=True)
    assert table(kept.text)["a"] == {"period": 70, "timeout": 900, "sync": True, "module": "m"}
    assert kept.notes == ()


def test_disabled_daemons_stay() -> None:
    text = cfg('{\n    "a": {"enable": false, "period": 60},\n    "b": {"enable": false}\n    }')
    merged = merge(text, {"a": {"period": 70}, "c": {"period": 5}}, path="f")
    assert table(merged.text) == {
        "a": {"enable": False, "period": 70}, "b": {"enable": False}, "c": {"period": 5},
    }  # fmt: skip
    assert merged.notes == ("f:6: 'a' is disabled and stays so",)
    assert table(merge(text, {"a": {"period": 70, "enable": True}}).text)["a"]["enable"] is True
    assert table(merge(text, {"n": {"enable": False}}).text)["n"] == {"enable": False}


def test_daemon_of_another_module_is_not_overwritten() -> None:
    for new in ({"period": 600}, {"period": 600, "module": "other"}):
        with pytest.raises(ConfigError, match="runs module 'panda_activeusers_query' there"):
            merge(GUIDE, {"proxyCache": new})
    with pytest.raises(ConfigError, match="runs module 'evpPD2P' there and 'x'"):
        merge(GUIDE, {"evpPD2P": {"period": 600, "module": "x"}}, update=True)


def test_comments_inside_are_kept() -> None:
    text = cfg(
        '{\n# about a\n    "a": {\n      # its period\n      "period": 60\n; more\n      },'
        '\n\n  # last\n    "b": {"period": 1}\n    # the end\n    }'
    )
    merged = merge(text, {"a": {"period": 70}, "c": {"period": 3}})
    assert table(merged.text) == {"a": {"period": 70}, "b": {"period": 1}, "c": {"period": 3}}
    for comment in ("# about a", "# its period", "; more", "# last", "# the end"):
        assert re.search(rf"^ *{comment}$", merged.text, re.MULTILINE)
    assert merge(merged.text, {"a": {"period": 60}}).text.count("#") == text.count("#")


@pytest.mark.parametrize(
    "text",
    [
        cfg("{}"), cfg("{\n    }"), cfg("{ }").rstrip(), cfg(f"{{{A}}}"), cfg(f"{{{A}}}").rstrip(),
        cfg(f"\n    {{\n  {A}\n  }}"), cfg(f"{{\n\t{A}\n\t}}"),
        cfg(f"{{ {A},\n  \"b\": {{\"period\": 1}}}}"),
        cfg(f"{{\n    {A}\n    }}").replace("\n", "\r\n"), cfg("{}").rstrip().replace("\n", "\r\n"),
        cfg(f"{{\n  {A}\n  }}") + "\n\n# c\n[x]\nconfig = 5\n a%b\n",
        "[x]\nconfig = 1\n" + cfg("{}"),
        "  [daemon]\n  config = {\n      }\n  n_proc = 4\n",
        "[daemon]\nn_proc = 3\n\n# end\n\n[x]\na = 1\n", "[daemon]", "[daemon]\r\nn_proc = 1\r\n",
        "[daemon]\nx = [\n   [1],\n   ]\n[y]\n", "[DEFAULT]\nconfig = {}\n[daemon]\nn_proc = 1\n",
        cfg('{"ä%%": {"period": 60}, "é": {"period": 4}}'),
        cfg(f"{{\n  {A}   \n\n\n  }}   ") + "   \n",
    ],
)  # fmt: skip
def test_any_layout_takes_a_daemon(text: str) -> None:
    before = table(text)
    merged = merge(text, {"new%": {"period": 7, "arguments": ["%d", "é", '"']}})
    assert table(merged.text) == {**before, "new%": {"period": 7, "arguments": ["%d", "é", '"']}}
    again = merge(merged.text, {"new%": {"period": 7, "arguments": ["%d", "é", '"']}})
    assert again == Merged(text=merged.text, same=("new%",))
    if "\r\n" in text:
        assert "\n" not in merged.text.replace("\r\n", "")


def test_last_of_doubled_names_is_replaced() -> None:
    text = cfg('{"a": {"period": 1}, "a": {"period": 2}}')
    assert '"a": {"period": 1}, "a": {"period": 3}' in merge(text, {"a": {"period": 3}}).text


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[server]\na = 1\n", "no section"), ("", "no section"), ("x", "cannot read it"),
        (cfg("{'a': 1}"), "cannot be merged into"), (cfg("[]"), "cannot be merged into"),
        (cfg('{"a": {"period": 60}, "b": {}}'), "cannot be merged into"),
        (cfg("$CONFIG"), "cannot be merged into"), (cfg('{"a%": {}}'), "cannot read"),
        (cfg('{"a%(n_proc)s": {"period": 60}}'), "put together from other options"),
        (cfg(f"{{\n{A}\n}}"), "cannot read it"),
    ],
)  # fmt: skip
def test_file_that_is_not_sound_is_refused(text: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        merge(text, {"n": {"period": 5}})


@pytest.mark.parametrize(
    "entry",
    [
        {}, {"period": "60"}, {"period": None}, {"period": 60, "arguments": ["-n", 100]}, 5, None,
        {"period": 60, "timeout": None}, {"period": 60, "sync": "false"}, {"period": 0},
        {"period": float("nan")}, {"period": 60, "module": 5}, {"period": 60, "arguments": {1, 2}},
    ],
)  # fmt: skip
def test_daemon_that_the_master_would_stumble_over_is_not_merged(entry: Any) -> None:
    with pytest.raises(ConfigError):
        merge(GUIDE, {"n": entry})


def test_edits_without_effect_are_told() -> None:
    whole = effective({CFG: GUIDE, OVERLAY: '{"daemon": {"config": {}}}'})
    assert shadowed(whole, CFG).startswith(f"{OVERLAY}:1 has a 'config' as well")
    assert shadowed(effective(GUIDE), CFG) == ""
    below = "/etc/panda/panda_server.cfg"
    assert shadowed(effective({below: GUIDE, CFG: GUIDE}), below).startswith(f"{CFG}:20 has")
    assert shadowed(effective("[daemon]\n"), CFG) == ""


@given(files(), SETS, st.booleans())
@example((cfg("{}"), {}), {"\u2028": {"period": 1}}, False)
def test_merge_then_read_gives_the_same_and_the_rest_is_untouched(
    file: tuple[str, dict[str, Any]], new: dict[str, Any], update: bool
) -> None:
    text, there = file
    assert table(text) == there
    merged = merge(text, new, update=update)
    wanted = dict(there)
    for name, entry in new.items():
        old = there.get(name, {})
        kept = {"enable": False} if old.get("enable") is False and "enable" not in entry else {}
        wanted[name] = {**(old if update else kept), **entry}
    assert table(merged.text) == wanted
    assert list(table(merged.text)) == list(wanted)
    line = read_file(text, "f").options["config"].place.line
    old_span, new_span = find_option(text, line, "config"), find_option(merged.text, line, "config")
    assert text[: old_span.begin] == merged.text[: new_span.begin]
    assert text[old_span.end :] == merged.text[new_span.end :]
    comments = [one.strip() for one in text.splitlines() if one.strip().startswith(("#", ";"))]
    found = [one.strip() for one in merged.text.splitlines() if one.strip().startswith(("#", ";"))]
    assert comments == found
    assert merge(merged.text, new, update=update).text == merged.text
