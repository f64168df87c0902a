"""The README's examples: what they say, and what psops says now.

`python -m tests.readme` writes the output of every example into the README; a test compares.
"""

import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

README = Path(__file__).resolve().parents[1] / "README.md"
_BLOCK = re.compile(r"(?<=^```console\n)\$ (psops [^\n]*)\n(.*?)(?=^```$)", re.M | re.S)
#: What differs from run to run: times, ages, how long it took, and the space that these take.
_RESTLESS = re.compile(
    r"\w{3} \d{4}-\d\d-\d\d \d\d:\d\d:\d\d \w+|\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"
    r"|\b\d\d:\d\d:\d\d\.\d{3}\b"
    r"|\b\d+(d|h|min|s)( \d+(h|min|s))?\b|\d+\.\d s|\b\d+ ms| {2,}|-{2,}",
    re.M,
)
#: Where a day begins among lines of a log, which depends on the time of day.
_DAY = re.compile(r"^-- \w{3} \d{4}-\d\d-\d\d \w+ --\n", re.M)


class Example(NamedTuple):
    """A command and the output shown below it."""

    command: str
    output: str


def examples() -> Iterator[Example]:
    """Give the console examples of the README."""
    for found in _BLOCK.finditer(README.read_text()):
        yield Example(found[1], found[2])


def run(command: str) -> str:
    """Return what a command of the README prints, typed as written."""
    words = shlex.split(command)
    with tempfile.TemporaryDirectory() as home:
        done = subprocess.run(
            [sys.executable, "-m", "psops", *words[1:]],
            capture_output=True,
            text=True,
            env={"HOME": home, "TZ": "UTC", "PATH": "/usr/bin:/bin", "PSOPS_SYSLOG": ""},
            check=False,
        )
    return done.stdout + done.stderr


def calm(text: str) -> str:
    """Return an output with everything that differs from run to run taken out."""
    return _RESTLESS.sub("  ", _DAY.sub("", text))


def main() -> None:
    """Write the output of every example into the README."""
    text = README.read_text()
    README.write_text(_BLOCK.sub(lambda found: f"$ {found[1]}\n{run(found[1])}", text))


if __name__ == "__main__":
    main()
