"""How much memory `psops logs` takes for much journal on many hosts, read by a slow reader.

`python3 -m tests.bench.logs` puts a journal of 50 MB on each of 20 hosts of the lab, reads all
of it as one stream, and prints lines, seconds and the peak of the resident memory; with
`--slow` the reader takes so many megabytes a second, as a pager or a narrow line would.
"""

import argparse
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests import lab as real_hosts
from tests import prepare
from tests.lab import Host, Lab

UNIT = "bench-big.service"
_REMOTE = Path("/lib/systemd/systemd-journal-remote")
_ENTRY_BYTES = 525  # what one takes in a journal file, found by trying


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What reading everything took."""

    lines: int
    megabytes: float
    seconds: float
    rss_mib: float
    exit: int


def make_journal(path: Path, megabytes: int) -> None:
    """Write a journal file of about this size."""
    if not _REMOTE.exists():
        prepare.apt_install(["systemd-journal-remote"])
    chance = random.Random(20)
    begin = int(time.time() * 1e6) - 3_600_000_000
    count = megabytes * 1_000_000 // _ENTRY_BYTES
    with tempfile.NamedTemporaryFile("w", suffix=".export") as export:
        for at in range(count):
            moment = begin + at * 3_000_000_000 // count
            export.write(
                f"__REALTIME_TIMESTAMP={moment}\n__MONOTONIC_TIMESTAMP={moment - begin + 1}\n"
                f"_BOOT_ID={'b' * 32}\n_PID={1000 + at % 50}\nPRIORITY={4 + at % 4}\n"
                f"SYSLOG_IDENTIFIER=big\n_SYSTEMD_UNIT={UNIT}\n"
                f"MESSAGE=line {at} {chance.getrandbits(800):x}\n\n"
            )
        export.flush()
        subprocess.run([_REMOTE, "-o", path, export.name], check=True, capture_output=True)


@contextmanager
def on_hosts(lab: Lab, hosts: list[Host], journal: Path) -> Iterator[None]:
    """Have the journal file on some hosts."""
    places = []
    try:
        for host in hosts:
            there = lab.shell(host, ["cat", "/etc/machine-id"], check=True).stdout.strip()
            place = Path(f"{host.root}/var/log/journal/{there}")
            places.append(place)
            place.mkdir(parents=True, exist_ok=True)
            shutil.copy(journal, place / "bench.journal")
        yield
    finally:
        for place in places:
            (place / "bench.journal").unlink(missing_ok=True)
            for directory in (place, place.parent):  # an empty one would have logs kept there
                if directory.is_dir() and not any(directory.iterdir()):
                    directory.rmdir()


def read_all(argv: list[str], *, slow: float | None = None) -> Reading:
    """Run psops and read what it says, at most so many megabytes a second."""
    with tempfile.TemporaryDirectory() as home:
        environment = {"HOME": home, "PATH": os.environ["PATH"], "TZ": "UTC", "PSOPS_SYSLOG": ""}
        begin = time.monotonic()
        process = subprocess.Popen(
            [sys.executable, "-m", "psops", *argv], stdout=subprocess.PIPE, env=environment
        )
        assert process.stdout is not None
        lines = size = 0
        while data := os.read(process.stdout.fileno(), 65536):
            lines += data.count(b"\n")
            size += len(data)
            if slow is not None:
                time.sleep(max(0.0, size / (slow * 1e6) - (time.monotonic() - begin)))
        _, status, usage = os.wait4(process.pid, 0)
        process.stdout.close()
        process.returncode = os.waitstatus_to_exitcode(status)
    return Reading(
        lines=lines, megabytes=size / 1e6, seconds=time.monotonic() - begin,
        rss_mib=usage.ru_maxrss / 1024, exit=process.returncode,
    )  # fmt: skip


def main() -> int:
    """Measure, and print what was found."""
    parser = argparse.ArgumentParser(prog="python3 -m tests.bench.logs", description=__doc__)
    parser.add_argument("--hosts", type=int, default=20)
    parser.add_argument("--megabytes", type=int, default=50, help="of journal on each host")
    parser.add_argument("--slow", type=float, help="megabytes a second that the reader takes")
    parser.add_argument("--jsonl", action="store_true")
    given = parser.parse_args()
    booted = real_hosts.up(real_hosts.state_place(), given.hosts)
    if booted:
        print(f"booted {len(booted)} hosts; python3 -m tests.lab down takes them down")
    lab = Lab.load(real_hosts.state_place())
    hosts = list(lab.hosts[: given.hosts])
    names = ",".join(host.name for host in hosts)
    base = ["logs", "-i", str(lab.inventory), "-H", names, UNIT]
    form = ["--json"] if given.jsonl else []
    with tempfile.TemporaryDirectory() as directory:
        journal = Path(directory) / "bench.journal"
        make_journal(journal, given.megabytes)
        print(f"{len(hosts)} hosts, {journal.stat().st_size / 1e6:.0f} MB of journal on each")
        with on_hosts(lab, hosts, journal):
            for title, words in (("the last line", ["-n", "1"]), ("everything", ["-n", "all"])):
                found = read_all([*base, *words, *form], slow=given.slow)
                print(
                    f"{title}: {found.lines} lines, {found.megabytes:.0f} MB of text, "
                    f"{found.seconds:.1f} s, {found.lines / found.seconds:.0f} lines/s; "
                    f"peak RSS {found.rss_mib:.0f} MiB"
                )
    return 0


if __name__ == "__main__":
    sys.exit(main())
