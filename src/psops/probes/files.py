"""Whether files in a folder of a host are written: the age of the one that changed last."""

from psops.catalogue.entry import Probe
from psops.checks import Answer, right, wrong
from psops.probes import Unanswered
from psops.probes.fields import judge_age, named
from psops.probes.listing import clock, listed
from psops.probes.world import World
from psops.report.text import clean, duration, size


def answer(probe: Probe, world: World) -> Answer:
    """Return whether a file of `least_size` bytes was changed within `max_age` seconds."""
    given = probe.settings
    place = clean(given["folder"])
    try:
        now = clock(probe, world)
        files = [file for file in listed(probe, world, given["folder"])
                 if file.size >= given["least_size"]]  # fmt: skip
    except Unanswered as exc:
        return exc.answer
    if not files:
        pattern = clean(given["pattern"])
        return wrong("missing-object", f"{place}: no file '{pattern}' with anything in it")
    newest = max(files, key=lambda file: file.changed)
    age = now - newest.changed
    what = f"{place}: the last change, of {named([newest.name])},"
    if bad := judge_age(what, age, given["max_age"]):
        return bad
    told = f"{place}: {named([newest.name])} has {size(newest.size)}"
    return right(f"{told}, changed {duration(age)} ago")
