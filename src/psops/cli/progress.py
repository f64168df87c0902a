"""A bar on stderr while hosts answer, for a person who watches."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from psops.environment import Environment


@contextmanager
def progress_bar(env: Environment, total: int) -> Iterator[Callable[[Any], None]]:
    """Give a function to call with each outcome; no bar off a terminal or for one host."""
    if total < 2 or not env.stderr.isatty():
        yield lambda outcome: None
        return
    try:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeElapsedColumn,
        )
    except ImportError:  # the build that is a single file goes without
        yield lambda outcome: None
        return

    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("hosts"), TimeElapsedColumn(),
               TextColumn("{task.fields[bad]}"))  # fmt: skip
    with Progress(*columns, console=Console(file=env.stderr), transient=True) as bar:
        task = bar.add_task("hosts", total=total, bad="")
        bad = 0

        def advance(outcome: Any) -> None:
            nonlocal bad
            bad += outcome.error is not None
            bar.update(task, advance=1, bad=f"{bad} not read" if bad else "")

        yield advance
