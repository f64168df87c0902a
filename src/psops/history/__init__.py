"""The record of changes: written before a change is made and completed after it.

An SQLite database in the state directory. Every method returns when its data is on the disk,
so the record tells the truth whenever psops is killed; a unit that is announced and has no end
may or may not have been changed. Many threads and processes may write at once: one thread of
each process has the database, and what threads ask for while it is busy shares the next commit.
"""

import json
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING, Any, TypeVar

from psops import paths
from psops.errors import HistoryError
from psops.history.file import FILE, open_to_read, open_to_write, translated
from psops.history.run import (
    NOT_ATTEMPTED,
    PENDING,
    RUNNING,
    UNDONE,
    Change,
    Done,
    Entry,
    Run,
    RunHost,
    current_user,
    process_mark,
)

if TYPE_CHECKING:
    from sqlite3 import Connection

__all__ = ["Change", "Done", "Entry", "History", "Run", "RunHost"]

_RUN = "id, time, user, psops_host, pid, process, verb, request, exit_code, ended"
T = TypeVar("T")


class _Job:
    """What a thread asks of the one that has the database."""

    __slots__ = ("done", "error", "value", "work")

    def __init__(self, work: Callable[["Connection"], Any]) -> None:
        self.work = work
        self.done = Event()
        self.value: Any = None
        self.error: BaseException | None = None


class History:
    """The history of changes, open until `close`. Its methods may be called from any thread;
    each raises `HistoryError` when the database cannot do what it is asked for."""

    def __init__(self, path: Path, connection: "Connection", begin: str) -> None:
        """Take over the connection; `begin` is the statement that begins a transaction."""
        self._path = path
        self._connection = connection
        self._begin = begin
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._lock = Lock()
        self._closed = False
        # A thread of its own is not interrupted by Ctrl-C in the middle of others' commit.
        self._thread = Thread(target=self._work, name="psops-history", daemon=True)
        self._thread.start()

    @staticmethod
    def open(path: Path | None = None) -> "History":
        """Return the history to write to, made if there is none.

        Raises `HistoryError` if the file cannot be written, is damaged, or comes from a newer
        psops. A full disk shows at `begin`.
        """
        path = path or paths.state_dir() / FILE
        return History(path, open_to_write(path), "BEGIN IMMEDIATE")

    @staticmethod
    def read(path: Path | None = None) -> "History | None":
        """Return the history to read alone, which needs no permission to write; None if there
        is none. Raises `HistoryError` as `open` does."""
        path = path or paths.state_dir() / FILE
        connection = open_to_read(path)
        return History(path, connection, "BEGIN") if connection is not None else None

    def begin(
        self,
        *,
        verb: str,
        request: Mapping[str, Any],
        hosts: Sequence[tuple[str, Mapping[str, Any]]],
    ) -> int:
        """Write a run with all its hosts as not attempted, and return its id.

        The mapping of a host says how to reach it, so that the run can be repeated.
        """
        pid = os.getpid()
        run = (time.time(), current_user(), os.uname().nodename, pid, process_mark(pid), verb,
               _json(request))  # fmt: skip
        rows = [(_text(name), _json(reach), NOT_ATTEMPTED) for name, reach in hosts]

        def work(connection: "Connection") -> int:
            number = connection.execute(
                "INSERT INTO runs (time, user, psops_host, pid, process, verb, request)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                run,
            ).lastrowid
            assert number is not None
            connection.executemany(
                "INSERT OR IGNORE INTO hosts (run, name, reach, state) VALUES (?, ?, ?, ?)",
                [(number, *row) for row in rows],
            )
            return number

        return self._do(work)

    def begin_host(self, run: int, host: str, entries: Sequence[Entry]) -> None:
        """Write that the units of a host are going to be changed; when this returns, they may.

        A unit announced twice keeps its first state before.
        """
        host, now = _text(host), time.time()
        rows = [(run, host, _text(one.unit), _text(one.before), PENDING) for one in entries]

        def work(connection: "Connection") -> None:
            connection.execute(
                "INSERT INTO hosts (run, name, state, started) VALUES (?, ?, ?, ?)"
                " ON CONFLICT DO UPDATE SET state = excluded.state, ended = NULL,"
                " started = COALESCE(started, excluded.started)",
                (run, host, RUNNING, now),
            )
            connection.executemany(
                "INSERT INTO changes (run, host, unit, before, result) VALUES (?, ?, ?, ?, ?)"
                " ON CONFLICT DO UPDATE SET result = excluded.result",
                rows,
            )

        self._do(work)

    def end_host(self, run: int, host: str, state: str, message: str, done: Sequence[Done]) -> None:
        """Write how a host ended: changed, unchanged, failed, skipped, unknown, not-attempted.

        Units that were not announced are added; one that was and is not in `done` becomes
        skipped if the host was skipped or not attempted, else unknown.
        """
        host, now = _text(host), time.time()
        left = "skipped" if state in ("skipped", NOT_ATTEMPTED) else "unknown"
        rows = [
            (run, host, _text(one.unit), _text(one.after), one.result, _text(one.message),
             float(one.elapsed))
            for one in done
        ]  # fmt: skip

        def work(connection: "Connection") -> None:
            connection.execute(
                "INSERT INTO hosts (run, name, state, message, ended) VALUES (?, ?, ?, ?, ?)"
                " ON CONFLICT DO UPDATE SET state = excluded.state, message = excluded.message,"
                " ended = excluded.ended",
                (run, host, state, _text(message), now),
            )
            connection.executemany(
                "INSERT INTO changes (run, host, unit, after, result, message, elapsed)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)"
                " ON CONFLICT DO UPDATE SET after = excluded.after, result = excluded.result,"
                " message = excluded.message, elapsed = excluded.elapsed",
                rows,
            )
            connection.execute(
                "UPDATE changes SET result = ? WHERE run = ? AND host = ? AND result = ?",
                (left, run, host, PENDING),
            )

        self._do(work)

    def end(self, run: int, exit_code: int) -> None:
        """Write that a run has ended."""
        values = (int(exit_code), time.time(), run)
        self._do(
            lambda connection: connection.execute(
                "UPDATE runs SET exit_code = ?, ended = ? WHERE id = ?", values
            )
        )

    def close(self) -> None:
        """Let go of the database when all that was asked for is written; may be repeated."""
        with self._lock:
            if not self._closed:
                self._closed = True
                self._jobs.put(None)
        self._thread.join()

    def last(self, verb: str | None = None) -> Run | None:
        """Return the last run of this user, of a verb if one is given; None if there is none."""
        values = (current_user(), verb, verb)
        return self._do(
            lambda connection: next(
                _load(connection, "user = ? AND (? IS NULL OR verb = ?)", values), None
            )
        )

    def run(self, number: int) -> Run | None:
        """Return the run with an id, None if there is none."""
        if not 0 < number < 1 << 63:  # what the database can count to
            return None
        return self._do(lambda connection: next(_load(connection, "id = ?", (number,)), None))

    def runs(
        self,
        *,
        host: str | None = None,
        unit: str | None = None,
        since: float | None = None,
        failed: bool = False,
        limit: int | None = None,
    ) -> tuple[Run, ...]:
        """Return the runs that had such a host and unit, the newest first.

        `host` and `unit` are globs, and a unit's `.service` may be left out. `failed` takes
        runs where what is asked for failed, or its end is not known.
        """
        where, values = _conditions(host, unit, since, failed)

        def work(connection: "Connection") -> tuple[Run, ...]:
            found: list[Run] = []
            for run in _load(connection, where, values):
                if limit is not None and len(found) >= limit:
                    break
                waits = failed and run.state == "running"
                if not waits or any(one.state in ("failed", "unknown") for one in run.hosts):
                    found.append(run)
            return tuple(found)

        return self._do(work)

    def _do(self, work: Callable[["Connection"], T]) -> T:
        """Return what the work gives, when it is committed."""
        job = _Job(work)
        with self._lock:
            if self._closed:
                raise HistoryError(f"{self._path}: the history of changes is closed")
            self._jobs.put(job)
        job.done.wait()
        if job.error is not None:
            reading = self._begin == "BEGIN"
            raise translated(self._path, job.error, reading=reading) from job.error
        value: T = job.value
        return value

    def _work(self) -> None:
        """Do what threads ask for, all that waits in one transaction, until `close`."""
        last = False
        while not last:
            jobs = [self._jobs.get()]
            with suppress(Empty):
                while jobs[-1] is not None:
                    jobs.append(self._jobs.get_nowait())
            last = jobs[-1] is None
            self._commit([job for job in jobs if job is not None])
        with suppress(Exception):  # what is committed is safe in the log, too
            self._connection.close()

    def _commit(self, jobs: list[_Job]) -> None:
        """Do all of the jobs or, if the database refuses one, none."""
        try:
            self._connection.execute(self._begin)
            for job in jobs:
                job.value = job.work(self._connection)
            self._connection.execute("COMMIT")
        except BaseException as exc:
            with suppress(Exception):
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
            for job in jobs:
                job.error = exc
        for job in jobs:
            job.done.set()


def _conditions(
    host: str | None, unit: str | None, since: float | None, failed: bool
) -> tuple[str, list[Any]]:
    """Return the condition for runs, and its values."""
    where, values = ["h.run = runs.id"], list[Any]()
    if host is not None:
        where.append("matches(h.name, ?)")
        values.append(host)
    if unit is not None:
        where.append("(matches(c.unit, ?) OR matches(c.unit, ?))")
        values += [unit, f"{unit}.service"]
    if failed:
        where.append(f"{'h.state' if unit is None else 'c.result'} IN ({_marks(UNDONE)})")
        values += sorted(UNDONE)
    text = "1"
    if len(where) > 1:
        text = (
            "EXISTS (SELECT 1 FROM hosts h LEFT JOIN changes c ON c.run = h.run"
            f" AND c.host = h.name WHERE {' AND '.join(where)})"
        )
    return (text, values) if since is None else (f"time >= ? AND {text}", [since, *values])


def _marks(values: frozenset[str]) -> str:
    return ", ".join("?" * len(values))


def _load(connection: "Connection", where: str, values: Sequence[Any]) -> Iterator[Run]:
    """Yield the runs for which a condition holds, the newest first."""
    found = connection.execute(f"SELECT {_RUN} FROM runs WHERE {where} ORDER BY id DESC", values)
    for number, *some, request, exit_code, ended in found:
        changes: dict[str, list[Change]] = {}
        for host, *row in connection.execute(
            "SELECT host, unit, before, after, result, message, elapsed FROM changes"
            " WHERE run = ? ORDER BY rowid",
            (number,),
        ):
            changes.setdefault(host, []).append(Change(*row))
        rows = connection.execute(
            "SELECT name, reach, state, message, started, ended FROM hosts"
            " WHERE run = ? ORDER BY rowid",
            (number,),
        )
        hosts = tuple(
            RunHost(
                name, json.loads(reach), state, message, began, over, tuple(changes.get(name, ()))
            )
            for name, reach, state, message, began, over in rows
        )
        names = ("time", "user", "psops_host", "pid", "process", "verb")
        yield Run(
            id=number,
            **dict(zip(names, some, strict=True)),
            request=json.loads(request),
            exit_code=exit_code,
            ended=ended,
            hosts=hosts,
        )


def _json(value: Mapping[str, Any]) -> str:
    return json.dumps(value, default=str)  # ASCII, whatever the text


def _text(text: str) -> str:
    """Return text that UTF-8 has: names and messages of hosts may have halves of characters."""
    return text.encode("utf-8", "backslashreplace").decode()
