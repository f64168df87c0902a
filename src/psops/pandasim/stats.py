"""A log as numbers."""

from collections.abc import Iterable, Sequence
from itertools import pairwise

from psops.pandasim.engine import PAUSE
from psops.pandasim.model import (
    Daemon,
    DaemonResult,
    End,
    Log,
    Plan,
    Result,
    Runs,
    ServerResult,
    Spacing,
)

#: Workers are `usual` that were enough for this part of the time.
USUAL = 0.99


def summarise(plan: Plan, log: Log) -> Result:
    """Return the numbers of a simulated plan."""
    return Result(
        days=plan.days,
        workers=plan.workers,
        seed=plan.seed,
        daemons=tuple(_daemon(plan, log, at, one) for at, one in enumerate(plan.daemons)),
        servers=tuple(_server(log, at) for at in range(plan.servers)),
    )


def spacing(starts: Iterable[Sequence[float]], unit: float = 1.0) -> Spacing | None:
    """Return the gaps within each of several ascending rows of times, divided by a unit.

    >>> spacing([[0, 10, 30], [5, 15]])
    Spacing(least=10.0, mean=13.333333333333334, most=20.0)
    """
    gaps = [after - before for row in starts for before, after in pairwise(row)]
    if not gaps:
        return None
    return Spacing(
        least=min(gaps) / unit, mean=sum(gaps) / len(gaps) / unit, most=max(gaps) / unit
    )  # fmt: skip


def overlaps(runs: Runs) -> tuple[int, int]:
    """Return how many runs started while another was going on another server, and on their own."""
    across = own = 0
    ends: dict[int, int] = {}
    # The latest end of all, whose server that is, and the latest of the other servers.
    latest = second = holder = -1
    for server, start, end in zip(runs.servers, runs.starts, runs.ends, strict=True):
        across += (second if server == holder else latest) > start
        before = ends.get(server, -1)
        own += before > start
        if end > before:
            ends[server] = end
        if server == holder:
            latest = max(latest, end)
        elif end > latest:
            latest, second, holder = end, latest, server
        else:
            second = max(second, end)
    return across, own


def _daemon(plan: Plan, log: Log, at: int, daemon: Daemon) -> DaemonResult:
    runs = log.runs[at]
    late = [start - due for start, due in zip(runs.starts, runs.due, strict=True)]
    waits = [
        start - queued
        for start, queued in zip(runs.starts, runs.queued, strict=True)
        if start - queued > PAUSE
    ]
    # What no worker has taken by the end has waited as well.
    waits += [log.end - queued for _, queued in log.waiting[at] if log.end - queued > PAUSE]
    rows: list[list[int]] = [[] for _ in range(plan.servers)]
    for server, start in zip(runs.servers, runs.starts, strict=True):
        rows[server].append(start)
    busy = sum(min(end, log.end) - start for start, end in zip(runs.starts, runs.ends, strict=True))
    across, own = overlaps(runs)
    # A run that is still going has an end as well, which is to come.
    ended = [how for how, end in zip(runs.how, runs.ends, strict=True) if end <= log.end]
    return DaemonResult(
        name=daemon.name,
        period=daemon.period,
        sync=daemon.sync,
        loop=daemon.loop,
        runs=len(runs),
        runs_per_day=len(runs) / plan.days,
        by_server=tuple(map(len, rows)),
        skips=log.skips[at],
        busy_s=busy / 1000,
        late_mean=sum(late) / len(late) / 1000 if late else 0.0,
        late_max=max(late, default=0) / 1000,
        waits=len(waits),
        wait_max=max(waits, default=0) / 1000,
        overlaps=across,
        doubles=own,
        timeouts=ended.count(End.TIMEOUT),
        idle_kills=log.idle_kills[at],
        cut=ended.count(End.REVIVAL),
        gaps=spacing([runs.starts], 1000),
        server_gaps=spacing(rows, 1000),
    )


def _server(log: Log, at: int) -> ServerResult:
    begins: list[int] = []
    ends: list[int] = []
    number = busy = 0
    settled_at = log.offsets[at]
    for runs in log.runs:
        first = True
        for server, queued, start, end in zip(
            runs.servers, runs.queued, runs.starts, runs.ends, strict=True
        ):
            if server == at:
                begins.append(queued)
                ends.append(end)
                number += 1
                busy += min(end, log.end) - start
                if first:
                    first = False
                    settled_at = max(settled_at, end)
    for waiting in log.waiting:
        for server, queued in waiting:
            if server == at:
                begins.append(queued)
                ends.append(log.end)
    levels, peak, settled = _demand(sorted(begins), sorted(ends), log.end, settled_at)
    alive = max(1, log.end - log.offsets[at])
    return ServerResult(
        offset=log.offsets[at] / 1000,
        runs=number,
        peak=peak,
        settled=settled,
        usual=_usual(levels, alive),
        load=busy / alive,
        stuck=sum(server == at for _, server in log.stuck),
        revivals=sum(server == at for _, server in log.revivals),
    )


def _demand(
    begins: list[int], ends: list[int], stop: int, settled_at: int
) -> tuple[list[int], int, int]:
    """Return for how long each number of daemons ran or waited, the largest, and that later on."""
    levels = [0] * (len(begins) + 1) if len(begins) < 64 else [0] * 64
    level = peak = settled = finished = before = 0
    for begin in begins:
        while ends[finished] <= begin:
            levels[level] += ends[finished] - before
            before = ends[finished]
            level -= 1
            finished += 1
        levels[level] += begin - before
        before = begin
        level += 1
        if level == len(levels):
            levels += [0] * level
        peak = max(peak, level)
        if begin >= settled_at:
            settled = max(settled, level)
    for end in ends[finished:]:
        levels[level] += max(0, min(end, stop) - before)
        before = max(before, min(end, stop))
        level -= 1
    return levels, peak, settled


def _usual(levels: list[int], alive: int) -> int:
    """Return how many workers are enough for nearly all of the time."""
    above = sum(levels[1:])
    for workers in range(len(levels)):
        if above <= (1 - USUAL) * alive:
            return workers
        above -= levels[workers + 1] if workers + 1 < len(levels) else 0
    return len(levels)
