"""`psops inventory`: the hosts and groups psops knows, where they come from and go to."""

from typing import TYPE_CHECKING, Annotated

import typer

from psops.cli import complete
from psops.cli import inventory_check as check
from psops.cli import inventory_edit as edit
from psops.cli import options as opt
from psops.cli.app import Answer, environment, epilog, verb_app, written
from psops.cli.shared import Shown, spread
from psops.errors import UsageError
from psops.exits import Exit

if TYPE_CHECKING:
    from psops.exporters import Selection

_CODES = (Exit.OK, Exit.USAGE, Exit.SOFTWARE, Exit.CONFIG)

app = verb_app(_CODES, "Show, check and edit hosts and groups.")


@app.command("list", epilog=epilog(_CODES))
@spread(without=("fold",))
def list_hosts(
    context: typer.Context,
    group: opt.Groups = None,
    hosts: opt.Hosts = None,
    exclude: opt.Exclude = None,
    inventory: opt.InventoryFile = None,
    *,
    shown: Shown,
) -> Answer:
    """List groups and hosts.

    With --hosts or --group, the hosts that these mean.
    """
    from psops.cli.target import load_inventory
    from psops.report.hosts import render_groups, render_hosts

    form = shown.checked_form()
    found = load_inventory(inventory)
    env = shown.environment(context)
    look = shown.look(env)
    if not (hosts or group or exclude):
        return Answer(render_groups(found, form, look), Exit.OK)
    everything = not (hosts or group)
    chosen = found.select(hosts or (), group or (), all_hosts=everything, exclude=exclude or ())
    return Answer(render_hosts(chosen, form, look), Exit.OK)


@app.command("show", epilog=epilog(_CODES))
@spread(without=("fold",))
def show_hosts(
    context: typer.Context,
    hosts: Annotated[
        list[str],
        typer.Argument(
            metavar="NODESET...", help="The hosts to show.", autocompletion=complete.hosts
        ),
    ],
    inventory: opt.InventoryFile = None,
    *,
    shown: Shown,
) -> Answer:
    """Show everything that holds for some hosts."""
    from psops.cli.target import load_inventory
    from psops.report.hosts import render_hosts

    form = shown.checked_form()
    chosen = load_inventory(inventory).named(hosts)
    env = shown.environment(context)
    look = shown.look(env)
    return Answer(render_hosts(chosen, form, look, full=True), Exit.OK)


app.command("check", epilog=epilog(check.CODES))(check.check_hosts)
app.command("add", epilog=epilog(edit.CODES))(edit.add_hosts)
app.command("remove", epilog=epilog(edit.CODES))(edit.remove_hosts)
app.command("import", epilog=epilog(edit.CODES))(edit.import_hosts)


@app.command("export", epilog=epilog(_CODES))
def export_hosts(
    context: typer.Context,
    form: Annotated[
        str,
        typer.Argument(metavar="FORMAT", help="What for.", autocompletion=complete.exporters),
    ],
    group: opt.Groups = None,
    hosts: opt.Hosts = None,
    exclude: opt.Exclude = None,
    port: Annotated[
        int,
        typer.Option(
            "--port", metavar="N", callback=opt.between(1, 65535), help="Of Prometheus' targets."
        ),
    ] = 9100,
    output: Annotated[
        str | None,
        typer.Option("-o", "--output", metavar="FILE", callback=opt.place, help="Write it there."),
    ] = None,
    inventory: opt.InventoryFile = None,
    debug: opt.Debug = False,
) -> Answer:
    """Give the hosts and groups to another tool.

    FORMAT is one of:
    ansible clustershell prometheus ssh-config json

    Without --hosts or --group: all of them.
    """
    from psops.exporters import export

    selection = _selection(inventory, hosts, group, exclude, port)
    text, notes = export(form, selection)
    for note in notes:
        typer.echo(f"psops: {note}", err=True)
    return written(text, Exit.OK, output)


@app.command("graph", epilog=epilog(_CODES))
def graph(
    context: typer.Context,
    group: opt.Groups = None,
    hosts: opt.Hosts = None,
    exclude: opt.Exclude = None,
    drawing: Annotated[
        str, typer.Option("--as", metavar="FORM", help="tree, mermaid or dot.")
    ] = "tree",
    output: Annotated[
        str | None,
        typer.Option("-o", "--output", metavar="FILE", callback=opt.place, help="Write it there."),
    ] = None,
    inventory: opt.InventoryFile = None,
    color: opt.Color = "auto",
    debug: opt.Debug = False,
) -> Answer:
    """Draw the groups with their hosts.

    As a tree, or for Mermaid or Graphviz.
    """
    from psops.nearest import did_you_mean
    from psops.report import Look
    from psops.report.inventory_graph import FORMS, draw

    if drawing not in FORMS:
        raise UsageError(f"no form {drawing!r}{did_you_mean(drawing, FORMS)}")
    selection = _selection(inventory, hosts, group, exclude, 0)
    env = environment(context, color)
    look = Look(color=env.color and output is None, width=env.width)
    return written(draw(selection, drawing, look), Exit.OK, output)


def _selection(
    inventory: str | None,
    hosts: list[str] | None,
    groups: list[str] | None,
    exclude: list[str] | None,
    port: int,
) -> "Selection":
    from psops.cli.target import load_inventory
    from psops.exporters import select

    found = load_inventory(inventory)
    names = [name for text in groups or () for name in text.split(",") if name]
    chosen = found.select(hosts or (), names, all_hosts=not (hosts or names), exclude=exclude or ())
    return select(found, chosen, port)
