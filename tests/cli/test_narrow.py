"""Every table on a narrow terminal: it keeps to the width, and all that it names is whole."""

import contextlib
import re
import shlex
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from psops.errors import PsopsError
from psops.nodeset import expand
from psops.report.text import width_of
from tests.command import on_terminal, psops

_DATA = Path(__file__).parents[1]
_CFG = _DATA / "panda/data/panda_server.cfg"
_CRON = _DATA / "cron/data/worked_example.cron"
#: What is typed -> where its JSON document has hosts, units, names and verdicts.
COMMANDS = {
    "status -i demo -a": ("hosts.host", "hosts.units.name", "hosts.units.active_state"),
    "status -i demo -a --no-fold": ("hosts.host", "hosts.units.name", "hosts.state"),
    "status -i demo -H ps[01-02].demo sshd 'postgresql*'": ("hosts.host", "hosts.units.id"),
    "status -i demo -H ps01.demo p*": ("hosts.units.name", "hosts.units.active_state"),
    "status -i demo -a sshd -p Names,ExecMainStartTimestamp": ("hosts.host", "hosts.units.id"),
    "inventory check -i demo -a": ("hosts.host", "errors.code"),
    "inventory list -i demo": ("hosts.name", "hosts.groups"),
    "inventory list -i demo -H @panda,@rucio": ("hosts.name", "hosts.groups", "hosts.bundles"),
    "restart -i demo -a pscheduler-runner --yes": (
        "hosts.host", "hosts.units.unit", "hosts.units.result",
    ),
    "restart -i demo -H ps[01-02].demo pscheduler-runner --yes": (
        "hosts.host", "hosts.units.unit", "hosts.units.result",
    ),
    "history": ("runs.verb", "runs.state"),
    "history show 1": ("run.hosts.host", "run.hosts.changes.unit", "run.hosts.changes.result"),
    "config show": ("settings.name", "settings.origin"),
    "bundle list": ("bundles.name", "bundles.system"),
    "bundle list --system sand": ("components.name", "components.role"),
    "bundle show testpoint": ("daemons.name", "daemons.severity", "checks.name"),
    "bundle verify -i demo -a": ("hosts.host", "hosts.verdict"),
    "bundle verify -i demo -a --no-fold": ("hosts.host", "hosts.verdict"),
    "bundle verify -i demo -g testpoint": ("hosts.host", "hosts.verdict"),
    "bundle verify -i demo -H ps02.demo": (
        "hosts.findings.name", "hosts.findings.verdict", "hosts.findings.unit.id",
    ),
    "rucio verify -i demo -a": ("hosts.host", "hosts.verdict"),
    "rucio heartbeats -i demo -g rucio": (
        "heartbeats.name", "heartbeats.hostname", "heartbeats.unit", "heartbeats.code",
    ),
    "unit lint -i demo -g rucio": ("hosts.host", "hosts.findings.name", "hosts.verdict"),
    "pipeline list --system sand": ("components.name", "components.role"),
    f"pipeline verify -i demo:36 --file {_DATA}/pipeline/data/measure.toml": (
        "hosts.host", "hosts.verdict",
    ),
    f"cron2daemon --servers 9 --format table {_CRON}": ("daemons.name", "lines.daemon"),
    f"panda show {_CFG} --servers 9": ("daemons.name", "daemons.state"),
    f"panda show {_CFG} --origins": ("daemons.name",),
    f"panda simulate {_CFG} --servers 9 --against {_CRON}": ("simulation.daemons.name",),
}  # fmt: skip


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a home in which psops has changed something before."""
    place = tmp_path_factory.mktemp("home")
    psops("restart", "-i", "demo", "-a", "pscheduler-runner", "--yes", home=place)
    return place


@pytest.mark.parametrize("command", COMMANDS)
def test_tables_keep_to_the_terminal_and_names_are_whole(command: str, home: Path) -> None:
    words = shlex.split(command)
    asked = [*words[: words.index("--format")], *words[-1:]] if "--format" in words else words
    run = psops(*asked, "--format", "json", home=home, NO_COLOR="1")
    wanted = {name for place in COMMANDS[command] for name in said(run.document, place.split("."))}
    assert wanted
    for columns in (80, 40):
        text = on_terminal(
            *words, home=home, columns=columns, NO_COLOR="1", XDG_STATE_HOME=str(home / "state")
        )  # fmt: skip
        rows = [line for block in tables(text) for line in block]
        assert rows
        assert [row for row in rows if width_of(row) > columns and " " in bare(row)] == []
        assert {name for name in wanted if name not in text} - set(names(text)) == set(), columns


def said(document: Any, place: list[str]) -> Iterator[str]:
    """Yield the texts at a place of a document; of a host without an answer its name alone."""
    if isinstance(document, list):
        for one in document:
            yield from said(one, place)
    elif place and isinstance(document, dict):
        if document.get("error") and place != ["host"]:
            return
        yield from said(document.get(place[0]), place[1:])
    elif document:
        yield str(document)


def tables(text: str) -> Iterator[list[str]]:
    """Yield the lines of each table: a block with a head of capitals, not a sentence below it."""
    for block in text.split("\n\n"):
        if re.match(r"[A-Z]{2,}( |$)", block, re.M):
            yield [line for line in block.rstrip("\n").split("\n") if not line.startswith("gaps ")]


def bare(row: str) -> str:
    """Return a row without the sign before its name: only a name alone may be too wide."""
    return re.sub(r"^\s*[●○×!?~✓✗] ", "", row).strip()


def names(text: str) -> Iterable[str]:
    """Yield the words of a text, and the names in patterns of hosts, on however many lines."""
    for word in re.findall(r"\S+", re.sub(r"(?<=,)\n +", "", text)):
        yield word
        with contextlib.suppress(PsopsError):  # no pattern of hosts
            yield from expand(word.strip(",:"))


def test_width_that_is_told_beats_that_of_the_terminal(home: Path) -> None:
    words = ("inventory", "check", "-i", "demo", "-a", "--no-clock")
    wide = on_terminal(*words, home=home, columns=40, NO_COLOR="1", COLUMNS="200")
    assert "VERSION" in wide.splitlines()[0]


def test_file_is_as_wide_as_it_likes(home: Path, tmp_path: Path) -> None:
    words = ("bundle", "verify", "-i", "demo", "-a", "--output")
    psops(*words, str(tmp_path / "by-pipe"), home=home)
    on_terminal(*words, str(tmp_path / "by-terminal"), home=home, columns=40)
    one, other = ((tmp_path / f"by-{way}").read_text().split("\n\n")[1]
                  for way in ("pipe", "terminal"))  # fmt: skip
    assert one == other
