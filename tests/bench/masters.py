"""ControlMasters, opened before and closed after what uses them."""

import contextlib
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from tests.bench.errors import BenchError
from tests.bench.targets import Way


@contextlib.contextmanager
def masters(ssh: str, way: Way) -> Iterator[list[int]]:
    """Hold a ControlMaster open to every target and give the pids of the masters."""
    assert way.controls is not None
    way.controls.mkdir(mode=0o700)
    # Not with -f: a master in the foreground is a child whose pid is known.
    children = [
        subprocess.Popen(
            [ssh, "-F", way.ssh_config, "-M", "-N", name],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for name in way.names
    ]
    try:
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda name: _await_master(ssh, way, name), way.names))
        yield [child.pid for child in children]
    finally:
        for child in children:
            child.terminate()
        for child in children:
            child.wait()


def _await_master(ssh: str, way: Way, name: str) -> None:
    check = [ssh, "-F", str(way.ssh_config), "-O", "check", name]
    # By running into sleep rather than a loop of ours, a try is one process.
    script = 'for i in $(seq 200); do "$@" 2>/dev/null && exit; sleep 0.05; done; exit 1'
    if subprocess.run(["sh", "-c", script, "sh", *check], check=False).returncode != 0:
        raise BenchError(f"no ControlMaster came up for {name}")
