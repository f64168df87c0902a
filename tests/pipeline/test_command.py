"""`psops pipeline`: what its commands print, how they exit, and how long all probes take."""

import json
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from psops.__main__ import run
from psops.catalogue.entry import Probe
from psops.exits import Exit
from psops.probes import Unanswered
from psops.probes.keys_common import given, url
from psops.probes.world import World
from tests.checks.servers import Served, serve
from tests.pipeline.describe import text_of
from tests.ports import free_port

FLOW = "source>bus bus>store store>view"


@pytest.fixture(autouse=True)
def _place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv("PSOPS_INVENTORY", raising=False)
    monkeypatch.setattr("signal.signal", lambda number, handler: None)


@pytest.fixture
def server() -> Iterator[Served]:
    with serve() as served:
        yield served


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Any:
    def say(*words: object) -> tuple[int, str, str]:
        code = run(["pipeline", *map(str, words)])
        out, err = capsys.readouterr()
        assert "Traceback" not in err
        return code, out, err

    return say


def page(url: str, more: str = "") -> str:
    return f'[front]\nkind = "page"\nurl = "{url}"\n{more}'


@pytest.fixture
def described(tmp_path: Path, server: Served) -> Path:
    base = f"http://127.0.0.1:{server.port}"
    path = tmp_path / "mine.toml"
    path.write_text(
        text_of(FLOW, {
            "source": page(f"{base}/fine"),
            "bus": page(f"http://127.0.0.1:{free_port()}/"),
            "store": page(f"{base}/page"),
        }, system="mine")
    )  # fmt: skip
    return path


def test_verify_leads_with_the_cause(say: Any, described: Path) -> None:
    code, out, _ = say("verify", "-f", described)
    assert code == Exit.SOME_FAILED
    lines = out.splitlines()
    assert lines[0] == "✗ bus  run by org bus"
    assert "connection refused" in lines[1]
    assert "? store front:" in out  # a page to log in tells nothing
    assert "not checked: view" in out
    assert "1 cause; 4 components: 1 critical, 1 unknown, 1 ok, 1 not checked" in out
    assert "\x1b" not in out


def test_verify_of_one_component(say: Any, described: Path) -> None:
    code, out, _ = say("verify", "-f", described, "source")
    assert code == Exit.OK
    assert "refused" not in out
    code, _, err = say("verify", "-f", described, "sorce")
    assert code == Exit.USAGE
    assert "did you mean 'source'" in err


def test_window_that_leaves_no_time_for_a_second_look_is_refused(
    say: Any, described: Path, tmp_path: Path
) -> None:
    counted = tmp_path / "counted.toml"
    rate = '[rate]\nkind = "rabbitmq-rate"\nurl = "http://127.0.0.1:9"\nexchange = "x"\n'
    counted.write_text(text_of(FLOW, {"bus": rate}))
    for words in (("--timeout", 12), ("--timeout", 5), ("--window", 60), ("--window", 90)):
        for verb in (("verify",), ("graph", "--verify")):
            code, out, err = say(*verb, "-f", counted, *words)
            assert (code, out) == (Exit.USAGE, ""), words
            assert "no time for a second look" in err
            assert "a longer --timeout or a shorter --window" in err
    # Nobody looks twice there.
    assert say("verify", "-f", described, "source", "--timeout", 5)[0] == Exit.OK


def test_verify_has_the_formats_of_bundle_verify(say: Any, described: Path) -> None:
    code, out, _ = say("verify", "-f", described, "--json")
    document = json.loads(out)
    assert code == Exit.SOME_FAILED
    assert [one["component"] for one in document["causes"]] == ["bus"]
    assert document["causes"][0]["organisation"] == "org bus"
    assert document["not_checked"] == ["view"]
    suites = ElementTree.fromstring(say("verify", "-f", described, "--format", "junit")[1])
    assert suites.get("name") == "psops pipeline verify"
    assert (suites.get("failures"), suites.get("errors")) == ("1", "1")
    code, out, _ = say("verify", "-f", described, "--format", "nagios")
    assert code == 2
    line = out.splitlines()[0]
    assert line.startswith("PSOPS CRITICAL - ")
    assert "; 1 of 3 components ok | components_ok=1;;;0;3 " in line
    assert "host" not in out
    out = say("verify", "-f", described, "--format", "markdown")[1]
    assert "\n3 components: 1 critical, 1 unknown, 1 ok; " in out
    assert "\n| Components | Number | " in out
    assert "host" not in out.lower().replace("127.0.0.1", "")
    for form in ("prometheus", "checkmk", "tap", "markdown", "html", "jsonl"):
        assert "bus" in say("verify", "-f", described, "--format", form)[1]


def test_graph_can_be_marked_by_a_verification(say: Any, described: Path, tmp_path: Path) -> None:
    assert "✗ bus" in say("graph", "-f", described, "--verify")[1]
    target = tmp_path / "graph.svg"
    code, out, _ = say("graph", "-f", described, "--verify", "--as", "svg", "-o", target)
    assert (code, out) == (Exit.OK, "")
    assert "bus, critical" in target.read_text()
    assert say("graph", "-f", described)[1].startswith("source  bus, org source\n└─ bus")


def test_list_show_and_lint(say: Any, described: Path) -> None:
    assert "4 components of mine, 3 edges; 3 with checks" in say("list", "-f", described)[1]
    assert len(json.loads(say("list", "-f", described, "--json")[1])["components"]) == 4
    shown = say("show", "-f", described, "bus")[1]
    assert "front (page)\n    url = http://127.0.0.1:" in shown
    assert "status = 200" in shown  # a limit that is as usual is told, too
    assert "tls_days" not in shown
    assert json.loads(say("show", "-f", described, "bus", "--json")[1])["command"] == "pipeline"
    shown = say("show", "bridge", "--system", "sand")[1]
    assert "container (container, via etf-60.cern.ch): it runs" in shown
    assert "    from.bus = rabbitmq\n    from.url = env:SAND_RABBITMQ\n" in shown
    shown = say("show", "rabbitmq", "--system", "sand")[1]
    assert "bindings = to amq.topic type exchange" in shown
    assert "topology (rabbitmq-bindings, recommended)" in shown
    assert "20 components of sand" in say("list", "--system", "sand")[1]
    code, out, _ = say("lint", "-f", described)
    assert code == Exit.OK
    assert "view: no check" in out
    assert say("lint", "-f", described, "--strict")[0] == Exit.SOME_FAILED
    code, out, err = say("lint", "--system", "sand")
    assert (code, err) == (Exit.OK, "")
    assert out.splitlines()[-1].startswith("sand: no mistake")


def test_readme_shows_a_part_of_its_example(say: Any) -> None:
    root = Path(__file__).parents[2]
    example = (root / "tests/pipeline/data/measure.toml").read_text()
    section = (root / "README.md").read_text().partition("\n## Pipelines\n")[2]
    shown = section.partition("```toml\n")[2].partition("```")[0]
    for block in shown.strip().split("\n\n"):
        assert block in example
    told = section.partition("ask queues")[2].partition("Your own pipeline")[0]
    assert all(name in told for name in ("RabbitMQ", "Grafana", "MaDDash", "via"))


def test_mistake_in_the_file_is_told(say: Any, tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    path.write_text(text_of("a>b", {"a": page("ftp://x")}))
    for verb in ("verify", "list", "lint"):
        code, out, err = say(verb, "-f", path)
        assert code == Exit.CONFIG
        assert f"{path}:8: " in out + err
    assert say("verify", "-f", tmp_path / "none.toml")[0] == Exit.CONFIG


def test_secret_is_sent_but_never_told(
    say: Any, tmp_path: Path, server: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x.toml"
    more = 'user = "me"\nsecret = "env:PSOPS_TEST_SECRET"\n'
    path.write_text(text_of("a>b", {"a": page(f"http://127.0.0.1:{server.port}/500", more)}))
    monkeypatch.setenv("PSOPS_TEST_SECRET", "geheim")
    for form in ("table", "json", "html"):
        _, out, err = say("verify", "-f", path, "--format", form)
        assert "geheim" not in out + err
    monkeypatch.delenv("PSOPS_TEST_SECRET")
    code, out, _ = say("verify", "-f", path)
    assert code == Exit.SOME_FAILED
    assert "PSOPS_TEST_SECRET is not set" in out


def test_address_may_be_left_to_the_environment(
    say: Any, tmp_path: Path, server: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x.toml"
    path.write_text(text_of("a>b", {"a": page("env:PSOPS_TEST_URL")}))
    code, out, _ = say("verify", "-f", path)
    assert (code, "PSOPS_TEST_URL is not set (no-address)" in out) == (Exit.SOME_FAILED, True)
    assert "env:PSOPS_TEST_URL" in say("show", "-f", path, "a")[1]
    monkeypatch.setenv("PSOPS_TEST_URL", f"http://127.0.0.1:{server.port}/fine")
    assert say("verify", "-f", path)[0] == Exit.OK
    # What is there in its place may be secret, as the URL of a bus with a login in it.
    for wrong in ("amqps://me:geheim@bus.example/osg", "https://me:geheim@bus.example/"):
        monkeypatch.setenv("PSOPS_TEST_URL", wrong)
        code, out, err = say("verify", "-f", path, "--debug")
        assert (code, "no-address" in out, "geheim" in out + err) == (1, True, False)


def test_address_of_each_side_and_of_a_host_may_be_left_open() -> None:
    probe = Probe(name="x", kind="bridge", via=given(str)("env:HOST"),
                  settings={"from": {"url": given(url)("env:FROM")}, "min_ratio": 0.9})  # fmt: skip
    world = World(lambda name: pytest.fail(name), environment={"HOST": "h", "FROM": "http://f"})
    found = world.fill_in(probe)
    assert (found.via, found.settings) == ("h", {"from": {"url": "http://f"}, "min_ratio": 0.9})
    with pytest.raises(Unanswered, match="HOST is not set"):
        World(lambda name: pytest.fail(name), environment={}).fill_in(probe)


@pytest.mark.parametrize(
    ("text", "mode", "sentence"),
    [("geheim", 0o644, "chmod 600"), ("", 0o600, "is empty"), (None, 0, "no such file")],
)
def test_secret_file_must_be_kept_well(
    say: Any, tmp_path: Path, server: Served, text: str | None, mode: int, sentence: str
) -> None:
    secret = tmp_path / "secret"
    if text is not None:
        secret.write_text(text)
        secret.chmod(mode)
    path = tmp_path / "x.toml"
    url = f"http://127.0.0.1:{server.port}/fine"
    path.write_text(text_of("a>b", {"a": page(url, f'secret = "file:{secret}"\n')}))
    code, out, _ = say("verify", "-f", path)
    assert code == Exit.SOME_FAILED
    assert sentence in out
    assert server.asked == []


@pytest.mark.alone
def test_verify_takes_the_time_of_its_slowest_check(
    say: Any, tmp_path: Path, server: Served
) -> None:
    """Twenty components, each of which takes its whole time-out."""
    names = [f"c{number}" for number in range(20)]
    edges = " ".join(f"{a}>{b}" for a, b in pairwise(names))
    url = f"http://127.0.0.1:{server.port}/silent"
    path = tmp_path / "x.toml"
    path.write_text(text_of(edges, dict.fromkeys(names, "")))
    checks = {name: page(f"{url}?{name}", "timeout = 2\n") for name in names}
    path.write_text(text_of(edges, checks))
    import tests.checks.servers as servers

    for name in names:
        servers.REPLIES[f"/silent?{name}"] = servers.silent
    begin = time.monotonic()
    code, out, _ = say("verify", "-f", path)
    elapsed = time.monotonic() - begin
    assert code == Exit.SOME_FAILED
    assert "20 components: 20 critical" in out
    assert elapsed < 2 * 1.1 + 0.5  # of which half a second is for reading and printing
