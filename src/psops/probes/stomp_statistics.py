"""What a bus tells of itself by STOMP: ActiveMQ's statistics plugin, or what a subscriber gets.

For brokers whose console is closed. The plugin answers in a temporary queue, if the broker has
it and XStream to write the answer with; where it does not, the messages of a topic are counted
for a window, which takes none from anybody. Those of a queue are never counted.
"""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any, NamedTuple

from psops.catalogue.entry import Probe
from psops.checks import Answer, right, unknown, wrong
from psops.probes import Unanswered, activemq, activemq_destination, counters, stomp
from psops.probes.activemq import Destination
from psops.probes.counters import Rate, shown
from psops.probes.keys_common import login
from psops.probes.world import World
from psops.report.text import clean, count, duration

_USED = {
    "memory": "memoryPercentUsage",
    "store": "storePercentUsage",
    "temp": "tempPercentUsage",
}

#: When the oldest message of a queue came, in milliseconds.
_OLDEST = "firstMessageTimestamp"
#: So often it is asked in a queue that moves faster than it is looked at.
_TRIES = 5


class Counted(NamedTuple):
    """What a subscriber got on all nodes together, and asides."""

    rate: Rate
    asides: tuple[Answer, ...]


def answer(probe: Probe, world: World) -> Answer:
    """Return how a topic, a queue or, with neither, the broker itself is.

    Codes beside those of the network: missing-object, no-consumer, backlog, wedged, silent,
    below-floor, full; unknown are no-data, restarted and not-allowed.
    """
    given = probe.settings
    try:
        if not given["topic"] and not given["queue"]:
            return _broker(probe, world)
        if (found := ask_twice(probe, world)) is None:
            return _judge_count(probe, count_twice(probe, world))
    except Unanswered as exc:
        return exc.answer
    answers = [activemq_destination.judge(probe, *found)]
    before = {(one.run, one.node): one for one in found[0]}
    lates = (_late(probe, before.get((one.run, one.node)), one) for one in found[1])
    answers += [late for late in lates if late is not None]
    return counters.settle(answers)


def ask_twice(probe: Probe, world: World) -> tuple[list[Destination], list[Destination]] | None:
    """Return two looks at the destination, a window apart; None where messages are counted.

    Raises `Unanswered`.
    """
    given = probe.settings
    what = activemq.title(probe)
    if given["by"] == "count":
        return None
    first = _once(probe, world, "asked", lambda: _look(probe, world))
    if first is None and given["topic"] and not given["by"]:
        return None
    if first is None:
        text = f"{what}: no answer from a statistics plugin within {probe.timeout:g} s"
        raise Unanswered(unknown("no-data", text))

    def again() -> list[Destination] | None:
        world.wait()
        return _look(probe, world)

    second = _once(probe, world, "asked again", again)
    if second is None:
        raise Unanswered(unknown("no-data", f"{what}: the statistics plugin answers no more"))
    return first, second


def count_twice(probe: Probe, world: World) -> Counted:
    """Return what a subscriber of the topic gets in a window; raises `Unanswered`."""
    if not probe.settings["topic"]:
        text = "messages of a queue are not counted, for who gets them takes them from others"
        raise Unanswered(unknown("cannot-run", text))
    found: Counted = _once(probe, world, "counted", lambda: _count(probe, world))
    return found


def _once(probe: Probe, world: World, what: str, ask: Callable[[], Any]) -> Any:
    return world.once((what, *login(probe, "vhost", "nodes", "topic", "queue")), ask)


def _turn(probe: Probe, world: World) -> AbstractContextManager[Any]:
    """Return what only one can hold at a time: who counts a topic is among its consumers."""
    given = probe.settings
    key = ("turn", *(given[name] for name in ("url", "vhost", "nodes", "topic", "queue")))
    found: AbstractContextManager[Any] = world.once(key, threading.Lock)
    return found


def _look(probe: Probe, world: World) -> list[Destination] | None:
    with _turn(probe, world):
        return _look_now(probe, world)


def _look_now(probe: Probe, world: World) -> list[Destination] | None:
    kind, name = activemq.declared(probe)

    def ask(node: str) -> tuple[str, Destination] | None:
        with stomp.Session(probe, world, node) as session:
            # Without a plugin, a question to a topic is lost, and one to a queue would wait there.
            if kind == "Queue" and stomp.ask_plugin(session, probe) is None:
                return None
            told = _ask(session, probe, kind, name)
            at = world.monotonic()
        if told is None:
            return None
        if len(told) > 1:
            text = f"'{clean(name)}' is a pattern for {count(len(told), 'destination')}"
            raise Unanswered(unknown("cannot-run", f"{text}; one is needed"))
        if not told:
            return "", Destination(node=node, there=False, asides=session.asides)
        one = _destination(node, told[0], at, session.asides)
        return one.run, one

    answers = activemq.each(activemq.nodes(probe, world), ask)
    if None in answers:
        return None
    found = activemq.apart(one for one in answers if one is not None)
    if not any(one.there for one in found):
        raise activemq.absent(activemq.title(probe))
    return found


def _ask(
    session: stomp.Session, probe: Probe, kind: str, name: str
) -> list[stomp.Statistics] | None:
    """Return what `stomp.ask_plugin` does, with the oldest message of a queue that has some.

    The broker counts first and then looks for the oldest, which may have left in between; then
    it is asked anew.
    """
    told = None
    for _ in range(_TRIES):
        told = stomp.ask_plugin(session, probe, kind, name)
        if not told or kind != "Queue" or all(map(_has_oldest, told)):
            break
    return told


def _has_oldest(told: stomp.Statistics) -> bool:
    return not told.values.get("size") or _OLDEST in told.values


def _destination(
    node: str, told: stomp.Statistics, at: float, asides: tuple[Answer, ...]
) -> Destination:
    values = told.values
    oldest = counters.whole(values, _OLDEST)
    return Destination(
        node=node,
        run=str(values.get("brokerId", "")),
        timestamp=told.at,
        at=at,
        enqueued=counters.whole(values, "enqueueCount"),
        dispatched=counters.whole(values, "dispatchCount"),
        dequeued=counters.whole(values, "dequeueCount"),
        held=counters.whole(values, "inflightCount"),
        consumers=counters.whole(values, "consumerCount"),
        size=counters.whole(values, "size"),
        oldest=oldest / 1000 if oldest else None,
        asides=asides,
    )


def _late(probe: Probe, before: Destination | None, one: Destination) -> Answer | None:
    """Return what is wrong with the age of the oldest message of a queue."""
    most = probe.settings["max_age"]
    if most is None or not one.size:
        return None
    what = f"{activemq.title(probe)}{activemq.on(one.node)}"
    # What was there before bounds it, where the broker never met the oldest.
    since = _no_older(before) if one.oldest is None else one.oldest
    age = None if since is None or one.timestamp is None else one.timestamp - since
    if age is None or (age > most and one.oldest is None):
        return unknown("no-data", f"{what}: the age of its oldest message is not told")
    if age <= most:
        return None
    return wrong("backlog", f"{what}: {counters.old(age)}, of at most {duration(most)}")


def _no_older(before: Destination | None) -> float | None:
    """Return since when all messages came that a queue has later; None if that is not known."""
    if before is None:
        return None
    return before.oldest if before.size else before.timestamp


def _count(probe: Probe, world: World) -> Counted:
    """Return what comes to the topic while a window passes, on all nodes at once."""
    # Nothing tells that two addresses are of one broker, whose messages would count twice.
    addresses = activemq.nodes(probe, world)
    nodes = activemq.one_family(addresses)

    def one(node: str) -> tuple[Rate, tuple[Answer, ...]]:
        with stomp.Session(probe, world, node) as session:
            messages, seconds = stomp.count_messages(session, probe, world.window)
        return Rate(messages, seconds), session.asides

    try:
        with _turn(probe, world), ThreadPoolExecutor(len(nodes)) as pool:
            found = list(pool.map(one, nodes))
    except Unanswered as exc:
        if nodes == addresses or not activemq.is_no_route(exc):
            raise
        raise Unanswered(unknown("cannot-run", exc.answer.text)) from exc
    rates = [rate for rate, _ in found]
    rate = Rate(sum(one.messages for one in rates), max(one.seconds for one in rates))
    return Counted(rate, tuple(dict.fromkeys(aside for _, asides in found for aside in asides)))


def _judge_count(probe: Probe, found: Counted) -> Answer:
    given = probe.settings
    what = activemq.title(probe)
    told = f"{shown(found.rate.per_second)} messages/s came to a subscriber"
    told = f"{told}, over {shown(found.rate.seconds)} s"
    bad = counters.below(found.rate, given["min_rate"])
    unseen = [key for key in ("max_depth", "max_age") if given[key] is not None]
    if not bad and unseen:
        text = f"{what}: {told}; a subscriber sees nothing of {' and '.join(unseen)}"
        return replace(unknown("no-data", text), asides=found.asides)
    return replace(bad or right(told), text=f"{what}: {bad.text if bad else told}",
                   asides=found.asides)  # fmt: skip


def _broker(probe: Probe, world: World) -> Answer:
    nodes = activemq.nodes(probe, world)
    return counters.settle(activemq.each(nodes, lambda node: _node(probe, world, node)))


def _node(probe: Probe, world: World, node: str) -> Answer:
    place = f"the broker{activemq.on(node)}"
    try:
        with stomp.Session(probe, world, node) as session:
            told = stomp.ask_plugin(session, probe)
    except Unanswered as exc:
        if activemq.is_no_route(exc):
            raise
        return exc.answer
    if not told:
        text = f"{place} takes a login, but no statistics plugin answers"
        return replace(unknown("no-data", text), asides=session.asides)
    values = told[0].values
    used = {name: counters.whole(values, key) for name, key in _USED.items()}
    bad, words = activemq.judge_use(probe, used)
    text = f"{place}: {bad.text}; {words}" if bad else f"{place} answers, {words}"
    return replace(bad or right(text), text=text, asides=session.asides)
