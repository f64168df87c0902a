"""Which findings follow from which: a failure that another one explains has another owner.

The rules: where too little comes in, the cause may be anything that is wrong upstream; where
too much waits, it may be a component downstream that is itself at fault, or else one farther down
where too much waits as well. A component's own failure is explained by nothing. What is unknown
explains nothing.
"""

from collections.abc import Iterator, Mapping, Sequence

from psops.pipeline.ask import Result
from psops.pipeline.graph import Pipeline
from psops.probes.codes import Cause, cause_of
from psops.verdict import Verdict


def explain(pipeline: Pipeline, results: Sequence[Result]) -> Mapping[int, str]:
    """Return for each place in `results` that is explained the component that explains it.

    Of several it is the nearest one. No chain of explanations leads in a circle.
    """
    bad = [one for one in results if one.verdict is Verdict.CRITICAL]
    broken = {one.component for one in bad}
    own = {one.component for one in bad if cause_of(one.code) is Cause.OWN}
    # What piles up is the fault of the one who does not take it, if nothing behind it is worse.
    piled = {one.component for one in bad if cause_of(one.code) is Cause.DOWNSTREAM}
    found: dict[int, str] = {}
    near: Iterator[str]
    for place, one in enumerate(results):
        if one.verdict not in (Verdict.CRITICAL, Verdict.WARNING):
            continue
        cause = cause_of(one.code)
        if cause is Cause.UPSTREAM and one.component not in own | piled:
            near = _sources(pipeline, one.component, broken)
        elif cause is Cause.DOWNSTREAM:
            near = _takers(pipeline, one.component, own, piled)
        else:
            continue
        if (name := next(near, None)) is not None:
            found[place] = name
    return found


def _sources(pipeline: Pipeline, name: str, broken: set[str]) -> Iterator[str]:
    """Yield the components upstream that may be why too little comes in, the nearest first."""
    for other in pipeline.upstream(name):
        # In a loop each is before the other, and neither explains the other.
        if other in broken and name not in pipeline.upstream(other):
            yield other


def _takers(pipeline: Pipeline, name: str, own: set[str], piled: set[str]) -> Iterator[str]:
    """Yield the components downstream that may be why too much waits, the likelier ones first."""
    after = pipeline.downstream(name)
    yield from (other for other in after if other in own)
    for other in after:
        if other in piled and name not in pipeline.downstream(other):
            yield other


def roots(results: Sequence[Result], because: Mapping[int, str]) -> tuple[Result, ...]:
    """Return what is critical and explained by nothing, in its order."""
    return tuple(
        one
        for place, one in enumerate(results)
        if one.verdict is Verdict.CRITICAL and place not in because
    )
