"""Names with several addresses, some of which swallow packets or have no way to them."""

import contextlib
import socket
import time
from collections.abc import Callable, Iterator

import pytest

from psops.deadline import Deadline
from psops.errors import ConnectRefused, ConnectTimedOut
from psops.transport.dial import NoRoute, dial_tcp
from tests.checks.servers import black_hole

Lead = Callable[..., None]
#: An address to which no connection is made.
_NO_WAY = "255.255.255.255"


@pytest.fixture
def leads(monkeypatch: pytest.MonkeyPatch) -> Lead:
    """Give what lets a name have addresses, which no test can have put into the DNS."""
    real = socket.getaddrinfo

    def lead(*addresses: str) -> None:
        def found(name: str, port: int, **more: int) -> list[object]:
            assert name == "name"
            return [one for address in addresses for one in real(address, port, **more)]

        monkeypatch.setattr(socket, "getaddrinfo", found)

    return lead


@contextlib.contextmanager
def listening(address: str, port: int = 0) -> Iterator[int]:
    """Let somebody listen at an address."""
    with socket.socket() as listener:
        listener.bind((address, port))
        listener.listen()
        yield listener.getsockname()[1]


@pytest.fixture
def swallowed() -> Iterator[int]:
    """Give a port that swallows what is sent to it at 127.0.0.1."""
    with black_hole() as port:
        yield port


def test_address_that_swallows_packets_holds_up_the_next_one_for_a_moment(
    leads: Lead, swallowed: int
) -> None:
    leads("127.0.0.1", "127.0.0.2")
    seen: list[tuple[str, str]] = []
    with listening("127.0.0.2", swallowed):
        begin = time.monotonic()
        dialled = dial_tcp("name", swallowed, Deadline(60), lambda *step: seen.append(step))
        assert 0.2 < time.monotonic() - begin < 20
        assert dialled.seconds < time.monotonic() - begin - 0.2
        assert dialled.sock.getpeername()[0] == "127.0.0.2"
        dialled.sock.close()
    assert seen == [("resolve", "127.0.0.1"), ("tcp", "127.0.0.2")]


def test_first_address_is_not_given_up_for_the_next_one(leads: Lead, swallowed: int) -> None:
    leads("127.0.0.2", "127.0.0.1")
    with listening("127.0.0.2", swallowed):
        dialled = dial_tcp("name", swallowed, Deadline(60))
        assert dialled.sock.getpeername()[0] == "127.0.0.2"
        dialled.sock.close()


def test_address_that_refuses_is_followed_by_the_next_one_at_once(leads: Lead) -> None:
    leads(*["127.0.0.3"] * 40, "127.0.0.2")
    with listening("127.0.0.2") as port:
        begin = time.monotonic()
        dial_tcp("name", port, Deadline(60)).sock.close()
        assert time.monotonic() - begin < 5  # 10 s, were they waited for


def test_families_take_turns(leads: Lead, swallowed: int) -> None:
    leads(*["127.0.0.1"] * 40, "::1")
    with contextlib.ExitStack() as stack:
        try:
            six = stack.enter_context(socket.socket(socket.AF_INET6))
            six.bind(("::1", swallowed))
        except OSError:
            pytest.skip("no IPv6 here")
        six.listen()
        begin = time.monotonic()
        dialled = dial_tcp("name", swallowed, Deadline(60))
        assert dialled.sock.getpeername()[0] == "::1"
        assert time.monotonic() - begin < 5  # 10 s, were the others tried first
        dialled.sock.close()


def test_all_that_swallow_packets_are_given_up_at_the_deadline(leads: Lead, swallowed: int) -> None:
    leads("127.0.0.1", "127.0.0.1")
    begin = time.monotonic()
    with pytest.raises(ConnectTimedOut, match=r"no answer within 0.6 s"):
        dial_tcp("name", swallowed, Deadline(0.6))
    assert time.monotonic() - begin < 20


@pytest.mark.parametrize("first", ["127.0.0.1", _NO_WAY])
def test_refusal_says_more_than_silence(leads: Lead, swallowed: int, first: str) -> None:
    for addresses in ((first, "127.0.0.2"), ("127.0.0.2", first)):
        leads(*addresses)
        with pytest.raises(ConnectRefused, match="connection refused"):
            dial_tcp("name", swallowed, Deadline(0.6))


def test_address_to_which_there_is_no_way_is_told_where_there_is_no_other(leads: Lead) -> None:
    leads(_NO_WAY)
    with pytest.raises(NoRoute):
        dial_tcp("name", 9, Deadline(60))
