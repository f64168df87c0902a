"""How `inventory check` tells what it found, without hosts."""

import json
from typing import Any

import pytest

from psops.errors import AuthenticationRefused, Interrupted
from psops.exits import Exit
from psops.fanout import Outcome
from psops.inventory import Host
from psops.reach import Reach, ReachReport, Step
from psops.report import Look
from psops.report.reach import render_reach

WAY = tuple(
    Step(name, 0.0123, found)
    for name, found in (("resolve", "192.0.2.1"), ("tcp", "192.0.2.1"), ("ssh", "SSH-2.0-x"),
                        ("host-key", "ssh-ed25519 SHA256:x"), ("login", "root, key"),
                        ("bus", "streamlocal"), ("systemd", "252"))
)  # fmt: skip


def reached(name: str, **found: Any) -> Outcome[Reach]:
    usual: dict[str, Any] = {"steps": WAY, "version": "252", "state": "running", "uid": 0,
                             "may_change": True, "skew": 0.0, "skew_error": 0.001}  # fmt: skip
    return Outcome(Host(name=name), 0.25, value=Reach(**usual | found))


def shown(*outcomes: Outcome[Reach], ended: Exit = Exit.OK) -> tuple[str, Exit]:
    report = ReachReport(outcomes=outcomes, limit=1.0, ended=ended)
    return render_reach(report, "table", Look()), report.exit


def test_all_is_well() -> None:
    assert shown(reached("a")) == ("""\
HOST  RESULT  RESOLVE    TCP    SSH    KEY  LOGIN    BUS  SYSTEMD  WAY          VERSION  USER  RIGHTS  CLOCK
a     ● ok      12 ms  12 ms  12 ms  12 ms  12 ms  12 ms    12 ms  streamlocal  252      root  change  +0.000 s

1 host, 1 reached; slowest 0.2 s
""", Exit.OK)  # fmt: skip  # noqa: E501


@pytest.mark.parametrize(
    ("found", "text"),
    [
        ({"skew": 2.0}, "! a: its clock is 2.000 s ahead of ours\n"),
        ({"skew": -2.0, "synchronized": True},
         "! a: its clock is 2.000 s behind ours; it says that it is synchronized: is ours"),
        ({"skew": -2.0, "synchronized": False},
         "! a: its clock is 2.000 s behind ours; it says that it is not synchronized\n"),
        ({"skew": 86400.0 * 9000}, "  +777600000 s"),
    ],
)  # fmt: skip
def test_another_time_is_a_failure_with_a_remedy(found: dict[str, Any], text: str) -> None:
    out, code = shown(reached("a", **found), reached("b"))
    assert text in out
    assert "    look at its time daemon" in out
    assert "2 hosts, 2 reached, 1 with another time" in out
    assert code is Exit.SOME_FAILED


@pytest.mark.parametrize("found", [{"skew": 0.9}, {"skew": 3.0, "skew_error": 2.5},
                                   {"skew": None, "no_clock": "no such service\x1b"}])  # fmt: skip
def test_a_time_that_may_be_right_is_no_failure(found: dict[str, Any]) -> None:
    out, code = shown(reached("a", **found), reached("b", **found))
    assert code is Exit.OK
    assert ("clock unknown: a,b: no such service\\x1b" in out) == ("no_clock" in found)


def test_who_may_only_read_is_told_what_would_help() -> None:
    out, code = shown(reached("a1", uid=7, may_change=False), reached("a2", may_change=False),
                      reached("b", uid=7, may_change=None, why_unknown="no answer"))  # fmt: skip
    assert "units can be read, not changed: a[1-2]\n    to change them log in as root" in out
    assert "rights unknown: b: no answer" in out
    assert "uid 7  unknown" in out
    assert code is Exit.OK


def test_a_failure_has_its_step_its_reason_and_its_remedy() -> None:
    error = AuthenticationRefused("login refused: user 'x\x1b'")
    lost: Outcome[Reach] = Outcome(
        Host(name="c"), 0.0, error=Interrupted("interrupted before it answered")
    )
    bad = reached("a", steps=WAY[:4], failed="login", error=error, version="", skew=None)
    out, code = shown(bad, reached("b"), lost)
    assert "× a: login: authentication-refused: login refused: user 'x\\x1b'\n    check user" in out
    assert "× c: interrupted: interrupted before it answered\n" in out
    assert "3 hosts, 1 reached, 2 not" in out
    assert code is Exit.SOME_FAILED
    assert shown(bad, lost)[1] is Exit.UNAVAILABLE
    assert shown(bad, lost, ended=Exit.INTERRUPTED)[1] is Exit.INTERRUPTED


def test_json_has_every_key_for_every_host() -> None:
    error = AuthenticationRefused("no")
    bad = reached("a", steps=WAY[:4], failed="login", error=error, version="", skew=None)
    report = ReachReport(outcomes=(bad, reached("b")), limit=1.0)
    document = json.loads(render_reach(report, "json", Look()))
    assert (document["command"], document["status"]) == ("inventory check", "partial")
    assert document["errors"] == [{"host": "a", "code": error.code, "message": "no",
                                   "remedy": error.remedy}]  # fmt: skip
    first, second = document["hosts"]
    assert first.keys() == second.keys()
    assert (first["failed_step"], first["clock_skew_s"]) == ("login", None)
    assert second["way"] == "streamlocal"
    lines = render_reach(report, "jsonl", Look()).splitlines()
    assert [json.loads(line) for line in lines] == document["hosts"]
