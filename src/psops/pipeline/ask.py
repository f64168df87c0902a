"""All probes of a pipeline at once: the time of all is that of the slowest."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from importlib import import_module
from typing import Any

from psops.abreast import run_abreast
from psops.catalogue.entry import Probe, Severity
from psops.checks import Answer, failing, unknown
from psops.deadline import Deadline
from psops.errors import PsopsError
from psops.pipeline.graph import Pipeline
from psops.probes import KINDS, Unanswered
from psops.probes.world import World
from psops.report.text import clean
from psops.verdict import Verdict

#: Probes that run at once.
WIDTH = 64
#: Longest text of an answer that is told.
_MOST = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a probe of a component came to; `name` has `/` and a code for what was beside it."""

    component: str
    probe: Probe
    name: str
    verdict: Verdict
    code: str
    text: str
    elapsed: float = 0.0


def ask(
    pipeline: Pipeline,
    names: Sequence[str],
    world: World,
    deadline: Deadline,
    progress: Callable[[], None] = lambda: None,
) -> tuple[Result, ...]:
    """Return what all probes of the named components found, in their order.

    A probe that fails to run is unknown; an exception that is none of ours is a bug in it and
    unknown as well: one probe must not take the others' results with it.
    """
    todo = [(name, probe) for name in names for probe in pipeline.components[name].checks]
    work = [partial(_answer, probe, world) for _, probe in todo]
    answers = run_abreast(work, width=WIDTH, deadline=deadline, progress=progress)
    text = f"no result within {deadline.seconds:g} s; raise --timeout"
    late = (unknown("no-time", text), deadline.seconds)
    results: list[Result] = []
    for (name, probe), answer in zip(todo, answers, strict=True):
        results += _results(name, probe, *(answer or late))
    return tuple(results)


def _answer(probe: Probe, world: World) -> Answer:
    try:
        module: Any = import_module(KINDS[probe.kind])
        found: Answer = module.answer(world.fill_in(probe), world)
    except Unanswered as exc:
        return exc.answer
    except PsopsError as exc:
        return unknown("cannot-run", f"cannot be run: {clean(str(exc))}")
    except Exception as exc:  # a bug of ours, or an answer that nobody thought of
        return unknown("bug", f"cannot be judged: {clean(f'{type(exc).__name__}: {exc}')}")
    return found


def _results(component: str, probe: Probe, found: Answer, elapsed: float) -> list[Result]:
    bad = failing(probe.severity)
    results = []
    for one in (found, *found.asides):
        verdict = bad if one.verdict is Verdict.CRITICAL else one.verdict
        results.append(
            Result(
                component=component,
                probe=probe,
                name=probe.name if one is found else f"{probe.name}/{one.code}",
                verdict=verdict,
                code=one.code,
                text=_short(one.text),
                elapsed=elapsed if one is found else 0.0,
            )
        )
    if probe.severity is Severity.OPTIONAL and results[0].verdict is Verdict.UNKNOWN:
        # What may be missing may be unknown as well.
        results[0] = replace(results[0], verdict=Verdict.WARNING)
    return results


def _short(text: str) -> str:
    shown = clean(text)
    return shown if len(shown) <= _MOST else shown[: _MOST - 1] + "…"
