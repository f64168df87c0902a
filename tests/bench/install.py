"""Installs what is measured: psops and its peers, each in an environment of its own."""

import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Sequence
from pathlib import Path

from tests.bench.errors import BenchError

CHECKOUT = Path(__file__).resolve().parents[2]
PLACE = CHECKOUT / ".bench"

# What is called here, and the Debian package that has it; the lab installs its own.
PROGRAMS = {
    "ssh": "openssh-client",
    "systemctl": "systemd",
    "taskset": "util-linux",
    "nsenter": "util-linux",
    "xargs": "findutils",
}
PEERS = ("ClusterShell", "ansible-core", "pyinfra", "parallel-ssh")
# Without the extra `fast`: what a user gets who asks for nothing more.
PSOPS = ("-e", str(CHECKOUT))


def say(text: str) -> None:
    """Write one line about the benchmark to stderr."""
    sys.stderr.write(f"bench: {text}\n")
    sys.stderr.flush()


def ensure_programs() -> None:
    """Install the programs that are missing."""
    packages = sorted({PROGRAMS[program] for program in PROGRAMS if not shutil.which(program)})
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
    raise BenchError(f"apt-get could not install {', '.join(packages)}:\n{done.stderr.strip()}")


def ensure_psops() -> Path:
    """Return the directory of programs of an environment with this checkout's psops."""
    # Its dependencies are in pyproject.toml: a change of that file calls for a new look.
    stamp = (CHECKOUT / "pyproject.toml").read_text()
    return ensure("psops", PSOPS, stamp)


def ensure_peers() -> Path:
    """Return the directory of programs of an environment with the peers."""
    return ensure("peers", PEERS, " ".join(PEERS))


def ensure(name: str, requirements: Sequence[str], stamp: str) -> Path:
    """Return the directory of programs of an environment; it is made anew with another stamp."""
    home = PLACE / name
    mark = home / "installed"
    programs = home / "bin"
    if mark.is_file() and mark.read_text() == stamp:
        return programs
    say(f"installing {name} in {home}")
    venv.create(home, with_pip=True, clear=True)
    command: list[str | Path] = [programs / "pip"]
    command += ["install", "--quiet", "--disable-pip-version-check", *requirements]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise BenchError(f"pip could not install {name}:\n{done.stderr.strip()}")
    mark.write_text(stamp)
    return programs


def versions() -> dict[str, str]:
    """Return the versions of the peers and of the client's ssh and systemd."""
    frozen = subprocess.run(
        [PLACE / "peers/bin/pip", "list", "--format=freeze", "--disable-pip-version-check"],
        capture_output=True,
        text=True,
        check=False,
    ).stdout
    found = dict(line.split("==", 1) for line in frozen.splitlines() if "==" in line)
    told = {name: found.get(name, "?") for name in PEERS}
    for command in (["ssh", "-V"], ["systemctl", "--version"]):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        told[command[0]] = (done.stdout + done.stderr).splitlines()[0]
    told["python"] = sys.version.split()[0]
    return told
