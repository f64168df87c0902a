"""`psops pipeline`: a data pipeline over many organisations, described and proved."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from psops.cli import complete
from psops.cli import options as opt
from psops.cli.app import Answer, epilog, verb_app, written
from psops.cli.shared import Colored, Judged, Login, Shown, spread
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
        "-f",
        "--file",
        metavar="FILE.toml",
        callback=opt.place,
        help="Read this, over what psops knows (repeatable).",
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
#: Brokers collect their counters every 5 s; two looks closer than twice that tell little.
_WINDOW = 12.0


@dataclass(frozen=True)
class _Login(Login):
    """With a longer time, which is that for the whole pipeline."""

    timeout: Annotated[
        float,
        typer.Option(
            "--timeout",
            metavar="SECONDS",
            callback=opt.between(0.1, opt.DAYS),
            help="Time for all of it.",
        ),
    ] = 60.0


@app.command("list", epilog=epilog(_CODES))
@spread(without=("fold",))
def list_components(
    context: typer.Context,
    files: Files = None,
    system: System = None,
    *,
    shown: Shown,
) -> Answer:
    """List the components of a pipeline in the order of the flow."""
    from psops.report.bundles import render_components
    from psops.report.pipeline import render_list

    form = shown.checked_form()
    pipeline = _load(files, system)
    env = shown.environment(context)
    if form != "table":
        return Answer(render_components(tuple(pipeline.components.values()), form), Exit.OK)
    return Answer(render_list(pipeline, shown.look(env)), Exit.OK)


@app.command("show", epilog=epilog(_CODES))
@spread(without=("fold",))
def show_component(
    context: typer.Context,
    name: Annotated[
        str,
        typer.Argument(metavar="COMPONENT", help="Which one.", autocompletion=complete.components),
    ],
    files: Files = None,
    system: System = None,
    *,
    shown: Shown,
) -> Answer:
    """Show everything that is known of a component, with its checks."""
    from psops.report.bundles import render_components
    from psops.report.pipeline_show import render_component

    form = shown.checked_form()
    pipeline = _load(files, system)
    pipeline.require((name,))
    env = shown.environment(context)
    found = pipeline.components[name]
    if form != "table":
        return Answer(render_components((found,), form), Exit.OK)
    return Answer(render_component(found, shown.look(env)), Exit.OK)


@app.command("graph", epilog=epilog(_VERIFY_CODES))
@spread(without=("fanout", "sudo"))
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
        str | None,
        typer.Option("-o", "--output", metavar="FILE", callback=opt.place, help="Write it there."),
    ] = None,
    window: Window = _WINDOW,
    *,
    login: _Login,
    shown: Colored,
) -> Answer:
    """Draw a pipeline as a tree, or for Mermaid, Graphviz or a page."""
    from psops.nearest import did_you_mean
    from psops.pipeline.draw import draw_dot, draw_mermaid, draw_svg, draw_tree

    if drawing not in _DRAWINGS:
        raise UsageError(f"no form {drawing!r}{did_you_mean(drawing, _DRAWINGS)}")
    pipeline = _load(files, system)
    verdicts = {}
    if with_verdicts:
        found = _verify(pipeline, tuple(pipeline.components), window, login)
        verdicts = {name: found.verdict_of(name) for name in found.names}
    env = shown.environment(context)
    if drawing == "tree":
        text = draw_tree(pipeline, shown.look(env, output=output), verdicts)
    else:
        draw = {"mermaid": draw_mermaid, "dot": draw_dot, "svg": draw_svg}[drawing]
        text = draw(pipeline, verdicts)
    return written(text, Exit.OK, output)


@app.command("verify", epilog=epilog(_VERIFY_CODES))
@spread(without=("fanout", "sudo", "fold"))
def verify(
    context: typer.Context,
    components: Components = None,
    files: Files = None,
    system: System = None,
    window: Window = _WINDOW,
    *,
    login: _Login,
    judged: Judged,
) -> Answer:
    """Ask every component what only it knows, and lead with the causes.

    A failure that another one explains is marked so, and each cause has the name of
    who runs it. What cannot be seen is unknown, never ok.
    """
    from psops.pipeline.report import verify_report
    from psops.report.pipeline import render_verification, verification_object
    from psops.report.verify import render_verify

    form = judged.checked_form()
    pipeline = _load(files, system)
    names = pipeline.require(components or ())
    if not any(pipeline.components[name].checks for name in names):
        raise UsageError(
            "none of these components has a check",
            remedy="describe some in a file, see psops-pipeline(5), and give it with --file",
        )
    found = _verify(pipeline, names, window, login)
    report = verify_report(found, fail_on=judged.fail_on)
    env = judged.environment(context)
    look = judged.look(env, output=judged.output)
    text = ""
    if form == "table":
        text = render_verification(found, look)
    if form == "json":
        import json

        document = json.loads(render_verify(report, form, look)) | verification_object(found)
        text = json.dumps(document, indent=2) + "\n"
    return judged.answer(env, report, text=text)


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
    from psops.catalogue import file as catalogue_file
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
    from psops.catalogue import file as catalogue_file

    packaged = set(catalogue_file.files([]))
    own = [path for path in catalogue_file.files() if path not in packaged]
    return [*own, *map(Path, files)]


def _load(files: list[str] | None, system: str | None) -> "Pipeline":
    from psops.catalogue import Catalogue
    from psops.pipeline.graph import pipeline_of

    return pipeline_of(Catalogue.load(_paths(files)), system)


def _verify(
    pipeline: "Pipeline", names: tuple[str, ...], window: float, login: _Login
) -> "Verification":
    from psops.cli.target import LOCAL
    from psops.deadline import Deadline
    from psops.pipeline.report import verify as run
    from psops.probes import TWICE
    from psops.probes.world import World
    from psops.transport import connect

    kinds = {probe.kind for name in names for probe in pipeline.components[name].checks}
    if window >= login.timeout and kinds & TWICE:
        raise UsageError(
            f"--window {window:g} leaves no time for a second look within --timeout "
            f"{login.timeout:g}",
            remedy="give a longer --timeout or a shorter --window",
        )
    opened: list[Connection] = []

    def dial(name: str) -> "Connection":
        host, options = login.find(name, "via") if name else (LOCAL, login.options())
        connection = connect(host, options)
        opened.append(connection)
        return connection

    try:
        return run(pipeline, names, World(dial, window=window), Deadline(login.timeout))
    finally:
        for connection in opened:
            connection.close()
