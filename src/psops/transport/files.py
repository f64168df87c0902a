"""Files that this machine can open: its own, and those below the root of a container.

A container writes its own links, so each step of a path is taken by its directory's
descriptor, links by hand: no link leads out of the root (compare RESOLVE_IN_ROOT, openat2(2)).
"""

import contextlib
import os
import stat
from collections.abc import Iterator

from psops.deadline import Deadline
from psops.transport import Attributes

#: As many links as a path may have, see path_resolution(7).
_MOST_LINKS = 40


class LocalFile:
    """An open file."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def read(self, offset: int, count: int, deadline: Deadline) -> bytes:
        """Return up to `count` bytes from an offset."""
        return os.pread(self._descriptor, count, offset)

    def attributes(self, deadline: Deadline) -> Attributes:
        """Return what it is like now."""
        return _attributes(self._descriptor)

    def close(self) -> None:
        """Close it."""
        with contextlib.suppress(OSError):
            os.close(self._descriptor)


class LocalFiles:
    """The files below a root."""

    def __init__(self, root: str) -> None:
        self._root = os.open(root, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)

    def open(self, path: str, deadline: Deadline) -> LocalFile:
        """Return a file; one that is no regular file is an `OSError`."""
        with self._step_to(path) as place:
            if not stat.S_ISREG(os.fstat(place).st_mode):
                raise OSError(f"{path}: not a regular file")
            # The descriptor of a path cannot be read; its own link leads to the same file.
            return LocalFile(os.open(f"/proc/self/fd/{place}", os.O_RDONLY | os.O_CLOEXEC))

    def attributes(self, path: str, deadline: Deadline) -> Attributes:
        """Return what is at a path."""
        with self._step_to(path) as place:
            return _attributes(place)

    def names(self, directory: str, deadline: Deadline) -> tuple[str, ...]:
        """Return the names in a directory."""
        with self._step_to(directory) as place, os.scandir(f"/proc/self/fd/{place}") as found:
            return tuple(entry.name for entry in found)

    @contextlib.contextmanager
    def at(self, path: str) -> Iterator[str]:
        """Give a path of this machine to what is at a path now, and stays that."""
        with self._step_to(path) as place:
            yield f"/proc/self/fd/{place}"

    def close(self) -> None:
        """Let go of the root."""
        with contextlib.suppress(OSError):
            os.close(self._root)

    @contextlib.contextmanager
    def _step_to(self, path: str) -> Iterator[int]:
        """Give an O_PATH descriptor of what is at a path."""
        way = [os.dup(self._root)]  # the directories that led here, for ".."
        todo = _parts(path)
        links = 0
        try:
            while todo:
                part = todo.pop(0)
                if part == "..":
                    if len(way) > 1:
                        os.close(way.pop())
                    continue
                flags = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC
                place = os.open(part, flags, dir_fd=way[-1])
                way.append(place)
                if stat.S_ISLNK(os.fstat(place).st_mode):
                    links += 1
                    if links > _MOST_LINKS:
                        raise OSError(f"{path}: too many links")
                    target = os.readlink("", dir_fd=place)
                    os.close(way.pop())
                    if target.startswith("/"):
                        while len(way) > 1:
                            os.close(way.pop())
                    todo = _parts(target) + todo
            yield way[-1]
        finally:
            for descriptor in way:
                os.close(descriptor)


def _parts(path: str) -> list[str]:
    return [part for part in path.split("/") if part not in ("", ".")]


def _attributes(descriptor: int) -> Attributes:
    found = os.fstat(descriptor)
    return Attributes(found.st_size, found.st_mtime, stat.S_ISDIR(found.st_mode))
