"""`psops bundle`: which daemons a role must run, and where psops knows that from."""

from pathlib import Path
from typing import Annotated

import typer

from psops.cli import complete
from psops.cli import options as opt
from psops.cli.app import Answer, epilog, verb_app
from psops.cli.shared import Shown, spread
from psops.cli.verify import CODES as VERIFY_CODES
from psops.cli.verify import verify
from psops.errors import UsageError
from psops.exits import Exit

_CODES = (Exit.OK, Exit.USAGE, Exit.SOFTWARE, Exit.CONFIG)

app = verb_app(_CODES, "Show what a role must run, and prove it of hosts.")


OsFamily = Annotated[
    str | None,
    typer.Option(
        "--os", metavar="OS", help="As it is on deb or el.", autocompletion=complete.os_families
    ),
]
Version = Annotated[
    str | None, typer.Option("--version", metavar="VERSION", help="As it is in a version.")
]


@app.command("list", epilog=epilog(_CODES))
@spread(without=("fold",))
def list_bundles(
    context: typer.Context,
    system: Annotated[
        str | None,
        typer.Option(
            "--system",
            metavar="NAME",
            help="Only those of a system.",
            autocompletion=complete.systems,
        ),
    ] = None,
    *,
    shown: Shown,
) -> Answer:
    """List the bundles.

    With --system, also the components of its pipeline.
    """
    from psops.catalogue import Catalogue
    from psops.nearest import did_you_mean
    from psops.report.bundles import render_list

    form = shown.checked_form()
    catalogue = Catalogue.load()
    systems = catalogue.systems()
    if system is not None and system not in systems:
        near = did_you_mean(system, systems) or f"; known are {', '.join(systems)}"
        raise UsageError(f"no system '{system}'{near}")
    env = shown.environment(context)
    look = shown.look(env)
    return Answer(render_list(catalogue, system, form, look), Exit.OK)


@app.command("show", epilog=epilog(_CODES))
@spread(without=("fold",))
def show_bundle(
    context: typer.Context,
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="[NAME]", help="The bundle to show.", autocompletion=complete.bundles
        ),
    ] = None,
    daemon: Annotated[
        str | None,
        typer.Option(
            "--daemon",
            metavar="NAME",
            help="Show all there is about one daemon.",
            autocompletion=complete.daemons,
        ),
    ] = None,
    component: Annotated[
        str | None,
        typer.Option(
            "--component",
            metavar="NAME",
            help="Show all there is about one component of a pipeline.",
            autocompletion=complete.components,
        ),
    ] = None,
    os_family: OsFamily = None,
    version: Version = None,
    *,
    shown: Shown,
) -> Answer:
    """Show the daemons of a bundle, or one daemon or component in full.

    Without --os, what holds on every system; without --version, the newest one.
    """
    from psops.catalogue import Catalogue
    from psops.report.bundles import render_bundle, render_entry

    form = shown.checked_form()
    if [name, daemon, component].count(None) != 2:
        raise UsageError("name one bundle, --daemon or --component", remedy="psops bundle list")
    _check_place(os_family, version)
    catalogue = Catalogue.load()
    env = shown.environment(context)
    look = shown.look(env)
    if component is not None:
        return Answer(render_entry(catalogue.component(component), form, look), Exit.OK)
    if daemon is not None:
        found = catalogue.daemon(daemon)
        if os_family or version:
            found = found.variant(os_family, version)
        return Answer(render_entry(found, form, look), Exit.OK)
    bundle = catalogue.bundle(str(name))
    return Answer(render_bundle(bundle, os_family, version, form, look), Exit.OK)


def _check_place(os_family: str | None, version: str | None) -> None:
    if os_family is not None and os_family not in complete.os_families():
        raise UsageError(f"--os takes {' or '.join(complete.os_families())}, not '{os_family}'")
    if version is not None:
        opt.check_version("--version", version)


@app.command("path", epilog=epilog(_CODES))
def show_path(
    form: opt.Format = "table", as_json: opt.AsJson = False, debug: opt.Debug = False
) -> Answer:
    """List the files that are read, those with the last word at the end."""
    from psops.catalogue.file import files
    from psops.report import check_format
    from psops.report.bundles import render_files

    form = check_format("json" if as_json else form)
    return Answer(render_files(files(), form), Exit.OK)


@app.command("lint", epilog=epilog(_CODES))
def lint_files(
    paths: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[FILE]...",
            callback=opt.place,
            help="Check these instead of the files of the host.",
        ),
    ] = None,
    form: opt.Format = "table",
    as_json: opt.AsJson = False,
    debug: opt.Debug = False,
) -> Answer:
    """Tell all mistakes in the files, or in some FILEs."""
    from psops.catalogue.file import files, lint
    from psops.report import check_format
    from psops.report.bundles import render_lint

    form = check_format("json" if as_json else form)
    extra = [Path(path) for path in paths] if paths else None
    mistakes = lint(extra)
    code = Exit.CONFIG if mistakes else Exit.OK
    read = () if mistakes else files(extra)
    return Answer(render_lint(mistakes, read, code, form), code)


app.command(epilog=epilog(VERIFY_CODES))(verify)
