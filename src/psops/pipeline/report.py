"""The verification of a pipeline: asked, explained, and as a report in every format."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from psops.catalogue.entry import Component
from psops.deadline import Deadline
from psops.fanout import Outcome
from psops.inventory import Host
from psops.pipeline.ask import Result, ask
from psops.pipeline.explain import explain, roots
from psops.pipeline.graph import Pipeline
from psops.probes.world import World
from psops.verdict import Advice, Finding, HostVerdict, Verdict, VerifyReport, worst


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """All results of a run, and which component explains which of them."""

    pipeline: Pipeline
    #: The components that were asked about, in order.
    names: tuple[str, ...]
    results: tuple[Result, ...]
    because: Mapping[int, str]
    elapsed: float = 0.0
    made_at: float = 0.0

    @property
    def roots(self) -> tuple[Result, ...]:
        """What is critical and explained by nothing."""
        return roots(self.results, self.because)

    @property
    def unchecked(self) -> tuple[str, ...]:
        """The components of which nothing is asked."""
        asked = {one.component for one in self.results}
        return tuple(name for name in self.names if name not in asked)

    @property
    def behind(self) -> tuple[str, ...]:
        """The components that are right by themselves, but fed by what is not."""
        return tuple(
            name
            for name in self.names
            if self.verdict_of(name) in (Verdict.OK, Verdict.WARNING)
            and any(
                self.verdict_of(other) is Verdict.CRITICAL for other in self.pipeline.upstream(name)
            )
        )

    def verdict_of(self, name: str) -> Verdict | None:
        """Return the worst verdict on a component, None if nothing is asked of it."""
        own = [one.verdict for one in self.results if one.component == name]
        return worst(own) if own else None

    def explained_by(self, name: str) -> str:
        """Return the component that explains all that is wrong with one, "" if none does."""
        bad = {
            self.because.get(place)
            for place, one in enumerate(self.results)
            if one.component == name and one.verdict in (Verdict.CRITICAL, Verdict.WARNING)
        }
        return "" if len(bad) != 1 else next(iter(bad)) or ""


def verify(
    pipeline: Pipeline,
    names: Sequence[str],
    world: World,
    deadline: Deadline,
    progress: Callable[[], None] = lambda: None,
) -> Verification:
    """Return what the components' probes found and what explains it."""
    begin = time.monotonic()
    results = ask(pipeline, names, world, deadline, progress)
    return Verification(
        pipeline=pipeline,
        names=tuple(names),
        results=results,
        because=explain(pipeline, results),
        elapsed=time.monotonic() - begin,
        made_at=time.time(),
    )


def verify_report(found: Verification, *, fail_on: str = "critical") -> VerifyReport:
    """Return the verification with a component in each host's place."""
    outcomes = []
    for name in found.names:
        findings = tuple(
            _finding(found.pipeline.components[name], one, found.because.get(place, ""))
            for place, one in enumerate(found.results)
            if one.component == name
        )
        if findings:
            value = HostVerdict(bundles=(found.pipeline.system,), chosen_by="", findings=findings)
            took = max(one.elapsed for one in findings)
            outcomes.append(Outcome(Host(name=name), took, value=value))
    return VerifyReport(
        outcomes=tuple(outcomes),
        title="psops pipeline verify",
        fail_on=fail_on,
        made_at=found.made_at,
        noun="component",
        ends_with_cause=True,
    )


def _finding(component: Component, one: Result, because: str) -> Finding:
    advice: tuple[Advice, ...] = ()
    if one.verdict is not Verdict.OK and not because:
        advice = tuple(Advice(hint.text, hint.command) for hint in one.probe.hints)
        advice += (Advice(f"{component.organisation} runs it"),)
    return Finding(
        name=one.name,
        verdict=one.verdict,
        code=one.code,
        text=one.text,
        kind="check",
        bundle=component.system,
        severity="",
        purpose=one.probe.purpose,
        because=because,
        advice=advice,
        elapsed=one.elapsed,
    )
