"""Answers that are good, for every kind of probe that asks by HTTP; tests spoil them."""

import copy
import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import formatdate
from typing import Any, NamedTuple

from tests.probes.data.site import VECTORS, Site, gives, said, vector

#: When the recorded answers were given.
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC).timestamp()
_MAGIC = {"value": 0.0}


def search(newest: float | None = None, **changes: Any) -> dict[str, Any]:
    """Return the answer to a search, the newest document being of a time in seconds."""
    found: dict[str, Any] = copy.deepcopy(vector("stores/search.json"))
    past = found["aggregations"]["past"]
    past["newest"] = {"value": None if newest is None else newest * 1000}
    past["doc_count"] = 0 if newest is None else 1200
    found.update(changes)
    return found


def grid(**changes: Any) -> dict[str, Any]:
    """Return a grid of MaDDash with four checks, by what DBMesh writes."""
    checked = time.time() - 600

    def check(status: int) -> dict[str, Any]:
        return {"message": "fine", "status": status, "prevCheckTime": int(checked), "uri": "/x"}

    return {
        "name": "Loss",
        "statusLabels": ["ok", "warn", "bad", "unknown", None],
        "lastUpdateTime": int(checked),
        "checkNames": ["Loss", "Loss Reverse"],
        "grid": [[None, [check(0), check(1)]], [[check(0), check(3)], None]],
        "report": {"global": {"severity": 1, "stats": [2, 1, 0, 1]}, "sites": {}},
        **changes,
    }


def rsv_row(number: int, status: str = "OK", **changes: str) -> dict[str, str]:
    """Return a row as json-consumer writes it."""
    return {
        "id": status.lower(), "metric": "org.osg.general.perfsonar-simple", "status": status,
        "run_time": "2026-11-20 11:50:00 UTC", "enabled": "YES", "next_run_time": "11-20 12:50",
        "host": f"ps{number}.example.org", "host_link": "x", **changes,
    }  # fmt: skip


def metrics(**numbers: float) -> bytes:
    """Return the collector's metrics with other numbers: failures, requests, endpoints."""
    found = (VECTORS / "collectors/metrics.txt").read_text(encoding="utf-8")
    for name, old in (("failures", "5.0"), ("requests", "40.0"), ("endpoints", "10.0")):
        if name in numbers:
            found = found.replace(f" {old}\n", f" {numbers[name]}\n")
    return found.encode()


class Good(NamedTuple):
    """How a kind is asked, what it needs to be good, and the path whose answer decides."""

    settings: Callable[[Site], dict[str, Any]]
    set_up: Callable[[Site], None]
    paths: tuple[str, ...]
    at: float | None = None


def _es(site: Site) -> None:
    site.replies["/_cluster/health"] = vector("stores/health.json")
    site.replies["/ps_owd/_search"] = search(time.time() - 1800)


def _grafana(site: Site) -> None:
    site.replies["/api/health"] = {"database": "ok", "version": "11.2.0", "commit": "0"}
    site.replies["/api/datasources/uid/es/health"] = {"status": "OK", "message": "fine"}


def _pwa(site: Site) -> None:
    site.replies["/pub/health"] = {"status": "failed", "msg": "db status ok"}
    site.replies["/pub/config"] = gives([{"include": [f"{site.url}/pub/config/wlcg"]}])
    site.replies["/pub/config/wlcg"] = {"addresses": {"a": {}}, "tasks": {"t": {}}}


def _maddash(site: Site) -> None:
    site.replies["/grids"] = {"grids": [{"name": "Loss", "uri": "/maddash/grids/Loss"}]}
    site.replies["/grids/Loss"] = grid()


def _rsv(site: Site) -> None:
    modified = f"Last-Modified: {formatdate(time.time() - 900, usegmt=True)}"
    rows = {"alerts": [], "rows": [*map(rsv_row, range(9)), rsv_row(9, "CRITICAL"), ""]}
    site.replies["/index.json"] = gives(rows, "200 OK", modified)


def _metrics(site: Site) -> None:
    looks = (metrics(endpoints=1.0), metrics(endpoints=1.0, requests=44.0))
    site.replies["/metrics"] = [said("200 OK", look) for look in looks]


def _pscheduler(site: Site) -> None:
    site.replies["/pscheduler/status"] = vector("collectors/pscheduler.json")


BI = "/check_mk/api/1.0/domain-types/bi_aggregation/actions/aggregation_state/invoke"
CHECKED = "/check_mk/api/1.0/objects/host/etf/actions/show_service/invoke"


def _checkmk(site: Site) -> None:
    states = {"state": 0, "hosts": [], "acknowledged": False, "in_downtime": False, "infos": []}
    site.replies[BI] = {"aggregations": {"SAND": states}, "missing_sites": [], "missing_aggr": []}
    site.replies[CHECKED] = {"extensions": {"state": 0, "last_check": int(time.time()) - 60}}


def _url(path: str = "", **more: Any) -> Callable[[Site], dict[str, Any]]:
    return lambda site: {"url": f"{site.url}{path}", **more}


GOOD: dict[str, Good] = {
    "es-health": Good(_url(), _es, ("/_cluster/health",)),
    "es-freshness": Good(_url(index="ps_owd"), _es, ("/ps_owd/_search",)),
    "es-count-ratio": Good(_url(index="ps_owd"), _es, ("/ps_owd/_search",)),
    "grafana": Good(
        _url(datasources=["es"]), _grafana, ("/api/health", "/api/datasources/uid/es/health")
    ),
    "pwa": Good(_url(), _pwa, ("/pub/health", "/pub/config", "/pub/config/wlcg")),
    "pscheduler": Good(_url("/pscheduler"), _pscheduler, ("/pscheduler/status",), NOON + 5),
    "maddash": Good(_url(), _maddash, ("/grids", "/grids/Loss")),
    "rsv": Good(_url(), _rsv, ("/index.json",)),
    "collector-metrics": Good(_url("/metrics"), _metrics, ("/metrics",)),
    "checkmk-bi": Good(_url(alive_host="etf", alive_service="Check_MK"), _checkmk, (BI, CHECKED)),
}
