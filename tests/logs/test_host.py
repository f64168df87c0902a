"""What is found out of a host before its logs are read."""

import os
import struct
import threading
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path

import pytest

from psops.deadline import Deadline
from psops.errors import NoBus
from psops.inventory import Host
from psops.logs import host as reading
from psops.logs.follow import Follower
from psops.logs.host import HostLogs
from psops.logs.model import LogQuery
from psops.transport import Options
from psops.transport.files import LocalFiles

_BLOCK = b"TZif2" + bytes(15) + struct.pack(">6llbb4s", 0, 0, 0, 0, 1, 4, 3600, 0, 0, b"CET\0")
#: A file of zic(8) for a zone without summer time.
ZONE = _BLOCK + _BLOCK + b"\nCET-1\n"


def zone(root: Path, data: bytes) -> tzinfo:
    """Return the zone of a host with this /etc/localtime."""
    (root / "etc").mkdir(exist_ok=True)
    (root / "etc/localtime").write_bytes(data)
    files = LocalFiles(str(root))
    try:
        return reading._zone_of(files, Deadline(5))
    finally:
        files.close()


@pytest.fixture
def logs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> HostLogs:
    """Give the logs of a host with a directory of them, not opened yet."""

    class Connection:
        def open_bus(self) -> None:
            raise NoBus("there is none")

        def open_files(self, deadline: Deadline) -> LocalFiles:
            return LocalFiles("/")

        def close(self) -> None:
            pass

    monkeypatch.setattr(reading, "connect", lambda *_: Connection())
    query = LogQuery(names=("a.service",), files={"a.service": (str(tmp_path),)}, follow=True,
                     lines=5, journal=False)  # fmt: skip
    return HostLogs(Host(name="ps01"), query, Options(), lambda _: None)


def write(path: Path, *numbers: int, when: int) -> None:
    """Write lines into a log, as if at a moment."""
    with path.open("a") as file:
        file.writelines(f"2026-11-20 10:00:00 line {number}\n" for number in numbers)
    os.utime(path, (when, when))


def news(logs: HostLogs) -> list[str]:
    """Return what is new in the files of a host."""
    items = [item for log in logs.logs for item in (*log.news(), *log.rest())]
    return [item.message for item in items]


def test_a_file_of_a_directory_that_is_written_later_is_read_from_where_it_was(
    tmp_path: Path, logs: HostLogs
) -> None:
    write(tmp_path / "old.log", 1, 2, when=1)
    write(tmp_path / "new.log", 3, when=2)
    logs.open()
    assert [line.message for line in logs.history()] == ["line 3"]
    logs.close()
    write(tmp_path / "old.log", 4, when=3)
    logs.open()
    assert news(logs) == ["line 4"]
    write(tmp_path / "third.log", 5, when=4)
    write(tmp_path / "new.log", 6, when=3)
    logs.find_files()
    assert sorted(news(logs)) == ["line 5", "line 6"]


def test_a_file_that_appears_while_a_host_is_away_again_is_new(
    tmp_path: Path, logs: HostLogs
) -> None:
    write(tmp_path / "a.log", 1, when=1)
    follower = Follower(logs, lambda _: None)
    assert follower._come_back() is None
    assert news(logs) == []
    logs.close()
    write(tmp_path / "b.log", 2, when=2)
    assert follower._come_back() is None
    assert news(logs) == ["line 2"]


def test_a_zone_is_read_and_what_is_left_of_one_is_no_error(tmp_path: Path) -> None:
    found: list[timedelta | None] = []

    def read() -> None:
        for size in range(len(ZONE), -1, -1):
            found.append(zone(tmp_path, ZONE[:size]).utcoffset(datetime.now(UTC)))

    work = threading.Thread(target=read, daemon=True)  # which may never end
    work.start()
    work.join(60)
    assert len(found) == len(ZONE) + 1, f"{len(ZONE) - len(found)} bytes were never read to an end"
    assert found[0] == timedelta(hours=1)
    # What is cut off in front of its last line has all but the rule for times to come.
    assert set(found[1:]) <= {timedelta(0), timedelta(hours=1)}
