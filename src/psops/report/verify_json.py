"""The verdicts as one JSON document, in the envelope that every verb has."""

from datetime import UTC, datetime
from typing import Any

from psops.errors import describe
from psops.fanout import Outcome
from psops.report import Look
from psops.report.json import dump, envelope, unit_object
from psops.report.model import StatusReport
from psops.report.verify_parts import findings as all_findings
from psops.report.verify_parts import host_tally, tally
from psops.verdict import Finding, HostVerdict, VerifyReport

#: Units are shown as `psops status` shows them when they are named.
_AS_IN_STATUS = StatusReport(outcomes=(), named=True)
_COUNTED = ("ok", "warning", "critical", "unknown")


def render(report: VerifyReport, look: Look) -> str:
    """Return the report as one JSON document."""
    hosts = [host_object(outcome) for outcome in report.outcomes]
    errors = [
        {"host": outcome.host.name, **describe(outcome.error)}
        for outcome in report.outcomes
        if outcome.error
    ]
    told, counted = tally(all_findings(report)), host_tally(report)
    document = envelope(report.command, report.exit, hosts, errors) | {
        "verdict": report.verdict.value,
        "fail_on": report.fail_on,
        "made_at": _moment(report.made_at),
        "host_counts": {key: counted[key] for key in _COUNTED} | {"not_read": counted["not read"]},
        "finding_counts": {key: told[key] for key in (*_COUNTED, "waived")},
    }
    return dump(document, indent=2)


def host_object(outcome: Outcome[HostVerdict]) -> dict[str, Any]:
    """Return one host as an object."""
    value = outcome.value
    result: dict[str, Any] = {
        "host": outcome.host.name,
        "elapsed_s": round(outcome.elapsed, 3),
        "error": describe(outcome.error) if outcome.error else None,
        "verdict": "unknown" if value is None else value.verdict.value,
    }
    if value is None:
        return result
    return result | {
        "bundles": list(value.bundles),
        "chosen_by": value.chosen_by,
        "os": {"family": value.os_family, "name": value.os_name},
        "version": value.version,
        "findings": [finding_object(one) for one in value.findings],
        "notes": list(value.notes),
    }


def finding_object(one: Finding) -> dict[str, Any]:
    """Return one finding as an object; its verdict is what is so, waived or not."""
    unit = None if one.unit is None else unit_object(one.unit, _AS_IN_STATUS)
    log = [] if unit is None else unit.pop("log", [])
    waived = None
    if one.waiver is not None:
        until = one.waiver.until.isoformat() if one.waiver.until else None
        waived = {"reason": one.waiver.reason, "until": until}
    return {
        "name": one.name,
        "kind": one.kind,
        "verdict": one.verdict.value,
        "code": one.code,
        "text": one.text,
        "bundle": one.bundle,
        "purpose": one.purpose,
        "severity": one.severity,
        "because": one.because,
        "advice": [advice._asdict() for advice in one.advice],
        "waived": waived,
        "elapsed_s": round(one.elapsed, 3),
        "unit": unit,
        "log": log,
    }


def _moment(seconds: float) -> str | None:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds") if seconds else None
