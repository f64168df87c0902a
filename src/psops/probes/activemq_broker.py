"""Whether a broker of ActiveMQ is well and has room, on every node behind its name.

When memory or store are full, producers are blocked (ActiveMQ 5.17, "Producer Flow Control").
"""

from dataclasses import replace

from psops.catalogue.entry import Probe
from psops.checks import Answer, right, unknown, wrong
from psops.probes import Unanswered, activemq, counters
from psops.probes.world import World
from psops.report.text import clean, count, squeeze

_USED = {
    "memory": "MemoryPercentUsage",
    "store": "StorePercentUsage",
    "temp": "TempPercentUsage",
}


def answer(probe: Probe, world: World) -> Answer:
    """Return whether every node says it is good and has memory, store and temp space left.

    Codes beside those of HTTP: missing-object, unhealthy, full; unknown are no-data,
    not-allowed and error-in-body.
    """
    try:
        nodes = activemq.nodes(probe, world)
        told = activemq.each(nodes, lambda node: _node(probe, world, node))
    except Unanswered as exc:
        return exc.answer
    found = counters.settle(told)
    if found.code == "ok" and len(told) > 1:
        found = replace(found, text=f"{count(len(told), 'node')}: {found.text}")
    return found


def _node(probe: Probe, world: World, node: str) -> Answer:
    attributes = ("BrokerVersion", "UptimeMillis", *_USED.values())
    place = f"the broker{activemq.on(node)}"
    try:
        name = activemq.bean(probe)
        reading = activemq.read(probe, world, node, name, attributes, "the broker")
        health = activemq.read(
            probe, world, node, activemq.bean(probe, service="Health"), ("CurrentStatus",),
            "the broker's health",
        )  # fmt: skip
    except Unanswered as exc:
        if activemq.is_no_route(exc):
            raise
        return exc.answer
    one = reading.beans[0] if reading.beans else {}
    used = {name: counters.whole(one, key) for name, key in _USED.items()}
    bad, told = activemq.judge_use(probe, used)
    status = health.beans[0].get("CurrentStatus") if health.beans else None
    if not isinstance(status, str):
        bad = bad or unknown("no-data", "the answer does not tell its health")
    elif status != "Good":
        said = squeeze(clean(status))[:200]
        bad = wrong("unhealthy", f"it says of itself '{said}'")
    if bad:
        return replace(bad, text=f"{place}: {bad.text}; {told}", asides=reading.asides)
    version = clean(str(one.get("BrokerVersion", "")))
    return replace(right(f"{place} {version} is good, {told}"), asides=reading.asides)
