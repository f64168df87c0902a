"""Where the lab keeps its files."""

import contextlib
import fcntl
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PORT = 2222
HOSTS_MAX = 2 * 250


def say(text: str) -> None:
    """Write one line about the lab to stderr."""
    sys.stderr.write(f"lab: {text}\n")


@dataclass(frozen=True, slots=True)
class Place:
    """The state directory and the names of what lies in it."""

    root: Path

    @property
    def trees(self) -> Path:
        """The cached root trees, one directory per version of the recipe."""
        return self.root / "tree"

    @property
    def layers(self) -> Path:
        """What a dress lays over the tree, one directory per dress and version."""
        return self.root / "layers"

    @property
    def hosts(self) -> Path:
        """One directory per host: upper, work, root, console."""
        return self.root / "hosts"

    @property
    def keys(self) -> Path:
        """The users' key pair, a key nobody accepts, and the hosts' own keys."""
        return self.root / "keys"

    @property
    def key(self) -> Path:
        """The private key every host accepts."""
        return self.keys / "id_ed25519"

    @property
    def wrong_key(self) -> Path:
        """A private key no host accepts."""
        return self.keys / "id_wrong"

    @property
    def inventory(self) -> Path:
        """The psops inventory of the running hosts."""
        return self.root / "inventory.toml"

    @property
    def ssh_config(self) -> Path:
        """The ssh client configuration of the running hosts."""
        return self.root / "ssh_config"

    @property
    def known_hosts(self) -> Path:
        """The host keys of the running hosts."""
        return self.root / "known_hosts"

    @property
    def record(self) -> Path:
        """What runs, with process ids."""
        return self.root / "lab.json"


def state_place() -> Place:
    """Return the place named by PSOPS_LAB_DIR, or the default one."""
    return Place(Path(os.environ.get("PSOPS_LAB_DIR") or "/var/lib/psops-lab").absolute())


@contextlib.contextmanager
def locked(place: Place) -> Iterator[None]:
    """Hold the lab's lock, so that two commands never boot or stop hosts at once."""
    place.root.mkdir(parents=True, exist_ok=True)
    with (place.root / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("waiting for another lab command to finish")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def replace_text(path: Path, text: str) -> None:
    """Write a file in one step, so that a reader sees the old text or the new, never half."""
    part = path.with_name(f".{path.name}.part")
    part.write_text(text)
    part.replace(path)
