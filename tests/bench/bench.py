"""What the parts share: where things are, how often, and the rounds."""

import shutil
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from tests.bench.errors import BenchError
from tests.bench.install import say
from tests.bench.measure import Sample, run
from tests.bench.targets import Way
from tests.bench.tools import Programs, Tool
from tests.lab import Lab

Key = TypeVar("Key")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """One run of the benchmark."""

    lab: Lab
    programs: Programs
    #: A directory that vanishes with the run; short, since control sockets lie in it.
    place: Path
    rounds: int
    hosts: int

    def fresh(self, name: str) -> Path:
        """Return a path in the place that is not taken."""
        path = self.place / name
        shutil.rmtree(path, ignore_errors=True)
        return path


def interleave(
    things: Mapping[Key, Callable[[], Sample]], rounds: int
) -> dict[Key, list[Sample] | str]:
    """Run everything once in each round and return the samples, or why most of them failed.

    Each round begins one further, so that no tool always follows the same one. A run that
    failed is told and counts for nothing, so that failing never looks quick.
    """
    order = list(things)
    found: dict[Key, list[Sample]] = {key: [] for key in order}
    errors: dict[Key, str] = {}
    for number in range(rounds if order else 0):
        at = number % len(order)
        for key in order[at:] + order[:at]:
            try:
                found[key].append(things[key]())
            except BenchError as error:
                say(f"{key}: {error}")
                errors[key] = str(error)
    return {
        key: samples if 2 * len(samples) > rounds else errors[key] for key, samples in found.items()
    }


def run_tool(programs: Programs, tool: Tool, way: Way, *, sample_pss: bool = False) -> Sample:
    """Run a tool over all targets and return its sample; a wrong answer is a `BenchError`."""
    environment = {**way.environment, **tool.environment(way)}
    sample = run(tool.argv(programs, way), environment, sample_pss=sample_pss)
    wrong = tool.check(sample, way)
    if wrong:
        raise BenchError(wrong)
    return sample


def run_checked(argv: Sequence[str | Path], environment: Mapping[str, str], wanted: str) -> Sample:
    """Run a command whose output must contain a text, and return its sample."""
    sample = run(argv, environment)
    if wanted not in sample.stdout:
        last = (sample.stderr or sample.stdout).strip().splitlines()[-1:]
        raise BenchError(f"no {wanted!r} in its output, exit status {sample.exit}: {last}")
    return sample


def median(values: Sequence[float]) -> float:
    """Return the median."""
    return statistics.median(values)
