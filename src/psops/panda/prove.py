"""Proof that a merge did what it says: both texts are read, and everything else is compared."""

import json
from collections.abc import Mapping
from typing import Any

from psops.errors import ConfigError
from psops.panda.effective import Effective
from psops.panda.rawtext import RawOption, find_option


def prove(
    before: str, after: str, was: Effective, now: Effective, asked: Mapping[str, Any], path: str
) -> None:
    """Raise `ConfigError` unless a merge of `asked` changed what it should and nothing else.

    Other options, other daemons and their order, the text around `config` and the comments
    in it must be as they were.
    """
    problems = []
    for name in sorted({*was.options, *now.options} - {"config"}):
        if was.value(name) != now.value(name):
            problems.append(f"option '{name}' would change")
    old = {one.name: one.written for one in was.daemons}
    new = {one.name: one.written for one in now.daemons}
    wanted = {**old, **asked}
    if list(new) != list(wanted):
        problems.append("daemons would be lost, or change their order")
    for name, entry in wanted.items():
        if name in new and _text(new[name]) != _text(entry):
            problems.append(f"'{name}' would not be as it should")
    problems += _outside(before, after, was, now)
    if problems:
        raise ConfigError(f"{path}: not merged, the result would be wrong: {'; '.join(problems)}")


def _outside(before: str, after: str, was: Effective, now: Effective) -> list[str]:
    new = _option(after, now)
    if new is None:
        return [] if before == after else ["text would change"]
    old = _option(before, was)
    if old is None:
        return [] if _is_added(before, after) else ["text outside of 'config' would change"]
    problems = []
    if (before[: old.begin], before[old.end :]) != (after[: new.begin], after[new.end :]):
        problems.append("text outside of 'config' would change")
    if old.comments(before, old.begin, old.end) != new.comments(after, new.begin, new.end):
        problems.append("comments would change")
    return problems


def _is_added(before: str, after: str) -> bool:
    """Return whether `after` is `before` with one piece put in."""
    same = 0
    while same < len(before) and before[same] == after[same : same + 1]:
        same += 1
    return after.endswith(before[same:])


def _option(text: str, effective: Effective) -> RawOption | None:
    option = effective.options.get("config")
    return find_option(text, option.place.line, "config") if option else None


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True)
