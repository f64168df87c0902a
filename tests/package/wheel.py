"""The wheel, and what a directory has to have to run psops from it."""

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.prepare import PYTHON, ROOT

_PIP = [str(PYTHON), "-m", "pip", "--quiet", "--disable-pip-version-check"]


def build(place: Path, output: Path) -> Path:
    """Return the path of a wheel of this checkout, built in `output`."""
    own = place / "wheel"
    argv = ["wheel", "--no-deps", "--no-build-isolation", f"--wheel-dir={own}", str(ROOT)]
    subprocess.run([*_PIP, *argv], check=True)
    (found,) = own.glob("psops-*.whl")
    return Path(shutil.move(found, output / found.name))


def unpack(place: Path, requirements: Sequence[str], *, dependencies: bool = True) -> Path:
    """Return a directory with psops, its shared files and some libraries, for `sys.path`.

    The shared files are in psops/share/, where psops looks for them if it is not installed.
    """
    target = place / "lib"
    argv = ["install", f"--target={target}", "--no-compile", "--no-warn-script-location"]
    argv += [] if dependencies else ["--no-deps"]
    subprocess.run([*_PIP, *argv, str(build(place, place)), *requirements], check=True)
    shutil.move(target / "share", target / "psops/share")
    shutil.rmtree(target / "bin", ignore_errors=True)
    return target
