"""The verdicts as JUnit XML, in the form that Jenkins, GitLab and others read.

A host is a suite, a finding a test case, its bundle the class. Waived findings are skipped
tests, unknown ones errors; a warning is a failure if it makes the run fail. What ends with the
failure that explains it is skipped, too, so that failures are causes.
"""

from datetime import UTC, datetime
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from psops.errors import PsopsError
from psops.fanout import Outcome
from psops.report import Look
from psops.report.text import clean
from psops.report.verify_details import facts_of, log_of
from psops.report.verify_parts import NO_BUNDLE_REMEDY, failing, mark, nothing_expected, waiver_text
from psops.verdict import Finding, HostVerdict, Verdict, VerifyReport

_COUNTED = ("tests", "failures", "errors", "skipped")
#: Child of a test case -> the count it adds to.
_RESULTS = {"failure": "failures", "error": "errors", "skipped": "skipped"}


def render(report: VerifyReport, look: Look) -> str:
    """Return the report as an XML document."""
    root = Element("testsuites", name=report.title)
    for outcome in report.outcomes:
        _suite(root, report, outcome)
    for key in _COUNTED:
        root.set(key, str(sum(int(suite.get(key, "0")) for suite in root)))
    root.set("time", f"{sum(outcome.elapsed for outcome in report.outcomes):.3f}")
    indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(root, encoding="unicode") + "\n"


def _suite(root: Element, report: VerifyReport, outcome: Outcome[HostVerdict]) -> None:
    name = clean(outcome.host.name)
    suite = SubElement(root, "testsuite", name=name)
    if outcome.value is None:
        _unread(suite, outcome.error)
    else:
        _properties(suite, outcome.value)
        if not outcome.value.findings:
            case = SubElement(suite, "testcase", classname="psops", name="bundle", time="0.000")
            _result(case, "error", "no-bundle", nothing_expected(outcome.value), [NO_BUNDLE_REMEDY])
        for one in outcome.value.findings:
            _case(suite, report, one)
        if outcome.value.notes:
            SubElement(suite, "system-out").text = "\n".join(map(clean, outcome.value.notes))
    cases = suite.findall("testcase")
    suite.set("tests", str(len(cases)))
    for child, key in _RESULTS.items():
        suite.set(key, str(sum(case.find(child) is not None for case in cases)))
    suite.set("time", f"{outcome.elapsed:.3f}")
    made_at = datetime.fromtimestamp(report.made_at, UTC)
    suite.set("timestamp", f"{made_at:%Y-%m-%dT%H:%M:%S}")
    suite.set("hostname", name)


def _properties(suite: Element, value: HostVerdict) -> None:
    known = {
        "bundles": " ".join(value.bundles),
        "chosen_by": value.chosen_by,
        "os": value.os_name or value.os_family,
        "version": value.version,
    }
    properties = SubElement(suite, "properties")
    for key, text in known.items():
        SubElement(properties, "property", name=key, value=clean(text))


def _unread(suite: Element, error: PsopsError | None) -> None:
    """Add a test case that says that the host could not be read."""
    case = SubElement(suite, "testcase", classname="psops", name="host", time="0.000")
    code, message, remedy = (error.code, str(error), error.remedy) if error else ("host", "", "")
    _result(case, "error", code, clean(message), [clean(remedy)])


def _case(suite: Element, report: VerifyReport, one: Finding) -> None:
    case = SubElement(
        suite,
        "testcase",
        classname=clean(one.bundle or "psops"),
        name=clean(one.name),
        time=f"{one.elapsed:.3f}",
    )
    if one.verdict is Verdict.OK:
        return
    if mark(one) == "waived":
        SubElement(case, "skipped", message=f"{waiver_text(one)} ({clean(one.text)})")
        return
    more = facts_of(one)
    more += [clean(f"{text}: {command}" if command else text) for text, command in one.advice]
    if one.verdict is Verdict.UNKNOWN:
        _result(case, "error", one.code, clean(one.text), more)
    elif failing(report, one) and one.because and report.ends_with_cause:
        text = f"explained by {clean(one.because)}: {clean(one.code)}: {clean(one.text)}"
        SubElement(case, "skipped", message=text)
    elif failing(report, one):
        _result(case, "failure", one.code, clean(one.text), more)
    else:
        text = f"{one.verdict}: {clean(one.code)}: {clean(one.text)}"
        SubElement(case, "system-out").text = "\n".join([text, *more])
    if log := log_of(one):
        SubElement(case, "system-err").text = "\n".join(log)


def _result(case: Element, tag: str, code: str, message: str, more: list[str]) -> None:
    result = SubElement(case, tag, message=message, type=clean(code))
    result.text = "\n".join(text for text in (message, *more) if text)
