"""The line `$generate` of parastation.conf, which stands for many nodes; pure.

Authority: psmgmt 6.8.1, lib/putil/old_config_parsing.c. It follows $GENERATE of BIND.
"""

import re
from typing import NamedTuple

#: More nodes than this from one line are taken for a typing mistake.
LARGEST = 100_000
_NUMBER = r"[+-]?(?:0[xX][0-9a-fA-F]+|[0-9]+)"
_RANGE = re.compile(rf"({_NUMBER}?)-({_NUMBER})(?:/({_NUMBER}))?")
_PLACE = re.compile(rf"\$(?:\{{({_NUMBER})(?:,({_NUMBER})(?:,([doxX]))?)?\}})?")
#: No number of a node has so many digits.
_WIDEST = 64


class Range(NamedTuple):
    """The numbers from first to last, the latter among them if a step hits it."""

    first: int
    last: int
    step: int

    def numbers(self) -> range:
        """Return the numbers, of which there are at most `LARGEST`."""
        return range(self.first, self.last + 1, self.step)


def parse_range(text: str) -> Range:
    """Return what `FIRST-LAST[/STEP]` says; a mistake in it is a ValueError.

    >>> parse_range("0-10/5")
    Range(first=0, last=10, step=5)
    """
    found = _RANGE.fullmatch(text)
    if found is None or not found[1]:
        raise ValueError(f"'{text}' is not FIRST-LAST or FIRST-LAST/STEP")
    first, last, step = (_number(part) for part in (found[1], found[2], found[3] or "1"))
    if first < 0:
        raise ValueError(f"'{text}' begins below 0")
    if last < first:
        raise ValueError(f"'{text}' goes down")
    if step < 1:
        raise ValueError(f"'{text}' has a step of {step}, psid would never come to its end")
    if len(range(first, last + 1, step)) > LARGEST:
        raise ValueError(f"'{text}' stands for more than {LARGEST} nodes")
    return Range(first, last, step)


def fill(pattern: str, number: int) -> str:
    """Return the pattern with its first `$` or `${OFFSET,WIDTH,BASE}` replaced.

    Replaced by number + OFFSET, with at least WIDTH digits, in base d, o, x or X. Other `$`
    stay as they are; a mistake in the braces is a ValueError.

    >>> fill("node${1,3}", 9), fill("$", 7), fill("r${0,2,x}", 255), fill("gw", 1)
    ('node010', '7', 'rff', 'gw')
    """
    at = pattern.find("$")
    if at < 0:
        return pattern
    found = _PLACE.match(pattern, at)
    if found is None or (found[0] == "$" and pattern[at + 1 : at + 2] == "{"):
        raise ValueError(f"'{pattern}' is not ${{OFFSET}}, ${{OFFSET,WIDTH}} or ${{..,d|o|x|X}}")
    offset, width, base = _number(found[1] or "0"), _number(found[2] or "1"), found[3] or "d"
    value = number + offset
    if not 0 <= width <= _WIDEST or (value < 0 and base != "d"):
        raise ValueError(f"'{pattern}' gives no name for {number}")
    digits = format(abs(value), base).zfill(width)
    return f"{pattern[:at]}{'-' if value < 0 else ''}{digits}{pattern[found.end() :]}"


def _number(text: str) -> int:
    """Return the number as C's strtol with base 0 reads it."""
    sign, digits = (text[0], text[1:]) if text[0] in "+-" else ("", text)
    base = 16 if digits[:2].lower() == "0x" else 8 if digits.startswith("0") else 10
    value = int(digits, base)
    return -value if sign == "-" else value
