"""`psops shell`: completion and man pages for the user, where the installer did not place them."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from psops.cli import options as opt
from psops.cli.app import Answer, epilog, verb_app
from psops.errors import ConfigError, UsageError
from psops.exits import Exit

_CODES = (Exit.OK, Exit.SOME_FAILED, Exit.USAGE, Exit.SOFTWARE, Exit.CONFIG)
app = verb_app(_CODES, "Put completion and man pages where they are found.")


@app.callback()
def shell() -> None:
    """Put completion and man pages where they are found."""


@app.command("install", epilog=epilog(_CODES))
def install(debug: opt.Debug = False) -> Answer:
    """Link man pages and completion scripts into ~/.local/share.

    pipx, pip and the packages of distributions place them themselves; uv does not. What
    another program has put there stays.
    """
    from psops import share
    from psops.report.text import count

    origin = _origin()
    target = share.user_place()
    done, kept = 0, []
    for name in share.files(origin):
        path = target / name
        with _told(path):
            if _is_ours(path, origin / name):
                continue
            if path.exists() and not path.is_symlink():
                kept.append(str(path))
                continue
            _link(path, origin / name)
        done += 1
    lines = [f"{count(done, 'file')} linked into {target}"]
    lines += [f"{path} is there already, and stays" for path in kept]
    lines += _hints(target)
    return Answer("\n".join(lines) + "\n", Exit.SOME_FAILED if kept else Exit.OK)


@app.command("uninstall", epilog=epilog(_CODES))
def uninstall(debug: opt.Debug = False) -> Answer:
    """Take the links of 'psops shell install' away again."""
    from psops import share
    from psops.report.text import count

    origin = _origin()
    target = share.user_place()
    ours = [target / name for name in share.files(origin)]
    removed = 0
    for path in ours:
        with _told(path):
            if path.is_symlink() and path.readlink().is_relative_to(origin):
                path.unlink()
                removed += 1
    return Answer(f"{count(removed, 'link')} removed from {target}\n")


@app.command("show", epilog=epilog(_CODES))
def show(
    shell: Annotated[str, typer.Argument(metavar="SHELL", help="bash, zsh or fish.")],
    debug: opt.Debug = False,
) -> Answer:
    """Print the completion script of a shell.

    As for: source <(psops shell show bash).
    """
    from psops import share
    from psops.nearest import did_you_mean

    if shell not in share.SCRIPTS:
        near = did_you_mean(shell, share.SCRIPTS)
        raise UsageError(f"no completion for {shell!r}{near}", remedy=", ".join(share.SCRIPTS))
    return Answer(share.script(_origin(), shell).read_text(encoding="utf-8"))


def _origin() -> Path:
    from psops import share

    origin = share.origin()
    if origin is None:
        raise ConfigError("this psops came without man pages and completion scripts",
                          remedy="install its wheel with pip, pipx or uv")  # fmt: skip
    return origin


def _is_ours(path: Path, source: Path) -> bool:
    """Tell whether a file is the one that psops brings, by a link or as a copy."""
    return path.is_file() and (path.samefile(source) or path.read_bytes() == source.read_bytes())


def _link(path: Path, source: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)  # a link to a psops that is gone
    path.symlink_to(source)


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Turn what the system has against the work on a file into a `ConfigError`."""
    try:
        yield
    except OSError as exc:
        reason = (exc.strerror or str(exc)).lower()
        raise ConfigError(
            f"{path}: {reason}", remedy="let psops write there, or set XDG_DATA_HOME"
        ) from exc


def _hints(target: Path) -> list[str]:
    """Return what is left to the user to do, as far as it can be seen from here."""
    from psops.doctor import shell_hints

    return [f"{text}:\n    {line}" for text, line in shell_hints(target)]
