"""The real parser: panda-server from PyPI in an environment of its own, `.panda/` of the tree."""

import json
import os
import pwd
import subprocess
import sys
from collections.abc import Mapping
from contextlib import contextmanager
from fcntl import LOCK_EX, flock
from pathlib import Path
from typing import Any, Self

ROOT = Path(__file__).resolve().parents[2]
WHERE = ROOT / ".panda"
PACKAGES = ("panda-server==1.0.4", "panda-common==0.1.11")
PYTHON = WHERE / "venv" / "bin" / "python"


@contextmanager
def _locked() -> Any:
    """Hold a lock, since tests may run in several processes."""
    WHERE.mkdir(exist_ok=True)
    with (WHERE / "lock").open("w") as stream:
        flock(stream, LOCK_EX)
        yield


def real_python() -> Path:
    """Return the interpreter that has panda-server, which is installed if it is not there.

    The marker names the packages and is written last: half an installation is done again.
    """
    marker = WHERE / "installed"
    wanted = "\n".join((*PACKAGES, sys.version))
    with _locked():
        if not (marker.exists() and marker.read_text() == wanted and PYTHON.exists()):
            _install()
            marker.write_text(wanted)
    return PYTHON


def _install() -> None:
    marker = WHERE / "installed"
    marker.unlink(missing_ok=True)
    subprocess.run([sys.executable, "-m", "venv", "--clear", WHERE / "venv"], check=True)
    home = WHERE / "home"
    home.mkdir(exist_ok=True)
    # The build hook of panda-server makes /var/log/panda below VIRTUAL_ENV, or of the machine
    # if there is none, and reads a web hook from HOME which it then tells of the installation.
    settings = Path("~/.config/pip/pip.conf").expanduser()
    environment = {
        **os.environ, "VIRTUAL_ENV": str(WHERE / "venv"), "HOME": str(home),
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    }  # fmt: skip
    if settings.exists() and "PIP_CONFIG_FILE" not in environment:
        environment["PIP_CONFIG_FILE"] = str(settings)
    options: dict[str, Any] = {}
    if os.getgid() == 0:
        # As group 0 it wants a user atlpan on this machine, else takes who runs it.
        options = {"group": pwd.getpwnam("nobody").pw_gid, "extra_groups": []}
    done = subprocess.run(
        [PYTHON, "-m", "pip", "install", "--quiet", "--no-deps", *PACKAGES],
        env=environment, capture_output=True, text=True, timeout=600, **options,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"panda-server cannot be installed:\n{done.stderr[-4000:]}")


class RealPanda:
    """A process of panda-server's own code that reads configurations, one after the other."""

    def __init__(self) -> None:
        worker = Path(__file__).with_name("real_worker.py")
        self._process = subprocess.Popen(
            [real_python(), "-I", worker], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *caught: object) -> None:
        self._process.communicate()

    def read(self, root: Path, environment: Mapping[str, str]) -> dict[str, Any]:
        """Return what the real code makes of the files below `root`.

        `fatal` with the exception if its import raises, else its `options`, the `table` that
        it schedules from, and the `log` of its parse.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        request = {"root": str(root), "environment": dict(environment)}
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer
