"""The verdicts as one web page that needs nothing else: no network, no server.

The page is `page.html` with the report in it as JSON; its script builds everything shown
with `textContent`. Its policy allows that script and that style by their hashes, and nothing.
"""

import re
from base64 import b64encode
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from html import escape
from importlib.resources import files
from typing import Any

from psops.inventory import fold
from psops.report import Look
from psops.report.facts import reason, unit_facts
from psops.report.json import dump
from psops.report.text import clean, moment
from psops.report.unread import unread
from psops.report.verify_details import log_of
from psops.report.verify_parts import (
    MARKS,
    NO_BUNDLE_REMEDY,
    ORDER,
    findings,
    host_groups,
    mark,
    names,
    nothing_expected,
    read,
    role,
    summary,
    waiver_text,
)
from psops.verdict import Finding, HostVerdict, VerifyReport


def render(report: VerifyReport, look: Look) -> str:
    """Return the page."""
    page = files("psops.report").joinpath("page.html").read_text(encoding="utf-8")
    page = _filled(page, _words(report))
    made_at = datetime.fromtimestamp(report.made_at, UTC)
    values = {
        "policy": _policy(page),
        "title": escape(report.title),
        "verdict": report.verdict.value,
        "glyph": MARKS[report.verdict][1],
        "summary": escape(summary(report)),
        "made_at": f"{made_at:%Y-%m-%dT%H:%M:%SZ}",
        "made_at_text": f"{made_at:%Y-%m-%d %H:%M:%S UTC}",
        "data": _data(report),
    }
    return _filled(page, values)


def _words(report: VerifyReport) -> dict[str, str]:
    """Return what a row and what the columns are called; they are in the script, too."""
    kinds = sorted({one.kind for one in findings(report)}, reverse=True) or ["daemon"]
    return {
        "noun": report.noun,
        "Noun": report.noun.capitalize(),
        "kind": ", ".join(kinds),
        "kinds": " and ".join(f"{kind}s" for kind in kinds),
    }


def _filled(page: str, values: Mapping[str, str]) -> str:
    """Return the page with values in their places; places of others stay."""
    return re.sub(r"\{\{(\w+)\}\}", lambda match: values.get(match[1], match[0]), page)


def _policy(page: str) -> str:
    """Return the content security policy: what is in the page may run, nothing may be loaded."""
    allowed = []
    for tag in ("style", "script"):
        text = page.partition(f"<{tag}>")[2].partition(f"</{tag}>")[0]
        digest = b64encode(sha256(text.encode()).digest()).decode()
        allowed.append(f"{tag}-src 'sha256-{digest}'")
    return "; ".join(["default-src 'none'", *allowed, "base-uri 'none'", "form-action 'none'"])


def _data(report: VerifyReport) -> str:
    columns = names(report)
    places = {name: at for at, name in enumerate(columns)}
    seen: dict[str, int] = {}  # equal ones are written once: a fleet is mostly alike
    made: list[Any] = []
    kinds = {one.name: one.kind for _, value in read(report) for one in value.findings}
    groups = {name: at for at, group in enumerate(host_groups(report, folded=True))
              for name in group.hosts}  # fmt: skip
    labels = [fold(group.hosts) for group in host_groups(report, folded=True)]
    for alike in unread(report.outcomes, fold=True):
        groups |= dict.fromkeys(alike.hosts, len(labels))
        labels.append(fold(alike.hosts))
    hosts = []
    for outcome in report.outcomes:
        cells = [-1] * len(columns)
        told = outcome.value.findings if outcome.value is not None else ()
        for one in sorted(told, key=lambda one: -ORDER.index(mark(one))):  # the worst stays
            plain = _finding(one)
            at = seen.setdefault(dump(plain), len(made))
            if at == len(made):
                made.append(plain)
            cells[places[one.name]] = at
        hosts.append(
            {
                "name": outcome.host.name,
                "verdict": report.verdict_of(outcome).value,
                "error": _error(outcome.error) if outcome.error else _without(outcome.value),
                "role": role(outcome.value) if outcome.value and outcome.value.bundles else "",
                "notes": list(outcome.value.notes) if outcome.value is not None else [],
                "group": groups[outcome.host.name],
                "elapsed": f"{outcome.elapsed:.2f} s",
                "cells": cells,
            }
        )
    document = {
        "marks": {key: glyph for key, (_, glyph) in MARKS.items()},
        "columns": [{"name": name, "kind": kinds[name]} for name in columns],
        "findings": made,
        "hosts": hosts,
        "groups": labels,
    }
    # No `<` at all: no text of a host ends the element that the data is in.
    return dump(_cleaned(document)).strip().replace("<", "\\u003c").replace("&", "\\u0026")


def _error(error: Exception) -> dict[str, str]:
    return {
        "code": getattr(error, "code", "error"),
        "text": str(error),
        "remedy": getattr(error, "remedy", ""),
    }


def _without(value: HostVerdict | None) -> dict[str, str] | None:
    if value is None or value.findings:
        return None
    remedy = "" if value.bundles else NO_BUNDLE_REMEDY
    return {"code": "nothing expected", "text": nothing_expected(value), "remedy": remedy}


def _finding(one: Finding) -> dict[str, Any]:
    """Return what the page tells of a finding; of what is ok, nothing that differs by host."""
    plain: dict[str, Any] = {
        "name": one.name,
        "kind": one.kind,
        "mark": mark(one),
        "code": one.code,
        "text": one.text,
        "bundle": one.bundle,
        "severity": one.severity,
        "purpose": one.purpose,
    }
    if one.unit is not None:
        plain["unit"] = one.unit.id
        plain["description"] = one.unit.description
        plain["state"] = f"{one.unit.active} ({one.unit.sub})"
        plain["at_boot"] = unit_facts(one.unit).file_state or ""
    if mark(one) == "ok":
        return plain
    if one.unit is not None:
        since = unit_facts(one.unit).since_us
        plain |= {"why": reason(one.unit), "since": moment(since) if since else ""}
    plain |= {
        "because": one.because,
        "advice": [list(advice) for advice in one.advice],
        "waived": waiver_text(one),
        "log": log_of(one),
    }
    return plain


def _cleaned(value: Any) -> Any:
    """Return the same with all texts made visible: a browser, too, reorders and hides."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, dict):
        return {key: _cleaned(item) for key, item in value.items()}
    return [_cleaned(item) for item in value] if isinstance(value, list) else value
