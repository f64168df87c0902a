"""Heartbeats from Rucio's database, by one SELECT that lets the database compute the ages.

Authority: Rucio 41.5.1, lib/rucio/db/sqla/models.py, `Heartbeat`: times are in UTC and have no
zone. SQLAlchemy comes with the extra `sql` and is imported when it is used.
"""

import re
import threading
from collections.abc import Callable
from typing import Any

from psops.errors import DeadlineExceeded, RowsUnread, UsageError
from psops.report.text import clean, squeeze
from psops.rucio.rows import BadRow, make_row
from psops.rucio.source import Rows, Source
from psops.secrets import Secret

#: SQL dialect -> how it tells the seconds between a column and now, and how a transaction is
#: made one that cannot write.
_AGES: dict[str, str] = {
    "sqlite": "(julianday('now') - julianday({column})) * 86400.0",
    "postgresql": "EXTRACT(EPOCH FROM (CURRENT_TIMESTAMP AT TIME ZONE 'UTC' - {column}))",
    "mysql": "TIMESTAMPDIFF(MICROSECOND, {column}, UTC_TIMESTAMP(6)) / 1000000.0",
    "mariadb": "TIMESTAMPDIFF(MICROSECOND, {column}, UTC_TIMESTAMP(6)) / 1000000.0",
    "oracle": "(CAST(SYS_EXTRACT_UTC(SYSTIMESTAMP) AS DATE) - CAST({column} AS DATE)) * 86400",
}
_READ_ONLY: dict[str, str] = {
    "sqlite": "PRAGMA query_only = ON",
    "postgresql": "SET TRANSACTION READ ONLY",
    "mysql": "SET SESSION TRANSACTION READ ONLY",
    "mariadb": "SET SESSION TRANSACTION READ ONLY",
    "oracle": "SET TRANSACTION READ ONLY",
}
#: Module of a driver -> its package, where the name is another one.
_DRIVERS = {"psycopg": "'psycopg[binary]'", "psycopg2": "psycopg2-binary", "MySQLdb": "mysqlclient"}
_COLUMNS = "readable, hostname, pid, thread_name"
_MOST = 200_000
_SCHEMA = re.compile(r"[A-Za-z_][A-Za-z0-9_$]{0,62}")
_EXCERPT = 160
_ENCODE = "DIALECT://USER:PASSWORD@HOST/DATABASE, with %40 for each @ in the password and %3A for :"


def sql_source(url: Secret, schema: str = "") -> Source:
    """Return a database as a source; raises `UsageError` for a URL that is none.

    `schema` is `schema` of Rucio's `[database]`, where the tables are not in the default one.
    """
    if schema and not _SCHEMA.fullmatch(schema):
        raise UsageError(f"{schema!r} is no name of a schema")
    sqlalchemy = _sqlalchemy()
    try:
        parsed = sqlalchemy.make_url(url.value)
    except (sqlalchemy.exc.ArgumentError, ValueError):  # both quote what they were given
        raise UsageError(f"{url.reference} has no URL of a database", remedy=_ENCODE) from None
    if "@" in (parsed.host or ""):  # the rest of a password, which nobody shall see
        raise UsageError(f"{url.reference} has no URL of a database", remedy=_ENCODE)
    dialect = parsed.get_backend_name()
    if dialect not in _AGES:
        known = ", ".join(sorted(_AGES))
        raise UsageError(f"{url.reference}: no Rucio runs on {dialect!r}; known are {known}")
    _check_driver(parsed)
    place = parsed.host or parsed.database or ""
    name = f"{dialect} {place}" if place else dialect

    def read(timeout: float) -> Rows:
        return _within(timeout, lambda: _fetch(parsed, schema, timeout))

    return Source(name=clean(name), read=read)


def statement(dialect: str, schema: str = "") -> str:
    """Return the one statement that is sent: a SELECT of every heartbeat with its ages."""
    age = _AGES[dialect].format(column="updated_at")
    life = _AGES[dialect].format(column="created_at")
    table = f"{schema}.heartbeats" if schema else "heartbeats"
    return f"SELECT {_COLUMNS}, {age} AS age, {life} AS life, payload FROM {table}"


def _sqlalchemy() -> Any:
    try:
        import sqlalchemy
    except ImportError as exc:
        raise UsageError(
            "reading a database needs SQLAlchemy, which is not installed",
            remedy="pip install 'psops[sql]' and the driver of the database",
        ) from exc
    return sqlalchemy


def _check_driver(url: Any) -> None:
    """Raise `UsageError` before any host is asked, if the database's driver is not there."""
    sqlalchemy = _sqlalchemy()
    name = clean(url.drivername)
    try:
        url.get_dialect().import_dbapi()
    except sqlalchemy.exc.ArgumentError as exc:
        raise UsageError(f"SQLAlchemy knows no driver {name}") from exc
    except ImportError as exc:
        module = clean(exc.name or name)
        remedy = f"pip install {_DRIVERS.get(module, module)}"
        if module == "psycopg2":
            remedy += ", or write postgresql+psycopg:// in the URL for the newer psycopg"
        raise UsageError(f"no driver for {name}: {module} is not installed", remedy=remedy) from exc


def _fetch(url: Any, schema: str, timeout: float) -> Rows:
    sqlalchemy = _sqlalchemy()
    dialect = url.get_backend_name()
    arguments: dict[str, Any] = {}
    if dialect == "sqlite":
        url = _opened_for_reading(url)
        arguments = {"timeout": timeout / 2}
    try:
        # Without a pool there is nothing to be disposed of.
        engine = sqlalchemy.create_engine(
            url, poolclass=sqlalchemy.pool.NullPool, connect_args=arguments, hide_parameters=True
        )
        with engine.connect() as connection:
            connection.execute(sqlalchemy.text(_READ_ONLY[dialect]))
            cursor = connection.execute(sqlalchemy.text(statement(dialect, schema)))
            found = cursor.fetchmany(_MOST + 1)
            connection.rollback()
    except sqlalchemy.exc.SQLAlchemyError as exc:
        raise RowsUnread(f"the database does not answer: {_reason(exc, url)}") from None
    except Exception as exc:  # of SQLAlchemy or a driver, on options that its URL has
        raise RowsUnread(f"the database cannot be asked: {type(exc).__name__}") from None
    if len(found) > _MOST:
        raise RowsUnread(f"the table has more than {_MOST} heartbeats")
    rows = []
    for values in found:
        try:
            rows.append(make_row(*values))
        except BadRow:
            continue
    return Rows(tuple(rows), len(found) - len(rows))


def _opened_for_reading(url: Any) -> Any:
    """Return the URL of an SQLite file so that nothing is made where there is none."""
    from urllib.parse import quote

    database = url.database or ""
    if database in ("", ":memory:") or database.startswith("file:"):
        return url
    query = {"mode": "ro", "uri": "true"}
    return url.set(database=f"file:{quote(database)}", query=query)


def _reason(exc: Any, url: Any) -> str:
    """Return what the driver said, in one line; SQLAlchemy's own text has the statement too."""
    original = getattr(exc, "orig", None) or exc
    text = squeeze(clean(str(original).partition("\n")[0])) or type(original).__name__
    if url.password:  # no driver is known to quote it, and none shall
        text = text.replace(str(url.password), "…")
    return text if len(text) <= _EXCERPT else text[: _EXCERPT - 1] + "…"


def _within(timeout: float, work: Callable[[], Rows]) -> Rows:
    """Return what the work gives; drivers differ in which of their waits can be limited."""
    done: list[Rows | BaseException] = []

    def run() -> None:
        try:
            done.append(work())
        except BaseException as exc:
            done.append(exc)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(timeout)
    if not done:
        raise DeadlineExceeded(f"no answer from the database within {timeout:g} s")
    if isinstance(done[0], BaseException):
        raise done[0]
    return done[0]
