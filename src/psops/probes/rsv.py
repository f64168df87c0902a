"""Whether most rows of an RSV page are good and none is old.

Rule: `html-consumer` and `json-consumer` of opensciencegrid/rsv. They write files, `index.json`
only where that consumer is switched on; a consumer that stopped leaves its last file there for
good, so the time of the file counts too.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NamedTuple

from psops.catalogue.entry import Probe
from psops.checks import Answer, right, unknown, wrong
from psops.checks.exchange import Response
from psops.checks.http import excerpt
from psops.probes import Unanswered
from psops.probes.fields import (
    Asker,
    items,
    judge_age,
    named,
    no_data,
    percent,
    server_time,
    text,
    warning,
)
from psops.probes.world import World, is_login
from psops.report.text import count, duration, squeeze

_ROW = re.compile(r"<tr\s+id='([a-z]{1,32})'>(.{1,4000}?)</tr>", re.DOTALL)
_CELL = re.compile(r"<td[^>]{0,200}>(.{0,2000}?)</td>", re.DOTALL)
_HOST = re.compile(r"href='([^'#]{1,200})\.html#")
_ALERT = re.compile(r"<p class=\"alert\">([^<]{1,2000})")
_TAG = re.compile(r"<[^>]{0,2000}>")
#: Cells of a row of the page: metric, last run, enabled, next run, status.
_CELLS = 5


class _Row(NamedTuple):
    name: str
    #: The status in small letters, or "old" for one of more than a day ago.
    id: str
    enabled: str


def answer(probe: Probe, world: World) -> Answer:
    """Return whether a share of `least_share` of the enabled rows is OK and `most_old` is old."""
    asker = Asker(probe, world)
    return asker.settle(lambda: _judge(asker))


def _judge(asker: Asker) -> Answer:
    given = asker.probe.settings
    response, rows, alerts = _read(asker)
    asides = (warning("degraded", f"{count(len(alerts), 'alert')}: {named(alerts, 2)}"),)
    found = _judge_rows(asker, [row for row in rows if row.enabled != "NO"])
    now = server_time(response, asker.world.now()) or asker.world.now()
    written = server_time(response, now, "last-modified")
    if written is None:
        found = found if found.code != "ok" else unknown("no-data", "the page's age is not told")
    elif bad := judge_age("its page", now - written, given["max_age"], "outdated"):
        found = bad
    elif found.code == "ok":
        found = right(f"{found.text}, written {duration(now - written)} ago")
    return replace(found, asides=asides if alerts else ())


def _judge_rows(asker: Asker, rows: list[_Row]) -> Answer:
    given = asker.probe.settings
    if not rows:
        raise no_data("it has no rows that are enabled")
    good = sum(row.id == "ok" for row in rows)
    old = [row.name for row in rows if row.id == "old"]
    if len(old) / len(rows) > given["most_old"]:
        most = percent(given["most_old"])
        told = f"{len(old)} of {len(rows)} rows are more than a day old, may be {most}"
        return wrong("outdated", f"{told}: {named(old)}")
    share, least = good / len(rows), percent(given["least_share"])
    told = f"{good} of {len(rows)} rows ({percent(share)}) are OK"
    if share < given["least_share"]:
        bad = [row.name for row in rows if row.id not in ("ok", "old")]
        return wrong("share", f"{told}, must be {least}; not so {named(bad)}")
    return right(told)


def _read(asker: Asker) -> tuple[Response, list[_Row], list[str]]:
    """Return what came, its rows and its alerts: the JSON file, or the page if there is none."""
    response = asker.response("/index.json")
    try:
        document = asker.world.document(f"{asker.base}/index.json", response)
    except Unanswered as exc:
        if exc.answer.code not in ("missing-object", "not-json"):
            raise
        return _read_page(asker)
    rows = [_row(row) for row in items(document, "rows") if row != ""]
    alerts = items(document, "alerts")
    return response, rows, [alert for alert in alerts if isinstance(alert, str)]


def _row(row: Any) -> _Row:
    name = f"{text(row, 'metric')} of {text(row, 'host')}"
    return _Row(name, _state(text(row, "id"), text(row, "status")), text(row, "enabled"))


def _state(id_: str, status: str) -> str:
    """Return the state of a row, which is only good if both of its words are."""
    return status.lower() if id_ == "ok" else id_


def _read_page(asker: Asker) -> tuple[Response, list[_Row], list[str]]:
    response = asker.response("/")
    if response.status != 200:
        asker.world.document(f"{asker.base}/", response)
    if not response.complete:
        raise Unanswered(unknown("too-big", "its page is larger than what is read of it"))
    page = response.body.decode(errors="replace")
    rows = list(_page_rows(page))
    if not rows:
        code = "login-page" if is_login(response) else "no-data"
        raise Unanswered(unknown(code, f"its page has no rows{excerpt(response)}"))
    return response, rows, [squeeze(alert) for alert in _ALERT.findall(page)]


def _page_rows(page: str) -> Iterator[_Row]:
    for id_, row in _ROW.findall(page):
        cells = [squeeze(_TAG.sub("", cell)) for cell in _CELL.findall(row)]
        if len(cells) == _CELLS:
            # The page of each host is named after it.
            host = _HOST.search(row)
            name = f"{cells[0]} of {host[1]}" if host else cells[0]
            yield _Row(name, _state(id_, cells[4]), cells[2])
