"""The words of parastation.conf: lines, comments, quotes, abbreviated keywords; pure.

Authority: psmgmt 6.8.1, lib/putil/parser.c.
"""

import re
from collections.abc import Iterable, Iterator

from psops.errors import ConfigError
from psops.report.text import clean

#: Bytes of a logical line with its newline, from which on psid calls it too long.
_TOO_LONG = 511
_BLANKS = " \t\n"
_NUMBER = re.compile(r"[ \t\n\v\f\r]*([+-]?)(?:0[xX]([0-9a-fA-F]+)|0([0-7]*)|([1-9][0-9]*))")


class Tokens:
    """The words of a file, read one by one as psid reads them.

    A value stands in the line of its keyword, while a block in braces goes on in the next
    lines; so there are two ways to get the next word.
    """

    def __init__(self, text: str, name: str) -> None:
        self.name = name
        #: Of the word that was read last, from 1.
        self.line = 0
        self._lines = _logical_lines(text)
        self._rest = ""

    def here(self) -> str | None:
        """Return the next word of this line, None at its end."""
        text = self._rest.lstrip(_BLANKS)
        if not text:
            self._rest = ""
            return None
        found = re.match(r"[^ \t\n]+", text)
        assert found is not None
        self._rest = text[found.end() :]
        return found[0]

    def next(self) -> str | None:
        """Return the next word, from a later line if need be; None at the end of the file."""
        while (word := self.here()) is None:
            following = next(self._lines, None)
            if following is None:
                return None
            self.line, text = following
            # Comments count, since they are taken away later.
            if len(f"{text}\n".encode(errors="replace")) >= _TOO_LONG:
                raise self.error("the line is too long for psid, which takes 509 bytes")
            self._rest = _without_comment(text)
        return word

    def value(self, key: str) -> str:
        """Return the next word of this line; raises if the line ends before it."""
        word = self.here()
        if word is None:
            raise self.error(f"{key} without a value")
        return word

    def quoted(self, key: str) -> str:
        """Return the next word of this line, or what stands in quotes there."""
        text = self._rest.lstrip(_BLANKS)
        if text[:1] not in ("'", '"', ""):
            return self.value(key)
        if not text:
            raise self.error(f"{key} without a value")
        found, _, self._rest = text[1:].partition(text[0])
        return found

    def error(self, what: str) -> ConfigError:
        """Return the error that names the file and the line of the last word."""
        return ConfigError(clean(f"{self.name}:{self.line}: {what}"))

    def number(self, word: str, what: str) -> int:
        """Return the number that C's strtol reads: 010 is 8, 0x10 is 16."""
        found = _NUMBER.fullmatch(word)
        if found is None:
            raise self.error(f"{what} is no number: '{word}'")
        sign, sixteen, eight, ten = found.groups()
        value = int(sixteen, 16) if sixteen else int(ten) if ten else int(eight or "0", 8)
        return -value if sign == "-" else value

    def boolean(self, word: str, what: str) -> bool:
        """Return whether it is true, yes or a number other than 0."""
        known = {"true": True, "yes": True, "false": False, "no": False}.get(word.lower())
        return bool(self.number(word, what)) if known is None else known


def match(word: str, keys: Iterable[str]) -> str | None:
    """Return the keyword that a word stands for, abbreviated or not; None for none or several.

    >>> match("RUN", ["runjobs", "starter"]), match("s", ["starter", "supplgrps"])
    ('runjobs', None)
    """
    lower = word.lower()
    found = [key for key in keys if key.startswith(lower)]
    if lower in found:
        return lower
    return found[0] if len(found) == 1 else None


def _logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield each line, joined with those that a backslash at its end adds.

    The number is that of its last line, as psid counts. A file that ends in a backslash loses
    the line: psid finds nothing after it.
    """
    joined = ""
    lines = text.split("\n")
    for number, line in enumerate(lines, 1):
        ended = number < len(lines)
        if ended and line.endswith("\\"):
            joined += line[:-1]
            continue
        if joined and not ended and not line:
            return
        yield number, joined + line
        joined = ""


def _without_comment(line: str) -> str:
    quote = ""
    for at, char in enumerate(line):
        if char in "'\"":
            quote = "" if quote == char else quote or char
        elif char == "#" and not quote:
            return line[:at]
    return line
