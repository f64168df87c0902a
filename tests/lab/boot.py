"""Boots one host: overlay, cgroup, systemd-nspawn, and the wait until it has settled."""

import contextlib
import dataclasses
import secrets
import select
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from . import cgroups
from .errors import LabError
from .keys import ensure_pair, host_key
from .layer import host_files, write_files
from .place import Place
from .process import Process, identify, opened, stop
from .record import Host
from .shapes import LATE, SLOW
from .units import Dress

BOOT_TIMEOUT_S = 180.0
BANNER_TIMEOUT_S = 20.0
LATE_TIMEOUT_S = 20.0
STOP_GRACE_S = 30.0

# $1 the overlay's options, $2 its mount point, then the files which take the pid, `--`, and the
# command. Run in a mount namespace of its own: the overlay goes when the host goes, and no other
# host's namespace keeps it alive.
LAUNCH = """
mount -t overlay overlay -o "$1" "$2" || exit 1
shift 2
while [ "$1" != -- ]; do echo $$ > "$1" || exit 1; shift; done
shift
echo $$
exec "$@" >&2
"""

# Without systemd sshd is the first process; it reaps what is left to it.
NO_SYSTEMD = {
    "bare": "mkdir -p /run/sshd && exec /usr/sbin/sshd -D -e",
    "dbus": "mkdir -p /run/sshd /run/dbus && dbus-daemon --system --fork && "
    "exec /usr/sbin/sshd -D -e",
}


def boot(
    place: Place,
    tree: Path,
    layer: Path,
    host: Host,
    dress: Dress | None,
    record: Callable[[Host], None],
) -> Host:
    """Boot the host, wait until it has settled, and return it with its processes.

    It is recorded as soon as it has a process, and again when all is known. One that does not
    settle is stopped.
    """
    directory = place.hosts / host.name
    _check_address(host)
    _lay_out(place, directory, host, dress)
    with _notify_socket() as notified:
        command = _nspawn(directory / "root", host, notified.getsockname())
        options = f"lowerdir={layer}:{tree},upperdir={directory}/upper,workdir={directory}/work"
        try:
            nspawn = _launch(
                directory, f"{options},volatile", cgroups.make(place, host.name), command
            )
            host = dataclasses.replace(host, nspawn_pid=nspawn.pid, nspawn_start=nspawn.start)
            record(host)
            leader = _await_ready(notified, nspawn)
            host = dataclasses.replace(host, leader_pid=leader.pid, leader_start=leader.start)
            record(host)
            _settle(host)
        except LabError as error:
            stop([host.nspawn], STOP_GRACE_S)
            raise LabError(f"{host.name}: {error}\n{_console_tail(directory)}") from error
    return host


def nsenter(
    host: Host, argv: list[str], *, check: bool = False, text_in: str | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command inside the host as root and return what it said."""
    # The network is this machine's own, so there is none to enter.
    enter = ["nsenter", f"--target={host.leader_pid}", "--mount", "--uts", "--ipc", "--pid"]
    return subprocess.run(
        [*enter, "--wd=/", "--", *argv],
        env={"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin", "HOME": "/root"},
        input=text_in,
        stdin=subprocess.DEVNULL if text_in is None else None,
        capture_output=True,
        text=True,
        check=check,
    )


def clean_up(place: Place, host: Host) -> None:
    """Remove what a host that has ended leaves behind, except its console."""
    cgroups.remove(place, host.name)
    for name in ("upper", "work"):
        shutil.rmtree(place.hosts / host.name / name, ignore_errors=True)


def _check_address(host: Host) -> None:
    # Else the banner of another lab's host, or of anything else there, would count as this one's.
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host.address, host.port))
        except OSError as error:
            taken = f"{host.address}:{host.port} is not free ({error.strerror})"
            raise LabError(f"{host.name}: {taken}") from error


def _lay_out(place: Place, directory: Path, host: Host, dress: Dress | None) -> None:
    # A host always starts clean: nothing of the last boot may be left in the upper layer.
    for name in ("upper", "work"):
        shutil.rmtree(directory / name, ignore_errors=True)
    for name in ("upper", "work", "root"):
        (directory / name).mkdir(parents=True, exist_ok=True)
    private_key = host_key(place, host.name)
    ensure_pair(private_key)
    write_files(directory / "upper", host_files(host, dress, private_key))


def _nspawn(root: Path, host: Host, notify: bytes) -> list[str]:
    command = [
        "env",
        "NOTIFY_SOCKET=@" + notify[1:].decode(),
        "systemd-nspawn",
        "--quiet",
        "--settings=no",
        "--register=no",
        *cgroups.nspawn_options(),
        f"--machine={host.name}",
        f"--directory={root}",
        "--console=read-only",
        "--notify-ready=yes",
        "--resolv-conf=off",
        "--timezone=off",
        "--link-journal=no",
        "--setenv=TERM=dumb",
    ]
    if host.kind == "systemd":
        return [*command, "--boot"]
    return [*command, "--", "/bin/sh", "-c", NO_SYSTEMD[host.kind]]


@contextlib.contextmanager
def _notify_socket() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notified:
        # Abstract, so that the length of the lab's path does not matter.
        notified.bind(f"\0psops-lab-{secrets.token_hex(8)}")
        yield notified


def _launch(directory: Path, options: str, procs: list[Path], command: list[str]) -> Process:
    """Start the host apart from this process and return its nspawn."""
    start = ["setsid", "--fork", "unshare", "--mount", "sh", "-c", LAUNCH, "sh"]
    with (directory / "console").open("w") as console:
        launched = subprocess.run(
            [*start, options, str(directory / "root"), *map(str, procs), "--", *command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=console,
            text=True,
            check=True,
        )
    nspawn = identify(int(launched.stdout)) if launched.stdout else None
    if nspawn is None:
        raise LabError("could not be started")
    return nspawn


def _await_ready(notified: socket.socket, nspawn: Process) -> Process:
    """Wait until the host's first process says it is ready, and return that process."""
    leader = None
    deadline = time.monotonic() + BOOT_TIMEOUT_S
    poll = select.poll()
    poll.register(notified, select.POLLIN)
    with opened(nspawn) as pidfd:
        if pidfd is None:
            raise LabError("systemd-nspawn ended at once")
        poll.register(pidfd, select.POLLIN)
        while (left := deadline - time.monotonic()) > 0:
            readable = [descriptor for descriptor, _ in poll.poll(left * 1000)]
            if notified.fileno() in readable:
                fields = dict(x.split("=", 1) for x in notified.recv(65536).decode().splitlines())
                if "X_NSPAWN_LEADER_PID" in fields:
                    leader = identify(int(fields["X_NSPAWN_LEADER_PID"]))
                if fields.get("READY") == "1" and leader:
                    return leader
            elif readable:
                raise LabError("systemd-nspawn ended during the boot")
    raise LabError(f"not booted after {BOOT_TIMEOUT_S:.0f} s")


def _settle(host: Host) -> None:
    if host.kind == "systemd":
        started = nsenter(host, ["systemctl", "start", "--no-block", SLOW])
        if started.returncode != 0:
            raise LabError(f"{SLOW} could not be started: {started.stderr.strip()}")
        _await_late(host)
    try:
        with socket.create_connection((host.address, host.port), BANNER_TIMEOUT_S) as connection:
            connection.settimeout(BANNER_TIMEOUT_S)
            banner = connection.recv(64)
    except OSError as error:
        raise LabError(f"sshd on {host.address} does not answer ({error})") from error
    if not banner.startswith(b"SSH-"):
        raise LabError(f"no SSH banner from {host.address}, got {banner!r}")


def _await_late(host: Host) -> None:
    names = [unit.name for unit in LATE]
    show = ["systemctl", "show", "--property=ActiveState,SubState", "--value", "--", *names]
    wanted = [part for unit in LATE for part in unit.state.split("/")]
    deadline = time.monotonic() + LATE_TIMEOUT_S
    # Nearly always so at the first look.
    while (states := nsenter(host, show).stdout.split()) != wanted:
        if time.monotonic() > deadline:
            raise LabError(f"{', '.join(names)} are {' '.join(states)}, not {' '.join(wanted)}")
        time.sleep(0.05)


def _console_tail(directory: Path) -> str:
    console = directory / "console"
    text = console.read_text(errors="replace")
    lines = [line for line in text.splitlines() if line.strip()][-15:]
    return "\n".join([f"last lines of {console}:", *("  " + line for line in lines)])
