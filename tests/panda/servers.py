"""Servers for the tests: their files below a directory, reached as if by SSH."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Never

from psops.deadline import Deadline
from psops.transport.files import LocalFiles
from tests.panda.trees import ENVIRONMENT, plant

ENV_FILE = "/etc/sysconfig/panda_server_env"


class Below:
    """A host whose files are those below a directory."""

    address = ""

    def __init__(self, root: Path) -> None:
        self._root = root

    def open_files(self, deadline: Deadline) -> LocalFiles:
        """Return the files; no link leads out of the directory."""
        return LocalFiles(str(self._root))

    def close(self) -> None:
        """Nothing is held open."""


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
