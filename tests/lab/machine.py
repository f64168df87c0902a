"""What the lab needs of the machine it runs on."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from . import cgroups
from .errors import LabError
from .place import Place, say

# What is called, and the package which has it.
PROGRAMS = {
    "systemd-nspawn": "systemd-container",
    "debootstrap": "debootstrap",
    "nft": "nftables",
    "ssh-keygen": "openssh-client",
}

INOTIFY_INSTANCES = Path("/proc/sys/fs/inotify/max_user_instances")
# The default of 128 is used up by about 20 hosts, whose boots then fail oddly.
INOTIFY_WANTED = 8192

TRY_OVERLAY = """
mount -t tmpfs psops-lab "$1" && cd "$1" && mkdir lower upper work root &&
mount -t overlay overlay -o lowerdir=lower,upperdir=upper,workdir=work root
"""


def unavailable() -> str | None:
    """Return in one sentence why no host can boot here, or None; nothing is changed."""
    if sys.platform != "linux":
        return "the lab needs Linux"
    if os.geteuid() != 0:
        return "the lab needs root"
    missing = missing_programs()
    if missing and not shutil.which("apt-get"):
        return f"{', '.join(missing)} not installed and no apt-get to install it"
    tried = _in_own_mounts(TRY_OVERLAY, "/tmp")
    if tried.returncode != 0:
        reason = (tried.stderr.strip().splitlines() or ["unknown reason"])[-1]
        return f"no right to mount an overlay ({reason})"
    return _cgroups_unavailable()


def _cgroups_unavailable() -> str | None:
    roots = cgroups.hierarchies()
    if not roots and not Path("/run/systemd/system").is_dir():
        return f"no cgroup hierarchy for systemd under {cgroups.CGROUPS}"
    for root in roots:
        probe = root / f"psops-lab-probe-{os.getpid()}"
        try:
            probe.mkdir()
            probe.rmdir()
        except OSError as error:
            return f"cannot make a cgroup under {root} ({error.strerror})"
    return None


def _in_own_mounts(script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    # Mounts made in a mount namespace of their own vanish with the process.
    try:
        return subprocess.run(
            ["unshare", "--mount", "sh", "-c", script, "sh", *arguments],
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError:
        return subprocess.CompletedProcess([], 127, "", "unshare is not installed")


def missing_programs() -> list[str]:
    """Return the programs the lab calls which are not installed."""
    path = os.environ.get("PATH", "") + os.pathsep + "/usr/sbin:/sbin"
    return [program for program in PROGRAMS if not shutil.which(program, path=path)]


def ready_machine(place: Place) -> None:
    """Install what is missing, raise the inotify limit and make the hosts' directory usable."""
    _install(sorted({PROGRAMS[program] for program in missing_programs()}))
    if int(INOTIFY_INSTANCES.read_text()) < INOTIFY_WANTED:
        INOTIFY_INSTANCES.write_text(f"{INOTIFY_WANTED}\n")
    for directory in (place.root, place.trees, place.layers, place.hosts):
        directory.mkdir(parents=True, exist_ok=True)
    if not _takes_upper(place.hosts):
        say(f"{place.hosts} cannot hold an overlay's upper directory, mounting a tmpfs there")
        subprocess.run(["mount", "-t", "tmpfs", "psops-lab", str(place.hosts)], check=True)


def _takes_upper(directory: Path) -> bool:
    probe = directory / ".probe"
    script = """
    mkdir -p "$1" && cd "$1" && mkdir -p lower upper work root &&
    mount -t overlay overlay -o lowerdir=lower,upperdir=upper,workdir=work root
    """
    try:
        return _in_own_mounts(script, str(probe)).returncode == 0
    finally:
        shutil.rmtree(probe, ignore_errors=True)


def _install(packages: list[str]) -> None:
    if not packages:
        return
    say(f"installing {', '.join(packages)} on this machine with apt-get")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    install = ["apt-get", "install", "--yes", "--no-install-recommends", *packages]
    # The package lists may be absent or old, hence one more try after an update.
    for command in (install, ["apt-get", "update"], install):
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if command is install and done.returncode == 0:
            return
    raise LabError(f"apt-get could not install {', '.join(packages)}:\n{done.stderr.strip()}")
