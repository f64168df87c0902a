"""Whether MaDDash has grids with known and recent results.

Rule: `GridsResource` and `DBMesh` of perfsonar/maddash for the REST interface, its report for
the severity. The page for people loads with that interface down, so it proves nothing.
"""

from typing import Any, NamedTuple
from urllib.parse import quote_plus

from psops.catalogue.entry import Probe
from psops.checks import Answer, right, unknown, wrong
from psops.probes import Unanswered
from psops.probes.fields import (
    Asker,
    count,
    items,
    judge_age,
    named,
    no_data,
    number,
    percent,
    table,
    text,
)
from psops.probes.world import World
from psops.report import text as words
from psops.report.text import clean, duration
from psops.verdict import Verdict

#: States of a check: UNKNOWN and NOT RUN.
_NOT_KNOWN = (3, 4)
_SEVERITIES = ("OK", "WARNING", "CRITICAL", "UNKNOWN")
#: More grids are not asked for in one go.
_MOST_GRIDS = 200
#: A number of seconds from here on is one of milliseconds.
_MILLISECONDS = 1e11


class _Grid(NamedTuple):
    checks: int
    #: How many of them are neither good nor bad.
    unknown: int
    #: When the latest was run, in seconds since the epoch.
    newest: float
    severity: int


def answer(probe: Probe, world: World) -> Answer:
    """Return whether each grid, or each of `grids`, is known, recent and not too bad."""
    asker = Asker(probe, world)
    return asker.settle(lambda: _judge(asker))


def _judge(asker: Asker) -> Answer:
    given = asker.probe.settings
    there = [text(grid, "name") for grid in items(table(asker.json("/grids")), "grids")]
    wanted = list(given["grids"] or there)
    if not there:
        return wrong("missing-object", "it has no grids")
    if missing := [name for name in wanted if name not in there]:
        return wrong("missing-object", f"it has no grid {named(missing)}")
    if len(wanted) > _MOST_GRIDS:
        return unknown("too-big", f"{len(wanted)} grids; name up to {_MOST_GRIDS} by 'grids'")
    bad: list[Answer] = []
    grids: list[_Grid] = []
    for name in wanted:
        try:
            # As MaDDash itself writes it; a name may be no text that can be written.
            path = f"/grids/{quote_plus(name, errors='replace')}"
            grid = _read(table(asker.json(path)), clean(name))
        except Unanswered as exc:
            bad.append(exc.answer)
            continue
        grids.append(grid)
        if (found := _judge_grid(asker, clean(name), grid)) is not None:
            bad.append(found)
    if bad:
        # What is wrong comes before what is not known.
        first = [found for found in bad if found.verdict is Verdict.CRITICAL] or bad
        more = f"; {len(bad)} of {len(wanted)} grids are not right" if bad[1:] else ""
        make = wrong if first[0].verdict is Verdict.CRITICAL else unknown
        return make(first[0].code, f"{first[0].text}{more}")
    checks, lost = sum(grid.checks for grid in grids), sum(grid.unknown for grid in grids)
    oldest = asker.world.now() - min(grid.newest for grid in grids)
    known = f"{lost} of {words.count(checks, 'check')} not known"
    made = f"each checked within {duration(oldest)}"
    return right(f"{words.count(len(grids), 'grid')}, {made}, {known}")


def _read(document: dict[str, Any], name: str) -> _Grid:
    checks = [
        check
        for row in items(document, "grid")
        for cell in (row if isinstance(row, list) else [row])
        for check in (cell if isinstance(cell, list) else [cell])
        if check is not None
    ]
    if not checks:
        raise no_data(f"grid {name} has no checks")
    lost = sum(count(check, "status") in _NOT_KNOWN for check in checks)
    newest = max(number(check, "prevCheckTime") for check in checks)
    newest = newest / 1000 if newest > _MILLISECONDS else newest
    severity = count(document, "report", "global", "severity")
    if severity >= len(_SEVERITIES):
        raise no_data(f"grid {name} has the severity {severity}")
    return _Grid(len(checks), lost, newest, severity)


def _judge_grid(asker: Asker, name: str, grid: _Grid) -> Answer | None:
    given = asker.probe.settings
    share = grid.unknown / grid.checks
    of = f"{grid.unknown} of {grid.checks} checks"
    if grid.newest <= 0:
        return wrong("outdated", f"grid {name}: no check was ever run")
    age = asker.world.now() - grid.newest
    if bad := judge_age(f"grid {name}: the newest check", age, given["max_age"], "outdated"):
        return bad
    if share > given["most_unknown"]:
        most = percent(given["most_unknown"])
        return wrong("share", f"grid {name}: {of} ({percent(share)}) are not known, may be {most}")
    if given["most_severity"] < grid.severity:
        word = _SEVERITIES[grid.severity]
        make = unknown if word == "UNKNOWN" else wrong
        most = _SEVERITIES[given["most_severity"]]
        return make("unhealthy", f"grid {name}: its report is {word}, may be {most}")
    return None
