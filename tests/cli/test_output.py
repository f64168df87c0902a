"""`--output`: a file is replaced whole, a device is written to, and a mistake is told."""

import os
import stat
from pathlib import Path

import pytest

from psops.cli.app import write_output
from tests.command import psops

CFG = '[daemon]\nconfig = {"add": {"period": 60, "module": "a"}}\n'
#: What a verb is asked, in a directory with the files below.
VERBS = {
    "bundle verify": ("-i", "demo", "-H", "ps01.demo"),
    "pipeline graph": (),
    "inventory graph": ("-i", "demo"),
    "inventory export": ("json", "-i", "demo"),
    "psid nodes": ("{place}/parastation.conf",),
    "panda check": ("{place}/panda_server.cfg",),
    "unit lint": ("{place}/rucio-daemon@reaper.service",),
    "rucio verify": ("-i", "demo", "-a"),
    "cron2daemon": ("{place}/crontab",),
}


def ask(verb: str, place: Path, output: str) -> tuple[int, str, str]:
    (place / "parastation.conf").write_text("Nodes {\n  node01 1\n}\n")
    (place / "panda_server.cfg").write_text(CFG)
    (place / "rucio-daemon@reaper.service").write_text("[Service]\nExecStart=/bin/rucio-reaper\n")
    (place / "crontab").write_text("*/4 * * * * python3 add.py\n")
    words = (word.format(place=place) for word in VERBS[verb])
    run = psops(*verb.split(), *words, "--output", output, home=place)
    return run.exit, run.stdout, run.stderr


@pytest.mark.parametrize("verb", VERBS)
def test_file_is_replaced(verb: str, tmp_path: Path) -> None:
    output, link = tmp_path / "report", tmp_path / "link"
    output.write_text("old")
    output.chmod(0o640)
    link.symlink_to("report")
    code, stdout, stderr = ask(verb, tmp_path, str(link))
    assert (code in (0, 1), stdout) == (True, ""), stderr
    assert len(output.read_text()) > 10
    assert stat.S_IMODE(output.stat().st_mode) == 0o640
    assert link.is_symlink()


@pytest.mark.parametrize("umask", [0o022, 0o027, 0o077])
def test_mode_of_a_new_file_is_what_the_umask_leaves(umask: int, tmp_path: Path) -> None:
    before = os.umask(umask)
    try:
        write_output(str(tmp_path / "deep/report"), "text")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "deep/report").stat().st_mode) == 0o666 & ~umask


@pytest.mark.parametrize("verb", VERBS)
def test_what_is_no_file_is_written_to(verb: str, tmp_path: Path) -> None:
    link = tmp_path / "stderr"
    link.symlink_to("/dev/stderr")
    code, stdout, stderr = ask(verb, tmp_path, str(link))
    assert (code in (0, 1), stdout) == (True, ""), stderr
    assert len(stderr) > 10
    assert link.is_symlink()


@pytest.mark.parametrize("verb", VERBS)
def test_place_where_nothing_can_be_written(verb: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    code, _, stderr = ask(verb, tmp_path, str(tmp_path / "file" / "report"))
    assert code == 2
    assert f"psops: {tmp_path}/file/report: not a directory" in stderr
    assert "Traceback" not in stderr
