"""Proves a checkout: `python3 tests/check.py` sets everything up and passes all tests.

Lint, types, the tests of the protocol with the compiled D-Bus library, then all tests with
the usual one, those on real hosts among them. Exits with the first failure.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests import prepare

#: Man pages, completions, the HTML report and the screen of `watch` are shown by the programs
#: they are for.
_PACKAGES = [
    "man-db",
    "groff-base",
    "zsh",
    "fish",
    "openssh-client",
    "iproute2",
    "tmux",
    "chromium",
    "fonts-dejavu-core",
]

_PYTEST = ["-m", "pytest", "-q", "-p", "no:cacheprovider"]
_STEPS: list[tuple[str, dict[str, str], list[str]]] = [
    ("lint", {}, ["-m", "ruff", "check", "."]),
    ("format", {}, ["-m", "ruff", "format", "--check", "."]),
    ("types", {}, ["-m", "mypy"]),
    ("tests of the bus with dbus-fast", {"PSOPS_DBUS": "fast"},
     [*_PYTEST, "tests/systemd", "tests/test_client.py", "tests/test_demo.py"]),
    ("all tests with dbus-next", {"PSOPS_DBUS": "next"}, _PYTEST),
]  # fmt: skip


def main() -> int:
    """Set up, run every step, and return the exit code of the first that fails."""
    prepare.use_checkout_python()
    prepare.make_environment("dev")
    prepare.apt_install(_PACKAGES)
    os.chdir(prepare.ROOT)
    for name, variables, argv in _STEPS:
        prepare.say(name)
        code = subprocess.run([prepare.PYTHON, *argv], env={**os.environ, **variables}).returncode
        if code != 0:
            prepare.say(f"failed: {name}")
            return code
    from tests import lab

    if reason := lab.unavailable():
        print(f"left out: the tests on real hosts ({reason})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
