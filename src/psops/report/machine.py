"""Reports of `psops doctor` and `psops config show`, on the machine psops runs on."""

from collections.abc import Sequence
from typing import Any

from psops import __version__
from psops.doctor import Finding
from psops.exits import Exit
from psops.report import Look
from psops.report.aimed import advise
from psops.report.json import SCHEMA, dump
from psops.report.text import Cell, clean, count, paint, table
from psops.report.verify_parts import MARKS
from psops.settings import Setting
from psops.verdict import Verdict


def render_doctor(findings: Sequence[Finding], form: str, look: Look) -> str:
    """Return the findings in one of the formats, ending with a newline."""
    findings = [one._replace(advice=one.advice and advise([one.advice], (), look.aim)[0])
                for one in findings]  # fmt: skip
    if form != "table":
        return _json("doctor", "findings", [_finding(one) for one in findings], form)
    width = max(len(one.name) for one in findings)
    lines = []
    for one in findings:
        style, glyph = MARKS[one.verdict]
        name = paint(f"{glyph} {one.name:{width}}", style, look.color)
        lines.append(f"{name}  {clean(one.text)}")
        if one.advice is not None:
            lines.append(f"    → {clean(one.advice.text)}" + (":" if one.advice.command else ""))
            lines += [f"        {clean(one.advice.command)}"] if one.advice.command else []
    counts = {verdict: sum(one.verdict is verdict for one in findings) for verdict in Verdict}
    told = [f"{number} {verdict}" for verdict, number in counts.items() if number]
    return "\n".join([*lines, "", f"{count(len(findings), 'look')}: {', '.join(told)}"]) + "\n"


def render_settings(found: Sequence[Setting], form: str, look: Look) -> str:
    """Return the settings in one of the formats, ending with a newline."""
    if form != "table":
        return _json("config show", "settings", [one._asdict() for one in found], form)
    rows = [
        [Cell(one.name), Cell(str(one.origin), "" if one.place else "dim"), Cell(clean(one.place)),
         Cell(clean(one.value))]
        for one in found
    ]  # fmt: skip
    head = ("SETTING", "FROM", "WHICH", "VALUE")
    return table(head, rows, color=look.color, width=look.width, prose=("VALUE",)) + "\n"


def exit_code(findings: Sequence[Finding]) -> Exit:
    """Return 1 if psops cannot do its work as it is, else 0."""
    broken = any(one.verdict is Verdict.CRITICAL for one in findings)
    return Exit.SOME_FAILED if broken else Exit.OK


def _finding(one: Finding) -> dict[str, Any]:
    advice = one.advice._asdict() if one.advice is not None else None
    return {**one._asdict(), "verdict": str(one.verdict), "advice": advice}


def _json(command: str, key: str, items: list[dict[str, Any]], form: str) -> str:
    if form == "jsonl":
        return "".join(dump(item) for item in items)
    document = {"psops_version": __version__, "schema": SCHEMA, "command": command, key: items}
    return dump(document, indent=2)
