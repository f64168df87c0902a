"""SSH spoken by this process: logging in, and channels on a login; names paramiko, alone.

What it adds to paramiko: channels to a Unix socket of the host, TCP_QUICKACK, keys and
known hosts that are read once for a fleet, and errors told apart by what failed.
"""

import atexit
import base64
import contextlib
import logging
import random
import shlex
import socket
import threading
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import NamedTuple

import paramiko
from paramiko.ssh_exception import (
    AuthenticationException,
    BadAuthenticationType,
    ChannelException,
    SSHException,
)

from psops.deadline import Deadline
from psops.errors import (
    AuthenticationRefused,
    BannerTimedOut,
    ChannelRefused,
    ConnectRefused,
    ConnectTimedOut,
    DeadlineExceeded,
    HostError,
    HostKeyChanged,
    HostKeyUnknown,
    NameNotResolved,
    ProtocolError,
)
from psops.knownhosts import KnownHosts, Verdict, append, fingerprint
from psops.transport import Finished, LastWords, Watch, read_to_end
from psops.transport.bridge import explain_bridge
from psops.transport.dial import Dial, Dialled, Login
from psops.transport.stream import broken, no_answer, silent

_STREAMLOCAL = "direct-streamlocal@openssh.com"
_CHANNEL_OPEN = b"\x5a"
_CHANNEL_CLOSE = 97
#: Messages that name a channel by the number that the other side has given it (RFC 4254, 9).
_OF_A_CHANNEL = range(93, 101)
#: RSA keys are named by one type in known_hosts and sign with three algorithms.
_RSA = ("rsa-sha2-512", "rsa-sha2-256", "ssh-rsa")
#: Tries when the server hangs up before its greeting, as sshd does past MaxStartups.
_MOST_TRIES = 5
_FIRST_PAUSE = 0.1
#: Seconds of a TCP handshake beyond which the host is far away. There a compressed request
#: fits TCP's first window, which saves a round trip; nearby it only costs CPU.
_WAN = 0.005
#: Seconds between two looks at a connection that is expected to be quiet.
_LONG_QUIET = 60.0
#: Seconds a program gets to say its last words and its status, in all.
_LAST_WORD = 2.0

#: Bytes of a program's output that may be under way or wait here, for each program.
_PROGRAM_WINDOW = 262144

#: Reason code of a channel that is allowed but leads nowhere, and what its text means.
_CONNECT_FAILED = 2
_FORWARD_ERRORS: tuple[tuple[str, type[HostError]], ...] = (
    ("timed out", ConnectTimedOut),
    ("unknown host", NameNotResolved),
    ("name or service", NameNotResolved),
)

# What paramiko logs comes back as an exception too, and those are reported.
logging.getLogger("paramiko").addHandler(logging.NullHandler())
logging.getLogger("paramiko").propagate = False
# At exit paramiko joins the thread of every connection; ours were hung up, or are to be left.
atexit.unregister(paramiko.transport._join_lingering_threads)  # type: ignore[attr-defined]


class _QuickSocket:
    """A TCP socket that acknowledges at once and reads ahead.

    An sshd before OpenSSH 10.1 leaves Nagle's algorithm on for forwarded channels, so it
    waits for our acknowledgement, which a kernel delays by 40 ms unless told not to; the
    option does not stick, so it is set after every read.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._ahead = b""
        tcp = isinstance(sock, socket.socket) and sock.family != socket.AF_UNIX
        self._quick = getattr(socket, "TCP_QUICKACK", 0) if tcp else 0

    def recv(self, count: int) -> bytes:
        if not self._ahead:
            self._ahead = self._sock.recv(32768)
            if self._quick:
                self._sock.setsockopt(socket.IPPROTO_TCP, self._quick, 1)
        data, self._ahead = self._ahead[:count], self._ahead[count:]
        return data

    def send(self, data: bytes) -> int:
        return self._sock.send(data)

    def settimeout(self, seconds: float | None) -> None:
        self._sock.settimeout(seconds)

    def relax(self, seconds: float) -> None:
        """Let the thread that reads sleep so long at a time.

        paramiko has it look ten times a second whether it is to end, or to change keys. The
        first is told by `hang_up`, the second can wait until there is something to encrypt.
        """
        with contextlib.suppress(OSError):  # the connection may have ended just now
            self._sock.settimeout(seconds)

    def hang_up(self) -> None:
        """Wake the thread that reads, which closes the socket."""
        try:
            self._sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            self._sock.close()

    def close(self) -> None:
        self._sock.close()


class Refusal(NamedTuple):
    """Why a channel was not opened, see RFC 4254, 5.1."""

    code: int
    text: str


class _Transport(paramiko.Transport):
    """A paramiko transport that can open channels to a Unix socket (`aim` says to which).

    It also keeps why a channel was not opened, apart for each: paramiko has one place for the
    errors of all threads, and leaves out what the server said. And nothing is sent to a channel
    after its end: with a thread that sends while another one closes, paramiko may do so, and
    sshd ends the whole login then.
    """

    def __init__(self, sock: _QuickSocket) -> None:
        super().__init__(sock)  # type: ignore[arg-type]
        self._opening = threading.local()
        self._refusals: dict[int, Refusal] = {}
        self._ended: set[int] = set()

    def aim(self, path: str) -> None:
        """Let the next channel that this thread opens lead to a Unix socket."""
        self._opening.path = path

    def refusal(self) -> Refusal | None:
        """Return why the channel that this thread asked for last was not opened."""
        return self._refusals.pop(getattr(self._opening, "number", -1), None)

    def _send_user_message(self, data: paramiko.Message) -> None:
        # paramiko builds the request for this channel type without its last three fields.
        packet = data.asbytes()
        if packet.startswith(_CHANNEL_OPEN):
            request = paramiko.Message(packet[1:])
            request.get_string()
            self._opening.number = request.get_int()
        if packet.startswith(_CHANNEL_OPEN) and packet[5:].startswith(_STREAMLOCAL.encode()):
            data.add_string(self._opening.path)
            data.add_string("")
            data.add_int(0)
        super()._send_user_message(data)  # type: ignore[misc]

    def _send_message(self, data: paramiko.Message) -> None:
        packet = data.asbytes()
        if packet[0] in _OF_A_CHANNEL:  # which are sent one after the other, under a lock
            number = int.from_bytes(packet[1:5])
            if number in self._ended:
                return
            if packet[0] == _CHANNEL_CLOSE:
                self._ended.add(number)
        super()._send_message(data)  # type: ignore[misc]

    def _parse_channel_open_success(self, data: paramiko.Message) -> None:
        data.get_int()
        self._ended.discard(data.get_int())  # given to another one
        data.rewind()
        super()._parse_channel_open_success(data)  # type: ignore[misc]

    def _parse_channel_open_failure(self, data: paramiko.Message) -> None:
        number = data.get_int()
        self._refusals[number] = Refusal(data.get_int(), data.get_text())
        data.rewind()
        super()._parse_channel_open_failure(data)  # type: ignore[misc]


class _Bell:
    """What paramiko takes for an event: set when bytes have come, or none will any more."""

    def __init__(self, wake: Callable[[], None]) -> None:
        self.set = wake

    def clear(self) -> None:
        """Nothing is remembered, so there is nothing to clear."""


class _Reply(threading.Event):
    """What paramiko waits by for the answer to a request; it would wait for ever."""

    def __init__(self, deadline: Deadline) -> None:
        super().__init__()
        self._deadline = deadline

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until the deadline; raises `TimeoutError`."""
        if not super().wait(self._deadline.remaining()):
            raise TimeoutError
        return True


class BusChannel:
    """A byte stream over a channel of a login."""

    def __init__(self, channel: paramiko.Channel, program: bool) -> None:
        self._channel = channel
        self._program = program

    def send(self, data: bytes, deadline: Deadline) -> None:
        """Send all bytes; raises `DeadlineExceeded`, or the error that ended the stream."""
        self._channel.settimeout(max(deadline.remaining(), 0.001))
        try:
            self._channel.sendall(data)
        except TimeoutError:
            raise no_answer(deadline) from None
        except OSError as exc:
            raise self._end(deadline) from exc

    def receive(self, deadline: Deadline) -> bytes:
        """Return the next bytes, at least one; raises as `send` does."""
        self._channel.settimeout(max(deadline.remaining(), 0.001))
        try:
            data = self._channel.recv(262144)
        except TimeoutError:
            raise no_answer(deadline) from None
        if not data:
            raise self._end(deadline)
        return data

    def watch(self, wake: Callable[[], None]) -> int:
        """Call `wake` when bytes have come; paramiko's own thread does."""
        sock = self._channel.get_transport().sock
        assert isinstance(sock, _QuickSocket)
        sock.relax(_LONG_QUIET)
        self._channel.in_buffer.set_event(_Bell(wake))  # type: ignore[arg-type]
        return -1

    def close(self) -> None:
        """Leave the channel; the login's end closes it."""

    def _end(self, deadline: Deadline) -> HostError:
        if not self._program:
            return ChannelRefused("the host closed the channel")
        return explain_bridge(*_last_words(self._channel, deadline))


class NativeStream:
    """A byte stream to a TCP port, over a channel of a login."""

    def __init__(self, channel: paramiko.Channel) -> None:
        self._channel = channel

    def send(self, data: bytes, deadline: Deadline) -> None:
        """Send all bytes; raises `DeadlineExceeded`, or `ConnectRefused` if it is broken."""
        self._channel.settimeout(max(deadline.remaining(), 0.001))
        try:
            self._channel.sendall(data)
        except TimeoutError:
            raise silent(deadline) from None
        except OSError as exc:
            raise broken(exc) from exc

    def receive(self, deadline: Deadline) -> bytes:
        """Return the next bytes, none at the end of the stream; raises as `send` does."""
        self._channel.settimeout(max(deadline.remaining(), 0.001))
        try:
            data = self._channel.recv(262144)
        except TimeoutError:
            raise silent(deadline) from None
        if not data and not self._channel.get_transport().is_active():
            raise ChannelRefused("the SSH connection has ended", remedy="")
        return data

    def close(self) -> None:
        """Close the channel."""
        with contextlib.suppress(SSHException, EOFError, OSError):
            self._channel.close()


class NativeProgram(NativeStream):
    """A program on the host, read while it runs."""

    def finish(self, deadline: Deadline) -> Finished:
        """Return its status and standard error."""
        status, errors = _last_words(self._channel, deadline)
        return Finished(status, b"", errors.encode())


class NativeConnection:
    """One login."""

    def __init__(self, transport: _Transport, sock: _QuickSocket, timeout: float) -> None:
        self._transport = transport
        self._sock = sock
        self._timeout = timeout

    @property
    def is_active(self) -> bool:
        """Whether the login has not ended."""
        return self._transport.is_active()

    def open_streamlocal(self, path: str) -> BusChannel:
        """Return a channel to a Unix socket of the host; raises `ChannelRefused`."""
        self._transport.aim(path)
        return BusChannel(self._open(_STREAMLOCAL), program=False)

    def open_program(self, command: str) -> BusChannel:
        """Return a channel to the standard input and output of a program on the host."""
        return BusChannel(self._execute(command, Deadline(self._timeout)), program=True)

    def dial(self, address: str, port: int) -> paramiko.Channel:
        """Return a channel to the sshd of a host behind this one."""
        return self._open("direct-tcpip", (address, port))

    def open_tcp(self, host: str, port: int, deadline: Deadline) -> NativeStream:
        """Return a stream to a port as seen from the host."""
        place = f"{host} port {port}"
        try:
            channel = self._transport.open_channel(
                "direct-tcpip", (host, port), ("127.0.0.1", 0),
                timeout=max(deadline.remaining(), 0.001),
            )  # fmt: skip
        except (SSHException, EOFError, OSError) as exc:
            if (refusal := self._transport.refusal()) is not None:
                raise _explain_forward(place, refusal) from exc
            if deadline.passed():
                limit = f"no answer within {deadline.seconds:.3g} s"
                raise ConnectTimedOut(f"{place}: {limit}", remedy="") from exc
            raise ChannelRefused(f"the host closed the connection ({exc})") from exc
        return NativeStream(channel)

    def open_unix(self, path: str, deadline: Deadline) -> NativeStream:
        """Return a stream to a Unix socket of the host."""
        self._transport.aim(path)
        try:
            channel = self._transport.open_channel(
                _STREAMLOCAL, timeout=max(deadline.remaining(), 0.001)
            )
        except ChannelException as exc:
            raise ChannelRefused(f"{path}: {exc.text or exc}", remedy="") from exc
        except (SSHException, EOFError, OSError) as exc:
            if deadline.passed():
                raise silent(deadline) from exc
            raise ChannelRefused(f"the host closed the connection ({exc})") from exc
        return NativeStream(channel)

    def run(self, command: str, deadline: Deadline) -> Finished:
        """Run a command line on the host and return what it gave."""
        channel = self._execute(command, deadline)
        output = read_to_end(channel, deadline)
        status, errors = _last_words(channel, deadline)
        return Finished(status, output, errors.encode())

    def start(self, command: str, *, subsystem: bool = False) -> NativeProgram:
        """Return a program on the host while it runs; its window bounds what waits here for us."""
        deadline = Deadline(self._timeout)
        return NativeProgram(
            self._execute(command, deadline, window=_PROGRAM_WINDOW, subsystem=subsystem)
        )

    def close(self) -> None:
        """Hang up, without waiting for the other side."""
        self._transport.active = False  # type: ignore[attr-defined]
        self._sock.hang_up()

    def _execute(
        self,
        command: str,
        deadline: Deadline,
        *,
        window: int | None = None,
        subsystem: bool = False,
    ) -> paramiko.Channel:
        """Return a channel to a program that the host says it has begun."""
        channel = self._open("session", window=window)
        channel.event = _Reply(deadline)
        try:
            if subsystem:
                channel.invoke_subsystem(command)
            else:
                channel.exec_command(command)
        except TimeoutError:
            raise DeadlineExceeded(f"no program begun within {deadline.seconds:g} s") from None
        except (SSHException, EOFError, OSError) as exc:
            reason = str(exc) or "the host closed the connection"
            raise ChannelRefused(f"cannot run a program there ({reason})") from exc
        return channel

    def _open(
        self, kind: str, address: tuple[str, int] | None = None, window: int | None = None
    ) -> paramiko.Channel:
        deadline = Deadline(self._timeout)
        try:
            source = ("127.0.0.1", 0) if address else None
            return self._transport.open_channel(
                kind, address, source, window, timeout=self._timeout
            )
        except ChannelException as exc:
            raise ChannelRefused(f"the host refuses a channel ({exc.text or exc})") from exc
        except (SSHException, EOFError, OSError) as exc:
            if deadline.passed():
                raise DeadlineExceeded(
                    f"logged in, but no channel within {self._timeout:g} s",
                    remedy="the login is held up there (PAM, systemd-logind); look at its journal",
                ) from exc
            reason = str(exc) or "no reason given"
            raise ChannelRefused(f"the host closed the connection ({reason})") from exc


def log_in(
    login: Login, dialled: Dialled, dial: Dial, deadline: Deadline, watch: Watch
) -> NativeConnection:
    """Return a connection to a host; raises `HostError`. `watch` is told of each step done.

    `dialled` is the first connection, made by `dial` before this module was imported: a host
    gets its login ready while we read paramiko.
    """
    for tries in range(1, _MOST_TRIES + 1):
        sock = _QuickSocket(dialled.sock)
        try:
            return _negotiate(login, sock, deadline, watch, slow=dialled.seconds >= _WAN)
        except _Dropped as exc:
            sock.hang_up()
            pause = random.uniform(0.5, 1.5) * _FIRST_PAUSE * 2**tries
            if tries == _MOST_TRIES or deadline.remaining() < pause:
                raise ConnectRefused(
                    f"the host hangs up before its SSH greeting ({exc}; {tries} tries)",
                    remedy="too many logins at once? see MaxStartups in sshd_config, or --fanout",
                ) from exc
            time.sleep(pause)
            dialled = dial(deadline)
        except BaseException:
            sock.hang_up()
            raise
    raise AssertionError("the last try returns or raises")


class _Dropped(Exception):
    """The server hung up before it said anything."""


def _negotiate(
    login: Login, sock: _QuickSocket, deadline: Deadline, watch: Watch, *, slow: bool
) -> NativeConnection:
    transport = _Transport(sock)
    transport.use_compression(slow if login.compress is None else login.compress)
    transport.banner_timeout = transport.handshake_timeout = max(deadline.remaining(), 0.001)
    known = _known_hosts(login.known_hosts)
    _prefer_known_kinds(transport, known.kinds(login.key_name, login.key_port))
    try:
        transport.start_client(timeout=deadline.remaining())
    except (SSHException, EOFError, OSError) as exc:
        raise _explain_start(transport, exc, deadline) from exc
    if not transport.initial_kex_done:
        raise _explain_start(transport, TimeoutError(), deadline)
    watch("ssh", transport.remote_version)
    key = transport.get_remote_server_key()
    _check_host_key(login, known, key.get_name(), key.get_base64())
    watch("host-key", f"{key.get_name()} {fingerprint(key.get_base64())}")
    watch("login", f"{login.user}, {_authenticate(login, transport, deadline)}")
    return NativeConnection(transport, sock, login.connect_timeout)


def _explain_start(
    transport: _Transport, exc: BaseException, deadline: Deadline
) -> HostError | _Dropped:
    cause = exc.__context__ or exc
    if not transport.remote_version:
        if isinstance(cause, TimeoutError) or deadline.passed():
            return BannerTimedOut(f"no SSH greeting within {deadline.seconds:g} s")
        if isinstance(cause, (EOFError, ConnectionError)):
            return _Dropped(str(cause) or "connection closed")
        return ProtocolError(f"this is no SSH server ({exc})")
    if isinstance(cause, TimeoutError) or deadline.passed():
        return BannerTimedOut(f"the SSH key exchange did not end within {deadline.seconds:g} s")
    if isinstance(exc, (EOFError, ConnectionError)):
        return _Dropped("connection closed in the key exchange")
    return ProtocolError(f"the SSH key exchange failed ({exc})")


def _prefer_known_kinds(transport: _Transport, kinds: tuple[str, ...]) -> None:
    if not kinds:
        return
    options = transport.get_security_options()
    wanted = [name for kind in kinds for name in (_RSA if kind == "ssh-rsa" else (kind,))]
    rest = [name for name in options.key_types if name not in wanted]
    options.key_types = [name for name in wanted if name in options.key_types] + rest


def _check_host_key(login: Login, known: KnownHosts, kind: str, key: str) -> None:
    verdict, place = known.judge(login.key_name, login.key_port, kind, key)
    shown = f"{kind} {fingerprint(key)}"
    if verdict is Verdict.REVOKED:
        raise HostKeyChanged(f"the host shows a revoked key: {shown} ({place})", remedy="")
    if verdict is Verdict.CHANGED:
        name = login.key_name if login.key_port == 22 else f"[{login.key_name}]:{login.key_port}"
        raise HostKeyChanged(
            f"the host's key is not the known one: it shows {shown}, known is {place}",
            remedy="reinstalled? then: ssh-keygen -R " + shlex.quote(name)
            + "; otherwise somebody may be in between: do not connect",
        )  # fmt: skip
    if verdict is Verdict.UNKNOWN:
        if not login.accept_new:
            raise HostKeyUnknown(f"no known_hosts file has a key of this host ({shown})")
        append(login.known_hosts[0], login.key_name, login.key_port, kind, key)
        known_path = login.known_hosts[0]
        if not known_path.exists():
            raise HostKeyUnknown(f"cannot keep the host's key in {known_path}")


def _authenticate(login: Login, transport: _Transport, deadline: Deadline) -> str:
    """Log in, and return where the key that was taken comes from."""
    keys, unusable = _keys(login.identity_files, login.identities_only, login.agent)
    tried: list[str] = []
    refusal = ""
    for source, key in keys:
        transport.auth_timeout = max(deadline.remaining(), 0.001)
        tried.append(source)
        try:
            more = transport.auth_publickey(login.user, key)
        except BadAuthenticationType as exc:
            refusal = f"the host wants {', '.join(exc.allowed_types)}"
            break
        except AuthenticationException as exc:
            if deadline.passed():
                raise DeadlineExceeded(
                    f"the login did not end within {deadline.seconds:g} s"
                ) from exc
            if not transport.is_active():
                refusal = "the host hung up"
                break
        except (SSHException, EOFError, OSError) as exc:
            if not transport.is_active():
                refusal = "the host hung up"
                break
            unusable = (*unusable, f"{source}: {exc}")
        else:
            if not more:
                return source
            refusal = f"the host wants {', '.join(more)} as well"
            break
    if not tried:
        refusal = "no key to offer"
    parts = [f"user {login.user!r}", refusal or f"{_count(len(tried), 'key')} offered"]
    parts += [f"not usable: {', '.join(unusable)}"] if unusable else []
    remedy = None
    if "wants" in refusal:
        remedy = "psops logs in with keys; for other ways set transport = 'openssh'"
    raise AuthenticationRefused("login refused: " + "; ".join(parts), remedy=remedy)


class _Agent(paramiko.Agent):
    """An agent that the threads of a fleet share."""

    def __init__(self, path: str) -> None:
        self._lock = threading.Lock()
        paramiko.agent.AgentSSH.__init__(self)
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        sock.settimeout(60)  # a person may have to confirm
        sock.connect(path)
        self._connect(sock)  # type: ignore[attr-defined]

    def _send_message(self, message: bytes) -> object:
        with self._lock:
            return super()._send_message(message)  # type: ignore[misc]


_keys_lock = threading.Lock()


def _keys(
    files: tuple[Path, ...], only: bool, agent: str
) -> tuple[tuple[tuple[str, paramiko.PKey], ...], tuple[str, ...]]:
    with _keys_lock:  # or the threads that begin together would all read the files
        return _load_keys(files, only, agent)


@cache
def _load_keys(
    files: tuple[Path, ...], only: bool, agent: str
) -> tuple[tuple[tuple[str, paramiko.PKey], ...], tuple[str, ...]]:
    """Return the keys to offer with where each comes from, and the files that gave none."""
    held = {key.asbytes(): key for key in _agent_keys(agent)}
    keys: dict[bytes, tuple[str, paramiko.PKey]] = {}
    unusable: list[str] = []
    for path in files:
        public = _public_part(path)
        if public in held:
            keys[public] = (str(path), held[public])
            continue
        try:
            key = paramiko.PKey.from_path(path)
        except FileNotFoundError:
            continue
        except TypeError:  # what cryptography raises for a missing passphrase
            unusable.append(f"{path} is encrypted and not in the agent (ssh-add {path})")
        except Exception as exc:  # any parser's opinion of a file that is not a key
            unusable.append(f"{path} ({str(exc).splitlines()[0] if str(exc) else repr(exc)})")
        else:
            keys.setdefault(key.asbytes(), (str(path), key))
    if not only:
        for blob, agent_key in held.items():
            keys.setdefault(blob, (f"agent:{agent_key.comment}", agent_key))
    return tuple(keys.values()), tuple(unusable)


def _agent_keys(path: str) -> tuple[paramiko.AgentKey, ...]:
    if not path:
        return ()
    try:
        return _Agent(path).get_keys()
    except (OSError, SSHException):
        return ()  # an agent that is gone holds no keys


def _public_part(path: Path) -> bytes:
    try:
        return base64.b64decode(Path(f"{path}.pub").read_text().split()[1])
    except (OSError, ValueError, IndexError):
        return b""


_known_lock = threading.Lock()


def _known_hosts(paths: tuple[Path, ...]) -> KnownHosts:
    with _known_lock:
        return _load_known_hosts(paths)


@cache
def _load_known_hosts(paths: tuple[Path, ...]) -> KnownHosts:
    return KnownHosts(paths)


def _last_words(channel: paramiko.Channel, deadline: Deadline) -> tuple[int, str]:
    """Return the exit status (-1 if none came) and the standard error of a program."""
    errors = LastWords()
    limit = Deadline(min(deadline.remaining(), _LAST_WORD))
    channel.settimeout(max(limit.remaining(), 0.001))
    with contextlib.suppress(TimeoutError):
        while (data := channel.recv_stderr(65536)) and not limit.passed():
            errors.take(data)
            channel.settimeout(max(limit.remaining(), 0.001))
        channel.status_event.wait(max(limit.remaining(), 0.001))
    return channel.exit_status, errors.decode(errors="replace").strip()


def _explain_forward(place: str, refusal: Refusal) -> HostError:
    """Return what it means that sshd opens no channel to a port."""
    reason = (refusal.text or "connection refused").lower()
    if refusal.code != _CONNECT_FAILED:
        return ChannelRefused(f"sshd does not forward TCP there ({reason})", remedy="")
    kind = next((kind for words, kind in _FORWARD_ERRORS if words in reason), ConnectRefused)
    return kind(f"{place}: {reason}", remedy="")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
