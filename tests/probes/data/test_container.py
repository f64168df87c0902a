"""Containers: recorded answers of Docker and Podman, and a real engine behind SSH."""

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.command import psops
from tests.lab import Lab
from tests.probes.data.conftest import Dialling
from tests.probes.data.engine import Engine, engine, within
from tests.probes.data.site import OK, Site, ask, gives, said, serve, vector, verdict

#: Answers of Docker 20.10.24, by the name of the container.
DOCKER = vector("containers/docker.json")


@pytest.fixture
def socket(tmp_path: Path) -> Iterator[tuple[Site, str]]:
    """Give a site on a Unix socket, and the path of that."""
    path = tmp_path / "engine.sock"
    with serve(unix=path) as found:
        yield found, str(path)


def docker(
    socket: tuple[Site, str], recorded: str, name: str = "", changes: Any = None, **how: Any
) -> Any:
    """Return the answer about a container that was recorded, `changes` made to its state."""
    site, path = socket
    found = copy.deepcopy(DOCKER[recorded])
    if changes:
        found["body"]["State"].update(changes)
    name = name or recorded
    site.replies[f"/containers/{name}/json"] = gives(
        found["body"], f"{found['status']} X", f"Date: {found['date']}"
    )
    return ask("container", container=name, socket=path, **({"min_uptime": 10} | how))


@pytest.mark.parametrize(
    ("recorded", "how", "expected", "words"),
    [
        ("ps_etf", {}, OK, "'ps_etf' runs for"),
        ("ps_etf", {"min_uptime": 3600}, ("critical", "restarting"), "must be 1h"),
        ("well", {}, OK, "runs"),
        ("sick", {}, ("critical", "unhealthy"), "its health check fails"),
        ("begins", {}, ("warning", "degraded"), "has not passed yet"),
        ("gone", {}, ("critical", "not-running"), "'exited', exit code 3"),
        ("oom", {}, ("critical", "not-running"), "killed for lack of memory"),
        ("still", {}, ("critical", "not-running"), "'paused'"),
        ("new", {}, ("critical", "not-running"), "'created'"),
        # Docker calls it running while it waits to start it again.
        ("flap-restarting", {"name": "flap"}, ("critical", "restarting"), "over and over, 9"),
        ("absent", {}, ("critical", "missing-object"), "no container 'absent'"),
        # What has no container's name may still be the begin of an id.
        ("ps_etf", {"name": "8ea0"}, ("critical", "missing-object"), "no container '8ea0'"),
    ],
)
def test_container_is_judged_by_what_docker_said(
    socket: tuple[Site, str], recorded: str, how: dict[str, Any], expected: Any, words: str
) -> None:
    found = docker(socket, recorded, **how)
    assert verdict(found) == expected
    assert words in found.text


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"Running": False}, ("critical", "not-running")),
        ({"OOMKilled": True}, ("warning", "degraded")),
        ({"StartedAt": "0001-01-01T00:00:00Z"}, ("unknown", "no-data")),
        ({"StartedAt": "2030-01-01T00:00:00.123456789Z"}, ("unknown", "clock")),
        ({"StartedAt": "2026-01-01T00:00:00.1234567+02:00"}, OK),
        ({"StartedAt": None}, ("unknown", "no-data")),
        ({"Running": "true"}, ("unknown", "no-data")),
        ({"Status": None}, ("unknown", "no-data")),
        ({"Health": {"Status": "none"}}, OK),
        ({"Health": {"Status": ""}}, OK),  # so says Podman without a health check
        ({"Health": {}}, ("unknown", "no-data")),
        ({"Health": {"Status": "new"}}, ("unknown", "no-data")),
    ],
)
def test_state_that_is_not_whole_is_unknown(
    socket: tuple[Site, str], changes: dict[str, Any], expected: Any
) -> None:
    assert verdict(docker(socket, "ps_etf", changes=changes)) == expected


def test_restarts_may_be_limited(socket: tuple[Site, str]) -> None:
    site, path = socket
    found = copy.deepcopy(DOCKER["ps_etf"]["body"])
    site.default = gives(found | {"RestartCount": 9}, "200 OK", f"Date: {DOCKER['new']['date']}")
    given: dict[str, Any] = {"container": "ps_etf", "socket": path, "min_uptime": 1}
    assert verdict(ask("container", **given, most_restarts=9)) == OK
    answer = ask("container", **given, most_restarts=8)
    assert verdict(answer) == ("critical", "restarting")
    assert "was restarted 9 times, may be 8" in answer.text
    del found["RestartCount"]  # as by older releases of Podman
    site.default = gives(found, "200 OK", f"Date: {DOCKER['new']['date']}")
    assert verdict(ask("container", **given)) == OK
    assert verdict(ask("container", **given, most_restarts=8)) == ("unknown", "no-data")


def test_uptime_is_by_the_clock_of_the_engine(socket: tuple[Site, str]) -> None:
    """The answer was recorded 39.7 s after the start."""
    assert docker(socket, "ps_etf").text.endswith("runs for 39s")


def test_container_that_has_just_started_runs_for_no_time(socket: tuple[Site, str]) -> None:
    changes = {"StartedAt": "2026-11-21T08:19:47.9Z"}  # the answer is of 08:19:47
    assert verdict(docker(socket, "ps_etf", changes=changes, min_uptime=0)) == OK
    found = docker(socket, "ps_etf", changes=changes)
    assert verdict(found) == ("critical", "restarting")


@pytest.mark.parametrize("name", ["inspect", "stopped", "absent"])
def test_podman_answers_the_same(socket: tuple[Site, str], name: str) -> None:
    site, path = socket
    recorded = vector(f"containers/{name}.json")
    asked = {"inspect": "ps_etf", "stopped": "gone", "absent": "absent"}[name]
    status = "404 Not Found" if name == "absent" else "200 OK"
    site.replies[f"/containers/{asked}/json"] = gives(recorded, status)
    expected = {"inspect": "ok", "stopped": "not-running", "absent": "missing-object"}[name]
    assert ask("container", container=asked, socket=path).code == expected


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (said("403 Forbidden", b"{}"), ("unknown", "not-allowed")),
        (gives({"message": "page not found"}, "404 Not Found"), ("unknown", "status")),
        (said("404 Not Found", b"nginx"), ("unknown", "not-json")),
        (said("200 OK", b"<html>"), ("unknown", "not-json")),
        (gives([]), ("unknown", "no-data")),
        (gives({}), ("unknown", "no-data")),
        (gives({"State": {"Status": "running", "Running": True}}), ("unknown", "no-data")),
        (lambda sock: sock.sendall(b"hello\r\n"), ("unknown", "cannot-run")),
        (lambda sock: None, ("unknown", "cannot-run")),
    ],
)
def test_socket_that_gives_something_else_tells_nothing(
    socket: tuple[Site, str], reply: Any, expected: Any
) -> None:
    site, path = socket
    site.default = reply
    assert verdict(ask("container", container="rmq", socket=path)) == expected


def test_no_engine_means_not_known(tmp_path: Path) -> None:
    found = ask("container", container="rmq", socket=str(tmp_path / "none.sock"))
    assert verdict(found) == ("unknown", "cannot-run")
    assert "none.sock" in found.text
    (tmp_path / "file").touch()
    assert ask("container", container="rmq", socket=str(tmp_path / "file")).code == "cannot-run"


# A real engine, reached as the one of a real host is


@pytest.fixture(scope="module")
def real(lab: Lab) -> Iterator[tuple[Engine, Lab]]:
    """Give Podman with containers in each state, at the usual place of a lab host."""
    with engine() as found:
        found.start("ps_etf")
        found.start("gone", does="exit 3")
        found.start("flap", "--restart", "always", does="sleep 0.2; exit 1")
        found.start("sick", "--health-cmd", "exit 1", "--health-retries", "1",
                    "--health-interval", "disable")  # fmt: skip
        found.podman("healthcheck", "run", "sick", check=False)
        with found.served(within(lab.host(5), "/run/podman/podman.sock")):
            yield found, lab


@pytest.mark.lab
@pytest.mark.parametrize(
    ("name", "how", "expected", "words"),
    [
        ("ps_etf", {"min_uptime": 0}, OK, "runs for"),
        ("gone", {}, ("critical", "not-running"), "exit code 3"),
        ("flap", {}, ("critical", None), "flap"),
        ("sick", {"min_uptime": 0}, ("critical", "unhealthy"), "its health check fails"),
        ("rmq", {}, ("critical", "missing-object"), "/run/podman/podman.sock"),
        # One socket is not there, and the other one is asked.
        ("ps_etf", {"min_uptime": 3600}, ("critical", "restarting"), "must be 1h"),
    ],
)
def test_real_engine_behind_ssh(
    real: tuple[Engine, Lab],
    dialling: Dialling,
    name: str,
    how: dict[str, Any],
    expected: Any,
    words: str,
) -> None:
    _, lab = real
    found = ask("container", dial=dialling(), via=lab.host(5).name, container=name, **how)
    assert (str(found.verdict), found.code if expected[1] else None) == expected, found
    assert words in found.text


@pytest.mark.lab
@pytest.mark.parametrize("transport", ["ssh", "openssh"])
def test_real_engine_by_each_way(
    real: tuple[Engine, Lab], dialling: Dialling, transport: str
) -> None:
    _, lab = real
    dial = dialling(transport=transport)
    host = lab.host(5).name
    found = ask("container", dial=dial, via=host, container="ps_etf", min_uptime=0)
    assert verdict(found) == OK, found
    found = ask("container", dial=dial, via=host, container="ps_etf", socket="/run/none.sock")
    assert verdict(found) == ("unknown", "cannot-run")
    assert "or not for this user" in found.text


@pytest.mark.lab
def test_real_engine_by_the_program(real: tuple[Engine, Lab], tmp_path: Path) -> None:
    """One host of the inventory has an engine, one has none: that is no sign of a container."""
    _, lab = real
    path = tmp_path / "etf.toml"
    text = 'system = "etf"\n'
    for number in (5, 6):
        text += (
            f'[components.etf{number}]\nrole = "monitor"\norganisation = "o"\npurpose = "p"\n'
            f'[components.etf{number}.checks.etf]\nkind = "container"\ncontainer = "ps_etf"\n'
            f'min_uptime = 0\nvia = "{lab.host(number).name}"\n'
        )
    path.write_text(text)
    run = psops("pipeline", "verify", "-f", str(path), "--system", "etf", "-i", str(lab.inventory),
                "--json", home=tmp_path)  # fmt: skip
    assert run.exit == 1, run
    found = {one["host"]: one["findings"][0] for one in run.document["hosts"]}
    assert (found["etf5"]["verdict"], found["etf5"]["code"]) == OK
    assert (found["etf6"]["verdict"], found["etf6"]["code"]) == ("unknown", "cannot-run")
    assert json.dumps(run.document).isascii()
