"""`psops doctor` and `psops config show` on machines that lack one thing or the other."""

import contextlib
import json
import socket
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.command import psops

NAMES = {"python", "d-bus", "systemd", "ssh program", "ssh configuration", "ssh agent",
         "known hosts", "inventory", "catalogue", "history", "shell"}  # fmt: skip


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / ".ssh").mkdir()
    return tmp_path


def doctor(home: Path, *words: str, **variables: str) -> dict[str, dict[str, Any]]:
    """Return the findings by name, the worst of each name; the exit code goes with them."""
    done = psops("doctor", "--json", *words, home=home, **variables)
    found: dict[str, dict[str, Any]] = {}
    for one in done.document["findings"]:
        if found.get(one["name"], {"verdict": "ok"})["verdict"] == "ok":
            found[one["name"]] = one
    verdicts = [one["verdict"] for one in done.document["findings"]]
    assert done.exit == ("critical" in verdicts)
    assert all(one["advice"] for one in found.values() if one["verdict"] != "ok")
    return found


def bus(home: Path) -> Iterator[str]:
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(home / "bus"))
        listening.listen()
        yield f"unix:path={home}/bus"


def test_doctor_looks_at_everything_and_says_what_to_do(home: Path) -> None:
    assert set(doctor(home)) - {"library", "limits"} == NAMES
    done = psops("doctor", home=home)
    assert done.stderr == ""
    assert "! known hosts" in done.stdout
    assert "    → trust keys at the first login:\n        psops status -a" in done.stdout
    assert len(psops("doctor", "--format", "jsonl", home=home).stdout.splitlines()) >= len(NAMES)


def test_doctor_finds_a_bus_that_is_there_and_one_that_is_not(home: Path) -> None:
    for address in bus(home):
        found = doctor(home, DBUS_SYSTEM_BUS_ADDRESS=address)["systemd"]
        assert (found["verdict"], str(home) in found["text"]) == ("ok", True)
    found = doctor(home, DBUS_SYSTEM_BUS_ADDRESS=f"unix:path={home}/bus")["systemd"]
    assert found["verdict"] == "critical"
    assert "connection refused" in found["text"]


def test_doctor_counts_the_keys_of_an_agent(home: Path) -> None:
    def serve(answers: socket.socket) -> None:
        client, _ = answers.accept()
        with client:
            assert client.recv(16) == b"\0\0\0\1\x0b"
            client.sendall(b"\0\0\0\5\x0c\0\0\0\2")

    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(home / "agent"))
        listening.listen()
        thread = threading.Thread(target=serve, args=(listening,))
        thread.start()
        found = doctor(home, SSH_AUTH_SOCK=str(home / "agent"))["ssh agent"]
        thread.join()
    assert (found["verdict"], found["text"]) == ("ok", "it holds 2 keys")
    gone = doctor(home, SSH_AUTH_SOCK=str(home / "agent"))["ssh agent"]
    assert (gone["verdict"], gone["advice"]["command"]) == (
        "warning", "eval $(ssh-agent) && ssh-add"
    )  # fmt: skip


def test_doctor_does_not_deny_keys_that_the_configuration_names(home: Path) -> None:
    (home / ".ssh/work").touch()
    (home / ".ssh/config").write_text("Host ps*\n  IdentityFile ~/.ssh/work\n")
    text = doctor(home)["ssh agent"]["text"]
    assert text == "there is none, and no key file but those that the ssh configuration may name"


def test_doctor_finds_key_files_and_known_hosts(home: Path) -> None:
    (home / ".ssh/id_ed25519").touch()
    (home / ".ssh/known_hosts").write_text("# a comment\na ssh-ed25519 AAAA\n\nb ssh-rsa AAAA\n")
    found = doctor(home)
    assert found["ssh agent"]["text"] == "none; key files: id_ed25519"
    assert found["known hosts"]["verdict"] == "ok"


@pytest.mark.parametrize(
    ("file", "text", "name"),
    [
        ("inventory.toml", "[hosts.a]\nprot = 22\n", "inventory"),
        ("bundles.d/x.toml", "no toml", "catalogue"),
    ],
)
def test_doctor_tells_mistakes_of_files(home: Path, file: str, text: str, name: str) -> None:
    path = home / ".config/psops" / file
    path.parent.mkdir(parents=True)
    path.write_text(text)
    found = doctor(home)[name]
    assert (found["verdict"], str(path) in found["text"]) == ("critical", True)


def test_doctor_tells_other_things_that_are_wrong(home: Path) -> None:
    (home / "state").write_text("in the way")
    (home / "ssh_config").write_text("Host x\n  Port seven\n")
    found = doctor(home, "-F", str(home / "ssh_config"), PSOPS_DBUS="slow")
    assert found["history"]["verdict"] == "critical"
    assert found["d-bus"]["verdict"] == "critical"
    assert "slow" in found["d-bus"]["text"]
    assert found["ssh configuration"]["verdict"] == "critical"
    unknown_user = doctor(home, "-F", "~nosuch/x")["ssh configuration"]
    assert "~nosuch/x: cannot read" in unknown_user["text"]


@pytest.mark.parametrize("damage", ["garbage", "a page", "another program's"])
def test_doctor_looks_into_the_history(damage: str, home: Path) -> None:
    assert doctor(home)["history"]["verdict"] == "ok"  # none yet
    words = ("restart", "-i", "demo", "-H", "ps01.demo", "-y", "chronyd")
    assert psops(*words, home=home).exit == 0
    assert doctor(home)["history"]["verdict"] == "ok"
    file = home / "state/psops/history.db"
    with contextlib.closing(sqlite3.connect(file)) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    match damage:
        case "garbage":
            file.write_text("no database\n" * 1000)
        case "a page":
            data = file.read_bytes()
            file.write_bytes(data[:4096] + b"x" * 4096 + data[8192:])
        case _:
            file.unlink()
            with contextlib.closing(sqlite3.connect(file)) as database:
                database.execute("CREATE TABLE other (a)")
    found = doctor(home)["history"]
    assert found["verdict"] == "critical"
    assert str(file) in found["text"]
    assert f"mv {file} {file}." in found["advice"]["text"]


def show(home: Path, *words: str, **variables: str) -> dict[str, tuple[str, str, str]]:
    done = psops("config", "show", "--json", *words, home=home, **variables)
    assert (done.exit, done.stderr) == (0, "")
    settings = done.document["settings"]
    return {one["name"]: (one["value"], one["origin"], one["place"]) for one in settings}


def test_config_tells_the_origin_of_every_setting(home: Path) -> None:
    usual = show(home)
    assert usual["inventory"] == ("none", "default", "")
    assert usual["timeout"] == ("30", "default", "")
    path = home / ".config/psops/inventory.toml"
    path.parent.mkdir(parents=True)
    text = '[defaults]\nport = 2222\nsudo = true\nssh_config = "other"\n'
    path.write_text(text, encoding="utf-8-sig")  # as some editors write it
    found = show(home, "--timeout", "5", SSH_AUTH_SOCK="/agent", PSOPS_SYSLOG="")
    assert found["inventory"] == (str(path), "default", "")
    assert found["defaults.port"] == ("2222", "file", str(path))
    assert found["defaults.sudo"] == ("yes", "file", str(path))
    assert found["ssh configuration"][1:] == ("file", str(path))
    assert found["timeout"] == ("5", "option", "--timeout")
    assert found["ssh agent"] == ("/agent", "environment", "SSH_AUTH_SOCK")
    assert found["system log"] == ("none", "environment", "PSOPS_SYSLOG")
    assert found["state"][1:] == ("environment", "XDG_STATE_HOME")
    assert show(home, "-F", "x")["ssh configuration"] == ("x", "option", "--ssh-config")
    assert show(home, PSOPS_INVENTORY="demo")["inventory"] == (
        "demo", "environment", "PSOPS_INVENTORY"
    )  # fmt: skip


def test_the_stronger_origin_is_told_as_it_counts(home: Path) -> None:
    (home / "a.toml").touch()
    named = {"PSOPS_INVENTORY": "/nonexistent"}
    assert show(home, "-i", str(home / "a.toml"), **named)["inventory"][1] == "option"
    assert psops("--color", "always", "config", "show", home=home).stdout.count("--color") == 1


def test_every_variable_that_psops_reads_is_a_setting(home: Path) -> None:
    from psops.cli.generate import VARIABLES

    others = {"XDG_RUNTIME_DIR", "XDG_DATA_HOME", "XDG_DATA_DIRS"}  # for the machine's places
    ours = [name for name, _ in VARIABLES if name not in others]
    for name in ours:
        value = "demo" if name == "PSOPS_INVENTORY" else str(home)
        places = {place for _, _, place in show(home, **{name: value}).values()}
        assert name in places, name


def test_json_of_doctor_and_config_is_one_document(home: Path) -> None:
    for words in (("doctor",), ("config", "show")):
        document = json.loads(psops(*words, "--json", home=home).stdout)
        assert document["command"] == " ".join(words)
        assert document["schema"] == 1
