"""Runs one command and measures it with all its children."""

import contextlib
import os
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

TIMEOUT_S = 300.0
SAMPLE_EVERY_S = 0.03


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What one run of a command took and said; CPU is that of it and its ended children."""

    wall_s: float
    cpu_s: float
    #: Of the one process of the tree that was largest.
    rss_kib: int
    exit: int
    stdout: str
    stderr: str
    #: Of all processes of the tree at once; 0 if it was not sampled.
    pss_kib: int = 0


def run(
    argv: Sequence[str | Path],
    environment: Mapping[str, str] | None = None,
    *,
    sample_pss: bool = False,
    timeout_s: float = TIMEOUT_S,
) -> Sample:
    """Run a command to its end; sampling the memory of the tree disturbs its other figures."""
    with tempfile.TemporaryFile() as stdout, tempfile.TemporaryFile() as stderr:
        begin = time.monotonic()
        child = subprocess.Popen(
            argv,
            env={**_inherited(), **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            start_new_session=True,
        )
        overdue = threading.Timer(timeout_s, _kill_group, (child.pid,))
        overdue.start()
        peak = _PeakPss(child.pid) if sample_pss else None
        try:
            # Not Popen.wait: only this call gives the usage of this one child's tree.
            _, status, usage = os.wait4(child.pid, 0)
            wall_s = time.monotonic() - begin
        finally:
            overdue.cancel()
            overdue.join()
        child.returncode = os.waitstatus_to_exitcode(status)
        stdout.seek(0)
        stderr.seek(0)
        return Sample(
            wall_s=wall_s,
            cpu_s=usage.ru_utime + usage.ru_stime,
            rss_kib=usage.ru_maxrss,
            exit=child.returncode,
            stdout=stdout.read().decode(errors="replace"),
            stderr=stderr.read().decode(errors="replace"),
            pss_kib=peak.stop() if peak else 0,
        )


def cpu_of(pids: Iterable[int]) -> float:
    """Return the seconds of CPU that running processes of one thread each have used."""
    # In nanoseconds, while the clock ticks of /proc/PID/stat are too coarse for a master.
    used = (Path(f"/proc/{pid}/schedstat").read_text().split()[0] for pid in pids)
    return sum(map(int, used)) / 1e9


def _inherited() -> dict[str, str]:
    # PYTHONDONTWRITEBYTECODE and its like would have every run compile what it imports.
    return {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}


def _kill_group(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)


class _PeakPss:
    """Samples the memory of a process and its descendants, shared pages divided among them."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._peak = 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)
        self._thread.start()

    def stop(self) -> int:
        """Return the peak in KiB."""
        self._ended.set()
        self._thread.join()
        return self._peak

    def _sample(self) -> None:
        while not self._ended.wait(SAMPLE_EVERY_S):
            self._peak = max(self._peak, sum(map(_pss, _tree(self._pid))))


def _tree(pid: int) -> list[int]:
    found = [pid]
    for parent in found:
        with contextlib.suppress(OSError):
            for task in Path(f"/proc/{parent}/task").iterdir():
                found += map(int, (task / "children").read_text().split())
    return found


def _pss(pid: int) -> int:
    try:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0  # it has just ended
    return next((int(x.split()[1]) for x in rollup.splitlines() if x.startswith("Pss:")), 0)
