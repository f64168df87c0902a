"""From a configuration to its simulation: facts of section 2, and the speed of a week."""

import time
from xml.etree import ElementTree

import pytest

from psops.errors import ConfigError
from psops.panda.simulate import plan_of
from psops.pandasim.engine import simulate
from psops.pandasim.model import DAY_MS, SimulationError
from psops.pandasim.plot import draw_svg, draw_text
from psops.pandasim.stats import summarise
from tests.panda.trees import GUIDE, cfg, effective


def starts(entry: str, seconds: float, **options: object) -> list[tuple[float, int]]:
    days = seconds * 1000 / DAY_MS
    plan = plan_of(effective(cfg(f'{{"x": {entry}}}')), days=days, **options)
    runs = simulate(plan).runs[0]
    return [(at / 1000, server) for at, server in zip(runs.starts, runs.servers, strict=True)]


def test_week_of_the_guide_on_nine_servers_takes_less_than_five_seconds() -> None:
    begin = time.process_time()
    plan = plan_of(effective(GUIDE), servers=9, days=7)
    log = simulate(plan)
    result = summarise(plan, log)
    assert time.process_time() - begin < 5
    assert plan.workers == 4
    by_name = {one.name: one for one in result.daemons}
    assert len(by_name) == 17
    assert by_name["copyArchive"].runs_per_day == pytest.approx(36, rel=0.03)
    assert by_name["add_sub"].runs_per_day == pytest.approx(9 * 360, rel=0.03)


def test_measured_starts() -> None:
    # Period 2 and a run of 3 s; then period 4 with runs of 9 s on two servers, synced.
    found = starts('{"period": 2}', 10, duration=3, offsets=[0.1])
    assert [at for at, _ in found] == pytest.approx([0.1, 3.6, 6.6, 9.6], abs=0.3)
    entry = '{"period": 4, "sync": true, "timeout": 3600}'
    found = starts(entry, 10, duration=9, servers=2, offsets=[0.1, 0.3])
    assert [server for _, server in found] == [0, 1, 0]
    assert [at for at, _ in found] == pytest.approx([0.1, 4.3, 9.6], abs=0.6)


def test_default_timeout_kills() -> None:
    # Period 2, so timeout 6: killed at 7 s and started again at once.
    assert [at for at, _ in starts('{"period": 2}', 10, duration=60, offsets=[0.1])] == (
        pytest.approx([0.1, 7.5], abs=0.7)
    )


@pytest.mark.parametrize("timeout", ["1e400", "1" + "0" * 30, "NaN"])
def test_timeout_beyond_all_times_kills_nothing(timeout: str) -> None:
    entry = f'{{"period": 60, "timeout": {timeout}}}'
    assert [at for at, _ in starts(entry, 300, duration=100, offsets=[0.1])] == (
        pytest.approx([0.1, 100.5, 201], abs=0.7)
    )


def test_loop_of_ages_is_simulated() -> None:
    entry = f'{{"period": {10**26}, "loop": true, "sync": true}}'
    assert len(starts(entry, 300, servers=2, offsets=[0, 1])) == 1


def test_plots_of_the_day() -> None:
    plan = plan_of(effective(GUIDE), servers=9, days=1)
    log = simulate(plan)
    root = ElementTree.fromstring(draw_svg(plan.daemons, log))
    assert root.tag.endswith("svg")
    text = draw_text(plan.daemons, log, width=100)
    assert all(one.name in text for one in effective(GUIDE).scheduled)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (cfg("{,}"), "table of daemons is empty"), ("x", "no section headers"),
        (cfg('{"a": {"period": 60, "timeout": null}}'), "hangs on the timeout of 'a'"),
        (cfg('{"a": {"period": 60}}', "enable = True\nn_proc = -1\n"), "n_proc is '-1'"),
        (cfg('{"a": {"period": 60}}', f"enable = True\nn_proc = {10**14}\n"), "up to 1000 workers"),
    ],
)  # fmt: skip
def test_what_the_master_would_not_schedule_is_not_simulated(text: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        plan_of(effective(text))


def test_options_are_those_of_the_plan() -> None:
    assert plan_of(effective(GUIDE), workers=7, servers=2).workers == 7
    with pytest.raises(SimulationError):
        plan_of(effective(GUIDE), servers=0)
