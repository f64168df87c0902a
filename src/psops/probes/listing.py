"""The files of a folder on a host, with their sizes and times, by find(1) there."""

import re
from typing import NamedTuple

from psops.catalogue.entry import Probe
from psops.checks import unknown, wrong
from psops.probes import Unanswered
from psops.probes.world import World
from psops.report.text import clean, squeeze
from psops.transport import Finished

#: Makes programs complain in words that are known here.
ENGLISH = ("env", "LC_ALL=C")
_TIME = r"(-?\d{1,12})(?:\.\d*)?"
_LINE = re.compile(rf"(\d{{1,18}}) {_TIME} {_TIME} (.+)", re.ASCII | re.DOTALL)
_MOST = 200


class File(NamedTuple):
    """A file: bytes, seconds since the epoch, name as it is there."""

    size: int
    #: When something was written to it, and when it was moved or written: a move keeps the first.
    changed: float
    came: float
    name: str


def clock(probe: Probe, world: World) -> float:
    """Return the time of the host that has the files, which need not be ours."""
    done = world.run(probe, (*ENGLISH, "date", "+%s"))
    said = done.stdout.decode(errors="replace").strip()
    if done.status or not re.fullmatch(r"[0-9]{1,12}", said, re.ASCII):
        raise Unanswered(unknown("cannot-run", f"date: {complaint(done)}"))
    return float(said)


def listed(probe: Probe, world: World, folder: str) -> list[File]:
    """Return the files in a folder whose names match `pattern`; raises `Unanswered`.

    So it does if not all of them are seen.
    """
    place = clean(folder)
    # A file that went since its name was read is none of those that are there.
    what = ("-ignore_readdir_race", "-mindepth", "1", "-maxdepth", "1", "-type", "f",
            "-name", probe.settings["pattern"])  # fmt: skip
    done = world.run(probe, (*ENGLISH, "find", folder, *what, "-printf", r"%s %T@ %C@ %f\0"))
    if done.status:
        said = complaint(done)
        # Of a file, it says that it vanished since the folder was read.
        if re.fullmatch(rf".*: \W?{re.escape(place)}\W?: No such file or directory", said):
            raise Unanswered(wrong("missing-object", f"{place} is not there"))
        code = "no-permission" if "Permission denied" in said else "cannot-run"
        raise Unanswered(unknown(code, f"{place}: {said}"))
    found = []
    for line in done.stdout.decode(errors="replace").split("\0")[:-1]:
        match = _LINE.fullmatch(line)
        if match is None:
            raise Unanswered(unknown("no-data", f"{place}: find tells something else"))
        changed, moved = float(match[2]), float(match[3])
        found.append(File(int(match[1]), changed, max(changed, moved), match[4]))
    return found


def complaint(done: Finished) -> str:
    """Return the last line that a program said of its failure."""
    lines = done.stderr.decode(errors="replace").strip().splitlines()
    return clean(squeeze(lines[-1]))[:_MOST] if lines else f"exit status {done.status}"
