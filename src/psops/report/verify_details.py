"""What is not ok, in sentences: what is so, why, what to type, what the journal says."""

from psops.inventory import fold
from psops.report import Look
from psops.report.aimed import advise
from psops.report.facts import reason
from psops.report.table import log_lines
from psops.report.text import clean, paint
from psops.report.verify_parts import (
    MARKS,
    NO_BUNDLE_REMEDY,
    Problem,
    empty,
    mark,
    notes,
    nothing_expected,
    problems,
    waiver_text,
)
from psops.verdict import Finding, VerifyReport

#: The log of a failed unit is told for this many problems; a list of logs is no overview.
_MOST_LOGS = 8


def render_problems(report: VerifyReport, look: Look) -> str:
    """Return a block for each thing that is not ok, then hosts without a role, then notes."""
    found = problems(report, folded=look.fold)
    logs = 0
    blocks = []
    for problem in found:
        with_log = bool(log_of(problem.finding)) and logs < _MOST_LOGS
        logs += with_log
        where = f" on {problem.names}" if len(report.outcomes) > 1 else ""
        blocks.append("\n".join(_block(problem, where, with_log, look)))
    blocks += [_empty(report, look), _notes(report, look)]
    return "\n".join(block for block in blocks if block)


def _block(problem: Problem, where: str, with_log: bool, look: Look) -> list[str]:
    one = problem.finding
    style, glyph = MARKS[mark(one)]
    head = paint(f"{glyph} {clean(one.name)}{where}", style, look.color)
    lines = [f"{head}: {problem.sentence}"]
    lines += [f"    {text}" for text in facts_of(one)]
    if one.waiver is not None:
        return [*lines, f"    {waiver_text(one)}"]  # nobody needs to do anything about it
    for advice in advise(one.advice, problem.hosts, look.aim):
        lines.append(f"    → {clean(advice.text)}" + (":" if advice.command else ""))
        if advice.command:
            lines.append(f"        {paint(clean(advice.command), 'head', look.color)}")
    if with_log:
        if len(problem.hosts) > 1:
            lines.append(f"    the log of {clean(problem.hosts[0])}:")
        lines += [paint(f"    | {line}", "dim", look.color) for line in log_of(one)]
    return lines


def facts_of(one: Finding) -> list[str]:
    """Return what is known of a finding besides its sentence: the unit, the cause, the use."""
    told = []
    if one.unit is not None and one.unit.id not in one.text:
        why = reason(one.unit)
        state = f"{one.unit.id}: {one.unit.active} ({one.unit.sub})"
        told.append(clean(state + (f", {why}" if why else "")))
    if one.because:
        told.append(f"because of {clean(one.because)}")
    use = f"{one.severity} by {one.bundle}" if one.bundle and one.severity else ""
    if one.purpose or use:
        told.append(clean("; ".join(part for part in (use, one.purpose) if part)))
    return told


def log_of(one: Finding) -> list[str]:
    """Return the last log lines of the unit that decides, if they were read."""
    return log_lines(one.unit) if one.unit is not None and one.unit.log else []


def _empty(report: VerifyReport, look: Look) -> str:
    style, glyph = MARKS["unknown"]
    lines = []
    for hosts, value in empty(report):
        number = f" ({len(hosts)})" if len(hosts) > 1 else ""
        names = paint(f"{glyph} {clean(fold(hosts))}", style, look.color)
        lines.append(f"{names}{number}: {nothing_expected(value)}")
        if not value.bundles:
            lines.append(paint(f"    {NO_BUNDLE_REMEDY}", "dim", look.color))
    return "\n".join(lines)


def _notes(report: VerifyReport, look: Look) -> str:
    style, glyph = MARKS["warning"]
    return "\n".join(
        f"{paint(f'{glyph} {clean(fold(hosts))}', style, look.color)}: {clean(note)}"
        for note, hosts in notes(report)
    )
