"""RabbitMQ's management API, as of 3.10: addresses, queues, counters; nothing that changes any.

An exchange counts what is published to it, not what another exchange passes on to it.
`message_stats` is absent until the first message, its `ack` until the first consumer, both for
good where the broker keeps no statistics (`rates_mode` none, `disable_stats`), which only
`/api/overview` tells. Lists are empty, with status 200, for an account without permission.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from psops.catalogue.entry import Probe
from psops.checks import unknown, wrong
from psops.probes import Unanswered
from psops.probes.counters import whole
from psops.probes.stomp import OWN_QUEUE
from psops.probes.world import Look, World
from psops.report.text import clean

#: Counters of `message_stats` by which messages leave a queue for good.
_TAKEN = ("ack", "deliver_no_ack", "get_no_ack")


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """A queue at one moment; None is what the broker did not tell."""

    name: str
    #: Monotonic seconds of this look.
    at: float
    state: str
    #: It keeps messages that were taken, so that those that are there are no backlog.
    keeps: bool
    ready: int | None
    unacked: int | None
    consumers: int | None
    #: Counters since the broker's start.
    published: int | None
    taken: int | None
    #: Seconds since the epoch: of the oldest message, and since when nothing moves.
    head: int | None
    idle_since: float | None
    #: Messages that all consumers together may hold; None for any number.
    prefetch: int | None


def address(probe: Probe, *parts: str) -> str:
    """Return the URL of an object; every part is escaped, `/` too, as a virtual host needs."""
    base = str(probe.settings["url"]).rstrip("/").removesuffix("/api")
    return "/".join((f"{base}/api", *(quote(part, safe="") for part in parts)))


def look(probe: Probe, world: World, what: str, *parts: str, query: str = "") -> Look:
    """Return an object, asked for anew; raises `Unanswered`, `missing-object` if it is gone."""
    try:
        return world.look(probe, address(probe, *parts) + query)
    except Unanswered as exc:
        if exc.answer.code == "missing-object":
            raise missing(probe, what) from exc
        # So answers 3.10 about an exchange while its collector of statistics is off.
        if exc.answer.code == "server-error" and (why := _may_lack(probe, world)):
            raise _uncounted(why) from exc
        raise


def missing(probe: Probe, what: str) -> Unanswered:
    """Return that something declared is not there."""
    return Unanswered(wrong("missing-object", f"{what} does not exist{where(probe)}"))


def where(probe: Probe) -> str:
    """Return the virtual host, in words that follow an object."""
    return f" in virtual host '{clean(str(probe.settings.get('vhost', '/')))}'"


def queue_of(answer: Look, name: str) -> Queue:
    """Return what an answer tells of a queue; raises `Unanswered` if it tells of none."""
    found = answer.document
    if not isinstance(found, dict):
        raise Unanswered(unknown("no-data", f"queue '{clean(name)}': the answer is no object"))
    stats = found.get("message_stats")
    taken = [count for key in _TAKEN if (count := whole(stats, key)) is not None]
    return Queue(
        name=name,
        at=answer.at,
        state=clean(str(found.get("state", ""))),
        keeps=found.get("type") == "stream",
        ready=whole(found, "messages_ready"),
        unacked=whole(found, "messages_unacknowledged"),
        consumers=whole(found, "consumers"),
        published=whole(stats, "publish"),
        taken=sum(taken) if taken else None,
        head=whole(found, "head_message_timestamp"),
        idle_since=_moment(found.get("idle_since")),
        prefetch=_prefetch(found.get("consumer_details")),
    )


def bindings(probe: Probe, world: World, exchange: str) -> list[dict[str, Any]]:
    """Return where an exchange leads, but for queues by which psops itself counts.

    Raises `Unanswered` if it does not exist or leads nowhere.
    """
    what = f"exchange '{clean(exchange)}'"
    parts = ("exchanges", probe.settings["vhost"], exchange)
    found = world.json(probe, address(probe, *parts, "bindings", "source"))
    if not isinstance(found, list):
        raise Unanswered(unknown("no-data", f"{what}: the answer is no list"))
    found = [
        one
        for one in found
        if isinstance(one, dict) and not str(one.get("destination")).startswith(OWN_QUEUE)
    ]
    if not found:
        # The list of an exchange that does not exist is as empty, and its status 200 as well.
        look(probe, world, what, *parts)
        raise Unanswered(wrong("not-bound", f"{what} leads nowhere{where(probe)}"))
    return found


def check_visible(probe: Probe, world: World) -> None:
    """Raise `Unanswered` if the account may not see the virtual host, or there is none.

    Lists are empty for it then; every virtual host has an exchange of this name.
    """
    name = f"virtual host '{clean(str(probe.settings['vhost']))}'"
    try:
        world.json(probe, address(probe, "exchanges", probe.settings["vhost"], "amq.direct"))
    except Unanswered as exc:
        if exc.answer.code == "missing-object":
            text = f"{name} does not exist; set 'vhost' to one that does"
            raise Unanswered(wrong("missing-object", text)) from exc
        # An exchange that is there has this answer of 3.10 without statistics, see `look`.
        if exc.answer.code == "server-error" and _may_lack(probe, world):
            return
        if exc.answer.code != "not-allowed":
            raise
        text = f"the account sees nothing of {name}, whose lists are empty for it"
        raise Unanswered(unknown("not-allowed", text)) from exc


def is_routed(pattern: str, topic: str) -> bool:
    """Tell whether a topic exchange gives a message to a binding, see AMQP 0-9-1, 3.1.3.3.

    >>> is_routed("perfsonar.#", "perfsonar.raw.throughput"), is_routed("*.raw", "a.b.raw")
    (True, False)
    """
    words, keys = topic.split("."), pattern.split(".")
    reached = {0}
    for key in keys:
        if key == "#":
            reached = set(range(min(reached, default=len(words) + 1), len(words) + 1))
        else:
            reached = {at + 1 for at in reached if at < len(words) and key in ("*", words[at])}
    return len(words) in reached


def no_statistics(probe: Probe, world: World) -> str:
    """Return why the broker has no counters of messages, "" if it should have them.

    An account that may not know leaves that open, which raises `Unanswered`.
    """
    found = world.json(probe, address(probe, "overview"))
    if not isinstance(found, dict) or "rates_mode" not in found:
        raise Unanswered(unknown("no-data", "the overview does not tell whether messages count"))
    if found.get("disable_stats") is True:
        return "the broker's collector of statistics is off (disable_metrics_collector)"
    if found["rates_mode"] == "none":
        return "the broker counts no messages (rates_mode is none)"
    return ""


def check_statistics(probe: Probe, world: World) -> None:
    """Raise `Unanswered` if the broker has no counters of messages, or will not tell."""
    if why := no_statistics(probe, world):
        raise _uncounted(why)


def _uncounted(why: str) -> Unanswered:
    return Unanswered(unknown("no-data", f"{why}, so no rates are known"))


def _may_lack(probe: Probe, world: World) -> str:
    try:
        return no_statistics(probe, world)
    except Unanswered:
        return ""


def check_restart(probe: Probe, world: World, seconds: float) -> None:
    """Raise `Unanswered` if a node of the broker is up for less than so many seconds.

    Counters may have grown past their old values since. Who may not ask is told nothing.
    """
    try:
        found = world.look(probe, address(probe, "nodes") + "?columns=name,uptime").document
    except Unanswered:
        return
    for node in found if isinstance(found, list) else ():
        up = whole(node, "uptime")
        if up is not None and up / 1000 < seconds:
            name = clean(str(node.get("name", "")))
            text = f"node '{name}' was started {up / 1000:.0f} s ago, so its counters are new"
            raise Unanswered(unknown("restarted", text))


def side(probe: Probe, settings: Any) -> Probe:
    """Return the probe with the settings of one side, to ask that side."""
    return replace(probe, settings=settings)


def _prefetch(consumers: Any) -> int | None:
    total = 0
    for one in consumers if isinstance(consumers, list) else ():
        count = whole(one, "prefetch_count")
        if not count:
            return None
        total += count
    return total or None


def _moment(value: Any) -> float | None:
    try:
        found = datetime.fromisoformat(value)
    except (ValueError, TypeError):
        return None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
