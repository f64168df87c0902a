"""One D-Bus connection as a protocol, against the bytes of a real bus and against nonsense."""

from collections.abc import Iterable

import pytest

from psops.demo.template import render
from psops.errors import BusError, DeadlineExceeded, NoBus, NotSystemd, ProtocolError
from psops.systemd import codec, jobs, manager
from psops.systemd.bus import Call, Session, as_host_error
from psops.systemd.codec import Message

CALLS = (
    manager.get_manager_property("SystemState"),
    manager.list_units_by_names(["zoo.service"]),
    manager.get_unit_property("zoo.service", "NRestarts"),
)
ROW = ("zoo.service", "zoo.service", "not-found", "inactive", "dead", "",
       "/org/freedesktop/systemd1/unit/zoo_2eservice", 0, "", "/")  # fmt: skip
REPLIES = [("degraded",), ((ROW,),), (0,)]

# What dbus-daemon 1.14 and systemd 252 sent in answer to Hello and CALLS.
GREETING = b"DATA\r\nOK 73e25e296f169e5f812147206b00d243\r\n"
HELLO = (
    b"l\x02\x01\x01\n\0\0\0\x01\0\0\0=\0\0\0\x06\x01s\0\x05\0\0\0:1.62\0\0\0\x05\x01u\0\x01\0\0\0"
    b"\x08\x01g\0\x01s\0\0\x07\x01s\0\x14\0\0\0org.freedesktop.DBus\0\0\0\0\x05\0\0\0:1.62\0"
)
NAME_ACQUIRED = (
    b"l\x04\x01\x01\n\0\0\0\x02\0\0\0\x8d\0\0\0\x01\x01o\0\x15\0\0\0/org/freedesktop/DBus\0\0\0"
    b"\x02\x01s\0\x14\0\0\0org.freedesktop.DBus\0\0\0\0\x03\x01s\0\x0c\0\0\0NameAcquired\0\0\0\0"
    b"\x06\x01s\0\x05\0\0\0:1.62\0\0\0\x08\x01g\0\x01s\0\0\x07\x01s\0\x14\0\0\0"
    b"org.freedesktop.DBus\0\0\0\0\x05\0\0\0:1.62\0"
)
STATE = (
    b"l\x02\x01\x01\x11\0\0\0\xe0\x0b\0\0-\0\0\0\x05\x01u\0\x02\0\0\0\x06\x01s\0\x05\0\0\0:1.62"
    b"\0\0\0\x08\x01g\0\x01v\0\0\x07\x01s\0\x04\0\0\0:1.0\0\0\0\0\x01s\0\0\x08\0\0\0degraded\0"
)
ROWS = (
    b"l\x02\x01\x01\xa2\0\0\0\xe1\x0b\0\0=\0\0\0\x05\x01u\0\x03\0\0\0\x06\x01s\0\x05\0\0\0:1.62"
    b"\0\0\0\x08\x01g\0\ra(ssssssouso)\0\0\0\0\0\0\x07\x01s\0\x04\0\0\0:1.0\0\0\0\0\x9a\0\0\0"
    b"\0\0\0\0\x0b\0\0\0zoo.service\0\x0b\0\0\0zoo.service\0\t\0\0\0not-found\0\0\0\x08\0\0\0"
    b"inactive\0\0\0\0\x04\0\0\0dead\0\0\0\0\0\0\0\0\0\0\0\0,\0\0\0"
    b"/org/freedesktop/systemd1/unit/zoo_2eservice\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\0\0\0/\0"
)
RESTARTS = (
    b"l\x02\x01\x01\x08\0\0\0\xe4\x0b\0\0-\0\0\0\x05\x01u\0\x04\0\0\0\x06\x01s\0\x05\0\0\0:1.62"
    b"\0\0\0\x08\x01g\0\x01v\0\0\x07\x01s\0\x04\0\0\0:1.0\0\0\0\0\x01u\0\0\0\0\0\0"
)


def asked(calls: Iterable[Call] = CALLS) -> Session:
    """Give a session that has sent these calls."""
    session = Session()
    session.send(tuple(calls))
    return session


def error(reply_serial: int, name: str, text: str) -> bytes:
    """Give an error reply."""
    return codec.encode(
        Message(codec.ERROR, 9, error_name=name, reply_serial=reply_serial, signature="s",
                body=(text,))
    )  # fmt: skip


def test_first_write_carries_handshake_hello_and_calls() -> None:
    sent = Session().send(CALLS)
    handshake, _, rest = sent.partition(b"BEGIN\r\n")
    assert handshake == b"\0AUTH EXTERNAL\r\nDATA\r\n"
    members = []
    while rest:
        size = codec.length(rest)
        assert size is not None
        message, rest = codec.decode(rest[:size]), rest[size:]
        members.append((message.serial, message.member))
    assert members == [(1, "Hello"), (2, "Get"), (3, "ListUnitsByNames"), (4, "Get")]


def test_equal_batches_are_equal_bytes_on_all_connections() -> None:
    assert Session().send(CALLS) == Session().send(list(CALLS))


@pytest.mark.parametrize("size", [10_000, 1, 7], ids=["whole", "byte by byte", "in sevens"])
def test_replies_are_read_in_any_chunks(size: int) -> None:
    session = asked()
    data = GREETING + HELLO + NAME_ACQUIRED + STATE + ROWS + RESTARTS
    waiting = []
    for at in range(0, len(data), size):
        session.receive(data[at : at + size])
        waiting.append(session.waiting)
    assert waiting[-1] == 0
    assert waiting == sorted(waiting, reverse=True)
    assert session.replies() == REPLIES


def test_nothing_is_complete_before_the_last_byte() -> None:
    session = asked()
    session.receive(GREETING + HELLO + STATE + ROWS + RESTARTS[:-1])
    assert session.waiting == 1
    session.receive(RESTARTS[-1:])
    assert session.waiting == 0


def test_replies_out_of_order_are_matched_by_serial() -> None:
    session = asked()
    session.receive(GREETING + RESTARTS + ROWS + HELLO + STATE)
    assert session.waiting == 0
    assert session.replies() == REPLIES


def test_signals_in_between_are_ignored() -> None:
    session = asked()
    session.receive(GREETING + NAME_ACQUIRED + HELLO + STATE + NAME_ACQUIRED + ROWS + RESTARTS)
    assert session.replies() == REPLIES


def test_calls_from_the_bus_are_ignored() -> None:
    ping = Message(codec.METHOD_CALL, 5, "/", "org.freedesktop.DBus.Peer", "Ping", ":1.62")
    session = asked()
    session.receive(GREETING + HELLO + codec.encode(ping) + STATE + ROWS + RESTARTS)
    assert session.replies() == REPLIES


def test_error_reply_becomes_a_value() -> None:
    name = "org.freedesktop.DBus.Error.UnknownProperty"
    session = asked()
    session.receive(GREETING + HELLO + STATE + ROWS + error(4, name, "Unknown property NRestarts"))
    failed = session.replies()[2]
    assert isinstance(failed, BusError)
    assert (failed.name, str(failed)) == (name, "Unknown property NRestarts")


def test_error_without_text_shows_its_name() -> None:
    bare = Message(codec.ERROR, 9, error_name="a.b.Broken", reply_serial=2)
    session = asked(CALLS[:1])
    session.receive(GREETING + HELLO + codec.encode(bare))
    assert str(session.replies()[0]) == "a.b.Broken"


def test_second_batch_goes_without_handshake_and_with_new_serials() -> None:
    session = asked(CALLS[:1])
    session.receive(GREETING + HELLO + STATE)
    sent = session.send(CALLS[:1])
    assert codec.length(sent) == len(sent)
    assert codec.decode(sent).serial == 3
    session.receive(STATE.replace(b"\x05\x01u\0\x02", b"\x05\x01u\0\x03"))
    assert session.replies() == [("degraded",)]


def sent_calls(data: bytes) -> list[int]:
    """Give the serials of the calls in these bytes."""
    data = data.partition(b"BEGIN\r\n")[2] if data.startswith(b"\0") else data
    serials = []
    while data:
        size = codec.length(data)
        assert size is not None
        serials.append(codec.decode(data[:size]).serial)
        data = data[size:]
    return serials


def answered(serials: Iterable[int]) -> bytes:
    """Give empty replies to these calls."""
    return b"".join(codec.encode(Message(codec.METHOD_RETURN, 1, reply_serial=serial))
                    for serial in serials)  # fmt: skip


def test_large_batches_are_sent_as_far_as_a_bus_takes_them() -> None:
    session, everything = Session(), []
    serials = sent_calls(session.send(CALLS[:1] * 500))
    assert session.more() == b""
    session.receive(GREETING)
    while serials:
        everything += serials
        # A dbus-daemon refuses what is more than 128 unanswered calls.
        assert len(serials) <= 128
        session.receive(answered(serials))
        serials = sent_calls(session.more())
    assert everything == list(range(1, 502))
    assert session.waiting == 0
    assert session.replies() == [()] * 500


def test_replies_make_room_for_further_calls() -> None:
    session = Session()
    on_the_way = sent_calls(session.send(CALLS[:1] * 500))
    session.receive(GREETING)
    while session.waiting:
        session.receive(answered(on_the_way[:7]))
        on_the_way = on_the_way[7:] + sent_calls(session.more())
        assert len(on_the_way) <= 128
    assert on_the_way == []


def test_bus_that_rejects_the_user_is_no_bus() -> None:
    with pytest.raises(NoBus, match=r"refuses this user.*REJECTED EXTERNAL"):
        asked().receive(b"REJECTED EXTERNAL\r\n")


@pytest.mark.parametrize(
    "greeting",
    [
        b"Welcome to ps01, authorized use only\n",
        b"Debian GNU/Linux 12\r\n",
        b"/bin/sh: 1: systemd-stdio-bridge: not found\r\n",
        b'ERROR "Unknown command"\r\n',
        b"\x7fELF",
    ],
)
def test_greeting_that_is_no_bus_is_shown(greeting: bytes) -> None:
    shown = greeting.split(b" ")[0].strip().decode()
    with pytest.raises(ProtocolError, match="not a D-Bus greeting") as caught:
        asked().receive(greeting)
    assert repr(shown)[1:-1] in str(caught.value)


def test_greeting_without_end_is_refused() -> None:
    session = asked()
    session.receive(b"OK " + b"7" * 10_000)
    with pytest.raises(ProtocolError, match="not a D-Bus greeting"):
        session.receive(b"7" * 10_000)


def test_garbage_after_the_greeting_is_refused() -> None:
    with pytest.raises(ProtocolError, match="begins with b'Killed"):
        asked().receive(GREETING + b"Killed by signal 15.")


def test_message_that_lies_about_its_insides_is_refused() -> None:
    with pytest.raises(ProtocolError, match="cannot decode"):
        asked().receive(
            GREETING + HELLO.replace(b"\x05\0\0\0:1.62\0\0\0", b"\xff\0\0\0:1.62\0\0\0")
        )


@pytest.mark.parametrize("stranger", [STATE.replace(b"u\0\x02", b"u\0\x63"), HELLO + HELLO])
def test_reply_to_no_call_is_refused(stranger: bytes) -> None:
    with pytest.raises(ProtocolError, match=r"a reply to call \d+, which was never made"):
        asked().receive(GREETING + stranger)


HOST_ERRORS = [
    ("org.freedesktop.DBus.Error.ServiceUnknown", NotSystemd),
    ("org.freedesktop.DBus.Error.Spawn.ChildExited", NotSystemd),
    ("org.freedesktop.DBus.Error.NoReply", DeadlineExceeded),
    ("org.freedesktop.DBus.Error.Disconnected", NoBus),
    ("org.freedesktop.DBus.Error.AccessDenied", BusError),
]


@pytest.mark.parametrize(("name", "kind"), HOST_ERRORS)
def test_error_of_hello_is_raised_as_the_hosts(name: str, kind: type[Exception]) -> None:
    with pytest.raises(kind, match="not today"):
        asked().receive(GREETING + error(1, name, "not today"))


@pytest.mark.parametrize(("name", "kind"), HOST_ERRORS)
def test_errors_of_calls_can_be_told_from_errors_of_hosts(name: str, kind: type[Exception]) -> None:
    session = asked(CALLS[:1])
    session.receive(GREETING + HELLO + error(2, name, "not today"))
    (reply,) = session.replies()
    assert isinstance(reply, BusError)
    assert type(as_host_error(reply)) is kind


def test_more_calls_than_a_bus_takes_at_once_wait_for_replies() -> None:
    calls = [Call("a.b", "/", "a.b", f"M{number}") for number in range(300)]
    session = Session()
    sent = session.send(calls)
    assert b"M118" in sent
    assert b"M119" not in sent  # with Hello these are 120
    assert session.more() == b""
    session.receive(GREETING)
    asked_for = []
    for serial in range(1, 302):
        session.receive(codec.encode(Message(codec.METHOD_RETURN, 9, reply_serial=serial)))
        asked_for.append(session.more())
    later = b"".join(asked_for)
    assert all(f"M{number}\0".encode() in sent + later for number in range(300))
    assert session.waiting == 0
    assert len(session.replies()) == 300


BUS, SYSTEMD = "org.freedesktop.DBus", "org.freedesktop.systemd1"


def ended(sender: str | None, *, path: str = "/job/1") -> bytes:
    """Give the signal that tells the end of a job, sent by somebody."""
    return render([
        Message(codec.SIGNAL, 7, "/org/freedesktop/systemd1", f"{SYSTEMD}.Manager", "JobRemoved",
                signature="uoss", body=(1, path, "zoo.service", "done"), sender=sender)
    ]).fill(())  # fmt: skip


def owned_by(old: str, new: str, *, sender: str = BUS, name: str = SYSTEMD) -> bytes:
    """Give the signal that tells whose a name on the bus is now."""
    return render([
        Message(codec.SIGNAL, 7, "/org/freedesktop/DBus", BUS, "NameOwnerChanged",
                signature="sss", body=(name, old, new), sender=sender)
    ]).fill(())  # fmt: skip


def reply_from(sender: str | None, serial: int) -> bytes:
    """Give an empty reply, sent by somebody."""
    return render([Message(codec.METHOD_RETURN, 7, reply_serial=serial, sender=sender)]).fill(())


def senders(session: Session) -> list[str | None]:
    """Give whose signals are believed of those that came."""
    return [message.sender for message in session.signals()]


def test_signals_of_strangers_are_not_believed() -> None:
    session = asked(CALLS[:1])
    session.receive(GREETING + HELLO + STATE + ended(":1.66") + ended(":1.0") + ended(":1.66"))
    assert senders(session) == [":1.0"]


def test_signals_are_kept_until_it_is_known_who_systemd_is() -> None:
    session = asked(CALLS[:1])
    session.receive(GREETING + HELLO + ended(":1.66") + ended(":1.0") + STATE)
    assert senders(session) == [":1.0"]


def test_who_answers_for_the_bus_is_not_systemd() -> None:
    refused = render([Message(codec.ERROR, 9, error_name=f"{BUS}.Error.NoReply", reply_serial=3,
                              signature="s", body=("gone",), sender=BUS)]).fill(())  # fmt: skip
    session = asked(CALLS[:2])
    session.receive(GREETING + HELLO + STATE + refused + ended(":1.66") + ended(":1.0"))
    assert senders(session) == [":1.0"]


def test_systemd_that_begins_anew_is_believed_under_its_new_name() -> None:
    session = asked(CALLS[:1])
    session.receive(GREETING + HELLO + STATE)
    session.receive(owned_by(":1.0", "") + ended(":1.99") + owned_by("", ":1.99") + ended(":1.99"))
    assert [(one.member, one.sender) for one in session.signals()] == [
        ("NameOwnerChanged", BUS), ("NameOwnerChanged", BUS), ("JobRemoved", ":1.99"),
    ]  # fmt: skip


def test_systemd_that_begins_anew_untold_is_known_by_its_next_reply() -> None:
    session = asked(CALLS[:1])
    session.receive(GREETING + HELLO + STATE)
    session.send(CALLS[:1])
    session.receive(reply_from(":1.99", 3) + ended(":1.0") + ended(":1.99"))
    assert senders(session) == [":1.99"]


@pytest.mark.parametrize(
    "told", [owned_by(":1.0", ":1.66", sender=":1.66"), owned_by("", ":1.66", name="org.other")]
)
def test_nobody_else_says_who_systemd_is(told: bytes) -> None:
    session = asked(CALLS[:1])
    session.receive(GREETING + HELLO + STATE + told + ended(":1.66") + ended(":1.0"))
    assert [one.sender for one in session.signals() if one.member == "JobRemoved"] == [":1.0"]


def test_peer_without_a_bus_in_between_is_believed() -> None:
    session = asked(CALLS[:1])
    session.receive(GREETING + reply_from(None, 1) + reply_from(None, 2) + ended(None))
    assert senders(session) == [None]


def test_wait_for_jobs_follows_systemd_to_its_new_name() -> None:
    rules = [call.body[0] for call in jobs.subscribe() if call.member == "AddMatch"]
    assert any("NameOwnerChanged" in rule and f"arg0='{SYSTEMD}'" in rule for rule in rules)


def test_signals_that_pile_up_without_an_end_are_a_protocol_error() -> None:
    session = asked(CALLS[:2])
    session.receive(GREETING + HELLO + STATE)
    with pytest.raises(ProtocolError, match="signals"):
        session.receive(ended(":1.0", path="/" + "x" * 1_000_000) * 100)
    assert session.waiting == 1


def test_small_signals_count_as_what_they_take() -> None:
    session = asked(CALLS[:2])
    session.receive(GREETING + HELLO + STATE)
    with pytest.raises(ProtocolError, match="signals"):
        session.receive(ended(":1.0") * 100_000)


def test_signals_that_are_taken_leave_room_for_others() -> None:
    session = asked(CALLS[:1])
    session.receive(GREETING + HELLO + STATE)
    piece = ended(":1.0", path="/" + "x" * 1_000_000) * 10
    for _ in range(10):
        session.receive(piece)
        assert len(session.signals()) == 10
