"""Whether enough comes into an exchange of RabbitMQ; see `rabbitmq` for the API."""

from dataclasses import replace

from psops.catalogue.entry import Probe
from psops.checks import Answer, right
from psops.probes import Unanswered, counters, rabbitmq
from psops.probes.counters import Rate, shown
from psops.probes.keys_common import login
from psops.probes.world import Look, World
from psops.report.text import clean


def answer(probe: Probe, world: World) -> Answer:
    """Return whether the exchange gets messages, and no fewer than it must.

    Codes beside those of HTTP: missing-object, silent, below-floor; unknown are no-data and
    restarted.
    """
    name = f"exchange '{clean(probe.settings['exchange'])}'"
    asides: tuple[Answer, ...] = ()
    try:
        first, second = look_twice(probe, world)
        asides = first.asides
        into = rate_in(probe, world, first, second)
        found = counters.below(into, probe.settings["min_rate"])
        if found:
            rabbitmq.check_restart(probe, world, into.seconds)
        told = f"{shown(into.per_second)} messages/s in, over {shown(into.seconds)} s"
        found = found or right(told)
    except Unanswered as exc:
        if exc.answer.code == "missing-object":
            return exc.answer
        found = exc.answer
    return replace(found, text=f"{name}: {found.text}", asides=asides)


def look_twice(probe: Probe, world: World) -> tuple[Look, Look]:
    """Return two looks at the exchange, a window apart; raises `Unanswered`."""
    vhost, name = probe.settings["vhost"], probe.settings["exchange"]
    what = f"exchange '{clean(name)}'"
    return counters.twice(
        world,
        ("exchange", login(probe), vhost, name),
        lambda: rabbitmq.look(probe, world, what, "exchanges", vhost, name),
    )


def rate_in(probe: Probe, world: World, first: Look, second: Look) -> Rate:
    """Return the rate of what was published to the exchange; raises `Unanswered`."""
    before, after = (counted(one) for one in (first, second))
    if before is None and after is None:
        rabbitmq.check_statistics(probe, world)
        after = 0
    step = probe.settings["stats_interval"]
    return counters.rate("messages in", before, after, second.at - first.at, step)


def counted(answer: Look) -> int | None:
    """Return the number of messages that came into the exchange since the broker's start."""
    document = answer.document
    stats = document.get("message_stats") if isinstance(document, dict) else None
    return counters.whole(stats, "publish_in")
