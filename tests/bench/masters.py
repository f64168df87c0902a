"""ControlMasters, opened before and closed after what uses them."""

import contextlib
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from tests.bench.errors import BenchError
from tests.bench.targets import Way

LOGIN_S = 20.0


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
        for name in way.names:
            _await_master(way.controls / name)
        yield [child.pid for child in children]
    finally:
        for child in children:
            child.terminate()
        for child in children:
            child.wait()


def _await_master(control: Path) -> None:
    deadline = time.monotonic() + LOGIN_S
    while not control.is_socket():
        if time.monotonic() > deadline:
            raise BenchError(f"no ControlMaster came up for {control.name}")
        time.sleep(0.02)
