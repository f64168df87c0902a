"""Part `tab`: how long bash waits for psops at a Tab, against a bare Typer program's own answer."""

from functools import partial

from tests.bench.bench import Bench, interleave, median, run_checked
from tests.bench.figures import Row
from tests.bench.install import CHECKOUT
from tests.bench.start import LEAST_ROUNDS
from tests.bench.tools import Argv, psops_python

BARE = """
from typing import Annotated

import typer

app = typer.Typer()


@app.command()
def main(
    name: Annotated[str, typer.Option(autocompletion=lambda: ["bare"])] = "bare",
) -> None:
    pass


app(prog_name="bare")
"""
# As a shell does it: the script is read, and its function is called for the line in $1. The
# second word of the output tells how much.
SCRIPT = f"""
source {CHECKOUT}/completions/psops.bash
COMP_LINE=$1 COMP_POINT=${{#1}} _psops
echo offered ${{#COMPREPLY[@]}} ${{COMPREPLY[0]}}
"""
LINES = {
    "verbs": "psops st",
    "options": "psops status --fo",
    "formats": "psops status --format ",
    "hosts": "psops status -H ",
    "groups": "psops status -g ",
    "bundles": "psops restart --bundle ",
    "units": "psops status -a p",
}


def measure_tab(bench: Bench) -> list[Row]:
    """Return the wall of what is typed most, bash and the reading of its script included."""
    place = bench.fresh("tab")
    place.mkdir()
    script = place / "bare.py"
    script.write_text(BARE)
    path = f"{bench.programs.psops.parent}:/usr/bin:/bin"
    asks = {"_BARE_COMPLETE": "complete_bash", "COMP_WORDS": "bare\n--name\nb", "COMP_CWORD": "2"}
    bare: Argv = [psops_python(bench.programs), "-P", script]
    things = {"bare Typer program": partial(run_checked, bare, asks, "bare")}
    shell = {"PATH": path, "PSOPS_INVENTORY": str(bench.lab.inventory)}
    for name, line in LINES.items():
        argv: Argv = ["bash", "--norc", "-c", SCRIPT, "bash", line]
        things[name] = partial(run_checked, argv, shell, "offered")
    interleave(things, 2)  # to warm up
    rows = []
    for name, found in interleave(things, max(LEAST_ROUNDS, bench.rounds)).items():
        if isinstance(found, str):
            rows.append(Row("tab", name, error=found))
        else:
            rows.append(Row("tab", name, {"wall_ms": median([x.wall_s for x in found]) * 1000}))
    return rows
