"""The board as lines of text that fit a terminal; pure.

Rich and Textual were tried for this (`python3 -m tests.bench.screens`). Of lines of our own only
those that differ are sent; for a change of one cell a table in Rich's Live takes some 20 times the
CPU and 30 times the bytes, and reads no keys; Textual 20 times and 70 times, and three times as
long to import. Over a slow link, and on twenty terminals of a shared machine, that is felt.
"""

import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from psops.report.text import Cell, clean, count, paint, squeeze, width_of
from psops.watch.board import GRID, Board, Place
from psops.watch.glyphs import Glyphs, sign
from psops.watch.model import Change, HostView, Link, LinkChange, State

#: Columns of the mark for the row, and of how fresh what is known of its host is.
_GUTTER, _KNOWN = 2, 7
#: Columns of the age of a state, and from how many on the list has wider gaps.
_SINCE, _ROOMY = 7, 60
#: What the list goes without, the first of them first, so that it has room for names.
_SPARE = ("KNOWN", "WHY")
_HEADS = {name: Cell(name, "head")
          for name in ("HOST", "UNIT", "STATE", "WHY", "SINCE", "KNOWN")}  # fmt: skip
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


class Picture(NamedTuple):
    """The lines of a screen, and the seconds until an age on it is another."""

    lines: list[str]
    ages: float
    #: How many rows of the board it has.
    shown: int = 0


class Painter:
    """Draws one picture."""

    def __init__(self, look: Look, now: float) -> None:
        self._look = look
        self._now = now
        #: When the next age changes.
        self.ages = 60.0
        #: How many rows of the board are drawn.
        self.shown = 0

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

    def _first(self, *texts: str) -> str:
        """Return the first text that there is room for, else the last."""
        return next((text for text in texts if width_of(text) <= self._look.columns), texts[-1])

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
        if not board.count:
            told = "no unit fits; Esc takes the filter away"
            told = told if board.filter or board.failing else ""
            return ["", self.line(Cell(told))][: room + 1]
        return self._grid(board, room) if board.form == GRID else self._list(board, room)

    def _grid(self, board: Board, room: int) -> list[str]:
        columns = self._look.columns
        wide = min(max(8, columns // 3), max(4, *(width_of(clean(name)) for name in board.hosts)))
        begin = _GUTTER + wide + 1 + _KNOWN + 1
        area, total = max(1, columns - begin), len(board.units)
        names = max((width_of(_short(unit)) + 2 for unit in board.units), default=0)
        size = min(max(_MOST_WORDS, names), area // max(1, total))
        words = size >= max(_WORDS, names)
        if not words:
            size = 2 if total * 2 <= area else 1
        fits = max(1, area // size)
        left = max(0, min(board.column - fits // 2, total - fits))
        units = board.units[left : left + fits]
        lines = self._grid_head(board, units, begin, size, left, words=words)
        shown = _shown(board, room + 1 - len(lines))
        self.shown = len(shown)
        for at in shown:
            view = board.fleet.hosts[board.hosts[at]]
            host = clean(view.name)
            chosen = at == board.row
            known = self.known(view)
            cells = [
                Cell(self.pad(self._look.glyphs.chosen if chosen else "", _GUTTER)),
                Cell(self.pad(self.middle(host, wide), wide + 1), "head" if chosen else ""),
                known._replace(text=self.pad(known.text, _KNOWN + 1)),
                *(cell for column, unit in enumerate(units, left)
                  for cell in self._cell(board, Place(view.name, unit), size,
                                         chosen and column == board.column, words=words)),
            ]  # fmt: skip
            lines.append(self.line(*cells))
        return lines

    def _grid_head(
        self, board: Board, units: Sequence[str], begin: int, size: int, left: int, *, words: bool
    ) -> list[str]:
        hosts = self.pad(" " * _GUTTER + "HOST", begin - _KNOWN - 1)
        head = hosts + self.pad("KNOWN", _KNOWN + 1)
        if words:
            names = "".join(self.pad(f" {_short(unit)}", size) for unit in units)
            return [self.line(Cell(head + names, "head"))]
        if not board.units:
            return [self.line(Cell(head, "head"))]
        pointer, place = self._look.glyphs.column, begin + (board.column - left) * size
        name = _short(board.units[board.column])
        after = self._look.columns - place - 2
        # To the left it may stand over other heads, which tell nothing that cannot be seen.
        for told in (f"{name} {board.column + 1}/{len(board.units)}", name):
            if width_of(told) <= after:
                return [self.line(Cell(f"{head:{place}}{pointer} {told}", "head"))]
            start = place - 1 - width_of(told)
            if start >= 0:
                kept = next(some for some in (head, hosts, "") if len(some) <= start)
                return [self.line(Cell(f"{kept:{start}}{told} {pointer}", "head"))]
        start = max(0, min(place, self._look.columns - width_of(name)))
        above = " " * start + self.middle(name, self._look.columns)
        return [self.line(Cell(text, "head")) for text in (above, f"{head:{place}}{pointer}")]

    def _cell(
        self, board: Board, place: Place, size: int, chosen: bool, *, words: bool
    ) -> list[Cell]:
        view = board.fleet.hosts[place.host]
        state = view.states.get(place.unit)
        marked = place in board.marks
        if words:
            cell = self.state(view, state) if state is not None else Cell("")
            begin = self._look.glyphs.marked if marked else " "
            begin = self._look.glyphs.chosen if chosen else begin
            style = "chosen" if chosen and self._look.color else cell.style
            return [Cell(begin), Cell(self.pad(cell.text, size - 1), style)]
        glyph, style = sign(state, self._look.glyphs) if state is not None else (" ", "")
        cells = [Cell(glyph, "chosen" if chosen else style if view.link is Link.LIVE else "dim")]
        return [*cells, Cell(self._look.glyphs.marked if marked else " ")][:size]

    def _list(self, board: Board, room: int) -> list[str]:
        """Return the head and a line for each place, or two if the names of units need one."""
        columns, shown = self._look.columns, _shown(board, room)
        gap = 2 if columns >= _ROOMY else 1
        rows = {at: self._row(board, board.places[at]) for at in shown}
        needed = {name: max(width_of(row[name].text) for row in rows.values()) for name in _HEADS}
        needed["UNIT"] = max(needed["UNIT"], *(width_of(_short(unit)) for unit in board.units), 4)
        needed["WHY"] = min(needed["WHY"], 20)
        sizes = {name: max(size, len(name)) + gap if size else 0 for name, size in needed.items()}
        sizes |= {"SINCE": _SINCE, "KNOWN": _KNOWN + 2}
        hosts, quarter = sizes["HOST"], max(8, columns // 4) + gap
        sizes["HOST"] = min(hosts, quarter)
        layout = [_thinned(sizes, columns - _GUTTER)]
        if sum(layout[0].values()) > columns - _GUTTER:
            left = columns - 2 * _GUTTER - sizes["STATE"] - _SINCE
            sizes |= {"UNIT": 0, "HOST": min(hosts, max(quarter, left))}
            layout = [{"UNIT": columns - _GUTTER + gap}, _thinned(sizes, columns - 2 * _GUTTER)]
            shown = _shown(board, max(1, (room - 1) // 2))
        self.shown = len(shown)
        lines = []
        for at in (None, *shown):
            row = _HEADS if at is None else rows[at]
            if at is not None and not layout[-1]["KNOWN"] and row["KNOWN"].text != "live":
                row = {**row, "SINCE": row["KNOWN"]}  # it says more of a lost host
            begins = (self._gutter(board, at), " " * 2 * _GUTTER)
            lines += [self._fields(row, line, gap, begins[place], at == board.row)
                      for place, line in enumerate(layout)]  # fmt: skip
        return lines

    def _gutter(self, board: Board, at: int | None) -> str:
        marked = at is not None and board.places[at] in board.marks
        chosen = self._look.glyphs.chosen if at == board.row else " "
        return chosen + (self._look.glyphs.marked if marked else " ")

    def _fields(
        self, row: Mapping[str, Cell], sizes: Mapping[str, int], gap: int, begin: str, chosen: bool
    ) -> str:
        """Return the fields of a row that have a size, side by side."""
        cells = [Cell(begin)]
        for name, size in sizes.items():
            text, style = row[name].text, row[name].style
            if name == "SINCE":
                text = text.rjust(size)
            elif name in ("HOST", "UNIT"):
                text, style = self.middle(text, size - gap), "head" if chosen else style
            elif name == "KNOWN":
                text = f"  {text}"
            cells.append(Cell(self.pad(text, size), style))
        return self.line(*cells[:-1], Cell(cells[-1].text.rstrip(), cells[-1].style))

    def _row(self, board: Board, place: Place) -> dict[str, Cell]:
        view = board.fleet.hosts[place.host]
        host = Cell(clean(place.host) if len(board.fleet.hosts) > 1 else "")
        state = view.states.get(place.unit)
        if state is None:
            lost = Cell(f"{self._look.glyphs.states['failed']} {view.link}", "bad")
            why = Cell(f"({view.error.code})" if view.error is not None else "")
            return {"HOST": host, "UNIT": why, "STATE": lost, "WHY": Cell(""), "SINCE": Cell(""),
                    "KNOWN": self.known(view)}  # fmt: skip
        cell = self.state(view, state)
        why = Cell(clean(state.reason) if state.reason not in cell.text else "", "bad")
        since = Cell(self.age(state.since_us / 1e6) if state.since_us else "")
        return {"HOST": host, "UNIT": Cell(_short(place.unit)), "STATE": cell, "WHY": why,
                "SINCE": since, "KNOWN": self.known(view)}  # fmt: skip

    def status(self, board: Board, wall: float) -> str:
        """Return the line about the chosen place."""
        view = board.fleet.hosts.get(board.host)
        if view is None:
            return ""
        cells = [Cell(clean(view.name), "head")]
        if board.chosen is not None:
            state = view.states[board.chosen.unit]
            glyph, style = sign(state, self._look.glyphs)
            unit = clean(board.chosen.unit)
            cells = [Cell(self._first(f"{cells[0].text} {unit}", unit, _short(unit)), "head"),
                     Cell(f" {glyph} {clean(state.words)}", style)]  # fmt: skip
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
        host = f"{clean(change.host)} "
        begin = f"{datetime.fromtimestamp(change.time):%H:%M:%S} {host}"  # noqa: DTZ006
        arrow = self._look.glyphs.arrow
        if isinstance(change, LinkChange):
            style = "good" if change.after is Link.LIVE else "bad"
            told = clean(squeeze(str(change.error))) if change.error is not None else ""
            return self.line(Cell(begin), Cell(f"{arrow} {change.after}", style),
                             Cell(f" {told}", "dim"))  # fmt: skip
        before = f"{clean(change.before.sub)} " if change.before is not None else ""
        glyph, style = sign(change.after, self._look.glyphs)
        after = f"{glyph} {clean(change.after.sub)}"
        unit, end = f"{_short(change.unit)} ", f"{arrow} {after}"
        told = self._first(f"{begin}{unit}{before}{end}", f"{begin}{unit}{end}",
                           f"{host}{unit}{end}", f"{unit}{end}")  # fmt: skip
        return self.line(
            Cell(told.removesuffix(after)),
            Cell(after, style),
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
    rows = painter.rows(board, room)
    spare = room + 1 - len(rows)
    lines = [painter.title(board, extra), *rows]
    if spare >= _LEAST_LOG and changes:
        lines += painter.log(changes, min(spare, 1 + len(changes)))
    lines = [*lines, *[""] * (look.lines - 2 - len(lines))][: max(0, look.lines - 2)]
    lines += [painter.status(board, wall), painter.line(Cell(foot or KEYS, "" if foot else "dim"))]
    return Picture(lines[: look.lines], painter.ages, painter.shown)


def _shown(board: Board, room: int) -> range:
    """Return the rows that there is room for, the chosen one among them."""
    first = max(0, min(board.row - room // 2, board.count - room))
    return range(first, min(first + room, board.count))


def _thinned(sizes: Mapping[str, int], room: int) -> dict[str, int]:
    """Return the sizes without those that are spare, as far as there is no room for them."""
    left = dict(sizes)
    for name in _SPARE:
        if sum(left.values()) > room:
            left[name] = 0
    return left


def _short(unit: str) -> str:
    return clean(unit.removesuffix(".service"))
