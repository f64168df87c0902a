"""A host of the lab with units to watch, ways to it that can be cut, and a running watch."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.lab import Host, Lab

#: The tests start them more often than systemd lets a unit be started.
_UNIT = "[Unit]\nStartLimitIntervalSec=0\n"
_SLEEP = "[Service]\nExecStart=/usr/bin/sleep infinity\n"
UNITS = {
    "wt-good.service": _UNIT + _SLEEP,
    "wt-part.service": f"{_UNIT}PartOf=wt-good.service\n{_SLEEP}"
    "[Install]\nWantedBy=multi-user.target\n",
    "wt-crash.service": _UNIT + _SLEEP,
    "wt-guarded.service": _UNIT + _SLEEP,
    "wt-slow.service": f"{_UNIT}{_SLEEP}ExecStop=/usr/bin/sleep 2\n",
    "wt-once.service": f"{_UNIT}[Service]\nType=oneshot\nExecStart=/bin/true\n",
}


@pytest.fixture(scope="package")
def host(lab: Lab) -> Iterator[Host]:
    """Give a host with the units on it, all of them running."""
    found = lab.hosts[min(len(lab.hosts), 14) - 1]
    for name, text in UNITS.items():
        Path(found.root, "etc/systemd/system", name).write_text(text)
    start = "systemctl enable --quiet wt-part; systemctl start wt-good wt-part wt-crash wt-slow"
    lab.shell(found, ["sh", "-c", start], check=True)
    yield found
    end = "systemctl disable --quiet --now wt-part; systemctl stop 'wt-*'; "
    end += "systemctl reset-failed 'wt-*'; rm -f /etc/systemd/system/wt-*; systemctl daemon-reload"
    lab.shell(found, ["sh", "-c", end])


class Relay:
    """A way to a port that can be cut, and frozen so that it swallows everything."""

    def __init__(self, address: str, port: int) -> None:
        self._target = (address, port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        #: The port from which the last connection goes on.
        self.last_port = 0
        self._open: set[socket.socket] = set()
        self._flows = threading.Event()
        self._flows.set()
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def cut(self) -> None:
        """End all connections."""
        for sock in tuple(self._open):
            _shut(sock)

    def freeze(self) -> None:
        """Let nothing through any more, and nobody know."""
        self._flows.clear()

    def thaw(self) -> None:
        """Let everything through again."""
        self._flows.set()

    def close(self) -> None:
        """End it all."""
        self.thaw()
        _shut(self._listener)
        self._threads[0].join()
        self._listener.close()
        self.cut()
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        while True:
            try:
                here, _ = self._listener.accept()
            except OSError:
                return
            try:
                there = socket.create_connection(self._target)
            except OSError:
                here.close()
                continue
            self.last_port = there.getsockname()[1]
            self._open |= {here, there}
            for pair in ((here, there), (there, here)):
                thread = threading.Thread(target=self._pass_on, args=pair)
                self._threads.append(thread)
                thread.start()

    def _pass_on(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                self._flows.wait()
                target.sendall(data)
        _shut(target)
        self._open.discard(source)
        source.close()


def _shut(sock: socket.socket) -> None:
    with contextlib.suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def relay(host: Host) -> Iterator[Relay]:
    """Give a way to the host."""
    made = Relay(host.address, host.port)
    yield made
    made.close()


@pytest.fixture
def inventory(lab: Lab, host: Host, relay: Relay, tmp_path: Path) -> Path:
    """Give an inventory with the host as `direct`, by the relay as `cut`, and `behind` that."""
    key = next(line.split(None, 1)[1] for line in lab.known_hosts.read_text().splitlines()
               if line.startswith(f"[{host.address}]:{host.port} "))  # fmt: skip
    (tmp_path / "known_hosts").write_text(f"this-host {key}\n")
    places = {"direct": (host.address, host.port, ""), "cut": ("127.0.0.1", relay.port, ""),
              "behind": (host.address, host.port, "ProxyJump cut")}  # fmt: skip
    (tmp_path / "ssh_config").write_text("".join(
        f"Host {name}\nHostName {address}\nPort {port}\n{more}\n"
        for name, (address, port, more) in places.items()
    ) + f"""
Host *
User root
IdentityFile {lab.key}
IdentitiesOnly yes
HostKeyAlias this-host
UserKnownHostsFile {tmp_path}/known_hosts
GlobalKnownHostsFile /dev/null
""")  # fmt: skip
    path = tmp_path / "hosts.toml"
    path.write_text(f'''
[defaults]
ssh_config = "{tmp_path}/ssh_config"
[hosts.direct]
protected = ["wt-guarded"]
[hosts.cut]
[hosts.behind]
[hosts.program]
transport = "openssh"
address = "direct"
''')
    return path


class Watching:
    """A running watch whose JSON lines are read as they come."""

    def __init__(self, lines: Any) -> None:
        self.events: list[tuple[float, dict[str, Any]]] = []
        self._arrived = threading.Condition()
        self._lines = lines
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def close(self) -> None:
        """Read what is left, once the watch has ended."""
        self._thread.join()
        self._lines.close()

    def wait(self, seconds: float = 20.0, /, **wanted: Any) -> dict[str, Any]:
        """Return the first event with these values, taking it and all before it away.

        `active` is the state after it.
        """
        end = time.monotonic() + seconds
        with self._arrived:
            while True:
                for place, (_, event) in enumerate(self.events):
                    after = event.get("after")
                    known = {**event, "active": after.get("active_state")
                             if isinstance(after, dict) else None}  # fmt: skip
                    if all(known.get(key) == value for key, value in wanted.items()):
                        del self.events[: place + 1]
                        return event
                left = end - time.monotonic()
                assert left > 0, f"no event with {wanted}, but {self.events}"
                self._arrived.wait(left)

    @property
    def seen(self) -> list[dict[str, Any]]:
        """The events that nobody waited for."""
        return [event for _, event in self.events]

    def _read(self) -> None:
        for line in self._lines:
            with self._arrived:
                self.events.append((time.monotonic(), json.loads(line)))
                self._arrived.notify_all()


#: As `python -m psops`, but a quiet host is asked for a word at once, and soon given up.
IMPATIENT = (
    "import psops.watch.pace as pace; pace.QUIET, pace.PATIENCE = 0.3, 2.0;"
    "from psops.__main__ import main; main()"
)


@pytest.fixture
def watching(inventory: Path, tmp_path: Path) -> Iterator[Callable[..., Watching]]:
    """Give what starts a watch of hosts and returns once these are reached."""
    started: list[subprocess.Popen[str]] = []
    watched: list[Watching] = []

    def start(hosts: str, *words: str, impatient: bool = False, **variables: str) -> Watching:
        begin = ["-c", IMPATIENT] if impatient else ["-m", "psops"]
        where = ["-i", str(inventory), "-H", hosts] if hosts else []
        argv = [sys.executable, *begin, "watch", *where, "--format", "jsonl", *words]
        environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PSOPS_SYSLOG": "",
                       "XDG_STATE_HOME": str(tmp_path / "state")}  # fmt: skip
        process = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                   text=True, env=environment | variables)  # fmt: skip
        started.append(process)
        found = Watching(process.stdout)
        watched.append(found)
        for name in hosts.split(",") if hosts else ["localhost"]:
            found.wait(event="host", host=name, after="live")
        return found

    yield start
    for process in started:
        process.terminate()
        process.wait(10)
    for found in watched:
        found.close()
