"""Whether a queue of RabbitMQ flows: messages come in, are taken and confirmed, and none wait.

Depth alone calls a queue healthy to which nothing comes, and a running consumer proves nothing
if it confirms nothing; so both ends are counted over a window. See `rabbitmq` for the API.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from psops.catalogue.entry import Probe
from psops.checks import Answer, unknown, wrong
from psops.probes import Unanswered, counters, rabbitmq
from psops.probes.counters import Rate, shown
from psops.probes.keys_common import login
from psops.probes.rabbitmq import Queue
from psops.probes.world import Look, World
from psops.report.text import clean, count, duration

Settings = Mapping[str, Any]

#: States in which a queue serves nobody, see "Monitoring" and "Quorum Queues" of RabbitMQ.
_DEAD = ("down", "crashed", "stopped", "terminated", "minority")
#: Seconds by which the clock of a publisher may be ahead.
_AHEAD = 60


def answer(probe: Probe, world: World) -> Answer:
    """Return how the queue is, or the worst of those that are bound by the topic.

    Codes beside those of HTTP: missing-object, not-running, no-consumer, wedged, backlog,
    silent, below-floor, slow-consumer; unknown are no-data, restarted and clock.
    """
    try:
        found = look_twice(probe, world, queue_names(probe, world))
    except Unanswered as exc:
        return exc.answer
    answers = [_judge(probe, world, name, one, other) for name, (one, other) in found.items()]
    return counters.settle(answers)


def queue_names(probe: Probe, world: World, *, only: bool = False) -> list[str]:
    """Return the names of the queues that a probe is about; raises `Unanswered`.

    `only` leaves out those that get other topics too, if there are others.

    RabbitMQ names the queues of STOMP subscriptions at random, so that they are known by what
    binds them to `amq.topic` only.
    """
    given = probe.settings
    if given["queue"]:
        return [given["queue"]]
    topic = given["topic"]
    if not topic:
        raise Unanswered(unknown("cannot-run", "neither 'queue' nor 'topic' is set"))
    bound = [
        (str(one.get("routing_key")), str(one.get("destination")))
        for one in rabbitmq.bindings(probe, world, given["exchange"])
        if one.get("destination_type") == "queue"
    ]
    found = sorted({name for key, name in bound if rabbitmq.is_routed(key, topic)})
    if only and (just := sorted({name for key, name in bound if key == topic})):
        return just
    _check_enough(probe, found)
    return found


def _check_enough(probe: Probe, found: Collection[str]) -> None:
    given = probe.settings
    least = given.get("min_queues", 1)
    if len(found) < least:
        text = f"topic '{clean(given['topic'])}' leads from '{clean(given['exchange'])}' to"
        text = f"{text} {len(found)} of at least {count(least, 'queue')}"
        raise Unanswered(wrong("missing-object", f"{text}{rabbitmq.where(probe)}"))


def look_twice(probe: Probe, world: World, names: list[str]) -> dict[str, tuple[Look, Look]]:
    """Return two looks at some queues, a window apart; raises `Unanswered`.

    Queues that a topic leads to come and go with their subscribers; one that went is left out.
    """
    given = probe.settings
    vhost = given["vhost"]

    def look() -> dict[str, Look]:
        found = {}
        for name in names:
            what = f"queue '{clean(name)}'"
            try:
                found[name] = rabbitmq.look(probe, world, what, "queues", vhost, name)
            except Unanswered as exc:
                if given["queue"] or exc.answer.code != "missing-object":
                    raise
        return found

    key = ("queues", login(probe), vhost, bool(given["queue"]), tuple(names))
    first, second = counters.twice(world, key, look)
    there = {name: (one, second[name]) for name, one in first.items() if name in second}
    if not given["queue"]:
        _check_enough(probe, there)
    return there


def rate_in(probe: Probe, world: World, name: str, first: Look, second: Look) -> Rate:
    """Return the rate of what came into a queue; raises `Unanswered`."""
    before, after = (rabbitmq.queue_of(one, name) for one in (first, second))
    if before.published is None and after.published is None:
        rabbitmq.check_statistics(probe, world)
    what = f"queue '{clean(name)}': messages in"
    step = probe.settings["stats_interval"]
    found = after.published
    if before.published is None:
        found = found or 0
    return counters.rate(what, before.published, found, after.at - before.at, step)


def _judge(probe: Probe, world: World, name: str, first: Look, second: Look) -> Answer:
    try:
        before, after = (rabbitmq.queue_of(one, name) for one in (first, second))
        found = _judge_queue(probe, world, before, after)
    except Unanswered as exc:
        found = exc.answer
    asides = tuple(dict.fromkeys((*first.asides, *second.asides)))
    return replace(found, text=f"queue '{clean(name)}': {found.text}", asides=asides)


def _judge_queue(probe: Probe, world: World, before: Queue, after: Queue) -> Answer:
    given = probe.settings
    if after.state in _DEAD:
        return wrong("not-running", f"its state is '{after.state}'")
    if after.published is None and before.published is not None:
        counters.rate("messages in", before.published, None, after.at - before.at)
    if after.ready is None or after.unacked is None or after.consumers is None:
        return _judge_blind(probe, world, after)
    counted = any(
        count is not None
        for one in (before, after)
        for count in (one.published, one.taken)
    )  # fmt: skip
    blind = "" if counted else rabbitmq.no_statistics(probe, world)
    seconds = after.at - before.at
    waiting = _waiting(world, after)
    few = (
        wrong("no-consumer", f"{after.consumers} of at least {given['min_consumers']} consumers")
        if after.consumers < given["min_consumers"]
        else None
    )
    if blind:
        found = few or _too_many(given, world, after)
        found = found or unknown("no-data", f"{blind}, so no rates are known")
        return replace(found, text=f"{found.text}; {waiting}")
    step = given["stats_interval"]
    into = counters.rate("messages in", before.published or 0, after.published or 0, seconds, step)
    taken = counters.rate("messages taken", before.taken or 0, after.taken or 0, seconds, step)
    state = f"{shown(taken.per_second)} taken; {waiting}"
    if few:
        return counters.tell(few, into, state)
    waits = [
        _wedged(given, before, after, taken),
        _too_many(given, world, after),
        _too_old(given, world, before, after, taken),
        _too_slow(given, after, taken),
    ]
    found = counters.first_wrong(
        [
            *([_no_backlog(given)] if after.keeps else waits),
            _silence(given, world, before, after, into, taken),
        ],
        "flows" if into.messages else counters.MAY,
    )
    if found.code in ("wedged", "silent", "below-floor", "slow-consumer"):
        rabbitmq.check_restart(probe, world, seconds)
    return counters.tell(found, into, state)


def _judge_blind(probe: Probe, world: World, after: Queue) -> Answer:
    """Return what can be told of a queue without statistics: how many wait, at most."""
    blind = rabbitmq.no_statistics(probe, world)
    if not blind:
        return unknown("no-data", "the answer lacks its depth or its consumers, as a new one's may")
    given = probe.settings
    url = rabbitmq.address(probe, "queues", given["vhost"])
    found = world.json(probe, f"{url}?disable_stats=true&enable_queue_totals=true")
    for one in found if isinstance(found, list) else ():
        if isinstance(one, dict) and one.get("name") == after.name:
            ready = counters.whole(one, "messages_ready")
            if ready is not None and given["max_depth"] is not None and ready > given["max_depth"]:
                return wrong("backlog", f"{ready} waiting, of at most {given['max_depth']}")
            if ready is not None:
                blind = f"{ready} waiting; {blind}"
    return unknown("no-data", f"{blind}, so neither consumers nor rates are known")


def _waiting(world: World, queue: Queue) -> str:
    age = _age(world, queue)
    oldest = f", {counters.old(age)}" if age is not None and queue.ready else ""
    return f"{queue.ready} waiting{oldest}, {queue.unacked} unconfirmed"


def _age(world: World, queue: Queue) -> float | None:
    return None if queue.head is None else world.now() - queue.head


def _wedged(given: Settings, before: Queue, after: Queue, taken: Rate) -> Answer | None:
    """Return that consumers are there, have work, and finish none of it.

    One that takes less than it may, with nothing left to take, may confirm many at once.
    """
    ready, unacked = after.ready or 0, after.unacked or 0
    if not after.consumers or taken.messages:
        return None
    each = given["prefetch"]
    prefetch = each * after.consumers if each else after.prefetch
    full = prefetch is not None and unacked >= prefetch
    left = (before.ready and ready) or ready > (before.ready or 0)
    more = prefetch is None and before.unacked and unacked > before.unacked
    if not (full or left or more):
        return None
    limit = f" of {prefetch}" if prefetch else ""
    text = f"{count(after.consumers, 'consumer')} confirmed no message while holding {unacked}"
    return wrong("wedged", f"{text}{limit}")


def _too_many(given: Settings, world: World, after: Queue) -> Answer | None:
    most = given["max_depth"]
    if most is not None and (after.ready or 0) > most:
        return wrong("backlog", f"{after.ready} waiting, of at most {most}")
    age = _age(world, after)
    if given["max_age"] is not None and age is not None and age > given["max_age"]:
        return wrong("backlog", f"{counters.old(age)}, of at most {duration(given['max_age'])}")
    return None


def _too_old(
    given: Settings, world: World, before: Queue, after: Queue, taken: Rate
) -> Answer | None:
    """Return that the age that was asked for is not known, unless it must be below the limit."""
    if given["max_age"] is None or not after.ready:
        return None
    age = _age(world, after)
    if age is not None:
        if age < -_AHEAD:
            return unknown("clock", f"the oldest message is {duration(-age)} ahead of the time")
        return None
    # All that waited at the first look is gone, so that what waits came since.
    gone = before.ready is not None and taken.messages >= before.ready + (before.unacked or 0)
    if gone and taken.seconds <= given["max_age"]:
        return None
    return unknown("no-data", "its messages have no time, so the age of the oldest is not known")


def _no_backlog(given: Settings) -> Answer | None:
    """Return that what waits in a stream is not known, if it was asked for."""
    unseen = [key for key in ("max_depth", "max_age", "min_ack") if given[key] is not None]
    text = f"it is a stream, which keeps what was taken, so {' and '.join(unseen)} cannot be judged"
    return unknown("no-data", text) if unseen else None


def _silence(
    given: Settings, world: World, before: Queue, after: Queue, into: Rate, taken: Rate
) -> Answer | None:
    if not into.messages and given["max_idle"] is not None:
        if after.idle_since is None and before.idle_since is None and not taken.messages:
            text = "nothing came in, and this queue does not tell since when it is idle"
            return unknown("no-data", text)
        # One that was idle and tells so no more has just moved.
        idle = 0.0 if after.idle_since is None else world.now() - after.idle_since
        if idle <= given["max_idle"]:
            return None
        text = f"nothing moved for {duration(idle)}, of at most {duration(given['max_idle'])}"
        return wrong("silent", text)
    return counters.below(into, given["min_rate"])


def _too_slow(given: Settings, after: Queue, taken: Rate) -> Answer | None:
    least = given["min_ack"]
    if not least or taken.most >= least or not (after.ready or after.unacked):
        return None
    text = f"{shown(taken.per_second)} of at least {shown(least)} messages/s taken"
    return wrong("slow-consumer", text)
