"""The numbers, the comparison with cron, the plots, the file of durations, and the speed."""

import json
import time
from xml.etree import ElementTree

import pytest

from psops.cron.crontab import parse_crontab
from psops.cron.form import Form
from psops.pandasim.against import Side, compare, cron_side, read_cron
from psops.pandasim.durations import DurationsError, parse_durations
from psops.pandasim.engine import simulate
from psops.pandasim.model import DAY_MS, End, Log, Plan, Result, SimulationError, Spacing
from psops.pandasim.plot import draw_svg, draw_text
from psops.pandasim.render import render_json, render_table
from psops.pandasim.stats import summarise
from psops.report import Look
from tests.pandasim.plans import Demon, daemon, guide

SVG = "{http://www.w3.org/2000/svg}"


def result(*daemons: Demon, seconds: float, **options: object) -> tuple[Result, Log]:
    plan = Plan(daemons=daemons, days=seconds * 1000 / DAY_MS, **options)  # type: ignore[arg-type]
    log = simulate(plan)
    return summarise(plan, log), log


def test_numbers_of_two_daemons_and_one_worker() -> None:
    got, _ = result(daemon("long", 100), daemon("short", 2), seconds=14, offsets=[0],
                    durations={"long": 9, "short": 0.5})  # fmt: skip
    long, short = got.daemons
    assert (long.runs, long.busy_s, long.waits, long.late_max) == (1, 9.0, 1, 0.1)
    # Starts at 9.131 (queued at 0), 11 and 13.
    assert (short.runs, short.late_max, short.waits, short.wait_max) == (3, 9.131, 1, 9.131)
    assert short.late_mean == pytest.approx(9.131 / 3)
    assert short.gaps is not None
    assert (short.gaps.least, short.gaps.most) == (1.869, 2.0)
    assert short.gaps.mean == pytest.approx(1.9345)
    assert short.gaps == short.server_gaps
    assert short.runs_per_day == pytest.approx(3 * 86400 / 14)
    server = got.servers[0]
    # Both want a worker until 9.1; later one at a time.
    assert (server.peak, server.settled, got.needed) == (2, 1, 1)
    assert server.usual == 2
    assert server.load == pytest.approx((9 + 3 * 0.5) / 14)


def test_overlaps_of_unsynced_daemons_are_counted_across_servers() -> None:
    got, _ = result(daemon(period=60), seconds=120, servers=3, offsets=[0, 1, 40], duration=5)
    # At 1 while server 0 runs, and again at 61; server 2 is alone.
    assert (got.daemons[0].overlaps, got.daemons[0].doubles) == (2, 0)
    assert got.daemons[0].by_server == (2, 2, 2)


def test_daemon_that_never_runs_waits_to_the_end() -> None:
    got, _ = result(daemon("a", 1, 10**6), daemon("b", 60), seconds=100, offsets=[0],
                    durations={"a": 5000})  # fmt: skip
    assert (got.daemons[1].runs, got.daemons[1].waits, got.daemons[1].wait_max) == (0, 1, 100.0)
    assert got.daemons[1].gaps is None


@pytest.mark.parametrize(("seconds", "kills"), [(100, 0), (400, 1)])
def test_kills_after_the_end_are_not_counted(seconds: float, kills: int) -> None:
    got, log = result(daemon("a", 60, 300), seconds=seconds, offsets=[0], duration=10**6)
    assert list(log.runs[0].how)[:1] == [End.TIMEOUT]
    assert got.daemons[0].timeouts == kills
    got, log = result(daemon("a", 60, 10**6), seconds=seconds, offsets=[0], duration=10**6)
    assert got.daemons[0].cut == sum(end <= log.end for end in log.runs[0].ends)


def test_week_of_the_guide_on_nine_servers_is_quick() -> None:
    plan = Plan(daemons=guide(), servers=9, days=7, workers=4)
    begin = time.process_time()
    got = summarise(plan, simulate(plan))
    assert time.process_time() - begin < 5
    by_name = {one.name: one for one in got.daemons}
    assert len(by_name) == 17
    # Unsynced: 86400/60 on each of nine; synced: 86400/200 in all.
    assert by_name["process_workflow_files_daemon"].runs_per_day == pytest.approx(12960, rel=0.02)
    assert by_name["configurator"].runs_per_day == pytest.approx(432, rel=0.02)
    assert by_name["copyArchive"].runs_per_day == pytest.approx(36, rel=0.03)
    assert by_name["configurator"].overlaps == 0


def test_random_durations_keep_their_mean() -> None:
    got, _ = result(daemon(period=60), seconds=86400, servers=9, vary=True, duration=4, workers=2)
    one = got.daemons[0]
    assert one.busy_s / one.runs == pytest.approx(4, rel=0.05)
    loop, _ = result(daemon(period=60, loop=True), seconds=86400, vary=True, duration=4, workers=2)
    assert loop.daemons[0].busy_s / loop.daemons[0].runs == pytest.approx(64, rel=0.05)


def cron(text: str, source: str = "cron", server: str = "") -> object:
    return parse_crontab(text, source=source, form=Form.SYSTEM, server=server)


COPY = "5 1-19/6 * * * atlpan /opt/panda/usr/bin/panda_server-copyArchive > /dev/null 2>&1\n"


def test_against_the_crontab_of_the_guide() -> None:
    text = COPY + "*/5 * * * * atlpan /opt/panda/usr/bin/panda_server-pilot_streaming\n"
    text += "1 2 * * * root echo a; echo b\n17 3 * * * atlpan /opt/x/own_script.sh\n"
    side = read_cron([parse_crontab(text, source="c", form=Form.SYSTEM)], 9)
    assert [(one.source, one.line) for one in side.refused] == [("c", 3)]
    got, _ = result(daemon("copyArchive", 2400, 6000, sync=True), daemon("pilot_streaming", 300),
                    daemon("alone", 60), seconds=2 * 86400, servers=9, workers=3,
                    offsets=[0.5 + at for at in range(9)], duration=1)  # fmt: skip
    rows = {one.name: one for one in compare(got, side.firings)}
    assert list(rows) == ["copyArchive", "pilot_streaming", "alone", "own_script"]
    copy = rows["copyArchive"]
    assert copy.cron is not None
    assert copy.daemon is not None
    # Four times a day on each of nine servers, all at the same minute.
    assert copy.cron.per_day == 36
    assert copy.cron.gaps is not None
    assert (copy.cron.gaps.least, copy.cron.gaps.most) == (0, 21600)
    assert copy.cron.server_gaps == Spacing(least=21600, mean=21600, most=21600)
    assert copy.daemon.gaps is not None
    assert 2399 <= copy.daemon.gaps.least <= copy.daemon.gaps.most <= 2401
    assert copy.ratio == pytest.approx(1, abs=0.02)
    assert rows["pilot_streaming"].ratio == pytest.approx(1, abs=0.01)
    assert rows["alone"].cron is None
    assert rows["own_script"].daemon is None


def test_against_a_crontab_for_each_server() -> None:
    tabs = [
        parse_crontab(f"{minute},{minute + 20},{minute + 40} * * * * u /x/add.sh\n",
                      source="c", server=f"s{minute}", form=Form.SYSTEM)
        for minute in (0, 5, 10, 15)
    ]  # fmt: skip
    side = read_cron(tabs, 4)
    got, _ = result(daemon("add", 300), seconds=3600)
    row = compare(got, side.firings)[0]
    assert row.cron is not None
    # The staggered set of the facts: together exactly 300 s.
    assert row.cron.gaps == Spacing(least=300, mean=300, most=300)
    assert row.cron.server_gaps == Spacing(least=1200, mean=1200, most=1200)
    with pytest.raises(SimulationError, match="4 servers"):
        read_cron(tabs, 3)


def test_lines_of_a_server_in_several_zones_are_not_compared() -> None:
    """As cron2daemon does: three hours that may be nine apart are no period."""
    text = "CRON_TZ=Europe/Zurich\n0 0,12 * * * /x/add.sh\n"
    text += "CRON_TZ=Asia/Tokyo\n0 3 * * * /x/add.sh\n*/5 * * * * /x/other.sh\n"
    side = read_cron([parse_crontab(text, source="c", form=Form.USER)], 2)
    assert [(one.source, one.line) for one in side.refused] == [("c", 2), ("c", 4)]
    for one in side.refused:
        assert "several time zones (Asia/Tokyo, Europe/Zurich)" in one.reason
        assert one.remedy == "write all times in one zone"
    assert list(side.firings) == ["other"]


def test_servers_in_several_zones_are_compared_one_by_one() -> None:
    tabs = [
        parse_crontab(f"{zone}0,30 * * * * /x/add.sh\n", source=server, server=server,
                      form=Form.USER)
        for server, zone in (("s1", "CRON_TZ=Asia/Kolkata\n"), ("s2", ""))
    ]  # fmt: skip
    side = read_cron(tabs, 2)
    got, log = result(daemon("add", 1800), seconds=3600, servers=2)
    rows = compare(got, side.firings)
    assert rows[0].cron is not None
    assert rows[0].cron.per_day == 96
    assert rows[0].cron.server_gaps == Spacing(least=1800, mean=1800, most=1800)
    # When the starts of one are seen from the other nobody knows.
    assert rows[0].cron.gaps is None
    text = render_table(got, draw_text([daemon("add", 1800)], log), Look(), rows, side)
    assert "add: its lines are in several time zones, so starts of several servers" in text
    assert (
        json.loads(render_json(got, rows, side))["simulation"]["against"][0]["cron"]["gaps"] is None
    )


@pytest.mark.parametrize(
    ("lines", "servers", "per_day", "gaps", "server_gaps"),
    [
        # A gap goes over midnight, one over the weekend: no window of days has them all.
        ("0 */5 * * *", 1, 5, (14400, 17280, 18000), (14400, 17280, 18000)),
        ("5 1-19/6 * * *", 9, 36, (0, 2400, 21600), (21600, 21600, 21600)),
        ("50 0 * * 1", 2, 2 / 7, (0, 302400, 604800), (604800, 604800, 604800)),
        ("47 3 * * 1,4", 1, 2 / 7, (259200, 302400, 345600), (259200, 302400, 345600)),
        ("0 0 1 * *", 1, 4800 / 146097, (28 * 86400, 2629746, 31 * 86400),
         (28 * 86400, 2629746, 31 * 86400)),
        ("0 0 29 2 *", 1, 97 / 146097, (1461 * 86400, 146097 * 86400 / 97, 2921 * 86400),
         (1461 * 86400, 146097 * 86400 / 97, 2921 * 86400)),
        # Two lines in one minute are two starts.
        ("0 * * * *|0,30 * * * *", 1, 72, (0, 1200, 1800), (0, 1200, 1800)),
    ],
)  # fmt: skip
def test_cron_is_counted_over_its_whole_cycle(
    lines: str,
    servers: int,
    per_day: float,
    gaps: tuple[float, float, float],
    server_gaps: tuple[float, float, float],
) -> None:
    text = "".join(f"{line} /x/add.sh\n" for line in lines.split("|"))
    side = read_cron([parse_crontab(text, source="c", form=Form.USER)], servers)
    found = cron_side(side.firings["add"])
    assert found.per_day == pytest.approx(per_day)
    for got, wanted in ((found.gaps, gaps), (found.server_gaps, server_gaps)):
        assert got is not None
        assert (got.least, got.mean, got.most) == pytest.approx(wanted)


def test_cron_of_several_servers_is_one_spacing() -> None:
    tabs = [parse_crontab(f"{minutes} * * * * /x/add.sh\n", source=minutes, server=minutes,
                          form=Form.USER) for minutes in ("0,20,40", "10")]  # fmt: skip
    found = cron_side(read_cron(tabs, 3).firings["add"])
    assert found == Side(per_day=96, gaps=Spacing(least=600, mean=900, most=1200),
                         server_gaps=Spacing(least=1200, mean=1800, most=3600))  # fmt: skip


EVIL = 'a<b>&"\x1b[31m\u202e\x00\ufffe]]>' + "é" * 60


def test_svg_is_xml_whatever_the_names_are() -> None:
    _, log = result(daemon(EVIL, 600), daemon("b", 2, 6), seconds=7200, servers=9, workers=2,
                    durations={"b": 100})  # fmt: skip
    daemons = [daemon(EVIL, 600), daemon("b", 2, 6)]
    tree = ElementTree.fromstring(draw_svg(daemons, log))
    assert tree.tag == f"{SVG}svg"
    titles = [one.text or "" for one in tree.iter(f"{SVG}title")]
    assert any(title.startswith('a<b>&"\\x1b') for title in titles)
    assert any(title.endswith(" killed") for title in titles)
    assert "\x1b" not in draw_text(daemons, log)


def test_svg_has_a_lane_for_each_server_that_ran_something() -> None:
    plan = Plan(daemons=guide(), servers=9, days=1, workers=4)
    log = simulate(plan)
    tree = ElementTree.fromstring(draw_svg(plan.daemons, log))
    titles = [one.text or "" for one in tree.iter(f"{SVG}title")]
    assert "add_sub on server 8: 360 runs" in titles
    lanes = sum(len(set(runs.servers)) for runs in log.runs)
    assert sum(" on server " in title for title in titles) == lanes
    width = float(tree.attrib["width"])
    for rect in tree.iter(f"{SVG}rect"):
        assert float(rect.get("x", 0)) + float(rect.attrib["width"]) <= width


def test_text_plot_shows_who_ran_when() -> None:
    daemons = [daemon("each", 3600 * 6, sync=True), daemon("long", 86400, 10**6)]
    _, log = result(*daemons, seconds=86400, servers=2, workers=2, offsets=[0, 40],
                    durations={"each": 10, "long": 4 * 3600})  # fmt: skip
    lines = draw_text(daemons, log, width=60).splitlines()
    assert lines[0].split() == [f"{hour:02d}" for hour in range(0, 24, 2)]
    row = lines[1].removeprefix("each  ")
    assert [(at, one) for at, one in enumerate(row) if one != " "] == [
        (0, "0"), (12, "0"), (24, "0"), (36, "0")
    ]  # fmt: skip
    # Both servers start it in the first half hour, and are at it for four hours.
    assert lines[2] == "long  +" + "-" * 8


@pytest.mark.parametrize("width", [20, 40, 80, 100, 200, 400])
def test_text_plot_keeps_to_the_width(width: int) -> None:
    plan = Plan(daemons=guide(), servers=3, days=1, workers=4)
    lines = draw_text(plan.daemons, simulate(plan), width=width).splitlines()
    assert len(lines) == 19
    assert max(map(len, lines[:-1])) <= max(width, 30 + 2 + 24)


def test_durations_from_toml_and_json() -> None:
    assert parse_durations('a = 5\n"b c" = 2.5\r\n') == {"a": 5.0, "b c": 2.5}
    assert parse_durations(' {"a": 5}') == {"a": 5.0}
    assert parse_durations("") == {}


@pytest.mark.parametrize(
    "text",
    ["a = true", "a = 'x'", "a = -1", "a = nan", "a = inf", "[a]\nb = 1", "{", "x", "{" * 99],
)
def test_durations_that_are_none(text: str) -> None:
    with pytest.raises(DurationsError):
        parse_durations(text)


def test_reports_show_all_parts() -> None:
    side = read_cron([parse_crontab(COPY, source="c", form=Form.SYSTEM)], 2)
    daemons = [daemon("copyArchive", 600, sync=True), daemon("x\x1b", 2, 6)]
    got, log = result(*daemons, seconds=3600, servers=2, durations={"x\x1b": 100})
    rows = compare(got, side.firings)
    text = render_table(got, draw_text(daemons, log), Look(), rows, side)
    assert "over the timeout" in text
    assert "AGAINST CRON" in text
    assert "\x1b" not in text
    document = json.loads(render_json(got, rows, side))
    assert document["command"] == "panda simulate"
    simulation = document["simulation"]
    assert set(simulation) == {
        "against", "daemons", "days", "not_compared", "seed", "servers", "workers",
        "workers_needed",
    }  # fmt: skip
    assert simulation["daemons"][0]["name"] == "copyArchive"
    assert simulation["against"][0]["cron"]["per_day"] == 8.0
