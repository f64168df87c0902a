"""Files that users name and that do not end, or have no name, are told in a line."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

LIMIT = 60  # seconds; only a hang takes that long
#: In kB; what reads /dev/zero to its end has more, soon.
MOST_MEMORY = 2_000_000
INVENTORY = "[hosts.ps01]\r\nport = 22\r\n"


def psops(home: Path, line: str) -> "subprocess.CompletedProcess[str]":
    command = f"ulimit -v {MOST_MEMORY}; exec {sys.executable} -m psops {line}"
    environ = {"PATH": os.environ["PATH"], "HOME": str(home), "PSOPS_SYSLOG": ""}
    return subprocess.run(
        ["/bin/bash", "-c", command], env=environ, cwd=home, capture_output=True, text=True,
        timeout=LIMIT, check=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("bundle lint /dev/zero", 78),
        ("inventory list -i /dev/zero", 78),
        ("inventory add ps02 -n -i /dev/zero", 78),
        ("inventory import hosts /dev/zero -n", 78),
        ("status -a -i /dev/zero", 78),
        ("status -H ps01 -F /dev/zero", 69),
        ("config show -i /dev/zero", 78),
        ("cron2daemon /dev/zero", 65),
        ("cron2daemon --decisions /dev/zero /etc/hosts", 2),
        ("psid nodes /dev/zero", 78),
        ("panda check /dev/zero", 69),
        ("panda merge /dev/zero /dev/zero", 78),
    ],
)
def test_file_without_an_end_is_told(line: str, code: int, tmp_path: Path) -> None:
    done = psops(tmp_path, line)
    assert "/dev/zero: " in done.stdout + done.stderr
    assert "larger than" in done.stdout + done.stderr
    assert done.returncode == code
    assert "bug" not in done.stderr


@pytest.mark.parametrize(
    "line",
    [
        "cron2daemon ''",
        "cron2daemon --decisions '' x",
        "panda check ''",
        "panda merge x ''",
        "panda simulate x --against ''",
        "bundle lint ''",
        "unit lint ''",
        "unit write rucio -o ''",
        "psid nodes ''",
        "inventory import hosts ''",
        "pipeline lint -f ''",
        "status -a -i ''",
        "restart -i '' httpd",
        "status -H ps01 -F ''",
        "bundle verify -i demo -o ''",
        "inventory export json -i demo -o ''",
    ],
)
def test_empty_name_is_not_the_current_folder(line: str, tmp_path: Path) -> None:
    (tmp_path / "x").write_text("* * * * * root true\n")
    done = psops(tmp_path, line)
    assert done.returncode == 2, done.stderr
    assert "an empty name is no file" in done.stderr or "'' names no file" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


def test_known_hosts_without_an_end_do_not_eat_the_memory(tmp_path: Path) -> None:
    (tmp_path / ".ssh").mkdir()
    (tmp_path / ".ssh/known_hosts").symlink_to("/dev/zero")
    done = psops(tmp_path, "doctor")
    assert "known_hosts cannot be read: larger than 64000000 bytes" in " ".join(done.stdout.split())


@pytest.mark.parametrize("number", ["99999999999", "100001", "0", "-1", "x"])
def test_demo_fleet_has_a_largest_size(number: str, tmp_path: Path) -> None:
    done = psops(tmp_path, f"inventory list -i demo:{number}")
    assert done.returncode == 2
    assert done.stderr == (
        f"psops: inventory 'demo:{number}': '{number}' is not a number of hosts from 1 to 100000\n"
    )


def test_pipes_and_substitutions_are_read_as_files_are(tmp_path: Path) -> None:
    (tmp_path / "one.toml").write_text(INVENTORY, newline="")
    done = psops(tmp_path, "inventory list -H ps01 -i <(cat one.toml)")
    assert (done.returncode, done.stderr) == (0, "")
    assert "ps01:22" in done.stdout
    os.mkfifo(tmp_path / "fifo")
    writer = threading.Thread(target=(tmp_path / "fifo").write_text, args=(INVENTORY,))
    writer.start()
    done = psops(tmp_path, "inventory list -H ps01 -i fifo")
    writer.join(LIMIT)
    assert "ps01:22" in done.stdout


def test_only_a_regular_file_is_replaced_by_an_edit(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    writer = threading.Thread(target=fifo.write_text, args=(INVENTORY,))
    writer.start()
    done = psops(tmp_path, "inventory add ps02 -y -i fifo")
    writer.join(LIMIT)
    assert (done.returncode, done.stdout) == (78, "")
    assert done.stderr == "psops: fifo: not written: it is not a regular file\n"
    assert fifo.is_fifo()
