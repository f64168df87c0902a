"""What is wrong with Rucio's daemons beyond a single host; pure."""

from collections.abc import Mapping, Sequence

from psops.report.text import clean, count
from psops.rucio.expect import Rule, freshness
from psops.rucio.judge_process import HEARTBEATS, START_GRACE, made
from psops.rucio.located import Located, locate
from psops.rucio.model import RucioHost
from psops.rucio.source import Rows
from psops.verdict import Advice, Finding, Verdict

_MOST_NAMED = 8


def judge_fleet(
    hosts: Sequence[RucioHost], rows: Rows, rules: Mapping[str, Rule]
) -> tuple[Finding, ...]:
    """Return the findings on all heartbeats and all hosts together, at least one."""
    located = locate(rows.rows, rules)
    fresh = [item for item in located if _is_fresh(item)]
    findings = [
        *_singletons(hosts, fresh, rules), *_releases(hosts), *_elsewhere(hosts, fresh),
        *_odd(rows, located),
    ]  # fmt: skip
    return (_read(hosts, rows, rules), *findings)


def _read(hosts: Sequence[RucioHost], rows: Rows, rules: Mapping[str, Rule]) -> Finding:
    beating = sum(
        one.running and bool(rules[one.daemon].beats) and (one.up or 0) >= START_GRACE
        for host in hosts for one in host.managed if one.daemon in rules
    )  # fmt: skip
    if beating and not rows.rows:
        text = (
            f"there is no heartbeat at all, although {count(beating, 'process')} should have some"
        )
        advice = Advice("is this the catalogue that these daemons work for?")
        return made(HEARTBEATS, Verdict.CRITICAL, "empty", text, advice=(advice,))
    processes = {(row.hostname, row.pid) for row in rows.rows}
    text = f"{count(len(rows.rows), 'heartbeat')} of {count(len(processes), 'process')}"
    return made(HEARTBEATS, Verdict.OK, "read", text)


def _is_fresh(item: Located) -> bool:
    sleep = next(beat.sleep for beat in item.rule.beats if beat.prefix == item.prefix)
    return item.row.age <= freshness(sleep).ok


def _is_gone(item: Located, hosts: Sequence[RucioHost]) -> bool:
    """Return whether the host that a heartbeat is of has no such process any more."""
    return any(
        host.processes is not None and host.has_name(item.row.hostname)
        and not any(one.pid == item.row.pid for one in host.processes)
        and not any(one.fits(item.rule.name, item.row.pid) for one in host.managed)
        for host in hosts
    )  # fmt: skip


def _singletons(
    hosts: Sequence[RucioHost], fresh: Sequence[Located], rules: Mapping[str, Rule]
) -> list[Finding]:
    found = []
    for rule in rules.values():
        if not rule.singleton:
            continue
        places = {
            (one.row.hostname, one.row.pid) for one in fresh
            if one.rule is rule and not _is_gone(one, hosts)
        }  # fmt: skip
        for host in hosts:
            # One that beats is in the list already, under the name it gives its host.
            known = {pid for name, pid in places if host.has_name(name)}
            places |= {
                (host.name, one.pid) for one in host.managed
                if one.daemon == rule.name and one.running
                and not any(one.fits(rule.name, pid) for pid in known)
            }  # fmt: skip
        if len(places) > 1:
            shown = ", ".join(f"{clean(name)} pid {pid}" for name, pid in sorted(places))
            text = f"must run once in an installation, and runs {len(places)} times: "
            advice = Advice("stop all but one of them")
            found.append(
                made(rule.name, Verdict.CRITICAL, "singleton", text + shown, advice=(advice,))
            )
    return found


def _releases(hosts: Sequence[RucioHost]) -> list[Finding]:
    places: dict[str, list[str]] = {}
    for host in hosts:
        if host.version and host.managed:
            places.setdefault(host.version, []).append(host.name)
    if len(places) < 2:
        return []
    shown = "; ".join(
        f"{clean(version)} on {_names(names)}" for version, names in sorted(places.items())
    )
    text = f"the daemons are of {len(places)} releases: {shown}"
    return [made("releases", Verdict.WARNING, "mixed-releases", text)]


def _elsewhere(hosts: Sequence[RucioHost], fresh: Sequence[Located]) -> list[Finding]:
    others: dict[str, set[int]] = {}
    for item in fresh:
        if not any(host.has_name(item.row.hostname) for host in hosts):
            others.setdefault(item.row.hostname, set()).add(item.row.pid)
    if not others:
        return []
    number = sum(len(pids) for pids in others.values())
    text = f"{count(number, 'process')} on hosts that were not asked: {_names(sorted(others))}"
    return [made("other hosts", Verdict.OK, "elsewhere", text)]


def _odd(rows: Rows, located: Sequence[Located]) -> list[Finding]:
    found = []
    known = {item.row.readable for item in located}
    names = sorted({row.readable for row in rows.rows if row.readable not in known})
    if names:
        text = f"{count(len(names), 'name')} of no daemon that psops knows: {_names(names)}"
        found.append(made("unknown names", Verdict.OK, "unknown-name", text))
    if rows.bad:
        text = f"{count(rows.bad, 'heartbeat')} with values that Rucio never writes"
        found.append(made("odd heartbeats", Verdict.WARNING, "odd", text))
    return found


def _names(names: Sequence[str]) -> str:
    shown = [clean(name) or "''" for name in names[:_MOST_NAMED]]
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return ", ".join(shown) + more
