"""Whether the collector of perfSONAR results reaches most of its endpoints.

Rule: the counters of `ps-collector`'s monitoring module (sand-ci), in the text format of
prometheus.io/docs/instrumenting/exposition_formats: an endpoint is good if its counter of
failures stays what it was. Those that were not asked in the window are neither good nor bad.
"""

import re
from math import isfinite
from typing import NamedTuple

from psops.catalogue.entry import Probe
from psops.checks import Answer, right, unknown, wrong
from psops.checks.http import excerpt
from psops.probes import Unanswered
from psops.probes.fields import Asker, named, no_data, percent
from psops.probes.world import World, is_login
from psops.report.text import clean, duration

_FAILURES = "ps_endpoint_failures_num_total"
_ENDPOINTS = "ps_num_endpoint"
_UNDER_WAY = "ps_inprogress_requests"
_REQUESTS = "ps_request_latency_seconds_count"
_START = "process_start_time_seconds"
_SAMPLE = re.compile(
    r'([A-Za-z_:][\w:]*)(?:\{((?:[^"{}]|"(?:[^"\\]|\\.)*")*)\})?[ \t]+(\S+)(?:[ \t]+-?\d+)?',
    re.ASCII,
)
_LABEL = re.compile(r'endpoint="((?:[^"\\]|\\.)*)"')
#: Fewer endpoints than this tell no share, unless there are no more.
_FEWEST = 5
#: Makes the second request another one than the first, which is shared with other probes.
_ANEW = (("Cache-Control", "no-cache"),)


class Metrics(NamedTuple):
    """What is known at one time; a value by the endpoint it is for, "" for one of no endpoint."""

    values: dict[str, dict[str, float]]
    #: The metrics that are announced, even where they have no value yet.
    known: frozenset[str]


def answer(probe: Probe, world: World) -> Answer:
    """Return whether a share of `least_share` of the endpoints had no failure for a window."""
    asker = Asker(probe, world)
    return asker.settle(lambda: _judge(asker))


def parse(body: str) -> Metrics | None:
    """Return the metrics of a page of them; None if it is none."""
    values: dict[str, dict[str, float]] = {}
    known: set[str] = set()
    for line in body.splitlines():
        words = line.split()
        if not words or line.startswith("#"):
            if words[:2] == ["#", "TYPE"] and len(words) == 4:
                known.add(words[2])
            continue
        sample = _SAMPLE.fullmatch(line.strip())
        try:
            value = float(sample[3]) if sample else float("nan")
        except ValueError:
            return None
        if sample is None:
            return None
        label = _LABEL.search(sample[2] or "")
        values.setdefault(sample[1], {})[label[1] if label else ""] = value
    return Metrics(values, frozenset(known | values.keys())) if values else None


def _judge(asker: Asker) -> Answer:
    given = asker.probe.settings
    first = _read(asker, ())
    endpoints = _number(first, _ENDPOINTS)
    _number(first, _UNDER_WAY)
    least = given["least_endpoints"]
    if endpoints < least:
        return wrong("below-floor", f"it asks {endpoints:g} endpoints, must be {least}")
    asker.world.wait()
    second = _read(asker, _ANEW)
    endpoints = _number(second, _ENDPOINTS)
    span = duration(asker.world.window)
    before, now = _counters(first, _FAILURES), _counters(second, _FAILURES)
    asked, asked_now = _counters(first, _REQUESTS), _counters(second, _REQUESTS)
    same_start = first.values.get(_START) == second.values.get(_START)
    if not same_start or _fell(before, now) or _fell(asked, asked_now):
        return unknown("restarted", f"its counters began anew within {span}")
    if endpoints < least:
        return wrong("below-floor", f"it asks {endpoints:g} endpoints, must be {least}")
    failing = _moved(before, now)
    tried = {*failing, *_moved(asked, asked_now)}
    if not tried:
        return unknown("no-data", f"no request ended within {span}, so nothing is told")
    if len(tried) < min(_FEWEST, endpoints):
        text = f"{len(tried)} of {endpoints:g} endpoints were asked within {span}"
        return unknown("no-data", f"{text}, too few to tell a share; look for longer")
    share = 1 - len(failing) / len(tried)
    text = f"{percent(share)} of {len(tried)} endpoints that were asked had no failure for {span}"
    if share < given["least_share"]:
        return wrong("share", f"{text}, must be {percent(given['least_share'])}: {named(failing)}")
    return right(text)


def _read(asker: Asker, headers: tuple[tuple[str, str], ...]) -> Metrics:
    response = asker.response("", headers=headers)
    place = clean(asker.base)
    if response.status != 200:
        asker.world.document(asker.base, response)
    if not response.complete:
        raise Unanswered(unknown("too-big", f"{place}: larger than what is read of it"))
    found = parse(response.body.decode(errors="replace"))
    if found is None:
        code = "login-page" if is_login(response) else "no-data"
        raise Unanswered(unknown(code, f"{place}: no metrics{excerpt(response)}"))
    return found


def _number(metrics: Metrics, name: str) -> float:
    value = metrics.values.get(name, {}).get("")
    if value is None or not isfinite(value) or value < 0:
        raise no_data(f"there is no {name}" if value is None else f"{name} is {value:g}")
    return value


def _counters(metrics: Metrics, name: str) -> dict[str, float]:
    """Return the counters by endpoint, none of an announced metric; raises `Unanswered`."""
    # A counter's type is announced with or without its suffix, by version of the library; that
    # of a summary is announced for its parts together.
    plain = name.removesuffix("_total").removesuffix("_count")
    if not {name, plain} & metrics.known:
        raise no_data(f"there is no {name}")
    found = metrics.values.get(name, {})
    if not all(isfinite(value) and value >= 0 for value in found.values()):
        raise no_data(f"{name} has a value that is no count")
    return found


def _moved(before: dict[str, float], now: dict[str, float]) -> list[str]:
    return [name for name, value in now.items() if value > before.get(name, 0.0)]


def _fell(before: dict[str, float], now: dict[str, float]) -> bool:
    return any(now.get(name, -1.0) < value for name, value in before.items())
