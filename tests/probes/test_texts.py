"""What people are told of checks is what the keys are."""

import inspect
import re
from importlib import import_module
from typing import Any

import pytest

from psops.catalogue.keys import COMPONENT_KEYS
from psops.catalogue.probes import _COMMON, probes
from psops.catalogue.values import Wrong
from psops.cli.generate_pipeline import VALUES
from psops.probes import KINDS, TWICE, keys_bus
from psops.probes.keys import keys_of
from psops.probes.keys_common import Variable
from psops.probes.texts import COMMON, COMPONENT, SHARED, Told, keys_told, kinds_told

#: Type in words -> values that are of it, and some that are not.
TYPES: dict[str, tuple[list[Any], list[Any]]] = {
    "seconds": ([5, 2.5], ["5", True, -1, [5]]),
    "number": ([5, 2.5], ["5", True, -1, [5]]),
    "share": ([0, 0.5, 1], ["0.5", True, 1.5]),
    "integer": ([3], [3.5, "3", True]),
    "boolean": ([True, False], [1, "true"]),
    "path": (["/a/b"], ["a/b", 1]),
    "reference": (["env:A", "file:/a", "credential:a"], ["hunter2", 1]),
    "list of strings": ([["a", "b"]], [1, [1]]),
    "list of integers": ([[5, 6]], [5, ["a"]]),
    "integer or list": ([200, [200, 204]], ["200", []]),
    "unit or list": (["a.service", ["a.service", "b@*.timer"]], ["a", [], 1]),
}
#: Settings whose values are some words or are of a form of their own.
WORDS: dict[tuple[str, str], list[Any]] = {
    ("*", "auth"): ["basic", "bearer", "apikey"],
    ("checkmk-bi", "api"): ["rest", "multisite"],
    ("stomp-statistics", "by"): ["plugin", "count"],
    ("stomp-statistics", "url"): ["stomp://h:61613", "stomp+ssl://h:61614"],
    ("tape-copy", "remote"): ["davs://tape.example.org/{date}.tar.gz"],
    ("rabbitmq-health", "health"): ["alarms", ["alarms", "virtual-hosts"]],
}
CASES = [(kind, key, {**SHARED, **keys_told(kind)}[key]) for kind in KINDS for key in keys_of(kind)]


def test_every_kind_and_key_is_told_and_no_other() -> None:
    assert list(kinds_told()) == list(KINDS)
    for kind in KINDS:
        keys = keys_of(kind)
        assert keys_told(kind).keys() <= keys.keys()
        assert keys.keys() <= keys_told(kind).keys() | SHARED.keys(), kind
    assert COMMON.keys() == _COMMON.keys()
    assert COMPONENT.keys() == COMPONENT_KEYS.keys()


@pytest.mark.parametrize(("kind", "key", "told"), CASES, ids=lambda value: str(value)[:20])
def test_type_of_a_key_is_what_its_reader_takes(kind: str, key: str, told: Told) -> None:
    read = keys_of(kind)[key].reader
    words = WORDS.get((kind, key), WORDS.get(("*", key), []))
    good, bad = TYPES.get(told.type, ([], [1]))
    if told.type == "string":
        good, bad = ["a"], [1, ""]
    if told.type == "URL":
        good, bad = ["https://h.example.org/a"], ["h.example.org", 1, "https://u:p@h/"]
    if told.type in ("table", "list of tables", "string or list"):
        bad = [1]
    for value in words or good:
        read(value)
    for value in bad:
        with pytest.raises(Wrong):
            read(value)
    assert told.text.endswith(".")


def test_keys_of_a_side_of_a_bridge_are_those_of_the_kinds_it_names() -> None:
    kinds = {"rabbitmq": "rabbitmq-queue", "activemq": "activemq-destination",
             "stomp": "stomp-statistics"}  # fmt: skip
    for bus, kind in kinds.items():
        assert keys_bus._SIDES[bus].keys() <= keys_of(kind).keys()


@pytest.mark.parametrize("kind", KINDS)
def test_kind_without_what_it_needs_is_refused(kind: str) -> None:
    needed = [key for key, one in keys_of(kind).items() if one.needed]
    assert needed
    with pytest.raises(Wrong, match=f"needs the key '{needed[0]}'"):
        probes({"x": {"kind": kind}})


def test_values_that_may_be_left_to_a_variable_are_those_that_are_told() -> None:
    found = set()
    for kind in KINDS:
        for key, one in keys_of(kind).items():
            try:
                value = one.reader("env:NAME")
            except Wrong:
                continue
            if isinstance(value, Variable):
                found.add(key)
    told = VALUES.partition(" and via may be")[0]
    assert found == {word.strip("(),") for word in told.split()} & {*found, "nodes", "broker"}
    assert isinstance(_COMMON["via"]("env:NAME"), Variable)


def test_kinds_that_look_twice_are_known() -> None:
    waits = re.compile(r"twice\(|\.wait\(\)")
    found = {
        kind
        for kind, module in KINDS.items()
        if waits.search(inspect.getsource(import_module(module)))
    }
    assert found == TWICE
