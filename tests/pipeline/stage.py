"""All of SAND on one server: what each of its components would answer, and what goes wrong there.

Answers are the recorded and documented ones of `tests/vectors/sand`. Every address leads to the
server of the stage; what runs on hosts is run here, in directories of the stage.
"""

import copy
import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from email.utils import formatdate
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit, urlunsplit

from psops.catalogue.entry import Probe
from psops.deadline import Deadline
from psops.inventory import Host
from psops.pipeline.graph import Pipeline
from psops.probes.world import World
from psops.transport import Connection, Finished, Options, connect
from psops.transport.stream import TcpStream, open_unix
from tests.probes.data.good import grid, rsv_row
from tests.probes.data.site import LOGIN, Answering, Reply, Request, Site, gives, said, vector
from tests.probes.data.store import Store

HOUR = 3600
#: Everything that can go wrong here, each by the name that `Stage` takes.
FAULTS = ("pscheduler", "pwa", "psetf-page", "core-stopped", "etf", "publisher", "maddash",
          "maddash-page", "rsv", "alarm", "silent", "unbound", "wedged", "activemq-full",
          "activemq-silent", "stompclt", "es-red", "es-stale", "es-unl-stale", "es-unl-red",
          "archiver", "tape", "grafana")  # fmt: skip
#: What the variables of the catalogue have here.
VARIABLES = {
    "SAND_RABBITMQ": "https://rabbitmq.example.org",
    "SAND_ACTIVEMQ": "https://mq.example.org:8161",
    "SAND_ES_UC": "https://es-uc.example.org:9200",
    "SAND_TOOLKIT_PSCHEDULER": "https://ps.example.org/pscheduler",
    "SAND_GRACC_FRONTEND": "gracc-fe.example.org",
    **{f"SAND_{name}_{what}": "x" for name in ("RABBITMQ", "ACTIVEMQ", "ES_UC")
       for what in ("USER", "PASSWORD")},
}  # fmt: skip
_RAW = ("packet-loss-rate", "packet-trace", "packet-retransmits", "throughput", "histogram-owdelay")
_TOPICS = (*(f"perfsonar.raw.{name}" for name in _RAW),
           "perfsonar.summary.meta", "perfsonar.summary.status")  # fmt: skip


class Stage(Answering):
    """What every address of the pipeline answers, with some faults."""

    def __init__(self, *faults: str) -> None:
        assert set(faults) <= set(FAULTS)
        self._faults = faults
        self._looks: dict[str, int] = {}

    def has(self, *faults: str) -> bool:
        return any(fault in self._faults for fault in faults)

    def reply(self, request: Request) -> Reply:
        host = request.headers["host"].partition(":")[0]
        path, _, query = request.path.partition("?")
        path = path if "/jolokia/" in path else unquote(path)
        found = {
            "ps.example.org": self._pscheduler,
            "psconfig.opensciencegrid.org": self._pwa,
            "psetf.opensciencegrid.org": self._psetf,
            "psmad.opensciencegrid.org": self._maddash,
            "psrsv.opensciencegrid.org": self._rsv,
            "rabbitmq.example.org": self._rabbitmq,
            "mq.example.org": self._activemq,
            "es-uc.example.org": self._es_uc,
            "gracc.opensciencegrid.org": self._es_unl,
            "monit-grafana-open.cern.ch": self._grafana,
        }[host](path, parse_qs(query), request)
        return gives(found) if isinstance(found, dict | list) else found

    def container(self, request: Request) -> Reply:
        """Return what the engine says of a container."""
        name = request.path.split("/")[2]
        fault = {"ps_etf": "etf", "rmq": "publisher", "stompclt": "stompclt"}[name]
        found = vector("containers/docker.json")["gone" if self.has(fault) else "ps_etf"]
        body = {**found["body"], "Name": f"/{name}"}
        return gives(body, f"{found['status']} X", "Date: Sat, 21 Nov 2026 12:00:00 GMT")

    def _pscheduler(self, path: str, query: Any, request: Request) -> Any:
        assert path == "/pscheduler/status"
        found = vector("collectors/pscheduler.json")
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(time.time() - 5))
        found["time"] = found["runs"]["last-finished"] = stamp
        for daemon in found["services"].values():
            daemon["last"] = stamp
        found["services"]["runner"]["overdue"] = "PT9M" if self.has("pscheduler") else None
        return found

    def _pwa(self, path: str, query: Any, request: Request) -> Any:
        here = "http://psconfig.opensciencegrid.org/pub/config/osg"
        return {
            "/pub/health": {"status": "failed", "msg": "db status ok"},
            "/pub/config": [] if self.has("pwa") else [{"include": [here]}],
            "/pub/config/osg": {"tasks": {"t": {}}},
        }[path]

    def _psetf(self, path: str, query: Any, request: Request) -> Any:
        if path == "/etf/check_mk/":
            page = LOGIN if self.has("psetf-page") else b"<html>Check_MK</html>"
            return said("200 OK", page)
        if query["view_name"] == ["aggr_all"]:
            return [["aggr_name", "aggr_state_num"], ["SAND", "0"]]
        age = "3 d" if self.has("core-stopped") else "20 s"
        return [["service_description", "svc_check_age"], ["Check_MK", age]]

    def _maddash(self, path: str, query: Any, request: Request) -> Any:
        if path == "/maddash-webui/index.cgi":
            if self.has("maddash-page"):
                return said("500 Internal Server Error", b"perl: not found")
            return said("200 OK", b"<html>MaDDash</html>")
        unknown = [[[{"status": 4, "prevCheckTime": time.time()}]]]
        return {
            "/maddash/grids": {"grids": [{"name": "Loss"}]},
            "/maddash/grids/Loss": grid(grid=unknown) if self.has("maddash") else grid(),
        }[path]

    def _rsv(self, path: str, query: Any, request: Request) -> Any:
        if path != "/rsv/index.json":
            return said("404 Not Found", b"")
        bad = 7 if self.has("rsv") else 1
        rows = [rsv_row(at, "CRITICAL" if at < bad else "OK") for at in range(10)]
        modified = f"Last-Modified: {formatdate(time.time() - 60, usegmt=True)}"
        return gives({"alerts": [], "rows": rows}, "200 OK", modified)

    def _rabbitmq(self, path: str, query: Any, request: Request) -> Any:
        parts = path.split("/")[2:]
        if parts[:2] == ["health", "checks"]:
            if self.has("alarm") and parts[2] == "alarms":
                return gives(vector("buses/rabbitmq-alarms.json")["body"], "503 X")
            return {"status": "ok"}
        if parts == ["nodes"]:
            return vector("buses/rabbitmq-nodes.json")["body"]
        assert parts[1] == "osg-nma"
        if parts[0] == "queues":
            return self._queue(parts[2])
        if parts[3:] == ["bindings", "source"]:
            return self._bindings(parts[2])
        found = vector("buses/rabbitmq-exchange.json")["body"]
        found["message_stats"]["publish_in"] += 0 if self.has("silent") else self._count(path)
        return found

    def _bindings(self, exchange: str) -> Any:
        if exchange == "osg.ps.raw":
            to = "elsewhere" if self.has("unbound") else "amq.topic"
            return [{"destination": to, "destination_type": "exchange", "routing_key": "#"}]
        topics = _TOPICS[:2] if self.has("unbound") else _TOPICS
        like = vector("buses/rabbitmq-bindings.json")["body"][0]
        return [
            {**like, "destination": f"{site}-{topic}", "routing_key": topic}
            for topic in topics
            for site in ("uc", "unl")
        ]

    def _queue(self, name: str) -> Any:
        found = vector("buses/rabbitmq-queue.json")["body"]
        more = 0 if self.has("silent") else self._count(name)
        stats = found["message_stats"]
        stats["publish"] += more
        if self.has("wedged"):
            found["messages_ready"] = 100 + more
            found["messages_unacknowledged"] = 1024
        else:
            stats["ack"] += more
        if self.has("silent"):
            found["idle_since"] = "2026-11-01 00:00:00"
        return {**found, "name": name}

    def _activemq(self, path: str, query: Any, request: Request) -> Any:
        assert "origin" in request.headers
        bean = unquote(path)
        if "endpoint=Consumer" in bean:
            return vector("buses/activemq-absent.json")["body"]
        if "service=Health" in bean:
            kind = "health"
        else:
            kind = "topic" if "destinationName=" in bean else "broker"
        found = copy.deepcopy(vector(f"buses/activemq-{kind}.json")["body"])
        value = found["value"]
        if kind == "broker" and self.has("activemq-full"):
            value["MemoryPercentUsage"] = 97
        if kind == "topic":
            moves = not self.has("activemq-silent", "silent", "stompclt")
            more = self._count(bean) if moves else 0
            for key in ("EnqueueCount", "DispatchCount", "DequeueCount"):
                value[key] += more
        name = urlsplit(bean).path.partition("/read/")[2].partition("/")[0]
        return {**found, "value": {name: value} if "*" in name else value}

    def _es_uc(self, path: str, query: Any, request: Request) -> Any:
        stale = self.has("es-stale", "silent", "wedged", "es-red")
        return self._es(path, request, red=self.has("es-red"), stale=stale)

    def _es_unl(self, path: str, query: Any, request: Request) -> Any:
        path = path.removeprefix("/q")
        stale = self.has("es-unl-stale", "silent")
        return self._es(path, request, red=self.has("es-unl-red"), stale=stale)

    def _es(self, path: str, request: Request, *, red: bool, stale: bool) -> Any:
        if path == "/_cluster/health":
            return vector("stores/health.json") | ({"status": "red"} if red else {})
        ages = range(40 * HOUR if stale else 0, 100 * HOUR, 240)
        return Store([round((time.time() - age) * 1000) for age in ages]).reply(request)

    def _grafana(self, path: str, query: Any, request: Request) -> Any:
        assert path == "/api/health"
        return {"database": "failing" if self.has("grafana") else "ok"}

    def _count(self, key: str) -> int:
        """Return a counter that goes on by 120 with each look."""
        self._looks[key] = self._looks.get(key, 0) + 120
        return self._looks[key]


class Here:
    """A connection to the stage, whatever is wanted from it."""

    def __init__(self, site: Site, socket: Path) -> None:
        self._site = site
        self._socket = socket
        self._local: Connection = connect(Host(name="here", transport="local"), Options())

    def __getattr__(self, name: str) -> Any:
        return getattr(self._local, name)

    def open_tcp(self, host: str, port: int, deadline: Deadline) -> Any:
        return self._local.open_tcp("127.0.0.1", self._site.port, deadline)

    def open_unix(self, path: str, deadline: Deadline) -> TcpStream:
        return open_unix(str(self._socket), deadline)

    def run(self, argv: tuple[str, ...], deadline: Deadline) -> Finished:
        if argv[0] == "getent":
            return Finished(0, b"127.0.0.1 STREAM netmon-mb.cern.ch\n", b"")
        return self._local.run(argv, deadline)


class Hurried(World):
    """A world in which a window passes at once, for each thread by itself."""

    _passed = threading.local()

    def wait(self) -> None:
        self._passed.seconds = getattr(self._passed, "seconds", 0.0) + self.window

    def monotonic(self) -> float:
        return super().monotonic() + getattr(self._passed, "seconds", 0.0)


def staged(pipeline: Pipeline, place: Path, stage: Stage) -> Pipeline:
    """Return the pipeline with its files in a directory, without TLS and certificates.

    Left out are units and ports of real hosts, for there are none here.
    """
    for name in ("output", "sandbox"):
        (place / name).mkdir()
    if not stage.has("archiver"):
        (place / "sandbox/gracc-2026-11-21.tar.gz").write_text("x")
    (place / "output/gracc-2026-11-20.tar.gz").touch()
    (place / "log").write_text("Error: Failed checksum comparison\n" if stage.has("tape") else "")
    components = {
        name: replace(one, checks=tuple(
            _staged(probe, place) for probe in one.checks if probe.kind not in ("units", "tls")
        ))
        for name, one in pipeline.components.items()
    }  # fmt: skip
    return replace(pipeline, components=components)


def _staged(probe: Probe, place: Path) -> Probe:
    filled = World(lambda name: _none(), environment=VARIABLES).fill_in(probe)
    settings = _plain(filled.settings)
    if probe.kind == "files":
        settings["folder"] = str(place / "sandbox")
    if probe.kind == "tape-copy":
        settings |= {"output": str(place / "output"), "log": str(place / "log")}
    return replace(filled, settings=settings)


def _plain(settings: Mapping[str, Any]) -> dict[str, Any]:
    found = dict(settings)
    for key, value in settings.items():
        if isinstance(value, str) and value.startswith("https://"):
            found[key] = urlunsplit(urlsplit(value)._replace(scheme="http"))
        if isinstance(value, Mapping):
            found[key] = _plain(value)
    return found | {"client_cert": "", "client_key": ""} if "client_cert" in found else found


def _none() -> Connection:
    raise AssertionError("nothing is asked here")
