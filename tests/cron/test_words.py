# ruff: noqa: DTZ001 - the times of a crontab have no zone
"""Schedules in words, and what a change of the clock does to them."""

from datetime import date, datetime

import pytest
from hypothesis import given, settings

from psops.cron.dst import UnknownZone, clock_changes, hits_dst_change
from psops.cron.fields import Dialect
from psops.cron.schedule import parse_expression
from psops.cron.words import describe
from tests.cron.expressions import ANY

WORDS = """
* * * * *            | every minute
0-59/4 * * * *       | every 4 minutes
5,35 * * * *         | every 30 minutes from minute 5
7 * * * *            | every hour at minute 7
*/7 * * * *          | at minutes 0 to 56 in steps of 7 of every hour
5,9,50 * * * *       | at minutes 5, 9 and 50 of every hour
5 1-20/6 * * *       | every 6 hours from 01:05
15,45 */1 * * *      | every 30 minutes from minute 15
0 */5 * * *          | at 00:00, 05:00, 10:00, 15:00 and 20:00 every day
* 23 * * *           | every minute of hour 23
*/5 8-18 * * *       | every 5 minutes of hours 8 to 18
0 9-17 * * 1-5       | at minute 0 of hours 9 to 17 from Monday to Friday
15 3 * * *           | at 03:15 every day
15 3 * * 1           | at 03:15 on Mondays
47 3 * * thu,mon     | at 03:47 on Mondays and Thursdays
0 0 1 * *            | at 00:00 on day 1 of the month
0 0 1,15 * *         | at 00:00 on days 1 and 15 of the month
0 0 13 * 5           | at 00:00 on day 13 of the month or on Fridays
0 0 */10 * 1         | at 00:00 on days 1 to 31 in steps of 10 of the month if it is Monday
0 0 29 2 *           | at 00:00 on day 29 of the month in February
0 4 * 6-8 7          | at 04:00 on Sundays in June to August
0 0 1-31 * 5         | at 00:00 every day
~ * * * *            | every hour at one random minute
10~20 4 * * *        | at one random minute of hour 4
5 ~ * * *            | at minute 5 of one random hour
@weekly              | at 00:00 on Sundays
@reboot              | once after each boot
"""


@pytest.mark.parametrize("line", WORDS.strip().splitlines())
def test_words(line: str) -> None:
    text, _, words = line.partition("|")
    assert describe(parse_expression(text.strip())) == words.strip()


def test_words_of_nothing() -> None:
    assert describe(parse_expression("0 22-2 * * *", Dialect.DEBIAN)) == "never"


@settings(max_examples=300)
@given(ANY)
def test_every_schedule_has_words(expression: str) -> None:
    words = describe(parse_expression(expression))
    assert words[:2] in ("at", "ev")
    assert "  " not in words


def test_changes_of_the_clock_in_zurich() -> None:
    spring, autumn = clock_changes("Europe/Zurich", 2025, 1)
    assert (spring.begin, spring.end, spring.forward) == (
        datetime(2025, 3, 30, 2), datetime(2025, 3, 30, 3), True)  # fmt: skip
    assert (autumn.begin, autumn.end, autumn.forward) == (
        datetime(2025, 10, 26, 2), datetime(2025, 10, 26, 3), False)  # fmt: skip
    assert clock_changes("UTC", 2025) == ()


def test_half_an_hour_on_lord_howe() -> None:
    back, forward = clock_changes("Australia/Lord_Howe", 2026, 1)
    assert (back.begin, back.end) == (datetime(2026, 4, 5, 1, 30), datetime(2026, 4, 5, 2))
    assert (forward.begin, forward.end) == (datetime(2026, 10, 4, 2), datetime(2026, 10, 4, 2, 30))


@pytest.mark.parametrize(
    ("expression", "zone", "sentence"),
    [
        ("30 2 * * *", "Europe/Zurich", "1 start from 02:00 to 03:00 on 2026-03-29 (Europe/Zurich):"
         " the clock leaves that time out, cron makes up for it at once"),
        ("0 2 * 10 0", "Europe/Zurich", "2026-10-25 (Europe/Zurich): that time comes twice, cron "
         "starts once"),
        ("*/10 2 * 10 *", "Europe/Zurich", "comes twice, and so do the starts"),
        ("* * * * 0", "Europe/Zurich", "60 starts"),
        ("*/10 * * * *", "Australia/Lord_Howe", "3 starts"),
        # All of these are left alone: another hour, another weekday, every hour, no change.
        ("0 12 * * *", "Europe/Zurich", ""),
        ("30 2 * * 1", "Europe/Zurich", ""),
        ("*/10 * * * *", "Europe/Zurich", ""),
        ("30 2 * * *", "UTC", ""),
    ],
)  # fmt: skip
def test_starts_in_a_change_of_the_clock(expression: str, zone: str, sentence: str) -> None:
    hit = hits_dst_change(parse_expression(expression), zone, 2026)
    assert (hit is not None) == bool(sentence)
    assert hit is None or sentence in hit.sentence


def test_a_date_that_meets_a_change_years_later_is_found() -> None:
    hit = hits_dst_change(parse_expression("30 2 26 3 *"), "Europe/Zurich", 2026)
    assert hit is not None
    assert hit.day == date(2028, 3, 26)


@pytest.mark.parametrize("zone", ["Mars/Olympus", "../etc", "", "\0", "x" * 5000])
def test_unknown_zone(zone: str) -> None:
    with pytest.raises(UnknownZone):
        clock_changes(zone, 2026)
