"""Asks probes as `psops pipeline verify` does, with the settings that a file would have."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import tomli_w

from psops.catalogue import Catalogue
from psops.checks.codes import CODES as CHECK_CODES
from psops.cli.target import LOCAL
from psops.deadline import Deadline
from psops.pipeline import ask as asking
from psops.pipeline.ask import Result
from psops.pipeline.graph import pipeline_of
from psops.probes.codes import CODES
from psops.probes.world import World
from psops.transport import Connection, Options, connect
from tests.probes.bus import brokers

Probes = Mapping[str, Mapping[str, Any]]
#: Recorded answers of real buses.
VECTORS = Path(__file__).parents[2] / "vectors/sand/bus"
#: A window in which the counters of the brokers here move at least twice.
WINDOW = 2.3
SECRETS = {"PSOPS_TEST_SECRET": brokers.PASSWORD, "PSOPS_TEST_WRONG": "wrong",
           "PSOPS_TEST_GUEST": "guest"}  # fmt: skip
LOGIN = {"user": brokers.WATCHER, "secret": "env:PSOPS_TEST_SECRET"}


def dial(name: str) -> Connection:
    """Return this machine."""
    return connect(LOCAL, Options())


def ask(
    place: Path,
    probes: Probes,
    *,
    window: float = WINDOW,
    sleep: Callable[[float], None] = time.sleep,
    dial: Callable[[str], Connection] = dial,
) -> dict[str, Result]:
    """Return what each probe found, asides by `NAME/CODE`; all are asked at once."""
    path = place / "asked.toml"
    path.write_text(text_of({"bus": probes}, {}))
    pipeline = pipeline_of(Catalogue.load([path]), None)
    world = World(dial, window=window, environment=SECRETS, sleep=sleep)
    found = asking.ask(pipeline, tuple(pipeline.components), world, Deadline(60))
    assert not {one.code for one in found} - {*CODES, *CHECK_CODES}, "a reason nobody explains"
    return {one.name: one for one in found}


def text_of(checks: Mapping[str, Probes], inputs: Mapping[str, list[str]]) -> str:
    """Return the file of a pipeline, from the checks of each component and what feeds it."""
    components = {}
    for name, probes in checks.items():
        components[name] = {
            "role": "bus",
            "organisation": f"org {name}",
            "purpose": "moves messages",
            "inputs": inputs.get(name, []),
            "outputs": [other for other, sources in inputs.items() if name in sources],
            "checks": {probe: dict(given) for probe, given in probes.items()},
        }
    return tomli_w.dumps({"system": "test", "components": components})
