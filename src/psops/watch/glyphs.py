"""The signs of the screen, for terminals that show all characters and for those with ASCII.

Each state has a sign of its own, so that none is told by its colour alone.
"""

import os
from collections.abc import Mapping
from typing import NamedTuple

from psops.report.text import STATE_STYLES
from psops.watch.model import State


class Glyphs(NamedTuple):
    """One set of signs."""

    #: By active state, and by `_special` words.
    states: Mapping[str, str]
    other: str
    chosen: str
    marked: str
    cut: str
    arrow: str
    column: str
    rule: str


UNICODE = Glyphs(
    {"active": "●", "reloading": "↻", "refreshing": "↻", "inactive": "○", "failed": "×",
     "activating": "▲", "deactivating": "▼", "maintenance": "◇", "not-found": "?", "broken": "?",
     "auto-restart": "!"},
    other="●", chosen="›", marked="+", cut="…", arrow="→", column="▾", rule="─",
)  # fmt: skip
ASCII = Glyphs(
    {"active": "*", "reloading": "@", "refreshing": "@", "inactive": "o", "failed": "X",
     "activating": "^", "deactivating": "v", "maintenance": "m", "not-found": "?", "broken": "?",
     "auto-restart": "!"},
    other="*", chosen=">", marked="+", cut="~", arrow="->", column="v", rule="-",
)  # fmt: skip


def detect() -> Glyphs:
    """Return the signs for this terminal, as locale(7) tells what it shows."""
    names = (os.environ.get(name) for name in ("LC_ALL", "LC_CTYPE", "LANG"))
    locale = next(filter(None, names), "")
    said = locale.lower().replace("-", "")
    plain = bool(locale) and "utf8" not in said
    return ASCII if plain else UNICODE


def sign(state: State, glyphs: Glyphs) -> tuple[str, str]:
    """Return the sign of a state and its style."""
    word = _special(state)
    style = STATE_STYLES.get(state.active, ("", ""))[0]
    if state.trouble:
        style = "bad" if state.active == "failed" or word == "not-found" else "warn"
    return glyphs.states.get(word or state.active, glyphs.other), style


def _special(state: State) -> str:
    if state.load == "not-found":
        return "not-found"
    if state.load in ("bad-setting", "error"):
        return "broken"
    return "auto-restart" if state.sub == "auto-restart" else ""
