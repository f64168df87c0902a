"""JSON for machines: one envelope, keys that are added to but never renamed.

Absolute imports keep this module and the standard library's `json` apart.
"""

import json
import math
from datetime import UTC, datetime
from typing import Any

from psops import __version__
from psops.errors import PsopsError, describe
from psops.exits import Exit
from psops.fanout import Outcome
from psops.report import Look
from psops.report.facts import unit_facts
from psops.report.model import HostStatus, StatusReport, UnitStatus

#: Raised when a key changes its meaning or goes away.
SCHEMA = 1


def render(report: StatusReport, look: Look) -> str:
    """Return the report as one JSON document."""
    hosts = [host_object(outcome, report) for outcome in report.outcomes]
    errors = [
        {"host": outcome.host.name, **describe(outcome.error)}
        for outcome in report.outcomes
        if outcome.error
    ]
    return dump(envelope("status", report.exit, hosts, errors), indent=2)


def render_error(error: PsopsError, *, indent: int | None = 2) -> str:
    """Return the document for a run that ended before it had a report; a line without `indent`."""
    return dump(envelope("", error.exit, [], [describe(error)]), indent=indent)


def envelope(
    command: str, code: Exit, hosts: list[dict[str, Any]], errors: list[dict[str, Any]]
) -> dict[str, Any]:
    """Return the outer object that every document has."""
    answered = any(host.get("error") is None for host in hosts)
    return {
        "psops_version": __version__,
        "schema": SCHEMA,
        "command": command,
        "status": "ok" if not errors else "partial" if answered else "error",
        "exit": int(code),
        "hosts": hosts,
        "errors": errors,
    }


def host_object(outcome: Outcome[HostStatus], report: StatusReport) -> dict[str, Any]:
    """Return one host as an object."""
    result: dict[str, Any] = {
        "host": outcome.host.name,
        "elapsed_s": round(outcome.elapsed, 3),
        "error": describe(outcome.error) if outcome.error else None,
    }
    status = outcome.value
    if status is None:
        return result
    if status.counts is not None:
        result |= {
            "state": status.state,
            "systemd_version": status.version,
            "units_by_state": dict(status.counts),
        }
    result["units"] = [unit_object(unit, report) for unit in status.units]
    result["unmatched"] = list(status.unmatched)
    return result


def unit_object(unit: UnitStatus, report: StatusReport) -> dict[str, Any]:
    """Return one unit as an object; with `--properties`, what was asked for instead."""
    result: dict[str, Any] = {
        "name": unit.name,
        "id": unit.id,
        "load_state": unit.load,
        "active_state": unit.active,
        "sub_state": unit.sub,
        "description": unit.description,
    }
    if report.properties:
        wanted = {name: _plain(unit.properties.get(name)) for name in report.properties}
        return {**result, "properties": wanted}
    facts = unit_facts(unit)
    result |= {
        "unit_file_state": facts.file_state,
        "since": _moment(facts.since_us),
        "main_pid": facts.main_pid,
        "restarts": facts.restarts,
        "memory_bytes": facts.memory,
        "tasks": facts.tasks,
        "result": facts.result,
        "exit_status": facts.exit_status,
        "exit_signal": facts.exit_signal,
    }
    if unit.log is not None:
        result["log"] = [line._asdict() for line in unit.log]
    if report.details:
        result["properties"] = {key: _plain(value) for key, value in unit.properties.items()}
        result["processes"] = [process._asdict() for process in unit.processes]
    return result


def dump(document: Any, indent: int | None = None) -> str:
    """Return a document as text; ASCII only, so no byte of it can act on a terminal."""
    return json.dumps(document, indent=indent, sort_keys=True) + "\n"


def _moment(time_us: int | None) -> str | None:
    if not time_us:
        return None
    try:
        return datetime.fromtimestamp(time_us / 1e6, UTC).isoformat(timespec="seconds")
    except (OverflowError, ValueError, OSError):
        return None  # no year that a calendar has; a host may send any number


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, (tuple, list)):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None  # JSON has no such number
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    return value
