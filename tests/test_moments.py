"""Moments that users type are meant in their own time zone, in summer and in winter."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from psops.moments import parse_moment


@pytest.fixture(autouse=True)
def zurich(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Put this process into a zone with summer time."""
    monkeypatch.setenv("TZ", "Europe/Zurich")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("text", "now", "utc"),
    [
        ("2026-11-20 10:00", "2026-11-21T08:00:00", "2026-11-20T09:00:00"),
        ("2026-07-20 10:00", "2026-11-21T08:00:00", "2026-07-20T08:00:00"),
        ("2026-07-20T10:00:00Z", "2026-11-21T08:00:00", "2026-07-20T10:00:00"),
        ("today", "2026-11-20T23:30:00", "2026-11-20T23:00:00"),
        ("yesterday", "2026-11-20T23:30:00", "2026-11-19T23:00:00"),
        # On the day on which summer time ends midnight still had it.
        ("today", "2026-10-25T12:00:00", "2026-10-24T22:00:00"),
        ("12:30", "2026-10-25T12:00:00", "2026-10-25T11:30:00"),
    ],
)
def test_a_moment(text: str, now: str, utc: str) -> None:
    there = datetime.fromisoformat(f"{now}+00:00").astimezone()
    found = datetime.fromtimestamp(parse_moment(text, "--since", there), UTC)
    assert f"{found:%Y-%m-%dT%H:%M:%S}" == utc
