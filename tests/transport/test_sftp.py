"""A server of files may send what it likes; only what makes sense is believed."""

import os
import shutil
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from psops.deadline import Deadline
from psops.errors import HostError, ProtocolError
from psops.transport import Finished
from psops.transport.program import Program
from psops.transport.sftp import SftpFiles, open_sftp
from tests.lab import Lab

SERVER = "/usr/lib/openssh/sftp-server"
_VERSION = b"\0\0\0\x05\x02\0\0\0\x03"


class Canned:
    """A program that says some bytes, whatever it is sent."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def send(self, data: bytes, deadline: Deadline) -> None:
        """Take all bytes."""

    def receive(self, deadline: Deadline) -> bytes:
        """Return all there is, then the end."""
        data, self._data = self._data, b""
        return data

    def finish(self, deadline: Deadline) -> Finished:
        """Return how it ended."""
        return Finished(0, b"", b"")

    def close(self) -> None:
        """There is nothing to end."""


@given(st.binary(max_size=200))
def test_no_answer_upsets_the_client(data: bytes) -> None:
    files = SftpFiles(Canned(_VERSION + data), Deadline(1))
    for ask in (files.attributes, files.open, files.names):
        try:
            ask("/x", Deadline(1))
        except (HostError, OSError):
            continue


@given(st.sampled_from([101, 102, 103, 104, 105]), st.binary(max_size=60))
def test_no_content_of_an_answer_upsets_the_client(kind: int, body: bytes) -> None:
    packet = struct.pack(">IBI", len(body) + 5, kind, 0) + body
    for name in ("attributes", "open", "names"):
        files = SftpFiles(Canned(_VERSION + packet), Deadline(1))
        try:
            getattr(files, name)("/x", Deadline(1))
        except (HostError, OSError):
            continue


class Endless(Canned):
    """A server that lists a directory by answers without a name."""

    def __init__(self, body: bytes) -> None:
        super().__init__(_VERSION + struct.pack(">IBIIB", 10, 102, 0, 1, 7))
        self._body = body
        self._answers = 0

    def receive(self, deadline: Deadline) -> bytes:
        """Return what comes first, then such answers."""
        if data := super().receive(deadline):
            return data
        self._answers += 1
        assert self._answers < 10, "asked again and again"
        return struct.pack(">IBI", len(self._body) + 5, 104, self._answers) + self._body


@pytest.mark.parametrize("body", [b"", b"\0\0\0", b"\0\0\0\0"])
def test_names_that_are_none_are_an_error_of_the_protocol(body: bytes) -> None:
    files = SftpFiles(Endless(body), Deadline(1))
    with pytest.raises(ProtocolError):
        files.names("/x", Deadline(1))


def test_what_is_no_server_is_told() -> None:
    def says_hello() -> Program:
        return Program(("sh", "-c", "echo hello; echo not here >&2"))

    with pytest.raises(HostError, match="no SFTP there"):
        open_sftp(says_hello, lambda command: Program((command,)), sudo=False, deadline=Deadline(5))


@pytest.mark.lab
def test_openssh_s_server_gives_what_is_in_its_files(lab: Lab) -> None:
    host = lab.host(8)
    place = f"/tmp/sftp-{os.getpid()}"
    there = Path(f"{host.root}{place}")
    there.mkdir()
    data = bytes(range(256)) * 4000
    (there / "big").write_bytes(data)
    (there / "link").symlink_to("big")
    enter = ("nsenter", f"--target={host.leader_pid}", "--mount", "--")
    files = SftpFiles(Program((*enter, SERVER)), Deadline(5))
    try:
        assert sorted(files.names(place, Deadline(5))) == ["big", "link"]
        assert files.attributes(f"{place}/link", Deadline(5)).size == len(data)
        assert files.attributes(place, Deadline(5)).directory
        file = files.open(f"{place}/link", Deadline(5))
        assert file.read(0, len(data) + 9, Deadline(5)) == data
        assert file.read(1000, 70_000, Deadline(5)) == data[1000:71_000]
        assert file.read(len(data), 10, Deadline(5)) == b""
        assert file.attributes(Deadline(5)).size == len(data)
        file.close()
        with pytest.raises(FileNotFoundError):
            files.open(f"{place}/none", Deadline(5))
        with pytest.raises(FileNotFoundError):
            files.names(f"{place}/none", Deadline(5))
    finally:
        files.close()
        shutil.rmtree(there)
