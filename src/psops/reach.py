"""The verb `inventory check`: the way to each host step by step, and what one may do there."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from psops import fanout
from psops.client import Client, prepare
from psops.deadline import Deadline
from psops.errors import BusError, HostError, PsopsError
from psops.exits import Exit
from psops.fanout import Outcome
from psops.inventory import Host
from psops.systemd import caller, manager
from psops.systemd.caller import MANAGE_UNITS as MANAGE_UNITS
from psops.transport import Options, connect

#: What a login by ourselves goes through, without and with a jump host.
_DIRECT = ("resolve", "tcp", "ssh", "host-key", "login")
_BEHIND = ("jump", "ssh", "host-key", "login")
#: The steps that every host has.
_LAST = ("bus", "systemd")
#: All steps, in the order in which they are shown; the last two are no part of the way.
STEPS = ("resolve", "tcp", "jump", "ssh", "host-key", "login", "bus", "systemd", "rights", "clock")
#: Where ssh logs in, its error tells how far it came.
_STEP_OF = {
    "name-not-resolved": "resolve", "connect-refused": "tcp", "connect-timed-out": "tcp",
    "banner-timed-out": "ssh", "host-key-unknown": "host-key", "host-key-changed": "host-key",
    "authentication-refused": "login",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Step:
    """A step that was done: how long it took, and what was found."""

    name: str
    seconds: float
    found: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """How far one came on the way to a host; `failed` is the step that did not work, or ""."""

    steps: tuple[Step, ...]
    failed: str = ""
    error: PsopsError | None = None
    version: str = ""
    state: str = ""
    #: The user that the bus takes us for.
    uid: int | None = None
    #: Whether units may be changed; None if that cannot be told, and then why.
    may_change: bool | None = None
    why_unknown: str = ""
    #: Seconds by which the host's clock is ahead of ours, and how far that may be wrong.
    skew: float | None = None
    skew_error: float = 0.0
    synchronized: bool | None = None
    #: Why the clock was not read.
    no_clock: str = ""

    def step(self, name: str) -> Step | None:
        """Return a step that was done."""
        return next((step for step in self.steps if step.name == name), None)

    def clock_is_off(self, limit: float) -> bool:
        """Whether the clock differs by more than the limit for sure."""
        return self.skew is not None and abs(self.skew) - self.skew_error > limit


@dataclass(frozen=True, slots=True, kw_only=True)
class ReachReport:
    """What was found of every host, in the order asked for; `limit` is that of the clock."""

    outcomes: tuple[Outcome[Reach], ...]
    limit: float
    ended: Exit = Exit.OK

    @property
    def exit(self) -> Exit:
        """The exit code: 1 if something is wrong with some hosts, 69 if none was reached."""
        if self.ended is not Exit.OK:
            return self.ended
        failed = [outcome for outcome in self.outcomes if error_of(outcome) is not None]
        if failed and len(failed) == len(self.outcomes):
            return Exit.UNAVAILABLE
        off = any(
            outcome.value is not None and outcome.value.clock_is_off(self.limit)
            for outcome in self.outcomes
        )
        return Exit.SOME_FAILED if failed or off else Exit.OK


def error_of(outcome: Outcome[Reach]) -> PsopsError | None:
    """Return why a host was not reached, None if it was."""
    return outcome.error or (outcome.value.error if outcome.value is not None else None)


def report(
    hosts: Sequence[Host],
    options: Options,
    *,
    clock: bool = True,
    limit: float = 1.0,
    width: int = fanout.DEFAULT_WIDTH,
    progress: Callable[[Outcome[Reach]], None] = lambda outcome: None,
) -> ReachReport:
    """Return how far one comes to each host; `limit` is in seconds, see `Reach.clock_is_off`."""
    prepare(hosts, options)
    if any(host.transport == "ssh" for host in hosts):
        from psops.transport.lean import import_native

        import_native()  # or its time would count as that of a step
    gathered = fanout.gather(
        hosts,
        lambda host: examine(host, options, clock=clock),
        width=width,
        limit=2 * options.connect_timeout + options.timeout,
        progress=progress,
    )
    return ReachReport(outcomes=gathered.outcomes, limit=limit, ended=gathered.ended)


class _Steps:
    """The steps as they are done."""

    def __init__(self) -> None:
        self.done: dict[str, Step] = {}
        self._begun = time.monotonic()

    def __call__(self, name: str, found: str) -> None:
        now = time.monotonic()
        self.done[name] = Step(name, now - self._begun, found)
        self._begun = now


def examine(host: Host, options: Options, *, clock: bool) -> Reach:
    """Return how far one comes to a host; what fails is part of it."""
    steps = _Steps()
    reach = Reach(steps=())
    error: PsopsError | None = None
    try:
        connection = connect(host, replace(options, watch=steps))
        try:
            channel = connection.open_bus()
            try:
                client = Client(channel, Deadline(options.timeout))
                reach = _ask(client, steps, host)
                reach = _rights(client, reach)
                steps("rights", "" if reach.uid is None else f"uid {reach.uid}")
                if clock:
                    reach = _clock(client, reach)
                    steps("clock", reach.no_clock)
            finally:
                channel.close()
        finally:
            connection.close()
    except (HostError, BusError) as exc:
        error = exc
    done = tuple(step for name in STEPS if (step := steps.done.get(name)) is not None)
    reach = replace(reach, steps=done)
    if error is None:
        return reach
    if "systemd" in steps.done:  # the bus went away in the middle of what is extra
        why = str(error)
        return replace(reach, why_unknown=reach.why_unknown or why, no_clock=reach.no_clock or why)
    return replace(reach, failed=_failed(host, options, steps, error), error=error)


def _ask(client: Client, steps: _Steps, host: Host) -> Reach:
    version, state = client.call([
        manager.get_manager_property("Version"),
        manager.get_manager_property("SystemState"),
    ])  # fmt: skip
    if "bus" not in steps.done:
        steps("bus", host.transport)
    reach = Reach(
        steps=(),
        version=str(manager.parse_property(version) or ""),
        state=str(manager.parse_property(state) or "unknown"),
    )
    steps("systemd", reach.version)
    return reach


def _rights(client: Client, reach: Reach) -> Reach:
    """Find out who we are there, and whether units may be changed."""
    uid = caller.parse_user(client.call([caller.get_user(client.name)])[0])
    if uid is None:
        return replace(reach, why_unknown="the bus does not tell who we are")
    if uid == 0:
        return replace(reach, uid=uid, may_change=True)
    (reply,) = client.call([caller.may(client.name, caller.MANAGE_UNITS)])
    if isinstance(reply, BusError) and reply.name.endswith((".ServiceUnknown", ".NameHasNoOwner")):
        return replace(reach, uid=uid, may_change=False)  # without polkit it is root alone
    allowed = caller.parse_may(reply)
    if isinstance(allowed, str):
        return replace(reach, uid=uid, why_unknown=allowed)
    return replace(reach, uid=uid, may_change=allowed)


def _clock(client: Client, reach: Reach) -> Reach:
    """Compare the clocks; asked twice, since the first answer waits until the service runs."""
    found = caller.parse_clock(*client.call(caller.get_clock()))
    if isinstance(found, str):
        return replace(reach, no_clock=found)
    before = time.time()
    found = caller.parse_clock(*client.call(caller.get_clock()))
    after = time.time()
    if isinstance(found, str):
        return replace(reach, no_clock=found)
    return replace(
        reach,
        skew=found.time_us / 1e6 - (before + after) / 2,
        skew_error=(after - before) / 2,
        synchronized=found.synchronized,
    )


def _failed(host: Host, options: Options, steps: _Steps, error: PsopsError) -> str:
    """Return the step that did not work: the first one that was not done."""
    expected: tuple[str, ...] = _LAST
    if host.transport == "openssh":
        return _STEP_OF.get(error.code, "bus")
    if host.transport == "demo":  # a made-up host fails with one of the errors of a real one
        return _STEP_OF.get(error.code, "bus")
    if host.transport == "ssh" and "login" not in steps.done:
        from psops.transport.ssh import look_up, way_to

        try:
            behind = bool(way_to(host, look_up(host, options)))
        except PsopsError:
            return "resolve"
        expected = (*(_BEHIND if behind else _DIRECT), *_LAST)
    return next((name for name in expected if name not in steps.done), "systemd")
