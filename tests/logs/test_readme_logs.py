"""What the README says one can type about logs can be typed."""

import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.readme import README

_SECTION = re.compile(r"^## Logs\n(.*?)^## ", re.M | re.S)
_BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.M | re.S)


def lines() -> list[str]:
    """Return the commands of the section that are not shown with their output."""
    section = _SECTION.search(README.read_text())
    assert section is not None
    found = [line for block in _BLOCK.findall(section[1]) for line in block.splitlines()]
    assert len(found) >= 3
    return found


@pytest.mark.parametrize("line", lines())
def test_a_line_of_the_readme_runs_on_the_demo_fleet(line: str, tmp_path: Path) -> None:
    program = tmp_path / "psops"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m psops "$@"\n')
    program.chmod(0o755)
    environment = {"HOME": str(tmp_path), "PATH": f"{tmp_path}:/usr/bin:/bin", "TZ": "UTC",
                   "PSOPS_INVENTORY": "demo"}  # fmt: skip
    followed = " -f " in line

    def shown() -> str:
        return "".join(path.read_text() for path in (tmp_path / "out", *tmp_path.glob("*.jsonl")))

    with (tmp_path / "out").open("w") as out, (tmp_path / "err").open("w") as errors:
        process = subprocess.Popen(
            ["sh", "-c", f"exec {line}"], env=environment, cwd=tmp_path, stdout=out, stderr=errors
        )
        if followed:
            end = time.monotonic() + 30
            while ".demo" not in shown() and time.monotonic() < end and process.poll() is None:
                time.sleep(0.05)
            process.send_signal(signal.SIGINT)
        process.wait(timeout=30)
    err = (tmp_path / "err").read_text()
    assert process.returncode == (130 if followed else 1 if " -a " in line else 0), err
    assert "psops:" not in err
    assert ".demo" in shown()
