"""A server that ends, refuses or does not answer while a program is to begin."""

import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import paramiko  # noqa: TID253 - a server of its kind can be made to misbehave
import pytest

from psops.deadline import Deadline
from psops.errors import ChannelRefused, DeadlineExceeded, HostError
from psops.inventory import Host
from psops.transport import MOST_WORDS, Finished, Options
from psops.transport.mux import NoMaster
from psops.transport.native import NativeConnection, _QuickSocket, _Transport
from psops.transport.sftp import open_sftp
from psops.transport.ssh import SshConnection

Use = Callable[[NativeConnection], object]
#: A server, and what gives a login to it that waits so many seconds for a channel.
Logged = tuple["Server", Callable[[float], NativeConnection]]
USES: dict[str, Use] = {
    "run": lambda login: login.run("true", Deadline(0.5)),
    "program": lambda login: login.open_program("systemd-stdio-bridge"),
    "files": lambda login: open_sftp(
        lambda: login.start("sftp", subsystem=True), login.start, sudo=False, deadline=Deadline(5)
    ),
}


class Server(paramiko.ServerInterface):
    """Lets everybody in; what it does when a program is wanted is up to the test."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.over = threading.Event()
        self.answer: Callable[[], bool] = lambda: True
        self.program: Callable[[paramiko.Channel], None] | None = None

    def check_auth_none(self, username: str) -> int:
        return paramiko.common.AUTH_SUCCESSFUL

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return paramiko.common.OPEN_SUCCEEDED

    def check_channel_exec_request(self, channel: paramiko.Channel, command: bytes) -> bool:
        if self.program is not None:
            threading.Thread(target=self.program, args=(channel,), daemon=True).start()
        return self.answer()

    def check_channel_subsystem_request(self, channel: paramiko.Channel, name: str) -> bool:
        return self.answer()

    def drop(self) -> bool:
        self.sock.shutdown(socket.SHUT_RDWR)
        return True

    def hang(self) -> bool:
        return self.over.wait()

    def complain(self, channel: paramiko.Channel) -> None:
        """Complain of much, and then of what matters."""
        channel.sendall_stderr(b"." * 1_000_000 + b"last")
        channel.send_exit_status(1)
        channel.close()


@pytest.fixture
def server() -> Iterator[Logged]:
    """Give a server and a login to it."""
    ours, theirs = socket.socketpair()
    there = paramiko.Transport(theirs)
    there.add_server_key(paramiko.ECDSAKey.generate())
    found = Server(theirs)
    there.start_server(event=threading.Event(), server=found)
    sock = _QuickSocket(ours)
    transport = _Transport(sock)
    transport.start_client(timeout=60)
    transport.auth_none("anybody")
    yield found, lambda seconds: NativeConnection(transport, sock, seconds)
    found.over.set()
    sock.hang_up()
    there.close()


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("answer", ["drop", "refuse"])
def test_server_that_begins_no_program(server: Logged, use: str, answer: str) -> None:
    there, login = server
    there.answer = there.drop if answer == "drop" else lambda: False
    with pytest.raises(ChannelRefused, match="cannot run a program there"):
        USES[use](login(60.0))


@pytest.mark.parametrize("use", USES)
def test_server_that_does_not_answer_is_given_up(server: Logged, use: str) -> None:
    there, login = server
    there.answer = there.hang
    with pytest.raises(DeadlineExceeded):
        USES[use](login(60.0 if use == "run" else 0.5))


def test_of_a_program_s_complaints_the_end_is_kept(server: Logged) -> None:
    there, login = server
    there.program = there.complain
    done = login(60.0).run("true", Deadline(60))
    assert done.stderr.endswith(b"last")
    assert len(done.stderr) == MOST_WORDS


class Gone:
    """What is left of a master that has ended."""

    def __getattr__(self, name: str) -> Callable[..., object]:
        def refuse(*words: object, **more: object) -> object:
            raise NoMaster("it has ended")

        return (lambda: None) if name == "close" else refuse


class Login(Gone):
    """A login that can run programs."""

    def run(self, command: str, deadline: Deadline) -> Finished:
        return Finished(0, command.encode(), b"")


def over(log_in: Callable[[], Any]) -> SshConnection:
    gone: Any = Gone()
    return SshConnection(Host(name="h"), Options(), gone, log_in, address="h", behind="")


def test_program_is_run_by_a_login_when_the_master_has_ended() -> None:
    logins: list[Login] = []

    def log_in() -> Login:
        logins.append(Login())
        return logins[-1]

    connection = over(log_in)
    connection.ping(Deadline(1))
    assert connection.run(("echo", "a b"), Deadline(1)).stdout == b"echo 'a b'"
    assert len(logins) == 1


def test_what_a_master_has_opened_lasts_although_it_opens_no_more() -> None:
    closed: list[str] = []

    class Master(Gone):
        def close(self) -> None:
            closed.append("master")

    there: Any = Master()
    login: Any = Login
    connection = SshConnection(Host(name="h"), Options(), there, login, address="h", behind="")
    assert connection.run(("true",), Deadline(1)).stdout == b"true"
    assert closed == []
    connection.close()
    assert closed == ["master"]


def test_host_that_is_gone_with_its_master_is_an_error_of_the_host() -> None:
    def log_in() -> Login:
        raise ChannelRefused("gone")

    connection = over(log_in)
    for use in (connection.ping, lambda limit: connection.run(("true",), limit)):
        with pytest.raises(HostError, match="gone"):
            use(Deadline(1))
