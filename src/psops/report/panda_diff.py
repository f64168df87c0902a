"""The differences of two effective lists as text for people, and as objects for machines."""

from collections.abc import Sequence
from typing import Any

from psops.panda.diff import Change, Difference
from psops.panda.model import Place
from psops.report import Look
from psops.report.panda_show import place_object, plain, short
from psops.report.text import clean, paint

_SIGNS = {Change.ADDED: ("+", "good"), Change.REMOVED: ("-", "bad"), Change.CHANGED: ("~", "warn")}


def difference_object(one: Difference) -> dict[str, Any]:
    """Return a difference as an object."""
    return {
        "change": str(one.change),
        "daemon": one.daemon or None,
        "attribute": one.attribute or None,
        "before": plain(one.before),
        "after": plain(one.after),
        "place_before": place_object(one.place_before),
        "place_after": place_object(one.place_after),
        "note": one.note or None,
    }


def render_differences(found: Sequence[Difference], names: tuple[str, str], look: Look) -> str:
    """Return a line for each difference below the names of the two; "" if there is none."""
    if not found:
        return ""
    lines = [f"--- {clean(names[0])}", f"+++ {clean(names[1])}"]
    for one in found:
        sign, style = _SIGNS[one.change]
        lines.append(paint(f"{sign} {_sentence(one)}", style, look.color))
        if one.note:
            lines.append(f"    {clean(one.note)}")
    return "\n".join(lines) + "\n"


def _sentence(one: Difference) -> str:
    if one.daemon and one.change is not Change.CHANGED:
        place = one.place_after or one.place_before
        value = one.after if one.change is Change.ADDED else one.before
        return f"{clean(one.daemon)}: {short(value)} ({_where(place)})"
    what = f"{one.daemon}.{one.attribute}" if one.daemon else f"[daemon] {one.attribute}"
    before, after = (
        f"{short(value)} ({_where(place)})" if place is not None or one.daemon else short(value)
        for value, place in ((one.before, one.place_before), (one.after, one.place_after))
    )
    return f"{clean(what)}: {before} -> {after}"


def _where(place: Place | None) -> str:
    return clean(str(place)) if place is not None and place.file else "default"
