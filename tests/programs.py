"""Which tests need programs that come with Debian packages, see `_PACKAGES` of tests/check.py."""

import os
import shutil
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
#: Beginning of the path of tests -> what must be there to run them.
PROGRAMS: dict[str, tuple[str, ...]] = {
    "tests/test_generated.py": ("man", "groff", "mandoc"),
    "tests/shell/": ("bash", "zsh", "fish"),
    "tests/package/": ("dpkg-buildpackage", "dh", "man"),
    "tests/watch/test_screen.py": ("tmux",),
    "tests/inventory/test_check_lab.py": ("faketime",),
    "tests/probes/bus/": ("rabbitmq-server", "activemq", "javac"),
    "tests/probes/data/test_container.py": ("podman",),
    "tests/probes/data/test_hosts.py": ("gfal-copy",),
    "tests/rucio/test_sql.py": ("pg_ctl",),
}


def missing(path: Path) -> tuple[str, ...]:
    """Return the programs that the tests of a file lack."""
    name = path.resolve().relative_to(ROOT).as_posix()
    needed = (programs for begin, programs in PROGRAMS.items() if name.startswith(begin))
    return tuple(one for programs in needed for one in programs if not _is_there(one))


def left_out() -> list[str]:
    """Return for each kind of tests that cannot run here why that is so."""
    return [
        f"the tests of {begin} (no {', '.join(lacking)})"
        for begin, programs in PROGRAMS.items()
        if (lacking := [one for one in programs if not _is_there(one)])
    ]


def _is_there(program: str) -> bool:
    return shutil.which(program, path=os.pathsep.join(_places())) is not None


def _places() -> Iterable[str]:
    yield from os.environ.get("PATH", os.defpath).split(os.pathsep)
    yield from ("/usr/sbin", "/sbin")
    yield from map(str, Path("/usr/lib/postgresql").glob("*/bin"))
