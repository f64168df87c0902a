"""The command line: prepare, measure the parts, tell the figures and the aims."""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tests.bench.bench import Bench
from tests.bench.demo import measure_demo
from tests.bench.errors import BenchError
from tests.bench.figures import Row, judge
from tests.bench.fleet import FLEET_HOSTS, measure_cold, measure_many, measure_warm
from tests.bench.install import ensure_peers, ensure_programs, ensure_psops, say, versions
from tests.bench.output import render_json, render_markdown
from tests.bench.processes import measure_processes
from tests.bench.start import measure_start
from tests.bench.tab import measure_tab
from tests.bench.tools import Programs
from tests.bench.wan import measure_wan
from tests.lab import Lab, LabError, state_place, unavailable, up

PARTS: Mapping[str, Callable[[Bench], list[Row]]] = {
    "fleet": measure_cold,
    "warm": measure_warm,
    "wan": measure_wan,
    "hosts100": measure_many,
    "demo": measure_demo,
    "start": measure_start,
    "tab": measure_tab,
    "processes": measure_processes,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark; 1 if an aim is missed or something cannot be measured at all."""
    options = _parser().parse_args(arguments)
    try:
        ensure_programs()
        programs = Programs(psops=options.psops or ensure_psops() / "psops", peers=ensure_peers())
        lab = _ready_lab()
        parts = options.only or list(PARTS)
        with tempfile.TemporaryDirectory(prefix="bench-") as place:
            bench = Bench(
                lab=lab,
                programs=programs,
                place=Path(place),
                rounds=options.rounds,
                hosts=options.hosts,
            )
            rows = _measure(bench, parts)
    except (BenchError, LabError) as error:
        say(str(error))
        return 1
    judged = [] if options.no_aims else judge(rows, parts)
    facts = _facts(bench)
    text = render_markdown(rows, judged, facts)
    sys.stdout.write(text)
    for path in options.output:
        path.write_text(render_json(rows, judged, facts) if path.suffix == ".json" else text)
    return 0 if all(one.met for one in judged) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python3 -m tests.bench", description=__doc__)
    parser.add_argument("--only", action="append", choices=PARTS, help="this part alone")
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="rounds, 5 if not said")
    parser.add_argument(
        "--hosts", type=int, default=100, metavar="N", help="targets of the part hosts100"
    )
    parser.add_argument(
        "--output", type=Path, action="append", default=[], metavar="FILE",
        help="write the result here as well, as JSON if it ends in .json, else as Markdown",
    )  # fmt: skip
    parser.add_argument("--psops", type=Path, metavar="PATH", help="measure this psops")
    parser.add_argument("--no-aims", action="store_true", help="judge nothing")
    return parser


def _ready_lab() -> Lab:
    lab = Lab.load(state_place())
    if len(lab.hosts) < FLEET_HOSTS:
        reason = unavailable()
        if reason:
            raise BenchError(reason)
        up(state_place(), FLEET_HOSTS)
        lab = Lab.load(state_place())
    return lab


def _measure(bench: Bench, parts: Sequence[str]) -> list[Row]:
    rows: list[Row] = []
    for part in parts:
        begin = time.monotonic()
        say(f"{part} ...")
        try:
            rows += PARTS[part](bench)
        except BenchError as error:  # the other parts may still be measured
            say(str(error))
            rows.append(Row(part, "all of it", error=str(error)))
        say(f"{part} took {time.monotonic() - begin:.0f} s")
    return rows


def _facts(bench: Bench) -> dict[str, str]:
    return {
        **versions(),
        "cores": str(os.cpu_count()),
        "load average at the end": f"{os.getloadavg()[0]:.1f}",
        "hosts in the lab": str(len(bench.lab.hosts)),
        "rounds": f"{bench.rounds}, interleaved; medians",
    }
