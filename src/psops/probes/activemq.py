"""ActiveMQ classic by Jolokia: beans and their attributes, only ever read.

As of ActiveMQ 5.17 and Jolokia 1.7: the status is in the body, for HTTP says 200 to everything;
without an `Origin` the shipped policy (jolokia-access.xml) answers nobody, while it would let
every operation through. There is no attribute with a rate; counters start with the broker.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import quote

from psops.catalogue_entry import Probe
from psops.checks import Answer, unknown, wrong
from psops.probes import Unanswered, counters
from psops.probes.counters import Rate, whole
from psops.probes.world import World
from psops.report.text import clean, squeeze

_MOST = 200
#: How the parts of a bean's name are written, see JMXSupport.encodeObjectNamePart of ActiveMQ.
BEAN = str.maketrans(
    {":": "_", ",": "_", "'": "_", '"': "_", "?": "&qe;", "=": "&amp;", "*": "&ast;"}
)
#: What has a meaning in a path of Jolokia, see "Escape rules" of its protocol.
_PATH = str.maketrans({"!": "!!", "/": "!/", '"': '!"'})
#: Seconds by which our clock and that of Jolokia, which has whole ones, may differ over a window.
_CLOCKS = 1.0


class Reading(NamedTuple):
    """The attributes of each bean of that name; the second by Jolokia, ours, and asides."""

    beans: tuple[dict[str, Any], ...]
    timestamp: int | None
    at: float
    asides: tuple[Answer, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """A topic or queue of one node at one moment; None is what the broker did not tell."""

    node: str
    #: False: the node has none of that name, as long as nobody uses it.
    there: bool = True
    timestamp: int | None = None
    at: float = 0.0
    enqueued: int | None = None
    dequeued: int | None = None
    consumers: int | None = None
    size: int | None = None
    asides: tuple[Answer, ...] = ()


def nodes(probe: Probe, world: World) -> tuple[str, ...]:
    """Return the addresses behind the alias, "" for the host of the URL; raises `Unanswered`."""
    alias = probe.settings["nodes"]
    return world.addresses(probe, alias) if alias else ("",)


def on(node: str) -> str:
    """Return the node in words that follow what is there."""
    return f" on {clean(node)}" if node else ""


def bean(probe: Probe, **keys: str) -> str:
    """Return the name of a bean of the broker; a value that ends in `*` stays a pattern."""
    broker = probe.settings["broker"].translate(BEAN) or "*"
    parts = {"type": "Broker", "brokerName": broker}
    return "org.apache.activemq:" + ",".join(
        f"{key}={one}" for key, one in {**parts, **keys}.items()
    )


def read(
    probe: Probe, world: World, node: str, name: str, attributes: tuple[str, ...], what: str
) -> Reading:
    """Return attributes, asked for anew; raises `Unanswered`, `missing-object` for no bean."""
    base = str(probe.settings["url"]).rstrip("/")
    base = base if base.endswith("/jolokia") else f"{base}/api/jolokia"
    place = quote(name.translate(_PATH), safe=":=,*!/()&;")
    url = f"{base}/read/{place}/{','.join(attributes)}"
    headers = (("Origin", probe.settings["origin"]),)
    found = world.look(probe, url, headers=headers, address=node)
    document = found.document
    status = whole(document, "status")
    if status is None:
        raise Unanswered(unknown("no-data", f"{what}: the answer has no status"))
    if status != 200:
        raise _explain(document, status, what + on(node))
    value = document.get("value")
    if not isinstance(value, dict):
        raise Unanswered(unknown("no-data", f"{what}: the answer has no attributes"))
    # A pattern is answered by the names of the beans it fits, each with its attributes.
    many = all(isinstance(one, dict) for one in value.values()) and "*" in name
    beans = tuple(value.values()) if many else (value,)
    return Reading(beans, whole(document, "timestamp"), found.at, found.asides)


def look_at(probe: Probe, world: World) -> list[Destination]:
    """Return the declared topic or queue on every node; raises `Unanswered`."""
    kind, name = declared(probe)
    bean_name = bean(probe, destinationType=kind, destinationName=name.translate(BEAN))
    attributes = ("EnqueueCount", "DequeueCount", "ConsumerCount", "QueueSize")
    what = f"{kind.lower()} '{clean(name)}'"
    found = []
    for node in nodes(probe, world):
        try:
            reading = read(probe, world, node, bean_name, attributes, what)
        except Unanswered as exc:
            if exc.answer.code != "missing-object":
                raise
            found.append(Destination(node=node, there=False))
            continue
        for one in reading.beans:
            counts = (whole(one, key) for key in attributes)
            enqueued, dequeued, consumers, size = counts
            found.append(
                Destination(
                    node=node,
                    timestamp=reading.timestamp,
                    at=reading.at,
                    enqueued=enqueued,
                    dequeued=dequeued,
                    consumers=consumers,
                    size=size,
                    asides=reading.asides,
                )
            )
    if not any(one.there for one in found):
        text = f"{what} does not exist, so nobody has used it since the broker started"
        raise Unanswered(wrong("missing-object", text))
    return found


def look_twice(probe: Probe, world: World) -> tuple[list[Destination], list[Destination]]:
    """Return two looks at the destination, a window apart; raises `Unanswered`."""
    given = probe.settings
    key = (
        probe.via,
        *(given[one] for one in ("url", "nodes", "broker", "topic", "queue", "user", "secret")),
    )
    return counters.twice(world, ("destination", key), lambda: look_at(probe, world))


def rate_in(
    probe: Probe, world: World, first: list[Destination], second: list[Destination]
) -> Rate:
    """Return what was put there on all nodes together; raises `Unanswered`, `restarted` too."""
    kind, name = declared(probe)
    what = f"{kind.lower()} '{clean(name)}'"
    before = {one.node: one for one in first if one.there}
    messages, spans = 0, []
    for after in second:
        then = before.get(after.node)
        if not after.there:
            if then is not None:
                text = f"{what} vanished{on(after.node)}: restarted or taken away"
                raise Unanswered(unknown("restarted", text))
            continue
        if after.enqueued is None:
            raise Unanswered(unknown("no-data", f"{what}: the answer has no EnqueueCount"))
        if then is None:
            continue  # its first message came within the window; the next look counts
        seconds = elapsed(then.timestamp, after.timestamp, after.at - then.at)
        found = counters.rate(f"{what}{on(after.node)}", then.enqueued, after.enqueued, seconds)
        up = uptime(probe, world, after.node)
        if up is not None and up < seconds:
            text = f"the broker{on(after.node)} is up for {up:.0f} s only, so its counters are new"
            raise Unanswered(unknown("restarted", text))
        messages += found.messages
        spans.append(seconds)
    if not spans:
        raise Unanswered(unknown("no-data", f"{what} is there for less than a window"))
    return Rate(messages, sum(spans) / len(spans))


def uptime(probe: Probe, world: World, node: str) -> float | None:
    """Return the seconds since the broker started, None if it does not tell; may raise."""
    reading = read(probe, world, node, bean(probe), ("UptimeMillis",), "the broker")
    found = [up for one in reading.beans if (up := whole(one, "UptimeMillis")) is not None]
    return min(found) / 1000 if found else None


def elapsed(before: int | None, after: int | None, ours: float) -> float:
    """Return the seconds between two answers by the clock of the broker.

    Jolokia has whole seconds; where our own clock agrees within one, it is the finer.

    >>> elapsed(100, 112, 12.3), elapsed(100, 130, 12.3)
    (12.3, 30.0)
    """
    if before is None or after is None or abs(after - before - ours) <= _CLOCKS:
        return ours
    return float(after - before)


def declared(probe: Probe) -> tuple[str, str]:
    """Return the type and the name of the destination; raises `Unanswered` if there is none."""
    given = probe.settings
    if bool(given["topic"]) == bool(given["queue"]):
        text = "one of 'topic' and 'queue' must be set"
        raise Unanswered(unknown("cannot-run", text))
    return ("Topic", given["topic"]) if given["topic"] else ("Queue", given["queue"])


def judge_use(probe: Probe, used: dict[str, int | None]) -> tuple[Answer | None, str]:
    """Return what is wrong with the percents of memory, store and temp used, and the words."""
    lacking = [name for name, percent in used.items() if percent is None]
    told = ", ".join(f"{percent} % of its {name}" for name, percent in used.items()
                     if percent is not None)  # fmt: skip
    told = f"{told} used"
    if lacking:
        text = f"the answer does not tell how much of its {', '.join(lacking)} is used"
        return unknown("no-data", text), told
    over = [
        f"{percent} % of its {name}, of at most {probe.settings[f'max_{name}']} %"
        for name, percent in used.items()
        if percent is not None and percent > probe.settings[f"max_{name}"]
    ]
    return (wrong("full", f"it uses {' and '.join(over)}") if over else None), told


def _explain(document: Any, status: int, what: str) -> Unanswered:
    error = squeeze(clean(str(document.get("error", ""))))[:_MOST]
    kind = str(document.get("error_type", ""))
    if status == 404 and "AttributeNotFound" not in kind:
        return Unanswered(wrong("missing-object", f"{what} does not exist"))
    if status in (401, 403):
        text = f"{what}: Jolokia answers {status} in its text: {error}"
        return Unanswered(unknown("not-allowed", text))
    return Unanswered(unknown("error-in-body", f"{what}: Jolokia answers {status}: {error}"))
