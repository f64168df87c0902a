"""Whether Grafana works: its own health, and if told so that of the stores it reads.

Rule: "Health API" and "Data source API" of grafana.com/docs; in the source `pkg/api/health.go`.
The health page is about Grafana's own database and says nothing of dashboards or data.
"""

from dataclasses import replace
from urllib.parse import quote

from psops.catalogue.entry import Probe
from psops.checks import Answer, right, wrong
from psops.probes import Unanswered
from psops.probes.fields import Asker, no_data, show, text
from psops.probes.world import World
from psops.report.text import clean


def answer(probe: Probe, world: World) -> Answer:
    """Return whether Grafana's database and the data sources of `datasources` are well."""
    asker = Asker(probe, world)
    return asker.settle(lambda: _judge(asker))


def _judge(asker: Asker) -> Answer:
    response = asker.response("/api/health")
    # 503 comes with the same document, and says that the database is failing.
    readable = replace(response, status=200) if response.status == 503 else response
    found = asker.world.document(f"{asker.base}/api/health", readable)
    database = text(found, "database")
    if database != "ok":
        return wrong("unhealthy", f"its own database is {show(database)}")
    if response.status != 200:
        return wrong("server-error", f"{response.status}, though its own database is 'ok'")
    sources = asker.probe.settings["datasources"]
    for uid in sources:
        _judge_source(asker, uid)
    told = f"; its data sources answer: {clean(', '.join(sources))}" if sources else ""
    return right(f"its own database is ok{told}")


def _judge_source(asker: Asker, uid: str) -> None:
    path = f"/api/datasources/uid/{quote(uid, safe='')}/health"
    response = asker.response(path)
    # A source that does not answer is a 400 with the same document.
    readable = replace(response, status=200) if response.status == 400 else response
    found = asker.world.document(f"{asker.base}{path}", readable)
    status = text(found, "status")
    if status == "OK" and response.status == 200:
        return
    if status != "ERROR":
        raise no_data(f"the data source {clean(uid)} has the status {show(status)}")
    said = show(found.get("message"))
    raise Unanswered(wrong("unhealthy", f"the data source {clean(uid)} does not work: {said}"))
