"""What is wrong with a host's daemons: a pure function of what was read.

Every rule here stands for something that systemd alone hides; most come from perfSONAR's
hosts (umbrella units, SysV scripts, PartOf), where they were watched on a real manager.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import NamedTuple

from psops.catalogue import Expected
from psops.catalogue.entry import SUB_STATES, Daemon, Healthy, Need, Rule, Severity
from psops.inventory import Waiver
from psops.report.facts import reason
from psops.report.model import UnitStatus
from psops.systemd.names import is_glob
from psops.verdict import Advice, Finding, Verdict, worst

#: Severity of a daemon -> the verdict when it is not right. What is optional may be absent or
#: stopped, but if it is failed somebody wanted it.
_VERDICTS = {
    Severity.REQUIRED: Verdict.CRITICAL,
    Severity.RECOMMENDED: Verdict.WARNING,
    Severity.OPTIONAL: Verdict.WARNING,
}
#: What an optional daemon may be without a word.
_FINE_IF_OPTIONAL = frozenset({"not-installed", "stopped", "masked"})

#: Unit state -> Code. Sentences have {unit}, {why}, {since} filled in.
SENTENCES: dict[str, str] = {
    "running": "{unit} is {active} ({sub})",
    "starting": "{unit} is starting (activating, {sub})",
    "starting-long": "{unit} has been starting for longer than it may",
    "stopping": "{unit} is stopping",
    "stopped": "{unit} is not running",
    "failed": "{unit} has failed{why}",
    "start-limit": "{unit} failed too often in a row, and systemd refuses to start it{why}",
    "crash-loop": "{unit} crashes and is started again, over and over{why}",
    "died": "{unit} is active, but its process is gone (exited)",
    "wrong-state": "{unit} is active ({sub}), which is not how it works",
    "masked": "{unit} is masked: nothing can start it",
    "bad-unit-file": "systemd cannot use the unit file of {unit} ({load})",
    "not-installed": "{unit} does not exist on this host",
    "several": "more than one of {unit} is up; exactly one should be",
    "conflict": "{unit} runs, and must not: {why}",
    "disabled": "{unit} runs, but will not come up at the next boot ({file_state})",
}

#: Code -> what to type when the catalogue has no better advice.
_ADVICE: dict[str, Advice] = {
    "stopped": Advice("start it", "systemctl start {unit}"),
    "failed": Advice("read why", "journalctl -u {unit} -n 50"),
    "start-limit": Advice("mend the cause, then", "systemctl reset-failed {unit}"),
    "crash-loop": Advice("read why", "journalctl -u {unit} -n 50"),
    "died": Advice("start it again", "systemctl restart {unit}"),
    "wrong-state": Advice("look at it", "systemctl status {unit}"),
    "masked": Advice("if it shall run again", "systemctl unmask {unit}"),
    "bad-unit-file": Advice("see the mistake", "systemd-analyze verify {unit}"),
    "disabled": Advice("let it come up at boot", "systemctl enable {unit}"),
    "starting-long": Advice("see what it waits for", "journalctl -u {unit} -n 50"),
    "several": Advice("stop the one that is not wanted", "systemctl disable --now {unit}"),
    "conflict": Advice("stop it", "systemctl disable --now {unit}"),
}
#: Codes that are as bad as the daemon is important; the others have a verdict of their own.
_OWN_VERDICTS: dict[str, Verdict] = {
    "running": Verdict.OK,
    "starting": Verdict.OK,
    "stopping": Verdict.WARNING,
    "several": Verdict.WARNING,
    "disabled": Verdict.WARNING,
}
#: From the code that says least to the one that says most of why a need is not met.
_TELLING = (
    "running", "starting", "not-installed", "masked", "stopped", "stopping", "wrong-state",
    "died", "bad-unit-file", "starting-long", "crash-loop", "failed", "start-limit",
)  # fmt: skip
#: Values of Restart= with which a crash is followed by a start.
_RESTARTED = ("always", "on-failure", "on-abnormal", "on-abort")
#: systemd's name for a start that it refused.
_START_LIMIT = "start-limit-hit"


@dataclass(frozen=True, slots=True, kw_only=True)
class HostFacts:
    """What was read of one host."""

    #: Status by the name asked for; a name that is not there was not asked for.
    units: Mapping[str, UnitStatus] = field(default_factory=dict)
    #: Status of what each glob matches.
    matches: Mapping[str, tuple[UnitStatus, ...]] = field(default_factory=dict)
    #: Of the files and packages that entries depend on, those that are there.
    files: frozenset[str] = frozenset()
    packages: frozenset[str] = frozenset()
    #: The host's clock, microseconds since the epoch.
    now_us: int = 0


class _Seen(NamedTuple):
    """A unit of a need, and the code for its state."""

    unit: UnitStatus
    code: str


def judge(expected: Iterable[Expected], facts: HostFacts) -> tuple[Finding, ...]:
    """Return a finding for every daemon that is expected on the host, in their order."""
    wanted = [one for one in expected if is_wanted(one.daemon, facts)]
    found = {one.daemon.name: _judge_daemon(one, facts) for one in wanted}
    for one in wanted:
        if one.daemon.inside:
            found[one.daemon.name] = _inside(one, found.get(one.daemon.inside))
    return tuple(_explain(one.daemon, finding, found, facts)
                 for one, finding in zip(wanted, found.values(), strict=True))  # fmt: skip


def problem_units(expected: Iterable[Expected], facts: HostFacts) -> tuple[UnitStatus, ...]:
    """Return the units that need a closer look before they can be judged: all that are not
    plainly healthy, and those whose stop may explain them."""
    units: dict[str, UnitStatus] = {}
    for one in expected:
        for need in one.daemon.needs:
            if _need_is_met(need, facts):
                continue
            for unit in [*candidates(need, facts), *_named(one.daemon.part_of, facts)]:
                units[unit.id] = unit
    return tuple(units.values())


def waive(findings: tuple[Finding, ...], waivers: Iterable[Waiver], today: date) -> tuple[
    tuple[Finding, ...], tuple[str, ...]
]:  # fmt: skip
    """Return the findings with their waivers, and a note for each waiver that has expired."""
    valid: dict[str, Waiver] = {}
    notes: list[str] = []
    for waiver in waivers:
        if waiver.until is not None and waiver.until < today:
            notes.append(
                f"the waiver of {waiver.daemon} ({waiver.reason}) expired on {waiver.until}"
            )
        else:
            valid[waiver.daemon] = waiver
    waived = []
    for finding in findings:
        waiver_ = valid.get(finding.name)
        if waiver_ is None and finding.unit is not None:
            name = finding.unit.id
            waiver_ = valid.get(name) or valid.get(name.removesuffix(".service"))
        bad = finding.verdict is not Verdict.OK
        waived.append(replace(finding, waiver=waiver_) if waiver_ and bad else finding)
    return tuple(waived), tuple(notes)


def is_wanted(daemon: Daemon, facts: HostFacts) -> bool:
    """Tell whether the host has what a daemon depends on."""
    when = daemon.when
    if when.packages and facts.packages.isdisjoint(when.packages):
        return False
    return not (when.files and facts.files.isdisjoint(when.files))


def _judge_daemon(one: Expected, facts: HostFacts) -> Finding:
    worst_first = [_judge_need(one, need, facts) for need in one.daemon.needs]
    worst_first += _conflicts(one, facts)
    if not worst_first:
        return _finding(one, "running", None, text="runs inside of another daemon")
    decided = worst([finding.verdict for finding in worst_first])
    return next(finding for finding in worst_first if finding.verdict is decided)


def _judge_need(one: Expected, need: Need, facts: HostFacts) -> Finding:
    seen = [_Seen(unit, _code(unit, need, one.daemon, facts)) for unit in candidates(need, facts)]
    good = [each for each in seen if each.code in ("running", "starting")]
    names = " or ".join(need.units)
    if not seen:
        return _finding(one, "not-installed", None, unit_name=names)
    if need.rule is Rule.ALL:
        bad = [each for each in seen if each not in good]
        if bad:
            return _told(one, max(bad, key=_telling))
        return _enabled(one, seen)
    if not good:
        there = [each for each in seen if each.code != "not-installed"]
        if not there:
            return _finding(one, "not-installed", None, unit_name=names)
        return _told(one, max(there, key=_telling))
    if need.rule is Rule.ONE and len({each.unit.id for each in good}) > 1:
        both = " and ".join(dict.fromkeys(each.unit.id for each in good))
        return _finding(one, "several", good[-1].unit, unit_name=both)
    return _enabled(one, good)


def _telling(seen: _Seen) -> int:
    return _TELLING.index(seen.code)


def _told(one: Expected, seen: _Seen) -> Finding:
    return _finding(one, seen.code, seen.unit)


def _enabled(one: Expected, good: list[_Seen]) -> Finding:
    """Return the finding for units that are up: fine, unless the next boot will miss them."""
    first = good[0]
    if first.code == "starting":
        return _told(one, first)
    states = [str(each.unit.properties.get("UnitFileState") or "") for each in good]
    fine = any(not state or state in one.daemon.enabled_states for state in states)
    if one.daemon.enabled and not fine:
        return _finding(one, "disabled", first.unit)
    return _told(one, first)


def _need_is_met(need: Need, facts: HostFacts) -> bool:
    units = list(candidates(need, facts))
    healthy = [unit for unit in units if unit.active == "active" and _sub_fits(unit, need.healthy)]
    if need.rule is Rule.ALL:
        return bool(units) and len(healthy) == len(units)
    return bool(healthy)


def candidates(need: Need, facts: HostFacts) -> Iterable[UnitStatus]:
    """Return the units of a need, each real unit once, whatever aliases it was asked by."""
    units: dict[str, UnitStatus] = {}
    for name in need.units:
        found = facts.matches.get(name, ()) if is_glob(name) else _named((name,), facts)
        for unit in found:
            units.setdefault(unit.id, unit)
    return units.values()


def _named(names: Iterable[str], facts: HostFacts) -> list[UnitStatus]:
    return [facts.units[name] for name in names if name in facts.units]


def _sub_fits(unit: UnitStatus, healthy: Iterable[Healthy]) -> bool:
    return any((subs := SUB_STATES[one]) is None or unit.sub in subs for one in healthy)


def _code(unit: UnitStatus, need: Need, daemon: Daemon, facts: HostFacts) -> str:
    """Return the code for the state of one unit."""
    if unit.load == "not-found" and unit.active == "inactive":
        return "not-installed"
    if unit.load in ("bad-setting", "error"):
        return "bad-unit-file"
    if unit.active in ("active", "reloading", "refreshing"):
        if _sub_fits(unit, need.healthy):
            return "running"
        # A SysV script's unit remains active when its daemon has died (RemainAfterExit).
        return "died" if unit.sub == "exited" else "wrong-state"
    if unit.sub == "auto-restart":
        return "crash-loop"
    if unit.active == "activating":
        return _starting(unit, daemon, facts)
    if unit.active == "failed":
        return "start-limit" if _hit_start_limit(unit) else "failed"
    if unit.active == "deactivating":
        return "stopping"
    return "masked" if unit.load == "masked" else "stopped"


def _hit_start_limit(unit: UnitStatus) -> bool:
    """Tell whether systemd gave up starting a unit. Its Result need not say so: it may keep the
    reason of the last crash. But a unit that is always restarted is failed for no other reason."""
    read = unit.properties.get
    restarts = read("NRestarts")
    tried = isinstance(restarts, int) and restarts > 0
    return read("Result") == _START_LIMIT or (read("Restart") in _RESTARTED and tried)


def _starting(unit: UnitStatus, daemon: Daemon, facts: HostFacts) -> str:
    """Return whether a unit that is starting may still be: systemd's own limit is in force,
    so only one without a limit, or one that the catalogue knows better, can take too long."""
    begun = unit.properties.get("InactiveExitTimestamp")
    restarts = unit.properties.get("NRestarts")
    if isinstance(restarts, int) and restarts > 2:
        return "crash-loop"  # caught in the moment between two crashes
    if not daemon.start_grace or not isinstance(begun, int) or not begun:
        return "starting"
    late = facts.now_us - begun > daemon.start_grace * 1_000_000
    return "starting-long" if late else "starting"


def _conflicts(one: Expected, facts: HostFacts) -> list[Finding]:
    found = []
    for conflict in one.daemon.conflicts:
        when = conflict.when
        if when.packages and facts.packages.isdisjoint(when.packages):
            continue
        for unit in _named(conflict.units, facts):
            if unit.active in ("active", "activating", "reloading"):
                sentence = SENTENCES["conflict"].format(unit=unit.id, why=conflict.why)
                found.append(
                    _finding(
                        one._replace(severity=conflict.severity), "conflict", unit, text=sentence
                    )
                )
    return found


def _inside(one: Expected, host: Finding | None) -> Finding:
    """Return the finding for a daemon that runs in another one's processes."""
    name = one.daemon.inside
    if host is None or host.verdict is Verdict.OK or host.code in _OWN_VERDICTS:
        return _finding(one, "running", None, text=f"runs inside of {name}")
    finding = _finding(one, "stopped", None, text=f"runs inside of {name}, which does not run")
    return replace(finding, because=name)


def _explain(
    daemon: Daemon, finding: Finding, found: Mapping[str, Finding], facts: HostFacts
) -> Finding:
    """Return the finding with its cause, where another unit's stop is the cause."""
    if finding.verdict is Verdict.OK or finding.unit is None or finding.code != "stopped":
        return finding
    for cause in _named(daemon.part_of, facts):
        other = next(
            (name for name, one in found.items() if one.unit and one.unit.id == cause.id), cause.id
        )
        stopped = _time(finding.unit, "InactiveEnterTimestamp")
        if cause.active not in ("active", "reloading"):
            return replace(finding, because=other, text=f"{finding.text}: {cause.id} was stopped, "
                           "and it is part of that")  # fmt: skip
        if stopped and stopped <= _time(cause, "ActiveEnterTimestamp"):
            return replace(finding, because=other, text=f"{finding.text}: it went down with "
                           f"{cause.id}, whose start did not bring it back")  # fmt: skip
    return finding


def _time(unit: UnitStatus, name: str) -> int:
    value = unit.properties.get(name)
    return value if isinstance(value, int) else 0


def _finding(
    one: Expected, code: str, unit: UnitStatus | None, *, text: str = "", unit_name: str = ""
) -> Finding:
    daemon = one.daemon
    severity = one.severity
    if code in ("failed", "start-limit", "crash-loop") and daemon.when_failed is not None:
        severity = daemon.when_failed
    verdict = _OWN_VERDICTS.get(code, _VERDICTS[severity])
    if severity is Severity.OPTIONAL and code in _FINE_IF_OPTIONAL:
        verdict = Verdict.OK
    shown = unit_name or (unit.id if unit else daemon.name)
    values = {
        "unit": shown,
        "why": f" ({why})" if (why := reason(unit) if unit else "") else "",
        "active": unit.active if unit else "",
        "sub": unit.sub if unit else "",
        "load": unit.load if unit else "",
        "file_state": str(unit.properties.get("UnitFileState") or "") if unit else "",
    }
    return Finding(
        name=daemon.name,
        verdict=verdict,
        code=code,
        text=text or SENTENCES[code].format(**values),
        bundle=one.bundle,
        purpose=daemon.purpose,
        severity=str(severity),
        unit=unit,
        advice=() if verdict is Verdict.OK else _advice(daemon, code, shown),
    )


#: Codes as the hints of the catalogue name them, beside the codes themselves.
_HINT_NAMES = {
    "stopped": "inactive",
    "start-limit": "failed",
    "died": "exited",
    "crash-loop": "restarting",
    "not-installed": "missing",
}


def _advice(daemon: Daemon, code: str, unit: str) -> tuple[Advice, ...]:
    names = {code, _HINT_NAMES.get(code, code)}
    told = [
        Advice(hint.text, hint.command)
        for hint in daemon.hints
        if not hint.on or not names.isdisjoint(hint.on)
    ]
    if code == "not-installed" and daemon.packages:
        told.append(
            Advice(
                "it comes with the package " + " or ".join(daemon.packages),
                f"psops bundle show --daemon {daemon.name}",
            )
        )
    elif code == "not-installed":
        told.append(Advice("see what it is", f"psops bundle show --daemon {daemon.name}"))
    if code in _ADVICE:
        usual = _ADVICE[code]
        told.append(Advice(usual.text, usual.command.format(unit=unit)))
    return tuple(dict.fromkeys(told))
