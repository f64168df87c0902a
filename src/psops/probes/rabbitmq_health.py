"""What RabbitMQ says of itself: health checks, alarms of its nodes, certificates of its ports.

A check answers 200 with `ok` or 503 with a reason (RabbitMQ 3.10, `/api/health/checks`); one
that a version does not have answers 404. None of them knows of messages.
"""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from psops.catalogue.entry import Probe
from psops.checks import Answer, right, unknown, wrong
from psops.checks.http import excerpt
from psops.probes import Unanswered, counters, rabbitmq
from psops.probes.world import World
from psops.report.text import clean, count, squeeze
from psops.verdict import Verdict

_ALARMS = ("alarms", "local-alarms")
_MOST = 200


def answer(probe: Probe, world: World) -> Answer:
    """Return whether all health checks are good and enough nodes run without an alarm.

    Codes beside those of HTTP: alarm, unhealthy, degraded, not-running; unknown is no-data.
    Certificates that end are asides.
    """
    given = probe.settings
    checks: list[tuple[str, ...]] = [(name,) for name in given["health"]]
    checks += [("port-listener", str(port)) for port in given["ports"]]
    checks += [("protocol-listener", name) for name in given["protocols"]]
    answers = [_check(probe, world, parts) for parts in checks]
    answers.append(_nodes(probe, world))
    found = counters.settle(answers)
    if found.code == "ok":
        told = [f"{count(len(checks), 'health check')} ok", answers[-1].text]
        found = replace(found, text="; ".join(told))
    if given["certificate_days"]:
        found = replace(found, asides=(*found.asides, *_certificates(probe, world)))
    return found


def _ask(probe: Probe, world: World, parts: tuple[str, ...]) -> tuple[Any, tuple[Answer, ...]]:
    """Return what a health check says, good or bad; raises `Unanswered`."""
    url = rabbitmq.address(probe, "health", "checks", *parts)
    response, asides = world.http(probe, url)
    name = clean("/".join(parts))
    if response.status == 503:
        try:
            found = json.loads(response.body)
        except (ValueError, RecursionError):
            found = None
        if isinstance(found, dict) and "status" in found:
            return found, asides
        # Not RabbitMQ, but what stands before it.
        raise Unanswered(wrong("server-error", f"{clean(url)}: 503{excerpt(response)}"))
    if response.status == 404:
        text = f"this version of RabbitMQ has no health check '{name}'"
        raise Unanswered(unknown("no-data", text))
    found = world.document(url, response)
    if not isinstance(found, dict) or "status" not in found:
        text = f"health check '{name}': the answer has no status"
        raise Unanswered(unknown("no-data", text))
    return found, asides


def _check(probe: Probe, world: World, parts: tuple[str, ...]) -> Answer:
    try:
        found, asides = _ask(probe, world, parts)
    except Unanswered as exc:
        return exc.answer
    if found["status"] == "ok":
        return replace(right(f"health check '{'/'.join(parts)}' ok"), asides=asides)
    reason = squeeze(clean(str(found.get("reason", found["status"]))))[:_MOST]
    if parts[0] in _ALARMS:
        alarms = found.get("alarms")
        told = [
            f"{clean(str(one.get('resource')))} on {clean(str(one.get('node')))}"
            for one in (alarms if isinstance(alarms, list) else ())
            if isinstance(one, dict)
        ]
        text = f"{count(len(told), 'alarm')}: {', '.join(told)}" if told else reason
        return replace(wrong("alarm", f"{text}; publishers are blocked"), asides=asides)
    text = f"health check '{clean('/'.join(parts))}': {reason}"
    return replace(wrong("unhealthy", text), asides=asides)


def _nodes(probe: Probe, world: World) -> Answer:
    columns = "name,running,mem_alarm,disk_free_alarm,partitions"
    try:
        url = f"{rabbitmq.address(probe, 'nodes')}?columns={columns}"
        found = world.json(probe, url)
    except Unanswered as exc:
        return exc.answer
    nodes = [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
    if not nodes or any("running" not in one for one in nodes):
        return unknown("no-data", "the list of nodes does not tell which of them run")
    running = [one for one in nodes if one["running"] is True]
    told = f"{len(running)} of {count(len(nodes), 'node')} running"
    least = probe.settings["min_nodes"]
    if len(running) < least:
        return wrong("not-running", f"{told}, at least {least} must be")
    alarms = [
        f"{word} on {clean(str(one.get('name')))}"
        for one in running
        for key, word in (("mem_alarm", "memory"), ("disk_free_alarm", "disk"))
        if one.get(key) is True
    ]
    if alarms:
        return wrong("alarm", f"{count(len(alarms), 'alarm')}: {', '.join(alarms)}")
    parted = [clean(str(one.get("name"))) for one in running if one.get("partitions")]
    if parted:
        return wrong("unhealthy", f"the cluster fell apart, as {', '.join(parted)} sees it")
    told_all = all("mem_alarm" in one and "disk_free_alarm" in one for one in running)
    # A broker without statistics has them in its health check only, which knows of all nodes.
    if not told_all and "alarms" not in probe.settings["health"]:
        return unknown("no-data", f"{told}, but alarms of theirs are not told")
    if len(running) < len(nodes):
        return Answer(verdict=Verdict.WARNING, code="degraded", text=told)
    return right(told)


def _certificates(probe: Probe, world: World) -> list[Answer]:
    """Return what ends soon or has ended; a broker without any TLS port says `ok` as well."""
    days = probe.settings["certificate_days"]
    try:
        found, _ = _ask(probe, world, ("certificate-expiration", str(days), "days"))
    except Unanswered as exc:
        if exc.answer.code == "server-error":
            text = "the broker fails to tell when its certificates end, as 3.10 does"
            return [unknown("no-data", f"{text} if a key is in the file of a certificate")]
        return [] if exc.answer.code == "not-allowed" else [exc.answer]
    if found["status"] == "ok":
        return []
    listed = found.get("expired")
    return [
        _certificate(one, world.now(), days)
        for one in (listed if isinstance(listed, list) else ())
        if isinstance(one, dict)
    ] or [unknown("no-data", "a certificate of the broker ends, but not which")]


def _certificate(port: dict[str, Any], now: float, days: int) -> Answer:
    place = f"port {clean(str(port.get('port')))} of {clean(str(port.get('node')))}"
    ends = [
        text
        for key in ("certfile_expires_on", "cacertfile_expires_on")
        for text in port.get(key) or ()
        if isinstance(text, str)
    ]
    text = min(ends, default="")
    try:
        left = datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() - now
    except ValueError:
        soon = f"{place}: a certificate ends within {count(days, 'day')}"
        return Answer(verdict=Verdict.WARNING, code="tls-ends-soon", text=soon)
    if left < 0:
        return wrong("tls-expired", f"{place}: a certificate ended {clean(text)} UTC")
    told = f"{place}: a certificate ends {clean(text)} UTC, in {count(int(left // 86400), 'day')}"
    return Answer(verdict=Verdict.WARNING, code="tls-ends-soon", text=told)
