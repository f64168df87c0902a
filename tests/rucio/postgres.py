"""A PostgreSQL of our own: a cluster in a directory that goes away, run by no superuser."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from tests.ports import free_port
from tests.rucio.real import prepare, write_config

#: Rucio's own table, and heartbeats by the very function that its daemons call.
_BEAT = """
import sys
import threading
from rucio.core.heartbeat import live
from rucio.db.sqla import models
from rucio.db.sqla.session import get_engine

models.Heartbeat.__table__.create(get_engine(), checkfirst=True)
live("judge-cleaner", hostname="vm", pid=int(sys.argv[1]), thread=threading.current_thread())
"""


class Cluster(NamedTuple):
    """A server that runs: the directory of its socket, its port, and its superuser."""

    directory: Path
    port: int
    user: str

    def url(self, user: str, password: str = "", database: str = "rucio") -> str:
        """Return the URL of a database by TCP, as SQLAlchemy has it."""
        login = f"{user}:{password}" if password else user
        return f"postgresql+psycopg://{login}@127.0.0.1:{self.port}/{database}"

    def sql(self, *statements: str, database: str = "rucio") -> list[tuple[Any, ...]]:
        """Run statements as the superuser over the socket, and return the rows of the last."""
        import psycopg

        with psycopg.connect(
            host=str(self.directory), port=self.port, user=self.user, dbname=database,
            autocommit=True,
        ) as connection:  # fmt: skip
            cursor = connection.cursor()
            for statement in statements:
                cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def beat(self, directory: Path, pid: int) -> None:
        """Let Rucio write a heartbeat of this process."""
        home = directory / "home"
        write_config(home, str(home), self.url(self.user, "super"))
        done = subprocess.run(
            [prepare() / "bin/python", "-W", "ignore", "-c", _BEAT, str(pid)],
            env={**os.environ, "RUCIO_HOME": str(home)}, capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-4000:]


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        places = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
        assert places, "install Debian's package postgresql"
        found = str(places[-1])
    return found


@contextmanager
def cluster(timezone: str) -> Iterator[Cluster]:
    """Run a server in this time zone whose users log in with passwords, on this machine alone."""
    # The server refuses to run as root; and the path of a socket is short.
    user = "postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
    directory = Path(tempfile.mkdtemp(prefix="psops-pg-"))
    data, password = directory / "data", directory / "password"
    password.write_text("super\n")
    shutil.chown(directory, user)
    shutil.chown(password, user)

    def run(*argv: str) -> None:
        done = subprocess.run(argv, user=user, cwd=directory, capture_output=True, text=True)
        assert done.returncode == 0, f"{argv}\n{done.stdout}{done.stderr}"

    port = free_port()
    try:
        run(_program("initdb"), "-D", str(data), "--no-sync", "--locale=C.UTF-8", "-U", user,
            "--auth-local=trust", "--auth-host=scram-sha-256", f"--pwfile={password}")  # fmt: skip
        options = f"-k {directory} -p {port} -c listen_addresses=127.0.0.1 -c timezone={timezone} "
        options += "-c fsync=off"
        log = str(directory / "log")
        run(_program("pg_ctl"), "-D", str(data), "-w", "-o", options, "-l", log, "start")
        try:
            made = Cluster(directory, port, user)
            made.sql("CREATE DATABASE rucio", database="postgres")
            yield made
        finally:
            run(_program("pg_ctl"), "-D", str(data), "-w", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(directory, ignore_errors=True)
