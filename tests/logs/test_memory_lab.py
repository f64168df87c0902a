"""However much two hosts have to say and however slow the reader is, little of it waits here."""

import time

import pytest

from tests.bench.logs import read_all
from tests.lab import Lab
from tests.logs.conftest import Talker

pytestmark = pytest.mark.lab

#: Lines of almost 1000 bytes, fewer than journald takes of a service in 30 s.
_LINES = 8_000
#: MiB that a run with all lines may take beyond one with a single line: queues, the windows
#: of the two channels, and what is being shown.
_MOST = 16.0


def test_a_slow_reader_holds_the_hosts_up_and_not_the_lines_in_memory(
    lab: Lab, talkers: tuple[Talker, Talker]
) -> None:
    # An instance that nobody had before, since journald counts what each unit says.
    unit = f"lg-much@{int(time.time())}"
    line = "0123456789" * 95
    for talker in talkers:
        talker.sh("sed s/lg.sh/lg-much.sh/ /etc/systemd/system/lg.service "
                  "> /etc/systemd/system/lg-much@.service; systemctl daemon-reload; "
                  f"echo \"seq -f 'line %.0f {line}' {_LINES}\" > /run/lg/lg-much.sh; "
                  f"systemctl start {unit}")  # fmt: skip
    words = ["logs", "-i", str(lab.inventory), "-H", "lab[008-009]", unit]
    little = read_all([*words, "-n", "1"])
    much = read_all([*words, "-n", "all", "--grep", "^line"], slow=10.0)
    assert (little.exit, much.exit) == (0, 0)
    assert much.lines == 2 * _LINES + 1  # with that of the date
    assert much.megabytes > 15
    assert much.rss_mib - little.rss_mib < _MOST, (little, much)
