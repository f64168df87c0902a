"""Faults in the formats of `bundle verify`."""

import json
from xml.etree import ElementTree

import pytest

from psops.errors import ConfigError
from psops.exits import Exit
from psops.panda.check import check
from psops.panda.report import unread_host, verify_host, verify_report
from psops.report import Look
from psops.report.verify import VERIFY_FORMATS, exit_code, render_verify
from psops.verdict import VerifyReport
from tests.panda.trees import CFG, GUIDE, cfg, effective

BROKEN = cfg('{\n    "a": {"period": 60, "arguments": [1, 2]},\n    "b|": {"period": 0}\n    }')


def report(*texts: str, fail_on: str = "critical") -> VerifyReport:
    hosts = [verify_host(f"{CFG}.{at}", read, check(read))
             for at, read in enumerate(map(effective, texts))]  # fmt: skip
    return verify_report(hosts, fail_on=fail_on, made_at=1_800_000_000)


@pytest.mark.parametrize("form", VERIFY_FORMATS)
def test_every_format_shows_faults_and_sound_files(form: str) -> None:
    both = report(BROKEN, GUIDE)
    text = render_verify(both, form, Look(width=100))
    assert text.endswith("\n")
    # The subject is in all of them, the code in those that have room for it.
    assert "b|.period" in text or "b¦.period" in text or "b\\|.period" in text
    assert "period-low" in text or form in ("table", "markdown", "prometheus")


def test_junit() -> None:
    root = ElementTree.fromstring(render_verify(report(BROKEN), "junit", Look()))
    cases = {case.get("name"): case for case in root.iter("testcase")}
    assert {"a.arguments", "a.arguments #2", "b|.period", "[daemon] uname"} <= cases.keys()
    failure = cases["a.arguments"].find("failure")
    assert failure is not None
    assert failure.get("type") == "argument-type"
    assert failure.get("message", "").startswith(f"{CFG}:6: argument 1 is the number 1")
    assert 'put the argument in quotes: "100"' in (failure.text or "")
    assert cases["[daemon] uname"].find("failure") is None


def test_nagios() -> None:
    both = report(BROKEN, GUIDE)
    lines = render_verify(both, "nagios", Look()).splitlines()
    assert lines[0].startswith("PSOPS CRITICAL - a.arguments argument-type on ")
    assert exit_code(both, "nagios") == 2
    guide = report(GUIDE)
    assert exit_code(guide, "nagios") == 1
    assert render_verify(guide, "nagios", Look()).startswith("PSOPS WARNING - sync sync-timeout")


def test_table_tells_place_sentence_and_remedy() -> None:
    text = render_verify(report(BROKEN), "table", Look(width=120))
    assert f"{CFG}:7: period 0: it starts again as soon as it ends" in text
    assert "→ write a period of 1 s or more" in text


def test_file_is_not_told_twice() -> None:
    read = effective(BROKEN)
    host = verify_host(CFG, read, check(read))
    assert host.value is not None
    said = {one.name: one.text for one in host.value.findings}
    assert said["b|.period"] == "line 7: period 0: it starts again as soon as it ends"
    assert said["[daemon] uname"].startswith("no uname")


def test_json_and_exit_codes() -> None:
    guide = report(GUIDE)
    assert guide.exit is Exit.OK
    assert report(GUIDE, fail_on="warning").exit is Exit.SOME_FAILED
    assert report(BROKEN).exit is Exit.SOME_FAILED
    findings = json.loads(render_verify(guide, "json", Look()))["hosts"][0]["findings"]
    assert {one["code"] for one in findings} == {"sound", "sync-timeout"}
    assert len(findings) == 18


def test_file_that_is_not_read_and_one_with_nothing_in_it() -> None:
    one = verify_report([unread_host("f", ConfigError("f: cannot read: permission denied"))])
    assert one.exit is Exit.UNAVAILABLE
    assert "permission denied" in render_verify(one, "junit", Look())
    assert verify_report([verify_host("f", effective({}), ())]).exit is Exit.OK
