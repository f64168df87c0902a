"""Rates from two looks at a counter, and what a floor makes of them.

The rates that brokers tell are averages of their own that go on for a while after the last
message, so that they are never used. A counter that is not there is no 0.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeVar

from psops.checks import Answer, right, unknown, wrong
from psops.probes import Unanswered
from psops.probes.world import World
from psops.report.text import duration
from psops.verdict import Verdict, worst

T = TypeVar("T")

#: How many of several answers are told in one sentence.
_TOLD = 3
#: Fewer messages than this tell no ratio.
FEWEST = 5


class Rate(NamedTuple):
    """Messages, and the seconds in which they were counted."""

    messages: int
    seconds: float

    @property
    def per_second(self) -> float:
        """Messages per second."""
        return self.messages / self.seconds


def twice(world: World, key: object, look: Callable[[], T]) -> tuple[T, T]:
    """Return what two looks found, a window apart; the same for all probes with this key."""

    def both() -> tuple[T, T]:
        first = look()
        world.wait()
        return first, look()

    found: tuple[T, T] = world.once(("twice", key), both)
    return found


def rate(what: str, before: int | None, after: int | None, seconds: float) -> Rate:
    """Return the rate of a counter that counts from the start of its broker.

    `before` is None as long as there was nothing to count. Raises `Unanswered` with `restarted`
    for a counter that fell or vanished, `no-data` for none at all and for no time between.
    """
    if after is None and before is None:
        raise Unanswered(unknown("no-data", f"{what}: the answer has no such counter"))
    if after is None or after < (before or 0):
        fell = "is gone" if after is None else f"fell to {after}"
        text = f"{what}: the counter of {before} messages {fell} within {shown(seconds)} s"
        raise Unanswered(unknown("restarted", f"{text}: restarted or made anew"))
    if seconds <= 0:
        raise Unanswered(unknown("no-data", f"{what}: no time between two looks"))
    return Rate(after - (before or 0), seconds)


def below(found: Rate, floor: float | None) -> Answer | None:
    """Return what is wrong with so few messages, None for enough; no floor is "more than none".

    A floor that expects less than one message in the time cannot be missed in it.
    """
    if floor == 0 or (found.messages and floor is None):
        return None
    if floor is not None and found.messages and found.per_second >= floor:
        return None
    told = f"{shown(found.per_second)} of {at_least(floor)} messages/s in"
    told = f"{told}, {shown(found.seconds)} s long"
    if floor is not None and floor * found.seconds < 1:
        if found.messages:
            return None
        return unknown("no-data", f"{told}: too short a look for that floor; look for longer")
    return wrong("below-floor" if found.messages else "silent", told)


def at_least(floor: float | None) -> str:
    """Return a floor in words."""
    return "more than 0" if floor is None else f"at least {shown(floor)}"


def shown(value: float) -> str:
    """Return a number with up to three digits that count.

    >>> shown(0.0), shown(12.449), shown(1234.5), shown(0.051)
    ('0', '12.4', '1234', '0.051')
    """
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def old(seconds: float) -> str:
    """Return how old the oldest message is, in words."""
    return f"the oldest {duration(seconds)} old"


def whole(value: Any, key: str) -> int | None:
    """Return a whole number of a JSON object, None if it is not there or something else."""
    found = value.get(key) if isinstance(value, dict) else None
    if isinstance(found, float) and found.is_integer():
        found = int(found)
    return found if isinstance(found, int) and not isinstance(found, bool) else None


def settle(answers: Sequence[Answer]) -> Answer:
    """Return one answer for several parts: the worst, with what is told of the others as bad."""
    verdict = worst([answer.verdict for answer in answers])
    same = [answer for answer in answers if answer.verdict is verdict]
    texts = [answer.text for answer in same[:_TOLD]]
    if len(same) > _TOLD:
        texts.append(f"and {len(same) - _TOLD} more")
    asides = tuple(dict.fromkeys(aside for answer in answers for aside in answer.asides))
    code = same[0].code
    return Answer(verdict=verdict, code=code, text="; ".join(texts), asides=asides)


def first_wrong(found: Sequence[Answer | None], else_: str) -> Answer:
    """Return the first answer that is critical, else the first at all, else that all is right."""
    given = [answer for answer in found if answer is not None]
    for answer in given:
        if answer.verdict is Verdict.CRITICAL:
            return answer
    return given[0] if given else right(else_)
