"""`psops panda simulate`: what the master will make of a configuration, before it does."""

from typing import TYPE_CHECKING, Annotated

import typer

from psops.cli import options as opt
from psops.cli.app import Answer, write_output
from psops.cli.panda_files import EnvFile, reader_of
from psops.cli.shared import Colored, Login, spread
from psops.exits import Exit

if TYPE_CHECKING:
    from psops.cron.crontab import Crontab

CODES = (Exit.OK, Exit.USAGE, Exit.UNAVAILABLE, Exit.SOFTWARE, Exit.CONFIG)
FORMATS = ("table", "json")
#: No file of durations or crontab is larger; more is somebody's mistake.
_MOST_BYTES = 16_000_000


@spread(without=("fanout", "sudo"))
def simulate(
    context: typer.Context,
    config: Annotated[
        str, typer.Argument(metavar="CFG", help="A panda_server.cfg, or HOST:PATH of one.")
    ],
    servers: Annotated[
        int,
        typer.Option(
            "--servers", metavar="N", callback=opt.between(1, 1000), help="Servers with it."
        ),
    ] = 1,
    days: Annotated[
        float,
        typer.Option(
            "--days", metavar="D", callback=opt.between(0.001, 366), help="Days to simulate."
        ),
    ] = 1.0,
    durations: Annotated[
        str | None,
        typer.Option(
            "--durations",
            metavar="FILE",
            callback=opt.place,
            help="Mean seconds by daemon, TOML or JSON.",
        ),
    ] = None,
    duration: Annotated[
        float,
        typer.Option(
            "--duration",
            metavar="SECONDS",
            callback=opt.between(0, 1e8),
            help="Mean seconds of the other daemons.",
        ),
    ] = 5.0,
    vary: Annotated[
        bool, typer.Option("--vary", help="Draw durations at random round the mean.")
    ] = False,
    idle_loops: Annotated[
        bool, typer.Option("--idle-loops", help="Scripts of loop daemons have no work.")
    ] = False,
    workers: Annotated[
        int | None,
        typer.Option(
            "--n-proc",
            metavar="N",
            callback=opt.between(0, 1000),
            help="Workers; else as the file says.",
        ),
    ] = None,
    offsets: Annotated[
        str | None,
        typer.Option("--offsets", metavar="S,...", help="When each server starts, in seconds."),
    ] = None,
    seed: Annotated[
        int, typer.Option("--seed", metavar="N", help="For all that is drawn at random.")
    ] = 1,
    against: Annotated[
        list[str] | None,
        typer.Option(
            "--against",
            metavar="CRONTAB",
            callback=opt.place,
            help="Compare with cron; once, or for each server.",
        ),
    ] = None,
    plot: Annotated[
        str | None,
        typer.Option(
            "--plot",
            metavar="FILE.svg",
            callback=opt.place,
            help="Draw the first day into this file.",
        ),
    ] = None,
    env_file: EnvFile = None,
    form: Annotated[
        str, typer.Option("--format", metavar="FORMAT", help="table or json.")
    ] = "table",
    as_json: opt.AsJson = False,
    *,
    login: Login,
    shown: Colored,
) -> Answer:
    """Simulate the daemons of a configuration on some servers.

    Tells runs per day, lateness, overlaps, kills and the workers needed, by the
    rules of the real master. Nothing is started or changed.
    """
    from psops.errors import UsageError
    from psops.nearest import nearest_or_all
    from psops.panda.place import parse_word
    from psops.panda.simulate import plan_of
    from psops.pandasim import engine, stats
    from psops.pandasim.against import compare, read_cron
    from psops.pandasim.model import SimulationError
    from psops.pandasim.plot import draw_svg, draw_text
    from psops.pandasim.render import render_json, render_table

    form = "json" if as_json else form
    if form not in FORMATS:
        raise UsageError(f"no format {form!r}{nearest_or_all(form, FORMATS)}")
    with reader_of(login, env_file) as reader:
        effective = reader.read(parse_word(config))
    known = _durations(durations, [one.name for one in effective.scheduled])
    try:
        plan = plan_of(
            effective,
            servers=servers,
            days=days,
            workers=workers,
            durations=known,
            duration=duration,
            vary=vary,
            idle_loops=idle_loops,
            offsets=_offsets(offsets),
            seed=seed,
        )
        cron = read_cron(_crontabs(against, servers), servers) if against else None
    except SimulationError as error:
        raise UsageError(str(error)) from error
    daemons = plan.daemons
    log = engine.simulate(plan)
    result = stats.summarise(plan, log)
    compared = compare(result, cron.firings) if cron else None
    if plot is not None:
        write_output(plot, draw_svg(daemons, log))
    if form == "json":
        return Answer(render_json(result, compared, cron), Exit.OK)
    env = shown.environment(context)
    text = draw_text(daemons, log, width=env.width)
    return Answer(render_table(result, text, shown.look(env), compared, cron), Exit.OK)


def _durations(path: str | None, names: list[str]) -> dict[str, float]:
    from psops.errors import UsageError
    from psops.nearest import did_you_mean
    from psops.pandasim.durations import DurationsError, parse_durations

    if path is None:
        return {}
    try:
        found = parse_durations(_read(path).decode("utf-8"))
    except (DurationsError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: {error}") from error
    for name in found:
        if name not in names:
            raise UsageError(f"{path}: no daemon {name!r} is enabled{did_you_mean(name, names)}")
    return found


def _offsets(text: str | None) -> list[float] | None:
    from psops.errors import UsageError

    if text is None:
        return None
    try:
        return [float(word) for word in text.split(",")]
    except ValueError as error:
        raise UsageError(f"--offsets takes seconds as 0,10,20, not {text!r}") from error


def _crontabs(paths: list[str], servers: int) -> "list[Crontab]":
    """Return one crontab for all servers, or one for each."""
    from psops.cron.crontab import parse_crontab
    from psops.errors import UsageError

    if len(paths) not in (1, servers):
        raise UsageError(
            f"{len(paths)} crontabs for {servers} servers",
            remedy="give --against once, or once for each server",
        )
    return [
        parse_crontab(_read(path), source=path, server=f"server {at}" if len(paths) > 1 else "")
        for at, path in enumerate(paths)
    ]


def _read(path: str) -> bytes:
    from pathlib import Path

    from psops.errors import UsageError

    try:
        with Path(path).open("rb") as stream:
            text = stream.read(_MOST_BYTES + 1)
    except (OSError, ValueError) as error:
        raise UsageError(f"{path}: {getattr(error, 'strerror', None) or error}") from error
    if len(text) > _MOST_BYTES:
        raise UsageError(f"{path}: larger than {_MOST_BYTES} bytes")
    return text
