"""The settings of the probes that ask message buses.

Counts of messages are whole, rates are messages per second, times are seconds. A floor that is
not set is "more than none", a floor of 0 accepts silence; any other limit that is not set is
not looked at.
"""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from psops.catalogue.values import (
    Reader,
    Wrong,
    boolean,
    kind,
    many,
    record,
    some,
    string,
    unknown_key,
    whole,
    within,
    word,
)
from psops.probes.keys import Key
from psops.probes.keys_common import HTTP, given, number, share, span

_MOST = 10**12


class Binding(NamedTuple):
    """Where an exchange must lead; any key if none is given."""

    to: str
    type: str = "exchange"
    key: str = ""


def stomp_url(value: Any) -> str:
    """Return the URL of a STOMP port; its TLS is `stomp+ssl`. A password in it is not told."""
    text = string(value)
    if "@" in text:
        raise Wrong("must have no user or password in it; use the keys 'user' and 'secret'")
    if not re.fullmatch(r"stomp(\+ssl)?://(\[[0-9A-Fa-f:.]+\]|[^\s:/@\[\]]+)(:\d{1,5})?/?", text):
        raise Wrong(f"'{text}' is not a URL such as stomp+ssl://bus.example.org:61614")
    return text.rstrip("/")


def host_name(value: Any) -> str:
    """Return the name of a host."""
    if not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,252}[A-Za-z0-9])?", string(value)):
        raise Wrong(f"'{value}' is not the name of a host")
    return str(value)


def one_side(value: Any) -> Mapping[str, Any]:
    """Return what is counted on one side of a bridge, by the keys of its `bus`."""
    if not isinstance(value, dict):
        raise Wrong(f"must be a table, not {kind(value)}")
    if "bus" not in value:
        raise Wrong("needs the key 'bus'")
    keys = {"bus": Key(_BUSES), **_SIDES[within("bus", _BUSES, value["bus"])]}
    for key in value:
        if key not in keys:
            raise Wrong(unknown_key(key, keys), (key,))
    for key, one in keys.items():
        if one.needed and key not in value:
            raise Wrong(f"needs the key '{key}'")
    return {
        key: within(key, one.reader, value[key]) if key in value else one.default
        for key, one in keys.items()
    }


def _percent() -> Key:
    return Key(whole(1, 100), 80)


#: The login by STOMP, whose TLS is that of HTTP.
_STOMP = {
    **{key: one for key, one in HTTP.items() if key not in ("url", "auth")},
    "url": Key(given(stomp_url), needed=True),
    #: The virtual host to log in to, as RabbitMQ has them; the host of the URL if it is not set.
    "vhost": Key(string, ""),
    #: A name with several addresses, each of them a broker of its own.
    "nodes": Key(host_name, ""),
    #: How it is told: asked from ActiveMQ's statistics plugin, or counted as a subscriber.
    "by": Key(word(("plugin", "count"), "way"), ""),
}
_RABBITMQ = {**HTTP, "vhost": Key(string, "/")}
_COUNTED = {
    **_RABBITMQ,
    #: Seconds after which its counters move: the finest of its sample_retention_policies.
    "stats_interval": Key(span, 5.0),
}
_ACTIVEMQ = {
    **HTTP,
    #: The name of the broker; any that is there if it is not set.
    "broker": Key(string, ""),
    "nodes": Key(host_name, ""),
    #: Jolokia answers nobody without one, see jolokia-access.xml.
    "origin": Key(string, "http://localhost"),
}
_QUEUE = {
    "queue": Key(string, ""),
    #: Instead of the name: a routing key by which the queues are bound, as those of STOMP are.
    "topic": Key(string, ""),
    "exchange": Key(string, "amq.topic"),
}
_DESTINATION = {"topic": Key(string, ""), "queue": Key(string, "")}
_FLOW = {"min_rate": Key(number), "min_consumers": Key(whole(0, _MOST), 1)}
_USAGE = {"max_memory": _percent(), "max_store": _percent(), "max_temp": _percent()}
_SIDES: dict[str, dict[str, Key]] = {
    "rabbitmq": {**_COUNTED, **_QUEUE, "exchange": Key(string, "")},
    "activemq": {**_ACTIVEMQ, **_DESTINATION},
    "stomp": {**_STOMP, **_DESTINATION},
}
_BUSES: Reader = word(_SIDES, "bus")
_HEALTH: Reader = word(
    ("alarms", "local-alarms", "virtual-hosts", "node-is-quorum-critical",
     "node-is-mirror-sync-critical", "is-in-service", "ready-to-serve-clients",
     "below-node-connection-limit"),
    "health check",
)  # fmt: skip

#: Kind -> its keys.
BUS: dict[str, dict[str, Key]] = {
    "rabbitmq-queue": {
        **_COUNTED,
        **_QUEUE,
        **_FLOW,
        #: How many queues must be bound by the topic.
        "min_queues": Key(whole(1, 1000), 1),
        "max_depth": Key(whole(0, _MOST)),
        "max_age": Key(span),
        "min_ack": Key(number),
        #: Silence is none while the queue was in use within this time; for sparse topics.
        "max_idle": Key(span),
        #: How many messages each consumer takes without confirming; what it told, if not set.
        "prefetch": Key(whole(1, 10**6)),
    },
    "rabbitmq-rate": {
        **_COUNTED,
        "exchange": Key(string, needed=True),
        "min_rate": Key(number),
    },
    "rabbitmq-bindings": {
        **_RABBITMQ,
        "exchange": Key(string, needed=True),
        "bindings": Key(
            some(record({"to": string, "type": word(("exchange", "queue"), "type"), "key": string},
                        Binding, "to")),
            (),
        ),
        #: Topics of which each must lead somewhere.
        "topics": Key(many(string), ()),
    },
    "rabbitmq-shovel": {**_RABBITMQ, "shovel": Key(string, needed=True)},
    "rabbitmq-health": {
        **HTTP,
        "health": Key(some(_HEALTH), ("alarms", "virtual-hosts")),
        "ports": Key(many(whole(1, 65535)), ()),
        "protocols": Key(many(string), ()),
        #: Fewer days until a certificate of the broker ends are a warning; 0 does not look.
        "certificate_days": Key(whole(0, 3650), 14),
        "min_nodes": Key(whole(0, 1000), 1),
    },
    "activemq-broker": {**_ACTIVEMQ, **_USAGE},
    "activemq-destination": {
        **_ACTIVEMQ,
        **_DESTINATION,
        **_FLOW,
        "max_depth": Key(whole(0, _MOST)),
    },
    "activemq-durable": {
        **_ACTIVEMQ,
        "topic": Key(string, needed=True),
        "client": Key(string, ""),
        "subscription": Key(string, ""),
        "active": Key(boolean, True),
        "max_pending": Key(whole(0, _MOST)),
    },
    "stomp-statistics": {
        **_STOMP,
        **_DESTINATION,
        **_FLOW,
        **_USAGE,
        "max_depth": Key(whole(0, _MOST)),
        "max_age": Key(span),
    },
    "bridge": {
        "from": Key(one_side, needed=True),
        "to": Key(one_side, needed=True),
        "min_ratio": Key(share, 0.9),
        "min_rate": Key(number),
    },
}  # fmt: skip
