"""When a lost host is tried again, and when a quiet one is asked for a word."""

import pytest

from psops.errors import AuthenticationRefused, ConnectRefused, HostKeyChanged
from psops.watch.pace import PATIENCE, QUIET, Backoff, Pulse

GONE = ConnectRefused("closed")


def test_pauses_double_up_to_a_minute() -> None:
    backoff = Backoff(spread=lambda: 0.5)
    assert [backoff.pause(0, GONE) for _ in range(9)] == [1, 2, 4, 8, 16, 32, 60, 60, 60]


@pytest.mark.parametrize(("spread", "pause"), [(0.0, 0.75), (1.0, 1.25)])
def test_pauses_differ_from_host_to_host(spread: float, pause: float) -> None:
    assert Backoff(spread=lambda: spread).pause(0, GONE) == pause


@pytest.mark.parametrize("error", [AuthenticationRefused("no"), HostKeyChanged("other")])
def test_refusals_are_not_repeated_fast(error: Exception) -> None:
    backoff = Backoff(spread=lambda: 0.5)
    assert [backoff.pause(0, error) for _ in range(6)] == [60, 120, 240, 480, 600, 600]  # type: ignore[arg-type]


def test_only_a_link_that_lasted_makes_the_next_pause_short() -> None:
    backoff = Backoff(spread=lambda: 0.5)
    assert [backoff.pause(0, GONE), backoff.pause(0, GONE)] == [1, 2]
    backoff.reached(100)
    assert backoff.pause(110, GONE) == 4  # a host that accepts and hangs up at once
    backoff.reached(200)
    assert backoff.pause(300, GONE) == 1
    backoff.pause(300, GONE)
    backoff.reset()
    assert backoff.pause(300, GONE) == 1


@pytest.mark.parametrize("spread", [0.0, 1.0])
def test_dead_host_is_noticed_within_half_a_minute(spread: float) -> None:
    pulse = Pulse(0.0, spread=lambda: spread)
    assert not pulse.must_ask(pulse.due - 0.01)
    asked = pulse.due
    assert pulse.must_ask(asked)
    pulse.asked(asked)
    assert not pulse.must_ask(asked)
    assert not pulse.is_dead(pulse.due - 0.01)
    assert pulse.is_dead(pulse.due)
    assert pulse.due <= QUIET + PATIENCE < 30


def test_any_word_is_a_sign_of_life() -> None:
    pulse = Pulse(0.0)
    pulse.asked(pulse.due)
    pulse.heard(25.0)
    assert not pulse.is_dead(60.0)
    assert pulse.must_ask(60.0)


def test_who_was_asleep_waits_for_the_answer_once_more() -> None:
    pulse = Pulse(0.0)
    pulse.asked(20.0)
    assert not pulse.is_dead(3600.0)
    assert pulse.must_ask(3600.0)
    pulse.asked(3600.0)
    assert pulse.is_dead(pulse.due + 1.0)
