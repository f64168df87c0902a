"""Whether finished archives are copied to tape.

Rule: `src/gracc-backup.py` and `src/crontab` of opensciencegrid/gracc-backup, run each hour. A
file that was copied leaves an empty one of its name behind for four days; a wrong checksum is
only printed. `graccarchive.py` of opensciencegrid/gracc-archive names one file for each UTC day.
"""

import re
from datetime import UTC, datetime
from typing import NamedTuple

from psops.catalogue_entry import Probe
from psops.checks import Answer, right, unknown, wrong
from psops.probes import Unanswered
from psops.probes.fields import SKEW, named
from psops.probes.world import World
from psops.report.text import clean, count, duration, size, squeeze
from psops.transport import Finished

_DAY = 86400
_ENGLISH = ("env", "LC_ALL=C")
_SIZE = re.compile(r"^\s*Size:\s*(\d{1,18})\t(.+)$", re.MULTILINE)


class _File(NamedTuple):
    size: int
    changed: float
    name: str


def answer(probe: Probe, world: World) -> Answer:
    """Return whether nothing waits too long, a copy ended lately and no checksum differed."""
    try:
        return _judge(probe, world)
    except Unanswered as exc:
        return exc.answer


def _judge(probe: Probe, world: World) -> Answer:
    given = probe.settings
    now = _now(probe, world)
    files = _files(probe, world)
    waiting = [file for file in files if file.size and now - file.changed > given["most_wait"]]
    place = clean(given["output"])
    if waiting:
        oldest = max(now - file.changed for file in waiting)
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


def _now(probe: Probe, world: World) -> float:
    """Return the time of the host that has the files, which need not be ours."""
    done = world.run(probe, (*_ENGLISH, "date", "+%s"))
    said = done.stdout.decode(errors="replace").strip()
    if done.status or not re.fullmatch(r"[0-9]{1,12}", said, re.ASCII):
        raise Unanswered(unknown("cannot-run", f"date: {_complaint(done)}"))
    return float(said)


def _files(probe: Probe, world: World) -> list[_File]:
    """Return the archives in the directory; raises `Unanswered` if not all are seen."""
    given = probe.settings
    place = clean(given["output"])
    what = ("-mindepth", "1", "-maxdepth", "1", "-type", "f", "-name", given["pattern"])
    argv = (*_ENGLISH, "find", given["output"], *what, "-printf", r"%s %T@ %f\0")
    done = world.run(probe, argv)
    if done.status:
        said = _complaint(done)
        if "No such file or directory" in said:
            raise Unanswered(wrong("missing-object", f"{place} is not there"))
        denied = "Permission denied" in said
        code = "no-permission" if denied else "cannot-run"
        raise Unanswered(unknown(code, f"{place}: {said}"))
    found = []
    for line in done.stdout.decode(errors="replace").split("\0")[:-1]:
        match = re.fullmatch(r"(\d{1,18}) (-?\d{1,12})(?:\.\d*)? (.+)", line, re.ASCII | re.DOTALL)
        if match is None:
            raise Unanswered(unknown("no-data", f"{place}: find tells something else"))
        found.append(_File(int(match[1]), float(match[2]), match[3]))
    return found


def _check_log(probe: Probe, world: World) -> None:
    """Raise `Unanswered` if the end of the log tells of a checksum, or cannot be read."""
    given = probe.settings
    if not given["log"]:
        return
    place = clean(given["log"])
    argv = (*_ENGLISH, "tail", "-n", str(given["log_lines"]), "--", given["log"])
    done = world.run(probe, argv)
    if done.status:
        said = _complaint(done)
        code = "no-permission" if "Permission denied" in said else "no-data"
        raise Unanswered(unknown(code, f"{place}: {said}"))
    lines = done.stdout.decode(errors="replace").splitlines()
    hits = sum(given["log_failure"] in line for line in lines)
    if hits:
        last = f"{hits} of the last {count(len(lines), 'line')}"
        text = f"{place}: {last} tell of '{clean(given['log_failure'])}'"
        raise Unanswered(wrong("failed-checksum", text))


def _check_remote(probe: Probe, world: World, now: float) -> str:
    """Return what is told of yesterday's file on tape, if asked; raises `Unanswered`."""
    if not probe.settings["remote"]:
        return ""
    date = datetime.fromtimestamp(now - _DAY, UTC).strftime("%Y-%m-%d")
    url = probe.settings["remote"].replace("{date}", date)
    done = world.run(probe, (*_ENGLISH, "gfal-stat", url))
    if done.status:
        said = _complaint(done)
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


def _complaint(done: Finished) -> str:
    lines = done.stderr.decode(errors="replace").strip().splitlines()
    return clean(squeeze(lines[-1]))[:200] if lines else f"exit status {done.status}"
