"""`psops logs` on the demo fleet: what needs no real host."""

import json
import re
from pathlib import Path

from tests.command import psops


def test_times_are_those_of_the_zone_that_one_is_in(tmp_path: Path) -> None:
    words = ("logs", "-i", "demo", "-H", "ps02.demo", "postgresql@15-main", "-n", "1")
    shown = [psops(*words, home=tmp_path, TZ=zone).stdout for zone in ("UTC", "Asia/Tokyo")]
    assert "UTC --" in shown[0]
    assert "JST --" in shown[1]
    hours = [int(re.search(r"(\d\d):\d\d:\d\d\.", text)[1]) for text in shown]  # type: ignore[index]
    assert (hours[1] - hours[0]) % 24 in (8, 9, 10)  # the fleet's clock is that of each run


def test_a_file_and_the_journal_are_chosen_by_their_source(tmp_path: Path) -> None:
    words = ("logs", "-i", "demo", "-H", "panda01.demo", "panda_daemon", "--json")
    everything, journal, files = (
        [json.loads(line)["source"] for line in
         psops(*words, "--source", source, home=tmp_path).stdout.splitlines()]
        for source in ("all", "journal", "files")
    )  # fmt: skip
    assert set(journal) == {"journal"}
    assert set(files) == {"/var/log/panda/panda-daemons.log"}
    assert sorted(everything) == sorted([*journal, *files])


def test_hosts_that_cannot_be_read_are_told_behind_the_lines(tmp_path: Path) -> None:
    run = psops("logs", "-i", "demo", "-p", "err", "-n", "1", home=tmp_path)
    assert run.exit == 1
    assert run.stderr.startswith("× node02.demo: connect-timed-out:")
    assert "\x1b" not in run.stdout


def test_what_is_asked_for_and_not_there_is_told(tmp_path: Path) -> None:
    words = ("logs", "-i", "demo", "-H", "ps01.demo")
    for more, told in {
        ("nosuch",): "no unit 'nosuch.service'",
        ("nosuch-*",): "no unit matches 'nosuch-*'",
        ("--bundle", "panda-server"): "no unit of the bundle",
    }.items():
        run = psops(*words, *more, home=tmp_path)
        assert (run.exit, run.stdout, run.stderr) == (4, "", f"- ps01.demo: {told}\n")
