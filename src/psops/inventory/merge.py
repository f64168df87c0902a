"""Imported hosts and groups into an inventory file, in as few tables as say it; pure.

A setting that all hosts of a new group share goes to the group; hosts with the same settings
share a table, with their names folded. What the file says already stays, unless asked otherwise.
"""

from collections.abc import Iterable, Iterator, KeysView, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from psops.errors import InventoryError
from psops.importers.imported import Group, Imported, Note
from psops.inventory import Host, Inventory
from psops.inventory.draft import Draft
from psops.inventory.file import parse
from psops.inventory.values import HOST_KEYS
from psops.nodeset import evaluate, expand, fold

Settings = dict[str, Any]

#: What may be said of a group in place of each of its hosts.
_SHARED = ("user", "port", "jump", "transport", "sudo", "compress", "bundles")
#: What is added to, where the file says it already.
_LISTS = ("bundles", "waivers")
#: Patterns longer than this are cut at their commas, for the sake of who reads the file.
_LONGEST = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """The new text; which hosts and groups are new, which were given more; what was kept."""

    text: str
    new_hosts: tuple[str, ...] = ()
    changed_hosts: tuple[str, ...] = ()
    new_groups: tuple[str, ...] = ()
    changed_groups: tuple[str, ...] = ()
    kept: tuple[Note, ...] = ()


def merge(
    text: str, path: Path, imported: Imported, *, replace: bool = False, share: bool = True
) -> Merged:
    """Return the text of an inventory with imported hosts and groups in it.

    With `replace` an imported value takes the place of another one that the file gives to the
    host itself; without `share` groups say nothing of their hosts. Raises
    `InventoryError` if the file is wrong or cannot be edited.
    """
    try:
        return _proven(_Merger(Draft(text, path), imported, replace, share))
    except _Overruled:
        if not share:
            raise
    # Tables that are there already may overrule what is said of many hosts at once.
    return _proven(_Merger(Draft(text, path), imported, replace, share=False))


class _Overruled(InventoryError):
    """A host would not have what was imported for it, or others than these would change."""


def _proven(merger: "_Merger") -> Merged:
    merged = merger.merge()
    merger.prove(parse(merged.text.removeprefix("\ufeff"), merger.draft.path))
    return merged


class _Merger:
    def __init__(self, draft: Draft, imported: Imported, replace: bool, share: bool) -> None:
        self.draft = draft
        self.imported = imported
        self.replace = replace
        self.share = share
        self.before: Inventory = draft.inventory
        self.known: dict[str, Host] = {host.name: host for host in self.before.hosts}
        self.kept: dict[tuple[str, str], Note] = {}
        self.changed: dict[str, None] = {}

    def merge(self) -> Merged:
        new = {name: self._beyond_defaults(values) for name, values in self.imported.hosts.items()
               if name not in self.known}  # fmt: skip
        self._change_known()
        new_groups, changed_groups = self._groups(new)
        self._tables(new)
        return Merged(
            text=self.draft.text(),
            new_hosts=tuple(name for name in self.imported.hosts if name not in self.known),
            changed_hosts=tuple(self.changed),
            new_groups=new_groups,
            changed_groups=changed_groups,
            kept=tuple(self.kept.values()),
        )

    def _beyond_defaults(self, values: Settings) -> Settings:
        """Return what a new host needs to be told besides the defaults of the file."""
        defaults = self.before.defaults
        return {key: value for key, value in values.items()
                if not self.share or _missing(defaults, key, value) is not None}  # fmt: skip

    def _change_known(self) -> None:
        """Give hosts that the file knows what it does not say of them yet."""
        tables = self.draft.values.get("hosts", {})
        covering: dict[str, list[str]] = {}
        for pattern in tables:
            for name in expand(pattern):
                covering.setdefault(name, []).append(pattern)
        for name, values in self.imported.hosts.items():
            host = self.known.get(name)
            if host is None:
                continue
            wanted: Settings = {}
            for key, value in values.items():
                missing = _missing(host, key, value)
                if missing is None:
                    continue
                said = any(key in tables[pattern] for pattern in covering.get(name, ()))
                if said and not self.replace and key not in (*_LISTS, "labels"):
                    self._keep(name, key, value)
                elif isinstance(missing, dict) and not self.replace:
                    have = dict(host.labels)
                    wanted[key] = {one: missing[one] for one in missing if one not in have}
                    for one in missing.keys() & have.keys():
                        self._keep(name, f"labels.{one}", missing[one])
                else:
                    wanted[key] = missing
            wanted = {key: value for key, value in wanted.items() if value != {}}
            if wanted:
                self.changed[name] = None
                self._give(name, wanted, exact=name in tables)

    def _give(self, name: str, wanted: Settings, *, exact: bool) -> None:
        if not exact:
            self.draft.new_table("hosts", name, wanted)
            return
        for key, value in wanted.items():
            if key in _LISTS:
                self.draft.add_to_list("hosts", name, key, value)
            else:
                self.draft.set_key("hosts", name, key, value)

    def _keep(self, name: str, key: str, value: Any) -> None:
        told = f"{name}: the inventory gives another {key}, which is kept (not {value!r})"
        self.kept[name, key] = Note(0, told)

    def _groups(self, new: dict[str, Settings]) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Add groups, and to groups; take from `new` what a group says of its hosts."""
        fresh, more = [], []
        groups = self.imported.groups
        shared = self._shared(new) if self.share else {}
        for name, group in groups.items():
            if name not in self.before.groups:
                items: Settings = {}
                if group.groups:
                    items["groups"] = list(group.groups)
                if group.hosts or not group.groups:
                    items["hosts"] = _folded(group.hosts)
                self.draft.new_table("groups", name, items | shared.get(name, {}))
                fresh.append(name)
                continue
            hosts = [one for one in group.hosts if one not in self.before.groups[name]]
            inner = [one for one in group.groups if one not in self.before.inner.get(name, ())]
            if hosts:
                self.draft.add_to_list("groups", name, "hosts", _folded(hosts))
            if inner:
                self.draft.add_to_list("groups", name, "groups", inner)
            if hosts or inner:
                more.append(name)
        return tuple(fresh), tuple(more)

    def _shared(self, new: dict[str, Settings]) -> dict[str, Settings]:
        """Return what each new group can say of all its hosts, the outer groups first."""
        groups = self.imported.groups
        found: dict[str, Settings] = {}
        for name in _outer_first(groups):
            members = self._members(name)
            if name in self.before.groups or len(members) < 2 or not members <= new.keys():
                continue
            first = new[next(iter(members))]
            common = {
                key: first[key]
                for key in _SHARED
                if key in first and all(new[one].get(key) == first[key] for one in members)
            }
            if common:
                found[name] = common
                for member in members:
                    for key in common:
                        del new[member][key]
        return found

    def _members(self, name: str) -> KeysView[str]:
        """Return the hosts of a group and of the groups within it, those of the file too."""
        found: dict[str, None] = {}
        seen: set[str] = set()
        todo = [name]
        while todo:
            one = todo.pop()
            if one in seen:
                continue
            seen.add(one)
            group = self.imported.groups.get(one, Group())
            found.update(group.hosts)
            found.update(dict.fromkeys(self.before.groups.get(one, ())))
            todo += [*group.groups, *self.before.inner.get(one, ())]
        return found.keys()

    def _tables(self, new: dict[str, Settings]) -> None:
        """Add the tables that new hosts need: those with the same settings share one."""
        in_group = {host for group in self.imported.groups.values() for host in group.hosts}
        alike: dict[str, list[str]] = {}
        for name, values in new.items():
            if values or name not in in_group:
                key = name if "address" in values else repr(sorted(values.items()))
                alike.setdefault(key, []).append(name)
        for names in alike.values():
            values = new[names[0]]
            in_order = {key: values[key] for key in HOST_KEYS if key in values}
            for pattern in _packed(_folded(names)):
                self.draft.new_table("hosts", pattern, in_order)

    def prove(self, after: Inventory) -> None:
        """Raise unless the new inventory says what was imported, and nothing new of others."""
        hosts = {host.name: host for host in after.hosts}
        for name, host in self.known.items():
            if name in self.imported.hosts or replace(hosts[name], groups=host.groups) == host:
                continue
            key = next(key for key in HOST_KEYS if getattr(hosts[name], key) != getattr(host, key))
            raise _Overruled(
                f"{self.draft.path}: cannot be edited: '{name}', which is not imported, would get"
                f" another {key}",
                remedy="a group would take it in; give groups their hosts by hand",
            )
        for name, values in self.imported.hosts.items():
            for key, value in values.items():
                missing = _missing(hosts[name], key, value)
                if isinstance(missing, dict):
                    missing = {one: missing[one] for one in missing
                               if (name, f"labels.{one}") not in self.kept} or None  # fmt: skip
                if missing is not None and (name, key) not in self.kept:
                    raise _Overruled(
                        f"{self.draft.path}: cannot be edited: '{name}' would not have its {key}",
                        remedy="other tables say otherwise; give it to the host by hand",
                    )


def _missing(host: Host, key: str, value: Any) -> Any:
    """Return what of a value a host does not have, None if it has all."""
    have = getattr(host, key)
    checked = HOST_KEYS[key](value)
    if key == "labels":
        known = dict(have)
        return {one: text for one, text in checked if known.get(one) != text} or None
    if key == "protected":
        if checked is False:
            return value if have else None
        return None if have is True or (checked is not True and {*checked} <= {*have}) else value
    if key in _LISTS:
        return [one for one, two in zip(value, checked, strict=True) if two not in have] or None
    return None if have == checked else value


def _outer_first(groups: Mapping[str, Group]) -> list[str]:
    inner = {one for group in groups.values() for one in group.groups}
    order: dict[str, None] = {}
    layer = [name for name in groups if name not in inner] or list(groups)
    while layer:
        fresh = [name for name in layer if name not in order and name in groups]
        order |= dict.fromkeys(fresh)
        layer = [one for name in fresh for one in groups[name].groups]
    return list(order)


def _folded(names: Iterable[str]) -> list[str]:
    """Return patterns for some names, none of them long; what does not fold keeps its order."""
    names = list(names)
    pieces: list[str] = []

    def take(element: str) -> list[str]:
        pieces.append(element)
        return []

    if len(names) > 1:
        evaluate(fold(names), take)
    patterns: dict[str, str] = {}  # name -> its pattern
    for piece in pieces:
        covered = expand(piece)
        if len(piece) > _LONGEST or len(covered) == 1:
            patterns |= {name: name for name in covered}
        else:
            patterns |= dict.fromkeys(covered, piece)
    return list(dict.fromkeys(patterns.get(name, name) for name in names))


def _packed(patterns: Iterable[str]) -> Iterator[str]:
    """Yield the patterns for tables, several short ones as one."""
    held = ""
    for pattern in patterns:
        if held and len(held) + len(pattern) >= _LONGEST:
            yield held
            held = ""
        held = f"{held},{pattern}" if held else pattern
    if held:
        yield held
