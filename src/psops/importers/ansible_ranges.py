"""Host patterns of Ansible: `web[01:50:2].example.org:2222`, `db-[a:f]`; pure.

Authority: ansible-core, lib/ansible/plugins/inventory/__init__.py (expand_hostname_range) and
lib/ansible/parsing/utils/addresses.py.
"""

import re
import string
from itertools import product

from psops.nodeset import LARGEST

_RANGE = re.compile(r"\[([^\[\]:]*):([^\[\]:]*)(?::([^\[\]:]*))?\]")
_PORT = re.compile(r"(.+):([0-9]{1,5})")
_BRACKETED = re.compile(r"\[([0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*)\](?::([0-9]{1,5}))?")


def expand_pattern(text: str) -> tuple[list[str], int | None]:
    """Return the names that a pattern stands for, and the port; a mistake is a ValueError.

    >>> expand_pattern("db[08:10]-[a:b]:22")
    (['db08-a', 'db08-b', 'db09-a', 'db09-b', 'db10-a', 'db10-b'], 22)
    """
    port = None
    if address := _BRACKETED.fullmatch(text):
        if address[1].count(":") > 1 and not _RANGE.fullmatch(text):
            return [address[1]], int(address[2]) if address[2] else None
    elif _RANGE.sub("", text).count(":") > 1:
        return [text], None  # an IPv6 address
    found = _PORT.fullmatch(text)
    if found and "[" not in found[2] and found[1].count("[") == found[1].count("]"):
        text, port = found[1], int(found[2])
    pieces = _RANGE.split(text)
    literal, count = pieces[::4], 1
    choices: list[list[str]] = []
    for begin, end, step in zip(pieces[1::4], pieces[2::4], pieces[3::4], strict=True):
        choices.append(_choices(begin or "0", end, step or "1"))
        count *= len(choices[-1])
        if count > LARGEST:
            raise ValueError(f"'{text}': more than {LARGEST} names")
    names = []
    for chosen in product(*choices):
        parts = [literal[0]]
        for piece, after in zip(chosen, literal[1:], strict=True):
            parts += (piece, after)
        names.append("".join(parts))
    return names, port


def _choices(begin: str, end: str, step_text: str) -> list[str]:
    if not end or not (step_text.isdigit() and int(step_text) > 0):
        raise ValueError(f"'[{begin}:{end}]' is no range such as [01:20] or [a:f]")
    step = int(step_text)
    letters = string.ascii_letters
    if begin in letters and end in letters and len(begin) == len(end) == 1:
        first, last = letters.index(begin), letters.index(end)
        if first > last:
            raise ValueError(f"'[{begin}:{end}]' goes down")
        return list(letters[first : last + 1 : step])
    if not (begin.isascii() and begin.isdigit() and end.isascii() and end.isdigit()):
        raise ValueError(f"'[{begin}:{end}]' is no range such as [01:20] or [a:f]")
    width = len(begin) if len(begin) > 1 and begin[0] == "0" else 0
    if width and width != len(end):
        raise ValueError(f"'[{begin}:{end}]': both ends need the same number of digits")
    numbers = range(int(begin), int(end) + 1, step)
    if not numbers:
        raise ValueError(f"'[{begin}:{end}]' goes down")
    if len(numbers) > LARGEST:
        raise ValueError(f"'[{begin}:{end}]': more than {LARGEST} names")
    return [str(number).zfill(width) for number in numbers]
