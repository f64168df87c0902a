"""The board as lines of text that fit a terminal; pure.

Rich and Textual were tried for this (20 hosts, 14 units, 160x24, one cell changed at a time):
Textual takes 168 ms to import, 35 MB, and 34 ms CPU and 11 kB on the wire a change; a table in
Rich's Live 38 ms, 16 MB, 30 ms and 6 kB, and reads no keys; lines of our own, of which only
those that differ are sent, 4 ms, 9 MB, 0.5 ms and 0.2 kB. Over a slow link that is the difference.
"""

import time
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from psops.inventory import fold
from psops.report.text import Cell, clean, count, paint, squeeze, width_of
from psops.watch.board import GRID, Board, Place
from psops.watch.glyphs import Glyphs, sign
from psops.watch.model import Change, HostView, Link, LinkChange, State

#: Columns of the mark for the row, and of how fresh what is known of its host is.
_GUTTER, _KNOWN = 2, 7
#: A cell with words is at least and at most so wide; else cells are signs only.
_WORDS, _MOST_WORDS = 10, 18
#: Lines beside the rows: title, head, status, keys.
_FRAME = 4
#: The changes of late are shown where there are so many lines to spare.
_LEAST_LOG = 3

KEYS = "? help  / filter  s sort  f failing  Enter details  r restart  S stop  q quit"
HELP = (
    "psops watch: units of hosts, as they are now",
    "",
    "  arrows, h j k l   move             PgUp PgDn g G   move far",
    "  Enter             details with the last log lines",
    "  Tab               grid or list     s               sort in another way",
    "  /                 filter by words  f               only what is failing",
    "  Space             mark             a               mark all shown, or none",
    "  r                 restart what is marked, else what is chosen",
    "  S                 stop it          e               report of the last change",
    "  R                 reach lost hosts now",
    "  Esc               back; no filter, no marks",
    "  q                 quit",
    "",
    "Signs",
)


class Look(NamedTuple):
    """How much room there is, and what the terminal can show."""

    columns: int
    lines: int
    glyphs: Glyphs
    color: bool


class Picture(NamedTuple):
    """The lines of a screen, and the seconds until an age on it is another."""

    lines: list[str]
    ages: float


class Painter:
    """Draws one picture."""

    def __init__(self, look: Look, now: float) -> None:
        self._look = look
        self._now = now
        #: When the next age changes.
        self.ages = 60.0

    # -- pieces ---------------------------------------------------------------------------

    def line(self, *cells: Cell) -> str:
        """Return pieces side by side, cut to the width."""
        room, painted = self._look.columns, []
        for cell in cells:
            text = self.cut(cell.text, room)
            room -= width_of(text)
            painted.append(paint(text, cell.style, self._look.color))
            if not room:
                break
        return "".join(painted)

    def cut(self, text: str, room: int) -> str:
        """Return as much of a text as there is room for."""
        if width_of(text) <= room:
            return text
        if room < 1:
            return ""
        while width_of(text) > room - 1:
            text = text[:-1]
        return text + self._look.glyphs.cut

    def pad(self, text: str, room: int) -> str:
        """Return a text that takes exactly this room."""
        text = self.cut(text, room)
        return text + " " * (room - width_of(text))

    def middle(self, text: str, room: int) -> str:
        """Return a name without its middle: what many begin with alike, they end with apart."""
        if width_of(text) <= room:
            return text
        head = (room - 1) // 2
        return text[:head] + self._look.glyphs.cut + text[len(text) - (room - 1 - head) :]

    def age(self, since: float) -> str:
        """Return how long something is so, in one unit."""
        seconds = max(0.0, self._now - since)
        for name, size in (("d", 86400), ("h", 3600), ("min", 60), ("s", 1)):
            if seconds >= size * (2 if size == 86400 else 1) or size == 1:
                self.ages = min(self.ages, size - seconds % size)
                return f"{int(seconds // size)}{name}"
        return ""

    def known(self, view: HostView) -> Cell:
        """Return how fresh is what is known of a host."""
        if view.link is Link.LIVE:
            return Cell("live", "good")
        if view.link is Link.CONNECTING:
            return Cell("...", "dim")
        glyph = self._look.glyphs.states["failed"]
        return Cell(f"{glyph} {self.age(view.heard) if view.heard else 'never'}", "bad")

    def state(self, view: HostView, state: State) -> Cell:
        """Return sign and words of a state; what is not known by now is dim."""
        glyph, style = sign(state, self._look.glyphs)
        words = state.sub if state.load != "not-found" else "not-found"
        return Cell(f"{glyph} {clean(words)}", style if view.link is Link.LIVE else "dim")

    # -- parts of the board ---------------------------------------------------------------

    def title(self, board: Board, extra: str) -> str:
        """Return the line that says how the whole fleet is."""
        views = board.fleet.hosts.values()
        links = [view.link for view in views]
        states = [state for view in views for state in view.states.values()]
        failing = sum(state.trouble for state in states)
        cells = [Cell(count(len(views), "host"), "head")]
        if lost := links.count(Link.LOST):
            cells.append(Cell(f" {lost} lost", "bad"))
        if waiting := links.count(Link.CONNECTING):
            cells.append(Cell(f" {waiting} connecting", "warn"))
        cells.append(Cell(f"  {count(len(states), 'unit')}", "head"))
        cells.append(Cell(f" {failing} failing", "bad") if failing else Cell(" all well", "good"))
        cells.append(Cell(f"  by {board.sort}", "dim"))
        if board.failing:
            cells.append(Cell("  only failing", "warn"))
        if board.filter:
            cells.append(Cell(f"  /{board.filter}", "warn"))
        if board.marks:
            cells.append(Cell(f"  {len(board.marks)} marked", "warn"))
        if extra:
            cells.append(Cell(f"  {extra}", "warn"))
        return self.line(*cells)

    def rows(self, board: Board, room: int) -> list[str]:
        """Return the head and as many rows as there is room for, the chosen one among them."""
        first = max(0, min(board.row - room // 2, board.count - room))
        shown = range(first, min(first + room, board.count))
        if not board.count:
            told = (
                "nothing fits; Esc takes the filter away" if board.filter or board.failing else ""
            )
            return ["", *([told] if room and told else [])]
        return self._grid(board, shown) if board.form == GRID else self._list(board, shown)

    def _grid(self, board: Board, shown: range) -> list[str]:
        columns = self._look.columns
        hosts = [clean(board.hosts[at]) for at in shown]
        room = max(8, columns // 3)
        wide = min(room, max(4, *map(width_of, hosts)))
        begin = _GUTTER + wide + 1 + _KNOWN + 1
        area, total = max(1, columns - begin), len(board.units)
        size = min(_MOST_WORDS, area // max(1, total))
        if size < _WORDS:
            size = 2 if total * 2 <= area else 1
        fits = max(1, area // size)
        left = max(0, min(board.column - fits // 2, total - fits))
        units = board.units[left : left + fits]
        lines = [self._grid_head(board, units, begin, size, left)]
        for at, host in zip(shown, hosts, strict=True):
            view = board.fleet.hosts[board.hosts[at]]
            chosen = at == board.row
            known = self.known(view)
            cells = [
                Cell(self.pad(self._look.glyphs.chosen if chosen else "", _GUTTER)),
                Cell(self.pad(self.middle(host, wide), wide + 1), "head" if chosen else ""),
                known._replace(text=self.pad(known.text, _KNOWN + 1)),
                *(cell for column, unit in enumerate(units, left)
                  for cell in self._cell(board, Place(view.name, unit), size,
                                         chosen and column == board.column)),
            ]  # fmt: skip
            lines.append(self.line(*cells))
        return lines

    def _grid_head(
        self, board: Board, units: Sequence[str], begin: int, size: int, left: int
    ) -> str:
        head = Cell(self.pad(" " * _GUTTER + "HOST", begin - _KNOWN - 1), "head")
        known = Cell(self.pad("KNOWN", _KNOWN + 1), "head")
        if size >= _WORDS:
            names = [Cell(self.pad(f" {self.middle(_short(unit), size - 2)}", size), "head")
                     for unit in units]  # fmt: skip
            return self.line(head, known, *names)
        if not board.units:
            return self.line(head, known)
        pointer, place = self._look.glyphs.column, (board.column - left) * size
        number = f"{board.column + 1}/{len(board.units)}"
        name = f"{clean(board.units[board.column])} ({number})"
        if begin + place + 2 + width_of(name) <= self._look.columns:
            text = f"{' ' * place}{pointer} {name}"
        else:
            text = f"{self.middle(name, max(0, place - 1)).rjust(max(0, place - 1))} {pointer}"
            text = text[-place - 1 :]
        return self.line(head, known, Cell(text, "head"))

    def _cell(self, board: Board, place: Place, size: int, chosen: bool) -> list[Cell]:
        view = board.fleet.hosts[place.host]
        state = view.states.get(place.unit)
        marked = place in board.marks
        if size >= _WORDS:
            cell = self.state(view, state) if state is not None else Cell("")
            begin, end = ("[", "]") if chosen else (" ", " ")
            sides = self._look.glyphs.marked if marked else begin
            return [Cell(sides), cell._replace(text=self.pad(cell.text, size - 2)), Cell(end)]
        glyph, style = sign(state, self._look.glyphs) if state is not None else (" ", "")
        cells = [Cell(glyph, "chosen" if chosen else style if view.link is Link.LIVE else "dim")]
        return [*cells, Cell(self._look.glyphs.marked if marked else " ")][:size]

    def _list(self, board: Board, shown: range) -> list[str]:
        columns, several = self._look.columns, len(board.fleet.hosts) > 1
        places = [board.places[at] for at in shown]
        table = []
        for place in places:
            view = board.fleet.hosts[place.host]
            state = view.states[place.unit]
            cell = self.state(view, state)
            why = clean(state.reason) if state.reason not in cell.text else ""
            since = self.age(state.since_us / 1e6) if state.since_us else ""
            table.append((place, cell, why, since, self.known(view)))
        hosts = max(4, *(width_of(place.host) for place in places)) if several else 0
        hosts = min(hosts, max(8, columns // 4))
        states = min(max(5, *(width_of(row[1].text) for row in table)), 24)
        whys = min(max(width_of(row[2]) for row in table), 20) if columns >= 70 else 0
        fixed = _GUTTER + (hosts + 2 if several else 0) + states + 2 + (whys + 2 if whys else 0)
        fixed += 6 + _KNOWN + 2
        units = max(
            10, min(columns - fixed, max(4, *(width_of(_short(p.unit)) for p in places)) + 2)
        )
        lines = [self.line(Cell(
            " " * _GUTTER + (self.pad("HOST", hosts + 2) if several else "")
            + self.pad("UNIT", units) + self.pad("STATE", states + 2)
            + (self.pad("WHY", whys + 2) if whys else "") + "SINCE".rjust(6) + "  KNOWN", "head",
        ))]  # fmt: skip
        for at, (place, cell, why, since, known) in zip(shown, table, strict=True):
            chosen = at == board.row
            gutter = self._look.glyphs.chosen if chosen else " "
            gutter += self._look.glyphs.marked if place in board.marks else " "
            unit = self.middle(_short(place.unit), units - 2)
            host = self.pad(self.middle(clean(place.host), hosts), hosts + 2) if several else ""
            lines.append(self.line(
                Cell(gutter), Cell(host, "head" if chosen else ""),
                Cell(self.pad(unit, units), "head" if chosen else ""),
                cell._replace(text=self.pad(cell.text, states + 2)),
                Cell(self.pad(why, whys + 2) if whys else "", "bad"),
                Cell(since.rjust(6) + "  "), known,
            ))  # fmt: skip
        return lines

    def status(self, board: Board, wall: float) -> str:
        """Return the line about the chosen place."""
        view = board.fleet.hosts.get(board.host)
        if view is None:
            return ""
        cells = [Cell(clean(view.name), "head")]
        if board.chosen is not None:
            state = view.states[board.chosen.unit]
            glyph, style = sign(state, self._look.glyphs)
            cells += [Cell(f" {clean(board.chosen.unit)} ", "head"),
                      Cell(f"{glyph} {clean(state.words)}", style)]  # fmt: skip
            if state.reason:
                cells.append(Cell(f" {clean(state.reason)}", "bad"))
            if state.since_us:
                cells.append(Cell(f" for {self.age(state.since_us / 1e6)}"))
        if view.link is Link.LOST and view.error is not None:
            wait = max(0, round(view.retry_at - wall))
            self.ages = min(self.ages, 1.0)
            again = "trying" if view.trying else f"again in {wait}s"
            told = f" {view.error.code}: {squeeze(str(view.error))}"
            cells.append(Cell(f" lost ({again}){clean(told)}", "bad"))
        return self.line(*cells)

    def log(self, changes: Sequence[Change | LinkChange], room: int) -> list[str]:
        """Return the changes of late, the last one at the bottom."""
        rule = self._look.glyphs.rule
        head = self.line(Cell(f"{rule} changes {rule * max(0, self._look.columns - 11)}", "dim"))
        return [head, *(self._logged(change) for change in list(changes)[-(room - 1) :])]

    def _logged(self, change: Change | LinkChange) -> str:
        begin = f"{datetime.fromtimestamp(change.time):%H:%M:%S} {clean(change.host)} "  # noqa: DTZ006
        arrow = self._look.glyphs.arrow
        if isinstance(change, LinkChange):
            style = "good" if change.after is Link.LIVE else "bad"
            told = clean(squeeze(str(change.error))) if change.error is not None else ""
            return self.line(Cell(begin), Cell(f"{arrow} {change.after}", style),
                             Cell(f" {told}", "dim"))  # fmt: skip
        before = f"{clean(change.before.sub)} " if change.before is not None else ""
        glyph, style = sign(change.after, self._look.glyphs)
        return self.line(
            Cell(f"{begin}{_short(change.unit)} {before}{arrow} "),
            Cell(f"{glyph} {clean(change.after.sub)}", style),
            Cell(f" {clean(change.after.reason)}", "bad"),
            Cell(" (restarted)" if change.restarted else ""),
            Cell(" (missed)" if change.missed else "", "dim"),
        )


def draw_board(
    board: Board,
    changes: Sequence[Change | LinkChange],
    look: Look,
    *,
    foot: str = "",
    extra: str = "",
    now: float | None = None,
) -> Picture:
    """Return the board with its title, the chosen place and a last line: `foot`, else the keys."""
    wall = time.time() if now is None else now
    painter = Painter(look, wall)
    room = max(1, look.lines - _FRAME)
    used = min(room, max(1, board.count))
    spare = room - used
    lines = [painter.title(board, extra), *painter.rows(board, used)]
    if spare >= _LEAST_LOG and changes:
        lines += painter.log(changes, min(spare, 1 + len(changes)))
    lines = [*lines, *[""] * (look.lines - 2 - len(lines))][: max(0, look.lines - 2)]
    lines += [painter.status(board, wall), painter.line(Cell(foot or KEYS, "" if foot else "dim"))]
    return Picture(lines[: look.lines], painter.ages)


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
    signs = "   ".join(f"{sign} {word}" for word, sign in glyphs.states.items()
                       if word not in ("refreshing", "broken"))  # fmt: skip
    known = ("", "KNOWN says how old is what is known of a host: live, or since when nothing was",
             "heard of it. What is shown of a lost host is what was so then, and dim.")  # fmt: skip
    return [*HELP, f"  {signs[:72].rpartition('   ')[0]}",
            f"  {signs[len(signs[:72].rpartition('   ')[0]) :].strip()}", *known]  # fmt: skip


def question(verb: str, places: Sequence[Place]) -> list[str]:
    """Return the lines of the question whether these shall be changed."""
    hosts: dict[str, list[str]] = {}
    for place in places:
        hosts.setdefault(place.unit, []).append(place.host)
    lines = [f"{verb} {count(len(places), 'unit')} on "
             f"{count(len({place.host for place in places}), 'host')}:", ""]  # fmt: skip
    return [*lines, *(f"  {clean(unit)} on {clean(fold(names))}" for unit, names in hosts.items())]


def _short(unit: str) -> str:
    return clean(unit.removesuffix(".service"))


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
