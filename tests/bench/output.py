"""The results as text: Markdown for people, JSON for programs."""

import json
from collections.abc import Iterable, Mapping, Sequence

from tests.bench.figures import METRICS, Judgement, Row

WORDS = {True: "met", False: "**missed**"}


def render_markdown(
    rows: Sequence[Row], judged: Sequence[Judgement], facts: Mapping[str, str]
) -> str:
    """Return a table for each part and one for the aims."""
    blocks = ["\n".join(f"- {name}: {value}" for name, value in facts.items())]
    for part in dict.fromkeys(row.part for row in rows):
        blocks.append(f"## {part}\n\n" + _render_part([row for row in rows if row.part == part]))
    if judged:
        lines = [[one.aim.title, _number(one.measured), f"{one.aim.limit:g}", WORDS[one.met]]
                 for one in judged]  # fmt: skip
        blocks.append("## aims\n\n" + _table(["aim", "measured", "limit", ""], lines))
    return "\n\n".join(blocks) + "\n"


def render_json(rows: Sequence[Row], judged: Sequence[Judgement], facts: Mapping[str, str]) -> str:
    """Return the same as an object."""
    content = {
        "facts": dict(facts),
        "rows": [
            {"part": row.part, "name": row.name, "error": row.error or None, **row.values}
            for row in rows
        ],
        "aims": [
            {"title": one.aim.title, "measured": one.measured, "limit": one.aim.limit,
             "met": one.met}
            for one in judged
        ],
    }  # fmt: skip
    return json.dumps(content, indent=1) + "\n"


def _render_part(rows: Sequence[Row]) -> str:
    metrics = [name for name in METRICS if any(name in row.values for row in rows)]
    first = {name: next(row.values[name] for row in rows if name in row.values) for name in metrics}
    heading = ["", *(METRICS[name][0] for name in metrics)]
    ratio = next((name for name in ("wall_s", "wall_ms") if name in metrics), None)
    heading += ["wall x"] if ratio else []
    lines = []
    for row in rows:
        if row.error:
            lines.append([row.name, *["failed"] * (len(heading) > 1)])
            continue
        cells = [
            format(row.values[name], METRICS[name][1]) if name in row.values else ""
            for name in metrics
        ]
        if ratio:
            cells.append(f"{row.values[ratio] / first[ratio]:.2f}")
        lines.append([row.name, *cells])
    errors = [f"\n- {row.name}: {row.error}" for row in rows if row.error]
    return _table(heading, lines) + "".join(["\n", *errors] if errors else [])


def _number(value: float | None) -> str:
    return "not measured" if value is None else f"{value:.2f}"


def _table(heading: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    padded = [[*line, *[""] * (len(heading) - len(line))] for line in lines]
    widths = [max(len(line[at]) for line in [heading, *padded]) for at in range(len(heading))]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]

    def join(cells: Sequence[str]) -> str:
        first = cells[0].ljust(widths[0])
        rest = (cell.rjust(width) for cell, width in zip(cells[1:], widths[1:], strict=True))
        return "| " + " | ".join([first, *rest]) + " |"

    return "\n".join(join(line) for line in [heading, rule, *padded])
