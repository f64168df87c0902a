"""The root tree all hosts share: a small system from debootstrap, built once and kept.

Only what comes from packages, plus what makes a boot quick, is in the tree; keys, users' rights
and units lie in the layers above it, so that changing them does not cost a new tree.
"""

import hashlib
import inspect
import os
import platform
import shutil
import subprocess
import sys
import time
from pathlib import Path

from .errors import LabError
from .place import Place, say

PACKAGES = (
    "systemd",
    "systemd-sysv",
    "dbus",
    "openssh-server",
    "sudo",
    "polkitd",
    "libpam-systemd",
    "iproute2",
)
USERS = ("plain", "ops")

# Work of a real machine which a host of the lab has no use for and which would cost boot time,
# fetch packages from the network, or fail for want of hardware.
MASKED = (
    "apt-daily.timer",
    "apt-daily-upgrade.timer",
    "console-getty.service",
    "dpkg-db-backup.timer",
    "e2scrub_all.timer",
    "e2scrub_reap.service",
    "fstrim.timer",
    "getty@tty1.service",
    "getty.target",
    "motd-news.timer",
    "ssh.socket",
    "systemd-networkd-wait-online.service",
    "systemd-pstore.service",
    "systemd-timesyncd.service",
)
GENERATORS_MASKED = (
    "systemd-bless-boot-generator",
    "systemd-cryptsetup-generator",
    "systemd-debug-generator",
    "systemd-fstab-generator",
    "systemd-getty-generator",
    "systemd-gpt-auto-generator",
    "systemd-hibernate-resume-generator",
    "systemd-integritysetup-generator",
    "systemd-rc-local-generator",
    "systemd-run-generator",
    "systemd-system-update-generator",
    "systemd-veritysetup-generator",
)


def suite() -> tuple[str, str]:
    """Return this machine's distribution and suite, which the tree takes over."""
    release = platform.freedesktop_os_release()
    if "VERSION_CODENAME" not in release:
        raise LabError("no VERSION_CODENAME in /etc/os-release, so no suite for debootstrap")
    return release["ID"], release["VERSION_CODENAME"]


def ensure_tree(place: Place) -> Path:
    """Build the root tree unless this version of it is there, and return its directory."""
    distribution, codename = suite()
    tree = place.trees / f"{codename}-{_version()}"
    if tree.is_dir():
        return tree
    # A tree counts from the moment it has its name; what an interrupted build left does not.
    part = tree.with_suffix(".part")
    shutil.rmtree(part, ignore_errors=True)
    say(f"building the root tree of {codename} in {tree}, about a minute")
    started = time.monotonic()
    _debootstrap(part, distribution, codename)
    _finish(part)
    part.rename(tree)
    say(f"root tree built in {time.monotonic() - started:.0f} s")
    return tree


def prune_trees(place: Place) -> None:
    """Remove the trees of other versions of the recipe; only safe while no host runs."""
    current = f"{suite()[1]}-{_version()}"
    for tree in place.trees.glob("*"):
        if tree.name != current:
            shutil.rmtree(tree)


def _version() -> str:
    recipe = (*suite(), PACKAGES, USERS, MASKED, GENERATORS_MASKED, inspect.getsource(_finish))
    return hashlib.sha256(repr(recipe).encode()).hexdigest()[:12]


def _debootstrap(target: Path, distribution: str, codename: str) -> None:
    components = "main,universe" if distribution == "ubuntu" else "main"
    command = [
        "debootstrap",
        "--variant=minbase",
        f"--components={components}",
        f"--include={','.join(PACKAGES)}",
        codename,
        str(target),
    ]
    done = subprocess.run(
        command,
        env={**os.environ, **_apt_proxies()},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        last = "\n".join(done.stdout.splitlines()[-10:])
        raise LabError(f"debootstrap failed with exit status {done.returncode}:\n{last}")


def _apt_proxies() -> dict[str, str]:
    # debootstrap fetches with wget, which knows nothing of apt's configuration.
    found = {}
    for scheme in ("http", "https"):
        query = ["apt-config", "shell", "PROXY", f"Acquire::{scheme}::Proxy"]
        answer = subprocess.run(query, capture_output=True, text=True, check=False).stdout
        proxy = answer.strip().removeprefix("PROXY=").strip("'")
        if proxy and proxy != "DIRECT":
            found[f"{scheme}_proxy"] = proxy
    return found


def _finish(tree: Path) -> None:
    for user in USERS:
        command = ["chroot", str(tree), "useradd", "--create-home", "--shell", "/bin/sh", user]
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    # A host gets its own key; a public key that came with the package would be the same on all.
    for key in (tree / "etc/ssh").glob("ssh_host_*"):
        key.unlink()
    # PAM's message of the day and mail check cost a login time and print into its output.
    pam = tree / "etc/pam.d/sshd"
    lines = pam.read_text().splitlines(keepends=True)
    pam.write_text("".join(x for x in lines if "pam_motd" not in x and "pam_mail" not in x))
    units = tree / "etc/systemd/system"
    # What is masked must not be required either, as Ubuntu's ssh.service requires its socket.
    for link in (*units.glob("*.wants/*"), *units.glob("*.requires/*")):
        if link.name in MASKED:
            link.unlink()
    generators = tree / "etc/systemd/system-generators"
    generators.mkdir(parents=True, exist_ok=True)
    masked = [units / name for name in MASKED]
    for path in (*masked, *(generators / name for name in GENERATORS_MASKED)):
        # Some packages mask or link here by themselves.
        path.unlink(missing_ok=True)
        path.symlink_to("/dev/null")
    enable = ["systemctl", f"--root={tree}", "--quiet", "enable", "ssh.service"]
    subprocess.run(enable, check=True, stdin=subprocess.DEVNULL, stdout=sys.stderr)
    for rubbish in ("var/cache/apt", "var/lib/apt/lists"):
        shutil.rmtree(tree / rubbish)
    # An empty file would be filled with a random id at every boot.
    (tree / "etc/machine-id").unlink(missing_ok=True)
