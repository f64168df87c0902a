"""One log file of a host: its last entries, its entries since a moment, and those to come.

A file is followed by looking at it, since SFTP tells of no changes. Rotation shows in three
ways: the name leads to another file (its attributes differ from those of the open one while
that one rests), the file is shorter than what was read, or what was read is not in it any
more. What a rotation took away before it was read is read from where it went.
"""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, tzinfo

from psops.deadline import Deadline
from psops.errors import HostError
from psops.logs.model import Event, Line, LogQuery, Notice
from psops.logs.rotation import PIECE, behind, contents, is_packed, siblings
from psops.logs.stamps import Stamps
from psops.transport import Attributes, Files, RemoteFile

#: Bytes before the place that was read last, by which a file is known again.
_MARK = 256
_MOST_LINE = 1 << 20
#: The first piece from the end that is read for the last entries; each next one is four times
#: as long.
_FIRST_TAIL = 65536
#: Between these many bytes the first entry of interest is looked for by reading on.
_NEAR = 262144
_PROBE = 16384
#: Seconds by which entries of one file may be out of order.
_DISORDER = 60.0


class LogFile:
    """A log file, and how far it was read. It outlives connections: `attach` gives a new one."""

    def __init__(self, host: str, path: str, unit: str, query: LogQuery, *, timeout: float) -> None:
        self.path = path
        self._host = host
        self._unit = unit
        self._query = query
        self._timeout = timeout
        self._zone: tzinfo = UTC
        self._file: RemoteFile | None = None
        self._offset = 0
        self._mark = b""
        #: When the file had been written last when it was looked at last.
        self._mtime = 0.0
        self._rest = b""
        self._stamps: Stamps | None = None
        #: What file and name were like when they were looked at last.
        self._seen: Attributes | None = None
        self._told: set[str] = set()
        #: What could not be read of older files; the others were.
        self.problems: list[str] = []

    def attach(self, files: Files, zone: tzinfo) -> None:
        """Read through these files from now on; `zone` is that of the times without one."""
        self._files = files
        self._zone = UTC if self.path in self._query.utc_files else zone
        self._seen = None
        self._file = None

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def entries(self) -> Iterator[Line]:
        """Yield what is in the log already, as the query wants it; raises `OSError`."""
        self._file = self._files.open(self.path, self._deadline())
        if self._query.lines is not None:
            yield from self._last(self._query.lines)
            return
        since = self._query.since
        for attributes, path in reversed(self._older()):
            if since is None or attributes.mtime >= since - 1:
                with self._problems_of(path):
                    yield from self._chosen(self._whole(path, attributes))
        yield from self._chosen(self._current(self._place_of(since)))

    def go_to_end(self) -> None:
        """Pass over what is in the log, if none of it was read yet."""
        if self._stamps is not None:
            return
        try:
            self._file = self._files.open(self.path, self._deadline())
            self._go_to(self._file.attributes(self._deadline()).size)
        except HostError:
            raise
        except OSError:
            return  # `news` tells of it

    def news(self) -> Iterator[Line | Notice]:
        """Yield what has come since; with what became of the file, if that was rotated."""
        try:
            yield from self._news()
        except HostError:
            raise  # some of them are errors of the system as well
        except FileNotFoundError:
            return  # between rotation and the first line of the new file
        except OSError as exc:
            if str(exc) not in self._told:
                self._told.add(str(exc))
                yield Notice(self._host, Event.NOTE, _reason(self.path, exc))

    def rest(self) -> Iterator[Line]:
        """Yield the entry that waits for more lines of its own, once none has come."""
        if self._stamps is not None and self._stamps.pending:
            yield from filter(self._query.wants, self._stamps.flush())

    # What is there

    def _last(self, count: int) -> Iterator[Line]:
        """Yield the last entries, from older files too where this one has not as many."""
        assert self._file is not None
        size = self._file.attributes(self._deadline()).size
        found = list(self._tail(self._file, self.path, size, count)) if count else []
        for attributes, path in self._older() if len(found) < count else ():
            with self._problems_of(path):
                found = [*self._tail_of(path, attributes, count - len(found)), *found]
            if len(found) == count:
                break
        self._go_to(size)
        yield from found

    @contextmanager
    def _problems_of(self, path: str) -> Iterator[None]:
        try:
            yield
        except HostError:
            raise
        except OSError as exc:
            self.problems.append(_reason(path, exc))

    def _tail(self, file: RemoteFile, path: str, size: int, count: int) -> deque[Line]:
        length = _FIRST_TAIL
        while True:
            begin = max(0, size - length)
            found: deque[Line] = deque(maxlen=count)
            found.extend(self._chosen(self._read(file, path, begin, size)))
            # The first entry of a part may have begun before it.
            if len(found) == count or begin == 0:
                return found
            length *= 4

    def _tail_of(self, path: str, attributes: Attributes, count: int) -> deque[Line]:
        if is_packed(path):
            found: deque[Line] = deque(maxlen=count)
            found.extend(self._chosen(self._whole(path, attributes)))
            return found
        file = self._files.open(path, self._deadline())
        try:
            return self._tail(file, path, attributes.size, count)
        finally:
            file.close()

    def _older(self) -> list[tuple[Attributes, str]]:
        try:
            return siblings(self._files, self.path, self._deadline())
        except HostError:
            raise
        except OSError:
            return []

    def _whole(self, path: str, attributes: Attributes) -> Iterator[Line]:
        stamps = self._new_stamps(attributes.mtime)
        rest = b""
        for piece in contents(self._files, path, self._timeout):
            *lines, rest = (rest + piece).split(b"\n")
            for line in lines:
                yield from stamps.feed(_text(line))
            rest = rest[:_MOST_LINE]
        if rest:
            yield from stamps.feed(_text(rest))
        yield from stamps.flush()

    def _read(self, file: RemoteFile, path: str, begin: int, end: int) -> Iterator[Line]:
        """Yield the entries of a part of a file that begins anywhere."""
        stamps = self._new_stamps(file.attributes(self._deadline()).mtime)
        skip = begin > 0
        rest = b""
        while begin < end:
            data = file.read(begin, min(PIECE, end - begin), self._deadline())
            if not data:
                break
            begin += len(data)
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                if not skip:
                    yield from stamps.feed(_text(line))
                skip = False
            rest = rest[:_MOST_LINE]
        # Of a file that is followed, a line that is not complete yet is shown when it is.
        if rest and not skip and not self._query.follow:
            yield from stamps.feed(_text(rest))
        yield from stamps.flush()

    def _current(self, begin: int) -> Iterator[Line]:
        """Yield the entries from an offset to the end, and stay there."""
        assert self._file is not None
        size = self._file.attributes(self._deadline()).size
        yield from self._read(self._file, self.path, begin, size)
        self._go_to(size)

    def _chosen(self, lines: Iterator[Line]) -> Iterator[Line]:
        until = self._query.until
        for line in lines:
            if until is not None and line.time_us > (until + _DISORDER) * 1e6:
                return
            if self._query.wants(line):
                yield line

    def _place_of(self, since: float | None) -> int:
        """Return an offset before which nothing is of interest, found by halving."""
        assert self._file is not None
        low, high = 0, self._file.attributes(self._deadline()).size
        if since is None:
            return 0
        while high - low > _NEAR:
            middle = (low + high) // 2
            time_us = self._time_at(middle)
            if time_us is None:
                break
            if time_us < (since - _DISORDER) * 1e6:
                low = middle
            else:
                high = middle
        return low

    def _time_at(self, offset: int) -> int | None:
        assert self._file is not None
        data = self._file.read(offset, _PROBE, self._deadline())
        stamps = self._new_stamps(0.0)
        for line in data.split(b"\n")[1:-1]:
            for found in stamps.feed(_text(line)):
                if not found.guessed:
                    return found.time_us
        return None

    # What comes

    def _go_to(self, offset: int) -> None:
        """Stay at an offset: what is before it was read, up to the last whole line."""
        assert self._file is not None
        attributes = self._file.attributes(self._deadline())
        begin = max(0, offset - _PROBE)
        before = self._file.read(begin, offset - begin, self._deadline())
        whole = before.rfind(b"\n") + 1
        if whole or not begin:
            offset -= len(before) - whole
            before = before[:whole]
        self._offset = offset
        self._mark = before[-_MARK:]
        self._rest = b""
        self._mtime = attributes.mtime
        self._stamps = self._new_stamps(attributes.mtime)

    def _news(self) -> Iterator[Line | Notice]:
        if self._file is None:
            self._file = self._files.open(self.path, self._deadline())
        appeared = self._stamps is None  # so that all of it is new
        if self._stamps is None:
            self._stamps = self._new_stamps(self._file.attributes(self._deadline()).mtime)
        before = self._file.attributes(self._deadline())
        if before == self._seen == self._files.attributes(self.path, self._deadline()):
            return
        if not appeared and not self._is_known(self._file, before.size):
            self.close()  # what it is called by now is among what is read
            yield from self._taken_away()
            self._file = self._files.open(self.path, self._deadline())
        yield from self._on(self._file)
        # The name is looked at between two looks at the open file: if that has not changed,
        # then what the name says is either the same or another file.
        first = self._file.attributes(self._deadline())
        named = self._files.attributes(self.path, self._deadline())
        second = self._file.attributes(self._deadline())
        self._seen = named if first == second == named else None
        if first == second:
            self._mtime = first.mtime
            if first != named and named.size:  # until then its writer may have the old one open
                self.close()
                yield from self._taken_away()
                self._file = self._files.open(self.path, self._deadline())
                yield from self._on(self._file)

    def _is_known(self, file: RemoteFile, size: int) -> bool:
        """Tell whether a file has what was read last where it was; of one of which nothing was
        read nobody can tell."""
        if size < self._offset or not self._mark:
            return False
        begin = self._offset - len(self._mark)
        return file.read(begin, len(self._mark), self._deadline()) == self._mark

    def _on(self, file: RemoteFile) -> Iterator[Line]:
        """Yield what was written behind the place where we are."""
        while data := file.read(self._offset, PIECE, self._deadline()):
            yield from self._take(data)

    def _take(self, data: bytes) -> Iterator[Line]:
        """Yield what is complete with the bytes behind our place, and go there: a connection
        may be lost at any time."""
        self._offset += len(data)
        self._mark = (self._mark + data)[-_MARK:]
        yield from self._feed(data)

    def _feed(self, data: bytes) -> Iterator[Line]:
        assert self._stamps is not None
        # A writer that did not open its file for appending leaves a hole of zeros behind.
        *lines, rest = (self._rest + data.replace(b"\0", b"")).split(b"\n")
        for line in lines:
            yield from filter(self._query.wants, self._stamps.feed(_text(line)))
        if len(rest) > _MOST_LINE:
            yield from filter(self._query.wants, self._stamps.feed(_text(rest)))
            rest = b""
        self._rest = rest

    def _end_of_part(self) -> Iterator[Line]:
        """Yield what waited for more in a file that gets no more."""
        rest, self._rest = self._rest, b""
        if rest:
            yield from self._feed(rest + b"\n")
        yield from self.rest()

    def _taken_away(self) -> Iterator[Line | Notice]:
        """Yield what a rotation took away before it was read, and go to the beginning.

        It is in an older file now, which is known by what was read of it last, and in all that
        are newer than that one; if nothing was read yet, in those written since.
        """
        newer: list[tuple[Attributes, str]] = []
        known = not self._mark
        older = self._older()
        for attributes, path in older:
            if not self._mark:
                if attributes.mtime > self._mtime:
                    newer.append((attributes, path))
                continue
            place = self._offset - len(self._mark)
            rest = behind(self._files, path, self._timeout, self._mark, place)
            if rest is None:
                newer.append((attributes, path))
                continue
            yield Notice(self._host, Event.ROTATED, f"{self.path} was rotated")
            yield from self._part(path, rest)
            newer = [one for one in newer if one[0].mtime >= attributes.mtime]
            known = True
            break
        yield from self._end_of_part()
        if known:
            for _, path in reversed(newer):
                yield from self._part(path, contents(self._files, path, self._timeout), anew=True)
        else:
            yield Notice(self._host, Event.ROTATED, f"{self.path} is a new file; where the one "
                         "before went was not found, so that entries may be missing")  # fmt: skip
        self._offset, self._mark = 0, b""
        self._mtime = max([self._mtime, *(attributes.mtime for attributes, _ in older)])

    def _part(
        self, path: str, pieces: Iterator[bytes], *, anew: bool = False
    ) -> Iterator[Line | Notice]:
        """Yield what an older file has behind our place, or `anew` from its beginning; with what
        keeps the rest of it from being read, which is not tried again."""
        try:
            for piece in pieces:
                if anew:  # not before there is something to know the new place by
                    self._offset, self._mark, anew = 0, b"", False
                yield from self._take(piece)
        except HostError:
            raise
        except OSError as exc:
            yield Notice(self._host, Event.NOTE, _reason(path, exc))
        yield from self._end_of_part()

    def _new_stamps(self, mtime: float) -> Stamps:
        return Stamps(self._host, self.path, self._unit, self._zone, int(mtime * 1e6))

    def _deadline(self) -> Deadline:
        return Deadline(self._timeout)


def _reason(path: str, exc: OSError) -> str:
    text = str(exc) if exc.strerror is None else exc.strerror.lower()
    return text if path in text else f"{path}: {text}"


def _text(line: bytes) -> str:
    return line.rstrip(b"\r").decode(errors="replace")
