"""The states of a real RabbitMQ, produced with real producers and consumers, and told apart."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from psops.pipeline.ask import Result
from psops.verdict import Verdict
from tests.ports import free_port
from tests.probes.bus import traffic
from tests.probes.bus.asking import LOGIN, WINDOW, ask
from tests.probes.bus.brokers import INTERVAL, NOBODY, STRANGER, VHOST, RabbitMq, until
from tests.probes.bus.conftest import Brokers

KEY = "perfsonar.raw.throughput"
RAW, QUIET = "osg.ps.raw", "osg.ps.quiet"


def asked(broker: RabbitMq, kind: str, **settings: Any) -> dict[str, Any]:
    """Return the settings of a probe that asks a broker."""
    found = {"kind": f"rabbitmq-{kind}", "url": broker.url, **LOGIN, **settings}
    if kind in ("queue", "rate"):
        found.setdefault("stats_interval", float(INTERVAL))
    return found if kind == "health" else {"vhost": VHOST, **found}


@pytest.fixture(scope="module")
def flow(running: Brokers) -> Iterator[RabbitMq]:
    """Give a broker in which some queues flow and others do not."""
    rabbit = running.rabbit
    rabbit.wait()
    for name in (RAW, QUIET):
        rabbit.exchange(name)
    rabbit.call("POST", f"bindings/{VHOST}/e/{RAW}/e/amq.topic", {"routing_key": "perfsonar.#"})
    for name in ("uc", "built-up", "wedged", "greedy", "slow"):
        rabbit.queue(name, RAW, "perfsonar.#")
    rabbit.queue("quorum", RAW, "perfsonar.#", kind="quorum")
    rabbit.queue("quorum-wedged", RAW, "perfsonar.#", kind="quorum")
    rabbit.queue("behind", "amq.topic", "perfsonar.#")
    rabbit.queue("quiet", QUIET, "quiet")
    rabbit.queue("stampless", QUIET, "stampless")
    rabbit.queue("target")
    rabbit.shovel("works", "uc", "target")
    rabbit.shovel("stuck", "uc", "target", port=free_port())
    amqp = rabbit.amqp
    workers = [
        traffic.publish(amqp, RAW, (KEY,), 40),
        traffic.publish(amqp, QUIET, ("stampless",), 10, stamped=False),
        traffic.consume(amqp, "uc"),
        traffic.consume(amqp, "behind"),
        traffic.consume(amqp, "quorum"),
        traffic.consume(amqp, "quorum-wedged", prefetch=10, confirm=False),
        traffic.consume(amqp, "wedged", prefetch=10, confirm=False),
        traffic.consume(amqp, "greedy", prefetch=0, confirm=False),
        traffic.consume(amqp, "slow", prefetch=10, seconds=0.2),
        traffic.consume(amqp, "quiet"),
    ]
    stomp = traffic.Stomp("127.0.0.1", rabbit.stomp, user="guest", password="guest")
    how = {"durable": "true", "auto_delete": "false"}
    stomp.subscribe(f"/topic/{KEY}", ack="client-individual", prefetch_count="20", **how)
    gone = traffic.Stomp("127.0.0.1", rabbit.stomp, user="guest", password="guest")
    gone.subscribe("/topic/perfsonar.raw.packet-trace", **how)
    gone.close()
    told = f"queues/{VHOST}/"
    until("counters", lambda: rabbit.call("GET", f"{told}uc")["message_stats"]["ack"])
    until("counters", lambda: rabbit.call("GET", f"{told}greedy")["messages_unacknowledged"])
    # The depth of quorum queues is told every 5 s.
    until("depth", lambda: rabbit.call("GET", f"{told}quorum-wedged")["messages_unacknowledged"])
    until("the shovels", lambda: len(rabbit.call("GET", f"shovels/{VHOST}")) == 2)
    yield rabbit
    stomp.close()
    for worker in workers:
        worker.stop()


@pytest.fixture(scope="module")
def found(flow: RabbitMq, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Result]:
    """Give what all probes found in one and the same window."""

    def queue(name: str, **settings: Any) -> dict[str, Any]:
        return asked(flow, "queue", queue=name, **settings)

    def leads(**settings: Any) -> dict[str, Any]:
        return asked(flow, "bindings", exchange=RAW, **settings)

    def heard(**settings: Any) -> dict[str, Any]:
        found = {"kind": "stomp-statistics", "url": f"stomp+ssl://localhost:{flow.stomps}",
                 "ca": str(flow.authority), "vhost": VHOST, "topic": KEY, "by": "count",
                 "user": "guest", "secret": "env:PSOPS_TEST_GUEST", **settings}  # fmt: skip
        return {key: value for key, value in found.items() if value != ""}

    https = {"url": f"https://localhost:{flow.https}"}
    stranger, nobody = {"user": STRANGER}, {"user": NOBODY}
    probes = {
        "flows": queue("uc", min_rate=10, min_ack=10, max_depth=1000, max_age=60),
        "built-up": queue("built-up"),
        "too-deep": queue("built-up", min_consumers=0, max_depth=5),
        "too-old": queue("built-up", min_consumers=0, max_age=1),
        "wedged": queue("wedged"),
        "wedged-by-prefetch": queue("wedged", prefetch=10),
        "greedy": queue("greedy"),
        "slow": queue("slow", min_ack=20),
        "silent": queue("quiet"),
        "silence-allowed": queue("quiet", min_rate=0),
        "sparse": queue("quiet", max_idle=3600),
        "too-sparse": queue("quiet", max_idle=0.01),
        "low": queue("uc", min_rate=400),
        "quorum": queue("quorum", min_rate=10, min_ack=10, max_depth=1000),
        "quorum-wedged": queue("quorum-wedged"),
        "few-consumers": queue("uc", min_consumers=7),
        "no-queue": queue("absent"),
        "age-unknown": queue("stampless", min_consumers=0, max_age=1),
        "stomp": asked(flow, "queue", topic=KEY, min_rate=10),
        "stomp-left": asked(flow, "queue", topic="perfsonar.raw.packet-trace"),
        "stomp-none": asked(flow, "queue", topic="netflow.lhcopn"),
        "no-broker-vhost": {**queue("uc"), "vhost": "absent"},
        "rate": asked(flow, "rate", exchange=RAW, min_rate=10),
        "rate-low": asked(flow, "rate", exchange=RAW, min_rate=400),
        "rate-silent": asked(flow, "rate", exchange="amq.fanout"),
        "no-exchange": asked(flow, "rate", exchange="absent"),
        "bound": leads(bindings=[{"to": "amq.topic", "key": "perfsonar.#"},
                                 {"to": "uc", "type": "queue"}], topics=[KEY]),
        "not-bound": leads(bindings=[{"to": "amq.topic", "key": "esnet.#"}], topics=["esnet.x"]),
        "leads-nowhere": asked(flow, "bindings", exchange="amq.headers", topics=[KEY]),
        "bindings-of-none": asked(flow, "bindings", exchange="absent", topics=[KEY]),
        "shovel": asked(flow, "shovel", shovel="works"),
        "shovel-stuck": asked(flow, "shovel", shovel="stuck"),
        "shovel-missing": asked(flow, "shovel", shovel="absent"),
        "health": asked(flow, "health", ports=[flow.amqp], protocols=["stomp"]),
        "health-other": asked(flow, "health", ports=[9], health=["is-in-service"]),
        "few-nodes": asked(flow, "health", min_nodes=3),
        "stranger-queue": queue("uc", **stranger),
        "stranger-topic": asked(flow, "queue", topic=KEY, **stranger),
        "stranger-bindings": leads(topics=[KEY], **stranger),
        "shovel-elsewhere": {**asked(flow, "shovel", shovel="works"), "vhost": "absent"},
        "stranger-shovel": asked(flow, "shovel", shovel="works", **stranger),
        "nobody": queue("uc", **nobody),
        "wrong-password": queue("uc", secret="env:PSOPS_TEST_WRONG"),
        "no-secret": queue("uc", secret="env:PSOPS_TEST_NONE"),
        "not-rabbitmq": {**queue("uc"), "url": f"http://127.0.0.1:{flow.amqp}"},
        "https": queue("uc", **https, ca=str(flow.authority)),
        "https-not-trusted": queue("uc", **https),
        "heard": heard(min_rate=10),
        "heard-nothing": heard(topic="perfsonar.raw.none"),
        "heard-in-the-clear": heard(url=f"stomp://127.0.0.1:{flow.stomp}"),
        "heard-not-trusted": heard(ca=""),
        "may-not-hear": heard(**LOGIN),
        "hears-elsewhere": heard(vhost=""),
        "hears-with-wrong-password": heard(secret="env:PSOPS_TEST_WRONG"),
        "has-no-plugin": heard(by="", timeout=6),
        "the-page": {**queue("uc"), "url": f"{flow.url}/index.html?"},
    }  # fmt: skip
    return ask(tmp_path_factory.mktemp("asked"), probes)


STATES = {
    "flows": ("ok", "flows; "),
    "built-up": ("no-consumer", "0 of at least 1 consumer"),
    "too-deep": ("backlog", "of at most 5"),
    "too-old": ("backlog", "the oldest"),
    "wedged": ("wedged", "1 consumer confirmed no message while holding 10 of 10"),
    "wedged-by-prefetch": ("wedged", "holding 10 of 10"),
    "greedy": ("wedged", "1 consumer confirmed no message"),
    "slow": ("slow-consumer", "of at least 20 messages/s taken"),
    "silent": ("silent", "0 of more than 0 messages/s in"),
    "silence-allowed": ("ok", "silent, as it may be"),
    "sparse": ("ok", "0 messages/s in"),
    "too-sparse": ("silent", "nothing moved for"),
    "low": ("below-floor", "of at least 400 messages/s in"),
    "quorum": ("ok", "flows; "),
    "quorum-wedged": ("wedged", "1 consumer confirmed no message while holding 10 of 10"),
    "few-consumers": ("no-consumer", "of at least 7 consumers"),
    "no-queue": ("missing-object", "queue 'absent' does not exist in virtual host 'osg-nma'"),
    "age-unknown": ("no-data", "its messages have no time"),
    "stomp": ("wedged", "queue 'stomp-subscription-"),
    "stomp-left": ("no-consumer", "queue 'stomp-subscription-"),
    "stomp-none": ("missing-object", "leads from 'amq.topic' to 0 of at least 1 queue"),
    "no-broker-vhost": ("missing-object", "in virtual host 'absent'"),
    "rate": ("ok", f"exchange '{RAW}'"),
    "rate-low": ("below-floor", "of at least 400 messages/s"),
    "rate-silent": ("silent", "exchange 'amq.fanout'"),
    "no-exchange": ("missing-object", "exchange 'absent' does not exist"),
    "bound": ("ok", "3 of 3 declared bindings there"),
    "not-bound": ("not-bound", "topic 'esnet.x' leads nowhere"),
    "leads-nowhere": ("not-bound", "exchange 'amq.headers' leads nowhere"),
    "bindings-of-none": ("missing-object", "exchange 'absent' does not exist"),
    "shovel": ("ok", "shovel 'works' runs since"),
    "shovel-stuck": ("stuck", "'starting' at two looks"),
    "shovel-missing": ("missing-object", "shovel 'absent' does not exist"),
    "health": ("ok", "4 health checks ok; 1 of 1 node running"),
    "health-other": ("unhealthy", "'port-listener/9': No active listener"),
    "few-nodes": ("not-running", "at least 3 must be"),
    "stranger-queue": ("not-allowed", "so nothing is seen"),
    "stranger-topic": ("not-allowed", "so nothing is seen"),
    "stranger-bindings": ("not-allowed", "so nothing is seen"),
    "shovel-elsewhere": ("missing-object", "virtual host 'absent' does not exist; set 'vhost'"),
    "stranger-shovel": ("not-allowed", "whose lists are empty for it"),
    "nobody": ("not-allowed", "401"),
    "wrong-password": ("not-allowed", "401"),
    "no-secret": ("no-secret", "PSOPS_TEST_NONE is not set"),
    "not-rabbitmq": ("broken", "connection reset"),
    "https": ("ok", "flows"),
    "https-not-trusted": ("tls-unknown-authority", "localhost: "),
    "heard": ("ok", "messages/s came to a subscriber"),
    "heard-nothing": ("silent", "0 of more than 0 messages/s"),
    "heard-in-the-clear": ("ok", "messages/s came to a subscriber"),
    "heard-not-trusted": ("tls-unknown-authority", "localhost: "),
    "may-not-hear": ("not-allowed", "the broker refuses: "),
    "hears-elsewhere": ("not-allowed", "the broker refuses: "),
    "hears-with-wrong-password": ("not-allowed", "the broker refuses: Bad CONNECT"),
    "has-no-plugin": ("ok", "messages/s came to a subscriber"),
    "the-page": ("not-json", "not JSON; it is a page with the title 'RabbitMQ Management'"),
}
UNKNOWN = {"not-json", "no-data", "not-allowed", "no-secret", "restarted"}


@pytest.mark.parametrize("name", STATES)
def test_state(name: str, found: dict[str, Result]) -> None:
    code, text = STATES[name]
    result = found[name]
    assert (result.code, text in result.text) == (code, True), result.text
    expected = Verdict.OK if code == "ok" else Verdict.CRITICAL
    assert result.verdict is (Verdict.UNKNOWN if code in UNKNOWN else expected)
    assert "only-for-tests" not in result.text


def test_certificate_that_ends_is_told_beside(found: dict[str, Result]) -> None:
    beside = ["https/tls-ends-soon", "heard/tls-ends-soon", "health/tls-ends-soon"]
    assert [found[name].verdict for name in beside] == [Verdict.WARNING] * 3
    assert "of sand@localhost: a certificate ends" in found[beside[2]].text


def test_too_short_a_window_tells_nothing(flow: RabbitMq, tmp_path: Path) -> None:
    probes = {
        "queue": asked(flow, "queue", queue="uc"),
        "rate": asked(flow, "rate", exchange=RAW, stats_interval=5.0),
    }
    for one in ask(tmp_path, probes, window=0.3).values():
        assert (one.verdict, one.code) == (Verdict.UNKNOWN, "no-data")
        assert "look for longer" in one.text


def test_who_only_listens_for_psops_is_no_queue(flow: RabbitMq, tmp_path: Path) -> None:
    for place in ("one", "other"):
        (tmp_path / place).mkdir()
    topic = "overheard"
    heard = {"kind": "stomp-statistics", "url": f"stomp://127.0.0.1:{flow.stomp}", "vhost": VHOST,
             "topic": topic, "by": "count", "min_rate": 0.0, "user": "guest",
             "secret": "env:PSOPS_TEST_GUEST"}  # fmt: skip

    def led() -> list[str]:
        found = flow.call("GET", f"exchanges/{VHOST}/amq.topic/bindings/source")
        return [one["destination"] for one in found if one["routing_key"] == topic]

    with ThreadPoolExecutor(1) as pool:
        # Another psops counts there, for much longer than this one looks.
        other = pool.submit(ask, tmp_path / "other", {"heard": heard}, window=8.0)
        until("somebody listens", led)
        # What may be subscribed may depend on how the queues of subscriptions are called.
        assert led()[0].startswith("stomp-subscription-")
        probes = {
            "queue": asked(flow, "queue", topic=topic),
            "bindings": asked(flow, "bindings", exchange="amq.topic", topics=[topic]),
        }
        found = ask(tmp_path / "one", probes)
        assert [one.code for one in found.values()] == ["missing-object", "not-bound"]
        assert not other.done()
        assert other.result()["heard"].code == "ok"
    assert not led()


def test_binding_that_is_lost(flow: RabbitMq, tmp_path: Path) -> None:
    probes = {
        "bound": asked(flow, "bindings", exchange=RAW, bindings=[{"to": "amq.topic"}]),
        "topics": asked(flow, "bindings", exchange="amq.topic", topics=[KEY]),
        "queue": asked(flow, "queue", queue="behind"),
    }
    assert [one.code for one in ask(tmp_path, probes).values()] == ["ok"] * 3
    place = f"bindings/{VHOST}/e/{RAW}/e/amq.topic"
    flow.call("DELETE", f"{place}/perfsonar.%23")
    try:
        time.sleep(INTERVAL)
        found = ask(tmp_path, probes)
    finally:
        flow.call("POST", place, {"routing_key": "perfsonar.#"})
    assert (found["bound"].code, found["topics"].code) == ("not-bound", "ok")
    assert "not bound to exchange 'amq.topic'" in found["bound"].text
    assert (found["queue"].verdict, found["queue"].code) == (Verdict.CRITICAL, "silent")


def test_alarm_is_told_and_over(flow: RabbitMq, tmp_path: Path) -> None:
    probe = {"health": asked(flow, "health")}
    flow.set_memory_limit(0.000001)
    try:
        until("the alarm", lambda: flow.call("GET", "nodes")[0]["mem_alarm"])
        raised = ask(tmp_path, probe)["health"]
    finally:
        flow.set_memory_limit(0.4)
    assert (raised.verdict, raised.code) == (Verdict.CRITICAL, "alarm")
    assert "memory on sand@localhost; publishers are blocked" in raised.text
    until("no alarm", lambda: flow.call("GET", "nodes")[0]["mem_alarm"] is False)
    assert ask(tmp_path, probe)["health"].code == "ok"


def test_broker_without_statistics_and_shovels_is_not_taken_for_silent(
    running: Brokers, tmp_path: Path
) -> None:
    blind = running.blind
    blind.wait()
    blind.exchange(RAW)
    blind.queue("uc", RAW)
    worker = traffic.publish(blind.amqp, RAW, (KEY,), 100)
    until("messages", lambda: blind.call("GET", _TOTALS)[0].get("messages", 0) > 10)
    worker.stop()
    probes = {
        "queue": asked(blind, "queue", queue="uc"),
        "deep": asked(blind, "queue", queue="uc", max_depth=3),
        "rate": asked(blind, "rate", exchange=RAW),
        "health": asked(blind, "health"),
        "nodes": asked(blind, "health", health=["virtual-hosts"]),
        "shovel": asked(blind, "shovel", shovel="any"),
        "shovel-elsewhere": {**asked(blind, "shovel", shovel="any"), "vhost": "absent"},
    }
    found = ask(tmp_path, probes)
    for name in ("queue", "rate"):
        told = (found[name].verdict, found[name].code)
        assert told == (Verdict.UNKNOWN, "no-data"), found[name].text
        assert "collector of statistics is off" in found[name].text
    assert " waiting; the broker's" in found["queue"].text
    assert (found["deep"].verdict, found["deep"].code) == (Verdict.CRITICAL, "backlog")
    assert found["health"].code == "ok"
    assert (found["nodes"].verdict, found["nodes"].code) == (Verdict.UNKNOWN, "no-data")
    shovel = found["shovel"]
    assert (shovel.verdict, shovel.code) == (Verdict.UNKNOWN, "no-data"), shovel.text
    assert "rabbitmq-plugins enable rabbitmq_shovel_management" in shovel.text
    assert found["shovel-elsewhere"].code == "missing-object"


_TOTALS = f"queues/{VHOST}?disable_stats=true&enable_queue_totals=true"


def test_restart_in_mid_window_is_unknown_once(
    flow: RabbitMq, found: dict[str, Result], tmp_path: Path
) -> None:
    """After all others: the traffic of this module ends with the broker."""
    assert found["flows"].code == "ok"
    probes = {
        "queue": asked(flow, "queue", queue="uc"),
        "rate": asked(flow, "rate", exchange=RAW),
    }
    meet = threading.Barrier(len(probes), action=flow.restart)
    counted: list[traffic.Worker] = []

    def sleep(_seconds: float) -> None:
        meet.wait(60)  # all have looked once by then
        if not counted:
            counted.append(traffic.publish(flow.amqp, RAW, (KEY,), 40))
            counted.append(traffic.consume(flow.amqp, "uc"))
        time.sleep(WINDOW)

    try:
        for one in ask(tmp_path, probes, sleep=sleep).values():
            assert (one.verdict, one.code) == (Verdict.UNKNOWN, "restarted"), one.text
        for one in ask(tmp_path, probes).values():
            assert one.code == "ok", one.text
    finally:
        for worker in counted:
            worker.stop()
