"""Part `start`: how long psops takes to start, against the least a Typer program takes."""

from functools import partial

from tests.bench.bench import Bench, interleave, median, run_checked
from tests.bench.figures import Row
from tests.bench.tools import Argv, psops_python

LEAST_ROUNDS = 21
# Asked as a unit of the machine psops runs on: through the bus of a host of the lab.
UNIT = "dbus.service"
BARE = """
from typing import Annotated

import typer

app = typer.Typer()


@app.command()
def main(name: Annotated[str, typer.Option(help="A name.")] = "bare") -> None:
    print(name)


app()
"""


def measure_start(bench: Bench) -> list[Row]:
    """Return the wall of psops and of a bare program run by the same interpreter."""
    place = bench.fresh("start")
    place.mkdir()
    script = place / "bare.py"
    script.write_text(BARE)
    bus = {"DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={bench.lab.hosts[0].bus}"}
    # `-P`: the directory of a script is put on the path, of an installed program it is not.
    commands: dict[str, tuple[Argv, str]] = {
        "bare Typer program": ([psops_python(bench.programs), "-P", script], "bare"),
        "psops --version": ([bench.programs.psops, "--version"], "psops "),
        "psops status UNIT": ([bench.programs.psops, "status", UNIT], "active"),
    }
    things = {
        name: partial(run_checked, argv, bus, wanted) for name, (argv, wanted) in commands.items()
    }
    interleave(things, 2)  # to warm up
    rows = []
    for name, found in interleave(things, max(LEAST_ROUNDS, bench.rounds)).items():
        if isinstance(found, str):
            rows.append(Row("start", name, error=found))
        else:
            rows.append(Row("start", name, {"wall_ms": median([x.wall_s for x in found]) * 1000}))
    return rows
