"""ActiveMQ classic by Jolokia: beans and their attributes, only ever read.

As of ActiveMQ 5.17 and Jolokia 1.7: the status is in the body, for HTTP says 200 to everything;
without an `Origin` the shipped policy (jolokia-access.xml) answers nobody, while it would let
every operation through. There is no attribute with a rate; counters start with the broker.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar
from urllib.parse import quote

from psops.catalogue.entry import Probe
from psops.checks import Answer, unknown, wrong
from psops.probes import Unanswered, counters
from psops.probes.counters import Rate, whole
from psops.probes.keys_common import login
from psops.probes.stomp import OWN_CLIENT
from psops.probes.world import World
from psops.report.text import clean, squeeze
from psops.transport.dial import NoRoute

T = TypeVar("T")

_MOST = 200
#: What Jolokia 1 and 2 say of beans that go meanwhile, and how often it is asked then.
_LEFT = ("No matching attributes", "No attribute found for any MBean")
_TRIES = 3
#: How the parts of a bean's name are written, see JMXSupport.encodeObjectNamePart of ActiveMQ.
BEAN = str.maketrans(
    {":": "_", ",": "_", "'": "_", '"': "_", "?": "&qe;", "=": "&amp;", "*": "&ast;"}
)
#: What has a meaning in a path of Jolokia, see "Escape rules" of its protocol.
_PATH = str.maketrans({"!": "!!", "/": "!/", '"': '!"'})
_COUNTED = (
    "EnqueueCount", "DispatchCount", "DequeueCount", "InFlightCount", "ConsumerCount", "QueueSize",
)  # fmt: skip
#: Names of the consumers, told together with their count.
_CONSUMERS = "Subscriptions"
#: What is asked of each consumer; the counters are those of `Taken`.
_TAKEN = ("DispatchedCounter", "DequeueCounter", "DispatchedQueueSize")
_ONE_CONSUMER = ("ClientId", "Active", *_TAKEN)
#: Seconds by which our clock and that of Jolokia, which has whole ones, may differ over a window.
_CLOCKS = 1.0


class Reading(NamedTuple):
    """The attributes of each bean of that name; the second by Jolokia, ours, and asides."""

    beans: tuple[dict[str, Any], ...]
    timestamp: int | None
    at: float
    asides: tuple[Answer, ...]


class Taken(NamedTuple):
    """Messages that some consumers were handed, confirmed, and hold without having confirmed."""

    dispatched: int
    dequeued: int
    held: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """A topic or queue of one node at one moment; None is what the broker did not tell."""

    node: str
    #: False: the node has none of that name, as long as nobody uses it.
    there: bool = True
    #: Id of the broker, another one after each start.
    run: str = ""
    #: Seconds since the epoch by the clock of the broker, and monotonic ones of ours.
    timestamp: float | None = None
    at: float = 0.0
    #: Counters since the broker's start: came in, handed to consumers, confirmed by them.
    enqueued: int | None = None
    dispatched: int | None = None
    dequeued: int | None = None
    #: Handed out and not confirmed.
    held: int | None = None
    #: Who is connected and takes messages.
    consumers: int | None = None
    #: What they took, those left out that only listen for psops; None if that is not told.
    taken: Taken | None = None
    size: int | None = None
    #: Seconds since the epoch of the oldest message.
    oldest: float | None = None
    asides: tuple[Answer, ...] = ()


class Flow(NamedTuple):
    """What happened to a destination of one node between two looks."""

    before: Destination
    after: Destination
    into: Rate


def nodes(probe: Probe, world: World) -> tuple[str, ...]:
    """Return the addresses behind the alias, "" for the host of the URL; raises `Unanswered`."""
    alias = probe.settings["nodes"]
    # In an order that stays: which address of a broker is asked is the same at both looks.
    return tuple(sorted(world.addresses(probe, alias))) if alias else ("",)


def each(found: Iterable[str], ask: Callable[[str], T]) -> list[T]:
    """Return what is told at each address that there is a route to; raises `Unanswered`.

    Where one family of addresses has no route at all, those of the other are taken for the
    same brokers, if there are as many.
    """
    told: dict[str, T] = {}
    lost: dict[str, Unanswered] = {}
    for node in found:
        try:
            told[node] = ask(node)
        except Unanswered as exc:
            if not is_no_route(exc):
                raise
            lost[node] = exc
    for node, why in lost.items():
        if not told or _is_six(node) in map(_is_six, told):
            raise why
        if len(lost) > len(told):
            raise Unanswered(unknown("cannot-run", why.answer.text)) from why
    return list(told.values())


def is_no_route(exc: Unanswered) -> bool:
    """Tell whether no packet got to where the answer was to come from."""
    return isinstance(exc.__cause__, NoRoute)


def one_family(found: tuple[str, ...]) -> tuple[str, ...]:
    """Return the addresses of the family that has most: a broker may have one of each."""
    six = tuple(node for node in found if _is_six(node))
    four = tuple(node for node in found if not _is_six(node))
    return max(four, six, key=len)


def _is_six(node: str) -> bool:
    return ":" in node


def apart(found: Iterable[tuple[str, T]]) -> list[T]:
    """Return what was found with each id of a broker, once for one of several addresses."""
    runs: set[str] = set()
    told = []
    for run, one in found:
        if not run or run not in runs:
            told.append(one)
        runs.add(run)
    return told


def on(node: str) -> str:
    """Return the node in words that follow what is there."""
    return f" on {clean(node)}" if node else ""


def bean(probe: Probe, **keys: str) -> str:
    """Return the name of a bean of the broker; a value that ends in `*` stays a pattern."""
    broker = probe.settings["broker"].translate(BEAN) or "*"
    parts = {"type": "Broker", "brokerName": broker}
    named = ",".join(f"{key}={one}" for key, one in {**parts, **keys}.items())
    return f"org.apache.activemq:{named}"


def read(
    probe: Probe, world: World, node: str, name: str, attributes: tuple[str, ...], what: str
) -> Reading:
    """Return attributes, asked for anew; raises `Unanswered`, `missing-object` for no bean."""
    base = str(probe.settings["url"]).rstrip("/")
    base = base if base.endswith("/jolokia") else f"{base}/api/jolokia"
    place = quote(name.translate(_PATH), safe=":=,*!/()&;")
    url = f"{base}/read/{place}/{','.join(attributes)}"
    origin = ("Origin", probe.settings["origin"])
    for _ in range(_TRIES):
        found = world.look(probe, url, headers=(origin,), address=node)
        if not any(words in str(found.document) for words in _LEFT):
            break
    document = found.document
    status = whole(document, "status")
    if status is None:
        raise Unanswered(unknown("no-data", f"{what}: the answer has no status"))
    if status != 200:
        raise _explain(document, status, what + on(node))
    value = document.get("value")
    if len(attributes) == 1 and "*" not in name and "value" in document:
        value = {attributes[0]: value}  # a single one of a single bean comes bare
    if not isinstance(value, dict):
        raise Unanswered(unknown("no-data", f"{what}: the answer has no attributes"))
    # A pattern is answered by the names of the beans it fits, each with its attributes.
    many = all(isinstance(one, dict) for one in value.values()) and "*" in name
    beans = tuple(value.values()) if many else (value,)
    return Reading(beans, whole(document, "timestamp"), found.at, found.asides)


def look_at(probe: Probe, world: World) -> list[Destination]:
    """Return the declared topic or queue on every node; raises `Unanswered`."""
    told = each(nodes(probe, world), lambda node: _look_at(probe, world, node))
    found = apart((one.run, one) for one in told)
    if not any(one.there for one in found):
        raise absent(title(probe))
    return found


def absent(what: str) -> Unanswered:
    """Return that a destination is on none of the nodes."""
    text = f"{what} does not exist, so nobody has used it since the broker started"
    return Unanswered(wrong("missing-object", text))


def _look_at(probe: Probe, world: World, node: str) -> Destination:
    kind, name = declared(probe)
    what = title(probe)
    place = {"destinationType": kind, "destinationName": name.translate(BEAN)}
    told = run_of(probe, world, node)
    asked = (*_COUNTED, _CONSUMERS) if kind == "Topic" else _COUNTED
    try:
        reading = read(probe, world, node, bean(probe, **place), asked, what)
    except Unanswered as exc:
        if exc.answer.code != "missing-object":
            raise
        return Destination(node=node, there=False, run=told)
    one = _one(reading)
    enqueued, dispatched, dequeued, held, consumers, size = (whole(one, key) for key in _COUNTED)
    taken = None
    if kind == "Topic" and consumers:
        others = [name for name in _names(one) if f"clientId={OWN_CLIENT}" not in name]
        there = _subscribed(probe, world, node, place)
        # Durable subscriptions that have nobody are among them. Their count is of another moment.
        away = sum(each.get("Active") is False for each in there)
        consumers = (len(others) if _CONSUMERS in one else consumers) - away
        # Who takes several topics at once, by a pattern, is not among those of this one.
        if all(f",destinationName={place['destinationName']}," in name for name in others):
            taken = _taken(there)
    return Destination(
        node=node,
        run=told,
        timestamp=reading.timestamp,
        at=reading.at,
        enqueued=enqueued,
        dispatched=dispatched,
        dequeued=dequeued,
        held=held,
        consumers=consumers,
        taken=taken,
        size=size,
        asides=reading.asides,
    )


def run_of(probe: Probe, world: World, node: str) -> str:
    """Return the id of a broker, another one after each start; raises `Unanswered`."""
    reading = read(probe, world, node, bean(probe), ("BrokerId",), "the broker")
    found = _one(reading).get("BrokerId")
    return found if isinstance(found, str) else ""


def _one(reading: Reading) -> dict[str, Any]:
    if len(reading.beans) > 1:
        text = f"{len(reading.beans)} brokers answer there; set 'broker' to the name of one"
        raise Unanswered(unknown("no-data", text))
    return reading.beans[0] if reading.beans else {}


def _names(told: dict[str, Any]) -> list[str]:
    """Return the names of the consumers, [] if they are not told."""
    found = told.get(_CONSUMERS)
    listed = found if isinstance(found, list) else []
    return [str(one.get("objectName")) for one in listed if isinstance(one, dict)]


def _subscribed(
    probe: Probe, world: World, node: str, place: dict[str, str]
) -> list[dict[str, Any]]:
    """Return the consumers of this very topic but those of psops."""
    name = f"{bean(probe, endpoint='Consumer', **place)},*"
    try:
        found = read(probe, world, node, name, _ONE_CONSUMER, title(probe)).beans
    except Unanswered as exc:
        if exc.answer.code != "missing-object":
            raise
        return []
    return [one for one in found if not str(one.get("ClientId")).startswith(OWN_CLIENT)]


def _taken(consumers: list[dict[str, Any]]) -> Taken | None:
    """Return what consumers took together, None if one of them does not tell."""
    sums = [0, 0, 0]
    for one in consumers:
        for place, key in enumerate(_TAKEN):
            if (count := whole(one, key)) is None:
                return None
            sums[place] += count
    return Taken(*sums)


def look_twice(probe: Probe, world: World) -> tuple[list[Destination], list[Destination]]:
    """Return two looks at the destination, a window apart; raises `Unanswered`."""
    key = ("destination", *shared(probe, "topic", "queue"))
    return counters.twice(world, key, lambda: look_at(probe, world))


def shared(probe: Probe, *keys: str) -> tuple[object, ...]:
    """Return what must be the same for two probes to share an answer; nothing secret."""
    return login(probe, "nodes", "broker", "origin", *keys)


def flows(what: str, first: list[Destination], second: list[Destination]) -> list[Flow]:
    """Return what happened on each node; raises `Unanswered`, `restarted` for one of them too."""
    before = {one.node: one for one in first}
    found = []
    for after in second:
        then = before.get(after.node)
        if then is None:
            continue  # a new address behind the alias; the next look counts
        if then.run and after.run and then.run != after.run:
            text = f"the broker{on(after.node)} was restarted, so its counters are new"
            raise Unanswered(unknown("restarted", text))
        if then.there and not after.there:
            raise Unanswered(unknown("restarted", f"{what} vanished{on(after.node)}"))
        if not after.there:
            continue
        if after.enqueued is None:
            raise Unanswered(unknown("no-data", f"{what}: the answer does not count what came in"))
        seconds = elapsed(then.timestamp, after.timestamp, after.at - then.at)
        begin = then.enqueued if then.there else 0
        rate = counters.rate(what + on(after.node), begin, after.enqueued, seconds)
        found.append(Flow(then, after, rate))
    if not found:
        raise Unanswered(unknown("no-data", f"{what} is there for less than a window"))
    return found


def together(found: list[Flow]) -> Rate:
    """Return what came in on all nodes."""
    seconds = sum(one.into.seconds for one in found) / len(found)
    return Rate(sum(one.into.messages for one in found), seconds)


def elapsed(before: float | None, after: float | None, ours: float) -> float:
    """Return the seconds between two answers by the clock of the broker.

    Jolokia has whole seconds; where our own clock agrees within one, it is the finer. A clock
    of the broker that is set back in between tells nothing.

    >>> elapsed(100, 112, 12.3), elapsed(100, 130, 12.3), elapsed(100, 70, 12.3)
    (12.3, 30.0, 12.3)
    """
    if before is not None and after is not None and after <= before:
        return ours
    if before is None or after is None or abs(after - before - ours) <= _CLOCKS:
        return ours
    return float(after - before)


def title(probe: Probe) -> str:
    """Return the destination in words; raises `Unanswered` if there is none."""
    kind, name = declared(probe)
    return f"{kind.lower()} '{clean(name)}'"


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
