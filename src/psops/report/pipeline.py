"""A pipeline for people: its components, and a verification that leads with the causes."""

import re
from collections.abc import Sequence
from typing import Any

from psops.pipeline.ask import Result
from psops.pipeline.draw import MARKS
from psops.pipeline.graph import Pipeline
from psops.pipeline.lint import Gap
from psops.pipeline.report import Verification
from psops.report import Look
from psops.report.text import Cell, clean, count, paint, table
from psops.verdict import Verdict

#: The address that begins the text of an answer, by which answers with one reason differ.
_ADDRESS = re.compile(r"^https?://\S+: ")


def render_list(pipeline: Pipeline, look: Look) -> str:
    """Return a line for each component, in the order of the flow."""
    layers = pipeline.layers()
    rows = [
        [
            Cell(clean(name)),
            Cell(one.role),
            Cell(clean(one.organisation)),
            Cell(clean(", ".join(one.inputs))),
            Cell(clean(", ".join(one.outputs))),
            Cell(str(len(one.checks) or "none"), "" if one.checks else "warn", right=True),
            Cell(clean(one.purpose), "dim"),
        ]
        for name, one in sorted(pipeline.components.items(), key=lambda item: layers[item[0]])
    ]
    head = ("COMPONENT", "ROLE", "ORGANISATION", "INPUTS", "OUTPUTS", "CHECKS", "PURPOSE")
    lines = [table(head, rows, color=look.color, width=look.width, prose=("PURPOSE",),
                   spare=("OUTPUTS", "INPUTS", "ORGANISATION", "ROLE"))]  # fmt: skip
    edges = count(len(pipeline.edges()), "edge")
    checked = sum(bool(one.checks) for one in pipeline.components.values())
    total = count(len(pipeline.components), "component")
    lines.append(f"\n{total} of {clean(pipeline.system)}, {edges}; {checked} with checks")
    return "\n".join(lines) + "\n"


def render_verification(found: Verification, look: Look) -> str:
    """Return causes first, then a line for each component, then what is not known."""
    blocks = [_causes(found, look), _components(found, look), _rest(found, look), _summary(found)]
    return "\n\n".join(block for block in blocks if block) + "\n"


def render_gaps(pipeline: Pipeline, gaps: Sequence[Gap]) -> str:
    """Return the gaps one a line, and their number."""
    lines = [f"{clean(one.component)}: {clean(one.text)}" for one in gaps]
    total = f"{clean(pipeline.system)}: no mistake, {count(len(gaps), 'gap')}"
    return "\n".join([*lines, "", total] if lines else [total]) + "\n"


def verification_object(found: Verification) -> dict[str, Any]:
    """Return what JSON has beside the findings: causes, owners, and what is not checked."""
    return {
        "pipeline": found.pipeline.system,
        "causes": [
            {
                "component": one.component,
                "check": one.name,
                "code": one.code,
                "organisation": found.pipeline.components[one.component].organisation,
                "explains": list(_explained(found, one.component)),
            }
            for one in found.roots
        ],
        "behind": list(found.behind),
        "not_checked": list(found.unchecked),
    }


def _explained(found: Verification, component: str) -> tuple[str, ...]:
    """Return the components whose failures lead back to this one, directly or not."""
    reached = {component}
    grown = True
    while grown:
        more = {
            one.component
            for place, one in enumerate(found.results)
            if found.because.get(place) in reached
        }
        grown = not more <= reached
        reached |= more
    return tuple(name for name in found.names if name in reached and name != component)


def _causes(found: Verification, look: Look) -> str:
    blocks = []
    done: set[str] = set()
    for one in found.roots:
        component = found.pipeline.components[one.component]
        lines = []
        if one.component not in done:
            explained = _explained(found, one.component)
            style, sign, _, _ = MARKS[Verdict.CRITICAL]
            head = paint(f"{sign} {clean(one.component)}", style, look.color)
            lines.append(f"{head}  run by {clean(component.organisation)}"
                         + (f", {clean(component.place)}" if component.place else ""))  # fmt: skip
            if explained:
                lines.append(f"    explains {clean(', '.join(explained))}")
            done.add(one.component)
        lines.append(f"    {clean(one.name)}: {one.text} ({one.code})")
        for hint in one.probe.hints:
            command = f": {clean(hint.command)}" if hint.command else ""
            lines.append(f"    → {clean(hint.text)}{command}")
        blocks.append("\n".join(lines))
    return "\n".join(blocks)


def _components(found: Verification, look: Look) -> str:
    rows = []
    for name in found.names:
        verdict = found.verdict_of(name)
        if verdict is None:
            continue
        style, sign, _, _ = MARKS[verdict]
        component = found.pipeline.components[name]
        because = found.explained_by(name)
        own = [one for one in found.results if one.component == name]
        telling = next((one for one in own if one.verdict is verdict), own[0])
        rows.append(
            [
                Cell(f"{sign} {clean(name)}", style),
                Cell(component.role),
                Cell(clean(component.organisation)),
                Cell(str(verdict), style),
                Cell(f"by {clean(because)}" if because else ""),
                Cell(f"{clean(telling.name)}: {telling.text}", "dim"),
            ]
        )
    if not rows:
        return ""
    head = ("COMPONENT", "ROLE", "ORGANISATION", "VERDICT", "EXPLAINED", "CHECK")
    return table(head, rows, color=look.color, width=look.width, spare=("ROLE", "ORGANISATION"),
                 prose=("CHECK",))  # fmt: skip


def _rest(found: Verification, look: Look) -> str:
    """Return what is neither good nor a cause; what has one reason is told in one line."""
    lines = []
    shown = {id(one) for one in found.roots}
    groups: dict[tuple[str, str, str, str], list[Result]] = {}
    for place, one in enumerate(found.results):
        if one.verdict is Verdict.OK or id(one) in shown or place in found.because:
            continue
        key = (one.component, one.verdict, one.code, _ADDRESS.sub("", one.text))
        groups.setdefault(key, []).append(one)
    for (component, _, code, bare), same in groups.items():
        style, sign, _, _ = MARKS[same[0].verdict]
        names = f"{component} {', '.join(one.name for one in same)}"
        text = same[0].text if len({one.text for one in same}) == 1 else bare
        lines.append(f"{paint(f'{sign} {clean(names)}', style, look.color)}: {text} ({code})")
    if found.behind:
        names = clean(", ".join(found.behind))
        lines.append(f"right, but behind what failed, so perhaps without new data: {names}")
    if found.unchecked:
        names = clean(", ".join(found.unchecked))
        lines.append(paint(f"not checked: {names}", "dim", look.color))
    return "\n".join(lines)


def _summary(found: Verification) -> str:
    numbers = []
    for verdict in (Verdict.CRITICAL, Verdict.WARNING, Verdict.UNKNOWN, Verdict.OK):
        number = sum(found.verdict_of(name) is verdict for name in found.names)
        if number:
            numbers.append(f"{number} {verdict}")
    if found.unchecked:
        numbers.append(f"{len(found.unchecked)} not checked")
    causes = len({one.component for one in found.roots})
    lead = f"{count(causes, 'cause')}; " if causes else ""
    total = count(len(found.names), "component")
    checks = count(len(found.results), "check")
    return f"{lead}{total}: {', '.join(numbers)}; {checks} in {found.elapsed:.1f} s"
