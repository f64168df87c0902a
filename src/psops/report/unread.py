"""Hosts that gave no answer, as people are told of them."""

from collections.abc import Sequence
from typing import NamedTuple, TypeVar

from psops.fanout import Outcome
from psops.report.text import clean, paint

Value = TypeVar("Value")


class Unread(NamedTuple):
    """The hosts that could not be read for one reason; nothing in it is clean."""

    hosts: list[str]
    code: str
    message: str
    remedy: str


def unread(outcomes: Sequence[Outcome[Value]], *, fold: bool) -> list[Unread]:
    """Return the hosts that gave no answer, those with the same reason together."""
    groups: dict[tuple[str, str, str], list[Outcome[Value]]] = {}
    for outcome in outcomes:
        if outcome.error is not None:
            # Details such as addresses and fingerprints differ from host to host.
            message = str(outcome.error) if not fold else ""
            key = (outcome.error.code, message, outcome.error.remedy)
            groups.setdefault(key, []).append(outcome)
    found = []
    for (code, message, remedy), alike in groups.items():
        messages = list(dict.fromkeys(str(outcome.error) for outcome in alike))
        text = (message or messages[0]) + (" (for example)" if len(messages) > 1 else "")
        found.append(Unread([outcome.host.name for outcome in alike], code, text, remedy))
    return found


def render_unread(outcomes: Sequence[Outcome[Value]], *, fold: bool, color: bool) -> str:
    """Return the hosts that gave no answer with the reason and what to do about it."""
    from psops.inventory import fold as folded

    lines = []
    for hosts, code, message, remedy in unread(outcomes, fold=fold):
        number = f" ({len(hosts)})" if len(hosts) > 1 else ""
        names = paint("× " + clean(folded(hosts)), "bad", color)
        lines.append(f"{names}{number}: {code}: {clean(message)}")
        if remedy:
            lines.append(paint(f"    {clean(remedy)}", "dim", color))
    return "\n".join(lines)
