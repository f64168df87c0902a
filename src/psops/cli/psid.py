"""`psops psid`: whether the nodes of a ParaStation cluster agree, and its list of nodes."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from psops.cli import complete
from psops.cli import options as opt
from psops.cli.app import Answer, epilog, verb_app, written
from psops.cli.shared import Judged, Login, Target, spread
from psops.errors import ConfigError, UsageError
from psops.exits import Exit

if TYPE_CHECKING:
    from psops.inventory import Host
    from psops.psid.nodes import Entry
    from psops.transport import Options

_VERIFY_CODES = (Exit.OK, Exit.SOME_FAILED, Exit.USAGE, Exit.UNAVAILABLE, Exit.SOFTWARE,
                 Exit.CONFIG, Exit.INTERRUPTED, Exit.TERMINATED)  # fmt: skip
_NODES_CODES = (Exit.OK, Exit.USAGE, Exit.UNAVAILABLE, Exit.SOFTWARE, Exit.CONFIG,
                Exit.INTERRUPTED, Exit.TERMINATED)  # fmt: skip

app = verb_app(_VERIFY_CODES, "Prove that the nodes of ParaStation agree.")

Psiadmin = Annotated[
    str, typer.Option("--psiadmin", metavar="FILE", help="The program on the hosts.")
]
_PSIADMIN = "/opt/parastation/bin/psiadmin"


@app.command("verify", epilog=epilog(_VERIFY_CODES))
@spread(without=("user",))
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
    *,
    target: Target,
    judged: Judged,
) -> Answer:
    """Prove that psid runs on all nodes, and that they agree.

    Every host tells the state of its unit and what its own daemon sees. The two lowest nodes
    that are up ask all daemons for versions, masters and restrictions. Nothing is started.
    A daemon that does not answer within 10 seconds, or --timeout if that is less, is hung.
    """
    from psops.cli.progress import progress_bar
    from psops.inventory import expand
    from psops.nearest import did_you_mean
    from psops.psid.verify import Request, report

    judged.checked_form()
    chosen, options = target.select()
    names = [host.name for host in chosen]
    asking = tuple(dict.fromkeys(name for text in vantage or () for name in expand(text)))
    for name in asking:
        if name not in names:
            raise UsageError(f"--vantage: no host '{name}' is asked{did_you_mean(name, names)}")
    request = Request(
        psiadmin=_program(psiadmin), settle=settle, deep=deep, wait=wait, vantage=asking,
        fail_on=judged.fail_on,
    )  # fmt: skip
    env = judged.environment(context)
    with progress_bar(env, len(chosen)) as progress:
        found = report(chosen, request, options, width=target.fanout, progress=progress)
    return judged.answer(env, found, hosts=len(chosen))


@app.command("nodes", epilog=epilog(_NODES_CODES))
@spread(without=("fanout", "sudo"))
def nodes(
    conf: Annotated[
        str | None,
        typer.Argument(
            metavar="[CONF]", callback=opt.place, help="A parastation.conf; - for standard input."
        ),
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
    output: opt.Output = None,
    debug: opt.Debug = False,
    *,
    login: Login,
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
        host, options = login.find(str(live), "--from")
        entries = _ask(host, options, _program(psiadmin))
    return written(render_inventory(entries, source), Exit.OK, output)


def _text(conf: str) -> tuple[str, str]:
    """Return the text of a file, or of standard input, and what to call it."""
    from psops.psid.conf import MOST_BYTES, decode, read_text

    if conf != "-":
        return read_text(Path(conf)), conf
    import sys

    name = "standard input"
    try:
        data = sys.stdin.buffer.read(MOST_BYTES + 1)
    except OSError as exc:  # it is closed, or a folder
        raise ConfigError(f"{name}: cannot read: {(exc.strerror or str(exc)).lower()}") from exc
    return decode(data, name), name


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
