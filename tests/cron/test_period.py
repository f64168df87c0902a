# ruff: noqa: DTZ001 - the times of a crontab have no zone
"""Starts, gaps and periods against a matcher that steps minute by minute."""

from collections import Counter
from datetime import datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from psops.cron.period import (
    CALENDAR_DAYS,
    DAY_S,
    Kind,
    classify,
    distribution,
    most_at_once,
)
from psops.cron.schedule import parse_expression
from tests.cron import brute
from tests.cron.expressions import ANY, DAILY, SPARSE, WEEKLY

#: Month ends, leap years of all kinds, a century without one, a year's end.
EDGES = [
    datetime(2023, 2, 28), datetime(2024, 2, 28), datetime(2024, 2, 29), datetime(2100, 2, 28),
    datetime(2000, 2, 29), datetime(2024, 4, 30), datetime(2023, 12, 31), datetime(2026, 8, 31),
]  # fmt: skip
FEW = settings(max_examples=10, deadline=None)
MANY = settings(max_examples=800, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def check_gaps(expressions: list[str]) -> None:
    """Compare all that is counted over the cycle."""
    schedules = [parse_expression(one) for one in expressions]
    found = distribution(*schedules)
    runs, gaps = brute.gaps(expressions, found.cycle_days)
    assert found.runs == runs
    assert dict(found.gaps) == gaps
    assert sum(gap * count for gap, count in found.gaps) == (
        found.cycle_days * DAY_S if runs else 0
    )
    assert found.per_day == Fraction(runs, found.cycle_days)
    if runs:
        assert found.mean == Fraction(sum(gaps.elements()), runs)
        assert (found.least, found.most) == (min(gaps), max(gaps))


@MANY
@given(DAILY)
def test_gaps_of_a_day_agree_with_stepping_through_it(expression: str) -> None:
    check_gaps([expression])


@settings(max_examples=250, deadline=None)
@given(WEEKLY)
def test_gaps_of_a_week_agree_with_stepping_through_it(expression: str) -> None:
    check_gaps([expression])


@settings(max_examples=60, deadline=None)
@given(st.lists(DAILY | WEEKLY, min_size=2, max_size=3))
def test_gaps_of_several_schedules_agree_with_stepping_through_the_week(texts: list[str]) -> None:
    check_gaps(texts)


@FEW
@given(SPARSE)
def test_gaps_of_four_centuries_agree_with_stepping_through_them(expression: str) -> None:
    check_gaps([expression])


@settings(max_examples=3, deadline=None)
@given(st.lists(SPARSE, min_size=2, max_size=2))
def test_gaps_of_several_calendars_agree_with_stepping_through_them(texts: list[str]) -> None:
    texts[1] = texts[1].replace("7 3", "50 22", 1)
    check_gaps(texts)


@settings(max_examples=1000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(ANY, st.sampled_from(EDGES))
def test_starts_agree_minute_by_minute_at_the_ends_of_months(text: str, begin: datetime) -> None:
    end = begin + timedelta(days=2)
    assert list(parse_expression(text).starts(begin, end)) == list(brute.starts(text, begin, end))


@settings(max_examples=150, deadline=None)
@given(ANY, st.datetimes(datetime(1970, 1, 1), datetime(2400, 1, 1)), st.integers(0, 5000))
def test_starts_agree_in_any_span(text: str, begin: datetime, minutes: int) -> None:
    """Also where the span begins between two minutes."""
    end = begin + timedelta(minutes=minutes)
    full = begin.replace(second=0, microsecond=0)
    first = full if full == begin else full + timedelta(minutes=1)
    assert list(parse_expression(text).starts(begin, end)) == list(brute.starts(text, first, end))


@MANY
@given(DAILY | WEEKLY)
def test_class_follows_from_the_gaps(expression: str) -> None:
    schedule = parse_expression(expression)
    gaps = distribution(schedule)
    kind = classify(schedule)
    if gaps.runs == 0:
        assert kind is Kind.NEVER
    elif len(gaps.gaps) == 1:
        assert kind is Kind.EQUAL
        assert gaps.mean == gaps.least
    else:
        burst = gaps.most * gaps.runs > 2 * gaps.cycle_days * DAY_S
        assert kind is (Kind.CLOCK_BOUND if burst else Kind.UNEQUAL)


@pytest.mark.parametrize(
    ("expression", "cycle", "gaps", "kind"),
    [
        # facts/cron.md section 3 and the rules R1 to R3.
        ("0-59/4 * * * *", 1, {240: 360}, "equal"),
        ("5 1-19/6 * * *", 1, {21600: 4}, "equal"),
        ("5 1-20/6 * * *", 1, {21600: 4}, "equal"),
        ("15 0-18/6 * * *", 1, {21600: 4}, "equal"),
        ("15,45 * * * *", 1, {1800: 48}, "equal"),
        ("*/60 * * * *", 1, {3600: 24}, "equal"),
        ("3 1 * * *", 1, {86400: 1}, "equal"),
        ("3 1 1-31 * *", 1, {86400: 1}, "equal"),
        ("3 1 1-31 * 1", 1, {86400: 1}, "equal"),
        ("50 0 * * 1", 7, {604800: 1}, "equal"),
        ("*/7 * * * *", 1, {420: 192, 240: 24}, "unequal"),
        ("0-59/13 * * * *", 1, {780: 96, 480: 24}, "unequal"),
        ("*/40 * * * *", 1, {2400: 24, 1200: 24}, "unequal"),
        ("0 */5 * * *", 1, {18000: 4, 14400: 1}, "unequal"),
        ("5 1-20/7 * * *", 1, {25200: 2, 36000: 1}, "unequal"),
        ("47 3 * * 1,4", 7, {259200: 1, 345600: 1}, "unequal"),
        ("0-30/7 * * * *", 1, {420: 96, 1920: 24}, "clock-bound"),
        ("* 23 * * *", 1, {60: 59, 82860: 1}, "clock-bound"),
        ("05,09,5,50 * * * *", 1, {240: 24, 2460: 24, 900: 24}, "clock-bound"),
        ("0 9-17 * * 1-5", 7, {3600: 40, 57600: 4, 230400: 1}, "clock-bound"),
        ("0 0 1 * *", CALENDAR_DAYS,
         {28 * DAY_S: 303, 29 * DAY_S: 97, 30 * DAY_S: 1600, 31 * DAY_S: 2800}, "clock-bound"),
        ("0 0 29 2 *", CALENDAR_DAYS, {1461 * DAY_S: 94, 2921 * DAY_S: 3}, "clock-bound"),
        ("0 0 31 2 *", CALENDAR_DAYS, {}, "never"),
    ],
)  # fmt: skip
def test_known_schedules(expression: str, cycle: int, gaps: dict[int, int], kind: str) -> None:
    found = distribution(parse_expression(expression))
    assert (found.cycle_days, dict(found.gaps)) == (cycle, gaps)
    assert classify(parse_expression(expression)) == kind


@pytest.mark.parametrize(
    ("expression", "mean"),
    [("*/7 * * * *", 400), ("0 */5 * * *", 17280), ("0 0 1 * *", 2629746), ("* 23 * * *", 1440),
     ("0 0 29 2 *", Fraction(CALENDAR_DAYS * DAY_S, 97))],
)  # fmt: skip
def test_mean_is_the_cycle_over_its_starts(expression: str, mean: int) -> None:
    assert distribution(parse_expression(expression)).mean == mean


def test_staggered_servers_together() -> None:
    texts = ["00,20,40 * * * *", "05,25,45 * * * *", "10,30,50 * * * *", "15,35,55 * * * *"]
    schedules = [parse_expression(text) for text in texts]
    assert distribution(*schedules).gaps == ((300, 288),)
    assert most_at_once(tuple((1, (one,)) for one in schedules)) == 1
    assert most_at_once(((9, (schedules[0],)),)) == 9
    assert most_at_once(((1, (parse_expression("0 0 1 * *"),)),)) == 0


def test_random_minutes_have_gaps_only_alone() -> None:
    assert classify(parse_expression("~ * * * *")) is Kind.EQUAL
    assert distribution(parse_expression("~ * * * *")).gaps == ((3600, 24),)
    assert classify(parse_expression("10~20 ~ * * *")) is Kind.EQUAL
    assert classify(parse_expression("~,30 * * * *")) is Kind.RANDOM
    assert classify(parse_expression("0 0 ~ * *")) is Kind.RANDOM
    assert classify(parse_expression("0 0 * * ~")) is Kind.RANDOM
    two = (parse_expression("0~30 * * * *"), parse_expression("45 * * * *"))
    assert classify(*two) is Kind.RANDOM


def test_nothing_has_no_gaps() -> None:
    empty = distribution()
    assert (empty.runs, empty.mean, empty.least, empty.most) == (0, Fraction(0), 0, 0)
    assert not empty.gaps
    reboot = parse_expression("@reboot")
    assert distribution(reboot).runs == 0
    assert classify(reboot) is Kind.REBOOT


def test_brute_force_itself_by_hand() -> None:
    """Dates counted on paper, so that both are not wrong alike."""

    def in_2025(expression: str) -> int:
        words = expression.split()
        day = datetime(2025, 1, 1)
        return sum(brute.is_day(words, day + timedelta(days=at)) for at in range(365))

    counts = Counter({text: in_2025(text) for text in (
        "0 0 */2 * 1", "0 0 1-31 * 1", "0 0 *,10 * 1", "0 0 10,* * 1", "0 0 1 * 1")})  # fmt: skip
    assert list(counts.values()) == [27, 365, 52, 365, 62]
