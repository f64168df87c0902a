"""What may be set for the probes of buses, and what is said of a mistake."""

from pathlib import Path
from typing import Any

import pytest

from psops.errors import CatalogueError
from psops.probes.keys_bus import BUS
from tests.pipeline.describe import load
from tests.probes.bus.asking import text_of

URL = {"url": "http://bus.example"}
RABBIT = {"bus": "rabbitmq", "queue": "q", **URL}
ACTIVE = {"bus": "activemq", "topic": "t", **URL}
QUEUE = {"kind": "rabbitmq-queue", "queue": "q", **URL}
STOMP = {"kind": "stomp-statistics", "topic": "t"}
MISTAKES: dict[str, tuple[dict[str, Any], str]] = {
    "no-url": ({"kind": "rabbitmq-queue", "queue": "q"}, "needs the key 'url'"),
    "near-key": ({**QUEUE, "max_dept": 3}, "did you mean 'max_depth'"),
    "half-a-message": ({**QUEUE, "max_depth": 1.5}, "max_depth"),
    "negative-floor": ({**QUEUE, "min_rate": -1}, "must be a number from 0 on"),
    "flag-for-number": ({**QUEUE, "min_rate": True}, "must be a number from 0 on"),
    "no-time": ({**QUEUE, "max_age": 0}, "seconds from above 0"),
    "secret-itself": ({**QUEUE, "secret": "geheim"}, "never the secret itself"),
    "secret-in-url": ({**QUEUE, "url": "http://me:geheim@bus.example"}, "use the keys 'user'"),
    "check-of-health": ({"kind": "rabbitmq-health", "health": ["alarm"], **URL}, "alarms"),
    "no-exchange": ({"kind": "rabbitmq-rate", **URL}, "needs the key 'exchange'"),
    "binding-without-end": (
        {"kind": "rabbitmq-bindings", "exchange": "x", "bindings": [{"key": "k"}], **URL}, "'to'",
    ),
    "full-over-100": ({"kind": "activemq-broker", "max_store": 101, **URL}, "max_store"),
    "nodes": ({"kind": "activemq-broker", "nodes": "a b", **URL}, "is not the name of a host"),
    "stomp-by-http": ({**STOMP, **URL}, "stomp+ssl://bus.example.org:61614"),
    "stomp-with-login": ({**STOMP, "url": "stomp://me:geheim@bus.example"}, "use the keys 'user'"),
    "stomp-by": ({**STOMP, "url": "stomp://bus.example", "by": "guess"}, "count"),
    "one-side": ({"kind": "bridge", "from": RABBIT}, "needs the key 'to'"),
    "no-table": ({"kind": "bridge", "from": "q", "to": ACTIVE}, "must be a table"),
    "no-bus": ({"kind": "bridge", "from": {"queue": "q", **URL}, "to": ACTIVE}, "the key 'bus'"),
    "other-bus": ({"kind": "bridge", "from": {**RABBIT, "bus": "kafka"}, "to": ACTIVE}, "kafka"),
    "key-of-a-side": (
        {"kind": "bridge", "from": {**RABBIT, "topik": "t"}, "to": ACTIVE}, "mean 'topic'",
    ),
    "url-of-a-side": (
        {"kind": "bridge", "from": {"bus": "rabbitmq", "queue": "q"}, "to": ACTIVE}, "'url'",
    ),
    "ratio": ({"kind": "bridge", "from": RABBIT, "to": ACTIVE, "min_ratio": 2}, "share from 0"),
}  # fmt: skip


@pytest.mark.parametrize("name", MISTAKES)
def test_mistake_is_told_with_its_place(name: str, tmp_path: Path) -> None:
    given, text = MISTAKES[name]
    with pytest.raises(CatalogueError) as caught:
        load(text_of({"bus": {"it": given}}, {}), tmp_path)
    assert text in str(caught.value)
    assert f"{tmp_path}/pipeline.toml:" in str(caught.value)
    assert "geheim" not in str(caught.value)


def test_every_key_has_a_default_that_its_reader_takes() -> None:
    for kind, keys in BUS.items():
        for name, key in keys.items():
            assert (key.default is None) or not key.needed, (kind, name)
            if key.default not in (None, "", ()):
                value = list(key.default) if isinstance(key.default, tuple) else key.default
                assert key.reader(value) == key.default, (kind, name)


def test_sides_of_a_bridge_have_their_defaults(tmp_path: Path) -> None:
    probe = {"kind": "bridge", "from": RABBIT, "to": ACTIVE}
    found = load(text_of({"bus": {"it": probe}}, {}), tmp_path).components["bus"].checks[0]
    assert found.settings["from"]["vhost"] == "/"
    assert found.settings["from"]["stats_interval"] == 5.0
    assert found.settings["to"]["origin"] == "http://localhost"
