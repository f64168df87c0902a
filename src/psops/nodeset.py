"""Sets of host names in the notation of ClusterShell: `ps[01-20],gw!ps13`.

The notation is that of nodeset(1), and ClusterShell's NodeSet expands and folds. Operators are
read here, because users, ports, IPv6 addresses and the inventory's groups may stand beside them.

Operators are taken from left to right: `,` adds, `!` removes, `&` keeps common names,
`^` keeps names that are in one of the two.
"""

import re
from collections.abc import Callable, Iterable
from math import prod

from psops.errors import UsageError

#: More names than this from one pattern are taken for a typing mistake.
LARGEST = 100_000

#: NodeSet's folding of names with several numbers takes the square of their count where they
#: do not fold (11 s for 2,000 random addresses), so more sets than this are folded one by one.
_MOST_SETS = 100

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
    distinct = dict.fromkeys(names)
    if len(distinct) == 1:  # as in most lines of a table of what differs
        return next(iter(distinct))
    from ClusterShell.NodeSet import RESOLVER_NOGROUP, NodeSet

    alone: dict[str, None] = {}
    alike: dict[tuple[str, ...], list[str]] = {}  # those that differ in their last number only
    for name in distinct:
        if re.fullmatch(_FOLDS, name):
            parts = re.split(_DIGITS, name)
            alike.setdefault((*parts[:-2], parts[-1]), []).append(name)
        else:
            alone[name] = None
    sets = list(alike.values())
    if len(sets) <= max(_MOST_SETS, sum(map(len, sets)) // 10):
        sets = [[name for some in sets for name in some]]  # a complete grid becomes one pattern
    folded = [str(NodeSet.fromlist(some, resolver=RESOLVER_NOGROUP)) for some in sets if some]
    return ",".join(sorted([*alone, *folded]))


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
    if len(parts) == 1:  # the brackets are those of an IPv6 address
        return [text]
    if "" in parts[2:-1:2]:
        raise NodesetError(f"'{text}': one range directly after another")
    count = prod(_count(text, ranges) for ranges in parts[1::2])
    if count > LARGEST:
        raise NodesetError(f"'{text}': more than {LARGEST} names")
    from ClusterShell.NodeSet import RESOLVER_NOGROUP, NodeSet, NodeSetException

    try:
        return list(NodeSet(text, resolver=RESOLVER_NOGROUP))
    except NodeSetException as exc:
        reason = str(exc).removeprefix('bad range: "').removesuffix('"')
        raise NodesetError(f"'{text}': {_quoted(reason)}") from exc


def _count(text: str, ranges: str) -> int:
    """Return how many numbers there may be at most: NodeSet would build them all."""
    if not re.fullmatch(_RANGES, ranges):  # NodeSet has negative numbers, host names do not
        raise NodesetError(f"'{text}': '{ranges}' is not a range such as 1-9 or 01-20")
    spans = re.findall(r"([0-9]+)\s*-\s*([0-9]+)", ranges)
    if any(max(len(first), len(last)) > 20 for first, last in spans):
        return LARGEST + 1
    return ranges.count(",") + 1 + sum(max(0, int(last) - int(first)) for first, last in spans)


def _quoted(reason: str) -> str:
    return reason.replace(" : ", ": ").replace('"', "'")


def _bad_bracket(text: str) -> str:
    return f"'{text}': '{']' if text.count(']') >= text.count('[') else '['}' without its partner"
