"""`psops unit`: unit files for daemons that come without any, and what is wrong with others."""

from pathlib import Path
from typing import Annotated

import typer

from psops.cli import options as opt
from psops.cli.app import Answer, environment, epilog, verb_app
from psops.cli.shared import Judged, Target, spread
from psops.errors import ConfigError, UsageError
from psops.exits import Exit

_WRITE_CODES = (Exit.OK, Exit.USAGE, Exit.SOFTWARE, Exit.CONFIG)
_CODES = (
    Exit.OK, Exit.SOME_FAILED, Exit.USAGE, Exit.UNAVAILABLE, Exit.SOFTWARE, Exit.CONFIG,
    Exit.INTERRUPTED, Exit.TERMINATED,
)  # fmt: skip

app = verb_app(_CODES, "Write unit files for daemons, or check them.")


@app.command("write", epilog=epilog(_WRITE_CODES))
def write(
    context: typer.Context,
    system: Annotated[str, typer.Argument(metavar="SYSTEM", help="Whose daemons; there is rucio.")],
    daemons: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[DAEMON]...", help="As reaper, or reaper=3 for three processes of it."
        ),
    ] = None,
    output: Annotated[
        str | None,
        typer.Option(
            "-o",
            "--output",
            metavar="DIR",
            callback=opt.place,
            help="Write below this root, as / or a build's.",
        ),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Replace files that say something else.")
    ] = False,
    home: Annotated[
        str, typer.Option("--home", metavar="DIR", help="RUCIO_HOME on the hosts.")
    ] = "/opt/rucio",
    programs: Annotated[
        str, typer.Option("--bin", metavar="DIR", help="Where the programs rucio-* are there.")
    ] = "/usr/local/bin",
    user: Annotated[
        str, typer.Option("--user", metavar="NAME", help="As whom the daemons run.")
    ] = "rucio",
    color: opt.Color = "auto",
    debug: opt.Debug = False,
) -> Answer:
    """Write a template, a target and a drop-in for daemons.

    That is for a system that comes without units, as Rucio does. The template
    rucio-daemon@.service runs any daemon; with names of daemons there is a file for the
    options of each, and a template of its own for one that runs several times. Printed, but
    with --output written; files that exist and say something else stay.
    """
    from psops.nearest import did_you_mean
    from psops.rucio.expect import rules
    from psops.rucio.unitfile import Site, notes, parse_wanted, write_files

    if system != "rucio":
        raise UsageError(f"no units are known for {system!r}{did_you_mean(system, ('rucio',))}",
                         remedy="psops unit write rucio")  # fmt: skip
    environment(context, color)  # a wrong --color is said here as anywhere
    wanted = parse_wanted(daemons or (), rules())
    files = write_files(wanted, Site(home=home, bin=programs, user=user))
    told = notes(wanted)
    if output is None:
        shown = [f"# /{path}\n{text}" for path, text in files.items()]
        shown.append("".join(f"# {line}\n" for line in told))
        return Answer("\n".join(shown), Exit.OK)
    done = [*_place(Path(output), files, force), *told]
    return Answer("".join(f"{line}\n" for line in done), Exit.OK)


def _place(root: Path, files: dict[str, str], force: bool) -> list[str]:
    """Write the files and return a line for each; what a site edits, options, is never replaced."""
    from psops.paths import write_atomically
    from psops.rucio.unitfile import ENVIRONMENT

    def same(path: Path, text: str) -> bool | None:
        try:
            return path.read_text(encoding="utf-8") == text
        except FileNotFoundError:
            return None
        except UnicodeDecodeError:
            return False

    lines: list[str] = []
    try:
        states = {name: same(root / name, text) for name, text in files.items()}
        edited = [name for name in files if name.startswith(ENVIRONMENT)]
        other = [name for name, state in states.items() if state is False and name not in edited]
        if other and not force:
            raise ConfigError(
                f"{root / other[0]} is there and says something else; nothing was written",
                remedy="compare them, then add --force to replace it",
            )
        for name, text in files.items():
            path = root / name
            if states[name] or (states[name] is False and name in edited):
                lines.append(f"as before: {path}")
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, text, mode=0o644)
            lines.append(f"written: {path}")
    except OSError as exc:
        raise UsageError(f"{exc.filename or root}: {(exc.strerror or str(exc)).lower()}") from exc
    return lines


@app.command("lint", epilog=epilog(_CODES))
@spread(without=("user",))
def lint(
    context: typer.Context,
    files: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[FILE]...", callback=opt.place, help="Unit files; else the units of the hosts."
        ),
    ] = None,
    *,
    target: Target,
    judged: Judged,
) -> Answer:
    """Find what keeps units of Rucio's daemons from surviving.

    Each fault is told with file and line. Files are read with the drop-ins beside them, the
    units of hosts as systemd has them, with the ports of their metrics. What unit write makes
    beside units, targets, drop-ins and options, is not judged by itself.
    """
    from psops.cli.progress import progress_bar
    from psops.rucio.check import lint_files, lint_hosts
    from psops.rucio.expect import rules
    from psops.rucio.policy import goes_along

    judged.checked_form()
    env = judged.environment(context)
    if files:
        if target.given:
            raise UsageError("give either files or hosts, not both")
        paths = [Path(name) for name in dict.fromkeys(files)]
        units = [path for path in paths if not goes_along(path)]
        if units and (along := [str(path) for path in paths if path not in units]):
            typer.echo(f"psops: not judged by themselves: {', '.join(along)}", err=True)
        number = len(units or paths)
        report = lint_files(units or paths, rules(), fail_on=judged.fail_on)
    else:
        chosen, options = target.select()
        number = len(chosen)
        with progress_bar(env, number) as progress:
            report = lint_hosts(
                chosen,
                rules(),
                options,
                fail_on=judged.fail_on,
                width=target.fanout,
                progress=progress,
            )
    return judged.answer(env, report, hosts=number)
