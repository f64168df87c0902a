"""Bridges from a real RabbitMQ to a real ActiveMQ, good and bad, and a whole pipeline of them."""

import json
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from psops.exits import Exit
from psops.pipeline.ask import Result
from psops.verdict import Verdict
from tests.command import Run, psops
from tests.ports import free_port
from tests.probes.bus import traffic
from tests.probes.bus.asking import LOGIN, SECRETS, WINDOW, Probes, ask, text_of
from tests.probes.bus.brokers import INTERVAL, VHOST, until
from tests.probes.bus.conftest import Brokers

SOURCE, KEY = "bridge.raw", "perfsonar.raw.packet-trace"


#: As much as must pass where all does: two steps of a counter, or three, lie in a window.
ENOUGH = 0.6


class Flow(NamedTuple):
    """The brokers, and the one producer of all that comes."""

    brokers: Brokers
    producer: traffic.Worker


def from_queue(flow: Flow, name: str) -> dict[str, Any]:
    """Return the side of a bridge that is a queue of RabbitMQ."""
    return {**_rabbit(flow), "bus": "rabbitmq", "queue": name}


def to_topic(flow: Flow, name: str, bus: str = "activemq") -> dict[str, Any]:
    """Return the side of a bridge that is a topic of ActiveMQ."""
    active = flow.brokers.active
    url = active.url if bus == "activemq" else f"stomp://{active.address}:{active.stomp}"
    return {"bus": bus, "url": url, "topic": name, **LOGIN}


def _rabbit(flow: Flow) -> dict[str, Any]:
    url = flow.brokers.rabbit.url
    return {"url": url, "vhost": VHOST, "stats_interval": float(INTERVAL), **LOGIN}


@pytest.fixture(scope="module")
def flow(running: Brokers) -> Iterator[Flow]:
    """Give brokers with a bridge that passes all on, one that loses half, and one that hangs."""
    rabbit, active = running.rabbit, running.active
    for broker in (rabbit, active, running.plain):
        broker.wait()
    rabbit.exchange(SOURCE)
    for name in ("whole", "half", "hung"):
        rabbit.queue(name, SOURCE, "perfsonar.#")
    out = traffic.Stomp(active.address, active.stomp)
    sink = traffic.Stomp(active.address, active.stomp)
    sink.subscribe("/topic/bridged.>")
    out.send("/topic/bridged.hung")

    def half(number: int) -> None:
        if number % 2:
            out.send("/topic/bridged.half")

    workers = [
        traffic.publish(rabbit.amqp, SOURCE, (KEY,), 20),
        traffic.consume(rabbit.amqp, "whole", pass_on=lambda _: out.send("/topic/bridged.whole")),
        traffic.consume(rabbit.amqp, "half", pass_on=half),
        traffic.consume(rabbit.amqp, "hung", prefetch=5, confirm=False),
    ]
    told = f"queues/{VHOST}/whole"
    until("counters", lambda: rabbit.call("GET", told)["message_stats"]["ack"])
    until("messages", lambda: sink.count.got > 10)
    yield Flow(running, workers[0])
    for worker in workers:
        worker.stop()
    for one in (out, sink):
        one.close()


@pytest.fixture(scope="module")
def found(flow: Flow, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Result]:
    """Give what all probes found in one and the same window."""

    def bridge(source: str, target: str, bus: str = "activemq", **settings: Any) -> dict[str, Any]:
        given = {"from": from_queue(flow, source), "to": to_topic(flow, target, bus)}
        return {"kind": "bridge", **given, **settings}

    refused = {**to_topic(flow, "bridged.whole"), "url": f"http://127.0.0.1:{free_port()}"}
    plain = flow.brokers.plain
    uncounted = {**to_topic(flow, "bridged.whole", "stomp"), "by": "count"}
    exchange = {**_rabbit(flow), "bus": "rabbitmq", "exchange": SOURCE}
    whole = from_queue(flow, "whole")
    probes = {
        "whole": bridge("whole", "bridged.whole", min_ratio=ENOUGH),
        "whole-by-stomp": bridge("whole", "bridged.whole", "stomp", min_ratio=ENOUGH),
        "whole-by-count": {"kind": "bridge", "min_ratio": ENOUGH, "from": whole,
                           "to": uncounted},
        "from-exchange": {"kind": "bridge", "min_ratio": ENOUGH, "from": exchange, "to": refused | {
            "url": flow.brokers.active.url}},
        "half": bridge("half", "bridged.half", min_ratio=0.9),
        "half-is-enough": bridge("half", "bridged.half", min_ratio=0.3),
        "hung": bridge("hung", "bridged.hung"),
        "low": bridge("whole", "bridged.whole", min_rate=400),
        "no-target": bridge("whole", "bridged.absent"),
        "no-source": bridge("absent", "bridged.whole"),
        "refused": {"kind": "bridge", "from": whole, "to": refused},
        "blind": {"kind": "bridge", "from": {**whole, "secret": "env:PSOPS_TEST_WRONG"},
                  "to": to_topic(flow, "bridged.whole")},
        "no-plugin": {"kind": "bridge", "from": whole, "to": {
            **to_topic(flow, "nobodys", "stomp"), "by": "count",
            "url": f"stomp://{plain.address}:{plain.stomp}"}},
    }  # fmt: skip
    return ask(tmp_path_factory.mktemp("asked"), probes)


STATES = {
    "whole": (Verdict.OK, "ok", "queue 'whole'"),
    "whole-by-stomp": (Verdict.OK, "ok", "topic 'bridged.whole'"),
    "whole-by-count": (Verdict.OK, "ok", "topic 'bridged.whole'"),
    "from-exchange": (Verdict.OK, "ok", "exchange 'bridge.raw'"),
    "half": (Verdict.CRITICAL, "ratio", "of at least 0.9 go on"),
    "half-is-enough": (Verdict.OK, "ok", "go on; queue 'half'"),
    "hung": (Verdict.CRITICAL, "ratio", "0 of at least 0.9 go on"),
    "low": (Verdict.CRITICAL, "below-floor", "queue 'whole': "),
    "no-target": (Verdict.CRITICAL, "missing-object", "to: topic 'bridged.absent' does not"),
    "no-source": (Verdict.CRITICAL, "missing-object", "from: queue 'absent' does not exist"),
    "refused": (Verdict.CRITICAL, "refused", "to: http://127.0.0.1"),
    "blind": (Verdict.UNKNOWN, "not-allowed", "from: http://127.0.0.1"),
    "no-plugin": (Verdict.CRITICAL, "ratio", "topic 'nobodys' 0 messages/s"),
}


@pytest.mark.parametrize("name", STATES)
def test_bridge(name: str, found: dict[str, Result]) -> None:
    verdict, code, text = STATES[name]
    result = found[name]
    assert (result.verdict, result.code, text in result.text) == (verdict, code, True), result.text


def _pipeline(flow: Flow, bridge: str) -> str:
    """Return the file of a pipeline over both brokers with one of the bridges."""
    rabbit = {"url": flow.brokers.rabbit.url, **LOGIN}
    counted = {**_rabbit(flow), "min_rate": 5}
    active = {"url": flow.brokers.active.url, **LOGIN}
    topic = f"bridged.{bridge}"
    checks: dict[str, Probes] = {
        "collector": {"rate": {"kind": "rabbitmq-rate", "exchange": SOURCE, **counted}},
        "rabbitmq": {
            "health": {"kind": "rabbitmq-health", "certificate_days": 0, **rabbit},
            "queue": {"kind": "rabbitmq-queue", "queue": bridge, **counted},
        },
        "bridge": {
            "ratio": {
                "kind": "bridge", "min_rate": 5,
                "min_ratio": ENOUGH if bridge == "whole" else 0.9, "from": from_queue(flow, bridge),
                "to": {**to_topic(flow, topic), "url": "env:PSOPS_TEST_JOLOKIA"},
            }
        },
        "activemq": {
            "broker": {"kind": "activemq-broker", **active},
            "topic": {"kind": "activemq-destination", "topic": topic, "min_rate": 13, **active},
        },
        "view": {
            "stream": {
                "kind": "stomp-statistics", "topic": topic, "min_rate": 13, **LOGIN,
                "url": "env:PSOPS_TEST_STOMP",
            }
        },
    }  # fmt: skip
    names = list(checks)
    return text_of(checks, {after: [before] for before, after in pairwise(names)})


def _verify(flow: Flow, bridge: str, place: Path, *words: str) -> Run:
    path = place / "sand.toml"
    path.write_text(_pipeline(flow, bridge))
    words = ("-f", str(path), "--window", str(WINDOW), *words)
    active = flow.brokers.active
    variables = {**SECRETS, "PSOPS_TEST_JOLOKIA": active.url,
                 "PSOPS_TEST_STOMP": f"stomp://127.0.0.1:{active.stomp}"}  # fmt: skip
    return psops("pipeline", "verify", *words, home=place, **variables)


def test_pipeline_that_flows(flow: Flow, tmp_path: Path) -> None:
    done = _verify(flow, "whole", tmp_path)
    assert (done.exit, done.stderr) == (Exit.OK, ""), done.stdout
    assert "5 components: 5 ok" in done.stdout


def test_bridge_that_loses_leads_and_explains_what_lacks_behind_it(
    flow: Flow, tmp_path: Path
) -> None:
    done = _verify(flow, "half", tmp_path)
    assert done.exit == Exit.SOME_FAILED
    lines = done.stdout.splitlines()
    assert lines[0] == "✗ bridge  run by org bridge", done.stdout
    assert lines[1] == "    explains activemq, view"
    assert "of at least 0.9 go on" in lines[2]
    assert "1 cause; 5 components: 3 critical, 2 ok" in done.stdout


def test_bridge_that_hangs(flow: Flow, tmp_path: Path) -> None:
    done = _verify(flow, "hung", tmp_path, "--json")
    assert [one["component"] for one in json.loads(done.stdout)["causes"]] == ["bridge"]
    assert "wedged" in done.stdout


def test_silent_source_leads_and_explains_all_behind_it(flow: Flow, tmp_path: Path) -> None:
    """After all others: nothing is produced any more."""
    flow.producer.stop()
    rabbit = flow.brokers.rabbit
    told = f"queues/{VHOST}/whole"
    until("it is empty", lambda: rabbit.call("GET", told)["messages"] == 0)
    time.sleep(WINDOW)  # until all that was on its way has come and been counted
    done = _verify(flow, "whole", tmp_path)
    assert done.exit == Exit.SOME_FAILED
    lines = done.stdout.splitlines()
    assert lines[0] == "✗ collector  run by org collector", done.stdout
    assert lines[1] == "    explains rabbitmq, bridge, activemq, view"
    assert "exchange 'bridge.raw': 0 of at least 5 messages/s in" in lines[2]
    assert "1 cause; 5 components: 5 critical" in done.stdout
    assert SECRETS["PSOPS_TEST_SECRET"] not in done.stdout
