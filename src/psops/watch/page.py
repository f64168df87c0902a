"""What stands in place of the board, and a line that is typed; pure."""

import re
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


#: A line in parts that stay together where there is room for them: colours, blanks, words.
_WORDS = re.compile(r"\x1b\[[0-9;]*m| +|[^ \x1b]+")
#: On a terminal of so few columns every one counts.
_NARROW = 30


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
        #: How many lines it had when it was drawn.
        self.length = len(self.lines)
        #: Which keys it offered when it was drawn.
        self.offered = ""

    def move(self, key: str, room: int) -> bool:
        """Scroll by a key and tell whether that is what it does."""
        far = self.length
        steps = {"up": -1, "k": -1, "down": 1, "j": 1, "pgup": -room, "pgdn": room, " ": room,
                 "home": -far, "g": -far, "end": far, "G": far}  # fmt: skip
        if key not in steps:
            return False
        self.top = max(0, min(self.top + steps[key], self.length - room))
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


def draw_page(page: Page, foot: str, look: Look) -> Picture:
    """Return a page with its title; lines that are too long go on in the next one."""
    painter = Painter(look, 0.0)
    page.offered = page.foot
    room = max(1, look.lines - 2)
    lines = [part for line in page.lines for part in _wrap(line, look.columns)]
    page.length = len(lines)
    page.top = max(0, min(page.top, len(lines) - room))
    shown = lines[page.top : page.top + room]
    left = len(lines) - page.top - len(shown)
    more = f"  ({count(left, 'line')} more)" if left > 0 else ""
    text = [painter.line(Cell(clean(page.title), "head")), *shown]
    text += [""] * (look.lines - 1 - len(text))
    last = painter.line(Cell(f"{foot or page.foot}{more}", "dim"))
    return Picture([*text[: look.lines - 1], last], 60.0)


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


def _wrap(text: str, columns: int) -> list[str]:
    """Return a line, which may hold colours, as lines that fit; what goes on is indented.

    A word goes on in the next line as a whole if there is room for it.
    """
    indent = "    " if columns > _NARROW else ""
    most = columns - len(indent)
    lines: list[str] = []
    style, part, room = "", "", columns
    for word in _WORDS.findall(text):
        if word[0] == "\x1b":
            style = "" if word == "\x1b[0m" else word
            part += word
            continue
        whole = width_of(word) <= most
        for piece in (word,) if whole else word:
            width = width_of(piece)
            if width > room:
                lines.append(part.rstrip(" ") + ("\x1b[0m" if style else ""))
                part, room = indent + style, most
            if width <= room and (piece[0] != " " or room != most or not lines):
                part += piece
                room -= width
    return [*lines, part]
