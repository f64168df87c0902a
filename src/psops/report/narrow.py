"""Tables that are wider than the terminal; imported only where there is one.

A row has as few lines as can be: for that the columns go that a table can do without. Where that
is not enough, free text goes on below itself, and columns go below the row. Names are never cut:
who reads one types it next.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import zip_longest

from psops.report.text import Cell, line_of, width_of

#: A column that is cut, and one whose text goes on below itself, keep at least so much room.
_LEAST_CUT, _LEAST_WRAPPED = 12, 24
#: How far the second line of a row and those after it are indented.
_INDENT = 4
#: A text goes on below after a blank or a comma, but not within the brackets of a pattern...
_PIECE = re.compile(r"(?:\[[^\]\s]*\]|[^\s,])*,*\s*")
#: ... unless that is longer than this.
_LONG_PATTERN = 36
_PART = re.compile(r"[^,]*,*\s*")


def narrow_lines(
    head: Sequence[str],
    rows: Sequence[Sequence[Cell]],
    sizes: Mapping[int, int],
    *,
    color: bool,
    width: int,
    spare: Sequence[str],
    prose: Collection[str],
) -> Iterator[str]:
    """Yield the lines of a table, heads among the rows, whose columns have these sizes."""
    cut = {at for at in sizes if head[at] in prose and head[at] in spare}
    least = dict(sizes)
    for at in sizes:
        if head[at] in prose:
            least[at] = max(width_of(head[at]), _least([row[at].text for row in rows], at in cut))
    kept = ({at: least[at] for at in sizes if head[at] not in spare[:gone]}
            for gone in range(len(spare) + 1))  # fmt: skip
    layouts = [_share(_layout(some, width), sizes, width) for some in kept if some]

    def badness(layout: Sequence[Mapping[int, int]]) -> tuple[int, bool]:
        wraps = any(columns[at] < sizes[at] for columns in layout for at in columns.keys() - cut)
        return len(layout), wraps

    layout = min(layouts, key=badness)  # of those that are as good, that with the most columns
    for row in rows:
        for place, columns in enumerate(layout):
            blocks = [_block(row[at], size, at in cut) for at, size in columns.items()]
            for cells in zip_longest(*blocks, fillvalue=Cell("")):
                if not place or any(cell.text for cell in cells):
                    yield " " * _INDENT * bool(place) + line_of(cells, columns.values(), color)


def _least(texts: Sequence[str], cut: bool) -> int:
    """Return how narrow a column may get; one that is not cut has room for its longest piece."""
    longest = max(map(width_of, texts))
    if cut:
        return min(longest, _LEAST_CUT)
    pieces = (width_of(piece.rstrip()) for text in texts for piece in _pieces(text))
    return max(min(longest, _LEAST_WRAPPED), *pieces)


def _layout(least: Mapping[int, int], width: int) -> list[dict[int, int]]:
    """Return the columns in each line of a row."""
    layout: list[dict[int, int]] = [{}]
    for at, size in least.items():
        room = width - _INDENT * (len(layout) > 1)
        if layout[-1] and _together(layout[-1] | {at: size}) > room:
            layout.append({})
        layout[-1][at] = size
    return layout


def _share(
    layout: list[dict[int, int]], sizes: Mapping[int, int], width: int
) -> list[dict[int, int]]:
    """Share out what room is left in each line among the columns that have less than they need.

    A column that is too wide even alone gets all the room there is.
    """
    for place, line in enumerate(layout):
        room = width - _INDENT * bool(place)
        left = room - _together(line)
        for done, at in enumerate(sorted(line, key=lambda at: sizes[at] - line[at])):
            more = min(sizes[at] - line[at], left // (len(line) - done))
            line[at] += more
            left -= more
    return layout


def _together(sizes: Mapping[int, int]) -> int:
    return sum(sizes.values()) + 2 * (len(sizes) - 1)


def _block(cell: Cell, size: int, cut: bool) -> list[Cell]:
    """Return a cell as one cell or as several, one below the other."""
    if width_of(cell.text) <= size:
        return [cell]
    texts = [_cut(cell.text, size)] if cut else _wrap(cell.text, size)
    return [cell._replace(text=text) for text in texts]


def _cut(text: str, size: int) -> str:
    while width_of(text) > size - 1:
        text = text[:-1]
    return text + "…"


def _wrap(text: str, size: int) -> list[str]:
    lines = [""]
    for piece in _pieces(text):
        if lines[-1] and width_of(lines[-1] + piece.rstrip()) > size:
            lines.append("")
        lines[-1] += piece
    return [line.rstrip() for line in lines]


def _pieces(text: str) -> Iterator[str]:
    for piece in _PIECE.findall(text):
        yield from [piece] if width_of(piece) <= _LONG_PATTERN else _PART.findall(piece)
