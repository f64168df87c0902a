"""What is shown, in which order, and that it fits."""

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from psops.errors import ConnectTimedOut
from psops.report.text import width_of
from psops.watch.board import Board, Place
from psops.watch.draw import Look, draw_board
from psops.watch.glyphs import ASCII, UNICODE, detect, sign
from psops.watch.model import Change, Fleet, Link, LinkChange, Snapshot, State, Targets
from psops.watch.page import Page, draw_page, help_text, question

NOW = 1_800_000_000.0
UP = State(active="active", sub="running", since_us=int((NOW - 7200) * 1e6), run="aa")
FAILED = State(active="failed", sub="failed", since_us=int((NOW - 5) * 1e6),
               facts={"Result": "exit-code", "ExecMainCode": 1, "ExecMainStatus": 3})  # fmt: skip
STARTING = State(active="activating", sub="start", since_us=int((NOW - 60) * 1e6))
DOWN = State(active="inactive", sub="dead")


def fleet(**hosts: dict[str, State]) -> Fleet:
    found = Fleet(hosts)
    for name, states in hosts.items():
        host = found.hosts[name]
        known = {f"{unit}.service": state for unit, state in states.items()}
        host.targets = Targets(names=tuple(known))
        host.take(Snapshot(owner=":1", states=known), NOW, missed=False)
        host.move(Link.LIVE, NOW)
    return found


@pytest.fixture
def board() -> Board:
    made = Board(fleet(h1={"a": UP, "b": DOWN}, h2={"a": FAILED, "c": STARTING}, h3={"a": UP}))
    made.fleet.hosts["h3"].move(Link.LOST, NOW, ConnectTimedOut("gone"))
    made.refresh()
    return made


def test_grid_has_hosts_and_units_in_their_order(board: Board) -> None:
    assert (board.form, board.hosts) == ("grid", ["h1", "h2", "h3"])
    assert board.units == ["a.service", "b.service", "c.service"]
    assert board.chosen == Place("h1", "a.service")


def test_one_host_is_a_list() -> None:
    board = Board(fleet(h1={"a": UP}))
    assert board.form == "list"


def test_worst_comes_first(board: Board) -> None:
    board.turn()
    assert [(place.host, place.unit[0]) for place in board.places] == [
        ("h2", "a"), ("h2", "c"), ("h1", "a"), ("h3", "a"), ("h1", "b"),
    ]  # fmt: skip
    board.turn()
    board.next_sort()
    assert (board.sort, board.hosts) == ("trouble", ["h3", "h2", "h1"])
    board.next_sort()
    assert (board.sort, board.hosts[0]) == ("changed", "h2")
    board.next_sort()
    assert board.sort == "host"


@pytest.mark.parametrize(
    ("words", "shown"),
    [("h2", ["h2 a", "h2 c"]), ("A.serv FAILED", ["h2 a"]), ("running", ["h1 a", "h3 a"]),
     ("nothing", []), ("h1 b", ["h1 b"])],
)  # fmt: skip
def test_filter_takes_words(board: Board, words: str, shown: list[str]) -> None:
    board.filter = words
    board.refresh()
    assert sorted(f"{host} {unit[0]}" for host, unit in board.places) == shown
    assert board.hosts == sorted({text[:2] for text in shown})


def test_only_what_fails_and_what_is_lost(board: Board) -> None:
    board.failing = True
    board.refresh()
    assert sorted(board.places) == [("h2", "a.service"), ("h3", "a.service")]


def test_host_that_was_never_reached_is_in_the_list_too() -> None:
    lost = Fleet(["h1", "gone"])
    lost.hosts["h1"].take(Snapshot(owner=":1", states={"a.service": UP}), NOW, missed=False)
    lost.hosts["gone"].move(Link.LOST, NOW, ConnectTimedOut("no answer"))
    board = Board(lost)
    board.turn()
    assert board.places == [Place("gone", ""), Place("h1", "a.service")]
    board.move("home", 5)
    assert (board.host, board.chosen) == ("gone", None)
    board.failing = True
    board.refresh()
    assert board.places == [Place("gone", "")]
    picture = draw_board(board, (), Look(80, 20, UNICODE, False), now=NOW)
    assert any("gone" in line and "× lost" in line and "connect-timed-out" in line
               and "× never" in line for line in picture.lines)  # fmt: skip
    board.mark()
    board.mark_all()
    assert board.targets == []


def test_chosen_stays_chosen_in_another_order(board: Board) -> None:
    board.move("down", 5)
    assert board.chosen == Place("h2", "a.service")
    for _ in range(3):
        board.next_sort()
        assert board.chosen == Place("h2", "a.service")
    board.turn()
    assert board.chosen == Place("h2", "a.service")
    board.fleet.hosts["h2"].states.pop("a.service")
    board.refresh()
    assert board.chosen is not None


def test_cursor_stops_at_the_edges(board: Board) -> None:
    for key in ("up", "left", "pgup", "home"):
        board.move(key, 5)
        assert (board.row, board.column) == (0, 0)
    for key in ("end", "down", "pgdn", "right", "right", "right", "l"):
        board.move(key, 5)
    assert (board.row, board.column) == (2, 2)
    assert not board.move("x", 5)


def test_marks_are_what_is_changed(board: Board) -> None:
    assert board.targets == [Place("h1", "a.service")]
    board.mark()
    board.mark()
    assert board.targets == [Place("h1", "a.service"), Place("h2", "a.service")]
    board.mark_all()
    assert board.targets == [Place("h3", "a.service")]  # the chosen one: no mark is left
    board.filter = "h2"
    board.refresh()
    board.mark_all()
    assert {place.host for place in board.targets} == {"h2"}


def test_every_state_has_a_sign_of_its_own() -> None:
    shown = (UP, DOWN, FAILED, STARTING, State(active="reloading", sub="reload"),
             State(active="deactivating", sub="stop"), State(active="maintenance", sub="x"),
             State(load="not-found", active="inactive", sub="dead"),
             State(active="activating", sub="auto-restart"))  # fmt: skip
    for glyphs in (UNICODE, ASCII):
        signs = [sign(state, glyphs)[0] for state in shown]
        assert len(set(signs)) == len(signs)
    assert all(text.isascii() for text in (*ASCII.states.values(), *map(str, ASCII[1:])))


@pytest.mark.parametrize(
    ("variables", "glyphs"),
    [({"LANG": "de_DE.UTF-8"}, UNICODE), ({"LANG": "C.utf8"}, UNICODE), ({}, UNICODE),
     ({"LC_ALL": "C", "LANG": "C.UTF-8"}, ASCII), ({"LANG": "de_DE.ISO-8859-1"}, ASCII),
     ({"LC_CTYPE": "C.UTF-8", "LANG": "C"}, UNICODE)],
)  # fmt: skip
def test_signs_fit_the_locale(
    variables: dict[str, str], glyphs: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LC_ALL", "LC_CTYPE", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert detect() is glyphs


# Drawing


def plain(line: str) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", line)


CHANGES = (
    LinkChange(host="h1", before=Link.CONNECTING, after=Link.LOST, time=NOW,
               error=ConnectTimedOut("gone\x1b[2J")),
    Change(host="h1\u4e2d\u56fd", unit="a\x1b[31m.service", before=UP, after=FAILED, time=NOW),
)  # fmt: skip


@settings(deadline=None, max_examples=60)
@given(
    columns=st.integers(1, 200), lines=st.integers(1, 60), color=st.booleans(),
    glyphs=st.sampled_from((UNICODE, ASCII)), moves=st.lists(st.sampled_from("jlfsa\t ")),
    names=st.lists(st.text("ab-\u4e2d\x1b@", min_size=1, max_size=30), min_size=0, max_size=30),
)  # fmt: skip
def test_any_board_fits_any_terminal(
    columns: int, lines: int, color: bool, glyphs: object, moves: list[str], names: list[str]
) -> None:
    states = dict(zip(names, (UP, FAILED, STARTING, DOWN) * 8, strict=False))
    board = Board(fleet(h1=states, **{"long-name" * 5: states}, h3={}))
    board.fleet.hosts["h3"].move(Link.LOST, NOW, ConnectTimedOut("gone"))
    for key in moves:
        if key == "\t":
            board.turn()
        elif key == "s":
            board.next_sort()
        elif key == " ":
            board.mark()
        elif key == "a":
            board.mark_all()
        elif key == "f":
            board.failing = not board.failing
            board.refresh()
        else:
            board.move(key, lines)
    look = Look(columns, lines, glyphs, color)  # type: ignore[arg-type]
    for picture in (
        draw_board(board, CHANGES, look, now=NOW),
        draw_page(Page("Stop?", question("stop", board.places), "y yes"), "", look),
        draw_page(Page("Help", help_text(look.glyphs), "q back"), "", look),
    ):
        assert len(picture.lines) == max(lines, 1)
        for line in picture.lines:
            assert width_of(plain(line)) <= columns
            assert plain(line).isprintable()
            assert color or "\x1b" not in line


LONG = ("perfsonar-configure_nic_parameters", "postgresql@15-main", "systemd-udevd-control.socket",
        "ntp", "rucio-daemon@judge-evaluator")  # fmt: skip


def narrow_board() -> Board:
    states = dict(zip(LONG, (FAILED, UP, STARTING, DOWN, FAILED), strict=True))
    units = {unit if "." in unit else f"{unit}.service": state for unit, state in states.items()}
    found = Fleet(["toolkit01.example.org", "toolkit02.example.org", "node01.example.org"])
    for name in found.hosts:
        found.hosts[name].targets = Targets(names=tuple(units))
        found.hosts[name].take(Snapshot(owner=":1", states=units), NOW, missed=False)
        found.hosts[name].move(Link.LIVE, NOW)
    board = Board(found)
    board.refresh()
    return board


@pytest.mark.parametrize("columns", [36, 40, 60, 80, 100, 132])
def test_list_cuts_no_name_of_a_unit(columns: int) -> None:
    board = narrow_board()
    board.turn()
    changes = [Change(host="toolkit01.example.org", unit=f"{unit}.service", before=UP, after=FAILED,
                      time=NOW) for unit in LONG[:2]]  # fmt: skip
    picture = draw_board(board, changes, Look(columns, 60, UNICODE, False), now=NOW)
    head, body = "\n".join(picture.lines[1:3]), picture.lines[2:-2]
    assert all(word in head for word in ("HOST", "UNIT", "STATE", "SINCE"))
    for unit in LONG:
        assert sum(unit in line.split() for line in body) == 3 + (unit in LONG[:2])
    assert picture.shown == len(board.places)
    assert [line for line in picture.lines if width_of(line) > columns] == []
    (failed, *_) = (at for at, line in enumerate(body) if LONG[0] in line)
    assert "× failed" in "".join(body[failed : failed + 2])


@pytest.mark.parametrize("columns", [36, 40, 60, 80, 100, 132, 200])
def test_grid_cuts_no_name_of_a_unit(columns: int) -> None:
    board = narrow_board()
    for unit in LONG:
        picture = draw_board(board, (), Look(columns, 20, UNICODE, False), now=NOW)
        heads = picture.lines[1 : next(at for at, line in enumerate(picture.lines) if "›" in line)]
        assert unit in " ".join(heads).split()
        status = picture.lines[-2].split()
        assert {unit, f"{unit}.service"} & set(status)
        assert [line for line in picture.lines if width_of(line) > columns] == []
        board.move("right", 5)


def test_age_of_what_is_known_is_told(board: Board) -> None:
    board.fleet.hosts["h3"].heard = NOW - 42
    look = Look(80, 20, UNICODE, False)
    picture = draw_board(board, (), look, now=NOW)
    assert any("h3" in line and "× 42s" in line for line in picture.lines)
    assert 0 < picture.ages <= 1
    later = draw_board(board, (), look, now=NOW + 300)
    assert any("h3" in line and "× 5min" in line for line in later.lines)
    board.turn()
    assert any("h3" in line and "× 42s" in line
               for line in draw_board(board, (), look, now=NOW).lines)  # fmt: skip
    narrow = draw_board(board, (), Look(40, 20, UNICODE, False), now=NOW)
    assert any("h3" in line and line.endswith("× 42s") for line in narrow.lines)


def test_quiet_screen_is_not_drawn_every_second() -> None:
    old = State(active="active", sub="running", since_us=int((NOW - 100_000) * 1e6))
    board = Board(fleet(h1={"a": old, "b": old}))
    assert draw_board(board, (), Look(80, 24, UNICODE, True), now=NOW).ages == 60.0


@pytest.mark.alone
def test_thousand_hosts_are_drawn_in_time() -> None:
    """The best of three: a collection of all the tests' garbage may fall into one of them."""
    states = {f"unit-{number}": UP for number in range(14)}
    board = Board(fleet(**{f"h{number}": states for number in range(1000)}))
    taken = []
    for _ in range(3):
        begin = time.process_time()
        board.refresh()
        draw_board(board, (), Look(160, 50, UNICODE, True), now=NOW)
        taken.append(time.process_time() - begin)
    assert min(taken) < 0.5


def test_question_folds_hosts_and_cleans_names() -> None:
    lines = question("stop", [Place("h1", "a"), Place("h2", "a"), Place("h1", "b\x1b[2J")])
    assert lines == ["stop 3 units on 2 hosts:", "", "  a on h[1-2]", "  b\\x1b[2J on h1"]
