"""The edits of an inventory file that psops knows: add, remove, import; text in, text out."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from psops.errors import NoSuchGroup, UsageError
from psops.importers.imported import Group, Imported, Note
from psops.inventory import Inventory, expand, parse_destination
from psops.inventory.draft import Draft
from psops.inventory.merge import merge
from psops.inventory.values import group_name
from psops.nearest import did_you_mean
from psops.nodeset import NodesetError, fold


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """An edit of an inventory file: its texts, what is new or gone, and notes by their source."""

    path: str
    before: str
    after: str
    new_hosts: tuple[str, ...] = ()
    changed_hosts: tuple[str, ...] = ()
    removed_hosts: tuple[str, ...] = ()
    new_groups: tuple[str, ...] = ()
    changed_groups: tuple[str, ...] = ()
    source: str = ""
    notes: tuple[Note, ...] = ()

    @property
    def changes(self) -> bool:
        """Whether the file becomes another one."""
        return self.before != self.after


def add(
    text: str,
    path: Path,
    patterns: Sequence[str],
    *,
    groups: Sequence[str] = (),
    settings: dict[str, Any] | None = None,
) -> Edit:
    """Return the edit that adds hosts, or gives settings and groups to those that are there.

    A user and a port may stand in the patterns, as on the command line. Raises `UsageError`.
    """
    wanted = Imported("")
    for pattern in patterns:
        for element in expand(pattern):
            if element.startswith("@"):
                raise UsageError(
                    f"'{element}': a group is no host",
                    remedy="name its hosts, as ps[01-20]; --group puts them into a group",
                )
            try:
                user, host, port = parse_destination(element)
            except NodesetError as exc:
                raise UsageError(str(exc)) from exc
            given = {"user": user, "port": port} | (settings or {})
            wanted.host(host, **{key: value for key, value in given.items() if value is not None})
    if "address" in (settings or {}) and len(wanted.hosts) > 1:
        raise UsageError(f"one address cannot serve {len(wanted.hosts)} hosts")
    if wanted.notes:
        raise UsageError(wanted.notes[0].text.removesuffix("; left out"))
    for name in groups:
        try:
            group_name(name)
        except ValueError as exc:
            raise UsageError(f"group '{name}': {exc}") from exc
        wanted.put(name, wanted.hosts)
    return bring_in(text, path, wanted, replace=True, share=False)


def bring_in(text: str, path: Path, wanted: Imported, *, replace: bool, share: bool = True) -> Edit:
    """Return the edit that puts imported hosts and groups into a file, see `merge`."""
    merged = merge(text, path, wanted, replace=replace, share=share)
    return Edit(
        path=str(path),
        before=text,
        after=merged.text,
        new_hosts=merged.new_hosts,
        changed_hosts=merged.changed_hosts,
        new_groups=merged.new_groups,
        changed_groups=merged.changed_groups,
        source=wanted.name,
        notes=(*wanted.notes, *merged.kept),
    )


def remove(text: str, path: Path, patterns: Sequence[str], *, group: str | None = None) -> Edit:
    """Return the edit that takes hosts out of a file, or with `group` out of that group alone.

    Raises `UsageError` for hosts that are not there.
    """
    draft = Draft(text, path)
    names = [host.name for host in draft.inventory.select(patterns)]
    known = {host.name for host in draft.inventory.hosts}
    if strangers := [name for name in names if name not in known]:
        near = did_you_mean(strangers[0], known)
        raise UsageError(f"no host '{fold(strangers)}' in {path}{near}")
    if group is None:
        draft.without_hosts(frozenset(names))
        return Edit(path=str(path), before=text, after=draft.text(), removed_hosts=tuple(names))
    _check_members(draft.inventory, group, names)
    draft.take_from_group(group, frozenset(names))
    return Edit(path=str(path), before=text, after=draft.text(), changed_groups=(group,))


def _check_members(inventory: Inventory, group: str, names: Sequence[str]) -> None:
    if group not in inventory.groups:
        raise NoSuchGroup(f"no group '{group}'{did_you_mean(group, inventory.groups)}")
    others = [name for name in names if name not in inventory.groups[group]]
    if others:
        raise UsageError(f"'{fold(others)}' is not in group '{group}'")
    for inner in inventory.inner.get(group, ()):
        inside = [name for name in names if name in inventory.groups[inner]]
        if inside:
            raise UsageError(
                f"'{fold(inside)}' is in group '{group}' by the group '{inner}'",
                remedy=f"take it out of '{inner}', or that group out of '{group}'",
            )


def regroup(found: Imported, *, group: str | None, prefix: str) -> None:
    """Put all hosts into a group besides their own, and a prefix before the names of these."""
    try:
        for name in (f"{prefix}a", group or "a"):
            group_name(name)
    except ValueError as exc:
        raise UsageError(f"{exc}") from exc
    if prefix:
        found.groups = {
            f"{prefix}{name}": Group(one.hosts, {f"{prefix}{inner}": None for inner in one.groups})
            for name, one in found.groups.items()
        }
    if group is not None:
        found.groups.setdefault(group, Group()).hosts.update(dict.fromkeys(found.hosts))
