"""`psops inventory add`, `remove` and `import`: edits of the inventory file."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from psops.cli import complete
from psops.cli import options as opt
from psops.cli.app import Answer, environment
from psops.errors import ConfigError, UsageError
from psops.exits import Exit

if TYPE_CHECKING:
    from psops.importers.imported import Imported
    from psops.inventory.edit import Edit

CODES = (Exit.OK, Exit.USAGE, Exit.SOFTWARE, Exit.CONFIG, Exit.INTERRUPTED)

#: More notes than this nobody reads on a terminal.
_MOST_NOTES = 40

DryRun = Annotated[
    bool, typer.Option("-n", "--dry-run", help="Show the difference, write nothing.")
]
Yes = Annotated[bool, typer.Option("-y", "--yes", help="Write without a question.")]
Asked = Annotated[bool, typer.Option("--json", help="Tell as JSON what is done.")]
EditedFile = Annotated[
    str | None,
    typer.Option(
        "-i", "--inventory", metavar="FILE", callback=opt.place, help="The inventory to edit."
    ),
]


def add_hosts(
    context: typer.Context,
    hosts: Annotated[
        list[str], typer.Argument(metavar="NODESET...", help="As ps[01-20] or user@host:22.")
    ],
    group: Annotated[
        list[str] | None,
        typer.Option(
            "-g",
            "--group",
            metavar="GROUP,...",
            help="Put them there.",
            autocompletion=complete.groups,
        ),
    ] = None,
    address: Annotated[
        str | None, typer.Option("--address", metavar="NAME", help="Where to connect to.")
    ] = None,
    user: Annotated[
        str | None, typer.Option("--login", metavar="USER", help="The user to log in as.")
    ] = None,
    port: Annotated[
        int | None,
        typer.Option("--port", metavar="N", callback=opt.between(1, 65535), help="Of its sshd."),
    ] = None,
    jump: Annotated[
        str | None, typer.Option("--jump", metavar="HOST,...", help="Jump hosts, the first first.")
    ] = None,
    transport: Annotated[
        str | None, typer.Option("--transport", metavar="WAY", help="ssh, openssh, container ...")
    ] = None,
    sudo: Annotated[bool, typer.Option("--sudo", help="Reach the bus through sudo.")] = False,
    bundles: Annotated[
        list[str] | None,
        typer.Option(
            "--bundle",
            metavar="NAME,...",
            help="What should run there.",
            autocompletion=complete.bundles,
        ),
    ] = None,
    labels: Annotated[
        list[str] | None, typer.Option("--label", metavar="KEY=WORD", help="A word of your own.")
    ] = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    inventory: EditedFile = None,
    as_json: Asked = False,
    color: opt.Color = "auto",
    debug: opt.Debug = False,
) -> Answer:
    """Add hosts to the inventory, or give more to those in it.

    Shows the difference, and asks before it writes. Comments and order stay.
    """  # fmt: skip
    from psops.inventory.edit import add
    from psops.inventory.write import place_to_edit

    given: dict[str, Any] = {
        "address": address, "user": user, "port": port, "transport": transport,
        "jump": jump.split(",") if jump else None, "sudo": sudo or None,
        "bundles": _words(bundles) or None, "labels": _labels(labels or ()) or None,
    }  # fmt: skip
    settings = {key: value for key, value in given.items() if value is not None}
    _check(settings)
    _check_bundles(_words(bundles))
    path = place_to_edit(inventory, make=True)

    def change(text: str) -> "Edit":
        return add(text, path, hosts, groups=_words(group), settings=settings)

    return _apply(context, "inventory add", path, change, dry_run, yes, as_json, color)


def remove_hosts(
    context: typer.Context,
    hosts: Annotated[
        list[str],
        typer.Argument(
            metavar="NODESET...", help="The hosts, as ps07 or @old.", autocompletion=complete.hosts
        ),
    ],
    group: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="GROUP",
            help="Out of this group alone.",
            autocompletion=complete.groups,
        ),
    ] = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    inventory: EditedFile = None,
    as_json: Asked = False,
    color: opt.Color = "auto",
    debug: opt.Debug = False,
) -> Answer:
    """Take hosts out of the inventory, its tables and its groups.

    Shows the difference, and asks before it writes. Comments and order stay.
    """  # fmt: skip
    from psops.inventory.edit import remove
    from psops.inventory.write import place_to_edit

    path = place_to_edit(inventory, make=False)

    def change(text: str) -> "Edit":
        return remove(text, path, hosts, group=group)

    return _apply(context, "inventory remove", path, change, dry_run, yes, as_json, color)


def import_hosts(
    context: typer.Context,
    words: Annotated[
        list[str],
        typer.Argument(
            metavar="[FORMAT] SOURCE",
            callback=opt.place,
            help="A file, - or a URL; auto tells its format itself.",
            autocompletion=complete.importers,
        ),
    ],
    group: Annotated[
        str | None,
        typer.Option(
            "-g",
            "--group",
            metavar="GROUP",
            help="Put all hosts into this group, too.",
            autocompletion=complete.groups,
        ),
    ] = None,
    prefix: Annotated[
        str, typer.Option("--prefix", metavar="PREFIX", help="Before the names of groups.")
    ] = "",
    replace: Annotated[
        bool, typer.Option("--replace", help="Imported values beat those in the inventory.")
    ] = False,
    output: Annotated[
        str | None,
        typer.Option(
            "-o",
            "--output",
            metavar="FILE",
            callback=opt.place,
            help="Make a new inventory there, or on -.",
        ),
    ] = None,
    timeout: opt.Timeout = 30.0,
    dry_run: DryRun = False,
    yes: Yes = False,
    inventory: EditedFile = None,
    as_json: Asked = False,
    color: opt.Color = "auto",
    debug: opt.Debug = False,
) -> Answer:
    """Take hosts and groups over from what other tools know.

    FORMAT is auto or one of:
    ansible ssh-config known-hosts psconfig parastation clustershell genders
    slurm hosts plain json

    Shows the difference, and asks before it writes. What has no place in an
    inventory is told with its line; passwords never get there.
    """  # fmt: skip
    from psops.inventory.edit import bring_in, regroup
    from psops.inventory.write import place_to_edit

    if len(words) > 2:
        raise UsageError("one FORMAT and one SOURCE at a time")
    form, source = words if len(words) == 2 else ("auto", words[0])
    found = _read(form, source, timeout)
    regroup(found, group=group, prefix=prefix)
    if output is not None:
        if output != "-" and Path(output).exists():
            raise UsageError(
                f"{output} is there already", remedy=f"to add to it: --inventory {output}"
            )
        path = Path("-" if output == "-" else output)
    else:
        path = place_to_edit(inventory, make=True)

    def change(text: str) -> "Edit":
        return bring_in(text, path, found, replace=replace)

    if output == "-":
        edit = change("")
        _tell(edit)
        return Answer(edit.after)
    return _apply(context, "inventory import", path, change, dry_run, yes, as_json, color)


def _read(form: str, source: str, timeout: float) -> "Imported":
    from psops.import_source import read_source
    from psops.importers import check_format, read
    from psops.importers.detect import detect

    if form != "auto":
        check_format(form)
    text = read_source(source, timeout)
    name = "standard input" if source == "-" else source
    form = detect(text, source) if form == "auto" else form
    found = read(form, text, name)
    if not found.hosts:
        notes = f": {found.notes[0].text}" if found.notes else ""
        raise ConfigError(f"{name}: no host in it (read as {form}){notes}")
    if form == "ansible" and source != "-" and "://" not in source:
        beside = [
            one for one in ("group_vars", "host_vars") if (Path(source).parent / one).is_dir()
        ]
        if beside:
            told = "what is in them is left out; ansible-inventory --list has all of it"
            found.note(0, f"{' and '.join(beside)} beside it: {told}")
    return found


def _apply(
    context: typer.Context,
    command: str,
    path: Path,
    change: "Callable[[str], Edit]",
    dry_run: bool,
    yes: bool,
    as_json: bool,
    color: str,
) -> Answer:
    """Show an edit, ask, and write it; what was shown is what is written."""
    from psops.inventory.write import edit_file, read_text
    from psops.report.diff import for_terminal
    from psops.report.edit import diff, render_json, summary

    env = environment(context, color)
    edit = change(read_text(path) or "")
    write = edit.changes and not dry_run
    if write and not yes:
        if not sys.stdin.isatty():
            raise UsageError(
                f"{path} would be changed, and there is no terminal to ask on",
                remedy="--yes says yes beforehand, --dry-run shows what would be changed",
            )
        typer.echo(for_terminal(diff(edit), color=env.color), err=True)
        _tell(edit)
        if not typer.confirm(f"Write {path}?", err=True):
            return Answer("nothing was changed\n", Exit.INTERRUPTED)
    if write:
        written: list[Edit] = []

        def again(text: str) -> str:
            if not yes and text != edit.before:
                raise ConfigError(
                    f"{path}: not written: somebody has changed it since it was shown",
                    remedy="run the same command again",
                )
            written.append(edit if text == edit.before else change(text))
            return written[-1].after

        edit_file(path, again)
        edit = written[-1]
    if as_json:
        return Answer(render_json(edit, command=command, written=write))
    if write and not yes:  # all of it was shown before the question
        return Answer(summary(edit, written=True) + "\n")
    _tell(edit)
    typer.echo(f"psops: {summary(edit, written=write)}", err=True)
    text = diff(edit)
    return Answer(for_terminal(text, env.color) if env.width is not None else text)


def _tell(edit: "Edit") -> None:
    from psops.report.edit import notes

    found = notes(edit.source, edit.notes)
    more = len(found) - _MOST_NOTES
    if more > 1:
        found[_MOST_NOTES:] = [f"and {more} notes more; --dry-run --json has all of them"]
    for text in found:
        typer.echo(f"psops: {text}", err=True)


def _words(values: list[str] | None) -> list[str]:
    return [word for value in values or () for word in value.split(",") if word]


def _labels(values: "list[str] | tuple[()]") -> dict[str, str]:
    found = {}
    for text in values:
        key, equals, value = text.partition("=")
        if not key or not equals:
            raise UsageError(f"--label takes KEY=WORD, not {text!r}")
        found[key] = value
    return found


def _check_bundles(names: list[str]) -> None:
    """Raise `NoSuchBundle` for one that is not in the catalogue."""
    if not names:
        return
    from psops.catalogue import Catalogue

    catalogue = Catalogue.load()
    for name in names:
        catalogue.bundle(name)


def _check(settings: dict[str, Any]) -> None:
    """Raise `UsageError` for a value that an inventory cannot have."""
    from psops.inventory.values import HOST_KEYS

    for key, value in settings.items():
        try:
            HOST_KEYS[key](value)
        except ValueError as exc:
            raise UsageError(f"{key}: {exc}") from exc
