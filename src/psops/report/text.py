"""Pieces of text for people: clean, aligned, coloured; durations, sizes, times.

Rich has tables too, but a short run shall not wait for its import.
"""

import re
import time
import unicodedata
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime
from itertools import repeat
from typing import NamedTuple

#: Style name -> SGR parameters.
_STYLES = {"good": "32", "warn": "33", "bad": "1;31", "dim": "2", "head": "1", "chosen": "7"}
#: Active state -> style and glyph, as systemctl has them; state is never shown by colour alone.
STATE_STYLES: dict[str, tuple[str, str]] = {
    "active": ("good", "●"),
    "reloading": ("good", "↻"),
    "refreshing": ("good", "↻"),
    "inactive": ("dim", "○"),
    "failed": ("bad", "×"),
    "activating": ("warn", "●"),
    "deactivating": ("warn", "●"),
    "maintenance": ("warn", "○"),
}
_TERSE = (("d", 86400), ("h", 3600), ("min", 60), ("s", 1))


class Cell(NamedTuple):
    """A piece of text with a style; `right` aligns it to the right of its column."""

    text: str
    style: str = ""
    right: bool = False


def clean(text: str) -> str:
    """Return text from a host with everything a terminal would act on made visible.

    Control characters (escape sequences among them) and the marks that reorder text become
    backslash escapes; spaces stay.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        char if unicodedata.category(char)[0] != "C" and char not in "\u2028\u2029" else
        char.encode("unicode_escape").decode()
        for char in text
    )  # fmt: skip


def paint(text: str, style: str, color: bool) -> str:
    """Return the text in a style, if colour is wanted."""
    return f"\x1b[{_STYLES[style]}m{text}\x1b[0m" if color and text and style in _STYLES else text


def width_of(text: str) -> int:
    """Return the columns that the text takes on a terminal."""
    if text.isascii():
        return len(text)
    return sum(map(_width_of_char, text))


def _width_of_char(char: str) -> int:
    if unicodedata.combining(char) or unicodedata.category(char) in ("Mn", "Me"):
        return 0  # it stands on the one before it
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def table(
    head: Sequence[str],
    rows: Sequence[Sequence[Cell]],
    *,
    color: bool,
    width: int | None,
    spare: Sequence[str] = (),
    prose: Collection[str] = (),
) -> str:
    """Return aligned lines. Columns without any text are left out.

    To keep to the width the `spare` columns are left out one by one. If that is not enough, the
    text of a `prose` column goes on below itself, and columns go below the row, indented, where
    spare ones are shown again if there is room. What is prose and spare is cut before it goes;
    nothing else ever is.
    """
    used = [at for at in range(len(head)) if any(row[at].text for row in rows)]
    sizes = {at: max(width_of(head[at]), *(width_of(row[at].text) for row in rows)) for at in used}
    heads = [Cell(name, "head", one.right) for name, one in zip(head, rows[0], strict=True)]
    rows = [heads, *rows]
    if width is None or sum(sizes.values()) + 2 * (len(sizes) - 1) <= width:
        return "\n".join(line_of([row[at] for at in used], sizes.values(), color) for row in rows)
    from psops.report.narrow import narrow_lines

    return "\n".join(
        narrow_lines(head, rows, sizes, color=color, width=width, spare=spare, prose=prose)
    )


def line_of(cells: Iterable[Cell], sizes: Iterable[int], color: bool) -> str:
    """Return cells side by side, each in a column of its size."""
    return "  ".join(map(_align, cells, sizes, repeat(color))).rstrip()


def _align(cell: Cell, size: int, color: bool) -> str:
    space = " " * (size - width_of(cell.text))
    text = paint(cell.text, cell.style, color)
    return space + text if cell.right else text + space


def duration(seconds: float) -> str:
    """Return a duration in its two largest units.

    >>> duration(59), duration(3725), duration(200000)
    ('59s', '1h 2min', '2d 7h')
    """
    left = max(0, int(seconds))
    parts: list[str] = []
    for unit, size in _TERSE:
        if left >= size or (unit == "s" and not parts):
            parts.append(f"{left // size}{unit}")
            left %= size
        elif parts:
            break
    return " ".join(parts[:2])


def size(count: int) -> str:
    """Return a number of bytes with a binary unit, as systemctl writes it.

    >>> size(512), size(1536), size(3 * 1024**3)
    ('512B', '1.5K', '3.0G')
    """
    value = float(count)
    for unit in "BKMGT":
        if value < 1024 or unit == "T":
            return f"{value:.0f}{unit}" if unit == "B" else f"{value:.1f}{unit}"
        value /= 1024
    raise AssertionError("the last unit returns")


def ago(time_us: int, now: float | None = None) -> str:
    """Return the time since a moment given in microseconds since the epoch, "" for none."""
    if not time_us:
        return ""
    return duration((time.time() if now is None else now) - time_us / 1e6)


def moment(time_us: int) -> str:
    """Return a moment as date and time with its zone's name, in local time."""
    try:
        local = datetime.fromtimestamp(time_us / 1e6, UTC).astimezone()
    except (OverflowError, ValueError, OSError):
        return f"{time_us} µs"  # no year that a calendar has; a host may send any number
    return f"{local:%a %Y-%m-%d %H:%M:%S %Z}"


def count(number: int, noun: str) -> str:
    """Return a number with its noun.

    >>> count(1, "host"), count(2, "host")
    ('1 host', '2 hosts')
    """
    plural = f"{noun}es" if noun.endswith(("s", "sh")) else f"{noun}s"
    return f"{number} {noun if number == 1 else plural}"


def squeeze(text: str) -> str:
    """Return the text on one line."""
    return re.sub(r"\s+", " ", text).strip()
