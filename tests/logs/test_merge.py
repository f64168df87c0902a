"""Streams of many hosts become one, by time, with little of them in memory."""

import threading
import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from psops.logs import fold as folding
from psops.logs.fold import Fold, Repeat
from psops.logs.merge import HostQueue, Window, merged
from psops.logs.model import Line


def line(host: str, time_us: int, message: str = "x", priority: int = 6) -> Line:
    """Return an entry."""
    return Line(time_us, host, "a.service", "a", 1, priority, message)


def streams(*hosts: list[Line]) -> list[Line]:
    """Return the lines of hosts, each read in a thread of its own, as one."""
    queues = [HostQueue() for _ in hosts]
    for one, lines in zip(queues, hosts, strict=True):
        threading.Thread(target=one.fill, args=(iter(lines),), daemon=True).start()
    return list(merged(queues, lambda: None))


@given(st.lists(st.lists(st.integers(0, 10**6), max_size=300), max_size=4))
def test_lines_come_by_time_and_none_is_lost(hosts: list[list[int]]) -> None:
    given_lines = [
        [line(str(at), moment, str(place)) for place, moment in enumerate(sorted(times))]
        for at, times in enumerate(hosts)
    ]
    found = streams(*given_lines)
    assert [one.time_us for one in found] == sorted(one.time_us for one in found)
    for at, lines in enumerate(given_lines):
        assert [one for one in found if one.host == str(at)] == lines


def test_a_host_whose_clock_went_back_keeps_its_order() -> None:
    back = [line("a", 5), line("a", 3), line("a", 9)]
    found = streams(back, [line("b", 4), line("b", 6)])
    assert [one for one in found if one.host == "a"] == back


def test_a_host_waits_for_the_reader() -> None:
    made = 0

    def endless() -> Iterator[Line]:
        nonlocal made
        while True:
            made += 1
            yield line("a", made, "y" * 100)

    def rests_below(most: int, before: int) -> int:
        """Return how many were made once there are no more."""
        end = time.monotonic() + 20
        seen = before
        while made == before or made != seen:
            assert made < most
            assert time.monotonic() < end, made
            seen = made
            time.sleep(0.2)
        return seen

    one = HostQueue()
    threading.Thread(target=one.fill, args=(endless(),), daemon=True).start()
    before = rests_below(1000, 0)
    reading = one.drain(lambda: None)
    for _ in range(600):
        next(reading)
    rests_below(2000, before)


def test_the_end_comes_after_an_error_too() -> None:
    def fails() -> Iterator[Line]:
        yield line("a", 1)
        raise ValueError("in the middle")

    one = HostQueue()
    with pytest.raises(ValueError, match="in the middle"):
        one.fill(fails())
    assert [found.time_us for found in one.drain(lambda: None)] == [1]


def test_what_comes_within_a_moment_is_put_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Window, "LENGTH", 0.05)
    window = Window()
    window.add(line("a", 20))
    window.add(line("b", 10))
    assert list(window.ready()) == []
    assert 0 < (window.wait() or 0) <= 0.05
    time.sleep(0.06)
    assert [(found.line.time_us, found.late) for found in window.ready()] == [
        (10, False), (20, False)
    ]  # fmt: skip
    assert window.wait() is None
    window.add(line("b", 15))
    time.sleep(0.06)
    assert [(found.line.time_us, found.late) for found in window.ready()] == [(15, True)]


def test_a_clock_that_is_ahead_makes_no_other_host_late() -> None:
    window = Window()
    now = int(time.time() * 1e6)
    window.add(line("ahead", now + 3_600_000_000))
    assert [found.late for found in window.ready(all_of_them=True)] == [False]
    window.add(line("right", now))
    assert [found.late for found in window.ready(all_of_them=True)] == [False]


def taken(*lines: Line, enabled: bool = True) -> list[str]:
    """Return what is shown of some lines, counts as numbers."""
    fold = Fold(enabled=enabled)
    items = [*(item for one in lines for item in fold.take(one)), *fold.end()]
    return [f"{item.line.host}+{item.times}" if isinstance(item, Repeat) else
            f"{item.host}:{item.message}" for item in items]  # fmt: skip


def test_what_a_host_repeats_is_counted_while_others_speak() -> None:
    a, b = line("a", 1, "same"), line("b", 1, "same")
    assert taken(a, b, a, a, b, a, line("a", 2, "other")) == [
        "a:same", "b:same", "a+3", "a:other", "b+1"
    ]  # fmt: skip
    assert taken(a, a) == ["a:same", "a:same"], "a count of one says no less than the line"
    assert taken(a, a, a, enabled=False) == ["a:same"] * 3


def test_a_single_repeat_is_a_line_only_where_nothing_later_was_shown() -> None:
    a, again, b = line("a", 1, "same"), line("a", 2, "same"), line("b", 3)
    assert taken(a, again, line("a", 4)) == ["a:same", "a:same", "a:x"]
    assert taken(a, again, b, line("a", 4)) == ["a:same", "b:x", "a+1", "a:x"]
    assert taken(a, again, b) == ["a:same", "b:x", "a+1"]


def test_what_differs_in_more_than_time_and_process_is_no_repeat() -> None:
    one = line("a", 1, "same")
    assert len(taken(one, one._replace(priority=3), one._replace(unit="b.service"))) == 3
    assert taken(one, one._replace(time_us=9, pid=7), one._replace(pid=8)) == ["a:same", "a+2"]


@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("xy")), max_size=40))
def test_counts_add_up(said: list[tuple[str, str]]) -> None:
    fold = Fold()
    items = [item for host, text in said for item in fold.take(line(host, 1, text))]
    items += fold.end()
    total = sum(item.times if isinstance(item, Repeat) else 1 for item in items)
    assert total == len(said)


def test_a_count_is_told_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folding, "PATIENCE", 0.02)
    fold = Fold()
    for _ in range(4):
        list(fold.take(line("a", 1)))
    assert list(fold.overdue()) == []
    time.sleep(0.03)
    assert [item.times for item in fold.overdue() if isinstance(item, Repeat)] == [3]
    assert list(fold.overdue()) == []
    assert list(fold.end()) == []
