"""The files of a host by its SFTP server, over the streams of a program there.

Version 3, the one that every server speaks: draft-ietf-secsh-filexfer-02.
"""

import errno
import stat
import struct
from collections.abc import Callable
from typing import NoReturn

from psops.deadline import Deadline
from psops.errors import ChannelRefused, ConnectRefused, HostError, ProtocolError
from psops.transport import Attributes, Running

_INIT, _VERSION, _OPEN, _CLOSE, _READ, _FSTAT = 1, 2, 3, 4, 5, 8
_OPENDIR, _READDIR, _STAT = 11, 12, 17
_STATUS, _HANDLE, _DATA, _NAME, _ATTRS = 101, 102, 103, 104, 105
_EOF, _NO_SUCH_FILE, _PERMISSION_DENIED = 1, 2, 3
_READABLE = 1
_SIZE, _OWNER, _MODE, _TIMES = 1, 2, 4, 8
#: What each server gives at least in one answer; several are asked for at once.
_PIECE = 32768
_MOST_PACKET = 1 << 20
_MOST_NAMES = 100_000
#: Where sshd's own server is, for sudo; the first is Debian's, the second that of EL.
_SERVERS = ("/usr/lib/openssh/sftp-server", "/usr/libexec/openssh/sftp-server",
            "/usr/lib/ssh/sftp-server")  # fmt: skip


def open_sftp(
    subsystem: Callable[[], Running],
    start: Callable[[str], Running],
    *,
    sudo: bool,
    deadline: Deadline,
) -> "SftpFiles":
    """Return the files by the host's subsystem, or with sudo by the first server there is."""
    ways = [subsystem]
    if sudo:
        ways = [lambda server=server: start(f"sudo -n {server}")  # type: ignore[misc]
                for server in _SERVERS]  # fmt: skip
    error: HostError | None = None
    for way in ways:
        program = way()
        try:
            return SftpFiles(program, deadline)
        except (ProtocolError, ChannelRefused, ConnectRefused) as exc:
            told = program.finish(Deadline(1.0)).stderr.decode(errors="replace").strip()
            error = ChannelRefused(
                f"no SFTP there ({told.splitlines()[-1] if told else exc})",
                remedy="allow sftp-server to sudo" if sudo else "see Subsystem in sshd_config",
            )
            program.close()
        except BaseException:
            program.close()
            raise
    assert error is not None
    raise error


class SftpFile:
    """A file that the server has open."""

    def __init__(self, files: "SftpFiles", handle: bytes) -> None:
        self._files = files
        self._handle = handle

    def read(self, offset: int, count: int, deadline: Deadline) -> bytes:
        """Return up to `count` bytes from an offset, asked for in pieces that travel together."""
        places = range(offset, offset + count, _PIECE)
        sizes = [min(_PIECE, offset + count - place) for place in places]
        answers = self._files.ask(
            [(_READ, _string(self._handle) + struct.pack(">QI", place, size))
             for place, size in zip(places, sizes, strict=True)],
            deadline,
        )  # fmt: skip
        data = bytearray()
        for size, (kind, body) in zip(sizes, answers, strict=True):
            if kind == _STATUS and _status(body) == _EOF:
                break
            piece = _take(body, 0)[0] if kind == _DATA else _fail(body)
            data += piece
            if len(piece) < size:  # the end; or a server that likes smaller pieces, read next
                break
        return bytes(data)

    def attributes(self, deadline: Deadline) -> Attributes:
        """Return what it is like now."""
        ((kind, body),) = self._files.ask([(_FSTAT, _string(self._handle))], deadline)
        return _attributes(body) if kind == _ATTRS else _fail(body)

    def close(self) -> None:
        """Close it."""
        self._files.leave(self._handle)


class SftpFiles:
    """One session with a server: requests and answers, used by one thread."""

    def __init__(self, program: Running, deadline: Deadline) -> None:
        self._program = program
        self._buffer = bytearray()
        self._next = 0
        self._left: set[int] = set()  # requests whose answers nobody waits for
        program.send(_packet(_INIT, struct.pack(">I", 3)), deadline)
        kind, _ = self._packet(deadline)
        if kind != _VERSION:
            raise ProtocolError("this is no SFTP server")

    def open(self, path: str, deadline: Deadline) -> SftpFile:
        """Return a file; one that is no regular file is an `OSError`."""
        body = _string(path.encode(errors="surrogateescape")) + struct.pack(">II", _READABLE, 0)
        ((kind, answer),) = self.ask([(_OPEN, body)], deadline)
        return SftpFile(self, _take(answer, 0)[0]) if kind == _HANDLE else _fail(answer, path)

    def attributes(self, path: str, deadline: Deadline) -> Attributes:
        """Return what is at a path."""
        name = _string(path.encode(errors="surrogateescape"))
        ((kind, body),) = self.ask([(_STAT, name)], deadline)
        return _attributes(body) if kind == _ATTRS else _fail(body, path)

    def names(self, directory: str, deadline: Deadline) -> tuple[str, ...]:
        """Return the names in a directory."""
        name = _string(directory.encode(errors="surrogateescape"))
        ((kind, body),) = self.ask([(_OPENDIR, name)], deadline)
        if kind != _HANDLE:
            _fail(body, directory)
        handle = _take(body, 0)[0]
        names: list[str] = []
        while len(names) < _MOST_NAMES:
            ((kind, body),) = self.ask([(_READDIR, _string(handle))], deadline)
            if kind != _NAME:
                break
            found = _names(body)
            if not found:  # the end is told by a status; this would go on for ever
                raise ProtocolError("the SFTP server lists a directory without an end")
            names += found
        self.leave(handle)
        return tuple(name for name in names if name not in (".", ".."))

    def ask(self, requests: list[tuple[int, bytes]], deadline: Deadline) -> list[tuple[int, bytes]]:
        """Return kind and rest of the answer to each request; they travel together."""
        first = self._next
        self._next += len(requests)
        self._program.send(
            b"".join(_packet(kind, struct.pack(">I", first + at) + body)
                     for at, (kind, body) in enumerate(requests)), deadline
        )  # fmt: skip
        answers: dict[int, tuple[int, bytes]] = {}
        while len(answers) < len(requests):
            kind, body = self._packet(deadline)
            if len(body) < 4:
                raise ProtocolError("an answer of the SFTP server is too short")
            (number,) = struct.unpack_from(">I", body)
            if number in self._left:
                self._left.discard(number)
            elif first <= number < self._next:
                answers[number] = (kind, body[4:])
            else:
                raise ProtocolError("the SFTP server answers what nobody asked")
        return [answers[first + at] for at in range(len(requests))]

    def leave(self, handle: bytes) -> None:
        """Have a file or directory closed, without waiting for it."""
        self._left.add(self._next)
        body = struct.pack(">I", self._next) + _string(handle)
        self._next += 1
        try:
            self._program.send(_packet(_CLOSE, body), Deadline(1.0))
        except HostError:
            return  # the session has ended, and all handles with it

    def close(self) -> None:
        """End the server."""
        self._program.close()

    def _packet(self, deadline: Deadline) -> tuple[int, bytes]:
        head = self._exactly(5, deadline)
        size, kind = struct.unpack(">IB", head)
        if not 1 <= size <= _MOST_PACKET:
            raise ProtocolError(f"an SFTP server announces a packet of {size} bytes")
        return kind, self._exactly(size - 1, deadline)

    def _exactly(self, count: int, deadline: Deadline) -> bytes:
        while len(self._buffer) < count:
            data = self._program.receive(deadline)
            if not data:
                raise ChannelRefused("the SFTP session has ended", remedy="")
            self._buffer += data
        data = bytes(self._buffer[:count])
        del self._buffer[:count]
        return data


def _packet(kind: int, body: bytes) -> bytes:
    return struct.pack(">IB", len(body) + 1, kind) + body


def _string(data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + data


def _take(body: bytes, at: int) -> tuple[bytes, int]:
    try:
        (size,) = struct.unpack_from(">I", body, at)
    except struct.error:
        raise ProtocolError("an answer of the SFTP server is too short") from None
    return body[at + 4 : at + 4 + size], at + 4 + size


def _status(body: bytes) -> int:
    return int.from_bytes(body[:4], "big")


def _fail(body: bytes, path: str = "") -> NoReturn:
    code = _status(body)
    text = _take(body, 4)[0].decode(errors="replace") if len(body) >= 8 else f"status {code}"
    if code == _NO_SUCH_FILE:
        raise FileNotFoundError(errno.ENOENT, text, path)
    if code == _PERMISSION_DENIED:
        raise PermissionError(errno.EACCES, text, path)
    raise OSError(errno.EIO, text, path)


def _attributes(body: bytes, at: int = 0) -> Attributes:
    return _read_attributes(body, at)[0]


def _read_attributes(body: bytes, at: int) -> tuple[Attributes, int]:
    try:
        (flags,) = struct.unpack_from(">I", body, at)
        at += 4
        size = mode = mtime = 0
        if flags & _SIZE:
            (size,) = struct.unpack_from(">Q", body, at)
            at += 8
        if flags & _OWNER:
            at += 8
        if flags & _MODE:
            (mode,) = struct.unpack_from(">I", body, at)
            at += 4
        if flags & _TIMES:
            _, mtime = struct.unpack_from(">II", body, at)
            at += 8
        if flags & 0x80000000:
            (count,) = struct.unpack_from(">I", body, at)
            at += 4
            for _ in range(2 * min(count, 64)):
                _, at = _take(body, at)
    except struct.error:
        raise ProtocolError("an answer of the SFTP server is too short") from None
    return Attributes(size, float(mtime), stat.S_ISDIR(mode)), at


def _names(body: bytes) -> list[str]:
    if len(body) < 4:
        raise ProtocolError("an answer of the SFTP server is too short")
    (count,) = struct.unpack_from(">I", body)
    at = 4
    names = []
    for _ in range(count):
        name, at = _take(body, at)
        _, at = _take(body, at)
        _, at = _read_attributes(body, at)
        names.append(name.decode(errors="surrogateescape"))
    return names
