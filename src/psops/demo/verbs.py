"""The methods of the demo manager that change something, as a table.

Authority: org.freedesktop.systemd1(5); order of signals and error texts of systemd 252.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from psops.demo import jobs, matches, unitfiles
from psops.demo.machine import Job
from psops.demo.method import ERROR, SYSTEMD, Caller, Method, load, loaded
from psops.demo.profile import Unit
from psops.demo.schema import CGROUP_TYPES, MANAGER
from psops.errors import BusError
from psops.systemd.codec import SIGNAL, Message
from psops.systemd.names import unit_path

_MANAGER_PATH = "/org/freedesktop/systemd1"

#: Method -> the job type that it stands for.
_JOB_METHODS: Mapping[str, str] = {
    "StartUnit": "start",
    "StopUnit": "stop",
    "ReloadUnit": "reload",
    "RestartUnit": "restart",
    "TryRestartUnit": "try-restart",
    "ReloadOrRestartUnit": "reload-or-restart",
    "ReloadOrTryRestartUnit": "reload-or-try-restart",
}
#: Whom a signal is for -> whether there must be a process, and which.
_WHOM: Mapping[str, tuple[bool, str]] = {
    "": (False, "all"), "all": (False, "all"), "all-fail": (True, "all"),
    "main": (True, "main"), "main-fail": (True, "main"),
    "control": (True, "control"), "control-fail": (True, "control"),
}  # fmt: skip
_LAST_SIGNAL = 64


def _queue(caller: Caller, name: str, word: str, mode: str) -> tuple[Job, tuple[Job, ...]]:
    """Do a job and those that come with it; their signals go around the reply."""
    machine = caller.machine
    planned = jobs.plan(machine.profile, load(machine.profile, name), word, mode)
    done = machine.do(planned)
    anchor = next(job for job in done if job.unit == planned.anchor)
    affected = tuple(job for job in done if job is not anchor)
    # systemd forces out the news of the job that was asked for, the others wait their turn.
    caller.signal(_manager_signal("JobNew", "uos", _new(anchor)), before=True)
    for job in affected:
        caller.signal(_manager_signal("JobNew", "uos", _new(job)))
    for job in done:
        body = (job.number, job.path, job.unit, job.result)
        caller.signal(_manager_signal("JobRemoved", "uoss", body))
    return anchor, affected


def _manager_signal(member: str, signature: str, body: tuple[Any, ...]) -> Message:
    return Message(SIGNAL, path=_MANAGER_PATH, interface=MANAGER, member=member,
                   signature=signature, body=body)  # fmt: skip


def _new(job: Job) -> tuple[Any, ...]:
    return (job.number, job.path, job.unit)


def _told(job: Job) -> tuple[Any, ...]:
    return (job.number, job.path, job.unit, unit_path(job.unit), job.type)


def _job_method(word: str, caller: Caller, name: str, mode: str) -> tuple[Any, ...]:
    anchor, _ = _queue(caller, name, word, mode)
    return (anchor.path,)


def _enqueue(caller: Caller, name: str, word: str, mode: str) -> tuple[Any, ...]:
    anchor, affected = _queue(caller, name, word, mode)
    return (*_told(anchor), [_told(job) for job in affected])


def _kill(caller: Caller, name: str, whom: str, number: int) -> tuple[Any, ...]:
    unit = loaded(caller.machine.profile, name)
    if whom not in _WHOM:
        raise BusError(ERROR + "InvalidArgs", f"Invalid who argument: {whom}")
    if not 0 < number <= _LAST_SIGNAL:
        raise BusError(ERROR + "InvalidArgs", "Signal number out of range.")
    if unit.type not in CGROUP_TYPES:
        raise BusError(ERROR + "NotSupported", "Operation not supported")
    _check_processes(unit, *_WHOM[whom])
    caller.machine.kill(unit, number)
    return ()


def _check_processes(unit: Unit, must: bool, which: str) -> None:
    there = which != "control" and unit.active == "active" and bool(unit.processes)
    if which == "main" and unit.sysv:  # systemd does not know which of them it is
        there = False
    if there or not must:
        return
    text = f"No {which} process to kill" if which != "all" else "No matching processes to kill"
    if which == "main" and unit.type != "service":
        text = f"{unit.type} units have no main processes"
    raise BusError(SYSTEMD + ".NoSuchProcess", text)


def _reset_failed(caller: Caller, name: str) -> tuple[Any, ...]:
    caller.machine.reset_failed(loaded(caller.machine.profile, name))
    return ()


def _reset_all_failed(caller: Caller) -> tuple[Any, ...]:
    for unit in caller.machine.profile.units.values():
        caller.machine.reset_failed(unit)
    return ()


def _reload(caller: Caller) -> tuple[Any, ...]:
    caller.machine.profile = unitfiles.reload(caller.machine.profile)
    return ()


def _files(
    verb: str, caller: Caller, names: tuple[str, ...], runtime: bool, force: bool = False
) -> tuple[Any, ...]:
    done = unitfiles.change(caller.machine.profile, verb, names, runtime=runtime, force=force)
    caller.machine.change(*done.units)
    changes = list(done.changes)
    return (done.installable, changes) if verb in _TELLING else (changes,)


#: Verbs whose replies say whether the files have something to install.
_TELLING = frozenset({"enable", "reenable"})


def _file_method(verb: str, takes: str) -> Method:
    gives = "ba(sss)" if verb in _TELLING else "a(sss)"
    return Method(takes, gives, partial(_files, verb), changes=True)


def _subscribe(caller: Caller) -> tuple[Any, ...]:
    if caller.subscribed:
        raise BusError(SYSTEMD + ".AlreadySubscribed", "Client is already subscribed.")
    caller.subscribed = True
    return ()


def _unsubscribe(caller: Caller) -> tuple[Any, ...]:
    if not caller.subscribed:
        raise BusError(SYSTEMD + ".NotSubscribed", "Client is not subscribed.")
    caller.subscribed = False
    return ()


def _add_match(caller: Caller, rule: str) -> tuple[Any, ...]:
    caller.matches += (matches.parse(rule),)
    return ()


def _remove_match(caller: Caller, rule: str) -> tuple[Any, ...]:
    left = list(caller.matches)
    try:
        left.remove(matches.parse(rule))
    except ValueError:
        text = "The given match rule wasn't found and can't be removed"
        raise BusError(ERROR + "MatchRuleNotFound", text) from None
    caller.matches = tuple(left)
    return ()


def _changing(takes: str, gives: str, answer: Callable[..., tuple[Any, ...]]) -> Method:
    return Method(takes, gives, answer, changes=True)


#: What the bus itself offers.
BUS_METHODS: Mapping[str, Method] = {
    "AddMatch": _changing("s", "", _add_match),
    "RemoveMatch": _changing("s", "", _remove_match),
}
MANAGER_METHODS: Mapping[str, Method] = {
    **{
        member: _changing("ss", "o", partial(_job_method, word))
        for member, word in _JOB_METHODS.items()
    },
    "EnqueueUnitJob": _changing("sss", "uososa(uosos)", _enqueue),
    "KillUnit": _changing("ssi", "", _kill),
    "ResetFailedUnit": _changing("s", "", _reset_failed),
    "ResetFailed": _changing("", "", _reset_all_failed),
    "Subscribe": _changing("", "", _subscribe),
    "Unsubscribe": _changing("", "", _unsubscribe),
    "Reload": _changing("", "", _reload),
    "EnableUnitFiles": _file_method("enable", "asbb"),
    "ReenableUnitFiles": _file_method("reenable", "asbb"),
    "DisableUnitFiles": _file_method("disable", "asb"),
    "MaskUnitFiles": _file_method("mask", "asbb"),
    "UnmaskUnitFiles": _file_method("unmask", "asb"),
}
