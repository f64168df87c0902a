"""What stands in place of the board, and a line that is typed; pure."""

from collections.abc import Callable, Sequence

from psops.inventory import fold
from psops.report.text import Cell, clean, count, width_of
from psops.watch.board import Place
from psops.watch.draw import Look, Painter, Picture
from psops.watch.glyphs import Glyphs

HELP = (
    "arrows, hjkl  move",
    "PgUp PgDn g G move far",
    "Enter         details, last log lines",
    "Tab           grid or list",
    "s             sort in another way",
    "/             filter by words",
    "f             only what is failing",
    "Space         mark",
    "a             mark all shown, or none",
    "r             restart what is marked,",
    "              else what is chosen",
    "S             stop it",
    "e             report of the last change",
    "R             reach lost hosts now",
    "Esc           no filter, no marks; back",
    "Ctrl-L        draw everything again",
    "q             quit",
    "",
)


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


def draw_page(title: str, text: Sequence[str], top: int, foot: str, look: Look) -> Picture:
    """Return a page of text with a title, from its line `top` on; the lines may be painted."""
    painter = Painter(look, 0.0)
    room = max(1, look.lines - 2)
    shown = [_cut_painted(line, look.columns) for line in text[top : top + room]]
    lines = [painter.line(Cell(clean(title), "head")), *shown]
    lines += [""] * (look.lines - 1 - len(lines))
    left = len(text) - top - len(shown)
    more = f"  ({count(left, 'line')} more)" if left > 0 else ""
    return Picture([*lines[: look.lines - 1], painter.line(Cell(foot + more, "dim"))], 60.0)


def help_text(glyphs: Glyphs) -> list[str]:
    """Return what the help page says."""
    signs = [f"{glyph}             {word}" for word, glyph in glyphs.states.items()
             if word not in ("refreshing", "broken")]  # fmt: skip
    return [
        *HELP, *signs, "",
        "KNOWN is how old our knowledge of a",
        "host is. Of a lost host the last that",
        "was known is shown, dim.",
    ]  # fmt: skip


def question(verb: str, places: Sequence[Place]) -> list[str]:
    """Return the lines of the question whether these shall be changed."""
    hosts: dict[str, list[str]] = {}
    for place in places:
        hosts.setdefault(place.unit, []).append(place.host)
    lines = [f"{verb} {count(len(places), 'unit')} on "
             f"{count(len({place.host for place in places}), 'host')}:", ""]  # fmt: skip
    return [*lines, *(f"  {clean(unit)} on {clean(fold(names))}" for unit, names in hosts.items())]


def _cut_painted(text: str, columns: int) -> str:
    """Return a line that may hold colours, cut to the width."""
    if "\x1b" not in text:
        return text if width_of(text) <= columns else _cut(text, columns)
    kept, room, at = [], columns, 0
    while at < len(text) and room > 0:
        if text[at] == "\x1b":
            end = text.index("m", at) + 1
            kept.append(text[at:end])
            at = end
            continue
        room -= width_of(text[at])
        if room >= 0:
            kept.append(text[at])
        at += 1
    return "".join(kept) + "\x1b[0m"


def _cut(text: str, columns: int) -> str:
    while width_of(text) > columns:
        text = text[:-1]
    return text
