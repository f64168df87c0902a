"""Parts `fleet`, `warm` and `hosts100`: the state of 15 units on many hosts, by every tool."""

from collections.abc import Callable, Sequence
from functools import partial

from tests.bench.bench import Bench, interleave, median, run_tool
from tests.bench.figures import Row
from tests.bench.install import say
from tests.bench.masters import masters
from tests.bench.measure import Sample, cpu_of
from tests.bench.targets import Way, lab_targets, make_way
from tests.bench.tools import COLD, MANY, WARM, Tool

FLEET_HOSTS = 20


def measure_cold(bench: Bench) -> list[Row]:
    """Return a row for each tool that has to log in first."""
    return _cold(bench, "fleet", FLEET_HOSTS, COLD)


def measure_many(bench: Bench) -> list[Row]:
    """Return the same over more targets; the lab's hosts several times over if it has fewer."""
    return _cold(bench, "hosts100", bench.hosts, MANY)


def measure_warm(bench: Bench) -> list[Row]:
    """Return a row for each tool that can use an ssh connection which is open already."""
    targets = lab_targets(bench.lab, FLEET_HOSTS)
    place = bench.fresh("warm")
    controls = bench.fresh("m")
    way = make_way(place, targets, bench.lab, ssh=bench.programs.ssh, controls=controls)
    with masters(bench.programs.ssh, way) as pids:
        of_masters: dict[str, list[float]] = {tool.name: [] for tool in WARM}

        def attempt(tool: Tool) -> Sample:
            before = cpu_of(pids)
            sample = run_tool(bench.programs, tool, way)
            of_masters[tool.name].append(cpu_of(pids) - before)
            return sample

        return _rows(bench, "warm", way, WARM, attempt, of_masters)


def _cold(bench: Bench, part: str, count: int, tools: Sequence[Tool]) -> list[Row]:
    targets = lab_targets(bench.lab, count)
    way = make_way(bench.fresh(part), targets, bench.lab, ssh=bench.programs.ssh)
    say(f"{part}: {count} targets, {min(count, len(bench.lab.hosts))} hosts")
    attempt = partial(_attempt, bench, way)
    return _rows(bench, part, way, tools, attempt, {})


def _attempt(bench: Bench, way: Way, tool: Tool) -> Sample:
    return run_tool(bench.programs, tool, way)


def _rows(
    bench: Bench, part: str, way: Way, tools: Sequence[Tool],
    attempt: Callable[[Tool], Sample], of_masters: dict[str, list[float]],
) -> list[Row]:  # fmt: skip
    # A round of its own, since sampling memory takes CPU from what it looks at; it also
    # warms the disk cache and compiles what Python has not compiled yet.
    weigh = partial(run_tool, bench.programs, way=way, sample_pss=True)
    weighed = interleave({tool.name: partial(weigh, tool) for tool in tools}, 1)
    able = {
        tool.name: partial(attempt, tool) for tool in tools if isinstance(weighed[tool.name], list)
    }
    timed = interleave(able, bench.rounds)
    return [
        _row(part, tool.name, len(way.targets), weighed[tool.name], timed.get(tool.name, ""),
             of_masters.get(tool.name, ()))
        for tool in tools
    ]  # fmt: skip


def _row(
    part: str, name: str, hosts: int, weighed: list[Sample] | str, timed: list[Sample] | str,
    of_masters: Sequence[float],
) -> Row:  # fmt: skip
    if isinstance(weighed, str) or isinstance(timed, str):
        return Row(part, name, error=weighed if isinstance(weighed, str) else str(timed))
    walls = [sample.wall_s for sample in timed]
    values = {
        "wall_s": median(walls),
        "wall_min_s": min(walls),
        "wall_max_s": max(walls),
        "cpu_ms": median([sample.cpu_s for sample in timed]) * 1000 / hosts,
        "pss_mb": weighed[0].pss_kib / 1024,
    }
    if of_masters:
        values["masters_ms"] = median(of_masters) * 1000 / hosts
    return Row(part, name, values)
