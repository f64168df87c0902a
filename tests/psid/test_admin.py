"""What becomes of what psiadmin prints, or fails to; programs that run here stand in for it."""

import time
from pathlib import Path

import pytest

from psops import transport
from psops.deadline import Deadline
from psops.inventory import Host
from psops.psid.admin import Admin
from psops.psid.answers import NodeList
from psops.psid.judge import SETTLE, unit_kind
from psops.psid.refusal import Reply
from psops.psid.rules import UnitKind
from psops.psid.survey import survey
from psops.psid.views import View
from psops.transport import Finished, Options
from psops.transport.demo import DemoConnection
from tests.psid.captures import capture

_WHOLE = capture("la-cut-from-0").answer.stdout


def _admin(tmp_path: Path, body: str, limit: float = 5) -> Admin:
    program = tmp_path / "psiadmin"
    program.write_text(f"#!/bin/sh\n{body}\n")
    program.chmod(0o755)
    return Admin(transport.connect(Host(name="here", transport="local"), Options()),
                 str(program), limit)  # fmt: skip


@pytest.mark.parametrize(
    ("body", "reply", "said"),
    [
        ("yes '   0\tup'", Reply.UNCLEAR, "a program there printed more than"),  # for ever
        ("yes >&2", Reply.UNCLEAR, "a program there printed more than"),
        ("head -c 9000 /dev/zero | tr '\\0' x", Reply.UNCLEAR, "x" * 200),
        (r"printf '   0\tup\n\377\376\033[2J 1\tup\n'", Reply.UNCLEAR, "\ufffd\ufffd\x1b[2J 1\t"),
        (r"printf '   0\tup\n   1\tup\n   2\tdow'", Reply.UNCLEAR, "0\tup"),
        (r"printf '99999999999999999999\tup\n-1\tup\n'", Reply.UNCLEAR, "99999999999999999999\tup"),
        ("echo 'Insufficient privilege'", Reply.UNCLEAR, "Insufficient privilege"),
        ("exit 0", Reply.UNCLEAR, ""),
        ("kill -9 $$", Reply.UNCLEAR, ""),
        ("echo 'PSI: Got SIGTERM' >&2", Reply.UNCLEAR, "PSI: Got SIGTERM"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_no_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str, reply: Reply, said: str
) -> None:
    monkeypatch.setattr(transport, "MOST_OUTPUT", 1 << 20)
    told = _admin(tmp_path, body).local()
    assert (told.reply, told.nodes) == (reply, NodeList())
    assert told.said.startswith(said)
    assert len(told.said) <= 200


@pytest.mark.parametrize(
    "body",
    [
        "sleep 1000",
        "trap '' TERM; while :; do sleep 1000; done",
        r"printf '   0\tup\n   1\t'; sleep 1000",
        # psiadmin that was connected ends with 0 when it is told to end.
        "trap 'echo Got SIGTERM >&2; exit 0' TERM; sleep 1000 & wait",
    ],
)
def test_what_does_not_end_is_ended(tmp_path: Path, body: str) -> None:
    begin = time.monotonic()
    assert _admin(tmp_path, body, 0.3).local().reply is Reply.SILENT
    assert time.monotonic() - begin < 5


def test_one_that_asks_gets_no_answer(tmp_path: Path) -> None:
    told = _admin(
        tmp_path, "printf 'Restart all nodes? '; read answer; echo \"got $answer\""
    ).local()
    assert (told.reply, told.said) == (Reply.UNCLEAR, "Restart all nodes? got")


def test_there_may_be_no_such_program(tmp_path: Path) -> None:
    admin = _admin(tmp_path, "exit 0")
    (tmp_path / "psiadmin").unlink()
    assert admin.local().reply is Reply.NO_PROGRAM
    (tmp_path / "psiadmin").write_text("no program")
    assert admin.local().reply is Reply.NO_PROGRAM


def test_a_whole_answer_is_read_and_nothing_but_that_is_asked(tmp_path: Path) -> None:
    answer = tmp_path / "answer"
    answer.write_text(_WHOLE)
    body = f'echo "$COLUMNS $LC_ALL $*" >> {tmp_path}/calls; cat {answer}'
    told = _admin(tmp_path, body).local()
    assert (told.reply, told.said, told.nodes.own) == (Reply.ANSWERED, "", 0)
    assert set(told.nodes.states.values()) == {"up"}
    assert (tmp_path / "calls").read_text() == "1000 C -d -c list node; resolve; list node -1\n"


def _view(number: int, own: int) -> View:
    """Return the view of a node that sees so many nodes up."""
    nodes = range(number)
    return View(
        host="h", states=dict.fromkeys(nodes, "up"), names={n: f"n{n}" for n in nodes}, own=own
    )


@pytest.mark.parametrize("line", [r"   0\t", r"   9\tx\n   9\t", ""])
def test_a_line_of_a_node_that_was_not_asked_does_not_go_on_for_ever(
    tmp_path: Path, line: str
) -> None:
    body = f"echo x >> {tmp_path}/calls; printf '{line}'; sleep 1000"
    view = _view(6, own=5)
    told = _admin(tmp_path, body, 0.2).all(view, frozenset({0}))
    assert len((tmp_path / "calls").read_text().split()) < 12
    assert told.unread["show user"] == frozenset(range(1, 6)) - told.silent


def test_nodes_without_an_answer_are_known(tmp_path: Path) -> None:
    view = _view(3, own=0)
    told = _admin(tmp_path, r"printf '   0\tANY\n   1\tdown\n'").all(view)
    assert told.unread["show user"] == {1, 2}
    assert told.unread["list versions"] == {0, 1, 2}
    whole = _admin(tmp_path, r"printf '   0\tANY\n   1\tANY\n   2\tANY\n'").all(view)
    assert set(whole.unread) == {"list versions"}


class _Clocked(DemoConnection):
    """A host that has been up for so many seconds by what it says."""

    uptime = 0.0

    def run(self, argv: tuple[str, ...], deadline: Deadline) -> Finished:
        if argv[:2] == ("cat", "/proc/uptime"):
            return Finished(0, f"{self.uptime} 0.00\nnode01\n".encode(), b"")
        return super().run(argv, deadline)


@pytest.mark.parametrize("uptime", [1e9, 9.0])
def test_an_uptime_by_another_clock_makes_no_psid_young(uptime: float) -> None:
    """That of a container may begin with it, while its systemd has the clock of the kernel."""
    connection = _Clocked(Host(name="node01.demo"))
    connection.uptime = uptime
    node = survey("node01.demo", connection, Admin(connection), 5).node
    assert unit_kind(node, SETTLE) is UnitKind.ACTIVE
