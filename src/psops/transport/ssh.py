"""A host over SSH: which settings hold, which way is the shortest, which way worked.

Ways to the bus, in order: a forward to the bus socket (starts no process on the host), then
`systemd-stdio-bridge`. Both go through a ControlMaster that is open already, or through a
login of our own. The way that worked is remembered per host.
"""

import contextlib
import os
import shlex
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

from psops import memory
from psops.deadline import Deadline
from psops.errors import HostError, UsageError
from psops.inventory import Host, parse_destination
from psops.paths import expanded
from psops.sshconfig import DEFAULT_IDENTITY_FILES, Settings, SshConfig
from psops.sshconfig import load as load_ssh_config
from psops.sshconfig.tokens import this_login
from psops.transport import (
    ByteStream,
    Connection,
    Finished,
    LastingChannel,
    Options,
    Running,
    Watch,
)
from psops.transport.diagnose import BUS_SOCKET, diagnose, user_bus_socket
from psops.transport.dial import Dialled, Login, dial_program, dial_tcp
from psops.transport.lean import import_native
from psops.transport.mux import MuxConnection, NoMaster
from psops.transport.retrying import Retrying
from psops.transport.sftp import SftpFiles, open_sftp
from psops.transport.stream import TcpStream, open_here

if TYPE_CHECKING:
    from psops.transport.native import NativeConnection

BRIDGE = "systemd-stdio-bridge"
SUDO_BRIDGE = ("sudo", "-n", BRIDGE)
STREAMLOCAL = "streamlocal"
_MOST_HOPS = 8
_FAILURE_HOLDS = 5.0  # seconds, where connections are made again
#: What `native` imports, besides paramiko, and what resolving a name does.
_FOR_LOGINS = ("psops.knownhosts", "encodings.idna", "logging", "hashlib")


_T = TypeVar("_T")


class Carrier(Protocol):
    """What can open channels on a host: a login of ours, or somebody's ControlMaster."""

    def open_streamlocal(self, path: str) -> LastingChannel: ...
    def open_program(self, command: str) -> LastingChannel: ...
    def open_tcp(self, host: str, port: int, deadline: Deadline) -> ByteStream: ...
    def open_unix(self, path: str, deadline: Deadline) -> ByteStream: ...
    def run(self, command: str, deadline: Deadline) -> Finished: ...
    def start(self, command: str, *, subsystem: bool = False) -> Running: ...
    def close(self) -> None: ...


class SshConnection:
    """A host that can be logged in to."""

    def __init__(
        self,
        host: Host,
        options: Options,
        carrier: Carrier,
        log_in: Callable[[], Carrier],
        *,
        address: str,
        behind: str,
    ) -> None:
        self.address = address
        self._log_in = log_in
        self._behind = behind
        self._host = host
        self._options = options
        self._carrier = carrier
        self._left: list[Carrier] = []  # what they have opened may be in use yet
        self._lock = threading.Lock()

    def open_bus(self) -> LastingChannel:
        """Return a channel to the bus, by the way that worked last time, else by the next."""
        name = self._host.name
        watch = self._options.watch or _nobody
        if self._options.sudo or self._host.sudo:
            sudo = shlex.join(SUDO_BRIDGE)
            return Retrying(
                [lambda: self._carried(lambda carrier: carrier.open_program(sudo))],
                self._diagnose,
                lambda place: watch("bus", f"sudo {BRIDGE}"),
            )
        socket, bridge = BUS_SOCKET, BRIDGE
        if self._options.user_bus:
            socket = user_bus_socket(self.run(("id", "-u"), Deadline(self._options.timeout)))
            bridge = shlex.join((BRIDGE, f"--bus-path=unix:path={socket}"))
        ways: dict[str, Callable[[], LastingChannel]] = {
            STREAMLOCAL: lambda: self._carried(lambda carrier: carrier.open_streamlocal(socket)),
            BRIDGE: lambda: self._carried(lambda carrier: carrier.open_program(bridge)),
        }
        order = sorted(ways, key=lambda way: way != memory.recall_way(name))

        def worked(place: int) -> None:
            memory.remember_way(name, order[place], STREAMLOCAL)
            watch("bus", order[place])

        return Retrying([ways[way] for way in order], self._diagnose, worked)

    def run(self, argv: tuple[str, ...], deadline: Deadline) -> Finished:
        """Run a program on the host; ssh hands a line to a shell there, so it is quoted."""
        return self._carried(lambda carrier: carrier.run(shlex.join(argv), deadline))

    def start(self, argv: tuple[str, ...], deadline: Deadline) -> Running:
        """Start a program on the host, by a session of its own on the same login."""
        return self._start(shlex.join(argv))

    def open_files(self, deadline: Deadline) -> SftpFiles:
        """Return the files of the host by its SFTP server, as root with sudo."""
        return open_sftp(
            lambda: self._start("sftp", subsystem=True), self._start,
            sudo=self._options.sudo or self._host.sudo, deadline=deadline,
        )  # fmt: skip

    def _start(self, command: str, *, subsystem: bool = False) -> Running:
        return self._carried(lambda carrier: carrier.start(command, subsystem=subsystem))

    def _carried(self, work: Callable[[Carrier], _T]) -> _T:
        """Return what some work gives, by a login of ours if the master does not do it.

        It may have ended, or its user was asked and said no; ssh logs in by itself then, too.
        """
        carrier = self._carrier
        try:
            return work(carrier)
        except NoMaster:
            with self._lock:  # one login for all threads that are denied
                if self._carrier is carrier:
                    self._carrier = self._log_in()
                    self._left.append(carrier)
            return work(self._carrier)

    def ping(self, deadline: Deadline) -> None:
        """Run a program that does nothing; what keeps a connection tells no dead host by itself."""
        self._carried(lambda carrier: carrier.run("true", deadline))

    def open_tcp(self, host: str, port: int, deadline: Deadline) -> ByteStream:
        """Return a stream to a port as seen from the host."""
        return self._carried(lambda carrier: carrier.open_tcp(host, port, deadline))

    def open_unix(self, path: str, deadline: Deadline) -> ByteStream:
        """Return a stream to a Unix socket of the host, which its sshd opens."""
        return self._carried(lambda carrier: carrier.open_unix(path, deadline))

    def open_here(self, port: int, deadline: Deadline) -> TcpStream:
        """Return a stream to a port of the host over the network, past SSH."""
        return open_here(self.address, port, deadline, self._behind)

    def close(self) -> None:
        """Hang up, or leave the master as it was."""
        for carrier in (self._carrier, *self._left):
            carrier.close()

    def _diagnose(self, error: HostError) -> HostError:
        limit = Deadline(self._options.timeout)
        return diagnose(error, lambda argv: self.run(argv, limit), user=self._options.user_bus)


def prepare(host: Host, options: Options) -> None:
    """Import what a login takes, unless the host (one for all) has an open ControlMaster.

    Not the module that speaks SSH: while a thread imports that, its host gets the login ready.
    """
    control_path = look_up(host, options).control_path
    if control_path is None or not control_path.is_socket():
        for module in _FOR_LOGINS:
            import_module(module)


def connect(host: Host, options: Options) -> Connection:
    """Return a connection through an open ControlMaster, else by a login of our own."""
    settings = look_up(host, options)
    behind = way_to(host, settings)
    watch = options.watch or _nobody
    carrier: Carrier | None = None

    def log_in() -> Carrier:
        through = _through(host, settings, replace(options, watch=None))
        if behind:
            watch("jump", behind)
        login = _login(host.name, settings, options, compress=host.compress)
        return _log_in(login, settings, through, watch)

    if settings.control_path is not None and settings.control_path.is_socket():
        with contextlib.suppress(NoMaster):  # left behind by a master that died
            carrier = MuxConnection(settings.control_path, options.connect_timeout)
            watch("login", "an open ControlMaster")
    return SshConnection(
        host, options, carrier or log_in(), log_in, address=settings.hostname, behind=behind
    )


def look_up(host: Host, options: Options) -> Settings:
    """Return the ssh settings of a host; what the inventory says beats the ssh configuration."""
    config = _ssh_config(options.ssh_config)
    settings = config.lookup(host.name, user=host.user, port=host.port)
    return replace(settings, hostname=host.address) if host.address else settings


def way_to(host: Host, settings: Settings) -> str:
    """Return what is between here and a host, "" if nothing is."""
    chain = _chain(host, settings)
    return ", ".join(chain) or ("a ProxyCommand" if settings.proxy_command else "")


def _nobody(step: str, found: str) -> None:
    """Nobody watches."""


def _log_in(
    login: Login,
    settings: Settings,
    through: "NativeConnection | None",
    watch: Watch = _nobody,
) -> "NativeConnection":
    def dial(deadline: Deadline) -> Dialled:
        if through is not None:
            return Dialled(through.dial(login.address, login.port), 0.0)
        if settings.proxy_command:
            return dial_program(settings.proxy_command)
        return dial_tcp(login.address, login.port, deadline, watch)

    deadline = Deadline(login.connect_timeout)
    dialled = dial(deadline)
    connection: NativeConnection = import_native().log_in(login, dialled, dial, deadline, watch)
    return connection


@cache
def _ssh_config(path: str | None) -> SshConfig:
    return load_ssh_config(expanded(path) if path else None)


def _login(
    name: str, settings: Settings, options: Options, *, compress: bool | None = None
) -> Login:
    files = settings.identity_files
    if compress is None and settings.compression:
        compress = True
    return Login(
        host=name,
        address=settings.hostname,
        port=settings.port,
        user=settings.user or this_login().name,
        key_name=settings.host_key_alias or settings.hostname,
        key_port=22 if settings.host_key_alias else settings.port,
        identity_files=_default_keys() if files is None else files,
        identities_only=settings.identities_only,
        agent=_agent(settings.identity_agent),
        known_hosts=(*settings.user_known_hosts_files, *settings.global_known_hosts_files),
        accept_new=options.accept_new_host_keys,
        compress=compress,
        connect_timeout=float(settings.connect_timeout or options.connect_timeout),
    )


def _default_keys() -> tuple[Path, ...]:
    return tuple(expanded(name) for name in DEFAULT_IDENTITY_FILES)


def _agent(setting: str | None) -> str:
    """Return the path of the agent's socket, "" for no agent; see IdentityAgent, ssh_config(5)."""
    if setting == "none":
        return ""
    if setting is None or setting == "SSH_AUTH_SOCK":
        setting = "$SSH_AUTH_SOCK"
    return os.environ.get(setting[1:], "") if setting.startswith("$") else setting


@dataclass(slots=True)
class _Hop:
    """A jump host that is logged in to once for all hosts behind it."""

    lock: threading.Lock
    result: "NativeConnection | HostError | None" = None
    since: float = 0.0

    def is_spent(self) -> bool:
        """Tell whether the login has ended, or its failure is no news any more."""
        if isinstance(self.result, HostError):
            return time.monotonic() - self.since > _FAILURE_HOLDS
        return self.result is not None and not self.result.is_active


_hops: dict[tuple[str, ...], _Hop] = {}
_hops_lock = threading.Lock()


def _chain(host: Host, settings: Settings) -> tuple[str, ...]:
    return settings.proxy_jump if host.jump is None else host.jump


def check_way(host: Host, settings: Settings, options: Options) -> None:
    """Raise `HostError` if the jump hosts of a host lead to each other: each would wait for the
    next one for ever."""
    _check_chain(_chain(host, settings), options.ssh_config)


@cache
def _check_chain(chain: tuple[str, ...], ssh_config: str | None) -> None:
    way: list[tuple[str, ...]] = []
    while chain:
        names = [one[-1] for one in (*way, chain)]
        if chain in way:
            circle = " through ".join(names[way.index(chain) :])
            raise HostError(
                f"its jump hosts lead in a circle: {circle}",
                remedy="see ProxyJump in ssh_config, and jump in the inventory",
            )
        if len(names) > _MOST_HOPS:
            raise UsageError(f"more than {_MOST_HOPS} jump hosts: {', '.join(names)}")
        way.append(chain)
        chain = _before(chain, _look_up_hop(chain, ssh_config))


def _look_up_hop(chain: tuple[str, ...], ssh_config: str | None) -> Settings:
    """Return the ssh settings of the last host of a chain."""
    place = parse_destination(chain[-1])
    return _ssh_config(ssh_config).lookup(place.host, user=place.user, port=place.port)


def _before(chain: tuple[str, ...], settings: Settings) -> tuple[str, ...]:
    """Return the chain that leads to the last host of one; the first one's own may be longer."""
    return chain[:-1] or settings.proxy_jump


def _through(host: Host, settings: Settings, options: Options) -> "NativeConnection | None":
    check_way(host, settings, options)
    chain = _chain(host, settings)
    return _jump(chain, options) if chain else None


def _jump(chain: tuple[str, ...], options: Options) -> "NativeConnection":
    """Return a connection to the last host of a chain of jump hosts, shared by all users."""
    with _hops_lock:
        hop = _hops.setdefault(chain, _Hop(threading.Lock()))
    with hop.lock:
        if hop.result is None or (options.lasting and hop.is_spent()):
            try:
                hop.result = _log_in_to_hop(chain, options)
            except HostError as exc:
                hop.result = exc
            hop.since = time.monotonic()
        found = hop.result
    if isinstance(found, HostError):
        raise type(found)(f"jump host {chain[-1]}: {found}", remedy=found.remedy) from found
    return found


def _log_in_to_hop(chain: tuple[str, ...], options: Options) -> "NativeConnection":
    settings = _look_up_hop(chain, options.ssh_config)
    before = _before(chain, settings)
    through = _jump(before, options) if before else None
    return _log_in(_login(chain[-1], settings, options), settings, through)
