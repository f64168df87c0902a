"""The new text of a configuration file takes the place of the old, owner and mode kept."""

import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from psops.errors import ConfigError
from psops.replace import check_unchanged, sync_folder, write_like


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
        check_unchanged(path, target, before)
        write_like(new, after, known, target)
        try:
            accept(new.read_bytes())
            write_like(backup, before, known, target)
            check_unchanged(path, target, before)
            new.replace(target)
        except BaseException:
            new.unlink(missing_ok=True)
            raise
        sync_folder(target.parent)
        if target.read_bytes() != after:
            raise ConfigError(f"{path}: holds something else than was written; see {backup}")
    except OSError as exc:
        reason = (exc.strerror or str(exc)).lower()
        raise ConfigError(f"{path}: not written: {exc.filename or target}: {reason}") from exc
    return backup
