"""The new text of a configuration file takes the place of the old, owner and mode kept."""

import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from psops.errors import ConfigError


def replace_file(
    path: Path, before: bytes, after: bytes, accept: Callable[[bytes], None], moment: float
) -> Path:
    """Replace a file that holds `before` by one that holds `after`; return the backup.

    The new file is written beside it, read back and given to `accept`, which raises if it is
    not good; only then is it renamed. A link is followed. The backup has the old name with
    `.<UTC time>.bak`, owner and mode of the old file, and never overwrites anything.

    Raises `ConfigError` if the file has changed meanwhile, or something cannot be written;
    the file then is as it was.
    """
    target = Path(os.path.realpath(path))
    stamp = f"{datetime.fromtimestamp(moment, UTC):%Y%m%dT%H%M%SZ}"
    backup = target.with_name(f"{target.name}.{stamp}.bak")
    new = target.with_name(f".{target.name}.{stamp}.{os.getpid()}.new")
    try:
        known = target.stat()
        _unchanged(path, target, before)
        _write(new, after, known, target)
        try:
            accept(new.read_bytes())
            _write(backup, before, known, target)
            _unchanged(path, target, before)
            new.replace(target)
        except BaseException:
            new.unlink(missing_ok=True)
            raise
        _sync(target.parent)
        if target.read_bytes() != after:
            raise ConfigError(f"{path}: holds something else than was written; see {backup}")
    except OSError as exc:
        reason = (exc.strerror or str(exc)).lower()
        raise ConfigError(f"{path}: not written: {exc.filename or target}: {reason}") from exc
    return backup


def _unchanged(path: Path, target: Path, before: bytes) -> None:
    if target.read_bytes() != before:
        raise ConfigError(
            f"{path}: not written: somebody has changed it since it was read",
            remedy="run the same command again",
        )


def _write(path: Path, data: bytes, known: os.stat_result, model: Path) -> None:
    """Write a file that is not there yet, with owner, mode and labels of another."""
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(fd, "wb") as stream:
            stream.write(data)
            stream.flush()
            made = os.fstat(fd)
            if (made.st_uid, made.st_gid) != (known.st_uid, known.st_gid):
                os.fchown(fd, known.st_uid, known.st_gid)
            os.fchmod(fd, known.st_mode & 0o7777)  # after chown, which takes bits away
            _copy_labels(model, fd)
            os.fsync(fd)
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def _copy_labels(model: Path, fd: int) -> None:
    """Copy extended attributes (SELinux label, ACL) as far as file system and rights allow."""
    try:
        names = os.listxattr(model)
    except OSError:
        return
    for name in names:
        try:
            os.setxattr(fd, name, os.getxattr(model, name))
        except OSError:
            continue


def _sync(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
