"""What processes and heartbeats together say of the daemons of one host; pure.

A service manager sees a process, not whether it works; a heartbeat tells that threads go round,
not who owns them. The two are joined by host and process number, which is exact: the number in
a heartbeat is the daemon's own `os.getpid()` (Rucio 41.5.1, lib/rucio/daemons/common.py).
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from psops.catalogue.entry import Severity
from psops.catalogue.version import is_past
from psops.report.text import clean, count, duration
from psops.rucio.expect import Rule, expectation, freshness
from psops.rucio.judge_process import HEARTBEATS, RESTARTS, START_GRACE, judge_process, made
from psops.rucio.located import Located, is_later, is_of_this_run, locate
from psops.rucio.lone import judge_lone, judge_missing
from psops.rucio.model import Managed, RucioHost
from psops.rucio.rows import Row
from psops.verdict import Advice, Finding, Verdict

#: Processes that start within so many seconds of each other have one cause.
_TOGETHER = 60.0
_RECENT = 600.0
#: After so many cycles with heartbeats a daemon is no more in a loop of restarts.
_SETTLED = 3

RESTART = Advice("restart it; a stop may take a cycle", "psops restart {unit} -H {host}")
LOGS = Advice("the daemon's own log says why", "journalctl -u '{unit}' -n 50")


def judge_host(
    host: RucioHost,
    rows: Sequence[Row] | None,
    rules: Mapping[str, Rule],
    listed: Mapping[str, Severity] | None = None,
) -> tuple[Finding, ...]:
    """Return a finding for each daemon of the host, and for what is nobody's; no rows: unread.

    `listed` are the daemons in the bundles that the inventory gives the host, with how much each
    matters, None if it gives none of Rucio's.
    """
    located = None
    if rows is not None:
        located = tuple(one for one in locate(rows, rules) if host.has_name(one.row.hostname))
    pairs = [
        (one, replace(_judge(one, host, rules[one.daemon], located),
                      purpose=rules[one.daemon].purpose))
        for one in host.managed if one.daemon in rules and (one.wanted or one.active != "inactive")
    ]  # fmt: skip
    if listed is not None:
        pairs = [
            (one, finding if one.daemon in listed else _unlisted(finding, one, host))
            for one, finding in pairs
        ]
    findings = _with_causes(pairs, host)
    if host.supervisord_unread:
        text = f"supervisord runs, and cannot be asked: {clean(str(host.supervisord_unread))}"
        remedy = host.supervisord_unread.remedy
        advice = (Advice(remedy),) if remedy else ()
        findings.append(made("supervisord", Verdict.UNKNOWN, "unread", text, advice=advice))
    findings += judge_lone(host, located, rules)
    findings += judge_missing(host, located or (), rules, listed or {})
    return _distinct(findings)


def _judge(
    one: Managed, host: RucioHost, rule: Rule, located: tuple[Located, ...] | None
) -> Finding:
    found = judge_process(one)
    if found is not None:
        if host.version and is_past(host.version, rule.until) and not one.running:
            text = f"Rucio {clean(host.version)} has no {rule.name}, which went in {rule.until}"
            advice = Advice("disable its unit", f"psops disable {one.unit} -H {host.name}")
            return made(one.name, Verdict.WARNING, "gone", text, one=one, advice=(advice,))
        return found
    if located is not None:
        return _judge_beats(one, host, rule, located)
    text = "runs; whether it works is not known, since the heartbeats could not be read"
    if rule.beats:
        return made(one.name, Verdict.UNKNOWN, "unread", text, one=one, because=HEARTBEATS)
    return _silent(one)


def _unlisted(finding: Finding, one: Managed, host: RucioHost) -> Finding:
    """Return the finding, or that the daemon runs well where it should not."""
    if finding.verdict is not Verdict.OK:
        return finding
    text = f"{finding.text}; but no bundle that the inventory gives this host lists it"
    command = f"psops disable {one.unit} -H {host.name}" if one.manager == "systemd" else ""
    advice = Advice("disable it, or add its bundle to the host", command)
    return replace(finding, verdict=Verdict.WARNING, code="stray", text=text, advice=(advice,))


def _silent(one: Managed) -> Finding:
    text = "runs; it has no heartbeat, so that its process is all there is to see"
    return made(one.name, Verdict.OK, "running", text, one=one)


def _judge_beats(
    one: Managed, host: RucioHost, rule: Rule, located: tuple[Located, ...]
) -> Finding:
    expected = expectation(rule, one.argv)
    if not rule.beats:
        return _silent(one)
    if expected.once:
        return made(one.name, Verdict.OK, "once", "runs for one cycle", one=one)
    own = [item for item in located if item.rule is rule and one.fits(rule.name, item.row.pid)
           and is_of_this_run(item.row, one, host.lag)]  # fmt: skip
    young = one.up is not None and one.up < START_GRACE
    told: list[Finding] = []
    ages: list[float] = []
    for prefix, sleep in expected.sleep.items():
        limit = freshness(sleep)
        rows = [item.row for item in own if item.prefix == prefix]
        fresh = [row for row in rows if not row.ahead and row.age <= limit.ok]
        ages += [row.age for row in fresh]
        if len(fresh) >= expected.rows or expected.purged:
            continue
        if ahead := [row for row in rows if row.ahead]:
            told.append(_ahead(one, ahead))
            continue
        if young and len(rows) == len(fresh):
            text = f"started {duration(one.up or 0)} ago, with {len(fresh)} of {expected.rows} "
            text += f"{_heartbeats(expected.rows)} so far"
            told.append(made(one.name, Verdict.OK, "starting", text, one=one))
        elif fresh:
            text = f"{len(fresh)} of {count(expected.rows, 'worker')} still {_work(len(fresh))}: "
            text += "the other threads have died or hang"
            told.append(_bad(one, host, Verdict.WARNING, "threads-lost", text))
        elif rows:
            told.append(_stale(one, host, rows, sleep))
        else:
            told.append(_no_heartbeat(one, host, prefix, located))
    order = (Verdict.CRITICAL, Verdict.WARNING, Verdict.UNKNOWN, Verdict.OK)
    worst = min(told, key=lambda finding: order.index(finding.verdict), default=None)
    # One that ends at once has a heartbeat, or none yet, in the seconds for which it runs.
    if worst is None or worst.code == "starting":
        cycles = _SETTLED * max(1, *expected.sleep.values())
        settled = worst is None and one.up is not None and one.up > cycles
        if flapping := _flapping(one, host, settled):
            return flapping
    if worst is not None:
        return worst
    text = f"{count(len(own), 'heartbeat')}, the oldest {duration(max(ages, default=0))} old"
    if expected.purged:
        text = "runs; its heartbeat is renewed once in a cycle of a day or more"
    return made(one.name, Verdict.OK, "working", text, one=one)


def _heartbeats(number: int) -> str:
    return "heartbeat" if number == 1 else "heartbeats"


def _work(number: int) -> str:
    return "works" if number == 1 else "work"


def _stale(one: Managed, host: RucioHost, rows: Sequence[Row], sleep: int) -> Finding:
    limit = freshness(sleep)
    age = min(row.age for row in rows)
    text = f"runs, but its last heartbeat is {duration(age)} old with a cycle of {sleep} s"
    if age <= limit.dead:
        return _bad(one, host, Verdict.WARNING, "late", text)
    text += ": it hangs, and other workers have its share of the work by now"
    return _bad(one, host, Verdict.CRITICAL, "stale", text)


def _ahead(one: Managed, rows: Sequence[Row]) -> Finding:
    late = duration(-min(row.age for row in rows))
    text = f"runs, but its last heartbeat is {late} in the future: the clock of its host is ahead "
    text += "of the database's, or was, and whether it works is not known"
    advice = Advice("set the clock of the host, or of the database, right", "timedatectl")
    return made(one.name, Verdict.WARNING, "clock", text, one=one, advice=(advice,))


def _no_heartbeat(
    one: Managed, host: RucioHost, prefix: str, located: Sequence[Located]
) -> Finding:
    if one.contained and not any(item.rule.name == one.daemon for item in located):
        text = "runs in a container, and no heartbeat that can be its own is from this host: "
        hint = Advice("name the hostname in the container", f"--alias {host.name}=HOSTNAME")
        return made(one.name, Verdict.UNKNOWN, "contained", f"{text}whether it works is not known",
                    one=one, advice=(hint,))  # fmt: skip
    if any(item.rule.name == one.daemon and is_later(item.row, host) for item in located):
        text = "was started anew after its host was read, and has begun to work"
        return made(one.name, Verdict.OK, "starting", text, one=one)
    up = f" for {duration(one.up)}" if one.up is not None else ""
    text = f"runs{up} without a heartbeat '{prefix}': it never began to work, or its threads died"
    if not located:
        text += f"; no heartbeat at all is from {' or '.join(sorted(map(clean, host.names)))}"
        hint = Advice("if the heartbeats have another hostname, name it", "--alias HOST=HOSTNAME")
        return made(one.name, Verdict.CRITICAL, "no-heartbeat", text, one=one, advice=(hint,))
    return _bad(one, host, Verdict.CRITICAL, "no-heartbeat", text)


def _flapping(one: Managed, host: RucioHost, settled: bool) -> Finding | None:
    if one.restarts < RESTARTS or one.up is None or one.up > _RECENT:
        return None
    text = f"was restarted {count(one.restarts, 'time')}, the last time {duration(one.up)} ago"
    if one.manager == "supervisord":
        times = count(one.restarts, "time")
        text = f"ended {times} in ten minutes, and runs for {duration(one.up)} now"
    # systemd's number is that of all restarts since the boot, which may be those of a year.
    good = one.manager == "systemd" and settled
    verdict = Verdict.CRITICAL if one.up < START_GRACE and not good else Verdict.WARNING
    return _bad(one, host, verdict, "flapping", text, advice=LOGS)


def _bad(
    one: Managed, host: RucioHost, verdict: Verdict, code: str, text: str, advice: Advice = RESTART
) -> Finding:
    command = advice.command.format(unit=one.unit, host=host.name)
    if one.manager == "supervisord":
        verb = "restart" if advice is RESTART else "tail"
        command = f"supervisorctl {verb} {one.unit}"
    return made(one.name, verdict, code, text, one=one, advice=(Advice(advice.text, command),))


def _with_causes(pairs: Sequence[tuple[Managed, Finding]], host: RucioHost) -> list[Finding]:
    """Return the findings with those that have one cause under it."""
    findings = [finding for _, finding in pairs]
    live = [one for one in host.managed if one.wanted]
    dead = [one for one in live if not one.running and one.exit_code == 1]
    # Some may be seen in the seconds for which they run until they end once more.
    begun = [one for one, finding in pairs if one.wanted and _has_begun_again(one, finding)]
    if dead and len(live) >= 2 and len(dead) + len(begun) == len(live):
        text = (f"all {len(live)} daemons of the host end with exit code 1 as soon as they start: "
                "one cause, such as a database whose schema is not that of the code, a database "
                "that does not answer, or no rucio.cfg")  # fmt: skip
        advice = Advice("read why one of them ends", f"journalctl -u '{dead[0].unit}' -n 50")
        cause = made("startup", Verdict.CRITICAL, "all-fail-at-start", text, advice=(advice,))
        return [cause, *(_because(finding, "startup") for finding in findings)]
    again = sorted(
        (one.up, one.unit) for one in live
        if one.running and one.restarts and one.up is not None and one.up <= _RECENT
    )  # fmt: skip
    if len(again) < 2 or 2 * len(again) < len(live) or again[-1][0] - again[0][0] > _TOGETHER:
        return findings
    text = (f"{len(again)} of {count(len(live), 'daemon')} were restarted within a minute, "
            f"{duration(again[0][0])} ago: the database was away for them")  # fmt: skip
    cause = made("database", Verdict.WARNING, "restarted-together", text)
    units = {unit for _, unit in again}
    return [cause, *(
        _because(finding, "database") if one.unit in units else finding for one, finding in pairs
    )]  # fmt: skip


def _has_begun_again(one: Managed, finding: Finding) -> bool:
    young = one.up is not None and one.up < START_GRACE
    return one.running and young and one.restarts > 0 and finding.code != "working"


def _because(finding: Finding, cause: str) -> Finding:
    return replace(finding, because=cause) if finding.verdict is not Verdict.OK else finding


def _distinct(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Return the findings under names of which no two are equal, as reports tell them apart."""
    seen: Counter[str] = Counter()
    result = []
    for finding in findings:
        seen[finding.name] += 1
        number = seen[finding.name]
        result.append(replace(finding, name=f"{finding.name} #{number}") if number > 1 else finding)
    return tuple(result)
