"""`psops inventory check`: the way to every host, step by step."""

from typing import Annotated

import typer

from psops.cli import options as opt
from psops.cli.app import Answer, environment
from psops.exits import Exit

CODES = (
    Exit.OK, Exit.SOME_FAILED, Exit.USAGE, Exit.UNAVAILABLE, Exit.SOFTWARE, Exit.CONFIG,
    Exit.INTERRUPTED, Exit.TERMINATED,
)  # fmt: skip


def check_hosts(
    context: typer.Context,
    hosts: opt.Hosts = None,
    group: opt.Groups = None,
    all_hosts: opt.AllHosts = False,
    exclude: opt.Exclude = None,
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
    inventory: opt.InventoryFile = None,
    fanout: opt.Fanout = 64,
    connect_timeout: opt.ConnectTimeout = 10.0,
    timeout: opt.Timeout = 30.0,
    sudo: opt.Sudo = False,
    accept_new_host_keys: opt.AcceptNewHostKeys = False,
    ssh_config: opt.SshConfigFile = None,
    form: opt.Format = "table",
    as_json: opt.AsJson = False,
    color: opt.Color = "auto",
    debug: opt.Debug = False,
) -> Answer:
    """Connect to hosts, and tell for each how far one comes.

    Resolving the name, TCP, the SSH greeting, the host key, the login, the bus and
    systemd, with the time each takes; who one is there, whether one may change units,
    and whether the clocks agree. What fails is told with what helps.

    Without --hosts or --group: all hosts of the inventory.
    """
    from psops.cli.progress import progress_bar
    from psops.cli.target import select
    from psops.reach import report
    from psops.report import Look, check_format
    from psops.report.reach import render_reach
    from psops.transport import Options

    form = check_format("json" if as_json else form)
    chosen, options = select(
        inventory=inventory,
        hosts=hosts or (),
        groups=group or (),
        all_hosts=all_hosts or not (hosts or group),
        exclude=exclude or (),
        machine=None,
        user_bus=False,
        options=Options(
            connect_timeout=connect_timeout,
            timeout=timeout,
            accept_new_host_keys=accept_new_host_keys,
            sudo=sudo,
            ssh_config=ssh_config,
        ),
    )
    env = environment(context, color)
    with progress_bar(env, len(chosen)) as progress:
        found = report(
            chosen, options, clock=not no_clock, limit=max_skew, width=fanout, progress=progress
        )
    look = Look(color=env.color, width=env.width)
    return Answer(render_reach(found, form, look), found.exit)
