"""Traps of the options of [daemon]."""

from collections.abc import Iterator
from typing import Any

from psops.nearest import did_you_mean
from psops.panda.effective import Effective, variable_of
from psops.panda.model import OPTIONS, Fault, Option, Place, State
from psops.panda.traps import fault


def check_options(effective: Effective) -> Iterator[Fault]:
    """Yield what is wrong with the options, `config` aside."""
    place = _file(effective)
    if not effective.found:
        looked = ", ".join(effective.sources.files)
        yield fault("no-file", place.file, place, f"none of the files exists: {looked}")
        return
    written = {name: one for name, one in effective.options.items() if one.raw is not None}
    if not written:
        yield fault(
            "no-section",
            "[daemon]",
            place,
            "no file has a section [daemon], so the master ends at once",
        )
        return
    for option in written.values():
        yield from _name(option, effective)
    yield from _enable(effective, place)
    if "config" not in written:
        yield fault(
            "config-missing",
            "[daemon] config",
            place,
            "there is no 'config': the master logs one error and runs no daemon",
        )
    elif not effective.error and not any(one.state is State.ACTIVE for one in effective.daemons):
        yield fault(
            "no-daemons",
            "[daemon] config",
            effective.options["config"].place,
            "no daemon is active: the master stays up and runs nothing",
        )
    yield from _package(effective, place)
    missing = [name for name in ("uname", "gname") if name not in written]
    if missing:
        yield fault(
            "user-missing",
            f"[daemon] {missing[0]}",
            place,
            f"no {' and no '.join(missing)}: the init script's master runs as nobody",
        )
    yield from _workers(effective, place)
    yield from _others(effective)


def _name(option: Option, effective: Effective) -> Iterator[Fault]:
    subject = f"[daemon] {option.name}"
    if option.name not in OPTIONS:
        if option.name.startswith(('"', "{", "}")):
            yield fault(
                "column-0",
                subject,
                option.place,
                "a line of the JSON without indentation, which is taken for an option",
            )
        elif option.name.lower() in OPTIONS:
            yield fault(
                "option-case",
                subject,
                option.place,
                f"'{option.name}' is not '{option.name.lower()}' and is ignored",
            )
        else:
            near = did_you_mean(option.name, OPTIONS)
            yield fault(
                "unknown-option",
                subject,
                option.place,
                f"the master knows no option '{option.name}'{near}",
            )
        return
    name = variable_of(option.raw)
    if name and option.name != "config" and name not in effective.sources.environment:
        yield fault(
            "variable-unknown",
            subject,
            option.place,
            f"no variable '{name}' is known, so the text '{option.raw}' stays",
        )


def _enable(effective: Effective, place: Place) -> Iterator[Fault]:
    option = effective.options["enable"]
    if option.raw is None and option.value is False:
        yield fault(
            "enable-missing",
            "[daemon] enable",
            place,
            "there is no 'enable', which means False: nothing starts, exit status 0",
        )
    elif option.value is False:
        yield fault(
            "disabled",
            "[daemon] enable",
            option.place,
            "disabled: the service ends at once with exit status 0",
        )
    elif option.value is not True:
        yes = "starts" if effective.starts_by_systemd else "does not start"
        also = "starts" if effective.starts_by_init else "does not start"
        yield fault(
            "enable-text",
            "[daemon] enable",
            option.place,
            f"'{option.raw}' is neither True nor False: the systemd master {yes} (any text "
            f"is true), the init script {also}",
        )


def _package(effective: Effective, place: Place) -> Iterator[Fault]:
    from psops.cron.wrappers import load_wrappers

    option = effective.options.get("package")
    value, where, subject = effective.value("package"), place, "[daemon] package"
    if option:
        where = option.place
        name = variable_of(option.raw)
        if name and name not in effective.sources.environment:
            return  # told already, and the service may well have it
    own = load_wrappers().package
    if option is None or value is None:
        text = "without a package every worker dies at once and is started again"
        yield fault("package-missing", subject, where, text)
    elif not (isinstance(value, str) and all(map(str.isidentifier, value.split(".")))):
        text = f"{_shown(option)} is no dotted name as Python's import takes it: nothing ever runs"
        yield fault("package-name", subject, where, text)
    elif value != own:
        near = did_you_mean(value, [own])
        yield fault("package-other", subject, where, f"'{value}' is not PanDA's own package{near}")


def _workers(effective: Effective, place: Place) -> Iterator[Fault]:
    option = effective.options.get("n_proc")
    value = effective.value("n_proc", OPTIONS["n_proc"])
    where = option.place if option else place
    subject = "[daemon] n_proc"
    active = effective.scheduled
    loops = [one.name for one in active if one.loop]
    if not isinstance(value, int):
        yield fault(
            "n-proc",
            subject,
            where,
            f"{_shown(option)} is no number: the master raises TypeError when it starts",
        )
    elif value < 1:
        yield fault("n-proc-zero", subject, where, f"n_proc {value}: no worker, nothing ever runs")
    elif loops and value <= len(loops) < len(active):
        yield fault(
            "loops-take-all",
            subject,
            where,
            f"{len(loops)} daemons with loop hold a worker for a whole period each and "
            f"there are {value}: {', '.join(loops)}; others wait for them",
        )
    elif value == 1 and len(active) > 1:
        yield fault(
            "n-proc-one",
            subject,
            where,
            f"one worker for {len(active)} daemons: each waits for the run of another",
        )


def _others(effective: Effective) -> Iterator[Fault]:
    options = effective.options
    lifetime = options.get("proc_lifetime")
    if lifetime and not (isinstance(lifetime.value, int | float) and lifetime.value > 0):
        yield fault(
            "proc-lifetime",
            "[daemon] proc_lifetime",
            lifetime.place,
            f"{_shown(lifetime)} is no number of seconds: every worker ends at once",
        )
    shared = options.get("use_tbif")
    if shared and shared.value not in (True, False, None):
        on = "on" if shared.value else "off"
        yield fault(
            "use-tbif",
            "[daemon] use_tbif",
            shared.place,
            f"{_shown(shared)} is neither True nor False and counts as {on}",
        )
    sessions = options.get("n_dbconn")
    if (
        sessions
        and shared
        and shared.value
        and not (isinstance(sessions.value, int) and sessions.value > 0)
    ):
        yield fault(
            "n-dbconn",
            "[daemon] n_dbconn",
            sessions.place,
            f"{_shown(sessions)} is no number of database sessions",
        )


def _shown(option: Option | None) -> str:
    raw: Any = option.raw if option else ""
    return f"'{str(raw)[:40]}'"


def _file(effective: Effective) -> Place:
    """Return the file to name for what is nowhere: the strongest one that is there."""
    files = [path for path in effective.found if path != effective.sources.overlay]
    return Place((files or list(effective.found) or list(effective.sources.files))[-1])
