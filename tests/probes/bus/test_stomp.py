"""What psops speaks of STOMP: frames, answers of the statistics plugin, and what is no STOMP."""

import itertools
import json
import socketserver
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from psops.checks.tls import HandshakeFailed
from psops.deadline import Deadline
from psops.probes import stomp
from psops.probes.world import World
from psops.verdict import Verdict
from tests.probes.bus.asking import LOGIN, VECTORS, ask


@pytest.mark.parametrize(
    ("said", "code", "verdict", "text"),
    [(b"220 smtp.example ESMTP\r\n", "not-stomp", Verdict.CRITICAL, "does not speak STOMP"),
     (b"AMQP\0\0\x09\x01", "not-stomp", Verdict.CRITICAL, "does not speak STOMP"),
     (b"RECEIPT\n\n\0", "not-stomp", Verdict.CRITICAL, "does not speak STOMP"),
     (b"CONNECTED\nvers", "broken", Verdict.CRITICAL, "the broker ended the connection"),
     (b"", "broken", Verdict.CRITICAL, "the broker ended the connection"),
     (b"ERROR\nmessage:Access \x1b[2Jrefused\n\n\0", "not-allowed", Verdict.UNKNOWN, "Access")],
)  # fmt: skip
def test_stomp_port_with_something_else(
    said: bytes, code: str, verdict: Verdict, text: str, tmp_path: Path
) -> None:
    class Speaker(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            self.request.recv(4096)
            self.request.sendall(said)

    with socketserver.TCPServer(("127.0.0.1", 0), Speaker) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        port = server.server_address[1]
        url = f"stomp://127.0.0.1:{port}"
        probe = {"kind": "stomp-statistics", "url": url, "topic": "t", **LOGIN}
        found = ask(tmp_path, {"it": probe})["it"]
        thread.join()
    assert (found.code, found.verdict, text in found.text) == (code, verdict, True), found.text
    assert "\x1b" not in found.text
    refused = ask(tmp_path, {"it": probe})["it"]
    assert (refused.code, refused.text) == ("refused", f"127.0.0.1 port {port}: connection refused")


#: Seconds since the epoch by the clock of the broker: what each look at a queue tells, which is
#: its size and since when its oldest message is there.
_EARLY, _FIRST, _SECOND = 1000, 1100, 1102
_Told = tuple[int, int | None]


@pytest.mark.parametrize(
    ("first", "second", "code"),
    [([(1, _SECOND - 9)], [(1, _SECOND - 1)], "ok"),
     ([(1, _FIRST)], [(1, _EARLY)], "backlog"),
     # Between its size and its oldest message, a queue that moves may become empty.
     ([(0, None)], [(1, None)], "ok"),
     ([(3, _FIRST - 8)], [(1, None)], "ok"),
     ([(3, _FIRST - 9)], [(1, None)], "no-data"),
     ([(3, None)], [(1, None)], "no-data"),
     ([(3, None)], [(0, None)], "ok"),
     ([(3, _EARLY)], [(0, None)], "ok"),
     # When it is asked anew, it has some to tell of, or none.
     ([(3, None)], [(2, None), (3, None), (3, _SECOND - 1)], "ok"),
     ([(3, None)], [(2, None), (3, _EARLY)], "backlog"),
     ([(3, None)], [(2, None), (0, None)], "ok"),
     ([(3, None), (0, None)], [(2, None)], "ok")],
)  # fmt: skip
def test_oldest_message_of_a_queue_that_moves(
    first: list[_Told], second: list[_Told], code: str, tmp_path: Path
) -> None:
    looks = iter([(first, _FIRST), (second, _SECOND)])

    class Broker(socketserver.StreamRequestHandler):
        """Is asked of itself and then of a queue, once or more, in each connection."""

        def handle(self) -> None:
            told, now = next(looks)
            self.wfile.write(stomp.encode(stomp.Frame("CONNECTED", {}, b"")))
            self._tell(now, [{"memoryPercentUsage": 0}])
            for size, oldest in itertools.chain(told, itertools.repeat(told[-1])):
                moved = {"enqueueCount": now, "dequeueCount": now - size, "dispatchCount": now}
                queue = {**moved, "size": size, "consumerCount": 1, "inflightCount": 0}
                if oldest is not None:
                    queue["firstMessageTimestamp"] = 1000 * oldest
                if not self._tell(now, [queue, {}]):
                    break

        def _tell(self, now: int, answers: list[dict[str, int]]) -> bool:
            while b"SEND" not in (line := self.rfile.readline()):
                if not line:
                    return False
            headers = {"subscription": "statistics", "timestamp": f"{1000 * now}"}
            for values in answers:
                entries = [{"string": key, "long": value} for key, value in values.items()]
                body = json.dumps({"map": {"entry": entries}}).encode()
                self.wfile.write(stomp.encode(stomp.Frame("MESSAGE", headers, body)))
            return True

    with socketserver.TCPServer(("127.0.0.1", 0), Broker) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,)).start()
        url = f"stomp://127.0.0.1:{server.server_address[1]}"
        probe = {"kind": "stomp-statistics", "url": url, "queue": "q", "max_age": 10, **LOGIN}
        try:
            found = ask(tmp_path, {"it": probe}, window=0.1)["it"]
        finally:
            server.shutdown()
    assert found.code == code, found.text


def test_recorded_statistics_as_json_have_their_numbers() -> None:
    text = (VECTORS / "16-stomp-statistics-jms-map-json.json").read_text()
    found = [stomp.parse_map(one["body"]) for one in json.loads(text)]
    assert found[0]["brokerName"] == "netmon-lab"
    assert (found[0]["memoryPercentUsage"], found[0]["enqueueCount"]) == (0, 735)
    assert found[1]["destinationName"] == "queue://Consumer.monit.VirtualTopic.netmon"
    assert (found[1]["size"], found[1]["consumerCount"]) == (266, 0)


_TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=8)
_HEADERS = st.dictionaries(_TEXT.filter(lambda key: key != "content-length"), _TEXT, max_size=4)


def test_line_ends_in_a_body_are_left_as_they_are() -> None:
    body = b"x" * 1500 + b"\r\n" + b"y\r\n\r\nz"
    frame = stomp.Frame("MESSAGE", {"content-length": str(len(body))}, body)
    assert stomp.decode(stomp.encode(frame) * 2) == (frame, stomp.encode(frame))
    ended = b"MESSAGE\r\na:b\r\n\r\nx\r\n\0"
    assert stomp.decode(ended)[0] == stomp.Frame("MESSAGE", {"a": "b"}, b"x\r\n")


@pytest.mark.parametrize("where", ["send", "receive"])
def test_certificate_that_is_asked_for_after_the_handshake(
    where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Stream:
        def send(self, data: bytes, deadline: Deadline) -> None:
            if where == "send":
                raise HandshakeFailed("it wants a certificate of ours")

        def receive(self, deadline: Deadline) -> bytes:
            raise HandshakeFailed("it wants a certificate of ours")

        def close(self) -> None:
            """Do nothing."""

    monkeypatch.setattr(World, "open_tcp", lambda *_, **__: (Stream(), ()))
    probe = {"kind": "stomp-statistics", "url": "stomp+ssl://bus.example", "topic": "t", **LOGIN}
    found = ask(tmp_path, {"it": probe})["it"]
    assert (found.code, found.verdict) == ("tls-handshake", Verdict.UNKNOWN), found.text
    assert "it wants a certificate of ours" in found.text


@given(_HEADERS, st.binary(max_size=40), st.binary(max_size=10), st.integers(0, 60))
def test_stomp_frames_come_back_whole_in_any_pieces(
    headers: dict[str, str], body: bytes, more: bytes, cut: int
) -> None:
    sized = {**headers, "content-length": str(len(body))}
    data = stomp.encode(stomp.Frame("MESSAGE", sized, body))
    assert stomp.decode(data[: min(cut, len(data) - 1)])[0] is None
    assert stomp.decode(data + more) == (stomp.Frame("MESSAGE", sized, body), more)


@given(st.binary(max_size=80))
def test_stomp_of_anything_ends(data: bytes) -> None:
    try:
        frame, rest = stomp.decode(data)
    except ValueError:
        return
    assert frame is None or len(rest) < len(data)


@given(st.text(max_size=60))
def test_statistics_of_anything_are_a_map(text: str) -> None:
    assert isinstance(stomp.parse_map(text), dict)
