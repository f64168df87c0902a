"""Where an option's value is in the bytes of a file, comment lines and line ends included."""

import re
from dataclasses import dataclass

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
_COMMENT = re.compile(r"[#;]")


@dataclass(frozen=True, slots=True, kw_only=True)
class RawOption:
    """The value of an option as the parser joins it, before interpolation.

    `pieces` are its lines: (where the line begins in `text`, where in the file).
    """

    text: str
    pieces: tuple[tuple[int, int], ...]
    indent: str
    newline: str

    @property
    def begin(self) -> int:
        """Where the value begins in the file."""
        return self.pieces[0][1]

    @property
    def end(self) -> int:
        """Where it ends."""
        return self.at(len(self.text))

    def at(self, place: int) -> int:
        """Return where a character of the value is in the file."""
        start, there = max(piece for piece in self.pieces if piece[0] <= place)
        return there + place - start

    def begins_line(self, file: str, at: int) -> bool:
        """Return whether nothing but white space is before a place on its line."""
        return not file[_line_start(file, at) : at].strip()

    def indent_of(self, file: str, at: int) -> str:
        """Return the white space that the line of a place begins with, never none at all."""
        line = file[_line_start(file, at) : at]
        indent = line[: len(line) - len(line.lstrip())]
        return indent if len(indent) > len(self.indent) else self.indent + "    "

    def comments(self, file: str, start: int, end: int) -> list[str]:
        """Return the comment lines between two places, with their line ends."""
        found = []
        for line in _LINE.finditer(file, start, end):
            if line.start() > start and _COMMENT.match(line[0].lstrip()):
                found.append(line[0])
        return found


def find_option(file: str, number: int, name: str) -> RawOption:
    """Return the option that is written on a line, counted from 1.

    The lines that follow belong to it as `configparser` sees it: those that are indented more,
    without comment lines; blank lines among them are lines of the value.
    """
    lines = list(_LINE.finditer(file))
    first = lines[number - 1]
    body = first[0].rstrip("\r\n")
    indent = body[: len(body) - len(body.lstrip())]
    newline = _line_end(first[0], file)
    head = re.match(rf"\s*{re.escape(name)}\s*[=:]\s*", body)
    begin = head.end() if head else len(body)
    values = [(body[begin:].strip(), first.start() + begin)]
    for line in lines[number:]:
        body = line[0].rstrip("\r\n")
        value = body.strip()
        if not value:
            values.append(("", line.start()))
        elif _COMMENT.match(value):
            continue
        elif len(body) - len(body.lstrip()) > len(indent):
            values.append((value, line.start() + len(body) - len(body.lstrip())))
        else:
            break
    while len(values) > 1 and not values[-1][0]:
        values.pop()
    pieces, length = [], 0
    for value, at in values:
        pieces.append((length, at))
        length += len(value) + 1
    text = "\n".join(value for value, _ in values)
    return RawOption(text=text, pieces=tuple(pieces), indent=indent, newline=newline)


def end_of_section(file: str, section: str) -> tuple[int, str] | None:
    """Return the place behind the last option of a section, and the line end in use there."""
    end = None
    newline = "\n"
    inside = False
    for line in _LINE.finditer(file):
        body = line[0].strip()
        # An indented one may be part of a value; what comes out is read again in any case.
        if header := re.match(r"\[(.+)\]", line[0]):
            inside = header[1] == section
        if inside and body and not _COMMENT.match(body):
            end = line.end()
            newline = _line_end(line[0], file)
    return None if end is None else (end, newline)


def _line_start(file: str, at: int) -> int:
    return max(file.rfind("\n", 0, at), file.rfind("\r", 0, at)) + 1


def _line_end(line: str, file: str) -> str:
    last = "\r\n" if "\r\n" in file else "\n"  # for a line that is the last and has none
    return line[len(line.rstrip("\r\n")) :] or last
