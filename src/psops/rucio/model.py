"""What is known of a host that runs Rucio's daemons: its processes and who owns them."""

from dataclasses import dataclass
from typing import NamedTuple

from psops.errors import HostError
from psops.report.model import RUNNING, UnitStatus


class Process(NamedTuple):
    """A process of a host: its number there, its command line, and the control group it is in."""

    pid: int
    argv: tuple[str, ...]
    cgroup: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Managed:
    """One process of a daemon that a service manager looks after. Times in seconds ago."""

    #: Name of the daemon without "rucio-", and what its findings are called.
    daemon: str
    name: str
    #: The unit, or `group:name` of supervisord.
    unit: str
    #: "systemd" or "supervisord".
    manager: str
    #: The states of systemd; those of supervisord are translated.
    active: str
    sub: str
    result: str = ""
    #: Exit code of the last process that ended, None if none has or a signal ended it.
    exit_code: int | None = None
    restarts: int = 0
    #: Since the process that runs was started; None if none runs.
    up: float | None = None
    #: Since the last one ended; None if it is not known.
    down: float | None = None
    #: The main process, 0 for none, and all of them.
    pid: int = 0
    pids: frozenset[int] = frozenset()
    argv: tuple[str, ...] = ()
    #: In a container, so that its heartbeats have another number and perhaps another hostname.
    contained: bool = False
    #: Whether it must run: enabled, or wanted by a unit that is active.
    wanted: bool = True
    #: `Restart=` of the unit, "" where it is not known.
    restart: str = ""
    status: UnitStatus | None = None

    @property
    def running(self) -> bool:
        """Whether it has a process that should be at work."""
        return self.active in RUNNING and self.pid > 0

    def fits(self, daemon: str, pid: int) -> bool:
        """Return whether a heartbeat of its host, of this daemon and number, can be its own."""
        return self.daemon == daemon if self.contained else pid in self.pids


@dataclass(frozen=True, slots=True, kw_only=True)
class RucioHost:
    """One host: the names its heartbeats may have, and what runs there."""

    name: str
    #: All names it is known by, lower-case.
    names: frozenset[str]
    managed: tuple[Managed, ...] = ()
    #: Processes of daemons, owned by a manager or not; None if they cannot be listed.
    processes: tuple[Process, ...] | None = None
    #: The Rucio release that is installed, "" if it is not seen.
    version: str = ""
    #: Seconds from when it was read until the heartbeats were.
    lag: float = 0.0
    #: When it was read, on the monotonic clock.
    read_at: float = 0.0
    #: Why supervisord was not read, where it runs.
    supervisord_unread: HostError | None = None

    def has_name(self, hostname: str) -> bool:
        """Return whether heartbeats from a hostname are of this host.

        A short name stands for the full one and the other way round; two full names have to
        be equal.
        """
        given = hostname.lower().rstrip(".")
        if given in self.names:
            return True
        short = given.partition(".")[0]
        if short == given:
            return any(name.partition(".")[0] == given for name in self.names)
        return short in self.names and not any(
            "." in name and name.partition(".")[0] == short for name in self.names
        )

    @property
    def owned(self) -> frozenset[int]:
        """All processes that a manager owns."""
        return frozenset(pid for one in self.managed for pid in one.pids)
