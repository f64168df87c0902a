"""The effective daemon list, as the master would build it, with the origin of every value.

Authority: `daemon_config.py`, `config_utils.py` of panda-server, `expand_values` of panda-common.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from psops.panda.ini import SECTION, IniFiles
from psops.panda.jsontext import Member, members, row
from psops.panda.master import Parsed, parse
from psops.panda.model import DaemonConfig, Fatal, Option, Place, State
from psops.panda.sources import Fetch, Sources

#: A value that is the name of a variable and nothing else.
_VARIABLE = re.compile(r"^\$\{*(\w+)\}*$")


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigText:
    """The JSON of `config`: the text it is in, where it begins, and the file's line of each row."""

    text: str
    start: int
    file: str
    rows: tuple[int, ...]
    via: str = ""

    def place(self, at: int) -> Place:
        """Return the place of a character."""
        line = self.rows[min(row(self.text, at), len(self.rows) - 1)]
        return Place(self.file, line, self.via)


class Double(NamedTuple):
    """A name or an attribute that is there twice; the master takes the last, at `used`."""

    name: str
    attribute: str
    place: Place
    used: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Effective:
    """What the master holds after it has read everything.

    `found` are the files that exist. With `fatal` nothing starts and the rest is empty.
    `table` is what it schedules from, usually a dict; `error` and `reason` tell of the exception
    that ended the parse of `config`. `hidden` are the daemons which an overlay's `config` hides,
    enabled ones that it does not have itself.
    """

    sources: Sources
    found: tuple[str, ...]
    fatal: Fatal | None = None
    options: Mapping[str, Option] = field(default_factory=dict)
    daemons: tuple[DaemonConfig, ...] = ()
    table: Any = None
    error: str = ""
    reason: str = ""
    config: ConfigText | None = None
    doubles: tuple[Double, ...] = ()
    hidden: tuple[str, ...] = ()

    def value(self, option: str, default: Any = None) -> Any:
        """Return an option's value as the master's module has it."""
        return self.options[option].value if option in self.options else default

    def daemon(self, name: str) -> DaemonConfig | None:
        """Return the daemon of this name, if there is one in any state."""
        return next((one for one in self.daemons if one.name == name), None)

    @property
    def starts_by_systemd(self) -> bool:
        """Return whether the systemd master goes on: any true value of `enable` will do."""
        return self.fatal is None and bool(self.value("enable", False))

    @property
    def starts_by_init(self) -> bool:
        """Return whether the init script goes on: it compares with the word True."""
        enable = self.value("enable", False)
        return self.fatal is None and str(enable) == "True"

    @property
    def stopped_by(self) -> str:
        """Return why no daemon at all runs although the master was started, "" if they do."""
        if self.fatal is not None:
            return self.fatal.text
        if not isinstance(self.table, dict):
            return "the scheduler fails, since 'config' is no object"
        for name, attributes in self.table.items():
            if not (isinstance(attributes, dict) and "module" in attributes):
                return f"every worker dies on '{name}', which has no module set"
            period = attributes.get("period")
            if period is not None and not isinstance(period, int | float):
                return f"the scheduler fails on '{name}', whose period is no number"
        return "" if self.table else "the table of daemons is empty"

    @property
    def scheduled(self) -> tuple[DaemonConfig, ...]:
        """Return the daemons that run, provided that the service is started."""
        if self.stopped_by:
            return ()
        return tuple(one for one in self.daemons if one.state is State.ACTIVE)


def read_effective(sources: Sources, fetch: Fetch) -> Effective:
    """Return what the master would hold; every mistake of the files is in the result.

    Raises only what `fetch` raises.
    """
    found: list[str] = []
    try:
        return _read(sources, fetch, found)
    except _TooLong as error:
        return Effective(sources=sources, found=tuple(found), fatal=error.fatal)


class _TooLong(Exception):
    """An option is a number of more digits than Python takes."""

    def __init__(self, option: str, place: Place, text: str) -> None:
        super().__init__(text)
        self.fatal = Fatal(error="ValueError", text=text, places=(place,), option=option)


def _option(
    name: str, raw: Any, place: Place, hides: tuple[Place, ...], sources: Sources
) -> Option:
    try:
        value = expand(raw, sources.environment)
    except ValueError as error:
        raise _TooLong(name, place, str(error)) from error
    return Option(name=name, raw=raw, value=value, place=place, overridden=hides)


def _read(sources: Sources, fetch: Fetch, found: list[str]) -> Effective:
    ini = IniFiles()
    for path in sources.files:
        data = fetch(path)
        if data is None:
            continue
        found.append(path)
        text = _decode(path, data)
        fatal = text if isinstance(text, Fatal) else ini.add(path, text)
        if fatal is not None:
            return Effective(sources=sources, found=tuple(found), fatal=fatal)
    items = ini.items()
    if isinstance(items, Fatal):
        return Effective(sources=sources, found=tuple(found), fatal=items)
    below = {name: _from_ini(ini, name, raw, sources) for name, raw in (items or {}).items()}
    overlay = _Overlay()
    if sources.overlay and (data := fetch(sources.overlay)) is not None:
        found.append(sources.overlay)
        text = _decode(sources.overlay, data)
        fatal = text if isinstance(text, Fatal) else overlay.read(sources, text)
        if fatal is not None:
            return Effective(sources=sources, found=tuple(found), fatal=fatal)
    options = dict(below)
    for name, option in overlay.options.items():
        if name in below:
            hides = (*below[name].overridden, below[name].place)
            option = replace(option, overridden=hides)
        options[name] = option
    return _with_daemons(sources, tuple(found), options, below, ini, overlay)


def expand(value: Any, environment: Mapping[str, str]) -> Any:
    """Return a value of [daemon] as the master's module has it.

    Raises `ValueError` for more digits than `int` takes, as the import of the master does.

    >>> expand("$N", {"N": "4"}), expand("true", {}), expand("-1", {}), expand("$M", {})
    (4, 'true', '-1', '$M')
    """
    if not isinstance(value, str):
        return value
    if (found := _VARIABLE.search(value)) and found[1] in environment:
        value = environment[found[1]]
    words = {"True": True, "False": False, "None": None}
    if value in words:
        return words[value]
    return int(value) if re.match(r"^\d+$", value) else value


def variable_of(value: Any) -> str:
    """Return the name of the variable that a value is, "" if it is none."""
    found = _VARIABLE.search(value) if isinstance(value, str) else None
    return found[1] if found else ""


class _Overlay:
    """The JSON file above the configuration files."""

    def __init__(self) -> None:
        self.options: dict[str, Option] = {}
        self.members: dict[str, Member] = {}
        self.text = ""

    def read(self, sources: Sources, text: str) -> Fatal | None:
        path = sources.overlay
        self.text = text
        try:
            top = json.loads(text)
            given: dict[Any, Any] = {}
            if SECTION in top:
                given.update(top[SECTION])
        except json.JSONDecodeError as error:
            return Fatal(
                error="JSONDecodeError", text=str(error), places=(Place(path, error.lineno),)
            )
        except (ValueError, TypeError, RecursionError) as error:
            return Fatal(
                error=type(error).__name__,
                text=f"not an object with objects: {error}",
                places=(Place(path),),
            )
        sections = [one for one in members(text) if one.key == SECTION]
        if sections:
            self.members = {one.key: one for one in members(text, sections[-1].value_at)}
        for name, raw in given.items():
            member = self.members.get(name)
            place = Place(path, row(text, member.key_at) + 1 if member else 0)
            self.options[name] = _option(name, raw, place, (), sources)
        return None


def _with_daemons(
    sources: Sources,
    found: tuple[str, ...],
    options: dict[str, Option],
    below: dict[str, Option],
    ini: IniFiles,
    overlay: _Overlay,
) -> Effective:
    options.setdefault(
        "enable", Option(name="enable", raw=None, value=False, place=Place("", via="default"))
    )
    if "config" not in options:
        return Effective(
            sources=sources,
            found=found,
            options=options,
            table={},
            error="AttributeError",
            reason="[daemon] has no 'config'",
        )
    option = options["config"]
    source = _config_text(option, ini, overlay, sources)
    parsed = parse(option.value)
    daemons, doubles = _daemons(parsed, source, option.place)
    hidden: tuple[str, ...] = ()
    if "config" in below and "config" in overlay.options:
        named = {one.name for one in daemons if one.state is State.ACTIVE}
        hidden = tuple(
            one.name
            for one in parse(below["config"].value).entries
            if one.state is State.ACTIVE and one.name not in named
        )
    return Effective(
        sources=sources,
        found=found,
        options=options,
        daemons=daemons,
        table=parsed.table,
        error=parsed.error,
        reason=parsed.reason,
        config=source,
        doubles=doubles,
        hidden=hidden,
    )


def _config_text(
    option: Option, ini: IniFiles, overlay: _Overlay, sources: Sources
) -> ConfigText | None:
    """Return the JSON text of `config` with its lines, None for what is no text."""
    name = variable_of(option.raw)
    via = f"${name}" if name in sources.environment else ""
    member = overlay.members.get("config") if "config" in overlay.options else None
    if member is not None and isinstance(option.raw, dict):
        lines = tuple(range(1, overlay.text.count("\n") + 2))
        return ConfigText(
            text=overlay.text, start=member.value_at, file=option.place.file, rows=lines
        )
    if not isinstance(option.value, str):
        return None
    if via or "config" in overlay.options:
        where = option.place
        return ConfigText(text=option.value, start=0, file=where.file, rows=(where.line,), via=via)
    written = ini.written("config")[-1]
    return ConfigText(text=option.value, start=0, file=written.file, rows=tuple(written.lines))


def _daemons(
    parsed: Parsed, source: ConfigText | None, place: Place
) -> tuple[tuple[DaemonConfig, ...], tuple[Double, ...]]:
    doubles: list[Double] = []
    named: dict[str, Member] = {}
    inner: dict[str, dict[str, Member]] = {}

    def last_of(source: ConfigText, at: int, name: str = "") -> dict[str, Member]:
        last: dict[str, Member] = {}
        for one in members(source.text, at):
            if one.key in last:
                place = source.place(last[one.key].key_at)
                key = (name, one.key) if name else (one.key, "")
                doubles.append(Double(*key, place, source.place(one.key_at)))
            last[one.key] = one
        return last

    if source is not None and parsed.entries:
        named = last_of(source, source.start)
        inner = {name: last_of(source, one.value_at, name) for name, one in named.items()}
    made = []
    for entry in parsed.entries:
        at, places = place, {}
        if source is not None and entry.name in named:
            at = source.place(named[entry.name].key_at)
            places = {key: source.place(member.key_at) for key, member in inner[entry.name].items()}
        made.append(
            DaemonConfig(
                name=entry.name,
                state=entry.state,
                written=entry.written,
                attributes=entry.attributes,
                place=at,
                places=places,
                reason=entry.reason,
            )
        )
    return tuple(made), tuple(doubles)


def _from_ini(ini: IniFiles, name: str, raw: str, sources: Sources) -> Option:
    written = ini.written(name)
    places = tuple(one.place() for one in written)
    return _option(name, raw, places[-1], places[:-1], sources)


def _decode(path: str, data: str | bytes) -> str | Fatal:
    if isinstance(data, str):
        return data
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        place = Place(path, data.count(b"\n", 0, error.start) + 1)
        return Fatal(error="UnicodeDecodeError", text="not UTF-8 text", places=(place,))
