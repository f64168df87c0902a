"""The pure parts: values of JSON, the kernel's tables of sockets, what stat says."""

import ast
import socket
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import psops.checks
from psops.catalogue.entry import Check, JsonRule, Severity
from psops.catalogue.keys import JSON_OPS
from psops.checks import CheckResult, failing, file, listening, rules
from psops.checks.codes import CODES
from psops.checks.layer import explain
from psops.checks.tls import _HANDSHAKES, judge_end
from psops.report.text import clean
from psops.verdict import Verdict

_NOW = 1_800_000_000.0
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner,
                                                                 max_size=3),
    max_leaves=8,
)  # fmt: skip
_VALUES = {
    "equals": 1, "differs": "x", "at_least": 3, "at_most": 3.5, "matches": "^a", "is": "null",
    "younger_than": 60,
}  # fmt: skip


def code(document: Any, path: str, op: str, value: Any) -> str:
    return rules.judge((JsonRule(path=path, op=op, value=value),), document, _NOW).code


@pytest.mark.parametrize(
    ("value", "op", "wanted", "expected"),
    [
        (1, "equals", 1.0, "ok"),
        (True, "equals", 1, "json"),
        (1, "equals", True, "json"),
        (0, "equals", False, "json"),
        ("1", "equals", 1, "json"),
        (None, "differs", 0, "ok"),
        (True, "differs", 1, "ok"),
        (3, "at_least", 3, "ok"),
        (True, "at_least", 1, "json-kind"),
        ("9", "at_least", 1, "json-kind"),
        (float("nan"), "at_most", 1, "json-kind"),
        (None, "at_most", 1, "json-kind"),
        ("green", "matches", "^(green|yellow)$", "ok"),
        (5, "matches", "5", "json-kind"),
        (None, "is", "null", "ok"),
        (0, "is", "null", "json"),
        ("", "is", "empty", "ok"),
        (0, "is", "empty", "json-kind"),
        (None, "is", "not-empty", "json-kind"),
        ({"a": 1}, "is", "not-empty", "ok"),
        (True, "is", "number", "json"),
        ([], "is", "object", "json"),
        (_NOW - 59, "younger_than", 60, "ok"),
        (_NOW - 61, "younger_than", 60, "json"),
        ("2027-01-15T08:00:00Z", "younger_than", 60, "ok"),
        ("2027-01-15T07:00:00", "younger_than", 60, "json"),
        ("2027-01-15T10:00:00+02:00", "younger_than", 60, "ok"),
        ("2028-01-15T07:00:00Z", "younger_than", 60, "json-kind"),
        ("PT5M", "younger_than", 60, "json-kind"),
        (True, "younger_than", 60, "json-kind"),
        (None, "younger_than", 60, "json"),
        (10**400, "younger_than", 60, "json-kind"),
    ],
)
def test_each_operation_is_strict_about_kinds(
    value: Any, op: str, wanted: Any, expected: str
) -> None:
    assert code({"a": [value]}, "a.0", op, wanted) == expected


def test_every_operation_and_kind_of_the_catalogue_is_known() -> None:
    assert set(_VALUES) == set(JSON_OPS)
    for kind in rules._KINDS:
        assert JSON_OPS["is"](kind) == kind


@pytest.mark.parametrize("op", _VALUES)
@pytest.mark.parametrize("path", ["b", "a.b", "a.*.c", "l.*", "l.0", "n.x", "a.x.y.z"])
def test_a_value_that_is_not_there_is_unknown(op: str, path: str) -> None:
    document: Any = {"a": {"x": {"c": 0}, "y": {}}, "l": [], "n": None}
    answers = [rules.judge((JsonRule(path=path, op=op, value=_VALUES[op]),), document, _NOW)]
    if path != "a.*.c":
        assert [(each.verdict, each.code) for each in answers] == [
            (Verdict.UNKNOWN, "json-missing")
        ]
    else:
        assert answers[0].verdict is not Verdict.OK


def test_what_is_wrong_comes_before_what_is_not_known() -> None:
    document = {"services": {"ticker": {"overdue": "PT90S"}, "runner": {}}}
    rule = JsonRule(path="services.*.overdue", op="is", value="null")
    answer = rules.judge((rule,), document, _NOW)
    assert answer.verdict is Verdict.CRITICAL
    assert answer.text == "services.ticker.overdue is 'PT90S', must be null"


@given(_JSON, st.sampled_from(list(_VALUES)), st.text(alphabet="ab.*0\x1b", max_size=6))
def test_any_document_is_judged_in_one_clean_line(document: Any, op: str, path: str) -> None:
    rule = JsonRule(path=path, op=op, value=_VALUES[op])
    answer = rules.judge((rule,), document, _NOW)
    assert answer.text.isprintable()
    assert answer.code in CODES


@given(st.dictionaries(st.text(min_size=1).filter(lambda key: "." not in key and key != "*"),
                       _JSON, min_size=1))  # fmt: skip
def test_every_key_is_found_by_its_path_and_by_the_star(document: dict[str, Any]) -> None:
    for key, value in document.items():
        (place,) = rules.select(document, key)
        assert place.there
        assert place.value is value
    assert [place.value for place in rules.select(document, "*")] == list(document.values())


def _tables() -> str:
    found = [Path(name) for name in listening._TABLES]
    return "".join(path.read_text(errors="surrogateescape") for path in found if path.exists())


def test_the_kernels_own_tables_tell_what_listens(tmp_path: Path) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as tcp,
        socket.create_server(("::1", 0), family=socket.AF_INET6) as tcp6,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp,
        socket.socket(socket.AF_UNIX) as stream,
        socket.socket(socket.AF_UNIX) as bound,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as datagram,
        socket.socket(socket.AF_UNIX) as padded,
        socket.create_connection(tcp.getsockname()[:2]) as client,
    ):
        udp.bind(("127.0.0.1", 0))
        stream.bind(str(tmp_path / "a stream"))
        stream.listen()
        bound.bind(str(tmp_path / "bound"))
        datagram.bind(str(tmp_path / "log"))
        padded.bind("\0psops-checks.sock" + "\0" * (107 - 17))
        padded.listen()
        found = set(listening.parse(_tables()))
        assert f"tcp:{tcp.getsockname()[1]}" in found
        assert f"tcp:{tcp6.getsockname()[1]}" in found
        assert f"udp:{udp.getsockname()[1]}" in found
        assert f"tcp:{client.getsockname()[1]}" not in found
        assert f"unix:{tmp_path}/a stream" in found
        assert f"unix:{tmp_path}/log" in found
        assert f"unix:{tmp_path}/bound" not in found
        check = Check(name="x", kind="socket", listen="unix:@psops-checks.sock")
        assert listening.judge(check, frozenset(found)).code == "ok"


_WORD = st.text(alphabet="0123456789ABCDEF: .", max_size=40)
_LINE = st.sampled_from([line[:200] for line in _tables().splitlines()]) | _WORD | st.text()


@given(st.lists(_LINE))
def test_any_lines_are_read_as_tables(lines: list[str]) -> None:
    for listen in listening.parse("\n".join(lines)):
        assert listen.startswith(("tcp:", "udp:", "unix:"))


_PATHS = ("/a", "/b c", "/c")
_SAID = f"""{_NOW:.0f} /proc/self
{_NOW - 90:.0f} /a
{_NOW - 60:.0f} /b c
"""
_REFUSED = "stat: cannot statx '/c': No such file or directory\n"


@pytest.mark.parametrize(
    ("path", "keys", "expected"),
    [
        ("/a", {}, "ok"),
        ("/a", {"max_age": 60}, "old"),
        ("/a", {"max_age": 90}, "ok"),
        ("/a", {"exists": False}, "present"),
        ("/b c", {"max_age": 100}, "ok"),
        ("/c", {}, "missing"),
        ("/c", {"max_age": 100}, "missing"),
        ("/c", {"exists": False}, "ok"),
    ],
)
def test_what_stat_says_is_judged(path: str, keys: dict[str, Any], expected: str) -> None:
    files = file.parse(_SAID, _REFUSED, _PATHS)
    assert files is not None
    check = Check(name="x", kind="file", path=path, **keys)
    assert file.judge(check, files.seen[path], files.now).code == expected


def test_a_file_that_may_not_be_looked_at_is_unknown() -> None:
    seen = file.Seen(None, "stat: cannot statx '/x': Permission denied")
    for exists in (True, False):
        check = Check(name="x", kind="file", path="/x", exists=exists)
        assert file.judge(check, seen, 0).code == "no-permission"


@given(st.text(), st.text(), st.lists(st.text(min_size=1), unique=True).map(tuple))
def test_any_text_is_read_as_what_stat_said(
    stdout: str, stderr: str, paths: tuple[str, ...]
) -> None:
    files = file.parse(f"100 /proc/self\n{stdout}", stderr, paths)
    if files is None:
        return
    for path, seen in files.seen.items():
        answer = file.judge(Check(name="x", kind="file", path=path, max_age=9), seen, files.now)
        assert answer.text == clean(answer.text)


def result(name: str, verdict: Verdict, code: str) -> CheckResult:
    return CheckResult(name=name, verdict=verdict, code=code, text="it is so")


def test_the_broken_layer_is_named_only_when_the_one_below_is_right() -> None:
    status = result("pscheduler-status", Verdict.CRITICAL, "server-error")
    right = result("pscheduler-api", Verdict.OK, "ok")
    dead = result("pscheduler-api", Verdict.CRITICAL, "refused")
    told, _ = explain((status, right))
    assert told.text == "it is so; pscheduler-api is right, so it is the database"
    told, _ = explain((status, dead))
    assert (told.text, told.because) == ("it is so", "pscheduler-api")
    values = result("pscheduler-status", Verdict.CRITICAL, "json")
    assert explain((values, right))[0] == values
    assert explain((status,))[0] == status


def test_only_what_is_required_is_critical() -> None:
    assert [failing(severity) for severity in Severity] == [
        Verdict.CRITICAL, Verdict.WARNING, Verdict.WARNING
    ]  # fmt: skip


def test_every_code_is_explained_and_every_explained_code_is_given() -> None:
    names: set[str] = set()
    for path in Path(psops.checks.__file__).parent.glob("*.py"):
        if path.name == "codes.py":
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and node.value in CODES:
                names.add(str(node.value))
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("wrong", "unknown"):
                first = node.args[0]
                assert not isinstance(first, ast.Constant) or first.value in CODES
    assert names == set(CODES)


def test_bytes_that_are_no_certificate_are_said_to_be_none() -> None:
    answer = judge_end(b"nonsense", 0, _NOW)
    assert answer is not None
    assert answer.code == "tls-unreadable"
    assert all(words == words.lower() for words, _ in _HANDSHAKES)
