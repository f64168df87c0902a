"""Every error and every exit code has one meaning, one text, and a place in the man page."""

import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import psops
from psops import errors
from psops.errors import BusError, ConfigError, HostError, PsopsError, UsageError, describe
from psops.exits import _SEVERITY, MEANINGS, Exit, worst

SOURCE = Path(psops.__file__).parent
MAN = SOURCE.parents[1] / "man" / "psops.1"
#: Errors of hosts that say all there is to do by themselves.
WITHOUT_REMEDY = {"host", "interrupted"}


def kinds(kind: type[PsopsError] = PsopsError) -> Iterator[type[PsopsError]]:
    yield kind
    for inner in kind.__subclasses__():
        yield from kinds(inner)


#: A class without a code of its own is a detail of its module: machines see its parent's.
ALL = [kind for kind in dict.fromkeys(kinds()) if "code" in vars(kind)]


def test_every_error_with_a_code_is_defined_in_errors() -> None:
    """Those that are elsewhere would be missing in the man page."""
    for path in SOURCE.rglob("*.py"):
        if path.name != "__main__.py":
            parts = path.relative_to(SOURCE).with_suffix("").parts
            importlib.import_module(".".join(("psops", *parts)).removesuffix(".__init__"))
    coded = [kind for kind in kinds() if "code" in vars(kind)]
    assert [kind for kind in coded if kind.__module__ != errors.__name__] == []
    inner = [kind for kind in kinds() if kind.__module__ == errors.__name__]
    assert [kind for kind in inner if kind not in coded] == []


def test_codes_are_unique_and_kebab_case() -> None:
    codes = [kind.code for kind in ALL]
    assert len(set(codes)) == len(codes)
    assert [code for code in codes if not re.fullmatch(r"[a-z]+(-[a-z]+)*", code)] == []


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.code)
def test_exit_of_an_error_is_documented(kind: type[PsopsError]) -> None:
    assert kind.exit in MEANINGS
    expected = {HostError: Exit.UNAVAILABLE, UsageError: Exit.USAGE, ConfigError: Exit.CONFIG,
                BusError: Exit.SOME_FAILED}  # fmt: skip
    for family, code in expected.items():
        assert not issubclass(kind, family) or kind.exit is code


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.code)
def test_error_has_a_sentence_and_an_entry_in_the_man_page(kind: type[PsopsError]) -> None:
    sentence = (kind.__doc__ or "").split("\n")[0]
    assert re.match(r"[A-Z].*[.)]$", sentence)
    assert f"\n\\fB{kind.code}\\fR\n".replace("-", r"\-") in MAN.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "kind", [kind for kind in ALL if issubclass(kind, HostError)], ids=lambda kind: kind.code
)
def test_error_of_a_host_says_what_helps(kind: type[PsopsError]) -> None:
    assert bool(kind.remedy) is (kind.code not in WITHOUT_REMEDY)
    assert not kind.remedy.endswith(".")


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.code)
def test_description_keeps_the_sentence_as_it_was_given(kind: type[PsopsError]) -> None:
    error = kind("org.example.E", "it's so") if kind is BusError else kind("it's so")
    assert describe(error) == {"code": kind.code, "message": "it's so", "remedy": kind.remedy}


def test_remedy_of_one_error_does_not_become_that_of_its_class() -> None:
    kind = errors.NoBus
    before = kind.remedy
    assert kind("x", remedy="other").remedy == "other"
    assert kind("x", remedy="").remedy == ""
    assert kind.remedy == before


def test_bus_error_without_text_says_its_name() -> None:
    assert str(BusError("org.example.E", "")) == "org.example.E"


def test_exit_codes_are_unique_and_have_meanings() -> None:
    assert len({int(code) for code in Exit}) == len(Exit.__members__)
    assert list(MEANINGS) == list(Exit)
    assert [text for text in MEANINGS.values() if not text or text.endswith(".")] == []


def test_exit_codes_follow_their_conventions() -> None:
    import os
    import signal

    assert Exit.UNAVAILABLE == os.EX_UNAVAILABLE
    assert Exit.SOFTWARE == os.EX_SOFTWARE
    assert Exit.CONFIG == os.EX_CONFIG
    assert Exit.INTERRUPTED == 128 + signal.SIGINT
    assert Exit.TERMINATED == 128 + signal.SIGTERM


gradual = st.lists(st.sampled_from(_SEVERITY))


@given(gradual)
def test_worst_is_one_of_the_codes_and_none_is_worse(codes: list[Exit]) -> None:
    found = worst(codes)
    assert found in codes or (found is Exit.OK and not codes)
    assert all(_SEVERITY.index(code) <= _SEVERITY.index(found) for code in codes)


@given(gradual, gradual)
def test_worst_does_not_depend_on_order_or_grouping(one: list[Exit], two: list[Exit]) -> None:
    assert worst(one + two) is worst(two + one) is worst([worst(one), worst(two)])


def test_order_of_severity_is_the_one_that_the_man_page_promises() -> None:
    assert [int(code) for code in reversed(_SEVERITY)] == [1, 4, 3, 0]
    text = MAN.read_text(encoding="utf-8")
    assert "1 is given before 4, 4 before 3, and 3 before 0" in text
