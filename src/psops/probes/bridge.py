"""Whether what goes into a bridge between two buses comes out of it.

A bridge has no state that anybody could ask for: its process runs while it loses messages. So
both ends are counted over the same window, each by the bus it is on.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import NamedTuple

from psops.catalogue.entry import Probe
from psops.checks import Answer, right, unknown, wrong
from psops.probes import (
    Unanswered,
    activemq,
    counters,
    rabbitmq,
    rabbitmq_queue,
    rabbitmq_rate,
    stomp_statistics,
)
from psops.probes.counters import Rate, shown
from psops.probes.world import World
from psops.report.text import clean, count

#: Fewer messages than this tell no ratio.
FEWEST = 5


class End(NamedTuple):
    """What was counted at one end of a bridge."""

    what: str
    rate: Rate
    asides: tuple[Answer, ...] = ()


def answer(probe: Probe, world: World) -> Answer:
    """Return whether as large a share of the messages comes out as must.

    Codes beside those of the two buses: silent, below-floor, ratio; unknown are no-data and
    restarted. What is wrong with one end is told as that.
    """
    given = probe.settings
    with ThreadPoolExecutor(2) as pool:
        ends = [pool.submit(_count, rabbitmq.side(probe, given[key]), world)
                for key in ("from", "to")]  # fmt: skip
    found: list[End] = []
    failed: list[Answer] = []
    for side, end in zip(("from", "to"), ends, strict=True):
        try:
            found.append(end.result())
        except Unanswered as exc:
            failed.append(replace(exc.answer, text=f"{side}: {exc.answer.text}"))
    if failed:
        return counters.settle(failed)
    source, target = found
    asides = tuple(dict.fromkeys((*source.asides, *target.asides)))
    return replace(_judge(probe, source, target), asides=asides)


def _judge(probe: Probe, source: End, target: End) -> Answer:
    given = probe.settings
    told = f"{_words(source)}, {_words(target)}, over {shown(source.rate.seconds)} s"
    if bad := counters.below(source.rate, given["min_rate"]):
        return replace(bad, text=f"{source.what}: {bad.text}")
    if source.rate.messages < FEWEST:
        few = f"{count(source.rate.messages, 'message')} in {shown(source.rate.seconds)} s"
        return unknown("no-data", f"{source.what}: {few} tell no ratio; look for longer")
    ratio = target.rate.per_second / source.rate.per_second
    if target.rate.most / source.rate.least < given["min_ratio"]:
        least = f"{shown(ratio)} of at least {shown(given['min_ratio'])} go on"
        return wrong("ratio", f"{least}; {told}")
    text = f"{shown(ratio)} go on"
    if ratio < given["min_ratio"]:
        text = f"{text}, which may be due to when they were counted; look for longer"
        return unknown("no-data", f"{text}; {told}")
    return right(f"{text}; {told}")


def _words(end: End) -> str:
    return f"{end.what} {shown(end.rate.per_second)} messages/s"


def _count(probe: Probe, world: World) -> End:
    """Return what was counted at one end; raises `Unanswered`."""
    return _BUSES[probe.settings["bus"]](probe, world)


def _count_rabbitmq(probe: Probe, world: World) -> End:
    given = probe.settings
    if given["exchange"] and not given["queue"] and not given["topic"]:
        first, second = rabbitmq_rate.look_twice(probe, world)
        rate = rabbitmq_rate.rate_in(probe, world, first, second)
        rabbitmq.check_restart(probe, world, rate.seconds)
        return End(f"exchange '{clean(given['exchange'])}'", rate, first.asides)
    if not given["exchange"]:
        probe = rabbitmq.side(probe, {**given, "exchange": "amq.topic"})
    names = rabbitmq_queue.queue_names(probe, world, only=True)
    looks = rabbitmq_queue.look_twice(probe, world, names)
    names = list(looks)
    rates = [rabbitmq_queue.rate_in(probe, world, name, *both) for name, both in looks.items()]
    rabbitmq.check_restart(probe, world, rates[0].seconds)
    what = f"queue '{clean(names[0])}'" if len(names) == 1 else count(len(names), "queue")
    # Each queue of a topic has a copy of its messages.
    most = max(rates, key=lambda rate: rate.messages)
    return End(what, most, tuple(aside for one, _ in looks.values() for aside in one.asides))


def _count_activemq(probe: Probe, world: World) -> End:
    first, second = activemq.look_twice(probe, world)
    what = activemq.title(probe)
    asides = tuple(aside for one in first for aside in one.asides)
    return End(what, activemq.together(activemq.flows(what, first, second)), asides)


def _count_stomp(probe: Probe, world: World) -> End:
    what = activemq.title(probe)
    found = stomp_statistics.ask_twice(probe, world)
    if found is None:
        counted = stomp_statistics.count_twice(probe, world)
        return End(what, counted.rate, counted.asides)
    asides = tuple(aside for one in found[0] for aside in one.asides)
    return End(what, activemq.together(activemq.flows(what, *found)), asides)


_BUSES: dict[str, Callable[[Probe, World], End]] = {
    "rabbitmq": _count_rabbitmq,
    "activemq": _count_activemq,
    "stomp": _count_stomp,
}
