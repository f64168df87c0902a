"""Servers for the tests: their files below a directory, reached as if by SSH."""

import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Never

from psops.deadline import Deadline
from psops.transport import ByteStream, Channel, Finished
from tests.panda.trees import ENVIRONMENT, plant

ENV_FILE = "/etc/sysconfig/panda_server_env"


class Below:
    """A host whose files are those below a directory; programs are really run."""

    address = ""

    def __init__(self, root: Path) -> None:
        self._root = root

    def run(self, argv: tuple[str, ...], deadline: Deadline) -> Finished:
        """Run a program whose last argument is a path of the host."""
        moved = (*argv[:-1], f"{self._root}{argv[-1]}")
        done = subprocess.run(moved, capture_output=True, timeout=deadline.remaining())
        return Finished(done.returncode, done.stdout, done.stderr)

    def close(self) -> None:
        """Nothing is held open."""

    def open_bus(self) -> Channel:
        """No file needs it."""
        raise NotImplementedError

    def open_tcp(self, host: str, port: int, deadline: Deadline) -> ByteStream:
        """No file needs it."""
        raise NotImplementedError

    def open_unix(self, path: str, deadline: Deadline) -> ByteStream:
        """No file needs it."""
        raise NotImplementedError

    def open_here(self, port: int, deadline: Deadline) -> ByteStream:
        """No file needs it."""
        raise NotImplementedError


def serve(monkeypatch: Any, roots: Mapping[str, Path]) -> None:
    """Let hosts of these names have the files below these directories."""

    def connect(host: Any, options: object) -> Below:
        return Below(roots[host.name])

    monkeypatch.setattr("psops.transport.connect", connect)


def plant_server(
    root: Path, tree: Mapping[str, str | bytes], variables: Mapping[str, str] | None = None
) -> Path:
    """Write the files of a server, and its environment file."""
    lines = "".join(
        f"{key}={value}\n" for key, value in {**ENVIRONMENT, **(variables or {})}.items()
    )
    return plant(root, {**tree, ENV_FILE: lines})


def never(*words: object) -> Never:
    """Fail: what this replaces must not be called."""
    raise AssertionError(words)
