"""What stands in place of the board, and a line that is typed; pure."""

from collections.abc import Callable, Sequence


class Page:
    """A text in place of the board, the line at its top, and what it does with other keys."""

    def __init__(
        self, title: str, lines: Sequence[str], foot: str,
        on_key: Callable[[str], bool] = lambda key: False,
    ) -> None:  # fmt: skip
        self.title = title
        self.lines = list(lines)
        self.foot = foot
        self.on_key = on_key
        self.top = 0

    def move(self, key: str, room: int) -> bool:
        """Scroll by a key and tell whether that is what it does."""
        steps = {"up": -1, "k": -1, "down": 1, "j": 1, "pgup": -room, "pgdn": room, " ": room,
                 "home": -len(self.lines), "g": -len(self.lines), "end": len(self.lines),
                 "G": len(self.lines)}  # fmt: skip
        if key not in steps:
            return False
        self.top = max(0, min(self.top + steps[key], len(self.lines) - room))
        return True


class Entry:
    """A line that is being typed; `done` gets it, or None if it was given up."""

    def __init__(
        self, label: str, text: str, done: Callable[[str | None], None],
        changed: Callable[[str], None] = lambda text: None,
    ) -> None:  # fmt: skip
        self.label = label
        self.text = text
        self._done = done
        self._changed = changed

    def press(self, key: str) -> bool:
        """Take a key and tell whether the line is still being typed."""
        if key in ("enter", "esc", "ctrl-c", "ctrl-d"):
            self._done(self.text if key == "enter" else None)
            return False
        if key == "backspace":
            self.text = self.text[:-1]
        elif key == "ctrl-u":
            self.text = ""
        elif len(key) == 1:
            self.text += key
        self._changed(self.text)
        return True
