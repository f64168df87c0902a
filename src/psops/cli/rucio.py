"""`psops rucio`: whether Rucio's daemons work, from their processes and their heartbeats."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from psops.cli import options as opt
from psops.cli.app import Answer, environment, epilog, verb_app
from psops.errors import UsageError
from psops.exits import Exit

if TYPE_CHECKING:
    from psops.inventory import Host
    from psops.rucio.source import Source
    from psops.rucio.verify import Request
    from psops.transport import Options

_CODES = (
    Exit.OK, Exit.SOME_FAILED, Exit.USAGE, Exit.UNAVAILABLE, Exit.SOFTWARE, Exit.CONFIG,
    Exit.INTERRUPTED, Exit.TERMINATED,
)  # fmt: skip
#: Folded beyond this many hosts, unless the user says otherwise.
_FOLD_BEYOND = 8

app = verb_app(_CODES, "Prove that Rucio's daemons do their work.")

Rest = Annotated[
    str | None,
    typer.Option("--rest", metavar="URL", help="Rucio's server, to read the heartbeats from."),
]
Token = Annotated[
    str | None,
    typer.Option("--token", metavar="REF", help="Where its token is, as file:/root/token."),
]
Ca = Annotated[
    str, typer.Option("--ca", metavar="FILE", help="PEM file of the authority to trust for it.")
]
DbUrl = Annotated[
    str | None,
    typer.Option("--db-url", metavar="REF", help="Where the database's URL is, instead."),
]
DbSchema = Annotated[
    str, typer.Option("--db-schema", metavar="NAME", help="Schema with Rucio's tables.")
]
Aliases = Annotated[
    list[str] | None,
    typer.Option("--alias", metavar="HOST=HOSTNAME", help="Another hostname in heartbeats."),
]


@app.command("verify", epilog=epilog(_CODES))
def verify(
    context: typer.Context,
    rest: Rest = None,
    token: Token = None,
    ca: Ca = "",
    db_url: DbUrl = None,
    db_schema: DbSchema = "",
    units_only: Annotated[
        bool, typer.Option("--units-only", help="Look at processes alone, at no heartbeats.")
    ] = False,
    aliases: Aliases = None,
    fail_on: Annotated[
        str, typer.Option("--fail-on", metavar="VERDICT", help="warning or critical.")
    ] = "critical",
    hosts: opt.Hosts = None,
    group: opt.Groups = None,
    all_hosts: opt.AllHosts = False,
    exclude: opt.Exclude = None,
    machine: opt.Machine = None,
    inventory: opt.InventoryFile = None,
    fanout: opt.Fanout = 64,
    connect_timeout: opt.ConnectTimeout = 10.0,
    timeout: opt.Timeout = 30.0,
    sudo: opt.Sudo = False,
    accept_new_host_keys: opt.AcceptNewHostKeys = False,
    ssh_config: opt.SshConfigFile = None,
    form: opt.VerdictFormat = "table",
    as_json: opt.AsJson = False,
    output: Annotated[
        str | None,
        typer.Option("-o", "--output", metavar="FILE", help="Write the report there instead."),
    ] = None,
    fold: opt.Fold = None,
    color: opt.Color = "auto",
    debug: opt.Debug = False,
) -> Answer:
    """Prove that the daemons of hosts work, and say which do not.

    A daemon that runs may hang, may have lost threads or may never have begun: its
    heartbeats tell. They are read once, from here, by Rucio's server with a token of the
    account root or from its database, and joined with the processes of each host. A daemon
    that the host's bundles in the inventory do not list is a stray. REF says where a secret
    is: env:NAME, file:/path (mode 0600) or credential:NAME (of systemd).
    """
    from psops.cli.progress import progress_bar
    from psops.nearest import did_you_mean
    from psops.report import Look
    from psops.report.verify import VERIFY_FORMATS, exit_code, render_verify
    from psops.rucio import verify as verb

    form = "json" if as_json else form
    if form not in VERIFY_FORMATS:
        raise UsageError(f"no format {form!r}{did_you_mean(form, VERIFY_FORMATS)}")
    if fail_on not in ("warning", "critical"):
        raise UsageError(f"--fail-on takes warning or critical, not {fail_on!r}")
    chosen, options = _select(
        hosts, group, all_hosts, exclude, machine, inventory,
        _options(connect_timeout, timeout, accept_new_host_keys, sudo, ssh_config),
    )  # fmt: skip
    source = _source(rest, token, ca, db_url, db_schema, units_only, chosen)
    request = _request(source, aliases, chosen, fail_on)
    env = environment(context, color)
    with progress_bar(env, len(chosen)) as progress:
        gathering = verb.gather(chosen, request, options, width=fanout, progress=progress)
    report = verb.report(gathering, request)
    folded = len(chosen) > _FOLD_BEYOND if fold is None else fold
    look = Look(color=env.color and output is None, width=env.width, fold=folded)
    text, code = render_verify(report, form, look), Exit(exit_code(report, form))
    return _written(text, code, output)


@app.command("heartbeats", epilog=epilog(_CODES))
def heartbeats(
    context: typer.Context,
    rest: Rest = None,
    token: Token = None,
    ca: Ca = "",
    db_url: DbUrl = None,
    db_schema: DbSchema = "",
    aliases: Aliases = None,
    hosts: opt.Hosts = None,
    group: opt.Groups = None,
    all_hosts: opt.AllHosts = False,
    exclude: opt.Exclude = None,
    machine: opt.Machine = None,
    inventory: opt.InventoryFile = None,
    fanout: opt.Fanout = 64,
    connect_timeout: opt.ConnectTimeout = 10.0,
    timeout: opt.Timeout = 30.0,
    sudo: opt.Sudo = False,
    accept_new_host_keys: opt.AcceptNewHostKeys = False,
    ssh_config: opt.SshConfigFile = None,
    form: Annotated[
        str, typer.Option("--format", metavar="FORMAT", help="table or json.")
    ] = "table",
    as_json: opt.AsJson = False,
    color: opt.Color = "auto",
    debug: opt.Debug = False,
) -> Answer:
    """List the heartbeats with their ages, units and verdicts.

    All are listed, those of hosts that were not asked for too; only for the hosts asked
    for can be told to which unit they belong. REF is as in psops rucio verify.
    """
    from psops.cli.progress import progress_bar
    from psops.errors import NotSystemd
    from psops.nearest import did_you_mean
    from psops.report import Look
    from psops.report.json import dump, envelope
    from psops.rucio import verify as verb
    from psops.rucio.show import join, render_rows, row_object
    from psops.rucio.source import Rows

    form = "json" if as_json else form
    if form not in ("table", "json"):
        near = did_you_mean(form, ("table", "json"))
        raise UsageError(f"no format {form!r}{near}", remedy="heartbeats come as table or json")
    chosen, options = _select(
        hosts, group, all_hosts, exclude, machine, inventory,
        _options(connect_timeout, timeout, accept_new_host_keys, sudo, ssh_config),
    )  # fmt: skip
    source = _source(rest, token, ca, db_url, db_schema, False, chosen)
    request = _request(source, aliases, chosen, "critical")
    env = environment(context, color)
    with progress_bar(env, len(chosen)) as progress:
        gathering = verb.gather(chosen, request, options, width=fanout, progress=progress)
    if not isinstance(gathering.rows, Rows):
        assert gathering.rows is not None
        raise gathering.rows
    report = verb.report(gathering, request)
    joined = join(gathering, request, report)
    # Where no host was asked for, this machine may well be none of Rucio's.
    nobody = not (hosts or group or all_hosts or machine)
    outcomes = [
        one for one in gathering.hosts.outcomes
        if not (nobody and isinstance(one.error, NotSystemd))
    ]  # fmt: skip
    unread = [outcome for outcome in outcomes if outcome.error]
    code = gathering.hosts.ended
    if unread and code is Exit.OK:
        code = Exit.SOME_FAILED
    if form == "json":
        from psops.errors import describe

        errors = [{"host": one.host.name, **describe(one.error)} for one in unread if one.error]
        document: dict[str, Any] = {"heartbeats": [row_object(one) for one in joined]}
        return Answer(
            dump(envelope("rucio heartbeats", code, [], errors) | document, indent=2), code
        )
    look = Look(color=env.color, width=env.width)
    return Answer(render_rows(joined, outcomes, look), code)


def _options(
    connect_timeout: float, timeout: float, accept: bool, sudo: bool, ssh_config: str | None
) -> "Options":
    from psops.transport import Options

    return Options(
        connect_timeout=connect_timeout, timeout=timeout, accept_new_host_keys=accept, sudo=sudo,
        ssh_config=ssh_config,
    )  # fmt: skip


def _select(
    hosts: list[str] | None,
    group: list[str] | None,
    all_hosts: bool,
    exclude: list[str] | None,
    machine: str | None,
    inventory: str | None,
    options: "Options",
) -> "tuple[tuple[Host, ...], Options]":
    from psops.cli.target import select

    return select(
        inventory=inventory,
        hosts=hosts or (),
        groups=group or (),
        all_hosts=all_hosts,
        exclude=exclude or (),
        machine=machine,
        user_bus=False,
        options=options,
    )


def _source(
    rest: str | None,
    token: str | None,
    ca: str,
    url: str | None,
    schema: str,
    units_only: bool,
    hosts: "Sequence[Host]",
) -> "Source | None":
    """Return where the heartbeats come from; raises `UsageError` for none, or for two."""
    from psops.secrets import read_secret

    if units_only:
        if rest is not None or token is not None or url is not None:
            raise UsageError("--units-only reads no heartbeats, so it goes with no source of them")
        return None
    if rest is not None and url is not None:
        raise UsageError("give either --rest or --db-url, not both")
    if schema and url is None:
        raise UsageError("--db-schema goes with --db-url")
    if rest is None and (token is not None or ca):
        raise UsageError(f"{'--token' if token is not None else '--ca'} goes with --rest")
    if rest is not None:
        if token is None:
            raise UsageError(
                "--rest needs a token of the account root",
                remedy="give --token with env:NAME, file:/path or credential:NAME",
            )
        from psops.rucio.rest import rest_source

        _check_reference("--token", token)
        return rest_source(rest, read_secret(token), ca)
    if url is not None:
        from psops.rucio.sql import sql_source

        _check_reference("--db-url", url)
        return sql_source(read_secret(url), schema)
    if all(host.transport == "demo" for host in hosts):
        from psops.demo.heartbeats import heartbeat_source

        return heartbeat_source(hosts)
    raise UsageError(
        "where are the heartbeats?",
        remedy="give --rest with --token, or --db-url; --units-only goes without",
    )


def _check_reference(option: str, text: str) -> None:
    from psops.secrets import FORMS, is_reference

    if not is_reference(text):  # which may be the secret itself, and is not told
        raise UsageError(
            f"{option} takes {FORMS}",
            remedy="a secret on the command line is seen by every user of this machine",
        )


def _request(
    source: "Source | None",
    aliases: Sequence[str] | None,
    hosts: "Sequence[Host]",
    fail_on: str,
) -> "Request":
    from psops.catalogue import Catalogue
    from psops.nearest import did_you_mean
    from psops.rucio.expect import listed, rules
    from psops.rucio.verify import Request

    known = [host.name for host in hosts]
    given: dict[str, tuple[str, ...]] = {}
    for text in aliases or ():
        host, equals, hostname = text.partition("=")
        if not (host and equals and hostname):
            raise UsageError(f"--alias takes HOST=HOSTNAME, not {text!r}")
        if host not in known:
            raise UsageError(f"--alias: {host!r} is not asked for{did_you_mean(host, known)}")
        given[host] = (*given.get(host, ()), hostname)
    catalogue = Catalogue.load()
    told = {host.name: listed(catalogue, host.bundles) for host in hosts}
    return Request(
        rules=rules(catalogue), source=source, aliases=given, fail_on=fail_on,
        listed={name: daemons for name, daemons in told.items() if daemons is not None},
    )  # fmt: skip


def _written(text: str, code: Exit, output: str | None) -> Answer:
    if output is None:
        return Answer(text, code)
    from psops.paths import write_atomically

    try:
        write_atomically(Path(output), text, mode=0o644)
    except OSError as exc:
        raise UsageError(f"{output}: {(exc.strerror or str(exc)).lower()}") from exc
    return Answer("", code)
