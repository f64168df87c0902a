"""What is told of the checks that ask message buses."""

from psops.probes.texts import Told

_STATS = {
    "stats_interval": Told(
        "seconds", "How often its counters move: the finest of its sample_retention_policies."
    ),
}
_VHOST = {"vhost": Told("string", "The virtual host.")}
_QUEUE = {
    "queue": Told("string", "The queue by its name."),
    "topic": Told(
        "string",
        "Instead: all queues that this routing key leads to, for those of STOMP subscriptions "
        "have no names to know.",
    ),
    "exchange": Told("string", "The exchange to which the queues of a topic are bound."),
}
_NODES = {
    "nodes": Told("string", "A name of several addresses, each of them a broker to be asked."),
}
_BROKER = {
    "url": Told("URL", "The web console, such as https://mq.example.org:8161."),
    "broker": Told("string", "The name of the broker; without it, any that is there."),
    **_NODES,
    "origin": Told("string", "What the console's policy takes as the origin of the request."),
}
_DESTINATION = {
    "topic": Told("string", "The topic by its name."),
    "queue": Told("string", "Or the queue."),
}
_FLOW = {
    "min_rate": Told(
        "number", "Messages per second that must come in; without it, more than none; 0: any."
    ),
    "min_consumers": Told("integer", "How many must be there to take them."),
}
_DEPTH = {"max_depth": Told("integer", "How many messages may wait.")}
_USAGE = {
    "max_memory": Told("integer", "Percent of its memory that may be used."),
    "max_store": Told("integer", "Percent of its store that may be used."),
    "max_temp": Told("integer", "Percent of its space for temporary data that may be used."),
}

#: Kind -> what it asks.
BUS_KINDS: dict[str, str] = {
    "rabbitmq-queue": "A queue of RabbitMQ by its management interface, looked at twice: messages "
    "come in, are taken and confirmed, and none wait too long. An account with the tag monitoring "
    "and empty permissions on the virtual host is enough.",
    "rabbitmq-rate": "Whether messages come into an exchange of RabbitMQ, counted between two "
    "looks.",
    "rabbitmq-bindings": "Whether an exchange of RabbitMQ leads where it must.",
    "rabbitmq-shovel": "Whether a shovel of RabbitMQ is there and runs. One that only starts, "
    "again and again, does not.",
    "rabbitmq-health": "RabbitMQ's own health checks, its nodes and certificates. None of them "
    "knows of messages.",
    "activemq-broker": "A broker of ActiveMQ by its Jolokia: it says that it is good and has room. "
    "Nothing is sent there that could change it.",
    "activemq-destination": "A topic or queue of ActiveMQ, looked at twice: messages come in and "
    "somebody takes them.",
    "activemq-durable": "Whether durable subscribers of an ActiveMQ topic are connected and keep "
    "up.",
    "stomp-statistics": "What a bus tells by STOMP where its console is closed: ActiveMQ's "
    "statistics plugin, or a subscriber that counts a topic's messages and takes none from "
    "anybody. With neither topic nor queue, the broker itself.",
    "bridge": "Whether what goes in at one side comes out at the other, both counted over the same "
    "time.",
}

#: Kind -> its own settings.
BUS_KEYS: dict[str, dict[str, Told]] = {
    "rabbitmq-queue": {
        **_VHOST,
        **_STATS,
        **_QUEUE,
        **_FLOW,
        "min_queues": Told("integer", "How many queues the topic must lead to."),
        **_DEPTH,
        "max_age": Told("seconds", "How old the oldest of them may be."),
        "min_ack": Told("number", "Messages per second that must be taken while some wait."),
        "max_idle": Told(
            "seconds", "How long nothing may come in; for sparse topics, instead of min_rate."
        ),
        "prefetch": Told(
            "integer",
            "How many messages a consumer takes without confirming them; without it, what it told.",
        ),
    },
    "rabbitmq-rate": {
        **_VHOST,
        **_STATS,
        "exchange": Told("string", "The exchange."),
        "min_rate": _FLOW["min_rate"],
    },
    "rabbitmq-bindings": {
        **_VHOST,
        "exchange": Told("string", "The exchange."),
        "bindings": Told(
            "list of tables",
            "Where it must lead: to, the type of that (exchange or queue), and the key if it "
            "matters.",
        ),
        "topics": Told("list of strings", "Routing keys that must lead to any queue or exchange."),
    },
    "rabbitmq-shovel": {**_VHOST, "shovel": Told("string", "Its name.")},
    "rabbitmq-health": {
        "health": Told("string or list", "The names of health checks, as in /api/health/checks."),
        "ports": Told("list of integers", "Ports on which it must listen."),
        "protocols": Told("list of strings", "Protocols for which it must listen, such as stomp."),
        "certificate_days": Told("integer", "Fewer days until one of its own certificates ends "
                                 "are a warning beside; 0 does not look."),
        "min_nodes": Told("integer", "How many nodes must run."),
    },
    "activemq-broker": {**_BROKER, **_USAGE},
    "activemq-destination": {**_BROKER, **_DESTINATION, **_FLOW, **_DEPTH},
    "activemq-durable": {
        **_BROKER,
        "topic": Told("string", "The topic."),
        "client": Told("string", "The client by its id; without it, all."),
        "subscription": Told("string", "The subscription by its name; without it, all."),
        "active": Told("boolean", "Whether the subscriber must be connected."),
        "max_pending": Told("integer", "How many messages may wait for it."),
    },
    "stomp-statistics": {
        "url": Told("URL", "The port, as stomp://HOST:PORT, or stomp+ssl:// for TLS."),
        "vhost": Told("string", "The virtual host to log in to; without it, the URL's host."),
        **_NODES,
        "by": Told("string", "plugin or count; without it, the plugin first."),
        **_DESTINATION,
        **_FLOW,
        **_USAGE,
        **_DEPTH,
        "max_age": Told("seconds", "How old the oldest message of a queue may be."),
    },
    "bridge": {
        "from": Told(
            "table",
            "The side where messages go in: bus is rabbitmq, activemq or stomp, and the keys to "
            "reach it and to name a destination are those of the kinds rabbitmq-queue (with an "
            "exchange alone, of rabbitmq-rate), activemq-destination and stomp-statistics.",
        ),
        "to": Told("table", "The side where they come out, likewise."),
        "min_ratio": Told(
            "share",
            "How many of the messages must come out. What a look is too short for is unknown.",
        ),
        "min_rate": Told("number", "Messages per second that must go in, as for queues."),
    },
}  # fmt: skip
