"""`psops logs`: the journal and the log files of units, here or on many hosts, as one."""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from psops.cli import options as opt
from psops.cli.app import Answer, epilog, verb_app
from psops.cli.shared import Colored, Target, spread
from psops.exits import Exit
from psops.moments import EXAMPLES, parse_moment

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from psops.logs.model import LogQuery

_CODES = (
    Exit.OK, Exit.SOME_FAILED, Exit.USAGE, Exit.UNKNOWN_UNIT, Exit.UNAVAILABLE, Exit.SOFTWARE,
    Exit.CONFIG, Exit.INTERRUPTED, Exit.TERMINATED,
)  # fmt: skip
_FORMATS = ("text", "jsonl")
_SOURCES = ("all", "journal", "files")
_PRIORITIES = ("emerg", "alert", "crit", "err", "warning", "notice", "info", "debug")
_MOST_LINES = 10_000
_USUAL_LINES = 10
#: The log of the whole system: what a unit has in it, the journal has as well.
_SYSTEM_LOGS = ("/var/log/messages", "/var/log/syslog")

app = verb_app()


@dataclass(frozen=True)
class _Target(Target):
    """What means another thing to logs than to other verbs."""

    fanout: Annotated[
        int,
        typer.Option(
            "--fanout", metavar="N", callback=opt.between(1, 10_000), help="Logins at once."
        ),
    ] = 64
    sudo: Annotated[
        bool, typer.Option("--sudo", help="Read by 'sudo -n journalctl' and sftp-server.")
    ] = False


@app.command(epilog=epilog(_CODES))
@spread()
def logs(
    context: typer.Context,
    units: opt.Units = None,
    follow: Annotated[
        bool, typer.Option("-f", "--follow", help="Go on with what comes, until Ctrl-C.")
    ] = False,
    lines: Annotated[
        str | None,
        typer.Option("-n", "--lines", metavar="N|all", help="The last N of each unit and file."),
    ] = None,
    since: Annotated[
        str | None, typer.Option("--since", metavar="TIME", help=f"From then on: {EXAMPLES}.")
    ] = None,
    until: Annotated[
        str | None, typer.Option("--until", metavar="TIME", help="Up to then.")
    ] = None,
    priority: Annotated[
        str | None,
        typer.Option(
            "-p",
            "--priority",
            metavar="LEVEL",
            help="This and worse, as err or 3; or err..info.",
            autocompletion=lambda: list(_PRIORITIES),
        ),
    ] = None,
    grep: Annotated[
        str | None,
        typer.Option("--grep", metavar="REGEX", help="Only messages that match; case counts."),
    ] = None,
    bundle: opt.Bundle = None,
    source: Annotated[
        str,
        typer.Option(
            "--source",
            metavar="WHICH",
            help="journal, files or all.",
            autocompletion=lambda: list(_SOURCES),
        ),
    ] = "all",
    *,
    target: _Target,
    form: Annotated[
        str,
        typer.Option(
            "--format",
            metavar="FORMAT",
            help="text or jsonl.",
            autocompletion=lambda: list(_FORMATS),
        ),
    ] = "text",
    as_json: Annotated[bool, typer.Option("--json", help="Short for --format jsonl.")] = False,
    fold: Annotated[
        bool | None,
        typer.Option("--fold/--no-fold", help="Count what a host repeats (text does)."),
    ] = None,
    shown: Colored,
) -> Answer:
    """Show the logs of units on many hosts, by time.

    The journal, and the log files that the catalogue has for a unit's daemon. Without
    UNIT the whole journal. Times are those of this machine's zone.
    """
    from psops.environment import reader_gone
    from psops.logs.model import Failure, Notice
    from psops.report.logs import JsonLook, TextLook, tell

    form = _one_of("jsonl" if as_json else form, _FORMATS, "format")
    query = _query(
        units or (),
        bundle,
        follow=follow,
        lines=lines,
        since=since,
        until=until,
        priority=priority,
        grep=grep,
        source=_one_of(source, _SOURCES, "source"),
        user=target.user,
    )
    chosen, options = target.select(lasting=follow)
    env = shown.environment(context)
    error_color = env.color and env.stderr.isatty()

    def say(notices: "Sequence[Notice | Failure]") -> None:
        typer.echo(tell(notices, color=error_color), err=True)

    def stream(show: "Callable[[str], bool]") -> Exit:
        import gc

        from psops.logs.run import Logs

        gc.enable()  # unlike other verbs, this one may run for days
        as_text = TextLook([host.name for host in chosen], color=env.color)
        run = Logs(
            chosen,
            query,
            options,
            width=target.fanout,
            fold=form == "text" if fold is None else fold,
            look=as_text if form == "text" else JsonLook(),
            show=show,
            gone=lambda: reader_gone(env.stdout),
            tell=say,
        )
        code = run.run()
        if run.empty and code is Exit.OK and form == "text":
            typer.echo("psops: no entries", err=True)
        return code

    return Answer(stream=stream)


def _one_of(word: str, known: "Sequence[str]", noun: str) -> str:
    if word not in known:
        from psops.errors import UsageError
        from psops.nearest import did_you_mean

        near = did_you_mean(word, known) or f"; known are {', '.join(known)}"
        raise UsageError(f"no {noun} {word!r}{near}")
    return word


def _query(
    units: "Sequence[str]",
    bundle: str | None,
    *,
    follow: bool,
    lines: str | None,
    since: str | None,
    until: str | None,
    priority: str | None,
    grep: str | None,
    source: str,
    user: bool,
) -> "LogQuery":
    """Return what a user asks for; raises `UsageError`."""
    from psops.errors import UsageError
    from psops.logs.model import LogQuery
    from psops.systemd.names import parse_units

    if follow and until is not None:
        raise UsageError("--follow goes on for ever, so not with --until")
    if source == "files" and not units and bundle is None:
        raise UsageError("--source files needs UNIT or --bundle, whose daemons have log files")
    names, globs = parse_units(units)
    begin = None if since is None else parse_moment(since, "--since")
    end = None if until is None else parse_moment(until, "--until")
    if begin is not None and end is not None and begin > end:
        raise UsageError("--since is later than --until")
    strongest, weakest = _priorities(priority)
    of_bundle, files, in_utc = _catalogue(units, bundle, source, user=user)
    return LogQuery(
        names=names,
        globs=globs,
        bundle=of_bundle,
        files=files,
        utc_files=in_utc,
        lines=_lines(lines, _USUAL_LINES if begin is None and end is None else None),
        since=begin,
        until=end,
        strongest=strongest,
        weakest=weakest,
        grep=_pattern(grep),
        follow=follow,
        journal=source != "files",
        user=user,
    )


def _lines(text: str | None, usual: int | None) -> int | None:
    from psops.errors import UsageError

    if text is None:
        return usual
    if text == "all":
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 9 and int(text) <= _MOST_LINES):
        raise UsageError(
            f"--lines takes 0 to {_MOST_LINES}, or all, not {text!r}",
            remedy="for more than that: --since",
        )
    return int(text)


def _priorities(text: str | None) -> tuple[int, int]:
    """Return the most serious and the least priority of `err`, `3` or `err..info`."""
    if text is None:
        return 0, 7
    first, dots, last = text.partition("..")
    if not dots:
        return 0, _priority(first)
    ends = sorted((_priority(first), _priority(last)))
    return ends[0], ends[1]


def _priority(text: str) -> int:
    word = {"error": "err", "warn": "warning", "panic": "emerg"}.get(text.lower(), text.lower())
    if word in _PRIORITIES:
        return _PRIORITIES.index(word)
    if len(word) == 1 and word in "01234567":
        return int(word)
    from psops.errors import UsageError

    raise UsageError(f"no priority {text!r}; known are 0 to 7, {', '.join(_PRIORITIES)}")


def _pattern(text: str | None) -> re.Pattern[str] | None:
    if text is None:
        return None
    try:
        return re.compile(text)
    except (re.error, OverflowError, RecursionError) as exc:
        from psops.errors import UsageError

        raise UsageError(f"--grep: {text!r} is no regular expression ({exc})") from exc


def _catalogue(
    units: "Sequence[str]", bundle: str | None, source: str, *, user: bool
) -> tuple[tuple[str, ...], dict[str, tuple[str, ...]], frozenset[str]]:
    """Return the units of a bundle, the log files of each unit, and those with times in UTC."""
    if bundle is None and (not units or source == "journal" or user):
        return (), {}, frozenset()
    from psops.catalogue import Catalogue

    catalogue = Catalogue.load()
    of_bundle: dict[str, None] = {}
    if bundle is not None:
        for member in catalogue.bundle(bundle).members:
            of_bundle |= dict.fromkeys(member.daemon.units)
    files: dict[str, dict[str, None]] = {}
    in_utc: set[str] = set()
    for daemon in catalogue.daemons.values() if source != "journal" and not user else ():
        # Of all systems: what is not on a host, is not read there.
        changes = [variant.changes for variant in daemon.variants]
        paths = [*daemon.logs, *(path for change in changes for path in change.get("logs", ()))]
        paths = [path for path in paths if path not in _SYSTEM_LOGS]
        for unit in daemon.units:
            files.setdefault(unit, {}).update(dict.fromkeys(paths))
        if daemon.logs_in_utc:
            in_utc |= set(paths)
    return (
        tuple(of_bundle),
        {unit: tuple(paths) for unit, paths in files.items()},
        frozenset(in_utc),
    )
