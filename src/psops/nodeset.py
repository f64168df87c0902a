"""Sets of host names in the notation of ClusterShell: `ps[01-20],gw!ps13`.

The notation is that of nodeset(1), and the tests compare with ClusterShell's NodeSet. The
numbers are read and folded by its RangeSet; what is between them is read here, because
users, ports, IPv6 addresses and the inventory's groups may stand in a pattern too, and
because NodeSet needs eleven seconds to fold two thousand names that do not fold.

Operators are taken from left to right: `,` adds, `!` removes, `&` keeps common names,
`^` keeps names that are in one of the two.
"""

import re
from collections.abc import Callable, Iterable

from psops.errors import UsageError

#: More names than this from one pattern are taken for a typing mistake.
LARGEST = 100_000

_SPECIAL = frozenset("[]!&^, ")
# Patterns stay text until used: most runs name one host and need none of them.
_ELEMENT = r"((?:\[[^\]]*\]|[^\[\],!&^])*)(?:([,!&^])|$)"
_BRACKETS = r"\[([^\]:]*)\]"  # a colon makes it an IPv6 address: [::1]:22
_ONE = r"\s*[0-9]+\s*(?:-\s*[0-9]+\s*(?:/\s*[0-9]+\s*)?)?"
_RANGES = rf"{_ONE}(?:,{_ONE})*"
_DIGITS = r"([0-9]+)"
_FOLDS = r"[A-Za-z0-9._+-]{0,255}"  # others, such as IPv6 addresses, are left alone


class NodesetError(UsageError):
    """A pattern that cannot be read."""


def expand(text: str) -> list[str]:
    """Return the names that a pattern stands for, each once, in the order given.

    >>> expand("ps[08-11]!ps10,gw")
    ['ps08', 'ps09', 'ps11', 'gw']
    """
    return evaluate(text, expand_element)


def fold(names: Iterable[str]) -> str:
    """Return a short pattern for the names.

    >>> fold(["ps3", "ps1", "gw", "ps2"])
    'gw,ps[1-3]'
    """
    rows: dict[tuple[str, ...], None] = {}
    for name in names:
        rows[tuple(re.split(_DIGITS, name)) if re.fullmatch(_FOLDS, name) else (name,)] = None
    # One number of the names after the other is folded, the last one first: linear in the
    # count of names, and a complete grid (rack[1-9]-node[01-20]) still becomes one pattern.
    for column in range(max(map(len, rows), default=1) - 2, 0, -2):
        alike: dict[tuple[tuple[str, ...], tuple[str, ...]], list[str]] = {}
        short = [row for row in rows if len(row) <= column]
        for row in rows:
            if len(row) > column:
                alike.setdefault((row[:column], row[column + 1 :]), []).append(row[column])
        rows = dict.fromkeys(short)
        rows.update({(*head, _fold_numbers(ns), *tail): None for (head, tail), ns in alike.items()})
    return ",".join(sorted("".join(row) for row in rows))


def evaluate(text: str, resolve: Callable[[str], Iterable[str]]) -> list[str]:
    """Return the names that are left when `resolve` has given those of each operand."""
    if _SPECIAL.isdisjoint(text):
        return list(resolve(text)) if text else []
    if not text.strip():
        return []
    found: dict[str, None] = {}
    operator, at = ",", 0
    element_at = re.compile(_ELEMENT)
    while True:
        match = element_at.match(text, at)
        if match is None:
            raise NodesetError(_bad_bracket(text))
        element = match[1].strip()
        if not element:
            raise NodesetError(f"'{text}': nothing beside '{match[2] or operator}'")
        names = dict.fromkeys(resolve(element))
        if operator == ",":
            found |= names
        elif operator == "!":
            found = {name: None for name in found if name not in names}
        elif operator == "&":
            found = {name: None for name in found if name in names}
        else:
            both = found.keys() & names.keys()
            found = {name: None for name in (found | names) if name not in both}
        if match[2] is None:
            return list(found)
        operator, at = match[2], match.end()


def expand_element(text: str) -> list[str]:
    """Return the names of one operand, that is, of a name that may have ranges."""
    if "[" not in text and "]" not in text:
        return [text]
    parts = re.split(_BRACKETS, text)  # text, range, text, range, ..., text
    if "[" in "".join(re.sub(r"\[[^\]]*:[^\]]*\]", "", part) for part in parts[::2]) or any(
        part.count("]") > part.count("[") for part in parts[::2]
    ):
        raise NodesetError(_bad_bracket(text))
    names = [parts[0]]
    for index in range(1, len(parts), 2):
        numbers, tail = _expand_numbers(text, parts[index]), parts[index + 1]
        if not tail and index + 2 < len(parts):
            raise NodesetError(f"'{text}': one range directly after another")
        if len(names) * len(numbers) > LARGEST:
            raise NodesetError(f"'{text}': more than {LARGEST} names")
        names = [f"{head}{number}{tail}" for head in names for number in numbers]
    return names


def _expand_numbers(text: str, ranges: str) -> list[str]:
    from ClusterShell.RangeSet import RangeSet, RangeSetException

    for first, last in re.findall(r"([0-9]+)\s*-\s*([0-9]+)", ranges):
        if max(len(first), len(last)) > 20 or int(last) - int(first) >= LARGEST:
            raise NodesetError(f"'{text}': more than {LARGEST} names")  # RangeSet builds them all
    if not re.fullmatch(_RANGES, ranges):  # RangeSet has negative numbers, host names do not
        raise NodesetError(f"'{text}': '{ranges}' is not a range such as 1-9 or 01-20")
    try:
        return list(RangeSet(ranges))
    except RangeSetException as exc:
        reason = str(exc).replace(" : ", ": ").replace('"', "'")
        raise NodesetError(f"'{text}': {reason}") from exc


def _fold_numbers(numbers: list[str]) -> str:
    if len(numbers) == 1:
        return numbers[0]
    from ClusterShell.RangeSet import RangeSet

    return f"[{RangeSet.fromlist(numbers)}]"


def _bad_bracket(text: str) -> str:
    return f"'{text}': '{']' if text.count(']') >= text.count('[') else '['}' without its partner"
