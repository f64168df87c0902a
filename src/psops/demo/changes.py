"""What becomes of a demo unit that is started, stopped or killed: a unit to a unit, pure.

Authority: systemd.service(5), and the states that systemd 252 leaves behind.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from psops.demo import properties
from psops.demo.numbers import Moment
from psops.demo.profile import STATES, History, Unit

#: How long a program runs that ends by itself, or cannot do what it is for.
_BRIEF = 30_000
_KILLED = 2  # CLD_KILLED in ExecMainCode

#: Settings that tell of the last run and go with the next one.
_OF_A_RUN = frozenset({
    "Result", "ExecMainPID", "ExecMainCode", "ExecMainStatus", "ExecMainStartTimestamp",
    "ExecMainExitTimestamp", "NRestarts",
})  # fmt: skip

#: Signals that daemons take without ending: HUP, USR1, USR2, CHLD, CONT, STOP, TSTP, URG, WINCH.
_TAKEN = frozenset({1, 10, 12, 17, 18, 19, 20, 23, 28})
#: Signals after which a service counts as ended on purpose: INT, PIPE, TERM.
_CLEAN = frozenset({2, 13, 15})
#: Value of Restart= -> whether the service is started again after a clean signal, and another.
_RESTARTS: Mapping[str, tuple[bool, bool]] = {
    "no": (False, False), "always": (True, True), "on-success": (True, False),
    "on-failure": (False, True), "on-abnormal": (False, True), "on-abort": (False, True),
    "on-watchdog": (False, False),
}  # fmt: skip


def start(unit: Unit, now: Moment, run: int) -> tuple[Unit, str]:
    """Return the unit after a start, and how the job ends; `run` is a new number."""
    if unit.active == "active":
        return unit, "done"
    settings = _kept(unit)
    if unit.trouble is not None and unit.trouble.again != "runs":
        state: Any = STATES[unit.trouble.state]
        told = dict(unit.trouble.settings)
        if unit.trouble.state == "auto-restart":
            told["NRestarts"] = 0  # this is the first try
        after = replace(
            unit, settings=settings | told, log=unit.trouble.log, **state,
            history=History(now, now.before(_BRIEF), now, run),
        )  # fmt: skip
        return after, "failed" if unit.trouble.again == "fails" else "done"
    ended = properties.history(unit).ended
    up = unit.up != "dead"
    after = replace(
        unit, active="active" if up else "inactive", sub=unit.up, settings=settings, log=(),
        history=History(now, now, ended, run) if up
        else History(now, now.before(_BRIEF), now, run),
    )  # fmt: skip
    return after, "done"


def stop(unit: Unit, now: Moment) -> Unit:
    """Return the unit after a stop; one that has failed is left as it is."""
    if not unit.is_up:
        return unit
    # Between two tries there is nothing to end, so the last try's result stays.
    settings = dict(unit.settings) if unit.sub == "auto-restart" else _kept(unit)
    past = properties.history(unit)
    return replace(unit, active="inactive", sub="dead", settings=settings, log=(),
                   history=past._replace(since=now, ended=now))  # fmt: skip


def limit(unit: Unit, now: Moment) -> Unit:
    """Return the unit after a start too many; an earlier reason to fail stays the reason."""
    settings = dict(unit.settings)
    if settings.get("Result", "success") == "success":
        settings["Result"] = "start-limit-hit"
    past = properties.history(unit)
    return replace(unit, active="failed", sub="failed", settings=settings,
                   history=past._replace(since=now, ended=past.ended or now))  # fmt: skip


def reset(unit: Unit, now: Moment) -> Unit:
    """Return the unit with its failures forgotten."""
    settings = {key: value for key, value in unit.settings.items()
                if key not in ("Result", "NRestarts")}  # fmt: skip
    if unit.active != "failed":
        return replace(unit, settings=settings)
    return replace(unit, active="inactive", sub="dead", settings=settings,
                   history=properties.history(unit)._replace(since=now))  # fmt: skip


def kill(unit: Unit, signal: int, now: Moment, run: int) -> Unit:
    """Return the unit after a signal to its processes; `run` is a new number.

    A service that is started again after that is up at once: in a fleet where no time passes
    it would wait for ever.
    """
    if unit.type != "service" or signal in _TAKEN or not properties.processes(unit):
        return unit
    clean = signal in _CLEAN
    restarts = _RESTARTS[str(unit.settings.get("Restart", "no"))][not clean]
    if restarts:
        count = int(unit.settings.get("NRestarts", 0)) + 1
        after, _ = start(stop(unit, now), now, run)
        return replace(after, settings={**after.settings, "NRestarts": count})
    settings = _kept(unit)
    if not unit.sysv:
        settings |= {"ExecMainCode": _KILLED, "ExecMainStatus": signal}
    past = properties.history(unit)
    if clean and (unit.sysv or unit.settings.get("RemainAfterExit")):
        return replace(unit, sub="exited", settings=settings)
    state: Any = STATES["down" if clean else "failed"]
    if not clean:
        settings["Result"] = "signal"
    return replace(unit, settings=settings, log=(), **state,
                   history=past._replace(since=now, ended=now))  # fmt: skip


def _kept(unit: Unit) -> dict[str, Any]:
    return {key: value for key, value in unit.settings.items() if key not in _OF_A_RUN}
