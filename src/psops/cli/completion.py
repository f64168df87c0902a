"""The completion scripts: the tables of verbs, options and fixed values for each shell.

The scripts are these tables and an engine, completion.bash and its kin, that finds its place in
the line. They know all that is known when they are written, so that most Tabs start no program;
for names of hosts, groups, bundles and units they call psops (`psops.cli.complete.offer`).
"""

import inspect
import re
import shlex
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from psops.cli import complete

#: Shell -> (file below completions/, the line that makes it a completion script)
SHELLS = {
    "bash": ("psops.bash", "# bash completion for psops"),
    "zsh": ("_psops", "#compdef psops"),
    "fish": ("psops.fish", "# fish completion for psops"),
}
#: Help texts that are a list of values: `auto, always or never.`
_CHOICES = re.compile(r"((?:[a-z][\w-]*, )*[a-z][\w-]*) or ([a-z][\w-]*)\.")
_FILE = re.compile(r"FILE|CFG|CONF|CRONTAB|\.json|^[AB]$")
_FOLDER = re.compile(r"DIR")
#: A word that stands for something else than a file, as in `Inventory, or 'demo' for ...`.
_WORD = re.compile(r"or '(\w+)'")
_COLUMNS = 96


class Command(NamedTuple):
    """A verb, as the scripts know it; kinds tell what a value may be.

    words A B: one of these; list A B: some of these, with commas; files, folders: paths, or one
    of the words behind; offer NAME: what `complete.offer` says; any: it cannot be told.
    """

    name: str
    help: str
    verbs: tuple[str, ...]
    #: Option -> its help.
    options: Mapping[str, str]
    #: Option with a value -> kind.
    values: Mapping[str, str]
    arguments: tuple[str, ...]
    #: Whether the last argument may be given several times.
    repeats: bool


def command_of(name: str, command: Any, verbs: Iterable[str], context: Any) -> Command:
    """Return what the scripts know of a command of Typer."""
    callbacks = _callbacks(command)
    options: dict[str, str] = {}
    values: dict[str, str] = {}
    arguments: list[str] = []
    repeats = False
    for param in command.get_params(context):
        if getattr(param, "hidden", False):
            continue
        text = getattr(param, "help", None) or ""
        kind = _kind(param.metavar or "", text, callbacks.get(param.name))
        if param.param_type_name == "argument":
            arguments.append(kind)
            repeats = param.nargs == -1
            continue
        # Typer keeps the names of its own --help as a set, in no order.
        names = sorted([*param.opts, *param.secondary_opts], key=lambda one: one.startswith("--"))
        options |= dict.fromkeys(names, text)
        if not param.is_flag:
            values |= dict.fromkeys(names, kind)
    sentence = (command.help or "").strip().partition("\n\n")[0]
    help_text = " ".join(sentence.split())
    return Command(name, help_text, tuple(verbs), options, values, tuple(arguments), repeats)


def _callbacks(command: Any) -> dict[str, Callable[..., Any]]:
    """Return what completes the parameters of a command, as its function declares it."""
    if command.callback is None:
        return {}
    found: dict[str, Callable[..., Any]] = {}
    for name, parameter in inspect.signature(command.callback).parameters.items():
        for declared in getattr(parameter.annotation, "__metadata__", ()):
            if function := getattr(declared, "autocompletion", None):
                found[name] = function
    return found


def _kind(metavar: str, text: str, function: Callable[..., Any] | None) -> str:
    if function is not None:
        name = str(getattr(function, "__name__", function))
        if function in complete.FIXED or name == "<lambda>":  # a lambda gives a table of its module
            return " ".join(["files" if "SOURCE" in metavar else "words", *function()])
        if function in complete.LISTED:
            return " ".join(["list", *function("")])
        if getattr(complete, name, None) is not function:
            raise TypeError(f"{name} completes a value, but is not in psops.cli.complete")
        return f"offer {name}"
    if choices := _CHOICES.fullmatch(text.strip()):
        return " ".join(["words", *choices[1].split(", "), choices[2]])
    if _FOLDER.search(metavar):
        return "folders"
    if _FILE.search(metavar):
        return " ".join(["files", *_WORD.findall(text)])
    return "any"


def render(shell: str, commands: Iterable[Command], header: str) -> str:
    """Return the script for a shell, with `header` as its second line."""
    known = tuple(commands)
    engine = Path(__file__).with_name(f"completion.{shell}").read_text(encoding="utf-8")
    tables = {"bash": _for_bash, "zsh": _for_zsh, "fish": _for_fish}[shell](known)
    return "\n".join([SHELLS[shell][1], f"# {header}", "", *tables, engine])


def _shared(pairs: Iterable[tuple[str, str, str]]) -> list[tuple[list[str], str]]:
    """Return patterns `VERB OPTION` with what holds for them, from (verb, option, value): those
    of one verb first, then for each option what most verbs have, with `*` in place of the verb.
    """
    found: dict[str, dict[str, str]] = {}
    for verb, option, value in pairs:
        found.setdefault(option, {})[verb] = value
    special: dict[str, list[str]] = {}
    usual: dict[str, list[str]] = {}
    for option, values in found.items():
        ((most, _),) = Counter(values.values()).most_common(1)
        usual.setdefault(most, []).append(f"* {option}")
        for verb, value in values.items():
            if value != most:
                special.setdefault(value, []).append(f"{verb} {option}")
    return [(names, value) for group in (special, usual) for value, names in group.items()]


def _kinds(commands: tuple[Command, ...]) -> list[tuple[list[str], str]]:
    triples = [(one.name, option, kind) for one in commands for option, kind in one.values.items()]
    return _shared(triples)


def _helps(commands: tuple[Command, ...]) -> list[tuple[list[str], str]]:
    texts = [(one.name, option, text) for one in commands for option, text in one.options.items()]
    return [*(([one.name], one.help) for one in commands if one.name), *_shared(texts)]


def _glob(patterns: Iterable[str], separator: str) -> str:
    """Return patterns for `case`, quoted but for a leading `*`."""
    return separator.join(
        f"*{shlex.quote(name[1:])}" if name.startswith("*") else shlex.quote(name)
        for name in patterns
    )


def _alike(commands: tuple[Command, ...]) -> Iterable[tuple[list[str], Command]]:
    """Return the commands with those that differ from them in nothing but name and help."""
    found: dict[tuple[Any, ...], list[Command]] = {}
    for one in commands:
        key = (one.verbs, tuple(one.options), tuple(one.values), one.arguments, one.repeats)
        found.setdefault(key, []).append(one)
    return [([one.name for one in some], some[0]) for some in found.values()]


def _for_bash(commands: tuple[Command, ...]) -> list[str]:
    lines = ["_psops_verb() {", "    case $1 in"]
    for names, one in _alike(commands):
        lines += [
            f"    {_glob(names, ' | ')})",
            f"        verbs=' {_spaced(one.verbs)}'",
            f"        options=' {_spaced(one.options)}'",
            f"        valued=' {_spaced(one.values)}'",
            f"        arguments=({' '.join(map(shlex.quote, one.arguments))})",
            f"        repeats={'yes' if one.repeats else ''}",
            "        ;;",
        ]
    lines += ["    esac", "}", "", "_psops_value() {", "    case $1 in"]
    for patterns, kind in _kinds(commands):
        if kind != "any":
            lines.append(f"    {_glob(patterns, ' | ')}) kind={shlex.quote(kind)} ;;")
        elif any(not name.startswith("*") for name in patterns):
            lines.append(f"    {_glob(patterns, ' | ')}) kind=any ;;")
    return [*lines, "    *) kind=any ;;", "    esac", "}", ""]


def _spaced(words: Iterable[str]) -> str:
    return "".join(f"{word} " for word in words)


def _for_zsh(commands: tuple[Command, ...]) -> list[str]:
    lines = ["_psops_verb() {", "  case $1 in"]
    for names, one in _alike(commands):
        lines += [
            f"    ({_glob(names, ' | ')})",
            f"      verbs=({' '.join(one.verbs)})",
            f"      options=({' '.join(one.options)})",
            f"      valued=({' '.join(one.values)})",
            f"      arguments=({' '.join(map(shlex.quote, one.arguments))})",
            f"      repeats={int(one.repeats)}",
            "      ;;",
        ]
    lines += ["  esac", "}", "", "_psops_value() {", "  case $1 in"]
    for patterns, kind in _kinds(commands):
        lines.append(f"    ({_glob(patterns, ' | ')}) kind={shlex.quote(kind)} ;;")
    lines += ["  esac", "}", "", "_psops_help() {", "  case $1 in"]
    for patterns, text in _helps(commands):
        lines.append(f"    ({_glob(patterns, ' | ')}) help={shlex.quote(text)} ;;")
    return [*lines, "  esac", "}", ""]


def _for_fish(commands: tuple[Command, ...]) -> list[str]:
    lines = ["function __psops_verb", "    switch $argv[1]"]
    for names, one in _alike(commands):
        lines += [
            f"        case {' '.join(map(_fish, names))}",
            f"            set __psops_verbs {' '.join(one.verbs)}".rstrip(),
            f"            set __psops_options {' '.join(one.options)}".rstrip(),
            f"            set __psops_valued {' '.join(one.values)}".rstrip(),
            f"            set __psops_arguments {' '.join(map(_fish, one.arguments))}".rstrip(),
            f"            set __psops_repeats {'yes' if one.repeats else _fish('')}",
        ]
    lines += ["    end", "end", "", "function __psops_value", "    switch $argv[1]"]
    for patterns, kind in _kinds(commands):
        lines += [
            f"        case {' '.join(map(_fish, patterns))}",
            f"            echo {_fish(kind)}",
        ]
    lines += ["    end", "end", "", "function __psops_help", "    switch $argv[1]"]
    for patterns, text in _helps(commands):
        lines += [
            f"        case {' '.join(map(_fish, patterns))}",
            f"            echo {_fish(text)}",
        ]
    return [*lines, "    end", "end", ""]


def _fish(text: str) -> str:
    """Return text as fish reads it; its quotes know two escapes."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
