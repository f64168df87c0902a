"""Whether an exchange of RabbitMQ leads where it must; see `rabbitmq` for the API."""

from dataclasses import replace

from psops.catalogue.entry import Probe
from psops.checks import Answer, right, wrong
from psops.probes import Unanswered, rabbitmq
from psops.probes.keys_bus import Binding
from psops.probes.world import World
from psops.report.text import clean, count


def answer(probe: Probe, world: World) -> Answer:
    """Return whether all declared bindings exist and every declared topic leads somewhere.

    Codes beside those of HTTP: missing-object, not-bound; unknown is no-data.
    """
    given = probe.settings
    exchange = f"exchange '{clean(given['exchange'])}'"
    try:
        url = rabbitmq.address(probe, "exchanges", given["vhost"], given["exchange"])
        asides = world.http(probe, f"{url}/bindings/source")[1]
        there = rabbitmq.bindings(probe, world, given["exchange"])
    except Unanswered as exc:
        return exc.answer
    found = [
        Binding(str(one.get("destination")), str(one.get("destination_type")),
                str(one.get("routing_key")))
        for one in there
    ]  # fmt: skip
    lacking = [_words(wanted) for wanted in given["bindings"] if not _is_there(wanted, found)]
    lost = [
        topic
        for topic in given["topics"]
        if not any(rabbitmq.is_routed(one.key, topic) for one in found)
    ]
    declared = len(given["bindings"]) + len(given["topics"])
    good = declared - len(lacking) - len(lost)
    text = f"{exchange}: {good} of {count(declared, 'declared binding')}"
    text = f"{text} there, among {count(len(found), 'binding')}"
    if not lacking and not lost:
        return replace(right(text), asides=asides)
    told = [f"not bound to {one}" for one in lacking]
    told += [f"topic '{clean(topic)}' leads nowhere" for topic in lost]
    return replace(wrong("not-bound", f"{text}; {'; '.join(told)}"), asides=asides)


def _is_there(wanted: Binding, found: list[Binding]) -> bool:
    return any(
        one.to == wanted.to and one.type == wanted.type and wanted.key in ("", one.key)
        for one in found
    )


def _words(wanted: Binding) -> str:
    by = f" by '{clean(wanted.key)}'" if wanted.key else ""
    return f"{wanted.type} '{clean(wanted.to)}'{by}"
