"""The three real shells at a terminal, asked what they make of a Tab."""

import os
import pty
import re
import select
import signal
import subprocess
import termios
import time
from pathlib import Path
from types import TracebackType
from typing import Self

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = ROOT / "completions"
_PROMPT = "READY>"
_SHELLS = {
    # M-* is insert-completions: all of them, into the line.
    "bash": (["bash", "--norc", "--noprofile", "-i"], "\x1b*",
             [f"PS1='{_PROMPT}'", "set +H", "bind 'set enable-bracketed-paste off'",
              f"source {SCRIPTS}/psops.bash"]),
    # _all_matches does the same, once the usual completer has found them.
    "zsh": (["zsh", "-f", "-i"], "\x18\x01",
            [f"PS1='{_PROMPT}'; PROMPT_EOL_MARK=; unset zle_bracketed_paste",
             "setopt interactivecomments; bindkey -e",
             "autoload -U compinit",
             "zle -C all complete-word _generic; bindkey '^X^A' all",
             "zstyle ':completion:all::::' completer _all_matches _complete",
             "zstyle ':completion:all:*' insert true"]),
}  # fmt: skip

_LOAD = {
    "bash": f"source {SCRIPTS}/psops.bash",
    "zsh": f"fpath=({SCRIPTS} $fpath); compinit -D -u",
}


class Terminal:
    """An interactive shell with the completion script, on a pseudo terminal of its own."""

    def __init__(self, shell: str, variables: dict[str, str], *, setup: str = "") -> None:
        """`setup` is run instead of what loads the script of this checkout."""
        argv, self._key, lines = _SHELLS[shell]
        environment = {"TERM": "dumb", "PS1": "", **variables}
        #: All that came onto the terminal so far.
        self.said = ""
        self._child, self._stream = pty.fork()
        if self._child == 0:
            os.execvpe(argv[0], argv, environment)
        termios.tcsetwinsize(self._stream, (50, 5000))
        self._count = 0
        for line in lines:
            self._enter(line)
        self._enter(setup or _LOAD[shell])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        os.kill(self._child, signal.SIGHUP)
        os.close(self._stream)
        os.waitpid(self._child, 0)

    def tab(self, line: str) -> list[str]:
        """Return the words of the line after all that is offered at its end has been put in."""
        said = self._enter(f"{line}{self._key}\x01printf '[%s]\\n' ")
        return re.findall(r"^\[(.*)\]\r*$", said, re.M)

    def screen(self, line: str) -> str:
        """Return what is on the terminal after a Tab at the end of the line."""
        return self._enter(f"{line}\t\x01# ")

    def _enter(self, line: str) -> str:
        """Run a line and return what it printed, with all else that came onto the terminal."""
        self._count += 1
        mark = f"END{self._count}"
        os.write(self._stream, f"{line}\n".encode())
        os.write(self._stream, f"echo; echo {mark[:3]}''{mark[3:]}\n".encode())
        said = ""
        end = time.monotonic() + 20
        while f"\n{mark}\r" not in said:
            ready, _, _ = select.select([self._stream], [], [], max(0, end - time.monotonic()))
            assert ready, f"no end of {line!r} in {said!r}"
            said += os.read(self._stream, 65536).decode()
        self.said += said
        return said


def fish(line: str, variables: dict[str, str]) -> list[str]:
    """Return what fish offers at the end of a line, each with its description behind a tab."""
    script = f"source {SCRIPTS}/psops.fish; complete -C $argv[1]"
    done = subprocess.run(
        ["fish", "--no-config", "-c", script, line],
        capture_output=True, text=True, timeout=30, env=variables,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()
