"""Whether a shovel of RabbitMQ runs and stays running.

One whose target cannot be reached is `starting` for ever, for it is started anew every few
seconds, and one that was told to end after its work vanishes from the list (RabbitMQ 3.10,
`/api/shovels`); so it is looked at twice. Its time has no zone and is compared only.
"""

from dataclasses import replace
from typing import Any

from psops.catalogue.entry import Probe
from psops.checks import Answer, right, unknown, wrong
from psops.probes import Unanswered, counters, rabbitmq
from psops.probes.counters import shown
from psops.probes.keys_common import login
from psops.probes.world import Look, World
from psops.report.text import clean

#: What gives a broker the list; shovels run without it.
_ENABLE = "rabbitmq-plugins enable rabbitmq_shovel_management there"


def answer(probe: Probe, world: World) -> Answer:
    """Return whether the shovel was running at both looks without a new start between.

    Codes beside those of HTTP: missing-object, not-running, stuck, restarting; unknown is
    no-data.
    """
    name = probe.settings["shovel"]
    what = f"shovel '{clean(name)}'"
    try:
        first, second = counters.twice(
            world,
            ("shovels", login(probe), probe.settings["vhost"]),
            lambda: _look(probe, world),
        )
        before, after = (_of_name(one, name) for one in (first, second))
        if after is None:
            rabbitmq.check_visible(probe, world)
    except Unanswered as exc:
        return exc.answer
    seconds = second.at - first.at
    if before is None and after is None:
        found = rabbitmq.missing(probe, what).answer
    elif after is None:
        found = wrong("missing-object", f"{what} vanished within {shown(seconds)} s")
    else:
        found = _judge(what, before or after, after, seconds)
    return replace(found, asides=first.asides)


def _look(probe: Probe, world: World) -> Look:
    """Return the list of shovels; raises `Unanswered`, also where a broker has no such list."""
    try:
        return rabbitmq.look(
            probe, world, "the list of shovels", "shovels", probe.settings["vhost"]
        )
    except Unanswered as exc:
        if exc.answer.code != "missing-object":
            raise
        rabbitmq.check_visible(probe, world)
        text = f"the broker does not list its shovels; {_ENABLE}"
        raise Unanswered(unknown("no-data", text)) from exc


def _of_name(answer: Look, name: str) -> dict[str, Any] | None:
    if not isinstance(answer.document, list):
        raise Unanswered(unknown("no-data", "the list of shovels is none"))
    there = [one for one in answer.document if isinstance(one, dict) and one.get("name") == name]
    # A cluster may list one that moved twice; the one that does not run is the one to tell of.
    return min(there, key=lambda one: one.get("state") == "running", default=None)


def _judge(what: str, before: dict[str, Any], after: dict[str, Any], seconds: float) -> Answer:
    then, now = (clean(str(one.get("state", "unknown"))) for one in (before, after))
    since = clean(str(after.get("timestamp", "")))
    again = before.get("timestamp") != after.get("timestamp")
    within = f"within {shown(seconds)} s"
    if now == "terminated":
        reason = clean(str(after.get("reason", "")))[:200]
        return wrong("not-running", f"{what} is terminated{': ' if reason else ''}{reason}")
    if now == "starting":
        starts = f", started anew {within}" if again else ""
        if then == "running":
            return wrong("restarting", f"{what} was running and is starting again{starts}")
        text = f"{what} is 'starting' at two looks {shown(seconds)} s apart{starts}"
        return wrong("stuck", f"{text}; its source or target is not reached")
    if now != "running":
        return wrong("not-running", f"{what} is '{now}'")
    if after.get("blocked_status") == "blocked":
        return wrong("stuck", f"{what} runs, but its target takes nothing ('blocked')")
    if again and then == "running":
        return wrong("restarting", f"{what} runs, but was started anew {within}, at {since}")
    return right(f"{what} runs since {since or 'an unknown time'}")
