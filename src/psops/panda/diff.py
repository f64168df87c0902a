"""Two effective lists compared: what differs between two servers, or before and after."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum, unique
from typing import Any

from psops.panda.effective import Effective
from psops.panda.model import ATTRIBUTES, OPTIONS, DaemonConfig, Place, State

#: Entries that are no daemon of the master.
_UNHELD = {State.DISABLED, State.SKIPPED}


@unique
class Change(StrEnum):
    """How the second list differs from the first."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One difference: an option of [daemon] (no `daemon`), a daemon, or an attribute of one.

    `before` and `after` are values as the master holds them, None where there is none; `note`
    says what follows from it, if that is more than the difference.
    """

    change: Change
    daemon: str = ""
    attribute: str = ""
    before: Any = None
    after: Any = None
    place_before: Place | None = None
    place_after: Place | None = None
    note: str = ""


def compare(before: Effective, after: Effective) -> tuple[Difference, ...]:
    """Return all differences: options, then daemons in the order of the first list.

    Compared is what the masters hold, defaults included, not how it is written; the order of
    daemons does not count. A configuration that cannot be loaded has no daemons and says so.
    """
    return tuple(_differences(before, after))


def _differences(before: Effective, after: Effective) -> Iterator[Difference]:
    first, second = before.stopped_by, after.stopped_by
    if first != second:
        yield Difference(
            change=Change.CHANGED,
            attribute="runs",
            before=not first,
            after=not second,
            note=f"nothing runs: {second or first}",
        )
    names = dict.fromkeys((*OPTIONS, *sorted(before.options), *sorted(after.options)))
    for name in names:
        if name != "config":
            yield from _option(name, before, after)
    old = {one.name: one for one in before.daemons}
    new = {one.name: one for one in after.daemons}
    for name in dict.fromkeys((*old, *new)):
        yield from _daemon(name, old.get(name), new.get(name))


def _option(name: str, before: Effective, after: Effective) -> Iterator[Difference]:
    default = OPTIONS.get(name)
    one, other = before.value(name, default), after.value(name, default)
    if _text(one) == _text(other):
        return
    yield Difference(
        change=Change.CHANGED,
        attribute=name,
        before=one,
        after=other,
        place_before=before.options[name].place if name in before.options else None,
        place_after=after.options[name].place if name in after.options else None,
    )


def _daemon(
    name: str, before: DaemonConfig | None, after: DaemonConfig | None
) -> Iterator[Difference]:
    if before is None or after is None:
        present = before or after
        if present is None:
            return
        synced = (
            "the lock goes by the name: under another one it is not synchronised"
            if present.sync and present.state not in _UNHELD
            else ""
        )
        yield Difference(
            change=Change.REMOVED if after is None else Change.ADDED,
            daemon=name,
            before=before.attributes if before else None,
            after=after.attributes if after else None,
            place_before=before.place if before else None,
            place_after=after.place if after else None,
            note=synced,
        )
        return
    held = [one.attributes if isinstance(one.attributes, dict) else {} for one in (before, after)]
    found: list[tuple[str, Any, Any]] = [("state", str(before.state), str(after.state))]
    # What a master does not have comes without defaults, and is not run in any way.
    if before.state is after.state or not _UNHELD & {before.state, after.state}:
        found += [
            (key, held[0].get(key), held[1].get(key))
            for key in dict.fromkeys((*ATTRIBUTES, *held[0], *held[1]))
            if key != "enable"  # what it does is in the state
        ]
    for key, one, other in found:
        if _text(one) != _text(other):
            attribute = "enable" if key == "state" else key
            yield Difference(
                change=Change.CHANGED,
                daemon=name,
                attribute=key,
                before=one,
                after=other,
                place_before=before.place_of(attribute),
                place_after=after.place_of(attribute),
                note=_note(key, before, after),
            )


def _note(attribute: str, before: DaemonConfig, after: DaemonConfig) -> str:
    if _UNHELD & {before.state, after.state}:
        return ""
    if attribute == "period" and before.sync and after.sync:
        return "each server goes by its own period when it looks at the lock they share"
    if attribute == "sync":
        return "the server without sync runs it whether or not another holds the lock"
    if attribute == "timeout" and before.is_computed and after.is_computed:
        return "computed from the period"
    return ""


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True)
