"""Whether files of the host are there and fresh: one program for all such checks of a host."""

import re
from typing import NamedTuple

from psops.catalogue.entry import Check
from psops.checks import Answer, right, unknown, wrong
from psops.checks.site import Site
from psops.errors import HostError
from psops.report.text import clean, duration
from psops.transport import Finished

#: The directory of the process that asks is as old as the process, so its time is the host's
#: clock: whether ours agrees does not matter. `-c` is known to busybox too.
_CLOCK = "/proc/self"
_STAT = ("env", "LC_ALL=C", "stat", "-L", "-c", "%Y %n", "--", _CLOCK)
_DENIED = ("Permission denied", "Operation not permitted")
#: Seconds for the one program.
_TIMEOUT = 10.0


class Seen(NamedTuple):
    """What is at a path: the time of the last change, None if nothing is; what else was said."""

    changed: int | None
    error: str


class Files(NamedTuple):
    """What is at some paths, and the host's time when that was so."""

    now: int
    seen: dict[str, Seen]


def answer(check: Check, site: Site) -> Answer:
    """Return whether the file is as the check wants it."""
    limit = site.limit(_TIMEOUT)

    def ask() -> Finished:
        paths = dict.fromkeys(check.path for check in site.of_kind("file"))
        return site.connection.run((*_STAT, *paths), limit)

    try:
        finished: Finished = site.once("file", ask)
    except HostError as exc:
        return unknown("cannot-run", f"cannot be run: {exc}")
    paths = tuple(dict.fromkeys(check.path for check in site.of_kind("file")))
    said_of = finished.stdout.decode(errors="replace"), finished.stderr.decode(errors="replace")
    files = parse(*said_of, paths)
    if files is None or check.path not in files.seen:
        said = finished.stderr.decode(errors="replace").strip().splitlines()
        reason = clean(said[-1]) if said else f"exit status {finished.status}"
        return unknown("cannot-run", f"cannot be run: no stat there ({reason})")
    return judge(check, files.seen[check.path], files.now)


def parse(stdout: str, stderr: str, paths: tuple[str, ...]) -> Files | None:
    """Return what stat said of these paths, None if that makes no sense."""
    times: dict[str, int] = {}
    for line in stdout.splitlines():
        number, _, path = line.partition(" ")
        if re.fullmatch("-?[0-9]{1,18}", number):
            times[path] = int(number)
    if _CLOCK not in times:
        return None
    errors = stderr.splitlines()
    return Files(times[_CLOCK], {path: _seen(path, times, errors) for path in paths})


def judge(check: Check, seen: Seen, now: int) -> Answer:
    """Return what it means for the check that this was seen at this time of the host."""
    path = clean(check.path)
    if seen.changed is None:
        if any(words in seen.error for words in _DENIED):
            return unknown("no-permission", f"{path}: the user may not look ({clean(seen.error)})")
        if "No such file" not in seen.error and "Not a directory" not in seen.error:
            return unknown("cannot-run", f"{path}: {clean(seen.error) or 'nothing was told of it'}")
        return wrong("missing", f"{path} is not there") if check.exists else right(f"no {path}")
    if not check.exists:
        return wrong("present", f"{path} is there")
    age = now - seen.changed
    if check.max_age and age > check.max_age:
        limit = duration(check.max_age)
        return wrong("old", f"{path} was last changed {duration(age)} ago, more than {limit}")
    return right(f"{path} is there" + (f", changed {duration(age)} ago" if check.max_age else ""))


def _seen(path: str, times: dict[str, int], errors: list[str]) -> Seen:
    # GNU and busybox differ in the words around the path, but both quote it.
    quoted = (f"'{path}'", f'"{path}"', "'" + path.replace("'", "'\\''") + "'")
    said = next((line for line in errors if any(text in line for text in quoted)), "")
    return Seen(times.get(path), said)
