"""Pipelines for the tests, as the files that describe them."""

from collections.abc import Mapping
from pathlib import Path

from psops.catalogue import Catalogue
from psops.pipeline.graph import Pipeline, pipeline_of


def text_of(edges: str, checks: Mapping[str, str] | None = None, system: str = "test") -> str:
    """Return a file for edges such as `a>b b>c`; `checks` are TOML tables by component."""
    inputs: dict[str, list[str]] = {}
    outputs: dict[str, list[str]] = {}
    for edge in edges.split():
        source, _, target = edge.partition(">")
        for name in (source, target):
            inputs.setdefault(name, [])
            outputs.setdefault(name, [])
        inputs[target].append(source)
        outputs[source].append(target)
    parts = [f'system = "{system}"']
    for name in inputs:
        parts.append(
            f'[components.{name}]\nrole = "bus"\norganisation = "org {name}"\npurpose = "p"\n'
            f"inputs = {inputs[name]}\noutputs = {outputs[name]}".replace("'", '"')
        )
        if checks and name in checks:
            parts.append(checks[name].replace("[", f"[components.{name}.checks.", 1))
    return "\n".join(parts) + "\n"


def load(text: str, place: Path) -> Pipeline:
    """Return the pipeline that a file describes."""
    path = place / "pipeline.toml"
    path.write_text(text)
    return pipeline_of(Catalogue.load([path]), None)
