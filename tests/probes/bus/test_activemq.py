"""The states of a real ActiveMQ, asked by Jolokia and by STOMP, and told apart."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from psops.cli.target import LOCAL
from psops.deadline import Deadline
from psops.pipeline.ask import Result
from psops.transport import Finished, Options
from psops.transport.local import Local
from psops.verdict import Verdict
from tests.probes.bus import asking, traffic
from tests.probes.bus.asking import LOGIN
from tests.probes.bus.brokers import ActiveMq, until
from tests.probes.bus.conftest import Brokers

#: Counters of ActiveMQ are always up to date, so that a short window will do.
WINDOW = 1.0
#: What is produced to all the time, with a topic that is nobody's yet.
TOPICS = ("flowing", "nobodys", "away", "pair", "held", "overheard", "several.x")
QUEUES = ("taken", "stuck", "left")


def asked(broker: ActiveMq, kind: str, /, **settings: Any) -> dict[str, Any]:
    """Return the settings of a probe that asks a broker by Jolokia."""
    return {"kind": f"activemq-{kind}", "url": broker.url, **LOGIN, **settings}


def told(broker: ActiveMq, /, **settings: Any) -> dict[str, Any]:
    """Return the settings of a probe that asks a broker by STOMP."""
    url = f"stomp://{broker.address}:{broker.stomp}"
    # Without a plugin, it takes the time-out until one is sure of that.
    limit = 10.0 if broker.plugin else 2.0
    return {"kind": "stomp-statistics", "url": url, "timeout": limit, **LOGIN, **settings}


def ask(place: Path, probes: asking.Probes, **how: Any) -> dict[str, Result]:
    """Return what each probe found."""
    return asking.ask(place, probes, window=WINDOW, **how)


def client(broker: ActiveMq, name: str = "") -> traffic.Stomp:
    """Return a client of a broker."""
    return traffic.Stomp(broker.address, broker.stomp, client=name)


@pytest.fixture(scope="module")
def flow(running: Brokers) -> Iterator[Brokers]:
    """Give brokers in which some destinations flow and others do not."""
    active, plain = running.active, running.plain
    for one in (active, plain):
        one.wait()
    clients = [client(active) for _ in range(7)]
    clients[0].subscribe("/topic/flowing")
    clients[1].subscribe("/topic/quiet")
    clients[2].subscribe("/queue/taken")
    clients[3].subscribe("/queue/stuck", ack="client-individual", **_few(5))
    clients[4].subscribe("/topic/held", ack="client-individual", **_few(5))
    clients[5].subscribe("/topic/several.x", ack="client-individual", **_few(5))
    clients[6].subscribe("/topic/several.>")
    durable = {"activemq.subscriptionName": "monit-es"}
    present, away = client(active, "dirac"), client(active, "monit")
    present.subscribe("/topic/pair", **durable)
    away.subscribe("/topic/away", **durable)
    until("the subscription", lambda: _durables(active))
    away.close()
    deaf = client(active, "deaf")
    deaf.subscribe("/topic/held", ack="client-individual", **durable, **_few(5))
    elsewhere = client(plain)
    elsewhere.subscribe("/topic/flowing")
    client(active).send("/topic/quiet")
    workers = [
        client(active).produce(tuple(f"/topic/{name}" for name in TOPICS), 20),
        client(active).produce(tuple(f"/queue/{name}" for name in QUEUES), 20),
        client(plain).produce(("/topic/flowing", "/topic/only-there"), 20),
    ]
    until("messages", lambda: clients[0].count.got > 10)
    yield running
    for worker in workers:
        worker.stop()
    for gone in (*clients, present, deaf, elsewhere):
        gone.close()


def _few(messages: int) -> dict[str, str]:
    return {"activemq.prefetchSize": str(messages)}


def _durables(broker: ActiveMq) -> bool:
    return len(broker.read("type=Broker,brokerName=netmon-lab", "DurableTopicSubscribers")) == 2


@pytest.fixture(scope="module")
def found(flow: Brokers, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Result]:
    """Give what all probes found in one and the same window."""
    active, plain = flow.active, flow.plain

    def destination(**settings: Any) -> dict[str, Any]:
        return asked(active, "destination", **settings)

    def durable(topic: str, **settings: Any) -> dict[str, Any]:
        return asked(active, "durable", topic=topic, **settings)

    closed = {"secret": "env:PSOPS_TEST_WRONG"}
    probes = {
        "flows": destination(topic="flowing", min_rate=5),
        "low": destination(topic="flowing", min_rate=400),
        "nobodys": destination(topic="nobodys"),
        "nobodys-as-declared": destination(topic="nobodys", min_consumers=0),
        "away": destination(topic="away"),
        "held": destination(topic="held"),
        "several": destination(topic="several.x"),
        "silent": destination(topic="quiet"),
        "silence-allowed": destination(topic="quiet", min_rate=0),
        "no-topic": destination(topic="absent"),
        "taken": destination(queue="taken", min_rate=5),
        "stuck": destination(queue="stuck"),
        "left": destination(queue="left"),
        "deep": destination(queue="left", min_consumers=0, max_depth=5),
        "both": destination(queue="left", topic="flowing"),
        "present": durable("pair"),
        "left-behind": durable("away"),
        "left-behind-as-declared": durable("away", active=False, max_pending=3),
        "deaf": durable("held", client="deaf"),
        "no-subscription": durable("away", subscription="absent"),
        "none-durable": durable("flowing"),
        "broker": asked(active, "broker", broker="netmon-lab"),
        "any-broker": asked(active, "broker"),
        "other-broker": asked(active, "broker", broker="absent"),
        "no-origin": destination(topic="flowing", origin="http://evil.example"),
        "no-origin-broker": asked(active, "broker", origin="http://evil.example"),
        "wrong-password": destination(topic="flowing", **closed),
        "wrong-place": {**destination(topic="flowing"), "url": f"{active.url}/elsewhere"},
        "told": told(active, topic="flowing", min_rate=5),
        "told-low": told(active, topic="flowing", min_rate=400),
        "told-silent": told(active, topic="quiet"),
        "told-nobodys": told(active, topic="nobodys"),
        "told-away": told(active, topic="away"),
        "told-held": told(active, topic="held"),
        "told-no-topic": told(active, topic="absent"),
        "told-stuck": told(active, queue="stuck"),
        "told-left": told(active, queue="left"),
        "told-deep": told(active, queue="left", min_consumers=0, max_depth=5),
        "told-old": told(active, queue="left", min_consumers=0, max_age=0.5),
        "told-taken": told(active, queue="taken", max_age=60),
        "told-pattern": told(active, topic="*"),
        "told-broker": told(active),
        "counted": told(active, topic="flowing", by="count", min_rate=5),
        "counted-silent": told(active, topic="quiet", by="count"),
        "counted-queue": told(active, queue="taken", by="count"),
        "counted-depth": told(active, topic="flowing", by="count", max_depth=5),
        "no-plugin": told(plain, topic="flowing", min_rate=5),
        "no-plugin-asked": told(plain, topic="flowing", by="plugin"),
        "no-plugin-queue": told(plain, queue="any"),
        "no-plugin-broker": told(plain),
    }
    return ask(tmp_path_factory.mktemp("asked"), probes)


STATES = {
    "flows": ("ok", "topic 'flowing': moves; "),
    "low": ("below-floor", "of at least 400 messages/s in"),
    "nobodys": ("no-consumer", "0 of at least 1 consumer"),
    "nobodys-as-declared": ("ok", "; 0 consumers"),
    "away": ("no-consumer", "0 of at least 1 consumer"),
    "held": ("wedged", "2 consumers confirmed no message while holding"),
    "several": ("ok", "; 2 consumers"),
    "silent": ("silent", "topic 'quiet': 0 of more than 0 messages/s in"),
    "silence-allowed": ("ok", "topic 'quiet': silent, as it may be; 0 messages/s in"),
    "no-topic": ("missing-object", "topic 'absent' does not exist"),
    "taken": ("ok", "queue 'taken': moves; "),
    "stuck": ("wedged", "1 consumer took no message while"),
    "left": ("no-consumer", "0 of at least 1 consumer"),
    "deep": ("backlog", "waiting, of at most 5"),
    "both": ("cannot-run", "one of 'topic' and 'queue' must be set"),
    "present": ("ok", "subscription 'monit-es' of client 'dirac' is connected; "),
    "left-behind": ("no-consumer", "'monit-es' of client 'monit' is not connected; "),
    "left-behind-as-declared": ("backlog", "waiting, of at most 3"),
    "deaf": ("wedged", "of client 'deaf' took no message within"),
    "no-subscription": ("missing-object", "durable subscription 'absent' does not exist, of 1"),
    "none-durable": ("missing-object", "any durable subscription does not exist"),
    "broker": ("ok", "the broker 5."),
    "any-broker": ("ok", "is good, 0 % of its memory"),
    "other-broker": ("missing-object", "the broker does not exist"),
    "no-origin": ("not-allowed", "Origin http://evil.example is not allowed"),
    "no-origin-broker": ("not-allowed", "Jolokia answers 403 in its text"),
    "wrong-password": ("not-allowed", "401"),
    "wrong-place": ("missing-object", "404"),
    "told": ("ok", "topic 'flowing': moves; "),
    "told-low": ("below-floor", "of at least 400 messages/s in"),
    "told-silent": ("silent", "0 of more than 0 messages/s"),
    "told-nobodys": ("no-consumer", "0 of at least 1 consumer"),
    "told-away": ("no-consumer", "nobody takes what comes; its consumers are away"),
    "told-held": ("wedged", "2 consumers confirmed no message while holding"),
    "told-no-topic": ("missing-object", "topic 'absent' does not exist"),
    "told-stuck": ("wedged", "1 consumer took no message while"),
    "told-left": ("no-consumer", "0 of at least 1 consumer"),
    "told-deep": ("backlog", "waiting, of at most 5"),
    "told-old": ("backlog", "queue 'left': the oldest"),
    "told-taken": ("ok", "queue 'taken': moves"),
    "told-pattern": ("cannot-run", "'*' is a pattern for"),
    "told-broker": ("ok", "the broker answers, 0 % of its memory"),
    "counted": ("ok", "messages/s came to a subscriber"),
    "counted-silent": ("silent", "topic 'quiet': 0 of more than 0"),
    "counted-queue": ("cannot-run", "messages of a queue are not counted"),
    "counted-depth": ("no-data", "a subscriber sees nothing of max_depth"),
    "no-plugin": ("ok", "messages/s came to a subscriber"),
    "no-plugin-asked": ("no-data", "no answer from a statistics plugin within 2 s"),
    "no-plugin-queue": ("no-data", "no answer from a statistics plugin within 2 s"),
    "no-plugin-broker": ("no-data", "takes a login, but no statistics plugin answers"),
}
UNKNOWN = {"no-data", "not-allowed", "cannot-run"}


@pytest.mark.parametrize("name", STATES)
def test_state(name: str, found: dict[str, Result]) -> None:
    code, text = STATES[name]
    result = found[name]
    assert (result.code, text in result.text) == (code, True), result.text
    expected = Verdict.OK if code == "ok" else Verdict.CRITICAL
    assert result.verdict is (Verdict.UNKNOWN if code in UNKNOWN else expected)
    assert "only-for-tests" not in result.text


def test_looking_leaves_nothing_behind(flow: Brokers, found: dict[str, Result]) -> None:
    assert found["told-left"].code == "no-consumer"
    for broker in (flow.active, flow.plain):
        names = broker.search("type=Broker,brokerName=netmon-lab,destinationType=Queue,*")
        assert not [name for name in names if "Statistics" in name or "psops" in name]


def _hearers(broker: ActiveMq, topic: str = "overheard") -> int:
    place = f"destinationType=Topic,destinationName={topic}"
    return int(broker.read(f"type=Broker,brokerName=netmon-lab,{place}", "ConsumerCount"))


def test_who_only_listens_for_psops_is_no_consumer(flow: Brokers, tmp_path: Path) -> None:
    active = flow.active
    for place in ("one", "other"):
        (tmp_path / place).mkdir()
    # Another psops counts there, for much longer than this one looks.
    listening = {"counted": told(active, topic="overheard", by="count")}
    with ThreadPoolExecutor(1) as pool:
        other = pool.submit(asking.ask, tmp_path / "other", listening, window=8.0)
        until("somebody listens", lambda: _hearers(active))
        probes = {"asked": asked(active, "destination", topic="overheard")}
        assert ask(tmp_path / "one", probes)["asked"].code == "no-consumer"
        assert not other.done()
        assert other.result()["counted"].code == "ok"
    assert not _hearers(active)


def test_consumers_that_confirm_nothing_are_seen_while_psops_listens(
    flow: Brokers, tmp_path: Path
) -> None:
    active = flow.active
    for place in ("one", "other"):
        (tmp_path / place).mkdir()
    probes = {
        "asked": asked(active, "destination", topic="held"),
        "flows": asked(active, "destination", topic="flowing"),
        # It comes and goes between the two looks of the others.
        "counted": told(active, topic="held", by="count"),
    }
    listening = {name: told(active, topic=name, by="count") for name in ("held", "flowing")}
    with ThreadPoolExecutor(1) as pool:
        # So does another psops, all the time.
        other = pool.submit(asking.ask, tmp_path / "other", listening, window=8.0)
        until("somebody listens", lambda: _hearers(active, "held") == 3)
        found = ask(tmp_path / "one", probes)
        assert not other.done()
    for one in (found, ask(tmp_path / "one", probes)):
        assert {name: result.code for name, result in one.items()} == {
            "asked": "wedged", "flows": "ok", "counted": "ok"
        }, found["asked"].text  # fmt: skip
        assert "2 consumers confirmed no message while holding" in one["asked"].text


def test_statistics_are_not_asked_while_the_same_psops_listens(
    flow: Brokers, tmp_path: Path
) -> None:
    probes = {
        "counted": told(flow.active, topic="overheard", by="count"),
        "told": told(flow.active, topic="overheard"),
    }
    # The second look at the statistics would come amidst the count.
    found = ask(tmp_path, probes, sleep=lambda seconds: time.sleep(seconds / 2))
    assert (found["counted"].code, found["told"].code) == ("ok", "no-consumer"), found


class Aliased(Local):
    """This machine, where one name has the addresses of two brokers."""

    def run(self, argv: tuple[str, ...], deadline: Deadline) -> Finished:
        """Run a program; getent(1) is told what /etc/hosts of CERN would have."""
        assert argv == ("getent", "ahosts", "netmon-mb.example")
        lines = "127.0.0.1 STREAM netmon-mb.example\n127.0.0.1 DGRAM\n127.0.0.2 STREAM\n"
        return Finished(0, lines.encode(), b"")


def aliased(_name: str) -> Aliased:
    """Return that machine."""
    return Aliased(LOCAL, Options())


def test_each_node_behind_an_alias_is_asked(flow: Brokers, tmp_path: Path) -> None:
    nodes = {"nodes": "netmon-mb.example"}
    probes = {
        "flows": asked(flow.active, "destination", topic="flowing", min_rate=22, **nodes),
        "one-node": asked(flow.active, "destination", topic="only-there", **nodes),
        "none": asked(flow.active, "destination", topic="absent", **nodes),
        "broker": asked(flow.active, "broker", **nodes),
        "counted": told(flow.active, topic="flowing", by="count", min_rate=22, **nodes),
    }
    found = ask(tmp_path, probes, dial=aliased)
    for name in ("flows", "broker", "counted"):
        assert found[name].code == "ok", found[name].text
    assert "2 consumers" in found["flows"].text
    assert "2 nodes: the broker on 127.0.0.1" in found["broker"].text
    assert found["one-node"].code == "no-consumer"
    assert found["none"].code == "missing-object"


def _memory(broker: ActiveMq) -> int:
    return int(broker.read("type=Broker,brokerName=netmon-lab", "MemoryPercentUsage"))


def test_full_broker(flow: Brokers, tmp_path: Path) -> None:
    filler = client(flow.plain)
    for _ in range(6):
        filler.send("/queue/full", "x" * 100_000, persistent="false")
    until("memory is used", lambda: _memory(flow.plain) > 20)
    found = ask(tmp_path, {"broker": asked(flow.plain, "broker", max_memory=20)})["broker"]
    assert (found.verdict, found.code) == (Verdict.CRITICAL, "full")
    assert "% of its memory, of at most 20 %" in found.text
    filler.close()


def test_restart_in_mid_window_is_unknown_once_and_a_dead_node_is_named(
    flow: Brokers, found: dict[str, Result], tmp_path: Path
) -> None:
    """After all others: the traffic on that broker ends with it."""
    assert found["flows"].code == "ok"
    plain = flow.plain
    probes = {
        "destination": asked(plain, "destination", topic="flowing"),
        "alias": asked(plain, "destination", topic="flowing", nodes="netmon-mb.example"),
    }
    new: list[traffic.Worker] = []

    def restart() -> None:
        plain.restart()
        client(plain).subscribe("/topic/flowing")
        # More than it had counted before, so that no counter is seen to fall.
        busy = client(plain)
        for _ in range(3000):
            busy.send("/topic/flowing")
        new.append(busy.produce(("/topic/flowing",), 20))

    meet = threading.Barrier(len(probes), action=restart)

    def sleep(_seconds: float) -> None:
        meet.wait(60)
        time.sleep(WINDOW)

    for name, one in ask(tmp_path, probes, sleep=sleep, dial=aliased).items():
        assert (one.verdict, one.code) == (Verdict.UNKNOWN, "restarted"), one.text
        assert ("on 127.0.0.2" in one.text) is (name == "alias")
    for one in ask(tmp_path, probes, dial=aliased).values():
        assert one.code == "ok", one.text
    plain.stop()
    for one in ask(tmp_path, probes, dial=aliased).values():
        assert (one.verdict, one.code) == (Verdict.CRITICAL, "refused"), one.text
        assert "127.0.0.2" in one.text
    new[0].stop()
    plain.start()
    plain.wait()
