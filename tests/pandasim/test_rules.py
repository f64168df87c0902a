"""Every rule of the master's scheduling, computed by hand.

A server begins at its offset and looks every half second; its workers take messages a tenth of a
second after they are made, and rest 31 ms after each message. The clock of the master has whole
seconds.
"""

import pytest

from psops.pandasim.model import End, Plan, SimulationError
from tests.pandasim.plans import daemon, ends, run, starts


def times(*seconds: float) -> list[tuple[float, int]]:
    return [(one, 0) for one in seconds]


def test_all_start_at_once_and_then_by_period() -> None:
    log = run(daemon("a", 60), daemon("b", 86400), seconds=190, offsets=[0], workers=2, duration=1)
    assert starts(log, 0) == times(0.1, 60.0, 120.0, 180.0)
    assert starts(log, 1) == times(0.1)


def test_interval_is_up_to_a_second_short_since_starts_are_whole_seconds() -> None:
    # Measured with period 4: 3.5, 4.0, 4.0.
    log = run(daemon(period=4), seconds=14, offsets=[0.4], duration=0.01)
    assert starts(log) == times(0.5, 4.4, 8.4, 12.4)
    log = run(daemon(period=4), seconds=14, offsets=[0.8], duration=0.01)
    assert starts(log) == times(0.9, 4.3, 8.3, 12.3)


def test_longer_run_is_followed_at_once() -> None:
    # Measured with period 2 and a run of 3 s: 0.1, 3.6, 6.6, 9.6.
    log = run(daemon(period=2), seconds=10, offsets=[0], duration=3)
    # Ended at 6.5 on a cycle, the worker still rests for 31 ms.
    assert starts(log) == times(0.1, 3.5, 6.531)
    assert ends(log) == [3.1, 6.5, 9.531]


def test_one_worker_delays_the_other_daemon_by_the_whole_run() -> None:
    log = run(daemon("long", 100), daemon("short", 2), seconds=14, offsets=[0],
              durations={"long": 9, "short": 0.2})  # fmt: skip
    assert starts(log, 0) == times(0.1)
    # Queued at 0, taken when the long one has ended; its next turn counts from there.
    assert starts(log, 1) == times(9.131, 11.0, 13.0)
    assert log.runs[1].queued[0] == 0


def test_timeout_kills_and_the_run_is_repeated_at_once() -> None:
    # Measured with period 2, timeout 6: killed at 7 s, restarted at once.
    log = run(daemon(period=2, timeout=6), seconds=15, offsets=[0], duration=60)
    assert starts(log) == times(0.1, 7.1, 14.1)
    assert ends(log) == [7.0, 14.0, 21.0]
    assert set(log.runs[0].how) == {End.TIMEOUT}


def test_timeout_zero_kills_every_run_of_a_second() -> None:
    log = run(daemon(period=2, timeout=0), seconds=10, offsets=[0], duration=1.5)
    assert set(log.runs[0].how) == {End.TIMEOUT}
    log = run(daemon(period=2, timeout=0), seconds=10, offsets=[0], duration=0.4)
    assert log.runs[0].how.tolist() == [End.DONE] * 5


def test_killed_run_waits_for_its_period_if_that_is_longer_than_the_timeout() -> None:
    log = run(daemon(period=20, timeout=5), seconds=30, offsets=[0], duration=60)
    assert list(zip(starts(log), ends(log), strict=True)) == [((0.1, 0), 6.0), ((20.0, 0), 26.0)]


def test_loop_ends_after_the_call_during_which_the_period_passes() -> None:
    # Calls of 7 s, period 20: after 14 s one more, so 21 s, and queued again at once.
    log = run(daemon(period=20, loop=True), seconds=50, offsets=[0], duration=7)
    assert starts(log) == times(0.1, 21.5, 42.531)
    assert ends(log)[:2] == [21.1, 42.5]
    # Not more than the period has passed: another call.
    log = run(daemon(period=20, loop=True), seconds=30, offsets=[0], duration=5)
    assert ends(log)[0] == 25.1


def test_loop_without_work_is_one_call() -> None:
    log = run(daemon(period=20, loop=True), seconds=50, offsets=[0], duration=7, idle_loops=True)
    assert starts(log) == times(0.1, 20.0, 40.0)
    assert ends(log)[0] == 7.1


def test_timeout_applies_to_the_loop_as_a_whole() -> None:
    log = run(daemon(period=20, timeout=9, loop=True), seconds=15, offsets=[0], duration=2)
    assert ends(log) == [10.0]


def test_lock_allows_one_start_a_period_and_the_same_server_wins() -> None:
    # Measured with 3 servers, period 6: 0.1, 6.3, 12.3, 18.3.
    log = run(daemon(period=6, timeout=3600, sync=True), seconds=20, servers=3, workers=2,
              offsets=[0, 0.2, 0.4], duration=0.1)  # fmt: skip
    assert starts(log) == times(0.1, 6.0, 12.0, 18.0)
    assert log.skips == [8]


def test_runs_longer_than_the_period_overlap_on_different_servers() -> None:
    # Measured with period 4, run 9 s, 2 servers: 0.1 s0, 4.3 s1, 9.6 s0.
    log = run(daemon(period=4, timeout=60, sync=True), seconds=13, servers=2, workers=2,
              offsets=[0, 0.2], duration=9)  # fmt: skip
    assert starts(log) == [(0.1, 0), (4.2, 1), (9.5, 0)]


def test_lock_is_not_released_by_a_kill() -> None:
    log = run(daemon(period=20, timeout=5, sync=True), seconds=39, servers=2, workers=2,
              offsets=[0, 0.3], duration=60)  # fmt: skip
    assert starts(log) == [(0.1, 0), (20.0, 0)]


def test_unsynced_daemons_count_from_each_server() -> None:
    log = run(daemon(period=60), seconds=100, servers=2, offsets=[0, 17.5], duration=1)
    assert starts(log) == [(0.1, 0), (17.6, 1), (60.0, 0), (77.0, 1)]


def test_skip_stays_in_the_books_until_the_idle_worker_is_killed() -> None:
    # Server 1 skips at 0.4, is marked with the second of the lock, 0, and has no other message
    # until 30: over the timeout of 10 at the first cycle in second 11.
    log = run(daemon(period=30, timeout=10, sync=True), seconds=29, servers=2, workers=1,
              offsets=[0, 0.3], duration=1)  # fmt: skip
    assert log.idle_kills == [1]
    # The only idle worker held the lock of the queue.
    assert log.stuck == [(11300, 1)]


def test_another_message_in_time_saves_the_worker() -> None:
    log = run(daemon("locked", 30, 10, sync=True), daemon("other", 5, 300), seconds=29, servers=2,
              workers=1, offsets=[0, 0.3], duration=1)  # fmt: skip
    assert log.idle_kills == [0, 0]


def test_stuck_queue_goes_on_until_revival() -> None:
    log = run(daemon("other", 60), daemon("locked", 300, 10, sync=True), seconds=420, servers=2,
              workers=1, offsets=[0, 0.3], duration=1)  # fmt: skip
    # `other` runs on both until 1.1 and 1.4; server 0 then takes the lock in second 1.
    assert starts(log, 1)[0] == (1.131, 0)
    # Server 1 is marked with that, and its worker killed after second 11.
    assert log.stuck[0] == (12300, 1)
    # There `other` was due at 60, so it is late by more than 300 s in second 361; then come 3 s
    # of waiting for the workers and a cycle.
    assert log.revivals == [(361_300, 1)]
    assert [time for time, server in starts(log, 0) if server == 1] == [0.4, 364.8]
    # Then `locked` is skipped at 365.8 for a lock of second 301: at once more than 10 s.
    assert log.stuck[1:] == [(366_300, 1)]


def test_revival_kills_a_long_run_of_an_only_daemon_whatever_its_timeout() -> None:
    # Due again at 100; late when more than 300 s over that: at 401.
    log = run(daemon(period=100, timeout=100_000), seconds=500, offsets=[0], duration=5000)
    assert log.revivals == [(401_000, 0)]
    assert ends(log)[0] == 404.0
    assert log.runs[0].how[0] == End.REVIVAL
    # Everything is due at the next cycle after the 3 s.
    assert starts(log)[1] == (404.5, 0)


@pytest.mark.parametrize(
    ("total", "threshold"), [(1, 1), (2, 1), (3, 2), (4, 2), (5, 3), (6, 4), (17, 4)]
)
def test_revival_needs_so_many_late_daemons(total: int, threshold: int) -> None:
    daemons = [daemon(f"d{at}", 10, 100_000) for at in range(total)]
    for late, revived in ((threshold - 1, False), (threshold, True)):
        slow = {f"d{at}": 9000.0 for at in range(late)}
        log = run(*daemons, seconds=600, offsets=[0], workers=total, durations=slow, duration=1)
        assert bool(log.revivals) is revived


def test_half_a_period_counts_for_lateness_if_it_is_longer() -> None:
    log = run(daemon(period=1000, timeout=10**6), seconds=2000, offsets=[0], duration=9000)
    assert log.revivals == [(1_501_000, 0)]


def test_no_worker_runs_nothing() -> None:
    log = run(daemon(), seconds=1000, workers=0, offsets=[0])
    assert starts(log) == []
    assert log.revivals == []
    assert log.waiting == [[(0, 0)]]


def test_period_zero_runs_again_at_each_cycle() -> None:
    log = run(daemon(period=0, timeout=10), seconds=2, offsets=[0], duration=0.1)
    assert starts(log) == times(0.1, 0.5, 1.0, 1.5)


@pytest.mark.parametrize(
    "wrong",
    [
        {"servers": 0}, {"days": 0}, {"days": float("nan")}, {"workers": -1}, {"duration": -1},
        {"durations": {"a": float("inf")}}, {"servers": 2, "offsets": [0]}, {"offsets": [-1]},
        {"daemons": [daemon(), daemon()]},
    ],
)  # fmt: skip
def test_plan_that_makes_no_sense_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(SimulationError):
        Plan(**({"daemons": [daemon()]} | wrong))  # type: ignore[arg-type]
