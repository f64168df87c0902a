"""Renderers: a report in, text out. The registry feeds `--format` and its help."""

from dataclasses import dataclass
from importlib import import_module
from typing import Any

from psops.environment import HERE, Aim
from psops.errors import UsageError
from psops.report.model import StatusReport

#: Format -> module with `render(report, look) -> str`, imported when used.
FORMATS: dict[str, str] = {
    "table": "psops.report.table",
    "json": "psops.report.json",
    "jsonl": "psops.report.jsonl",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How a report is to be shown: colour, width in columns (None: any), folded hosts, and what
    the commands that it suggests are aimed at."""

    color: bool = False
    width: int | None = None
    fold: bool = False
    aim: Aim = HERE


def render(report: StatusReport, form: str, look: Look) -> str:
    """Return the report as text, ending with a newline."""
    module: Any = import_module(FORMATS[form])
    text: str = module.render(report, look)
    return text


def check_format(form: str) -> str:
    """Return the format if there is one of this name; raises `UsageError`."""
    if form not in FORMATS:
        from psops.nearest import nearest_or_all

        raise UsageError(f"no format {form!r}{nearest_or_all(form, FORMATS)}")
    return form
