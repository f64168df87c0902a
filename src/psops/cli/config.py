"""`psops config`: what is set, and by what."""

from typing import Any

import typer

from psops.cli import options as opt
from psops.cli.app import Answer, environment, epilog, verb_app
from psops.exits import Exit

_CODES = (Exit.OK, Exit.USAGE, Exit.SOFTWARE, Exit.CONFIG)
#: Parameter of the function -> the option as the report calls it.
_OPTIONS = {
    "fanout": "--fanout", "connect_timeout": "--connect-timeout", "timeout": "--timeout",
    "color": "--color", "ssh_config": "--ssh-config",
}  # fmt: skip
app = verb_app(_CODES, "Show how psops is set, and by what.")


@app.callback()
def config() -> None:
    """Show how psops is set, and by what."""


@app.command("show", epilog=epilog(_CODES))
def show(
    context: typer.Context,
    inventory: opt.InventoryFile = None,
    ssh_config: opt.SshConfigFile = None,
    fanout: opt.Fanout = 64,
    connect_timeout: opt.ConnectTimeout = 10.0,
    timeout: opt.Timeout = 30.0,
    form: opt.Format = "table",
    as_json: opt.AsJson = False,
    color: opt.Color = "auto",
    debug: opt.Debug = False,
) -> Answer:
    """Show every setting with its value and what has set it.

    That is an option, a variable of the environment, a file, or psops itself; an option
    is stronger than a variable, and a variable than a file. What holds for a single host
    is shown by psops inventory show.
    """
    from psops.cli.target import load_inventory
    from psops.report import Look, check_format
    from psops.report.machine import render_settings
    from psops.settings import settings

    form = check_format("json" if as_json else form)
    env = environment(context, color)
    given: dict[str, Any] = {}
    for name, option in _OPTIONS.items():
        source = context.get_parameter_source(name)
        if source is not None and source.name == "COMMANDLINE":
            given[option] = context.params[name]
    if "--color" not in given and context.obj != "auto":
        given["--color"] = context.obj
    found = settings(load_inventory(inventory), inventory, given)
    look = Look(color=env.color, width=env.width)
    return Answer(render_settings(found, form, look))
