"""`psops inventory`: which hosts and groups psops knows, and what it knows of them."""

from typing import Annotated

import typer

from psops.cli import complete
from psops.cli import options as opt
from psops.cli.app import Answer, environment, epilog, verb_app
from psops.exits import Exit

_CODES = (Exit.OK, Exit.USAGE, Exit.SOFTWARE, Exit.CONFIG)

app = verb_app(_CODES, "Show the hosts and groups of the inventory.")


@app.command("list", epilog=epilog(_CODES))
def list_hosts(
    context: typer.Context,
    group: opt.Groups = None,
    hosts: opt.Hosts = None,
    exclude: opt.Exclude = None,
    inventory: opt.InventoryFile = None,
    form: opt.Format = "table",
    as_json: opt.AsJson = False,
    color: opt.Color = "auto",
    debug: opt.Debug = False,
) -> Answer:
    """List groups and hosts; with --hosts or --group, the hosts these mean."""
    from psops.cli.target import load_inventory
    from psops.report import Look, check_format
    from psops.report.hosts import render_groups, render_hosts

    form = check_format("json" if as_json else form)
    found = load_inventory(inventory)
    env = environment(context, color)
    look = Look(color=env.color, width=env.width)
    if not (hosts or group or exclude):
        return Answer(render_groups(found, form, look), Exit.OK)
    everything = not (hosts or group)
    chosen = found.select(hosts or (), group or (), all_hosts=everything, exclude=exclude or ())
    return Answer(render_hosts(chosen, form, look), Exit.OK)


@app.command("show", epilog=epilog(_CODES))
def show_hosts(
    context: typer.Context,
    hosts: Annotated[
        list[str],
        typer.Argument(
            metavar="NODESET...", help="The hosts to show.", autocompletion=complete.hosts
        ),
    ],
    inventory: opt.InventoryFile = None,
    form: opt.Format = "table",
    as_json: opt.AsJson = False,
    color: opt.Color = "auto",
    debug: opt.Debug = False,
) -> Answer:
    """Show everything that holds for some hosts."""
    from psops.cli.target import load_inventory
    from psops.report import Look, check_format
    from psops.report.hosts import render_hosts

    form = check_format("json" if as_json else form)
    chosen = load_inventory(inventory).select(hosts)
    env = environment(context, color)
    look = Look(color=env.color, width=env.width)
    return Answer(render_hosts(chosen, form, look, full=True), Exit.OK)
