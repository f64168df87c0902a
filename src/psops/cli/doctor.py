"""`psops doctor`: whether this machine has what psops needs."""

import typer

from psops.cli import options as opt
from psops.cli.app import Answer, environment, epilog, verb_app
from psops.exits import Exit

_CODES = (Exit.OK, Exit.SOME_FAILED, Exit.USAGE, Exit.SOFTWARE)
app = verb_app()


@app.command(epilog=epilog(_CODES))
def doctor(
    context: typer.Context,
    inventory: opt.InventoryFile = None,
    ssh_config: opt.SshConfigFile = None,
    form: opt.Format = "table",
    as_json: opt.AsJson = False,
    color: opt.Color = "auto",
    debug: opt.Debug = False,
) -> Answer:
    """Find what keeps psops from its work on this machine.

    It says what to do about it. No host is asked. The exit code is 1 if something is critical.
    """
    from psops.cli.target import load_inventory
    from psops.doctor import Asked, examine
    from psops.report import Look, check_format
    from psops.report.machine import exit_code, render_doctor

    form = check_format("json" if as_json else form)
    env = environment(context, color)
    findings = examine(Asked(lambda: load_inventory(inventory), ssh_config))
    text = render_doctor(findings, form, Look(color=env.color, width=env.width))
    return Answer(text, exit_code(findings))
