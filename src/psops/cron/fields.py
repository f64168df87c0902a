"""One time field of a crontab line, as a set of numbers.

Authority: `entry.c` of Debian's cron 3.0pl1 and of cronie 1.5.7 (EL9) and 1.7.2. Where they
read a text differently, `Dialect` says who is followed, and the reading is named here.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple


class Dialect(StrEnum):
    """Whose crontab it is.

    `COMMON` is for crontabs of which nobody said it: a text passes if Debian's cron and cronie
    give it one meaning, and where one of them refuses it the field has a note.
    """

    COMMON = "common"
    DEBIAN = "debian"
    CRONIE = "cronie"


class BadExpression(ValueError):
    """A schedule that cron would not take, or takes for something nobody means."""

    def __init__(self, message: str, *, remedy: str = "correct the line") -> None:
        super().__init__(message)
        self.remedy = remedy


class FieldKind(NamedTuple):
    """The name of a field, its lowest and highest number, and words for its numbers."""

    name: str
    low: int
    high: int
    words: dict[str, int]


_MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()
_DAYS = "sun mon tue wed thu fri sat".split()

MINUTE = FieldKind("minute", 0, 59, {})
HOUR = FieldKind("hour", 0, 23, {})
DAY_OF_MONTH = FieldKind("day of month", 1, 31, {})
MONTH = FieldKind("month", 1, 12, {word: at for at, word in enumerate(_MONTHS, 1)})
# 7 is Sunday as well, and `*` is 0-7: so `*/7` is Sunday alone and `1-7/3` ends on it.
DAY_OF_WEEK = FieldKind("day of week", 0, 7, {word: at for at, word in enumerate(_DAYS)})
#: The fields in their order on the line.
CRON_FIELDS = (MINUTE, HOUR, DAY_OF_MONTH, MONTH, DAY_OF_WEEK)

#: Marks of other schedulers, with where they come from.
_FOREIGN = {"L": "Quartz", "W": "Quartz", "?": "Quartz", "#": "Quartz", "H": "Jenkins"}
#: cron itself reads at most this much of a number or name.
_LONGEST_WORD = 99

_RANGE = re.compile(
    r"(?:(?P<star>\*)|(?P<first>[A-Za-z0-9]+)(?:-(?P<last>[A-Za-z0-9]+))?)(?:/(?P<step>[0-9A-Za-z]+))?"
)
_RANDOM = re.compile(r"(?P<first>[A-Za-z0-9]*)~(?P<last>[A-Za-z0-9]*)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """The numbers a field selects (Sunday is 0), and what else counts about its text.

    `star`: it begins with `*`, which decides how the two day fields combine. `random`: cronie
    draws a number when it loads the table; `values` then has the lowest it may draw, and
    `lone` says that nothing else is in the field.
    """

    values: tuple[int, ...]
    star: bool = False
    random: bool = False
    lone: bool = False
    notes: tuple[str, ...] = ()


@lru_cache(maxsize=8192)
def parse_field(text: str, kind: int, dialect: Dialect = Dialect.COMMON) -> Field:
    """Return what one field selects; `kind` is its place on the line.

    Raises `BadExpression`, which names the field and what each cron would do.

    >>> parse_field("1-20/6", 1).values
    (1, 7, 13, 19)
    """
    return _Parser(text, CRON_FIELDS[kind], dialect).parse()


class _Parser:
    def __init__(self, text: str, kind: FieldKind, dialect: Dialect) -> None:
        self.text = text
        self.kind = kind
        self.dialect = dialect
        self.notes: list[str] = []

    def parse(self) -> Field:
        values: set[int] = set()
        singles: list[int] = []
        items = randoms = at = 0
        while True:
            found, numbers, random = self._item(at)
            if len(numbers) == 1 and "-" not in found[0] and "*" not in found[0]:
                singles.append(numbers[0])
            values.update(numbers)
            items += 1
            randoms += random
            at = found.end()
            if at == len(self.text):
                break
            if self.text[at] != ",":
                self._trailing(found, at)
                break
            at += 1
        for twice in sorted({one for one in singles if singles.count(one) > 1}):
            self.notes.append(f"{self.kind.name} {self._quoted()} lists {twice} twice")
        if self.kind is DAY_OF_WEEK:
            values = {value % 7 for value in values}
        return Field(
            values=tuple(sorted(values)), star=self.text.startswith("*"), random=randoms > 0,
            lone=randoms == items == 1, notes=tuple(self.notes),
        )  # fmt: skip

    def _item(self, at: int) -> tuple[re.Match[str], tuple[int, ...], bool]:
        # Debian's cron knows no `~`: it reads the number before it and drops the rest.
        if self.dialect is not Dialect.DEBIAN and (found := _RANDOM.match(self.text, at)):
            return found, self._random(found), True
        found = _RANGE.match(self.text, at)
        if not found:
            raise self._bad(self._why_no_item(at))
        return found, self._range(found), False

    def _range(self, found: re.Match[str]) -> tuple[int, ...]:
        kind = self.kind
        if found["star"]:
            first, last = kind.low, kind.high
        else:
            first = self._number(found["first"])
            last = first if found["last"] is None else self._number(found["last"])
        if found["step"] is None:
            step = 1
        elif not found["star"] and found["last"] is None:
            # Both refuse it since a step needs a range; other schedulers read it "from 5 on".
            raise self._bad(
                f"'{found[0]}' has a step but no range, which cron refuses",
                remedy=f"write {first}-{kind.high}/{found['step']} if that is meant",
            )
        else:
            step = self._step(found["step"])
        if first > last:
            return self._reversed(found[0])
        return tuple(range(first, last + 1, step))

    def _reversed(self, text: str) -> tuple[int, ...]:
        # Debian selects nothing, cronie 1.5.7 refuses, cronie 1.7 selects nothing.
        if self.dialect is Dialect.DEBIAN:
            self.notes.append(
                f"{self.kind.name} range '{text}' runs backwards; Debian's cron selects nothing"
            )
            return ()
        raise self._bad(
            f"range '{text}' runs backwards: it never matches on Debian, cronie 1.5 refuses it",
            remedy="split it in two ranges with a comma",
        )

    def _step(self, text: str) -> int:
        step = int(text) if text.isdecimal() and len(text) <= _LONGEST_WORD else 0
        if step == 0:
            raise self._bad(f"step '/{_short(text)}' is no number above 0")
        if step > self.kind.high:
            # Debian and cronie 1.7 take the first number alone; cronie 1.5.7 refuses.
            if self.dialect is Dialect.CRONIE:
                raise self._bad(
                    f"step {_short(str(step))} is above {self.kind.high}; "
                    "cronie 1.5 drops the line, cronie 1.7 takes the first number alone",
                    remedy="write that number",
                )
            self.notes.append(
                f"{self.kind.name} step {_short(str(step))} is above {self.kind.high}: the first "
                "number alone is selected, and cronie 1.5 (EL9) drops the line"
            )
            return self.kind.high + 1
        return step

    def _random(self, found: re.Match[str]) -> tuple[int, ...]:
        kind = self.kind
        first = self._number(found["first"]) if found["first"] else kind.low
        last = self._number(found["last"]) if found["last"] else kind.high
        if first > last:
            raise self._bad(f"random range '{found[0]}' runs backwards")
        self.notes.append(
            f"{kind.name} '{found[0]}' is drawn at random by cronie 1.6 or newer when it loads the "
            "table; older ones and Debian's cron do not know it"
        )
        return (first,)

    def _number(self, text: str) -> int:
        kind = self.kind
        if text.isdecimal() and len(text) <= _LONGEST_WORD:
            value = int(text)
            if kind.low <= value <= kind.high:
                return value
            raise self._bad(f"{_short(str(value))} is outside {kind.low}-{kind.high}")
        word = kind.words.get(text.lower())
        if word is not None:
            return word
        if kind.words and text[:3].lower() in kind.words:
            raise self._bad(f"'{_short(text)}' is no name cron knows", remedy=f"write {text[:3]}")
        raise self._bad(f"'{_short(text)}' is no number{self._foreign(text)}")

    def _trailing(self, found: re.Match[str], at: int) -> None:
        """Judge text that follows a valid part of the field without a comma."""
        rest = self.text[at:]
        if rest[0] == "/" or (rest[0] == "-" and found[0].isalnum()):
            raise self._bad(f"ends in '{_short(rest)}', where a number is missing")
        # `*5`, `**`: the same for Debian and cronie 1.5; cronie 1.7 refuses.
        if found[0] == "*":
            self.notes.append(
                f"{self.kind.name} {self._quoted()} is read as '*': cron ignores what follows the "
                "star, and cronie 1.7 refuses the line"
            )
        elif self.dialect is Dialect.DEBIAN:
            self.notes.append(
                f"{self.kind.name} {self._quoted()}: Debian's cron silently drops '{_short(rest)}'"
            )
        else:
            raise self._bad(
                f"'{_short(rest)}' follows a number: Debian's cron silently drops it, cronie "
                f"refuses the line{self._foreign(rest)}"
            )

    def _why_no_item(self, at: int) -> str:
        rest = self.text[at:]
        if not rest or rest[0] == ",":
            return "has an empty place in its list"
        return f"'{_short(rest)}' is neither number, name, range nor '*'{self._foreign(rest)}"

    def _foreign(self, text: str) -> str:
        for mark, owner in _FOREIGN.items():
            if mark in text.upper() and (len(text) <= 3 or mark in "?#"):
                return f" ('{mark}' is of {owner}, not of cron)"
        return ""

    def _quoted(self) -> str:
        return f"'{_short(self.text)}'"

    def _bad(self, why: str, *, remedy: str = "") -> BadExpression:
        message = f"{self.kind.name} {self._quoted()}: {why}"
        low, high = self.kind.low, self.kind.high
        return BadExpression(
            message, remedy=remedy or f"write numbers {low}-{high}, ranges, lists or */step"
        )


def _short(text: str, most: int = 40) -> str:
    return text if len(text) <= most else f"{text[:most]}..."
