"""The formats of `bundle verify`: a report in, text and an exit code out."""

from dataclasses import replace
from importlib import import_module
from typing import Any

from psops.exits import Exit
from psops.report import Look
from psops.report.aimed import advise_host
from psops.verdict import Verdict, VerifyReport

#: Format -> module with `render(report, look) -> str`, imported when used.
VERIFY_FORMATS: dict[str, str] = {
    "table": "psops.report.verify_table",
    "json": "psops.report.verify_json",
    "jsonl": "psops.report.verify_jsonl",
    "junit": "psops.report.verify_junit",
    "tap": "psops.report.verify_tap",
    "nagios": "psops.report.verify_nagios",
    "checkmk": "psops.report.verify_checkmk",
    "prometheus": "psops.report.verify_prometheus",
    "markdown": "psops.report.verify_markdown",
    "html": "psops.report.verify_html",
}

#: Those that tell the same of many hosts in one place, and aim their commands there.
_FOLDING = ("table", "markdown")

#: What a plugin of Nagios returns, from its developer guidelines; the state of a Checkmk local
#: check and the value of a Prometheus gauge are the same numbers.
NAGIOS_CODES: dict[Verdict, int] = {
    Verdict.OK: 0,
    Verdict.WARNING: 1,
    Verdict.CRITICAL: 2,
    Verdict.UNKNOWN: 3,
}
#: What the Nagios format returns where nothing could be found out, wrong usage among it.
NAGIOS_UNKNOWN = NAGIOS_CODES[Verdict.UNKNOWN]


def render_verify(report: VerifyReport, form: str, look: Look) -> str:
    """Return the report as text, ending with a newline."""
    module: Any = import_module(VERIFY_FORMATS[form])
    if form not in _FOLDING:
        outcomes = tuple(advise_host(one, look.aim) for one in report.outcomes)
        report = replace(report, outcomes=outcomes)
    text: str = module.render(report, look)
    return text


def exit_code(report: VerifyReport, form: str) -> int:
    """Return the code to exit with: that of a Nagios plugin for `nagios`, ours for others."""
    if form != "nagios":
        return int(report.exit)
    return NAGIOS_CODES[nagios_verdict(report)]


def nagios_verdict(report: VerifyReport) -> Verdict:
    """Return the worst verdict; no hosts, or a run that ended early, prove nothing to be well."""
    early = report.ended is not Exit.OK or not report.outcomes
    if early and report.verdict is not Verdict.CRITICAL:
        return Verdict.UNKNOWN
    return report.verdict
