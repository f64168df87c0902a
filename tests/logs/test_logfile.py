"""A log file is read and followed through every way in which it can be rotated."""

import contextlib
import gzip
import itertools
import lzma
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from psops.deadline import Deadline
from psops.errors import ChannelRefused
from psops.logs.logfile import LogFile
from psops.logs.model import Line, LogQuery, Notice
from psops.logs.rotation import expand, siblings
from psops.transport.files import LocalFiles

BEGIN = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)


@pytest.fixture
def files() -> Iterator[LocalFiles]:
    """Give the files of this machine."""
    found = LocalFiles("/")
    yield found
    found.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Give the path of a log."""
    return tmp_path / "app.log"


def stamped(number: int) -> str:
    """Return a line that is written so many seconds after the beginning."""
    return f"{BEGIN + timedelta(seconds=number):%Y-%m-%d %H:%M:%S},000 line {number}\n"


def write(path: Path, *numbers: int, mode: str = "a") -> None:
    """Write lines into a log."""
    with path.open(mode) as file:
        file.write("".join(map(stamped, numbers)))


def log(path: Path, files: LocalFiles, **values: Any) -> LogFile:
    """Return a log file as it is read."""
    usual: dict[str, Any] = {"files": {}, "follow": True}
    found = LogFile("ps01", str(path), "a.service", LogQuery(**usual | values), timeout=5)
    found.attach(files, UTC)
    return found


def numbers(items: Iterator[Line | Notice] | Iterator[Line]) -> list[int]:
    """Return the numbers of the lines."""
    lines = [item for item in items if isinstance(item, Line)]
    return [int(line.message.rpartition(" ")[2]) for line in lines]


def news(found: LogFile) -> list[int]:
    """Return the numbers of lines that are new, those that wait for more lines too."""
    return [*numbers(found.news()), *numbers(found.rest())]


def test_the_last_lines_also_of_older_files(path: Path, files: LocalFiles) -> None:
    write(Path(f"{path}.2"), 1, 2, 3)
    write(Path(f"{path}.1"), 4, 5)
    os.utime(f"{path}.2", (1, 1))
    os.utime(f"{path}.1", (2, 2))
    write(path, 6, 7)
    assert numbers(log(path, files, lines=2).entries()) == [6, 7]
    assert numbers(log(path, files, lines=5).entries()) == [3, 4, 5, 6, 7]
    assert numbers(log(path, files, lines=0).entries()) == []


def test_the_last_lines_of_a_long_file(path: Path, files: LocalFiles) -> None:
    write(path, *range(20_000))
    assert numbers(log(path, files, lines=3).entries()) == [19_997, 19_998, 19_999]
    rare = log(path, files, lines=2, grep=re.compile("line 7$|line 9$|line 11$"))
    assert numbers(rare.entries()) == [9, 11]


def test_a_moment_in_a_long_file_is_found_without_reading_all(
    path: Path, files: LocalFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(path, *range(80_000))
    found = log(path, files, since=(BEGIN + timedelta(seconds=79_990)).timestamp())
    read = 0
    begin = os.pread

    def counting(descriptor: int, count: int, offset: int) -> bytes:
        nonlocal read
        data = begin(descriptor, count, offset)
        read += len(data)
        return data

    monkeypatch.setattr(os, "pread", counting)
    assert numbers(found.entries()) == list(range(79_990, 80_000))
    assert read < path.stat().st_size / 4


def test_since_reads_rotated_and_packed_files(path: Path, files: LocalFiles) -> None:
    for at, (suffix, opener) in enumerate([(".3.xz", lzma.open), (".2.gz", gzip.open)]):
        with opener(f"{path}{suffix}", "wt") as file:  # type: ignore[operator]
            file.write(stamped(2 * at) + stamped(2 * at + 1))
        when = (BEGIN + timedelta(seconds=2 * at + 1)).timestamp()
        os.utime(f"{path}{suffix}", (when, when))
    write(Path(f"{path}-20261120"), 4, 5)
    write(path, 6, 7)
    Path(f"{path}.old-notes").write_text(stamped(99))
    Path(f"{path}.bak").write_text(stamped(99))
    assert numbers(log(path, files, since=BEGIN.timestamp()).entries()) == list(range(8))
    later = (BEGIN + timedelta(seconds=3)).timestamp()
    assert numbers(log(path, files, since=later).entries()) == [3, 4, 5, 6, 7]
    until = (BEGIN + timedelta(seconds=5)).timestamp()
    assert numbers(log(path, files, since=later, until=until).entries()) == [3, 4, 5]


def test_a_packed_file_that_is_damaged_is_an_error_of_that_file(
    path: Path, files: LocalFiles
) -> None:
    Path(f"{path}.1.gz").write_bytes(b"\x1f\x8bnot gzip at all")
    write(path, 1)
    for values in ({"since": 0.0}, {"lines": 5}):
        found = log(path, files, **values)
        assert numbers(found.entries()) == [1]
        assert [problem.partition(":")[0] for problem in found.problems] == [f"{path}.1.gz"]


def test_what_comes_is_followed(path: Path, files: LocalFiles) -> None:
    write(path, 1, 2)
    found = log(path, files, lines=1)
    assert numbers(found.entries()) == [2]
    assert news(found) == []
    write(path, 3, 4)
    assert news(found) == [3, 4]
    with path.open("a") as file:  # a line in two pieces
        file.write(stamped(5)[:20])
        file.flush()
        assert news(found) == []
        file.write(stamped(5)[20:])
    assert news(found) == [5]


def test_a_line_that_is_not_complete_at_first_is_shown_once(path: Path, files: LocalFiles) -> None:
    write(path, 1)
    with path.open("a") as file:
        file.write(stamped(2)[:-3])
    found = log(path, files, lines=10)
    assert numbers(found.entries()) == [1]
    with path.open("a") as file:
        file.write(stamped(2)[-3:])
    assert news(found) == [2]


def test_a_file_renamed_and_made_anew(path: Path, files: LocalFiles) -> None:
    write(path, 1)
    found = log(path, files, lines=1)
    list(found.entries())
    writer = path.open("a")
    path.rename(f"{path}.1")
    writer.write(stamped(2))  # by who has not been told to reopen it
    writer.flush()
    assert news(found) == [2]
    write(path, 3)
    writer.write(stamped(4))
    writer.flush()
    items = [*found.news(), *found.rest()]
    assert sorted(numbers(iter(items))) == [3, 4]
    writer.close()
    write(path, 5)
    assert news(found) == [5]
    write(path, 6)
    assert news(found) == [6]


def test_a_file_copied_and_truncated(path: Path, files: LocalFiles) -> None:
    write(path, 1, 2)
    found = log(path, files, lines=2)
    list(found.entries())
    write(path, 3)  # not seen before it is taken away
    Path(f"{path}.1").write_bytes(path.read_bytes())
    os.truncate(path, 0)
    write(path, 4)
    assert news(found) == [3, 4]
    write(path, 5)
    assert news(found) == [5]


def test_a_truncated_file_that_has_grown_longer_than_it_was(path: Path, files: LocalFiles) -> None:
    write(path, 1, 2)
    found = log(path, files, lines=2)
    list(found.entries())
    Path(f"{path}.1").write_bytes(path.read_bytes())
    write(path, 3, 4, 5, mode="w")
    assert news(found) == [3, 4, 5]


def test_a_hole_of_zeros_is_no_text(path: Path, files: LocalFiles) -> None:
    with path.open("w") as writer:  # not for appending, so that it goes on where it was
        writer.write(stamped(1))
        writer.flush()
        found = log(path, files, lines=1)
        list(found.entries())
        Path(f"{path}.1").write_bytes(path.read_bytes())
        os.truncate(path, 0)
        writer.write(stamped(2))
    assert path.read_bytes().startswith(b"\0")
    assert news(found) == [2]


@pytest.mark.parametrize("packed", [False, True])
def test_nothing_is_lost_or_shown_twice_by_rotation_while_the_host_was_away(
    path: Path, files: LocalFiles, packed: bool
) -> None:
    write(path, 1, 2)
    found = log(path, files, lines=2)
    assert numbers(found.entries()) == [1, 2]
    found.close()
    write(path, 3)
    if packed:
        with gzip.open(f"{path}.2.gz", "wb") as file:
            file.write(path.read_bytes())
        os.utime(f"{path}.2.gz", (BEGIN.timestamp(), BEGIN.timestamp()))
        path.unlink()
    else:
        path.rename(f"{path}.2")
        os.utime(f"{path}.2", (BEGIN.timestamp(), BEGIN.timestamp()))
    write(Path(f"{path}.1"), 4, 5)
    write(path, 6)
    found.attach(files, UTC)
    assert news(found) == [3, 4, 5, 6]


@pytest.mark.parametrize("size", [1.0, 0.5])
def test_what_is_being_packed_is_not_shown_twice(
    path: Path, files: LocalFiles, size: float
) -> None:
    write(path, *range(20_000))
    found = log(path, files, lines=1)
    list(found.entries())
    path.rename(f"{path}.1")
    packed = gzip.compress(Path(f"{path}.1").read_bytes())
    Path(f"{path}.1.gz").write_bytes(packed[: int(len(packed) * size)])
    os.utime(f"{path}.1", (BEGIN.timestamp(), BEGIN.timestamp()))
    write(path, 20_000)
    assert news(found) == [20_000]
    begun = log(path, files, since=BEGIN.timestamp())
    assert numbers(begun.entries()) == list(range(20_001))
    assert begun.problems == []


@pytest.mark.parametrize("reads", range(1, 12))
def test_a_connection_that_is_lost_in_older_files_doubles_nothing(
    path: Path, files: LocalFiles, monkeypatch: pytest.MonkeyPatch, reads: int
) -> None:
    write(path, *range(10))
    found = log(path, files, lines=1)
    list(found.entries())
    found.close()
    write(path, *range(10, 10_000))
    path.rename(f"{path}.2")
    os.utime(f"{path}.2", (BEGIN.timestamp(), BEGIN.timestamp()))
    write(Path(f"{path}.1"), *range(10_000, 20_000))
    write(path, *range(20_000, 20_010))
    left = reads
    really = os.pread

    def lost(descriptor: int, count: int, offset: int) -> bytes:
        nonlocal left
        left -= 1
        if not left:
            raise ChannelRefused("lost")
        return really(descriptor, count, offset)

    monkeypatch.setattr(os, "pread", lost)
    shown: list[int] = []
    for _ in range(2):
        found.attach(files, UTC)
        with contextlib.suppress(ChannelRefused):
            for item in itertools.chain(found.news(), found.rest()):
                shown += numbers(iter([item]))
        found.close()
    assert shown == list(range(10, 20_010))


@pytest.mark.parametrize("cut", [True, False])
def test_a_damaged_older_file_is_told_once_and_left(
    path: Path, files: LocalFiles, cut: bool
) -> None:
    write(path, *range(100))
    found = log(path, files, lines=1)
    list(found.entries())
    found.close()
    write(path, *range(100, 30_000))
    packed = bytearray(gzip.compress(path.read_bytes()))
    middle = len(packed) * 3 // 4
    packed[middle:] = b"" if cut else bytes(len(packed) - middle)
    Path(f"{path}.1.gz").write_bytes(packed)
    path.unlink()
    write(path, 30_000)
    found.attach(files, UTC)
    items = list(itertools.chain(found.news(), found.rest()))
    shown = [item.message for item in items if isinstance(item, Line)]
    assert shown[:9_900] == [f"line {number}" for number in range(100, 10_000)]
    assert shown[-1] == "line 30000"
    assert [item.message.partition(": ")[0] for item in items if isinstance(item, Notice)] == [
        f"{path} was rotated", f"{path}.1.gz"
    ]  # fmt: skip
    assert news(found) == []
    write(path, 30_001)
    assert news(found) == [30_001]


@settings(max_examples=80, deadline=None)
@given(st.lists(st.sampled_from(["write", "write", "rename", "truncate", "pack", "look", "away"]),
                max_size=14))  # fmt: skip
def test_whatever_happens_to_a_file_every_line_is_shown_once(steps: list[str]) -> None:
    with tempfile.TemporaryDirectory() as place:
        _happens(Path(place) / "app.log", steps)


def _happens(path: Path, steps: list[str]) -> None:
    """Do these things to a log that is followed, and compare what is shown."""
    files = LocalFiles("/")
    write(path, 0)
    found = log(path, files, lines=1)
    shown = numbers(found.entries())
    written = 1

    def shift() -> None:
        """Make room for one more older part, as logrotate does."""
        older = sorted(path.parent.glob("app.log.*"), key=lambda one: int(one.name.split(".")[2]))
        for one in reversed(older):
            name = one.name.split(".")
            name[2] = str(int(name[2]) + 1)
            one.rename(path.with_name(".".join(name)))

    for step in [*steps, "write", "look", "look"]:
        if step == "write":
            write(path, written, written + 1)
            written += 2
        elif step == "rename":
            shift()
            path.rename(f"{path}.1")
            path.touch()
        elif step == "truncate":
            shift()
            shutil.copy2(path, f"{path}.1")
            os.truncate(path, 0)
        elif step == "pack" and Path(f"{path}.1").exists():
            before = Path(f"{path}.1").stat()
            Path(f"{path}.1.gz").write_bytes(gzip.compress(Path(f"{path}.1").read_bytes()))
            os.utime(f"{path}.1.gz", ns=(before.st_atime_ns, before.st_mtime_ns))
            Path(f"{path}.1").unlink()
        elif step == "away":
            found.close()
            found.attach(files, UTC)
        elif step == "look":
            shown += news(found)
    found.close()
    files.close()
    assert shown == list(range(written)), steps


def test_a_file_that_went_nowhere_is_told(path: Path, files: LocalFiles) -> None:
    write(path, 1, 2)
    found = log(path, files, lines=2)
    list(found.entries())
    write(path, 7, mode="w")
    items = list(found.news())
    assert any(
        "entries may be missing" in item.message for item in items if isinstance(item, Notice)
    )
    assert numbers(found.rest()) == [7]


def test_a_file_that_appears_is_new_from_its_beginning(path: Path, files: LocalFiles) -> None:
    found = log(path, files, lines=5)
    with pytest.raises(FileNotFoundError):
        list(found.entries())
    assert news(found) == []
    write(path, 1)
    assert news(found) == [1]


def test_lines_of_other_priorities_and_texts_are_left_out(path: Path, files: LocalFiles) -> None:
    path.write_text("2026-11-20 10:00:00 ERROR 1\n2026-11-20 10:00:01 INFO 2\n")
    assert numbers(log(path, files, weakest=3).entries()) == [1]
    assert numbers(log(path, files, strongest=5).entries()) == [2]
    assert numbers(log(path, files, grep=re.compile("INFO")).entries()) == [2]


def test_bytes_that_are_no_text_and_endless_lines(path: Path, files: LocalFiles) -> None:
    path.write_bytes(b"2026-11-20 10:00:00 caf\xe9\r\n" + b"x" * 3_000_000)
    first, second = log(path, files, follow=False).entries()
    assert first.message == "caf\ufffd"
    assert len(second.message) <= 1 << 20
    found = log(path, files, lines=0)
    list(found.entries())
    with path.open("ab") as file:
        file.write(b"y" * 2_500_000)
    assert all(len(item.message) <= 1 << 20 for item in found.news())


def test_globs_and_directories_are_files(tmp_path: Path, files: LocalFiles) -> None:
    for name in ("a.log", "b.log", "c.txt"):
        (tmp_path / name).write_text("")
    os.utime(tmp_path / "b.log", (1, 1))
    deadline = Deadline(5)
    assert expand(files, f"{tmp_path}/*.log", deadline) == [
        f"{tmp_path}/a.log",
        f"{tmp_path}/b.log",
    ]
    assert expand(files, str(tmp_path), deadline) == [f"{tmp_path}/a.log"]
    assert expand(files, f"{tmp_path}/none.log", deadline) == []
    assert expand(files, f"{tmp_path}/none/*.log", deadline) == []


def test_older_parts_have_the_names_that_rotation_gives(tmp_path: Path, files: LocalFiles) -> None:
    older = ["o.log.1", "o.log.2.gz", "o.log-20261120", "o.log-20261120-1795.xz", "o-20261119.log",
             "o-2026-11-18-1.log.gz", "o.log.2026-11-17"]  # fmt: skip
    others = ["o.log", "o.log.swp", "o.log.1.bak", "other.log", "o.logs", "o_index.log"]
    for name in (*older, *others):
        (tmp_path / name).write_text("")
    found = siblings(files, f"{tmp_path}/o.log", Deadline(5))
    assert sorted(path.rpartition("/")[2] for _, path in found) == sorted(older)


def test_no_link_leads_out_of_a_root(tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "var").mkdir(parents=True)
    (root / "inside").write_text("inside")
    (tmp_path / "inside").write_text("outside")
    (root / "var/up").symlink_to("../../../inside")
    (root / "var/absolute").symlink_to("/inside")
    (root / "var/loop").symlink_to("loop")
    found = LocalFiles(str(root))
    deadline = Deadline(5)
    for name in ("/var/up", "/var/absolute", "/var/../../inside", "inside"):
        assert found.open(name, deadline).read(0, 99, deadline) == b"inside"
    with pytest.raises(OSError, match="too many links"):
        found.open("/var/loop", deadline)
    with pytest.raises(OSError, match="not a regular file"):
        found.open("/var", deadline)
    assert sorted(found.names("/var", deadline)) == ["absolute", "loop", "up"]
