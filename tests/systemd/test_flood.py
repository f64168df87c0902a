"""A bus that never stops to send what nobody asked for."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from psops.client import Client
from psops.deadline import Deadline
from psops.demo.template import render
from psops.errors import DeadlineExceeded
from psops.systemd import codec, manager
from psops.systemd.codec import Message
from psops.transport.stream import SocketChannel

_BUS = ":1.0"
#: So much at a time that the kernel has always more to give.
_OF_A_STRANGER = render([
    Message(codec.SIGNAL, 7, "/", "a.b", "C", sender=":1.66")
]).fill(()) * 500_000  # fmt: skip


def _replies(*serials: int) -> bytes:
    made = [Message(codec.METHOD_RETURN, 7, reply_serial=one, sender=_BUS) for one in serials]
    return render(made).fill(())


@pytest.fixture
def channel() -> Iterator[SocketChannel]:
    """Give a channel to a bus that greets, answers two calls, and floods us then."""
    ours, theirs = socket.socketpair()

    def flood() -> None:
        with contextlib.suppress(OSError):
            theirs.sendall(b"DATA\r\nOK 7\r\n" + _replies(1, 2))
            while True:
                theirs.sendall(_OF_A_STRANGER)

    thread = threading.Thread(target=flood)
    thread.start()
    found = SocketChannel(ours)
    yield found
    found.close()
    thread.join()
    theirs.close()


def test_deadline_of_a_call_holds_although_bytes_come(channel: SocketChannel) -> None:
    client = Client(channel, Deadline(60))
    client.call([manager.list_units()])
    begin = time.monotonic()
    with pytest.raises(DeadlineExceeded):
        client.call([manager.list_units()], Deadline(0.5))
    assert time.monotonic() - begin < 20


def test_deadline_of_a_signal_holds_although_those_of_others_come(channel: SocketChannel) -> None:
    client = Client(channel, Deadline(60))
    client.call([manager.list_units()])
    with pytest.raises(DeadlineExceeded):
        client.signals(Deadline(0.5))
