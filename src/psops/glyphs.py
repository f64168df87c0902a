"""The signs of reports that are not ASCII, and what stands for each on a terminal without them.

Reports are made with these signs; the others take their place when they are printed, so that no
report has to ask. Each stands for one column, and those that tell a state stay apart.
"""

import codecs
import os
from io import TextIOWrapper
from typing import TextIO

#: Sign -> the ASCII character in its place.
GLYPHS = {
    "●": "*", "○": "o", "×": "x", "✗": "x", "✓": "+", "↻": "@", "→": ">", "↑": "^", "…": "~",
    "─": "-", "│": "|", "├": "|", "└": "`", "µ": "u", "·": ".",
    "¦": "/",  # where a bar has a meaning, it does not come back
}  # fmt: skip
_HANDLER = "psops.glyphs"


def _replace(error: UnicodeError) -> tuple[str, int]:
    """Give what stands for the characters that do not fit, as a codec asks for it."""
    assert isinstance(error, UnicodeEncodeError)
    chars = error.object[error.start : error.end]
    escaped = (GLYPHS.get(char) or char.encode("ascii", "backslashreplace").decode()
               for char in chars)  # fmt: skip
    return "".join(escaped), error.end


codecs.register_error(_HANDLER, _replace)


def to_ascii(text: str) -> str:
    """Return text as ASCII: signs by the table, what else hosts say as backslash escapes.

    >>> to_ascii("× naïve → …")
    'x na\\xefve > ~'
    """
    return text.encode("ascii", _HANDLER).decode()


def limit(*streams: TextIO) -> None:
    """Have the streams that shall have ASCII alone print it so: all of them if PSOPS_ASCII is
    set, else those that are not UTF-8.

    Python takes the locale C for UTF-8 (PEP 540), and so do terminals of today.
    """
    for stream in streams:
        encoding = (getattr(stream, "encoding", None) or "utf-8").lower().replace("-", "")
        wanted = os.environ.get("PSOPS_ASCII") or encoding not in ("utf8", "utf8sig")
        if wanted and isinstance(stream, TextIOWrapper):
            stream.reconfigure(encoding="ascii", errors=_HANDLER)
