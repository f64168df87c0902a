"""However much two hosts have to say and however slow the reader is, little of it waits here."""

from pathlib import Path

import pytest

from tests.bench.logs import UNIT, make_journal, on_hosts, read_all
from tests.lab import Lab

pytestmark = pytest.mark.lab

_MEGABYTES = 8
#: MiB that a run with all lines may take beyond one with a single line: queues, the windows
#: of the two channels, and what is being shown. One that kept the lines would take 30.
_MOST = 16.0


def test_a_slow_reader_holds_the_hosts_up_and_not_the_lines_in_memory(
    lab: Lab, tmp_path: Path
) -> None:
    make_journal(tmp_path / "big.journal", _MEGABYTES)
    hosts = [lab.host(8), lab.host(9)]
    words = ["logs", "-i", str(lab.inventory), "-H", "lab[008-009]", UNIT]
    with on_hosts(lab, hosts, tmp_path / "big.journal"):
        little = read_all([*words, "-n", "1"])
        much = read_all([*words, "-n", "all"], slow=4.0)
    assert (little.lines, little.exit) == (3, 4)  # the unit itself is on no host
    assert much.lines > 25_000
    assert much.megabytes > 6
    assert much.rss_mib - little.rss_mib < _MOST, (little, much)
