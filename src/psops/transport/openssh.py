"""A host through the ssh program, for whatever paramiko cannot: Kerberos, FIDO keys,
certificates, a site's own settings. One ssh process per host, as `systemctl -H` has it."""

import shlex

from psops.deadline import Deadline
from psops.errors import (
    AuthenticationRefused,
    BannerTimedOut,
    ConnectRefused,
    ConnectTimedOut,
    HostError,
    HostKeyChanged,
    HostKeyUnknown,
    NameNotResolved,
)
from psops.inventory import Host
from psops.transport import Connection, Finished, Options
from psops.transport.bridge import explain_bridge
from psops.transport.child import bridge
from psops.transport.local import run_program
from psops.transport.ssh import BRIDGE, SUDO_BRIDGE, diagnose, user_bus_socket
from psops.transport.stream import SocketChannel

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


class OpenSshConnection:
    """A host the ssh program logs in to, once for each channel."""

    def __init__(self, host: Host, options: Options) -> None:
        self._argv = _ssh_argv(host, options)
        self._sudo = options.sudo or host.sudo
        self._options = options

    def open_bus(self) -> SocketChannel:
        """Return a channel to the bridge on the host; failures show when it is used."""
        program: tuple[str, ...] = SUDO_BRIDGE if self._sudo else (BRIDGE,)
        if self._options.user_bus:
            socket = user_bus_socket(self.run(("id", "-u"), Deadline(self._options.timeout)))
            program = (BRIDGE, f"--bus-path=unix:path={socket}")
        return bridge((*self._argv, shlex.join(program)), self._explain)

    def run(self, argv: tuple[str, ...], deadline: Deadline) -> Finished:
        """Run a program on the host; ssh hands a line to a shell there, so it is quoted."""
        return run_program((*self._argv, shlex.join(argv)), deadline)

    def close(self) -> None:
        """Nothing is held open."""

    def _explain(self, status: int, text: str) -> HostError | None:
        if status == 255:
            return explain(text)
        limit = Deadline(self._options.timeout)
        return diagnose(
            explain_bridge(status, text),
            lambda argv: self.run(argv, limit),
            user=self._options.user_bus,
        )


def connect(host: Host, options: Options) -> Connection:
    """Return the host; ssh logs in when the bus is opened."""
    return OpenSshConnection(host, options)


def explain(text: str) -> HostError:
    """Return what the ssh program's error text means."""
    lower = text.lower()
    lines = [line for line in text.splitlines() if line.strip()]
    last = lines[-1] if lines else "ssh failed without a word"
    kind = next((kind for words, kind in _MEANINGS if words in lower), ConnectRefused)
    return kind(last)


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
