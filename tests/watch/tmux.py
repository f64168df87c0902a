"""A real terminal for tests: tmux with a server of its own, keys in, screens out."""

import os
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
#: What differs from run to run: ages with the space around them, and times of day.
_RESTLESS = (
    (re.compile(r"\d\d:\d\d:\d\d"), "HH:MM:SS"),
    (re.compile(r" +\d+(s|min|h|d)\b"), " AGE"),
    (re.compile(r"\w{3} \d{4}-\d\d-\d\d HH:MM:SS \w+"), "MOMENT"),
    (re.compile(r" +$", re.M), ""),
)


class Tmux:
    """One terminal with a shell in it."""

    def __init__(self, socket: Path) -> None:
        self._argv = ("tmux", "-S", str(socket), "-f", "/dev/null")

    def call(self, *words: str) -> str:
        """Return what a command of tmux prints."""
        done = subprocess.run((*self._argv, *words), capture_output=True, text=True, check=True)
        return done.stdout

    def keys(self, *keys: str) -> None:
        """Press keys, by tmux's names for them."""
        self.call("send-keys", *keys)

    def type(self, text: str) -> None:
        """Type a text as it is."""
        self.call("send-keys", "-l", text)

    def resize(self, columns: int, lines: int) -> None:
        """Give the terminal another size."""
        self.call("resize-window", "-x", str(columns), "-y", str(lines))

    @property
    def text(self) -> str:
        """What the screen shows."""
        return self.call("capture-pane", "-p")

    @property
    def styled(self) -> str:
        """What the screen shows, with its colours."""
        return self.call("capture-pane", "-p", "-e")

    def wait(self, wanted: str, seconds: float = 20.0) -> str:
        """Return the screen as soon as it shows what matches an expression."""
        end = time.monotonic() + seconds
        while not re.search(wanted, text := self.text, re.M):
            assert time.monotonic() < end, f"no {wanted!r} within {seconds:g} s on\n{text}"
            time.sleep(0.05)
        return text

    def steady(self, seconds: float = 20.0) -> str:
        """Return the screen once it has not changed for a moment, ages apart."""
        end = time.monotonic() + seconds
        before = ""
        while (text := calm(self.text)) != before:
            assert time.monotonic() < end, f"never at rest:\n{text}"
            before = text
            time.sleep(0.25)
        return text


def calm(screen: str) -> str:
    """Return a screen without what differs from run to run."""
    for pattern, word in _RESTLESS:
        screen = pattern.sub(word, screen)
    return screen


@contextmanager
def terminal(home: Path, columns: int, lines: int) -> Iterator[Tmux]:
    """Give a terminal of a size with a shell at a `$ ` prompt; its programs end with it."""
    tmux = Tmux(home / "tmux")
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "TERM": "screen-256color",
                   "LANG": "C.UTF-8", "TZ": "UTC", "PSOPS_SYSLOG": "", "PS1": "$ ",
                   "XDG_STATE_HOME": str(home / "state")}  # fmt: skip
    shell = shlex.join(["env", "-i", *(f"{key}={value}" for key, value in environment.items()),
                        "bash", "--norc", "--noprofile"])  # fmt: skip
    tmux.call("new-session", "-d", "-x", str(columns), "-y", str(lines), "-c", str(ROOT), shell)
    try:
        tmux.call("set", "-g", "status", "off")
        tmux.resize(columns, lines)
        tmux.wait(r"^\$")
        yield tmux
    finally:
        tmux.call("kill-server")


def psops(*words: str, **variables: str) -> str:
    """Return the line to type for psops, with variables of the environment before it."""
    settings = [f"{name}={shlex.quote(value)}" for name, value in variables.items()]
    return " ".join([*settings, shlex.join([sys.executable, "-m", "psops", *words])])
