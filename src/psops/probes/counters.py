"""Rates from two looks at a counter, and what a floor makes of them.

The rates that brokers tell are averages of their own that go on for a while after the last
message, so that they are never used. A counter that is not there is no 0.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple, TypeVar

from psops.checks import Answer, right, unknown, wrong
from psops.probes import Unanswered
from psops.probes.world import World
from psops.report.text import duration
from psops.verdict import Verdict, worst

T = TypeVar("T")

#: How many of several answers are told in one sentence.
_TOLD = 3
#: What is told of silence that is allowed.
MAY = "silent, as it may be"
#: Share of a step by which it may come late.
_JITTER = 0.05


class Rate(NamedTuple):
    """Messages, and the seconds between the two looks at their counter.

    `step` is the time after which the counter is brought up to date; between two looks lie
    as many whole steps as fit into that time, or one more, and nobody knows which.

    >>> Rate(100, 12.0, 5.0).least, Rate(100, 12.0, 5.0).most, Rate(100, 10.0).most
    (6.666666666666667, 10.0, 10.0)
    """

    messages: int
    seconds: float
    step: float = 0.0

    @property
    def per_second(self) -> float:
        """Messages per second, as it looks."""
        return self.messages / self.seconds

    @property
    def most(self) -> float:
        """Messages per second, if as few steps as possible were counted."""
        if not self.step:
            return self.per_second
        return self.messages / (max(1, int(self.seconds / self.step - _JITTER)) * self.step)

    @property
    def least(self) -> float:
        """Messages per second, if as many steps as possible were counted."""
        if not self.step:
            return self.per_second
        return self.messages / ((int(self.seconds / self.step) + 1) * self.step)


def twice(world: World, key: object, look: Callable[[], T]) -> tuple[T, T]:
    """Return what two looks found, a window apart; the same for all probes with this key."""

    def both() -> tuple[T, T]:
        first = look()
        world.wait()
        return first, look()

    found: tuple[T, T] = world.once(("twice", key), both)
    return found


def rate(
    what: str, before: int | None, after: int | None, seconds: float, step: float = 0.0
) -> Rate:
    """Return the rate of a counter that counts from the start of its broker.

    `before` is None as long as there was nothing to count. Raises `Unanswered` with `restarted`
    for a counter that fell or vanished, `no-data` for none at all and for too short a time, in
    which a counter that is brought up to date every `step` seconds may stand still.
    """
    if after is None and before is None:
        raise Unanswered(unknown("no-data", f"{what}: the answer has no such counter"))
    if after is None or after < (before or 0):
        fell = "is gone" if after is None else f"fell to {after}"
        text = f"{what}: the counter of {before} messages {fell} within {shown(seconds)} s"
        raise Unanswered(unknown("restarted", f"{text}: restarted or made anew"))
    if seconds <= 0 or seconds < step * (1 + _JITTER):
        text = f"{what}: {shown(seconds)} s between two looks at a counter"
        text = f"{text} that moves every {shown(step)} s tell nothing; look for longer"
        raise Unanswered(unknown("no-data", text))
    return Rate(after - (before or 0), seconds, step)


def below(found: Rate, floor: float | None) -> Answer | None:
    """Return what is wrong with so few messages, None for enough; no floor is "more than none".

    A floor that expects less than one message in the time cannot be missed in it, and one that
    may be kept, as far as the steps of the counter tell, is.
    """
    if floor == 0 or (found.messages and floor is None):
        return None
    if floor is not None and found.messages and found.most >= floor:
        return None
    told = f"{shown(found.per_second)} of {at_least(floor)} messages/s in"
    told = f"{told}, over {shown(found.seconds)} s"
    if floor is not None and floor * found.seconds < 1:
        if found.messages:
            return None
        return unknown("no-data", f"{told}: too short a look for that floor; look for longer")
    return wrong("below-floor" if found.messages else "silent", told)


def tell(found: Answer, into: Rate, state: str) -> Answer:
    """Return the answer with the state, and with the rate if it does not tell that itself."""
    if found.code not in ("silent", "below-floor"):
        text = f"{shown(into.per_second)} messages/s in, over {shown(into.seconds)} s"
        state = f"{text}; {state}"
    return replace(found, text=f"{found.text}; {state}")


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
