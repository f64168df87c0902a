"""A translation of crontabs: the daemons for PanDA, a table, JSON, or a report on every line."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from textwrap import fill
from typing import Any

from psops.cron.crontab import Crontab, Remark
from psops.cron.translation import Candidate, Daemon, Row, Translation
from psops.exits import Exit
from psops.report import Look
from psops.report.json import dump, envelope
from psops.report.text import Cell, clean, count, paint, table

FORMATS = ("daemon", "table", "json", "report")
#: A daemon a line, and the last brace not in column 0: so it can stand below `config = `,
#: where a brace in column 0 would end the value. PanDA's guide has it so.
_INDENT = " " * 4
_LINE_HEAD = ("SERVER", "LINE", "RESULT", "PER DAY", "RULES", "WHEN")
_DAEMON_HEAD = ("DAEMON", "PERIOD", "SYNC", "TIMEOUT", "SERVERS", "MODULE", "ARGUMENTS")
#: What a narrow terminal goes without, the first of them first.
_SPARE = ("RULES", "PER DAY", "SERVERS", "TIMEOUT")
#: What goes on below itself there.
_PROSE = ("RESULT", "WHEN", "ARGUMENTS")
#: What the rules of the specification are about, for people.
RULES = {
    "R1": "equal gaps",
    "R2": "unequal gaps",
    "R3": "bound to the clock",
    "R4": "not synchronized",
    "R5": "whole seconds",
    "R6": "too short for a lock",
    "R8": "several lines or servers",
    "R9": "no period",
    "R10": "command",
    "R12": "time limit",
    "decision": "the operator's decision",
}
#: No remark is longer: a line of a crontab may have a word of 100,000 characters.
_MOST = 400


@dataclass(frozen=True, slots=True)
class Report:
    """A translation with the crontabs it is of, and the exit code of the run."""

    translation: Translation
    crontabs: tuple[Crontab, ...]
    exit: Exit


def render_cron(report: Report, form: str, look: Look) -> str:
    """Return the translation in one of `FORMATS`, ending with a newline."""
    if form == "daemon":
        return render_config(report.translation)
    if form == "json":
        return _json(report)
    return _table(report, look) if form == "table" else _report(report, look)


def render_config(translation: Translation) -> str:
    """Return the JSON object for `config` in [daemon], keys in the order of PanDA's guide.

    It is ASCII only, so no byte of it can act on a terminal.
    """
    items = translation.config().items()
    if not items:
        return "{}\n"
    lines = [f"{_INDENT}{json.dumps(name)}: {json.dumps(values)}" for name, values in items]
    return "{\n" + ",\n".join(lines) + f"\n{_INDENT}}}\n"


def remarks(report: Report) -> list[str]:
    """Return a line for each refused or doubtful line of the crontabs, and one for each warning.

    Each has the place, why, and what to do.
    """
    found = report.translation
    lines: dict[tuple[str, int], list[str]] = {}
    refused = {(one.source, one.line) for one in found.refused}
    for one in (*found.refused, *found.doubtful):
        texts = lines.setdefault((one.source, one.line), [])
        text = _sentence(one)
        # The name of the daemon stands before the first of its remarks.
        name, colon, rest = text.partition(": ")
        if colon and texts and texts[0].startswith(f"{name}: "):
            text = rest
        if text not in texts:
            texts.append(text)
    files = {tab.source: at for at, tab in enumerate(report.crontabs)}
    told = [
        f"{clean(source)}:{line}: {'refused' if (source, line) in refused else 'doubtful'}: "
        + "; ".join(lines[source, line])
        for source, line in sorted(lines, key=lambda place: (files[place[0]], place[1]))
    ]
    told += [f"psops: {_short(text)}" for text in found.warnings]
    if "%" in render_config(found):
        told.append("psops: write each % as %% in panda_server.cfg, where one alone is an error")
    return told


def summary(report: Report) -> str:
    """Return the outcome on one line."""
    found = report.translation
    refused = {(one.source, one.line) for one in found.refused}
    doubtful = {(one.source, one.line) for one in found.doubtful} - refused
    jobs = {(row.source, row.line) for row in found.rows} | refused
    parts = [f"{len(refused)} refused", f"{len(doubtful)} doubtful"]
    if found.disabled:
        parts.append(f"{len({(one.source, one.line) for one in found.disabled})} commented out")
    if found.warnings:
        parts.append(count(len(found.warnings), "warning"))
    text = (f"{count(len(jobs), 'line')} on {count(found.servers, 'server')} -> "
            f"{count(len(found.daemons), 'daemon')}; {', '.join(parts)}")  # fmt: skip
    if found.candidates:
        number = len(found.candidates)
        text += f"; {count(number, 'candidate')} for --sync, see --format report"
    return text


def _sentence(remark: Remark) -> str:
    remedy = f"; {_short(remark.remedy)}" if remark.remedy else ""
    return _short(remark.reason) + remedy


def _short(text: str) -> str:
    return clean(text if len(text) <= _MOST else f"{text[:_MOST]}...")


def _number(value: Fraction) -> str:
    """Return starts per day: whole, or with four digits.

    >>> _number(Fraction(360)), _number(Fraction(1, 7))
    ('360', '0.1429')
    """
    return str(value.numerator) if value.denominator == 1 else f"{float(value):.4g}"


def _table(report: Report, look: Look) -> str:
    found = report.translation
    blocks = []
    if found.rows or found.refused:
        doubtful = {(one.source, one.line) for one in found.doubtful}
        rows = [_cells(row, (row.source, row.line) in doubtful) for row in found.rows]
        rows += [_lost(one) for one in _unread(report)]
        blocks.append(_columns(_LINE_HEAD, rows, look))
    if found.daemons:
        rows = [_daemon_cells(daemon) for daemon in found.daemons]
        blocks.append(_columns(_DAEMON_HEAD, rows, look))
    return "\n\n".join(blocks) + "\n" if blocks else ""


def _columns(head: Sequence[str], rows: Sequence[Sequence[Cell]], look: Look) -> str:
    return table(head, rows, color=look.color, width=look.width, spare=_SPARE, prose=_PROSE)


def _cells(row: Row, doubtful: bool) -> list[Cell]:
    style = "bad" if row.refused else "warn" if doubtful else ""
    return [
        Cell(clean(row.server)),
        Cell(f"{_mark(row, doubtful)} {clean(row.source)}:{row.line}", style),
        Cell("refused" if row.refused else _short(row.result)),
        Cell(_number(row.per_day), right=True),
        Cell(" ".join(row.rules)),
        Cell(clean(row.words), "dim"),
    ]


def _mark(row: Row, doubtful: bool) -> str:
    return "×" if row.refused else "!" if doubtful else " "


def _lost(one: Remark) -> list[Cell]:
    place = Cell(f"× {clean(one.source)}:{one.line}", "bad")
    return [Cell(""), place, Cell("refused"), Cell("", right=True), Cell(""),
            Cell(_short(one.reason), "dim")]  # fmt: skip


def _unread(report: Report) -> list[Remark]:
    """Return the lines that are no job, so that no row tells of them; each once."""
    return list(dict.fromkeys(one for tab in report.crontabs for one in tab.refused))


def _daemon_cells(daemon: Daemon) -> list[Cell]:
    return [
        Cell(_short(daemon.name)),
        Cell(f"{daemon.period} s", right=True),
        Cell("yes" if daemon.sync else "no", "" if daemon.sync else "dim"),
        Cell(f"{daemon.effective_timeout} s", right=True),
        Cell(str(daemon.servers), right=True),
        Cell(_short(daemon.module)),
        Cell(_short(" ".join(daemon.arguments))),
    ]


def _report(report: Report, look: Look) -> str:
    found = report.translation
    heads = [
        f"{clean(tab.source)}: {f'of {clean(tab.server)}, ' if tab.server else ''}"
        f"form {tab.form} ({clean(tab.form_reason)}), dialect {tab.dialect}"
        for tab in report.crontabs
    ]
    blocks = [_listed("CRONTABS", heads, look), *_lines(report, look)]
    if found.daemons:
        rows = [_daemon_cells(daemon) for daemon in found.daemons]
        blocks.append(_columns(_DAEMON_HEAD, rows, look))
    blocks += [
        _listed("CANDIDATES FOR --sync", map(str, found.candidates), look),
        _listed("COMMENTED OUT", map(str, found.disabled), look),
        _listed("WARNINGS", found.warnings, look),
        _listed("NOTES", found.notes, look),
    ]
    return "\n\n".join(block for block in blocks if block) + "\n"


def _listed(head: str, texts: Iterable[str], look: Look) -> str:
    lines = [_wrapped(f"  {_short(text)}", look) for text in texts]
    return "\n".join([paint(head, "head", look.color), *lines]) if lines else ""


def _wrapped(text: str, look: Look, indent: int = 4) -> str:
    if look.width is None:
        return text
    return fill(text, max(look.width, 40), subsequent_indent=" " * indent, break_on_hyphens=False)


def _lines(report: Report, look: Look) -> list[str]:
    """Return a block for each line of the crontabs that has something to tell, in their order."""
    files = {tab.source: at for at, tab in reversed([*enumerate(report.crontabs)])}
    doubts: dict[tuple[str, int], dict[str, None]] = {}
    for tab in report.crontabs:
        for doubt in tab.doubts:
            doubts.setdefault((doubt.source, doubt.line), {})[_sentence(doubt)] = None
    remedies = {(one.source, one.line): one.remedy for one in report.translation.refused}
    told: list[tuple[int, int, str]] = []
    done: set[tuple[str, int]] = set()
    for row in report.translation.rows:
        place = row.source, row.line
        done.add(place)
        text = _row_block(row, remedies.get(place, ""), doubts.get(place, ()), look)
        told.append((files[row.source], row.line, text))
    others = {(one.source, one.line): one for one in _unread(report)}
    for place in others.keys() | doubts.keys() - done:
        source, line = place
        one = others.get(place)
        pairs = [("result", f"refused: {_short(one.reason)}"), ("to do", one.remedy)] if one else []
        pairs += [("!", text) for text in doubts.get(place, ())]
        text = _block(f"{'×' if one else '!'} {clean(source)}:{line}", pairs, look)
        told.append((files[source], line, text))
    return [text for _, _, text in sorted(told, key=lambda item: item[:2])]


def _row_block(row: Row, remedy: str, doubts: Iterable[str], look: Look) -> str:
    rules = ", ".join(f"{rule} {RULES.get(rule, '')}".rstrip() for rule in row.rules)
    server = f"  ({clean(row.server)})" if row.server else ""
    warnings = dict.fromkeys((*doubts, *map(_short, row.warnings)))
    mark = _mark(row, bool(warnings))
    head = f"{mark} {clean(row.source)}:{row.line}{server}  {_short(row.expression)}"
    pairs = [
        ("when", row.words),
        ("starts", f"{_number(row.per_day)} a day; gaps {row.gaps_text}"),
        ("rules", rules),
        ("result", row.result),
        ("to do", remedy if row.refused else ""),
        *(("!", text) for text in warnings),
        *(("note", text) for text in row.notes),
    ]
    return _block(head, pairs, look)


def _block(head: str, pairs: Iterable[tuple[str, str]], look: Look) -> str:
    lines = [paint(head, "head", look.color)]
    for key, value in pairs:
        if value:
            lines.append(_wrapped(f"    {key:<6}  {_short(value)}", look, 12))
    return "\n".join(lines)


def _json(report: Report) -> str:
    found = report.translation
    errors = [{"code": "refused", "message": f"{one.source}:{one.line}: {one.reason}",
               "remedy": one.remedy} for one in found.refused]  # fmt: skip
    document: dict[str, Any] = {
        "status": "ok" if not errors else "partial" if found.daemons else "error",
        "errors": errors,
        "servers": found.servers,
        "config": found.config(),
        "crontabs": [_crontab_object(tab) for tab in report.crontabs],
        "daemons": [_daemon_object(daemon) for daemon in found.daemons],
        "lines": [_row_object(row) for row in found.rows],
        "refused": [_remark_object(one) for one in found.refused],
        "doubtful": [_remark_object(one) for one in found.doubtful],
        "disabled": [_remark_object(one) for one in found.disabled],
        "candidates": [_candidate_object(one) for one in found.candidates],
        "warnings": list(found.warnings),
        "notes": list(found.notes),
    }
    return dump(envelope("cron2daemon", report.exit, [], []) | document, indent=2)


def _crontab_object(tab: Crontab) -> dict[str, Any]:
    return {
        "source": tab.source,
        "server": tab.server or None,
        "form": str(tab.form),
        "form_reason": tab.form_reason,
        "dialect": str(tab.dialect),
    }


def _daemon_object(daemon: Daemon) -> dict[str, Any]:
    return {
        "name": daemon.name,
        "module": daemon.module,
        "arguments": list(daemon.arguments),
        "period": daemon.period,
        "period_exact": str(daemon.exact),
        "sync": daemon.sync,
        "timeout": daemon.timeout,
        "timeout_effective": daemon.effective_timeout,
        "servers": daemon.servers,
    }


def _row_object(row: Row) -> dict[str, Any]:
    return {
        "source": row.source,
        "line": row.line,
        "server": row.server or None,
        "expression": row.expression,
        "words": row.words,
        "per_day": str(row.per_day),
        "cycle_days": row.cycle_days,
        "gaps": [{"seconds": gap, "count": number} for gap, number in row.gaps],
        "daemon": row.daemon or None,
        "rules": list(row.rules),
        "result": row.result,
        "refused": row.refused,
        "warnings": list(row.warnings),
        "notes": list(row.notes),
    }


def _remark_object(one: Remark) -> dict[str, Any]:
    return {"source": one.source, "line": one.line, "reason": one.reason, "remedy": one.remedy}


def _candidate_object(one: Candidate) -> dict[str, Any]:
    return {
        "name": one.name,
        "period": one.period,
        "sync_period": one.sync_period,
        "sync_period_exact": str(one.exact),
        "upstream": one.upstream,
        "kept": one.kept,
    }
