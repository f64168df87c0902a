"""lab.json: which hosts run, and as which processes."""

import dataclasses
import json
from collections.abc import Iterable
from dataclasses import dataclass

from .place import PORT, Place, replace_text
from .process import Process, boot_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """A host of the lab; `kind` is systemd, bare (no bus) or dbus (a bus without systemd)."""

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


def load_recorded(place: Place) -> list[Host]:
    """Return every host which was recorded since this machine booted, alive or not."""
    try:
        content = json.loads(place.record.read_text())
    except FileNotFoundError:
        return []
    if content["boot_id"] != boot_id():
        return []
    return [Host(**host) for host in content["hosts"]]


def load_running(place: Place) -> list[Host]:
    """Return the recorded hosts which still run, by name."""
    return [host for host in load_recorded(place) if host.leader.is_alive()]


def write_record(place: Place, hosts: Iterable[Host]) -> None:
    """Write lab.json."""
    content = {
        "boot_id": boot_id(),
        "hosts": [dataclasses.asdict(host) for host in sorted(hosts, key=lambda h: h.name)],
    }
    replace_text(place.record, json.dumps(content, indent=1) + "\n")
