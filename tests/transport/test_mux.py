"""An open ControlMaster as a way: a small one that keeps to OpenSSH's PROTOCOL.mux."""

import array
import contextlib
import os
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from psops.deadline import Deadline
from psops.errors import ChannelRefused, HostError
from psops.transport import MOST_WORDS, Channel, mux
from psops.transport.mux import MuxConnection

_HELLO, _NEW_SESSION, _OPEN_FWD, _CLOSE_FWD = 0x1, 0x10000002, 0x10000006, 0x10000007
_OK, _EXIT, _SESSION_OPENED = 0x80000001, 0x80000004, 0x80000006


class Master:
    """Forwards lead to what sends back all it is told; programs run here."""

    def __init__(self, path: Path) -> None:
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen()
        self.forwards: dict[str, socket.socket] = {}
        self.streams: list[socket.socket] = []
        self.clients: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                self.clients.append(self._listener.accept()[0])
                threading.Thread(target=self._serve, args=self.clients[-1:], daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError, EOFError):
            _answer(client, struct.pack(">II", _HELLO, 4))
            while True:
                packet = _packet(client)
                kind, number = struct.unpack_from(">II", packet)
                if kind == _OPEN_FWD:
                    self._forward(_text(packet, 12))
                elif kind == _CLOSE_FWD:
                    self.forwards.pop(_text(packet, 12)).close()
                if kind in (_OPEN_FWD, _CLOSE_FWD):
                    _answer(client, struct.pack(">II", _OK, number))
                elif kind == _NEW_SESSION:
                    self._session(client, number, packet)

    def _forward(self, path: str) -> None:
        self.forwards[path] = listener = socket.socket(socket.AF_UNIX)
        listener.bind(path)
        listener.listen()

        def echo() -> None:
            with contextlib.suppress(OSError):
                stream, _ = listener.accept()
                self.streams.append(stream)
                while data := stream.recv(4096):
                    stream.sendall(data)
                stream.close()

        threading.Thread(target=echo, daemon=True).start()

    def _session(self, client: socket.socket, number: int, packet: bytes) -> None:
        fds: list[int] = []
        for _ in range(3):
            _, ancillary, _, _ = client.recvmsg(1, socket.CMSG_SPACE(4))
            fds += array.array("i", ancillary[0][2])
        command = packet.rpartition(b"\0\0\0")[2][1:]
        _answer(client, struct.pack(">III", _SESSION_OPENED, number, 1))
        program = subprocess.Popen(["sh", "-c", command], stdin=fds[0], stdout=fds[1],
                                   stderr=fds[2])  # fmt: skip
        for fd in fds:
            os.close(fd)
        _answer(client, struct.pack(">III", _EXIT, 1, program.wait()))

    def close(self) -> None:
        """End it."""
        for one in (self._listener, *self.clients, *self.streams, *self.forwards.values()):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()


def _answer(client: socket.socket, body: bytes) -> None:
    client.sendall(struct.pack(">I", len(body)) + body)


def _packet(client: socket.socket) -> bytes:
    head = client.recv(4, socket.MSG_WAITALL)
    if len(head) < 4:
        raise EOFError
    return client.recv(struct.unpack(">I", head)[0], socket.MSG_WAITALL)


def _text(packet: bytes, at: int) -> str:
    (size,) = struct.unpack_from(">I", packet, at)
    return os.fsdecode(packet[at + 4 : at + 4 + size])


@pytest.fixture
def master(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Master]:
    """Give a master; forwards get a directory of this test's own."""
    (tmp_path / "run").mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    mux.private_directory.cache_clear()
    found = Master(tmp_path / "master")
    yield found
    found.close()
    mux.private_directory.cache_clear()


@pytest.fixture
def connection(master: Master, tmp_path: Path) -> Iterator[MuxConnection]:
    """Give a connection to it."""
    found = MuxConnection(tmp_path / "master", 60.0)
    yield found
    found.close()


def _said(channel: Channel) -> bytes:
    channel.send(b"hello", Deadline(60))
    return channel.receive(Deadline(60))


def _until_gone(master: Master) -> None:
    """Wait until the master has no forward any more."""
    deadline = Deadline(60)
    while master.forwards and not deadline.passed():
        time.sleep(0.01)
    assert master.forwards == {}


def test_forward_ends_with_its_channel(master: Master, connection: MuxConnection) -> None:
    channel = connection.open_streamlocal("/run/dbus/system_bus_socket")
    assert _said(channel) == b"hello"
    assert len(master.forwards) == 1
    channel.close()
    _until_gone(master)
    connection.close()


def test_connection_takes_all_it_has_opened_with_it(
    master: Master, connection: MuxConnection, tmp_path: Path
) -> None:
    channels = [connection.open_streamlocal("/a"), connection.open_streamlocal("/b")]
    stream = connection.open_unix("/c", Deadline(60))
    assert [_said(channel) for channel in channels] == [b"hello", b"hello"]
    connection.close()
    _until_gone(master)
    assert [list(place.iterdir()) for place in (tmp_path / "run").iterdir()] == [[]]
    with pytest.raises(HostError):
        channels[0].send(b"hello", Deadline(60))
    channels[0].close()
    stream.close()


def test_connection_ends_the_programs_it_has_begun(
    master: Master, connection: MuxConnection
) -> None:
    channel = connection.open_program("cat")
    assert _said(channel) == b"hello"
    connection.close()
    with pytest.raises(HostError):
        channel.send(b"hello", Deadline(60))


def test_of_a_program_s_complaints_the_end_is_kept(connection: MuxConnection) -> None:
    command = "head -c 1000000 /dev/zero >&2; echo last >&2; echo out; exit 3"
    done = connection.run(command, Deadline(60))
    assert (done.status, done.stdout) == (3, b"out\n")
    assert done.stderr.endswith(b"last\n")
    assert len(done.stderr) == MOST_WORDS


@pytest.mark.parametrize("left", ["gone", "no/directory"])
def test_runtime_directory_of_a_session_that_has_ended_is_not_used(
    connection: MuxConnection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, left: str
) -> None:
    (tmp_path / "no").write_text("")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / left))
    assert _said(connection.open_streamlocal("/a")) == b"hello"


def test_no_directory_at_all_is_an_error_of_the_host(
    connection: MuxConnection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "gone"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "gone"))
    with pytest.raises(ChannelRefused, match="no directory"):
        connection.open_streamlocal("/a")
