"""The logs of one host: which units are meant there, what they have written, and what follows.

The journal is read by journalctl, since only that knows all formats of its files, and the
files of daemons by SFTP. Nothing is left running on the host.
"""

import heapq
import re
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, tzinfo
from fnmatch import fnmatchcase
from typing import NamedTuple

from psops.deadline import Deadline
from psops.errors import (
    ChannelRefused,
    DeadlineExceeded,
    HostError,
    JournalForbidden,
    NoBus,
    NotSystemd,
)
from psops.inventory import Host
from psops.logs import journal
from psops.logs.logfile import LogFile
from psops.logs.merge import when
from psops.logs.model import Event, Failure, Line, LogQuery, Notice
from psops.logs.rotation import expand, written
from psops.systemd import manager
from psops.systemd.names import is_glob
from psops.transport import Connection, Files, Finished, Options, Running, connect

#: journalctl processes at once on one host; sshd allows ten sessions on one login.
_AT_ONCE = 4
_ABSENT = "not-found"
#: Microseconds by which entries of a journal may be out of order, clocks that are set aside.
_DISORDER_US = 10_000_000

Tell = Callable[[Notice | Failure], None]


class Units(NamedTuple):
    """The units of a host that are meant: each group gets its own last lines."""

    groups: tuple[tuple[str, ...], ...]
    #: Patterns as they were typed: the journal may know units that systemd has forgotten.
    globs: tuple[str, ...] = ()
    #: What is asked for and not there, in words.
    missing: tuple[str, ...] = ()

    @property
    def all(self) -> tuple[str, ...]:
        """All names and patterns for one call of journalctl; none for the whole journal."""
        names = [name for group in self.groups for name in group]
        return tuple(dict.fromkeys([*names, *self.globs]))


class NoJournal(ChannelRefused):
    """journalctl cannot be run there, however often that is tried."""


class HostLogs:
    """The logs of one host while they are read. `tell` hears of what is not right."""

    def __init__(self, host: Host, query: LogQuery, options: Options, tell: Tell) -> None:
        self.host = host
        self.query = query
        self.options = options
        self._tell = tell
        self._sudo = options.sudo or host.sudo
        self._forbidden = False
        #: What its journalctl can, until it says otherwise.
        self.able = journal.ABLE
        self._connection: Connection | None = None
        self._files: Files | None = None
        self._zone: tzinfo = UTC
        self.units = Units(((),))
        self.logs: list[LogFile] = []
        #: Files of directories that are not read unless they are written later, at the place
        #: where they ended when they were found; None before that.
        self._resting: dict[str, LogFile] | None = None
        #: The last entry that was read and its time; what follows begins behind it.
        self.cursor = ""
        self.last_us = 0
        #: Whether all that was there has been read.
        self.has_read = False
        #: Entries behind that one which were read already.
        self.seen: set[str] = set()

    @property
    def connection(self) -> Connection:
        """The connection, once `open` has made it."""
        assert self._connection is not None
        return self._connection

    def open(self) -> None:
        """Reach the host and find out what is to be read there; raises `HostError`."""
        self._connection = connect(self.host, self.options)
        first = not self.units.missing and not self.logs and self.units.groups == ((),)
        if first and not self.query.everything:
            self.units = self._resolve()
            for text in self.units.missing:
                self.note(text)
        self._open_files()

    def close(self) -> None:
        """Let go of the host."""
        for log in self.logs:
            log.close()
        if self._files is not None:
            self._files.close()
            self._files = None
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def note(self, message: str, *, bad: bool = False) -> None:
        """Tell something of the host."""
        self._tell(Notice(self.host.name, Event.NOTE, message, bad=bad))

    # What is there

    def history(self) -> Iterator[Line]:
        """Yield what the host's logs have already, by time; raises `HostError`."""
        streams: list[Iterator[Line]] = [self._of_file(log) for log in self.logs]
        if self.reads_journal:
            streams.append(self._of_journal())
        yield from heapq.merge(*streams, key=when)
        self.has_read = True

    @property
    def reads_journal(self) -> bool:
        """Whether the journal is asked for, and may be read as far as is known."""
        meant = self.query.everything or bool(self.units.all)
        return self.query.journal and meant and not self._forbidden

    def _of_journal(self) -> Iterator[Line]:
        try:
            if self.query.lines is None:
                yield from self._all_entries()
            else:
                yield from self._last_entries()
        except JournalForbidden as exc:
            if not self.logs:
                raise
            self._forbidden = True  # its files are better than nothing
            self.note(f"{exc.code}: {exc}; {exc.remedy}", bad=True)

    def _of_file(self, log: LogFile) -> Iterator[Line]:
        try:
            yield from log.entries()
        except OSError as exc:
            if isinstance(exc, HostError):
                raise
            if not isinstance(exc, FileNotFoundError):
                self.note(f"{log.path}: {(exc.strerror or str(exc)).lower()}", bad=True)
        for problem in log.problems:
            self.note(problem, bad=True)

    def _all_entries(self) -> Iterator[Line]:
        for line in self._entries(self.units.all):
            self.cursor, self.last_us = line.cursor, line.time_us
            yield line

    def _last_entries(self) -> list[Line]:
        """Return the last entries of each unit, by time."""
        count = self.query.lines or 0
        groups = self.units.groups
        begin_us = 0
        if self.query.follow and (len(groups) > 1 or not count):
            # From before they are read one by one, so that nothing falls in between.
            for line in self._entries(self.units.all, 1):
                self.cursor, self.last_us = line.cursor, line.time_us
            begin_us = self.last_us
        if not count:
            return []
        if len(groups) > 1:
            with ThreadPoolExecutor(min(_AT_ONCE, len(groups))) as pool:
                found = list(pool.map(lambda group: list(self._entries(group, count)), groups))
        else:
            found = [list(self._entries(group, count)) for group in groups]
        lines = list(heapq.merge(*(reversed(newest_first) for newest_first in found), key=when))
        if len(groups) == 1 and lines:
            self.cursor, self.last_us = lines[-1].cursor, lines[-1].time_us
        self.seen = {line.cursor for line in lines if line.time_us >= begin_us - _DISORDER_US}
        unique: dict[str, Line] = {line.cursor: line for line in lines}
        return list(unique.values())  # an entry may belong to two units

    def _entries(self, units: tuple[str, ...], lines: int | None = None) -> Iterator[Line]:
        """Yield entries of the journal, the newest first if only the last ones are asked for."""
        able = self.able
        here = None if able.patterns else self.query.grep
        # Chosen here, the last ones are known only when all have been read.
        argv = journal.command(self.query, units, lines=None if here else lines, able=able)
        program = self.start(argv)
        try:
            found = self._said(program, here)
            if here and lines is not None:
                found = reversed(deque(found, maxlen=lines))
            yield from found
            done = program.finish(Deadline(self.options.timeout))
        finally:
            program.close()
        if self.explain(done, able):
            yield from self._entries(units, lines)

    def _said(self, program: Running, pattern: re.Pattern[str] | None) -> Iterator[Line]:
        parser = journal.Parser(self.host.name)
        while data := program.receive(Deadline(self.options.timeout)):
            for line in parser.feed(data):
                if pattern is None or pattern.search(line.message):
                    yield line

    def explain(self, done: Finished, able: journal.Abilities) -> bool:
        """Tell what it means how a journalctl that was taken to be `able` ended: raise that as
        `HostError` if it is bad, and return whether to ask again, as it is less able."""
        text = done.stderr.decode(errors="replace").strip()
        lower = text.lower()
        last = text.splitlines()[-1] if text else ""
        if able.patterns and "pattern matching support" in lower:
            self.able = self.able._replace(patterns=False)
            return True
        if able.fields and "unrecognized option" in lower:
            self.able = journal.Abilities(fields=False, patterns=False)
            return True
        # Who sees nothing but what is his own has asked for that with --user.
        partly = "messages from other users" in lower and not self.query.user
        if partly or "insufficient permission" in lower:
            user = "the user" if not self.host.user else f"user {self.host.user!r}"
            raise JournalForbidden(f"{user} may not read the journal there")
        if is_nothing(done):
            return False
        if "sudo:" in lower:
            raise NoJournal(
                f"sudo refuses: {last}",
                remedy="let the user run journalctl with NOPASSWD in sudoers",
            )
        if done.status == 127 or "not found" in lower:
            raise NoJournal("there is no journalctl on the host", remedy="")
        # Some versions end with 1, and without a word, if no entry matches.
        if done.status not in (0, 1) or (done.status == 1 and text):
            if done.status == -1 and not text:
                raise ChannelRefused("the connection ended in the middle", remedy="")
            raise HostError(f"journalctl failed: {last or f'exit status {done.status}'}")
        return False

    def start(self, argv: tuple[str, ...]) -> Running:
        """Start a program there, as root with sudo."""
        argv = ("sudo", "-n", *argv) if self._sudo else argv
        return self.connection.start(argv, Deadline(self.options.timeout))

    # What is meant

    def _resolve(self) -> Units:
        """Return the units that are meant; what a bus that does not answer knows of them, a
        journal that can be read may know as well."""
        from psops.client import Client

        query = self.query
        names = tuple(dict.fromkeys([*query.names, *filter(_is_name, query.bundle)]))
        globs = tuple(dict.fromkeys([*query.globs, *filter(is_glob, query.bundle)]))
        try:
            channel = self.connection.open_bus()
            try:
                calls = [manager.list_units_by_names(names),
                         manager.list_units_by_patterns((), globs)]  # fmt: skip
                replies = Client(channel, Deadline(self.options.timeout)).call(calls)
                rows = manager.parse_rows_of(replies[0], names) if names else ()
                matched = manager.parse_rows(replies[1]) if globs else ()
            finally:
                channel.close()
        except (NoBus, NotSystemd, ChannelRefused, DeadlineExceeded) as exc:
            self.note(f"units are not known, names are taken as they are: {exc}")
            return Units(tuple((name,) for name in (*names, *globs)))
        groups: dict[str, dict[str, None]] = {}
        missing = []
        for name, row in zip(names, rows, strict=True):
            if row.load != _ABSENT:
                groups.setdefault(row.id, {}).update({row.id: None, name: None})
            elif name in query.names:
                missing.append(f"no unit {name!r}")  # it may have been there, and written something
                groups.setdefault(name, {})[name] = None
        for row in sorted(matched):
            groups.setdefault(row.id, {})[row.id] = None
        for glob in query.globs:
            if not any(fnmatchcase(row.id, glob) for row in matched):
                missing.append(f"no unit matches {glob!r}")
                groups.setdefault(glob, {})[glob] = None
        if query.bundle and not groups:
            missing.append("no unit of the bundle")
        return Units(tuple(map(tuple, groups.values())), query.globs, tuple(missing))

    def _open_files(self) -> None:
        """Find the log files of the units, and the zone of their times."""
        paths = self._patterns()
        if not paths:
            return
        deadline = Deadline(self.options.timeout)
        try:
            self._files = self.connection.open_files(deadline)
        except HostError as exc:
            self.note(f"log files are not read: {exc}", bad=True)
            return
        self._zone = _zone_of(self._files, deadline)
        for log in self.logs:
            log.attach(self._files, self._zone)
        if self.query.follow and self._resting is None:
            self._resting = dict(self._others(self._files, deadline))
        self.find_files()

    def _others(self, files: Files, deadline: Deadline) -> Iterator[tuple[str, LogFile]]:
        for pattern, unit in self._patterns().items():
            try:
                found = () if is_glob(pattern) else written(files, pattern, deadline)
            except HostError:
                raise
            except OSError:
                continue  # mostly since it is no directory
            for path in found:
                log = self._new_log(path, unit)
                log.attach(files, self._zone)
                log.go_to_end()
                log.close()
                yield path, log

    def _new_log(self, path: str, unit: str) -> LogFile:
        return LogFile(self.host.name, path, unit, self.query, timeout=self.options.timeout)

    def find_files(self) -> None:
        """Find log files that are not known yet."""
        if self._files is None:
            return
        deadline = Deadline(self.options.timeout)
        known = {log.path for log in self.logs}
        for pattern, unit in self._patterns().items():
            for path in expand(self._files, pattern, deadline) or [pattern]:
                if path not in known and not is_glob(path):
                    known.add(path)
                    log = (self._resting or {}).pop(path, None) or self._new_log(path, unit)
                    log.attach(self._files, self._zone)
                    self.logs.append(log)

    def _patterns(self) -> dict[str, str]:
        """Return the paths of log files as the catalogue has them, each with its unit, or ""
        if it is that of several."""
        found: dict[str, set[str]] = {}
        for unit in (name for group in self.units.groups for name in group[:1]):
            for pattern, paths in self.query.files.items():
                if unit == pattern or fnmatchcase(unit, pattern):
                    for path in paths:
                        found.setdefault(path, set()).add(unit)
        return {path: next(iter(units)) if len(units) == 1 else ""
                for path, units in found.items()}  # fmt: skip

    @property
    def has_files(self) -> bool:
        """Whether there are files to look at."""
        return self._files is not None


def _zone_of(files: Files, deadline: Deadline) -> tzinfo:
    """Return the time zone of a host, with its rules; without one it is UTC, see localtime(5)."""
    import io
    import struct
    from zoneinfo import ZoneInfo

    try:
        file = files.open("/etc/localtime", deadline)
        try:
            data = file.read(0, 65536, deadline)
        finally:
            file.close()
        if not (data.startswith(b"TZif") and data.endswith(b"\n")):
            return UTC
        # Of what is cut off behind the first newline of its last line, ZoneInfo would read on
        # for ever, looking for the second.
        return ZoneInfo.from_file(io.BytesIO(data + b"\n"))
    except HostError:
        raise  # some of them are errors of the system as well
    except (OSError, ValueError, struct.error, AssertionError, IndexError):
        return UTC


def is_nothing(done: Finished) -> bool:
    """Tell whether journalctl has ended because its patterns match no unit it knows of."""
    return b"filter for units" in done.stderr


def _is_name(name: str) -> bool:
    return not is_glob(name)
