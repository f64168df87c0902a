"""What a log file was called before, and how to read it then: rotated, dated, compressed."""

import bz2
import contextlib
import itertools
import lzma
import re
import zlib
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Protocol

from psops.deadline import Deadline
from psops.errors import HostError
from psops.transport import Attributes, Files

#: Bytes asked for at once.
PIECE = 262144
#: Bytes that unpacking may take; what xz packs by itself takes at most half of it.
_MOST_MEMORY = 128 << 20
_ENDINGS = r"(?:\.(?P<packed>gz|bz2|xz|zst))?"
#: What logrotate and the loggers of Java and Go put behind a name.
_BEHIND = re.compile(rf"(?:\.\d{{1,4}}|[-.]\d{{4}}-?\d\d-?\d\d(?:[-.]\d{{1,10}})*)+{_ENDINGS}")
_GLOB = re.compile(r"[*?\[]")


class _Unpacker(Protocol):
    @property
    def eof(self) -> bool: ...

    def decompress(self, data: bytes, max_length: int = ..., /) -> bytes: ...


def siblings(files: Files, path: str, deadline: Deadline) -> list[tuple[Attributes, str]]:
    """Return the older parts of a log file with what they are like, the newest first.

    Of a part that is there packed and unpacked, it is the latter: it is just being packed.
    """
    directory, _, name = path.rpartition("/")
    stem, dot, ending = name.rpartition(".")
    found: dict[str, Attributes] = {}
    for other in files.names(directory or "/", deadline):
        behind = other.removeprefix(name)
        # logrotate's `extension`: opensearch-2026-11-20.log beside opensearch.log
        inside = other.removeprefix(stem) if dot else ""
        packed = re.sub(r"\.(gz|bz2|xz|zst)$", "", inside)
        if packed.endswith(f".{ending}"):
            inside = packed.removesuffix(f".{ending}") + inside[len(packed) :]
        else:
            inside = ""
        if other == name or not (_matches(behind, other) or _matches(inside, other)):
            continue
        try:
            found[f"{directory}/{other}"] = files.attributes(f"{directory}/{other}", deadline)
        except HostError:
            raise  # some of them are errors of the system as well
        except OSError:
            continue  # it has just been removed
    whole = [(attributes, other) for other, attributes in found.items()
             if not is_packed(other) or other.rpartition(".")[0] not in found]  # fmt: skip
    return sorted(whole, key=lambda pair: (-pair[0].mtime, pair[1]))


def _matches(suffix: str, name: str) -> bool:
    return bool(suffix) and suffix != name and _BEHIND.fullmatch(suffix) is not None


def expand(files: Files, pattern: str, deadline: Deadline) -> list[str]:
    """Return the log files that an entry of the catalogue means: a path, a glob of names, or a
    directory, of which it is the file written last. None where there is no such file."""
    directory, _, name = pattern.rpartition("/")
    if _GLOB.search(name):
        try:
            names = files.names(directory, deadline)
        except HostError:
            raise
        except OSError:
            return []
        return [f"{directory}/{found}" for found in sorted(names) if fnmatchcase(found, name)]
    try:
        if not files.attributes(pattern, deadline).directory:
            return [pattern]
        return written(files, pattern, deadline)[:1]
    except FileNotFoundError:
        return []
    except HostError:
        raise
    except OSError:
        return [pattern]  # it is there, and reading it will tell what is wrong


def written(files: Files, directory: str, deadline: Deadline) -> list[str]:
    """Return the log files in a directory, the one written last first; raises `OSError`."""
    logs = []
    for found in files.names(directory, deadline):
        if found.endswith((".log", ".csv")) and not found.startswith("."):
            place = f"{directory}/{found}"
            with contextlib.suppress(FileNotFoundError):  # removed a moment ago
                logs.append((files.attributes(place, deadline).mtime, place))
    return [path for _, path in sorted(logs, reverse=True)]


def is_packed(path: str) -> bool:
    """Tell whether a file is compressed, by its name."""
    return path.endswith((".gz", ".bz2", ".xz", ".zst"))


def contents(files: Files, path: str, timeout: float, offset: int = 0) -> Iterator[bytes]:
    """Yield what is in a file from an offset on, unpacked, in pieces of bounded size.

    Raises `OSError` for what cannot be read or unpacked, the offset counts unpacked bytes.
    """
    unpacker: _Unpacker | None = None
    if path.endswith(".gz"):
        unpacker = _Gzip()
    elif path.endswith(".bz2"):
        unpacker = bz2.BZ2Decompressor()
    elif path.endswith(".xz"):
        unpacker = lzma.LZMADecompressor(memlimit=_MOST_MEMORY)
    elif path.endswith(".zst"):
        raise OSError(f"{path}: psops cannot unpack zstd")
    file = files.open(path, Deadline(timeout))
    place, skip = (offset, 0) if unpacker is None else (0, offset)
    try:
        while data := file.read(place, PIECE, Deadline(timeout)):
            place += len(data)
            if unpacker is None:
                yield data
                continue
            while not unpacker.eof:
                piece = unpacker.decompress(data, PIECE)
                data = b""
                if not piece:
                    break
                skip, piece = max(0, skip - len(piece)), piece[skip:]
                if piece:
                    yield piece
            if unpacker.eof:
                break
        if unpacker is not None and not unpacker.eof:
            raise EOFError("it ends in the middle")
    except (EOFError, ValueError, zlib.error, lzma.LZMAError) as exc:
        raise OSError(f"{path}: {exc}") from exc
    finally:
        file.close()


def behind(
    files: Files, path: str, timeout: float, mark: bytes, offset: int
) -> Iterator[bytes] | None:
    """Return what is in a file behind a mark that it has at an offset, None if it has not."""
    begun = b""
    try:
        pieces = contents(files, path, timeout, offset)
        for piece in pieces:
            begun += piece
            if len(begun) >= len(mark):
                break
    except HostError:
        raise
    except OSError:
        return None
    if not begun.startswith(mark):
        return None
    return itertools.chain([begun[len(mark) :]], pieces)


class _Gzip:
    """zlib's decompressor with the interface of the others."""

    def __init__(self) -> None:
        self._inner = zlib.decompressobj(wbits=31)

    @property
    def eof(self) -> bool:
        return self._inner.eof

    def decompress(self, data: bytes, max_length: int = PIECE, /) -> bytes:
        return self._inner.decompress(self._inner.unconsumed_tail + data, max_length)
