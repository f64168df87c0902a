"""Whether a topic or queue of ActiveMQ moves and somebody takes what comes; see `activemq`."""

from dataclasses import replace

from psops.catalogue_entry import Probe
from psops.checks import Answer, unknown, wrong
from psops.probes import Unanswered, activemq, counters
from psops.probes.counters import shown
from psops.probes.world import World
from psops.report.text import clean


def answer(probe: Probe, world: World) -> Answer:
    """Return whether enough comes to the destination, counted on all nodes together.

    Codes beside those of HTTP: missing-object, no-consumer, backlog, wedged, silent,
    below-floor; unknown are no-data, restarted, not-allowed and error-in-body.
    """
    asides: tuple[Answer, ...] = ()
    try:
        kind, name = activemq.declared(probe)
        first, second = activemq.look_twice(probe, world)
        asides = tuple(dict.fromkeys(aside for one in first for aside in one.asides))
        found = _judge(probe, world, kind, first, second)
    except Unanswered as exc:
        return replace(exc.answer, asides=asides)
    return replace(found, text=f"{kind.lower()} '{clean(name)}': {found.text}", asides=asides)


def _judge(
    probe: Probe,
    world: World,
    kind: str,
    first: list[activemq.Destination],
    second: list[activemq.Destination],
) -> Answer:
    given = probe.settings
    there = [one for one in second if one.there]
    counts = [one.consumers for one in there if one.consumers is not None]
    sizes = [one.size for one in there if one.size is not None]
    if not there or len(counts) < len(there) or len(sizes) < len(there):
        return unknown("no-data", "the answer lacks its consumers or its size")
    consumers, size = sum(counts), sum(sizes)
    into = activemq.rate_in(probe, world, first, second)
    state = f"{shown(into.per_second)} messages/s in over {shown(into.seconds)} s"
    state = f"{state}, {consumers} consumers" + (f", {size} waiting" if kind == "Queue" else "")
    found: list[Answer | None] = []
    if consumers < given["min_consumers"]:
        text = f"{consumers} of at least {given['min_consumers']} consumers"
        found.append(wrong("no-consumer", text))
    if kind == "Queue" and consumers and _is_wedged(first, second):
        found.append(wrong("wedged", f"its consumers took no message while {size} wait"))
    if given["max_depth"] is not None and size > given["max_depth"]:
        found.append(wrong("backlog", f"{size} waiting, of at most {given['max_depth']}"))
    found.append(counters.below(into, given["min_rate"]))
    worst = counters.first_wrong(found, "moves")
    return replace(worst, text=f"{worst.text}; {state}")


def _is_wedged(first: list[activemq.Destination], second: list[activemq.Destination]) -> bool:
    """Tell whether messages waited at both looks, on the node, and none was taken between."""
    before = {one.node: one for one in first if one.there}
    return any(
        then is not None
        and bool(then.size and after.size and after.consumers)
        and after.dequeued is not None
        and after.dequeued == then.dequeued
        for after in second
        if (then := before.get(after.node)) is not None
    )
