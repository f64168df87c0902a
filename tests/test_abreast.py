"""Pieces of work at the same time: when they are given up, and which are not begun any more."""

import time
from functools import partial

from psops.abreast import run_abreast
from psops.deadline import Deadline


def nap(seconds: float) -> float:
    """Take so many seconds."""
    time.sleep(seconds)
    return seconds


def test_late_pieces_have_one_end_together() -> None:
    naps = [0.0, *(0.6 * number for number in range(1, 7))]
    begin = time.monotonic()
    found = run_abreast([partial(nap, one) for one in naps], width=9, deadline=Deadline(0.1))
    elapsed = time.monotonic() - begin
    # A second after the deadline, however many there are, each soon after the one before.
    assert 1.1 <= elapsed < 3.0
    told = [one and one[0] for one in found]
    assert told == [0.0, 0.6, None, None, None, None, None]


def test_nothing_is_begun_after_the_deadline() -> None:
    begun: list[int] = []

    def work(number: int) -> int:
        begun.append(number)
        time.sleep(0.3)
        return number

    begin = time.monotonic()
    found = run_abreast([partial(work, one) for one in range(4)], width=2, deadline=Deadline(0.1))
    # Nobody waits for what was not begun either.
    assert time.monotonic() - begin < 0.9
    time.sleep(0.4)
    assert sorted(begun) == [0, 1]
    assert [one and one[0] for one in found] == [0, 1, None, None]
