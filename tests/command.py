"""Runs psops as users do: the installed program, in a process of its own."""

import json
import os
import pty
import subprocess
import sys
import termios
from pathlib import Path
from typing import Any, NamedTuple

from tests.lab import Lab


class Run(NamedTuple):
    """What a run of psops gave."""

    exit: int
    stdout: str
    stderr: str

    @property
    def document(self) -> Any:
        """The JSON document on stdout."""
        return json.loads(self.stdout)

    def error(self, host: str) -> dict[str, str]:
        """Return the error of a host in the JSON document."""
        for found in self.document["hosts"]:
            if found["host"] == host:
                error: dict[str, str] = found["error"]
                return error
        raise KeyError(host)


def psops(*words: str, home: Path, **variables: str) -> Run:
    """Return what psops says, run with a home of its own so that no test sees another's."""
    keep = ("PATH", "LANG", "PSOPS_DBUS")
    environment = {name: os.environ[name] for name in keep if name in os.environ}
    environment |= {"HOME": str(home), "XDG_STATE_HOME": str(home / "state"), "TZ": "UTC"}
    environment["PSOPS_SYSLOG"] = ""  # not into the log of the machine that runs the tests
    done = subprocess.run(
        [sys.executable, "-m", "psops", *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        stdin=subprocess.DEVNULL,
        env=environment | variables,
    )
    return Run(done.returncode, done.stdout, done.stderr)


def on_terminal(*words: str, home: Path, columns: int, **variables: str) -> str:
    """Return what psops prints on a terminal of so many columns."""
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (50, columns))
    keep = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "TERM": "xterm", "TZ": "UTC"}
    run = subprocess.Popen(
        [sys.executable, "-m", "psops", *words],
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=subprocess.DEVNULL,
        env={**keep, "HOME": str(home), "PSOPS_SYSLOG": "", **variables},
    )
    os.close(theirs)
    text = b""
    try:
        while data := os.read(ours, 65536):
            text += data
    except OSError:  # how Linux tells the end of a terminal
        pass
    os.close(ours)
    run.wait()
    return text.decode().replace("\r\n", "\n")


def on_lab(lab: Lab, home: Path, *words: str, **variables: str) -> Run:
    """Return what `psops status` says of hosts of the lab."""
    return psops("status", "-i", str(lab.inventory), *words, home=home, **variables)
