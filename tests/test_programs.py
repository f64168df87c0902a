"""What cannot run for want of a program is left out and told, or in CI an error."""

import re
import subprocess
import sys

import pytest

from tests.programs import PROGRAMS, ROOT


def _collect(path: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    """Collect the tests of a file on a machine that has hardly a program."""
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--collect-only", path],
        cwd=ROOT, env={"PATH": "/nonexistent", **variables}, capture_output=True, text=True,
    )  # fmt: skip


@pytest.mark.parametrize("begin", PROGRAMS)
def test_tests_with_programs_are_there(begin: str) -> None:
    assert (ROOT / begin).exists()


def test_tests_without_their_program_are_left_out_and_counted() -> None:
    done = _collect("tests/watch/test_screen.py")
    assert re.search(r"^left out: \d+ tests of test_screen.py \(no tmux\)$", done.stdout, re.M)


def test_tests_without_their_program_fail_in_ci() -> None:
    done = _collect("tests/watch/test_screen.py", CI="true")
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert "tests of test_screen.py (no tmux)" in done.stderr
