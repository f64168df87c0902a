"""Where heartbeats are read from: the REST server of Rucio, or its database."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from psops.rucio.rows import Row


class Rows(NamedTuple):
    """The heartbeats, and how many more there were that made no sense."""

    rows: tuple[Row, ...]
    bad: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Something that heartbeats can be read from: what it is called, and how it is done.

    `read` takes a time-out in seconds and raises `HostError`.
    """

    name: str
    read: Callable[[float], Rows]
