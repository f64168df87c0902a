"""A new file takes the place of an old one: written beside it, with its owner and mode."""

import os
from pathlib import Path

from psops.errors import ConfigError


def check_unchanged(path: Path, target: Path, before: bytes) -> None:
    """Raise `ConfigError` if the file does not hold `before` any more; `path` is its name."""
    if target.read_bytes() != before:
        raise ConfigError(
            f"{path}: not written: somebody has changed it since it was read",
            remedy="run the same command again",
        )


def write_like(path: Path, data: bytes, known: os.stat_result, model: Path) -> None:
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


def sync_folder(folder: Path) -> None:
    """Bring the names in a folder to the disk."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
