"""Catalogue files: from TOML to `Catalogue`, with a message for every mistake.

Reading goes on after a mistake, so that `lint` can tell all of them; `load` raises the first.
A message names the file, the line where it can be told, the table, the key and what is wrong.
"""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from psops import paths
from psops.catalogue import Catalogue, CatalogueError
from psops.catalogue.values import Wrong, boolean, kind, name, string, unknown_key

Table = dict[str, Any]

#: Where the files that psops brings are, one for each system.
PACKAGED = Path(__file__).with_name("systems")
#: The directory of further files, in the configuration of the machine and of the user.
BUNDLES = "bundles.d"


class Problem(NamedTuple):
    """A mistake: which file, counted in the order of reading, which line, and the sentence."""

    file: int
    line: int
    text: str


class Draft:
    """What the files say of one entry, the later ones over the earlier ones."""

    __slots__ = ("broken", "name", "origins", "section", "system", "texts", "values")

    def __init__(self, section: str, name: str, system: str) -> None:
        self.section = section
        self.name = name
        self.system = system
        self.values: Table = {}
        #: Key -> the file that has it; and all files in which the entry is.
        self.origins: dict[str, File] = {}
        self.texts: list[File] = []
        #: Whether a value was wrong, so that one more mistake may only follow from it.
        self.broken = False


class File:
    """A catalogue file as text, and how places in it are told."""

    __slots__ = ("number", "path", "text")

    def __init__(self, number: int, path: Path, text: str) -> None:
        self.number = number
        self.path = path
        self.text = text

    def problem(
        self, where: tuple[str, ...], key: str | None, what: str, trail: tuple[int | str, ...] = ()
    ) -> Problem:
        """Return the mistake at a key of a table, `trail` leading on within its value."""
        from psops.catalogue.lines import find

        line = find(self.text, where, key, trail)
        parts = [_header(where)] if where else []
        if key is not None:
            steps = (f", item {at + 1}" if isinstance(at, int) else f", key '{at}'" for at in trail)
            parts.append(f"key '{key}'{''.join(steps)}")
        place = f"{self.path}:{line}" if line else str(self.path)
        return Problem(self.number, line or 0, _one_line(f"{place}: {' '.join(parts)}: {what}"))


def load(extra: Iterable[Path] | None = None) -> Catalogue:
    """Return the catalogue of the package and of `extra` files, or of machine and user."""
    catalogue, problems = read(files(extra))
    if catalogue is None or problems:
        more = f"{len(problems) - 1} more: psops bundle lint" if len(problems) > 1 else None
        raise CatalogueError(problems[0].text, remedy=more)
    return catalogue


def lint(extra: Iterable[Path] | None = None) -> list[str]:
    """Return all mistakes in the files, in their order."""
    try:
        _, problems = read(files(extra))
    except CatalogueError as exc:  # a directory that cannot be read
        return [str(exc)]
    return [problem.text for problem in problems]


def files(extra: Iterable[Path] | None = None) -> tuple[Path, ...]:
    """Return the files to read, the weakest first; `extra` instead of those of the host."""
    found = list(_listed(PACKAGED))
    if extra is not None:
        return (*found, *extra)
    for place in reversed(paths.config_files(BUNDLES)):
        found += _listed(place)
    return tuple(found)


def _listed(place: Path) -> list[Path]:
    try:
        return sorted(path for path in place.iterdir() if path.suffix == ".toml")
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as exc:
        reason = (exc.strerror or str(exc)).lower()
        raise CatalogueError(f"{place}: cannot read: {reason}") from exc


def read(found: Iterable[Path]) -> tuple[Catalogue | None, list[Problem]]:
    """Return the catalogue that the files describe, None after a mistake, and all mistakes."""
    from psops.catalogue.build import build

    reader = Reading()
    places = tuple(found)
    for number, path in enumerate(places):
        try:
            text = paths.read_text(path)
        except UnicodeDecodeError as exc:
            line = exc.object[: exc.start].count(b"\n") + 1
            reader.unread(number, line, f"{path}:{line}: not UTF-8 text")
        except (OSError, ValueError) as exc:
            reason = (getattr(exc, "strerror", None) or str(exc)).lower()
            reader.unread(number, 0, f"{path}: cannot read: {reason}")
        else:
            reader.take(File(number, path, text))
    # What refers to an entry of a file that was not read is not to blame.
    if reader.complete:
        catalogue = build(reader, places)
    problems = sorted(reader.problems)
    return (None if problems else catalogue), problems


class Reading:
    """The entries of all files read so far, and the mistakes in them."""

    def __init__(self) -> None:
        self.drafts: dict[str, dict[str, Draft]] = {section: {} for section in _sections()}
        self.externals: dict[str, str] = {}
        self.problems: list[Problem] = []
        self.complete = True

    def unread(self, number: int, line: int, what: str) -> None:
        """Note that a whole file could not be read."""
        self.complete = False
        self.problems.append(Problem(number, line, _one_line(what)))

    def take(self, file: File) -> None:
        """Add what a file says."""
        try:
            top = tomllib.loads(file.text)
        except RecursionError:
            return self.unread(file.number, 0, f"{file.path}: nested too deeply")
        except ValueError as exc:
            return self.unread(file.number, *_not_toml(file, str(exc)))
        sections = _sections()
        system = file.path.stem
        for key, value in top.items():
            if key == "system":
                system = self.value(file, (), key, name, value) or system
            elif key == "externals":
                for inner, table in self.tables(file, key, value):
                    if text := self.value(file, (key,), inner, string, table):
                        self.externals[inner] = text
            elif key not in sections:
                known = ("system", *sections, "externals")
                self.problems.append(file.problem((), key, unknown_key(key, known)))
        for section, keys in sections.items():
            for inner, table in self.tables(file, section, top.get(section, {})):
                self.entry(file, (section, inner), table, system, keys)
        return None

    def tables(self, file: File, section: str, value: Any) -> Iterator[tuple[str, Any]]:
        """Yield the entries of a section that have proper names."""
        if not isinstance(value, dict):
            what = f"must be a table, not {kind(value)}"
            self.problems.append(file.problem((), section, what))
            return
        for key, item in value.items():
            try:
                name(key)
            except Wrong as exc:
                self.problems.append(file.problem((section, key), None, str(exc)))
            else:
                yield key, item

    def entry(
        self, file: File, where: tuple[str, str], table: Any, system: str, keys: Mapping[str, Any]
    ) -> None:
        """Add what a file says of one entry."""
        section, key = where
        if not isinstance(table, dict):
            what = f"must be a table, not {kind(table)}"
            self.problems.append(file.problem((section,), key, what))
            return
        drafts = self.drafts[section]
        place = key
        if section == "components" and key in drafts and drafts[key].system != system:
            # Pipelines are worlds of their own: nearly all of them have a component `grafana`.
            place = f"{system}/{key}"
        if self.value(file, where, "replace", boolean, table.get("replace", False)):
            drafts[place] = Draft(section, key, system)
        draft = drafts.setdefault(place, Draft(section, key, system))
        draft.texts.append(file)
        if section == "daemons":
            _override(draft, table)
        for inner, value in table.items():
            if inner == "replace":
                continue
            if inner not in keys:
                what = unknown_key(inner, [*keys, "replace"])
                self.problems.append(file.problem(where, inner, what))
                draft.broken = True
                continue
            before = len(self.problems)
            found = self.value(file, where, inner, keys[inner], value)
            if len(self.problems) > before:
                draft.broken = True
            else:
                if section == "components" and inner == "checks":
                    # One check of a component may be changed or left out, the others stay.
                    found = {**draft.values.get(inner, {}), **found}
                draft.values[inner] = found
                draft.origins[inner] = file

    def value(self, file: File, where: tuple[str, ...], key: str, reader: Any, value: Any) -> Any:
        """Return the checked value of a key, None after a mistake."""
        try:
            return reader(value)
        except Wrong as exc:
            self.problems.append(file.problem(where, key, str(exc), exc.trail))
            return None

    def fail(
        self, draft: Draft, key: str | None, what: str, trail: tuple[int | str, ...] = ()
    ) -> None:
        """Note a mistake that shows only beside other entries."""
        draft.broken = True
        file = draft.origins.get(key or "", draft.texts[-1])
        where = (draft.section, draft.name)
        self.problems.append(file.problem(where, key, what, trail))


def _override(draft: Draft, table: Table) -> None:
    """Take back what a later file says in another way, and what it says for all variants."""
    same = {"units", "rule", "healthy", "needs"}
    for key in same:
        if ("needs" in table) != (key == "needs") and same & table.keys():
            draft.values.pop(key, None)
    said = {*table, *same} if same & table.keys() else {*table}
    draft.values["variants"] = tuple(
        (when, {key: value for key, value in changes.items() if key not in said})
        for when, changes in draft.values.get("variants", ())
    )


def _sections() -> dict[str, Mapping[str, Any]]:
    """Return the tables of a file and the keys of their entries."""
    from psops.catalogue.keys import BUNDLE_KEYS, CHECK_KEYS, COMPONENT_KEYS, DAEMON_KEYS

    return {
        "daemons": DAEMON_KEYS,
        "bundles": BUNDLE_KEYS,
        "checks": CHECK_KEYS,
        "components": COMPONENT_KEYS,
    }


def _not_toml(file: File, message: str) -> tuple[int, str]:
    """Return line and sentence for what tomllib says of a text."""
    what, _, place = message.partition(" (at ")
    line, column = file.text.rstrip().count("\n") + 1, ""
    if at := re.match(r"line (\d+), (column \d+)", place):
        line, column = int(at[1]), f" ({at[2]})"
    if twice := re.fullmatch(r"Cannot declare \('(.*)',?\) twice", what):
        what = f"{_header(tuple(twice[1].split(chr(39) + ', ' + chr(39))))} is there twice"
    else:
        what = f"not TOML: {what[:1].lower()}{what[1:]}{column}"
    return line, f"{file.path}:{line}: {what}"


def _header(path: tuple[str, ...]) -> str:
    """Return a table's header as it stands in a file."""
    parts = (part if re.fullmatch(r"[A-Za-z0-9_-]+", part) else f'"{part}"' for part in path)
    return f"[{'.'.join(parts)}]"


def _one_line(text: str) -> str:
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)
