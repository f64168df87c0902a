"""An inventory file while it is edited: all that is not edited stays byte for byte.

Every edit is made twice, in the text and in the values that tomllib read from it. At the end
the new text is read again and must give exactly the new values, or nothing is changed.
"""

import copy
import re
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from psops.errors import InventoryError
from psops.inventory import Inventory
from psops.inventory.file import parse
from psops.nodeset import expand, fold
from psops.toml_text import Statement, items_of, statements, strings_of, write_key, write_value

Table = dict[str, Any]


class Draft:
    """The text of an inventory file with edits; `inventory` is what it was before them."""

    def __init__(self, text: str, path: Path) -> None:
        """Raise `InventoryError` if the text is no inventory."""
        self.path = path
        self.before = text
        bare = text.removeprefix("\ufeff")
        self.inventory: Inventory = parse(bare, path)
        #: The values of the file with the edits so far.
        self.values: Table = copy.deepcopy(tomllib.loads(bare))
        self._newline = "\r\n" if "\r\n" in text else "\n"
        self._statements = statements(text)
        self._headers: dict[tuple[str, ...], Statement] = {}
        self._keys: dict[tuple[str, ...], Statement] = {}
        #: The statements of each table, by the path of its header.
        self._under: dict[tuple[str, ...], list[Statement]] = {}
        for one in self._statements:
            if one.is_header:
                self._headers.setdefault(one.path, one)
            else:
                self._keys[one.path] = one
            self._under.setdefault(one.above, []).append(one)
        self._edits: list[tuple[int, int, str]] = []
        self._new: dict[str, list[str]] = {"hosts": [], "groups": []}
        self._added: dict[tuple[str, ...], list[str]] = {}  # new keys by table
        self._outer: dict[tuple[str, ...], list[str]] = {}  # those of tables without a header

    def text(self) -> str:
        """Return the new text; raises `InventoryError` if it is not what was asked for."""
        edits = list(self._edits)
        for path, lines in self._added.items():
            edits.append(self._insertion(self._end_of_keys(path), "".join(lines)))
        for path, lines in self._outer.items():
            self._new[path[0]].append("".join([f"[{write_key(*path)}]\n", *lines]))
        self._outer.clear()
        places: dict[int, list[str]] = {}
        for family, tables in self._new.items():
            if tables:
                places.setdefault(self._place_of(family), []).append("\n".join(tables))
        edits += [self._tables(at, "\n".join(texts)) for at, texts in places.items()]
        pieces, at = [], 0
        for start, end, new in sorted(edits, key=lambda edit: edit[:2]):
            if start < at:
                raise self._error("two edits of the same place")
            pieces += [self.before[at:start], new.replace("\n", self._newline)]
            at = end
        text = "".join([*pieces, self.before[at:]])
        self._prove(text)
        return text

    def new_table(self, family: str, name: str, items: Table) -> None:
        """Add a table behind the last one of its family, `hosts` or `groups`."""
        self.values.setdefault(family, {})[name] = copy.deepcopy(items)
        lines = [f"[{write_key(family, name)}]\n"]
        lines += [f"{write_key(key)} = {write_value(value)}\n" for key, value in items.items()]
        self._new[family].append("".join(lines))

    def set_key(self, family: str, name: str, key: str, value: Any) -> None:
        """Set a key of a table that is there; a table of values (labels) is added to."""
        path = (family, name, key)
        table = self.values[family][name]
        if isinstance(value, dict) and isinstance(table.get(key), dict):
            if path not in self._keys:
                self._set_inner(path, table[key], value)
                return
            value = {**table[key], **value}
        table[key] = copy.deepcopy(value)
        if path in self._keys:
            start, end = self._keys[path].inner
            self._edits.append((start, end, write_value(value)))
        else:
            self._add_key(path[:-1], (key,), value)

    def add_to_list(self, family: str, name: str, key: str, items: Iterable[Any]) -> None:
        """Add to a list of a table that is there."""
        items = list(items)
        path = (family, name, key)
        table = self.values[family][name]
        had = table.get(key)
        table[key] = [*([had] if isinstance(had, str) else had or ()), *items]
        if had is None:
            self._add_key(path[:-1], (key,), table[key])
            return
        statement = self._require(path)
        start, end = statement.inner
        known = items_of(self.before, statement.inner)
        if isinstance(had, str) or not known:
            last_line = self.before.rfind("\n", start, end) + 1
            if last_line and self.before[last_line:end].strip() == "]":  # comments alone
                lines = "".join(f"  {write_value(item)},\n" for item in items)
                self._edits.append((last_line, last_line, lines))
            else:
                self._edits.append((start, end, write_value(table[key])))
            return
        last = known[-1][1]
        lead = re.search(r"(?<=\n)[ \t]*\Z", self.before[start : known[-1][0]])
        line_end = self.before.find("\n", last, end)
        if lead is None or line_end < 0:
            added = "".join(f", {write_value(item)}" for item in items)
            self._edits.append((last, last, added))
            return
        # A line for each, and a comment beside the last one stays beside it.
        if not re.compile(r"[ \t]*,").match(self.before, last):
            self._edits.append((last, last, ","))
        added = "".join(f"{lead[0]}{write_value(item)},\n" for item in items)
        self._edits.append((line_end + 1, line_end + 1, added))

    def without_hosts(self, names: frozenset[str]) -> None:
        """Take hosts away, from tables and from groups; comments beside them stay."""
        gone: set[tuple[str, ...]] = set()
        covering = {pattern: expand(pattern) for pattern in self.values.get("hosts", {})}
        for pattern, covered in covering.items():
            left = [name for name in covered if name not in names]
            if not left:
                self.values["hosts"].pop(pattern)
                gone.add(("hosts", pattern))
            elif len(left) < len(covered):
                others = (one for other, one in covering.items() if other != pattern)
                alone = len(left) == 1 and any(left[0] in one for one in others)
                # A table of one name is stronger than one of several, so it stays several.
                self._rename(pattern, f"{left[0]},{left[0]}" if alone else fold(left), left[0])
        self._remove_tables(gone)
        for group in self.values.get("groups", {}):
            self.take_from_group(group, names)

    def take_from_group(self, group: str, names: frozenset[str]) -> None:
        """Take hosts out of those that a group names itself."""
        table = self.values["groups"][group]
        had = table.get("hosts", [])
        kept: dict[str, str] = {}  # what becomes of each string of the list that is touched
        for text in [had] if isinstance(had, str) else had:
            covered = expand(text)
            left = [name for name in covered if name not in names]
            if len(left) < len(covered):
                kept[text] = fold(left) if left else ""
        if not kept:
            return
        statement = self._require(("groups", group, "hosts"))
        if isinstance(had, str):
            left_text = kept[had]
            table["hosts"] = left_text or []
            self._edits.append((*statement.inner, write_value(table["hosts"])))
            return
        table["hosts"] = [kept.get(text, text) for text in had if kept.get(text, text)]
        if "\n" not in self.before[slice(*statement.inner)]:
            self._edits.append((*statement.inner, write_value(table["hosts"])))
            return
        for start, end, value in strings_of(self.before, statement.inner):
            if kept.get(value):
                self._edits.append((start, end, write_value(kept[value])))
            elif value in kept:
                self._edits.append((*self._with_comma(start, end, statement.inner), ""))

    def _with_comma(self, start: int, end: int, within: tuple[int, int]) -> tuple[int, int]:
        """Return the span of an item of a list of many lines, with its comma or its line."""
        if comma := re.compile(r"[ \t]*,").match(self.before, end, within[1]):
            end = comma.end()
        lead = re.search(r"(?<=\n)[ \t]*\Z", self.before[within[0] : start])
        rest = re.compile(r"[ \t]*\r?\n").match(self.before, end, within[1])
        return (start - len(lead[0]), rest.end()) if lead and rest else (start, end)

    def _remove_tables(self, paths: set[tuple[str, ...]]) -> None:
        """Remove tables with those within them, up to the last key; comments above stay."""
        left = set(paths)
        for place, header in enumerate(self._statements):
            if not header.is_header or header.path[:2] not in paths:
                continue
            left.discard(header.path[:2])
            end = header.end
            for one in self._statements[place + 1 :]:
                if one.is_header:
                    break
                end = one.end
            # One blank line between neighbours is enough.
            blank = re.compile(r"(?:[ \t]*\r?\n)*").match(self.before, end)
            if blank and re.search(r"(?:\A|\n[ \t]*\r?\n)\Z", self.before[: header.start][-99:]):
                end = blank.end()
            self._edits.append((header.start, end, ""))
        for path in left:
            raise self._error(f"[{write_key(*path)}] is written within another table", path)

    def _rename(self, pattern: str, name: str, filler: str) -> None:
        """Give the table of a pattern another one; where that is taken, say a name twice."""
        hosts = self.values["hosts"]
        while name in hosts:
            name += f",{filler}"
        self.values["hosts"] = {
            name if key == pattern else key: value for key, value in hosts.items()
        }
        path = ("hosts", pattern)
        headers = [one for one in self._statements if one.is_header and one.path[:2] == path]
        if not headers:
            raise self._error(f"[{write_key(*path)}] is written within another table", path)
        for one in headers:
            self._edits.append((*one.inner, write_key("hosts", name, *one.path[2:])))

    def _set_inner(self, path: tuple[str, ...], had: Table, value: Table) -> None:
        """Set keys of a table within a table, which has a header or dotted keys."""
        for key, item in value.items():
            had[key] = item
            if (*path, key) in self._keys:
                start, end = self._keys[(*path, key)].inner
                self._edits.append((start, end, write_value(item)))
            elif path in self._headers:
                self._add_key(path, (key,), item)
            else:
                self._add_key(path[:-1], (path[-1], key), item)

    def _add_key(self, table: tuple[str, ...], key: tuple[str, ...], value: Any) -> None:
        line = f"{write_key(*key)} = {write_value(value)}\n"
        if table in self._headers:
            self._added.setdefault(table, []).append(line)
        elif any(head[: len(table)] == table for head in self._headers):
            self._outer.setdefault(table, []).append(line)  # only tables within it have headers
        else:
            raise self._error(f"[{write_key(*table)}] is written within another table", table)

    def _end_of_keys(self, path: tuple[str, ...]) -> int:
        return max(one.end for one in self._under[path])

    def _place_of(self, family: str) -> int:
        """Return where new tables of a family go: behind its last one."""
        ends = [one.end for one in self._statements if one.path[:1] == (family,)]
        at = max(ends, default=len(self.before))
        if ends:
            # Comments that stand right below the last key belong to it, unless a table follows.
            below = re.compile(r"(?:[ \t]*#[^\n]*(?:\n|\Z))*").match(self.before, at)
            if below and re.compile(r"\r?\n|\Z").match(self.before, below.end()):
                at = below.end()
        return at

    def _tables(self, at: int, text: str) -> tuple[int, int, str]:
        """Return the edit that puts new tables into a place, with empty lines around them."""
        lead = "\n" if self.before[:at].strip("\ufeff \t\r\n") else ""
        if lead and self.before[:at].endswith(("\n\n", "\n\r\n")):
            lead = ""
        rest = self.before[at:]
        tail = "\n" if rest.strip() and not rest.startswith(("\n", "\r\n")) else ""
        return self._insertion(at, f"{lead}{text}{tail}")

    def _insertion(self, at: int, text: str) -> tuple[int, int, str]:
        if at and not self.before[:at].endswith(("\n", "\ufeff")):
            text = f"\n{text}"  # the last line has no end yet
        return at, at, text

    def _require(self, path: tuple[str, ...]) -> Statement:
        if path not in self._keys:
            raise self._error(f"[{write_key(*path[:-1])}] is written within another table", path)
        return self._keys[path]

    def _prove(self, text: str) -> None:
        bare = text.removeprefix("\ufeff")
        try:
            same = _filled(tomllib.loads(bare)) == _filled(self.values)
        except ValueError as exc:
            raise self._error(str(exc)) from exc
        if not same:
            raise self._error("the result would not be what was asked for")
        parse(bare, self.path)

    def _error(self, reason: str, path: tuple[str, ...] = ()) -> InventoryError:
        from psops.inventory.lines import find

        line = find(self.before, path[:-1], path[-1]) if path else None
        place = f"{self.path}:{line}" if line else f"{self.path}"
        return InventoryError(
            f"{place}: cannot be edited: {reason}",
            remedy="write tables with headers of their own, as [hosts.NAME], or edit it by hand",
        )


def _filled(values: Table) -> Table:
    """Return the values without tables of no hosts or groups, which no header need stand for."""
    return {key: value for key, value in values.items() if value != {}}
