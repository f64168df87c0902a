"""The results as data: rows of figures, and the aims they are held against."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

# Metric -> its heading and the format of its values, in the order of the columns.
METRICS: Mapping[str, tuple[str, str]] = {
    "wall_s": ("wall s", ".2f"),
    "wall_min_s": ("min", ".2f"),
    "wall_max_s": ("max", ".2f"),
    "cpu_ms": ("client CPU ms/host", ".1f"),
    "masters_ms": ("masters' CPU ms/host", ".1f"),
    "pss_mb": ("peak PSS MB", ".0f"),
    "near_ms": ("0 ms away: ms", ".0f"),
    "far_ms": ("50 ms away: ms", ".0f"),
    "round_trips": ("round trips", ".1f"),
    "rss_kb": ("RSS kB/host", ".0f"),
    "wall_ms": ("wall ms", ".0f"),
    "tasks": ("tasks", ".0f"),
    "beyond": ("beyond the login's", ".0f"),
}


@dataclass(frozen=True, slots=True)
class Row:
    """The figures of one way of doing a part's work; an error instead if it failed."""

    part: str
    name: str
    values: Mapping[str, float] = field(default_factory=dict)
    error: str = ""


class Figure(NamedTuple):
    """The name of one value: where it stands."""

    part: str
    row: str
    metric: str


class Aim(NamedTuple):
    """A value, perhaps divided by another one, and the most it may be."""

    figure: Figure
    limit: float
    over: Figure | None = None

    @property
    def title(self) -> str:
        """What is held against the limit."""
        if self.over is None:
            return f"{self.figure.part}: {self.figure.row}, {self.figure.metric}"
        return f"{self.figure.part}: {self.figure.metric}, {self.figure.row} / {self.over.row}"


class Judgement(NamedTuple):
    """An aim and what was measured, None if something needed is missing."""

    aim: Aim
    measured: float | None

    @property
    def met(self) -> bool:
        """Whether the aim was met."""
        return self.measured is not None and self.measured <= self.aim.limit


def _against(part: str, metric: str, row: str, others: Iterable[str], limit: float) -> list[Aim]:
    mine = Figure(part, row, metric)
    return [Aim(mine, limit, Figure(part, other, metric)) for other in others]


def _tab_aim(row: str, limit: float) -> Aim:
    return Aim(Figure("tab", row, "wall_ms"), limit, Figure("tab", "bare Typer program", "wall_ms"))


_FORKING = ("clush", "systemctl -H")
AIMS: tuple[Aim, ...] = (
    *_against("fleet", "wall_s", "psops -p", _FORKING, 0.36),
    *_against("fleet", "cpu_ms", "psops -p", _FORKING, 0.25),
    *_against("warm", "wall_s", "psops -p", _FORKING, 0.4),
    *_against("hosts100", "wall_s", "psops -p", ["clush"], 0.36),
    *_against("hosts100", "cpu_ms", "psops -p", ["clush"], 0.25),
    Aim(Figure("wan", "psops -p", "round_trips"), 11.0),
    Aim(Figure("processes", "psops", "beyond"), 0.0),
    Aim(Figure("demo", "psops", "cpu_ms"), 8.0),
    Aim(Figure("demo", "psops", "rss_kb"), 100.0),
    *_against("start", "wall_ms", "psops --version", ["bare Typer program"], 1.25),
    *_against("start", "wall_ms", "psops status UNIT", ["bare Typer program"], 2.2),
    *(_tab_aim(row, 0.5) for row in ("verbs", "options", "formats")),
    *(_tab_aim(row, 1.3) for row in ("hosts", "groups", "bundles", "units")),
)


def judge(rows: Iterable[Row], parts: Iterable[str]) -> list[Judgement]:
    """Return how the rows meet the aims of these parts."""
    values = {
        Figure(row.part, row.name, metric): value
        for row in rows
        for metric, value in row.values.items()
    }
    wanted = set(parts)
    judged = []
    for aim in AIMS:
        if aim.figure.part in wanted:
            measured = values.get(aim.figure)
            if measured is not None and aim.over is not None:
                over = values.get(aim.over)
                measured = measured / over if over else None
            judged.append(Judgement(aim, measured))
    return judged
