"""`psops bundle verify`: a verdict on what the hosts of a role must run."""

from collections.abc import Callable
from typing import Annotated

import typer

from psops.cli import complete
from psops.cli.app import Answer
from psops.cli.shared import Judged, Target, spread
from psops.exits import Exit

CODES = (
    Exit.OK, Exit.SOME_FAILED, Exit.USAGE, Exit.UNAVAILABLE, Exit.SOFTWARE, Exit.CONFIG,
    Exit.INTERRUPTED, Exit.TERMINATED,
)  # fmt: skip


@spread(without=("user",))
def verify(
    context: typer.Context,
    bundles: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[BUNDLE]...",
            help="What to expect; else as the inventory says, else as the host looks.",
            autocompletion=complete.bundles,
        ),
    ] = None,
    checks: Annotated[
        str,
        typer.Option(
            "--checks", metavar="WHICH", help="units, all, or names of checks beside the units."
        ),
    ] = "units",
    *,
    target: Target,
    judged: Judged,
) -> Answer:
    """Prove that hosts run what their role must run.

    Units are judged by rules that know what systemd alone hides. A host that cannot
    be read is unknown, never ok.
    """
    from psops import verify as verb
    from psops.catalogue import Catalogue
    from psops.cli.progress import progress_bar
    from psops.errors import UsageError
    from psops.nearest import did_you_mean

    form = judged.checked_form()
    catalogue = Catalogue.load()
    wanted = tuple(checks.split(","))
    for name in wanted:
        if name not in ("units", "all", *catalogue.checks):
            near = did_you_mean(name, ["units", "all", *catalogue.checks])
            raise UsageError(f"no check {name!r}{near}")
    request = verb.Request(
        catalogue=catalogue,
        bundles=tuple(catalogue.bundle(name).name for name in bundles or ()),
        checks=wanted,
        fail_on=judged.fail_on,
    )
    chosen, options = target.select()
    env = judged.environment(context)
    if form == "jsonl" and judged.output is None:
        from psops.fanout import Outcome
        from psops.report.aimed import advise_host
        from psops.report.verify_jsonl import render_host_line
        from psops.verdict import HostVerdict

        def stream(show: Callable[[str], bool]) -> Exit:
            def tell(outcome: Outcome[HostVerdict]) -> None:
                show(render_host_line(advise_host(outcome, env.aim)))

            return verb.report(chosen, request, options, width=target.fanout, progress=tell).exit

        return Answer(stream=stream)
    with progress_bar(env, len(chosen)) as progress:
        report = verb.report(chosen, request, options, width=target.fanout, progress=progress)
    return judged.answer(env, report, hosts=len(chosen))
