"""What a field selects, and how the two crons differ. Vectors from facts/cron.md 1.1 to 1.3."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from psops.cron.fields import BadExpression, Dialect, parse_field
from psops.cron.schedule import CRON_ALIASES, parse_expression

MINUTE, HOUR, DOM, MONTH, DOW = range(5)
REFUSED = "refused"

#: field, text, values for common, debian and cronie
VECTORS = [
    (MINUTE, "*/15", [0, 15, 30, 45], [0, 15, 30, 45], [0, 15, 30, 45]),
    (HOUR, "1-20/6", [1, 7, 13, 19], [1, 7, 13, 19], [1, 7, 13, 19]),
    (MINUTE, "05,09,5,50", [5, 9, 50], [5, 9, 50], [5, 9, 50]),
    (MINUTE, "0-0/5", [0], [0], [0]),
    (MONTH, "jan-mar/2", [1, 3], [1, 3], [1, 3]),
    (DOW, "tue,4-6", [2, 4, 5, 6], [2, 4, 5, 6], [2, 4, 5, 6]),
    (DOW, "SUN", [0], [0], [0]),
    (DOW, "7", [0], [0], [0]),
    (DOW, "*/7", [0], [0], [0]),
    (DOW, "1-7/3", [0, 1, 4], [0, 1, 4], [0, 1, 4]),
    (DOM, "*/5", [1, 6, 11, 16, 21, 26, 31], [1, 6, 11, 16, 21, 26, 31],
     [1, 6, 11, 16, 21, 26, 31]),
    # step without a range
    (MINUTE, "5/15", REFUSED, REFUSED, REFUSED),
    (DOW, "MON/2", REFUSED, REFUSED, REFUSED),
    # backwards
    (HOUR, "22-2", REFUSED, [], REFUSED),
    (DOW, "fri-sun", REFUSED, [], REFUSED),
    # step above the highest number
    (MINUTE, "*/60", [0], [0], REFUSED),
    (HOUR, "*/24", [0], [0], REFUSED),
    # text after a valid beginning
    (MINUTE, "5;30", REFUSED, [5], REFUSED),
    (MINUTE, "5.5", REFUSED, [5], REFUSED),
    (MINUTE, "1-2-3", REFUSED, [1, 2], REFUSED),
    (MINUTE, "*/30-10", REFUSED, [0, 30], REFUSED),
    (DOW, "MON#1", REFUSED, [1], REFUSED),
    (DOM, "*5", list(range(1, 32)), list(range(1, 32)), list(range(1, 32))),
    (DOM, "**", list(range(1, 32)), list(range(1, 32)), list(range(1, 32))),
    # drawn at random: the lowest it may be
    (MINUTE, "10~30", [10], [10], [10]),
    (MINUTE, "~", [0], REFUSED, [0]),
    (MINUTE, "0~", [0], [0], [0]),
    (MINUTE, "~30", [0], REFUSED, [0]),
    (MINUTE, "30~10", REFUSED, [30], REFUSED),
    *((MINUTE, f"0~30{rest}", REFUSED, [0], REFUSED) for rest in (";", "-5", "/5", "~", "*")),
    *((place, text, REFUSED, REFUSED, REFUSED) for place, text in [
        (DOM, "5L"), (DOM, "L"), (DOM, "LW"), (DOM, "15W"), (DOM, "?"), (MINUTE, "H"),
        (MONTH, "JANUARY"), (DOW, "MONDAY"), (MINUTE, "*/0"), (MINUTE, "60"), (HOUR, "24"),
        (DOM, "0"), (DOM, "32"), (MONTH, "0"), (DOW, "8"), (MINUTE, "5-64/30"),
        (HOUR, "1-234/5678"), (MINUTE, ","), (MINUTE, "1,,2"), (MINUTE, "1,"), (MINUTE, "5-"),
        (MINUTE, "*/"), (MINUTE, "5-9/"), (MINUTE, "-5"), (MINUTE, "٣"), (MINUTE, "jan"),
        (MINUTE, "9" * 5000), (MINUTE, "*/" + "9" * 5000), (MINUTE, "x" * 5000),
    ]),
]  # fmt: skip


@pytest.mark.parametrize(("place", "text", "common", "debian", "cronie"), VECTORS)
def test_vectors(place: int, text: str, common: object, debian: object, cronie: object) -> None:
    for dialect, expected in zip(Dialect, (common, debian, cronie), strict=True):
        try:
            found: object = list(parse_field(text, place, dialect).values)
        except BadExpression as error:
            found = REFUSED if error.remedy and len(str(error)) < 300 else error
        assert found == expected, dialect


@pytest.mark.parametrize(
    ("place", "text", "note"),
    [
        (MINUTE, "*/60", "cronie 1.5 (EL9) drops the line"),
        (DOM, "*5", "cronie 1.7 refuses"),
        (MINUTE, "0~30", "drawn at random by cronie 1.6"),
        (MINUTE, "05,09,5,50", "lists 5 twice"),
    ],
)
def test_what_only_some_crons_take_has_a_note(place: int, text: str, note: str) -> None:
    (found,) = parse_field(text, place).notes
    assert note in found


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("5/15 * * * *", "minute '5/15': '5/15' has a step but no range, which cron refuses"),
        ("* 22-2 * * *", "hour '22-2': range '22-2' runs backwards"),
        ("* * L * *", "day of month 'L': 'L' is no number ('L' is of Quartz, not of cron)"),
        ("* * * * 8", "day of week '8': 8 is outside 0-7"),
        ("* * * *", "a schedule has five fields, this has 4"),
        ("", "a schedule has five fields, this has 0"),
        ("@every 5m", "'@every 5m' is no time specifier of cron"),
        ("@DAILY", "'@DAILY' is no time specifier of cron; did you mean '@daily'?"),
    ],
)
def test_messages_name_field_and_text(text: str, message: str) -> None:
    with pytest.raises(BadExpression) as found:
        parse_expression(text)
    assert message in str(found.value)


@pytest.mark.parametrize(
    ("text", "either"),
    [("0 0 */2 * 1", False), ("0 0 1-31 * 1", True), ("0 0 *,10 * 1", False),
     ("0 0 10,* * 1", True), ("0 0 1 * *", False), ("0 0 1 * */2", False)],
)  # fmt: skip
def test_star_at_the_beginning_of_a_day_field_decides(text: str, either: bool) -> None:
    assert parse_expression(text).days.either is either


@pytest.mark.parametrize(("macro", "meant"), CRON_ALIASES.items())
def test_macros(macro: str, meant: str) -> None:
    one, other = parse_expression(macro), parse_expression(meant)
    assert (one.times, one.days) == (other.times, other.days)


@given(st.text(max_size=30) | st.text("0123456789*/-,~ @LWHa", max_size=20))
def test_any_text_is_a_schedule_or_refused(text: str) -> None:
    for dialect in Dialect:
        try:
            schedule = parse_expression(text, dialect)
        except BadExpression as error:
            sound = bool(str(error))
        else:
            sound = all(0 <= time < 1440 for time in schedule.times)
        assert sound
