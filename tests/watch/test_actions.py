"""What is told of a change that is over."""

from types import SimpleNamespace
from typing import Any

from psops.errors import HistoryError
from psops.watch.actions import Done, summary


def report(*results: str) -> Any:
    """Return the report of a run on one host."""
    value = SimpleNamespace(units=[SimpleNamespace(result=result) for result in results])
    return SimpleNamespace(run=1, outcomes=[SimpleNamespace(value=value, error=None)])


def test_change_that_ends_half_way_tells_what_was_made() -> None:
    told = summary(Done("restart", (report("changed"),), HistoryError("no room")))
    assert told == "run 1: restart: 1 changed; the rest was not restarted: no room"


def test_change_that_could_not_begin_made_nothing() -> None:
    told = summary(Done("stop", (), HistoryError("no room")))
    assert told == "nothing was stopped: no room"
