"""`psops bundle`: what it prints, in which format, and with which exit code."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from psops import paths
from psops.__main__ import run
from psops.catalogue import Catalogue
from psops.catalogue.file import PACKAGED
from psops.environment import Environment
from psops.exits import Exit

OURS = Catalogue.load([])


@pytest.fixture(autouse=True)
def site(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Give the directory of the user's files, and let no others be read."""
    place = tmp_path / "psops/bundles.d"
    place.mkdir(parents=True)
    monkeypatch.setattr(paths, "SYSTEM", tmp_path / "etc")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setattr("signal.signal", lambda number, handler: None)
    return place


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Any:
    def say(line: str) -> tuple[int, str, str]:
        code = run(["bundle", *line.split()])
        out, err = capsys.readouterr()
        return code, out, err

    return say


def test_list_has_a_line_for_each_bundle(say: Any) -> None:
    code, out, err = say("list")
    assert (code, err) == (Exit.OK, "")
    head, *lines = out.splitlines()
    assert head.split() == ["BUNDLE", "SYSTEM", "DAEMONS", "ALSO", "TITLE"]
    assert [line.split()[0] for line in lines[: len(OURS.bundles)]] == list(OURS.bundles)
    assert lines[-1] == "15 bundles, 20 components of sand, from 5 files"


def test_list_of_a_system_has_its_components(say: Any) -> None:
    _, out, _ = say("list --system sand")
    assert out.startswith("COMPONENT ")
    assert "\nrabbitmq " in out
    assert out.endswith("\n\n20 components of sand, from 5 files\n")
    _, out, _ = say("list --system panda")
    assert [line.split()[0] for line in out.splitlines()[1:2]] == ["panda-server"]
    assert out.endswith("\n\n1 bundle, from 5 files\n")


def test_number_in_the_list_is_that_of_the_newest_version(say: Any) -> None:
    _, out, _ = say("list --system rucio")
    (line,) = [line for line in out.splitlines() if line.startswith("rucio-daemons")]
    assert line.split()[2] == "32"


def test_list_as_json(say: Any) -> None:
    code, out, _ = say("list --json")
    document = json.loads(out)
    assert (code, document["command"], document["status"]) == (0, "bundle", "ok")
    bundles = {bundle["name"]: bundle for bundle in document["bundles"]}
    assert list(bundles) == list(OURS.bundles)
    assert bundles["core"]["includes"] == ["testpoint", "archive"]
    assert "postgresql" in bundles["toolkit"]["daemons"]
    assert bundles["tools"]["sources"] == [str(PACKAGED / "perfsonar.toml")]
    assert [part["name"] for part in document["components"]] == list(OURS.components)
    _, lines, _ = say("list --format jsonl --system perfsonar")
    assert [json.loads(line)["system"] for line in lines.splitlines()] == ["perfsonar"] * 10


def test_show_has_the_daemons_of_an_os_and_a_version(say: Any) -> None:
    code, out, err = say("show testpoint --os deb --version 5.1.4")
    assert (code, err) == (Exit.OK, "")
    lines = {line.split()[0]: line for line in out.splitlines() if line}
    assert lines["testpoint,"].endswith("Tests on request and on schedule, results sent elsewhere")
    assert lines["includes"] == "includes tools"
    assert " apache2.service " in lines["web"]
    assert " postgresql.service + postgresql@*.service " in lines["postgresql"]
    assert " exited + running " in lines["postgresql"]
    assert " perfsonar-host-exporter.service " in lines["perfsonar-host-exporter"]
    assert " chronyd.service or 6 more " in lines["time"]
    assert " optional " in lines["firewalld"]
    assert "node_exporter: perfSONAR's unit has an underscore" in out


def test_show_of_the_newest_version(say: Any) -> None:
    _, out, _ = say("show perfsonar-testpoint")
    lines = {line.split()[0]: line for line in out.splitlines() if line}
    assert " httpd.service | apache2.service " in lines["web"]
    assert " in web " in lines["perfsonar-host-exporter"]
    assert lines["pscheduler-api"].split()[1] == "https://localhost/pscheduler/api"


def test_show_as_json_has_everything(say: Any) -> None:
    _, out, _ = say("show testpoint --os deb --version 5.2.4 --format json")
    document = json.loads(out)
    assert document["bundle"]["os"] == "deb"
    assert document["bundle"]["version"] == "5.2.4"
    daemons = {daemon["name"]: daemon for daemon in document["daemons"]}
    assert daemons["postgresql"]["needs"][1] == {
        "units": ["postgresql@*.service"], "rule": "any", "healthy": ["running"],
    }  # fmt: skip
    assert daemons["firewalld"]["severity"] == "optional"
    assert daemons["owamp-server"]["bundle"] == "tools"
    assert daemons["pscheduler-ticker"]["part_of"] == ["postgresql.service"]
    assert daemons["pscheduler-ticker"]["checks"][0]["json"][1] == {
        "path": "services.ticker.overdue", "op": "is", "value": "null",
    }  # fmt: skip
    assert daemons["postgresql"]["hints"][0]["on"] == ["failed"]
    assert document["checks"][0]["name"] == "pscheduler-api"
    _, lines, _ = say("show testpoint --format jsonl")
    assert len(lines.splitlines()) == len(daemons) + len(document["checks"])


def test_show_of_a_daemon_tells_all_there_is(say: Any) -> None:
    code, out, _ = say("show --daemon psid")
    assert code == Exit.OK
    for part in (
        "  purpose: runs and supervises",
        "    needs: psid.service | parastation.service (running)",
        "conflicts: units slurmd.service; why psid",
        "           psid-network: udp:886",
        "    hints: failed: the reason is only in the log",
        f"sources: {PACKAGED / 'parastation.toml'}",
    ):
        assert part.strip() in out
    _, out, _ = say("show --daemon httpd --os el")
    assert "needs: httpd.service (running)" in out
    assert "variants" not in out
    _, out, _ = say("show --daemon elmond --json")
    (daemon,) = json.loads(out)["daemons"]
    assert (daemon["fate"], daemon["variants"][0]["when"]["until"]) == ("moved", "5.2.0")


def test_show_of_a_component_tells_its_gap(say: Any) -> None:
    _, out, _ = say("show --component rabbitmq")
    assert "         gap: nothing tells of too few messages" in out
    _, out, _ = say("show --component rabbitmq --json")
    assert json.loads(out)["components"][0]["role"] == "bus"


@pytest.mark.parametrize("family", ["el", "deb", None])
@pytest.mark.parametrize("name", [*OURS.bundles])
def test_every_bundle_can_be_shown(name: str, family: str | None, say: Any) -> None:
    option = f" --os {family}" if family else ""
    for form in ("table", "json", "jsonl"):
        code, out, err = say(f"show {name}{option} --format {form}")
        assert (code, err) == (Exit.OK, "")
        assert out.isascii()


@pytest.mark.parametrize("name", [*OURS.daemons])
def test_every_daemon_can_be_shown(name: str, say: Any) -> None:
    assert say(f"show --daemon {name}")[1].startswith(f"{name}\n")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("show testpiont", "no bundle 'testpiont'; did you mean 'testpoint'?"),
        ("show sand", "'sand' is a system, not a bundle"),
        ("show --daemon opensaerch", "no daemon 'opensaerch'; did you mean 'opensearch'?"),
        ("show --component pwb", "no component 'pwb'; did you mean 'pwa'?"),
        ("show", "name one bundle, --daemon or --component"),
        ("show core --daemon web", "name one bundle, --daemon or --component"),
        ("show core --os rhel", "--os takes deb or el, not 'rhel'"),
        ("show core --version five", "--version: 'five' is not a version such as 5.2.4"),
        ("list --system pandas", "no system 'pandas'; did you mean 'panda'?"),
        ("list --system x", "no system 'x'; known are panda, parastation, perfsonar, rucio, sand"),
        ("list --format jsno", "no format 'jsno'; did you mean 'json'?"),
    ],
)
def test_wrong_usage(line: str, message: str, say: Any) -> None:
    code, out, err = say(line)
    assert (code, out) == (Exit.USAGE, "")
    assert err.splitlines()[0] == f"psops: {message}"


def test_path_names_the_files_that_are_read(say: Any, site: Path) -> None:
    mine = site / "mine.toml"
    mine.touch()
    wanted = [*map(str, sorted(PACKAGED.glob("*.toml"))), str(mine)]
    assert say("path") == (Exit.OK, "".join(f"{path}\n" for path in wanted), "")
    _, out, _ = say("path --json")
    assert json.loads(out)["files"] == wanted


def test_lint_counts_the_files(say: Any, site: Path) -> None:
    assert say("lint") == (Exit.OK, "no mistake in 5 files\n", "")
    (site / "mine.toml").touch()
    assert say("lint") == (Exit.OK, "no mistake in 6 files\n", "")
    assert json.loads(say("lint --json")[1])["errors"] == []


def test_lint_tells_all_mistakes(say: Any, site: Path) -> None:
    mine = site / "mine.toml"
    mine.write_text('[daemons.web]\nrule = "x"\nzzzz = 1\n')
    code, out, err = say("lint")
    assert (code, err) == (Exit.CONFIG, "")
    first, second, empty, last = out.splitlines()
    assert first == f"{mine}:2: [daemons.web] key 'rule': no rule 'x'; known are one, any, all"
    assert second.startswith(f"{mine}:3: [daemons.web] key 'zzzz': unknown key; known are purpose,")
    assert (empty, last) == ("", "2 mistakes")
    code, out, _ = say("lint --json")
    document = json.loads(out)
    assert (code, document["exit"], document["status"]) == (78, 78, "error")
    assert [error["message"] for error in document["errors"]] == [first, second]
    _, lines, _ = say("lint --format jsonl")
    assert [json.loads(line)["message"] for line in lines.splitlines()] == [first, second]


def test_lint_of_files_leaves_those_of_the_host_out(say: Any, site: Path, tmp_path: Path) -> None:
    (site / "mine.toml").write_text("zzzz = 1\n")
    good, bad = tmp_path / "good.toml", tmp_path / "bad.toml"
    good.write_text('[bundles.b]\ntitle = "x"\ndaemons = ["web"]\n')
    bad.write_text('[bundles.b]\ntitle = "x"\ndaemons = ["wbe"]\n')
    assert say(f"lint {good}") == (Exit.OK, "no mistake in 6 files\n", "")
    code, out, _ = say(f"lint {good} {bad}")
    assert code == Exit.CONFIG
    assert out.splitlines()[0].startswith(f"{bad}:3: [bundles.b] key 'daemons', item 1: no daemon")


def test_mistake_ends_the_other_verbs(say: Any, site: Path) -> None:
    (site / "mine.toml").write_text("zzzz = 1\nyyyy = 1\n")
    for line in ("list", "show testpoint"):
        code, out, err = say(line)
        assert (code, out) == (Exit.CONFIG, "")
        assert err.splitlines()[0].startswith(f"psops: {site}/mine.toml:1: key 'zzzz'")
        assert err.splitlines()[1].strip() == "1 more: psops bundle lint"
    assert say("path")[0] == Exit.OK


def test_names_are_completed_even_with_a_mistake(site: Path) -> None:
    from psops.cli.complete import bundles, components, daemons, systems

    (site / "mine.toml").write_text("zzzz = 1\n")
    assert {"testpoint", "perfsonar-testpoint"} <= set(bundles())
    assert "psid" in daemons()
    assert "bridge" in components()
    assert list(systems()) == ["panda", "parastation", "perfsonar", "rucio", "sand"]


@pytest.mark.parametrize("width", [50, 60, 80, 100, 132])
def test_tables_keep_to_the_width_and_names_of_units_are_whole(
    width: int, say: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def narrow(*_: object) -> Environment:
        return Environment(stdout=sys.stdout, stderr=sys.stderr, width=width)

    monkeypatch.setattr("psops.cli.app.detect", narrow)
    for line in ("list", "list --system sand", "show toolkit --os el"):
        _, out, _ = say(line)
        assert all(len(text) <= width for block in out.split("\n\n") if block.split()[0].isupper()
                   for text in block.splitlines()), line  # fmt: skip
    assert "perfsonar-lsregistrationdaemon.service" in out
