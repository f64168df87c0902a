"""Questions to the components of a pipeline: the registry of kinds, and what answers them.

A kind is a module with `answer(probe, world) -> Answer`; what comes to light beside the question
is among the `asides` of its answer. A module raises `Unanswered` where there is no telling.
The keys of each kind, with their defaults, are in `keys`, the reasons it gives in `codes`.
"""

from psops.checks import Answer

#: Kind of probe -> module with `answer(probe, world) -> Answer`, imported when used.
KINDS: dict[str, str] = {
    "rabbitmq-queue": "psops.probes.rabbitmq_queue",
    "rabbitmq-rate": "psops.probes.rabbitmq_rate",
    "rabbitmq-bindings": "psops.probes.rabbitmq_bindings",
    "rabbitmq-shovel": "psops.probes.rabbitmq_shovel",
    "rabbitmq-health": "psops.probes.rabbitmq_health",
    "activemq-broker": "psops.probes.activemq_broker",
    "activemq-destination": "psops.probes.activemq_destination",
    "activemq-durable": "psops.probes.activemq_durable",
    "stomp-statistics": "psops.probes.stomp_statistics",
    "bridge": "psops.probes.bridge",
    "es-health": "psops.probes.es_health",
    "es-freshness": "psops.probes.es_freshness",
    "es-count-ratio": "psops.probes.es_count_ratio",
    "grafana": "psops.probes.grafana",
    "container": "psops.probes.container",
    "pwa": "psops.probes.pwa",
    "pscheduler": "psops.probes.pscheduler",
    "maddash": "psops.probes.maddash",
    "rsv": "psops.probes.rsv",
    "collector-metrics": "psops.probes.collector_metrics",
    "checkmk-bi": "psops.probes.checkmk_bi",
    "tape-copy": "psops.probes.tape_copy",
    "files": "psops.probes.files",
    "page": "psops.probes.page",
    "tls": "psops.probes.tls",
    "units": "psops.probes.units",
}
#: Kinds that look twice, a window apart.
TWICE = frozenset({
    "rabbitmq-queue", "rabbitmq-rate", "rabbitmq-shovel", "activemq-destination",
    "activemq-durable", "stomp-statistics", "bridge", "collector-metrics",
})  # fmt: skip


class Unanswered(Exception):
    """There is no telling, or nothing to tell; `answer` says what that means."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.text)
        self.answer = answer
