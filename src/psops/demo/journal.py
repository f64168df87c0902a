"""Journal entries of demo hosts, in the form of `journalctl -o json`.

Authority: systemd.journal-fields(7) and journalctl(1).
"""

import json
import re
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

from psops.demo import hosts, numbers, properties
from psops.demo.numbers import SECOND, HostNumber, Invocation
from psops.demo.profile import Profile, Unit
from psops.demo.schema import UNIT
from psops.inventory import Host
from psops.systemd.names import unit_type


def without_sudo(argv: tuple[str, ...]) -> tuple[str, ...]:
    """Return the command without `sudo -n` in front."""
    if argv[:1] != ("sudo",):
        return argv
    rest = 1
    while rest < len(argv) and argv[rest].startswith("-"):
        rest += 1
    return argv[rest:]


class _Asked(NamedTuple):
    """What journalctl is asked for."""

    units: list[str]
    invocations: set[str]
    lines: int | None = None
    newest_first: bool = False
    since: float = 0.0
    until: float = float("inf")
    priorities: tuple[int, int] = (0, 7)
    pattern: str = ""
    after: str = ""


def answer(host: Host, arguments: Sequence[str]) -> bytes:
    """Return the entries that journalctl with these arguments prints, one JSON object a line."""
    asked = _parse(arguments)
    here = hosts.numbers_of(host)
    profile = hosts.current(host)
    entries: list[dict[str, str]] = []
    for unit in profile.units.values():
        invocation = Invocation(unit.name, properties.history(unit).run).of_host(here).hex()
        named = any(fnmatchcase(unit.name, name) or profile.find(name).name == unit.name
                    for name in asked.units)  # fmt: skip
        everything = not asked.units and not asked.invocations
        if everything or named or invocation in asked.invocations:
            entries += _entries(host.name, unit, here, invocation, profile)
    entries.sort(key=lambda entry: int(entry["__REALTIME_TIMESTAMP"]))
    entries = [entry for entry in entries if _is_asked(entry, asked)]
    known = [at for at, entry in enumerate(entries) if entry["__CURSOR"] == asked.after]
    entries = entries[known[0] + 1 if known else 0 :]
    if asked.lines is not None:
        entries = entries[max(0, len(entries) - asked.lines) :]
    if asked.newest_first:
        entries.reverse()
    return b"".join(json.dumps(entry).encode() + b"\n" for entry in entries)


def _is_asked(entry: dict[str, str], asked: _Asked) -> bool:
    strongest, weakest = asked.priorities
    return (
        asked.since <= int(entry["__REALTIME_TIMESTAMP"]) / 1e6 <= asked.until
        and strongest <= int(entry["PRIORITY"]) <= weakest
        and re.search(asked.pattern, entry["MESSAGE"]) is not None
    )


def _parse(arguments: Sequence[str]) -> _Asked:
    asked = _Asked([], set())
    for word in _split(arguments):
        key, _, value = word.partition("=")
        if key in ("-u", "--unit"):
            asked.units.append(value if unit_type(value) else f"{value}.service")
        elif key in ("_SYSTEMD_UNIT", "UNIT"):
            asked.units.append(value)
        elif key in ("_SYSTEMD_INVOCATION_ID", "INVOCATION_ID"):
            asked.invocations.add(value)
        elif key in ("-n", "--lines"):
            asked = asked._replace(lines=int(value) if value.isdigit() else None)
        elif key in ("-r", "--reverse"):
            asked = asked._replace(newest_first=True)
        elif key == "--since" and value.startswith("@"):
            asked = asked._replace(since=float(value[1:]))
        elif key == "--until" and value.startswith("@"):
            asked = asked._replace(until=float(value[1:]))
        elif key in ("-p", "--priority"):
            first, dots, last = value.partition("..")
            asked = asked._replace(priorities=(int(first) if dots else 0, int(last or first)))
        elif key in ("-g", "--grep"):
            asked = asked._replace(pattern=value)
        elif key == "--after-cursor":
            asked = asked._replace(after=value)
    return asked


_WITH_VALUE = ("-u", "-n", "-o", "-t", "-p", "-S", "-U", "--unit", "--lines", "--output",
               "--identifier", "--priority", "--since", "--until")  # fmt: skip


def _split(arguments: Sequence[str]) -> Iterator[str]:
    """Yield the arguments with every value joined to its option by an equals sign."""
    rest = iter(arguments)
    for word in rest:
        if word in _WITH_VALUE:
            yield f"{word}={next(rest, '')}"
        elif word[:2] in _WITH_VALUE and not word.startswith("--"):
            yield f"{word[:2]}={word[2:]}"
        else:
            yield word


def _entries(
    host: str, unit: Unit, here: tuple[int, ...], invocation: str, profile: Profile
) -> Iterator[dict[str, str]]:
    values = properties.of_unit(unit, profile)
    common = values[UNIT]
    moment = common.get("StateChangeTimestamp")
    if moment is None:
        return
    ended = _number(moment, here)
    own = next(values[name] for name in values if name != UNIT)
    pid = _number(properties.main_pid(unit), here)
    count = len(unit.log)
    for place, text in enumerate(unit.log):
        at = ended - SECOND // 10 - (count - place) * 1_200
        yield _entry(host, here, at, text, {
            "PRIORITY": "3", "SYSLOG_IDENTIFIER": _identifier(unit), "_PID": str(pid),
            "_SYSTEMD_UNIT": unit.name, "_SYSTEMD_INVOCATION_ID": invocation,
        })  # fmt: skip
    for place, (priority, text) in enumerate(_from_manager(unit, own)):
        yield _entry(host, here, ended + place * 310, text, {
            "PRIORITY": priority, "SYSLOG_IDENTIFIER": "systemd", "_PID": "1", "UNIT": unit.name,
            "_SYSTEMD_UNIT": "init.scope", "INVOCATION_ID": invocation,
        })  # fmt: skip


_SIGNALS = {9: "KILL", 15: "TERM"}


def _from_manager(unit: Unit, own: Any) -> Iterator[tuple[str, str]]:
    """Yield priority and text of what systemd itself says of the unit."""
    if unit.active == "active":
        yield "6", f"Started {unit.name} - {unit.description}."
        return
    if unit.active not in ("failed", "activating"):
        yield "6", f"{unit.name}: Deactivated successfully."
        return
    status = own.get("ExecMainStatus", 0)
    if own.get("ExecMainCode") == 2:
        name = _SIGNALS.get(status, "KILL")
        yield "5", f"{unit.name}: Main process exited, code=killed, status={status}/{name}"
    elif status:
        yield "5", f"{unit.name}: Main process exited, code=exited, status={status}/FAILURE"
    if own.get("Result") != "success":
        yield "4", f"{unit.name}: Failed with result '{own.get('Result')}'."
    if unit.sub == "auto-restart" and (count := own.get("NRestarts", 0)):
        yield "6", f"{unit.name}: Scheduled restart job, restart counter is at {count}."


def _entry(
    host: str, here: tuple[int, ...], at: int, text: str, fields: dict[str, str]
) -> dict[str, str]:
    boot = numbers.digest(f"boot of {host}").hex()
    return {
        "__CURSOR": f"s={boot};i={at & 0xFFFFF:x};b={boot};t={at:x}",
        "__REALTIME_TIMESTAMP": str(at),
        "__MONOTONIC_TIMESTAMP": str(at - here[numbers.BOOT]),
        "_BOOT_ID": boot,
        "_MACHINE_ID": numbers.digest(f"machine {host}").hex(),
        "_HOSTNAME": host.partition(".")[0],
        "_TRANSPORT": "journal",
        **fields,
        "MESSAGE": text,
    }


def _number(value: HostNumber | int, here: tuple[int, ...]) -> int:
    return here[value.base] + value.plus if isinstance(value, HostNumber) else value


def _identifier(unit: Unit) -> str:
    """Return the name of the unit's program, which journald takes where none is given."""
    command = unit.processes[0] if unit.processes else unit.name.removesuffix(".service")
    return command.split()[0].rpartition("/")[2]
