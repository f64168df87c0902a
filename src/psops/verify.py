"""The verb `bundle verify`: the request, and the report of all hosts."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from psops import fanout
from psops.catalogue import Catalogue
from psops.client import Client, prepare
from psops.deadline import Deadline
from psops.fanout import Outcome
from psops.inventory import Host
from psops.survey import Survey
from psops.transport import Options, connect
from psops.verdict import HostVerdict, VerifyReport


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is to be proved: the bundles named, or else those of the inventory or of the host."""

    catalogue: Catalogue
    bundles: tuple[str, ...] = ()
    #: Of the checks beyond units: none of them ("units"), "all", or names.
    checks: tuple[str, ...] = ("units",)
    fail_on: str = "critical"


def report(
    hosts: Sequence[Host],
    request: Request,
    options: Options,
    *,
    width: int = fanout.DEFAULT_WIDTH,
    progress: Callable[[Outcome[HostVerdict]], None] = lambda outcome: None,
) -> VerifyReport:
    """Return what the hosts' daemons are like; `progress` is called with each outcome."""
    if len(hosts) > 1:
        prepare(hosts, options)
    gathered = fanout.gather(
        hosts,
        lambda host: verify(host, request, options),
        width=width,
        limit=2 * options.connect_timeout + 3 * options.timeout,
        progress=progress,
    )
    return VerifyReport(
        outcomes=gathered.outcomes,
        fail_on=request.fail_on,
        made_at=time.time(),
        ended=gathered.ended,
    )


def verify(host: Host, request: Request, options: Options) -> HostVerdict:
    """Return what the daemons of one host are like; raises `HostError`."""
    connection = connect(host, options)
    try:
        channel = connection.open_bus()
        try:
            client = Client(channel, Deadline(options.timeout))
            return Survey(
                host,
                connection,
                client,
                request.catalogue,
                bundles=request.bundles,
                checks=request.checks,
                timeout=options.timeout,
            ).verify()
        finally:
            channel.close()
    finally:
        connection.close()
