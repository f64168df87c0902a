"""Whether units of Rucio's daemons are made so that the daemons survive; pure.

The rules follow from what the daemons do (Rucio 41.5.1, lib/rucio/daemons/ and core/monitor.py);
the settings are those of systemd.service(5) and systemd.unit(5).
"""

import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from psops.report.text import clean, duration
from psops.rucio.judge_process import made
from psops.rucio.unitfile import DEAF
from psops.verdict import Advice, Finding, Verdict

_LEAST_STOP = 60.0
_RESTART_SEC = (5.0, 30.0)
#: Nothing outlives a stop: the second one signals the main process alone, and then kills all.
_KILL_MODES = ("control-group", "mixed")
_NOTIFYING = ("notify", "notify-reload")
_BAD = Verdict.CRITICAL
#: So many are named in a sentence.
_MOST_NAMED = 4


class Misplaced(NamedTuple):
    """A setting in a section where systemd ignores it, the one it belongs to, and `file:line`."""

    name: str
    section: str
    right: str
    place: str


class Fault(NamedTuple):
    """A rule that a unit breaks: its id, what is so with `file:line`, and what to do."""

    code: str
    verdict: Verdict
    text: str
    remedy: str
    command: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The settings of one unit that matter, from wherever they were read. Times in seconds."""

    unit: str
    #: "" for the template of all daemons.
    daemon: str
    kind: str
    restart: str
    restart_sec: float
    start_limit_interval: float
    start_limit_burst: int
    #: None waits for ever.
    timeout_stop: float | None
    kill_mode: str
    watchdog: float
    unbuffered: bool
    #: Whether it is made to end after one cycle, as a timer's.
    once: bool = False
    #: Whether a container manager is what it starts.
    contained: bool = False
    #: Its rucio.cfg, "" for the usual one of the host.
    config: str = ""
    #: Its file, and setting -> `file:line` of the line that counts, where they are known.
    file: str = ""
    places: Mapping[str, str] = field(default_factory=dict)
    misplaced: tuple[Misplaced, ...] = ()
    #: Whether its files were changed since the manager read them.
    changed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Metrics:
    """What a rucio.cfg says in [monitor]."""

    enabled: bool
    port: int


def lint(
    policies: Sequence[Policy], metrics: Mapping[str, Metrics] | None = None
) -> tuple[Finding, ...]:
    """Return a finding for each rule that units break, and one for each sound unit.

    Instances of a template break a rule together, by the same line. `metrics` has what the
    rucio.cfg of each `config` says, as far as it could be read.
    """
    broken: dict[Fault, list[Policy]] = {}
    sound = []
    for one in policies:
        faults = [fault for rule in _RULES for fault in rule(one)]
        for fault in faults:
            broken.setdefault(fault, []).append(one)
        if not faults:
            sound.append(_sound(one))
    found = [_finding(fault, users) for fault, users in broken.items()]
    told = (*_distinct(found), *sound, *_clashes(policies, metrics or {}))
    return tuple(replace(one, kind="check") for one in told)


def _finding(fault: Fault, users: Sequence[Policy]) -> Finding:
    units = [one.unit for one in users]
    name, text = units[0], fault.text
    if len(units) > 1:
        templates = {re.sub(r"@[^@]*\.", "@.", unit) for unit in units}
        name = templates.pop() if len(templates) == 1 else f"{len(units)} units"
        text += f"; it is so for {len(units)} units: {_named(units)}"
    advice = (Advice(fault.remedy, fault.command),)
    return made(f"{name} {fault.code}", fault.verdict, fault.code, text, advice=advice)


def _distinct(findings: Sequence[Finding]) -> Iterator[Finding]:
    """Yield the findings under names of which no two are equal, as reports tell them apart."""
    seen: Counter[str] = Counter()
    for one in findings:
        seen[one.name] += 1
        yield replace(one, name=f"{one.name} #{seen[one.name]}") if seen[one.name] > 1 else one


def _named(units: Sequence[str]) -> str:
    shown = ", ".join(clean(unit.removesuffix(".service")) for unit in units[:_MOST_NAMED])
    return f"{shown} and {len(units) - _MOST_NAMED} more" if len(units) > _MOST_NAMED else shown


def _restart(one: Policy) -> Iterator[Fault]:
    if one.once:
        return
    if one.restart != "always":
        text = (f"Restart={clean(one.restart or 'no')}: the daemon exits with code 0 when its "
                "database is away, and is never started again")  # fmt: skip
        yield _made(one, "restart", "Restart", text, "set Restart=always in [Service]", _BAD)
        return
    least, most = _RESTART_SEC
    if least <= one.restart_sec <= most:
        return
    why = "a database that comes back is met by all daemons at once, over and over"
    if one.restart_sec > most:
        why = "the daemon stays away for longer than need be"
    text = f"RestartSec={_shown(one.restart_sec)} is not from {least:g} to {most:g} s: {why}"
    yield _made(one, "restart-sec", "RestartSec", text, "set RestartSec=10 in [Service]")


def _start_limit(one: Policy) -> Iterator[Fault]:
    if one.once or one.start_limit_interval <= 0 or one.start_limit_burst <= 0:
        return
    # With a pause between restarts that is long enough the limit is never met.
    if one.start_limit_burst * one.restart_sec > one.start_limit_interval:
        return
    text = (f"StartLimitIntervalSec={_shown(one.start_limit_interval)} with StartLimitBurst="
            f"{one.start_limit_burst}: systemd gives it up while its database is away")  # fmt: skip
    remedy = "set StartLimitIntervalSec=0 in [Unit]"
    yield _made(one, "start-limit", "StartLimitIntervalSec", text, remedy, _BAD)


def _stop(one: Policy) -> Iterator[Fault]:
    if one.kill_mode not in _KILL_MODES:
        text = (f"KillMode={clean(one.kill_mode)}: a stop can leave processes behind, which "
                "work on beside the next ones")  # fmt: skip
        remedy = "set KillMode=control-group in [Service]"
        yield _made(one, "kill-mode", "KillMode", text, remedy, _BAD)
    text = f"TimeoutStopSec={_shown(one.timeout_stop)}"
    if one.daemon in DEAF:
        if one.timeout_stop is None or one.timeout_stop > _LEAST_STOP:
            text += f": {one.daemon} heeds no SIGTERM, so that each stop takes all of it"
            remedy = "set TimeoutStopSec=10 in [Service]"
            yield _made(one, "timeout-stop", "TimeoutStopSec", text, remedy)
    elif one.timeout_stop is not None and one.timeout_stop < _LEAST_STOP:
        text += f" is less than {_LEAST_STOP:g} s: a daemon is killed in the middle of its work"
        remedy = "set TimeoutStopSec=120 in [Service]"
        yield _made(one, "timeout-stop", "TimeoutStopSec", text, remedy)


def _type(one: Policy) -> Iterator[Fault]:
    if one.once or one.contained:  # podman notifies systemd for it
        return
    if one.kind not in ("exec", "simple", ""):
        text = f"Type={clean(one.kind)}: Rucio's daemons stay in the foreground"
        if one.kind in _NOTIFYING:
            text = f"Type={clean(one.kind)}: Rucio does not notify systemd, and is never up"
        yield _made(one, "type", "Type", text, "set Type=exec in [Service]", _BAD)
    if one.watchdog > 0:
        text = f"WatchdogSec={_shown(one.watchdog)}: Rucio does not notify systemd, and is killed"
        yield _made(one, "watchdog", "WatchdogSec", text, "leave WatchdogSec= out", _BAD)


def _output(one: Policy) -> Iterator[Fault]:
    if not one.unbuffered:
        text = "Python buffers what the daemon prints, so that it comes late into the journal"
        remedy = "set Environment=PYTHONUNBUFFERED=1 in [Service]"
        yield _made(one, "buffered", "Environment", text, remedy)


def _sections(one: Policy) -> Iterator[Fault]:
    for name, section, right, place in one.misplaced:
        where = f"in [{clean(section)}]" if section else "before any section"
        text = f"{place}: {name}= stands {where}, where systemd ignores it"
        yield Fault("ignored", Verdict.WARNING, clean(text), f"move it to [{right}]")


def _reload(one: Policy) -> Iterator[Fault]:
    if one.changed:
        text = f"{one.file}: it, or a drop-in, was changed, and systemd goes by what was before"
        remedy = "let systemd read it again"
        yield Fault("changed", Verdict.WARNING, clean(text), remedy, "psops daemon-reload")


_RULES = (_restart, _start_limit, _stop, _type, _output, _sections, _reload)


def _clashes(policies: Sequence[Policy], metrics: Mapping[str, Metrics]) -> list[Finding]:
    """Return which units want the same port; the second of them dies at its start with code 1."""
    ports: dict[int, list[Policy]] = {}
    for one in policies:
        told = metrics.get(one.config)
        if told is not None and told.enabled:
            ports.setdefault(told.port, []).append(one)
    found = []
    for port, users in sorted(ports.items()):
        if len(users) < 2:
            continue
        text = (f"{len(users)} units have metrics_port {port}, and only the first that starts gets "
                f"it: {_named([one.unit for one in users])}")  # fmt: skip
        advice = Advice("give each a rucio.cfg of its own by RUCIO_CONFIG, or switch metrics off")
        found.append(
            made(f"metrics_port {port}", Verdict.CRITICAL, "metrics-port", text, advice=(advice,))
        )
    return found


def _sound(one: Policy) -> Finding:
    text = f"Restart=always after {_shown(one.restart_sec)}, no limit that it could meet"
    if one.once:
        text = "ends after one cycle, and need not be started again"
    return made(one.unit, Verdict.OK, "sound", text)


def _made(
    one: Policy, code: str, setting: str, text: str, remedy: str, verdict: Verdict = Verdict.WARNING
) -> Fault:
    # Where nothing sets it, the default counts.
    place = one.places.get(setting, one.file)
    text = f"{clean(place)}: {text}" if place else text
    return Fault(code, verdict, text, f"{remedy}, as psops does", "psops unit write rucio")


def _shown(seconds: float | None) -> str:
    if seconds is None or seconds == math.inf:
        return "infinity"
    return f"{seconds:g} s" if seconds < 60 else duration(seconds)
