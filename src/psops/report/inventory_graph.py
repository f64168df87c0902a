"""Groups and hosts of an inventory as a text tree, for Mermaid and for Graphviz; pure."""

from collections.abc import Mapping, Sequence

from psops.exporters import Selection
from psops.inventory import fold
from psops.report import Look
from psops.report.text import clean, count, paint

FORMS = ("tree", "mermaid", "dot")


def draw(selection: Selection, form: str, look: Look) -> str:
    """Return the drawing; the hosts of a group are one folded box."""
    if form == "tree":
        return _tree(selection, look)
    edges, labels = _edges(selection)
    return _mermaid(edges, labels) if form == "mermaid" else _dot(edges, labels)


def _tops(selection: Selection) -> list[str]:
    inside = {one for inner in selection.inner.values() for one in inner}
    return [name for name in selection.groups if name not in inside]


def _alone(selection: Selection) -> list[str]:
    grouped = {name for members in selection.groups.values() for name in members}
    return [host.name for host in selection.hosts if host.name not in grouped]


def _tree(selection: Selection, look: Look) -> str:
    lines: list[str] = []
    shown: set[str] = set()

    def walk(name: str, lead: str, branch: str) -> None:
        again = name in shown
        number = count(len(selection.groups[name]), "host")
        head = f"{paint('@' + clean(name), 'head', look.color)}  {number}"
        lines.append(f"{lead}{branch}{head}{' ↑' if again else ''}")
        if again:
            return
        shown.add(name)
        inner = lead + {"": "", "├─ ": "│  ", "└─ ": "   "}[branch]
        below = selection.inner.get(name, ())
        own = selection.own(name)
        for place, one in enumerate(below):
            walk(one, inner, "├─ " if own or place < len(below) - 1 else "└─ ")
        if own:
            lines.append(f"{inner}└─ {clean(fold(own))}")

    for name in _tops(selection):
        walk(name, "", "")
    if alone := _alone(selection):
        lines.append(f"{paint('in no group', 'dim', look.color)}  {count(len(alone), 'host')}")
        lines.append(f"└─ {clean(fold(alone))}")
    return "\n".join(lines) + "\n" if lines else "no hosts\n"


def _edges(selection: Selection) -> tuple[list[tuple[str, str]], dict[str, tuple[str, bool]]]:
    """Return the edges between nodes, and for each node its text and whether it is a group."""
    labels: dict[str, tuple[str, bool]] = {
        f"g{place}": (f"@{clean(name)}", True) for place, name in enumerate(selection.groups)
    }
    ids = {name: f"g{place}" for place, name in enumerate(selection.groups)}
    edges = []
    for name, one in ids.items():
        edges += [(one, ids[inner]) for inner in selection.inner.get(name, ())]
        if own := selection.own(name):
            labels[f"h{one}"] = (_hosts(own), False)
            edges.append((one, f"h{one}"))
    if alone := _alone(selection):
        labels["alone"] = (_hosts(alone), False)
    return edges, labels


def _hosts(names: Sequence[str]) -> str:
    folded = clean(fold(names))
    return folded if len(folded) <= 60 else f"{folded[:57]}… ({len(names)})"


def _mermaid(edges: Sequence[tuple[str, str]], labels: Mapping[str, tuple[str, bool]]) -> str:
    lines = ["flowchart LR"]
    for one, (text, is_group) in labels.items():
        quoted = '"' + text.replace('"', "#quot;") + '"'
        lines.append(f"  {one}([{quoted}])" if is_group else f"  {one}[{quoted}]")
    lines += [f"  {source} --> {target}" for source, target in edges]
    return "\n".join(lines) + "\n"


def _dot(edges: Sequence[tuple[str, str]], labels: Mapping[str, tuple[str, bool]]) -> str:
    lines = ["digraph inventory {", "  rankdir=LR;",
             '  node [shape=box, style="rounded,filled", fillcolor="#f2f2f2"];']  # fmt: skip
    for one, (text, is_group) in labels.items():
        shape = ", shape=ellipse" if is_group else ""
        escaped = text.replace("\\", "\\\\").replace('"', '\\"')
        lines.append(f'  {one} [label="{escaped}"{shape}];')
    lines += [f"  {source} -> {target};" for source, target in edges]
    return "\n".join([*lines, "}"]) + "\n"
