"""Part `wan`: one host far away, and how many round trips each way of asking it takes."""

from collections.abc import Callable
from functools import partial

from tests.bench.bench import Bench, interleave, median, run_tool
from tests.bench.figures import Row
from tests.bench.measure import Sample
from tests.bench.targets import Target, Way, make_way
from tests.bench.tools import PSOPS_P, PSOPS_PLAIN, SHOW, SYSTEMCTL, Argv, Programs, Tool
from tests.lab.relay import relay

FAR_S = 0.05
# What the relay does not show: a request longer than TCP's first window (14 kB) would cost one
# round trip more on a real line. Near is without a relay: where sshd's Nagle algorithm waits
# for an acknowledgement, the relay's kernel delays it by 40 ms, about what the distance would
# cost there; through a relay with no delay that would be taken off again.


def _ssh(programs: Programs, way: Way) -> Argv:
    return [programs.ssh, "-F", way.ssh_config, way.names[0], SHOW]


TOOLS = (PSOPS_P, PSOPS_PLAIN, Tool("ssh HOST systemctl show", _ssh, SYSTEMCTL.check), SYSTEMCTL)


def measure_wan(bench: Bench) -> list[Row]:
    """Return a row for each way; a round trip is what the distance adds, in its own length."""
    host = bench.lab.hosts[0]
    there = (host.address, host.port)
    with relay(*there, FAR_S) as far:
        things: dict[tuple[str, bool], Callable[[], Sample]] = {}
        for is_far, (address, port) in enumerate((there, far)):
            way = _way(bench, Target("far" if is_far else "near", address, port))
            for tool in TOOLS:
                things[tool.name, bool(is_far)] = partial(run_tool, bench.programs, tool, way)
        interleave(things, 1)  # to warm up
        found = interleave(things, bench.rounds)
    rows = []
    for tool in TOOLS:
        near_found, far_found = found[tool.name, False], found[tool.name, True]
        if isinstance(near_found, str) or isinstance(far_found, str):
            rows.append(Row("wan", tool.name, error=f"{near_found} / {far_found}"))
            continue
        near_s = median([sample.wall_s for sample in near_found])
        far_s = median([sample.wall_s for sample in far_found])
        values = {
            "near_ms": near_s * 1000,
            "far_ms": far_s * 1000,
            "round_trips": (far_s - near_s) / FAR_S,
        }
        rows.append(Row("wan", tool.name, values))
    return rows


def _way(bench: Bench, target: Target) -> Way:
    host = bench.lab.hosts[0]
    there = f"[{host.address}]:{host.port} "
    keys = bench.lab.known_hosts.read_text().splitlines(keepends=True)
    here = f"[{target.address}]:{target.port} "
    own = [here + line.removeprefix(there) for line in keys if line.startswith(there)]
    place = bench.fresh(f"wan-{target.name}")
    return make_way(place, [target], bench.lab, ssh=bench.programs.ssh, keys="".join(own))
