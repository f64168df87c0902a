"""The board as lines of text that fit a terminal; pure.

Rich and Textual were tried for this (`python3 -m tests.bench.screens`). Of lines of our own only
those that differ are sent; for a change of one cell a table in Rich's Live takes some 20 times the
CPU and 30 times the bytes, and reads no keys; Textual 20 times and 70 times, and three times as
long to import. Over a slow link, and on twenty terminals of a shared machine, that is felt.
"""

import time
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from psops.report.text import Cell, clean, count, paint, squeeze, width_of
from psops.watch.board import GRID, Board, Place
from psops.watch.glyphs import Glyphs, sign
from psops.watch.model import Change, HostView, Link, LinkChange, State

#: Columns of the mark for the row, and of how fresh what is known of its host is.
_GUTTER, _KNOWN = 2, 7
#: Columns of the age of a state, and how many the list needs for all it has to say.
_SINCE, _ROOMY = 7, 60
#: A cell with words is at least and at most so wide; else cells are signs only.
_WORDS, _MOST_WORDS = 10, 18
#: Lines beside the rows: title, head, status, keys.
_FRAME = 4
#: The changes of late are shown where there are so many lines to spare.
_LEAST_LOG = 3

KEYS = "? help  q quit  / filter  s sort  f failing  Enter details  r restart  S stop"


class Look(NamedTuple):
    """How much room there is, and what the terminal can show."""

    columns: int
    lines: int
    glyphs: Glyphs
    color: bool


class _Row(NamedTuple):
    """What a row of the list says."""

    host: str
    unit: str
    state: Cell
    why: str
    since: str
    known: Cell


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
        if room < 3 or not text.isascii():
            return self.cut(text, room)
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
        if failing or states:
            word = Cell(f" {failing} failing", "bad") if failing else Cell(" all well", "good")
            cells.append(word)
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
            told = "no unit fits; Esc takes the filter away"
            told = told if board.filter or board.failing else ""
            return ["", self.line(Cell(told))][: room + 1]
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
        name = f"{_short(board.units[board.column])} {board.column + 1}/{len(board.units)}"
        after = self._look.columns - begin - place - 2
        if after >= min(width_of(name), place - 1):
            return self.line(head, known, Cell(f"{' ' * place}{pointer} ", "head"),
                             Cell(self.middle(name, max(1, after)), "head"))  # fmt: skip
        before = self.middle(name, place - 1)
        text = " " * (place - 1 - width_of(before)) + f"{before} {pointer}"
        return self.line(head, known, Cell(text, "head"))

    def _cell(self, board: Board, place: Place, size: int, chosen: bool) -> list[Cell]:
        view = board.fleet.hosts[place.host]
        state = view.states.get(place.unit)
        marked = place in board.marks
        if size >= _WORDS:
            cell = self.state(view, state) if state is not None else Cell("")
            begin = self._look.glyphs.marked if marked else " "
            begin = self._look.glyphs.chosen if chosen else begin
            style = "chosen" if chosen and self._look.color else cell.style
            return [Cell(begin), Cell(self.pad(cell.text, size - 1), style)]
        glyph, style = sign(state, self._look.glyphs) if state is not None else (" ", "")
        cells = [Cell(glyph, "chosen" if chosen else style if view.link is Link.LIVE else "dim")]
        return [*cells, Cell(self._look.glyphs.marked if marked else " ")][:size]

    def _list(self, board: Board, shown: range) -> list[str]:
        columns, several = self._look.columns, len(board.fleet.hosts) > 1
        rows = [self._row(board, board.places[at]) for at in shown]
        hosts = min(max(width_of(row.host) for row in rows), max(8, columns // 4))
        roomy = columns >= _ROOMY
        gap = 2 if roomy else 1
        hosts = max(hosts, 4) + gap if several else 0
        states = max(5, *(width_of(row.state.text) for row in rows))
        states = min(states, 24 if roomy else 10) + gap
        whys = min(max(width_of(row.why) for row in rows), 20) if roomy else 0
        whys += 2 if whys else 0
        known = _KNOWN + 2 if roomy else 0
        room = max(6, columns - _GUTTER - hosts - states - whys - _SINCE - known)
        units = min(room, max(4, *(width_of(row.unit) for row in rows)) + gap)
        head = " " * _GUTTER + self.pad("HOST", hosts) + self.pad("UNIT", units)
        head += self.pad("STATE", states) + self.pad("WHY", whys) + "SINCE".rjust(_SINCE)
        lines = [self.line(Cell(head + ("  KNOWN" if known else ""), "head"))]
        for at, row in zip(shown, rows, strict=True):
            chosen = at == board.row
            gutter = self._look.glyphs.chosen if chosen else " "
            gutter += self._look.glyphs.marked if board.places[at] in board.marks else " "
            # Where there is no room for both, the age of what is known says more of a lost host.
            since = Cell(row.since) if known or row.known.text == "live" else row.known
            lines.append(self.line(
                Cell(gutter),
                Cell(self.pad(self.middle(row.host, hosts - gap), hosts), "head" if chosen else ""),
                Cell(self.pad(self.middle(row.unit, units - gap), units), "head" if chosen else ""),
                row.state._replace(text=self.pad(row.state.text, states)),
                Cell(self.pad(row.why, whys), "bad"),
                since._replace(text=since.text.rjust(_SINCE)),
                *((Cell("  "), row.known) if known else ()),
            ))  # fmt: skip
        return lines

    def _row(self, board: Board, place: Place) -> "_Row":
        view = board.fleet.hosts[place.host]
        host = clean(place.host) if len(board.fleet.hosts) > 1 else ""
        state = view.states.get(place.unit)
        if state is None:
            lost = Cell(f"{self._look.glyphs.states['failed']} {view.link}", "bad")
            why = f"({view.error.code})" if view.error is not None else ""
            return _Row(host, why, lost, "", "", self.known(view))
        cell = self.state(view, state)
        why = clean(state.reason) if state.reason not in cell.text else ""
        since = self.age(state.since_us / 1e6) if state.since_us else ""
        return _Row(host, _short(place.unit), cell, why, since, self.known(view))

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


def _short(unit: str) -> str:
    return clean(unit.removesuffix(".service"))
