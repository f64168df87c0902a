"""The verbs `rucio verify` and `rucio heartbeats`: hosts and heartbeats read, and the report."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import NamedTuple

from psops import fanout
from psops.catalogue.entry import Severity
from psops.client import Client, prepare
from psops.deadline import Deadline
from psops.errors import HostError, PsopsError
from psops.fanout import Gathered, Outcome
from psops.inventory import Host
from psops.judge import waive
from psops.rucio.expect import Rule
from psops.rucio.fleet import judge_fleet
from psops.rucio.judge import judge_host
from psops.rucio.judge_process import HEARTBEATS, ROLE, made
from psops.rucio.model import RucioHost
from psops.rucio.rows import Row
from psops.rucio.source import Rows, Source
from psops.rucio.units import read_host
from psops.transport import Options, connect
from psops.verdict import HostVerdict, Verdict, VerifyReport

#: What the outcome is called that is about all hosts.
FLEET = HEARTBEATS
#: The label of an inventory with other hostnames of a host, separated by commas.
ALIAS_LABEL = "rucio-hostname"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is to be proved, from which heartbeats; no source looks at processes alone."""

    rules: Mapping[str, Rule]
    source: Source | None
    #: Host -> other hostnames that its heartbeats may have.
    aliases: Mapping[str, tuple[str, ...]]
    #: Host -> the daemons in the bundles of Rucio's that the inventory gives it, as they matter.
    listed: Mapping[str, Mapping[str, Severity]] = field(default_factory=dict)
    fail_on: str = "critical"


class Gathering(NamedTuple):
    """What hosts and source gave; `rows` is the error if they could not be read."""

    hosts: Gathered[RucioHost]
    rows: Rows | PsopsError | None
    #: Seconds that reading the heartbeats took.
    elapsed: float


def gather(
    hosts: Sequence[Host],
    request: Request,
    options: Options,
    *,
    width: int = fanout.DEFAULT_WIDTH,
    progress: Callable[[Outcome[RucioHost]], None] = lambda outcome: None,
) -> Gathering:
    """Return what the hosts run and the heartbeats, which are read last.

    What is started meanwhile is thus in the heartbeats, if at all, and never the other way
    round, so that no process seems to be without a heartbeat that it had when it was seen.
    """
    prepare(hosts, options)
    gathered = fanout.gather(
        hosts,
        lambda host: _read(host, request, options),
        width=width,
        limit=2 * options.connect_timeout + 4 * options.timeout,
        progress=progress,
    )
    if request.source is None:
        return Gathering(gathered, None, 0.0)
    begun = time.monotonic()
    rows: Rows | PsopsError
    try:
        rows = request.source.read(options.timeout)
    except HostError as exc:
        rows = exc
    now = time.monotonic()
    return Gathering(_with_lag(gathered, now), rows, now - begun)


def _with_lag(gathered: Gathered[RucioHost], now: float) -> Gathered[RucioHost]:
    outcomes = [
        replace(one, value=replace(one.value, lag=max(0.0, now - one.value.read_at)))
        if one.value is not None else one
        for one in gathered.outcomes
    ]  # fmt: skip
    return gathered._replace(outcomes=tuple(outcomes))


def report(gathering: Gathering, request: Request) -> VerifyReport:
    """Return the verdict on every host, and on what is beyond a single one."""
    rows = gathering.rows
    known = rows.rows if isinstance(rows, Rows) else None
    outcomes: list[Outcome[HostVerdict]] = []
    for outcome in gathering.hosts.outcomes:
        value = None
        if outcome.value is not None:
            value = _verdict(outcome.host, outcome.value, known, request)
        outcomes.append(Outcome(outcome.host, outcome.elapsed, value=value, error=outcome.error))
    if rows is not None:
        outcomes.append(_fleet(gathering, request))
    return VerifyReport(
        outcomes=tuple(outcomes),
        title="psops rucio verify",
        fail_on=request.fail_on,
        made_at=time.time(),
        ended=gathering.hosts.ended,
        beyond=(FLEET,) if rows is not None else (),
    )


def _fleet(gathering: Gathering, request: Request) -> Outcome[HostVerdict]:
    host = Host(name=FLEET)
    rows = gathering.rows
    if not isinstance(rows, Rows):
        assert rows is not None
        source = request.source.name if request.source is not None else ""
        error = type(rows)(f"{source}: {rows}", remedy=rows.remedy)
        return Outcome(host, gathering.elapsed, error=error)
    hosts = [outcome.value for outcome in gathering.hosts.outcomes if outcome.value is not None]
    findings = judge_fleet(hosts, rows, request.rules)
    chosen_by = request.source.name if request.source is not None else ""
    value = HostVerdict(bundles=ROLE, chosen_by=chosen_by, findings=findings)
    return Outcome(host, gathering.elapsed, value=value)


def _verdict(
    host: Host, found: RucioHost, rows: Sequence[Row] | None, request: Request
) -> HostVerdict:
    findings = judge_host(found, rows, request.rules, request.listed.get(host.name))
    if rows is not None and not rows:  # the finding on all heartbeats tells why
        findings = tuple(
            replace(one, because=HEARTBEATS) if one.code == "no-heartbeat" else one
            for one in findings
        )
    if request.source is None:
        findings = tuple(
            replace(one, verdict=Verdict.OK, code="running", because="",
                    text="runs; heartbeats were not asked for")
            if one.code == "unread" and one.because else one
            for one in findings
        )  # fmt: skip
    if not findings:
        text = "no unit and no process of a Rucio daemon is on this host"
        findings = (made("daemons", Verdict.WARNING, "no-daemon", text),)
    findings, notes = waive(findings, host.waivers, datetime.now(UTC).date())
    return HostVerdict(
        bundles=ROLE,
        chosen_by="",
        version=found.version,
        findings=findings,
        notes=notes,
    )


def _read(host: Host, request: Request, options: Options) -> RucioHost:
    aliases = (*request.aliases.get(host.name, ()), *_labelled(host))
    connection = connect(host, options)
    try:
        channel = connection.open_bus()
        try:
            client = Client(channel, Deadline(options.timeout))
            return read_host(
                host, connection, client, request.rules, aliases=aliases, timeout=options.timeout
            )
        finally:
            channel.close()
    finally:
        connection.close()


def _labelled(host: Host) -> tuple[str, ...]:
    text = dict(host.labels).get(ALIAS_LABEL, "")
    return tuple(name.strip() for name in text.split(",") if name.strip())
