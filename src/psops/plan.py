"""What has to be sent to a host for a change, from what its units are like; pure.

A plan is made of steps. Those about unit files come first and are sent together; jobs follow in
waves, each sent together when the one before is done.
"""

import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from psops.catalogue.entry import ENABLED_STATES
from psops.changes import PlannedCall, Request, Result, UnitChange
from psops.report.model import RUNNING, UnitStatus
from psops.systemd import jobs
from psops.systemd.bus import Call
from psops.systemd.jobs import VERBS
from psops.verdict import Advice

#: Where systemd itself gives a job no time limit (TimeoutStartSec=infinity).
_WITHOUT_LIMIT = 600.0
#: Seconds for a job to wait for its turn and for its end to be told.
_MARGIN = 10.0
#: A unit that went down this close to another one's stop went down with it.
_TOGETHER_US = 5_000_000

#: What is read of each unit beside its row, before and after.
READING = (
    "UnitFileState", "Type", "CanReload", "TimeoutStartUSec", "TimeoutStopUSec", "TimeoutUSec",
    "InvocationID", "NRestarts", "MainPID", "Result", "ExecMainCode", "ExecMainStatus",
    "ConditionResult", "ConditionTimestamp", "ActiveEnterTimestamp", "ActiveExitTimestamp",
    "InactiveEnterTimestamp", "StateChangeTimestamp", "ConsistsOf", "SourcePath", "Names",
)  # fmt: skip


class Step(NamedTuple):
    """One call about one unit. `job` is its type, "" for a change without a job."""

    unit: str
    call: Call
    kind: str
    job: str = ""
    #: The unit that this one is brought back with, or stopped with.
    because: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The steps of one host, and the changes that need none."""

    first: tuple[Step, ...] = ()
    reload: bool = False
    waves: tuple[tuple[Step, ...], ...] = ()
    settled: tuple[UnitChange, ...] = ()

    @property
    def steps(self) -> tuple[Step, ...]:
        """All steps in their order."""
        return (*self.first, *(step for wave in self.waves for step in wave))

    @property
    def units(self) -> tuple[str, ...]:
        """The units that have steps, each once."""
        return tuple(dict.fromkeys(step.unit for step in self.steps))


@dataclass(frozen=True, slots=True, kw_only=True)
class Ordered:
    """The units of a host that a request is about, and which comes after which."""

    units: tuple[UnitStatus, ...]
    #: Unit -> the units that are started before it.
    after: Mapping[str, frozenset[str]]
    #: Unit -> the unit that it is changed along with.
    because: Mapping[str, str]
    #: Whether failures are forgotten first, as for a whole bundle.
    reset: bool = False


def make(request: Request, wanted: Ordered, protected: "frozenset[str]" = frozenset()) -> Plan:
    """Return what to send; `protected` are the units that are changed only by force."""
    verb = request.verb
    first: list[Step] = []
    settled: list[UnitChange] = []
    with_job: list[UnitStatus] = []
    for unit in wanted.units:
        because = wanted.because.get(unit.id, "")
        told = _refusal(request, unit, because, protected)
        steps = len(first) + len(with_job)
        if told is None and not request.job_verb and not verb.files:
            told = _unchanged(verb.name, unit, because)
            if told is None:
                kind = "kill" if verb.name == "kill" else "reset"
                first.append(Step(unit.id, _direct_call(request, unit.id), kind, "", because))
        if told is None and verb.files and not because:
            told = _unchanged(verb.name, unit, because)
            if told is None:
                call = jobs.change_files(verb, unit.id, runtime=request.runtime)
                first.append(Step(unit.id, call, "files"))
        if request.job_verb and (told is None or told.result is not Result.FAILED):
            idle = _unchanged(request.job_verb, unit, because)
            if idle is None:
                with_job.append(unit)
            told = idle
        if told is not None and len(first) + len(with_job) == steps:
            settled.append(told)
    reload = any(step.kind == "files" for step in first)
    if wanted.reset and VERBS.get(request.job_verb, verb).starts:
        failed = [unit.id for unit in with_job if unit.active == "failed"]
        first += [Step(name, jobs.reset_failed(name), "reset") for name in failed]
    return Plan(
        first=tuple(first),
        reload=reload,
        waves=tuple(
            tuple(_job_step(request, unit, wanted.because.get(unit.id, "")) for unit in wave)
            for wave in _waves(request, with_job, wanted.after)
        ),
        settled=tuple(settled),
    )


def _job_step(request: Request, unit: UnitStatus, because: str) -> Step:
    job = VERBS[request.job_verb].job
    return Step(unit.id, jobs.enqueue(unit.id, job, request.mode), "job", job, because)


def _direct_call(request: Request, unit: str) -> Call:
    if request.verb.name == "kill":
        return jobs.kill(unit, request.whom, request.signal)
    return jobs.reset_failed(unit)


def _waves(
    request: Request, units: Sequence[UnitStatus], after: Mapping[str, frozenset[str]]
) -> list[list[UnitStatus]]:
    """Return the units in groups; each comes after the groups with what it needs.

    Where the order is a circle, what is left of it goes together, and systemd decides.
    """
    left = {unit.id: unit for unit in units}
    waves: list[list[UnitStatus]] = []
    while left:
        ready = [unit for name, unit in left.items()
                 if not (after.get(name, frozenset()) - {name}) & left.keys()]  # fmt: skip
        ready = ready or list(left.values())
        waves.append(ready)
        for unit in ready:
            del left[unit.id]
    backwards = VERBS[request.job_verb].backwards if request.job_verb else False
    return waves[::-1] if backwards else waves


def _refusal(
    request: Request, unit: UnitStatus, because: str, protected: frozenset[str]
) -> UnitChange | None:
    """Return the change that will not be made because of what the unit is."""
    if unit.load == "not-found" and unit.active not in RUNNING:
        kind = "no-such-unit"
        return UnitChange(unit=unit.name, result=Result.FAILED, code=kind, before=unit,
                          message=jobs.ERRORS["NoSuchUnit"][1], because=because)  # fmt: skip
    names = {unit.id, unit.name, *_aliases(unit)}
    if protected & names and not request.force & names:
        advice = (Advice("if you mean it", f"--force {shlex.quote(unit.id)}"),)
        return UnitChange(unit=unit.id, result=Result.FAILED, code="protected", before=unit,
                          message="is protected by the inventory", because=because,
                          advice=advice)  # fmt: skip
    return None


def _aliases(unit: UnitStatus) -> tuple[str, ...]:
    names = unit.properties.get("Names")
    return tuple(map(str, names)) if isinstance(names, (list, tuple)) else ()


def _unchanged(verb: str, unit: UnitStatus, because: str) -> UnitChange | None:
    """Return the change that is none, because the unit is already so or can never be."""
    result, code, message, advice = _STATES[verb](unit) if verb in _STATES else _DO
    if result is None:
        return None
    return UnitChange(unit=unit.id, result=result, code=code, message=message, before=unit,
                      after=unit, because=because, advice=advice)  # fmt: skip


class _Told(NamedTuple):
    result: Result | None
    code: str = ""
    message: str = ""
    advice: tuple[Advice, ...] = ()


_DO = _Told(None)


def _is_masked(unit: UnitStatus) -> bool:
    return unit.load == "masked" or unit.properties.get("UnitFileState") in (
        "masked", "masked-runtime",
    )  # fmt: skip


def _start(unit: UnitStatus) -> _Told:
    if unit.active in RUNNING:
        return _Told(Result.UNCHANGED, "", f"is {unit.active} ({unit.sub})")
    return _masked(unit)


def _masked(unit: UnitStatus) -> _Told:
    if _is_masked(unit) and unit.active not in RUNNING:
        advice = (Advice("if it shall run again", f"psops unmask {unit.id}"),)
        return _Told(Result.FAILED, "masked", jobs.ERRORS["UnitMasked"][1], advice)
    return _DO


def _stop(unit: UnitStatus) -> _Told:
    if unit.active in ("inactive", "failed"):
        return _Told(Result.UNCHANGED, "", f"is {unit.active}")
    return _DO


def _try_restart(unit: UnitStatus) -> _Told:
    if unit.active in ("inactive", "failed"):
        return _Told(Result.UNCHANGED, "", f"is {unit.active}, so there is nothing to restart")
    return _DO


def _reload(unit: UnitStatus) -> _Told:
    if unit.active not in (*RUNNING, "activating"):
        return _Told(Result.FAILED, "not-running", f"is {unit.active}: only what runs can reload",
                     (Advice("start it", f"psops start {unit.id}"),))  # fmt: skip
    if unit.properties.get("CanReload") is False:
        return _Told(Result.FAILED, "not-applicable", "cannot reload its configuration",
                     (Advice("restart it", f"psops restart {unit.id}"),))  # fmt: skip
    return _DO


def _file_state(unit: UnitStatus) -> str:
    return str(unit.properties.get("UnitFileState") or "")


def _no_file(unit: UnitStatus, verb: str) -> _Told:
    """Return what is so of units that have no links of their own to make or remove."""
    state = _file_state(unit)
    if state == "generated" and str(unit.properties.get("SourcePath") or "").startswith(
        "/etc/init.d/"
    ):
        return _Told(
            Result.FAILED, "sysv",
            "is an init script: systemd offers no call to enable or disable those",
            (Advice("on the host itself", f"systemctl {verb} {unit.id}"),),
        )  # fmt: skip
    if state in ("generated", "transient"):
        return _Told(Result.FAILED, "generated", f"is {state}: it has no file to {verb}")
    if state == "static":
        return _Told(Result.SKIPPED, "static", "is static: other units start it")
    return _DO


def _enable(unit: UnitStatus) -> _Told:
    if _file_state(unit) == "enabled":
        return _Told(Result.UNCHANGED, "", "is enabled")
    if _is_masked(unit):
        advice = (Advice("first", f"psops unmask {unit.id}"),)
        return _Told(Result.FAILED, "masked", "is masked", advice)
    return _no_file(unit, "enable")


def _disable(unit: UnitStatus) -> _Told:
    if _file_state(unit) in ("disabled", "masked"):
        return _Told(Result.UNCHANGED, "", f"is {_file_state(unit)}")
    return _no_file(unit, "disable")


def _mask(unit: UnitStatus) -> _Told:
    if _file_state(unit) == "masked" or (unit.load == "masked" and not _file_state(unit)):
        return _Told(Result.UNCHANGED, "", "is masked")
    return _DO


def _unmask(unit: UnitStatus) -> _Told:
    return _DO if _is_masked(unit) else _Told(Result.UNCHANGED, "", "is not masked")


def _reset_failed(unit: UnitStatus) -> _Told:
    return _DO if unit.active == "failed" else _Told(Result.UNCHANGED, "", "has not failed")


def _kill(unit: UnitStatus) -> _Told:
    if unit.active in ("inactive", "failed"):
        return _Told(Result.UNCHANGED, "", f"is {unit.active}: there is no process")
    return _DO


#: Verb -> what is so before it.
_STATES = {
    "start": _start,
    "restart": _masked,
    "reload-or-restart": _masked,
    "stop": _stop,
    "try-restart": _try_restart,
    "reload": _reload,
    "enable": _enable,
    "reenable": lambda unit: _no_file(unit, "reenable"),
    "disable": _disable,
    "mask": _mask,
    "unmask": _unmask,
    "reset-failed": _reset_failed,
    "kill": _kill,
}


def parts_of(unit: UnitStatus) -> tuple[str, ...]:
    """Return the units that are stopped whenever this one is."""
    value = unit.properties.get("ConsistsOf")
    return tuple(map(str, value)) if isinstance(value, (list, tuple)) else ()


def left_behind(unit: UnitStatus, part: UnitStatus) -> bool:
    """Tell whether a part went down with a unit, so that the start of the unit must bring it back.

    systemd stops both and starts only one (PartOf= in systemd.unit(5)). A part that somebody
    stopped by itself before, or that is not to come up at boot, is left alone.
    """
    if part.active != "inactive" or part.load != "loaded":
        return False
    if _file_state(part) not in ENABLED_STATES or _file_state(part) == "static":
        return False
    went_down = _time(part, "InactiveEnterTimestamp")
    stopped = _time(unit, "ActiveExitTimestamp")
    if not went_down:  # it never ran: at boot, its unit was not there
        return unit.active not in RUNNING
    came_back = _time(unit, "ActiveEnterTimestamp") if unit.active in RUNNING else 0
    after = went_down >= stopped - _TOGETHER_US
    return after and (not came_back or went_down <= came_back + _TOGETHER_US)


def _time(unit: UnitStatus, name: str) -> int:
    value = unit.properties.get(name)
    return value if isinstance(value, int) else 0


def limit(request: Request, steps: Iterable[Step], units: Mapping[str, UnitStatus]) -> float:
    """Return the seconds after which the end of these jobs is no longer waited for: what the
    units themselves allow, one after the other, since one may wait for the next."""
    total = 0.0
    for step in steps:
        if request.job_timeout is not None:
            return request.job_timeout
        unit = units.get(step.unit)
        for kind, name in (("stop", "TimeoutStopUSec"), ("start", "TimeoutStartUSec")):
            if kind in step.job or (kind, step.job) != ("stop", "start"):
                total += _seconds(unit, name)
    return total + _MARGIN


def _seconds(unit: UnitStatus | None, name: str) -> float:
    properties = unit.properties if unit is not None else {}
    value = properties.get(name, properties.get("TimeoutUSec"))
    if not isinstance(value, int) or not value:  # systemd tells "no limit" as no value
        return _WITHOUT_LIMIT if properties.get("Type") else 90.0
    return float(value) / 1e6


def shown(plan: Plan, verb: str) -> tuple[PlannedCall, ...]:
    """Return the calls of a plan as a dry run shows them."""
    calls = [_shown(step.call, step.because) for step in plan.first]
    if plan.reload or verb == "daemon-reload":
        calls.append(PlannedCall("Reload", (), "if files were changed" if plan.reload else ""))
    calls += [_shown(step.call, step.because) for wave in plan.waves for step in wave]
    return tuple(calls)


def _shown(call: Call, because: str) -> PlannedCall:
    words = tuple(
        " ".join(value) if isinstance(value, tuple) else str(value).lower()
        if isinstance(value, bool) else str(value)
        for value in call.body
    )  # fmt: skip
    return PlannedCall(call.member, words, f"together with {because}" if because else "")
