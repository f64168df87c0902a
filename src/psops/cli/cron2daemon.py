"""`psops cron2daemon`: crontabs to the PanDA daemons that do the same work."""

import re
import shlex
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, TypeVar

import typer

from psops.cli import options as opt
from psops.cli.app import Answer, environment, epilog, verb_app, write_output
from psops.errors import CrontabError, UsageError
from psops.exits import Exit
from psops.nearest import did_you_mean
from psops.report.text import clean

if TYPE_CHECKING:
    from psops.cron.crontab import Crontab
    from psops.cron.decisions import Decisions
    from psops.cron.fields import Dialect

_CODES = (Exit.OK, Exit.SOME_FAILED, Exit.USAGE, Exit.UNREADABLE_INPUT, Exit.SOFTWARE,
          Exit.INTERRUPTED)  # fmt: skip
#: No crontab or file of decisions is larger.
_MOST_BYTES = 16_000_000
_STDIN = "-"
_SERVER = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)=(.+)", re.DOTALL)
#: What the file of a server may be called beyond the server's name.
_SUFFIXES = (".crontab", ".cron", ".txt")
#: What cron of Debian and cronie read of a directory.
_DEBIAN_NAME = re.compile(r"[A-Za-z0-9_-]+")
_CRONIE_SKIPS = re.compile(r"[.#].*|.*(~|\.rpmsave|\.rpmorig|\.rpmnew)", re.DOTALL)

_Value = TypeVar("_Value")
_Texts = list[str] | None


def _option(name: str, metavar: str, text: str) -> typer.models.OptionInfo:
    check = opt.place if metavar == "FILE" else None
    found: typer.models.OptionInfo = typer.Option(name, metavar=metavar, callback=check, help=text)
    return found


app = verb_app()


@app.command("cron2daemon", epilog=epilog(_CODES))
def cron2daemon(
    context: typer.Context,
    crontabs: Annotated[
        _Texts,
        typer.Argument(
            metavar="[[SERVER=]CRONTAB]...",
            callback=opt.place,
            help="Files, directories as /etc/cron.d, or - (stdin).",
        ),
    ] = None,
    per_server: Annotated[
        str | None, _option("--per-server", "DIR", "A crontab for each server, named as it.")
    ] = None,
    servers: Annotated[int | None, _option("--servers", "N", "How many servers run them.")] = None,
    sync: Annotated[
        _Texts, _option("--sync", "NAME", "On one server at a time; or a glob.")
    ] = None,
    exclusive: Annotated[
        _Texts, _option("--exclusive", "NAME", "The same; locked however short the period.")
    ] = None,
    min_sync_period: Annotated[
        int | None, _option("--min-sync-period", "SECONDS", "No lock for --sync below it (60).")
    ] = None,
    columns: Annotated[str, _option("--form", "FORM", "auto, system, user or acron.")] = "auto",
    dialect: Annotated[str, _option("--dialect", "CRON", "common, debian or cronie.")] = "common",
    zone: Annotated[
        str | None, _option("--zone", "ZONE", "Of the crontabs' times, as Europe/Zurich.")
    ] = None,
    name_map: Annotated[
        _Texts, _option("--name-map", "FROM=NAME", "FROM is a name, program or FILE:LINE.")
    ] = None,
    module: Annotated[_Texts, _option("--module", "NAME=MODULE", "A daemon's module.")] = None,
    arguments: Annotated[
        _Texts, _option("--arguments", "NAME=WORDS", "Its arguments, as for a shell.")
    ] = None,
    period: Annotated[
        _Texts, _option("--period", "NAME=SECONDS", "Its period, whatever cron had.")
    ] = None,
    timeout: Annotated[_Texts, _option("--timeout", "NAME=SECONDS", "Its time limit.")] = None,
    gap: Annotated[
        _Texts, _option("--gap", "NAME=min|max", "Which of unequal gaps, not the mean.")
    ] = None,
    decisions: Annotated[
        str | None, _option("--decisions", "FILE", "All this in TOML; the options are stronger.")
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit with 1 for doubtful lines as well.")
    ] = False,
    form: Annotated[
        str, typer.Option("--format", metavar="FORMAT", help="daemon, table, json or report.")
    ] = "daemon",
    as_json: opt.AsJson = False,
    output: Annotated[
        str | None,
        typer.Option(
            "-o",
            "--output",
            metavar="FILE",
            callback=opt.place,
            help="Write the result there instead.",
        ),
    ] = None,
    color: opt.Color = "auto",
    debug: opt.Debug = False,
) -> Answer:
    """Translate crontabs into the daemons of a PanDA server.

    Prints the JSON object for 'config' in [daemon] of panda_server.cfg, and on stderr a
    line for each crontab line that is refused or doubtful. --format report explains every
    line. What runs on one server at a time is never guessed: say --sync.
    """
    from dataclasses import replace

    from psops.cron.crontab import parse_crontab
    from psops.cron.decisions import DecisionError
    from psops.cron.fields import Dialect
    from psops.cron.form import Form
    from psops.cron.translate import translate
    from psops.report import Look
    from psops.report.cron import FORMATS, Report, remarks, render_cron, summary

    form = _one_of("--format", "json" if as_json else form, FORMATS)
    columns = _one_of("--form", columns, [*Form])
    spoken = Dialect(_one_of("--dialect", dialect, [*Dialect]))
    given = {
        "names": _by_name("--name-map", "FROM=NAME", name_map, _text),
        "modules": _by_name("--module", "NAME=MODULE", module, _text),
        "arguments": _by_name("--arguments", "NAME=WORDS", arguments, shlex.split),
        "periods": _by_name("--period", "NAME=SECONDS", period, _seconds),
        "timeouts": _by_name("--timeout", "NAME=SECONDS", timeout, _seconds),
        "gaps": _by_name("--gap", "NAME=min|max|mean", gap, _gap),
    }
    lists = {"sync": sync, "exclusive": exclusive}
    single = {"servers": servers, "min_sync_period": min_sync_period, "zone": zone}
    decided = _decisions(decisions, single, lists, given)
    sources, skipped = _sources(crontabs or (), per_server, spoken)
    tabs = []
    for source in sources:
        text = _read(source)
        tab = parse_crontab(
            text, source=source.name, form=Form(columns), dialect=spoken, server=source.server
        )
        _check_text(text, tab)
        tabs.append(tab)
    try:
        found = translate(tabs, decided)
    except DecisionError as error:
        raise UsageError(str(error)) from error
    found = replace(found, warnings=(*skipped, *_odd_modules(decided), *found.warnings))
    doubts = bool(found.doubtful or found.warnings)
    code = Exit.SOME_FAILED if found.refused or (strict and doubts) else Exit.OK
    report = Report(found, tuple(tabs), code)
    # The report tells every line anyway.
    told = [] if form == "report" else remarks(report)
    typer.echo("\n".join([*told, f"psops: {summary(report)}"]), err=True)
    env = environment(context, color)
    look = Look(color=env.color and output is None, width=env.width if output is None else None)
    result = render_cron(report, form, look)
    if output is None:
        return Answer(result, code)
    write_output(output, result)
    return Answer("", code)


def _one_of(option: str, value: str, known: Sequence[str]) -> str:
    if value not in known:
        raise UsageError(f"{option} takes {', '.join(known)}{did_you_mean(value, known)}")
    return value


def _by_name(
    option: str, metavar: str, given: Iterable[str] | None, kind: Callable[[str], _Value]
) -> dict[str, _Value]:
    """Return the values of an option by name; raises `UsageError`."""
    found: dict[str, _Value] = {}
    for text in given or ():
        # The name of a file may have a '=' in it, that of a daemon hardly.
        cut = text.rpartition if option == "--name-map" else text.partition
        name, equals, value = cut("=")
        try:
            if not (name and equals):
                raise ValueError
            new = kind(value)
        except ValueError as error:
            why = f": {error}" if str(error) else ""
            raise UsageError(f"{option} takes {metavar}, not {text!r}{why}") from error
        if found.setdefault(name, new) != new:
            raise UsageError(f"{option} has two values for {name!r}")
    return found


def _text(value: str) -> str:
    if not value:
        raise ValueError
    return value


def _seconds(value: str) -> int:
    if not (value.isascii() and value.isdecimal()):
        raise ValueError
    return int(value)


def _gap(value: str) -> str:
    from psops.cron.decisions import Gap

    if value not in [*Gap]:
        raise ValueError(did_you_mean(value, [*Gap]).lstrip("; "))
    return value


def _decisions(
    path: str | None, single: dict[str, Any], lists: dict[str, _Texts], by_name: dict[str, Any]
) -> "Decisions":
    """Return the decisions of a file with those of the command line over them.

    A value of the command line replaces that of the file, a list adds to it. Raises
    `UsageError`.
    """
    from datetime import UTC, datetime

    from psops.cron.decisions import DecisionError, parse_decisions

    table: dict[str, Any] = {"year": datetime.now(UTC).year}
    try:
        if path is not None:
            table |= _table(path)
            parse_decisions(table)
    except DecisionError as error:
        raise UsageError(clean(f"{path}: {error}")) from error
    year = table["year"]
    if not 1970 <= year <= 9900:
        raise UsageError(f"{clean(path or '')}: year: {year} is not from 1970 to 9900")
    table |= {key: value for key, value in single.items() if value is not None}
    for key, more in lists.items():
        table[key] = list(dict.fromkeys([*table.get(key, ()), *(more or ())]))
    for key, values in by_name.items():
        table[key] = {**table.get(key, {}), **values}
    try:
        return parse_decisions(table)
    except DecisionError as error:
        raise UsageError(str(error)) from error


def _table(path: str) -> dict[str, Any]:
    import tomllib

    from psops.paths import read_whole

    try:
        with Path(path).open("rb") as stream:
            text = read_whole(stream)
        return tomllib.loads(text.decode("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(f"{path}: {_why(error)}") from error


class _Source(NamedTuple):
    """A crontab to be read: its name in messages, its server or "", None for stdin."""

    name: str
    server: str
    path: Path | None


def _sources(
    words: Sequence[str], per_server: str | None, dialect: "Dialect"
) -> tuple[list[_Source], list[str]]:
    """Return the crontabs meant, and a sentence for each file that one cron would not read.

    Raises `UsageError` for none or one twice, `CrontabError` for a directory that cannot be read.
    """
    wanted: list[tuple[str, str]] = []
    for word in words:
        split = _SERVER.fullmatch(word)
        wanted.append((split[1], split[2]) if split else ("", word))
    if per_server is not None:
        for path in _entries(Path(per_server)):
            usable = _is(path.is_file) or _is(path.is_dir)
            if usable and not _CRONIE_SKIPS.fullmatch(path.name):
                server = path.name
                for suffix in _SUFFIXES:
                    server = server.removesuffix(suffix)
                wanted.append((server or path.name, str(path)))
        if len(wanted) == len(words):
            raise _unreadable(per_server, "no crontab of a server is in it")
    if not wanted:
        raise UsageError("no crontab is given", remedy="psops cron2daemon FILE, or - for stdin")
    found: list[_Source] = []
    skipped: list[str] = []
    for server, name in wanted:
        if name == _STDIN:
            found.append(_Source("stdin", server, None))
        elif _is(Path(name).is_dir):
            found += _in_directory(name, server, dialect, skipped)
        else:
            found.append(_Source(name, server, Path(name)))
    if sum(source.path is None for source in found) > 1:
        raise UsageError("stdin can be read only once")
    for source, times in Counter(found).items():
        if times > 1:
            raise UsageError(f"{source.name} is given twice")
    return found, skipped


def _in_directory(place: str, server: str, dialect: "Dialect", skipped: list[str]) -> list[_Source]:
    from psops.cron.fields import Dialect

    found = []
    for path in _entries(Path(place)):
        debian = _DEBIAN_NAME.fullmatch(path.name) is not None
        cronie = _CRONIE_SKIPS.fullmatch(path.name) is None
        if not _is(path.is_file):
            continue
        if cronie if dialect is Dialect.CRONIE else debian:
            found.append(_Source(str(path), server, path))
        elif cronie and dialect is Dialect.COMMON:
            skipped.append(
                f"{path} is left out: Debian's cron does not read a file of that name, cronie "
                "does; give it by its name, or say --dialect cronie"
            )
    if not found:
        remedy = "give the files by their names; for servers' files say --per-server"
        raise _unreadable(place, "no file there has a name that cron reads", remedy)
    return found


def _is(test: Callable[[], bool]) -> bool:
    try:
        return test()
    except (OSError, ValueError):  # the attempt to read it will tell why
        return False


def _entries(place: Path) -> list[Path]:
    try:
        return sorted(place.iterdir())
    except (OSError, ValueError) as error:
        raise _unreadable(str(place), _why(error)) from error


def _read(source: _Source) -> bytes:
    """Return the bytes of a crontab; raises `CrontabError`."""
    try:
        if source.path is None:
            if sys.stdin is None:  # closed by whoever started psops
                raise _unreadable(source.name, "it is closed")
            text = sys.stdin.buffer.read(_MOST_BYTES + 1)
        else:
            with source.path.open("rb") as stream:
                text = stream.read(_MOST_BYTES + 1)
    except (OSError, ValueError) as error:
        raise _unreadable(source.name, _why(error)) from error
    if len(text) > _MOST_BYTES:
        raise _unreadable(source.name, f"larger than {_MOST_BYTES} bytes")
    return text


def _check_text(text: bytes, tab: "Crontab") -> None:
    """Raise `CrontabError` for a file that is no text and of which no line could be used."""
    if tab.entries or not tab.refused:
        return
    if b"\0" in text or text.decode("utf-8", "ignore").encode() != text:
        first = tab.refused[0]
        why = f"no text with crontab lines; line {first.line}: {first.reason}"
        raise _unreadable(tab.source, why, first.remedy)


def _unreadable(name: str, why: str, remedy: str | None = None) -> CrontabError:
    return CrontabError(clean(f"{name}: {why}"), remedy=remedy)


def _odd_modules(decisions: "Decisions") -> list[str]:
    """Return a sentence for each module decided on that is nearly one PanDA has."""
    from psops.cron.wrappers import load_wrappers

    table = load_wrappers()
    return [
        f"modules: panda-server {table.version} has no module '{module}'{near}"
        for module in dict.fromkeys(decisions.modules.values())
        if module not in table.modules and (near := did_you_mean(module, sorted(table.modules)))
    ]


def _why(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
