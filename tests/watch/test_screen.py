"""The screen in a real terminal: keys sent, screens compared, the terminal given back."""

import os
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from signal import SIGINT, SIGTERM
from typing import Any

import pytest

from tests.command import psops as run_psops
from tests.readme import README
from tests.watch.tmux import Tmux, calm, psops, terminal

Same = Callable[[Tmux, str], None]
GOLDEN = Path(__file__).parent / "golden"
#: Units to which nothing happens by itself in the demo fleet: it breaks running services only.
QUIET = ("watch", "-i", "demo", "-H", "ps[01-03].demo,node02.demo", "postgresql@15-main",
         "*.timer", "*.socket")  # fmt: skip


@pytest.fixture
def wide(tmp_path: Path) -> Iterator[Tmux]:
    """Give a terminal of 80x24."""
    with terminal(tmp_path, 80, 24) as tmux:
        yield tmux


def start(tmux: Tmux, *words: str, wanted: str = r"^\? help|^KNOWN|live", **variables: str) -> None:
    tmux.type(f"clear; {psops(*words, **variables)}; echo left $?\n")
    tmux.wait(wanted)


@pytest.fixture
def same(pytestconfig: pytest.Config) -> Same:
    """Give what compares a screen with the golden one of a name."""

    def compare(tmux: Tmux, name: str) -> None:
        path = GOLDEN / f"{name}.txt"
        if pytestconfig.getoption("--update-golden"):
            path.parent.mkdir(exist_ok=True)
            path.write_text(tmux.steady().rstrip("\n") + "\n")
        wanted = path.read_text()
        end = time.monotonic() + 15  # keys take their time on a busy machine
        while (screen := calm(tmux.text).rstrip("\n") + "\n") != wanted:
            if time.monotonic() > end:
                break
            time.sleep(0.05)
        assert screen == wanted, name

    return compare


def test_screens_at_80x24(wide: Tmux, same: Same) -> None:
    start(wide, *QUIET)
    wide.wait("1 lost  36 units")
    same(wide, "grid-80x24")
    wide.keys("j", "l", "l")
    same(wide, "grid-moved-80x24")
    wide.keys("Tab")
    wide.keys("Home")
    same(wide, "list-80x24")
    wide.keys("Enter")
    wide.wait("protocol")
    same(wide, "details-80x24")
    wide.keys("q", "f")
    same(wide, "failing-80x24")
    wide.keys("Escape")
    wide.type("/socket dbus")
    wide.keys("Enter")
    same(wide, "filter-80x24")
    wide.keys("?")
    same(wide, "help-80x24")


def test_screens_at_40x12_in_ascii_without_colour(tmp_path: Path, same: Same) -> None:
    with terminal(tmp_path, 40, 12) as small:
        start(small, *QUIET, LC_ALL="C", NO_COLOR="1")
        small.wait("1 lost  36 units")
        same(small, "grid-40x12")
        small.keys("Tab")
        same(small, "list-40x12")
        small.keys("Enter")
        small.wait("Loaded")
        same(small, "details-40x12")
        small.keys("q", "?")
        same(small, "help-40x12")
        small.keys("q")
        assert small.text.isascii()
        assert not re.search(r"\x1b\[[0-9;]*3[0-7]", small.styled)


def test_page_passes_over_no_row_where_rows_have_two_lines(tmp_path: Path) -> None:
    with terminal(tmp_path, 40, 12) as small:
        start(small, *QUIET)
        small.wait("1 lost  36 units")
        small.keys("Tab")
        small.wait("STATE")
        small.keys("Home")
        small.wait("^› postgresql@15-main\n    ps02")
        last = small.steady().splitlines()[7:9]
        assert last[1].startswith("    ps01.demo")
        small.keys("NPage")
        small.wait(rf"^› {re.escape(last[0].strip())}\n{re.escape(last[1].rstrip())}")


def test_readme_shows_a_real_screen(tmp_path: Path, same: Same) -> None:
    calmly = "import psops.demo.life as life; life._FIRST = 1e6; "
    calmly += "from psops.__main__ import main; main()"
    line = psops("watch", "-i", "demo").replace("-m psops", f"-c '{calmly}'")
    with terminal(tmp_path, 80, 21) as tmux:
        tmux.type(f"clear; {line}\n")
        tmux.wait("151 units")
        tmux.keys("j", *["l"] * 15)
        same(tmux, "readme-80x21")
    shown = re.findall(r"^```text\n(12 hosts .*?)^```$", README.read_text(), re.M | re.S)
    assert [calm(screen) for screen in shown] == [(GOLDEN / "readme-80x21.txt").read_text()]


def test_colour_is_never_the_only_sign(wide: Tmux) -> None:
    start(wide, *QUIET)
    wide.wait("1 lost")
    assert re.search(r"\x1b\[[0-9;]*3[0-7]", wide.styled)
    wide.keys("Tab")
    text = wide.wait("STATE")
    assert "× failed" in text
    assert "? not-found" in text
    assert re.search(r"^› ", text, re.M)


def test_size_may_change_at_any_time(wide: Tmux) -> None:
    start(wide, *QUIET)
    wide.wait("1 lost")
    for columns, lines in ((40, 10), (20, 4), (8, 2), (1, 1), (132, 43), (80, 24)):
        wide.resize(columns, lines)
        # Two looks: the terminal may not have told psops of its size at the first.
        wide.steady()
    text = wide.wait("^› ps01.demo")
    assert text.splitlines()[-1].startswith("? help")


def echoes(tmux: Tmux) -> bool:
    """Tell whether the terminal shows what is typed, and lines are lines again."""
    tmux.type("stty -a | tr ' ;' '\\n\\n' | grep -cxE 'echo|icanon|icrnl|ixon'\n")
    tmux.wait(r"^\d$")
    return bool(re.findall(r"^(\d)$", tmux.text, re.M)[-1] == "4")


@pytest.mark.parametrize(("key", "code"), [("q", 0), ("C-d", 0), ("C-c", 130)])
def test_terminal_is_given_back_when_left(wide: Tmux, key: str, code: int) -> None:
    start(wide, *QUIET)
    wide.keys(key)
    wide.wait(f"^left {code}$")
    assert "KNOWN" not in wide.text
    assert echoes(wide)
    assert wide.call("display", "-p", "#{alternate_on} #{cursor_flag} #{wrap_flag}") == "0 1 1\n"


@pytest.mark.parametrize(("signal", "code"), [(SIGTERM, 143), (SIGINT, 130)])
def test_terminal_is_given_back_after_a_signal(wide: Tmux, signal: int, code: int) -> None:
    start(wide, *QUIET)
    os.kill(pid_of_psops(wide), signal)
    wide.wait(f"^left {code}$")
    assert echoes(wide)
    assert wide.call("display", "-p", "#{alternate_on}") == "0\n"


def test_terminal_is_given_back_after_a_bug(wide: Tmux) -> None:
    breaking = (
        "import sys; from psops.watch import board; "
        "board.Board.turn = lambda self: 1 / 0; "
        "from psops.__main__ import main; main()"
    )
    line = psops(*QUIET).replace("-m psops", f'-c "{breaking}"')
    wide.type(f"clear; {line}; echo left $?\n")
    wide.wait("1 lost")
    wide.keys("Tab")
    text = wide.wait("^left 70$")
    assert "psops: bug: ZeroDivisionError" in text
    assert echoes(wide)


def test_suspended_and_back(wide: Tmux) -> None:
    start(wide, *QUIET)
    before = wide.steady()
    wide.keys("C-z")
    wide.wait("Stopped")
    assert echoes(wide)
    assert wide.call("display", "-p", "#{alternate_on} #{cursor_flag}") == "0 1\n"
    wide.type("fg; echo left $?\n")
    wide.wait("KNOWN")
    wide.wait(r"\A" + re.escape(before.splitlines()[0]))
    assert wide.steady() == before
    wide.keys("q")
    wide.wait(r"^left 0$")
    assert echoes(wide)


def pid_of_psops(tmux: Tmux) -> int:
    """Return the process that the terminal's shell has started."""
    shell = tmux.call("display", "-p", "#{pane_pid}").strip()
    children = Path(f"/proc/{shell}/task/{shell}/children").read_text().split()
    assert len(children) == 1
    return int(children[0])


def test_without_a_capable_terminal_it_is_lines(wide: Tmux) -> None:
    wide.type(f"clear; {psops(*QUIET, '--for', '0.5', TERM='dumb')}; echo left $?\n")
    text = wide.wait("^left 0$")
    assert "node02.demo - connecting -> lost  connect-timed-out" in text
    assert "psops: watching" in text


# Changes


PROTECTED = """
[defaults]
transport = "demo"
bundles = ["testpoint"]
[hosts.ps01]
[hosts.ps02]
protected = ["chronyd", "owamp-server"]
[hosts.ps03]
protected = true
"""


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[Tmux]:
    """Give a screen with hosts of which some are protected."""
    (tmp_path / "hosts.toml").write_text(PROTECTED)
    with terminal(tmp_path, 100, 24) as tmux:
        start(tmux, "watch", "-i", str(tmp_path / "hosts.toml"), "-a", "owamp-server",
              "twamp-server")  # fmt: skip
        tmux.wait("6 units all well")
        yield tmux


def history(home: Path) -> list[dict[str, Any]]:
    runs: list[dict[str, Any]] = run_psops("history", "--json", home=home).document["runs"]
    return runs


def test_restart_is_asked_for_made_and_recorded(guarded: Tmux, tmp_path: Path) -> None:
    guarded.keys("r")
    text = guarded.wait("y yes  n no")
    assert "restart 1 unit on 1 host" in text
    assert "owamp-server.service on ps01" in text
    guarded.keys("n")
    guarded.wait("KNOWN")
    assert history(tmp_path) == []
    guarded.keys("r")
    guarded.wait("y yes  n no")
    guarded.keys("y")
    text = guarded.wait("run 1: restart: 1 changed")
    assert re.search(r"ps01 owamp-server running → ● running {2}?\(restarted\)", text)
    guarded.keys("e")
    assert "changed" in guarded.wait("The last change")
    (run,) = history(tmp_path)
    (host,) = run["hosts"]
    (change,) = host["changes"]
    assert (run["verb"], host["host"]) == ("restart", "ps01")
    assert (change["unit"], change["result"]) == ("owamp-server.service", "changed")


def test_stop_of_what_is_marked_lists_it_all(guarded: Tmux, tmp_path: Path) -> None:
    guarded.keys("l", "Space", "Space")
    guarded.wait("2 marked")
    guarded.keys("S")
    text = guarded.wait("y yes  n no")
    assert "stop 2 units on 2 hosts" in text
    assert "twamp-server.service on ps[01-02]" in text
    guarded.keys("y")
    text = guarded.wait("run 1: stop: 2 changed")
    assert re.search(r"ps02 twamp-server running → ○ dead", text)
    assert "marked" not in text


@pytest.mark.parametrize(
    ("down", "name", "why"),
    [(1, "owamp-server.service", "owamp-server.service is protected by the inventory"),
     (2, "ps03", "ps03 is protected by the inventory")],
)  # fmt: skip
def test_protected_is_changed_only_when_its_name_is_typed(
    guarded: Tmux, tmp_path: Path, down: int, name: str, why: str
) -> None:
    guarded.keys(*["j"] * down)
    guarded.keys("S")
    assert why in guarded.wait(f"type {name} to stop it")
    guarded.type("y")
    guarded.keys("Enter")
    guarded.wait(f"{why}: nothing was done")
    guarded.keys("S")
    guarded.wait(f"type {name} to stop it")
    guarded.keys("Escape")
    guarded.wait("nothing was done")
    assert history(tmp_path) == []
    guarded.keys("S")
    guarded.wait(f"type {name} to stop it")
    guarded.type(name)
    guarded.keys("Enter")
    guarded.wait("y yes  n no")
    guarded.keys("y")
    guarded.wait("run 1: stop: 1 changed")


def test_what_was_typed_before_the_question_does_not_answer_it(
    guarded: Tmux, tmp_path: Path
) -> None:
    guarded.type("ryy")
    guarded.wait("y yes  n no")
    guarded.keys("n")
    guarded.wait("KNOWN")
    guarded.keys("j", "j")
    guarded.wait("^› ps03")
    guarded.type("Sps03")
    guarded.wait("type ps03 to stop it: _")
    guarded.keys("Escape")
    guarded.wait("nothing was done")
    assert history(tmp_path) == []


def test_question_is_answered_only_when_all_is_known(wide: Tmux, tmp_path: Path) -> None:
    mute = "from psops.watch.actions import Actions; Actions.preview = lambda *words: None; "
    mute += "from psops.__main__ import main; main()"
    wide.type(f"clear; {psops(*QUIET)}\n".replace("-m psops", f'-c "{mute}"'))
    wide.wait("1 lost")
    wide.keys("r")
    wide.wait("asking what comes along")
    wide.keys("y", "n")
    wide.wait("KNOWN")
    wide.keys("e")
    wide.wait("nothing was changed here")
    assert history(tmp_path) == []


def test_read_only_changes_nothing(wide: Tmux, tmp_path: Path) -> None:
    start(wide, *QUIET, "--read-only")
    wide.keys("r")
    wide.wait("--read-only: nothing is changed from here")
    assert history(tmp_path) == []


def test_details_follow_the_unit(guarded: Tmux) -> None:
    guarded.keys("Enter")
    text = guarded.wait("Main PID")
    pid = re.search(r"Main PID: (\d+)", text)
    assert pid is not None
    guarded.keys("r")
    guarded.wait("y yes  n no")
    guarded.keys("y")
    guarded.wait("run 1: restart: 1 changed")
    guarded.keys("Enter")
    text = guarded.wait("Main PID")
    assert f"Main PID: {pid[1]} " not in text


def test_commands_on_the_page_of_a_unit_mean_its_host(wide: Tmux) -> None:
    start(wide, "watch", "-i", "demo", "-H", "ps[01-02].demo", "absent.service")
    wide.keys("Enter")
    wide.wait(r"psops status -i demo -H ps01\.demo '\*absent\*'")
