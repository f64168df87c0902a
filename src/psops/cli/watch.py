"""`psops watch`: what runs where, live."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from psops.cli import complete
from psops.cli import options as opt
from psops.cli.app import Answer, epilog, verb_app
from psops.cli.shared import Colored, Target, spread
from psops.errors import UsageError
from psops.exits import Exit

if TYPE_CHECKING:
    from psops.inventory import Host
    from psops.watch.feed import Chooser

_CODES = (
    Exit.OK, Exit.USAGE, Exit.UNAVAILABLE, Exit.SOFTWARE, Exit.CONFIG, Exit.INTERRUPTED,
    Exit.TERMINATED,
)  # fmt: skip

app = verb_app()


@app.command(epilog=epilog(_CODES))
@spread()
def watch(
    context: typer.Context,
    units: opt.Units = None,
    bundle: opt.Bundle = None,
    initial: Annotated[
        bool, typer.Option("--initial", help="Lines: tell the first states, too.")
    ] = False,
    seconds: Annotated[
        float | None,
        typer.Option(
            "--for",
            metavar="SECONDS",
            help="End after this time.",
            callback=opt.between(0, opt.DAYS),
        ),
    ] = None,
    read_only: Annotated[
        bool, typer.Option("--read-only", help="Screen: no key changes anything.")
    ] = False,
    *,
    target: Target,
    form: Annotated[
        str | None,
        typer.Option(
            "--format",
            metavar="FORMAT",
            help="lines or jsonl, as without a terminal; else a screen.",
            autocompletion=complete.watch_formats,
        ),
    ] = None,
    shown: Colored,
) -> Answer:
    """Watch units change, on a screen or as lines.

    Without UNIT: the daemons that the inventory says a host must run, else all its
    services. Hosts tell their changes by themselves; none is polled. Keys: press ?.
    """
    from psops.client import prepare
    from psops.watch.lines import FORMATS
    from psops.watch.start import Setting, as_lines, is_terminal, on_screen, raise_file_limit

    if form is not None and form not in FORMATS:
        from psops.nearest import nearest_or_all

        raise UsageError(f"no format {form!r}{nearest_or_all(form, FORMATS)}")
    chosen, options = target.select(lasting=True)
    choose = _chooser(chosen, units or [], bundle, target.timeout)
    env = shown.environment(context)
    prepare(chosen, options)
    raise_file_limit()
    begin = Setting(hosts=chosen, choose=choose, options=options, width=target.fanout,
                    seconds=seconds, aim=env.aim)  # fmt: skip
    if form is None and is_terminal():
        source = target.source()
        return Answer(stream=lambda show: on_screen(begin, show, source, color=env.color,
                                                    read_only=read_only))  # fmt: skip
    return Answer(stream=lambda show: as_lines(begin, show, _say, form or "lines",
                                               initial=initial))  # fmt: skip


def _say(text: str) -> None:
    typer.echo(f"psops: {text}", err=True)


def _chooser(
    hosts: "Sequence[Host]", units: list[str], bundle: str | None, timeout: float
) -> "Chooser":
    """Return what says which units of a host are meant; raises `UsageError`, and `ConfigError`
    for a wrong catalogue, now and not host by host."""
    from psops.systemd.names import check_instances, parse_units
    from psops.watch.choose import Daemons, Everything, Named

    if units and bundle:
        raise UsageError("--bundle goes with no units")
    if units:
        names, globs = parse_units(units)
        check_instances(names)
        return Named(names, globs)
    if not bundle and not any(host.bundles for host in hosts):
        return Everything()
    from psops.catalogue import Catalogue

    catalogue = Catalogue.load()
    return Daemons(catalogue, catalogue.bundle(bundle).name if bundle else "", timeout)
