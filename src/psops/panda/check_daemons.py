"""Traps of the entries of `config`, and of how they are scheduled."""

from collections.abc import Iterator
from typing import Any

from psops.catalogue.version import is_within
from psops.nearest import did_you_mean
from psops.panda.effective import Effective
from psops.panda.master import kind
from psops.panda.model import ATTRIBUTES, DaemonConfig, Fault, State
from psops.panda.traps import fault

#: "It is kinda overkill to have an unnecessary process lock in DB for a time less than one
#: minute", says PanDA's guide.
LEAST_SYNC_S = 60
#: From this period on a run at every restart is one too many.
LONG_S = 86_400


def check_daemons(
    effective: Effective, version: str, modules: frozenset[str] | None
) -> Iterator[Fault]:
    """Yield what is wrong with single daemons, then with all of them together."""
    for double in effective.doubles:
        subject = f"{double.name}.{double.attribute}" if double.attribute else double.name
        code, what = (
            ("duplicate-attribute", "attribute") if double.attribute else ("duplicate-name", "name")
        )
        yield fault(
            code,
            subject,
            double.place,
            daemon=double.name,
            text=f"this {what} is there again at {double.used}, which wins silently",
        )
    known = modules if modules is not None else known_modules(effective)
    for one in effective.daemons:
        if one.state is not State.DISABLED:
            yield from check_daemon(one, known)
    yield from _aborted(effective)
    yield from _together(effective, version)


def check_daemon(one: DaemonConfig, modules: frozenset[str] | None = None) -> Iterator[Fault]:
    """Yield what is wrong with one entry, by itself; any module is known if `modules` is None."""
    if not isinstance(one.written, dict):
        yield fault(
            "entry-type",
            one.name,
            one.place,
            daemon=one.name,
            text=f"the entry is {kind(one.written)}, not an object: the parse ends here",
        )
        return
    for key in one.written:
        if key not in ATTRIBUTES:
            near = did_you_mean(key.lower(), ATTRIBUTES)
            yield _of(one, key, "unknown-attribute", f"PanDA knows no '{key}'{near}; ignored")
    yield from _flags(one)
    yield from _period(one)
    yield from _timeout(one)
    yield from _script(one, modules)


def _of(one: DaemonConfig, attribute: str, code: str, text: str, hint: str = "") -> Fault:
    return fault(
        code, f"{one.name}.{attribute}", one.place_of(attribute), text, daemon=one.name, hint=hint
    )


def _flags(one: DaemonConfig) -> Iterator[Fault]:
    enable = one.written.get("enable", True)
    if not isinstance(enable, bool):
        yield _of(
            one,
            "enable",
            "enable-type",
            f"{kind(enable)} leaves the daemon enabled: only false disables it",
        )
    for flag in ("sync", "loop"):
        value = one.written.get(flag, False)
        if not isinstance(value, bool):
            yield _of(one, flag, "flag-type", f"{kind(value)} counts as {'on' if value else 'off'}")


def _period(one: DaemonConfig) -> Iterator[Fault]:
    timed = "timeout" in one.written
    after = "the daemon is skipped" if timed else "the parse ends here"
    if "period" not in one.written:
        yield _of(one, "period", "period-missing", f"no period: {after}")
        return
    value = one.written["period"]
    if isinstance(value, float):
        yield _of(
            one, "period", "period-type", f"{kind(value)} is no whole number: the daemon is skipped"
        )
    elif not isinstance(value, int):
        yield _of(one, "period", "period-type", f"{kind(value)} is no whole number: {after}")
    elif isinstance(value, bool):
        yield _of(one, "period", "period-type", f"{kind(value)} counts as {int(value)} s")
    elif value < 1:
        yield _of(
            one, "period", "period-low", f"period {value}: it starts again as soon as it ends"
        )


def _timeout(one: DaemonConfig) -> Iterator[Fault]:
    if "timeout" not in one.written:
        return
    value = one.written["timeout"]
    if not isinstance(value, int | float) or isinstance(value, bool):
        after = "the master hangs at its first check of a run and schedules nothing more"
        if isinstance(value, bool):
            after = f"it counts as {int(value)} s"
        yield _of(one, "timeout", "timeout-type", f"{kind(value)} is no number: {after}")
    elif not value >= 1:
        yield _of(
            one, "timeout", "timeout-zero", f"timeout {value}: every run of 1 s or more is killed"
        )
    elif one.loop and one.state is State.ACTIVE and value <= one.period:
        yield _of(
            one,
            "timeout",
            "timeout-loop",
            f"a loop goes on for its period of {one.period} s and is killed after {value} s",
        )


def _script(one: DaemonConfig, modules: frozenset[str] | None) -> Iterator[Fault]:
    module: Any = one.written.get("module", one.name)
    if not isinstance(module, str):
        yield _of(one, "module", "module-type", f"{kind(module)} is no text: the daemon is skipped")
    elif modules is not None and module not in modules:
        near = did_you_mean(module, modules)
        retired = _retired(module)
        yield _of(
            one,
            "module",
            "module-unknown",
            f"the package has no module '{module}'{near}: the "
            "daemon is never run, with one warning per worker",
            f"{module} was split into {retired}" if retired else "",
        )
    arguments: Any = one.written.get("arguments", [])
    if not isinstance(arguments, list):
        yield _of(
            one,
            "arguments",
            "arguments-type",
            f"{kind(arguments)} is no array: the daemon is skipped",
        )
        return
    for at, value in enumerate(arguments):
        if not isinstance(value, str):
            yield _of(
                one,
                "arguments",
                "argument-type",
                f"argument {at + 1} is {kind(value)}, not "
                "text: argparse fails on it and the worker ends",
            )


def _aborted(effective: Effective) -> Iterator[Fault]:
    raw = [one.name for one in effective.daemons if one.state is State.RAW]
    for one in effective.daemons:
        if one.state is State.BROKEN:
            what = effective.stopped_by or "the daemons before it run"
            left = f"; left as they are written: {', '.join(raw)}" if raw else ""
            yield fault(
                "aborts",
                one.name,
                one.place,
                daemon=one.name,
                text=f"{one.reason}; this ends the parse of all{left}; {what}",
            )


def _together(effective: Effective, version: str) -> Iterator[Fault]:
    active = effective.scheduled
    for one in active:
        if one.sync and 1 <= one.period < LEAST_SYNC_S:
            yield _of(
                one,
                "period",
                "sync-short",
                f"a lock in the database every {one.period} s, less than a minute",
            )
        if not one.sync and one.period >= LONG_S:
            yield _of(
                one,
                "period",
                "unsynced-long",
                f"a period of {one.period} s without sync: it "
                "runs on every server at every restart as well",
            )
    computed = [one for one in active if one.sync and one.is_computed]
    if computed:
        names = ", ".join(f"{one.name} {one.timeout} s" for one in computed)
        yield fault(
            "sync-timeout",
            "sync",
            computed[0].place,
            "with several servers a worker that found a daemon locked is killed if it idles "
            f"past the default timeout, which can block the queue: {names}",
        )
    if 0 < len(active) <= 2:
        for one in active:
            limit = one.period + max(300, one.period // 2)
            if one.timeout > limit:
                yield _of(
                    one,
                    "timeout",
                    "revival",
                    f"with {len(active)} daemons in all a run of "
                    f"more than {limit} s is killed, below its timeout of {one.timeout} s",
                )
    # Without a 'config' that is the fault to tell.
    config = effective.options.get("config")
    if config and version and len(active) < 2 and is_within(version, "0.4.0", "0.6.10"):
        yield fault(
            "revival-endless",
            "[daemon] config",
            config.place,
            f"panda-server {version} with {len(active)} daemons revives without end",
        )


def known_modules(effective: Effective) -> frozenset[str] | None:
    """Return the modules of `package`, None if it is not PanDA's own."""
    from psops.cron.wrappers import load_wrappers

    table = load_wrappers()
    return table.modules if effective.value("package") == table.package else None


def _retired(module: str) -> str:
    from psops.cron.wrappers import load_wrappers

    wrapper = load_wrappers().by_daemon.get(module)
    return " and ".join(wrapper.retired) if wrapper else ""
