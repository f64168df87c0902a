"""Whether a cluster of Elasticsearch or OpenSearch, or an index of it, is healthy.

Rule: "Cluster health API" of both products: green, yellow (copies missing), red (data missing).
"""

from dataclasses import replace
from math import ceil
from urllib.parse import quote

from psops.catalogue.entry import Probe
from psops.checks import Answer, right, unknown, wrong
from psops.probes.elastic import refuse_error
from psops.probes.fields import Asker, count, flag, no_data, show, text, warning
from psops.probes.world import World
from psops.report.text import clean

#: Older releases answer so for a health that did not become known in time.
_TIMED_OUT = 408


def answer(probe: Probe, world: World) -> Answer:
    """Return green as right, red as wrong, yellow as a warning unless it is accepted."""
    asker = Asker(probe, world)
    return asker.settle(lambda: _judge(asker))


def _judge(asker: Asker) -> Answer:
    given = asker.probe.settings
    index = given["index"]
    name = clean(index) or "the cluster"
    # A wait there that is shorter than ours gives an answer instead of our time-out.
    wait = max(1, ceil(asker.probe.timeout / 2))
    path = f"/_cluster/health{'/' + quote(index, safe='') if index else ''}?timeout={wait}s"
    response = asker.response(path)
    if response.status == _TIMED_OUT:
        response = replace(response, status=200)
    found = asker.world.document(f"{asker.base}{path}", response)
    refuse_error(found, name)
    status = text(found, "status")
    if status not in ("green", "yellow", "red"):
        raise no_data(f"the status of {name} is {show(status)}")
    timed_out = flag(found, "timed_out")
    loose, active = count(found, "unassigned_shards"), count(found, "active_shards")
    shards = f"{loose} of {loose + active} shards without a place"
    if status == "red":
        why = "; there may be no such index" if index and timed_out else ""
        return wrong("unhealthy", f"{name} is red, {shards}{why}")
    if timed_out:
        return unknown("partial", f"{name} is {status}, but the answer came before all was known")
    if status == "yellow" and not given["accept_yellow"]:
        return warning("degraded", f"{name} is yellow, {shards}")
    return right(f"{name} is {status}, {shards}")
