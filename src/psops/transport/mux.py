"""Through a connection that the ssh program already holds open (ControlMaster).

The master is asked for a forward from a private local socket to the bus socket of the host:
no ssh process, no login, no cryptography here. Where the host refuses that, the stdio
bridge is run in a session of the master. Authority: OpenSSH's PROTOCOL.mux, version 4.
"""

import array
import atexit
import contextlib
import itertools
import os
import shutil
import socket
import struct
import threading
from collections.abc import Callable
from functools import cache
from pathlib import Path

from psops.deadline import Deadline
from psops.errors import (
    ChannelRefused,
    ConnectRefused,
    ConnectTimedOut,
    DeadlineExceeded,
    HostError,
    ProtocolError,
)
from psops.transport import Finished, read_to_end
from psops.transport.bridge import explain_bridge
from psops.transport.complaints import Complaints
from psops.transport.stream import SocketChannel, TcpStream

_HELLO, _OPEN_FWD, _CLOSE_FWD, _NEW_SESSION = 0x1, 0x10000006, 0x10000007, 0x10000002
_NEW_STDIO_FWD = 0x10000008
_OK, _DENIED, _FAILURE, _EXIT, _SESSION_OPENED = (
    0x80000001, 0x80000002, 0x80000003, 0x80000004, 0x80000006,
)  # fmt: skip
_TTY_ALLOC_FAIL = 0x80000008
_VERSION = 4
_LOCAL = 1
_STREAMLOCAL = 0xFFFFFFFE  # the port -2 says that the address is a path
_NO_ESCAPE = 0xFFFFFFFF
_MAX_PACKET = 256 * 1024
#: Seconds a program gets to say its last word after it closed its output.
_LAST_WORD = 2.0


class NoMaster(Exception):
    """No master answers at the control path, or it denies us; log in to the host instead."""


@cache
def private_directory() -> str:
    """Return a directory for sockets, which keeps other users from connecting to them."""
    import tempfile

    # The first one is left over, and not there, where a session of the user has ended.
    for base in (os.environ.get("XDG_RUNTIME_DIR") or None, None):
        try:
            path = tempfile.mkdtemp(prefix="psops-", dir=base)
        except OSError as exc:
            reason = f"no directory for sockets can be made ({exc})"
            error = ChannelRefused(reason, remedy="let TMPDIR name one that may be written to")
            continue
        atexit.register(shutil.rmtree, path, ignore_errors=True)
        return path
    raise error


_numbers = itertools.count()


class MuxConnection:
    """One client of a master; each channel has its own forward or session."""

    def __init__(self, control_path: Path, timeout: float) -> None:
        self._path = control_path
        self._timeout = timeout
        self._control = _Control(control_path, timeout)
        self._open: dict[int, Callable[[], None]] = {}  # what ends each stream that is open

    def open_streamlocal(self, remote: str) -> SocketChannel:
        """Return a channel to a socket of the host; a refusal shows when it is first used."""
        sock, close = self._connect(remote, self._timeout)
        return SocketChannel(sock, lambda: ChannelRefused("the host closed the forward"), close)

    def open_unix(self, path: str, deadline: Deadline) -> TcpStream:
        """Return a stream to a Unix socket of the host.

        One that the host refuses looks to a client of a master as if it ended at once.
        """
        return TcpStream(*self._connect(path, max(deadline.remaining(), 0.001)))

    def _connect(self, remote: str, timeout: float) -> tuple[socket.socket, Callable[[], None]]:
        local = f"{private_directory()}/{next(_numbers)}"
        places = _string(local) + _word(_STREAMLOCAL) + _string(remote) + _word(_STREAMLOCAL)
        forward = _word(_LOCAL) + places
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        sock.settimeout(timeout)

        def close() -> None:
            sock.close()
            # Only now: a master that closes the forward first may not have accepted us yet.
            self._control.send(_CLOSE_FWD, forward)
            with contextlib.suppress(OSError):
                os.unlink(local)  # noqa: PTH108

        try:
            self._control.request(_OPEN_FWD, forward)
            sock.connect(local)
        except OSError as exc:
            close()
            raise ProtocolError(f"the master's forward does not answer ({exc})") from exc
        return sock, self._owned(close)

    def open_program(self, command: str) -> SocketChannel:
        """Return a channel to the standard input and output of a program on the host."""
        session = _Session(self._path, command, self._timeout)
        return SocketChannel(session.stdio, session.explain, self._owned(session.close))

    def open_tcp(self, host: str, port: int, deadline: Deadline) -> TcpStream:
        """Return a stream to a port as seen from the host."""
        try:
            return self._forward(host, port, deadline)
        except DeadlineExceeded:
            limit = f"no answer within {deadline.seconds:.3g} s"
            raise ConnectTimedOut(f"{host} port {port}: {limit}", remedy="") from None
        except ChannelRefused as exc:
            # A master does not tell a closed port from a forbidden forward; where its own
            # login went in, a port is open.
            if not self._forwards(deadline):
                raise ChannelRefused("sshd does not forward TCP there", remedy="") from exc
            raise ConnectRefused(f"{host} port {port}: connection refused", remedy="") from exc

    def _forward(self, host: str, port: int, deadline: Deadline) -> TcpStream:
        control = _Control(self._path, max(deadline.remaining(), 0.001))
        ours, theirs = socket.socketpair()
        body = _string("") + _string(host) + _word(port)
        try:
            control.request(_NEW_STDIO_FWD, body, (theirs.fileno(), theirs.fileno()))
        except BaseException:
            ours.close()
            control.close()
            raise
        finally:
            theirs.close()

        def close() -> None:
            ours.close()
            control.close()

        return TcpStream(ours, self._owned(close))

    def _forwards(self, deadline: Deadline) -> bool:
        """Tell whether the host forwards at all, tried with the port of its own sshd."""
        words = self.run("printenv SSH_CONNECTION", deadline).stdout.decode().split()
        if len(words) != 4 or not words[3].isdigit():
            return False
        try:
            self._forward(words[2], int(words[3]), deadline).close()
        except ChannelRefused:
            return False
        return True

    def run(self, command: str, deadline: Deadline) -> Finished:
        """Run a command line on the host and return what it gave."""
        session = _Session(self._path, command, self._timeout)
        try:
            return session.finish(deadline)
        finally:
            session.close()

    def start(self, command: str, *, subsystem: bool = False) -> "MuxProgram":
        """Return a program on the host while it runs."""
        session = _Session(self._path, command, self._timeout, subsystem=subsystem)
        return MuxProgram(session, self._owned(session.close))

    def close(self) -> None:
        """Leave the master as it was, without what was opened by it for us."""
        for key in list(self._open):
            self._end(key)
        self._control.settle()
        self._control.close()

    def _owned(self, close: Callable[[], None]) -> Callable[[], None]:
        """Return what ends a stream, once; else this connection does so when it is closed."""
        key = next(_numbers)
        self._open[key] = close
        return lambda: self._end(key)

    def _end(self, key: int) -> None:
        if (close := self._open.pop(key, None)) is not None:
            close()


class MuxProgram(TcpStream):
    """A program on the host, read while it runs."""

    def __init__(self, session: "_Session", close: Callable[[], None]) -> None:
        super().__init__(session.stdio, close)
        self._session = session

    def finish(self, deadline: Deadline) -> Finished:
        """Return its status and standard error."""
        return self._session.end(Deadline(min(deadline.remaining(), _LAST_WORD)))


class _Control:
    """One connection to a master's control socket: requests and answers."""

    def __init__(self, path: Path, timeout: float) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(timeout)
        self._next_id = self._answered = 0
        # Checks open streams of one connection from several threads.
        self._lock = threading.RLock()
        try:
            self.sock.connect(str(path))
            # Both sides greet first, so the greeting needs no waiting for.
            self._write(_word(_HELLO) + _word(_VERSION))
            kind, version = struct.unpack_from(">II", self.read())
        except (OSError, HostError, struct.error) as exc:
            self.close()
            raise NoMaster(str(exc)) from exc
        if (kind, version) != (_HELLO, _VERSION):
            self.close()
            raise NoMaster(f"it speaks another protocol (version {version})")

    def request(self, kind: int, body: bytes, fds: tuple[int, ...] = ()) -> bytes:
        """Send a request and return the rest of its answer; raises `HostError` on refusal."""
        with self._lock:
            self.send(kind, body)
            for fd in fds:  # the master takes them one message each
                ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [fd]))]
                self.sock.sendmsg([b"\0"], ancillary)
            status, answer = self._answer()
        if status in (_OK, _SESSION_OPENED):
            return answer[8:]
        (size,) = struct.unpack_from(">I", answer, 8) if len(answer) >= 12 else (0,)
        reason = answer[12 : 12 + size].decode(errors="replace")
        if status == _DENIED:
            raise NoMaster(f"it denies the request ({reason})")
        what = "refuses" if status == _FAILURE else "does not understand"
        raise ChannelRefused(f"the ssh master {what} the request ({reason})")

    def _answer(self) -> tuple[int, bytes]:
        """Return the answer to the last request; those to what was only sent come before it."""
        while True:
            answer = self.read()
            if len(answer) < 8:
                raise ProtocolError("the ssh master's answer is too short")
            status, request = struct.unpack_from(">II", answer)
            if request >= self._next_id:
                self._answered = request
                return status, answer

    def send(self, kind: int, body: bytes) -> None:
        """Send a request; a master that is gone shows when the answer is read."""
        with self._lock, contextlib.suppress(OSError):
            self._next_id += 1
            self._write(_word(kind) + _word(self._next_id) + body)

    def read(self) -> bytes:
        """Return the next packet."""
        (size,) = struct.unpack(">I", self._exactly(4))
        if size > _MAX_PACKET:
            raise ProtocolError(f"the ssh master announces a packet of {size} bytes")
        return self._exactly(size)

    def settle(self) -> None:
        """Wait until what was only sent is done: a master stops where it cannot answer."""
        if self._answered < self._next_id:
            with contextlib.suppress(HostError, OSError), self._lock:
                self.sock.settimeout(_LAST_WORD)
                self._answer()

    def close(self) -> None:
        self.sock.close()

    def _write(self, packet: bytes) -> None:
        self.sock.sendall(_word(len(packet)) + packet)

    def _exactly(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            try:
                more = self.sock.recv(count - len(data))
            except TimeoutError:
                raise DeadlineExceeded("the ssh master does not answer") from None
            if not more:
                raise ProtocolError("the ssh master closed the connection")
            data += more
        return data


class _Session:
    """A program on the host, its streams connected to ours by the master."""

    def __init__(
        self, path: Path, command: str, timeout: float, *, subsystem: bool = False
    ) -> None:
        self._control = _Control(path, timeout)
        self.stdio, theirs = socket.socketpair()
        self._errors = Complaints()
        term = os.environ.get("TERM", "dumb")
        flags = _word(0) * 3 + _word(subsystem)  # no tty, no X11, no agent
        body = _string("") + flags + _word(_NO_ESCAPE) + _string(term) + _string(command)
        fds = (theirs.fileno(), theirs.fileno(), self._errors.fileno())
        try:
            self._control.request(_NEW_SESSION, body, fds)
        except BaseException:
            self.close()
            raise
        finally:
            theirs.close()
            self._errors.hand_over()

    def finish(self, deadline: Deadline) -> Finished:
        """Return what the program gave, once it has ended."""
        with contextlib.suppress(OSError):
            self.stdio.shutdown(socket.SHUT_WR)
        return self.end(deadline, read_to_end(self.stdio, deadline))

    def end(self, deadline: Deadline, output: bytes = b"") -> Finished:
        """Return how the program ended, once it has closed its output."""
        self._control.sock.settimeout(max(deadline.remaining(), 0.001))
        status = self._status()
        return Finished(status, output, self._errors.text(min(deadline.remaining(), _LAST_WORD)))

    def explain(self) -> HostError:
        """Return what it means that the program ended."""
        status = self._status()
        text = self._errors.text(_LAST_WORD).decode(errors="replace").strip()
        return explain_bridge(status, text)

    def close(self) -> None:
        self._control.close()
        self.stdio.close()

    def _status(self) -> int:
        with contextlib.suppress(HostError, OSError):
            while True:
                packet = self._control.read()
                kind, _session, value = struct.unpack(">III", packet[:12].ljust(12, b"\0"))
                if kind == _EXIT:
                    return int(value)
        return -1


def _word(value: int) -> bytes:
    return struct.pack(">I", value)


def _string(text: str) -> bytes:
    data = os.fsencode(text)
    return _word(len(data)) + data
