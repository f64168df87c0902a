"""What must hold for any configuration."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from psops.pandasim.engine import CYCLE, simulate
from psops.pandasim.model import DAY_MS, End, Log, Plan
from psops.pandasim.stats import overlaps, summarise
from tests.pandasim.plans import daemon

_DAEMONS = st.lists(
    st.builds(
        daemon, period=st.integers(1, 120), timeout=st.none() | st.integers(0, 400),
        sync=st.booleans(), loop=st.booleans(),
    ),
    min_size=1, max_size=6,
).map(lambda found: [daemon(f"d{at}", one.period, one.timeout, sync=one.sync, loop=one.loop)
                     for at, one in enumerate(found)])  # fmt: skip


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """Return a plan of up to half an hour."""
    daemons = draw(_DAEMONS)
    servers = draw(st.integers(1, 4))
    options: dict[str, Any] = {
        "daemons": daemons,
        "servers": servers,
        "days": draw(st.integers(10, 1800)) * 1000 / DAY_MS,
        "workers": draw(st.integers(1, 4)),
        "duration": draw(st.sampled_from([0.01, 0.5, 3, 20, 200])),
        "durations": {"d0": draw(st.sampled_from([0.01, 1, 60, 600]))},
        "vary": draw(st.booleans()),
        "offsets": draw(st.none() | st.lists(st.floats(0, 30), min_size=servers, max_size=servers)),
        "seed": draw(st.integers(0, 5)),
    }
    return Plan(**options)


def rows(log: Log, at: int) -> Iterator[tuple[int, int, int, int, int, int]]:
    runs = log.runs[at]
    return zip(runs.servers, runs.due, runs.queued, runs.starts, runs.ends, runs.how, strict=True)


@settings(max_examples=150, deadline=None)
@given(plans())
def test_no_more_runs_than_workers_at_once_on_a_server(plan: Plan) -> None:
    log = simulate(plan)
    for server in range(plan.servers):
        changes = []
        for at in range(len(plan.daemons)):
            for where, _, _, start, end, _ in rows(log, at):
                if where == server:
                    changes += [(start, 1), (end, -1)]
        level = 0
        for _, change in sorted(changes):
            level += change
            assert level <= plan.workers


@settings(max_examples=150, deadline=None)
@given(plans())
def test_synced_daemon_starts_once_a_period_in_the_fleet(plan: Plan) -> None:
    log = simulate(plan)
    for at, one in enumerate(plan.daemons):
        starts = log.runs[at].starts
        assert list(starts) == sorted(starts)
        if one.sync:
            for before, after in pairwise(starts):
                assert after >= (before // 1000 + one.period) * 1000


@settings(max_examples=150, deadline=None)
@given(plans())
def test_synced_daemon_overlaps_only_if_a_run_is_longer_than_the_lock(plan: Plan) -> None:
    log = simulate(plan)
    for at, one in enumerate(plan.daemons):
        runs = log.runs[at]
        longest = max((end - start for start, end in zip(runs.starts, runs.ends, strict=True)),
                      default=0)  # fmt: skip
        # The lock is a whole second, so it may hold up to one second less.
        if one.sync and longest <= (one.period - 1) * 1000:
            assert overlaps(runs) == (0, 0)


@settings(max_examples=150, deadline=None)
@given(plans())
def test_order_of_times_and_phase_of_the_cycle(plan: Plan) -> None:
    log = simulate(plan)
    for at, one in enumerate(plan.daemons):
        for server, due, queued, start, end, how in rows(log, at):
            offset = log.offsets[server]
            assert offset <= due <= queued <= start < end
            assert start < log.end
            assert (queued - offset) % CYCLE == 0
            if how == End.TIMEOUT:
                assert (end - offset) % CYCLE == 0
                assert end // 1000 - start // 1000 > one.timeout
            if how == End.DONE:
                # Seen done at the next cycle, at which it was not over the timeout, or just begun.
                assert (end - CYCLE) // 1000 - start // 1000 <= max(0, one.timeout)


@settings(max_examples=100, deadline=None)
@given(plans())
def test_one_daemon_runs_once_at_a_time_on_a_server_unless_the_books_were_wrong(plan: Plan) -> None:
    log = simulate(plan)
    if not any(log.idle_kills):
        for runs in log.runs:
            assert overlaps(runs)[1] == 0


@settings(max_examples=60, deadline=None)
@given(plans())
def test_same_plan_gives_the_same_and_numbers_agree(plan: Plan) -> None:
    log = simulate(plan)
    result = summarise(plan, log)
    assert result == summarise(plan, simulate(plan))
    assert sum(one.runs for one in result.servers) == sum(one.runs for one in result.daemons)
    for one in result.daemons:
        assert sum(one.by_server) == one.runs
        assert one.timeouts + one.cut <= one.runs
        assert 0 <= one.late_mean <= one.late_max
    for server in result.servers:
        assert 0 <= server.load <= plan.workers + 1e-9
        assert server.settled <= server.peak
        assert server.load <= server.peak
        assert server.usual <= server.peak


@settings(max_examples=100, deadline=None)
@given(plans())
def test_overlaps_are_those_of_the_plain_definition(plan: Plan) -> None:
    for runs in simulate(plan).runs:
        all_runs = list(zip(runs.servers, runs.starts, runs.ends, strict=True))
        across = own = 0
        for at, (server, start, _) in enumerate(all_runs):
            going = [where for where, _, end in all_runs[:at] if end > start]
            across += any(where != server for where in going)
            own += server in going
        assert overlaps(runs) == (across, own)
