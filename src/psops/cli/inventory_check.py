"""`psops inventory check`: the way to every host, step by step."""

from dataclasses import replace
from typing import Annotated

import typer

from psops.cli import options as opt
from psops.cli.app import Answer
from psops.cli.shared import Shown, Target, spread
from psops.exits import Exit

CODES = (
    Exit.OK, Exit.SOME_FAILED, Exit.USAGE, Exit.UNAVAILABLE, Exit.SOFTWARE, Exit.CONFIG,
    Exit.INTERRUPTED, Exit.TERMINATED,
)  # fmt: skip


@spread(without=("machine", "user", "fold"))
def check_hosts(
    context: typer.Context,
    no_clock: Annotated[
        bool,
        typer.Option("--no-clock", help="Leave the clock, which starts systemd-timedated there."),
    ] = False,
    max_skew: Annotated[
        float,
        typer.Option(
            "--max-skew",
            metavar="SECONDS",
            callback=opt.between(0, opt.DAYS),
            help="Another time than ours.",
        ),
    ] = 1.0,
    *,
    target: Target,
    shown: Shown,
) -> Answer:
    """Connect to hosts, and tell for each how far one comes.

    Resolving the name, TCP, the SSH greeting, the host key, the login, the bus and
    systemd, with the time each takes; who one is there, whether one may change units,
    and whether the clocks agree. What fails is told with what helps.

    Without --hosts or --group: all hosts of the inventory.
    """
    from psops.cli.progress import progress_bar
    from psops.reach import report
    from psops.report.reach import render_reach

    form = shown.checked_form()
    everywhere = target.all_hosts or not (target.hosts or target.group)
    chosen, options = replace(target, all_hosts=everywhere).select()
    env = shown.environment(context)
    with progress_bar(env, len(chosen)) as progress:
        found = report(
            chosen, options, clock=not no_clock, limit=max_skew, width=target.fanout,
            progress=progress,
        )  # fmt: skip
    return Answer(render_reach(found, form, shown.look(env)), found.exit)
