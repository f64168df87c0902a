"""What became of a change, in a sentence with its cause and what to do next; pure.

systemd tells how a job ended; whether the unit is then as it was wanted to be is read from the
unit itself, since a program that dies at once has been started with result `done`.
"""

import re
from collections.abc import Iterable
from dataclasses import replace

from psops.changes import Request, Result, UnitChange
from psops.errors import BusError, PsopsError
from psops.inventory import Host
from psops.plan import Plan, Step
from psops.report.facts import reason, signal_name
from psops.report.model import RUNNING, UnitStatus
from psops.systemd import jobs
from psops.systemd.bus import Reply
from psops.verdict import Advice, HostVerdict, Verdict

#: Codes after which the unit's own last words are worth reading.
LOGGED = frozenset({"failed", "timeout", "died", "crash-loop", "start-limit", "assert"})

#: Result of a service -> how its end is told. {status} is its exit status or signal.
_ENDS: dict[str, str] = {
    "exit-code": "its process exited with status {status}",
    "signal": "its process was killed by signal {status}",
    "core-dump": "its process crashed (signal {status}) and dumped core",
    "timeout": "it took longer than its time-out",
    "watchdog": "it did not report to its watchdog in time",
    "oom-kill": "it was killed for lack of memory",
    "resources": "systemd could not set it up (files, users, limits)",
    "protocol": "it did not tell that it was ready as its Type= wants it",
    "exec-condition": "its ExecCondition= said no",
    "start-limit-hit": "it failed too often in a row, and systemd refuses to start it",
}
_READ_LOG = Advice("read why", "journalctl -u {unit} -n 50")
#: Code -> what to type next.
_ADVICE: dict[str, tuple[Advice, ...]] = {
    "failed": (_READ_LOG,),
    "died": (_READ_LOG,),
    "crash-loop": (_READ_LOG,),
    "timeout": (_READ_LOG,),
    "assert": (_READ_LOG,),
    "start-limit": (Advice("mend the cause, then", "psops reset-failed {unit}"),),
    "dependency": (Advice("see what it needs", "psops status {unit}"),),
    "canceled": (Advice("see what is so now", "psops status {unit}"),),
    "not-seen": (Advice("see what is so now", "psops status {unit}"),),
    "masked": (Advice("if it shall run again", "psops unmask {unit}"),),
    "bad-unit-file": (Advice("see the mistake", "systemd-analyze verify {unit}"),),
    "not-reloaded": (Advice("let it read all of them", "psops daemon-reload"),),
}


def refused(
    request: Request, step: Step, error: BusError, host: Host, before: UnitStatus | None = None
) -> UnitChange:
    """Return the change that systemd answered with an error."""
    code, message = jobs.ERRORS.get(jobs.error_key(error.name), ("refused", ""))
    text = str(error)
    if code == "masked" and step.unit not in text:
        # The unit that is masked may be another one, even that of polkit.
        message = f"cannot be changed: {text.rstrip('.')}"
    elif code == "not-allowed":
        return _not_allowed(step, host)
    elif before is not None and before.active == "failed" and "too quickly" in text:
        code, message = "start-limit", _ENDS["start-limit-hit"]
    elif not message or code in ("refused", "conflict", "destructive", "not-applicable"):
        message = f"{message or 'was refused'}: {text.rstrip('.')}"
    change = _change(step.unit, Result.FAILED, code, message)
    if code == "generated" and request.verb.files:
        return replace(change, message="is made by a generator: it has no file to change")
    return change


def _not_allowed(step: Step, host: Host) -> UnitChange:
    action = jobs.POLKIT_ACTIONS.get(step.kind, jobs.POLKIT_ACTIONS["job"])
    user = f"user {host.user}" if host.user else "this user"
    return UnitChange(
        unit=step.unit, result=Result.FAILED, code="not-allowed",
        message=f"{user} may not do this (polkit action {action}, or no such unit)",
        advice=(
            Advice("log in as root, or let the user run systemd-stdio-bridge by sudo and use",
                   "--sudo"),
            Advice(f"or allow {action} in a polkit rule of the host, "
                   "see polkit(8)"),
        ),
    )  # fmt: skip


def files_changed(
    request: Request, unit: str, changes: tuple[tuple[str, str, str], ...], reply: Reply
) -> UnitChange:
    """Return the change of unit files that systemd reports."""
    if changes:
        lines = [f"{kind} {file}" + (f" → {source}" if source else "")
                 for kind, file, source in changes]  # fmt: skip
        return _change(unit, Result.CHANGED, "", "; ".join(lines))
    carries = reply[0] if not isinstance(reply, BusError) and len(reply) == 2 else True
    if carries is False:
        message = "has no [Install] section, so there is nothing to enable"
        return _change(unit, Result.SKIPPED, "static", message)
    return _change(unit, Result.UNCHANGED, "", f"was {request.verb.past} already")


def still_running(step: Step, seconds: float) -> UnitChange:
    """Return the change whose job is under way for longer than it should."""
    message = f"its job is still under way after {seconds:.0f} s"
    return _change(step.unit, Result.UNKNOWN, "not-seen", message)


def job_ended(request: Request, step: Step, result: str, before: UnitStatus | None) -> UnitChange:
    """Return the change whose job ended, as far as the job's result tells."""
    if result == "done":
        return UnitChange(unit=step.unit, result=Result.CHANGED)
    verb = jobs.VERBS.get(step.job, request.verb)
    limits = before.properties if before is not None else {}
    allowed = limits.get("TimeoutStopUSec" if step.job == "stop" else "TimeoutStartUSec")
    limit = f" ({allowed / 1e6:g} s)" if isinstance(allowed, int) else ""
    sentence = jobs.RESULTS.get(result, f"its job ended as {result}")
    message = sentence.format(verb=verb.name, past=verb.past, limit=limit, unit=step.unit)
    told = Result.SKIPPED if result == "skipped" else Result.FAILED
    return _change(step.unit, told, result, message)


def look(request: Request, planned: Plan, change: UnitChange, after: UnitStatus) -> UnitChange:
    """Return the change as the unit itself shows it when all is done."""
    change = replace(change, after=after)
    step = next((one for one in planned.steps if one.unit == change.unit and one.job), None)
    job = step.job if step is not None else ""
    if change.code in ("failed", "timeout") and job != "stop":
        return _caused(change, after)
    if change.code == "not-attempted" and change.before and _run(change.before) != _run(after):
        return replace(change, message="was changed along with others before its own turn")
    if change.result is not Result.CHANGED or not request.block or not job:
        return change
    if job == "stop":
        return _stopped(change, after)
    if jobs.VERBS[request.job_verb].starts:
        return _started(request, change, after)
    return change


def _caused(change: UnitChange, after: UnitStatus) -> UnitChange:
    """Return a failed start with how the program ended."""
    if after.properties.get("Result") == "start-limit-hit" or _never_ran(change.before, after):
        return _again(change, "start-limit", _ENDS["start-limit-hit"])
    if change.code == "failed" and after.properties.get("Result") == "timeout":
        allowed = after.properties.get("TimeoutStartUSec")
        limit = f" ({allowed / 1e6:g} s)" if isinstance(allowed, int) else ""
        message = jobs.RESULTS["timeout"].format(verb="start", limit=limit)
        return _again(change, "timeout", message)
    told = ending(after)
    return replace(change, message=f"{change.message}: {told}") if told else change


def _never_ran(before: UnitStatus | None, after: UnitStatus) -> bool:
    """Tell whether a failed unit was not even tried: systemd keeps the reason of the last run, and
    only the run's own number tells that there was no other."""
    if before is None or before.active != "failed" or after.active != "failed":
        return False
    number = after.properties.get("InvocationID")
    return bool(number) and number == before.properties.get("InvocationID")


def _started(request: Request, change: UnitChange, after: UnitStatus) -> UnitChange:
    within = f"within {request.settle:g} s" if request.settle else "at once"
    told = ending(after)
    crashed = _restarts(after) > _restarts_before(change.before, after)
    if after.sub == "auto-restart" or (crashed and after.active in (*RUNNING, "activating")):
        why = f": {told}" if told else ""
        return _again(change, "crash-loop", f"started, and crashed {within}{why}")
    if after.active == "failed":
        return _again(change, "died", f"started, and died {within}{': ' + told if told else ''}")
    if after.active == "inactive" and change.before is not None:
        tried = bool(_time(after, "ConditionTimestamp"))  # else it was unloaded meanwhile
        if tried and after.properties.get("ConditionResult") is False:
            message = "was not started: a condition of its unit file is not met"
            return replace(change, result=Result.SKIPPED, code="condition", message=message)
        oneshot = after.properties.get("Type") == "oneshot"
        if oneshot or after.id.endswith((".target", ".socket", ".timer")):
            return replace(change, message="ran, and is finished" if oneshot else "")
        return replace(change, message=f"started, and ended by itself {within}")
    return change


def _restarts_before(before: UnitStatus | None, after: UnitStatus) -> int:
    """Return how often the run was restarted before: a new run begins to count again."""
    number = after.properties.get("InvocationID")
    same = before is not None and bool(number) and before.properties.get("InvocationID") == number
    return _restarts(before) if before is not None and same else 0


def _restarts(unit: UnitStatus) -> int:
    value = unit.properties.get("NRestarts")
    return value if isinstance(value, int) else 0


def _stopped(change: UnitChange, after: UnitStatus) -> UnitChange:
    if after.active in (*RUNNING, "activating"):
        return _again(change, "running", "was stopped, and something started it again")
    if after.active == "failed":
        told = ending(after)
        return replace(change, message=f"stopped, but not cleanly{': ' + told if told else ''}")
    return change


def blame(change: UnitChange, needed: Iterable[UnitStatus]) -> UnitChange:
    """Return a start that failed for a dependency with the name of that."""
    for unit in needed:
        why = reason(unit)
        if unit.active == "failed" or unit.load in ("masked", "not-found", "bad-setting", "error"):
            state = unit.load if unit.load != "loaded" else "failed"
            detail = f" ({why})" if why and why != state else ""
            advice = (Advice("see to that first", f"psops status {unit.id}"),)
            message = f"was not started: it needs {unit.id}, which is {state}{detail}"
            if state == "failed":
                message = f"was not started: it needs {unit.id}, which failed{detail}"
            return replace(change, message=message, advice=advice)
    return change


def waiting(step: Step) -> UnitChange:
    """Return the change of a step that is still to be sent."""
    code = "not-reloaded" if step.kind == "reload" else "not-attempted"
    message = "its turn did not come"
    if step.kind == "reload":
        message = "was not told to read the changed unit files"
    return _change(step.unit, Result.NOT_ATTEMPTED, code, message)


def out_of_sight(change: UnitChange) -> UnitChange:
    """Return the change of a unit whose turn did not come, and which nobody will look at again."""
    message = f"{change.message}, but it may have gone along with others"
    return _again(change, "not-seen", message, Result.UNKNOWN)


def half_done(change: UnitChange) -> UnitChange:
    """Return the change of a unit whose file was changed, and whose job was not queued any more."""
    return _again(change, "lost", "its file was changed, but its job was not queued any more")


def not_seen(step: Step, why: str = "its end was not seen") -> UnitChange:
    """Return the change of a step that was sent, and of which no more is known."""
    code = "not-reloaded" if step.kind == "reload" else "not-seen"
    return replace(_change(step.unit, Result.UNKNOWN, code, why), because=step.because)


def lost(step: Step, first: PsopsError, again: PsopsError | None = None) -> UnitChange:
    """Return a change of which nothing is known, for its connection broke before the answer."""
    told = f", and again: {again.code}: {again}" if again is not None else ""
    return not_seen(step, f"the connection broke ({first.code}){told or ' before the answer'}")


def unwatched(change: UnitChange, lost: PsopsError) -> UnitChange:
    """Return a start that was done, and that nobody could watch afterwards."""
    message = f"was started, but the connection broke ({lost.code}) before it had proved to run"
    return _again(change, "not-seen", message, Result.UNKNOWN)


def job_found(
    step: Step, before: UnitStatus | None, after: UnitStatus, lost: PsopsError, *, queued: bool
) -> UnitChange:
    """Return what became of a job whose connection broke, as the unit tells afterwards.

    `queued` says that systemd had taken the job; else it may never have heard of it.
    """
    note = _read_again(lost)
    change = UnitChange(unit=step.unit, result=Result.CHANGED, before=before, after=after,
                        message=note, because=step.because)  # fmt: skip
    job = after.properties.get("Job")
    if isinstance(job, (list, tuple)) and job and job[0]:
        return _again(change, "not-seen", f"{note}: its job is still under way", Result.UNKNOWN)
    if after.active in ("activating", "deactivating") and after.sub != "auto-restart":
        return _again(change, "not-seen", f"{note}: it is {after.active}", Result.UNKNOWN)
    moved = before is None or _run(before) != _run(after)
    if moved and step.job == "stop" and after.active in ("inactive", "failed"):
        return change
    if moved and (after.active == "failed" or after.sub == "auto-restart"):
        return _again(change, "failed", f"failed to {step.job}")
    if moved:
        return change
    if step.job.startswith("reload"):
        message = f"{note}, which cannot tell whether it has reloaded"
        return _again(change, "not-seen", message, Result.UNKNOWN)
    told = "its job has ended without a trace" if queued else "no job has changed the unit"
    return _as_before(change, lost, told)


def _read_again(lost: PsopsError) -> str:
    return f"the connection broke ({lost.code}); read again over a new one"


def _run(unit: UnitStatus) -> tuple[object, ...]:
    """Return what tells a run of a unit from the one before."""
    stamps = (_time(unit, name) for name in ("ActiveEnterTimestamp", "InactiveEnterTimestamp"))
    return unit.active, unit.properties.get("InvocationID"), *stamps


def file_found(
    request: Request, step: Step, before: UnitStatus | None, state: str, lost: PsopsError
) -> UnitChange:
    """Return what became of a unit file whose connection broke, by the state that it has now."""
    note = _read_again(lost)
    change = UnitChange(unit=step.unit, result=Result.CHANGED, before=before, message=note)
    wanted, is_so = _FILE_STATES[request.verb.name]
    old = str(before.properties.get("UnitFileState") or "") if before is not None else ""
    if state.startswith(wanted) is not is_so:
        return _as_before(change, lost, "the file is as it was before")
    if state == old:  # as after enabling what was enabled
        message = f"{note}: it is {state or 'without a file'}, as it was before"
        return _again(change, "not-seen", message, Result.UNKNOWN)
    return change


#: Verb -> how the state of a unit file begins afterwards, or how it does not.
_FILE_STATES = {
    "enable": ("enabled", True),
    "reenable": ("enabled", True),
    "disable": ("enabled", False),
    "mask": ("masked", True),
    "unmask": ("masked", False),
}


def reset_found(step: Step, after: UnitStatus, lost: PsopsError) -> UnitChange:
    """Return whether a failure was forgotten whose connection broke."""
    note = _read_again(lost)
    change = UnitChange(unit=step.unit, result=Result.CHANGED, after=after, message=note)
    return _as_before(change, lost, "it has failed still") if after.active == "failed" else change


def _as_before(change: UnitChange, lost: PsopsError, told: str) -> UnitChange:
    return _again(change, "lost", f"the connection broke ({lost.code}), and {told}")


def compared(before: HostVerdict, after: HostVerdict) -> tuple[UnitChange, ...]:
    """Return what bundle verify finds now and did not find before, as a change that failed."""
    rank = (Verdict.OK, Verdict.WARNING, Verdict.UNKNOWN, Verdict.CRITICAL)
    known = {finding.name: finding.counts for finding in before.findings}
    found = [
        finding.text for finding in after.findings
        if rank.index(finding.counts) > rank.index(known.get(finding.name, Verdict.OK))
    ]  # fmt: skip
    if not found:
        return ()
    message = f"worse than before: {'; '.join(found)}"
    return (_change(_VERIFY, Result.FAILED, "worse", message),)


def not_compared(why: str) -> tuple[UnitChange, ...]:
    """Return that nobody knows whether a change has made anything worse."""
    message = f"the bundles could not be proved after the change: {why}"
    return (UnitChange(unit=_VERIFY, result=Result.UNKNOWN, code="not-seen", message=message,
                       advice=(Advice("prove them now", "psops bundle verify"),)),)  # fmt: skip


#: Stands for a unit where the change has made the bundles worse.
_VERIFY = "bundle verify"


def ending(unit: UnitStatus) -> str:
    """Return how the last run of a service ended, "" for a good end."""
    result = unit.properties.get("Result")
    if not isinstance(result, str) or result == "success":
        return ""
    status = unit.properties.get("ExecMainStatus")
    killed = result in ("signal", "core-dump")
    text = signal_name(status) if killed else str(status)
    return _ENDS.get(result, f"its result is {result}").format(status=text)


def _change(unit: str, result: Result, code: str, message: str) -> UnitChange:
    return UnitChange(unit=unit, result=result, code=code, message=message,
                      advice=_advice(code, unit))  # fmt: skip


def _again(
    change: UnitChange, code: str, message: str, result: Result = Result.FAILED
) -> UnitChange:
    return replace(change, result=result, code=code, message=message,
                   advice=_advice(code, change.unit))  # fmt: skip


def _advice(code: str, unit: str) -> tuple[Advice, ...]:
    # Names are untrusted: what a shell would act on is not put into a command to type.
    safe = unit if re.fullmatch(r"[A-Za-z0-9:_.@-]+", unit) else f"'{unit}'"
    return tuple(Advice(one.text, one.command.format(unit=safe))
                 for one in _ADVICE.get(code, ()))  # fmt: skip


def _time(unit: UnitStatus | None, name: str) -> int:
    value = unit.properties.get(name) if unit is not None else None
    return value if isinstance(value, int) else 0
