"""Whether a TCP port takes connections."""

from psops.catalogue.entry import Check
from psops.checks import Answer, right
from psops.checks.site import Site
from psops.errors import HostError


def answer(check: Check, site: Site) -> Answer:
    """Return whether the port is open; nothing is sent to it."""
    host = site.fill_in(check, check.host or "localhost")
    limit = site.limit(check.timeout)
    try:
        site.open(check, host.strip("[]"), check.port, limit).close()
    except HostError as exc:
        return site.explain(check, exc, limit)
    return right(f"{host} port {check.port} takes connections")
