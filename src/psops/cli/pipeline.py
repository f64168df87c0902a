"""`psops pipeline`: a data pipeline over many organisations, described and proved."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from psops.cli import complete
from psops.cli import options as opt
from psops.cli.app import Answer, environment, epilog, verb_app
from psops.errors import UsageError
from psops.exits import Exit

if TYPE_CHECKING:
    from psops.pipeline.graph import Pipeline
    from psops.pipeline.report import Verification
    from psops.transport import Connection

_CODES = (Exit.OK, Exit.USAGE, Exit.SOFTWARE, Exit.CONFIG)
_VERIFY_CODES = (Exit.OK, Exit.SOME_FAILED, Exit.USAGE, Exit.SOFTWARE, Exit.CONFIG,
                 Exit.INTERRUPTED, Exit.TERMINATED)  # fmt: skip
_DRAWINGS = ("tree", "mermaid", "dot", "svg")

app = verb_app(_VERIFY_CODES, "Show a pipeline of many organisations, and prove it.")

Files = Annotated[
    list[str] | None,
    typer.Option(
        "-f", "--file", metavar="FILE.toml", help="Read this, over what psops knows (repeatable)."
    ),
]
System = Annotated[
    str | None,
    typer.Option(
        "--system", metavar="NAME", help="Which pipeline.", autocompletion=complete.systems
    ),
]
Components = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[COMPONENT]...", help="Only these.", autocompletion=complete.components
    ),
]
Window = Annotated[
    float,
    typer.Option(
        "--window",
        metavar="SECONDS",
        callback=opt.between(0.1, 3600),
        help="Between two looks at a counter.",
    ),
]
Within = Annotated[
    float,
    typer.Option(
        "--timeout",
        metavar="SECONDS",
        callback=opt.between(0.1, opt.DAYS),
        help="Time for all of it.",
    ),
]
#: Brokers collect their counters every 5 s; two looks closer than twice that tell little.
_WINDOW = 12.0


@app.command("list", epilog=epilog(_CODES))
def list_components(
    context: typer.Context,
    files: Files = None,
    system: System = None,
    form: opt.Format = "table",
    as_json: opt.AsJson = False,
    color: opt.Color = "auto",
    debug: opt.Debug = False,
) -> Answer:
    """List the components of a pipeline in the order of the flow."""
    from psops.report import Look, check_format
    from psops.report.bundles import render_components
    from psops.report.pipeline import render_list

    form = check_format("json" if as_json else form)
    pipeline = _load(files, system)
    env = environment(context, color)
    if form != "table":
        return Answer(render_components(tuple(pipeline.components.values()), form), Exit.OK)
    return Answer(render_list(pipeline, Look(color=env.color, width=env.width)), Exit.OK)


@app.command("show", epilog=epilog(_CODES))
def show_component(
    context: typer.Context,
    name: Annotated[
        str,
        typer.Argument(metavar="COMPONENT", help="Which one.", autocompletion=complete.components),
    ],
    files: Files = None,
    system: System = None,
    form: opt.Format = "table",
    as_json: opt.AsJson = False,
    color: opt.Color = "auto",
    debug: opt.Debug = False,
) -> Answer:
    """Show everything that is known of a component, with its checks."""
    from psops.report import Look, check_format
    from psops.report.bundles import render_components
    from psops.report.pipeline_show import render_component

    form = check_format("json" if as_json else form)
    pipeline = _load(files, system)
    pipeline.require((name,))
    env = environment(context, color)
    found = pipeline.components[name]
    if form != "table":
        return Answer(render_components((found,), form), Exit.OK)
    return Answer(render_component(found, Look(color=env.color, width=env.width)), Exit.OK)


@app.command("graph", epilog=epilog(_VERIFY_CODES))
def graph(
    context: typer.Context,
    files: Files = None,
    system: System = None,
    drawing: Annotated[
        str, typer.Option("--as", metavar="FORM", help="tree, mermaid, dot or svg.")
    ] = "tree",
    with_verdicts: Annotated[
        bool, typer.Option("--verify", help="Verify first, and mark each component.")
    ] = False,
    output: Annotated[
        str | None, typer.Option("-o", "--output", metavar="FILE", help="Write it there.")
    ] = None,
    window: Window = _WINDOW,
    timeout: Within = 60.0,
    inventory: opt.InventoryFile = None,
    connect_timeout: opt.ConnectTimeout = 10.0,
    accept_new_host_keys: opt.AcceptNewHostKeys = False,
    ssh_config: opt.SshConfigFile = None,
    color: opt.Color = "auto",
    debug: opt.Debug = False,
) -> Answer:
    """Draw a pipeline as a tree, or for Mermaid, Graphviz or a page."""
    from psops.nearest import did_you_mean
    from psops.pipeline.draw import draw_dot, draw_mermaid, draw_svg, draw_tree
    from psops.report import Look

    if drawing not in _DRAWINGS:
        raise UsageError(f"no form {drawing!r}{did_you_mean(drawing, _DRAWINGS)}")
    pipeline = _load(files, system)
    verdicts = {}
    if with_verdicts:
        found = _verify(pipeline, tuple(pipeline.components), window, timeout, inventory,
                        connect_timeout, accept_new_host_keys, ssh_config)  # fmt: skip
        verdicts = {name: found.verdict_of(name) for name in found.names}
    env = environment(context, color)
    if drawing == "tree":
        look = Look(color=env.color and output is None, width=env.width)
        text = draw_tree(pipeline, look, verdicts)
    else:
        draw = {"mermaid": draw_mermaid, "dot": draw_dot, "svg": draw_svg}[drawing]
        text = draw(pipeline, verdicts)
    return _given(text, Exit.OK, output)


@app.command("verify", epilog=epilog(_VERIFY_CODES))
def verify(
    context: typer.Context,
    components: Components = None,
    files: Files = None,
    system: System = None,
    fail_on: Annotated[
        str, typer.Option("--fail-on", metavar="VERDICT", help="warning or critical.")
    ] = "critical",
    window: Window = _WINDOW,
    timeout: Within = 60.0,
    inventory: opt.InventoryFile = None,
    connect_timeout: opt.ConnectTimeout = 10.0,
    accept_new_host_keys: opt.AcceptNewHostKeys = False,
    ssh_config: opt.SshConfigFile = None,
    form: opt.VerdictFormat = "table",
    as_json: opt.AsJson = False,
    output: Annotated[
        str | None,
        typer.Option("-o", "--output", metavar="FILE", help="Write the report there instead."),
    ] = None,
    color: opt.Color = "auto",
    debug: opt.Debug = False,
) -> Answer:
    """Ask every component what only it knows, and lead with the causes.

    A failure that another one explains is marked so, and each cause has the name of
    who runs it. What cannot be seen is unknown, never ok.
    """
    from psops.nearest import did_you_mean
    from psops.pipeline.report import verify_report
    from psops.report import Look
    from psops.report.pipeline import render_verification, verification_object
    from psops.report.verify import VERIFY_FORMATS, exit_code, render_verify

    form = "json" if as_json else form
    if form not in VERIFY_FORMATS:
        raise UsageError(f"no format {form!r}{did_you_mean(form, VERIFY_FORMATS)}")
    if fail_on not in ("warning", "critical"):
        raise UsageError(f"--fail-on takes warning or critical, not {fail_on!r}")
    pipeline = _load(files, system)
    names = pipeline.require(components or ())
    if not any(pipeline.components[name].checks for name in names):
        raise UsageError(
            "none of these components has a check",
            remedy="describe some in a file, see psops-pipeline(5), and give it with --file",
        )
    found = _verify(pipeline, names, window, timeout, inventory, connect_timeout,
                    accept_new_host_keys, ssh_config)  # fmt: skip
    report = verify_report(found, fail_on=fail_on)
    env = environment(context, color)
    look = Look(color=env.color and output is None, width=env.width)
    code = Exit(exit_code(report, form))
    if form == "table":
        text = render_verification(found, look)
    else:
        text = render_verify(report, form, look)
    if form == "json":
        import json

        text = json.dumps(json.loads(text) | verification_object(found), indent=2) + "\n"
    return _given(text, code, output)


@app.command("lint", epilog=epilog((Exit.OK, Exit.SOME_FAILED, *_CODES[1:])))
def lint(
    files: Files = None,
    system: System = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="A gap is a failure, too (exit 1).")
    ] = False,
    debug: opt.Debug = False,
) -> Answer:
    """Tell mistakes in the description, and what nobody watches."""
    from psops import catalogue_file
    from psops.pipeline.lint import lint as gaps_of
    from psops.report.text import clean

    paths = _paths(files)
    mistakes = catalogue_file.lint(paths)
    if mistakes:
        return Answer("".join(f"{clean(text)}\n" for text in mistakes), Exit.CONFIG)
    from psops.report.pipeline import render_gaps

    pipeline = _load(files, system)
    gaps = gaps_of(pipeline)
    code = Exit.SOME_FAILED if gaps and strict else Exit.OK
    return Answer(render_gaps(pipeline, gaps), code)


def _paths(files: list[str] | None) -> list[Path] | None:
    """Return the files beside those that psops brings: of machine and user, then those named."""
    if not files:
        return None
    from psops import catalogue_file

    packaged = set(catalogue_file.files([]))
    own = [path for path in catalogue_file.files() if path not in packaged]
    return [*own, *map(Path, files)]


def _load(files: list[str] | None, system: str | None) -> "Pipeline":
    from psops.catalogue import Catalogue
    from psops.pipeline.graph import pipeline_of

    return pipeline_of(Catalogue.load(_paths(files)), system)


def _verify(
    pipeline: "Pipeline",
    names: tuple[str, ...],
    window: float,
    timeout: float,
    inventory: str | None,
    connect_timeout: float,
    accept_new_host_keys: bool,
    ssh_config: str | None,
) -> "Verification":
    from psops.cli.target import LOCAL, select
    from psops.deadline import Deadline
    from psops.pipeline.report import verify as run
    from psops.probes.world import World
    from psops.transport import Options, connect

    wanted = Options(
        connect_timeout=connect_timeout,
        timeout=timeout,
        accept_new_host_keys=accept_new_host_keys,
        ssh_config=ssh_config,
    )
    opened: list[Connection] = []

    def dial(name: str) -> "Connection":
        chosen, options = (LOCAL,), wanted
        if name:
            found, options = select(
                inventory=inventory,
                hosts=(name,),
                groups=(),
                all_hosts=False,
                exclude=(),
                machine=None,
                user_bus=False,
                options=wanted,
            )
            if len(found) != 1:
                raise UsageError(f"'via = \"{name}\"' means {len(found)} hosts, not one")
            chosen = (found[0],)
        connection = connect(chosen[0], options)
        opened.append(connection)
        return connection

    try:
        return run(pipeline, names, World(dial, window=window), Deadline(timeout))
    finally:
        for connection in opened:
            connection.close()


def _given(text: str, code: Exit, output: str | None) -> Answer:
    if output is None:
        return Answer(text, code)
    from psops.paths import write_atomically

    try:
        write_atomically(Path(output), text, mode=0o644)
    except OSError as exc:
        raise UsageError(f"{output}: {(exc.strerror or str(exc)).lower()}") from exc
    return Answer("", code)
