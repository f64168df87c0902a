"""Questions beside systemd's states: what an answer is, and the registry of kinds of checks."""

from dataclasses import dataclass, field
from typing import NamedTuple

from psops.catalogue.entry import Check, Severity
from psops.verdict import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a check of some kind found; `CRITICAL` stands for as bad as the check is important."""

    verdict: Verdict
    #: Stable id of the reason, see `CODES`.
    code: str
    text: str
    #: What came to light beside the question, such as a certificate that ends soon.
    asides: tuple["Answer", ...] = ()
    #: What was asked; checks with the same exchange fail together.
    exchange: str = ""


class Asked(NamedTuple):
    """A check, and how much it matters to what it belongs to."""

    check: Check
    severity: Severity = Severity.REQUIRED


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """What a check of one host came to; everything in `text` is clean for terminals."""

    name: str
    verdict: Verdict
    code: str
    text: str
    elapsed: float = 0.0
    #: The check that explains this one: it asked the same and got no answer either.
    because: str = ""
    #: Findings of their own, named `CHECK/tls`.
    extra: tuple["CheckResult", ...] = field(default=())


#: Kind of check -> module with `answer(check, site) -> Answer`, imported when used.
KINDS: dict[str, str] = {
    "tcp": "psops.checks.tcp",
    "http": "psops.checks.http",
    "file": "psops.checks.file",
    "socket": "psops.checks.listening",
}
_VERDICTS = {Severity.REQUIRED: Verdict.CRITICAL}


def failing(severity: Severity) -> Verdict:
    """Return the verdict of something that is not right and matters this much."""
    return _VERDICTS.get(severity, Verdict.WARNING)


def right(text: str) -> Answer:
    """Return the answer that all is as it should be."""
    return Answer(verdict=Verdict.OK, code="ok", text=text)


def wrong(code: str, text: str) -> Answer:
    """Return the answer that it is not."""
    return Answer(verdict=Verdict.CRITICAL, code=code, text=text)


def unknown(code: str, text: str) -> Answer:
    """Return the answer that there is no telling."""
    return Answer(verdict=Verdict.UNKNOWN, code=code, text=text)
