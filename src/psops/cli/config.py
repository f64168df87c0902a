"""`psops config`: what is set, and by what."""

from typing import Any

import typer

from psops.cli.app import Answer, epilog, verb_app
from psops.cli.shared import Login, Shown, given, spread
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
@spread(without=("sudo", "accept_new_host_keys", "fold"))
def show(
    context: typer.Context,
    *,
    login: Login,
    shown: Shown,
) -> Answer:
    """Show every setting with its value and what has set it.

    That is an option, a variable of the environment, a file, or psops itself; an option
    is stronger than a variable, and a variable than a file. What holds for a single host
    is shown by psops inventory show.
    """
    from psops.cli.target import load_inventory
    from psops.report.machine import render_settings
    from psops.settings import settings

    form = shown.checked_form()
    env = shown.environment(context)
    told: dict[str, Any] = {option: context.params[name] for name, option in _OPTIONS.items()
                            if name in given(context)}  # fmt: skip
    if "--color" not in told and context.obj != "auto":
        told["--color"] = context.obj
    found = settings(load_inventory(login.inventory), login.inventory, told)
    look = shown.look(env)
    return Answer(render_settings(found, form, look))
