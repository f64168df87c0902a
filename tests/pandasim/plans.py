"""Daemons and plans for the tests of the simulation."""

import json
import re
from dataclasses import dataclass
from typing import Any

from psops.pandasim.engine import simulate
from psops.pandasim.model import DAY_MS, Log, Plan

#: The example of PanDA's guide, as in `shared/sources/panda-daemon.txt`.
GUIDE = """
    "dummy_test": {"enable": true, "period": 120, "timeout": 300},
    "add_main": {"enable": true, "period": 240, "loop": true},
    "add_sub": {"enable": true, "period": 240},
    "evpPD2P": {"enable": true, "period": 600},
    "recover_lost_files_daemon": {"enable": true, "period": 600},
    "process_workflow_files_daemon": {"enable": true, "period": 60},
    "copyArchive": {"enable": true, "period": 2400, "sync": true},
    "datasetManager": {"enable": true, "period": 2400, "sync": true},
    "proxyCache": {"module": "panda_activeusers_query", "enable": true, "period": 600},
    "pilot_streaming": {
        "module": "pilotStreaming", "enable": true, "period": 300, "sync": true},
    "worker_synchronization": {
        "module": "worker_synchronization", "enable": true, "period": 1800, "sync": true},
    "configurator": {"enable": true, "module": "configurator", "period": 200, "sync": true},
    "network_configurator": {"enable": true, "module": "configurator",
        "arguments": ["--network"], "period": 400, "sync": true},
    "schedconfig_json": {"enable": true, "module": "configurator",
        "arguments": ["--json_dump"], "period": 200, "sync": true},
    "sw_tags": {"enable": true, "module": "configurator",
        "arguments": ["--sw_tags"], "period": 200, "sync": true},
    "metric_collector": {"enable": true, "period": 300},
    "task_evaluator": {"enable": true, "period": 300}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Demon:
    """A daemon, as the reader of configurations gives them."""

    name: str
    period: int
    timeout: int
    sync: bool = False
    loop: bool = False


def daemon(
    name: str = "a", period: int = 60, timeout: int | None = None, *, sync: bool = False,
    loop: bool = False,
) -> Demon:  # fmt: skip
    """Return a daemon with PanDA's default of the timeout."""
    least = min(3 * period, period + 3600) if timeout is None else timeout
    return Demon(name=name, period=period, timeout=least, sync=sync, loop=loop)


def guide() -> list[Demon]:
    """Return the 17 daemons of the guide."""
    table: dict[str, dict[str, Any]] = json.loads("{" + re.sub(r"\n\s+", " ", GUIDE) + "}")
    return [
        daemon(name, one["period"], one.get("timeout"), sync=one.get("sync", False),
               loop=one.get("loop", False))
        for name, one in table.items()
    ]  # fmt: skip


def run(*daemons: Demon, seconds: float, **options: Any) -> Log:
    """Return the log of so many seconds."""
    return simulate(Plan(daemons=daemons, days=seconds * 1000 / DAY_MS, **options))


def starts(log: Log, at: int = 0) -> list[tuple[float, int]]:
    """Return the starts of a daemon in seconds, with their servers."""
    runs = log.runs[at]
    return [(time / 1000, server) for time, server in zip(runs.starts, runs.servers, strict=True)]


def ends(log: Log, at: int = 0) -> list[float]:
    """Return the ends of a daemon's runs in seconds."""
    return [time / 1000 for time in log.runs[at].ends]
