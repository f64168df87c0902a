"""Podman with containers of its own, whose Engine API is served on a socket of a lab host."""

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.lab import Host

#: crun takes no machine with both versions of control groups, so that one is out of its sight.
_IN_SIGHT = (
    'if mountpoint -q /sys/fs/cgroup/unified; then umount /sys/fs/cgroup/unified; fi; exec "$@"'
)
#: What a container may have here: no network, no control group, limits of a small machine.
_RUN = ("--network", "none", "--cgroups", "disabled", "--ulimit", "nofile=1024:1024",
        "--ulimit", "nproc=1024:1024", "--pull", "never")  # fmt: skip
_HOW = ("--storage-driver", "vfs", "--cgroup-manager", "cgroupfs", "--events-backend", "none")
_IMAGE = "psops/probe:1"
#: What an image needs so that something runs in it.
_PROGRAMS = ("/bin/sh", "/bin/sleep")


class Engine:
    """Podman with storage of its own below a directory."""

    def __init__(self, place: Path) -> None:
        self._place = place
        image = place / "image"
        for program in _PROGRAMS:
            _copy(program, image)
        subprocess.run(["tar", "-C", image, "-cf", place / "image.tar", "."], check=True)
        self.podman("import", "-q", str(place / "image.tar"), _IMAGE)

    def podman(self, *words: str, check: bool = True) -> str:
        """Return what a command of podman says."""
        done = subprocess.run(self._argv(*words), capture_output=True, text=True, check=False)
        assert not check or done.returncode == 0, done.stderr
        return done.stdout

    def start(self, name: str, *options: str, does: str = "sleep 600") -> None:
        """Start a container."""
        self.podman("run", "-d", "--name", name, *_RUN, *options, _IMAGE, "/bin/sh", "-c", does)

    @contextlib.contextmanager
    def served(self, path: Path) -> Iterator[None]:
        """Serve the Engine API on a Unix socket."""
        path.parent.mkdir(exist_ok=True)
        argv = self._argv("system", "service", "--time", "0", f"unix://{path}")
        service = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            _await(path)
            yield
        finally:
            service.terminate()
            service.wait()
            path.unlink(missing_ok=True)
            with contextlib.suppress(OSError):
                path.parent.rmdir()

    def _argv(self, *words: str) -> list[str]:
        place = self._place
        own = ["--root", f"{place}/s", "--runroot", f"{place}/r", "--tmpdir", f"{place}/t"]
        how = [
            "--storage-driver",
            "vfs",
            "--cgroup-manager",
            "cgroupfs",
            "--events-backend",
            "none",
        ]
        return ["unshare", "-m", "sh", "-c", _IN_SIGHT, "sh", "podman", *own, *how, *words]


@contextlib.contextmanager
def engine() -> Iterator[Engine]:
    """Give an engine without containers; those that it has in the end are taken away."""
    # Podman wants short paths.
    place = Path(tempfile.mkdtemp(prefix="psops-", dir="/tmp"))
    found = Engine(place)
    try:
        yield found
    finally:
        found.podman("rm", "-f", "-t", "0", "-a", check=False)
        _remove(place)


def within(host: Host, path: str) -> Path:
    """Return the path by which a file of a lab host is reached from here."""
    return Path(f"/proc/{host.leader_pid}/root{path}")


def _copy(program: str, image: Path) -> None:
    """Copy a program and the libraries it is linked with."""
    linked = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
    for path in (program, *(word for word in linked.split() if word.startswith("/"))):
        target = image / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)


def _remove(place: Path) -> None:
    """Remove a directory into which podman still writes that its containers have ended."""
    end = time.monotonic() + 20
    while True:
        try:
            shutil.rmtree(place)
            return
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)


def _await(path: Path) -> None:
    end = time.monotonic() + 20
    # The path by /proc may be too long for a socket's address.
    directory = os.open(path.parent, os.O_PATH)
    try:
        while time.monotonic() < end:
            with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as sock:
                sock.connect(f"/proc/self/fd/{directory}/{path.name}")
                return
            time.sleep(0.02)
    finally:
        os.close(directory)
    raise TimeoutError(f"nothing listens at {path}")
