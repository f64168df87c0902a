"""Values of JSON answers, and requests for them; what is not there is no knowledge, never 0."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from math import isfinite
from typing import Any

from psops.catalogue.entry import Probe
from psops.checks import Answer, unknown, wrong
from psops.checks.exchange import Response
from psops.probes import Unanswered
from psops.probes.world import World
from psops.report.text import clean, duration, squeeze
from psops.verdict import Verdict

#: Seconds by which two clocks may differ.
SKEW = 300.0
_MOST_SHOWN = 100
_JSON = ("Content-Type", "application/json")


class Asker:
    """Asks the URLs below that of a probe, and keeps what is wrong with their certificates."""

    def __init__(self, probe: Probe, world: World) -> None:
        self.probe = probe
        self.world = world
        self.base = str(probe.settings["url"]).rstrip("/")
        self._asides: list[Answer] = []

    def response(
        self,
        path: str,
        *,
        method: str = "GET",
        headers: tuple[tuple[str, str], ...] = (),
        body: bytes = b"",
        probe: Probe | None = None,
    ) -> Response:
        """Return what is answered at a path, or at a whole URL; raises `Unanswered`."""
        url = path if "://" in path else f"{self.base}{path}"
        asked = self.probe if probe is None else probe
        headers = (*headers, _JSON) if body else headers
        found, asides = self.world.http(asked, url, method=method, headers=headers, body=body)
        self._asides += asides
        encoding = found.headers.get("content-encoding", "identity")
        if encoding != "identity":
            text = f"{clean(url)}: the answer is packed as {clean(encoding)}"
            raise Unanswered(unknown("encoded", text))
        return found

    def json(self, path: str, **how: Any) -> Any:
        """Return the JSON document at a path, with what `response` takes; raises `Unanswered`."""
        url = path if "://" in path else f"{self.base}{path}"
        return self.world.document(url, self.response(path, **how))

    def settle(self, judge: Callable[[], Answer]) -> Answer:
        """Return what `judge` finds, with what is wrong with the certificates beside it."""
        try:
            found = judge()
        except Unanswered as exc:
            found = exc.answer
        return replace(found, asides=tuple(dict.fromkeys((*found.asides, *self._asides))))


def warning(code: str, text: str) -> Answer:
    """Return the answer that it works, but not as well as it should."""
    return Answer(verdict=Verdict.WARNING, code=code, text=text)


def no_data(text: str) -> Unanswered:
    """Return what is raised where an answer lacks what is to be judged."""
    return Unanswered(unknown("no-data", text))


def get(document: Any, *keys: str) -> Any:
    """Return the value at a path of keys; raises `Unanswered` if there is none."""
    for at, key in enumerate(keys):
        if not isinstance(document, dict) or key not in document:
            raise no_data(f"the answer has no {clean('.'.join(keys[: at + 1]))}")
        document = document[key]
    return document


def table(document: Any, *keys: str) -> dict[str, Any]:
    """Return the object at a path; raises `Unanswered`."""
    found = get(document, *keys)
    if not isinstance(found, dict):
        raise _kind(keys, "an object", found)
    return found


def items(document: Any, *keys: str) -> list[Any]:
    """Return the list at a path; raises `Unanswered`."""
    found = get(document, *keys)
    if not isinstance(found, list):
        raise _kind(keys, "a list", found)
    return found


def text(document: Any, *keys: str) -> str:
    """Return the text at a path, as it came and so to be cleaned; raises `Unanswered`."""
    found = get(document, *keys)
    if not isinstance(found, str):
        raise _kind(keys, "a text", found)
    return found


def flag(document: Any, *keys: str) -> bool:
    """Return true or false at a path; raises `Unanswered`."""
    found = get(document, *keys)
    if not isinstance(found, bool):
        raise _kind(keys, "true or false", found)
    return found


def number(document: Any, *keys: str) -> float:
    """Return the finite number at a path; raises `Unanswered`."""
    found = get(document, *keys)
    if isinstance(found, int | float) and not isinstance(found, bool):
        try:
            value = float(found)
        except OverflowError:
            value = float("inf")
        if isfinite(value):
            return value
    raise _kind(keys, "a number", found)


def count(document: Any, *keys: str) -> int:
    """Return the whole number from 0 on at a path; raises `Unanswered`."""
    found = number(document, *keys)
    if found < 0 or found != int(found):
        raise _kind(keys, "a count", found)
    return int(found)


def moment(document: Any, *keys: str) -> float:
    """Return the ISO 8601 time at a path in seconds since the epoch, UTC unless it says.

    Raises `Unanswered`.
    """
    found = text(document, *keys)
    try:
        time = datetime.fromisoformat(found.strip())
        return (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        raise _kind(keys, "a time", found) from None


def server_time(response: Response, ours: float, name: str = "date") -> float | None:
    """Return a header's time in seconds since the epoch; for `date`, `ours` if there is none."""
    try:
        return parsedate_to_datetime(response.headers[name]).timestamp()
    except (KeyError, ValueError, TypeError, OverflowError):
        return ours if name == "date" else None


def judge_age(what: str, age: float, limit: float, code: str = "stale") -> Answer | None:
    """Return what is wrong with the age of something, in seconds; None if nothing is.

    `code` is `stale` for data that come from upstream, `outdated` for what a component itself
    has to bring up to date.
    """
    if age < -SKEW:
        return unknown("clock", f"{what} is {duration(-age)} ahead of the time")
    if age > limit:
        return wrong(code, f"{what} is {duration(age)} old, may be {duration(limit)}")
    return None


def show(value: Any) -> str:
    """Return a value of an answer in a few clean characters."""
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    words = {None: "null", True: "true", False: "false"}
    if value is None or isinstance(value, bool):
        return words[value]
    try:
        shown = clean(squeeze(str(value)[: 4 * _MOST_SHOWN]))
    except ValueError:  # an integer of more digits than Python writes
        return "a huge number"
    shown = shown if len(shown) <= _MOST_SHOWN else f"{shown[: _MOST_SHOWN - 1]}…"
    return f"'{shown}'" if isinstance(value, str) else shown


def named(names: list[str], most: int = 3) -> str:
    """Return some names in clean text, and how many more there are.

    >>> named(["a", "b", "c", "d"])
    'a, b, c and 1 more'
    """
    shown = ", ".join(clean(squeeze(name))[:_MOST_SHOWN] for name in names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"


def percent(share: float) -> str:
    """Return a share from 0 to 1 in percent, cut so that a share below a limit looks so.

    >>> percent(0.79999), percent(0.8)
    ('79.9 %', '80 %')
    """
    cut = int(share * 1000 + 1e-9) / 10
    return f"{cut:.0f} %" if cut == int(cut) else f"{cut:.1f} %"


def _kind(keys: tuple[str, ...], wanted: str, found: Any) -> Unanswered:
    name = clean(".".join(keys)) or "the answer"
    return no_data(f"{name} is {show(found)}, not {wanted}")
