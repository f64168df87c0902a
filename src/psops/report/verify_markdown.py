"""The verdicts as Markdown for a CI summary: a table, and a block to open per problem.

The blocks are HTML without blank lines, so that nothing in them is read as Markdown.
"""

import re
from html import escape

from psops.inventory import fold
from psops.report import Look
from psops.report.aimed import advise
from psops.report.text import clean
from psops.report.unread import unread
from psops.report.verify_details import facts_of, log_of
from psops.report.verify_parts import (
    MARKS,
    NO_BUNDLE_REMEDY,
    ORDER,
    Problem,
    empty,
    host_groups,
    mark,
    notes,
    nothing_expected,
    problems,
    role,
    roles,
    summary,
    tally,
    waiver_text,
)
from psops.verdict import VerifyReport

_COUNTED = ("ok", "warning", "critical", "unknown", "waived")
#: What begins something in a line of Markdown; a backslash before it makes it text.
_SPECIAL = re.compile(r"([\\`*_\[\]~|#$!])")


def render(report: VerifyReport, look: Look) -> str:
    """Return the summary, the table of hosts, then what is not ok. Equal hosts are folded."""
    verdict = report.verdict.value
    parts = [f"## {MARKS[verdict][1]} {report.title}: {verdict}", _md(summary(report))]
    parts += [_table(report)]
    parts += ["".join(f"- **{_md(fold(hosts))}**: {_md(role(value))}\n"
                      for hosts, value in roles(report)).rstrip()]  # fmt: skip
    found = problems(report, folded=True)
    if any(mark(one.finding) != "waived" for one in found):
        parts.append("### Not ok")
    parts += [_problem(one, look) for one in found if mark(one.finding) != "waived"]
    for hosts, value in empty(report):
        remedy = "" if value.bundles else NO_BUNDLE_REMEDY
        parts.append(_plain(fold(hosts), "unknown", nothing_expected(value), remedy))
    for names, code, message, remedy in unread(report.outcomes, fold=True):
        parts.append(_plain(fold(names), "not read", f"{code}: {clean(message)}", remedy))
    if any(mark(one.finding) == "waived" for one in found):
        parts.append("### Waived")
    parts += [_problem(one, look) for one in found if mark(one.finding) == "waived"]
    told = [f"- **{_md(fold(names))}**: {_md(note)}" for note, names in notes(report)]
    if told:
        parts += ["### Notes", "\n".join(told)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _table(report: VerifyReport) -> str:
    """Return a row for each group of equal hosts."""
    groups = host_groups(report, folded=True)
    if not groups:
        return ""
    what = f"{report.noun.capitalize()}s"
    head = (what, "Number", "Verdict", *(key.capitalize() for key in _COUNTED), "Not ok")
    rows = ["| " + " | ".join(head) + " |", "|---|--:|---|" + "--:|" * len(_COUNTED) + "---|"]
    for hosts, value in groups:
        counts = tally(value.findings)
        bad = [one for one in value.findings if mark(one) != "ok"]
        bad.sort(key=lambda one: ORDER.index(mark(one)))
        cells = [
            _md(fold(hosts)),
            str(len(hosts)),
            f"{_md(MARKS[value.verdict][1])} {value.verdict}",
            *(str(counts[key] or "") for key in _COUNTED),
            _md(", ".join(f"{MARKS[mark(one)][1]} {one.name} {one.code}" for one in bad)),
        ]
        rows.append("| " + " | ".join(cells) + " |")
    return "\n".join(rows)


def _problem(problem: Problem, look: Look) -> str:
    one = problem.finding
    head = f"{MARKS[mark(one)][1]} <b>{_html(one.name)}</b> on {_html(problem.names)}"
    lines = [f"<details><summary>{head}: {_html(problem.sentence)}</summary>", "<ul>"]
    lines += [f"<li>{_html(text)}</li>" for text in (*facts_of(one), waiver_text(one)) if text]
    for text, command in advise(one.advice, problem.hosts, look.aim):
        typed = f": <code>{_html(command)}</code>" if command else ""
        lines.append(f"<li>{_html(text)}{typed}</li>")
    lines.append("</ul>")
    if log := log_of(one):
        lines += ["<pre>" + "\n".join(map(_html, log)) + "</pre>"]
    return "\n".join([*lines, "</details>"])


def _plain(hosts: str, what: str, sentence: str, remedy: str) -> str:
    lines = [f"<details><summary>{MARKS['unknown'][1]} <b>{_html(hosts)}</b> {what}: "
             f"{_html(sentence)}</summary>"]  # fmt: skip
    lines += [f"<p>{_html(remedy)}</p>"] if remedy else []
    return "\n".join([*lines, "</details>"])


def _html(text: str) -> str:
    return escape(clean(text))


def _md(text: str) -> str:
    r"""Return text that is nothing but text in a line of Markdown.

    >>> _md("a|b <i> `c`")
    'a\\|b &lt;i&gt; \\`c\\`'
    """
    return _SPECIAL.sub(r"\\\1", escape(clean(text), quote=False))
