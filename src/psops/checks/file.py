"""Whether files of the host are there and fresh: one program for all such checks of a host."""

import re
from typing import NamedTuple

from psops.catalogue_entry import Check
from psops.checks import Answer, right, unknown, wrong
from psops.checks.site import Site
from psops.errors import HostError
from psops.report.text import clean, duration
from psops.transport import Finished

#: The paths are arguments, never text of the script; IFS= leaves them whole, while `*` in them
#: stands for names. The host's own clock tells their ages: whether ours agrees does not matter.
#: `-c` and `%F` are known to busybox too.
_SCRIPT = (
    "LC_ALL=C; export LC_ALL; IFS=; date +%s; "
    "for path; do echo; stat -L -c '%Y %s %F' -- $path 2>&1; done; :"
)
_FOUND = re.compile(r"(-?\d+)(?:\.\d+)? (\d+) [a-z ]+")
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
        return site.connection.run(("sh", "-c", _SCRIPT, "sh", *paths), limit)

    try:
        finished: Finished = site.once("file", ask)
    except HostError as exc:
        return unknown("cannot-run", f"cannot be run: {exc}")
    paths = tuple(dict.fromkeys(check.path for check in site.of_kind("file")))
    files = parse(finished.stdout.decode(errors="replace"), paths)
    if files is None or check.path not in files.seen:
        said = finished.stderr.decode(errors="replace").strip().splitlines()
        reason = clean(said[-1]) if said else f"exit status {finished.status}"
        return unknown("cannot-run", f"cannot be run: no date and stat there ({reason})")
    return judge(check, files.seen[check.path], files.now)


def parse(text: str, paths: tuple[str, ...]) -> Files | None:
    """Return what the script said of these paths, None if that makes no sense."""
    time, *lines = text.removesuffix("\n").split("\n")
    if not (time.isascii() and time.isdigit()):
        return None
    blocks: list[list[str]] = []
    for line in lines:
        if not line:
            blocks.append([])
        elif blocks:
            blocks[-1].append(line)
    seen = {path: _seen(block) for path, block in zip(paths, blocks, strict=False)}
    return Files(int(time), seen)


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


def _seen(block: list[str]) -> Seen:
    times = [int(found[1]) for line in block if (found := _FOUND.fullmatch(line))]
    errors = [line for line in block if not _FOUND.fullmatch(line)]
    return Seen(max(times, default=None), errors[-1] if errors else "")
