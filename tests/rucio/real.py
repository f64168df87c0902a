"""Rucio itself: from PyPI, in an environment of its own, `.rucio/` of the tree; on a real host.

The hosts of the lab have no Python: that of this machine and the environment are mounted into
the host's file tree, read-only and under the same paths.
"""

import ctypes
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from contextlib import contextmanager
from fcntl import LOCK_EX, flock
from pathlib import Path
from typing import Any

from tests.lab import Host
from tests.lab.boot import nsenter

ROOT = Path(__file__).resolve().parents[2]
WHERE = ROOT / ".rucio"
PACKAGES = ("rucio==41.5.1", "supervisor==4.2.5", "setuptools<81", "psycopg[binary]>=3.2")
VENV = WHERE / "venv"
HOME = "/opt/rucio"
DATABASE = "/var/lib/rucio/rucio.db"
_CONFIG = """
[common]
logdir = /tmp
loglevel = INFO
[database]
default = {url}
[bootstrap]
userpass_identity = root
userpass_pwd = secret
userpass_email = root@example.org
[alembic]
cfg = {home}/etc/alembic.ini
[policy]
permission = generic
schema = generic
[client]
rucio_host = http://localhost
auth_host = http://localhost
[monitor]
enable_metrics = False
"""
_ALEMBIC = """
[alembic]
script_location = {site}/rucio/db/sqla/migrate_repo
sqlalchemy.url = {url}
[loggers]
keys = root
[handlers]
keys = console
[formatters]
keys = plain
[logger_root]
level = WARN
handlers = console
[handler_console]
class = StreamHandler
args = (sys.stderr,)
formatter = plain
[formatter_plain]
format = %(message)s
"""
_BOOTSTRAP = """
from rucio.db.sqla.util import build_database, create_base_vo, create_root_account
build_database()
create_base_vo()
create_root_account()
"""


def prepare() -> Path:
    """Return the environment with Rucio and an empty catalogue, made if they are not there.

    The marker names the packages and is written last: half an installation is done again.
    """
    marker = WHERE / "installed"
    wanted = "\n".join((*PACKAGES, sys.version, "1"))
    WHERE.mkdir(exist_ok=True)
    with (WHERE / "lock").open("w") as lock:
        flock(lock, LOCK_EX)
        if not (marker.exists() and marker.read_text() == wanted):
            marker.unlink(missing_ok=True)
            _install()
            _make_catalogue()
            marker.write_text(wanted)
    return VENV


def _install() -> None:
    subprocess.run([sys.executable, "-m", "venv", "--clear", VENV], check=True)
    pip = [str(VENV / "bin/python"), "-m", "pip", "install", "--quiet", *PACKAGES]
    environment = {**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    done = subprocess.run(pip, env=environment, capture_output=True, text=True, timeout=900)
    if done.returncode:
        raise RuntimeError(f"rucio cannot be installed:\n{done.stderr[-4000:]}")


def _site() -> Path:
    return next((VENV / "lib").glob("python3.*/site-packages"))


def write_config(home: Path, seen_as: str, database: str, more: str = "") -> None:
    """Write the configuration below a directory that Rucio sees as `seen_as`.

    `database` is the path of an SQLite file, or a URL.
    """
    (home / "etc").mkdir(parents=True, exist_ok=True)
    url = database if "://" in database else f"sqlite:///{database}"
    text = _CONFIG.format(url=url, home=seen_as) + more
    (home / "etc/rucio.cfg").write_text(text)
    (home / "etc/alembic.ini").write_text(_ALEMBIC.format(site=_site(), url=url))


def _make_catalogue() -> None:
    home, database = WHERE / "home", WHERE / "rucio.db"
    database.unlink(missing_ok=True)
    write_config(home, str(home), str(database))
    environment = {**os.environ, "RUCIO_HOME": str(home)}
    done = subprocess.run(
        [VENV / "bin/python", "-c", _BOOTSTRAP], env=environment, capture_output=True, text=True
    )
    if done.returncode:
        raise RuntimeError(f"no catalogue could be made:\n{done.stderr[-4000:]}")


#: Mounts a tree of this machine into the mount namespace of a process.
_MOUNT = textwrap.dedent(
    """
    import ctypes, os, sys
    pid, tree, target, writable = sys.argv[1:]
    libc = ctypes.CDLL(None, use_errno=True)
    def check(value):
        if value < 0:
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code), tree)
        return value
    namespace = os.open(f"/proc/{pid}/ns/mnt", os.O_RDONLY)
    is_directory = os.path.isdir(tree)
    # open_tree(AT_FDCWD, tree, OPEN_TREE_CLONE)
    fd = check(libc.syscall(428, -100, tree.encode(), 1))
    check(libc.setns(namespace, 0x20000))
    os.chdir("/")
    if is_directory:
        os.makedirs(target, exist_ok=True)
    else:
        os.makedirs(os.path.dirname(target), exist_ok=True)
        open(target, "a").close()
    # move_mount(fd, "", AT_FDCWD, target, MOVE_MOUNT_F_EMPTY_PATH)
    check(libc.syscall(429, fd, b"", -100, target.encode(), 4))
    if not int(writable):  # MS_REMOUNT | MS_BIND | MS_RDONLY
        check(libc.mount(None, target.encode(), None, 32 | 4096 | 1, None))
    """
)


def _trees() -> list[str]:
    """Return what of this machine's Python the host needs, beside the environment."""
    version = f"python3.{sys.version_info.minor}"
    if sys.base_prefix == "/usr":
        return [f"/usr/bin/{version}", f"/usr/lib/{version}", str(VENV)]
    return [sys.base_prefix, str(VENV)]


def _libraries(root: Path) -> list[str]:
    """Return the libraries that this machine's Python needs and the host does not have."""
    dynload = Path(sys.base_prefix, "lib", f"python3.{sys.version_info.minor}", "lib-dynload")
    wanted = [dynload / f"{name}*.so" for name in ("_sqlite3", "_ssl", "_ctypes", "_bz2", "_lzma",
              "_uuid", "_crypt", "zlib", "pyexpat")]  # fmt: skip
    modules = [file for pattern in wanted for file in pattern.parent.glob(pattern.name)]
    told = subprocess.run(["ldd", *modules], capture_output=True, text=True).stdout
    found = dict.fromkeys(re.findall(r"=> (/\S+)", told))
    return [name for name in found if not (root / name.lstrip("/")).exists()]


class RucioHost:
    """A host of the lab with Rucio and a catalogue on it."""

    def __init__(self, host: Host, directory: Path) -> None:
        self.host = host
        self.root = Path(host.root)
        self.venv = prepare()
        #: The same file here: SQLite does not find its way through /proc/PID/root.
        self.database = directory / "rucio.db"
        self._libraries: list[str] = []
        self._mounted: list[str] = []

    def put(self, patience: int = 5) -> None:
        """Put Rucio and its catalogue there; it waits so many seconds for a lock."""
        for tree in _trees():
            self._mount(tree, tree, writable=False)
        shutil.copy2(WHERE / "rucio.db", self.database)
        self._mount(str(self.database.parent), str(Path(DATABASE).parent), writable=True)
        self._libraries = _libraries(self.root)
        for name in self._libraries:
            shutil.copy2(Path(name).resolve(), self.root / name.lstrip("/"))
        url = f"sqlite:///{DATABASE}?timeout={patience}"
        write_config(self.root / HOME.lstrip("/"), HOME, url)

    def _mount(self, tree: str, target: str, *, writable: bool) -> None:
        words = [str(self.host.leader_pid), tree, target, str(int(writable))]
        subprocess.run([sys.executable, "-I", "-c", _MOUNT, *words], check=True)
        self._mounted.append(target)

    def shell(self, script: str) -> str:
        """Run lines of a shell on the host and return what they print."""
        done = nsenter(self.host, ["/bin/sh", "-ec", script])
        assert done.returncode == 0, f"{script}\n{done.stdout}{done.stderr}"
        return done.stdout

    def pid(self, unit: str) -> int:
        """Return the main process of a unit."""
        return int(self.shell(f"systemctl show -P MainPID {unit}"))

    def heartbeats(self) -> list[tuple[Any, ...]]:
        """Return name and process of all heartbeats, as the database has them."""
        with sqlite3.connect(f"file:{self.database}?mode=ro", uri=True, timeout=60) as connection:
            return connection.execute("SELECT readable, pid FROM heartbeats").fetchall()

    def wait(self, names: dict[str, int], seconds: float = 60.0) -> None:
        """Wait until there are so many heartbeats of each name."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            seen = [name for name, _ in self.heartbeats()]
            if all(seen.count(name) >= number for name, number in names.items()):
                return
            time.sleep(0.3)
        raise AssertionError(f"no heartbeats {names} within {seconds} s: {self.heartbeats()}")

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the whole database, so that nobody reads or writes."""
        connection = sqlite3.connect(self.database, isolation_level=None, timeout=60)
        try:
            connection.execute("BEGIN EXCLUSIVE")
            yield
            connection.execute("ROLLBACK")
        finally:
            connection.close()

    def clear(self) -> None:
        """Stop everything and take it away again."""
        nsenter(self.host, ["/bin/sh", "-c", _CLEAR])
        for tree in reversed(self._mounted):
            nsenter(self.host, ["umount", "--lazy", tree])
            nsenter(self.host, ["rmdir", "--parents", "--ignore-fail-on-non-empty", tree])
        for name in self._libraries:
            (self.root / name.lstrip("/")).unlink(missing_ok=True)
        for path in ("opt/rucio", "var/lib/rucio", "etc/rucio"):
            shutil.rmtree(self.root / path, ignore_errors=True)


_CLEAR = """
set -- 'rucio-*.service' 'by-hand-*' site-atropos.service supervisor.service
systemctl disable --now rucio-daemons.target
systemctl kill --signal=KILL "$@"
systemctl stop "$@" rucio.slice
rm -rf /etc/systemd/system/rucio-* /run/systemd/system/rucio-*
rm -rf /run/systemd/system/supervisor.service /run/supervisor.sock /run/supervisord.pid
rm -rf /etc/systemd/system/*.wants/rucio-* /tmp/*---supervisor-*.log /tmp/supervisord.log
systemctl daemon-reload
systemctl reset-failed "$@"
"""

assert ctypes.sizeof(ctypes.c_void_p) == 8  # the numbers of system calls are those of 64 bits
