"""`psops logs` on real hosts: merged, chosen, neutralised, by every way to a host."""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.command import Run, psops
from tests.lab import Lab
from tests.logs.conftest import Talker

pytestmark = pytest.mark.lab

Talkers = tuple[Talker, Talker]
Logs = Callable[..., Run]


def messages(run: Run, unit: str = "lg.service") -> list[tuple[str, str]]:
    """Return host and message of what a unit itself wrote, from JSON lines."""
    found = [json.loads(line) for line in run.stdout.splitlines()]
    return [(line["host"], line["message"]) for line in found
            if line.get("unit") == unit and line["identifier"] not in ("systemd",)]  # fmt: skip


def test_lines_of_two_hosts_are_one_stream_by_time(talkers: Talkers, logs: Logs) -> None:
    first, second = talkers
    since = first.now()
    for at in range(3):
        first.say(f"echo a{at}")
        second.say(f"echo b{at}")
    run = logs("lg", "--since", since, "--json")
    names = (first.name, second.name)
    assert messages(run) == [(names[at % 2], f"{'ab'[at % 2]}{at // 2}") for at in range(6)], (
        run.stderr
    )
    assert run.exit == 0
    times = [json.loads(line)["time_us"] for line in run.stdout.splitlines()]
    assert times == sorted(times)


def test_the_last_lines_are_counted_for_each_unit(talkers: Talkers, logs: Logs) -> None:
    first, _ = talkers
    first.say("for i in 1 2 3 4 5 6 7 8 9; do echo noisy$i; done")
    first.say("echo quiet", unit="lg-other")
    first.say("for i in 1 2 3 4 5 6 7 8 9; do echo noisy$i; done")
    run = logs("lg", "lg-other", "-n", "4", "--json", hosts=first.name)
    assert len(run.stdout.splitlines()) == 8
    assert messages(run, "lg-other.service")[-1] == (first.name, "quiet")
    everything = logs("-n", "3", "--json", hosts=first.name)
    assert len(everything.stdout.splitlines()) == 3


def test_what_a_terminal_would_act_on_is_shown_and_not_done(talkers: Talkers, logs: Logs) -> None:
    first, _ = talkers
    since = first.now()
    first.say(r"""printf '\033]0;title\007\033[2J\302\233A\342\200\256x\n'; printf 'caf\351\n'""")
    run = logs("lg", "--since", since, hosts=first.name)
    assert r"\x1b]0;title\x07\x1b[2J\x9bA\u202ex" in run.stdout
    assert "caf\ufffd" in run.stdout
    assert "\x1b" not in run.stdout
    colored = logs("lg", "--since", since, "--color", "always", hosts=first.name)
    assert "\x1b[36mlab008\x1b[0m" in colored.stdout
    assert "\x1b]" not in colored.stdout


def test_repeats_are_counted_and_long_entries_are_whole(talkers: Talkers, logs: Logs) -> None:
    first, _ = talkers
    since = first.now()
    first.say("for i in 1 2 3 4 5 6; do echo same; done; echo; "
              "i=0; while [ $i -lt 900 ]; do printf 0123456789; i=$((i+1)); done; "
              "echo end")  # fmt: skip
    run = logs("lg", "--since", since, hosts=first.name)
    assert run.stdout.count(": same") == 1
    assert ": ... 5 times more\n" in run.stdout
    assert "0123456789" * 900 + "end\n" in run.stdout
    assert logs("lg", "--since", since, "--no-fold", hosts=first.name).stdout.count(": same") == 6


def test_entries_are_chosen_by_priority_pattern_and_time(talkers: Talkers, logs: Logs) -> None:
    first, _ = talkers
    before = first.now()
    first.say("echo '<3>Disk Full'; echo '<4>disk warm'; echo '<7>disk fine'; echo '<1>alarm'")
    after = first.now()
    time.sleep(0.01)
    first.say("echo later")

    def shown(*words: str) -> list[str]:
        run = logs("lg", "--since", before, "--json", *words, hosts=first.name)
        assert run.exit == 0, run
        return [message for _, message in messages(run)]

    assert shown("-p", "err", "--until", after) == ["Disk Full", "alarm"]
    assert shown("-p", "4..3") == ["Disk Full", "disk warm"]
    assert shown("--until", after) == ["Disk Full", "disk warm", "disk fine", "alarm"]
    assert shown("--grep", "disk") == ["disk warm", "disk fine"]
    assert shown("--grep", "(?i)disk", "-n", "2") == ["disk warm", "disk fine"]
    assert shown("--grep", "^$") == []


@pytest.mark.parametrize(
    ("option", "complaint"),
    [
        ("--grep", "Compiled without pattern matching support"),
        ("--output-fields", "journalctl: unrecognized option '--output-fields=MESSAGE'"),
    ],
)
def test_a_journalctl_that_can_do_less_is_no_hindrance(
    option: str, complaint: str, talkers: Talkers, logs: Logs
) -> None:
    first, _ = talkers
    since = first.now()
    first.say("echo one; echo two; echo other; echo twofold")
    script = (
        f'#!/bin/sh\ncase "$*" in *{option}*) echo "{complaint}" >&2;'
        ' exit 1;; esac\nexec /usr/bin/journalctl "$@"\n'
    )
    first.lab.shell(first.host, ["sh", "-ec", 'printf %s "$1" > "$2"; chmod 755 "$2"', "sh", script,
                                 "/usr/local/bin/journalctl"], check=True)  # fmt: skip
    try:
        found = logs("lg", "--since", since, "--grep", "tw", "--json", hosts=first.name)
        last = logs("lg", "lg-other", "--since", since, "--grep", "o", "-n", "2", "--json",
                    hosts=first.name)  # fmt: skip
    finally:
        first.sh("rm /usr/local/bin/journalctl")
    assert [text for _, text in messages(found)] == ["two", "twofold"]
    assert [text for _, text in messages(last)][-1] == "twofold"
    assert len(last.stdout.splitlines()) == 2


def test_the_log_file_of_a_daemon_is_read_in_the_zone_of_its_host(
    talkers: Talkers, logs: Logs
) -> None:
    first, _ = talkers
    first.sh("cp -P /etc/localtime /run/lg-zone 2>/dev/null || true; "
             "ln -sf /usr/share/zoneinfo/Asia/Tokyo /etc/localtime")  # fmt: skip
    try:
        since = first.now()
        first.sh("date '+%Y-%m-%d %H:%M:%S,%3N ERROR    in the file' > /var/log/lg/app.log")
        run = logs("lg", "--since", since, "--json", "--source", "files", hosts=first.name)
    finally:
        first.sh("rm /etc/localtime; mv /run/lg-zone /etc/localtime 2>/dev/null || true; "
                 "rm /var/log/lg/app.log")  # fmt: skip
    (line,) = [json.loads(line) for line in run.stdout.splitlines()]
    assert (line["source"], line["level"], line["message"]) == (
        "/var/log/lg/app.log", "err", "ERROR    in the file"
    )  # fmt: skip
    written = datetime.fromisoformat(line["time"])
    assert abs((datetime.now(UTC) - written).total_seconds()) < 60


def test_a_bundle_is_its_units_and_files_and_what_is_not_there_is_no_matter(
    talkers: Talkers, logs: Logs
) -> None:
    first, second = talkers
    since = first.now()
    first.say("echo from-lg")
    second.say("echo from-other", unit="lg-other")
    second.sh("date '+%Y-%m-%d %H:%M:%S.%3N in the file' > /var/log/lg/app.log")
    run = logs("--bundle", "lg", "--since", since)
    second.sh("rm /var/log/lg/app.log")
    assert run.exit == 0, run
    assert run.stderr == ""
    for text in ("lab008 lg[", "from-lg", "lab009 lg-other[", "from-other", "lab009 app.log: in"):
        assert text in run.stdout
    nothing = logs("--bundle", "lg", "--since", first.now(), "--grep", "^never$")
    assert (nothing.exit, nothing.stdout, nothing.stderr) == (0, "", "psops: no entries\n")


def test_units_that_are_not_there_and_hosts_that_are_not_there_are_told(
    talkers: Talkers, logs: Logs
) -> None:
    run = logs("lg", "lg-never", "nothing-*")
    assert run.exit == 4
    assert run.stderr == (
        "- lab[008-009] (2): no unit 'lg-never.service'\n"
        "- lab[008-009] (2): no unit matches 'nothing-*'\n"
    )
    down = "root@127.83.77.77"
    some = logs("lg", hosts=f"lab008,{down}")
    assert some.exit == 1
    assert "connect-refused" in some.stderr or "connect-timed-out" in some.stderr
    assert logs("lg", hosts=down).exit == 69
    as_json = logs("lg", "--json", hosts=down)
    assert json.loads(as_json.stdout.splitlines()[0])["error"]["code"].startswith("connect")


def test_who_may_not_read_the_journal_is_told_so(talkers: Talkers, logs: Logs) -> None:
    first, _ = talkers
    refused = logs("ssh", hosts="plain@lab008")
    assert refused.exit == 69
    assert "× lab008: journal-forbidden: user 'plain' may not read the journal there" in (
        refused.stderr
    )
    assert "systemd-journal" in refused.stderr
    first.sh("usermod -aG systemd-journal plain")
    try:
        assert logs("ssh", "-n", "1", hosts="plain@lab008").exit == 0
    finally:
        first.sh("gpasswd -d plain systemd-journal")
    # Log files of daemons are often readable to those who run the daemons.
    first.sh("echo '2026-11-20 10:00:00 told to all' > /var/log/lg/app.log")
    partly = logs("lg", hosts="plain@lab008")
    first.sh("chmod 600 /var/log/lg/app.log")
    nothing = logs("lg", hosts="plain@lab008")
    first.sh("rm /var/log/lg/app.log")
    assert (partly.exit, "told to all" in partly.stdout) == (1, True), partly
    assert "journal-forbidden" in partly.stderr
    assert "/var/log/lg/app.log: permission denied" in nothing.stderr


def test_root_by_sudo_reads_journal_and_files(talkers: Talkers, logs: Logs) -> None:
    first, _ = talkers
    first.sh("echo '2026-11-20 10:00:00 for root' > /var/log/lg/app.log; "
             "chmod 600 /var/log/lg/app.log")  # fmt: skip
    first.say("echo from-lg")
    refused = logs("lg", "--sudo", hosts="ops@lab008")
    assert refused.exit == 69
    assert "sudo refuses" in refused.stderr
    rule = "ops ALL=(root) NOPASSWD: /usr/bin/journalctl, /usr/lib/openssh/sftp-server"
    first.sh(f"echo '{rule}' > /etc/sudoers.d/lg; chmod 440 /etc/sudoers.d/lg")
    try:
        run = logs("lg", "--sudo", hosts="ops@lab008")
    finally:
        first.sh("rm /etc/sudoers.d/lg /var/log/lg/app.log")
    assert "from-lg" in run.stdout
    assert "for root" in run.stdout, run


def test_a_host_without_a_bus_has_a_journal_still(talkers: Talkers, logs: Logs) -> None:
    first, _ = talkers
    first.say("echo still-there")
    with first.lab.no_bus_socket(first.host):
        run = logs("lg", hosts=first.name)
    assert "still-there" in run.stdout
    assert "names are taken as they are" in run.stderr


@pytest.mark.parametrize("way", ["openssh", "container", "master"])
def test_other_ways_to_a_host(
    way: str, lab: Lab, talkers: Talkers, home: Path, tmp_path: Path
) -> None:
    first, _ = talkers
    first.say("echo by-journal; i=0; while [ $i -lt 400 ]; do echo line$i; i=$((i+1)); done")
    first.sh("i=0; while [ $i -lt 9000 ]; do echo \"2026-11-20 10:00:00 f$i\"; i=$((i+1)); done"
             " > /var/log/lg/app.log")  # fmt: skip
    inventory = tmp_path / "inventory.toml"
    words: tuple[str, ...] = ("-i", str(inventory), "-a")
    config = lab.ssh_config
    machine = Path("/run/systemd/machines/lg-machine")
    if way == "container":
        machine.parent.mkdir(parents=True, exist_ok=True)
        machine.write_text(f"LEADER={first.host.leader_pid}\n")
        words = ("-M", machine.name)
    if way == "master":
        config = tmp_path / "config"
        config.write_text(f"Host *\n ControlPath {tmp_path}/%n.sock\n{lab.ssh_config.read_text()}")
        null = subprocess.DEVNULL
        subprocess.run(["ssh", "-F", config, "-MNf", "lab008"], check=True, stdin=null, stdout=null,
                       stderr=null)  # fmt: skip
    transport = "openssh" if way == "openssh" else "ssh"
    inventory.write_text(
        f'[defaults]\ntransport = "{transport}"\nssh_config = "{config}"\n[hosts.lab008]\n'
    )
    try:
        run = psops("logs", *words, "lg", "--since", "2026-11-20", "--json", home=home)
    finally:
        if way == "master":
            subprocess.run(["ssh", "-F", config, "-O", "exit", "lab008"], capture_output=True)
        machine.unlink(missing_ok=True)
        first.sh("rm /var/log/lg/app.log")
    assert run.exit == 0, run.stderr
    found = [json.loads(line) for line in run.stdout.splitlines()]
    files = [line["message"] for line in found if line["source"] != "journal"]
    assert files == [f"f{at}" for at in range(9000)]
    journal = [line["message"] for line in found if line["message"].startswith("line")]
    assert journal[-400:] == [f"line{at}" for at in range(400)]


def test_the_users_own_systemd(talkers: Talkers, logs: Logs) -> None:
    _, second = talkers
    since = second.now()
    # journald asks what a process belongs to, which one that has ended does not tell.
    unit = '[Service]\\nType=oneshot\\nExecStart=/bin/sh -c "echo mine; sleep 0.3"\\n'
    second.sh("systemctl start user@0; mkdir -p /run/systemd/user; "
              f"printf '{unit}' > /run/systemd/user/lg-mine.service; "
              "export XDG_RUNTIME_DIR=/run/user/0; "
              "systemctl --user daemon-reload; systemctl --user start lg-mine; "
              "rm /run/systemd/user/lg-mine.service")  # fmt: skip
    second.say("echo of the system")
    run = logs("--user", "lg-mine", "--since", since, "--json", hosts=second.name)
    assert messages(run, "lg-mine.service") == [(second.name, "mine")], run
    assert "of the system" not in logs("--user", "--since", since, hosts=second.name).stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--grep", "("), "--grep: '(' is no regular expression"),
        (("-p", "loud"), "no priority 'loud'"),
        (("-n", "-1"), "--lines takes 0 to 10000, or all, not '-1'"),
        (("-n", "20000"), "--since"),
        (("--since", "soon"), "--since: 'soon' is no time such as"),
        (("--since", "1h", "--until", "2h"), "--since is later than --until"),
        (("-f", "--until", "1h"), "not with --until"),
        (("--format", "jsnl"), "no format 'jsnl'; did you mean 'jsonl'?"),
        (("--source", "files"), "--source files needs UNIT or --bundle"),
        (("--bundle", "testpiont"), "no bundle 'testpiont'"),
        (("a b",), "'a b' is not a unit name"),
    ],
)
def test_wrong_usage_is_told_before_any_host_is_asked(
    words: tuple[str, ...], said: str, tmp_path: Path
) -> None:
    run = psops("logs", "-H", "host.invalid", *words, home=tmp_path)
    assert run.exit == 2, run
    assert said in run.stderr


def test_a_reader_that_has_seen_enough_ends_the_run(lab: Lab, tmp_path: Path) -> None:
    line = f"'{sys.executable}' -m psops logs -i '{lab.inventory}' -H lab008 -n all | head -n 2"
    environment: dict[str, Any] = {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin", "TZ": "UTC"}
    done = subprocess.run(["sh", "-c", line], env=environment, capture_output=True, text=True,
                          timeout=60)  # fmt: skip
    assert (len(done.stdout.splitlines()), done.stderr) == (2, "")
