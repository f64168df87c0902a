"""Where psops keeps its files."""

import stat
from pathlib import Path

import pytest

from psops import paths
from psops.errors import InventoryError


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a home without settings, with a system directory beside it."""
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "PSOPS_INVENTORY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(paths, "SYSTEM", tmp_path / "etc")
    return tmp_path


def make(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return path


def test_directories_follow_xdg(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert paths.config_files("x") == (home / ".config/psops/x", home / "etc/x")
    assert paths.state_dir() == home / ".local/state/psops"
    monkeypatch.setenv("XDG_CONFIG_HOME", "/c")
    monkeypatch.setenv("XDG_STATE_HOME", "/s")
    assert paths.config_files("x")[0] == Path("/c/psops/x")
    assert paths.state_dir() == Path("/s/psops")


@pytest.mark.parametrize("value", ["", "relative/path"])
def test_directories_that_are_not_absolute_do_not_count(
    home: Path, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", value)
    assert paths.state_dir() == home / ".local/state/psops"


def test_each_place_of_the_inventory_beats_the_next(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert paths.inventory_path() is None
    system = make(home / "etc/inventory.toml")
    assert paths.inventory_path() == system
    own = make(home / ".config/psops/inventory.toml")
    assert paths.inventory_path() == own
    variable = make(home / "variable.toml")
    monkeypatch.setenv("PSOPS_INVENTORY", "~/variable.toml")
    assert paths.inventory_path() == variable
    option = make(home / "option.toml")
    assert paths.inventory_path(str(option)) == option
    monkeypatch.setenv("PSOPS_INVENTORY", "")
    assert paths.inventory_path("") == own


def test_named_inventory_must_exist(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(home / ".config/psops/inventory.toml")
    with pytest.raises(InventoryError) as caught:
        paths.inventory_path("/nowhere/x")
    assert str(caught.value) == "/nowhere/x: no such file (named by --inventory)"
    monkeypatch.setenv("PSOPS_INVENTORY", "/nowhere/y")
    with pytest.raises(InventoryError) as caught:
        paths.inventory_path()
    assert str(caught.value) == "/nowhere/y: no such file (named by PSOPS_INVENTORY)"


def test_inventory_behind_a_closed_door_is_not_passed_over(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = make(home / ".config/psops/inventory.toml")

    def refuse(path: Path, **_: object) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "stat", refuse)
    assert paths.inventory_path() == own


def test_writing_replaces_the_file(home: Path) -> None:
    path = home / "state/deep/file"
    paths.write_atomically(path, "é1")
    paths.write_atomically(path, "é2", mode=0o644)
    assert path.read_text(encoding="utf-8") == "é2"
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert list(path.parent.iterdir()) == [path]


def test_file_is_private_by_default(home: Path) -> None:
    paths.write_atomically(home / "file", "x")
    assert stat.S_IMODE((home / "file").stat().st_mode) == 0o600


def test_writing_that_fails_leaves_the_old_file(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = home / "file"
    path.write_text("old")

    def refuse(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", refuse)
    with pytest.raises(OSError, match="No space left"):
        paths.write_atomically(path, "new")
    assert path.read_text() == "old"
    assert list(home.iterdir()) == [path]
