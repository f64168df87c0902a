"""The files that come from the code: shell completions and the man pages of section 1.

`python -m psops.cli.generate` writes them into the checkout, `--check` compares. They change
when options, exit codes or errors do, so a test holds them to the code. The tree of
commands is read only by what Typer's own documentation generator uses.
"""

import re
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import typer

from psops import __version__, errors, paths
from psops.cli import completion, generate_pipeline, roff
from psops.cli.examples import EXAMPLES, examples
from psops.cli.roff import escape
from psops.cli.verbs import VERBS, app
from psops.exits import MEANINGS, Exit

COMMAND = "python -m psops.cli.generate"
WRITTEN = f"Written by {COMMAND}; changes are lost."
#: The day of the release, so that the same code always gives the same page.
RELEASED = "2026-11-20"
#: A line of the exit status in a help text.
_CODE = re.compile(r"^ +(\d+)  ", re.M)

#: What the transports do, in the order of the page.
TRANSPORT_TEXTS = {
    "local": "This machine's bus, by its socket. It is used when no host is given.",
    "ssh": (
        "The default for hosts. psops logs in by itself as the ssh configuration says, or uses "
        "the ControlMaster that is open already, and reaches the bus by a forward to its socket "
        "or, where forwards are not allowed, by systemd-stdio-bridge."
    ),
    "openssh": (
        "One ssh(1) process for each host, for whatever psops cannot do by itself: Kerberos, "
        "FIDO keys, certificates. The host needs systemd-stdio-bridge."
    ),
    "container": (
        "A container on this machine, by the name that systemd-machined, podman or docker gives "
        "it; --machine is the short way. Needs root."
    ),
    "demo": "A host that exists only within psops, as in --inventory demo.",
}
#: (variable, what it does)
VARIABLES = (
    ("PSOPS_INVENTORY", "The inventory file to read; --inventory is stronger."),
    (
        "PSOPS_DBUS",
        "next or fast: the D-Bus library to use. Without it, dbus-fast where it is installed, "
        "else dbus-next.",
    ),
    (
        "PSOPS_SYSLOG",
        "The socket of the system log that changes are told to; /dev/log if unset, none if empty.",
    ),
    ("XDG_CONFIG_HOME", "The directory above psops/ for files of the user; ~/.config if unset."),
    ("XDG_STATE_HOME", "The directory above psops/ for what is remembered; ~/.local/state if "
     "unset."),
    ("XDG_DATA_HOME", "Where psops shell install puts its links; ~/.local/share if unset."),
    ("XDG_DATA_DIRS", "Where psops doctor looks for completion and man pages after that."),
    ("XDG_RUNTIME_DIR", "With --user: the directory of the user's bus."),
    ("NO_COLOR", "If not empty, colour is off unless --color always is given."),
    (
        "PSOPS_ASCII",
        "If not empty, reports are of ASCII alone, as on a terminal that is not UTF-8.",
    ),
    ("SSH_AUTH_SOCK", "The agent that holds the keys to log in with."),
    ("DBUS_SYSTEM_BUS_ADDRESS", "The address of this machine's bus, if it is a unix: address."),
    ("DBUS_SESSION_BUS_ADDRESS", "The same for the user's bus."),
)  # fmt: skip
#: (file, what it is)
FILES = (
    (f"$XDG_CONFIG_HOME/psops/{paths.INVENTORY}", "The user's inventory, psops-inventory(5)."),
    (f"{paths.SYSTEM}/{paths.INVENTORY}", "The inventory of the machine, if the user has none."),
    (
        "$XDG_STATE_HOME/psops/ways.json",
        "By which way the bus of each host was reached last. It may be removed at any time.",
    ),
    (
        "$XDG_STATE_HOME/psops/history.db",
        "The history of changes, an SQLite database; psops history tells what is in it.",
    ),
    ("/etc/psops/bundles.d/*.toml", "More daemons and bundles, psops-catalogue(5)."),
    ("$XDG_CONFIG_HOME/psops/bundles.d/*.toml", "The user's; they have the last word."),
    ("~/.ssh/config, /etc/ssh/ssh_config", "How hosts are logged in to, see ssh_config(5)."),
    ("~/.ssh/known_hosts, /etc/ssh/ssh_known_hosts", "The keys of hosts, see sshd(8)."),
)
SEE_ALSO = (
    ("psops-inventory", 5), ("psops-catalogue", 5), ("psops-pipeline", 5), ("systemctl", 1),
    ("journalctl", 1), ("systemd-stdio-bridge", 1), ("machinectl", 1), ("ssh", 1),
    ("ssh_config", 5), ("nodeset", 1),
)  # fmt: skip


class Verb(NamedTuple):
    """A command as the user types it, with what its help says."""

    name: str
    usage: str
    help: str
    #: (names, help) of every argument and option.
    parameters: tuple[tuple[str, str], ...]
    is_group: bool
    #: The exit codes that its help tells.
    codes: tuple[Exit, ...]


def files() -> dict[str, str]:
    """Return the text of every generated file by its path in the checkout."""
    return {
        **{
            f"completions/{name}": render_completion(shell)
            for shell, (name, _) in completion.SHELLS.items()
        },
        "src/psops/catalogue/names.py": render_names(),
        "man/psops.1": render_man(),
        "man/psops-pipeline.5": generate_pipeline.render(WRITTEN, RELEASED),
        "man/psops-bundle.5": roff.alias("psops-catalogue", 5),
        **{f"man/{name}": text for name, text in render_pages().items()},
    }


def stale(root: Path) -> list[str]:
    """Return the generated files below `root` that are not what the code gives."""
    return [
        name
        for name, text in files().items()
        if not (root / name).is_file() or (root / name).read_text(encoding="utf-8") != text
    ]


@cache
def verbs() -> tuple[Verb, ...]:
    """Return every command, a group before its members."""
    return tuple(
        Verb(
            name=context.command_path,
            usage=" ".join(command.collect_usage_pieces(context)),
            help=(command.help or "").strip(),
            parameters=tuple(
                record
                for param in command.get_params(context)
                if (record := param.get_help_record(context)) is not None
            ),
            is_group=hasattr(command, "list_commands"),
            codes=tuple(Exit(int(code)) for code in _CODE.findall(command.epilog or "")),
        )
        for command, context in _walk(*_root())
    )


@cache
def commands() -> tuple[completion.Command, ...]:
    """Return every command as the completion scripts know it."""
    found = []
    for command, context in _walk(*_root()):
        name = context.command_path.partition(" ")[2]
        names = (inner.name for inner, _ in _members(command, context))
        found.append(completion.command_of(name, command, names, context))
    return tuple(found)


def _root() -> tuple[Any, typer.Context]:
    command = typer.main.get_command(app)
    return command, typer.Context(command, info_name="psops", **command.context_settings)


def _walk(command: Any, context: typer.Context) -> Iterator[tuple[Any, typer.Context]]:
    yield command, context
    for inner, within in _members(command, context):
        yield from _walk(inner, within)


def _members(command: Any, context: typer.Context) -> Iterator[tuple[Any, typer.Context]]:
    for name in command.list_commands(context) if hasattr(command, "list_commands") else ():
        inner = command.get_command(context, name)
        if not inner.hidden:
            yield inner, typer.Context(inner, info_name=name, parent=context)


def render_completion(shell: str) -> str:
    """Return the completion script for a shell."""
    return completion.render(shell, commands(), f"Written by {COMMAND}; changes are lost.")


def render_names() -> str:
    """Return the module with the names of the catalogue that psops brings."""
    from textwrap import fill

    from psops.catalogue import Catalogue
    from psops.cli.complete import catalogue_names

    lines = [
        '"""The names in the catalogue that psops brings: a Tab has no time to read it.',
        "",
        f"Written by {COMMAND}; changes are lost.",
        '"""',
        "",
        "NAMES = {",
    ]
    for kind, names in catalogue_names(Catalogue.load([])).items():
        text = fill(" ".join(names), 92, break_on_hyphens=False, break_long_words=False)
        indented = "\n".join(f"        {line}" for line in text.splitlines())
        lines += [f'    "{kind}": """', indented, '    """.split(),']
    return "\n".join([*lines, "}"]) + "\n"


def render_man() -> str:
    """Return the man page psops(1)."""
    (top, *others) = verbs()
    pages = _pages(others)
    lines = [
        *_head("psops"),
        ".SH NAME",
        f"psops \\- {escape(top.help.rstrip('.'))}",
        ".SH SYNOPSIS",
        roff.usage("psops", "[OPTIONS] COMMAND [ARGS]..."),
        ".SH DESCRIPTION",
        *roff.paragraphs(DESCRIPTION),
        ".SH OPTIONS",
        "These stand before the command; those of a command are in its page.",
        *roff.parameters(top.parameters),
        ".SH COMMANDS",
        "Each has a page of its own, which",
        ".B man psops COMMAND",
        "shows as well.",
    ]
    for page, members in pages.items():
        for verb in members:
            if verb.name.count(" ") == 1:
                lines += [".TP", f"{roff.usage(verb.name, '')}", _sentence(verb.help)]
                lines += [f"See \\fB{escape(page)}\\fR(1)."]
    lines += [".SH TRANSPORTS", *roff.tagged(TRANSPORT_TEXTS.items())]
    lines += [".SH EXIT STATUS", *roff.tagged((str(int(c)), text) for c, text in MEANINGS.items())]
    lines += [".PP", escape(EXIT_PROMISE)]
    lines += [".SH ERRORS", *roff.paragraphs(ERRORS), *roff.tagged(error_texts())]
    lines += [".SH ENVIRONMENT", *roff.tagged(VARIABLES), ".SH FILES", *roff.tagged(FILES)]
    lines += [".SH EXAMPLES", *roff.examples(EXAMPLES)]
    own = [(page, 1) for page in sorted(pages)]
    return "\n".join([*lines, *roff.see_also([*own, *SEE_ALSO])]) + "\n"


def render_pages() -> dict[str, str]:
    """Return the pages of the verbs by file name, a verb that shares a page as an alias of it."""
    pages = _pages(verbs()[1:])
    texts = {}
    for page, members in pages.items():
        texts[f"{page}.1"] = _render_page(page, members, [*pages])
        for verb in members:
            name = verb.name.replace(" ", "-")
            if verb.name.count(" ") == 1 and name != page:
                texts[f"{name}.1"] = roff.alias(page, 1)
    return texts


def _pages(found: Iterable[Verb]) -> dict[str, list[Verb]]:
    """Return the name of each page of section 1 but psops(1), with the commands that are in it.

    Verbs of one module have one page, as they have one form.
    """
    pages: dict[str, list[Verb]] = {}
    for verb in found:
        module = VERBS[verb.name.split()[1]]
        pages.setdefault(f"psops-{module.rpartition('.')[2]}", []).append(verb)
    return pages


def _render_page(page: str, members: list[Verb], pages: list[str]) -> str:
    (first, *_) = members
    leaves = [verb for verb in members if not verb.is_group or verb.parameters[1:]]
    shared = [
        one for one in leaves[0].parameters if all(one in verb.parameters for verb in leaves)
    ] if len(leaves) > 1 else []  # fmt: skip
    title = TITLES.get(page) or first.help.partition("\n\n")[0].rstrip(".")
    lines = [*_head(page), ".SH NAME", f"{escape(page)} \\- {_sentence(title)}", ".SH SYNOPSIS"]
    for number, verb in enumerate(leaves):
        lines += [".br"] if number else []
        lines.append(roff.usage(verb.name, verb.usage))
    lines.append(".SH DESCRIPTION")
    if len(leaves) == 1:
        own = roff.parameters(leaves[0].parameters)
        lines += [*roff.paragraphs(leaves[0].help), ".SH OPTIONS", *own]
    else:
        lines += roff.paragraphs(first.help if first.is_group else DESCRIPTIONS[page])
        lines.append(".SH COMMANDS")
        for verb in leaves:
            own = roff.parameters(one for one in verb.parameters if one not in shared)
            lines += [f".SS {roff.usage(verb.name, verb.usage)}", *roff.paragraphs(verb.help), *own]
        lines += [".SH OPTIONS", "All of these commands take:", *roff.parameters(shared)]
    codes = sorted({code for verb in members for code in verb.codes})
    lines += [".SH EXIT STATUS", *roff.tagged((str(int(c)), MEANINGS[c]) for c in codes)]
    lines += [".PP", f"{escape(EXIT_PROMISE)}"]
    lines += [".SH ENVIRONMENT", "See", ".BR psops (1)."]
    lines += [".SH FILES", "See", ".BR psops (1)."]
    names = [verb.name for verb in members if verb.name.count(" ") == 1]
    lines += [".SH EXAMPLES", *roff.examples(one for name in names for one in examples(name))]
    near = [("psops", 1), *((other, 1) for other in pages if other != page)]
    return "\n".join([*lines, *roff.see_also([*near, *SEE_ALSO])]) + "\n"


def _head(page: str) -> list[str]:
    return roff.head(page, 1, RELEASED, f"psops {__version__}", WRITTEN)


def _sentence(text: str) -> str:
    return escape(" ".join(text.partition("\n\n")[0].split()))


#: Pages with several verbs that are no group -> what their names have in common.
TITLES = {"psops-change": "change units: start, stop, restart, enable, mask and their kin"}
DESCRIPTIONS = {
    "psops-change": """
These verbs mean what they mean to systemctl(1), for one host or many. What is already as wanted is
left alone. systemd's job is waited for, and what was started is watched for some seconds more.
Units that went down together with one that is started are brought back, unless --only is given.

More than one host is changed only after a question, or with --yes. What is changed is written to
the history first, see psops-history(1). Units that would cut psops off or take the host down are
protected; --force changes one all the same.
"""
}
DESCRIPTION = """
psops asks systemd on many hosts over D-Bus what their units do, shows the answers together, and
changes units. It installs nothing on the hosts: it logs in with SSH as the user's ssh configuration
says, and speaks to the system bus that is there anyway. A host that cannot be reached is part of
the report, with the reason and what usually helps; it never stops the others.

A change is waited for until systemd tells that its job is done, and what was started is watched
for some seconds more. What is already as wanted is left alone. Units that went down together with
one that is started are brought back (--only leaves them). Before more than one host is changed
psops asks, and what is changed is written to the history first, see psops history.

Standard output has the report and nothing else; errors and progress go to standard error. Hosts
are given by pattern (--hosts), by group of the inventory (--group) or all at once (--all);
without them this machine is meant.
"""
EXIT_PROMISE = (
    "Codes may be added. Treat a code that is not in this list as a failure. When several hold, "
    "1 is given before 4, 4 before 3, and 3 before 0."
)
ERRORS = """
Every error has a code that does not change; it is printed with the host, and is the value of
"code" in JSON. An error of the whole run ends it with the exit status in parentheses.
"""


def error_texts() -> list[tuple[str, str]]:
    """Return the code of every error with what it means and what helps."""
    return [(kind.code, _error_text(kind)) for kind in _error_kinds(errors.PsopsError)]


def _error_kinds(kind: type[errors.PsopsError]) -> Iterator[type[errors.PsopsError]]:
    yield kind
    for inner in kind.__subclasses__():
        if inner.__module__ == errors.__name__:
            yield from _error_kinds(inner)


def _error_text(kind: type[errors.PsopsError]) -> str:
    sentence = " ".join((kind.__doc__ or "").partition("\n\n")[0].split())
    if not issubclass(kind, errors.HostError | errors.BusError):
        sentence += f" ({int(kind.exit)})"
    remedy = kind.remedy
    if remedy:
        sentence += f" Remedy: {remedy}{'' if remedy.endswith('?') else '.'}"
    return sentence.replace("`", "")


def main(arguments: list[str]) -> None:
    """Write the files, or with --check leave with a message if they are not up to date."""
    root = Path(__file__).resolve().parents[3]
    if arguments not in ([], ["--check"]):
        sys.exit(f"usage: {COMMAND} [--check]")
    if not (root / "pyproject.toml").is_file():
        sys.exit(f"{root} is no checkout of psops")
    old = stale(root)
    if arguments and old:
        sys.exit(f"not up to date: {', '.join(old)}; run: {COMMAND}")
    new = files()
    for name in old:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(new[name], encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
