"""Changes of units: the verbs, the calls they are made of, and what systemd answers; pure.

Authority: org.freedesktop.systemd1(5) for methods and results, systemctl(1) for the meaning of
the verbs, and systemd's own src/core/job.c for what a result stands for.
"""

from typing import Any, NamedTuple

from psops.errors import BusError, ProtocolError
from psops.systemd.bus import Call, Reply
from psops.systemd.codec import SIGNAL, Message
from psops.systemd.manager import manager_call
from psops.systemd.signals import OWNER_RULE

_MANAGER = "org.freedesktop.systemd1.Manager"
_BUS = "org.freedesktop.DBus"


class Verb(NamedTuple):
    """One way to change units. A verb has a job, or a method of the manager, or both."""

    name: str
    #: What has been done when it is done.
    past: str
    #: The job type that is queued, and the method for it before systemd 242.
    job: str = ""
    method: str = ""
    #: The method that changes unit files, its arguments after the names, and where in its reply
    #: the list of changes is.
    files: str = ""
    arguments: str = ""
    #: The verb whose job `--now` adds.
    now: str = ""
    #: Whether what others need is left for last.
    backwards: bool = False
    #: Whether the units are to run afterwards.
    starts: bool = False
    help: str = ""


#: `r` stands for --runtime, `f` for force (as systemctl uses it) in the arguments of a method.
VERBS: dict[str, Verb] = {
    verb.name: verb
    for verb in (
        Verb("start", "started", "start", "StartUnit", starts=True, help="Start units."),
        Verb("stop", "stopped", "stop", "StopUnit", backwards=True, help="Stop units."),
        Verb("restart", "restarted", "restart", "RestartUnit", starts=True,
             help="Stop and start units, also those that do not run."),
        Verb("try-restart", "restarted", "try-restart", "TryRestartUnit", starts=True,
             help="Restart the units that are running."),
        Verb("reload", "reloaded", "reload", "ReloadUnit", help="Let units read their "
             "configuration again."),
        Verb("reload-or-restart", "reloaded or restarted", "reload-or-restart",
             "ReloadOrRestartUnit", starts=True,
             help="Reload units, and restart those that cannot reload."),
        Verb("enable", "enabled", files="EnableUnitFiles", arguments="rf", now="start",
             help="Let units come up at boot."),
        Verb("disable", "disabled", files="DisableUnitFiles", arguments="r", now="stop",
             backwards=True, help="Let units no longer come up at boot."),
        Verb("reenable", "enabled again", files="ReenableUnitFiles", arguments="rf", now="restart",
             help="Disable units and enable them as their files say now."),
        Verb("mask", "masked", files="MaskUnitFiles", arguments="rf", now="stop", backwards=True,
             help="Make it impossible to start units."),
        Verb("unmask", "unmasked", files="UnmaskUnitFiles", arguments="r",
             help="Take back what mask has done."),
        Verb("reset-failed", "reset", method="ResetFailedUnit",
             help="Forget that units have failed, and their start limits."),
        Verb("kill", "signalled", method="KillUnit", help="Send a signal to the processes of "
             "units."),
        Verb("daemon-reload", "reloaded", method="Reload",
             help="Let systemd read all unit files again."),
    )
}  # fmt: skip

#: The verbs that end processes: for those, daemons that would start them again end too.
STOPPING = frozenset({"stop", "disable", "mask"})
#: Seconds that systemd may take to read its unit files again, as systemctl allows it.
RELOAD_TIMEOUT = 180.0

#: Result of a job -> what happened. {verb} is the job's own word, {limit} the time it had.
RESULTS: dict[str, str] = {
    "done": "",
    "canceled": "another job took the place of this one before it was done: somebody else "
                "changes {unit} at the same time",
    "timeout": "did not {verb} within its time{limit}",
    "failed": "failed to {verb}",
    "dependency": "was not {past}: something it needs failed",
    "skipped": "there was nothing to {verb} in the state it was in",
    "invalid": "the job did not fit the state of the unit",
    "assert": "an assertion of its unit file does not hold",
    "unsupported": "this system does not support this type of unit",
    "collected": "the unit was unloaded while its job waited",
    "once": "may run only once, and has run",
    "frozen": "is frozen; systemctl thaw {unit}",
    "concurrency": "its slice allows no more units to run at once",
}  # fmt: skip

#: Error of a call -> stable code, and what is so. A name is without its prefix
#: org.freedesktop.systemd1 or org.freedesktop.DBus.Error.
ERRORS: dict[str, tuple[str, str]] = {
    "NoSuchUnit": ("no-such-unit", "does not exist on this host"),
    "FileNotFound": ("no-such-unit", "does not exist on this host"),
    "UnitMasked": ("masked", "is masked: nothing can start it"),
    "LoadFailed": ("bad-unit-file", "has a mistake in its unit file"),
    "BadUnitSetting": ("bad-unit-file", "has a mistake in its unit file"),
    "JobTypeNotApplicable": ("not-applicable", "cannot do this"),
    "OnlyByDependency": ("refused", "refuses to be started or stopped by hand"),
    "TransactionIsDestructive": ("destructive", "would undo a job that is under way"),
    "TransactionJobsConflicting": ("conflict", "needs jobs that contradict each other"),
    "TransactionOrderIsCyclic": ("conflict", "needs units whose order is a circle"),
    "ShuttingDown": ("shutting-down", "cannot change: the host is shutting down"),
    "UnitGenerated": ("generated", "is made by a generator"),
    "UnitLinked": ("linked", "is linked to a file elsewhere"),
    "UnitExists": ("exists", "has a file of its own in /etc/systemd/system, which is in the way"),
    "FileExists": ("exists", "has a file of its own in /etc/systemd/system, which is in the way"),
    "NoSuchProcess": ("no-process", "has no process"),
    "AccessDenied": ("not-allowed", "may not be changed by this user"),
    "InteractiveAuthorizationRequired": ("not-allowed", "may not be changed by this user"),
    "PermissionDenied": ("not-allowed", "may not be changed by this user"),
    "NotSupported": ("not-supported", "does not support this"),
}

#: Kind of change -> the action that polkit decides about.
POLKIT_ACTIONS = {
    "job": "org.freedesktop.systemd1.manage-units",
    "files": "org.freedesktop.systemd1.manage-unit-files",
    "reload": "org.freedesktop.systemd1.reload-daemon",
}

_PREFIXES = ("org.freedesktop.systemd1.", "org.freedesktop.DBus.Error.", "System.Error.")


def error_key(name: str) -> str:
    """Return the name of an error as `ERRORS` has it."""
    for prefix in _PREFIXES:
        name = name.removeprefix(prefix)
    return name


class Queued(NamedTuple):
    """A job that was queued, and the jobs of other units that come with it."""

    path: str
    affected: "tuple[Affected, ...]" = ()


class Affected(NamedTuple):
    """A job of another unit in the same transaction."""

    path: str
    unit: str
    job: str


def subscribe() -> tuple[Call, ...]:
    """Return the calls after which the end of every job is told, and by whom if systemd itself
    begins anew meanwhile: its jobs and we stay with it."""
    rule = f"type='signal',sender='org.freedesktop.systemd1',interface='{_MANAGER}'"
    rules = (OWNER_RULE, f"{rule},member='JobRemoved'")
    matches = (Call(_BUS, "/org/freedesktop/DBus", _BUS, "AddMatch", "s", (one,)) for one in rules)
    return *matches, manager_call("Subscribe")


def keep(unit: str) -> Call:
    """Return the call that keeps a unit in memory for as long as the connection lasts.

    systemd forgets all of a unit that has run and is done, unless something refers to it.
    """
    return manager_call("RefUnit", "s", (unit,))


def enqueue(unit: str, job: str, mode: str) -> Call:
    """Return the call that queues a job and tells all that comes with it."""
    return manager_call("EnqueueUnitJob", "sss", (unit, job, mode))


def needs_older_call(reply: Reply) -> bool:
    """Tell whether the answer to `enqueue` asks for `enqueue_old`: systemd before 242 has no such
    method, and the bus policy of later ones (252 among them) lets none but root call it."""
    return isinstance(reply, BusError) and error_key(reply.name) in (
        "UnknownMethod",
        "AccessDenied",
    )


def enqueue_old(unit: str, verb: Verb, mode: str) -> Call:
    """Return the call that queues a job and tells only of that one."""
    return manager_call(verb.method, "ss", (unit, mode))


def change_files(verb: Verb, unit: str, *, runtime: bool) -> Call:
    """Return the call that enables, disables, masks ... one unit.

    One call a unit, although the method takes many: it does nothing at all if one is wrong.
    """
    signature = "as" + "b" * len(verb.arguments)
    flags = tuple(runtime if letter == "r" else False for letter in verb.arguments)
    return manager_call(verb.files, signature, ((unit,), *flags))


def reset_failed(unit: str) -> Call:
    """Return the call that makes systemd forget a unit's failures."""
    return manager_call("ResetFailedUnit", "s", (unit,))


def kill(unit: str, whom: str, number: int) -> Call:
    """Return the call that sends a signal to the processes of a unit."""
    return manager_call("KillUnit", "ssi", (unit, whom, number))


def reload() -> Call:
    """Return the call that makes systemd read all unit files again."""
    return manager_call("Reload")


def ping() -> Call:
    """Return a call that any bus answers at once."""
    return Call(_BUS, "/org/freedesktop/DBus", "org.freedesktop.DBus.Peer", "Ping")


def parse_queued(values: tuple[Any, ...]) -> Queued:
    """Return the job from the reply to either way to queue one."""
    try:
        if len(values) == 1:
            return Queued(str(values[0]))
        affected = tuple(
            Affected(str(path), str(unit), str(job)) for _, path, unit, _, job in values[5]
        )
        return Queued(str(values[1]), affected)
    except (IndexError, TypeError, ValueError) as exc:
        raise ProtocolError(f"a reply about a job in an unknown form: {exc}") from exc


def parse_changes(values: tuple[Any, ...]) -> tuple[tuple[str, str, str], ...]:
    """Return the changes of unit files (kind, file, source) from the reply of any such method."""
    try:
        return tuple((str(kind), str(file), str(source)) for kind, file, source in values[-1])
    except (IndexError, TypeError, ValueError) as exc:
        raise ProtocolError(f"changes of unit files in an unknown form: {exc}") from exc


def parse_job_removed(message: Message) -> tuple[str, str, str] | None:
    """Return path, unit and result of the job whose end a signal tells, None for others."""
    wanted = (SIGNAL, _MANAGER, "JobRemoved", "uoss")
    if (message.type, message.interface, message.member, message.signature) != wanted:
        return None
    _, path, unit, result = message.body
    return str(path), str(unit), str(result)
