"""`psops panda`: the daemon configuration of PanDA servers shown, checked, merged, compared."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from psops.cli import options as opt
from psops.cli.app import Answer, environment, epilog, verb_app
from psops.cli.panda_files import EnvFile, reader_of
from psops.cli.panda_simulate import CODES as SIMULATE_CODES
from psops.cli.panda_simulate import simulate
from psops.cli.shared import Colored, Judged, Login, spread
from psops.errors import ConfigError, PsopsError, UsageError
from psops.exits import Exit

if TYPE_CHECKING:
    from psops.fanout import Outcome
    from psops.panda.place import Reader, Word
    from psops.verdict import HostVerdict

_READ_CODES = (Exit.OK, Exit.USAGE, Exit.UNAVAILABLE, Exit.SOFTWARE, Exit.CONFIG,
               Exit.INTERRUPTED, Exit.TERMINATED)  # fmt: skip
_FAILING_CODES = (Exit.OK, Exit.SOME_FAILED, *_READ_CODES[1:])
_FORMATS = ("table", "json")
#: A file of new daemons is not larger.
_MOST_BYTES = 16 << 20

app = verb_app(_FAILING_CODES, "Show, check, merge, compare, simulate PanDA's daemons.")

Config = Annotated[
    str, typer.Argument(metavar="CFG", help="A panda_server.cfg, or HOST:PATH of one.")
]
PlainFormat = Annotated[str, typer.Option("--format", metavar="FORMAT", help="table or json.")]


@app.command("show", epilog=epilog(_READ_CODES))
@spread(without=("fanout", "sudo"))
def show(
    context: typer.Context,
    config: Config,
    servers: Annotated[
        int,
        typer.Option(
            "--servers",
            metavar="N",
            callback=opt.between(1, 10_000),
            help="Servers that share the database.",
        ),
    ] = 1,
    origins: Annotated[
        bool, typer.Option("--origins", help="A line for each attribute, with its origin.")
    ] = False,
    env_file: EnvFile = None,
    form: PlainFormat = "table",
    as_json: opt.AsJson = False,
    *,
    login: Login,
    shown: Colored,
) -> Answer:
    """Show the daemons that a master would have.

    A file in its usual place below PANDA_HOME is read with all others that the master
    reads, the overlay included; any other file stands alone.
    """
    from psops.panda.place import parse_word
    from psops.report.json import dump, envelope
    from psops.report.panda_show import render_show, show_object

    form = _one_of("json" if as_json else form)
    word = parse_word(config)
    with reader_of(login, env_file) as reader:
        found = reader.read(word)
    code = Exit.CONFIG if found.fatal is not None else Exit.OK
    if form == "json":
        errors = []
        if found.fatal is not None:
            errors = [{"code": "config", "message": found.fatal.text,
                       "remedy": f"psops panda check {word}"}]  # fmt: skip
        document: dict[str, Any] = {"source": str(word), **show_object(found, servers)}
        return Answer(dump(envelope("panda show", code, [], errors) | document, indent=2), code)
    look = shown.look(shown.environment(context))
    return Answer(render_show(found, servers, look, origins=origins), code)


@app.command("check", epilog=epilog(_FAILING_CODES))
@spread(without=("fanout", "sudo", "fold"))
def check(
    context: typer.Context,
    configs: Annotated[
        list[str],
        typer.Argument(metavar="CFG...", help="Files panda_server.cfg, or HOST:PATH of them."),
    ],
    env_file: EnvFile = None,
    release: Annotated[
        str,
        typer.Option("--release", metavar="VERSION", help="Of panda-server, else the newest."),
    ] = "",
    *,
    login: Login,
    judged: Judged,
) -> Answer:
    """Find every known trap in configurations.

    A file that cannot be read is unknown, never ok. Give --env to have the time zone
    of the service checked, which the locks of synced daemons depend on.
    """
    from psops.panda.place import parse_word
    from psops.panda.report import verify_report

    judged.checked_form()
    if release:
        opt.check_version("--release", release)
    words = [parse_word(text) for text in dict.fromkeys(configs)]
    with reader_of(login, env_file) as reader:
        reader.read_environment()  # one that cannot be read is no matter of a single file
        outcomes = [_judge(word, reader, release) for word in words]
    report = verify_report(outcomes, fail_on=judged.fail_on, made_at=time.time())
    return judged.answer(judged.environment(context), report)


def _judge(word: "Word", reader: "Reader", release: str) -> "Outcome[HostVerdict]":
    from psops.panda.check import Asked
    from psops.panda.check import check as find_traps
    from psops.panda.report import unread_host, verify_host

    begun = time.monotonic()
    try:
        effective = reader.read(word)
    except UsageError:  # such as no host of that name: it is the command line that is wrong
        raise
    except PsopsError as error:
        return unread_host(str(word), error, time.monotonic() - begun)
    asked = Asked(version=release, env_text=reader.read_environment().text)
    faults = find_traps(effective, asked)
    return verify_host(str(word), effective, faults, time.monotonic() - begun)


@app.command("merge", epilog=epilog((Exit.OK, Exit.USAGE, Exit.SOFTWARE, Exit.CONFIG)))
def merge(
    context: typer.Context,
    config: Annotated[str, typer.Argument(metavar="CFG", help="The panda_server.cfg to change.")],
    new: Annotated[
        str,
        typer.Argument(
            metavar="NEW.json", callback=opt.place, help="Daemons, as of cron2daemon; - for stdin."
        ),
    ],
    write: Annotated[
        bool, typer.Option("--write", help="Change the file; else only show how.")
    ] = False,
    update: Annotated[
        bool, typer.Option("--update", help="Keep attributes that the new daemon does not name.")
    ] = False,
    env_file: EnvFile = None,
    color: opt.Color = "auto",
    debug: opt.Debug = False,
) -> Answer:
    """Merge daemons into a configuration.

    Shows the difference. All other text stays as it is, byte for byte. A daemon of
    another module is never replaced. With --write the old file is kept as well.
    """
    from psops.panda.apply import merge_file, write_merged
    from psops.panda.given import parse_daemons
    from psops.panda.place import parse_word
    from psops.report.diff import for_terminal, unified_diff
    from psops.report.text import clean, count

    word = parse_word(config)
    if word.host:
        raise UsageError(
            f"{word} is on another host, and is not changed from here",
            remedy="copy the file here, or run psops there",
        )
    daemons = parse_daemons(_read_new(new), new)
    path = Path(word.path)
    before, merged = merge_file(path, daemons, update=update)
    told = [*merged.notes, *_without_effect(word, env_file)]
    done = "nothing to change"
    if merged.added or merged.changed:
        done = "not written; add --write to do it"
    if write and (backup := write_merged(path, before, merged, time.time())) is not None:
        done = f"written and read back; the old file is {backup}"
    what = f"{len(merged.added)} added, {len(merged.changed)} changed, {len(merged.same)} as before"
    summary = f"{count(len(daemons), 'daemon')}: {what}; {done}"
    typer.echo("\n".join(f"psops: {clean(text)}" for text in [*told, summary]), err=True)
    env = environment(context, color)
    text = unified_diff(before.decode("utf-8"), merged.text, word.path)
    return Answer(for_terminal(text, env.color) if env.width is not None else text, Exit.OK)


def _read_new(name: str) -> bytes:
    import sys

    try:
        if name == "-":
            data = sys.stdin.buffer.read(_MOST_BYTES + 1)
        else:
            with Path(name).open("rb") as stream:
                data = stream.read(_MOST_BYTES + 1)
    except (OSError, ValueError, AttributeError) as exc:
        # AttributeError: stdin was closed by whoever started psops.
        reason = getattr(exc, "strerror", None) or str(exc)
        raise ConfigError(f"{name}: cannot read: {reason.lower()}") from exc
    if len(data) > _MOST_BYTES:
        raise ConfigError(f"{name}: larger than {_MOST_BYTES >> 20} MiB")
    return data


def _without_effect(word: "Word", env_file: str | None) -> list[str]:
    """Return why the server would not use what is merged; a reason is no error, it may be meant."""
    from psops.panda.merge import shadowed

    with reader_of(Login(), env_file) as reader:
        try:
            whole = reader.read(word)
        except ConfigError as error:
            return [f"the server's other files are not known: {error}"]
    if whole.fatal is not None:
        where = whole.fatal.places[0] if whole.fatal.places else word
        return [f"the server does not start with it: {where}: {whole.fatal.text}"]
    why = shadowed(whole, word.path)
    return [f"without effect: {why}"] if why else []


@app.command("diff", epilog=epilog(_FAILING_CODES))
@spread(without=("fanout", "sudo"))
def diff(
    context: typer.Context,
    before: Annotated[str, typer.Argument(metavar="A", help="A panda_server.cfg or HOST:PATH.")],
    after: Annotated[str, typer.Argument(metavar="B", help="Another.")],
    env_file: EnvFile = None,
    form: PlainFormat = "table",
    as_json: opt.AsJson = False,
    *,
    login: Login,
    shown: Colored,
) -> Answer:
    """Compare the daemons of two configurations.

    Compared is what the masters have, defaults and overlays included, not the text.
    The exit code is 1 if they differ.
    """
    from psops.panda.diff import compare
    from psops.panda.place import parse_word
    from psops.report.json import dump, envelope
    from psops.report.panda_diff import difference_object, render_differences

    form = _one_of("json" if as_json else form)
    words = parse_word(before), parse_word(after)
    with reader_of(login, env_file) as reader:
        found = compare(*(reader.read(word) for word in words))
    code = Exit.SOME_FAILED if found else Exit.OK
    if form == "json":
        document: dict[str, Any] = {
            "before": str(words[0]),
            "after": str(words[1]),
            "differences": [difference_object(one) for one in found],
        }
        return Answer(dump(envelope("panda diff", code, [], []) | document, indent=2), code)
    look = shown.look(shown.environment(context))
    return Answer(render_differences(found, (str(words[0]), str(words[1])), look), code)


def _one_of(form: str) -> str:
    from psops.nearest import nearest_or_all

    if form not in _FORMATS:
        raise UsageError(f"no format {form!r}{nearest_or_all(form, _FORMATS)}")
    return form


app.command("simulate", epilog=epilog(SIMULATE_CODES))(simulate)
