"""`psops rucio verify|heartbeats` as users type them, on the demo fleet and a catalogue of ours."""

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from psops.report.verify import VERIFY_FORMATS
from tests.command import psops

HOST = "rucio01.demo"
_TABLE = """
CREATE TABLE heartbeats (readable TEXT, hostname TEXT, pid INTEGER, thread_name TEXT,
payload TEXT, created_at DATETIME, updated_at DATETIME)
"""


def listed(home: Path, *words: str) -> list[dict[str, Any]]:
    run = psops("rucio", "heartbeats", *words, "--json", home=home)
    assert run.exit == 0, run.stderr
    rows: list[dict[str, Any]] = run.document["heartbeats"]
    return rows


@pytest.fixture
def catalogue(tmp_path: Path) -> str:
    """Give a reference to a catalogue with the demo's heartbeats under another hostname."""
    rows = listed(tmp_path, "-i", "demo", "-H", HOST)
    with sqlite3.connect(tmp_path / "rucio.db") as connection:
        connection.execute(_TABLE)
        connection.executemany(
            "INSERT INTO heartbeats VALUES (?, '3f2a9c1d', ?, ?, ?, datetime('now', ?),"
            " datetime('now', ?))",
            [
                (row["name"], row["pid"], row["thread"], row["payload"], f"-{row['life_s']} second",
                 f"-{row['age_s']} second")
                for row in rows
            ],
        )  # fmt: skip
    url = tmp_path / "url"
    url.write_text(f"sqlite:///{tmp_path}/rucio.db\n")
    url.chmod(0o600)
    return f"file:{url}"


def codes(home: Path, *words: str) -> dict[str, str]:
    """Return name -> code of the findings on the host."""
    run = psops("rucio", "verify", *words, "--json", home=home)
    host = next(one for one in run.document["hosts"] if one["host"] == HOST)
    return {one["name"]: one["code"] for one in host["findings"]}


def test_the_demo_fleet_has_troubles_that_its_units_do_not_show(tmp_path: Path) -> None:
    run = psops("rucio", "verify", "-i", "demo", "-g", "rucio", "--json", home=tmp_path)
    assert run.exit == 1
    assert run.document["command"] == "rucio verify"
    found = {
        (host["host"], one["name"]): one["code"]
        for host in run.document["hosts"] for one in host["findings"] if one["verdict"] != "ok"
    }  # fmt: skip
    assert found == {
        (HOST, "undertaker"): "stale",
        ("rucio02.demo", "hermes"): "restarting",
        ("rucio02.demo", "judge-evaluator"): "threads-lost",
    }
    alone = psops("rucio", "verify", "-i", "demo", "-H", HOST, "--units-only", home=tmp_path)
    assert alone.exit == 0


@pytest.mark.parametrize("form", VERIFY_FORMATS)
def test_reports_are_those_of_bundle_verify(tmp_path: Path, form: str) -> None:
    words = ("rucio", "verify", "-i", "demo", "-g", "rucio", "--format", form)
    run = psops(*words, home=tmp_path)
    assert run.exit == (2 if form == "nagios" else 1), run.stderr
    assert "undertaker" in run.stdout


def test_a_report_is_written_to_a_file(tmp_path: Path) -> None:
    words = ("rucio", "verify", "-i", "demo", "-g", "rucio", "-o", str(tmp_path / "report"))
    run = psops(*words, home=tmp_path)
    assert (run.exit, run.stdout) == (1, "")
    assert "undertaker" in (tmp_path / "report").read_text()
    lost = psops(*words[:-1], str(tmp_path / "report/below"), home=tmp_path)
    assert (lost.exit, lost.stdout) == (2, "")
    assert "report" in lost.stderr


def test_heartbeats_are_listed_with_their_owners(tmp_path: Path) -> None:
    rows = listed(tmp_path, "-i", "demo", "-g", "rucio")
    assert set(rows[0]) == {
        "name", "daemon", "hostname", "host", "pid", "thread", "age_s", "life_s", "payload",
        "unit", "verdict", "code",
    }  # fmt: skip
    kronos = [row for row in rows if row["daemon"] == "kronos" and row["host"] == HOST]
    assert sorted(row["name"] for row in kronos) == ["kronos-dataset", "kronos-file"]
    assert {row["unit"] for row in kronos} == {"rucio-daemon@kronos.service"}
    (left,) = (row for row in rows if row["daemon"] == "conveyor-stager")
    assert (left["unit"], left["verdict"], left["code"]) == (None, None, None)
    text = psops("rucio", "heartbeats", "-i", "demo", "-g", "rucio", home=tmp_path).stdout
    assert f"{len(rows)} heartbeats of" in text
    assert "× stale" in text


def test_a_container_is_known_by_an_alias(tmp_path: Path, catalogue: str) -> None:
    """Given as an option, or as a label of the inventory."""
    words = ("-i", "demo", "-H", HOST, "--db-url", catalogue)
    without = codes(tmp_path, *words)
    assert without["reaper"] == "no-heartbeat"
    named = codes(tmp_path, *words, "--alias", f"{HOST}=3F2A9C1D")
    assert (named["reaper"], named["undertaker"]) == ("working", "stale")
    inventory = tmp_path / "inventory.toml"
    inventory.write_text(
        f'[hosts."{HOST}"]\ntransport = "demo"\nbundles = ["rucio"]\n'
        'labels = { rucio-hostname = "other, 3f2a9c1d" }\n'
    )
    labelled = codes(tmp_path, "-i", str(inventory), "-H", HOST, "--db-url", catalogue)
    assert labelled == named


def test_what_the_bundles_of_a_host_do_not_list_is_a_stray(tmp_path: Path, catalogue: str) -> None:
    inventory = tmp_path / "inventory.toml"
    inventory.write_text(
        f'[hosts."{HOST}"]\ntransport = "demo"\nbundles = ["rucio-minimal"]\n'
        'labels = { rucio-hostname = "3f2a9c1d" }\n'
    )
    found = codes(tmp_path, "-i", str(inventory), "-H", HOST, "--db-url", catalogue)
    assert (found["hermes"], found["reaper"]) == ("stray", "working")


def test_heartbeats_that_cannot_be_read_leave_daemons_unknown(tmp_path: Path) -> None:
    words = ("rucio", "verify", "-i", "demo", "-H", HOST, "--db-url", "env:URL")
    run = psops(*words, home=tmp_path, URL=f"sqlite:///{tmp_path}/absent.db")
    assert run.exit == 1
    assert "heartbeats-unread: sqlite" in run.stdout
    assert (
        "abacus-account, abacus-rse, conveyor-finisher, conveyor-poller and 13 more" in run.stdout
    )
    assert run.stdout.count("could not be read") == 1
    assert "because of heartbeats" in run.stdout
    document = psops(
        *words, "--json", home=tmp_path, URL=f"sqlite:///{tmp_path}/absent.db"
    ).document
    assert {one["verdict"] for one in document["hosts"][0]["findings"]} == {"unknown"}
    listing = psops("rucio", "heartbeats", *words[2:], home=tmp_path, URL="sqlite:////absent.db")
    assert (listing.exit, listing.stdout) == (69, "")


@pytest.mark.parametrize(
    ("words", "exit", "told"),
    [
        ([], 2, "where are the heartbeats?"),
        (["--rest", "https://rucio.example"], 2, "needs a token of the account root"),
        (["--rest", "https://rucio.example", "--token", "hunter2"], 2, "--token takes env:NAME"),
        (["--rest", "https://rucio.example", "--token", "env:ABSENT"], 78, "ABSENT is not set"),
        (["--rest", "http://rucio.example", "--token", "env:HOME"], 2, "for everybody to read"),
        (["--rest", "rucio.example", "--token", "env:HOME"], 2, "not an http or https URL"),
        (["--rest", "https://r", "--token", "env:HOME", "--ca", "/absent"], 78, "no such file"),
        (["--token", "env:HOME"], 2, "--token goes with --rest"),
        (["--ca", "x", "--db-url", "env:HOME"], 2, "--ca goes with --rest"),
        (["--rest", "https://r", "--db-url", "env:HOME"], 2, "not both"),
        (["--db-url", "postgresql://u:hunter2@h/d"], 2, "--db-url takes env:NAME"),
        (["--db-url", "env:HOME"], 2, "env:HOME has no URL of a database"),
        (["--db-schema", "x"], 2, "goes with --db-url"),
        (["--units-only", "--db-url", "env:HOME"], 2, "goes with no source"),
        (["--units-only", "--alias", "x"], 2, "--alias takes HOST=HOSTNAME"),
        (["--units-only", "--alias", "lokalhost=x"], 2, "did you mean 'localhost'"),
        (["--units-only", "--fail-on", "ok"], 2, "warning or critical, not 'ok'"),
        (["--units-only", "--format", "jnit"], 2, "did you mean 'junit'"),
    ],
    ids=lambda value: " ".join(value) or "nothing" if isinstance(value, list) else None,
)
def test_wrong_use(tmp_path: Path, words: list[str], exit: int, told: str) -> None:
    run = psops("rucio", "verify", *words, home=tmp_path)
    assert (run.exit, run.stdout) == (exit, "")
    assert told in run.stderr
    assert "hunter2" not in run.stderr


def test_formats_of_the_list(tmp_path: Path) -> None:
    run = psops("rucio", "heartbeats", "-i", "demo", "--format", "junit", home=tmp_path)
    assert (run.exit, "known are table, json" in run.stderr) == (2, True)
    document = json.loads(
        psops("rucio", "heartbeats", "--json", "--db-url", "env:ABSENT", home=tmp_path).stdout
    )
    assert document["errors"][0]["code"] == "secret"
