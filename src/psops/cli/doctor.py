"""`psops doctor`: whether this machine has what psops needs."""

import typer

from psops.cli import options as opt
from psops.cli.app import Answer, epilog, verb_app
from psops.cli.shared import Shown, spread
from psops.exits import Exit

_CODES = (Exit.OK, Exit.SOME_FAILED, Exit.USAGE, Exit.SOFTWARE)
app = verb_app()


@app.command(epilog=epilog(_CODES))
@spread(without=("fold",))
def doctor(
    context: typer.Context,
    inventory: opt.InventoryFile = None,
    ssh_config: opt.SshConfigFile = None,
    *,
    shown: Shown,
) -> Answer:
    """Find what keeps psops from its work on this machine.

    It says what to do about it. No host is asked. The exit code is 1 if something is critical.
    """
    from psops.cli.target import load_inventory
    from psops.doctor import Asked, examine
    from psops.report.machine import exit_code, render_doctor

    form = shown.checked_form()
    env = shown.environment(context)
    findings = examine(Asked(lambda: load_inventory(inventory), ssh_config))
    text = render_doctor(findings, form, shown.look(env))
    return Answer(text, exit_code(findings))
