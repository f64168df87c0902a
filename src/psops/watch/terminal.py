"""A terminal as a screen: entered, drawn on line by line, and always given back as it was."""

import contextlib
import os
import signal
import sys
import termios
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from psops.watch.keys import parse

#: Another screen without a cursor and without wrapping; and back.
_ENTER = "\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[2J"
_LEAVE = "\x1b[0m\x1b[?7h\x1b[?25h\x1b[?1049l"
#: Seconds that the rest of a key's bytes may take after its first ones.
ESCAPE_TIME = 0.05


def is_terminal() -> bool:
    """Tell whether there is a terminal that can be a screen."""
    capable = os.environ.get("TERM", "dumb") not in ("", "dumb", "unknown")
    return capable and sys.stdin.isatty() and sys.stdout.isatty()


class Terminal:
    """The terminal of this process. `changed` is called when its size may be another one, or when
    something else was on it."""

    def __init__(self, changed: Callable[[], None], encoding: str = "utf-8") -> None:
        self.keys = sys.stdin.fileno()
        self._screen = sys.stdout.fileno()
        self._changed = changed
        self._encoding = encoding
        self._is_ours = False
        self._before: list[Any] = []
        self._shown: list[str] = []
        self._data = b""

    @property
    def size(self) -> os.terminal_size:
        """Columns and lines."""
        try:
            size = os.get_terminal_size(self._screen)
        except OSError:
            return os.terminal_size((80, 24))
        return os.terminal_size((size.columns or 80, size.lines or 24))

    @contextlib.contextmanager
    def screen(self) -> Iterator[None]:
        """Have the screen, and give it back however this ends; Ctrl-Z gives it back as well."""
        handlers = {signal.SIGTSTP: self._suspend, signal.SIGCONT: self._resume,
                    signal.SIGWINCH: self._resized}  # fmt: skip
        before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
        self._enter()
        try:
            yield
        finally:
            self._leave()
            for number, handler in before.items():
                signal.signal(number, handler)

    def draw(self, lines: Sequence[str]) -> None:
        """Show these lines; only those that differ from what is there are sent."""
        out = []
        for at in range(max(len(lines), len(self._shown))):
            line = lines[at] if at < len(lines) else ""
            if at >= len(self._shown) or self._shown[at] != line:
                # Cleared before, not after: behind a full line the cursor stands on its last sign.
                out.append(f"\x1b[{at + 1};1H\x1b[2K{line}")
        self._shown = list(lines)
        if out:
            self._write("".join(out))

    def clear(self) -> None:
        """Forget what is there, so that all of it is drawn again."""
        self._shown = []
        self._write("\x1b[2J")

    def read(self, *, more: bool) -> list[str]:
        """Return the keys that were pressed; the end of input is the key `ctrl-d`.

        Bytes that begin a key wait for the next call, unless no `more` are expected.
        """
        if more:
            try:
                data = os.read(self.keys, 4096)
            except BlockingIOError:
                data = b""
            except OSError:  # the terminal is gone
                return ["ctrl-d"]
            if not data and not self._data:
                return ["ctrl-d"]
            self._data += data
        keys, self._data = parse(self._data, more=more)
        return keys

    @property
    def is_waiting(self) -> bool:
        """Whether the beginning of a key is there without its rest."""
        return bool(self._data)

    def forget(self) -> None:
        """Leave out what was typed and not read yet."""
        self._data = b""
        with contextlib.suppress(termios.error):  # the terminal is gone
            termios.tcflush(self.keys, termios.TCIFLUSH)

    def _enter(self) -> None:
        if not self._is_ours:
            self._before = termios.tcgetattr(self.keys)
        self._is_ours = True
        mode = termios.tcgetattr(self.keys)
        # Keys come one by one and are not shown; Ctrl-S holds nothing up; Ctrl-\ ends nothing,
        # because a process that dies of it leaves the terminal as it is.
        mode[0] &= ~(termios.IXON | termios.ICRNL)
        mode[3] &= ~(termios.ICANON | termios.ECHO)
        mode[6][termios.VQUIT] = b"\0"
        termios.tcsetattr(self.keys, termios.TCSADRAIN, mode)
        self._shown = []
        self._write(_ENTER)

    def _leave(self) -> None:
        self._is_ours = False
        with contextlib.suppress(OSError, termios.error):  # a terminal that is gone
            self._write(_LEAVE)
            termios.tcsetattr(self.keys, termios.TCSADRAIN, self._before)

    def _suspend(self, _number: int, _frame: object) -> None:
        self._leave()
        signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGTSTP)  # here it stops

    def _resume(self, _number: int, _frame: object) -> None:
        signal.signal(signal.SIGTSTP, self._suspend)
        self._enter()
        self._changed()

    def _resized(self, _number: int, _frame: object) -> None:
        self._changed()

    def _write(self, text: str) -> None:
        data = text.encode(self._encoding, errors="replace")
        while data:
            data = data[os.write(self._screen, data) :]
