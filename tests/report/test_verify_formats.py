"""What programs read of the verdicts, read by their parser or by the grammar they publish."""

import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import xmlschema
from prometheus_client.parser import text_string_to_metric_families

from psops.report import Look
from psops.report.text import clean
from psops.report.verify import render_verify
from psops.report.verify_jsonl import render_host_line
from psops.verdict import Verdict, VerifyReport
from tests.report.cases import EVIL
from tests.report.verify_cases import (
    DISABLED,
    TRICKY,
    VERIFY_CASES,
    fleet,
    host,
    hostile,
    outcome,
    report,
    running,
)

VECTORS = Path(__file__).resolve().parents[1] / "vectors"
LOOK = Look()
#: Made anew from random characters in every run that has a bug to find.
REPORTS = [pytest.param(made, id=case) for case, (made, _) in VERIFY_CASES.items()]
REPORTS.append(pytest.param(hostile('"a"\\"b\nc{}=,#\t|\'`'), id="quotes"))
NUMBER = r"-?\d+(?:\.\d+)?"


@pytest.fixture(scope="module")
def schema() -> xmlschema.XMLSchema:
    return xmlschema.XMLSchema(str(VECTORS / "junit.xsd"))


@pytest.mark.parametrize("made", REPORTS)
def test_junit_is_valid_and_counts_right(made: VerifyReport, schema: xmlschema.XMLSchema) -> None:
    root = ET.fromstring(render_verify(made, "junit", LOOK))
    schema.validate(root)
    for tag, key in (("testcase", "tests"), ("failure", "failures"), ("error", "errors"),
                     ("skipped", "skipped")):  # fmt: skip
        assert int(root.attrib[key]) == sum(1 for _ in root.iter(tag))
        for suite in root:
            assert int(suite.attrib[key]) == sum(1 for _ in suite.iter(tag))
    assert [suite.get("name") for suite in root] == [out.host.name for out in made.outcomes]


@pytest.mark.parametrize("text", [EVIL, TRICKY])
def test_junit_has_the_hosts_text_without_what_xml_forbids(text: str) -> None:
    root = ET.fromstring(render_verify(hostile(text), "junit", LOOK))
    (failure,) = root.iter("failure")
    assert failure.get("message") == clean(text)


@pytest.mark.parametrize(("fail_on", "tag"), [("critical", "system-out"), ("warning", "failure")])
def test_junit_warning_fails_only_if_the_run_does(fail_on: str, tag: str) -> None:
    made = report(outcome("ps01", host(DISABLED)), fail_on=fail_on)
    root = ET.fromstring(render_verify(made, "junit", LOOK))
    (case,) = (case for case in root.iter("testcase") if len(case))
    assert [child.tag for child in case] == [tag]


@pytest.mark.parametrize("made", REPORTS)
def test_prometheus_parser_reads_the_same_back(made: VerifyReport) -> None:
    text = render_verify(made, "prometheus", LOOK)
    families = {family.name: family for family in text_string_to_metric_families(text)}
    assert all(family.documentation and family.type == "gauge" for family in families.values())
    samples = [sample for family in families.values() for sample in family.samples]
    keys = [(sample.name, *sorted(sample.labels.items())) for sample in samples]
    assert len(keys) == len(set(keys)), "a series twice makes node_exporter refuse the file"
    wanted = {
        (out.host.name, clean(one.bundle), one.name): one.counts
        for out in made.outcomes if out.value is not None for one in out.value.findings
    }  # fmt: skip
    numbers = {Verdict.OK: 0, Verdict.WARNING: 1, Verdict.CRITICAL: 2, Verdict.UNKNOWN: 3}
    given = {
        (one.labels["host"], one.labels["bundle"], one.labels["name"]): one.value
        for one in families["psops_verify_verdict"].samples
    }
    assert given == {key: numbers[verdict] for key, verdict in wanted.items()}
    up = {one.labels["host"]: one.value for one in families["psops_host_up"].samples}
    assert up == {out.host.name: int(out.value is not None) for out in made.outcomes}
    (stamp,) = families["psops_verify_timestamp_seconds"].samples
    assert stamp.value == made.made_at


def test_prometheus_escapes_labels_as_its_parser_undoes() -> None:
    name = 'a"b\\c\\nd{e="f"}'
    made = report(outcome("ps01", host(findings=(running(name, 'b"'),))))
    text = render_verify(made, "prometheus", LOOK)
    (sample,) = (
        sample for family in text_string_to_metric_families(text)
        for sample in family.samples if sample.name == "psops_verify_verdict"
    )  # fmt: skip
    assert (sample.labels["name"], sample.labels["bundle"]) == (name, 'b"')


def test_prometheus_says_it_once_if_two_bundles_expect_the_same() -> None:
    twice = host(findings=(running("a"), running("a", verdict=Verdict.CRITICAL)))
    text = render_verify(report(outcome("ps01", twice)), "prometheus", LOOK)
    assert re.findall(r"^psops_verify_verdict\{.*", text, re.MULTILINE) == [
        'psops_verify_verdict{host="ps01",bundle="testpoint",name="a"} 2'
    ]


#: https://www.monitoring-plugins.org/doc/guidelines.html#AEN201; labels of ours need no quotes.
PERFDATA = rf"[a-z_]+={NUMBER}(?:s|ms|us|%|B|KB|MB|GB|TB|c)?(?:;(?:{NUMBER})?){{0,4}}"


@pytest.mark.parametrize("made", REPORTS)
def test_nagios_output_follows_the_grammar_of_plugins(made: VerifyReport) -> None:
    text = render_verify(made, "nagios", LOOK)
    first, *more = text.removesuffix("\n").split("\n")
    pattern = rf"PSOPS (OK|WARNING|CRITICAL|UNKNOWN) - [^|]+ \| {PERFDATA}(?: {PERFDATA})*"
    assert re.fullmatch(pattern, first)
    assert all(line.strip() and "|" not in line for line in more)
    assert len(text.encode()) <= 8192


def test_nagios_output_of_a_broken_fleet_is_cut_and_says_so() -> None:
    bad = [replace_text(number) for number in range(200)]
    made = report(*(outcome(f"ps{at}", host(findings=(one,))) for at, one in enumerate(bad)))
    text = render_verify(made, "nagios", LOOK)
    assert 7000 < len(text.encode()) <= 8192
    assert re.fullmatch(r"and \d+ more", text.splitlines()[-1])


def replace_text(number: int) -> Any:
    return running(f"d{number}", verdict=Verdict.CRITICAL, code="failed", text="ü" * 200)


#: https://docs.checkmk.com/latest/en/localchecks.html
LOCAL = re.compile(
    rf'[0-3] "[^"]+" (?:-|[a-z_]+={NUMBER}(?:;[^ |]*)?(?:\|[a-z_]+={NUMBER}(?:;[^ |]*)?)*) [^|]+'
)


@pytest.mark.parametrize("made", REPORTS)
def test_checkmk_lines_follow_the_grammar_of_local_checks(made: VerifyReport) -> None:
    lines = render_verify(made, "checkmk", LOOK).removesuffix("\n").split("\n")
    assert [line for line in lines if not LOCAL.fullmatch(line)] == []
    names = [line.split('"')[1] for line in lines]
    assert len(names) == len(set(names))
    assert {f"psops {out.host.name}" for out in made.outcomes} <= set(names)


def test_checkmk_keeps_the_services_of_a_host_that_cannot_be_read() -> None:
    made, _ = VERIFY_CASES["verify-unreachable"]
    text = render_verify(made, "checkmk", LOOK)
    assert '3 "psops ps03" ' in text
    assert '3 "psops ps03 testpoint" ' in text


def tap_points(lines: list[str], indent: str) -> Iterator[tuple[bool, int, str]]:
    for line in lines:
        match = re.fullmatch(rf"{indent}(not )?ok (\d+) - (.*)", line)
        if match:
            yield not match[1], int(match[2]), match[3]


@pytest.mark.parametrize("made", REPORTS)
def test_tap_plans_are_kept_and_values_are_yaml(made: VerifyReport) -> None:
    lines = render_verify(made, "tap", LOOK).splitlines()
    assert lines[0] == "TAP version 14"
    hosts = list(tap_points(lines, ""))
    assert f"1..{len(hosts)}" in lines
    assert [number for _, number, _ in hosts] == list(range(1, len(made.outcomes) + 1))
    plans = [int(line.split("..")[1]) for line in lines if line.startswith("    1..")]
    assert sum(plans) == len(list(tap_points(lines, "    ")))
    assert [good for good, _, _ in hosts] == [
        not VerifyReport(outcomes=(out,), fail_on=made.fail_on).exit for out in made.outcomes
    ]
    for _, _, told in tap_points(lines, "    "):
        parts = re.split(r"(?<!\\)(?:\\\\)*#", told)
        assert len(parts) == 1 or (len(parts) == 2 and parts[1].startswith(" TODO waived"))
    inside = False
    for line in (line.strip() for line in lines):
        if line in ("---", "..."):
            inside = line == "---"
        elif inside:
            value = re.fullmatch(r'(?:[a-z]+:|[a-z]+: (".*")|- (".*"))', line)
            assert value
            assert isinstance(json.loads(value[1] or value[2] or '""'), str)


ENVELOPE = {"psops_version", "schema", "command", "status", "exit", "hosts", "errors", "verdict",
            "fail_on", "made_at", "host_counts", "finding_counts"}  # fmt: skip
UNREAD = {"host", "elapsed_s", "error", "verdict"}
HOST = UNREAD | {"bundles", "chosen_by", "os", "version", "findings", "notes"}
FINDING = {"name", "kind", "verdict", "code", "text", "bundle", "purpose", "severity", "because",
           "advice", "waived", "elapsed_s", "unit", "log"}  # fmt: skip
UNIT = {"name", "id", "load_state", "active_state", "sub_state", "description", "unit_file_state",
        "since", "main_pid", "restarts", "memory_bytes", "tasks", "result", "exit_status",
        "exit_signal"}  # fmt: skip


@pytest.mark.parametrize("made", REPORTS)
def test_json_has_exactly_the_promised_keys(made: VerifyReport) -> None:
    document: Any = json.loads(render_verify(made, "json", LOOK))
    assert document.keys() == ENVELOPE
    assert (document["command"], document["schema"]) == ("bundle verify", 1)
    assert document["exit"] == made.exit
    assert document["verdict"] == made.verdict
    for one, given in zip(document["hosts"], made.outcomes, strict=True):
        assert one.keys() == (UNREAD if given.value is None else HOST)
        for finding in one.get("findings", ()):
            assert finding.keys() == FINDING
            assert finding["unit"] is None or finding["unit"].keys() == UNIT
            assert finding["waived"] is None or finding["waived"].keys() == {"reason", "until"}
            assert all(advice.keys() == {"text", "command"} for advice in finding["advice"])
            assert all(line.keys() == {"time_us", "identifier", "message"}
                       for line in finding["log"])  # fmt: skip
    assert sum(document["host_counts"].values()) == len(made.outcomes)


@pytest.mark.parametrize("made", REPORTS)
def test_lines_of_jsonl_are_the_hosts_of_json(made: VerifyReport) -> None:
    lines = render_verify(made, "jsonl", LOOK).splitlines()
    assert [json.loads(line) for line in lines] == json.loads(render_verify(made, "json", LOOK))[
        "hosts"
    ]
    streamed = "".join(render_host_line(one) for one in made.outcomes)
    assert streamed == render_verify(made, "jsonl", LOOK)


@pytest.mark.parametrize("made", REPORTS)
def test_markdown_has_no_markup_but_its_own(made: VerifyReport) -> None:
    text = render_verify(made, "markdown", LOOK)
    tags = set(re.findall(r"<(/?[a-z!?][^>]*)>", text))
    assert {tag.removeprefix("/") for tag in tags} <= {
        "details", "summary", "b", "ul", "li", "code", "pre", "p",
    }  # fmt: skip
    for block in re.findall(r"<details>.*?</details>", text, re.DOTALL):
        assert "\n\n" not in block, "a blank line would end the block of HTML"
    rows = [line for line in text.split("\n") if line.startswith("|")]
    cells = {len(re.findall(r"(?<!\\)\|", row)) for row in rows}
    assert len(cells) <= 1


def test_all_formats_of_a_thousand_hosts_are_quick() -> None:
    import time

    made = fleet(1000)
    for form in ("junit", "tap", "nagios", "checkmk", "prometheus", "markdown", "html", "jsonl"):
        begin = time.process_time()
        render_verify(made, form, LOOK)
        assert time.process_time() - begin < 10, form
