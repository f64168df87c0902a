"""What the description of a pipeline leaves unwatched; pure."""

from collections.abc import Iterator
from typing import NamedTuple

from psops.catalogue.entry import Component
from psops.pipeline.graph import Pipeline

#: Kinds that only tell that something runs or answers. What runs may hang all the same, so
#: they never prove a component by themselves.
PRESENCE = ("container", "units", "page", "tls", "grafana", "rabbitmq-health", "activemq-broker")


class Gap(NamedTuple):
    """Something that is not watched: of which component, and what."""

    component: str
    text: str


def lint(pipeline: Pipeline) -> tuple[Gap, ...]:
    """Return the gaps of all components in their order."""
    return tuple(
        Gap(name, text) for name, one in pipeline.components.items() for text in _gaps(one)
    )


def _gaps(one: Component) -> Iterator[str]:
    if not one.checks:
        known = f"; a program could look at this: {one.by_machine}" if one.by_machine else ""
        yield f"no check{known}"
        return
    kinds = {probe.kind for probe in one.checks}
    if kinds <= set(PRESENCE) and one.role not in ("config", "view", "monitor"):
        yield "its checks tell that it runs, not that data flow; add one of rate, depth or age"
    if one.monitored_by == one.name:
        yield "it is watched by itself only"
    for probe in one.checks:
        given = probe.settings
        if given.get("verify_tls") is False:
            yield f"check '{probe.name}' does not look at the certificate"
        if (
            given.get("secret")
            and str(given.get("url", "")).startswith("http://")
            and not _near(str(given["url"]))
        ):
            yield f"check '{probe.name}' sends its secret without TLS"


def _near(url: str) -> bool:
    host = url.partition("://")[2].partition("/")[0].rpartition(":")[0] or url
    return host.strip("[]") in ("localhost", "127.0.0.1", "::1") or host.startswith("127.")
