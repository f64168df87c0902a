"""Faults made for real on running hosts, each undone on leaving its context.

Those which touch sshd or the bus are for hosts with systemd.
"""

import contextlib
import os
import shutil
import signal
import subprocess
from collections.abc import Iterable, Iterator

from .boot import nsenter
from .errors import LabError
from .record import Host

# sshd uses the first value it finds, so a fault's drop-in sorts before the lab's own.
OPTION_DROP_IN = "/etc/ssh/sshd_config.d/00-fault.conf"
HOST_KEY = "/etc/ssh/ssh_host_ed25519_key"
BRIDGE = "/usr/bin/systemd-stdio-bridge"
BUS_SOCKET = "/run/dbus/system_bus_socket"

AWAIT_STOPPED = 'until grep -q "^State:.[Tt]" "/proc/$1/status"; do :; done'

# All hosts share this machine's loopback, where everything sent is also received.
BLACK_HOLE = """
table ip {table} {{
    chain input {{
        type filter hook input priority -300
        ip saddr {address} drop
        ip daddr {address} drop
    }}
}}
"""


class Faults:
    """The faults as methods, for the lab to inherit."""

    @contextlib.contextmanager
    def blackhole(self, host: Host) -> Iterator[None]:
        """Drop every packet to and from the host, so that nothing answers, not even a refusal."""
        _nft(BLACK_HOLE.format(table=_table(host.name), address=host.address))
        try:
            yield
        finally:
            _nft(f"delete table ip {_table(host.name)}")

    @contextlib.contextmanager
    def frozen_sshd(self, host: Host) -> Iterator[None]:
        """Stop the listening sshd by SIGSTOP: connections are taken and never served."""
        if host.kind == "systemd":
            asked = nsenter(host, ["systemctl", "show", "--property=MainPID", "--value", "ssh"])
            listener = asked.stdout.strip()
            _sh(host, f'kill -STOP "$1"; {AWAIT_STOPPED}', listener)
        else:
            os.kill(host.leader_pid, signal.SIGSTOP)
        try:
            yield
        finally:
            if host.kind == "systemd":
                _sh(host, 'kill -CONT "$1"', listener)
            else:
                os.kill(host.leader_pid, signal.SIGCONT)

    @contextlib.contextmanager
    def sshd_option(self, host: Host, option: str) -> Iterator[None]:
        """Give sshd one more configuration line, which wins over the same option elsewhere."""
        _sh(host, f'echo "$1" > {OPTION_DROP_IN}', option)
        try:
            _restart_sshd(host)
            yield
        finally:
            _sh(host, f"rm {OPTION_DROP_IN}")
            _restart_sshd(host)

    @contextlib.contextmanager
    def new_host_key(self, host: Host) -> Iterator[None]:
        """Let sshd show another host key than the known one."""
        with _moved_away(host, HOST_KEY):
            try:
                _sh(host, f"ssh-keygen -q -t ed25519 -N '' -f {HOST_KEY}")
                _restart_sshd(host)
                yield
            finally:
                _sh(host, f"rm -f {HOST_KEY} {HOST_KEY}.pub")
        _restart_sshd(host)

    @contextlib.contextmanager
    def no_bus_socket(self, host: Host) -> Iterator[None]:
        """Move the system bus socket away; connections that exist stay."""
        with _moved_away(host, BUS_SOCKET):
            yield

    @contextlib.contextmanager
    def no_bridge(self, host: Host) -> Iterator[None]:
        """Take systemd-stdio-bridge from the host, as on one which lacks its package."""
        with _moved_away(host, BRIDGE):
            yield


def remove_black_holes(names: Iterable[str]) -> None:
    """Remove the nftables tables which black holes of these hosts have left."""
    if not shutil.which("nft"):
        return
    listed = subprocess.run(["nft", "list", "tables"], capture_output=True, text=True, check=False)
    for name in names:
        if f"table ip {_table(name)}" in listed.stdout.splitlines():
            _nft(f"delete table ip {_table(name)}")


@contextlib.contextmanager
def _moved_away(host: Host, path: str) -> Iterator[None]:
    _sh(host, 'mv "$1" "$1.away"', path)
    try:
        yield
    finally:
        _sh(host, 'mv "$1.away" "$1"', path)


def _restart_sshd(host: Host) -> None:
    # Not a reload, which returns before the new listener is there. Sessions survive both.
    _sh(host, "systemctl restart ssh.service")


def _sh(host: Host, script: str, *arguments: str) -> None:
    _check(nsenter(host, ["sh", "-ec", script, "sh", *arguments]), host.name)


def _table(name: str) -> str:
    return f"psops_black_hole_{name}"


def _nft(rules: str) -> None:
    run = subprocess.run(
        ["nft", "-f", "-"], input=rules, text=True, capture_output=True, check=False
    )
    _check(run, "nft")


def _check(done: subprocess.CompletedProcess[str], who: str) -> None:
    if done.returncode != 0:
        raise LabError(f"{who}: {done.stderr.strip()}")
