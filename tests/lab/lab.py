"""The running lab as tests see it."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

from . import hosts as booting
from .boot import nsenter
from .faults import Faults
from .place import Place
from .record import Host, Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Lab(Faults):
    """The hosts with systemd that run, in order, and the files to reach them with."""

    place: Place
    hosts: tuple[Host, ...]

    @classmethod
    def load(cls, place: Place) -> "Lab":
        """Return the lab as it runs now."""
        managed = (host for host in Record(place).running if host.kind == "systemd")
        return cls(place=place, hosts=tuple(managed))

    @property
    def inventory(self) -> Path:
        """The psops inventory of all hosts."""
        return self.place.inventory

    @property
    def ssh_config(self) -> Path:
        """The ssh client configuration which reaches every host by name."""
        return self.place.ssh_config

    @property
    def known_hosts(self) -> Path:
        """The keys of all hosts."""
        return self.place.known_hosts

    @property
    def key(self) -> Path:
        """The private key every host accepts."""
        return self.place.key

    @property
    def wrong_key(self) -> Path:
        """A private key no host accepts."""
        return self.place.wrong_key

    def host(self, number: int) -> Host:
        """Return the host of this number; 1 is lab001."""
        return self.named(booting.numbered(number).name)

    def named(self, name: str) -> Host:
        """Return the host of this name."""
        for host in self.hosts:
            if host.name == name:
                return host
        raise KeyError(name)

    def wearing(self, dress: str) -> Host:
        """Return the first host in this dress."""
        for host in self.hosts:
            if host.dress == dress:
                return host
        raise KeyError(dress)

    def special(self, kind: str) -> Host:
        """Return the running host without systemd of this kind, `bare` or `dbus`."""
        for host in Record(self.place).running:
            if host.kind == kind:
                return host
        raise KeyError(kind)

    def shell(
        self, host: Host, argv: list[str], *, check: bool = False
    ) -> subprocess.CompletedProcess[str]:
        """Run a command inside a host as root, without ssh, and return what it said."""
        return nsenter(host, argv, check=check)
