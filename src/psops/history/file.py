"""The file of the history of changes: how it is opened, its tables, and what its errors mean.

What is written into it and read from it is in `psops.history`. sqlite3 is imported when used.
"""

import time
from collections.abc import Callable
from contextlib import suppress
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from psops.errors import HistoryError

if TYPE_CHECKING:
    from sqlite3 import Connection

FILE = "history.db"
#: How long to wait for another psops to end its commit.
BUSY_S = 15.0
#: Raised when the tables change; a psops refuses files of a newer one.
SCHEMA = 1
_TABLES = (
    """CREATE TABLE runs (
        id INTEGER PRIMARY KEY AUTOINCREMENT, time REAL NOT NULL, user TEXT NOT NULL,
        psops_host TEXT NOT NULL, pid INTEGER NOT NULL, process TEXT NOT NULL,
        verb TEXT NOT NULL, request TEXT NOT NULL, exit_code INTEGER, ended REAL)""",
    """CREATE TABLE hosts (
        run INTEGER NOT NULL, name TEXT NOT NULL, reach TEXT NOT NULL DEFAULT '{}',
        state TEXT NOT NULL, message TEXT NOT NULL DEFAULT '', started REAL, ended REAL,
        UNIQUE (run, name))""",
    """CREATE TABLE changes (
        run INTEGER NOT NULL, host TEXT NOT NULL, unit TEXT NOT NULL,
        before TEXT NOT NULL DEFAULT '', after TEXT NOT NULL DEFAULT '', result TEXT NOT NULL,
        message TEXT NOT NULL DEFAULT '', elapsed REAL, UNIQUE (run, host, unit))""",
)
#: A write-ahead log needs memory that all its processes share, which those of different hosts
#: do not have (https://www.sqlite.org/wal.html); on these the older journal is used.
_NETWORK = frozenset(
    "nfs nfs4 cifs smb3 lustre gpfs beegfs ceph afs panfs orangefs 9p glusterfs fuse.sshfs "
    "fuse.glusterfs fuse.ceph fuse.juicefs".split()
)
#: How long to leave a busy file alone where SQLite itself does not wait.
_PAUSE_S = 0.02

T = TypeVar("T")


def open_to_write(path: Path) -> "Connection":
    """Return a connection to the history at `path`, made if there is none.

    Raises `HistoryError`.
    """
    import os

    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with suppress(FileExistsError):
            # Not opened: closing a file drops the locks that the process has on it.
            os.mknod(path, 0o600)
    except OSError as exc:
        raise HistoryError(_cannot(path, "written", exc.strerror or str(exc))) from exc
    return _patiently(path, _prepare_to_write)


def open_to_read(path: Path) -> "Connection | None":
    """Return a connection that cannot write, None if there is nothing to read.

    Raises `HistoryError`.
    """
    try:
        if path.stat().st_size == 0:
            return None
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as exc:
        reason = exc.strerror or str(exc)
        raise HistoryError(_cannot(path, "read", reason), remedy="") from exc
    return _patiently(path, _prepare_to_read, reading=True)


def check(path: Path) -> None:
    """Raise `HistoryError` if there is a history at `path` that is damaged or cannot be read."""
    import sqlite3

    connection = open_to_read(path)
    if connection is None:
        return
    try:
        (told,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        if told != "ok":
            raise _damaged(path, told.splitlines()[-1])
    except sqlite3.Error as exc:
        raise translated(path, exc, reading=True) from exc
    finally:
        connection.close()


def translated(path: Path, error: BaseException, *, reading: bool = False) -> BaseException:
    """Return an error of the database as `HistoryError`; another one, a bug, as it is.

    What helps where nothing can be written does not where nothing can be read.
    """
    import sqlite3

    if isinstance(error, HistoryError):
        return HistoryError(str(error), remedy=error.remedy)
    if not isinstance(error, sqlite3.Error):
        return error
    code = (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return _damaged(path, str(error))
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return HistoryError(
            f"{path}: the history of changes was busy for {BUSY_S:g} s",
            remedy="another process keeps it locked: fuser -v names it",
        )
    if reading:
        return HistoryError(_cannot(path, "read", str(error)), remedy="")
    return HistoryError(_cannot(path, "written", str(error)))


def _damaged(path: Path, reason: str) -> HistoryError:
    return HistoryError(
        f"{path}: the history of changes is damaged ({reason})",
        remedy=f"move it away, and a new one is begun: mv {path} {path}.damaged",
    )


def _cannot(path: Path, what: str, reason: str) -> str:
    return f"{path}: the history of changes cannot be {what} ({reason})"


def _patiently(path: Path, prepare: Callable[[Path], T], *, reading: bool = False) -> T:
    """Return what `prepare` gives, which is repeated while other processes are in its way.

    SQLite waits by itself for a commit, but not when the kind of journal changes.
    """
    import sqlite3

    last = time.monotonic() + BUSY_S
    while True:
        try:
            return prepare(path)
        except sqlite3.Error as exc:
            busy = (getattr(exc, "sqlite_errorcode", None) or 0) & 0xFF == sqlite3.SQLITE_BUSY
            if not busy or time.monotonic() > last:
                raise translated(path, exc, reading=reading) from exc
        time.sleep(_PAUSE_S)


def _connect(path: Path, how: str) -> "Connection":
    import sqlite3

    return sqlite3.connect(
        f"{path.absolute().as_uri()}?{how}",
        uri=True,
        timeout=BUSY_S,
        isolation_level=None,  # transactions are begun and ended here
        check_same_thread=False,  # opened by one thread, used by another from then on
    )


def _prepare_to_write(path: Path) -> "Connection":
    connection = _connect(path, "mode=rw")
    try:
        # The version first: the file of another program is not to be changed in any way.
        _is_made(path, connection)
        journal = "DELETE" if _on_network(path) else "WAL"
        connection.execute(f"PRAGMA journal_mode={journal}").fetchall()
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("BEGIN IMMEDIATE")
        if not _is_made(path, connection):
            for statement in _TABLES:
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version={SCHEMA}")
        connection.execute("COMMIT")
        return _with_globs(connection)
    except BaseException:
        connection.close()
        raise


def _prepare_to_read(path: Path) -> "Connection | None":
    """SQLite needs to write beside the file while it reads, unless nobody else can write it."""
    import sqlite3

    connection = _connect(path, "mode=ro")
    try:
        try:
            made = _is_made(path, connection)
        except sqlite3.OperationalError as exc:
            log = path.with_name(f"{path.name}-wal")
            unread = log.exists() and log.stat().st_size > 0
            refused = (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY)
            if unread or exc.sqlite_errorcode & 0xFF not in refused:
                raise
            connection.close()
            connection = _connect(path, "mode=ro&immutable=1")
            made = _is_made(path, connection)
        if made:
            return _with_globs(connection)
    except BaseException:
        connection.close()
        raise
    connection.close()
    return None


def _is_made(path: Path, connection: "Connection") -> bool:
    """Return whether the tables are there; raises `HistoryError` if they are not ours."""
    # In this order: another psops may make them in between, both in one commit.
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > SCHEMA:
        raise HistoryError(
            f"{path}: a newer psops wrote this history of changes"
            f" (version {version} of the file, this psops knows {SCHEMA})",
            remedy="use that psops, or keep another history: XDG_STATE_HOME",
        )
    if version == 0 and tables:
        raise HistoryError(
            f"{path}: not a history of changes, but a database of another program",
            remedy=f"move it away, and a new one is begun: mv {path} {path}.other",
        )
    return bool(version == SCHEMA)


def _with_globs(connection: "Connection") -> "Connection":
    """Give SQL the globs of the command line; SQLite's own differ in `[!a]`."""

    def matches(text: str | None, glob: str) -> bool:
        return text is not None and fnmatchcase(text, glob)

    connection.create_function("matches", 2, matches, deterministic=True)
    return connection


def _on_network(path: Path, mounts: str = "/proc/self/mountinfo") -> bool:
    """Return whether several hosts may have the file system of `path` mounted."""
    place = path.resolve()
    kinds: dict[Path, str] = {}
    with suppress(OSError):
        for line in Path(mounts).read_text(encoding="utf-8", errors="replace").splitlines():
            left, _, right = line.partition(" - ")
            if right:
                kinds[Path(left.split()[4])] = right.split()[0]  # the last one is on top
    kind = next((kinds[parent] for parent in place.parents if parent in kinds), "")
    return kind in _NETWORK
