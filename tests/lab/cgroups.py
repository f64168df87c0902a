"""A cgroup of its own for each host; without one the hosts stop each other's processes.

Three layouts are known, and each was run: a v1 hierarchy called systemd with the v2 tree beside
it, where the lab runs every day; v2 alone; and v2 under a PID 1 that is systemd. In the last that
manager owns the tree, so nspawn asks it for a scope per host and no directory is made here.
"""

import contextlib
import errno
import os
import time
from pathlib import Path

from .errors import LabError
from .place import Place

CGROUPS = Path("/sys/fs/cgroup")


def hierarchies() -> list[Path]:
    """Return the roots below which every host gets a directory; none if systemd does that."""
    if Path("/run/systemd/system").is_dir():
        return []
    if (CGROUPS / "cgroup.procs").exists():
        return [CGROUPS]
    return [root for root in (CGROUPS / "systemd", CGROUPS / "unified") if root.is_dir()]


def nspawn_options() -> list[str]:
    """Return the options by which nspawn leaves the host in the cgroup made here."""
    return ["--keep-unit"] if hierarchies() else []


def make(place: Place, name: str) -> list[Path]:
    """Make the host's cgroups and return the files that take the starting process' pid."""
    made = []
    for root in hierarchies():
        directory = root / place.root.name / name
        directory.mkdir(parents=True, exist_ok=True)
        made.append(directory / "cgroup.procs")
    return made


def remove(place: Place, name: str) -> None:
    """Remove the host's cgroups with all below them."""
    for root in hierarchies():
        _remove_below(root / place.root.name / name)


def remove_parent(place: Place) -> None:
    """Remove the directory above the hosts' if no host is left in it."""
    for root in hierarchies():
        with contextlib.suppress(OSError):
            (root / place.root.name).rmdir()


def _remove_below(top: Path) -> None:
    for directory, _, _ in os.walk(top, topdown=False):
        _rmdir(Path(directory))


def _rmdir(directory: Path) -> None:
    # The kernel lets go of a dead process' cgroup a moment after the process is reaped, and
    # tells nobody when (v1), so this is tried again for a while.
    deadline = time.monotonic() + 5
    while True:
        try:
            directory.rmdir()
        except FileNotFoundError:
            return
        except OSError as error:
            if error.errno != errno.EBUSY or time.monotonic() > deadline:
                raise LabError(f"cannot remove the cgroup {directory}: {error.strerror}") from error
            time.sleep(0.02)
        else:
            return
