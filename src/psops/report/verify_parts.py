"""What several formats of `bundle verify` tell alike: problems, groups of hosts, counts."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from typing import NamedTuple

from psops.fanout import Outcome
from psops.inventory import fold
from psops.report.text import clean, count
from psops.verdict import Finding, HostVerdict, Verdict, VerifyReport

#: Not a verdict, but shown in place of one: what is not ok, and need not be.
WAIVED = "waived"
#: Verdict or `waived` -> style and glyph; it is never shown by colour alone.
MARKS: dict[str, tuple[str, str]] = {
    Verdict.OK: ("good", "●"),
    Verdict.WARNING: ("warn", "!"),
    Verdict.CRITICAL: ("bad", "×"),
    Verdict.UNKNOWN: ("warn", "?"),
    WAIVED: ("dim", "~"),
}
#: What needs a person first comes first.
ORDER = ("critical", "unknown", "warning", "waived", "ok")
#: So many findings with one cause are named.
_MOST_NAMED = 4
#: The sentences for `chosen_by`; anything else is the sign that was found on the host.
_CHOSEN = {
    "named": "as named",
    "inventory": "by the inventory",
    "the inventory": "by the inventory",
}


class Group(NamedTuple):
    """Hosts of which the same is to be told, and the verdict of the first of them."""

    hosts: list[str]
    value: HostVerdict


class Problem(NamedTuple):
    """What is not ok on some hosts for one reason; the finding is that of the first host."""

    finding: Finding
    hosts: list[str]
    #: Whether the sentence differs between the hosts.
    example: bool

    @property
    def names(self) -> str:
        """The hosts folded, and their number if there are several."""
        number = f" ({len(self.hosts)})" if len(self.hosts) > 1 else ""
        return f"{clean(fold(self.hosts))}{number}"

    @property
    def sentence(self) -> str:
        """What is so, in a sentence, or in a word if there is none."""
        text = clean(self.finding.text or self.finding.code)
        return f"{text} (for example)" if self.example else text


def mark(finding: Finding) -> str:
    """Return the verdict of a finding, or `waived` if it is not ok and that does not count."""
    waived = finding.waiver is not None and finding.verdict is not Verdict.OK
    return WAIVED if waived else finding.verdict.value


def read(report: VerifyReport) -> list[tuple[str, HostVerdict]]:
    """Return the hosts that answered with what they gave."""
    return [(out.host.name, out.value) for out in report.outcomes if out.value is not None]


def host_groups(report: VerifyReport, *, folded: bool) -> list[Group]:
    """Return the hosts that answered; folded, those with the same findings are one group."""
    groups: dict[object, Group] = {}
    for name, value in read(report):
        key: object = name
        if folded:
            # What is ok looks alike, for whatever reason it is (an optional one may be absent).
            told = [(one.name, mark(one), one.code) for one in value.findings]
            said = tuple((name, shown, "" if shown == "ok" else code) for name, shown, code in told)
            key = (value.bundles, value.verdict, said)
        groups.setdefault(key, Group([], value)).hosts.append(name)
    found = list(groups.values())
    if folded:
        found.sort(key=lambda group: ORDER.index(group.value.verdict))
    return found


def names(report: VerifyReport) -> list[str]:
    """Return the names of all daemons and checks, each once, those of one bundle together."""
    bundles: dict[str, dict[str, None]] = {}
    seen: set[str] = set()
    for _, value in read(report):
        for one in value.findings:
            if one.name not in seen:
                seen.add(one.name)
                bundles.setdefault(one.bundle, {})[one.name] = None
    return [name for members in bundles.values() for name in members]


def problems(report: VerifyReport, *, folded: bool) -> list[Problem]:
    """Return what is not ok, the worst first; what explains others before those."""
    found: dict[object, tuple[list[str], list[Finding]]] = {}
    for host, value in read(report):
        for one in value.findings:
            if one.verdict is Verdict.OK:
                continue
            # Sentences have numbers in them that differ from host to host.
            text = "" if folded else one.text
            key = (one.name, one.code, text, one.because, mark(one), one.waiver)
            hosts, findings = found.setdefault(key, ([], []))
            hosts.append(host)
            findings.append(one)
    made = [
        Problem(findings[0], hosts, len({one.text for one in findings}) > 1)
        for hosts, findings in found.values()
    ]
    made = _explained(made)
    return sorted(made, key=lambda one: (ORDER.index(mark(one.finding)), bool(one.finding.because)))


def _explained(found: list[Problem]) -> list[Problem]:
    """Return the problems; those that one cause explains in the same words are one."""
    groups: dict[object, list[Problem]] = {}
    for place, one in enumerate(found):
        told = one.finding
        key = (told.because, told.code, told.text, mark(told), told.waiver, *one.hosts)
        groups.setdefault(key if told.because else place, []).append(one)
    result = []
    for some in groups.values():
        first, number = some[0], len(some)
        if number > 1:
            names = ", ".join(one.finding.name for one in some[:_MOST_NAMED])
            names += f" and {number - _MOST_NAMED} more" if number > _MOST_NAMED else ""
            finding = replace(first.finding, name=names, unit=None, purpose="", bundle="")
            first = first._replace(finding=finding)
        result.append(first)
    return result


def empty(report: VerifyReport) -> list[Group]:
    """Return the hosts of which nothing is expected, by the reason."""
    groups: dict[object, Group] = {}
    for name, value in read(report):
        if not value.findings:
            key = (value.bundles, value.chosen_by)
            groups.setdefault(key, Group([], value)).hosts.append(name)
    return list(groups.values())


def nothing_expected(value: HostVerdict) -> str:
    """Return why a host without findings is unknown."""
    if value.bundles:
        return f"{clean(', '.join(value.bundles))} expects nothing on this system"
    why = f" ({clean(value.chosen_by)})" if value.chosen_by not in ("", *_CHOSEN) else ""
    return f"no bundle: nothing tells the role of this host{why}"


#: What helps a host of which nothing is expected.
NO_BUNDLE_REMEDY = "name one with --bundle, or give the host 'bundles' in the inventory"


def notes(report: VerifyReport) -> list[tuple[str, list[str]]]:
    """Return the notes on hosts, each with the hosts it is about."""
    found: dict[str, list[str]] = {}
    for name, value in read(report):
        for note in value.notes:
            found.setdefault(note, []).append(name)
    return list(found.items())


def roles(report: VerifyReport) -> list[Group]:
    """Return the hosts that were taken for the same thing for the same reason."""
    groups: dict[object, Group] = {}
    for name, value in read(report):
        if value.bundles:
            key = (value.bundles, value.chosen_by, value.os_name or value.os_family, value.version)
            groups.setdefault(key, Group([], value)).hosts.append(name)
    return list(groups.values())


def role(value: HostVerdict) -> str:
    """Return the bundles, why these, the system and the version, as far as known."""
    why = _CHOSEN.get(value.chosen_by, value.chosen_by)
    parts = [", ".join(value.bundles) + (f" ({why})" if why else "")]
    parts += [value.os_name or value.os_family, f"version {value.version}" if value.version else ""]
    return clean(", ".join(part for part in parts if part))


def tally(findings: Iterable[Finding]) -> "Counter[str]":
    """Return how many findings there are of each verdict, and how many waived ones."""
    return Counter(mark(one) for one in findings)


def host_tally(report: VerifyReport) -> "Counter[str]":
    """Return how many hosts there are of each verdict, and how many were `not read`."""
    return Counter(
        "not read" if outcome.value is None else report.verdict_of(outcome).value
        for outcome in report.outcomes
    )


def findings(report: VerifyReport) -> list[Finding]:
    """Return the findings of all hosts."""
    return [one for _, value in read(report) for one in value.findings]


def in_words(counts: "Counter[str]") -> str:
    """Return counts as `3 critical, 19 ok`."""
    return ", ".join(f"{counts[key]} {key}" for key in (*ORDER, "not read") if counts[key])


def summary(report: VerifyReport) -> str:
    """Return one line: how many hosts and findings, and how they are."""
    told = findings(report)
    kinds = Counter(one.kind for one in told)
    number = count(len(report.outcomes) - len(report.beyond), report.noun)
    places = " and ".join((number, *map(clean, report.beyond)))
    parts = [f"{places}: {in_words(host_tally(report))}"]
    if len(report.outcomes) == 1:
        (name,) = (outcome.host.name for outcome in report.outcomes)
        parts = [f"{clean(name)}: {next(iter(host_tally(report)))}"]
    if told:
        what = " and ".join(
            count(number, kind) for kind, number in sorted(kinds.items(), reverse=True)
        )
        parts.append(f"{what}: {in_words(tally(told))}")
    slowest = max((outcome.elapsed for outcome in report.outcomes), default=0.0)
    return "; ".join([*parts, f"slowest {slowest:.1f} s"])


def failing(report: VerifyReport, finding: Finding) -> bool:
    """Return whether a finding makes the run fail."""
    if finding.counts is Verdict.WARNING:
        return report.fail_on == "warning"
    return finding.counts is not Verdict.OK


def waiver_text(finding: Finding) -> str:
    """Return why something is waived and until when, "" if it is not."""
    if finding.waiver is None:
        return ""
    until = f" until {finding.waiver.until.isoformat()}" if finding.waiver.until else ""
    return f"waived{until}: {clean(finding.waiver.reason)}"


def error_of(outcome: "Outcome[HostVerdict]") -> str:
    """Return why a host was not read, "" if it was."""
    error = outcome.error
    return "" if error is None else f"{error.code}: {clean(str(error))}"
