"""The last words of a unit: journalctl(1), run where the journal is."""

from collections.abc import Iterator

from psops.deadline import Deadline
from psops.errors import HostError
from psops.report.model import LogLine, UnitStatus
from psops.transport import Connection


def read_log(
    connection: Connection, unit: UnitStatus, lines: int, timeout: float
) -> Iterator[LogLine]:
    """Yield the last lines of a unit's last run; none if the journal cannot be read."""
    invocation = bytes(unit.properties.get("InvocationID") or b"").hex()
    # What the unit wrote, and what systemd wrote about it, in its last run.
    matches: tuple[str, ...]
    matches = (f"_SYSTEMD_INVOCATION_ID={invocation}", "+", f"INVOCATION_ID={invocation}")
    if not invocation or not int(invocation, 16):
        matches = (f"--unit={unit.id}",)
    argv = ("journalctl", "--quiet", "--no-pager", "--output=json", f"--lines={lines}", *matches)
    try:
        output = connection.run(argv, Deadline(timeout)).stdout
    except HostError:
        return  # the states were read; a missing log is no reason to lose them
    import json

    for line in output.splitlines():
        try:
            entry = json.loads(line)
            yield LogLine(
                int(entry["__REALTIME_TIMESTAMP"]),
                str(entry.get("SYSLOG_IDENTIFIER") or entry.get("_COMM") or ""),
                _message(entry.get("MESSAGE")),
            )
        except (ValueError, KeyError, TypeError, AttributeError):
            continue


def _message(value: object) -> str:
    # journalctl gives bytes that are no UTF-8 as a list of numbers (systemd.journal-fields(7))
    if isinstance(value, list):
        return bytes(value).decode(errors="replace")
    return str(value or "")
