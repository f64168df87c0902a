"""What a unit's raw properties say, in the words that every format shows."""

import signal
from typing import Any, NamedTuple

from psops.report.model import UnitStatus

#: SIGCHLD codes of waitid(2), as ExecMainCode gives them.
_CLD_EXITED, _CLD_KILLED, _CLD_DUMPED = 1, 2, 3


class UnitFacts(NamedTuple):
    """The usual facts of a unit; None where it has no such fact. Times in µs, sizes in bytes."""

    file_state: str | None
    since_us: int | None
    main_pid: int | None
    restarts: int | None
    memory: int | None
    tasks: int | None
    result: str | None
    exit_status: int | None
    exit_signal: str | None


def unit_facts(unit: UnitStatus) -> UnitFacts:
    """Return the usual facts of a unit."""
    read = unit.properties.get
    code, status = read("ExecMainCode"), read("ExecMainStatus")
    known = unit.failed or unit.active == "activating"
    killed = code in (_CLD_KILLED, _CLD_DUMPED)
    return UnitFacts(
        file_state=text(read("UnitFileState")),
        since_us=number(read("StateChangeTimestamp")) or None,
        main_pid=number(read("MainPID")) or None,
        restarts=number(read("NRestarts")),
        memory=number(read("MemoryCurrent")),
        tasks=number(read("TasksCurrent")),
        result=text(read("Result")) if known else None,
        exit_status=status if known and code == _CLD_EXITED else None,
        exit_signal=signal_name(status) if known and killed else None,
    )


def reason(unit: UnitStatus) -> str:
    """Return why a unit is not as it should be, "" where nothing says so.

    `exit-code 3`, `signal SEGV`, `timeout` ...: systemd's word, then what makes it exact.
    """
    facts = unit_facts(unit)
    if unit.load in ("masked", "not-found", "bad-setting", "error"):
        return unit.load if unit.active in ("inactive", "active") else ""
    if not facts.result or facts.result == "success":
        return ""
    exact = facts.exit_signal if facts.exit_signal else facts.exit_status
    return facts.result if exact in (None, 0) else f"{facts.result} {exact}"


def signal_name(number: Any) -> str:
    """Return the name of a signal without SIG, or its number as text."""
    try:
        return signal.Signals(number).name.removeprefix("SIG")
    except (ValueError, TypeError):
        return str(number)


def text(value: Any) -> str | None:
    """Return the value if it is text that says something."""
    return value if isinstance(value, str) and value else None


def number(value: Any) -> int | None:
    """Return the value if it is a number; a host may send anything."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None
