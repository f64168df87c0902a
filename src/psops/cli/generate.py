"""The files that come from the code: shell completions, psops(1) and psops-pipeline(5).

`python -m psops.cli.generate` writes them into the checkout, `--check` compares. They change
when options, exit codes or errors do, so a test holds them to the code. The tree of
commands is read only by what Typer's own documentation generator uses.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import typer
from typer.testing import CliRunner

from psops import __version__, errors, paths
from psops.cli import generate_pipeline
from psops.cli.roff import escape, paragraphs, tagged
from psops.cli.verbs import app
from psops.exits import MEANINGS

COMMAND = "python -m psops.cli.generate"
WRITTEN = f"Written by {COMMAND}; changes are lost."
#: The day of the release, so that the same code always gives the same page.
RELEASED = "2026-11-20"

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
    ("XDG_RUNTIME_DIR", "With --user: the directory of the user's bus."),
    ("NO_COLOR", "If not empty, colour is off unless --color always is given."),
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
#: (what it is for, command line)
EXAMPLES = (
    ("The state of this machine, and the units that are not right:", "psops status"),
    ("One unit in full, with its processes and last log lines:", "psops status sshd"),
    (
        "Two units on all hosts of a group but one:",
        "psops status --group testpoint --exclude ps07 pscheduler-scheduler owamp-server",
    ),
    ("All failed units of the fleet, with five log lines each:", "psops status -a --failed -n 5"),
    (
        "What these daemons say from now on, on all hosts of a group:",
        "psops logs --follow --group testpoint pscheduler-runner pscheduler-archiver",
    ),
    ("Errors of the last hour, everywhere:", "psops logs --all --priority err --since 1h"),
    ("Hosts that no inventory names:", "psops status -H root@ps[01-20].example.org sshd"),
    ("The timers of a container:", "psops status --machine web --type timer"),
    (
        "For a program: the units that are not active, one line of JSON for each host:",
        "psops status --all --state inactive,failed --format jsonl 'panda_*'",
    ),
    ("A made-up fleet of 100 hosts, to try things:", "psops status --inventory demo:100"),
    ("Restart a unit here, and see why if it does not come up:", "psops restart httpd"),
    (
        "All daemons of a role, one host first, then a quarter of the others at a time:",
        "psops restart --group testpoint --bundle perfsonar-testpoint --canary 1 --batch 25%",
    ),
    ("What would be done:", "psops stop --all --dry-run owamp-server"),
    ("What was done, and again where it did not work:", "psops history show last"),
    ("Finish the last restart:", "psops restart --retry-failed"),
    (
        "PanDA's crontab as the configuration of its daemons, for nine servers:",
        "psops cron2daemon --servers 9 --sync copyArchive /etc/cron.d/panda",
    ),
    ("What the inventory says of a host:", "psops inventory show ps01"),
    ("Hosts of an Ansible inventory into it:", "psops inventory import ansible hosts.ini"),
    ("Whether all hosts can be reached, and what is in the way:", "psops inventory check"),
    ("Again on the hosts where the last run failed:", "psops status -H @failed"),
    (
        "Whether Rucio's daemons work, by its server with a token of the account root:",
        "psops rucio verify -g rucio --rest https://rucio.example.org --token file:/root/token",
    ),
    (
        "The same by its database, with psops[sql]; the file has a URL such as "
        "postgresql+psycopg://reader:password@db/rucio:",
        "psops rucio verify -g rucio --db-url file:/root/rucio.url",
    ),
    ("Units for two of them:", "psops unit write rucio reaper=3 hermes --output /"),
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


def files() -> dict[str, str]:
    """Return the text of every generated file by its path in the checkout."""
    return {
        "completions/psops.bash": render_completion("bash"),
        "completions/_psops": render_completion("zsh"),
        "completions/psops.fish": render_completion("fish"),
        "man/psops.1": render_man(),
        "man/psops-pipeline.5": generate_pipeline.render(f'.\\" {WRITTEN}', RELEASED),
    }


def stale(root: Path) -> list[str]:
    """Return the generated files below `root` that are not what the code gives."""
    return [
        name
        for name, text in files().items()
        if not (root / name).is_file() or (root / name).read_text(encoding="utf-8") != text
    ]


def verbs() -> Iterator[Verb]:
    """Yield every command, a group before its members."""
    command = typer.main.get_command(app)
    settings = command.context_settings
    yield from _walk(command, typer.Context(command, info_name="psops", **settings))


def _walk(command: Any, context: typer.Context) -> Iterator[Verb]:
    records = (param.get_help_record(context) for param in command.get_params(context))
    yield Verb(
        name=context.command_path,
        usage=" ".join(command.collect_usage_pieces(context)),
        help=(command.help or "").strip(),
        parameters=tuple(record for record in records if record is not None),
        is_group=hasattr(command, "list_commands"),
    )
    for name in command.list_commands(context) if hasattr(command, "list_commands") else ():
        inner = command.get_command(context, name)
        if not inner.hidden:
            yield from _walk(inner, typer.Context(inner, info_name=name, parent=context))


def render_completion(shell: str) -> str:
    """Return the completion script for a shell, as Typer gives it to a user who asks."""
    environ = {"_PSOPS_COMPLETE": f"source_{shell}"}
    script = CliRunner().invoke(app, env=environ, prog_name="psops").stdout.strip()
    if shell == "zsh":
        # A file in $fpath is run at the first Tab; Typer's only prepares for the second one.
        script += "\nif [[ $zsh_eval_context[-1] == loadautofunc ]]; then\n  _psops_completion\nfi"
    return script + "\n"


def render_man() -> str:
    """Return the man page psops(1)."""
    (top, *others) = verbs()
    lines = [
        f'.\\" {WRITTEN}',
        f'.TH PSOPS 1 "{escape(RELEASED)}" "psops {escape(__version__)}" "User Commands"',
        ".nh",  # no hyphens within words: names of options and units must stay searchable
        ".ad l",
        ".SH NAME",
        f"psops \\- {escape(top.help.rstrip('.'))}",
        ".SH SYNOPSIS",
    ]
    for verb in (verb for verb in others if not verb.is_group):
        lines += [_usage(verb), ".br"]
    lines += [
        ".SH DESCRIPTION",
        *paragraphs(DESCRIPTION),
        ".PP",
        "The options before a command hold for all of them:",
        *_parameters(top),
        ".SH COMMANDS",
    ]
    for verb in others:
        lines += [f".SS {_usage(verb)}", *paragraphs(verb.help), *_parameters(verb)]
    lines += [".SH TRANSPORTS", *tagged(TRANSPORT_TEXTS.items())]
    lines += [".SH EXIT STATUS", *tagged((str(int(c)), text) for c, text in MEANINGS.items())]
    lines += [".PP", escape(EXIT_PROMISE)]
    lines += [".SH ERRORS", *paragraphs(ERRORS), *tagged(error_texts())]
    lines += [".SH ENVIRONMENT", *tagged(VARIABLES), ".SH FILES", *tagged(FILES)]
    lines += [".SH EXAMPLES"]
    for purpose, line in EXAMPLES:
        lines += [".PP", escape(purpose), ".PP", ".RS 4", ".nf", escape(line), ".fi", ".RE"]
    pages = [f".BR {escape(name)} ({section})" for name, section in SEE_ALSO]
    lines += [".SH SEE ALSO", *(f"{page}," for page in pages[:-1]), pages[-1]]
    return "\n".join(lines) + "\n"


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


def _usage(verb: Verb) -> str:
    return f"\\fB{escape(verb.name)}\\fR {escape(verb.usage)}"


def _parameters(verb: Verb) -> list[str]:
    lines = []
    for names, text in verb.parameters:
        lines += [".TP", _names(names), escape(" ".join(text.split()))]
    return lines


def _names(names: str) -> str:
    """Return `-n, --lines N` with what is typed as it stands in bold, the rest in italics."""
    words = []
    for word in names.split(" "):
        bare = word.rstrip(",")
        face = "B" if word.startswith("-") else "R" if word == "/" else "I"
        words.append(f"\\f{face}{escape(bare)}\\fR{word[len(bare) :]}")
    return " ".join(words)


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
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text(new[name], encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
