"""Where a run writes to and what that place can show."""

import os
import shutil
import sys
from dataclasses import dataclass
from typing import NamedTuple, TextIO


class Aim(NamedTuple):
    """What a command of psops needs beside its words to mean the same hosts as this run."""

    #: Options that say where hosts are found and how they are reached, as they are typed.
    options: tuple[str, ...] = ()
    #: Whether hosts have to be named; else it is this host or a container, as in `options`.
    named: bool = False


#: A run on this host alone.
HERE = Aim()


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """The streams of a run, whether they take colour, and how wide stdout is (None: any)."""

    stdout: TextIO
    stderr: TextIO
    color: bool = False
    width: int | None = None
    aim: Aim = HERE


def detect(color: str = "auto", aim: Aim = HERE) -> Environment:
    """Return the environment of this process; `color` is auto, always or never.

    A pipe is as wide as its reader wants. NO_COLOR counts when it is not empty, as its
    standard says, and the option beats it.
    """
    terminal = sys.stdout.isatty()
    shows = terminal and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return Environment(
        stdout=sys.stdout,
        stderr=sys.stderr,
        color=color == "always" or (color == "auto" and shows),
        aim=aim,
        width=shutil.get_terminal_size().columns if terminal else None,
    )


def reader_gone(stream: TextIO) -> bool:
    """Tell whether a pipe's reader has ended, without writing to it."""
    import select

    try:
        asked = select.poll()
        asked.register(stream.fileno(), 0)
        return any(event & (select.POLLERR | select.POLLHUP) for _, event in asked.poll(0))
    except (OSError, ValueError):
        return False  # no file at all; whoever gave it reads it as it likes
