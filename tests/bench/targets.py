"""What every tool is pointed at: the lab's hosts, and how ssh and psops reach them.

A host may be addressed under several names, which makes a fleet of 100 of the lab's 20.
"""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from tests.lab import Lab


class Target(NamedTuple):
    """A name a host goes by, and where it listens."""

    name: str
    address: str
    port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """The files by which the targets are reached, the same settings for every tool."""

    targets: tuple[Target, ...]
    place: Path
    key: Path
    controls: Path | None = None

    @property
    def names(self) -> list[str]:
        """The names of the targets."""
        return [target.name for target in self.targets]

    @property
    def ssh_config(self) -> Path:
        """The configuration of ssh."""
        return self.place / "ssh_config"

    @property
    def known_hosts(self) -> Path:
        """The keys of the targets."""
        return self.place / "known_hosts"

    @property
    def inventory(self) -> Path:
        """The inventory of psops, which names the configuration of ssh."""
        return self.place / "inventory.toml"

    @property
    def environment(self) -> dict[str, str]:
        """What to add to the environment of every command."""
        # `systemctl -H` runs `ssh` from the path and takes no options for it. ssh reads the
        # configuration in the home that passwd gives, whatever HOME says, so a wrapper of
        # two lines hands over the configuration; its `exec` makes it cost about 1 ms of CPU.
        return {
            "PATH": f"{self.place / 'bin'}:{os.environ['PATH']}",
            "XDG_CONFIG_HOME": str(self.place / "config"),
            "XDG_STATE_HOME": str(self.place / "state"),
            "SSH_AUTH_SOCK": "",
            "LC_ALL": "C.UTF-8",
        }


def lab_targets(lab: Lab, count: int) -> tuple[Target, ...]:
    """Return that many targets, the lab's hosts over and over under further names."""
    found = []
    for number in range(count):
        again, at = divmod(number, len(lab.hosts))
        host = lab.hosts[at]
        name = f"{host.name}x{again}" if again else host.name
        found.append(Target(name, host.address, host.port))
    return tuple(found)


def make_way(
    place: Path, targets: Sequence[Target], lab: Lab, *, ssh: str, keys: str = "",
    controls: Path | None = None,
) -> Way:  # fmt: skip
    """Write the files into a new directory; `keys` are lines for known_hosts beside the lab's."""
    way = Way(targets=tuple(targets), place=place, key=lab.key, controls=controls)
    (place / "bin").mkdir(parents=True)
    way.known_hosts.write_text(lab.known_hosts.read_text() + keys)
    way.ssh_config.write_text(_render_ssh_config(way))
    way.inventory.write_text(_render_inventory(way))
    wrapper = place / "bin/ssh"
    wrapper.write_text(f'#!/bin/sh\nexec {ssh} -F {way.ssh_config} "$@"\n')
    wrapper.chmod(0o755)
    return way


def _render_ssh_config(way: Way) -> str:
    blocks = [
        f"Host {target.name}\n    HostName {target.address}\n    Port {target.port}\n\n"
        for target in way.targets
    ]
    path = f"{way.controls}/%n" if way.controls else "none"
    common = (
        "User root",
        f"IdentityFile {way.key}",
        "IdentitiesOnly yes",
        f"UserKnownHostsFile {way.known_hosts}",
        "GlobalKnownHostsFile /dev/null",
        "StrictHostKeyChecking yes",
        "ControlMaster no",
        f"ControlPath {path}",
    )
    return "".join(blocks) + "Host *\n" + "".join(f"    {line}\n" for line in common)


def _render_inventory(way: Way) -> str:
    text = f'[defaults]\nuser = "root"\nssh_config = {json.dumps(str(way.ssh_config))}\n'
    for target in way.targets:
        text += f'\n[hosts.{target.name}]\naddress = "{target.address}"\nport = {target.port}\n'
    return text
