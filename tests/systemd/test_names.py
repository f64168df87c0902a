"""Unit names, their escaping, and their object paths."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from psops.errors import UsageError
from psops.systemd.names import (
    TYPE_INTERFACES,
    escape_path,
    is_glob,
    parse_unit_glob,
    parse_unit_name,
    unit_path,
    unit_type,
)

# What systemd-escape 252 (--path, and --suffix) makes of these.
ESCAPED = [
    ("/", "-"),
    ("//", "-"),
    ("/srv", "srv"),
    ("/srv//data/", "srv-data"),
    ("/srv/my-data", r"srv-my\x2ddata"),
    ("/.snapshots", r"\x2esnapshots"),
    ("/var/lib/machines/a b", r"var-lib-machines-a\x20b"),
    ("/mnt/\u00e9t\u00e9", r"mnt-\xc3\xa9t\xc3\xa9"),
    (r"/mnt/back\slash", r"mnt-back\x5cslash"),
    ("/a_b/c:d/e.f", "a_b-c:d-e.f"),
    ("/mnt/x@y", r"mnt-x\x40y"),
    ("/srv/.hidden", "srv-.hidden"),
    ("/srv/./x", "srv-x"),
]

PARSED = [
    ("sshd", "sshd.service"),
    ("sshd.service", "sshd.service"),
    ("psidstarter.socket", "psidstarter.socket"),
    ("postgresql@15-main", "postgresql@15-main.service"),
    ("getty@", "getty@.service"),
    ("dbus-org.freedesktop.resolve1", "dbus-org.freedesktop.resolve1.service"),
    ("python3.11", "python3.11.service"),
    ("-.slice", "-.slice"),
    (r"dev-disk-by\x2duuid.swap", r"dev-disk-by\x2duuid.swap"),
    ("/", "-.mount"),
    ("/var/log", "var-log.mount"),
    ("/dev/sda1", "dev-sda1.device"),
    ("/sys/devices/virtual", "sys-devices-virtual.device"),
    ("a" * 247, "a" * 247 + ".service"),
]

PATHS = [
    ("dbus.service", "dbus_2eservice"),
    ("-.mount", "_2d_2emount"),
    ("postgresql@15-main.service", "postgresql_4015_2dmain_2eservice"),
    ("60-unit.target", "_360_2dunit_2etarget"),
    ("a_b.service", "a_5fb_2eservice"),
    (r"srv-my\x2ddata.mount", "srv_2dmy_5cx2ddata_2emount"),
    ("\u00e9.service", "_c3_a9_2eservice"),
    ("", "_"),
]


@pytest.mark.parametrize(("path", "expected"), ESCAPED)
def test_paths_are_escaped_as_systemd_does(path: str, expected: str) -> None:
    assert escape_path(path) == expected


@pytest.mark.parametrize(("typed", "expected"), PARSED)
def test_typed_names_become_unit_names(typed: str, expected: str) -> None:
    assert parse_unit_name(typed) == expected


@pytest.mark.parametrize(
    "typed", ["", "two words", "semi;colon", "@15", "a/b", "\u00e9", "a\n", "a" * 248, "$(id)"]
)
def test_what_is_no_unit_name_is_refused_with_the_text(typed: str) -> None:
    with pytest.raises(UsageError, match=re.escape(f"{typed!r} is not a unit name")):
        parse_unit_name(typed)


@given(st.text(max_size=300))
def test_any_text_is_a_unit_name_or_refused(typed: str) -> None:
    try:
        name = parse_unit_name(typed)
    except UsageError:
        return
    assert unit_type(name)
    assert name.isascii()
    assert len(name) < 256
    if not typed.startswith("/"):
        assert parse_unit_name(name) == name


@pytest.mark.parametrize(
    ("name", "kind"),
    [("a.service", "service"), ("a.timer", "timer"), ("a.b.socket", "socket"), ("a", ""),
     ("a.conf", ""), ("service", "service"), ("a.Service", "")],
)  # fmt: skip
def test_type_is_what_the_name_ends_with(name: str, kind: str) -> None:
    assert unit_type(name) == kind


def test_every_type_has_the_interface_of_its_name() -> None:
    assert TYPE_INTERFACES["service"] == "org.freedesktop.systemd1.Service"
    assert TYPE_INTERFACES["automount"] == "org.freedesktop.systemd1.Automount"
    assert len(TYPE_INTERFACES) == 11


@pytest.mark.parametrize(
    ("text", "expected"),
    [("pscheduler-*", True), ("a?", True), ("a[12]", True), ("a", False), ("a@b:c.service", False)],
)
def test_globs_are_told_from_names(text: str, expected: bool) -> None:
    assert is_glob(text) is expected


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("pscheduler-*", "pscheduler-*"),
        ("*.timer", "*.timer"),
        ("*-server", "*-server.service"),
        ("rucio-daemon@[ab]", "rucio-daemon@[ab]"),
        ("*", "*"),
    ],
)
def test_patterns_without_a_type_mean_services(typed: str, expected: str) -> None:
    assert parse_unit_glob(typed) == expected


@pytest.mark.parametrize(("name", "expected"), PATHS)
def test_object_paths_are_escaped_as_sd_bus_does(name: str, expected: str) -> None:
    assert unit_path(name) == f"/org/freedesktop/systemd1/unit/{expected}"


@given(st.text(st.characters(codec="utf-8"), min_size=1, max_size=60))
def test_object_paths_are_valid_and_can_be_read_back(name: str) -> None:
    label = unit_path(name).rpartition("/")[2]
    assert re.fullmatch("[A-Za-z0-9_]+", label)
    read = re.sub(rb"_([0-9a-f]{2})", lambda found: bytes([int(found[1], 16)]), label.encode())
    assert read.decode() == name


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="/\0"), min_size=1)))
def test_escaped_paths_can_be_read_back(parts: list[str]) -> None:
    if ".." in parts:
        with pytest.raises(UsageError):
            escape_path("/" + "/".join(parts))
        return
    parts = [part for part in parts if part != "."]
    escaped = escape_path("/" + "/".join(parts))
    words = [] if escaped == "-" else escaped.split("-")
    read = [
        re.sub(rb"\\x([0-9a-f]{2})", lambda found: bytes([int(found[1], 16)]), word.encode())
        for word in words
    ]
    assert [word.decode() for word in read] == parts
