"""Whether an index gets about as many documents as before.

Rule: `ps-indexing.py` of sand-ci/AlarmsAndAlerts: the documents of the last window against half
of those of the two windows before, all of it some hours back because data come late, up to a
full hour. The bounds of the two numbers are its own.
"""

from psops.catalogue.entry import Probe
from psops.checks import Answer, right, wrong
from psops.probes.elastic import between, search
from psops.probes.fields import Asker, count
from psops.probes.world import World
from psops.report import text as words
from psops.report.text import clean, duration


def answer(probe: Probe, world: World) -> Answer:
    """Return whether there are `least_count` documents and `least_ratio` of the usual number.

    Where the two windows before have none, the count alone decides.
    """
    asker = Asker(probe, world)
    return asker.settle(lambda: _judge(asker))


def _judge(asker: Asker) -> Answer:
    given = asker.probe.settings
    index, field, window = given["index"], given["field"], given["window"]
    now = asker.world.now()
    end = now - given["shift"]
    end -= end % given["align"] if given["align"] else 0
    middle, begin = end - window, end - 3 * window
    aggs = {
        "last": {"filter": between(field, middle, end)},
        "before": {"filter": between(field, begin, middle)},
    }
    found = search(asker, index, between(field, begin, end), aggs)
    current = count(found, "last", "doc_count")
    usual = count(found, "before", "doc_count") / 2
    back = f" up to {duration(now - end)} ago" if now > end else ""
    text = f"{clean(index)}: {words.count(current, 'document')} in {duration(window)}{back}"
    if current < given["least_count"]:
        return wrong("few", f"{text}, must be {given['least_count']:g}; {usual:g} before")
    if not usual:
        return right(f"{text}, none before")
    ratio = current / usual
    text = f"{text}, {usual:g} before: a ratio of {ratio:.2g}"
    if ratio < given["least_ratio"]:
        return wrong("few", f"{text}, must be {given['least_ratio']:g}")
    return right(text)
