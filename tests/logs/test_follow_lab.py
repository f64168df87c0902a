"""`psops logs -f` on real hosts goes on over lost hosts and rotated files, and loses nothing."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from psops.inventory import Host
from psops.logs import follow as following
from psops.logs.host import HostLogs
from psops.logs.model import Event, Failure, Line, LogQuery, Notice
from psops.transport import Options
from tests.lab import Lab
from tests.logs.conftest import Talker

pytestmark = pytest.mark.lab

Talkers = tuple[Talker, Talker]
Follow = Callable[..., Any]


def numbers(text: str, word: str) -> list[int]:
    """Return the numbers behind a word, in the order in which they are shown."""
    found = [line.rpartition(f": {word}")[2] for line in text.splitlines() if f": {word}" in line]
    return [int(number) for number in found]


def test_what_comes_on_two_hosts_is_shown_as_it_comes(talkers: Talkers, follow: Follow) -> None:
    first, second = talkers
    first.say("echo begin0")
    second.say("echo begin0")
    with follow("lg", "-n", "1", "--no-fold") as run:
        run.wait_for("lab009")
        for at in range(1, 4):
            (first, second)[at % 2].say(f"echo step{at}; echo step{at}")
            run.wait_for(f": step{at}\n")
        run.process.send_signal(signal.SIGINT)
        assert run.process.wait(10) == 130
        assert numbers(run.out, "step") == [1, 1, 2, 2, 3, 3]
        assert run.err == ""
    for talker in talkers:
        assert "journalctl" not in talker.sh("sleep 0.3; ps -eo args || true")


def test_nothing_is_lost_or_shown_twice_while_a_host_is_away(
    talkers: Talkers, follow: Follow
) -> None:
    first, second = talkers
    first.sh("rm -f /var/log/lg/app.log; echo '2026-11-20 10:00:00 file0' > /var/log/lg/app.log")
    first.say("echo count0")
    with follow("lg", "-n", "9", "--no-fold") as run:
        run.wait_for("count0")
        first.say("echo count1")
        run.wait_for("count1")
        first.sh("systemctl stop ssh; pkill -x sshd || true")
        run.wait_for("× lab008: lost, trying again")
        first.say("for i in 2 3 4 5; do echo count$i; done")
        first.sh("echo '2026-11-20 10:00:01 file1' >> /var/log/lg/app.log; cd /var/log/lg; "
                 "mv app.log app.log.1; echo '2026-11-20 10:00:02 file2' > app.log")  # fmt: skip
        second.say("echo other9")
        run.wait_for("other9")  # one that is away does not hold up the others
        first.sh("systemctl start ssh")
        run.wait_for("● lab008: is back")
        first.say("echo count6")
        run.wait_for("count6")
        run.wait_for("file2")
        counts = numbers(run.out, "count")
        assert counts[counts.index(0) :] == [0, 1, 2, 3, 4, 5, 6]
        assert numbers(run.out, "file") == [0, 1, 2]
        assert run.err.count("lost, trying again") == 1
        assert run.err.count("is back") == 1
    first.sh("rm -f /var/log/lg/app.log*")


@pytest.mark.parametrize("way", ["rename", "copytruncate"])
def test_a_file_is_followed_over_its_rotation(way: str, talkers: Talkers, follow: Follow) -> None:
    first, _ = talkers
    rotate = {
        "rename": "mv app.log app.log.1; : > app.log",
        "copytruncate": "cp app.log app.log.1; : > app.log",
    }[way]
    put = "echo \"$(date '+%Y-%m-%d %H:%M:%S') part{}\" >> app.log; "
    first.sh(f"cd /var/log/lg; rm -f app.log*; {put.format(0)}")
    with follow("lg", "--source", "files", "-n", "5", "--no-fold", hosts="lab008") as run:
        run.wait_for("part0")
        first.sh(f"cd /var/log/lg; {put.format(1)}{rotate}; {put.format(2)}")
        run.wait_for("part2")
        first.sh(f"cd /var/log/lg; {put.format(3)}")
        run.wait_for("part3")
        first.sh(f"cd /var/log/lg; {rotate}")
        time.sleep(1.0)
        first.sh(f"cd /var/log/lg; {put.format(4)}")
        run.wait_for("part4")
        assert numbers(run.out, "part") == [0, 1, 2, 3, 4]
        assert "/var/log/lg/app.log was rotated" in run.err
    first.sh("rm -f /var/log/lg/app.log*")


def test_by_the_ssh_program(lab: Lab, talkers: Talkers, follow: Follow, tmp_path: Path) -> None:
    first, _ = talkers
    inventory = tmp_path / "openssh.toml"
    inventory.write_text(
        f'[defaults]\ntransport = "openssh"\nssh_config = "{lab.ssh_config}"\n[hosts.lab008]\n'
    )
    first.say("echo zero")
    with follow("lg", "-n", "9", "--json", hosts="lab008", inventory=str(inventory)) as run:
        run.wait_for('"zero"')
        first.say("echo one")
        run.wait_for('"one"')
        first.sh("pkill -x sshd || true; systemctl restart ssh")
        run.wait_for('"event": "back"')
        first.say("echo two")
        run.wait_for('"two"')
        found = [json.loads(line) for line in run.out.splitlines()]
    own = [line["message"] for line in found if line.get("unit") == "lg.service"]
    assert [text for text in own if text in ("one", "two")] == ["one", "two"]


def test_a_host_that_is_down_at_first_is_shown_from_when_it_comes(
    talkers: Talkers, follow: Follow
) -> None:
    first, second = talkers
    first.say("echo early1")
    first.sh("systemctl stop ssh; pkill -x sshd || true")
    try:
        with follow("lg", "-n", "1") as run:
            run.wait_for("× lab008: connect-refused")
            second.say("echo there2")
            run.wait_for("there2")
            first.sh("systemctl start ssh")
            run.wait_for("● lab008: is back")
            first.say("echo late3")
            run.wait_for("late3")
            assert "early1" not in run.out
    finally:
        first.sh("systemctl start ssh")


def test_a_reader_that_goes_ends_the_run_without_another_line(
    lab: Lab, talkers: Talkers, home: Path
) -> None:
    first, _ = talkers
    first.say("echo the-last")
    words = ["logs", "-f", "-i", str(lab.inventory), "-H", "lab008", "lg", "-n", "9"]
    process = subprocess.Popen([sys.executable, "-m", "psops", *words], stdout=subprocess.PIPE,
                               env={**os.environ, "HOME": str(home)})  # fmt: skip
    assert process.stdout is not None
    while b"the-last" not in process.stdout.readline():
        pass
    process.stdout.close()
    assert process.wait(10) == 0


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask silent hosts soon whether they are there."""
    monkeypatch.setattr(following, "PING_EVERY", 0.3)
    monkeypatch.setattr(following, "PING_WITHIN", 0.7)


@pytest.fixture
def watched(hurried: None, lab: Lab, talkers: Talkers) -> Iterator[list[Line | Notice | Failure]]:
    """Give what a follower of the journal alone says, in a thread of this process."""
    items: list[Line | Notice | Failure] = []
    query = LogQuery(names=("lg.service",), files={}, follow=True, lines=0)
    options = Options(ssh_config=str(lab.ssh_config), connect_timeout=2.0, timeout=4.0)
    logs = HostLogs(Host(name="lab009"), query, options, items.append)
    logs.open()
    assert list(logs.history()) == []
    follower = following.Follower(logs, items.append)
    threading.Thread(target=follower.run, args=(None,), daemon=True).start()
    yield items
    logs.query = query  # its thread ends with this process


def test_a_host_from_which_nothing_comes_any_more_is_noticed(
    lab: Lab, talkers: Talkers, watched: list[Line | Notice | Failure]
) -> None:
    def await_event(event: Event) -> None:
        end = time.monotonic() + 20
        while not any(isinstance(item, Notice) and item.event is event for item in watched):
            assert time.monotonic() < end, watched
            time.sleep(0.05)

    _, second = talkers
    with lab.blackhole(second.host):
        await_event(Event.LOST)
        second.say("echo unheard")
    await_event(Event.BACK)
    end = time.monotonic() + 10
    while not any(isinstance(item, Line) and item.message == "unheard" for item in watched):
        assert time.monotonic() < end, watched
        time.sleep(0.05)


def test_an_entry_that_is_not_kept_any_more_is_no_end(
    hurried: None, lab: Lab, talkers: Talkers
) -> None:
    _, second = talkers
    second.say("echo before")
    items: list[Line | Notice | Failure] = []
    query = LogQuery(names=("lg.service",), files={}, follow=True, lines=1)
    logs = HostLogs(Host(name="lab009"), query, Options(ssh_config=str(lab.ssh_config)),
                    items.append)  # fmt: skip
    logs.open()
    list(logs.history())
    logs.cursor = "s=00;i=1;b=none"
    follower = following.Follower(logs, items.append)
    threading.Thread(target=follower.run, args=(None,), daemon=True).start()
    second.say("echo after")
    end = time.monotonic() + 15
    while not any(isinstance(item, Line) and item.message == "after" for item in items):
        assert time.monotonic() < end, items
        time.sleep(0.05)
    # Nothing older than the last entry that was read comes again.
    assert not any(isinstance(item, Line) and item.message == "before" for item in items)
