"""What a translation gives: the daemons, and for each line of the crontabs what became of it."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from psops.cron.crontab import Disabled, Doubt, Refused

#: The attributes of a daemon in the order of the guide's examples.
ATTRIBUTES = ("enable", "module", "arguments", "period", "timeout", "sync", "loop")


def default_timeout(period: int) -> int:
    """Return the timeout PanDA takes where none is given.

    >>> default_timeout(1800), default_timeout(1801), default_timeout(2400)
    (5400, 5401, 6000)
    """
    return min(3 * period, period + 3600)


@dataclass(frozen=True, slots=True, kw_only=True)
class Daemon:
    """One daemon as it is to be configured.

    `exact` is the period before rounding; `servers` how many run it, of all.
    """

    name: str
    module: str
    arguments: tuple[str, ...] = ()
    period: int
    exact: Fraction
    timeout: int | None = None
    sync: bool = False
    servers: int = 1

    @property
    def effective_timeout(self) -> int:
        """The seconds after which PanDA kills a run."""
        return default_timeout(self.period) if self.timeout is None else self.timeout

    def attributes(self) -> dict[str, Any]:
        """Return what differs from PanDA's defaults, in the order of the guide."""
        values: dict[str, Any] = {"period": self.period}
        if self.module != self.name:
            values["module"] = self.module
        if self.arguments:
            values["arguments"] = list(self.arguments)
        if self.timeout is not None:
            values["timeout"] = self.timeout
        if self.sync:
            values["sync"] = True
        return {key: values[key] for key in ATTRIBUTES if key in values}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One job of a crontab in the report.

    `per_day` and `gaps` (seconds, how often in `cycle_days`) are of this line alone, on one
    server. `rules` are those of the specification that decided. `result` says in words what
    became of it. `notes` are for information, `warnings` for somebody to look at.
    """

    source: str
    line: int
    server: str
    expression: str
    words: str
    per_day: Fraction
    cycle_days: int
    gaps: tuple[tuple[int, int], ...]
    gaps_text: str
    daemon: str
    rules: tuple[str, ...]
    result: str
    refused: bool = False
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A daemon that nobody asked to synchronize, and what would become of it.

    `upstream`: PanDA's own configuration synchronizes it. `exact` is the period in which any
    server would start it, `sync_period` what would be written. `kept`: R6 would leave it alone.
    """

    name: str
    period: int
    sync_period: int
    exact: Fraction
    upstream: bool
    kept: bool

    def __str__(self) -> str:
        if self.kept:
            end = f"would stay unsynced at {self.period} s, for {self.sync_period} s is too short"
        else:
            end = f"would become {self.sync_period} s, sync"
        origin = "; upstream synchronizes it" if self.upstream else ""
        return f"--sync {self.name}: {self.period} s {end}{origin}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Translation:
    """The whole. `notes` and `warnings` concern no single line; `servers` is N."""

    servers: int
    daemons: tuple[Daemon, ...] = ()
    rows: tuple[Row, ...] = ()
    refused: tuple[Refused, ...] = ()
    doubtful: tuple[Doubt, ...] = ()
    disabled: tuple[Disabled, ...] = ()
    candidates: tuple[Candidate, ...] = ()
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def config(self) -> dict[str, dict[str, Any]]:
        """Return the value of `config` in [daemon]: names with their attributes."""
        return {daemon.name: daemon.attributes() for daemon in self.daemons}
