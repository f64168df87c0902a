"""Journal entries of demo hosts, in the form of `journalctl -o json`.

Authority: systemd.journal-fields(7) and journalctl(1).
"""

import json
from collections.abc import Iterator, Sequence
from typing import Any

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


def answer(host: Host, arguments: Sequence[str]) -> bytes:
    """Return the entries that journalctl with these arguments prints, one JSON object a line."""
    units, invocations, lines, newest_first = _parse(arguments)
    here = hosts.numbers_of(host)
    profile = hosts.current(host)
    wanted = {profile.find(name).name for name in units}
    entries: list[dict[str, str]] = []
    for unit in profile.units.values():
        invocation = Invocation(unit.name, properties.history(unit).run).of_host(here).hex()
        if (not wanted and not invocations) or unit.name in wanted or invocation in invocations:
            entries += _entries(host.name, unit, here, invocation, profile)
    entries.sort(key=lambda entry: int(entry["__REALTIME_TIMESTAMP"]))
    if lines is not None:
        entries = entries[max(0, len(entries) - lines) :]
    if newest_first:
        entries.reverse()
    return b"".join(json.dumps(entry).encode() + b"\n" for entry in entries)


def _parse(arguments: Sequence[str]) -> tuple[list[str], set[str], int | None, bool]:
    units: list[str] = []
    invocations: set[str] = set()
    lines: int | None = None
    newest_first = False
    rest = iter(_split(arguments))
    for word in rest:
        key, _, value = word.partition("=")
        if key in ("-u", "--unit"):
            units.append(value if unit_type(value) else f"{value}.service")
        elif key in ("_SYSTEMD_UNIT", "UNIT"):
            units.append(value)
        elif key in ("_SYSTEMD_INVOCATION_ID", "INVOCATION_ID"):
            invocations.add(value)
        elif key in ("-n", "--lines"):
            lines = int(value) if value.isdigit() else None
        elif key in ("-r", "--reverse"):
            newest_first = True
    return units, invocations, lines, newest_first


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
