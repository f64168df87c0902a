"""Processes the lab started, known by pid and start time so that no other is ever signalled."""

import contextlib
import os
import select
import signal
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path


def boot_id() -> str:
    """Return the id of this machine's boot, since start times are only unique within one."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


@dataclass(frozen=True, slots=True)
class Process:
    """A pid together with the start time in /proc/PID/stat (field 22)."""

    pid: int
    start: int

    def is_alive(self) -> bool:
        """Tell whether this very process still runs; a zombie does not."""
        found = _state_and_start(self.pid)
        return found is not None and found[1] == self.start and found[0] not in "ZX"


def identify(pid: int) -> Process | None:
    """Return the process with its start time, or None if it is gone."""
    found = _state_and_start(pid)
    return Process(pid, found[1]) if found else None


def _state_and_start(pid: int) -> tuple[str, int] | None:
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        # The second comes when the process ends between open and read.
        return None
    # The command name in parentheses may itself hold blanks and parentheses.
    fields = text.rpartition(")")[2].split()
    return fields[0], int(fields[19])


@contextlib.contextmanager
def opened(process: Process) -> Iterator[int | None]:
    """Give a descriptor of this very process, readable once it has ended; None if it is gone."""
    try:
        pidfd = os.pidfd_open(process.pid) if process.pid else None
    except ProcessLookupError:
        pidfd = None
    if pidfd is None:
        yield None
        return
    try:
        # Compared after opening: from here on the descriptor cannot come to mean another process.
        yield pidfd if process.is_alive() else None
    finally:
        os.close(pidfd)


def stop(processes: Iterable[Process], grace_s: float) -> list[Process]:
    """End the processes by SIGTERM, after the grace time by SIGKILL, and return those killed."""
    with contextlib.ExitStack() as descriptors:
        waiting: dict[int, Process] = {}
        for process in processes:
            pidfd = descriptors.enter_context(opened(process))
            if pidfd is not None:
                waiting[pidfd] = process
        _signal(waiting, signal.SIGTERM)
        _await_end(waiting, grace_s)
        killed = list(waiting.values())
        _signal(waiting, signal.SIGKILL)
        _await_end(waiting, grace_s)
    return killed


def _signal(pidfds: Iterable[int], number: signal.Signals) -> None:
    for pidfd in pidfds:
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(pidfd, number)


def _await_end(waiting: dict[int, Process], seconds: float) -> None:
    poll = select.poll()
    for pidfd in waiting:
        poll.register(pidfd, select.POLLIN)
    deadline = time.monotonic() + seconds
    while waiting and (left := deadline - time.monotonic()) > 0:
        for pidfd, _ in poll.poll(left * 1000):
            poll.unregister(pidfd)
            del waiting[pidfd]
