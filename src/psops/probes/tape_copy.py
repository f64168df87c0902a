"""Whether finished archives are copied to tape.

Rule: `src/gracc-backup.py` and `src/crontab` of opensciencegrid/gracc-backup, run each hour. A
file that was copied leaves an empty one of its name behind for four days; a wrong checksum is
only printed. `graccarchive.py` of opensciencegrid/gracc-archive names one file for each UTC day.
"""

import re
from datetime import UTC, datetime

from psops.catalogue.entry import Probe
from psops.checks import Answer, right, unknown, wrong
from psops.probes import Unanswered
from psops.probes.fields import SKEW, named
from psops.probes.listing import ENGLISH, clock, complaint, listed
from psops.probes.world import World
from psops.report.text import clean, count, duration, size

_DAY = 86400
#: How the line of a copy begins, which a complaint follows if its checksum differs.
_COPIED = ("b'", 'b"')
_SIZE = re.compile(r"^\s*Size:\s*(\d{1,18})\t(.+)$", re.MULTILINE)


def answer(probe: Probe, world: World) -> Answer:
    """Return whether nothing waits too long, a copy ended lately and no checksum differed."""
    try:
        return _judge(probe, world)
    except Unanswered as exc:
        return exc.answer


def _judge(probe: Probe, world: World) -> Answer:
    given = probe.settings
    now = clock(probe, world)
    files = listed(probe, world, given["output"])
    waiting = [file for file in files if file.size and now - file.came > given["most_wait"]]
    place = clean(given["output"])
    if waiting:
        oldest = max(now - file.came for file in waiting)
        names = named([file.name for file in waiting])
        limit = duration(given["most_wait"])
        told = f"{count(len(waiting), 'file')} not copied, one waits for {duration(oldest)}"
        return wrong("backlog", f"{place}: {told}, may be {limit}: {names}")
    marks = [file.changed for file in files if not file.size]
    if not marks:
        return wrong("stale", f"{place}: no file marks a copy")
    age = now - max(marks)
    limit = duration(given["max_age"])
    if age < -SKEW:
        return unknown("clock", f"{place}: the last copy is {duration(-age)} ahead of the time")
    if age > given["max_age"]:
        return wrong("stale", f"{place}: the last copy was {duration(age)} ago, may be {limit}")
    _check_log(probe, world)
    stored = _check_remote(probe, world, now)
    return right(f"nothing waits in {place}, the last copy was {duration(age)} ago{stored}")


def _check_log(probe: Probe, world: World) -> None:
    """Raise `Unanswered` if the log tells of a checksum since a good copy, or cannot be read."""
    given = probe.settings
    if not given["log"]:
        return
    place = clean(given["log"])
    argv = (*ENGLISH, "tail", "-n", str(given["log_lines"]), "--", given["log"])
    done = world.run(probe, argv)
    if done.status:
        said = complaint(done)
        code = "no-permission" if "Permission denied" in said else "no-data"
        raise Unanswered(unknown(code, f"{place}: {said}"))
    lines = done.stdout.decode(errors="replace").splitlines()
    failed = [given["log_failure"] in line for line in lines]
    good = [at for at, line in enumerate(lines)
            if line.startswith(_COPIED) and not any(failed[at + 1 : at + 2])]  # fmt: skip
    lines = lines[max(good, default=-1) + 1 :]
    if hits := sum(failed[-len(lines) :]) if lines else 0:
        last = f"{hits} of the last {count(len(lines), 'line')}"
        text = f"{place}: {last} tell of '{clean(given['log_failure'])}'"
        raise Unanswered(wrong("failed-checksum", text))


def _check_remote(probe: Probe, world: World, now: float) -> str:
    """Return what is told of yesterday's file on tape, if asked; raises `Unanswered`."""
    if not probe.settings["remote"]:
        return ""
    # Until it has had the time that it may wait, that of the day before it.
    day = datetime.fromtimestamp(now - _DAY - probe.settings["most_wait"], UTC)
    url = probe.settings["remote"].replace("{date}", f"{day:%Y-%m-%d}")
    done = world.run(probe, (*ENGLISH, "gfal-stat", url))
    if done.status:
        said = complaint(done)
        if "No such file" in said:
            raise Unanswered(wrong("missing-object", f"{clean(url)} is not there"))
        raise Unanswered(unknown("cannot-run", f"gfal-stat {clean(url)}: {said}"))
    match = _SIZE.search(done.stdout.decode(errors="replace"))
    if match is None:
        raise Unanswered(unknown("no-data", f"gfal-stat {clean(url)}: no size is told"))
    if match[2] != "regular file":
        raise Unanswered(wrong("missing-object", f"{clean(url)} is a {clean(match[2])}"))
    if match[1].strip("0") == "":
        raise Unanswered(wrong("missing-object", f"{clean(url)} is empty"))
    return f", {clean(url)} has {size(int(match[1]))}"
