"""Copies to tape at times that no real file can be given: told by what the programs say."""

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from psops.deadline import Deadline
from psops.transport import Finished
from tests.probes.data.site import OK, ask, verdict

HOUR, DAY = 3600, 86400
NOW = int(datetime(2026, 11, 21, 5, 10, tzinfo=UTC).timestamp())
#: Size, ages of the last change and of the last move, name.
MARK = (0, 2 * HOUR, 2 * HOUR, "gracc-2026-11-20.tar.gz")
STAT = "  File: 'x'\n  Size: 1536\tregular file\n"


class Host:
    """A host whose programs say what is given."""

    def __init__(self, files: list[Any], log: str = "", now: int = NOW, fault: str = "") -> None:
        self.files, self.log, self.now, self.fault = files, log, now, fault
        self.asked: list[str] = []

    def run(self, argv: tuple[str, ...], deadline: Deadline) -> Finished:
        self.asked.append(argv[-1])
        if self.fault and "find" in argv:
            return Finished(1, b"", self.fault.encode())
        lines = [f"{size} {self.now - changed}.5 {self.now - moved}.25 {name}\0"
                 for size, changed, moved, name in self.files]  # fmt: skip
        said = {"date": f"{self.now}\n", "find": "".join(lines), "tail": self.log}
        return Finished(0, said.get(argv[2], STAT).encode(), b"")


def tape(host: Host, **how: Any) -> Any:
    def dial(name: str) -> Any:
        return host

    return ask("tape-copy", dial=dial, output="/o", **how)


@pytest.mark.parametrize(
    ("files", "how", "expected", "words"),
    [
        ([(9, 3 * HOUR, 3 * HOUR, "b"), (9, DAY, DAY, "a")], {}, ("critical", "backlog"),
         "2 files not copied, one waits for 1d"),
        ([(9, 3 * HOUR, 3 * HOUR, "b")], {"most_wait": 4 * HOUR}, OK, "nothing waits"),
        # A file keeps its time when it is moved to where it waits.
        ([(9, 6 * HOUR, HOUR, "b")], {}, OK, "nothing waits"),
        # Names are the host's: neither lines nor colours of theirs get through.
        ([(9, DAY, DAY, "a\n0 99999999999 0 b\x1b[1m")], {}, ("critical", "backlog"), "1 file"),
    ],
)  # fmt: skip
def test_files_wait_since_they_came(
    files: list[Any], how: dict[str, Any], expected: Any, words: str
) -> None:
    found = tape(Host([MARK, *files]), **how)
    assert verdict(found) == expected, found
    assert words in found.text


@pytest.mark.parametrize(
    ("log", "code"),
    [
        ("b''\nError: Failed checksum comparison\n", "failed-checksum"),
        ("b''\nError: Failed checksum comparison\nb''\n", "ok"),
        ("b''\nError: Failed checksum comparison\n\nb''\nError: Failed checksum\n",
         "failed-checksum"),
        ("b''\nb''\nError: Failed checksum comparison\nother\n", "failed-checksum"),
        ("b''\nb''\n", "ok"),
    ],
)  # fmt: skip
def test_checksum_counts_until_a_copy_is_good(log: str, code: str) -> None:
    assert tape(Host([MARK], log), log="/l").code == code


@pytest.mark.parametrize(("clock", "date"), [("00:30", "2026-11-19"), ("02:01", "2026-11-20")])
def test_file_of_yesterday_is_wanted_once_it_had_its_time(clock: str, date: str) -> None:
    host = Host([MARK], now=int(datetime.fromisoformat(f"2026-11-21T{clock}+00:00").timestamp()))
    assert verdict(tape(host, remote="davs://t/{date}")) == OK
    assert host.asked[-1] == f"davs://t/{date}"


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("find: '/o/a.tar.gz': No such file or directory\n", ("unknown", "cannot-run")),
        ("find: '/o': No such file or directory\n", ("critical", "missing-object")),
        ("find: ‘/o’: No such file or directory\n", ("critical", "missing-object")),
        ("find: /o: No such file or directory\n", ("critical", "missing-object")),
    ],
)
def test_file_that_vanishes_is_not_the_folder(said: str, expected: Any) -> None:
    assert verdict(tape(Host([], fault=said))) == expected


_MOVES = """
import os, sys
os.chdir(sys.argv[1])
print(flush=True)
while True:
    for here, there in ("ab", "ba"):
        for number in range(100):
            os.rename(f"{here}{number}", f"{there}{number}")
"""


@pytest.fixture
def moving(tmp_path: Path) -> Iterator[Path]:
    """Give a folder whose files are always being moved, but for one."""
    for number in range(100):
        (tmp_path / f"a{number}").touch()
    (tmp_path / "stays").write_text("x")
    argv = [sys.executable, "-c", _MOVES, str(tmp_path)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE) as mover:
        assert mover.stdout is not None
        mover.stdout.readline()
        yield tmp_path
        mover.kill()


def test_files_that_go_while_their_folder_is_read_are_no_fault(moving: Path) -> None:
    for _ in range(15):
        found = ask("files", folder=str(moving))
        assert verdict(found) == OK, found
        assert "stays has 1B" in found.text
