"""Where psops prints: a report that cannot be written is an error, a word beside it is lost."""

import os
import sys
from io import BufferedWriter, FileIO, TextIOWrapper
from typing import Any

from psops.errors import OutputError


class ReaderGone(Exception):
    """The reader of stdout, such as head, has seen enough.

    No `OSError`, which could as well come from a connection.
    """


class _Out(FileIO):
    """Stdout: raises `ReaderGone` or `OutputError` once; what comes after goes nowhere."""

    def write(self, data: Any, /) -> int:
        try:
            return super().write(data)
        except OSError as exc:
            _put_null(self.fileno())
            if isinstance(exc, BrokenPipeError):
                raise ReaderGone from exc
            raise OutputError(f"stdout: {(exc.strerror or str(exc)).lower()}") from exc


class _Err(FileIO):
    """Stderr: what cannot be written there is lost, and the run goes on."""

    def write(self, data: Any, /) -> int:
        try:
            return super().write(data)
        except OSError:
            _put_null(self.fileno())
            return len(data)


def prepare() -> None:
    """Have stdout and stderr fail as above, and open those streams that are closed."""
    _open_closed()
    for name, kind in (("stdout", _Out), ("stderr", _Err)):
        old = getattr(sys, name)
        new = TextIOWrapper(
            BufferedWriter(kind(old.fileno(), "w", closefd=False)), old.encoding, old.errors,
            line_buffering=old.line_buffering,
        )  # fmt: skip
        setattr(sys, name, new)


def _open_closed() -> None:
    """Put /dev/null where whoever started psops has closed a stream: its number would go to the
    next socket. What is read from stdin fails, as it would have; it is not empty."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            _put_null(number)
            mode = "w" if number else "r"
            setattr(sys, name, open(number, mode, encoding="utf-8", closefd=False))  # noqa: SIM115


def _put_null(number: int) -> None:
    null = os.open(os.devnull, os.O_WRONLY)
    if null != number:
        os.dup2(null, number)
        os.close(null)
