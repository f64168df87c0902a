"""`psops history`: which units psops changed, when, for whom, and what became of it."""

from typing import TYPE_CHECKING, Annotated

import typer

from psops.cli import complete
from psops.cli import options as opt
from psops.cli.app import Answer, epilog, verb_app
from psops.cli.shared import Shown, spread
from psops.errors import UsageError
from psops.exits import Exit
from psops.moments import EXAMPLES, parse_moment

if TYPE_CHECKING:
    from psops.history import History

_CODES = (Exit.OK, Exit.USAGE, Exit.SOFTWARE, Exit.CANNOT_RECORD)
#: More than anybody reads.
_MOST = 100_000

app = verb_app(_CODES, "Show what psops changed: the last runs, or one in full.")


@app.callback(invoke_without_command=True, no_args_is_help=False)
@spread(without=("fold",))
def list_runs(
    context: typer.Context,
    host: Annotated[
        str | None,
        typer.Option(
            "--host",
            metavar="GLOB",
            help="Runs on such a host.",
            autocompletion=complete.host_names,
        ),
    ] = None,
    unit: Annotated[
        str | None,
        typer.Option(
            "--unit",
            metavar="GLOB",
            help="Runs that changed such a unit.",
            autocompletion=complete.units,
        ),
    ] = None,
    since: Annotated[
        str | None, typer.Option("--since", metavar="TIME", help=f"Runs since then: {EXAMPLES}.")
    ] = None,
    failed: Annotated[
        bool, typer.Option("--failed", help="Runs that failed in part, or were not ended.")
    ] = False,
    limit: Annotated[
        int,
        typer.Option(
            "-n", "--limit", metavar="N", callback=opt.between(1, _MOST), help="The last N runs."
        ),
    ] = 20,
    *,
    shown: Shown,
) -> Answer | None:
    """Show what psops changed: the last runs, or one in full."""
    if context.invoked_subcommand is not None:
        if (host, unit, since, failed, limit, shown) != (None, None, None, False, 20, Shown()):
            raise UsageError(f"options go behind '{context.invoked_subcommand}'")
        return None
    from psops.report.history import render_runs

    form = shown.checked_form()
    moment = None if since is None else parse_moment(since, "--since")
    env = shown.environment(context)
    look = shown.look(env)
    history = _open()
    nothing = "no change is recorded yet"
    if history is None:
        return Answer(render_runs((), nothing, form, look), Exit.OK)
    try:
        runs = history.runs(host=host, unit=unit, since=moment, failed=failed, limit=limit)
    finally:
        history.close()
    if host is not None or unit is not None or since is not None or failed:
        nothing = "no such run"
    return Answer(render_runs(runs, nothing, form, look), Exit.OK)


@app.command("show", epilog=epilog(_CODES))
@spread(without=("fold",))
def show_run(
    context: typer.Context,
    number: Annotated[
        str,
        typer.Argument(
            metavar="ID", help="Number of the run, or 'last'.", autocompletion=lambda: ["last"]
        ),
    ],
    *,
    shown: Shown,
) -> Answer:
    """Show one run with all its hosts and units.

    'last' is the last one of this user.
    """
    from psops.report.history import render_run

    form = shown.checked_form()
    if number != "last" and not (number.isascii() and number.isdigit()):
        raise UsageError(f"'{number}' is not the number of a run, nor 'last'")
    env = shown.environment(context)
    history = _open()
    run = None
    if history is not None:
        try:
            run = history.last() if number == "last" else history.run(int(number[:20]))
        finally:
            history.close()
    if run is None:
        which = "last run" if number == "last" else f"run {number}"
        raise UsageError(f"the history has no {which}", remedy="psops history")
    return Answer(render_run(run, form, shown.look(env)), Exit.OK)


def _open() -> "History | None":
    from psops.history import History

    return History.read()
