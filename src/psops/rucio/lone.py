"""Daemons that no service manager owns, or that are not there at all, and heartbeats of
processes that are gone; pure."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from psops.catalogue.entry import Severity
from psops.catalogue.version import is_within
from psops.report.text import clean, count, duration
from psops.rucio.arguments import daemon_of, is_wrapper
from psops.rucio.expect import PURGED_AFTER, Rule, expectation, freshness
from psops.rucio.judge_process import made
from psops.rucio.located import Located, is_later, is_of_this_run
from psops.rucio.model import Process, RucioHost
from psops.verdict import Advice, Finding, Verdict

#: So many are named in a sentence.
_MOST_NAMED = 8
_MISSING = {Severity.REQUIRED: Verdict.CRITICAL, Severity.RECOMMENDED: Verdict.WARNING}


class Lone(NamedTuple):
    """What is nobody's on a host."""

    #: Daemon -> the processes that no manager owns, with the number of their heartbeats.
    living: dict[str, dict[int, int]]
    #: Heartbeats of processes that are gone.
    left: list[Located]


def find_lone(host: RucioHost, located: Sequence[Located], rules: Mapping[str, Rule]) -> Lone:
    """Return the processes of daemons that nobody owns, and the heartbeats that nobody renews."""
    there = {one.pid: one for one in host.processes or ()}
    living: dict[str, dict[int, int]] = {}
    left: list[Located] = []
    for item in located:
        pid = item.row.pid
        owners = [one for one in host.managed if one.fits(item.rule.name, pid)]
        if any(is_of_this_run(item.row, one, host.lag) for one in owners):
            continue
        if is_later(item.row, host):
            continue
        alive = item.row.age <= freshness(_sleep_of(item, there.get(pid))).ok
        if owners:
            alive = False  # its number has gone to another process
        elif host.processes is not None:
            alive = pid in there
        if alive:
            pids = living.setdefault(item.rule.name, {})
            pids[pid] = pids.get(pid, 0) + 1
        else:
            left.append(item)
    for pid, process in there.items():
        name = daemon_of(process.argv, tuple(rules))
        unseen = not any(pid in pids for pids in living.values())
        if pid not in host.owned and name and unseen and not _waits(process, host):
            living.setdefault(name, {})[pid] = 0
    kept = {
        daemon: {pid: beats for pid, beats in sorted(pids.items())
                 if not _is_lawful(there.get(pid), rules[daemon], host)}
        for daemon, pids in sorted(living.items())
    }  # fmt: skip
    return Lone({daemon: pids for daemon, pids in kept.items() if pids}, left)


def _is_lawful(process: Process | None, rule: Rule, host: RucioHost) -> bool:
    if process is None:
        return False
    if expectation(rule, process.argv).once:
        return True  # by cron or by hand, and gone soon
    # Whose child it is cannot be told as long as supervisord does not answer.
    return host.supervisord_unread is not None and "supervisor" in process.cgroup


def _waits(process: Process, host: RucioHost) -> bool:
    """Return whether a shell or the like only waits for the daemon that it started."""
    return is_wrapper(process.argv) and len(host.processes or ()) > 1


def _sleep_of(item: Located, process: Process | None) -> float:
    argv = process.argv if process is not None else ()
    return expectation(item.rule, argv).sleep[item.prefix]


def judge_lone(
    host: RucioHost, located: Sequence[Located] | None, rules: Mapping[str, Rule]
) -> list[Finding]:
    """Return a finding for each daemon with processes that nobody owns, and one for the rest.

    No heartbeats: they were not read.
    """
    living, left = find_lone(host, located or (), rules)
    findings = [
        _nobodys(host, daemon, pids, located is not None) for daemon, pids in living.items()
    ]
    return [*findings, _left(left)] if left else findings


def judge_missing(
    host: RucioHost,
    located: Sequence[Located],
    rules: Mapping[str, Rule],
    listed: Mapping[str, Severity],
) -> list[Finding]:
    """Return a finding for each daemon that must be on the host and of which nothing is there."""
    if host.supervisord_unread is not None:
        return []  # it may have them
    there = {one.daemon for one in host.managed} | set(find_lone(host, located, rules).living)
    found = []
    for name, severity in sorted(listed.items()):
        rule, verdict = rules.get(name), _MISSING.get(severity)
        if rule is None or verdict is None or name in there:
            continue
        if is_within(host.version or None, rule.since, rule.until):
            text = "has no unit, and its bundle is given to this host"
            advice = Advice("give it one and enable it", f"psops unit write rucio {name}")
            found.append(made(name, verdict, "no-unit", text, advice=(advice,)))
    return found


def name_of_lone(daemon: str, host: RucioHost) -> tuple[str, str]:
    """Return name and code of the finding on processes of a daemon that nobody owns."""
    code = "orphan" if any(one.daemon == daemon for one in host.managed) else "stray"
    return f"{daemon} {code}", code


def _nobodys(host: RucioHost, daemon: str, pids: Mapping[int, int], read: bool) -> Finding:
    name, code = name_of_lone(daemon, host)
    number = sum(pids.values())
    beats = f" with {count(number, 'heartbeat') if number else 'no heartbeat'}" if read else ""
    text = f"process {next(iter(pids))} works"
    them = "it"
    if len(pids) > 1:
        text, them = f"processes {' and '.join(map(str, pids))} work", "them"
    own = [one for one in host.managed if one.daemon == daemon]
    if not own:
        text += f"{beats}, and no unit of this host runs {daemon}"
        advice = Advice(f"end {them}, or give {them} a unit", f"psops unit write rucio {daemon}")
        return made(name, Verdict.WARNING, code, text, advice=(advice,))
    text += f" beside {clean(own[0].unit)}{beats}, and no service manager owns {them}: "
    text += f"nothing stops {them} at an upgrade"
    after = "its managed sibling takes the work over"
    if not any(one.running for one in own):
        text += f", or restarts {them}"
        after = "then start the unit"
    end = Advice(f"end {them}; {after}", f"kill {' '.join(map(str, pids))}  # on {host.name}")
    return made(name, Verdict.WARNING, code, text, advice=(end,))


def _left(left: Sequence[Located]) -> Finding:
    groups: dict[tuple[str, int], float] = {}
    for item in left:
        key = (item.rule.name, item.row.pid)
        groups[key] = min(item.row.age, groups.get(key, item.row.age))
    shown = [
        f"{name} pid {pid} ({duration(age)} old{'' if age <= PURGED_AFTER else ', to be deleted'})"
        for (name, pid), age in sorted(groups.items())
    ]
    more = f" and {len(shown) - _MOST_NAMED} more" if len(shown) > _MOST_NAMED else ""
    text = (f"{count(len(left), 'heartbeat')} of processes that are gone: "
            f"{', '.join(shown[:_MOST_NAMED])}{more}")  # fmt: skip
    return made("left heartbeats", Verdict.OK, "left", text)
