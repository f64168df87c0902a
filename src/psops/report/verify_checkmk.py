r"""The verdicts as the output of a Checkmk local check: a service per host and bundle.

`<state> "<name>" <metrics> <text>`; in the text `\n` would begin another line. A service for
the host itself tells whether it could be read, so that one that cannot is never just stale.
"""

from psops.fanout import Outcome
from psops.report import Look
from psops.report.text import clean, count
from psops.report.verify import NAGIOS_CODES
from psops.report.verify_parts import ORDER, error_of, in_words, mark, nothing_expected, role, tally
from psops.verdict import Finding, HostVerdict, Verdict, VerifyReport, worst

_COUNTED = ("ok", "warning", "critical", "unknown", "waived")
#: Lines of details below the text of a service.
_MOST_DETAILS = 40


def render(report: VerifyReport, look: Look) -> str:
    """Return a line for each host, and one for each of its bundles."""
    return "".join(f"{line}\n" for outcome in report.outcomes for line in _host(outcome))


def _host(outcome: Outcome[HostVerdict]) -> list[str]:
    name, value = outcome.host.name, outcome.value
    metrics = f"elapsed={outcome.elapsed:.3f}"
    if value is None:
        error = _safe(error_of(outcome))
        lines = [_line(Verdict.UNKNOWN, name, metrics, f"not read: {error}")]
        # Bundles that the inventory names are known even so.
        return lines + [
            _line(Verdict.UNKNOWN, f"{name} {bundle}", "-", f"not read: {error}")
            for bundle in outcome.host.bundles
        ]
    if not value.findings:
        return [_line(Verdict.UNKNOWN, name, metrics, _safe(nothing_expected(value)))]
    notes = [_safe(note) for note in value.notes]
    lines = [_line(Verdict.OK, name, metrics, "\\n".join([f"read: {_safe(role(value))}", *notes]))]
    bundles: dict[str, list[Finding]] = {}
    for one in value.findings:
        # The name must stay if the host cannot be read, so what it includes is not told apart.
        only = value.bundles[0] if len(value.bundles) == 1 else ""
        bundles.setdefault(only or one.bundle or "psops", []).append(one)
    return lines + [_bundle(f"{name} {bundle}", told) for bundle, told in bundles.items()]


def _bundle(name: str, told: list[Finding]) -> str:
    counted = tally(told)
    metrics = "|".join(f"{key}={counted[key]};;;0;{len(told)}" for key in _COUNTED)
    bad = sorted((one for one in told if mark(one) != "ok"), key=lambda one: ORDER.index(mark(one)))
    named = [f"{one.name} {one.code}" for one in bad if mark(one) != "waived"]
    text = _safe(", ".join(named)) or f"{count(len(told), 'finding')}: {in_words(counted)}"
    details = [f"{mark(one)}: {_safe(one.name)}: {_safe(one.text)}" for one in bad]
    if len(details) > _MOST_DETAILS:
        details[_MOST_DETAILS:] = [f"and {len(details) - _MOST_DETAILS} more"]
    verdict = worst([one.counts for one in told])
    return _line(verdict, name, metrics, "\\n".join([text, *details]))


def _line(verdict: Verdict, name: str, metrics: str, text: str) -> str:
    quoted = _safe(f"psops {name}").replace('"', "'")
    return f'{NAGIOS_CODES[verdict]} "{quoted}" {metrics} {text}'


def _safe(text: str) -> str:
    """Return text of a host in which nothing is taken for a line break or for metrics."""
    return clean(text).replace("\\", "/").replace("|", "¦")
