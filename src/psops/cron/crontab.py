"""The text of a crontab as entries, with a record for each line that is none.

Authority: `user.c`, `env.c` and `entry.c` of Debian's cron 3.0pl1 and cronie 1.5.7. Nothing
raises for what a file holds: a line that cannot be read becomes a `Refused`, one that cron
reads otherwise than it looks becomes a `Doubt`.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from psops.cron.fields import BadExpression, Dialect
from psops.cron.form import HOST_NAME, USER_NAME, Choice, Form, decide_form
from psops.cron.schedule import Schedule, parse_expression

#: Debian's cron refuses a longer command, and with it the file.
DEBIAN_COMMAND = 998
#: cronie's own limit.
LONGEST_LINE = 131_072
#: How much of a line a report shows.
_SHOWN = 80

_BLANK = " \t"
_JOB = re.compile(
    r"[ \t]*+(?P<minus>-?)(?P<time>@[^ \t]++|(?:[^ \t]++[ \t]++){4}[^ \t]++)(?P<rest>.*)", re.DOTALL
)
_ASSIGNMENT = re.compile(
    r"""[ \t]*+(?:"([^"]*+)"|'([^']*+)'|([^ \t="']++))[ \t]*+=[ \t]*+(.*)""", re.DOTALL
)
_ODD = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]|[\ud800-\udfff]")
_WORD = re.compile(r"[ \t]*+([^ \t]++)[ \t]*+(.*)", re.DOTALL)
_ESCAPED = re.compile(r"\\.|%|[^\\%]+|\\", re.DOTALL)
#: What a commented-out job begins with, after the hash signs.
_DISABLED = re.compile(r"[ \t#]*(-?(?:[0-9*~]|@[a-z]).*)", re.DOTALL)
#: The pictures in /etc/crontab that explain the columns.
_EXPLAINS = re.compile(r"user-?name|command to (?:be )?execute|m h dom mon dow", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Remark:
    """Something about one line of a file: what, and what to do about it."""

    source: str
    line: int
    reason: str
    remedy: str = ""

    def __str__(self) -> str:
        remedy = f"; {self.remedy}" if self.remedy else ""
        return f"{self.source}:{self.line}: {self.reason}{remedy}"


class Refused(Remark):
    """A line that is not translated."""

    __slots__ = ()


class Doubt(Remark):
    """A line that is used, though it may not mean what it seems to."""

    __slots__ = ()


class Disabled(Remark):
    """A job in a comment: not translated, and no disabled daemon either."""

    __slots__ = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One job. `expression` and `command` are as written, the latter up to its first bare `%`.

    `stdin` is what follows that, None if nothing does; `environment` are the assignments above
    the line, the last of each name; `quiet` is cronie's leading `-`.
    """

    source: str
    line: int
    expression: str
    schedule: Schedule
    command: str
    stdin: str | None = None
    user: str = ""
    host: str = ""
    quiet: bool = False
    environment: tuple[tuple[str, str], ...] = ()

    def variable(self, name: str) -> str:
        """Return the value of an assignment above the line, "" without one."""
        return dict(self.environment).get(name, "") if self.environment else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Crontab:
    """One file. `server` is the server that alone has it, "" where all have it."""

    source: str
    form: Form
    form_reason: str
    dialect: Dialect = Dialect.COMMON
    server: str = ""
    entries: tuple[Entry, ...] = ()
    refused: tuple[Refused, ...] = ()
    doubts: tuple[Doubt, ...] = ()
    disabled: tuple[Disabled, ...] = ()


def parse_crontab(
    text: bytes | str,
    *,
    source: str,
    form: Form = Form.AUTO,
    dialect: Dialect = Dialect.COMMON,
    server: str = "",
) -> Crontab:
    """Return what a crontab holds. `source` names the file in messages; its path may say the form.

    >>> parse_crontab("*/5 * * * * root /bin/true\\n", source="x").entries[0].user
    'root'
    """
    if isinstance(text, bytes):
        if text[:2] in (b"\xff\xfe", b"\xfe\xff"):
            reason = "the file is UTF-16, which cron does not read"
            refused = (Refused(source, 1, reason, "convert it: iconv -f UTF-16 -t UTF-8"),)
            return Crontab(source=source, form=form, form_reason="not read", refused=refused)
        # What is no UTF-8 becomes lone surrogates, which are refused line by line.
        text = text.decode("utf-8", "surrogateescape")
    return _Reader(source, form, dialect, server).read(text)


@dataclass(slots=True)
class _Job:
    """A line whose time could be read, before its columns are known."""

    line: int
    minus: bool
    time: str
    rest: str
    schedule: Schedule
    environment: tuple[tuple[str, str], ...]


@dataclass(slots=True)
class _Reader:
    source: str
    form: Form
    dialect: Dialect
    server: str
    jobs: list[_Job] = field(default_factory=list)
    environment: dict[str, str] = field(default_factory=dict)
    snapshot: tuple[tuple[str, str], ...] | None = ()
    refused: list[Refused] = field(default_factory=list)
    doubts: list[Doubt] = field(default_factory=list)
    disabled: list[Disabled] = field(default_factory=list)

    def read(self, text: str) -> Crontab:
        if text.startswith("\ufeff"):
            text = text[1:]
            self.doubt(1, "the file begins with a byte order mark, for which cron refuses line 1",
                       "remove it: sed -i '1s/^\\xef\\xbb\\xbf//' FILE")  # fmt: skip
        # Not splitlines: for cron a newline alone ends a line.
        lines = text.split("\n")
        unfinished = lines.pop()
        if unfinished.strip(" \t\r"):
            lines.append(unfinished)
            self.doubt(len(lines), "the last line has no newline: Debian's cron ignores the whole "
                       "file for it, cronie that line", "end the file with a newline")  # fmt: skip
        carriage = [at for at, line in enumerate(lines, 1) if line.endswith("\r")]
        if carriage:
            self.doubt(carriage[0], f"CR LF ends {len(carriage)} line(s); cron gives the CR to the "
                       "command", "convert the file: dos2unix FILE")  # fmt: skip
        for number, line in enumerate(lines, 1):
            self.line(number, line.removesuffix("\r"))
        choice = self.choose()
        entries = [entry for job in self.jobs if (entry := self.entry(job, choice.form))]
        self.refused.sort(key=lambda one: one.line)
        if self.refused and self.dialect is not Dialect.CRONIE:
            self.doubt(self.refused[0].line, "Debian's cron ignores a whole file for one bad line, "
                       "cronie the line alone", "was this file in use?")  # fmt: skip
        return Crontab(
            source=self.source, form=choice.form, form_reason=choice.reason, dialect=self.dialect,
            server=self.server, entries=tuple(entries), refused=tuple(self.refused),
            doubts=tuple(sorted(self.doubts, key=lambda one: one.line)),
            disabled=tuple(self.disabled),
        )  # fmt: skip

    def doubt(self, line: int, reason: str, remedy: str = "") -> None:
        self.doubts.append(Doubt(self.source, line, reason, remedy))

    def refuse(self, line: int, reason: str, remedy: str) -> None:
        self.refused.append(Refused(self.source, line, reason, remedy))

    def choose(self) -> Choice:
        if self.form is not Form.AUTO:
            return Choice(self.form, "asked for")
        choice = decide_form(self.source, [job.rest for job in self.jobs])
        if choice.doubtful:
            self.doubt(self.jobs[0].line, f"read in the form '{choice.form}': {choice.reason}",
                       "say --form system, user or acron")  # fmt: skip
        return choice

    def line(self, number: int, line: str) -> None:
        start = line.lstrip(_BLANK)
        if not start:
            return
        if start[0] == "#":
            self.comment(number, start)
            return
        if len(line) > LONGEST_LINE:
            self.refuse(number, f"a line of {len(line)} characters, which no cron takes",
                        "is this a crontab?")  # fmt: skip
            return
        if odd := _ODD.search(line):
            self.refuse(number, _odd(odd[0], odd.start()), "remove it, or is this a crontab?")
            return
        if "=" in line and self.assign(number, line):
            return
        found = _JOB.match(line)
        if not found:
            self.refuse(number, f"'{_shown(line)}' is neither a job nor an assignment",
                        "a job has five time fields or a macro, and a command")  # fmt: skip
            return
        try:
            schedule = parse_expression(found["time"], self.dialect)
        except BadExpression as error:
            self.refuse(number, str(error), error.remedy)
            return
        if self.snapshot is None:
            self.snapshot = tuple(self.environment.items())
        self.jobs.append(
            _Job(number, bool(found["minus"]), found["time"], found["rest"].strip(_BLANK),
                 schedule, self.snapshot)
        )  # fmt: skip

    def assign(self, number: int, line: str) -> bool:
        found = _ASSIGNMENT.match(line)
        if not found:
            return False
        name = found[1] or found[2] or found[3]
        value = found[4].rstrip(_BLANK)
        if name is None:
            return False
        if value[:1] in ('"', "'") and value:
            if len(value) < 2 or value[-1] != value[0] or value[0] in value[1:-1]:
                self.refuse(number, f"the value of {_shown(name)} has a quote that does not match",
                            "quote all of the value or nothing")  # fmt: skip
                return True
            value = value[1:-1]
        elif not value and self.dialect is not Dialect.CRONIE:
            self.doubt(number, f"'{_shown(name)}=' has no value, for which Debian 12's cron "
                       "ignores the whole file", f'write {_shown(name)}=""')  # fmt: skip
        self.environment[name] = value
        self.snapshot = None
        return True

    def comment(self, number: int, line: str) -> None:
        """Record a job that has been commented out."""
        found = _DISABLED.match(line) if len(line) < LONGEST_LINE else None
        job = _JOB.match(found[1]) if found else None
        if not job or not job["rest"].strip(_BLANK) or _EXPLAINS.search(line) or _ODD.search(line):
            return
        try:
            parse_expression(job["time"], self.dialect)
        except BadExpression:
            return
        self.disabled.append(
            Disabled(self.source, number, f"commented-out job '{_shown(line)}' is not translated")
        )

    def entry(self, job: _Job, form: Form) -> Entry | None:
        if job.minus and self.dialect is Dialect.DEBIAN:
            self.refuse(job.line, "Debian's cron knows no '-' before the time", "remove it")
            return None
        entry = Entry(
            source=self.source, line=job.line, expression=job.time, schedule=job.schedule,
            command=job.rest, quiet=job.minus, environment=job.environment,
        )  # fmt: skip
        column = _COLUMNS.get(form)
        if column:
            found = _WORD.match(job.rest)
            word, rest = (found[1], found[2]) if found else ("", "")
            if not column.valid(word) or not rest.strip(_BLANK):
                self.refuse(job.line, f"'{_shown(word)}' stands where {column.meaning} and a "
                            "command should",
                            f"add the {column.name}, or say --form user")  # fmt: skip
                return None
            entry = replace(
                entry, command=rest.strip(_BLANK), user=word if form is Form.SYSTEM else "",
                host=word if form is Form.ACRON else "",
            )  # fmt: skip
        return self.with_command(entry, form)

    def with_command(self, entry: Entry, form: Form) -> Entry | None:
        command = entry.command
        if not command:
            self.refuse(entry.line, "there is no command; cronie refuses that", "add it")
            return None
        if command.startswith("*") and form is Form.USER:
            self.refuse(entry.line, f"six time fields: the command begins with '{command[:1]}'",
                        "remove one of the fields")  # fmt: skip
            return None
        if len(command) > DEBIAN_COMMAND and self.dialect is not Dialect.CRONIE:
            self.doubt(entry.line, f"the command has {len(command)} characters; Debian's cron "
                       f"takes {DEBIAN_COMMAND}", "move it into a script")  # fmt: skip
        # An option of cronie 1.7; for older ones and Debian a command called -n.
        if command.startswith("-n ") and self.dialect is not Dialect.DEBIAN:
            command = command[3:].lstrip(_BLANK)
            self.doubt(entry.line, "'-n' before the command is an option of cronie 1.7 alone (mail "
                       "on failure)", "remove it for older ones")  # fmt: skip
        for note in entry.schedule.notes:
            self.doubt(entry.line, note)
        command, stdin = split_percent(command)
        return replace(entry, command=command, stdin=stdin)


@dataclass(frozen=True, slots=True)
class _Column:
    """The column before the command: the name of its attribute, and what may stand there."""

    name: str
    meaning: str
    valid: Callable[[str], object]


_COLUMNS = {
    Form.SYSTEM: _Column("user", "a user", USER_NAME.fullmatch),
    Form.ACRON: _Column("host", "a host", HOST_NAME.fullmatch),
}


def split_percent(command: str) -> tuple[str, str | None]:
    r"""Return a command up to its first bare `%`, and what follows as standard input.

    `\%` is a percent sign; further bare ones are newlines. Quotes protect nothing.

    >>> split_percent(r"date +\%s%one%two")
    ('date +%s', 'one\ntwo')
    """
    if "%" not in command:
        return command, None
    parts = [""]
    # A backslash takes the character behind it along, be that a second backslash.
    for found in _ESCAPED.finditer(command):
        if found[0] == "%":
            parts.append("")
        else:
            parts[-1] += "%" if found[0] == r"\%" else found[0]
    return parts[0].rstrip(_BLANK), "\n".join(parts[1:]) if len(parts) > 1 else None


def _odd(character: str, at: int) -> str:
    if "\ud800" <= character <= "\udfff":
        return f"byte 0x{ord(character) & 0xFF:02x} in column {at + 1} is no UTF-8 text"
    name = "a NUL" if character == "\0" else f"the control character 0x{ord(character):02x}"
    return f"{name} in column {at + 1}"


def _shown(text: str) -> str:
    text = "".join(one if one.isprintable() else "?" for one in text[: _SHOWN + 1])
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
