"""`psops psid`: whether the nodes of a ParaStation cluster agree, and its list of nodes."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from psops.cli import complete
from psops.cli import options as opt
from psops.cli.app import Answer, environment, epilog, verb_app
from psops.errors import UsageError
from psops.exits import Exit

if TYPE_CHECKING:
    from psops.inventory import Host
    from psops.psid.nodes import Entry
    from psops.transport import Options

#: Folded beyond this many hosts, unless the user says otherwise.
_FOLD_BEYOND = 8
_VERIFY_CODES = (Exit.OK, Exit.SOME_FAILED, Exit.USAGE, Exit.UNAVAILABLE, Exit.SOFTWARE,
                 Exit.CONFIG, Exit.INTERRUPTED, Exit.TERMINATED)  # fmt: skip
_NODES_CODES = (Exit.OK, Exit.USAGE, Exit.UNAVAILABLE, Exit.SOFTWARE, Exit.CONFIG,
                Exit.INTERRUPTED, Exit.TERMINATED)  # fmt: skip

app = verb_app(_VERIFY_CODES, "Prove that the nodes of ParaStation agree.")

Psiadmin = Annotated[
    str, typer.Option("--psiadmin", metavar="FILE", help="The program on the hosts.")
]
Output = Annotated[
    str | None,
    typer.Option("-o", "--output", metavar="FILE", help="Write the report there instead."),
]
_PSIADMIN = "/opt/parastation/bin/psiadmin"


@app.command("verify", epilog=epilog(_VERIFY_CODES))
def verify(
    context: typer.Context,
    settle: Annotated[
        float,
        typer.Option(
            "--settle",
            metavar="SECONDS",
            callback=opt.between(0, opt.DAYS),
            help="A psid started later than this is joining.",
        ),
    ] = 45.0,
    deep: Annotated[
        bool, typer.Option("--deep", help="Let every node ask all others, not two of them.")
    ] = False,
    vantage: Annotated[
        list[str] | None,
        typer.Option(
            "--vantage",
            metavar="NODESET",
            help="Let these hosts ask all others.",
            autocompletion=complete.hosts,
        ),
    ] = None,
    wait: Annotated[
        bool,
        typer.Option("--wait", help="Look again while nodes disagree, for up to --settle."),
    ] = False,
    psiadmin: Psiadmin = _PSIADMIN,
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
    output: Output = None,
    fold: opt.Fold = None,
    color: opt.Color = "auto",
    debug: opt.Debug = False,
) -> Answer:
    """Prove that psid runs on all nodes, and that they agree.

    Every host tells the state of its unit and what its own daemon sees. The two lowest nodes
    that are up ask all daemons for versions, masters and restrictions. Nothing is started.
    A daemon that does not answer within 10 seconds, or --timeout if that is less, is hung.
    """
    from psops.cli.progress import progress_bar
    from psops.cli.target import select
    from psops.inventory import expand
    from psops.nearest import did_you_mean
    from psops.psid.verify import Request, report
    from psops.report import Look
    from psops.report.verify import VERIFY_FORMATS, exit_code, render_verify
    from psops.transport import Options

    form = "json" if as_json else form
    if form not in VERIFY_FORMATS:
        raise UsageError(f"no format {form!r}{did_you_mean(form, VERIFY_FORMATS)}")
    if fail_on not in ("warning", "critical"):
        raise UsageError(f"--fail-on takes warning or critical, not {fail_on!r}")
    chosen, options = select(
        inventory=inventory,
        hosts=hosts or (),
        groups=group or (),
        all_hosts=all_hosts,
        exclude=exclude or (),
        machine=machine,
        user_bus=False,
        options=Options(
            connect_timeout=connect_timeout,
            timeout=timeout,
            accept_new_host_keys=accept_new_host_keys,
            sudo=sudo,
            ssh_config=ssh_config,
        ),
    )
    names = [host.name for host in chosen]
    asking = tuple(dict.fromkeys(name for text in vantage or () for name in expand(text)))
    for name in asking:
        if name not in names:
            raise UsageError(f"--vantage: no host '{name}' is asked{did_you_mean(name, names)}")
    request = Request(
        psiadmin=_program(psiadmin), settle=settle, deep=deep, wait=wait, vantage=asking,
        fail_on=fail_on,
    )  # fmt: skip
    env = environment(context, color)
    with progress_bar(env, len(chosen)) as progress:
        found = report(chosen, request, options, width=fanout, progress=progress)
    folded = len(chosen) > _FOLD_BEYOND if fold is None else fold
    look = Look(color=env.color and output is None, width=env.width, fold=folded)
    return _written(render_verify(found, form, look), Exit(exit_code(found, form)), output)


@app.command("nodes", epilog=epilog(_NODES_CODES))
def nodes(
    conf: Annotated[
        str | None,
        typer.Argument(metavar="[CONF]", help="A parastation.conf; - for standard input."),
    ] = None,
    resolve: Annotated[
        bool,
        typer.Option("--resolve", help="The file is an answer to 'psiadmin -d -c resolve'."),
    ] = False,
    live: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="HOST",
            help="Ask the psid of this host instead.",
            autocompletion=complete.hosts,
        ),
    ] = None,
    psiadmin: Psiadmin = _PSIADMIN,
    inventory: opt.InventoryFile = None,
    connect_timeout: opt.ConnectTimeout = 10.0,
    timeout: opt.Timeout = 30.0,
    accept_new_host_keys: opt.AcceptNewHostKeys = False,
    ssh_config: opt.SshConfigFile = None,
    output: Output = None,
    debug: opt.Debug = False,
) -> Answer:
    """Make an inventory of the nodes of a cluster.

    A host's ID becomes its label psid_id. Those that run jobs are the group compute; those
    that start jobs and run none are the group frontend.
    """
    from psops.psid.conf import parse
    from psops.psid.nodes import from_conf, from_resolve, render_inventory

    if (conf is None) == (live is None):
        raise UsageError("name either a file or, with --from, a host")
    if resolve and conf is None:
        raise UsageError("--resolve goes with a file; with --from the host is asked anyhow")
    entries: tuple[Entry, ...]
    source = str(live)
    if conf is not None:
        text, source = _text(conf)
        entries = from_resolve(text, source) if resolve else from_conf(parse(text, source))
    else:
        from psops.cli.target import select
        from psops.transport import Options

        (host, *more), options = select(
            inventory=inventory,
            hosts=(str(live),),
            groups=(),
            all_hosts=False,
            exclude=(),
            machine=None,
            user_bus=False,
            options=Options(
                connect_timeout=connect_timeout,
                timeout=timeout,
                accept_new_host_keys=accept_new_host_keys,
                ssh_config=ssh_config,
            ),
        )
        if more:
            raise UsageError(f"--from takes one host, and '{live}' means {len(more) + 1}")
        entries = _ask(host, options, _program(psiadmin))
    return _written(render_inventory(entries, source), Exit.OK, output)


def _text(conf: str) -> tuple[str, str]:
    """Return the text of a file, or of standard input, and what to call it."""
    from psops.psid.conf import MOST_BYTES, decode, read_text

    if conf != "-":
        return read_text(Path(conf)), conf
    import sys

    name = "standard input"
    return decode(sys.stdin.buffer.read(MOST_BYTES + 1), name), name


def _ask(host: "Host", options: "Options", program: str) -> "tuple[Entry, ...]":
    """Return the nodes that the psid of a host knows; raises `HostError` if it does not tell."""
    from psops.errors import HostError
    from psops.psid.admin import LIMIT, Admin
    from psops.psid.nodes import from_answers
    from psops.psid.refusal import Reply
    from psops.psid.views import make_view
    from psops.report.text import clean
    from psops.transport import connect

    connection = connect(host, options)
    try:
        admin = Admin(connection, program, min(LIMIT, options.timeout))
        reply, told, said = admin.local()
        if reply is not Reply.ANSWERED or not told.names:
            why = f" ({clean(said)})" if said else ""
            raise HostError(
                f"host '{host.name}': psid tells no list of nodes: {reply.value}{why}",
                remedy="ask another node, or read its parastation.conf",
            )
        all_told = admin.all(make_view(host.name, told))
    finally:
        connection.close()
    return from_answers(told, all_told.values["runjobs"], all_told.values["starter"])


def _program(path: str) -> str:
    if not path.startswith("/") or not path.isprintable():
        raise UsageError(f"--psiadmin takes an absolute path, not {path!r}")
    return path


def _written(text: str, code: Exit, output: str | None) -> Answer:
    if output is None:
        return Answer(text, code)
    from psops.paths import write_atomically

    try:
        write_atomically(Path(output), text, mode=0o644)
    except OSError as exc:
        raise UsageError(f"{output}: {(exc.strerror or str(exc)).lower()}") from exc
    return Answer("", code)
