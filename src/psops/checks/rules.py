"""What must hold for the values of a JSON answer; pure.

A value that is not there is never taken for 0, null or empty: it is no knowledge.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

from psops.catalogue.entry import JsonRule
from psops.checks import Answer, right, unknown, wrong
from psops.report.text import clean, duration, squeeze
from psops.verdict import Verdict

_MOST_SHOWN = 60
_MOST_MATCHED = 65536
#: Seconds by which the clocks of a server and its database may differ.
_SKEW = 300
#: What each `is` means; bool is no number.
_KINDS: dict[str, Any] = {
    "null": lambda value: value is None,
    "not-null": lambda value: value is not None,
    "empty": lambda value: value in ("", [], {}),
    "not-empty": lambda value: value not in ("", [], {}),
    "number": lambda value: _is_number(value),
    "string": lambda value: isinstance(value, str),
    "list": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
}
_NO_CONTENT = ("empty", "not-empty")


class Place(NamedTuple):
    """A value of a document and the path to it; or the path at which there is none."""

    path: str
    there: bool
    value: Any = None


def judge(rules: tuple[JsonRule, ...], document: Any, now: float) -> Answer:
    """Return the worst of what the rules say: what is wrong comes before what is not known."""
    answers = [
        _judge_place(rule, place, now)
        for rule in rules
        for place in select(document, rule.path)
    ]  # fmt: skip
    bad = [answer for answer in answers if answer.verdict is Verdict.CRITICAL] or [
        answer for answer in answers if answer.verdict is Verdict.UNKNOWN
    ]
    if not bad:
        return right("; ".join(dict.fromkeys(answer.text for answer in answers[:3])))
    texts = "; ".join(dict.fromkeys(answer.text for answer in bad))
    return Answer(verdict=bad[0].verdict, code=bad[0].code, text=texts)


def select(document: Any, path: str) -> Iterator[Place]:
    """Yield the values at a path: keys by `.`, numbers for places in lists, `*` for all.

    >>> [place.value for place in select({"a": {"x": [1], "y": [2]}}, "a.*.0")]
    [1, 2]
    """
    yield from _walk(document, path.split(".") if path else [], [])


def _walk(value: Any, keys: list[str], trail: list[str]) -> Iterator[Place]:
    if not keys:
        yield Place(".".join(trail), True, value)
        return
    key, *rest = keys
    members: dict[str, Any] = {}
    if isinstance(value, dict):
        members = value
    elif isinstance(value, list):
        members = {str(place): item for place, item in enumerate(value)}
    names = list(members) if key == "*" else [key] if key in members else []
    if not names:
        yield Place(".".join([*trail, key]), False)
    for name in names:
        yield from _walk(members[name], rest, [*trail, name])


def _judge_place(rule: JsonRule, place: Place, now: float) -> Answer:
    name = clean(place.path) or "the answer"
    if not place.there:
        return unknown("json-missing", f"the answer has no {name}")
    value = place.value
    shown = f"{name} is {_show(value)}"
    match rule.op:
        case "is":
            if rule.value in _NO_CONTENT and not isinstance(value, str | list | dict):
                return unknown("json-kind", f"{shown}, which is neither empty nor not")
            holds = _KINDS[rule.value](value)
            wanted = rule.value.replace("-", " ")
        case "equals" | "differs":
            holds = _equal(value, rule.value) == (rule.op == "equals")
            wanted = ("" if rule.op == "equals" else "not ") + _show(rule.value)
        case "at_least" | "at_most":
            if not _is_number(value):
                return unknown("json-kind", f"{shown}, not a number")
            holds = value >= rule.value if rule.op == "at_least" else value <= rule.value
            wanted = f"{rule.op.replace('_', ' ')} {_show(rule.value)}"
        case "matches":
            if not isinstance(value, str):
                return unknown("json-kind", f"{shown}, not a string")
            holds = re.search(rule.value, value[:_MOST_MATCHED]) is not None
            wanted = f"like {clean(rule.value)}"
        case "younger_than":
            return _judge_age(rule, name, value, now)
        case _:
            return unknown("cannot-run", f"cannot be run: no rule '{clean(rule.op)}'")
    return right(shown) if holds else wrong("json", f"{shown}, must be {wanted}")


def _judge_age(rule: JsonRule, name: str, value: Any, now: float) -> Answer:
    limit = duration(rule.value)
    if value is None:
        return wrong("json", f"{name} is null, must be a time within the last {limit}")
    moment = _moment(value)
    if moment is None:
        return unknown("json-kind", f"{name} is {_show(value)}, not a time")
    age = now - moment
    if age < -_SKEW:
        return unknown("json-kind", f"{name} is {_show(value)}, {duration(-age)} ahead of the host")
    if age > rule.value:
        return wrong("json", f"{name} was {duration(age)} ago, more than {limit}")
    return right(f"{name} was {duration(age)} ago")


def _moment(value: Any) -> float | None:
    """Return seconds since 1970 for an ISO 8601 time (UTC unless it says) or a number of them."""
    try:
        if _is_number(value):
            return float(value)
        if not isinstance(value, str):
            return None
        time = datetime.fromisoformat(value.strip())
        return (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None


def _is_number(value: Any) -> bool:
    # NaN, which Python's parser lets in, is no number either.
    return isinstance(value, int | float) and not isinstance(value, bool) and value == value


def _equal(value: Any, wanted: Any) -> bool:
    """Tell whether two values are the same; true is not 1, while 1.0 is."""
    if _is_number(value) and _is_number(wanted):
        return bool(value == wanted)
    return type(value) is type(wanted) and bool(value == wanted)


def _show(value: Any) -> str:
    words = {None: "null", True: "true", False: "false"}
    if value is None or isinstance(value, bool):
        return words[value]
    if isinstance(value, dict | list):
        noun = "object" if isinstance(value, dict) else "list"
        return f"{'an' if noun == 'object' else 'a'} {noun}" if value else f"an empty {noun}"
    text = clean(squeeze(str(value)[: 4 * _MOST_SHOWN]))
    text = text if len(text) <= _MOST_SHOWN else text[: _MOST_SHOWN - 1] + "…"
    return f"'{text}'" if isinstance(value, str) else text
