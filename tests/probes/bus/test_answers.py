"""Answers that no broker here gives, recorded ones and bad ones: what is not told is not known."""

import errno
import json
import math
import re
import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from psops.pipeline.ask import Result
from psops.probes import activemq, counters, rabbitmq
from psops.probes.world import World
from psops.verdict import Verdict
from tests.probes.bus.asking import LOGIN, VECTORS, ask

#: What is answered at a path, one after the other; the last one for good.
Answers = dict[str, list[Any]]
Ask = Callable[[str, Answers, dict[str, Any]], dict[str, Result]]
FINE = {"disable_stats": False, "rates_mode": "basic"}
QUEUE = "/api/queues/v/q"
NODES = "/api/nodes?columns=name,running,mem_alarm,disk_free_alarm,partitions"
NODE = {"name": "a", "running": True, "mem_alarm": False, "disk_free_alarm": False,
        "partitions": []}  # fmt: skip
BROKER = "/api/jolokia/read/org.apache.activemq:type=Broker,brokerName="


def recorded(name: str) -> Any:
    """Return the body of a recorded answer."""
    return json.loads((VECTORS / name).read_text())["body"]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    answers: Answers

    def do_GET(self) -> None:
        found = self.answers.get(self.path, [(404, {"error": "Object Not Found"})])
        one = found.pop(0) if len(found) > 1 else found[0]
        status, body = one if isinstance(one, tuple) else (200, one)
        data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def judge(tmp_path: Path) -> Iterator[Ask]:
    """Give what a probe makes of some answers."""
    handler = type("Handler", (_Handler,), {})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()

    def judge(kind: str, answers: Answers, settings: dict[str, Any]) -> dict[str, Result]:
        handler.answers = {path: list(found) for path, found in answers.items()}  # type: ignore[attr-defined]
        place: dict[str, Any] = {"url": f"http://127.0.0.1:{server.server_port}", **LOGIN}
        if kind == "bridge":
            sides = {key: {"url": place["url"], **settings[key]} for key in ("from", "to")}
            return ask(tmp_path, {"it": {"kind": kind, **sides}}, window=0.03)
        place |= {"vhost": "v"} if kind.startswith("rabbitmq") and kind != "rabbitmq-health" else {}
        place |= {"stats_interval": 0.01} if kind in ("rabbitmq-queue", "rabbitmq-rate") else {}
        return ask(tmp_path, {"it": {"kind": kind, **place, **settings}}, window=0.03)

    yield judge
    server.shutdown()
    thread.join()
    server.server_close()


def queue(published: int | None, taken: int | None = None, **more: Any) -> dict[str, Any]:
    """Return the answer about a queue."""
    stats = {"publish": published, "ack": taken}
    told = {key: count for key, count in stats.items() if count is not None}
    return {"name": "q", "state": "running", "messages_ready": 0, "messages_unacknowledged": 0,
            "consumers": 1, **({"message_stats": told} if told else {}), **more}  # fmt: skip


BOUND = "/api/exchanges/v/amq.topic/bindings/source"
IN, OUT, ALL = "/api/queues/v/in", "/api/queues/v/out", "/api/queues/v/all"
TWO = [
    {"destination": "in", "destination_type": "queue", "routing_key": "ps.raw"},
    {"destination": "all", "destination_type": "queue", "routing_key": "ps.#"},
]
RABBITMQ_QUEUE: dict[str, tuple[Answers, dict[str, Any], str, str]] = {
    "flows": ({QUEUE: [queue(10, 10), queue(20, 20)]}, {}, "ok", "flows"),
    "fell": ({QUEUE: [queue(10, 10), queue(3, 3)]}, {}, "restarted", "fell to 3"),
    "gone": ({QUEUE: [queue(10), queue(None)]}, {}, "restarted", "is gone"),
    "new-broker": (
        {QUEUE: [queue(10, 1), queue(11, 1, messages_ready=9)],
         "/api/nodes?columns=name,uptime": [[{"name": "a", "uptime": 4}]]},
        {"min_rate": 10000}, "restarted", "node 'a' was started 0 s ago",
    ),
    "first-message": ({QUEUE: [queue(None), queue(4, 4)]}, {}, "ok", "flows"),
    "acks-fell": ({QUEUE: [queue(10, 10), queue(20, 2)]}, {}, "restarted", "fell to 2"),
    "acks-without-publish": ({QUEUE: [queue(None, 4), queue(None, 4)]}, {}, "silent", "0 of"),
    "state-without-stats": (
        {QUEUE: [queue(None)], "/api/overview": [FINE]}, {}, "silent", "0 of more than 0",
    ),
    "no-overview": ({QUEUE: [queue(None)], "/api/overview": [{}]}, {}, "no-data", "overview"),
    "fresh": ({QUEUE: [recorded("01-queue-fresh.json")], "/api/overview": [FINE]}, {},
              "no-consumer", "0 of at least 1"),
    "before-first-statistics": (
        {QUEUE: [{"name": "q", "state": "running"}], "/api/overview": [FINE]}, {},
        "no-data", "lacks its depth",
    ),
    "recorded-wedge": (
        {QUEUE: [recorded("06-queue-wedged-consumer.json")]}, {},
        "wedged", "1 consumer confirmed no message while holding 50 of 50",
    ),
    "rates-mode-none": (
        {QUEUE: [recorded("24-rates-mode-none-queue.json")],
         "/api/overview": [recorded("24-rates-mode-none-overview.json")]},
        {"min_consumers": 0}, "no-data", "rates_mode is none",
    ),
    "rates-mode-none-and-deep": (
        {QUEUE: [recorded("24-rates-mode-none-queue.json")],
         "/api/overview": [recorded("24-rates-mode-none-overview.json")]},
        {"min_consumers": 0, "max_depth": 800}, "backlog", "839 waiting, of at most 800",
    ),
    "two-wedged-consumers": (
        {QUEUE: [queue(9, 1, messages_unacknowledged=20, consumers=2)]}, {"prefetch": 10},
        "wedged", "holding 20 of 20",
    ),
    "one-of-two-is-not-full": (
        {QUEUE: [queue(9, 1, messages_unacknowledged=12, consumers=2)]},
        {"prefetch": 10, "min_rate": 0}, "ok", "silent, as it may be",
    ),
    "batch-that-fills": (
        {QUEUE: [queue(9, 1, messages_unacknowledged=3), queue(12, 1, messages_unacknowledged=6)]},
        {"prefetch": 1024}, "ok", "flows",
    ),
    "stream": (
        {QUEUE: [queue(9, type="stream", messages_ready=9),
                 queue(12, type="stream", messages_ready=12)]}, {}, "ok", "flows",
    ),
    "depth-of-a-stream": (
        {QUEUE: [queue(9, type="stream"), queue(12, type="stream")]}, {"max_depth": 50},
        "no-data", "a stream, which keeps what was taken, so max_depth cannot",
    ),
    "silent-stream": ({QUEUE: [queue(9, type="stream", messages_ready=9)]}, {}, "silent", "0 of"),
    "idle-since-nobody-knows": (
        {QUEUE: [queue(9, 9, type="quorum")]}, {"max_idle": 3600},
        "no-data", "does not tell since when it is idle",
    ),
    "idle-no-more": (
        {QUEUE: [queue(9, 9, idle_since="2026-11-20 21:40:00"), queue(9, 9)]}, {"max_idle": 3600},
        "ok", "silent, as it may be",
    ),
    "subscriber-left": ({BOUND: [TWO], IN: [queue(0), queue(9, 9)],
                         ALL: [queue(0), (404, {})]}, {"topic": "ps.raw"}, "ok", "'in': flows"),
    "too-many-left": (
        {BOUND: [TWO], IN: [queue(0), queue(9, 9)], ALL: [queue(0), (404, {})]},
        {"topic": "ps.raw", "min_queues": 2}, "missing-object", "1 of at least 2 queues",
    ),
    "declared-queue-left": ({QUEUE: [queue(0), (404, {})]}, {}, "missing-object", "queue 'q'"),
    "crashed": ({QUEUE: [queue(9, 1, state="crashed")]}, {}, "not-running", "crashed"),
    "clock-ahead": (
        {QUEUE: [queue(9, 1, messages_ready=5, head_message_timestamp=4102444800),
                 queue(19, 11, messages_ready=5, head_message_timestamp=4102444800)]},
        {"max_age": 5}, "clock", "ahead of the time",
    ),
    "count-as-text": ({QUEUE: [queue(1, 1, messages_ready="0")], "/api/overview": [FINE]}, {},
                      "no-data", "lacks its depth"),
    "list-for-object": ({QUEUE: [[]]}, {}, "no-data", "the answer is no object"),
    "error-with-200": ({QUEUE: [{"error": "not_authorised"}], "/api/overview": [FINE]}, {},
                       "no-data", "lacks its depth"),
    "login-with-200": ({QUEUE: ["<html><form><input type='password'></html>"]}, {},
                       "login-page", "not JSON"),
    "half-an-answer": ({QUEUE: ['{"messages_ready": 0, ']}, {}, "not-json", "not JSON"),
    "redirected": ({QUEUE: [(302, "")]}, {}, "redirect", "302"),
    "maintenance": ({QUEUE: [(503, "<html>down for maintenance</html>")]}, {},
                    "server-error", "503"),
    "deep-nesting": ({QUEUE: ["[" * 100000]}, {}, "not-json", "not JSON"),
}  # fmt: skip
UNKNOWN = {"restarted", "no-data", "clock", "login-page", "not-json", "redirect", "not-allowed",
           "error-in-body", "cannot-run"}  # fmt: skip


@pytest.mark.parametrize("name", RABBITMQ_QUEUE)
def test_rabbitmq_queue(name: str, judge: Ask) -> None:
    answers, settings, code, text = RABBITMQ_QUEUE[name]
    which = {} if "topic" in settings else {"queue": "q"}
    _check(judge("rabbitmq-queue", answers, {**which, **settings}), code, text)


def _check(asked: dict[str, Result], code: str, text: str) -> None:
    found = asked["it"]
    assert (found.code, text in found.text) == (code, True), found.text
    expected = Verdict.OK if code == "ok" else Verdict.CRITICAL
    assert found.verdict is (Verdict.UNKNOWN if code in UNKNOWN else expected)
    assert "\x1b" not in found.text


TEN = {IN: [queue(0), queue(10)]}
BRIDGES: dict[str, tuple[Answers, dict[str, str], str, str]] = {
    "all": ({**TEN, OUT: [queue(0), queue(10)]}, {"queue": "in"}, "ok", "1 go on"),
    "some": ({**TEN, OUT: [queue(0), queue(3)]}, {"queue": "in"}, "ratio", "0.3 of at least"),
    "perhaps": ({**TEN, OUT: [queue(0), queue(8)]}, {"queue": "in"}, "no-data",
                "0.8 go on, which may be due to when they were counted; look for longer"),
    "queue-of-more-beside": (
        {**TEN, OUT: [queue(0), queue(10)], ALL: [queue(0), queue(90)], BOUND: [TWO]},
        {"topic": "ps.raw"}, "ok", "queue 'in'"),
    "queue-of-more-only": (
        {ALL: [queue(0), queue(10)], OUT: [queue(0), queue(10)], BOUND: [[
            {"destination": "all", "destination_type": "queue", "routing_key": "ps.#"}]]},
        {"topic": "ps.raw"}, "ok", "queue 'all'"),
}  # fmt: skip


@pytest.mark.parametrize("name", BRIDGES)
def test_bridge(name: str, judge: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    answers, source, code, text = BRIDGES[name]
    # Two steps of the counters, whatever the time really was.
    monkeypatch.setattr(World, "monotonic", lambda _: 0.0)
    waits = counters.twice

    def twice(world: World, key: object, look: Callable[[], Any]) -> Any:
        first, second = waits(world, key, look)
        return first, {name: one._replace(at=12.5) for name, one in second.items()}

    monkeypatch.setattr(counters, "twice", twice)
    side = {"bus": "rabbitmq", "vhost": "v", "stats_interval": 5.0, **LOGIN}
    found = judge("bridge", answers, {"from": {**side, **source}, "to": {**side, "queue": "out"}})
    _check(found, code, text)


def shovels(name: str, **changes: Any) -> list[Any]:
    """Return a recorded list of shovels, with changes to all of them."""
    return [{**one, **changes} for one in recorded(name)]


EARLY, LATE, GONE = (
    "18-shovels-03s.json", "18-shovels-09s.json", "26-shovel-finished-and-gone.json",
)  # fmt: skip
VISIBLE = "/api/exchanges/v/amq.direct"
SEEN: Answers = {VISIBLE: [{}]}
SHOVELS: dict[str, tuple[str, list[Any], Answers, str, str]] = {
    "runs": ("to-cern", [shovels(EARLY), shovels(LATE)], {}, "ok", "runs since 2026-11-20"),
    "starting": ("broken-dest", [shovels(EARLY), shovels(LATE)], {}, "stuck", "started anew"),
    "vanished": ("broken-dest", [shovels(EARLY), shovels(GONE)], SEEN, "missing-object", "vanish"),
    "gone": ("broken-dest", [shovels(GONE)], SEEN, "missing-object", "does not exist"),
    "empty-list": ("to-cern", [[]], {VISIBLE: [(401, {})]},
                   "not-allowed", "whose lists are empty for it"),
    "no-vhost": ("to-cern", [[]], {}, "missing-object", "virtual host 'v' does not exist"),
    "no-list-of-vhost": ("to-cern", [(404, {})], {}, "missing-object",
                         "virtual host 'v' does not exist; set 'vhost' to one that does"),
    "no-plugin": ("to-cern", [(404, "Not Found")], SEEN, "no-data",
                  "does not list its shovels; rabbitmq-plugins enable rabbitmq_shovel_"),
    "no-plugin-or-vhost": ("to-cern", [(404, {})], {VISIBLE: [(401, {})]},
                           "not-allowed", "sees nothing of virtual host 'v'"),
    "no-server": ("to-cern", [(404, {})], {VISIBLE: [(500, "")], "/api/overview": [FINE]},
                  "server-error", "500"),
    "again": ("to-cern", [shovels(EARLY), shovels(LATE, timestamp="2026-11-20 21:41:07")], {},
              "restarting", "started anew within"),
    "fell-back": ("to-cern", [shovels(EARLY), shovels(LATE, state="starting")], {},
                  "restarting", "was running and is starting again"),
    "terminated": ("to-cern", [shovels(EARLY, state="terminated", reason="needed\x1b[2J")], {},
                   "not-running", "is terminated: needed"),
    "blocked": ("to-cern", [shovels(EARLY, blocked_status="blocked")], {}, "stuck", "blocked"),
    "other-state": ("to-cern", [shovels(EARLY, state="flow")], {}, "not-running", "'flow'"),
    "no-list": ("to-cern", [{"error": "x"}], {}, "no-data", "the list of shovels is none"),
}  # fmt: skip


@pytest.mark.parametrize("name", SHOVELS)
def test_rabbitmq_shovel(name: str, judge: Ask) -> None:
    shovel, looks, more, code, text = SHOVELS[name]
    answers = {"/api/shovels/v": looks, **more}
    _check(judge("rabbitmq-shovel", answers, {"shovel": shovel}), code, text)


CHECKS = "/api/health/checks"
HEALTHY: Answers = {
    f"{CHECKS}/alarms": [{"status": "ok"}],
    f"{CHECKS}/virtual-hosts": [{"status": "ok"}],
    f"{CHECKS}/certificate-expiration/14/days": [{"status": "ok"}],
    NODES: [[NODE]],
}
HEALTH: dict[str, tuple[Answers, str, str]] = {
    "well": ({}, "ok", "2 health checks ok; 1 of 1 node running"),
    "alarm-of-a-node": ({NODES: [[{**NODE, "disk_free_alarm": True}]]}, "alarm", "disk on a"),
    "one-node-down": ({NODES: [[NODE, {"name": "b", "running": False}]]}, "degraded", "1 of 2"),
    "split": ({NODES: [[{**NODE, "partitions": ["b"]}]]}, "unhealthy", "fell apart, as a sees"),
    "nodes-hidden": ({NODES: [[]]}, "no-data", "does not tell which of them run"),
    "nodes-refused": ({NODES: [(401, {})]}, "not-allowed", "401"),
    "vhost-down": ({f"{CHECKS}/virtual-hosts": [(503, {"status": "failed", "reason": "v down"})]},
                   "unhealthy", "'virtual-hosts': v down"),
    "proxy-error": ({f"{CHECKS}/alarms": [(503, "<html>no server</html>")]},
                    "server-error", "503"),
    "no-status": ({f"{CHECKS}/alarms": [{}]}, "no-data", "the answer has no status"),
    "old-version": ({f"{CHECKS}/virtual-hosts": [(404, {})]}, "no-data", "has no health check"),
}  # fmt: skip


@pytest.mark.parametrize("name", HEALTH)
def test_rabbitmq_health(name: str, judge: Ask) -> None:
    answers, code, text = HEALTH[name]
    found = judge("rabbitmq-health", {**HEALTHY, **answers}, {})
    if code == "degraded":
        assert (found["it"].verdict, found["it"].code) == (Verdict.WARNING, code)
    else:
        _check(found, code, text)


@pytest.mark.parametrize(
    ("end", "verdict", "code"),
    [("2026-11-30 21:39:51", Verdict.CRITICAL, "tls-expired"),
     ("2999-11-30 21:39:51", Verdict.WARNING, "tls-ends-soon"),
     ("soon", Verdict.WARNING, "tls-ends-soon")],
)  # fmt: skip
def test_certificate_of_a_port_that_ends_is_told_beside(
    end: str, verdict: Verdict, code: str, judge: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(World, "now", lambda _: 1_800_000_000.0)
    path = f"{CHECKS}/certificate-expiration/14/days"
    body = recorded("certificate-expiration_1_months.json")
    for key in ("certfile_expires_on", "cacertfile_expires_on"):
        body["expired"][0][key] = [end]
    found = judge("rabbitmq-health", {**HEALTHY, path: [(503, body)]}, {})
    assert found["it"].code == "ok"
    beside = found[f"it/{code}"]
    assert beside.verdict is verdict
    assert "port 5671 of sand@localhost: a certificate end" in beside.text


def test_certificates_that_the_broker_fails_to_judge_are_not_known(judge: Ask) -> None:
    path = f"{CHECKS}/certificate-expiration/14/days"
    found = judge("rabbitmq-health", {**HEALTHY, path: [(500, "")]}, {})
    assert (found["it"].code, found["it/no-data"].verdict) == ("ok", Verdict.UNKNOWN)
    found = judge("rabbitmq-health", {**HEALTHY, path: [(500, "")]}, {"certificate_days": 0})
    assert list(found) == ["it"]


def jolokia(value: Any, timestamp: int = 100) -> dict[str, Any]:
    """Return an answer of Jolokia."""
    return {"status": 200, "timestamp": timestamp, "value": value}


USED = {"BrokerVersion": "5.17.2", "UptimeMillis": 9000, "MemoryPercentUsage": 1,
        "StorePercentUsage": 1, "TempPercentUsage": 1}  # fmt: skip
ASKED = f"{BROKER}b/{','.join(USED)}"
ACTIVEMQ: dict[str, tuple[Any, Any, str, str]] = {
    "good": (jolokia(USED), jolokia("Good"), "ok", "the broker 5.17.2 is good"),
    "full": (jolokia({**USED, "StorePercentUsage": 97}), jolokia("Good"), "full", "97 % of its st"),
    "not-good": (jolokia(USED), jolokia("Getting Worse {x}"), "unhealthy", "'Getting Worse {x}'"),
    "no-percent": (jolokia({"BrokerVersion": "6"}), jolokia("Good"), "no-data",
                   "does not tell how much of its memory, store, temp is used"),
    "no-health": (jolokia(USED), jolokia(None), "no-data", "does not tell its health"),
    "error-with-200": (recorded("14b-one-bad-attribute-fails-the-read.json"), jolokia("Good"),
                       "error-in-body", "No such attribute"),
    "no-status": ({"value": USED}, jolokia("Good"), "no-data", "the answer has no status"),
    "a-list": ([], jolokia("Good"), "no-data", "the answer has no status"),
    "login-with-200": ("<html>Please log in</html>", jolokia("Good"), "login-page", "not JSON"),
}  # fmt: skip


@pytest.mark.parametrize("name", ACTIVEMQ)
def test_activemq_broker(name: str, judge: Ask) -> None:
    broker, health, code, text = ACTIVEMQ[name]
    answers = {ASKED: [broker], f"{BROKER}b,service=Health/CurrentStatus": [health]}
    _check(judge("activemq-broker", answers, {"broker": "b"}), code, text)


COUNTED = "EnqueueCount,DispatchCount,DequeueCount,InFlightCount,ConsumerCount,QueueSize"
PLACE = f"{BROKER}b,destinationType=Queue,destinationName=q/{COUNTED}"


def counted(enqueued: int, dequeued: int, size: int = 0, **more: Any) -> dict[str, Any]:
    """Return the answer about a queue of ActiveMQ."""
    return {"EnqueueCount": enqueued, "DispatchCount": dequeued, "DequeueCount": dequeued,
            "InFlightCount": 0, "ConsumerCount": 1, "QueueSize": size, **more}  # fmt: skip


DESTINATIONS: dict[str, tuple[list[Any], list[str], str, str]] = {
    "moves": ([counted(5, 5), counted(9, 9)], ["a"], "ok", "moves"),
    "fell": ([counted(5, 5), counted(2, 2)], ["a"], "restarted", "fell to 2"),
    "new-broker": ([counted(5, 5), counted(9, 9)], ["a", "b"], "restarted", "was restarted"),
    "no-counter": ([{"ConsumerCount": 1, "QueueSize": 0}], ["a"], "no-data", "does not count"),
    "no-consumers": ([counted(5, 5), counted(9, 9, ConsumerCount=None)], ["a"],
                     "no-data", "lacks its consumers"),
    "wedged": ([counted(5, 2, 3), counted(9, 2, 7)], ["a"], "wedged", "took no message"),
}  # fmt: skip


@pytest.mark.parametrize("name", DESTINATIONS)
def test_activemq_destination(name: str, judge: Ask) -> None:
    looks, runs, code, text = DESTINATIONS[name]
    answers = {PLACE: [jolokia(one) for one in looks],
               f"{BROKER}b/BrokerId": [jolokia(one) for one in runs]}  # fmt: skip
    _check(judge("activemq-destination", answers, {"broker": "b", "queue": "q"}), code, text)


#: Two addresses of one broker, as an alias has them.
BOTH = ("127.0.0.1", "localhost")


def test_activemq_of_two_addresses_is_one_broker(
    judge: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(World, "addresses", lambda *_: BOTH)
    looks = [counted(5, 5), counted(5, 5), counted(9, 9), counted(9, 9)]
    answers = {PLACE: [jolokia(one) for one in looks], f"{BROKER}b/BrokerId": [jolokia("a")]}
    settings = {"broker": "b", "queue": "q", "nodes": "alias.example", "min_consumers": 2}
    found = judge("activemq-destination", answers, settings)
    _check(found, "no-consumer", "1 of at least 2 consumers")


#: What Jolokia 1.7 and 2.5 say where the only consumer went while they read it.
LEFT = [
    {"status": 400, "error_type": "java.lang.IllegalArgumentException",
     "error": "java.lang.IllegalArgumentException : No matching attributes [ClientId] found on "
              "MBeans [org.apache.activemq:type=Broker,clientId=c]"},
    {"status": 404, "error_type": "javax.management.AttributeNotFoundException",
     "error": "javax.management.AttributeNotFoundException : No attribute found for any MBean "
              "matching org.apache.activemq:* pattern"},
]  # fmt: skip


@pytest.mark.parametrize("left", LEFT)
@pytest.mark.parametrize(
    ("then", "code"), [("there", "ok"), ("none", "missing-object"), ("left", "error-in-body")]
)
def test_consumer_that_goes_while_it_is_read_is_looked_for_anew(
    judge: Ask, left: Any, then: str, code: str
) -> None:
    asked = "ClientId,SubscriptionName,Active,PendingQueueSize,DequeueCounter"
    one = {"ClientId": "c", "SubscriptionName": "s", "Active": True, "PendingQueueSize": 0,
           "DequeueCounter": 9}  # fmt: skip
    none = {"status": 404, "error_type": "javax.management.InstanceNotFoundException",
            "error": "No MBean with pattern"}  # fmt: skip
    later = {"there": jolokia({"x": one}), "none": none, "left": left}[then]
    place = f"{BROKER}b,endpoint=Consumer,destinationType=Topic,destinationName=t,*"
    answers = {f"{place}/{asked}": [left, later], f"{BROKER}b/BrokerId": [jolokia("a")]}
    found = judge("activemq-durable", answers, {"broker": "b", "topic": "t"})["it"]
    assert found.code == code, found.text


def test_psops_is_no_consumer_while_it_comes_or_goes(judge: Ask) -> None:
    """The broker counts its consumers, and a moment later it names them."""
    names = "EnqueueCount,DispatchCount,DequeueCount,InFlightCount,ConsumerCount,QueueSize"
    place = f"{BROKER}b,destinationType=Topic,destinationName=t"
    told = {**dict.fromkeys(names.split(","), 5), "ConsumerCount": 1, "Subscriptions": []}
    answers = {f"{place}/{names},Subscriptions": [jolokia(told)],
               f"{BROKER}b/BrokerId": [jolokia("a")]}  # fmt: skip
    settings = {"broker": "b", "topic": "t", "min_rate": 0}
    _check(judge("activemq-destination", answers, settings), "no-consumer", "0 of at least 1")


def test_durable_subscription_at_two_addresses_waits_once(
    judge: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(World, "addresses", lambda *_: BOTH)
    one = {"ClientId": "c", "SubscriptionName": "s", "Active": True, "PendingQueueSize": 3,
           "DequeueCounter": 1}  # fmt: skip
    place = f"{BROKER}b,endpoint=Consumer,destinationType=Topic,destinationName=t,*"
    answers = {f"{place}/{','.join(one)}": [jolokia({"x": {**one, "DequeueCounter": at}})
                                            for at in (1, 1, 2)],
               f"{BROKER}b/BrokerId": [jolokia("a")]}  # fmt: skip
    settings = {"broker": "b", "topic": "t", "nodes": "alias.example"}
    _check(judge("activemq-durable", answers, settings), "ok", "; 3 waiting")


@pytest.mark.parametrize(
    ("addresses", "without", "code"),
    [(("127.0.0.1", "2001:db8::1"), ("2001:db8::1",), "ok"),
     (("127.0.0.1", "2001:db8::1", "2001:db8::2"), ("2001:db8::1", "2001:db8::2"), "cannot-run"),
     (("127.0.0.1", "192.0.2.1"), ("192.0.2.1",), "refused"),
     (("192.0.2.1", "2001:db8::1"), ("192.0.2.1", "2001:db8::1"), "refused")],
)  # fmt: skip
def test_family_of_addresses_without_a_route_tells_nothing(
    addresses: tuple[str, ...],
    without: tuple[str, ...],
    code: str,
    judge: Ask,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def connect(sock: socket.socket, where: Any) -> int:
        return errno.EHOSTUNREACH if where[0] in without else real(sock, where)

    real = socket.socket.connect_ex
    monkeypatch.setattr(socket.socket, "connect_ex", connect)
    monkeypatch.setattr(World, "addresses", lambda *_: addresses)
    answers = {ASKED: [jolokia(USED)], f"{BROKER}b,service=Health/CurrentStatus": [jolokia("Good")],
               PLACE: [jolokia(counted(5, 5)), jolokia(counted(9, 9))],
               f"{BROKER}b/BrokerId": [jolokia("a")]}  # fmt: skip
    for kind, more in (("activemq-broker", {}), ("activemq-destination", {"queue": "q"})):
        found = judge(kind, answers, {"broker": "b", "nodes": "alias.example", **more})
        _check(found, code, "" if code == "ok" else "no route to host")


def test_of_two_families_the_larger_is_counted() -> None:
    four, six = ("192.0.2.1", "192.0.2.2"), ("2001:db8::1",)
    assert activemq.one_family((*four, *six)) == four
    assert activemq.one_family((four[0], *six)) == four[:1]
    assert activemq.one_family(six) == six
    assert activemq.one_family(("",)) == ("",)


def test_several_brokers_in_one_place_are_not_taken_for_one(judge: Ask) -> None:
    answers = {f"{BROKER}*/BrokerId": [jolokia({"a": {"BrokerId": "1"}, "b": {"BrokerId": "2"}})]}
    found = judge("activemq-destination", answers, {"queue": "q"})
    _check(found, "no-data", "2 brokers answer there; set 'broker'")


_WORDS = st.lists(st.sampled_from(["a", "b", "*", "#"]), min_size=1, max_size=5).map(".".join)
_TOPICS = st.lists(st.sampled_from(["a", "b"]), min_size=1, max_size=5).map(".".join)


@given(_WORDS, _TOPICS)
def test_routing_is_that_of_topic_exchanges(pattern: str, topic: str) -> None:
    # Each word with a dot before it; `#` is any number of them, so that all are optional.
    parts = {"*": r"(\.[^.]+)", "#": r"(\.[^.]+)*"}
    expression = "".join(parts.get(one, re.escape("." + one)) for one in pattern.split("."))
    assert rabbitmq.is_routed(pattern, topic) is bool(re.fullmatch(expression, "." + topic))


@given(st.floats(0.5, 200), st.floats(0.2, 20), st.floats(0, 0.99), st.floats(1.1, 9))
def test_a_floor_that_is_kept_is_never_missed_by_steps(
    per_second: float, step: float, phase: float, windows: float
) -> None:
    """A counter that moves every `step` seconds is never so late as to cause an alarm."""
    steps = math.floor(phase + windows)  # of which the first came `phase` steps before
    messages = math.ceil(steps * step * per_second)
    found = counters.rate("it", 0, messages, windows * step, step)
    assert found.least <= per_second + 1 / step
    assert found.most >= per_second * 0.9999
    assert counters.below(found, per_second * 0.999) is None


def test_a_rate_that_is_much_too_low_is_found_whatever_the_steps() -> None:
    for steps in (2, 3):
        found = counters.rate("it", 0, steps * 5 * 6, 12.0, 5.0)
        answer = counters.below(found, 10)
        assert answer is not None
        assert answer.code == "below-floor"
