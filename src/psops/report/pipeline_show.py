"""A component of a pipeline in full, for people: what it is, and what is asked of it."""

from collections.abc import Iterator, Mapping
from typing import Any

from psops.catalogue.entry import Component, Probe, Severity
from psops.probes.keys_common import HTTP
from psops.report import Look
from psops.report.bundles import entry_lines
from psops.report.text import clean, paint


def render_component(component: Component, look: Look) -> str:
    """Return everything that is known of a component, its checks one after the other."""
    lines = entry_lines(component, look, "checks")
    for probe in component.checks:
        lines += ["", *_check(probe, look)]
    return "\n".join(lines) + "\n"


def _check(probe: Probe, look: Look) -> Iterator[str]:
    words = [probe.kind]
    if probe.severity is not Severity.REQUIRED:
        words.append(str(probe.severity))
    if probe.via:
        words.append(f"via {probe.via}")
    head = paint(clean(probe.name), "head", look.color)
    purpose = f": {clean(probe.purpose)}" if probe.purpose else ""
    yield f"{head} ({clean(', '.join(words))}){purpose}"
    yield from _settings(probe.settings)
    for hint in probe.hints:
        yield f"    → {clean(hint.text)}{f': {clean(hint.command)}' if hint.command else ''}"
    if probe.note:
        yield f"    note: {clean(probe.note)}"


def _settings(settings: Mapping[str, Any], begin: str = "") -> Iterator[str]:
    """Yield what is set, with all limits, but not how TLS is spoken if that is as usual."""
    for key, value in settings.items():
        usual = value == HTTP[key].default if key in HTTP else False
        if isinstance(value, Mapping):
            yield from _settings(value, f"{key}.")
        elif not usual and value not in ("", None, ()):
            yield f"    {clean(begin + key)} = {clean(_word(value))}"


def _word(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return " ".join(f"{key} {_word(item)}" for key, item in value._asdict().items() if item)
    if isinstance(value, tuple):
        return ", ".join(map(_word, value))
    return f"{value:g}" if isinstance(value, float) else str(value)
