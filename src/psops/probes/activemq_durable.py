"""Whether a durable subscriber of an ActiveMQ topic is connected and keeps up.

A topic has no depth; what its subscribers have not taken waits with their subscriptions, one
of which may stay behind, inactive, on a node that its client has left. See `activemq`.
"""

from dataclasses import dataclass, replace
from typing import Any

from psops.catalogue.entry import Probe
from psops.checks import Answer, right, unknown, wrong
from psops.probes import Unanswered, activemq, counters
from psops.probes.counters import shown, whole
from psops.probes.world import World
from psops.report.text import clean

_ATTRIBUTES = ("ClientId", "SubscriptionName", "Active", "PendingQueueSize", "DequeueCounter")


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """A durable subscription on one node; None is what the broker did not tell."""

    node: str
    client: str
    name: str
    active: bool | None
    pending: int | None
    dequeued: int | None
    at: float
    asides: tuple[Answer, ...]


def answer(probe: Probe, world: World) -> Answer:
    """Return whether each durable subscription that is meant is active and takes its messages.

    Codes beside those of HTTP: missing-object, no-consumer, backlog, wedged; unknown are
    no-data, not-allowed and error-in-body.
    """
    key = ("durable", *activemq.shared(probe, "topic", "client", "subscription"))
    try:
        first, second = counters.twice(world, key, lambda: _look(probe, world))
    except Unanswered as exc:
        return exc.answer
    before = {(one.node, one.client, one.name): one for one in first}
    groups: dict[tuple[str, str], list[Subscription]] = {}
    for one in second:
        groups.setdefault((one.client, one.name), []).append(one)
    answers = [_judge(probe, group, before) for group in groups.values()]
    asides = tuple(dict.fromkeys(aside for one in second for aside in one.asides))
    return replace(counters.settle(answers), asides=asides)


def _look(probe: Probe, world: World) -> list[Subscription]:
    given = probe.settings
    topic = f"topic '{clean(given['topic'])}'"
    name = activemq.bean(
        probe,
        endpoint="Consumer",
        destinationType="Topic",
        destinationName=given["topic"].translate(activemq.BEAN),
    )

    def ask(node: str) -> tuple[str, list[Subscription]]:
        run = activemq.run_of(probe, world, node)
        try:
            reading = activemq.read(probe, world, node, f"{name},*", _ATTRIBUTES, topic)
        except Unanswered as exc:
            if exc.answer.code != "missing-object":
                raise
            return run, []
        return run, [_subscription(node, one, reading) for one in reading.beans]

    told = activemq.apart(activemq.each(activemq.nodes(probe, world), ask))
    found = [one for each in told for one in each]
    meant = [
        one
        for one in found
        if one.name
        and given["client"] in ("", one.client)
        and given["subscription"] in ("", one.name)
    ]
    if not meant:
        which = given["subscription"] or given["client"]
        what = f"durable subscription '{clean(which)}'" if which else "any durable subscription"
        text = f"{topic}: {what} does not exist, of {len(found)} subscriptions there"
        raise Unanswered(wrong("missing-object", text))
    return meant


def _subscription(node: str, one: dict[str, Any], reading: activemq.Reading) -> Subscription:
    active = one.get("Active")
    return Subscription(
        node=node,
        client=str(one.get("ClientId") or ""),
        name=str(one.get("SubscriptionName") or ""),
        active=active if isinstance(active, bool) else None,
        pending=whole(one, "PendingQueueSize"),
        dequeued=whole(one, "DequeueCounter"),
        at=reading.at,
        asides=reading.asides,
    )


def _judge(
    probe: Probe,
    group: list[Subscription],
    before: dict[tuple[str, str, str], Subscription],
) -> Answer:
    given = probe.settings
    one = group[0]
    what = f"subscription '{clean(one.name)}' of client '{clean(one.client)}'"
    pending = [each.pending for each in group if each.pending is not None]
    if len(pending) < len(group) or any(each.active is None for each in group):
        return unknown("no-data", f"{what}: the answer lacks how many wait or if it is active")
    waiting = f"{sum(pending)} waiting"
    if given["active"] and not any(each.active for each in group):
        return wrong("no-consumer", f"{what} is not connected; {waiting}")
    for each in group:
        if given["active"] and not each.active and each.pending:
            text = f"{what} is not connected{activemq.on(each.node)}, where {each.pending} wait"
            return wrong("no-consumer", text)
        then = before.get((each.node, each.client, each.name))
        stands = then is not None and each.dequeued is not None and each.dequeued == then.dequeued
        if then is not None and each.active and stands and each.pending and then.pending:
            seconds = shown(each.at - then.at)
            return wrong("wedged", f"{what} took no message within {seconds} s; {waiting}")
    if given["max_pending"] is not None and sum(pending) > given["max_pending"]:
        return wrong("backlog", f"{what}: {waiting}, of at most {given['max_pending']}")
    state = "is connected" if any(each.active for each in group) else "is not connected, as it may"
    return right(f"{what} {state}; {waiting}")
