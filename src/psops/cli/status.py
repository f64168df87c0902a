"""`psops status`: what runs, on this host, in a container, on a fleet."""

from typing import Annotated

import typer

from psops.cli import complete
from psops.cli import options as opt
from psops.cli.app import Answer, environment, epilog, verb_app
from psops.exits import Exit

#: Folded beyond this many hosts, unless the user says otherwise.
_FOLD_BEYOND = 8

_CODES = (
    Exit.OK, Exit.SOME_FAILED, Exit.USAGE, Exit.NOT_RUNNING, Exit.UNKNOWN_UNIT,
    Exit.UNAVAILABLE, Exit.SOFTWARE, Exit.CONFIG, Exit.INTERRUPTED, Exit.TERMINATED,
)  # fmt: skip


app = verb_app()


@app.command(epilog=epilog(_CODES))
def status(
    context: typer.Context,
    units: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[UNIT|GLOB]...",
            help="Units; .service is added to bare names.",
            autocompletion=complete.units,
        ),
    ] = None,
    failed: Annotated[bool, typer.Option("--failed", help="Short for --state failed.")] = False,
    state: Annotated[
        list[str] | None,
        typer.Option(
            "--state",
            metavar="STATE,...",
            help="Only units in a load, active, sub state.",
            autocompletion=complete.states,
        ),
    ] = None,
    kind: Annotated[
        list[str] | None,
        typer.Option(
            "-t",
            "--type",
            metavar="TYPE,...",
            help="Only service, timer, socket ...",
            autocompletion=complete.types,
        ),
    ] = None,
    properties: Annotated[
        list[str] | None,
        typer.Option(
            "-p",
            "--properties",
            metavar="NAME,...",
            help="Show these, as systemd names.",
            autocompletion=complete.properties,
        ),
    ] = None,
    lines: Annotated[
        int,
        typer.Option(
            "-n",
            "--lines",
            metavar="N",
            help="Log lines of each failed unit.",
            callback=opt.between(0, 1_000_000),
            show_default=False,
        ),
    ] = 0,
    hosts: opt.Hosts = None,
    group: opt.Groups = None,
    all_hosts: opt.AllHosts = False,
    exclude: opt.Exclude = None,
    machine: opt.Machine = None,
    user: opt.UserBus = False,
    inventory: opt.InventoryFile = None,
    fanout: opt.Fanout = 64,
    connect_timeout: opt.ConnectTimeout = 10.0,
    timeout: opt.Timeout = 30.0,
    sudo: opt.Sudo = False,
    accept_new_host_keys: opt.AcceptNewHostKeys = False,
    ssh_config: opt.SshConfigFile = None,
    form: opt.Format = "table",
    as_json: opt.AsJson = False,
    fold: opt.Fold = None,
    color: opt.Color = "auto",
    debug: opt.Debug = False,
) -> Answer:
    """Show what runs here, in a container, or on many hosts.

    Without UNIT: the state of each host, and the units that are not right. One UNIT
    on one host is shown in full.
    """
    from psops import status as verb
    from psops.cli.progress import progress_bar
    from psops.cli.target import select
    from psops.report import Look, check_format, render
    from psops.transport import Options

    form = check_format("json" if as_json else form)
    chosen, options = select(
        inventory=inventory,
        hosts=hosts or (),
        groups=group or (),
        all_hosts=all_hosts,
        exclude=exclude or (),
        machine=machine,
        user_bus=user,
        options=Options(
            connect_timeout=connect_timeout,
            timeout=timeout,
            accept_new_host_keys=accept_new_host_keys,
            sudo=sudo,
            user_bus=user,
            ssh_config=ssh_config,
        ),
    )
    folded = len(chosen) > _FOLD_BEYOND if fold is None else fold
    query = verb.parse_query(
        units or (),
        states=[*_words(state), *(["failed"] if failed else [])],
        types=_words(kind),
        properties=_words(properties),
        lines=lines,
        brief=folded and form == "table",
    )
    env = environment(context, color)
    with progress_bar(env, len(chosen)) as progress:
        report = verb.report(chosen, query, options, width=fanout, progress=progress)
    look = Look(color=env.color, width=env.width, fold=folded)
    return Answer(render(report, form, look), report.exit)


def _words(values: list[str] | None) -> list[str]:
    return [word for value in values or () for word in value.split(",") if word]
