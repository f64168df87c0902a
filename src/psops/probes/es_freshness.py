"""Whether an index gets new documents: the time of the newest one that is not in the future.

Rule: "Max aggregation" of Elasticsearch and OpenSearch; the time field of SAND's indices is
`timestamp`, see the mappings of sand-ci/ps-ingest.
"""

from dataclasses import replace

from psops.catalogue.entry import Probe
from psops.checks import Answer, right, wrong
from psops.probes.elastic import after, between, newest, search
from psops.probes.fields import SKEW, Asker, count, judge_age, no_data, warning
from psops.probes.world import World
from psops.report import text as words
from psops.report.text import clean, duration

_DAY = 86400.0
#: Seconds back that are searched at least, so that an age can be told; older shards are left out.
_BACK = 30 * _DAY


def answer(probe: Probe, world: World) -> Answer:
    """Return whether the newest document is as young as it must be.

    Its time is that of the event, so it may be `lateness` seconds older than `max_age`. Documents
    of the future, from hosts whose clock is wrong, do not count but are told as an aside.
    """
    asker = Asker(probe, world)
    return asker.settle(lambda: _judge(asker))


def _judge(asker: Asker) -> Answer:
    given = asker.probe.settings
    index, field = given["index"], given["field"]
    name = clean(index)
    limit = given["max_age"] + given["lateness"]
    now = asker.world.now()
    back = max(_BACK, 2 * limit)
    aggs = {
        "past": {
            "filter": between(field, now - back, now),
            "aggs": {"newest": {"max": {"field": field}}},
        },
        "future": {"filter": after(field, now + SKEW)},
    }
    found = search(asker, index, after(field, now - back), aggs)
    ahead = count(found, "future", "doc_count")
    documents = count(found, "past", "doc_count")
    last = newest(found["past"], "newest")
    if (last is None) != (documents == 0):
        many = words.count(documents, "document")
        raise no_data(f"{name}: {many}, but the newest is of no known time")
    if last is None:
        result = wrong("stale", f"{name}: no document of the last {duration(back)} by '{field}'")
    else:
        what = f"{name}: newest document"
        text = f"{what} is {duration(now - last)} old, may be {duration(limit)}"
        result = judge_age(what, now - last, limit) or right(text)
    if not ahead:
        return result
    text = f"{name}: {words.count(ahead, 'document')} more than {duration(SKEW)} ahead of the time"
    return replace(result, asides=(warning("clock", text),))
