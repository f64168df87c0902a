"""All probes of a pipeline at once: the time of all is that of the slowest."""

import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Any

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
#: Seconds after the deadline until a probe that hangs is given up.
_GRACE = 1.0
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
    done: queue.SimpleQueue[tuple[int, Answer, float]] = queue.SimpleQueue()
    waiting: queue.SimpleQueue[int] = queue.SimpleQueue()
    for place in range(len(todo)):
        waiting.put(place)

    def worker() -> None:
        while True:
            try:
                place = waiting.get_nowait()
            except queue.Empty:
                return
            begin = time.monotonic()
            found = _answer(todo[place][1], world)
            done.put((place, found, time.monotonic() - begin))

    # Daemon threads: nobody waits for one that hangs in a name look-up.
    for _ in range(min(WIDTH, len(todo))):
        threading.Thread(target=worker, daemon=True).start()
    answers: dict[int, tuple[Answer, float]] = {}
    for _ in todo:
        try:
            place, found, elapsed = done.get(timeout=deadline.remaining() + _GRACE)
        except queue.Empty:
            break
        answers[place] = (found, elapsed)
        progress()
    late = (unknown("no-time", f"no result within {deadline.seconds:g} s"), deadline.seconds)
    results: list[Result] = []
    for place, (name, probe) in enumerate(todo):
        results += _results(name, probe, *answers.get(place, late))
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
