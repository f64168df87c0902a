"""The verdicts as the output of one Nagios plugin: the worst state, and counts as perfdata.

Follows the guidelines of the Monitoring Plugins project: a line of text, `|`, perfdata, then
more lines. The whole stays below the size that Nagios reads.
"""

from psops.inventory import fold
from psops.report import Look
from psops.report.text import clean, count
from psops.report.unread import unread
from psops.report.verify import nagios_verdict
from psops.report.verify_parts import (
    empty,
    findings,
    host_tally,
    mark,
    notes,
    nothing_expected,
    problems,
    tally,
)
from psops.verdict import Verdict, VerifyReport

#: Nagios reads 8 KiB of a plugin's output and no more.
_MOST_BYTES = 8000
#: The line that a list of services shows.
_MOST_FIRST = 400
_NAMED = 3


def render(report: VerifyReport, look: Look) -> str:
    """Return the state with what is worst, perfdata, then a line for each problem."""
    verdict = nagios_verdict(report)
    text = _shorten(f"PSOPS {verdict.upper()} - {_headline(report)}", _MOST_FIRST)
    lines = [f"{text} | {' '.join(_perfdata(report))}"]
    more = _problem_lines(report)
    room = _MOST_BYTES - len(lines[0].encode()) - 40  # for the last line
    for at, line in enumerate(more):
        room -= len(line.encode()) + 1
        if room < 0:
            lines.append(f"and {len(more) - at} more")
            break
        lines.append(line)
    return "\n".join(lines) + "\n"


def _headline(report: VerifyReport) -> str:
    """Return what an admin must know first."""
    counted, told = host_tally(report), findings(report)
    number = count(len(report.outcomes), report.noun)
    bad = [one for one in problems(report, folded=True) if mark(one.finding) != "waived"]
    if not bad and counted["ok"] == len(report.outcomes):
        waived = tally(told)["waived"]
        text = f"{number}, {count(len(told) - waived, 'finding')} ok"
        return f"{text}, {waived} waived" if waived else text
    parts = [
        f"{_safe(one.finding.name)} {_safe(one.finding.code)} on {_safe(one.names)}" for one in bad
    ]
    text = ", ".join(parts[:_NAMED]) + (f", {len(bad) - _NAMED} more" if len(bad) > _NAMED else "")
    unproved = []
    if without := sum(len(group.hosts) for group in empty(report)):
        unproved.append(f"nothing is expected of {count(without, report.noun)}")
    if counted["not read"]:
        unproved.append(f"{count(counted['not read'], report.noun)} not read")
    parts = [text] if text else []
    known = any(one.finding.verdict in (Verdict.CRITICAL, Verdict.UNKNOWN) for one in bad)
    parts = [*parts, *unproved] if known else [*unproved, *parts]  # what makes the state is first
    return "; ".join([*parts, f"{counted['ok']} of {number} ok"])


def _perfdata(report: VerifyReport) -> list[str]:
    hosts, told = host_tally(report), findings(report)
    counted = tally(told)
    most, noun = len(report.outcomes), f"{report.noun}s"
    keys = ("ok", "warning", "critical", "unknown")
    made = [f"{noun}_{key}={hosts[key]};;;0;{most}" for key in keys]
    made.append(f"{noun}_not_read={hosts['not read']};;;0;{most}")
    made += [f"findings_{key}={counted[key]};;;0;{len(told)}" for key in (*keys, "waived")]
    slowest = max((outcome.elapsed for outcome in report.outcomes), default=0.0)
    return [*made, f"slowest={slowest:.3f}s;;;0;"]


def _problem_lines(report: VerifyReport) -> list[str]:
    lines = []
    for one in problems(report, folded=True):
        because = one.finding.because
        text = f"{mark(one.finding)}: {one.finding.name} on {one.names}: {one.sentence}"
        lines.append(_safe(f"{text}; because of {because}" if because else text))
    for hosts, value in empty(report):
        lines.append(_safe(f"unknown: {fold(hosts)}: {nothing_expected(value)}"))
    for note, names in notes(report):
        lines.append(_safe(f"note: {fold(names)}: {note}"))
    for names, code, message, _ in unread(report.outcomes, fold=True):
        lines.append(_safe(f"not read: {fold(names)}: {code}: {message}"))
    return [_shorten(line, _MOST_FIRST) for line in lines]


def _safe(text: str) -> str:
    """Return text of a host without what divides text from perfdata."""
    return clean(text).replace("|", "¦")


def _shorten(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
