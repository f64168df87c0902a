"""Proves a checkout: `python3 tests/check.py` sets everything up and passes all tests.

Lint, types, the tests of the protocol with the compiled D-Bus library, then all tests with
the usual one: in three lanes at once, those that measure time alone at the end.
Exits with the first failure.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests import prepare

#: Man pages, completions, the HTML report and the screen of `watch` are shown by the programs that
#: they are for; podman runs containers, and gfal2 tells of files on a tape that is a directory.
_PACKAGES = [
    "man-db",
    "groff-base",
    "mandoc",
    "debhelper",
    "dh-python",
    "fakeroot",
    "zsh",
    "fish",
    "openssh-client",
    "iproute2",
    "tmux",
    "chromium",
    "systemd-journal-remote",
    "fonts-dejavu-core",
    "podman",
    "gfal2-util-scripts",
    "gfal2-plugin-file",
    "faketime",
    "postgresql",
]
#: What would come up at boot, by the package it is in.
_IDLE = {"postgresql-common": ("postgresql.service",)}

_PYTEST = ["-m", "pytest", "-q", "-p", "no:cacheprovider"]
_NEXT = {"PSOPS_DBUS": "next"}
#: Where programs of others are started, such as RabbitMQ, and waited for; and one that makes the
#: second lane and the third about equally long.
_LIVING = ["tests/checks", "tests/pipeline", "tests/probes", "tests/psid", "tests/rucio",
           "tests/cli"]  # fmt: skip


class Step(NamedTuple):
    """A program of the environment that must end well."""

    name: str
    variables: dict[str, str]
    argv: list[str]


#: The steps in their order; those of a row run at the same time.
_STEPS: list[list[Step]] = [
    [Step("lint", {}, ["-m", "ruff", "check", "."])],
    [Step("format", {}, ["-m", "ruff", "format", "--check", "."])],
    [Step("types", {}, ["-m", "mypy"]),
     Step("tests of the bus with dbus-fast", {"PSOPS_DBUS": "fast"},
          [*_PYTEST, "tests/systemd", "tests/test_client.py", "tests/test_demo.py"])],
    # The tests on hosts wait for the hosts most of their time, and those of brokers for these.
    [Step("tests on real hosts", _NEXT, [*_PYTEST, "-m", "lab and not alone"]),
     Step("tests of brokers, daemons and commands", _NEXT,
          [*_PYTEST, "-m", "not lab and not alone", *_LIVING]),
     Step("all other tests", _NEXT,
          [*_PYTEST, "-m", "not lab and not alone", *(f"--ignore={name}" for name in _LIVING)])],
    [Step("tests that measure time", _NEXT, [*_PYTEST, "-m", "alone"])],
]  # fmt: skip


def main() -> int:
    """Set up, run every step, and return the exit code of the first that fails."""
    prepare.use_checkout_python()
    prepare.make_environment("dev")
    from tests.probes.bus import brokers

    prepare.apt_install([*_PACKAGES, *brokers.PACKAGES], {**_IDLE, **brokers.SERVICES})
    os.chdir(prepare.ROOT)
    for row in _STEPS:
        code = _run(row)
        if code != 0:
            return code
    from tests import lab, programs

    left_out = programs.left_out()
    if reason := lab.unavailable():
        left_out.insert(0, f"the tests on real hosts ({reason})")
    if left_out:
        print(f"left out: {'; '.join(left_out)}")
    return 0


def _run(row: list[Step]) -> int:
    """Run steps at the same time; return the exit code of the first that failed, or 0.

    The output of the first is seen as it comes, that of the others after it.
    """
    with ExitStack() as stack:
        files = [stack.enter_context(tempfile.TemporaryFile()) for _ in row[1:]]
        running = []
        for step, file in zip(row, [None, *files], strict=True):
            prepare.say(f"{step.name}{', beside it' if file else ''}")
            environment = {**os.environ, **step.variables}
            process = subprocess.Popen(
                [prepare.PYTHON, *step.argv], env=environment, stdout=file, stderr=file
            )
            stack.callback(process.kill)
            running.append(process)
        codes = []
        for step, process, file in zip(row, running, [None, *files], strict=True):
            codes.append(process.wait())
            if file is not None:
                prepare.say(step.name)
                file.seek(0)
                shutil.copyfileobj(file, sys.stdout.buffer)
                sys.stdout.flush()
            if codes[-1] != 0:
                prepare.say(f"failed: {step.name}")
        return next((code for code in codes if code != 0), 0)


if __name__ == "__main__":
    sys.exit(main())
