"""The graph of a pipeline as a text tree, Mermaid, DOT and SVG; pure.

Each is coloured by verdicts if there are any. A verdict is always told by a sign and a word too,
never by colour alone.
"""

import json
from collections.abc import Mapping
from html import escape
from itertools import pairwise
from typing import NamedTuple

from psops.pipeline.graph import Pipeline
from psops.report import Look
from psops.report.text import clean, paint
from psops.verdict import Verdict

Verdicts = Mapping[str, Verdict | None]

#: Verdict -> style of the terminal, sign, and the colours of fill and line of a drawing.
MARKS: dict[Verdict | None, tuple[str, str, str, str]] = {
    Verdict.OK: ("good", "✓", "#e3f4e3", "#2e7d32"),
    Verdict.WARNING: ("warn", "!", "#fff4d6", "#b26a00"),
    Verdict.CRITICAL: ("bad", "✗", "#fde3e1", "#b3261e"),
    Verdict.UNKNOWN: ("warn", "?", "#ece6f3", "#5b3b8c"),
    None: ("dim", "·", "#f2f2f2", "#666666"),
}
_NONE: Verdicts = {}


def draw_tree(pipeline: Pipeline, look: Look, verdicts: Verdicts = _NONE) -> str:
    """Return the flow as a tree from where it begins; what was shown already is told by `↑`."""
    after: dict[str, list[str]] = {}
    for source, target in pipeline.edges():
        after.setdefault(source, []).append(target)
    layers = pipeline.layers()
    roots = [name for name, layer in layers.items() if layer == 0]
    shown: set[str] = set()
    lines: list[str] = []

    def walk(name: str, lead: str, branch: str) -> None:
        again = name in shown and after.get(name)
        text = _label(pipeline, name, look, verdicts)
        lines.append(f"{lead}{branch}{text}{' ↑' if again else ''}")
        if again:
            return
        shown.add(name)
        inner = lead + {"": "", "├─ ": "│  ", "└─ ": "   "}[branch]
        following = after.get(name, [])
        for place, other in enumerate(following):
            walk(other, inner, "└─ " if place == len(following) - 1 else "├─ ")

    for name in roots:
        walk(name, "", "")
    for name in pipeline.components:  # those in a loop that nothing leads into
        if name not in shown:
            walk(name, "", "")
    return "\n".join(lines) + "\n"


def draw_mermaid(pipeline: Pipeline, verdicts: Verdicts = _NONE) -> str:
    """Return a flowchart for Mermaid."""
    lines = ["flowchart LR"]
    ids = {name: f"n{place}" for place, name in enumerate(_names(pipeline))}
    for name, one in ids.items():
        sign = MARKS[verdicts[name]][1] + " " if name in verdicts else ""
        text = _quoted(f"{sign}{name}")
        lines.append(f"  {one}[{text}]" if name in pipeline.components else f"  {one}([{text}])")
    lines += [f"  {ids[source]} --> {ids[target]}" for source, target in pipeline.edges()]
    for verdict, (_, _, fill, line) in MARKS.items():
        having = [ids[name] for name in ids if name in verdicts and verdicts[name] is verdict]
        if having:
            called = str(verdict or "unchecked")
            lines.append(f"  classDef {called} fill:{fill},stroke:{line}")
            lines.append(f"  class {','.join(having)} {called}")
    return "\n".join(lines) + "\n"


def draw_dot(pipeline: Pipeline, verdicts: Verdicts = _NONE) -> str:
    """Return a graph for Graphviz."""
    lines = [f"digraph {json.dumps(clean(pipeline.system))} {{", "  rankdir=LR;",
             '  node [shape=box, style="rounded,filled", fillcolor="#f2f2f2"];']  # fmt: skip
    for name in _names(pipeline):
        known = []
        if name in verdicts:
            _, sign, fill, line = MARKS[verdicts[name]]
            known = [f'label="{sign} {name}"', f'fillcolor="{fill}"', f'color="{line}"']
        if name not in pipeline.components:
            known.append("shape=ellipse")
        told = f" [{', '.join(known)}]" if known else ""
        lines.append(f'  "{name}"{told};')
    lines += [f'  "{source}" -> "{target}";' for source, target in pipeline.edges()]
    return "\n".join([*lines, "}"]) + "\n"


_WIDTH, _HEIGHT, _GAP_X, _GAP_Y, _MARGIN = 168, 52, 56, 18, 24
#: Height of the gap in a column through which an edge passes that leads further.
_LANE = 14


class _Node(NamedTuple):
    """A box, or a lane through a column; `at` tells apart what is drawn more than once."""

    name: str
    at: str = ""
    lane: int = -1


def draw_svg(pipeline: Pipeline, verdicts: Verdicts = _NONE) -> str:
    """Return a drawing in columns from left to right, readable without colour.

    Parties outside are drawn beside each component that they have to do with.
    """
    columns, routes = _layout(pipeline)
    places: dict[_Node, tuple[int, int]] = {}
    height = 0
    for column, nodes in enumerate(columns):
        y = _MARGIN
        for node in nodes:
            places[node] = (_MARGIN + column * (_WIDTH + _GAP_X), y)
            y += (_LANE if node.lane >= 0 else _HEIGHT) + _GAP_Y
        height = max(height, y - _GAP_Y + _MARGIN)
    width = _MARGIN * 2 + len(columns) * (_WIDTH + _GAP_X) - _GAP_X
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" font-family="sans-serif" role="img">',
        f"<title>{escape(clean(pipeline.system))}</title>",
        '<defs><marker id="a" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" '
        'markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z" fill="#666"/></marker></defs>',
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
    ]
    parts += [_edge([places[node] for node in route], route) for route in routes]
    boxes = {node: place for node, place in places.items() if node.lane < 0}
    parts += [_box(pipeline, node.name, place, verdicts) for node, place in boxes.items()]
    return "\n".join([*parts, "</svg>"]) + "\n"


def _edge(places: list[tuple[int, int]], route: list[_Node]) -> str:
    """Return an edge from box to box, straight through the lanes between them."""
    middle = [
        (x, y + (_LANE if node.lane >= 0 else _HEIGHT) // 2)
        for (x, y), node in zip(places, route, strict=True)
    ]
    x, y = middle[0][0] + _WIDTH, middle[0][1]
    path = [f"M{x} {y}"]
    for place, (end, to) in enumerate(middle[1:], start=1):
        bend = (end - x) // 2
        path.append(f"C{x + bend} {y} {end - bend} {to} {end} {to}")
        if route[place].lane >= 0:
            path.append(f"H{end + _WIDTH}")
        x, y = end + _WIDTH, to
    return f'<path d="{"".join(path)}" fill="none" stroke="#999" marker-end="url(#a)"/>'


def _box(pipeline: Pipeline, name: str, place: tuple[int, int], verdicts: Verdicts) -> str:
    x, y = place
    one = pipeline.components.get(name)
    verdict = verdicts.get(name)
    _, sign, fill, line = MARKS[verdict]
    told = f"{sign} {name}" if name in verdicts else name
    below = one.role if one is not None else "outside"
    if name in verdicts:
        below += f", {verdict or 'not checked'}"
    hint = f"{one.title}: {one.purpose} ({one.organisation})" if one else pipeline.externals[name]
    radius = 6 if one is not None else _HEIGHT // 2
    return (
        f"<g><title>{escape(clean(hint))}</title>"
        f'<rect x="{x}" y="{y}" width="{_WIDTH}" height="{_HEIGHT}" rx="{radius}" '
        f'fill="{fill}" stroke="{line}"/>'
        f'<text x="{x + _WIDTH // 2}" y="{y + 22}" text-anchor="middle" font-size="14" '
        f'font-weight="600">{escape(clean(told))}</text>'
        f'<text x="{x + _WIDTH // 2}" y="{y + 40}" text-anchor="middle" font-size="11" '
        f'fill="#444">{escape(below)}</text></g>'
    )


def _layout(pipeline: Pipeline) -> tuple[list[list[_Node]], list[list[_Node]]]:
    """Return the nodes of each column from the top, and for each edge the nodes it meets."""
    layers = _layers(pipeline)
    routes = []
    for source, target in pipeline.edges():
        begin, end = _Node(source), _Node(target)
        if source not in pipeline.components:
            begin = _Node(source, at=target)
            layers[begin] = layers[end] - 1
        elif target not in pipeline.components:
            end = _Node(target, at=source)
            layers[end] = layers[begin] + 1
        between = range(layers[begin] + 1, layers[end])
        lanes = [_Node(source, at=target, lane=column) for column in between]
        layers |= {lane: lane.lane for lane in lanes}
        routes.append([begin, *lanes, end])
    first = min(layers.values(), default=0)
    columns: list[list[_Node]] = [[] for _ in range(max(layers.values(), default=-1) + 1 - first)]
    for node, layer in layers.items():
        columns[layer - first].append(node)
    steps = [step for route in routes for step in pairwise(route)]
    # Each column is ordered by the middle of what it is joined to, to the right and back.
    for number in range(8):
        forward = number % 2 == 0
        rank: dict[_Node, float] = {}
        for column in columns if forward else reversed(columns):
            before = {node: place for place, node in enumerate(column)}
            for node in column:
                near = [rank[one] for one, to in steps if to == node and one in rank]
                near += [rank[to] for one, to in steps if one == node and to in rank]
                rank[node] = sum(near) / len(near) if near else float(before[node])
            column.sort(key=lambda node: rank[node])
            rank |= {node: float(place) for place, node in enumerate(column)}
    return columns, routes


def _layers(pipeline: Pipeline) -> dict[_Node, int]:
    """Return the column of each component: what only outside parties feed is near its target."""
    found = dict(pipeline.layers())
    for name, one in pipeline.components.items():
        fed = [found[other] for other in one.outputs if other in pipeline.components]
        if fed and not any(other in pipeline.components for other in one.inputs):
            found[name] = max(found[name], min(fed) - 1)
    return {_Node(name): found[name] for name in pipeline.components}


def _names(pipeline: Pipeline) -> tuple[str, ...]:
    ends = (name for edge in pipeline.edges() for name in edge)
    return tuple(dict.fromkeys((*pipeline.components, *ends)))


def _label(pipeline: Pipeline, name: str, look: Look, verdicts: Verdicts) -> str:
    one = pipeline.components.get(name)
    if one is None:
        return paint(f"({clean(name)})", "dim", look.color)
    text = f"{clean(name)}  {one.role}, {clean(one.organisation)}"
    if name not in verdicts:
        return text
    style, sign, _, _ = MARKS[verdicts[name]]
    return paint(f"{sign} {clean(name)}", style, look.color) + text[len(clean(name)) :]


def _quoted(text: str) -> str:
    return '"' + clean(text).replace('"', "#quot;") + '"'
