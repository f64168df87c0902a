"""The last words of a unit: journalctl(1), run where the journal is."""

from collections.abc import Iterator

from psops.deadline import Deadline
from psops.errors import HostError, ProtocolError
from psops.report.model import LogLine, UnitStatus
from psops.transport import Connection

#: Long messages too, which would be null, but of no other field; from systemd 236 on.
_WHOLE = ("--all", "--output-fields=MESSAGE,SYSLOG_IDENTIFIER,_COMM")


def read_log(
    connection: Connection, unit: UnitStatus, lines: int, timeout: float
) -> Iterator[LogLine]:
    """Yield the last lines of a unit's last run; none if the journal cannot be read."""
    number = unit.properties.get("InvocationID")
    invocation = number.hex() if isinstance(number, bytes) else ""
    # What the unit wrote, and what systemd wrote about it, in its last run.
    matches: tuple[str, ...]
    matches = (f"_SYSTEMD_INVOCATION_ID={invocation}", "+", f"INVOCATION_ID={invocation}")
    if not invocation or not int(invocation, 16):
        matches = (f"--unit={unit.id}",)
    argv = ("journalctl", "--quiet", "--no-pager", "--output=json", f"--lines={lines}", *matches)
    output = _output(connection, argv, timeout)
    from psops.logs.journal import Parser

    # The last line of the output ends it, so that nothing is held back for more.
    for line in Parser("").feed(output):
        yield LogLine(line.time_us, line.identifier, line.message)


def _output(connection: Connection, argv: tuple[str, ...], timeout: float) -> bytes:
    """Return what journalctl says, nothing if that cannot be had."""
    try:
        try:
            done = connection.run((*argv[:4], *_WHOLE, *argv[4:]), Deadline(timeout))
            if b"unrecognized option" not in done.stderr:
                return done.stdout
        except ProtocolError:
            pass  # more than is taken at once
        return connection.run(argv, Deadline(timeout)).stdout
    except HostError:
        return b""  # the states were read; a missing log is no reason to lose them
