"""The exit codes of psops, and how the results of many hosts become one code.

Codes 3 and 4 follow the LSB table for the status verb, 64 to 78 follow sysexits(3).
"""

from collections.abc import Iterable
from enum import IntEnum, unique


@unique
class Exit(IntEnum):
    """What a run of psops tells its caller."""

    OK = 0
    SOME_FAILED = 1
    USAGE = 2
    NOT_RUNNING = 3
    UNKNOWN_UNIT = 4
    UNREADABLE_INPUT = 65
    UNAVAILABLE = 69
    SOFTWARE = 70
    CANNOT_RECORD = 73
    CANNOT_WRITE = 74
    CONFIG = 78
    INTERRUPTED = 130
    TERMINATED = 143


#: One sentence for each code; help texts and the man page are made from it.
MEANINGS: dict[Exit, str] = {
    Exit.OK: "everything is as asked",
    Exit.SOME_FAILED: "some hosts could not be read, some units failed, or lines were refused",
    Exit.USAGE: "wrong usage, or an unknown group or format",
    Exit.NOT_RUNNING: "a named unit is not running",
    Exit.UNKNOWN_UNIT: "a named unit does not exist, or no unit matches",
    Exit.UNREADABLE_INPUT: "a crontab cannot be read",
    Exit.UNAVAILABLE: "no selected host could be read",
    Exit.SOFTWARE: "a bug in psops; run again with --debug and report it",
    Exit.CANNOT_RECORD: "the history of changes cannot be written; nothing was changed",
    Exit.CANNOT_WRITE: "the report cannot be written",
    Exit.CONFIG: "an inventory or configuration file is wrong",
    Exit.INTERRUPTED: "interrupted; what was known has been printed",
    Exit.TERMINATED: "terminated",
}

#: From mild to severe. The order is explicit because the numbers are not one:
#: a host nobody could reach outweighs a unit known to be stopped.
_SEVERITY = (Exit.OK, Exit.NOT_RUNNING, Exit.UNKNOWN_UNIT, Exit.SOME_FAILED)


def worst(codes: Iterable[Exit]) -> Exit:
    """Return the most severe of the codes that hosts and units can give; OK for none."""
    return max(codes, key=_SEVERITY.index, default=Exit.OK)
