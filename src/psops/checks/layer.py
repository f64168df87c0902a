"""Which part is broken when one check is right and one that needs more than it is not.

A table for now; in a catalogue it would be `over` and `layer` of a check.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

from psops.checks import CheckResult
from psops.verdict import Verdict


class Layer(NamedTuple):
    """What a check needs beyond another check."""

    over: str
    what: str


#: The interface answers /api by itself, and /status with what its database says.
LAYERS: Mapping[str, Layer] = {
    "pscheduler-status": Layer("pscheduler-api", "the database"),
}
#: Codes of an interface that works and does not get what it needs.
_NO_ANSWER = ("server-error", "timeout")


def explain(results: tuple[CheckResult, ...]) -> tuple[CheckResult, ...]:
    """Return the results, the texts of failed ones with the layer that is to blame."""
    by_name = {result.name: result for result in results}
    return tuple(_explain(result, by_name) for result in results)


def _explain(result: CheckResult, by_name: Mapping[str, CheckResult]) -> CheckResult:
    layer = LAYERS.get(result.name)
    base = by_name.get(layer.over) if layer is not None else None
    if layer is None or base is None or result.code not in _NO_ANSWER:
        return result
    if base.verdict is Verdict.OK:
        return replace(result, text=f"{result.text}; {base.name} is right, so it is {layer.what}")
    if base.verdict in (Verdict.CRITICAL, Verdict.WARNING):
        return replace(result, because=base.name)
    return result
