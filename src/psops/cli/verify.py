"""`psops bundle verify`: a verdict on what the hosts of a role must run."""

from collections.abc import Callable
from typing import Annotated

import typer

from psops.cli import complete
from psops.cli import options as opt
from psops.cli.app import Answer, environment
from psops.exits import Exit

#: Folded beyond this many hosts, unless the user says otherwise.
_FOLD_BEYOND = 8

CODES = (
    Exit.OK, Exit.SOME_FAILED, Exit.USAGE, Exit.UNAVAILABLE, Exit.SOFTWARE, Exit.CONFIG,
    Exit.INTERRUPTED, Exit.TERMINATED,
)  # fmt: skip


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
    fail_on: Annotated[
        str, typer.Option("--fail-on", metavar="VERDICT", help="warning or critical.")
    ] = "critical",
    checks: Annotated[
        str,
        typer.Option(
            "--checks", metavar="WHICH", help="units, all, or names of checks beside the units."
        ),
    ] = "units",
    hosts: opt.Hosts = None,
    group: opt.Groups = None,
    all_hosts: opt.AllHosts = False,
    exclude: opt.Exclude = None,
    machine: opt.Machine = None,
    inventory: opt.InventoryFile = None,
    fanout: opt.Fanout = 64,
    connect_timeout: opt.ConnectTimeout = 10.0,
    timeout: opt.Timeout = 30.0,
    sudo: opt.Sudo = False,
    accept_new_host_keys: opt.AcceptNewHostKeys = False,
    ssh_config: opt.SshConfigFile = None,
    form: opt.VerdictFormat = "table",
    as_json: opt.AsJson = False,
    output: Annotated[
        str | None,
        typer.Option("-o", "--output", metavar="FILE", help="Write the report there instead."),
    ] = None,
    fold: opt.Fold = None,
    color: opt.Color = "auto",
    debug: opt.Debug = False,
) -> Answer:
    """Prove that hosts run what their role must run.

    Units are judged by rules that know what systemd alone hides. A host that cannot
    be read is unknown, never ok.
    """
    from pathlib import Path

    from psops import verify as verb
    from psops.catalogue import Catalogue
    from psops.cli.progress import progress_bar
    from psops.cli.target import select
    from psops.errors import UsageError
    from psops.nearest import did_you_mean
    from psops.report import Look
    from psops.report.verify import VERIFY_FORMATS, exit_code, render_verify
    from psops.transport import Options

    form = "json" if as_json else form
    if form not in VERIFY_FORMATS:
        raise UsageError(f"no format {form!r}{did_you_mean(form, VERIFY_FORMATS)}")
    if fail_on not in ("warning", "critical"):
        raise UsageError(f"--fail-on takes warning or critical, not {fail_on!r}")
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
        fail_on=fail_on,
    )
    chosen, options = select(
        inventory=inventory,
        hosts=hosts or (),
        groups=group or (),
        all_hosts=all_hosts,
        exclude=exclude or (),
        machine=machine,
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
    if form == "jsonl" and output is None:
        from psops.fanout import Outcome
        from psops.report.verify_jsonl import render_host_line
        from psops.verdict import HostVerdict

        def stream(show: Callable[[str], bool]) -> Exit:
            def tell(outcome: Outcome[HostVerdict]) -> None:
                show(render_host_line(outcome))

            return verb.report(chosen, request, options, width=fanout, progress=tell).exit

        return Answer(stream=stream)
    with progress_bar(env, len(chosen)) as progress:
        report = verb.report(chosen, request, options, width=fanout, progress=progress)
    folded = len(chosen) > _FOLD_BEYOND if fold is None else fold
    look = Look(color=env.color and output is None, width=env.width, fold=folded)
    text, code = render_verify(report, form, look), Exit(exit_code(report, form))
    if output is None:
        return Answer(text, code)
    from psops.paths import write_atomically

    write_atomically(Path(output), text, mode=0o644)
    return Answer("", code)
