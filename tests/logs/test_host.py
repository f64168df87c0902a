"""What is found out of a host before its logs are read."""

import struct
import threading
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path

from psops.deadline import Deadline
from psops.logs import host as reading
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
