"""What the history of changes tells: runs, their hosts, and the units changed there.

Plain values, without the database they come from; `psops.history` writes and reads them.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

#: States of a host besides those that a change ends with (changed, unchanged, failed, skipped,
#: unknown): before anything was sent to it, and from then until its end is known.
NOT_ATTEMPTED, RUNNING = "not-attempted", "running"
#: Result of a unit while its host is `RUNNING`.
PENDING = "pending"
#: States and results after which a host is to be done again.
UNDONE = frozenset({"failed", "unknown", NOT_ATTEMPTED, RUNNING, PENDING})


class Entry(NamedTuple):
    """One unit on one host that is to be changed, with its state before in words."""

    host: str
    unit: str
    before: str


class Done(NamedTuple):
    """What became of a unit; the result is changed, unchanged, failed, skipped or unknown."""

    unit: str
    result: str
    after: str
    message: str
    elapsed: float


class Change(NamedTuple):
    """One unit on one host: `after` is empty and `elapsed` None until its end is known."""

    unit: str
    before: str
    after: str
    result: str
    message: str
    elapsed: float | None


class RunHost(NamedTuple):
    """One host of a run, how it was reached, and its changes in the order announced."""

    name: str
    reach: Mapping[str, Any]
    state: str
    message: str
    started: float | None
    ended: float | None
    changes: tuple[Change, ...]

    @property
    def undone(self) -> bool:
        """Whether the host is to be done again, for itself or for one of its units."""
        return self.state in UNDONE or any(change.result in UNDONE for change in self.changes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run of a verb that changes units. Times are seconds since the epoch."""

    id: int
    time: float
    user: str
    #: The host that psops ran on.
    psops_host: str
    pid: int
    #: Tells the process from later ones with the same number, see `process_mark`.
    process: str
    verb: str
    request: Mapping[str, Any]
    exit_code: int | None
    ended: float | None
    hosts: tuple[RunHost, ...]

    @property
    def unfinished(self) -> tuple[RunHost, ...]:
        """The hosts to be done again: failed, unknown, not attempted, or still running.

        Of a run whose `state` is running they may yet be done by the run itself.
        """
        return tuple(host for host in self.hosts if host.undone)

    @property
    def state(self) -> str:
        """finished, running (its process is alive), killed (it is gone and never said the end),
        or unknown: not ended, and its process is on another host, as with a shared home."""
        if self.ended is not None:
            return "finished"
        if self.psops_host != os.uname().nodename or not self.process:
            return "unknown"
        return "running" if process_mark(self.pid) == self.process else "killed"


def process_mark(pid: int) -> str:
    """Return what no other process of this host ever has: the boot and the start time since it.

    Returns "" for a process that is gone, or ended and not yet waited for.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""
    fields = stat.rpartition(")")[2].split()  # from the third on; the name may have spaces
    return "" if fields[0] in "ZX" else f"{boot} {fields[19]}"


def current_user() -> str:
    """Return who runs psops: the one who called sudo, else the login name of the user."""
    import pwd

    if name := os.environ.get("SUDO_USER"):
        return name
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container's user often has no entry
        return str(os.getuid())
