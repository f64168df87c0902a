"""Traps of `panda_server_env`, the environment file of PanDA's units.

Authority: `systemd.exec(5)` for the notation; `facts/panda.md` section 2 for the time zone:
the lock's time is UTC, and the epoch it is compared with is taken in local time.
"""

import re
from collections.abc import Iterator

from psops.panda.model import Fault, Place
from psops.panda.sources import parse_environment
from psops.panda.traps import fault

#: Names of time zones that are UTC, and the notation of POSIX for one without an offset.
_UTC = re.compile(
    r":?(?:Etc/)?(?:UTC|UCT|GMT|Zulu|Universal|Greenwich)|[A-Za-z]{3,}[+-]?0{1,2}(?::?00)?|:?"
)


def check_env(path: str, text: str, *, synced: bool) -> Iterator[Fault]:
    """Yield what is wrong with the file; `synced` tells whether there are synced daemons."""
    known = parse_environment(text)
    lines = dict.fromkeys(known, 0)
    for number, line in enumerate(text.splitlines(), 1):
        name, sign, value = line.partition("=")
        name, value = name.strip(), value.strip()
        if not sign or name.startswith(("#", ";")):
            continue
        lines[name] = number
        place = Place(path, number)
        if name.startswith("export"):
            yield fault("env-shell", name, place, "a unit's file takes no 'export': line ignored")
        elif name in ("HOME", "PANDA_HOME") and value.strip("\"'").startswith("~"):
            yield fault("env-shell", name, place, f"'~' in {name} is not expanded")
        elif re.search(r"\$\{?[A-Za-z_]", value):
            yield fault("env-shell", name, place, f"a variable in {name} is not expanded")
    zone = known.get("TZ")
    which = "synced daemons are put off for hours or killed idle" if synced else "no sync is used"
    if zone is None:
        yield fault(
            "tz-missing",
            "TZ",
            Place(path),
            "no TZ: the machine's own zone holds, and locks need UTC",
        )
    elif not _UTC.fullmatch(zone):
        yield fault(
            "tz", "TZ", Place(path, lines.get("TZ", 0)), f"TZ is '{zone}' and not UTC: {which}"
        )
