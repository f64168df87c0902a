"""Replacing the file: owner, mode and link kept, a backup made, nothing lost on the way."""

import os
from pathlib import Path

import pytest

from psops.errors import ConfigError
from psops.panda.apply import merge_file, write_merged
from psops.panda.effective import read_effective
from psops.panda.sources import read_local, sources_of
from psops.panda.write import replace_file
from tests.panda.trees import GUIDE

MOMENT = 1_800_000_000.0
STAMP = "20270115T080000Z"


def accept(data: bytes) -> None:
    """Take anything."""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "panda_server.cfg"
    path.write_bytes(b"old\r\n")
    path.chmod(0o640)
    return path


def test_file_is_replaced_with_its_mode_and_a_backup(file: Path) -> None:
    before = file.stat()
    backup = replace_file(file, b"old\r\n", b"new\n", accept, MOMENT)
    assert backup == file.with_name(f"panda_server.cfg.{STAMP}.bak")
    assert (file.read_bytes(), backup.read_bytes()) == (b"new\n", b"old\r\n")
    for path in (file, backup):
        assert path.stat().st_mode == before.st_mode
    assert file.stat().st_ino != before.st_ino
    assert sorted(os.listdir(file.parent)) == [file.name, backup.name]


def test_owner_is_given_to_the_new_file_and_refused_if_that_cannot_be(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[int, int]] = []
    real = os.fstat
    monkeypatch.setattr(os, "fchown", lambda fd, user, group: asked.append((user, group)))
    # As if this process were somebody else than the file's owner.
    monkeypatch.setattr(
        os, "fstat", lambda fd: os.stat_result((*real(fd)[:4], 12345, 23456, *real(fd)[6:]))
    )
    replace_file(file, b"old\r\n", b"new\n", accept, MOMENT)
    known = file.stat()
    assert asked == [(known.st_uid, known.st_gid)] * 2

    def refuse(fd: int, user: int, group: int) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "fchown", refuse)
    with pytest.raises(ConfigError, match="operation not permitted"):
        replace_file(file, b"new\n", b"newer\n", accept, MOMENT + 60)
    assert file.read_bytes() == b"new\n"
    assert len(os.listdir(file.parent)) == 2


def test_merge_from_file_to_file(file: Path) -> None:
    file.write_bytes(GUIDE.replace("\n", "\r\n").encode())
    daemons = {"hs_scrapers": {"period": 604800, "sync": True}}
    before, merged = merge_file(file, daemons)
    backup = write_merged(file, before, merged, MOMENT)
    assert backup is not None
    assert backup.read_bytes() == before
    assert file.read_bytes() == merged.text.encode()
    read = read_effective(sources_of(str(file)), read_local)
    assert [one.name for one in read.scheduled][-1] == "hs_scrapers"
    assert len(read.scheduled) == 18
    again, same = merge_file(file, daemons)
    assert write_merged(file, again, same, MOMENT) is None
    with pytest.raises(ConfigError, match="no such file"):
        merge_file(file.with_name("none"), daemons)
    file.write_bytes(b"[daemon]\n# \xe9\n")
    with pytest.raises(ConfigError, match=r":2: not UTF-8"):
        merge_file(file, daemons)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give files away")
def test_owner_is_kept(file: Path) -> None:
    os.chown(file, 12345, 23456)
    file.chmod(0o2664)
    backup = replace_file(file, b"old\r\n", b"new\n", accept, MOMENT)
    for path in (file, backup):
        found = path.stat()
        assert (found.st_uid, found.st_gid, found.st_mode & 0o7777) == (12345, 23456, 0o2664)


def test_link_stays_a_link(file: Path, tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    link = tmp_path / "etc" / "link.cfg"
    link.symlink_to("../panda_server.cfg")
    replace_file(link, b"old\r\n", b"new\n", accept, MOMENT)
    assert link.is_symlink()
    assert file.read_bytes() == b"new\n"


def test_file_that_has_changed_is_not_touched(file: Path) -> None:
    with pytest.raises(ConfigError, match="somebody has changed it"):
        replace_file(file, b"other", b"new\n", accept, MOMENT)
    assert os.listdir(file.parent) == [file.name]

    def meanwhile(data: bytes) -> None:
        file.write_bytes(b"third")

    with pytest.raises(ConfigError, match="somebody has changed it"):
        replace_file(file, b"old\r\n", b"new\n", meanwhile, MOMENT)
    assert file.read_bytes() == b"third"
    assert not [name for name in os.listdir(file.parent) if name.endswith(".new")]


def test_text_that_is_not_accepted_is_not_put_in_place(file: Path) -> None:
    def refuse(data: bytes) -> None:
        assert data == b"new\n"
        raise ConfigError("not good")

    with pytest.raises(ConfigError, match="not good"):
        replace_file(file, b"old\r\n", b"new\n", refuse, MOMENT)
    assert file.read_bytes() == b"old\r\n"
    assert os.listdir(file.parent) == [file.name]


def test_backup_is_never_overwritten(file: Path) -> None:
    replace_file(file, b"old\r\n", b"new\n", accept, MOMENT)
    with pytest.raises(ConfigError, match="file exists"):
        replace_file(file, b"new\n", b"newer\n", accept, MOMENT)
    assert file.read_bytes() == b"new\n"
    assert len(os.listdir(file.parent)) == 2


def test_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such file"):
        replace_file(tmp_path / "none", b"", b"", accept, MOMENT)
