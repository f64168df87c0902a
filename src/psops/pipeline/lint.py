"""What the description of a pipeline leaves unwatched; pure."""

import ipaddress
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from psops.catalogue.entry import Component
from psops.pipeline.graph import Pipeline

#: Kinds that only tell that something runs or answers. What runs may hang all the same, so
#: they never prove a component by themselves.
PRESENCE = ("container", "units", "page", "tls", "grafana", "rabbitmq-health", "activemq-broker")


#: How the URLs begin whose logins everybody on the way can read.
_CLEAR = ("http://", "stomp://")


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
        for place, given in _logins(probe.settings):
            if given.get("verify_tls") is False:
                yield f"check '{probe.name}'{place} does not look at the certificate"
            url = str(given.get("url", ""))
            if given.get("secret") and url.startswith(_CLEAR) and not _near(url):
                yield f"check '{probe.name}'{place} sends its secret without TLS"


def _logins(given: Mapping[str, Any], place: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Return the settings and those in them, such as the sides of a bridge, with their place."""
    yield place, given
    for key, value in given.items():
        if isinstance(value, Mapping):
            yield from _logins(value, f"{place} ('{key}')")


def _near(url: str) -> bool:
    try:
        host = urlsplit(url).hostname or ""
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:  # a name, which may lead anywhere
        return False
