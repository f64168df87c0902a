"""The options that verbs share, one alias each, and what becomes of them.

Every option has its own metavar, so that help and man page do not move with Typer's.
"""

from collections.abc import Callable
from typing import Annotated, TypeVar

import typer

from psops.cli import complete
from psops.errors import UsageError

Place = TypeVar("Place", str, str | None, list[str] | None)


def between(least: float, most: float) -> Callable[[float | None], float | None]:
    """Return a check of an option's value; `min=` would put "x>=1" into the help, and nan in."""

    def check(value: float | None) -> float | None:
        if value is not None and not least <= value <= most:
            raise typer.BadParameter(f"{value:g} is not from {least:g} to {most:g}.")
        return value

    return check


def place(value: Place) -> Place:
    """Refuse an empty name, as a variable that is not set leaves it, of a file or folder: for
    Python it is the current folder."""
    if value == "" or (isinstance(value, list) and "" in value):
        raise typer.BadParameter("an empty name is no file.")
    return value


def check_version(option: str, text: str) -> None:
    """Refuse what is no version as the value of an option."""
    from psops.catalogue.version import parse_version

    try:
        parse_version(text)
    except ValueError as exc:
        raise UsageError(f"{option}: {exc}") from exc


#: Longer time-outs, infinite ones among them, do not fit into the system's calls.
DAYS = 10 * 86400

Units = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[UNIT|GLOB]...",
        help="Units; .service is added to bare names.",
        autocompletion=complete.units,
    ),
]
Bundle = Annotated[
    str | None,
    typer.Option(
        "--bundle",
        metavar="NAME",
        help="All daemons of a bundle.",
        autocompletion=complete.bundles,
    ),
]
Hosts = Annotated[
    list[str] | None,
    typer.Option(
        "-H",
        "--hosts",
        metavar="NODESET",
        help="Hosts, as ps[01-20],gw or @group!ps07.",
        autocompletion=complete.hosts,
    ),
]
Groups = Annotated[
    list[str] | None,
    typer.Option(
        "-g",
        "--group",
        metavar="GROUP,...",
        help="Hosts of inventory groups, as a,b.",
        autocompletion=complete.groups,
    ),
]
#: When to use colour.
COLORS = ("auto", "always", "never")
Color = Annotated[
    str,
    typer.Option(
        "--color", metavar="WHEN", help="auto, always or never.", autocompletion=complete.colors
    ),
]
#: Read from the command line by `psops.__main__`, since errors arise before any verb runs.
Debug = Annotated[bool, typer.Option("--debug", help="Show where an error arose.")]
AllHosts = Annotated[bool, typer.Option("-a", "--all", help="All hosts of the inventory.")]
Exclude = Annotated[
    list[str] | None,
    typer.Option(
        "-x",
        "--exclude",
        metavar="NODESET",
        help="Leave these out.",
        autocompletion=complete.hosts,
    ),
]
Machine = Annotated[
    str | None,
    typer.Option(
        "-M",
        "--machine",
        metavar="NAME",
        help="A container on this host.",
        autocompletion=complete.machines,
    ),
]
UserBus = Annotated[bool, typer.Option("--user", help="The user's own systemd.")]
InventoryFile = Annotated[
    str | None,
    typer.Option(
        "-i",
        "--inventory",
        metavar="FILE",
        callback=place,
        help="Inventory, or 'demo' for a made-up fleet.",
    ),
]
Fanout = Annotated[
    int, typer.Option("--fanout", metavar="N", callback=between(1, 10_000), help="Hosts at once.")
]
ConnectTimeout = Annotated[
    float,
    typer.Option(
        "--connect-timeout", metavar="SECONDS", callback=between(0.1, DAYS), help="Time to log in."
    ),
]
Timeout = Annotated[
    float,
    typer.Option(
        "--timeout", metavar="SECONDS", callback=between(0.1, DAYS), help="Time to answer."
    ),
]
Sudo = Annotated[
    bool, typer.Option("--sudo", help="Reach the bus by 'sudo -n systemd-stdio-bridge'.")
]
AcceptNewHostKeys = Annotated[
    bool, typer.Option("--accept-new-host-keys", help="Trust and keep keys of new hosts.")
]
SshConfigFile = Annotated[
    str | None,
    typer.Option(
        "-F", "--ssh-config", metavar="FILE", callback=place, help="Read this ssh configuration."
    ),
]
Format = Annotated[
    str,
    typer.Option(
        "--format",
        metavar="FORMAT",
        help="table, json or jsonl.",
        autocompletion=complete.formats,
    ),
]
VerdictFormat = Annotated[
    str,
    typer.Option(
        "--format",
        metavar="FORMAT",
        help="table, json, junit, nagios ...",
        autocompletion=complete.verdict_formats,
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Short for --format json.")]
Fold = Annotated[
    bool | None,
    typer.Option(
        "--fold/--no-fold", help="Hosts with the same answer on one line (beyond 8 hosts)."
    ),
]
FailOn = Annotated[str, typer.Option("--fail-on", metavar="VERDICT", help="warning or critical.")]
Output = Annotated[
    str | None,
    typer.Option(
        "-o", "--output", metavar="FILE", callback=place, help="Write the report there instead."
    ),
]
