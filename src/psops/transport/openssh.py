"""A host through the ssh program, for whatever paramiko cannot: Kerberos, FIDO keys,
certificates, a site's own settings. One ssh process per host, as `systemctl -H` has it."""

import contextlib
import itertools
import shlex
import subprocess
import threading
from functools import cached_property
from pathlib import Path

from psops.deadline import Deadline
from psops.errors import (
    AuthenticationRefused,
    BannerTimedOut,
    ChannelRefused,
    ConfigError,
    ConnectRefused,
    ConnectTimedOut,
    DeadlineExceeded,
    HostError,
    HostKeyChanged,
    HostKeyUnknown,
    NameNotResolved,
    UsageError,
)
from psops.inventory import Host
from psops.transport import Connection, Finished, Options
from psops.transport.child import bridge
from psops.transport.complaints import Complaints
from psops.transport.diagnose import diagnose, user_bus_socket
from psops.transport.local import run_program
from psops.transport.mux import MuxConnection, NoMaster, private_directory
from psops.transport.program import Program
from psops.transport.retrying import Retrying
from psops.transport.sftp import SftpFiles, open_sftp
from psops.transport.ssh import BRIDGE, SUDO_BRIDGE, check_way, look_up, way_to
from psops.transport.stream import TcpStream, open_here

#: What ssh says (status 255), in lower case, and what it means; the first match counts.
_MEANINGS: tuple[tuple[str, type[HostError]], ...] = (
    ("remote host identification has changed", HostKeyChanged),
    ("host key for", HostKeyChanged),
    ("revoked", HostKeyChanged),
    ("host key verification failed", HostKeyUnknown),
    ("no matching host key", HostKeyUnknown),
    ("could not resolve", NameNotResolved),
    ("name or service not known", NameNotResolved),
    ("during banner exchange", BannerTimedOut),
    ("banner exchange", BannerTimedOut),
    ("connection timed out", ConnectTimedOut),
    ("timed out", ConnectTimedOut),
    ("connection refused", ConnectRefused),
    ("no route to host", ConnectRefused),
    ("network is unreachable", ConnectRefused),
    ("permission denied", AuthenticationRefused),
    ("too many authentication failures", AuthenticationRefused),
    ("connection closed", ConnectRefused),
    ("connection reset", ConnectRefused),
)


#: Seconds ssh gets to end after it was told to.
_LAST_WORD = 2.0
#: A host that is silent for this long has gone; ssh asks it by itself and ends then.
_WATCHED = ("-o", "ServerAliveInterval=10", "-o", "ServerAliveCountMax=2")


_numbers = itertools.count()


class OpenSshConnection:
    """A host the ssh program logs in to, once for each channel."""

    def __init__(self, host: Host, options: Options) -> None:
        self._host = host
        self._argv = _ssh_argv(host, options)
        self._sudo = options.sudo or host.sudo
        self._options = options
        self._lock = threading.Lock()
        self._master: _Master | None = None

    @property
    def address(self) -> str:
        """Its name on the network, by the ssh configuration if that is one psops can read."""
        return self._place[0]

    def open_bus(self) -> Retrying:
        """Return a channel to the bridge on the host; failures show when it is used."""
        program: tuple[str, ...] = SUDO_BRIDGE if self._sudo else (BRIDGE,)
        if self._options.user_bus:
            socket = user_bus_socket(self.run(("id", "-u"), Deadline(self._options.timeout)))
            program = (BRIDGE, f"--bus-path=unix:path={socket}")
        argv = (*self._argv, shlex.join(program))
        # Its only way; what it means that it gives nothing is found out once, at its beginning.
        return Retrying([lambda: bridge(argv, _explain_end)], self._diagnose)

    def run(self, argv: tuple[str, ...], deadline: Deadline) -> Finished:
        """Run a program on the host; ssh hands a line to a shell there, so it is quoted."""
        return run_program((*self._argv, shlex.join(argv)), deadline)

    def start(self, argv: tuple[str, ...], deadline: Deadline) -> Program:
        """Start a program on the host, by a login of its own."""
        return self._program(shlex.join(argv))

    def open_files(self, deadline: Deadline) -> SftpFiles:
        """Return the files of the host, by a login of its own."""
        return open_sftp(
            lambda: self._program("sftp", "-s"), self._program, sudo=self._sudo, deadline=deadline
        )

    def _program(self, command: str, *more: str) -> Program:
        ssh, *options = self._argv
        return Program((ssh, *_WATCHED, *more, *options, command), _explain_end)

    def ping(self, deadline: Deadline) -> None:
        """Nothing to ask: ssh itself ends when the host has gone."""

    def open_tcp(self, host: str, port: int, deadline: Deadline) -> TcpStream:
        """Return a stream to a port as seen from the host.

        All of them go through one more login: `ssh -W` would be a login for each, and tells
        an open port from a closed one only to people.
        """
        return self._lasting().open_tcp(host, port, deadline)

    def open_unix(self, path: str, deadline: Deadline) -> TcpStream:
        """Return a stream to a Unix socket of the host, by the same login as `open_tcp`."""
        return self._lasting().open_unix(path, deadline)

    def open_here(self, port: int, deadline: Deadline) -> TcpStream:
        """Return a stream to a port of the host over the network, past SSH."""
        address, behind = self._place
        return open_here(address, port, deadline, behind)

    def close(self) -> None:
        """Hang up, if there is a login that lasts."""
        if self._master is not None:
            self._master.close()

    def _lasting(self) -> MuxConnection:
        with self._lock:
            if self._master is None:
                self._master = _Master(self._argv, Deadline(self._options.timeout))
            connection = self._master.connection
        assert connection is not None
        return connection

    @cached_property
    def _place(self) -> tuple[str, str]:
        try:
            settings = look_up(self._host, self._options)
        except ConfigError:
            return self._host.address or self._host.name, ", ".join(self._host.jump or ())
        return settings.hostname, way_to(self._host, settings)

    def _diagnose(self, error: HostError) -> HostError:
        limit = Deadline(self._options.timeout)
        return diagnose(error, lambda argv: self.run(argv, limit), user=self._options.user_bus)


class _Master:
    """An ssh process that opens streams for us; it ends with us, as its input does."""

    def __init__(self, argv: tuple[str, ...], deadline: Deadline) -> None:
        path = Path(private_directory(), f"master-{next(_numbers)}")
        self.connection: MuxConnection | None = None
        own = ("-o", "ControlMaster=yes", "-o", "ControlPersist=no", "-S", str(path))
        self._errors = Complaints()
        try:
            self._ssh = subprocess.Popen(
                # `cat` keeps the login until its input ends; before it the socket is there.
                (argv[0], *own, *argv[1:], "echo && cat"),
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors.fileno(),
            )  # fmt: skip
        finally:
            self._errors.hand_over()
        late = threading.Timer(deadline.remaining(), self._ssh.kill)
        late.start()
        try:
            assert self._ssh.stdout is not None
            logged_in = self._ssh.stdout.read(1)
            if not logged_in:
                raise self._explain(deadline)
            self.connection = MuxConnection(path, max(deadline.remaining(), 0.001))
        except NoMaster as exc:
            self.close()
            raise ChannelRefused(f"ssh opens no streams ({exc})") from exc
        except BaseException:
            self.close()
            raise
        finally:
            late.cancel()

    def close(self) -> None:
        """End ssh."""
        if self.connection is not None:
            self.connection.close()
        self._ssh.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._ssh.wait(_LAST_WORD)
        with contextlib.suppress(OSError), self._ssh:  # closes its pipes
            self._ssh.kill()

    def _explain(self, deadline: Deadline) -> HostError:
        text = self._errors.text(_LAST_WORD).decode(errors="replace").strip()
        if deadline.passed():
            return DeadlineExceeded(f"no login within {deadline.seconds:g} s")
        return explain(text)


def connect(host: Host, options: Options) -> Connection:
    """Return the host; ssh logs in when the bus is opened."""
    with contextlib.suppress(ConfigError, UsageError):  # what psops cannot read, ssh may
        check_way(host, look_up(host, options), options)
    return OpenSshConnection(host, options)


def explain(text: str) -> HostError:
    """Return what the ssh program's error text means."""
    lower = text.lower()
    lines = [line for line in text.splitlines() if line.strip()]
    last = lines[-1] if lines else "ssh failed without a word"
    kind = next((kind for words, kind in _MEANINGS if words in lower), ConnectRefused)
    return kind(last)


def _explain_end(status: int, text: str) -> HostError | None:
    return explain(text) if status == 255 else None


def _ssh_argv(host: Host, options: Options) -> tuple[str, ...]:
    seconds = max(1, round(options.connect_timeout))
    argv = ["ssh", "-xT", "-o", "BatchMode=yes", "-o", f"ConnectTimeout={seconds}"]
    checking = "accept-new" if options.accept_new_host_keys else "yes"
    argv += ["-o", f"StrictHostKeyChecking={checking}"]
    if options.ssh_config:
        argv += ["-F", options.ssh_config]
    if host.user:
        argv += ["-l", host.user]
    if host.port:
        argv += ["-p", str(host.port)]
    if host.jump is not None:
        argv += ["-J", ",".join(host.jump) or "none"]
    return (*argv, "--", host.address or host.name)
