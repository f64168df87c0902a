"""Heartbeats from databases: SQLite, and a real PostgreSQL by an account that may only read."""

import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from psops.errors import DeadlineExceeded, RowsUnread, UsageError
from psops.rucio.rows import Row
from psops.rucio.source import Source
from psops.rucio.sql import sql_source, statement
from psops.secrets import Secret
from tests.rucio.postgres import Cluster, cluster

_TABLE = """
CREATE TABLE heartbeats (executable TEXT, readable TEXT, hostname TEXT, pid INTEGER,
thread_id INTEGER, thread_name TEXT, payload TEXT, created_at DATETIME, updated_at DATETIME)
"""
PASSWORD = "pass/wörd"
_QUOTED = "pass%2Fw%C3%B6rd"


def source(url: str, schema: str = "") -> Source:
    return sql_source(Secret(url, "env:URL"), schema)


def one(found: Source) -> Row:
    (row,) = found.read(10).rows
    return row


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Give a server half a day from UTC, with a heartbeat by Rucio and an account for psops."""
    with cluster("Pacific/Auckland") as found:
        found.beat(tmp_path_factory.mktemp("beat"), 73)
        found.sql(
            f"CREATE ROLE psops LOGIN PASSWORD '{PASSWORD}'",
            "ALTER ROLE psops SET timezone = 'America/St_Johns'",
            "GRANT SELECT ON heartbeats TO psops",
            "CREATE ROLE stranger LOGIN PASSWORD 'x'",
        )
        yield found


def test_ages_on_postgresql_are_right_in_any_time_zone(server: Cluster) -> None:
    begun = time.monotonic()
    url = server.url("psops", _QUOTED)
    first = one(source(url))
    first_end = time.monotonic()
    assert (first.readable, first.hostname, first.pid) == ("judge-cleaner", "vm", 73)
    assert first.age < 30
    assert first.life == pytest.approx(first.age, abs=1)
    time.sleep(0.5)
    later_begin = time.monotonic()
    later = one(source(url))
    least, most = later_begin - first_end, time.monotonic() - begun
    assert least - 0.1 < later.age - first.age < most + 0.1
    server.sql("UPDATE heartbeats SET created_at = created_at - interval '1 hour'")
    assert one(source(url)).life == pytest.approx(3600 + time.monotonic() - begun, abs=30)
    assert source(url).name == "postgresql 127.0.0.1"


def test_nothing_is_written_even_where_the_account_could(
    server: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The transaction is read-only by itself: what is no SELECT is refused by the server."""
    before = server.sql("SELECT xmin, ctid, * FROM heartbeats")
    mighty = server.url(server.user, "super")
    source(mighty).read(10)
    for attempt in (
        "UPDATE heartbeats SET pid = 0",
        "DELETE FROM heartbeats",
        "CREATE TABLE other (x int)",
    ):
        monkeypatch.setattr("psops.rucio.sql.statement", lambda *_, text=attempt: text)
        with pytest.raises(RowsUnread, match="read-only transaction"):
            source(mighty).read(10)
        with pytest.raises(RowsUnread):
            source(server.url("psops", _QUOTED)).read(10)
    assert server.sql("SELECT xmin, ctid, * FROM heartbeats") == before


def test_a_schema_of_its_own(server: Cluster) -> None:
    server.sql(
        "CREATE SCHEMA atlas_rucio",
        "CREATE TABLE atlas_rucio.heartbeats AS SELECT * FROM heartbeats",
        "UPDATE atlas_rucio.heartbeats SET pid = 99",
        "GRANT USAGE ON SCHEMA atlas_rucio TO psops",
        "GRANT SELECT ON atlas_rucio.heartbeats TO psops",
    )
    assert one(source(server.url("psops", _QUOTED), "atlas_rucio")).pid == 99
    with pytest.raises(UsageError, match="no name of a schema"):
        source(server.url("psops", _QUOTED), "a; DROP TABLE heartbeats")


@pytest.mark.parametrize(
    ("user", "password", "database", "words"),
    [
        ("psops", "wrong-word", "rucio", "password authentication failed"),
        ("stranger", "x", "rucio", "permission denied for table heartbeats"),
        ("psops", _QUOTED, "absent", 'database "absent" does not exist'),
        ("psops", _QUOTED, "postgres", 'relation "heartbeats" does not exist'),
    ],
)
def test_refusals_of_postgresql(
    server: Cluster, user: str, password: str, database: str, words: str
) -> None:
    with pytest.raises(RowsUnread, match=words) as error:
        source(server.url(user, password, database)).read(10)
    assert "wrong-word" not in str(error.value)
    assert "SELECT" not in str(error.value)


def test_a_lock_does_not_hold_psops_up(server: Cluster) -> None:
    import psycopg

    url = server.url(server.user, "super").replace("+psycopg", "")
    with psycopg.connect(url) as connection:
        connection.execute("LOCK TABLE heartbeats IN ACCESS EXCLUSIVE MODE")
        begun = time.monotonic()
        with pytest.raises(DeadlineExceeded, match=r"within 0\.5 s"):
            source(server.url("psops", _QUOTED)).read(0.5)
        assert time.monotonic() - begun < 5


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "rucio catalogue.db"
    with sqlite3.connect(path) as connection:
        connection.execute(_TABLE)
        connection.execute(
            "INSERT INTO heartbeats VALUES ('x', 'reaper', 'vm', 7, 1, 'Thread-1', NULL,"
            " strftime('%Y-%m-%d %H:%M:%f', 'now', '-100 seconds'), datetime('now', '-40 seconds'))"
        )
    return path


def test_sqlite(database: Path) -> None:
    row = one(source(f"sqlite:///{database}"))
    assert (row.readable, row.pid, row.payload) == ("reaper", 7, "")
    assert row.age == pytest.approx(40, abs=3)
    assert row.life == pytest.approx(100, abs=3)


def test_sqlite_is_not_made_where_there_is_none(tmp_path: Path) -> None:
    with pytest.raises(RowsUnread, match="unable to open"):
        source(f"sqlite:///{tmp_path}/absent.db").read(10)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "text.db").write_text("no database at all" * 100)
    with pytest.raises(RowsUnread, match="not a database"):
        source(f"sqlite:///{tmp_path}/text.db").read(10)


def test_sqlite_that_is_locked(database: Path) -> None:
    with sqlite3.connect(database, isolation_level=None) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        with pytest.raises(RowsUnread, match="locked"):
            source(f"sqlite:///{database}").read(0.6)


def test_rows_that_make_no_sense_are_counted(database: Path) -> None:
    with sqlite3.connect(database) as connection:
        connection.execute("INSERT INTO heartbeats (readable, pid) VALUES ('minos', 'x')")
        connection.execute("INSERT INTO heartbeats (readable, updated_at) VALUES ('minos', 'x')")
    found = source(f"sqlite:///{database}").read(10)
    assert (len(found.rows), found.bad) == (1, 2)


@pytest.mark.parametrize(
    ("url", "words", "remedy"),
    [
        ("hunter2", "env:URL has no URL of a database", ""),
        ("postgresql+psycopg://u:p@hunter2:w@h:5432/d", "env:URL has no URL", "%40"),
        ("postgresql+psycopg://u:p@hunter2@h/d", "env:URL has no URL", "%40"),
        ("postgresql+psycopg://u:p@h:hunter2/d", "env:URL has no URL", "%40"),
        ("mssql://h/d", "no Rucio runs on 'mssql'", ""),
        ("postgresql+nonsense://h/d", "no driver postgresql.nonsense", ""),
        (
            "postgresql+psycopg2://u:hunter2@h/d",
            "psycopg2 is not installed",
            "postgresql+psycopg://",
        ),
        ("mysql+pymysql://u:hunter2@h/d", "pymysql is not installed", "pip install pymysql"),
        ("oracle+oracledb://u:hunter2@h/d", "oracledb is not installed", "pip install oracledb"),
    ],
)
def test_urls_that_cannot_be_used_are_found_before_any_host_is_asked(
    url: str, words: str, remedy: str
) -> None:
    with pytest.raises(UsageError, match=words) as error:
        source(url)
    assert remedy in error.value.remedy
    assert "hunter2" not in str(error.value)


@pytest.mark.parametrize("query", ["timeout=hunter2&uri=true", "check_same_thread=hunter2"])
def test_options_of_a_url_that_make_no_sense(query: str) -> None:
    with pytest.raises(RowsUnread, match="cannot be asked: ValueError") as error:
        source(f"sqlite:///file:/tmp/x?{query}").read(10)
    assert "hunter2" not in str(error.value)


def test_without_sqlalchemy_the_remedy_is_named() -> None:
    code = (
        "import sys; sys.modules['sqlalchemy'] = None\n"
        "from psops.rucio.sql import sql_source\n"
        "from psops.secrets import Secret\n"
        "from psops.errors import UsageError\n"
        "try: sql_source(Secret('sqlite:///x', 'env:X'))\n"
        "except UsageError as error: print(error, error.remedy)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "psops[sql]" in done.stdout, done.stderr


@pytest.mark.parametrize("dialect", ["sqlite", "postgresql", "mysql", "mariadb", "oracle"])
def test_one_select_is_sent(dialect: str) -> None:
    text = statement(dialect, "own")
    assert text.startswith("SELECT readable, hostname, pid")
    assert text.endswith("FROM own.heartbeats")
    assert ";" not in text
