"""Which line of a crontab is which daemon: names, modules and arguments (rules R8 and R10)."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from psops.cron.command import BadCommand, Command, is_of_system, parse_command
from psops.cron.crontab import Crontab, Entry, Refused
from psops.cron.decisions import Decisions
from psops.cron.dst import UnknownZone, hits_dst_change
from psops.cron.fields import Dialect
from psops.cron.form import Form
from psops.cron.wrappers import Wrapper, WrapperTable, load_wrappers

#: Assignments that steer cron or the shell; any other one may be read by the job.
_OF_CRON = frozenset(
    "SHELL PATH HOME LOGNAME USER MAILTO MAILFROM CONTENT_TYPE LANG LC_ALL".split()
)
#: What helps lines that are in several time zones.
ONE_ZONE = "write all times in one zone"
_NO_FILE = ("/dev/null", "/dev/stdout", "/dev/stderr")


@dataclass(slots=True, kw_only=True)
class Job:
    """A line with the daemon it becomes; warnings and notes are collected on the way.

    `zone` is that of its times, "" where nobody said it.
    """

    entry: Entry
    server: str
    name: str = ""
    module: str = ""
    arguments: tuple[str, ...] = ()
    program: str = ""
    zone: str = ""
    wrapper: Wrapper | None = None
    keys: tuple[str, ...] = ()
    rules: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    refusal: Refused | None = None
    result: str = ""

    def refuse(self, rule: str, reason: str, remedy: str) -> None:
        """Record why the line is not translated."""
        self.rules.append(rule)
        self.refusal = Refused(self.entry.source, self.entry.line, f"{reason} ({rule})", remedy)

    @property
    def place(self) -> str:
        """The file and line."""
        return f"{self.entry.source}:{self.entry.line}"


def read_jobs(crontabs: Iterable[Crontab], decisions: Decisions) -> Iterator[Job]:
    """Yield a job for each entry, named or refused by R10."""
    table = load_wrappers()
    for crontab in crontabs:
        for entry in crontab.entries:
            # The host column says which server runs a line, as a file for each server does.
            job = Job(entry=entry, server=crontab.server or entry.host)
            _name(job, decisions, table)
            _lost_context(job, crontab, decisions)
            yield job


def _name(job: Job, decisions: Decisions, table: WrapperTable) -> None:
    place = job.place
    forced = decisions.names.get(place, "")
    try:
        command = parse_command(job.entry.command, job.entry.stdin)
    except BadCommand as error:
        job.keys = (place,)
        if forced and forced in decisions.modules:
            job.name, job.module = forced, decisions.modules[forced]
            job.arguments = decisions.arguments.get(forced, ())
            job.rules.append("R10")
            job.warnings.append(f"taken as module {job.module} by decision, although: {error}")
            return
        job.refuse("R10", str(error),
                   f"{error.remedy}, or name it: --name-map {place}=NAME "
                   "--module NAME=MODULE")  # fmt: skip
        return
    wrapper = table.by_name.get(command.base)
    origin = wrapper.daemon if wrapper else command.name
    job.keys = (place, command.base, origin)
    job.name = forced or decisions.names.get(command.base) or decisions.names.get(origin) or origin
    job.program, job.wrapper = command.program, wrapper
    job.module = wrapper.module if wrapper else origin
    job.arguments = (*wrapper.arguments, *command.arguments) if wrapper else command.arguments
    _decide(job, decisions)
    for output in command.outputs:
        if output not in _NO_FILE:
            job.warnings.append(f"its output went to {output}; a daemon's goes to PanDA's logs")
    if job.name not in decisions.modules:
        _leave_in_cron(job, command)


def _decide(job: Job, decisions: Decisions) -> None:
    """Let the operator's module and arguments take the place of those of the line."""
    job.module = decisions.modules.get(job.name, job.module)
    job.arguments = decisions.arguments.get(job.name, job.arguments)


def _leave_in_cron(job: Job, command: Command) -> None:
    wrapper = job.wrapper
    if wrapper and wrapper.stays:
        job.refuse("R10", f"{wrapper.wrapper}: {wrapper.stays}",
                   f"leave it in cron, or --module {job.name}=MODULE")  # fmt: skip
    elif not wrapper and is_of_system(command):
        job.refuse("R10", f"{command.program} is a program of the system, no module of PanDA",
                   f"leave it in cron, or --module {job.name}=MODULE")  # fmt: skip


def _judge_module(job: Job, table: WrapperTable) -> None:
    if job.wrapper and job.wrapper.retired:
        job.warnings.append(
            f"panda-server {table.version} has no module {job.module}; "
            f"{' and '.join(job.wrapper.retired)} have taken over: "
            "configure those once the server is new enough"
        )
    elif job.module not in table.modules:
        job.warnings.append(
            f"'{job.program.rpartition('/')[2]}' is no known wrapper and panda-server "
            f"{table.version} has no module {job.module}; say --module {job.name}=MODULE"
        )


def _lost_context(job: Job, crontab: Crontab, decisions: Decisions) -> None:
    """Say what of the line's surroundings a daemon does not have (R10)."""
    entry = job.entry
    zone = decisions.zone
    for name, value in entry.environment:
        if name == "CRON_TZ":
            # Debian's cron hands it to the command as any variable.
            if crontab.dialect is not Dialect.DEBIAN:
                zone = value
            job.warnings.append(f"CRON_TZ={value} is lost: a daemon has no time of day")
        elif name == "TZ":
            job.warnings.append(f"TZ={value} is lost; the service itself must run with TZ=UTC")
        elif name == "RANDOM_DELAY":
            job.warnings.append(f"RANDOM_DELAY={value} is lost; the period is the same without")
        elif name in ("MAILTO", "MAILFROM"):
            if value:
                job.notes.append(f"{name}={value} is lost: a daemon sends no mail")
        elif name in _OF_CRON:
            job.notes.append(f"{name}={value} is lost: set it for the service if it matters")
        else:
            job.warnings.append(f"the variable {name} is lost: set it for the service")
    job.zone = zone
    if entry.quiet:
        job.notes.append("the '-' before the time (no syslog) is lost")
    if crontab.form is Form.ACRON:
        job.notes.append(f"the host column says it ran on {entry.host} alone")
    if zone:
        try:
            hit = hits_dst_change(entry.schedule, zone, decisions.year)
        except UnknownZone as error:
            job.warnings.append(f"{error}; changes of the clock are not looked at")
        else:
            if hit:
                job.notes.append(hit.sentence)


def split_names(jobs: list[Job], decisions: Decisions) -> dict[str, list[Job]]:
    """Return the jobs of each daemon, in the order of their first lines.

    One name with several arguments is several daemons, with the arguments in their names, if
    every server that has the name has all of them. Else it is one script that does another
    thing on each server, and its lines are refused (R8). What is decided for a daemon is so by
    the name it ends up with.
    """
    table, decided = load_wrappers(), set(decisions.modules.values())
    by_name: dict[str, list[Job]] = {}
    for job in jobs:
        by_name.setdefault(job.name, []).append(job)
    found: dict[str, list[Job]] = {}
    for name, group in by_name.items():
        if len(group) == 1:
            found.setdefault(name, []).extend(group)
        elif _agrees(name, group):
            taken = by_name.keys() | found.keys()
            for variant in _variants(name, group, taken):
                found.setdefault(variant[0].name, []).extend(variant)
    for job in (job for group in found.values() for job in group):
        _decide(job, decisions)
        if job.module not in decided:
            _judge_module(job, table)
    return found


def _agrees(name: str, group: list[Job]) -> bool:
    by_server: dict[str, set[tuple[str, tuple[str, ...]]]] = {}
    for job in group:
        by_server.setdefault(job.server, set()).add((job.module, job.arguments))
    # What all servers have, each server has.
    shared = by_server.pop("", set())
    sets = [own | shared for own in by_server.values()] or [shared]
    if all(one == sets[0] for one in sets):
        return True
    texts = sorted({" ".join((job.module, *job.arguments)) for job in group})
    for job in group:
        job.refuse("R8", f"'{name}' is not one daemon: the servers run it as {few(texts)}",
                   f"give it a name for each: --name-map {job.place}=NAME")  # fmt: skip
    return False


def _variants(name: str, group: list[Job], taken: set[str]) -> list[list[Job]]:
    variants: dict[tuple[str, tuple[str, ...]], list[Job]] = {}
    for job in group:
        variants.setdefault((job.module, job.arguments), []).append(job)
    if len({job.program for job in group}) > 1:
        programs = few(sorted({job.program for job in group}))
        for job in group:
            job.warnings.append(f"'{name}' stands for several programs: {programs}")
    if len(variants) == 1:
        return [group]
    plain = min(variants, key=lambda one: len(one[1]))
    # One of them keeps the name if it has no arguments, or what the wrapper gives anyway.
    keeps = sum(len(one[1]) == len(plain[1]) for one in variants) == 1
    several = "arguments" if len({module for module, _ in variants}) == 1 else "modules"
    used = set(taken)
    for (module, arguments), jobs in variants.items():
        if keeps and (module, arguments) == plain:
            continue
        slug = re.sub(r"[^A-Za-z0-9]+", "_", " ".join(arguments)).strip("_")[:40]
        new = base = f"{name}_{slug}" if slug else f"{name}_{module}"
        number = 2
        while new in used:
            new, number = f"{base}_{number}", number + 1
        used.add(new)
        for job in jobs:
            job.name = new
            job.rules.append("R8")
            job.warnings.append(f"'{name}' runs with several {several}, so this one is '{new}'")
    return list(variants.values())


def in_one_zone(jobs: list[Job], remedy: str) -> bool:
    """Return whether the lines of each server are in one zone; all are refused if not (R8)."""
    shared = {job.zone for job in jobs if not job.server}
    own: dict[str, set[str]] = {}
    for job in jobs:
        own.setdefault(job.server, set(shared)).add(job.zone)
    zones = max(own.values(), key=len)
    if len(zones) == 1:
        return True
    texts = ", ".join(zone or "the machine's" for zone in sorted(zones))
    for job in jobs:
        job.refuse("R8", f"its lines are in several time zones ({texts}), so their starts cannot "
                   "be counted together", remedy)  # fmt: skip
    return False


def few(texts: list[str], most: int = 3) -> str:
    """Return the first texts of a list, and how many more there are.

    >>> few(["a", "b", "c", "d"])
    "'a', 'b', 'c' and 1 more"
    """
    shown = ", ".join(f"'{text}'" for text in texts[:most])
    return f"{shown} and {len(texts) - most} more" if len(texts) > most else shown
