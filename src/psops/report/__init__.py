"""Renderers: a report in, text out. The registry feeds `--format` and its help."""

from dataclasses import dataclass
from importlib import import_module
from typing import Any

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
    """How a report is to be shown: colour, width in columns (None: any), folded hosts."""

    color: bool = False
    width: int | None = None
    fold: bool = False


def render(report: StatusReport, form: str, look: Look) -> str:
    """Return the report as text, ending with a newline."""
    module: Any = import_module(FORMATS[form])
    text: str = module.render(report, look)
    return text


def check_format(form: str) -> str:
    """Return the format if there is one of this name; raises `UsageError`."""
    if form not in FORMATS:
        from psops.nearest import did_you_mean

        raise UsageError(f"no format {form!r}{did_you_mean(form, FORMATS)}")
    return form
