"""Faults as a `VerifyReport`, so that every format of `bundle verify` can show them."""

from collections import Counter
from collections.abc import Sequence

from psops.errors import PsopsError
from psops.fanout import Outcome
from psops.inventory import Host
from psops.panda.effective import Effective
from psops.panda.model import DaemonConfig, Fault, Place
from psops.verdict import Advice, Finding, HostVerdict, Verdict, VerifyReport

#: What stands where other reports name the bundle.
BUNDLE = "panda-daemon-config"


def verify_host(
    name: str, effective: Effective, faults: Sequence[Fault], elapsed: float = 0.0
) -> Outcome[HostVerdict]:
    """Return the faults of one file or server, and the daemons that have none."""
    seen: Counter[str] = Counter()
    findings = []
    for one in faults:
        # Reports tell findings of one host apart by their name.
        seen[one.subject] += 1
        number = f" #{seen[one.subject]}" if seen[one.subject] > 1 else ""
        text = f"{_where(one.place, name)}{one.text}"
        findings.append(_made(f"{one.subject}{number}", one.severity, one.code, text, one.remedy))
    bad = {one.daemon for one in faults}
    findings += [_sound(one, name) for one in effective.scheduled if one.name not in bad]
    if not findings:
        findings.append(_made("[daemon]", Verdict.OK, "sound", "nothing is wrong"))
    value = HostVerdict(bundles=(BUNDLE,), chosen_by="", findings=tuple(findings))
    return Outcome(Host(name=name), elapsed, value=value)


def unread_host(name: str, error: PsopsError, elapsed: float = 0.0) -> Outcome[HostVerdict]:
    """Return a file or server that could not be read."""
    return Outcome(Host(name=name), elapsed, error=error)


def verify_report(
    outcomes: Sequence[Outcome[HostVerdict]], *, fail_on: str = "critical", made_at: float = 0.0
) -> VerifyReport:
    """Return the report on some files or servers."""
    return VerifyReport(
        outcomes=tuple(outcomes), title="psops panda check", fail_on=fail_on, made_at=made_at
    )


def _where(place: Place, host: str) -> str:
    """Return the place for the front of a sentence; the file only if the report has it not."""
    if place.file != host:
        return f"{place}: " if place.file else ""
    via = f" ({place.via})" if place.via else ""
    return f"line {place.line}{via}: " if place.line else ""


def _sound(one: DaemonConfig, host: str) -> Finding:
    modes = "".join(f", {word}" for word, on in (("sync", one.sync), ("loop", one.loop)) if on)
    text = f"every {one.period} s{modes}, timeout {one.timeout} s, {one.module}"
    return _made(one.name, Verdict.OK, "sound", f"{_where(one.place, host)}{text}")


def _made(name: str, verdict: Verdict, code: str, text: str, remedy: str = "") -> Finding:
    return Finding(
        name=name,
        verdict=verdict,
        code=code,
        text=text,
        kind="check",
        bundle=BUNDLE,
        severity="",
        advice=(Advice(remedy),) if remedy else (),
    )
