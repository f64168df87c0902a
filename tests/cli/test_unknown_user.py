"""A user whom the system does not know, as of an arbitrary number in a container, and places
where a user may not look: both are told, or do not matter."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

#: Another number and no rights beyond it, also for root; the files stay its own.
_STRANGER = ("unshare", "--user", "--map-user=64209")


def _possible() -> bool:
    try:
        return subprocess.run([*_STRANGER, "true"], capture_output=True).returncode == 0
    except OSError:
        return False


pytestmark = pytest.mark.skipif(
    os.environ.get("CI") != "true" and not _possible(), reason="there are no user namespaces here"
)


def psops(line: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    environ = {"PATH": os.environ["PATH"], "PSOPS_SYSLOG": "", "SHELL": "/bin/bash", **variables}
    return subprocess.run(
        [*_STRANGER, sys.executable, "-m", "psops", *line.split()],
        env=environ, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


@pytest.fixture
def locked(tmp_path: Path) -> Iterator[Path]:
    """Return a folder in which nobody but root may look."""
    place = tmp_path / "locked"
    place.mkdir(mode=0)
    yield place
    place.chmod(0o700)


@pytest.mark.parametrize(
    ("line", "code"),
    [("doctor", 0), ("config show", 0), ("inventory list", 0), ("inventory add ps01 -n", 0),
     ("status -i demo:2 sshd", 0), ("status -H 127.0.0.1:1", 69), ("logs -H 127.0.0.1:1", 69)],
)  # fmt: skip
def test_user_without_name_and_home_is_served(line: str, code: int, tmp_path: Path) -> None:
    # Who runs the tests as root has the right to write to / even so.
    done = psops(line, XDG_STATE_HOME=str(tmp_path))
    assert done.returncode == code, done
    assert "bug" not in done.stderr


def test_doctor_finds_a_home_where_nobody_may_look(locked: Path) -> None:
    done = psops("doctor", HOME=str(locked))
    assert (done.returncode, done.stderr) == (1, "")
    assert f"× history            cannot be kept in {locked}" in done.stdout
    assert f"{locked}/.ssh/known_hosts cannot be read: permission denied" in done.stdout


def test_folders_of_others_where_nobody_may_look_hide_nothing(locked: Path, tmp_path: Path) -> None:
    variables = {"HOME": str(tmp_path), "XDG_DATA_DIRS": f"{locked}/share"}
    assert psops("shell install", **variables).returncode == 0
    assert "psops shell install" not in psops("doctor", **variables).stdout


@pytest.mark.parametrize("verb", ["install", "uninstall"])
def test_links_that_cannot_be_made_or_taken_away_are_told(verb: str, locked: Path) -> None:
    done = psops(f"shell {verb}", XDG_DATA_HOME=str(locked))
    assert (done.returncode, done.stdout) == (78, "")
    assert done.stderr.startswith(f"psops: {locked}/bash-completion/completions/psops: permission")
    assert "or set XDG_DATA_HOME" in done.stderr
