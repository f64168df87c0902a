"""Where an inventory is edited, and how the new text gets there: nobody's change is lost."""

import contextlib
import fcntl
import os
from collections.abc import Callable, Iterator
from pathlib import Path

from psops import paths
from psops.errors import InventoryError, UsageError
from psops.inventory.file import parse
from psops.replace import check_unchanged, sync_folder, write_like

#: Who may read a new inventory: it holds no secret.
_MODE = 0o644


def place_to_edit(option: str | None, *, make: bool) -> Path:
    """Return the inventory that is read, or with `make` the one to begin where there is none.

    Raises `UsageError` for the demo fleet, `InventoryError` where a file must be there.
    """
    asked = option or os.environ.get("PSOPS_INVENTORY", "")
    if asked.partition(":")[0] == "demo":
        raise UsageError("the demo fleet cannot be edited", remedy="give --inventory FILE")
    if asked and make:
        return paths.expanded(asked)
    found = paths.inventory_path(option)
    if found is None and not make:
        raise UsageError(
            "there is no inventory to edit", remedy="psops inventory add or import begins one"
        )
    return found or paths.config_files(paths.INVENTORY)[0]


def read_text(path: Path) -> str | None:
    """Return the text of a file as it is, None if there is no file."""
    try:
        with path.open("rb") as stream:
            return paths.read_whole(stream).decode("utf-8")
    except FileNotFoundError:
        return None
    except UnicodeDecodeError as exc:
        line = exc.object[: exc.start].count(b"\n") + 1
        raise InventoryError(f"{path}:{line}: not UTF-8 text") from exc
    except OSError as exc:
        reason = (exc.strerror or str(exc)).lower()
        raise InventoryError(f"{path}: cannot read: {reason}") from exc


def edit_file(path: Path, change: Callable[[str], str]) -> None:
    """Replace the text of an inventory by what `change` makes of it, with nothing in between.

    `change` gets the text, "" where there is no file, and may raise. Runs of psops that edit
    at the same time wait for each other; where somebody else writes in between, a
    `ConfigError` says so, and what they wrote stays. A link is followed, owner and mode stay.
    """
    target = Path(os.path.realpath(path))
    new = target.with_name(f".{target.name}.{os.getpid()}.new")
    try:
        if target.exists() and not target.is_file():  # /dev/null must stay a device
            raise InventoryError(f"{path}: not written: it is not a regular file")
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _locked(target.parent):
            text = read_text(target)
            after = change(text or "")
            if after == text:
                return
            parse(after.removeprefix("\ufeff"), path)
            data = after.encode()
            if text is None:
                _begin(target, new, data)
            else:
                _replace(path, target, new, text.encode(), data)
            sync_folder(target.parent)
    except OSError as exc:
        reason = (exc.strerror or str(exc)).lower()
        raise InventoryError(f"{path}: not written: {reason}") from exc


def _replace(path: Path, target: Path, new: Path, before: bytes, after: bytes) -> None:
    write_like(new, after, target.stat(), target)
    try:
        check_unchanged(path, target, before)
        new.replace(target)
    except BaseException:
        new.unlink(missing_ok=True)
        raise


def _begin(target: Path, new: Path, data: bytes) -> None:
    """Make a file that is not there; one that somebody makes meanwhile is an error."""
    fd = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _MODE)
    try:
        with os.fdopen(fd, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(fd)
        os.link(new, target)
    finally:
        new.unlink()


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold the lock of a folder, which needs no file of its own."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)
