"""The options that verbs share, one alias each, and what becomes of them.

Every option has its own metavar, so that help and man page do not move with Typer's.
"""

from typing import Annotated

import typer

from psops.cli import complete

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
        metavar="GROUP",
        help="Hosts of an inventory group.",
        autocompletion=complete.groups,
    ),
]
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
        "-i", "--inventory", metavar="FILE", help="Inventory, or 'demo' for a made-up fleet."
    ),
]
Fanout = Annotated[
    int, typer.Option("--fanout", metavar="N", min=1, help="Hosts at once.", show_default=True)
]
ConnectTimeout = Annotated[
    float,
    typer.Option(
        "--connect-timeout", metavar="SECONDS", min=0.1, help="To log in.", show_default=True
    ),
]
Timeout = Annotated[
    float,
    typer.Option("--timeout", metavar="SECONDS", min=0.1, help="To answer.", show_default=True),
]
Sudo = Annotated[
    bool, typer.Option("--sudo", help="Reach the bus by 'sudo -n systemd-stdio-bridge'.")
]
AcceptNewHostKeys = Annotated[
    bool, typer.Option("--accept-new-host-keys", help="Trust and keep keys of new hosts.")
]
SshConfigFile = Annotated[
    str | None,
    typer.Option("-F", "--ssh-config", metavar="FILE", help="Read this ssh configuration."),
]
Format = Annotated[str, typer.Option("--format", metavar="FORMAT", help="table, json or jsonl.")]
AsJson = Annotated[bool, typer.Option("--json", help="Short for --format json.")]
Fold = Annotated[
    bool | None,
    typer.Option(
        "--fold/--no-fold", help="Hosts with the same answer on one line (beyond 8 hosts)."
    ),
]
