"""The README is true: its examples run as written, and its tables are those of the code."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from psops.errors import HostError
from psops.exits import MEANINGS
from tests import readme


@pytest.mark.parametrize("example", list(readme.examples()), ids=lambda example: example.command)
def test_an_example_prints_what_the_readme_shows(example: readme.Example) -> None:
    now = readme.run(example.command)
    assert readme.calm(now) == readme.calm(example.output), "python -m tests.readme writes it anew"


def test_the_readme_has_every_exit_code_and_every_reason_for_an_unread_host() -> None:
    text = readme.README.read_text()
    for code, meaning in MEANINGS.items():
        assert f"| {int(code)} | {meaning} |" in text
    for error in HostError.__subclasses__():
        assert error.code in text or error.code == "interrupted"


_WIRING = re.compile(r"### In CI and monitoring\n(.*?)\n## ", re.S)
_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)


def _wiring(kind: str) -> list[str]:
    found = _WIRING.search(readme.README.read_text())
    assert found is not None
    return [block[2] for block in _BLOCK.finditer(found[1]) if block[1] == kind]


def _type(line: str, place: Path) -> "subprocess.CompletedProcess[str]":
    """Run a line as CI or an agent would, on the demo fleet."""
    binary = place / "bin"
    binary.mkdir(exist_ok=True)
    program = binary / "psops"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m psops "$@"\n')
    program.chmod(0o755)
    variables = {"HOME": str(place), "PATH": f"{binary}:/usr/bin:/bin", "PSOPS_INVENTORY": "demo:5"}
    variables["GITHUB_STEP_SUMMARY"] = str(place / "summary.md")
    return subprocess.run(
        ["sh", "-c", line], cwd=place, env=variables, capture_output=True, text=True, check=False
    )


def test_the_ci_examples_are_yaml_whose_commands_leave_their_files(tmp_path: Path) -> None:
    github, gitlab = (yaml.safe_load(text) for text in _wiring("yaml"))
    lines = [step["run"] for step in github["jobs"]["verify"]["steps"] if "run" in step]
    lines += gitlab["daemons"]["script"]
    for line in lines:
        if line.startswith("psops"):
            assert _type(line, tmp_path).returncode in (0, 1)
    assert (tmp_path / gitlab["daemons"]["artifacts"]["reports"]["junit"]).exists()
    assert "| verdict |" in (tmp_path / "summary.md").read_text().lower()


def test_the_monitoring_examples_give_what_their_readers_take(tmp_path: Path) -> None:
    (icinga,) = _wiring("")
    command = json.loads(re.search(r"command = (\[.*\])", icinga)[1])  # type: ignore[index]
    option = re.search(r'"(--\w+)" = ', icinga)[1]  # type: ignore[index]
    run = _type(" ".join([*command, option, "ps01.demo"]), tmp_path)
    assert (run.returncode, run.stdout.split(" - ")[0]) == (0, "PSOPS OK")
    checkmk, prometheus = _wiring("sh")
    assert re.match(r'[0-3] "', _type(checkmk, tmp_path).stdout)
    _type(prometheus, tmp_path)
    assert "psops_host_up{" in (tmp_path / "psops.prom").read_text()
    assert os.listdir(tmp_path / "bin") == ["psops"]
