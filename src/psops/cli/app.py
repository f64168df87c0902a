"""What the verbs of the command line share; each is an `app` in a module of its own.

A verb returns an `Answer`; printing and exiting happen in `psops.__main__` alone.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any, NamedTuple

import typer

from psops import __version__
from psops.cli import options as opt
from psops.environment import Aim, Environment, detect
from psops.errors import OutputError, UsageError
from psops.exits import MEANINGS, Exit


class Answer(NamedTuple):
    """What a verb gives back: the text for stdout, and the exit code.

    One that has something to say before it is done gives `stream` instead: called with what
    shows a piece of text and tells whether anybody reads it, it does the work and returns the
    exit code.
    """

    text: str = ""
    exit: Exit = Exit.OK
    stream: Callable[[Callable[[str], bool]], Exit] | None = None


def epilog(codes: Iterable[Exit]) -> str:
    """Return the EXIT STATUS section that ends a verb's help; every verb prints something."""
    lines = [f"{int(code):>5}  {MEANINGS[code]}" for code in sorted({*codes, Exit.CANNOT_WRITE})]
    return "\b\n" + "\n".join(["EXIT STATUS", *lines])


def verb_app(codes: Iterable[Exit] = (), text: str | None = None) -> typer.Typer:
    """Return the app of a verb, or with a `text` that of a group of verbs, before its commands
    are added; `codes` are the exit codes that the group's help tells."""
    return typer.Typer(
        help=text,
        no_args_is_help=text is not None,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        add_completion=False,
        epilog=epilog(codes) if text is not None else None,
    )


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"psops {__version__}")
        raise typer.Exit


def main(
    context: typer.Context,
    color: opt.Color = "auto",
    debug: opt.Debug = False,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """See, prove and change the daemons of research infrastructure, on one host or many."""
    context.obj = color


def environment(context: typer.Context, color: str) -> Environment:
    """Return the environment of the run; an option of the verb beats one before the verb."""
    wanted = context.obj if color == "auto" else color
    if wanted not in opt.COLORS:
        raise UsageError(f"--color takes {', '.join(opt.COLORS)}, not {wanted!r}")
    return detect(wanted, _aim(context.params))


#: Parameter of a verb -> its option; what is True is a flag.
_AIMING = {"inventory": "-i", "machine": "-M", "ssh_config": "-F", "user": "--user",
           "sudo": "--sudo"}  # fmt: skip


def _aim(given: Mapping[str, Any]) -> Aim:
    words: list[str] = []
    for name, option in _AIMING.items():
        value = given.get(name)
        if value:
            words += [option] if value is True else [option, str(value)]
    chosen = any(given.get(name) for name in ("hosts", "group", "all_hosts", "inventory"))
    return Aim(tuple(words), named=chosen and given.get("machine") is None)


def written(text: str, code: Exit, output: str | None) -> Answer:
    """Return the answer with this text, or put that into the file `output` if one is given.

    Raises `UsageError` for a wrong place, and `OutputError` for one that is full or broken.
    """
    if output is None:
        return Answer(text, code)
    write_output(output, text)
    return Answer("", code)


def write_output(name: str, text: str) -> None:
    """Make a file with this text, in place of what one that is there says.

    Raises `UsageError` for a wrong place, and `OutputError` for one that is full or broken.
    """
    import errno
    import os
    from pathlib import Path

    from psops.paths import write_atomically

    place = Path(name)
    try:
        if place.exists() and not place.is_file():  # such as /dev/stderr, which must stay one
            place.write_text(text, encoding="utf-8")
        else:
            place = Path(os.path.realpath(place))  # a link stays one
            place.parent.mkdir(parents=True, exist_ok=True)  # for the report of a CI job
            write_atomically(place, text, mode=None)
    except FileExistsError as exc:  # from making the folder
        raise UsageError(f"{name}: not a directory") from exc
    except (OSError, ValueError) as exc:
        reason = getattr(exc, "strerror", None) or str(exc)
        broken = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
        kind = OutputError if getattr(exc, "errno", None) in broken else UsageError
        raise kind(f"{name}: {reason.lower()}") from exc
