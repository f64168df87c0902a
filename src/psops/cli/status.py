"""`psops status`: what runs, on this host, in a container, on a fleet."""

from typing import Annotated

import typer

from psops.cli import complete
from psops.cli import options as opt
from psops.cli.app import Answer, epilog, verb_app
from psops.cli.shared import Shown, Target, spread
from psops.exits import Exit

_CODES = (
    Exit.OK, Exit.SOME_FAILED, Exit.USAGE, Exit.NOT_RUNNING, Exit.UNKNOWN_UNIT,
    Exit.UNAVAILABLE, Exit.SOFTWARE, Exit.CONFIG, Exit.INTERRUPTED, Exit.TERMINATED,
)  # fmt: skip


app = verb_app()


@app.command(epilog=epilog(_CODES))
@spread()
def status(
    context: typer.Context,
    units: opt.Units = None,
    failed: Annotated[bool, typer.Option("--failed", help="Short for --state failed.")] = False,
    state: Annotated[
        list[str] | None,
        typer.Option(
            "--state",
            metavar="STATE,...",
            help="Only units in a load, active, sub state.",
            autocompletion=complete.states,
        ),
    ] = None,
    kind: Annotated[
        list[str] | None,
        typer.Option(
            "-t",
            "--type",
            metavar="TYPE,...",
            help="Only service, timer, socket ...",
            autocompletion=complete.types,
        ),
    ] = None,
    properties: Annotated[
        list[str] | None,
        typer.Option(
            "-p",
            "--properties",
            metavar="NAME,...",
            help="Show these, as systemd names.",
            autocompletion=complete.properties,
        ),
    ] = None,
    lines: Annotated[
        int,
        typer.Option(
            "-n",
            "--lines",
            metavar="N",
            help="Log lines of each failed unit.",
            callback=opt.between(0, 1_000_000),
            show_default=False,
        ),
    ] = 0,
    *,
    target: Target,
    shown: Shown,
) -> Answer:
    """Show what runs here, in a container, or on many hosts.

    Without UNIT: the state of each host, and the units that are not right. One UNIT
    on one host is shown in full.
    """
    from psops import status as verb
    from psops.cli.progress import progress_bar
    from psops.report import render

    form = shown.checked_form()
    chosen, options = target.select()
    folded = shown.folded(len(chosen))
    query = verb.parse_query(
        units or (),
        states=[*_words(state), *(["failed"] if failed else [])],
        types=_words(kind),
        properties=_words(properties),
        lines=lines,
        brief=folded and form == "table",
    )
    env = shown.environment(context)
    with progress_bar(env, len(chosen)) as progress:
        report = verb.report(chosen, query, options, width=target.fanout, progress=progress)
    return Answer(render(report, form, shown.look(env, fold=folded)), report.exit)


def _words(values: list[str] | None) -> list[str]:
    return [word for value in values or () for word in value.split(",") if word]
