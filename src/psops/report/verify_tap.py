"""The verdicts in the Test Anything Protocol, version 14: a subtest per host.

Waived findings are `not ok` with TODO, which does not fail; the diagnostics are YAML whose
values are written as JSON, which YAML includes.
"""

import json
from collections.abc import Iterable

from psops import __version__
from psops.errors import describe
from psops.fanout import Outcome
from psops.report import Look
from psops.report.text import clean
from psops.report.verify_details import log_of
from psops.report.verify_parts import (
    NO_BUNDLE_REMEDY,
    failing,
    mark,
    nothing_expected,
    role,
    summary,
    waiver_text,
)
from psops.verdict import Finding, HostVerdict, Verdict, VerifyReport


def render(report: VerifyReport, look: Look) -> str:
    """Return the report as a TAP stream."""
    lines = ["TAP version 14", f"# psops {__version__} {report.command}"]
    lines.append(f"1..{len(report.outcomes)}")
    for number, outcome in enumerate(report.outcomes, 1):
        lines += _host(report, outcome, number)
    return "\n".join([*lines, f"# {summary(report)}"]) + "\n"


def _host(report: VerifyReport, outcome: Outcome[HostVerdict], number: int) -> list[str]:
    name, value = _escape(outcome.host.name), outcome.value
    if value is None:
        told = describe(outcome.error) if outcome.error is not None else {}
        return [f"not ok {number} - {name}", *_yaml(told.items())]
    if not value.findings:
        told = {"code": "no-bundle", "message": nothing_expected(value), "remedy": NO_BUNDLE_REMEDY}
        return [f"not ok {number} - {name}", *_yaml(told.items())]
    failed = any(failing(report, one) for one in value.findings)
    lines = [f"# Subtest: {name}", f"    # {role(value)}"]
    lines += [f"    # {clean(note)}" for note in value.notes]
    lines.append(f"    1..{len(value.findings)}")
    for at, one in enumerate(value.findings, 1):
        lines += [f"    {line}" for line in _finding(report, one, at)]
    return [*lines, f"{_ok(failed)} {number} - {name}"]


def _finding(report: VerifyReport, one: Finding, number: int) -> list[str]:
    waived = mark(one) == "waived"
    line = f"{_ok(waived or failing(report, one))} {number} - {_escape(one.name)}"
    if waived:
        line += f" # TODO {_escape(waiver_text(one))}"
    if one.verdict is Verdict.OK:
        return [line]
    told: list[tuple[str, str | list[str]]] = [
        ("verdict", one.verdict.value),
        ("code", one.code),
        ("message", one.text),
        ("bundle", one.bundle),
        ("because", one.because),
        ("severity", one.severity),
        ("purpose", one.purpose),
        ("unit", one.unit.id if one.unit is not None else ""),
        ("advice", [f"{text}: {command}" if command else text for text, command in one.advice]),
        ("log", log_of(one)),
    ]
    return [line, *_yaml(told)]


def _yaml(told: Iterable[tuple[str, str | list[str]]]) -> list[str]:
    lines = ["  ---"]
    for key, value in told:
        if isinstance(value, str):
            lines += [f"  {key}: {_quote(value)}"] if value else []
        elif value:
            lines += [f"  {key}:", *(f"    - {_quote(item)}" for item in value)]
    return [*lines, "  ..."]


def _quote(text: str) -> str:
    return json.dumps(clean(text), ensure_ascii=False)


def _escape(text: str) -> str:
    r"""Return text in which `#` starts no directive.

    >>> _escape("unit # SKIP")
    'unit \\# SKIP'
    """
    return clean(text).replace("\\", "\\\\").replace("#", "\\#")


def _ok(failed: bool) -> str:
    return "not ok" if failed else "ok"
