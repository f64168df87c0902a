"""Part `demo`: what a host costs the client when none has to be waited for."""

from functools import partial
from pathlib import Path

from tests.bench.bench import Bench, interleave, median
from tests.bench.errors import BenchError
from tests.bench.figures import Row
from tests.bench.measure import Sample, run
from tests.bench.tools import Argv

MANY = 2000
# These are on every demo host.
UNITS = (
    "dbus.socket",
    "systemd-journald.service",
    "systemd-journald.socket",
    "systemd-logind.service",
    "systemd-udevd.service",
    "systemd-tmpfiles-setup.service",
    "systemd-tmpfiles-clean.timer",
    "getty@tty1.service",
    "rsyslog.service",
    "fstrim.timer",
    "logrotate.timer",
    "logrotate.service",
    "network.target",
    "multi-user.target",
    "system.slice",
)


def measure_demo(bench: Bench) -> list[Row]:
    """Return CPU and growth of memory for each further host, on one core."""
    things = {count: partial(_ask, bench.programs.psops, count) for count in (1, MANY)}
    found = interleave(things, max(1, bench.rounds // 2))
    one, many = found[1], found[MANY]
    if isinstance(one, str) or isinstance(many, str):
        return [Row("demo", "psops", error=f"1 host: {one}; {MANY}: {many}")]
    growth = median([sample.rss_kib for sample in many]) - median([s.rss_kib for s in one])
    values = {
        "wall_s": median([sample.wall_s for sample in many]),
        "cpu_ms": median([sample.cpu_s for sample in many]) * 1000 / MANY,
        "rss_kb": growth / (MANY - 1),
    }
    return [Row("demo", "psops", values)]


def _ask(psops: Path, count: int) -> Sample:
    pinned = ["taskset", "--cpu-list", "0"]
    argv: Argv = [*pinned, psops, "status", "-a", "-i", f"demo:{count}", *UNITS]
    sample = run(argv)
    # Some demo hosts cannot be reached, on purpose; they are told after the number.
    told = f"{count} hosts, " if count > 1 else UNITS[-1]
    if told not in sample.stdout:
        last = (sample.stderr or sample.stdout).strip().splitlines()[-1:]
        raise BenchError(f"exit status {sample.exit}: {last}")
    return sample
