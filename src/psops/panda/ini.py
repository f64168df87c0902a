"""PanDA's configuration files as the standard parser reads them, with the line of everything.

The reading itself is left to `configparser`, which the master uses (strict, basic
interpolation, case kept): it is fed line by line, and its dictionaries note the line.
"""

import configparser
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from psops.panda.model import Fatal, Place

SECTION = "daemon"
#: A percent sign that basic interpolation cannot take.
_LONE = re.compile(r"%(?:%|\([^)]+\)s|(?P<bad>))")


@dataclass(slots=True, kw_only=True)
class Written:
    """An option as it stands in a file: for each line of its value, the line in the file."""

    file: str
    lines: list[int] = field(default_factory=list)

    def place(self, row: int = 0) -> Place:
        """Return the place of a line of the value, counted from 0."""
        return Place(self.file, self.lines[min(row, len(self.lines) - 1)])


class _Value(list[str]):
    """The lines of a value while they are read."""

    def __init__(self, first: list[str], written: Written, parser: "IniFiles") -> None:
        super().__init__(first)
        self._written = written
        self._parser = parser

    def append(self, value: str) -> None:
        self._written.lines.append(self._parser.line)
        super().append(value)


class _Section(dict[str, Any]):
    """A section, or the dictionary of all sections."""

    parser: "IniFiles"

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.history: dict[str, list[Written]] = {}

    def __setitem__(self, key: str, value: Any) -> None:
        if isinstance(value, list):
            written = Written(file=self.parser.file, lines=[self.parser.line])
            self.history.setdefault(key, []).append(written)
            value = _Value(value, written, self.parser)
        elif isinstance(value, _Section):
            self.parser.sections[key] = value
        super().__setitem__(key, value)


class IniFiles:
    """One parser for several files, the weakest first; `add` them, then ask for `items`.

    `add` and `items` return a `Fatal` where the master would raise.
    """

    def __init__(self) -> None:
        self.file = ""
        self.line = 0
        self.sections: dict[str, _Section] = {}
        kind = type("_Section", (_Section,), {"parser": self})
        self._parser = configparser.ConfigParser(dict_type=kind)
        self._parser.optionxform = str  # type: ignore[assignment, method-assign]

    def add(self, file: str, text: str) -> Fatal | None:
        """Read one more file."""
        self.file = file
        try:
            self._parser.read_file(self._numbered(text), file)
        except configparser.ParsingError as error:  # a missing section header is one as well
            rows = [number for number, _ in getattr(error, "errors", ())] or [self.line]
            return self._fatal(error, rows)
        except configparser.Error as error:
            return self._fatal(error, [self.line])
        return None

    def items(self) -> dict[str, str] | Fatal | None:
        """Return the interpolated options of [daemon], or None without that section."""
        try:
            return dict(self._parser.items(SECTION))
        except configparser.NoSectionError:
            return None
        except configparser.InterpolationError as error:
            # Raised at the first option that is wrong; a user wants to see all lines of it.
            return Fatal(
                error=type(error).__name__,
                text=_one_line(error),
                option=error.option,
                places=self._percents(error.option),
            )

    def raw(self, option: str) -> str:
        """Return an option of [daemon] before interpolation."""
        return self._parser.get(SECTION, option, raw=True)

    def written(self, option: str) -> list[Written]:
        """Return where an option of [daemon] is written, the strongest last."""
        own = self.sections.get(SECTION)
        if own is not None and option in own.history:
            return own.history[option]
        defaults: Any = self._parser.defaults()  # what [DEFAULT] has is in every section
        found: list[Written] = defaults.history.get(option, [])
        return found

    def _percents(self, option: str) -> tuple[Place, ...]:
        written = self.written(option)[-1]
        rows = [
            row
            for row, line in enumerate(self.raw(option).split("\n"))
            if any(found["bad"] is not None for found in _LONE.finditer(line))
        ]
        return tuple(written.place(row) for row in rows or [0])

    def _numbered(self, text: str) -> Iterator[str]:
        # Not `splitlines`: open() in text mode ends a line at \n, \r and \r\n alone.
        for self.line, line in enumerate(io.StringIO(text, newline=None), 1):
            yield line

    def _fatal(self, error: configparser.Error, rows: list[int]) -> Fatal:
        return Fatal(
            error=type(error).__name__,
            text=_one_line(error),
            places=tuple(Place(self.file, row) for row in rows),
            option=getattr(error, "option", None) or "",
        )


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
