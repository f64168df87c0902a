"""Edits of an inventory file: comments, order and other people's changes stay."""

import os
import subprocess
import sys
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from psops.errors import ConfigError, InventoryError, UsageError
from psops.inventory.draft import Draft
from psops.inventory.edit import add, remove
from psops.inventory.file import parse
from psops.inventory.write import edit_file, place_to_edit
from psops.toml_text import statements, strings_of, write_key, write_value

PATH = Path("inventory.toml")
MINE = """\
# my hosts
[defaults]
user = "root"   # always

# the north
[hosts."ps[01-20].example.org"]
labels = { site = "north" }

# the odd one
[hosts."ps07.example.org"]       # behind a gateway
port = 2222
jump = ["gw.example.org"]
[hosts."ps07.example.org".labels]
rack = "A7"

# groups
[groups.testpoint]
hosts = "ps[01-16].example.org"

[groups.measurement]
groups = ["testpoint"]
hosts = [
  "ps[17-20].example.org",  # four
  "archive.example.org"  # one
]
# the end
"""


def lines(text: str) -> list[str]:
    return text.splitlines()


def lost(before: str, after: str) -> list[str]:
    """Return the lines that are there no more, in their order."""
    left = lines(after)
    gone = []
    for line in lines(before):
        if line in left:
            left.remove(line)
        else:
            gone.append(line)
    return gone


def test_a_host_is_added_behind_the_others_and_nothing_else_moves() -> None:
    edit = add(MINE, PATH, ["me@new[1-2]:2200"], settings={"labels": {"site": "south"}})
    assert lost(MINE, edit.after) == []
    assert edit.new_hosts == ("new1", "new2")
    new = '[hosts."new[1-2]"]\nuser = "me"\nport = 2200\nlabels = {site = "south"}\n'
    assert f'rack = "A7"\n\n{new}\n# groups\n' in edit.after


def test_a_host_is_put_into_groups_old_and_new() -> None:
    edit = add(MINE, PATH, ["new"], groups=["testpoint", "measurement", "third"])
    assert 'hosts = ["ps[01-16].example.org", "new"]\n' in edit.after
    assert '  "archive.example.org",  # one\n  "new",\n]\n# the end\n' in edit.after
    assert edit.after.endswith('[groups.third]\nhosts = ["new"]\n')
    assert edit.new_groups == ("third",)
    assert edit.changed_groups == ("testpoint", "measurement")
    assert "# the odd one" in edit.after


def test_a_setting_of_a_host_that_is_there_is_set_where_it_is() -> None:
    edit = add(MINE, PATH, ["ps07.example.org:22"], settings={"labels": {"rack": "B1", "u": "2"}})
    assert lost(MINE, edit.after) == ["port = 2222", 'rack = "A7"']
    assert "port = 22\njump" in edit.after
    assert 'rack = "B1"\nu = "2"\n' in edit.after
    assert edit.changed_hosts == ("ps07.example.org",)


def test_a_host_of_a_range_gets_a_table_of_its_own() -> None:
    edit = add(MINE, PATH, ["ps03.example.org"], settings={"labels": {"site": "east"}})
    assert lost(MINE, edit.after) == []
    (host,) = parse(edit.after, PATH).select(["ps03.example.org"])
    assert dict(host.labels) == {"site": "east"}


def test_a_bundle_is_added_to_those_of_a_host_and_comments_stay() -> None:
    mine = '[hosts.a]\nbundles = [\n  "x",  # since May\n  # soon: z\n]\n[hosts.b]\nport = 1\n'
    edit = add(mine, PATH, ["a", "b"], settings={"bundles": ["y", "x"]})
    assert lost(mine, edit.after) == []
    hosts = {host.name: host.bundles for host in parse(edit.after, PATH).hosts}
    assert hosts == {"a": ("x", "y"), "b": ("y", "x")}


def test_what_is_so_already_changes_nothing() -> None:
    edit = add(MINE, PATH, ["root@ps01.example.org"], groups=["testpoint"])
    assert (edit.after, edit.changes) == (MINE, False)


def test_hosts_are_removed_from_ranges_tables_and_groups() -> None:
    edit = remove(MINE, PATH, ["ps07.example.org,ps20.example.org,archive.example.org"])
    assert [line for line in lost(MINE, edit.after) if "#" in line] == [
        '[hosts."ps07.example.org"]       # behind a gateway',
        '  "ps[17-20].example.org",  # four',
        '  "archive.example.org"  # one',
    ]
    assert '[hosts."ps[01-06,08-19].example.org"]\nlabels = { site = "north" }' in edit.after
    assert '  "ps[17-19].example.org",  # four\n' in edit.after
    assert "# one\n" in edit.after
    assert "# the odd one\n\n# groups\n" in edit.after
    names = {host.name for host in parse(edit.after, PATH).hosts}
    assert names == {f"ps{n:02}.example.org" for n in range(1, 20) if n != 7}


def test_a_host_is_taken_out_of_one_group_alone() -> None:
    edit = remove(MINE, PATH, ["ps02.example.org"], group="testpoint")
    assert lost(MINE, edit.after) == ['hosts = "ps[01-16].example.org"']
    assert 'hosts = "ps[01,03-16].example.org"' in edit.after
    with pytest.raises(UsageError, match=r"'ps02.*' is in group 'measurement' by .* 'testpoint'"):
        remove(MINE, PATH, ["ps02.example.org"], group="measurement")
    with pytest.raises(UsageError, match=r"'ps20\.example\.org' is not in group 'testpoint'"):
        remove(MINE, PATH, ["ps20.example.org"], group="testpoint")
    with pytest.raises(UsageError, match="no group 'tespoint'; did you mean 'testpoint'"):
        remove(MINE, PATH, ["ps20.example.org"], group="tespoint")


def test_the_last_host_of_a_group_leaves_an_empty_one() -> None:
    edit = remove(MINE, PATH, ["@testpoint"])
    assert "hosts = []\n" in edit.after
    assert parse(edit.after, PATH).groups["testpoint"] == ()


def test_a_host_that_is_not_there_cannot_be_removed() -> None:
    with pytest.raises(UsageError, match=r"no host 'ps2.example.org' in inventory.toml; did you"):
        remove(MINE, PATH, ["ps2.example.org"])


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[hosts]\na = {port = 1}\n", 2),
        ("[hosts]\na.port = 1\n", 2),
        ("hosts.a.port = 1\n", 1),
    ],
)
def test_tables_within_others_are_left_to_people(text: str, line: int) -> None:
    with pytest.raises(InventoryError, match=rf"^inventory.toml:{line}: cannot be edited: ") as one:
        remove(text, PATH, ["a"])
    assert "[hosts.NAME]" in one.value.remedy
    with pytest.raises(InventoryError, match="cannot be edited"):
        add(text, PATH, ["root@a"])


def test_a_table_of_which_only_inner_ones_have_headers_gets_one() -> None:
    text = '[hosts.a.labels]\nx = "1"\n\n[[hosts.a.waivers]]\ndaemon = "d"\nreason = "r"\n'
    edit = add(text, PATH, ["me@a:22"], settings={"labels": {"x": "2"}})
    assert edit.after == text.replace('"1"', '"2"') + '\n[hosts.a]\nuser = "me"\nport = 22\n'
    assert remove(edit.after, PATH, ["a"]).after.strip() == ""


def test_windows_lines_and_a_byte_order_mark_stay() -> None:
    text = "\ufeff" + MINE.replace("\n", "\r\n")
    edit = add(text, PATH, ["new:1"], groups=["measurement", "g"])
    assert edit.after.startswith("\ufeff# my hosts\r\n")
    assert edit.after.count("\n") == edit.after.count("\r\n")
    assert lost(text, edit.after) == ['  "archive.example.org"  # one']
    edit = remove(text, PATH, ["ps07.example.org", "archive.example.org"])
    assert edit.after.count("\n") == edit.after.count("\r\n")


def test_a_file_without_a_last_line_end_and_an_empty_one() -> None:
    assert add("[hosts.a]", PATH, ["b"]).after == "[hosts.a]\n\n[hosts.b]\n"
    assert add("", PATH, ["b"]).after == "[hosts.b]\n"
    assert add("# nothing yet\n", PATH, ["b"]).after == "# nothing yet\n\n[hosts.b]\n"
    assert remove("[hosts.a]", PATH, ["a"]).after == ""


@pytest.mark.parametrize(
    "patterns", [["a b"], ["-x"], ["a[1-"], ["me@a,you@a:0"], ["@testpoint"], ["é"]]
)
def test_a_name_that_no_host_can_have_is_a_usage_error(patterns: list[str]) -> None:
    with pytest.raises(UsageError):
        add(MINE, PATH, patterns)


def test_one_address_cannot_serve_two_hosts() -> None:
    with pytest.raises(UsageError, match="one address cannot serve 2 hosts"):
        add(MINE, PATH, ["a,b"], settings={"address": "192.0.2.1"})


# Any file and any edit

NAMES = [f"ps{number:02}" for number in range(1, 9)] + ["gw", "a.example.org"]
SUBSETS = st.lists(st.sampled_from(NAMES), min_size=1, max_size=5, unique=True)
COMMENTS = st.sampled_from(["", "# a comment", "#", "   # [hosts.x]", '# "'])
PATTERNS = st.sampled_from([*NAMES, "ps[01-04]", "ps[03-08]", "gw,ps01"])
TAILS = st.sampled_from(["", "  # why", "\t#"])
VALUES = st.sampled_from(
    ["port = 22", 'user = "me"', "labels = {a = 'b#', c = \"]\"}", 'jump = [\n  "x", # first\n]',
     'labels.site = """\\\n[hosts.no]\\\n"""', "sudo = true"]
)  # fmt: skip


@st.composite
def inventories(draw: Any) -> str:
    """Return the text of some inventory in some style."""
    parts = [draw(COMMENTS)]
    for pattern in draw(st.lists(PATTERNS, max_size=4, unique=True)):
        values = {value.split()[0].split(".")[0]: value
                  for value in draw(st.lists(VALUES, max_size=3))}  # fmt: skip
        parts += [draw(COMMENTS), f'[ hosts . "{pattern}" ]{draw(TAILS)}', *values.values()]
    for name in draw(st.lists(st.sampled_from(["g1", "g2", "g3"]), max_size=3, unique=True)):
        hosts = draw(st.lists(PATTERNS, max_size=3, unique=True))
        tail = draw(TAILS)
        shape = draw(st.sampled_from(["line", "lines", "string", "last", "none"]))
        if shape == "string" and hosts:
            value = f"'{','.join(hosts)}'{tail}"
        elif shape == "none":
            value = "[  # a comment\n  # a comment\n]"
        elif shape == "lines":
            value = "[\n" + "".join(f"    '{one}',{tail}\n" for one in hosts) + "]"
        elif shape == "last" and hosts:
            value = "[" + ",\n ".join(f'"{one}"' for one in hosts) + f"{tail}\n]"
        else:
            value = "[" + ", ".join(f'"{one}"' for one in hosts) + f"]{tail}"
        parts += [draw(COMMENTS), f"[groups.{name}]{draw(TAILS)}", f"hosts = {value}"]
    text = "\n".join(parts)
    return text + str(draw(st.sampled_from(["", "\n", "\n\n"])))


def comments(text: str) -> list[str]:
    return [line.strip() for line in lines(text) if line.strip().startswith("#")]


@settings(max_examples=100, deadline=None)
@given(inventories(), SUBSETS, st.sampled_from(["g1", "g2", "new"]))
def test_hosts_can_be_added_to_any_file(text: str, names: list[str], group: str) -> None:
    before = parse(text, PATH)
    edit = add(text, PATH, names, groups=[group], settings={"port": 2222, "labels": {"x": "y"}})
    after = parse(edit.after, PATH)
    hosts = {host.name: host for host in after.hosts}
    for name in names:
        assert (hosts[name].port, dict(hosts[name].labels)["x"]) == (2222, "y")
        assert group in hosts[name].groups
    for host in before.hosts:
        if host.name not in names:
            assert hosts[host.name] == host
    assert comments(text) == comments(edit.after)
    assert add(edit.after, PATH, names, groups=[group], settings={"port": 2222}).changes is False


@settings(max_examples=100, deadline=None)
@given(inventories(), st.data())
def test_hosts_can_be_removed_from_any_file(text: str, data: st.DataObject) -> None:
    before = parse(text, PATH)
    if not before.hosts:
        return
    known = sorted(host.name for host in before.hosts)
    names = data.draw(st.lists(st.sampled_from(known), min_size=1, max_size=4, unique=True))
    edit = remove(text, PATH, names)
    after = parse(edit.after, PATH)
    assert {host.name for host in after.hosts} == set(known) - set(names)
    left = {host.name: host for host in after.hosts}
    for host in before.hosts:
        assert host.name in names or left[host.name] == host
    above = [line for line in comments(text) if line in comments(edit.after)]
    assert [line for line in comments(text) if line.startswith("# a comment")] == [
        line for line in above if line.startswith("# a comment")
    ]


@settings(max_examples=100, deadline=None)
@given(inventories())
def test_every_statement_is_found_where_it_is(text: str) -> None:
    for one in statements(text):
        inner = text[slice(*one.inner)]
        if one.is_header:
            assert tomllib.loads(f"[{inner}]")
        else:
            value: Any = tomllib.loads(f"a = {inner}")["a"]
            if isinstance(value, list) and all(isinstance(item, str) for item in value):
                assert [item for _, _, item in strings_of(text, one.inner)] == value


@settings(max_examples=100, deadline=None)
@given(st.recursive(
    st.one_of(st.text(), st.integers(-(2**60), 2**60), st.booleans(), st.dates()),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(), inner)),
    max_leaves=8,
), st.text())  # fmt: skip
def test_a_value_that_is_written_reads_the_same(value: Any, key: str) -> None:
    assert tomllib.loads(f"{write_key(key)} = {write_value(value)}") == {key: value}


# Files


def test_the_file_keeps_its_mode_its_link_and_its_folder_tidy(tmp_path: Path) -> None:
    real = tmp_path / "real.toml"
    real.write_text("[hosts.a]\n")
    real.chmod(0o640)
    link = tmp_path / "link.toml"
    link.symlink_to("real.toml")
    edit_file(link, lambda text: add(text, link, ["b"]).after)
    assert link.is_symlink()
    assert "[hosts.b]" in real.read_text()
    assert real.stat().st_mode & 0o777 == 0o640
    assert sorted(os.listdir(tmp_path)) == ["link.toml", "real.toml"]


def test_a_file_that_is_not_there_is_begun(tmp_path: Path) -> None:
    path = tmp_path / "config/psops/inventory.toml"
    edit_file(path, lambda text: add(text, path, ["b"]).after)
    assert path.read_text() == "[hosts.b]\n"
    assert os.listdir(path.parent) == ["inventory.toml"]


def test_what_somebody_writes_in_between_stays(tmp_path: Path) -> None:
    path = tmp_path / "inventory.toml"
    path.write_text("[hosts.a]\n")

    def change(text: str) -> str:
        path.write_text("[hosts.theirs]\n")
        return add(text, path, ["b"]).after

    with pytest.raises(ConfigError, match="somebody has changed it"):
        edit_file(path, change)
    assert path.read_text() == "[hosts.theirs]\n"
    assert os.listdir(tmp_path) == ["inventory.toml"]
    path.unlink()
    with pytest.raises(InventoryError, match="not written: file exists"):
        edit_file(path, change)
    assert path.read_text() == "[hosts.theirs]\n"
    assert os.listdir(tmp_path) == ["inventory.toml"]


def test_an_edit_that_gives_no_inventory_is_not_written(tmp_path: Path) -> None:
    path = tmp_path / "inventory.toml"
    path.write_text("[hosts.a]\n")
    with pytest.raises(InventoryError):
        edit_file(path, lambda text: "[hosts.a]\nprot = 1\n")
    assert path.read_text() == "[hosts.a]\n"


def test_many_at_once_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "inventory.toml"
    path.write_text("# ours\n[hosts.a]\n")

    def run(number: int) -> int:
        words = ["inventory", "add", f"host{number}", "-g", "all-of-us", "--yes", "-i", str(path)]
        return subprocess.run(
            [sys.executable, "-m", "psops", *words], stdin=subprocess.DEVNULL, timeout=60,
            capture_output=True,
        ).returncode  # fmt: skip

    with ThreadPoolExecutor(6) as pool:
        assert set(pool.map(run, range(6))) == {0}
    found = parse(path.read_text(), path)
    assert set(found.groups["all-of-us"]) == {f"host{number}" for number in range(6)}
    assert path.read_text().startswith("# ours\n")


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    path = tmp_path / "file/inventory.toml"
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(InventoryError, match=r"(cannot read|not written): "):
        edit_file(path, lambda text: "[hosts.a]\n")


def test_a_draft_that_goes_wrong_is_not_given_out() -> None:
    draft = Draft(MINE, PATH)
    draft.values["hosts"]["ghost"] = {}  # in the values, but not in the text
    with pytest.raises(InventoryError, match="the result would not be what was asked for"):
        draft.text()


def test_a_range_of_which_one_host_is_left_stays_as_weak_as_it_was() -> None:
    text = '[hosts.a]\nport = 1\n[hosts."a,b"]\nport = 2\n[hosts."a,b,c"]\nuser = "x"\n'
    edit = remove(text, PATH, ["b,c"])
    (host,) = parse(edit.after, PATH).hosts
    assert (host.name, host.port, host.user) == ("a", 1, "x")


def test_place_of_an_inventory_below_no_known_home_is_one_of_that_name() -> None:
    assert place_to_edit("~nosuch/x", make=True) == Path("~nosuch/x")
