"""What a run loads: each library costs more time than the whole of a short run."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from socketserver import BaseRequestHandler, ThreadingUnixStreamServer

import pytest

import psops

SOURCE = Path(psops.__file__).parent
MODULES = sorted(
    ".".join(("psops", *path.relative_to(SOURCE).with_suffix("").parts)).removesuffix(".__init__")
    for path in SOURCE.rglob("*.py")
)
#: What no run needs that asks no host.
HEAVY = ("paramiko", "cryptography", "dbus_next", "dbus_fast", "rich", "ClusterShell", "asyncio",
         "importlib.metadata", "pydantic", "xml", "http", "email", "ssl")  # fmt: skip
_RUN = """
import json, sys
from psops.__main__ import run
code = run(sys.argv[1:])
sys.stderr.write("\\nLOADED " + json.dumps([code, sorted(sys.modules)]))
"""


def loaded(*words: str, **environ: str) -> tuple[int, set[str]]:
    """Return the exit code of a run in a fresh interpreter, and the modules it loaded."""
    done = subprocess.run(
        [sys.executable, "-c", _RUN, *words], env={**os.environ, **environ}, capture_output=True,
        text=True, timeout=60,
    )  # fmt: skip
    code, names = json.loads(done.stderr.rpartition("LOADED ")[2])
    return code, set(names)


def heavy(names: set[str], *allowed: str) -> list[str]:
    return [name for name in HEAVY if name in names and name not in allowed]


@pytest.mark.parametrize(
    "line", ["--version", "--help", "status --help", "inventory --help", "inventory list --help"]
)
def test_help_and_version_load_no_library_but_typer(line: str) -> None:
    code, names = loaded(*line.split())
    assert code == 0
    assert heavy(names) == []


def test_help_loads_neither_verbs_nor_transports() -> None:
    above = ("psops.transport", "psops.report", "psops.systemd", "psops.demo")
    _, names = loaded("status", "--help")
    assert [name for name in names if name.startswith(above)] == []


@pytest.mark.parametrize("line", ["status --no-such-option", "status --format nonsense", "stauts"])
def test_usage_errors_load_no_library_but_typer(line: str) -> None:
    code, names = loaded(*line.split())
    assert code == 2
    assert heavy(names) == []


def test_inventory_is_shown_with_nothing_but_host_ranges() -> None:
    code, names = loaded("inventory", "list", "-i", "demo")
    assert code == 0
    assert heavy(names, "ClusterShell") == []


class _Bus(BaseRequestHandler):
    """Answers as the bus of a demo host."""

    def handle(self) -> None:
        from psops.demo import fleet
        from psops.demo.hosts import open_bus

        bus = open_bus(fleet(1).hosts[0])
        while data := self.request.recv(65536):
            self.request.sendall(bus.feed(data))


@pytest.fixture
def local_bus(tmp_path: Path) -> Iterator[str]:
    """Give the address of a system bus with a systemd on it."""
    path = tmp_path / "bus"
    with ThreadingUnixStreamServer(str(path), _Bus) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"unix:path={path}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("line", ["status sshd.service", "status", "status --json"])
@pytest.mark.parametrize("library", ["next", "fast"])
def test_local_bus_is_read_with_the_dbus_library_alone(
    line: str, library: str, local_bus: str
) -> None:
    code, names = loaded(*line.split(), DBUS_SYSTEM_BUS_ADDRESS=local_bus, PSOPS_DBUS=library)
    assert code in (0, 1)
    assert heavy(names, "dbus_next", "dbus_fast") == []
    assert [name for name in ("dbus_next", "dbus_fast") if name in names] == [f"dbus_{library}"]


_FIRST = """
import json, sys, traceback
before = set(sys.modules)
bad = {}
for name in sys.argv[1:]:
    for module in set(sys.modules) - before:
        if module == "psops" or module.startswith("psops."):
            del sys.modules[module]
    try:
        __import__(name)
    except BaseException:
        bad[name] = traceback.format_exc(limit=-2)
print(json.dumps(bad))
"""


def test_every_module_can_be_the_first_one_imported() -> None:
    """One interpreter for all of them: psops is forgotten before each, the libraries stay."""
    names = [name for name in MODULES if name != "psops.__main__"]
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", _FIRST, *names], capture_output=True, text=True,
        timeout=60,
    )  # fmt: skip
    assert done.stderr == ""
    assert json.loads(done.stdout) == {}
