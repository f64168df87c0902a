"""Whether a topic or queue of ActiveMQ moves and somebody takes what comes; see `activemq`."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from psops.catalogue.entry import Probe
from psops.checks import Answer, unknown, wrong
from psops.probes import Unanswered, activemq, counters
from psops.probes.activemq import Destination, Flow
from psops.probes.world import World
from psops.report.text import count


def answer(probe: Probe, world: World) -> Answer:
    """Return whether enough comes to the destination, counted on all nodes together.

    Codes beside those of HTTP: missing-object, no-consumer, backlog, wedged, silent,
    below-floor; unknown are no-data, restarted, not-allowed and error-in-body.
    """
    try:
        first, second = activemq.look_twice(probe, world)
    except Unanswered as exc:
        return exc.answer
    return judge(probe, first, second)


def judge(probe: Probe, first: list[Destination], second: list[Destination]) -> Answer:
    """Return what two looks at a destination on all nodes tell, whoever was asked."""
    what = activemq.title(probe)
    asides = tuple(dict.fromkeys(aside for one in (*first, *second) for aside in one.asides))
    try:
        found = _judge(probe.settings, activemq.flows(what, first, second), what)
    except Unanswered as exc:
        return replace(exc.answer, asides=asides)
    return replace(found, text=f"{what}: {found.text}", asides=asides)


def _judge(given: Mapping[str, Any], flows: list[Flow], what: str) -> Answer:
    nodes = [flow.after for flow in flows]
    counts = [one.consumers for one in nodes if one.consumers is not None]
    sizes = [one.size for one in nodes if one.size is not None]
    if len(counts) < len(nodes) or len(sizes) < len(nodes):
        return unknown("no-data", "the answer lacks its consumers or its size")
    into = activemq.together(flows)
    queue = what.startswith("queue")
    state = count(sum(counts), "consumer")
    state = f"{state}, {sum(sizes)} waiting" if queue else state
    found: list[Answer | None] = []
    if sum(counts) < given["min_consumers"]:
        text = f"{sum(counts)} of at least {count(given['min_consumers'], 'consumer')}"
        found.append(wrong("no-consumer", text))
    if given["min_consumers"]:
        found += [_is_left(flow) for flow in flows]
    found += [_is_wedged(flow) if queue else _is_lost(flow) for flow in flows]
    if given["max_depth"] is not None and sum(sizes) > given["max_depth"]:
        found.append(wrong("backlog", f"{sum(sizes)} waiting, of at most {given['max_depth']}"))
    found.append(counters.below(into, given["min_rate"]))
    worst = counters.first_wrong(found, "moves" if into.messages else counters.MAY)
    return counters.tell(worst, into, state)


def _is_left(flow: Flow) -> Answer | None:
    """Return that a node has messages and nobody to take them; no other node will."""
    after = flow.after
    if after.consumers or not (flow.into.messages or after.size):
        return None
    return wrong("no-consumer", f"no consumer{activemq.on(after.node)}")


def _is_wedged(flow: Flow) -> Answer | None:
    """Return that messages of a queue waited at both looks and none was taken between."""
    before, after = flow.before, flow.after
    if not (before.size and after.size and after.consumers) or _moved(flow, "dequeued") != 0:
        return None
    text = f"{count(after.consumers, 'consumer')} took no message{activemq.on(after.node)}"
    return wrong("wedged", f"{text} while {after.size} wait")


def _is_lost(flow: Flow) -> Answer | None:
    """Return that messages came to a topic and reached nobody.

    Durable subscriptions that are away are among the consumers of the statistics plugin.
    """
    after = flow.after
    if not (flow.into.messages and after.consumers):
        return None
    held = after.held
    if _moved(flow, "dispatched") != 0 or _moved(flow, "dequeued") != 0:
        # Perhaps to psops itself, as it listens there; all others are told one by one.
        held = after.taken.held if after.taken and after.taken == flow.before.taken else 0
        if not held:
            return None
    place = activemq.on(after.node)
    if held:
        text = f"{count(after.consumers, 'consumer')} confirmed no message{place}"
        return wrong("wedged", f"{text} while holding {held}")
    return wrong("no-consumer", f"nobody takes what comes{place}; its consumers are away")


def _moved(flow: Flow, counter: str) -> int | None:
    """Return how far a counter went, None if that is not known."""
    before = getattr(flow.before, counter) if flow.before.there else 0
    after = getattr(flow.after, counter)
    return None if before is None or after is None else after - before
