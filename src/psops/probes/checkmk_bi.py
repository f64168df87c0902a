"""Whether Checkmk's aggregations are OK, and its checks still run.

Rules: for `rest` the endpoint that Checkmk's own `agent_bi` asks, and "Show a service"; for
`multisite` the JSON export of a view, whose first row names the columns (`_get_json_body` in
Checkmk's `cmk/gui/exporter.py`). States stay as they are once the core has stopped, so the time
of a check decides as well.
"""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlencode

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
    show,
    table,
    text,
    warning,
)
from psops.probes.world import World
from psops.report import text as words
from psops.report.text import clean, duration

_API = "/check_mk/api/1.0"
_AGGREGATIONS = f"{_API}/domain-types/bi_aggregation/actions/aggregation_state/invoke"
_STATES = ("OK", "WARN", "CRIT", "UNKN")
#: Columns of views that have a state, the name of what it is for, and the age of a check.
_STATE_COLUMNS = ("aggr_state_num", "aggr_state", "aggr_real_state", "service_state")
_NAME_COLUMNS = ("aggr_name", "service_description")
_AGE_COLUMN = "svc_check_age"
_AGE = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,6})?) ?(s|sec|m|min|h|hrs|d|days)", re.ASCII)
_SECONDS = {"s": 1, "sec": 1, "m": 60, "min": 60, "h": 3600, "hrs": 3600, "d": 86400, "days": 86400}
#: A release that reads aggregations by the other method only.
_OTHER_METHOD = (404, 405)


def answer(probe: Probe, world: World) -> Answer:
    """Return whether the aggregations are OK and a check is no older than `max_age` seconds."""
    asker = Asker(probe, world)
    return asker.settle(lambda: _judge(asker))


def _judge(asker: Asker) -> Answer:
    rest = asker.probe.settings["api"] == "rest"
    states = _rest_states(asker) if rest else _view_states(asker)
    wanted = asker.probe.settings["aggregations"]
    if missing := [name for name in wanted if name not in states]:
        return wrong("missing-object", f"there is no aggregation {named(missing)}")
    states = {name: states[name] for name in wanted} if wanted else states
    if not states:
        raise no_data("it shows no aggregation")
    found = _judge_states(states)
    age = _rest_age(asker) if rest else _view_age(asker)
    if age is None:
        if found.code != "ok":
            return found
        key = "'alive_host' and 'alive_service'" if rest else "'alive_url'"
        return unknown("no-data", f"{found.text}, but whether checks still run is not told; {key}")
    bad = judge_age("its newest check", age, asker.probe.settings["max_age"], "outdated")
    return bad or replace(found, text=f"{found.text}, the newest check {duration(age)} old")


def _judge_states(states: dict[str, int]) -> Answer:
    worst = {state: [name for name, at in states.items() if at == state] for state in range(4)}
    # Critical comes first, then what is not known, then warnings.
    for state, make in ((2, wrong), (3, unknown), (1, warning)):
        if worst[state]:
            of = f"{len(worst[state])} of {words.count(len(states), 'aggregation')}"
            return make("unhealthy", f"{of} {_STATES[state]}: {named(worst[state])}")
    return right(f"{words.count(len(states), 'aggregation')} OK")


def _login(asker: Asker) -> tuple[tuple[tuple[str, str], ...], Probe]:
    """Return the header to log in as an automation user, and the probe without other logins."""
    given = asker.probe.settings
    if not (given["secret"] and given["user"]) or given["auth"]:
        return (), asker.probe
    word = f"Bearer {given['user']} {asker.world.secret(given['secret'])}"
    return (("Authorization", word),), replace(asker.probe, settings={**given, "secret": ""})


def _rest_states(asker: Asker) -> dict[str, int]:
    headers, probe = _login(asker)
    wanted = asker.probe.settings["aggregations"]
    query = urlencode([("filter_names", name) for name in wanted])
    path = f"{_AGGREGATIONS}?{query}" if query else _AGGREGATIONS
    response = asker.response(path, headers=headers, probe=probe)
    if response.status in _OTHER_METHOD:
        body = json.dumps({"filter_names": list(wanted)}).encode()
        found = asker.json(_AGGREGATIONS, method="POST", headers=headers, body=body, probe=probe)
    else:
        found = asker.world.document(f"{asker.base}{path}", response)
    lost = [show(site) for site in items(found, "missing_sites")]
    if lost:
        raise Unanswered(unknown("partial", f"sites that do not answer: {named(lost)}"))
    missing = [show(name) for name in items(found, "missing_aggr")]
    if missing:
        raise Unanswered(wrong("missing-object", f"there is no aggregation {named(missing)}"))
    states = table(found, "aggregations")
    return {name: _state(states[name], name) for name in states}


def _state(aggregation: Any, name: str) -> int:
    state = number(aggregation, "state")
    if state not in range(len(_STATES)):
        raise no_data(f"the aggregation {clean(name)} has the state {state:g}")
    return int(state)


def _rest_age(asker: Asker) -> float | None:
    given = asker.probe.settings
    host, service = given["alive_host"], given["alive_service"]
    if not (host and service):
        return None
    headers, probe = _login(asker)
    query = urlencode([("service_description", service), ("columns", "last_check")])
    path = f"{_API}/objects/host/{quote(host, safe='')}/actions/show_service/invoke?{query}"
    found = asker.json(path, headers=headers, probe=probe)
    checked = count(found, "extensions", "last_check")
    if not checked:
        raise Unanswered(wrong("outdated", f"{clean(service)} of {clean(host)} was never checked"))
    return asker.world.now() - checked


def _view(asker: Asker, url: str) -> tuple[list[str], list[list[Any]]]:
    """Return the columns of a view and its rows; raises `Unanswered`."""
    sign = "&" if "?" in url else "?"
    head, *rows = items(asker.json(f"{url}{sign}output_format=json")) or [None]
    if not isinstance(head, list) or not all(isinstance(name, str) for name in head):
        raise no_data("the view does not begin with its columns")
    if not all(isinstance(row, list) and len(row) == len(head) for row in rows):
        raise no_data("a row of the view has other columns than its head")
    return head, rows


def _view_states(asker: Asker) -> dict[str, int]:
    head, rows = _view(asker, asker.base)
    column = next((name for name in _STATE_COLUMNS if name in head), None)
    if column is None:
        raise no_data(f"the view has none of the columns {', '.join(_STATE_COLUMNS)}")
    name = next((name for name in _NAME_COLUMNS if name in head), None)
    states: dict[str, int] = {}
    for at, row in enumerate(rows, 1):
        word = str(row[head.index(column)])[:20].strip()
        if word in ("PEND", "-1"):
            raise no_data("an aggregation is not monitored yet")
        known = _STATES.index(word) if word in _STATES else -1
        known = int(word) if word in ("0", "1", "2", "3") else known
        if known < 0:
            raise no_data(f"a row of the view has the state {show(word)}")
        called = text({"name": row[head.index(name)]}, "name") if name else f"row {at}"
        states[called] = max(known, states.get(called, 0))
    return states


def _view_age(asker: Asker) -> float | None:
    """Return the age of the newest check that a view has, in seconds."""
    url = asker.probe.settings["alive_url"]
    if not url:
        return None
    head, rows = _view(asker, url)
    if _AGE_COLUMN not in head or not rows:
        raise no_data(f"the view of 'alive_url' has no {_AGE_COLUMN}")
    return min(_age(asker, row[head.index(_AGE_COLUMN)]) for row in rows)


def _age(asker: Asker, value: Any) -> float:
    """Return the age that a view shows: `12.3 s`, `5 m`, or a date and time for an old one."""
    shown = value.strip() if isinstance(value, str) else ""
    if match := _AGE.fullmatch(shown):
        return float(match[1]) * _SECONDS[match[2]]
    try:
        moment = datetime.fromisoformat(shown)
    except ValueError:
        raise no_data(f"{_AGE_COLUMN} is {show(value)}, not an age") from None
    # Its zone is not told; none is more than 14 hours from UTC, so this is not too young.
    return asker.world.now() - moment.replace(tzinfo=UTC).timestamp() + 14 * 3600
