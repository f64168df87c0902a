"""All checks of one host at once, over the one connection that is open."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from importlib import import_module

from psops.abreast import run_abreast
from psops.catalogue.entry import Severity
from psops.checks import KINDS, Answer, Asked, CheckResult, failing, unknown
from psops.checks.layer import LAYERS, explain
from psops.checks.site import Site
from psops.deadline import Deadline
from psops.errors import PsopsError
from psops.inventory import Host
from psops.report.text import clean
from psops.transport import Connection
from psops.verdict import Verdict

#: Checks of one host that run at once.
WIDTH = 8
_STRENGTH = list(Severity)


def run(
    asked: Sequence[Asked], host: Host, connection: Connection, deadline: Deadline
) -> tuple[CheckResult, ...]:
    """Return the results of the checks in their order; a check that fails to run is unknown.

    Exceptions that are no `PsopsError` are bugs and reported as unknown too: one check must
    not take the others' results with it.
    """
    site = Site(host, connection, tuple(each.check for each in asked), deadline)
    order = _order(asked)
    work = [partial(_answer, asked[place], site) for place in order]
    answers = dict(zip(order, run_abreast(work, width=WIDTH, deadline=deadline), strict=True))
    text = f"no result within {deadline.seconds:g} s; raise --timeout"
    late = (unknown("no-time", text), deadline.seconds)
    found = [answers[place] or late for place in range(len(asked))]
    return explain(_results(asked, found))


def _order(asked: Sequence[Asked]) -> list[int]:
    """Return the places of the checks, those last that wait for what another one asks too."""
    kinds = [(each.check.kind, each.check.url, each.check.port) for each in asked]
    return sorted(range(len(asked)), key=lambda place: kinds.index(kinds[place]) != place)


def _answer(asked: Asked, site: Site) -> Answer:
    check = asked.check
    if check.kind not in KINDS:
        return unknown("cannot-run", f"cannot be run: no such kind of check, {clean(check.kind)}")
    try:
        answer: Answer = import_module(KINDS[check.kind]).answer(check, site)
    except PsopsError as exc:
        return unknown("cannot-run", f"cannot be run: {clean(str(exc))}")
    except ModuleNotFoundError as exc:  # the build that is a single file has not all
        return unknown("cannot-run", f"cannot be run: {exc.name} is not installed")
    except Exception as exc:
        return unknown("cannot-run", f"cannot be run, by a bug of psops: {clean(repr(exc))}")
    return answer


def _results(
    asked: Sequence[Asked], answers: Sequence[tuple[Answer, float]]
) -> tuple[CheckResult, ...]:
    first = _first_of_exchanges(asked, answers)
    told: set[tuple[str, str]] = set()
    results: list[CheckResult] = []
    for each, (answer, elapsed) in zip(asked, answers, strict=True):
        extra = []
        for aside in answer.asides:
            # Several checks of one server would all tell the same of its certificate.
            if (aside.exchange, aside.code) not in told:
                told.add((aside.exchange, aside.code))
                extra.append(_result(f"{each.check.name}/tls", each.severity, aside, 0.0))
        result = _result(each.check.name, each.severity, answer, elapsed)
        cause = first.get(answer.exchange, each.check.name)
        if cause != each.check.name:
            text = f"not known, as {cause} got no answer either"
            result = replace(
                result, verdict=Verdict.UNKNOWN, code="because", text=text, because=cause
            )
        results.append(replace(result, extra=tuple(extra)))
    return tuple(results)


def _first_of_exchanges(
    asked: Sequence[Asked], answers: Sequence[tuple[Answer, float]]
) -> dict[str, str]:
    """Return for each request that failed the one check that says so: the most important."""
    failed: dict[str, list[Asked]] = {}
    for each, (answer, _) in zip(asked, answers, strict=True):
        if answer.exchange and answer.code != "ok":
            failed.setdefault(answer.exchange, []).append(each)
    return {
        exchange: min(
            group,
            key=lambda each: (_STRENGTH.index(each.severity), each.check.name not in LAYERS),
        ).check.name
        for exchange, group in failed.items()
    }


def _result(name: str, severity: Severity, answer: Answer, elapsed: float) -> CheckResult:
    bad = answer.verdict is Verdict.CRITICAL
    verdict = failing(severity) if bad else answer.verdict
    return CheckResult(
        name=name, verdict=verdict, code=answer.code, text=clean(answer.text), elapsed=elapsed
    )
