"""The signs of reports that are not ASCII, and what stands for each on a terminal without them.

Reports are made with these signs; the others take their place when they are printed, so that no
report has to ask. Each stands for one column, and those that tell a state stay apart.
"""

import codecs
import os
import sys
from io import TextIOWrapper

#: Sign -> the ASCII character in its place.
GLYPHS = {
    "●": "*", "○": "o", "×": "x", "✗": "x", "✓": "+", "↻": "@", "→": ">", "↑": "^", "…": "~",
    "─": "-", "│": "|", "├": "|", "└": "`", "µ": "u", "·": ".",
    "¦": "/",  # where a bar has a meaning, it does not come back
}  # fmt: skip
#: With those that the bar of Rich is made of.
_ALL = {**GLYPHS, "━": "-", "╸": "-", "╺": "-"}
_HANDLER = "psops.glyphs"


def _replace(error: UnicodeError) -> tuple[str, int]:
    """Give what stands for the characters that do not fit, as a codec asks for it."""
    assert isinstance(error, UnicodeEncodeError)
    chars = error.object[error.start : error.end]
    escaped = (_ALL.get(char) or char.encode("ascii", "backslashreplace").decode()
               for char in chars)  # fmt: skip
    return "".join(escaped), error.end


codecs.register_error(_HANDLER, _replace)


def to_ascii(text: str) -> str:
    """Return text as ASCII: signs by the table, what else hosts say as backslash escapes.

    >>> to_ascii("× naïve → …")
    'x na\\\\xefve > ~'
    """
    return text.encode("ascii", _HANDLER).decode()


class _AsciiStream(TextIOWrapper):
    """A stream that prints ASCII alone, and calls itself UTF-8: what is not is mistaken for
    badly set up by Typer, and set right."""

    def write(self, text: str, /) -> int:
        return super().write(to_ascii(text))


def limit() -> None:
    """Have stdout and stderr print ASCII alone where they shall: both if PSOPS_ASCII is set,
    else what is not UTF-8.

    Python takes the locale C for UTF-8 (PEP 540), and so do terminals of today.
    """
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        encoding = (stream.encoding or "utf-8").lower().replace("-", "")
        wanted = os.environ.get("PSOPS_ASCII") or encoding not in ("utf8", "utf8sig")
        if wanted and isinstance(stream, TextIOWrapper):
            line_buffering = stream.line_buffering
            new = _AsciiStream(stream.detach(), "utf-8", line_buffering=line_buffering)
            setattr(sys, name, new)
