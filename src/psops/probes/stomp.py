"""STOMP 1.1 and 1.2 over any stream, as far as looking at a bus takes it.

Frames are those of the STOMP specification, 1.2. What is sent: a login, a subscription to a
topic, and questions to ActiveMQ's statistics plugin, which answers without keeping them.
"""

import html
import json
import re
import secrets
import time
from collections.abc import Mapping
from typing import Any, NamedTuple

from psops.catalogue.entry import Probe
from psops.checks import Answer, unknown, wrong
from psops.checks.site import explain_error
from psops.checks.tls import HandshakeFailed
from psops.deadline import Deadline
from psops.errors import DeadlineExceeded, HostError
from psops.probes import Unanswered
from psops.probes.world import World, no_handshake
from psops.report.text import clean, squeeze
from psops.transport import ByteStream

#: The ports of stomp and stomp+ssl, as ActiveMQ and RabbitMQ have them.
PORTS = {"stomp": 61613, "stomp+ssl": 61614}
_MOST = 16 * 1024 * 1024
_EXCERPT = 200
_ESCAPES = {"\\": "\\\\", "\r": "\\r", "\n": "\\n", ":": "\\c"}
_UNESCAPED = {"\\\\": "\\", "\\r": "\r", "\\n": "\n", "\\c": ":"}
_REPLIES = "/temp-queue/psops"
_STATISTICS = "ActiveMQ.Statistics."
#: What the client id of each login begins with, by which psops knows its own on ActiveMQ.
OWN_CLIENT = "psops-"
#: What RabbitMQ calls the queue of a subscription, as it calls those that are not named: rights
#: to have one may go by that. The end is ours.
OWN_QUEUE = "stomp-subscription-psops-"
#: As a header of a question: an empty answer is the last one, see StatisticsBroker of ActiveMQ.
_AN_END = "ActiveMQ.Statistics.Destination.List.End.With.Null"
#: As a header of a question: the time of the oldest message is told, which only looks at it.
_OLDEST = "ActiveMQ.Statistics.Destination.Include.First.Message.Timestamp"
_ENTRY = re.compile(
    r"<entry>\s*<string>([^<]*)</string>\s*<(long|int|double|string)>([^<]*)</\2>\s*</entry>"
)


class Frame(NamedTuple):
    """What one side tells the other."""

    command: str
    headers: Mapping[str, str]
    body: bytes = b""


def encode(frame: Frame) -> bytes:
    """Return the bytes of a frame; CONNECT knows no escapes.

    >>> encode(Frame("SEND", {"a:b": "c"}, b"x"))
    b'SEND\\na\\\\cb:c\\n\\nx\\x00'
    """

    def part(text: str) -> str:
        if frame.command == "CONNECT":
            return text
        return "".join(_ESCAPES.get(char, char) for char in text)

    lines = [frame.command, *(f"{part(key)}:{part(one)}" for key, one in frame.headers.items())]
    return "\n".join([*lines, "", ""]).encode() + frame.body + b"\0"


def decode(data: bytes) -> tuple[Frame | None, bytes]:
    """Return the first frame of some bytes, None if it is not whole, and what is left.

    Raises `ValueError` for what is no STOMP.

    >>> decode(b"\\nMESSAGE\\ncontent-length:2\\n\\n\\x00!\\x00rest")
    (Frame(command='MESSAGE', headers={'content-length': '2'}, body=b'\\x00!'), b'rest')
    """
    data = data.lstrip(b"\r\n")
    if data and not re.match(rb"[A-Z]{1,20}(\r?\n|\Z)|[A-Z]{1,20}\r?\Z", data):
        raise ValueError("no frame")
    gap = re.search(rb"\r?\n\r?\n", data)
    if gap is None:
        return None, data
    head, rest = data[: gap.start()], data[gap.end() :]
    lines = head.decode(errors="replace").replace("\r\n", "\n").split("\n")
    headers: dict[str, str] = {}
    for line in lines[1:]:
        key, _, value = line.partition(":")
        headers.setdefault(_unescape(key), _unescape(value))
    if (length := headers.get("content-length", "")).isdecimal():
        end = int(length)
        if len(rest) <= end:
            return None, data
    else:
        end = rest.find(b"\0")
        if end < 0:
            return None, data
    if rest[end : end + 1] != b"\0":
        raise ValueError("a frame without an end")
    return Frame(lines[0].strip(), headers, rest[:end]), rest[end + 1 :]


def _unescape(text: str) -> str:
    return re.sub(r"\\[\\rnc]", lambda match: _UNESCAPED[match[0]], text)


class Session:
    """A login at a broker; a context that ends it."""

    def __init__(self, probe: Probe, world: World, node: str = "") -> None:
        """Connect to the URL of the probe, at the address `node` if one is given.

        Raises `Unanswered`: `not-allowed` for a login that is refused.
        """
        given = probe.settings
        scheme, _, authority = str(given["url"]).partition("://")
        found = re.fullmatch(r"\[?([^\]]+?)\]?(?::(\d+))?", authority)
        host, port = (found[1], found[2]) if found else (authority, None)
        number = int(port) if port else PORTS[scheme]
        self.place = f"{clean(node or host)} port {number}"
        secret = world.secret(given["secret"]) if given["secret"] else ""
        self._timeout = probe.timeout
        self._rest = b""
        #: Two of the same at once are refused by ActiveMQ.
        self._id = secrets.token_hex(8)
        #: What the broker says it is, "" if it does not.
        self.server = ""
        self._subscriptions: set[str] = set()
        self.asides: tuple[Answer, ...]
        self._stream: ByteStream
        self._stream, self.asides = world.open_tcp(
            probe, node or host, number, tls=scheme == "stomp+ssl", name=host
        )
        try:
            self._log_in(given["vhost"] or host, str(given["user"]), secret)
        except BaseException:
            self._stream.close()
            raise

    def __enter__(self) -> "Session":
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._stream.send(encode(Frame("DISCONNECT", {})), Deadline(1))
        except (HostError, HandshakeFailed):
            pass  # it is gone already
        finally:
            self._stream.close()

    def send(self, command: str, headers: Mapping[str, str]) -> None:
        """Send a frame without a body; raises `Unanswered`."""
        try:
            self._stream.send(encode(Frame(command, headers)), Deadline(self._timeout))
        except (HostError, HandshakeFailed) as exc:
            raise self._broken(exc) from exc

    def subscribe(self, id: str, destination: str) -> None:
        """Ask for what comes to a destination, once; raises `Unanswered`."""
        if id not in self._subscriptions:
            self._subscriptions.add(id)
            headers = {"id": id, "destination": destination, "ack": "auto", "receipt": id,
                       "x-queue-name": f"{OWN_QUEUE}{self._id}"}  # fmt: skip
            self.send("SUBSCRIBE", headers)

    def unsubscribe(self, id: str) -> None:
        """Take no more, and wait until the broker knows; raises `Unanswered`."""
        receipt = f"no more {id}"
        self.send("UNSUBSCRIBE", {"id": id, "receipt": receipt})
        deadline = Deadline(self._timeout)
        while (frame := self.receive(deadline)) is not None:
            if frame.headers.get("receipt-id") == receipt:
                break

    def receive(self, deadline: Deadline) -> Frame | None:
        """Return the next frame, None if there is none in time; raises `Unanswered`."""
        while True:
            try:
                frame, self._rest = decode(self._rest)
            except ValueError as exc:
                text = f"{self.place} does not speak STOMP"
                raise Unanswered(wrong("not-stomp", text)) from exc
            if frame is not None:
                if frame.command == "ERROR":
                    raise self._refused(frame)
                return frame
            if deadline.passed():
                return None
            try:
                data = self._stream.receive(deadline)
            except DeadlineExceeded:
                return None
            except (HostError, HandshakeFailed) as exc:
                raise self._broken(exc) from exc
            if not data:
                raise Unanswered(wrong("broken", f"{self.place}: the broker ended the connection"))
            self._rest += data
            if len(self._rest) > _MOST:
                text = f"{self.place}: a message of more than {_MOST >> 20} MiB"
                raise Unanswered(unknown("too-big", text))

    def _log_in(self, host: str, user: str, secret: str) -> None:
        headers = {"accept-version": "1.1,1.2", "host": host, "heart-beat": "0,0",
                   "client-id": f"{OWN_CLIENT}{self._id}"}  # fmt: skip
        if "\n" in user + secret:
            raise Unanswered(unknown("no-secret", "a login by STOMP has no line breaks"))
        if user:
            headers |= {"login": user, "passcode": secret}
        self.send("CONNECT", headers)
        frame = self.receive(Deadline(self._timeout))
        if frame is None:
            text = f"{self.place}: no answer to the login within {self._timeout:g} s"
            raise Unanswered(wrong("timeout", text))
        if frame.command != "CONNECTED":
            raise Unanswered(wrong("not-stomp", f"{self.place} does not speak STOMP"))
        self.server = frame.headers.get("server", "")

    def _refused(self, frame: Frame) -> Unanswered:
        said = squeeze(clean(frame.headers.get("message", "")))[:_EXCERPT]
        said = said or squeeze(clean(frame.body.decode(errors="replace")))[:_EXCERPT]
        return Unanswered(unknown("not-allowed", f"{self.place}: the broker refuses: {said}"))

    def _broken(self, exc: HostError | HandshakeFailed) -> Unanswered:
        if isinstance(exc, HandshakeFailed):  # TLS 1.3 tells of our certificate after it
            return no_handshake(exc, f"{self.place}: ")
        found = explain_error(exc)
        return Unanswered(Answer(verdict=found.verdict, code=found.code,
                                 text=f"{self.place}: {clean(found.text)}"))  # fmt: skip


class Statistics(NamedTuple):
    """What the plugin tells of a broker or a destination, and the broker's time in seconds."""

    values: Mapping[str, Any]
    at: float | None


def ask_plugin(
    session: Session, probe: Probe, kind: str = "", name: str = ""
) -> list[Statistics] | None:
    """Return statistics of a `Topic` or `Queue`, of the broker without; None if nobody answers.

    The question goes to a topic, where it is lost if there is no plugin, but for that about a
    queue, which has to be of that type; it ends there by itself. Raises `Unanswered`.
    """
    if session.server.startswith("RabbitMQ"):
        return None  # it would end the connection
    way = "queue" if kind == "Queue" else "topic"
    what = f"Destination.{name}" if kind else "Broker"
    session.subscribe("statistics", _REPLIES)
    headers = {
        "destination": f"/{way}/{_STATISTICS}{what}",
        "reply-to": _REPLIES,
        "persistent": "false",
    }
    if kind:
        headers[_AN_END] = "true"
    if kind == "Queue":
        headers |= {_OLDEST: "true", "expires": f"{1000 * _soon(probe):.0f}"}
    session.send("SEND", headers)
    deadline = Deadline(probe.timeout)
    found: list[Statistics] = []
    while (frame := session.receive(deadline)) is not None:
        if frame.command != "MESSAGE" or frame.headers.get("subscription") != "statistics":
            continue
        values = parse_map(frame.body.decode(errors="replace"))
        if not values:
            return found
        stamp = frame.headers.get("timestamp", "")
        found.append(Statistics(values, int(stamp) / 1000 if stamp.isdecimal() else None))
        if not kind:
            return found
    return found or None


def _soon(probe: Probe) -> float:
    return time.time() + probe.timeout


def parse_map(text: str) -> dict[str, Any]:
    """Return the map in an answer of the plugin, written as XML or JSON; {} for an empty one.

    >>> parse_map("<map><entry><string>size</string><long>3</long></entry></map>")
    {'size': 3}
    >>> parse_map('{"map":{"entry":[{"string":"size","long":3},{"string":["a","b"]}]}}')
    {'size': 3, 'a': 'b'}
    """
    if not text.lstrip().startswith("{"):
        entries = [(html.unescape(key), kind, html.unescape(value))
                   for key, kind, value in _ENTRY.findall(text)]  # fmt: skip
        return {key: _number(kind, value) for key, kind, value in entries}
    try:
        found = json.loads(text)["map"]["entry"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return {}
    values: dict[str, Any] = {}
    for one in found if isinstance(found, list) else [found]:
        key = one.get("string") if isinstance(one, dict) else None
        if isinstance(key, list) and len(key) == 2:
            values[str(key[0])] = key[1]
        elif isinstance(key, str):
            values.update((key, one[kind]) for kind in ("long", "int", "double") if kind in one)
    return values


def _number(kind: str, value: str) -> Any:
    try:
        return value if kind == "string" else float(value) if kind == "double" else int(value)
    except ValueError:
        return None


def count_messages(session: Session, probe: Probe, seconds: float) -> tuple[int, float]:
    """Return how many messages of the topic come within about so many seconds, and the seconds.

    Every other subscriber gets them as well. Raises `Unanswered`, also when the broker ends it.
    """
    session.subscribe("count", f"/topic/{probe.settings['topic']}")
    count, deadline, start = 0, Deadline(probe.timeout), None
    while (frame := session.receive(deadline)) is not None:
        if frame.command == "RECEIPT" and start is None:
            deadline, start = Deadline(seconds), time.monotonic()
        elif frame.command == "MESSAGE" and start is not None:
            count += 1
        if deadline.passed():
            break
    if start is None:
        text = f"{session.place}: no answer to the subscription within {probe.timeout:g} s"
        raise Unanswered(wrong("timeout", text))
    found = count, time.monotonic() - start
    # Whoever looks at the topic next does not see a consumer that is on its way out.
    session.unsubscribe("count")
    return found
