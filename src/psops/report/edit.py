"""What an edit of the inventory does: the difference, what is left out, and the sum of it."""

from collections.abc import Iterable, Sequence
from typing import Any

from psops.exits import Exit
from psops.importers.imported import Note
from psops.inventory.edit import Edit
from psops.report.diff import unified_diff
from psops.report.json import dump, envelope
from psops.report.text import clean, count


def diff(edit: Edit) -> str:
    """Return the difference."""
    return unified_diff(edit.before, edit.after, edit.path)


def notes(source: str, found: Iterable[Note]) -> list[str]:
    """Return the notes with their places, those with the same words as one, by line."""
    alike: dict[str, list[int]] = {}
    for note in found:
        alike.setdefault(note.text, []).append(note.line)
    in_order = sorted(alike.items(), key=lambda item: min(item[1]))
    return [f"{_place(source, lines)}{clean(text)}" for text, lines in in_order]


def _place(source: str, lines: Sequence[int]) -> str:
    first = min((line for line in lines if line), default=0)
    if not source:
        return ""
    place = clean(source)
    if not first:
        return f"{place}: "
    more = len({line for line in lines if line}) - 1
    others = f" and {count(more, 'other line')}" if more else ""
    return f"{place}:{first}{others}: "


def summary(edit: Edit, *, written: bool) -> str:
    """Return in one line what the edit does."""
    parts = [
        f"{count(len(names), noun)} {what}"
        for names, noun, what in (
            (edit.new_hosts, "host", "added"),
            (edit.changed_hosts, "host", "changed"),
            (edit.removed_hosts, "host", "removed"),
            (edit.new_groups, "group", "added"),
            (edit.changed_groups, "group", "changed"),
        )
        if names
    ]
    if not edit.changes:
        return f"{clean(edit.path)}: nothing to change"
    done = "written" if written else "not written"
    return f"{clean(edit.path)}: {', '.join(parts) or 'changed'}; {done}"


def render_json(edit: Edit, *, command: str, written: bool) -> str:
    """Return the edit as one JSON document."""
    document: dict[str, Any] = envelope(command, Exit.OK, [], [])
    for key in ("new_hosts", "changed_hosts", "removed_hosts", "new_groups", "changed_groups"):
        document[key] = list(getattr(edit, key))
    document |= {
        "file": edit.path,
        "written": written,
        "diff": diff(edit),
        "notes": [note._asdict() for note in edit.notes],
    }
    return dump(document, indent=2)
