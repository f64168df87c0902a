"""Inventory files, host selection, and sets of host names."""

import json
import os
import re
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
from ClusterShell.NodeSet import (  # noqa: TID253 - the reference
    RESOLVER_NOGROUP,
    NodeSet,
    NodeSetParseError,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from psops.errors import InventoryError, NoSuchGroup, UsageError
from psops.inventory import (
    EMPTY,
    TRANSPORTS,
    Destination,
    Host,
    Inventory,
    expand,
    fold,
    load,
    parse_destination,
)
from psops.inventory.file import parse
from psops.nodeset import LARGEST, NodesetError

VECTORS = Path(__file__).parent / "vectors/inventory"
WRONG = sorted(path.stem for path in VECTORS.glob("*.error"))
RIGHT = sorted(path.stem for path in VECTORS.glob("*.json"))


def read(text: str) -> Inventory:
    return parse(text, Path("inventory.toml"))


def names(hosts: tuple[Host, ...]) -> list[str]:
    return [host.name for host in hosts]


# Files


@pytest.mark.parametrize("case", WRONG)
def test_mistake_is_told_with_place_and_nearest_name(case: str) -> None:
    path = VECTORS / f"{case}.toml"
    with pytest.raises(InventoryError) as caught:
        load(path)
    wanted = (VECTORS / f"{case}.error").read_text().strip()
    assert str(caught.value).replace(str(path), "FILE") == wanted


@pytest.mark.parametrize("case", RIGHT)
def test_file_gives_hosts_and_groups(case: str) -> None:
    path = VECTORS / f"{case}.toml"
    inventory = load(path)
    wanted = json.loads((VECTORS / f"{case}.json").read_text())
    assert {name: list(members) for name, members in inventory.groups.items()} == wanted["groups"]
    assert list(inventory.groups) == list(wanted["groups"])
    assert [plain(host) for host in inventory.hosts] == wanted["hosts"]
    relative = wanted["ssh_config"]
    assert inventory.ssh_config == (path.parent / relative if relative else None)


def plain(host: Host) -> dict[str, Any]:
    """Return what differs from a host without settings, as JSON has it."""
    bare = Host(name="")
    values = {field.name: getattr(host, field.name) for field in fields(host)}
    changed = {key: value for key, value in values.items() if value != getattr(bare, key)}
    return dict(json.loads(json.dumps(changed, default=str)))


def test_all_vectors_are_used() -> None:
    assert {path.stem for path in VECTORS.glob("*.toml")} == {*WRONG, *RIGHT}


#: What a run keeps with a host by itself.
OWN = ("near", "given")


@pytest.mark.parametrize("key", [field.name for field in fields(Host) if field.name not in OWN])
def test_each_field_of_a_host_can_be_set_in_a_file(key: str) -> None:
    if key in ("name", "groups"):
        return
    seen = {key for case in RIGHT for key in re.findall(r"(?m)^(\w+) =", vector(case))}
    assert key in seen


def vector(case: str) -> str:
    return (VECTORS / f"{case}.toml").read_text()


def test_every_transport_is_accepted() -> None:
    for transport in TRANSPORTS:
        assert read(f'[hosts.a]\ntransport = "{transport}"').hosts[0].transport == transport


def test_unreadable_file_is_an_inventory_error(tmp_path: Path) -> None:
    with pytest.raises(InventoryError, match=r"missing: cannot read: no such file or directory$"):
        load(tmp_path / "missing")
    with pytest.raises(InventoryError, match=r"cannot read: is a directory$"):
        load(tmp_path)
    with pytest.raises(InventoryError, match=r"cannot read: "):
        load(Path("nul\0name"))


def test_forbidden_file_is_an_inventory_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")  # root may read everything: pretend

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(InventoryError, match=r"a: cannot read: permission denied$"):
        load(tmp_path / "a")


def test_text_that_is_not_utf8_is_an_inventory_error(tmp_path: Path) -> None:
    path = tmp_path / "latin.toml"
    path.write_bytes(b"[defaults]\n# caf\xe9\n")
    with pytest.raises(InventoryError, match=r"latin.toml:2: not UTF-8 text$"):
        load(path)


def test_byte_order_mark_and_windows_lines_are_fine(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_bytes(b"\xef\xbb\xbf[hosts.a]\r\nport = 1\r\n")
    assert load(path).hosts[0].port == 1


def test_deep_nesting_is_an_inventory_error() -> None:
    with pytest.raises(InventoryError, match="nested too deeply"):
        read("a = " + "[" * 100_000)


def test_long_chain_of_groups_is_read() -> None:
    count = 3000
    text = "".join(f'[groups.g{n}]\ngroups = ["g{n + 1}"]\n' for n in range(count))
    inventory = read(f'{text}[groups.g{count}]\nhosts = "a"\n')
    assert inventory.groups["g0"] == ("a",)
    assert len(inventory.groups_of("a")) == count + 1


def test_groups_of_unknown_host_are_none() -> None:
    assert read(vector("strength")).groups_of("zzz") == ()


WORDS = st.sampled_from(
    ["defaults", "hosts", "groups", "a", "b", "a[1-3]", "a[1-", "user", "port", "jump", "labels",
     "waivers", "daemon", "reason", "until", "protected", "ssh_config", "address", "", "ssh",
     "@a", "~x/y", "é\n", "a,b", "!", "::1"]
)  # fmt: skip
SCALARS = st.one_of(
    WORDS, st.text(max_size=5), st.integers(), st.booleans(), st.floats(), st.dates(),
    st.datetimes(), st.times(),
)  # fmt: skip
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.one_of(WORDS, st.text(max_size=3)), inner)
    ),
    max_leaves=12,
)


@settings(max_examples=120, deadline=None)
@given(st.dictionaries(st.one_of(WORDS, st.text(max_size=3)), VALUES, max_size=4))
def test_no_document_raises_anything_but_inventory_errors(document: dict[str, Any]) -> None:
    import tomli_w

    check_only_inventory_errors(tomli_w.dumps(document))


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="[]{}=\"',.#\n abhost1-:T\\\x00é", max_size=60))
def test_no_text_raises_anything_but_inventory_errors(text: str) -> None:
    check_only_inventory_errors(text)


def check_only_inventory_errors(text: str) -> None:
    try:
        inventory = read(text)
    except InventoryError as exc:
        message = str(exc)
        assert message.startswith("inventory.toml:")
        assert message.isprintable(), "one line"
    else:
        assert len({host.name for host in inventory.hosts}) == len(inventory.hosts)


# Selecting

FLEET = """
[defaults]
user = "root"
jump = "gw"
[hosts."ps[01-03]"]
[hosts.gw]
port = 2222
jump = []
[groups.first]
hosts = "ps01"
[groups.rest]
hosts = "ps[02-03],late"
[groups."rack1"]
hosts = "ps01,gw"
"""


@pytest.mark.parametrize(
    ("asked", "wanted"),
    [
        ({"hosts": ["ps02", "ps01"]}, "ps01 ps02"),
        ({"hosts": ["new2,ps03,new1"]}, "ps03 new2 new1"),
        ({"hosts": ["ps[01-03]!ps02"]}, "ps01 ps03"),
        ({"hosts": ["ps[01-02]&ps[02-03]"]}, "ps02"),
        ({"hosts": ["ps[01-02]^ps[02-03]"]}, "ps01 ps03"),
        ({"hosts": ["@rest"]}, "ps02 ps03 late"),
        ({"hosts": ["@rest!@first,ps01"]}, "ps01 ps02 ps03 late"),
        ({"hosts": ["@rack[1]"]}, "ps01 gw"),
        ({"hosts": ["@*!gw"]}, "ps01 ps02 ps03 late"),
        ({"hosts": ["ps*"]}, "ps01 ps02 ps03"),
        ({"hosts": ["?w"]}, "gw"),
        ({"groups": ["rest", "first"]}, "ps01 ps02 ps03 late"),
        ({"groups": ["first"], "hosts": ["new"]}, "ps01 new"),
        ({"all_hosts": True}, "ps01 ps02 ps03 gw late"),
        ({"all_hosts": True, "exclude": ["@rest,nothere", "gw"]}, "ps01"),
        ({"all_hosts": True, "exclude": ["me@gw", "*0*"]}, "late"),
        ({"hosts": ["a,b", "b,a"]}, "a b"),
        ({"hosts": ["2001:db8::1", "[::2]", "[::1]:22"]}, "2001:db8::1 ::2 [::1]:22"),
        ({"hosts": ["me@[::1]:22,x"]}, "[::1]:22 x"),
        ({"hosts": ["localhost:2201,localhost:2202"]}, "localhost:2201 localhost:2202"),
    ],
)  # fmt: skip
def test_selection(asked: dict[str, Any], wanted: str) -> None:
    assert names(read(FLEET).select(**asked)) == wanted.split()


def test_unknown_host_has_the_defaults() -> None:
    (host,) = read(FLEET).select(["new"])
    assert host == Host(name="new", user="root", jump=("gw",))


def test_user_and_port_of_the_command_line_win() -> None:
    inventory = read(FLEET)
    known = Host(name="gw", user="root", port=2222, jump=(), groups=("rack1",))
    assert inventory.select(["gw"]) == (known,)
    assert inventory.select(["me@gw"])[0] == replace(known, user="me")
    assert inventory.select(["gw:1"])[0] == replace(known, port=1)
    assert inventory.select(["gw", "a@b@gw:1"])[0] == replace(known, user="a@b", port=1)
    assert EMPTY.select(["me@[::1]:22"]) == (
        Host(name="[::1]:22", address="::1", user="me", port=22),
    )


def test_excluding_does_not_change_users() -> None:
    (host,) = read(FLEET).select(["ps[01-02]"], exclude=["other@ps02"])
    assert (host.name, host.user) == ("ps01", "root")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a@h,b@h", "host 'h' is given as 'a' and as 'b'"),
        ("gw:1,gw:2", "host 'gw' is given as '1' and as '2'"),
        ("ps[01-", "'ps[01-': '[' without its partner"),
        ("ps]", "'ps]': ']' without its partner"),
        ("a,,b", "'a,,b': nothing beside ','"),
        ("!a", "'!a': nothing beside '!'"),
        ("a&", "'a&': nothing beside '&'"),
        ("-oProxyCommand=x", "'-oProxyCommand=x' is not a host name"),
        ("a b", "'a b' is not a host name"),
        ("-x@a", "'-x' is not a user name"),
        ("@", "no group '' in inventory.toml"),
        ("a:0", "'a:0': '0' is not a port from 1 to 65535"),
        ("a:65536", "'a:65536': '65536' is not a port from 1 to 65535"),
        ("a:", "'a:': '' is not a port from 1 to 65535"),
        ("a:٣", "'a:٣': '٣' is not a port from 1 to 65535"),
        ("[::1]x", "'[::1]x' is not a host name"),
        ("ps[1-3][4-5]", "'ps[1-3][4-5]': one range directly after another"),
        ("ps[a-b]", "'ps[a-b]': 'a-b' is not a range such as 1-9 or 01-20"),
        ("ps[1-3/0]", "'ps[1-3/0]': invalid values in range: '1-3/0'"),
        ("ps[1-400]-[1-400]", f"'ps[1-400]-[1-400]': more than {LARGEST} names"),
        ("a!a", "no host is selected"),
    ],
)
def test_wrong_host_pattern(text: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        read(FLEET).select([text])
    assert str(caught.value) == message


def test_unknown_group_is_told_with_nearest_name() -> None:
    cases: list[dict[str, Any]] = [{"groups": ["frist"]}, {"hosts": ["@frist"]}]
    for asked in [*cases, {"exclude": ["@frist"]}]:
        with pytest.raises(NoSuchGroup) as caught:
            read(FLEET).select(**asked)
        assert str(caught.value) == "no group 'frist' in inventory.toml; did you mean 'first'?"


def test_without_inventory_the_places_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", "/c")
    place = "looked for /c/psops/inventory.toml or /etc/psops/inventory.toml"
    with pytest.raises(UsageError, match=place):
        EMPTY.select(all_hosts=True)
    with pytest.raises(NoSuchGroup, match=place):
        EMPTY.select(groups=["a"])
    with pytest.raises(UsageError, match=r"inventory\.toml names no host"):
        read("").select(all_hosts=True)


def test_selecting_nothing_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="no host is selected"):
        read(FLEET).select()
    with pytest.raises(UsageError, match="all selected hosts are excluded"):
        read(FLEET).select(["gw"], exclude=["gw"])


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("h", Destination(None, "h", None)),
        ("u@h", Destination("u", "h", None)),
        ("h:1", Destination(None, "h", 1)),
        ("u@x@h:22", Destination("u@x", "h", 22)),
        ("dom\\u$@h", Destination("dom\\u$", "h", None)),
        ("::1", Destination(None, "::1", None)),
        ("[::1]", Destination(None, "::1", None)),
        ("u@[fe80::1%eth0]:22", Destination("u", "fe80::1%eth0", 22)),
        ("u@fe80::1%eth0", Destination("u", "fe80::1%eth0", None)),
    ],
)
def test_destination(text: str, wanted: Destination) -> None:
    assert parse_destination(text) == wanted


@pytest.mark.parametrize(
    "text", ["", "@h", "u@", "h:x", "[::1]:", "a/b", "u@:1", "h:\n", "a:b:c:x"]
)
def test_wrong_destination(text: str) -> None:
    with pytest.raises(NodesetError):
        parse_destination(text)


SELECTIONS = st.lists(
    st.sampled_from("ps01 ps02 ps03 gw late x1 x2 ps[02-03] x[1-3] @first".split()),
    min_size=1,
    max_size=6,
)


@settings(max_examples=200)
@given(SELECTIONS, SELECTIONS)
def test_order_of_a_selection_is_stable(hosts: list[str], exclude: list[str]) -> None:
    inventory = read(FLEET)
    try:
        together = names(inventory.select([",".join(hosts)], exclude=exclude))
    except UsageError:
        return
    assert together == names(inventory.select(hosts, exclude=[",".join(exclude)]))
    assert len(set(together)) == len(together)
    known = names(inventory.hosts)
    inside = [name for name in together if name in known]
    assert inside == [name for name in known if name in together]
    assert together[: len(inside)] == inside


# Sets of names; ClusterShell is the reference

BRACKETS = st.sampled_from(
    ["1", "1-3", "01-03", "08-11", "0-2,7", "1-9/3", "3,1,2", " 1 - 2 ", "00-2", "1-010", "5-1",
     "", "a", "1-", "-1", "1/2", "1-3/0", "9-11", "099-101", "1,01"]
)  # fmt: skip
PATTERN = st.lists(
    st.one_of(st.sampled_from(["a", "b1", "-", ".x", "0", "c"]), BRACKETS.map("[{}]".format)),
    min_size=1,
    max_size=4,
).map("".join)
SETS = st.builds(
    lambda first, rest: first + "".join(operator + text for operator, text in rest),
    PATTERN,
    st.lists(st.tuples(st.sampled_from(",!&^"), PATTERN), max_size=3),
)


@settings(max_examples=300, deadline=None)
@given(SETS)
def test_expanding_agrees_with_clustershell(text: str) -> None:
    if re.search(r"\[ *-|\[[^]]*, *-", text) or re.search(r"[0-9]\[|\][0-9]", text):
        return  # it has negative numbers and merges digits beside brackets: we do not
    try:
        wanted = set(NodeSet(text, resolver=RESOLVER_NOGROUP))
    except NodeSetParseError:
        with pytest.raises(UsageError):
            expand(text)
    else:
        found = expand(text)
        assert set(found) == wanted
        assert len(found) == len(wanted)


NAMES = st.lists(
    st.one_of(
        st.from_regex(r"[a-c][0-9]{1,3}(-[0-9]{1,2})?(\.x[01])?", fullmatch=True),
        st.sampled_from(["2001:db8::1", "::2", "h", "gw:22", "[::1]:2", "u@h1", "u@h2", "0", "00"]),
    ),
    max_size=30,
)


@settings(max_examples=300)
@given(NAMES)
def test_folding_and_expanding_round_trip(hosts: list[str]) -> None:
    folded = fold(hosts)
    assert sorted(expand(folded)) == sorted(set(hosts))
    assert fold(expand(folded)) == folded
    assert fold(reversed(hosts)) == folded


@settings(max_examples=200, deadline=None)
@given(NAMES)
def test_clustershell_reads_what_is_folded(hosts: list[str]) -> None:
    plain = [name for name in hosts if name.isascii() and not set(name) & set("[]@:")]
    if plain:
        assert set(NodeSet(fold(plain), resolver=RESOLVER_NOGROUP)) == set(plain)


@pytest.mark.parametrize(
    ("hosts", "wanted"),
    [
        ([], ""),
        (["b", "a"], "a,b"),
        (["n1", "n2", "n4"], "n[1-2,4]"),
        (["n8", "n9", "n10"], "n[8-10]"),
        (["n08", "n09", "n10"], "n[08-10]"),
        (["n09", "n10", "n99", "n100"], "n[09-10,99-100]"),
        ([f"c{i}-n{j:02}" for i in (1, 2) for j in range(3)], "c[1-2]-n[00-02]"),
        ([f"10.0.{i}.{j}" for i in (1, 2) for j in (5, 6)], "10.0.[1-2].[5-6]"),
        (["::1", "::2"], "::1,::2"),
    ],
)  # fmt: skip
def test_fold(hosts: list[str], wanted: str) -> None:
    assert fold(hosts) == wanted


def test_folding_many_names_that_do_not_fold_is_linear() -> None:
    hosts = [f"10.{i * 7919 % 251}.{i * 104729 % 241}.{i * 1299709 % 239}" for i in range(10_000)]
    start = os.times().user
    assert sorted(expand(fold(hosts))) == sorted(set(hosts))
    assert os.times().user - start < 5
