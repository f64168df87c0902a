"""A merge from file to file: read as bytes, merged, proved, and put in place of the old file."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from psops.errors import ConfigError
from psops.panda.merge import Merged, merge, read_file
from psops.panda.sources import read_local
from psops.panda.write import replace_file


def merge_file(
    path: Path, daemons: Mapping[str, Any], *, update: bool = False
) -> tuple[bytes, Merged]:
    """Return what is in a file, and `merge` of it; nothing is written.

    Raises `ConfigError` if there is no such file, it is not UTF-8, or it cannot be merged into.
    """
    before = read_local(str(path))
    if before is None:
        raise ConfigError(f"{path}: no such file")
    try:
        text = before.decode("utf-8")
    except UnicodeDecodeError as exc:
        line = before.count(b"\n", 0, exc.start) + 1
        raise ConfigError(f"{path}:{line}: not UTF-8 text") from exc
    return before, merge(text, daemons, path=str(path), update=update)


def write_merged(path: Path, before: bytes, merged: Merged, moment: float) -> Path | None:
    """Put the result of `merge_file` in place of the file; return the backup.

    None if there is nothing to change. The new file is read back from the disk, by the reader
    that `panda show` uses, before it takes the place of the old one. Raises `ConfigError`.
    """
    after = merged.text.encode("utf-8")
    if after == before:
        return None
    wanted = read_file(merged.text, str(path))

    def accept(data: bytes) -> None:
        found = read_file(data.decode("utf-8"), str(path))
        if found.daemons != wanted.daemons or found.options != wanted.options:
            raise ConfigError(f"{path}: not written: the new file does not read as it should")

    return replace_file(path, before, after, accept, moment)
