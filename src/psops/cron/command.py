"""The command of a crontab line as a program and its arguments (rule R10).

cron gives the command to a shell, a PanDA daemon calls a Python module with strings. So
redirections, an interpreter and a path go, and whatever needs the shell is refused.
"""

import re
from dataclasses import dataclass
from functools import lru_cache


class BadCommand(ValueError):
    """A command that is more than a program and its arguments."""

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.remedy = remedy or "put it into the module, or leave the line in cron"


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A program with its path, its arguments, and the files its output went to.

    `base` is the program's base name, `name` that of the daemon after it.
    """

    program: str
    base: str
    name: str
    arguments: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()


#: First words that run something else or change what runs.
_INDIRECT = {
    "flock": "a lock file on one host; a daemon never runs twice on a server, 'sync' is for many",
    "setlock": "a lock file on one host; a daemon never runs twice on a server",
    "sudo": "another user; all daemons run as 'uname' of [daemon]",
    "su": "another user; all daemons run as 'uname' of [daemon]",
    "runuser": "another user; all daemons run as 'uname' of [daemon]",
    "timeout": "a time limit, for which a daemon has 'timeout'",
    "env": "an environment of its own",
    "nice": "another priority",
    "ionice": "another priority",
    "nohup": "another program",
    "time": "another program",
    "chronic": "another program",
    "xargs": "another program",
    "exec": "the shell", "eval": "the shell", "source": "the shell", ".": "the shell",
    "cd": "the shell", "if": "the shell", "for": "the shell", "while": "the shell",
    "case": "the shell", "test": "the shell", "[": "the shell", "[[": "the shell",
    "{": "the shell", "!": "the shell", "export": "the shell", "set": "the shell",
    "sleep": "a delay, which a daemon does not have",
    "perl": "no Python module", "ruby": "no Python module", "php": "no Python module",
    "java": "no Python module", "node": "no Python module",
}  # fmt: skip
_PYTHON = re.compile(r"python(?:\d(?:\.\d+)?)?")
_SHELL = re.compile(r"(?:ba|da|k|z)?sh")
#: Options of an interpreter that change nothing for a daemon.
_PYTHON_OPTION = re.compile(r"-[uBEsSOIbq]+")
_SHELL_OPTION = re.compile(r"-[elux]+")
_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=")
_PREFIX = "panda_server-"
_SUFFIXES = (".sh", ".py")
#: Places of the system's own programs, which no package of daemon scripts has.
_SYSTEM = re.compile(r"/(?:usr/)?(?:s?bin|lib\w*|libexec)/|/etc/")

#: What stands for itself anywhere in a word.
_PLAIN = re.compile(r"[A-Za-z0-9_./:=,@+-]+")

_OPERATORS = {
    "&&": "two commands joined by '&&'",
    "||": "two commands joined by '||'",
    ";": "several commands (';')",
    "|": "a pipe",
    "&": "a background command ('&')",
    "(": "a subshell",
    ")": "a subshell",
    "`": "a command substitution",
    "<": "input from a file",
}


@lru_cache(maxsize=8192)
def parse_command(text: str, stdin: str | None = None) -> Command:
    """Return the program and arguments of a command; raises `BadCommand` with the reason.

    >>> parse_command("/opt/panda/usr/bin/panda_server-add --all > /dev/null 2>&1").arguments
    ('--all',)
    """
    if stdin is not None:
        raise BadCommand("an unescaped '%' gives the command standard input; a daemon has none",
                         remedy=r"write \% where a percent sign is meant")  # fmt: skip
    words, outputs = _Words(text).split()
    words = _without_interpreter(words)
    if not words or not words[0]:
        raise BadCommand("there is no program in the command")
    program = words[0]
    base = program.rpartition("/")[2]
    if not base:
        raise BadCommand(f"'{program}' is a directory, not a program")
    name = base.removeprefix(_PREFIX)
    for suffix in _SUFFIXES:
        name = name.removesuffix(suffix)
    return Command(
        program=program, base=base, name=name or base, arguments=tuple(words[1:]),
        outputs=tuple(outputs),
    )  # fmt: skip


def is_of_system(command: Command) -> bool:
    """Tell whether the program is one of the operating system, by its place."""
    return _SYSTEM.match(command.program) is not None and not command.base.startswith(_PREFIX)


def _without_interpreter(words: list[str]) -> list[str]:
    if not words:
        return words
    first = words[0].rpartition("/")[2]
    if _ASSIGNMENT.match(words[0]):
        raise BadCommand(f"'{words[0]}' sets a variable for the command; a daemon has none",
                         remedy="set it in the environment of the service")  # fmt: skip
    if first in _INDIRECT:
        raise BadCommand(f"'{first}' brings in {_INDIRECT[first]}")
    if _PYTHON.fullmatch(first):
        allowed, kind = _PYTHON_OPTION, "python"
    elif _SHELL.fullmatch(first):
        allowed, kind = _SHELL_OPTION, "shell"
    else:
        return words
    rest = words[1:]
    while rest and allowed.fullmatch(rest[0]):
        rest = rest[1:]
    if rest[:1] == ["-m"] and kind == "python" and len(rest) > 1:
        return [rest[1].rpartition(".")[2], *rest[2:]]
    if not rest or rest[0].startswith("-"):
        option = f" with '{rest[0]}'" if rest else " without a script"
        raise BadCommand(f"'{first}'{option} is no script that a module could stand for")
    return rest


class _Words:
    """Splits a command as a POSIX shell does, as far as nothing has to be expanded."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.words: list[str] = []
        self.outputs: list[str] = []

    def split(self) -> tuple[list[str], list[str]]:
        while self._blanks():
            if self.text[self.at] == "#":  # at the beginning of a word: a comment
                break
            if not self._redirected():
                self.words.append(self._word())
        return self.words, self.outputs

    def _blanks(self) -> bool:
        while self.at < len(self.text) and self.text[self.at] in " \t":
            self.at += 1
        return self.at < len(self.text)

    _REDIRECTION = re.compile(r"(?:&>>?|\d*>&(?=[\d-])|\d*>>|\d*>\||\d*>&?|\d*<)[ \t]*")

    def _redirected(self) -> bool:
        found = self._REDIRECTION.match(self.text, self.at)
        if not found:
            return False
        self.at = found.end()
        if self.at >= len(self.text):
            raise BadCommand("a redirection without a file")
        if self.text.startswith("<", self.at):
            raise BadCommand("input from the line itself ('<<')")
        target = self._word()
        mark = found[0].strip()
        if mark.endswith("<"):
            if target != "/dev/null":
                raise BadCommand(_OPERATORS["<"])
        elif target != "/dev/null" and not (mark.endswith("&") and target[:1] in "0123456789-"):
            self.outputs.append(target)
        return True

    def _word(self) -> str:
        parts: list[str] = []
        begin = self.at
        if plain := _PLAIN.match(self.text, begin):
            parts.append(plain[0])
            self.at = plain.end()
        while self.at < len(self.text) and self.text[self.at] not in " \t<>":
            if self.text.startswith("&>", self.at):
                break
            parts.append(self._part(begin))
        if self.at == begin:
            raise BadCommand("a redirection without a file")
        return "".join(parts)

    def _part(self, begin: int) -> str:
        text, at = self.text, self.at
        one = text[at]
        self.at += 1
        if one in "'\"":
            return self._quoted(one)
        if one == "\\":
            if self.at == len(text):
                raise BadCommand("a backslash at the end: cron has no line continuation",
                                 remedy="write the command on one line")  # fmt: skip
            self.at += 1
            return text[at + 1]
        if one == "$":
            raise BadCommand(_dollar(text, at))
        two = text[at : at + 2]
        if operator := _OPERATORS.get(two) or _OPERATORS.get(one):
            raise BadCommand(operator)
        word_ends = text[at + 1 : at + 2] in ("", " ", "\t")
        if one in "*?" or (one == "[" and not (at == begin and word_ends)):
            raise BadCommand(f"'{one}' is a pattern for file names, which the shell expands")
        if one == "{" and re.match(r"\{[^{} \t]*(?:,|\.\.)[^{} \t]*\}", text[at:]):
            raise BadCommand("braces that the shell expands")
        if one == "~" and at == begin:
            raise BadCommand("'~' is a home directory, which the shell expands",
                             remedy="write the path")  # fmt: skip
        return one

    def _quoted(self, quote: str) -> str:
        end = self.at
        parts: list[str] = []
        while end < len(self.text) and self.text[end] != quote:
            one = self.text[end]
            if quote == '"' and one in "$`":
                raise BadCommand(_dollar(self.text, end) if one == "$" else _OPERATORS["`"])
            if quote == '"' and one == "\\" and self.text[end + 1 : end + 2] in tuple('$`"\\'):
                end += 1
            parts.append(self.text[end])
            end += 1
        if end >= len(self.text):
            raise BadCommand(f"a quote ({quote}) that is not closed", remedy="close it")
        self.at = end + 1
        return "".join(parts)


def _dollar(text: str, at: int) -> str:
    if text[at : at + 2] == "$(":
        return "a command substitution ('$(')"
    name = re.match(r"\$(?:\w+|\{\w+|.?)", text[at:])
    return f"the variable '{name[0] if name else '$'}', which the shell expands"
