"""lab.json: which hosts run, and as which processes."""

import dataclasses
import json
import threading
from dataclasses import dataclass

from .place import PORT, Place, replace_text
from .process import Process, boot_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """A host of the lab; `kind` is systemd, bare (no bus) or dbus (a bus without systemd).

    A pid of 0 is one that is not known yet, or never became known.
    """

    name: str
    address: str
    port: int = PORT
    kind: str = "systemd"
    dress: str = ""
    polkit: bool = False
    leader_pid: int = 0
    leader_start: int = 0
    nspawn_pid: int = 0
    nspawn_start: int = 0

    @property
    def leader(self) -> Process:
        """The first process of the host."""
        return Process(self.leader_pid, self.leader_start)

    @property
    def nspawn(self) -> Process:
        """The systemd-nspawn which keeps the host."""
        return Process(self.nspawn_pid, self.nspawn_start)

    @property
    def root(self) -> str:
        """The host's root directory as seen from this machine."""
        return f"/proc/{self.leader_pid}/root"

    @property
    def bus(self) -> str:
        """The host's system bus socket as seen from this machine."""
        return f"{self.root}/run/dbus/system_bus_socket"


class Record:
    """lab.json, rewritten at every change so that an interrupted command forgets no host."""

    def __init__(self, place: Place) -> None:
        self._path = place.record
        self._lock = threading.Lock()
        self._hosts = {host.name: host for host in _load(place)}

    @property
    def hosts(self) -> list[Host]:
        """Every host recorded since this machine booted, alive or not, by name."""
        return [self._hosts[name] for name in sorted(self._hosts)]

    @property
    def running(self) -> list[Host]:
        """The recorded hosts whose boot was finished and which still run."""
        return [host for host in self.hosts if host.leader.is_alive()]

    def put(self, host: Host) -> None:
        """Record the host in place of what was known of its name."""
        with self._lock:
            self._hosts[host.name] = host
            self._write()

    def drop(self, host: Host) -> None:
        """Forget the host."""
        with self._lock:
            self._hosts.pop(host.name, None)
            self._write()

    def _write(self) -> None:
        hosts = [dataclasses.asdict(host) for host in self.hosts]
        content = {"boot_id": boot_id(), "hosts": hosts}
        replace_text(self._path, json.dumps(content, indent=1) + "\n")


def _load(place: Place) -> list[Host]:
    try:
        content = json.loads(place.record.read_text())
    except FileNotFoundError:
        return []
    # After a reboot the same pids and start times could mean anything.
    if content["boot_id"] != boot_id():
        return []
    return [Host(**host) for host in content["hosts"]]
