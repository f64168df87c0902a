"""`psops rucio`: whether Rucio's daemons work, from their processes and their heartbeats."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from psops.cli import options as opt
from psops.cli.app import Answer, epilog, verb_app
from psops.cli.shared import Colored, Judged, Target, spread
from psops.errors import UsageError
from psops.exits import Exit

if TYPE_CHECKING:
    from psops.inventory import Host
    from psops.rucio.source import Source
    from psops.rucio.verify import Request

_CODES = (
    Exit.OK, Exit.SOME_FAILED, Exit.USAGE, Exit.UNAVAILABLE, Exit.SOFTWARE, Exit.CONFIG,
    Exit.INTERRUPTED, Exit.TERMINATED,
)  # fmt: skip

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
@spread(without=("user",))
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
    *,
    target: Target,
    judged: Judged,
) -> Answer:
    """Prove that the daemons of hosts work, and say which do not.

    A daemon that runs may hang, may have lost threads or may never have begun: its
    heartbeats tell. They are read once, from here, by Rucio's server with a token of the
    account root or from its database, and joined with the processes of each host. A daemon
    that the host's bundles in the inventory do not list is a stray. REF says where a secret
    is: env:NAME, file:/path (mode 0600) or credential:NAME (of systemd).
    """
    from psops.cli.progress import progress_bar
    from psops.rucio import verify as verb

    judged.checked_form()
    chosen, options = target.select()
    source = _source(rest, token, ca, db_url, db_schema, units_only, chosen)
    request = _request(source, aliases, chosen, judged.fail_on)
    env = judged.environment(context)
    with progress_bar(env, len(chosen)) as progress:
        gathering = verb.gather(chosen, request, options, width=target.fanout, progress=progress)
    report = verb.report(gathering, request)
    return judged.answer(env, report, hosts=len(chosen))


@app.command("heartbeats", epilog=epilog(_CODES))
@spread(without=("user",))
def heartbeats(
    context: typer.Context,
    rest: Rest = None,
    token: Token = None,
    ca: Ca = "",
    db_url: DbUrl = None,
    db_schema: DbSchema = "",
    aliases: Aliases = None,
    *,
    target: Target,
    form: Annotated[
        str, typer.Option("--format", metavar="FORMAT", help="table or json.")
    ] = "table",
    as_json: opt.AsJson = False,
    shown: Colored,
) -> Answer:
    """List the heartbeats with their ages, units and verdicts.

    All are listed, those of hosts that were not asked for too; only for the hosts asked
    for can be told to which unit they belong. REF is as in psops rucio verify.
    """
    from psops.cli.progress import progress_bar
    from psops.errors import NotSystemd
    from psops.nearest import nearest_or_all
    from psops.report.json import dump, envelope
    from psops.rucio import verify as verb
    from psops.rucio.show import join, render_rows, row_object
    from psops.rucio.source import Rows

    form = "json" if as_json else form
    if form not in ("table", "json"):
        raise UsageError(f"no format {form!r}{nearest_or_all(form, ('table', 'json'))}")
    chosen, options = target.select()
    source = _source(rest, token, ca, db_url, db_schema, None, chosen)
    request = _request(source, aliases, chosen, "critical")
    env = shown.environment(context)
    with progress_bar(env, len(chosen)) as progress:
        gathering = verb.gather(chosen, request, options, width=target.fanout, progress=progress)
    if not isinstance(gathering.rows, Rows):
        assert gathering.rows is not None
        raise gathering.rows
    report = verb.report(gathering, request)
    joined = join(gathering, request, report)
    # Where no host was asked for, this machine may well be none of Rucio's.
    outcomes = [
        one for one in gathering.hosts.outcomes
        if target.given or not isinstance(one.error, NotSystemd)
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
    return Answer(render_rows(joined, outcomes, shown.look(env)), code)


def _source(
    rest: str | None,
    token: str | None,
    ca: str,
    url: str | None,
    schema: str,
    units_only: bool | None,
    hosts: "Sequence[Host]",
) -> "Source | None":
    """Return where the heartbeats come from; raises `UsageError` for none, or for two.

    `units_only` is None for a verb that cannot do without them.
    """
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
    other = "" if units_only is None else "; --units-only goes without"
    raise UsageError(
        "where are the heartbeats?", remedy=f"give --rest with --token, or --db-url{other}"
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
