"""A unit that is read in full, and read again as it changes."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from psops.transport import Options
from psops.watch.board import Place
from psops.watch.details import Details
from psops.watch.model import Fleet


class Waiting:
    """A feed of one host whose workers do nothing until they are told."""

    def __init__(self) -> None:
        self.fleet = Fleet(["h"])
        self.workers = self
        self.thens: list[Callable[[object], None]] = []

    def connection(self, name: str) -> object:
        return SimpleNamespace()

    def do(self, work: Callable[[], object], then: Callable[[object], None]) -> None:
        self.thens.append(then)


def test_changes_while_a_unit_is_read_are_one_more_read_after_it() -> None:
    feed: Any = Waiting()
    details = Details(feed, Options())
    shown: list[str] = []
    for name in ("first", "second", "third"):
        details.read(Place("h", "a.service"), False,
                     lambda lines, name=name: shown.append(f"{name} {lines[0]}"))  # type: ignore[misc]  # fmt: skip
    assert len(feed.thens) == 1
    feed.thens.pop()(["old"])
    assert len(feed.thens) == 1
    feed.thens.pop()(["new"])
    assert feed.thens == []
    assert shown == ["first old", "third new"]


def test_units_are_read_beside_each_other() -> None:
    feed: Any = Waiting()
    details = Details(feed, Options())
    for unit in ("a.service", "b.service"):
        details.read(Place("h", unit), False, lambda lines: None)
    assert len(feed.thens) == 2
