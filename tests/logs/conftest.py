"""Two hosts of the lab that say something, and psops called on them."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.command import Run, psops
from tests.lab import Host, Lab

#: A daemon with a log file, as an admin adds one to the catalogue.
CATALOGUE = """
system = "lg"
[bundles.lg]
title = "what these tests talk with"
daemons = ["lg", "lg-other", "lg-absent"]
[daemons.lg]
purpose = "talks"
units = ["lg.service"]
logs = ["/var/log/lg/app.log"]
[daemons.lg-other]
purpose = "talks, too"
units = ["lg-other.service"]
[daemons.lg-absent]
purpose = "is on no host"
units = ["lg-absent.service"]
"""
#: Runs what the test asks for, as often as it asks, as this unit.
_TALKS = "[Service]\nType=oneshot\nExecStart=/bin/sh /run/lg/{name}.sh\n"


class Talker:
    """A host whose units say what a test has them say."""

    def __init__(self, lab: Lab, host: Host) -> None:
        self.lab = lab
        self.host = host
        self.name = host.name

    def sh(self, script: str) -> str:
        """Run a script there and return what it printed."""
        return self.lab.shell(self.host, ["sh", "-ec", script], check=True).stdout

    def say(self, script: str, unit: str = "lg") -> None:
        """Have a unit run a script, and return when it has."""
        Path(f"{self.host.root}/run").mkdir(exist_ok=True)
        self.lab.shell(self.host, ["sh", "-ec", 'mkdir -p /run/lg; printf %s "$1" > "$2"', "sh",
                                   script, f"/run/lg/{unit}.sh"], check=True)  # fmt: skip
        self.lab.shell(self.host, ["systemctl", "start", unit], check=True)

    def now(self) -> str:
        """Return the moment as `--since` takes it, once the one before is over."""
        time.sleep(0.01)
        return f"@{time.time():.6f}"


@pytest.fixture(scope="package")
def talkers(lab: Lab) -> Iterator[tuple[Talker, Talker]]:
    """Give two hosts with the units of these tests."""
    first, second = (Talker(lab, lab.host(number)) for number in (8, 9))
    for talker in (first, second):
        units = {name: _TALKS.format(name=name) for name in ("lg", "lg-other")}
        for name, text in units.items():
            place = f"/etc/systemd/system/{name}.service"
            lab.shell(talker.host, ["sh", "-ec", 'printf %s "$1" > "$2"', "sh", text, place],
                      check=True)  # fmt: skip
        talker.sh("systemctl daemon-reload; mkdir -p /var/log/lg /run/lg")
    yield first, second
    for talker in (first, second):
        talker.sh("rm -rf /etc/systemd/system/lg*.service /run/lg /var/log/lg; "
                  "systemctl daemon-reload; systemctl reset-failed 'lg*' || true")  # fmt: skip


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Give a home with the catalogue of these tests."""
    place = tmp_path / ".config/psops/bundles.d"
    place.mkdir(parents=True)
    (place / "lg.toml").write_text(CATALOGUE)
    return tmp_path


@pytest.fixture
def logs(lab: Lab, home: Path) -> Callable[..., Run]:
    """Give what calls `psops logs` on hosts of the lab."""

    def call(*words: str, hosts: str = "lab[008-009]", **more: Any) -> Run:
        return psops("logs", "-i", str(lab.inventory), "-H", hosts, *words, home=home, **more)

    return call


class Following:
    """A run of `psops logs -f`, and what it has said so far."""

    def __init__(self, process: "subprocess.Popen[str]", out: Path, err: Path) -> None:
        self.process = process
        self._out = out
        self._err = err

    @property
    def out(self) -> str:
        """What is on stdout."""
        return self._out.read_text()

    @property
    def err(self) -> str:
        """What is on stderr."""
        return self._err.read_text()

    def wait_for(self, text: str, seconds: float = 15.0) -> None:
        """Return when it has said this."""
        end = time.monotonic() + seconds
        while text not in self.out + self.err:
            assert time.monotonic() < end, (text, self.out, self.err)
            assert self.process.poll() is None, (self.out, self.err)
            time.sleep(0.02)


@pytest.fixture
def follow(lab: Lab, home: Path) -> Callable[..., Any]:
    """Give what runs `psops logs -f` on hosts of the lab for a while."""

    @contextmanager
    def start(*words: str, hosts: str = "lab[008-009]", inventory: str = "") -> Iterator[Following]:
        out, err = home / "out", home / "err"
        environment = {"HOME": str(home), "XDG_STATE_HOME": str(home), "PATH": os.environ["PATH"],
                       "TZ": "UTC", "PSOPS_SYSLOG": ""}  # fmt: skip
        with out.open("w") as stdout, err.open("w") as stderr:
            process = subprocess.Popen(
                [sys.executable, "-m", "psops", "logs", "-f", "-i", inventory or str(lab.inventory),
                 "-H", hosts, *words],
                stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr, text=True, env=environment,
            )  # fmt: skip
            try:
                yield Following(process, out, err)
            finally:
                process.kill()
                process.wait()

    return start
