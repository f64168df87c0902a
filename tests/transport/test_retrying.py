"""Ways to a bus that refuse late: at the first bytes, or at the answer."""

from collections.abc import Callable
from functools import partial

import pytest

from psops.deadline import Deadline
from psops.errors import ChannelRefused, HostError, NoBus, NotSystemd
from psops.transport.retrying import Retrying


class Way:
    """A channel that takes so many pieces, and then answers or ends."""

    def __init__(self, takes: int, answer: bytes | HostError) -> None:
        self.takes = takes
        self.answer = answer
        self.got: list[bytes] = []

    def send(self, data: bytes, deadline: Deadline) -> None:
        if len(self.got) == self.takes:
            raise NoBus("the bridge finds no bus")
        self.got.append(data)

    def receive(self, deadline: Deadline) -> bytes:
        if isinstance(self.answer, HostError):
            raise self.answer
        return self.answer

    def watch(self, wake: Callable[[], None]) -> int:
        return -1

    def close(self) -> None:
        """Nothing is held open."""


def retrying(*ways: Way) -> Retrying:
    return Retrying([partial(_opened, way) for way in ways], lambda error: NotSystemd(str(error)))


def _opened(way: Way) -> Way:
    return way


REFUSED = ChannelRefused("the forward is refused")


@pytest.mark.parametrize("takes", [0, 1])
def test_last_way_that_has_ended_before_or_after_it_is_asked_is_told_with_the_cause(
    takes: int,
) -> None:
    channel = retrying(Way(1, REFUSED), Way(takes, NoBus("the bridge finds no bus")))
    channel.send(b"hello", Deadline(5))
    with pytest.raises(NotSystemd, match="the bridge finds no bus"):
        channel.receive(Deadline(5))


def test_next_way_is_sent_all_that_the_others_were() -> None:
    first, second, third = Way(1, REFUSED), Way(0, REFUSED), Way(9, b"here")
    channel = retrying(first, second, third)
    channel.send(b"hel", Deadline(5))
    channel.send(b"lo", Deadline(5))
    assert channel.receive(Deadline(5)) == b"here"
    assert b"".join(third.got) == b"hello"


def test_way_that_has_answered_is_not_left() -> None:
    channel = retrying(first := Way(2, b"here"), second := Way(9, b"there"))
    channel.send(b"a", Deadline(5))
    assert channel.receive(Deadline(5)) == b"here"
    channel.send(b"b", Deadline(5))
    with pytest.raises(NoBus):
        channel.send(b"c", Deadline(5))
    assert (first.got, second.got) == ([b"a", b"b"], [])
